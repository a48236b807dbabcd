using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>Who may define and read indicators, what a definition may be, and what comes of a new one. Pure.</summary>
internal static class IndicatorRules
{
    public const int MaxDescriptionLength = 4_000;
    public const int MaxUnitLength = 64;
    public const int MaxMinimumCount = 1_000_000;

    /// <summary>The indicator's own access decides, not the dataset's. While a stricter version is pending it holds already.</summary>
    /// <param name="source">The dataset as it was when last looked at; null where there never was one.</param>
    public static bool MayRead(Caller caller, IndicatorState state, IndicatorSource? source) =>
        state is { Definition: { } definition } && source is not null
        && AccessRules.May(caller, AccessRights.ReadRows, source.Holding(definition.Spec.Access))
        && (state.Pending is null || AccessRules.May(caller, AccessRights.ReadRows, source.Holding(state.Pending.Spec.Access)));

    /// <summary>Whether values may be read by an earlier version: both its own access and the present one decide.</summary>
    public static bool MayReadEarlier(Caller caller, IndicatorState state, IndicatorSource source, IndicatorDefinition earlier) =>
        MayRead(caller, state, source) && AccessRules.May(caller, AccessRights.ReadRows, source.Holding(earlier.Spec.Access));

    /// <summary>Fewest rows behind a value by an earlier version that is not suppressed: the most that it or a later one asks for.</summary>
    public static int MinimumCount(IndicatorState state, IndicatorDefinition earlier) =>
        state.Earlier.Where(one => one.Version >= earlier.Version).Append(state.Definition!).Append(state.Pending ?? state.Definition!).Max(one => one.Spec.MinimumCount);

    /// <summary>The indicator after a put, or why it was refused; a refusal and an equal definition leave the state as it is.</summary>
    /// <param name="dataset">What the definition names; null where there is no such dataset.</param>
    /// <param name="others">The other indicators of the dataset; a formula is made of them, or they of this one.</param>
    public static (IndicatorState State, IndicatorResult Result) Put(
        IndicatorState state, string id, Caller caller, IndicatorSpec spec, DatasetInfo? dataset, IndicatorOptions limits, IReadOnlyList<IndicatorInfo>? others = null)
    {
        var standing = state.Definition;
        if (dataset is null)
        {
            // Without the dataset only the platform can be told more than that the key does not suffice.
            return caller.Role == KeyRole.Admin || caller.Grants.All.Length > 0
                ? Refused(CatalogRefusal.Invalid, new(
                    $"dataset: Den Datensatz „{spec.Dataset}“ gibt es nicht; erst PUT /api/v1/datasets/{spec.Dataset}.",
                    $"dataset: The dataset “{spec.Dataset}” does not exist; first PUT /api/v1/datasets/{spec.Dataset}."))
                : Refused(CatalogRefusal.Forbidden, new("Nötig ist ein Admin-Schlüssel.", "An admin key is needed."));
        }

        // Who defines an indicator decides who reads it: that is a release too.
        var held = dataset.Holding with { Access = AccessClass.Internal };
        var reaches = state.Source?.Holding(AccessClass.Internal) ?? held;
        if (AccessRules.Decide(caller, AccessRights.EditDefinitions, reaches).Missing is { } missing) return Refused(CatalogRefusal.Forbidden, missing);
        if (AccessRules.Decide(caller, AccessRights.EditDefinitions, held).Missing is { } lacking) return Refused(CatalogRefusal.Forbidden, lacking);
        if (Releases(standing is null ? null : state.Pending ?? standing, spec) && AccessRules.Decide(caller, AccessRights.Release, held).Missing is { } release) return Refused(CatalogRefusal.Forbidden, release);

        if (!CatalogIds.IsValid(id))
            return Refused(CatalogRefusal.Invalid, new($"Die Kennung „{id}“ hat nicht die Form {CatalogIds.Pattern}.", $"The id “{id}” does not match {CatalogIds.Pattern}."));
        IndicatorDefinition[]? inputs = null;
        if (spec.Formula is not null)
        {
            (spec, inputs, var wrong) = FormulaRules.Complete(id, spec, dataset, others ?? [], limits);
            if (wrong is not null) return Refused(CatalogRefusal.Invalid, wrong);
        }

        spec = spec with { Coverage = spec.Coverage ?? (dataset.Spec.Kind == DatasetKind.Observations && spec is { Formula: null, Function: not MeasureFunction.Open }) };
        if (Fault(spec, dataset, limits) is { } fault) return Refused(CatalogRefusal.Invalid, fault);
        if (standing is not null && standing.Spec.Dataset != spec.Dataset)
        {
            return Refused(CatalogRefusal.Conflict, new(
                $"dataset liegt seit dem Anlegen fest: {standing.Spec.Dataset}. Für etwas anderes einen neuen Indikator anlegen.",
                $"dataset has been fixed since creation: {standing.Spec.Dataset}. For anything else make a new indicator."));
        }

        if (standing is not null && FormulaRules.InUse(id, (state.Pending ?? standing).Spec, spec, others ?? []) is { } used) return Refused(CatalogRefusal.Conflict, used);
        var source = SourceOf(dataset);
        if (standing is null)
        {
            var first = new IndicatorState(new(id, state.Changes + 1, spec) { Inputs = inputs }, null, state.Changes + 1, state.Announced, source);
            return (first, new(CatalogRefusal.None, Info(first), null) { Created = true });
        }

        var wanted = state.Pending ?? standing;
        if (Same(wanted.Spec, spec)) return (state, new(CatalogRefusal.None, Info(state), null));

        // Back to what answers: that what is pending is given up is the whole change.
        var next = Same(standing.Spec, spec)
            ? state with { Pending = null, Changes = state.Changes + 1, Source = source }
            : state with { Pending = new(id, state.Changes + 1, spec) { Inputs = inputs }, Changes = state.Changes + 1, Source = source };
        return (next, new(CatalogRefusal.None, Info(next), null));

        (IndicatorState, IndicatorResult) Refused(CatalogRefusal refusal, LocalText detail) => (state, new(refusal, Info(state), detail));
    }

    /// <summary>The pending version has joined everywhere and answers from now on; the one that answered is kept among the earlier ones.</summary>
    /// <param name="keep">So many earlier ones at most.</param>
    public static IndicatorState Joined(IndicatorState state, int keep) =>
        state.Pending is { } pending
            ? state with { Definition = pending, Pending = null, Changes = state.Changes + 1, Earlier = [.. state.Earlier.Append(state.Definition!).TakeLast(keep)] }
            : state;

    public static IndicatorSource SourceOf(DatasetInfo dataset) => new(
        dataset.Spec.Publisher, [.. dataset.Partitions.Select(partition => partition.Key)], dataset.Spec.AreaSystem, dataset.AreaVersion, dataset.Spec.License)
    {
        Dataset = dataset.Id,
        Dataspace = dataset.Spec.Dataspace,
        State = dataset.State,
    };

    /// <summary>Whether a definition lets more be read than the one before it: it opens values, or suppresses fewer of open ones.</summary>
    private static bool Releases(IndicatorDefinition? before, IndicatorSpec spec) =>
        spec.Access == AccessClass.Open && (before is not { Spec.Access: AccessClass.Open } || spec.MinimumCount < before.Spec.MinimumCount);

    /// <summary>Null where the indicator does not exist.</summary>
    public static IndicatorInfo? Info(IndicatorState state) => state is { Definition: { } definition, Source: { } source }
        ? new(definition.Indicator, definition, state.Pending, source.AreaSystem, source.AreaVersion, source.License, source.Publisher)
        : null;

    public static bool Same(IndicatorSpec a, IndicatorSpec b) =>
        a with { Dimensions = b.Dimensions } == b && a.Dimensions.AsSpan().SequenceEqual(b.Dimensions);

    /// <summary>What is wrong with a definition in itself or against its dataset's contract; the first thing found.</summary>
    public static LocalText? Fault(IndicatorSpec spec, DatasetInfo dataset, IndicatorOptions limits)
    {
        if (AgencyRules.TextFault(spec.Title) is { } title) return new("title: " + title.De, "title: " + title.In("en"));
        if (spec.Description is { De.Length: > MaxDescriptionLength } or { En.Length: > MaxDescriptionLength }) return TooLong("description", MaxDescriptionLength);
        if (spec.Unit is { Length: > MaxUnitLength }) return TooLong("unit", MaxUnitLength);
        if (!Enum.IsDefined(spec.Function)) return new("measure.function: Diese Funktion gibt es nicht.", "measure.function: There is no such function.");
        if (!Enum.IsDefined(spec.Access)) return new("access: open oder internal.", "access: open or internal.");
        if (spec.Decimals is < 0 or > Decimals.Most) return new($"decimals: 0 bis {Decimals.Most} oder null.", $"decimals: 0 to {Decimals.Most} or null.");
        if (spec.MinimumCount is < 0 or > MaxMinimumCount) return new($"disclosure.minimumCount: 0 bis {MaxMinimumCount}.", $"disclosure.minimumCount: 0 to {MaxMinimumCount}.");

        try
        {
            CalendarWindows.Parse(spec.Window, spec.TimeZone);
        }
        catch (FormatException)
        {
            return new(
                $"window, timeZone: „{spec.Window}“ in „{spec.TimeZone}“ geht nicht. Erlaubt sind PTnM und PTnH, die eine Stunde (PT1M bis PT1H) oder, bis PT12H, 24 Stunden teilen; P1D; P1W; PnM, das zwölf Monate teilt; P1Y; als Zeitzone ein IANA-Name wie Europe/Berlin.",
                $"window, timeZone: “{spec.Window}” in “{spec.TimeZone}” is not possible. Allowed are PTnM and PTnH that divide an hour (PT1M to PT1H) or, up to PT12H, 24 hours; P1D; P1W; PnM that divides twelve months; P1Y; as time zone an IANA name such as Europe/Berlin.");
        }

        if (spec.Sliding is not null && spec.Function == MeasureFunction.Open)
            return new("sliding: Offene Vorgänge werden zu einem Zeitpunkt gezählt, nicht über eine Spanne.", "sliding: Open records are counted at an instant, not over a span.");
        if (spec.Sliding is { } sliding && (!SlidingWindows.TryCount(spec.Window, sliding, out var covered) || covered > limits.MaxSlidingWindows))
        {
            return new(
                $"sliding: „{Shortened(sliding)}“ sind nicht 2 bis {limits.MaxSlidingWindows} ganze Fenster von {spec.Window} (DataHub:Indicator:MaxSlidingWindows). Minuten, Stunden und Tage (P1D, P1W) passen zu Fenstern in Minuten und Stunden, Tage und Wochen zu solchen in Tagen und Wochen, Monate und Jahre zu solchen in Monaten und Jahren.",
                $"sliding: “{Shortened(sliding)}” are not 2 to {limits.MaxSlidingWindows} whole windows of {spec.Window} (DataHub:Indicator:MaxSlidingWindows). Minutes, hours and days (P1D, P1W) go with windows in minutes and hours, days and weeks with those in days and weeks, months and years with those in months and years.");
        }

        if (spec.Target is { } target)
        {
            if (!double.IsFinite(target.Value)) return new("target.value muss eine Zahl sein.", "target.value must be a number.");
            if (target.Due is { Year: < 1900 or > 9998 }) return new("target.due: 1900 bis 9998.", "target.due: 1900 to 9998.");
        }

        if (spec.Coverage is true && (dataset.Spec.Kind != DatasetKind.Observations || spec.Function == MeasureFunction.Open))
        {
            return new(
                $"coverage: Reihen gibt es nur bei Beobachtungen; „{dataset.Id}“ hat Vorgänge.", $"coverage: Only observations have series; “{dataset.Id}” has records.");
        }

        var fields = dataset.Spec.Schema.Fields;
        if (!Array.Exists(fields, field => field.Role is FieldRole.Time or FieldRole.Opened))
        {
            return new(
                $"dataset: „{dataset.Id}“ hat kein Feld mit der Rolle time oder opened; ohne Zeit gibt es keine Fenster.",
                $"dataset: “{dataset.Id}” has no field with role time or opened; without a time there are no windows.");
        }

        if (spec.ByArea && dataset.Spec.AreaSystem is null)
            return new($"groupBy: „{dataset.Id}“ hat kein Gebietssystem, also keine Gebiete.", $"groupBy: “{dataset.Id}” has no area system, hence no areas.");

        return MeasureFault(spec, fields) ?? DimensionsFault(spec, fields, limits) ?? FilterFault(spec, fields, limits);
    }

    private static LocalText? FilterFault(IndicatorSpec spec, FieldSpec[] fields, IndicatorOptions limits) =>
        spec.Filter is not null && RowPredicates.Fault(spec.Filter, fields, FilterLimits.Of(limits)) is { } fault
            ? new("filter: " + fault.De, "filter: " + fault.In("en"))
            : null;

    private static LocalText? MeasureFault(IndicatorSpec spec, FieldSpec[] fields)
    {
        if (spec.Function == MeasureFunction.Open || spec.Field == IndicatorSpec.DurationField) return LifeCycleFault(spec, fields);
        if (spec.Field is null)
        {
            return spec.Function == MeasureFunction.Count
                ? null
                : new("measure.field fehlt; nur count zählt ohne Feld.", "measure.field is missing; only count works without a field.");
        }

        if (Array.Find(fields, field => field.Name == spec.Field) is not { } measured)
            return new($"measure.field: Das Feld „{spec.Field}“ gibt es nicht.", $"measure.field: The field “{spec.Field}” does not exist.");
        if (measured.Role == FieldRole.Personal)
            return new($"measure.field: „{spec.Field}“ ist personenbezogen und wird nie gemessen.", $"measure.field: “{spec.Field}” is personal and is never measured.");
        if (spec.Function is MeasureFunction.Count or MeasureFunction.Distinct) return null;
        if (measured.Type is not (FieldType.Number or FieldType.Integer))
            return new($"measure.field: „{spec.Field}“ ist keine Zahl (number oder integer).", $"measure.field: “{spec.Field}” is no number (number or integer).");
        return measured.Role == FieldRole.Measure
            ? null
            : new($"measure.field: „{spec.Field}“ hat nicht die Rolle measure.", $"measure.field: “{spec.Field}” does not have the role measure.");
    }

    private static LocalText? LifeCycleFault(IndicatorSpec spec, FieldSpec[] fields)
    {
        var (opened, closed) = (Array.Find(fields, field => field.Role == FieldRole.Opened), Array.Find(fields, field => field.Role == FieldRole.Closed));
        if (opened is null || closed is null)
        {
            return new(
                "measure: open und @duration brauchen je ein Feld mit den Rollen opened und closed.", "measure: open and @duration need a field with role opened and one with role closed.");
        }

        if (opened.Type != closed.Type)
        {
            return new(
                $"measure: „{opened.Name}“ und „{closed.Name}“ müssen beide datetime oder beide date sein.", $"measure: “{opened.Name}” and “{closed.Name}” must both be datetime or both be date.");
        }

        if (spec.Function == MeasureFunction.Open)
            return spec.Field is null ? null : new("measure.field: open zählt Vorgänge und misst kein Feld.", "measure.field: open counts records and measures no field.");
        return spec.Function is MeasureFunction.Min or MeasureFunction.Max or MeasureFunction.Last or MeasureFunction.Distinct
            ? new(
                "measure.function: Von @duration gibt es count, sum, mean, stddev, stddevSample, p50, p90, p95 und p99.",
                "measure.function: Of @duration there are count, sum, mean, stddev, stddevSample, p50, p90, p95 and p99.")
            : null;
    }

    private static string Shortened(string text) => text.Length > 40 ? text[..40] + "…" : text;

    private static LocalText? DimensionsFault(IndicatorSpec spec, FieldSpec[] fields, IndicatorOptions limits)
    {
        if (spec.Dimensions.Length > limits.MaxDimensions)
            return new($"groupBy: höchstens {limits.MaxDimensions} Dimensionen.", $"groupBy: at most {limits.MaxDimensions} dimensions.");
        for (var i = 0; i < spec.Dimensions.Length; i++)
        {
            var name = spec.Dimensions[i];
            if (Array.IndexOf(spec.Dimensions, name) < i) return new($"groupBy: „{name}“ steht zweimal da.", $"groupBy: “{name}” occurs twice.");
            if (Array.Find(fields, field => field.Name == name) is not { } field)
                return new($"groupBy: Das Feld „{name}“ gibt es nicht.", $"groupBy: The field “{name}” does not exist.");
            if (field.Role != FieldRole.Dimension)
                return new($"groupBy: „{name}“ hat nicht die Rolle dimension.", $"groupBy: “{name}” does not have the role dimension.");
        }

        return null;
    }

    private static LocalText TooLong(string member, int limit) => new($"{member}: höchstens {limit} Zeichen.", $"{member}: at most {limit} characters.");
}
