using System.Text.Json;
using System.Text.Json.Serialization;

using DataHub.Catalog;

namespace DataHub.Indicators;

/// <param name="Function">count, sum, mean, min, max, last, stddev, stddevSample, p50, p90, p95, p99, distinct or open.</param>
/// <param name="Field">The measured field; count works without one, open has none. <c>@duration</c>: seconds from opened to closed.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record MeasureJson([property: JsonRequired] string Function, string? Field = null);

/// <param name="MinimumCount">Values that fewer rows stand behind are suppressed; 0 suppresses nothing.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record DisclosureJson(int MinimumCount = 0);

/// <param name="Direction">below or above; a value equal to the target's has met it.</param>
/// <param name="Due">Until the end of this day, in the indicator's zone, it need not be met yet.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record TargetJson([property: JsonRequired] double Value, [property: JsonRequired] TargetDirection Direction, DateOnly? Due = null);

/// <summary>An indicator as it is put, with <c>measure</c> or <c>formula</c>.</summary>
/// <param name="Window">ISO 8601: PTnM or PTnH that divide an hour or, up to PT12H, 24 hours; P1D; P1W; PnM that divides twelve months; P1Y.</param>
/// <param name="TimeZone">IANA name; Europe/Berlin where absent.</param>
/// <param name="GroupBy"><c>area</c> and names of fields with role dimension.</param>
/// <param name="Decimals">Places on output, 0 to 15; null: unrounded.</param>
/// <param name="Access">open or internal; internal where absent.</param>
/// <param name="Filter">CQL2 text (OGC 21-065r2) over the dataset's fields, such as <c>no2 > 0 AND kind IN ('traffic', 'background')</c>: only rows of which it is true count.</param>
/// <param name="Formula">
/// Instead of <c>measure</c>: derives the values from other indicators of the dataset, which have the same window, time zone
/// and groups; these can then be left out. <c>+ - * /</c>, parentheses, numbers, ids (in double quotes where they are not a
/// letter followed by letters and digits), <c>population</c>, <c>share(x)</c>, <c>change(x)</c>, <c>previous(x)</c>,
/// <c>rank(x)</c>, <c>min(x, y)</c>, <c>max(x, y)</c>, <c>abs(x)</c>, <c>round(x, places)</c>.
/// </param>
/// <param name="Sliding">ISO 8601 duration of so many whole windows: each value covers it, up to the end of its window.</param>
/// <param name="Coverage">Whether each value says how many series reported and how many did in the window before; true where absent, for observations.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record IndicatorBodyJson(
    [property: JsonRequired] LocalText Title,
    string? Dataset = null,
    MeasureJson? Measure = null,
    string? Window = null,
    string? TimeZone = null,
    string[]? GroupBy = null,
    int? Decimals = null,
    string? Unit = null,
    AccessClass Access = AccessClass.Internal,
    LocalText? Description = null,
    DisclosureJson? Disclosure = null,
    string? Filter = null,
    string? Formula = null,
    string? Sliding = null,
    TargetJson? Target = null,
    bool? Coverage = null)
{
    private const string Area = "area";
    private const string DefaultTimeZone = "Europe/Berlin";

    /// <summary>The definition, or what is missing or not allowed.</summary>
    public (IndicatorSpec? Spec, LocalText? Fault) ToSpec()
    {
        if (Dataset is null) return (null, Missing("dataset"));
        if (Formula is not null && Measure is not null) return (null, new("formula: Entweder measure oder formula.", "formula: Either measure or formula."));
        if (Formula is null && Measure is null) return (null, Missing("measure"));
        if (Window is null && Formula is null) return (null, Missing("window"));
        var function = MeasureFunction.Count;
        if (Measure is not null && (!Enum.TryParse(Measure.Function, ignoreCase: true, out function) || Word(function) != Measure.Function))
        {
            var known = string.Join(", ", Enum.GetValues<MeasureFunction>().Select(Word));
            return (null, new($"measure.function: „{Measure.Function}“ gibt es nicht; es gibt {known}.", $"measure.function: There is no “{Measure.Function}”; there are {known}."));
        }

        var groups = GroupBy ?? [];
        if (Array.Exists(groups, group => group is null)) return (null, new("groupBy: null ist kein Feld.", "groupBy: null is no field."));
        var dimensions = Array.FindAll(groups, group => group != Area);
        if (groups.Length - dimensions.Length > 1) return (null, new("groupBy: „area“ steht zweimal da.", "groupBy: “area” occurs twice."));
        if (Formula is not null && GroupBy is null) dimensions = [IndicatorSpec.OfInputs];
        return (new(
            Title, Dataset, function, Measure?.Field, Window ?? IndicatorSpec.OfInputs, TimeZone ?? (Formula is null ? DefaultTimeZone : IndicatorSpec.OfInputs),
            groups.Length > dimensions.Length, dimensions, Decimals, Unit, Access)
        {
            Description = Description,
            MinimumCount = Disclosure?.MinimumCount ?? 0,
            Filter = Filter,
            Sliding = Sliding,
            Target = Target is null ? null : new(Target.Value, Target.Direction, Target.Due),
            Formula = Formula,
            Coverage = Coverage,
        }, null);
    }

    internal static string Word(MeasureFunction function) => JsonNamingPolicy.CamelCase.ConvertName(function.ToString());

    internal static string[] Groups(IndicatorSpec spec) => spec.ByArea ? [Area, .. spec.Dimensions] : spec.Dimensions;

    private static LocalText Missing(string member) => new($"{member} fehlt.", $"{member} is missing.");
}

/// <summary>An indicator that a formula is computed from.</summary>
/// <param name="Definition">The version of its definition that is taken.</param>
internal sealed record InputJson(string Indicator, int Definition);

/// <summary>One version of a definition.</summary>
/// <param name="Definition">Its version.</param>
/// <param name="Measure">Null for a formula.</param>
/// <param name="Inputs">What a formula is computed from; null for a measure.</param>
internal sealed record DefinitionJson(
    int Definition,
    LocalText Title,
    LocalText? Description,
    string Dataset,
    MeasureJson? Measure,
    string Window,
    string TimeZone,
    string[] GroupBy,
    int? Decimals,
    string? Unit,
    AccessClass Access,
    DisclosureJson Disclosure,
    string? Filter,
    string? Formula,
    InputJson[]? Inputs,
    string? Sliding,
    TargetJson? Target,
    bool Coverage)
{
    public static DefinitionJson Of(IndicatorDefinition definition)
    {
        var spec = definition.Spec;
        return new(
            definition.Version, spec.Title, spec.Description, spec.Dataset,
            spec.Formula is null ? new(IndicatorBodyJson.Word(spec.Function), spec.Field) : null, spec.Window, spec.TimeZone,
            IndicatorBodyJson.Groups(spec), spec.Decimals, spec.Unit, spec.Access, new(spec.MinimumCount),
            spec.Filter, spec.Formula, definition.Inputs is { } inputs ? Array.ConvertAll(inputs, input => new InputJson(input.Indicator, input.Version)) : null,
            spec.Sliding, spec.Target is { } target ? new(target.Value, target.Direction, target.Due) : null, spec.Coverage is true);
    }
}

/// <summary>How far a definition is that does not answer yet, over all partitions.</summary>
/// <param name="Done">Rows read.</param>
/// <param name="Of">Rows ever accepted: at most so many are to be read.</param>
/// <param name="Share">0 to 1.</param>
/// <param name="Phase">history: reads what stood when it began; log: reads what came since; joined: about to answer.</param>
internal sealed record ProgressJson(long Done, long Of, double Share, FillPhase Phase);

/// <summary>An indicator as it stands: the definition that answers, and a newer one that is still being filled.</summary>
/// <param name="Pending">Answers once it has caught up; null where there is none.</param>
/// <param name="Progress">Of the pending definition or, while it is being filled, of the first; null where there is nothing to fill.</param>
internal sealed record IndicatorJson(
    string Id,
    int Definition,
    LocalText Title,
    LocalText? Description,
    string Dataset,
    string Publisher,
    MeasureJson? Measure,
    string Window,
    string TimeZone,
    string[] GroupBy,
    int? Decimals,
    string? Unit,
    AccessClass Access,
    string? License,
    DisclosureJson Disclosure,
    string? Filter,
    string? Formula,
    InputJson[]? Inputs,
    string? Sliding,
    TargetJson? Target,
    bool Coverage,
    string? AreaSystem,
    int? AreaVersion,
    DefinitionJson? Pending,
    ProgressJson? Progress)
{
    public static IndicatorJson Of(IndicatorInfo info)
    {
        var definition = DefinitionJson.Of(info.Definition);
        return new(
            info.Id, definition.Definition, definition.Title, definition.Description, definition.Dataset, info.Publisher, definition.Measure, definition.Window, definition.TimeZone,
            definition.GroupBy, definition.Decimals, definition.Unit, definition.Access, info.License, definition.Disclosure,
            definition.Filter, definition.Formula, definition.Inputs, definition.Sliding, definition.Target, definition.Coverage,
            info.AreaSystem, info.AreaSystem is null ? null : info.AreaVersion, info.Pending is null ? null : DefinitionJson.Of(info.Pending),
            info.Progress is { } progress ? new(progress.Done, progress.Of, progress.Share, progress.Phase) : null);
    }
}

/// <param name="Next">Path and query of the next page; null on the last.</param>
internal sealed record IndicatorListJson(IndicatorJson[] Indicators, string? Next);

/// <summary>One value; here for the description of the interface, written by <see cref="AnswerWriter"/>.</summary>
/// <param name="Coverage">How many series reported in the window, and how many in the one before; absent where the definition does not ask for it.</param>
/// <param name="Target">Whether the target is met, still open, or missed; absent without one.</param>
internal sealed record ValueJson(
    string? Area, DateTimeOffset From, DateTimeOffset To, Dictionary<string, string?>? Dimensions, double? Value, long? Count, ValueState State,
    CoverageJson? Coverage, TargetState? Target);

/// <param name="Series">Different series with a row in the window.</param>
/// <param name="Before">The same in the window before.</param>
internal sealed record CoverageJson(long Series, long Before);

/// <inheritdoc cref="ValueJson"/>
internal sealed record ValuesJson(
    string Indicator, long Version, string Watermark, int Definition, string? Unit, string? License, DateTimeOffset? AsOf,
    LocalText Title, string Publisher, string TimeZone, string DescribedBy, string? ExplainedBy, ValueJson[] Rows, string? Next);
