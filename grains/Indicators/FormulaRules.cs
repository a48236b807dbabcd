using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>What a formula may be made of, what becomes of it when its inputs change, and what they may not become. Pure.</summary>
internal static class FormulaRules
{
    /// <summary>The formula's definition with window, zone and groups of its inputs, and the versions that it begins with.</summary>
    /// <param name="id">The formula's own.</param>
    /// <param name="others">The other indicators of its dataset.</param>
    public static (IndicatorSpec Spec, IndicatorDefinition[] Inputs, LocalText? Fault) Complete(
        string id, IndicatorSpec spec, DatasetInfo dataset, IReadOnlyList<IndicatorInfo> others, IndicatorOptions limits)
    {
        var (formula, fault) = Formula.Parse(spec.Formula!, FormulaLimits.Of(limits));
        if (formula is null) return Refused(fault!);
        if (spec.Filter is not null || spec.Sliding is not null || spec.Coverage is true)
        {
            var member = spec.Filter is not null ? "filter" : spec.Sliding is not null ? "sliding" : "coverage";
            return Refused(new(
                $"{member}: Das gehört zu den Indikatoren, aus denen eine Formel gebildet wird, nicht zur Formel.", $"{member}: That belongs to the indicators that a formula is made of, not to the formula."));
        }

        var inputs = new IndicatorInfo[formula.Ids.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            var (name, position) = (formula.Ids[i], formula.Positions[i]);
            if (others.FirstOrDefault(other => other.Id == name) is not { } input) return Refused(Unknown(id, name, position, dataset, others));
            if (input.Definition.Inputs is not null || input.Pending?.Inputs is not null)
            {
                return Refused(new(
                    $"formula, Zeichen {position}: „{name}“ ist selbst eine Formel; möglich sind nur gemessene Indikatoren.",
                    $"formula, character {position}: “{name}” is a formula itself; only measured indicators are possible."));
            }

            inputs[i] = input;
        }

        var first = inputs[0].Definition.Spec;
        foreach (var other in inputs.SelectMany(Versions))
        {
            if (!SameShape(first, other.Spec)) return Refused(Unlike(first, inputs[0].Id, other.Spec, other.Indicator));
        }

        foreach (var input in inputs)
        {
            if (spec.Access == AccessClass.Open && Versions(input).Any(version => version.Spec.Access != AccessClass.Open))
            {
                return Refused(new(
                    $"access: „{input.Id}“ ist nicht offen, also kann es auch nicht sein, was daraus berechnet wird.", $"access: “{input.Id}” is not open, so what is computed from it cannot be either."));
            }
        }

        if ((spec.Window != IndicatorSpec.OfInputs && spec.Window != first.Window) || (spec.TimeZone != IndicatorSpec.OfInputs && spec.TimeZone != first.TimeZone)
            || (spec.Dimensions is not [IndicatorSpec.OfInputs] && (spec.ByArea != first.ByArea || !spec.Dimensions.AsSpan().SequenceEqual(first.Dimensions))))
        {
            return Refused(new(
                $"window, timeZone, groupBy: Bei einer Formel sind es die der Indikatoren, aus denen sie gebildet wird: {Shape(first)}. Weglassen oder so angeben.",
                $"window, timeZone, groupBy: For a formula they are those of the indicators that it is made of: {Shape(first)}. Leave them out or give them like that."));
        }

        if ((formula.Needs.Whole || formula.Needs.Ranks) && !first.ByArea)
        {
            return Refused(new(
                "formula: share und rank vergleichen Gebiete; diese Indikatoren sind nicht nach Gebieten gegliedert.", "formula: share and rank compare areas; these indicators are not grouped by area."));
        }

        if (formula.Needs.Population && dataset.Spec.AreaSystem is null)
        {
            return Refused(new(
                $"formula: population braucht ein Gebietssystem; „{dataset.Id}“ hat keines.", $"formula: population needs an area system; “{dataset.Id}” has none."));
        }

        var complete = spec with
        {
            Function = MeasureFunction.Count,
            Field = null,
            Window = first.Window,
            TimeZone = first.TimeZone,
            ByArea = first.ByArea,
            Dimensions = first.Dimensions,
            Coverage = false,
        };
        return (complete, Array.ConvertAll(inputs, input => input.Definition), null);

        (IndicatorSpec, IndicatorDefinition[], LocalText) Refused(LocalText detail) => (spec, [], detail);
    }

    /// <summary>Which formulas keep an indicator from becoming what it is put as; null where none does.</summary>
    public static LocalText? InUse(string id, IndicatorSpec standing, IndicatorSpec wanted, IReadOnlyList<IndicatorInfo> others)
    {
        if (wanted.Formula is null && SameShape(standing, wanted)) return null;
        var users = string.Join(", ", others.Where(other => Versions(other).Any(version => version.Inputs?.Any(input => input.Indicator == id) is true)).Select(other => other.Id).Order(StringComparer.Ordinal));
        return users.Length == 0
            ? null
            : new(
                $"window, timeZone, groupBy und dass es keine Formel ist, liegen fest, solange andere Indikatoren aus „{id}“ berechnet werden: {users}.",
                $"window, timeZone, groupBy and that it is no formula are fixed as long as other indicators are computed from “{id}”: {users}.");
    }

    /// <summary>A formula after its inputs may have got new versions that answer: then it gets a new version itself, which waits until it has joined.</summary>
    /// <param name="inputs">The inputs as they stand; one that is not there stays as it was.</param>
    public static IndicatorState Refreshed(IndicatorState state, IReadOnlyList<IndicatorInfo> inputs)
    {
        if ((state.Pending ?? state.Definition) is not { Inputs: { } known } wanted) return state;
        var present = Array.ConvertAll(known, input => inputs.FirstOrDefault(info => info.Id == input.Indicator)?.Definition ?? input);
        if (Same(known, present)) return state;

        // Put at the same time as the formula, it can have become what it must not: then what stands goes on.
        if (Array.Exists(present, input => input.Inputs is not null || !SameShape(input.Spec, wanted.Spec))) return state;
        return state.Definition is { } standing && standing.Inputs is { } stands && IndicatorRules.Same(standing.Spec, wanted.Spec) && Same(stands, present)
            ? state with { Pending = null, Changes = state.Changes + 1 }
            : state with { Pending = new(wanted.Indicator, state.Changes + 1, wanted.Spec) { Inputs = present }, Changes = state.Changes + 1 };
    }

    /// <summary>Whether the caller may read everything that a formula is computed from. While a stricter version is pending it holds already.</summary>
    /// <param name="source">The dataset of the formula and of all of them.</param>
    public static bool MayRead(Caller caller, IndicatorSource source, IEnumerable<IndicatorInfo> inputs) =>
        inputs.All(input => Versions(input).All(version => AccessRules.May(caller, AccessRights.ReadRows, source.Holding(version.Spec.Access))));

    /// <summary>Whether all inputs are open, in every version that holds.</summary>
    public static bool AreOpen(IEnumerable<IndicatorInfo> inputs) => inputs.All(input => Versions(input).All(version => version.Spec.Access == AccessClass.Open));

    /// <summary>Inputs of some version with the stricter of their own and the present rule of disclosure.</summary>
    /// <param name="present">The inputs as they stand.</param>
    public static IndicatorDefinition[] Strictest(IndicatorDefinition[] inputs, IReadOnlyList<IndicatorInfo> present) => Array.ConvertAll(inputs, input =>
        input with
        {
            Spec = input.Spec with
            {
                MinimumCount = present.Where(info => info.Id == input.Indicator).SelectMany(Versions).Select(version => version.Spec.MinimumCount).Append(input.Spec.MinimumCount).Max(),
            },
        });

    /// <summary>“Did you mean …?” with a blank before it; empty where nothing is near.</summary>
    public static LocalText Meant(string word, IEnumerable<string> known)
    {
        var near = known.Select(name => (Name: name, Distance: Spelling.Distance(word, name))).Where(name => name.Distance <= Math.Max(1, Math.Min(word.Length, name.Name.Length) / 3))
            .OrderBy(name => name.Distance).ThenBy(name => name.Name, StringComparer.Ordinal).Select(name => name.Name).FirstOrDefault();
        return near is null ? new("", "") : new($" Gemeint: {Written(near)}?", $" Did you mean {Written(near)}?");
    }

    private static LocalText Unknown(string id, string name, int position, DatasetInfo dataset, IReadOnlyList<IndicatorInfo> others)
    {
        if (name == id)
        {
            return new(
                $"formula, Zeichen {position}: „{name}“ ist der Indikator selbst; er kann nicht aus sich berechnet werden.",
                $"formula, character {position}: “{name}” is the indicator itself; it cannot be computed from itself.");
        }

        // A bare id with a hyphen reads as a difference.
        var beginsWith = others.Select(other => other.Id).Where(other => other.StartsWith(name + "-", StringComparison.Ordinal)).Order(StringComparer.Ordinal).FirstOrDefault();
        var meant = beginsWith is null
            ? Meant(name, others.Where(other => other.Definition.Inputs is null).Select(other => other.Id).Concat(FormulaParser.Words))
            : new($" Gemeint: \"{beginsWith}\", mit Anführungszeichen?", $" Did you mean \"{beginsWith}\", with quotes?");
        return new(
            $"formula, Zeichen {position}: Den Indikator „{name}“ gibt es auf dem Datensatz „{dataset.Id}“ nicht; eine Formel nimmt nur Indikatoren ihres eigenen Datensatzes.{meant.De}",
            $"formula, character {position}: There is no indicator “{name}” on the dataset “{dataset.Id}”; a formula takes only indicators of its own dataset.{meant.In("en")}");
    }

    private static LocalText Unlike(IndicatorSpec first, string firstId, IndicatorSpec other, string otherId) => new(
        $"formula: „{firstId}“ und „{otherId}“ passen nicht zusammen; Fenster, Zeitzone und Gliederung müssen gleich sein: {Shape(first)} gegen {Shape(other)}.",
        $"formula: “{firstId}” and “{otherId}” do not go together; window, time zone and groups must be the same: {Shape(first)} against {Shape(other)}.");

    private static string Shape(IndicatorSpec spec) => $"{spec.Window} {spec.TimeZone} [{string.Join(", ", spec.ByArea ? spec.Dimensions.Prepend("area") : spec.Dimensions)}]";

    private static bool SameShape(IndicatorSpec a, IndicatorSpec b) =>
        a.Window == b.Window && a.TimeZone == b.TimeZone && a.ByArea == b.ByArea && a.Dimensions.AsSpan().SequenceEqual(b.Dimensions);

    private static bool Same(IndicatorDefinition[] a, IndicatorDefinition[] b) =>
        a.Select(input => (input.Indicator, input.Version)).SequenceEqual(b.Select(input => (input.Indicator, input.Version)));

    private static IEnumerable<IndicatorDefinition> Versions(IndicatorInfo info) => info.Pending is { } pending ? [info.Definition, pending] : [info.Definition];

    private static string Written(string name) => name.Contains('-', StringComparison.Ordinal) || char.IsAsciiDigit(name[0]) ? $"\"{name}\"" : name;
}
