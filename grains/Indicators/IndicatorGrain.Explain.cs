using System.Diagnostics;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Governance;
using DataHub.Pipelines;
using DataHub.Sharing;

namespace DataHub.Indicators;

/// <summary>Where a number comes from (design I8).</summary>
internal sealed partial class IndicatorGrain
{
    private const int MaxExplained = 100;

    /// <summary>Runs told of one number, and pushes that are looked up in the log for them.</summary>
    private const int MaxToldRuns = 500, MaxAskedPushes = 100;

    private readonly Dictionary<ExplainedKey, (long Made, ExplainedCell Cell)> _explained = [];

    public async Task<ExplainResult> ExplainAsync(Caller caller, ExplainQuery query)
    {
        if (!await KnowInputsAsync()) return Explained(Unavailable());
        query = query with { Cell = query.Cell with { Within = null } };
        var denial = Denial(caller);
        if (denial == ReadRefusal.None)
        {
            var result = await ExplainAsync(caller, null, query);
            return await CountedAsync(caller, UsageOperations.Explain, result, Given(result), refusal => Explained(refusal));
        }

        return IsDoorFor(caller, denial)
            ? await ThroughAsync(
                caller, UsageOperations.Explain, query.After is null, async passage => await ExplainAsync(caller, passage, query), refusal => Explained(refusal), Given)
            : Explained(Denied(denial));
    }

    private static (long Values, string? Watermark)? Given(ExplainResult result) => result.Page is { } page ? (1 + (page.Rows?.Rows.Length ?? 0), page.Watermark) : null;

    private async Task<ExplainResult> ExplainAsync(Caller caller, Passage? through, ExplainQuery query)
    {
        if (query.Limit is < 1 or > 10_000) return Explained(Refused(ReadRefusal.Invalid, new("limit: 1 bis 10000.", "limit: 1 to 10000.")), "limit");

        var deadline = Stopwatch.GetTimestamp() + (long)(read.Value.MaxWait.TotalSeconds * Stopwatch.Frequency);
        try
        {
            _incarnation ??= await log.IncarnationAsync(CancellationToken.None);
            if (query.Cell.AtLeast is { } watermark && WatermarkFault(watermark, _stored.Value.Definition!.Spec.Dataset) is { } fault) return Explained(fault, "watermark");
            await LookAfterAsync();
            ExplainResult? result;
            do
            {
                var (named, unknown) = PastDefinition(caller, through, query.Cell.Definition);
                if (named is null) return Explained(unknown!, "definition");
                var (definition, none) = await PastFormulaAsync(caller, through, named);
                if (definition is null) return Explained(none!);
                var (cell, parameter, wrong) = CellOf(definition, query);
                if (cell is null) return Explained(Refused(ReadRefusal.Invalid, wrong!), parameter);
                var asked = query;
                if (through is not null)
                {
                    (var given, var narrowed, parameter) = Narrowed(through, definition, query.Cell, cell.Window);
                    if (given is null) return Explained(narrowed!, parameter);
                    (asked, cell) = (query with { Cell = given }, cell with { Definition = Shown(definition, given) });
                }

                result = await ExplainAsync(caller, through, asked, cell, deadline);
            }
            while (result is null && Stopwatch.GetTimestamp() < deadline);
            result ??= Explained(Unavailable());

            // Asked in the turn that answers: a right that was taken away meanwhile is gone.
            return through is null && Unreadable(caller) is { } meanwhile ? Explained(meanwhile) : result;
        }
        catch (TooManyRowsException)
        {
            return Explained(TooManyRows());
        }
        catch (Exception e)
        {
            LogUnreadable(e, Id);
            return Explained(Unavailable());
        }
    }

    /// <returns>Null where the definition changed meanwhile: what was asked must be read by the new one.</returns>
    private async Task<ExplainResult?> ExplainAsync(Caller caller, Passage? through, ExplainQuery query, AskedCell cell, long deadline)
    {
        var (view, value, refused) = await FindAsync(cell, query.Cell, deadline);
        if (view is null) return refused is null ? null : Explained(refused);
        if (view.Target.Level > view.Target.AreaLevel && view.Target.Area is not null)
        {
            return Explained(Refused(ReadRefusal.Invalid, new(
                $"level: Erklärt wird eine Zahl; „{view.Target.Area}“ liegt auf Ebene {view.Target.AreaLevel}.",
                $"level: One number is explained; “{view.Target.Area}” is at level {view.Target.AreaLevel}.")), "level");
        }

        // A value that is suppressed for everybody is explained to those only who may read the rows behind it by right.
        var mayMore = AccessRules.May(caller, AccessRights.ReadRows, Source.Holding(AccessClass.Internal));
        var page = new ExplainPage(view.Info, value, null, null, view.Moment.Text, view.Moment.ReceivedAt, [], null, null);
        if (value.State == ValueState.Suppressed && !mayMore) return new(ReadRefusal.None, page, null);
        if (view.Definition.Spec.Formula is not null) return await DerivedAsync(page, cell, query.Cell with { AtLeast = null, AsOf = new(null, null, view.Moment.Watermark) }, deadline);

        var dataset = await GrainFactory.GetGrain<IDatasetGrain>(view.Definition.Spec.Dataset).GetAsync(Caller.Hub);
        if (dataset is null) return Explained(Unavailable());
        var reached = await Task.WhenAll(Source.Partitions.Select((partition, i) => ReachHistoryAsync(partition, view.Moment.Sequences[i], deadline)));
        if (reached.Contains(false)) return Explained(NotYet());

        var seesRows = through is null ? AccessRules.May(caller, AccessRights.ReadRows, dataset.Holding) : DoorRules.RowsFault(through.Agreement, through.Contract) is null;
        var key = new ExplainedKey(cell, view.Target, view.Areas?.System.Version ?? 0, view.Moment.Watermark);
        var known = _explained.TryGetValue(key, out var kept) && Stopwatch.GetElapsedTime(kept.Made) < s_pastLife ? kept.Cell : null;
        var (first, end) = PastRange.OfCells(view.Definition.Spec, CalendarWindows.Parse(view.Definition.Spec.Window, view.Definition.Spec.TimeZone), cell.Window);
        var scope = new CellScope(first, end, Areas(view), cell.Dimensions);
        var scans = await Task.WhenAll(Source.Partitions.Select((partition, i) =>
            ScanAsync(partition, view, scope, view.Moment.Sequences[i], query.After, seesRows ? query.Limit + 1 : 0, whole: known is null)));
        if (known is null)
        {
            if (_explained.Count >= MaxExplained) _explained.Clear();
            _explained[key] = (Stopwatch.GetTimestamp(), known = await WithRunsAsync(Together(view, cell, scans), dataset.Id, scans));
        }

        // How few rows a single feed brought is not told where values of few rows are suppressed.
        // Of no open records nothing is left to fold.
        var none = view.Definition.Spec.Function == MeasureFunction.Open && value.Count == 0 && value.Value is not null ? 0.0 : (double?)null;
        page = page with { Recomputed = known.Value ?? none, RowCount = known.Rows };
        if (seesRows || mayMore || (through is null && view.Definition.Spec.MinimumCount == 0))
            page = page with { Sources = known.Sources, Runs = known.Runs, AreRunsPartial = known.AreRunsPartial };
        if (!seesRows) return new(ReadRefusal.None, page, null);
        var found = scans.SelectMany((scan, partition) => scan.Found.Select(version => (Partition: partition, Version: version)))
            .OrderBy(one => one.Version.Row.Time).ThenBy(one => one.Version.Row.Key, ByteKeyComparer.Instance).Take(query.Limit + 1).ToArray();
        var told = found.AsSpan(0, Math.Min(found.Length, query.Limit)).ToArray();
        await NoteRowsAsync(caller, through, dataset, told.Length, view.Moment.Text, "explain");
        return new(ReadRefusal.None, page with
        {
            Rows = await TellAsync(through, dataset, told, view.Moment.Sequences),
            Next = found.Length > told.Length ? new(told[^1].Version.Row.Time, told[^1].Version.Row.Key) : null,
        }, null);
    }

    /// <summary>Notes rows that are given; durable before the first is.</summary>
    private async Task NoteRowsAsync(Caller caller, Passage? through, DatasetInfo dataset, int rows, string watermark, string by)
    {
        if (rows == 0) return;
        var decision = through is null ? AccessRules.Decide(caller, AccessRights.ReadRows, dataset.Holding) : new(AccessRights.ReadRows, AccessReason.Agreement, through.Reference, null);
        if (AuditEvents.RowsGiven(time.GetUtcNow(), caller, decision, dataset, rows, watermark, $"{by}:{Id}", through is null ? null : caller.Use?.Purpose) is { } given)
            await trail.RecordAsync(through is null ? [given] : [given, given with { Id = ReceiptIds.New(time.GetUtcNow()), Agency = through.Agreement.Terms.Recipient }]);
    }

    /// <summary>A derived value: evaluated again from its inputs' values, which are folded again from the rows of the same moment. The rows behind it the inputs tell.</summary>
    private async Task<ExplainResult?> DerivedAsync(ExplainPage page, AskedCell cell, ValuesQuery past, long deadline)
    {
        var (again, value, refused) = await FindAsync(cell, past, deadline);
        if (again is null) return refused is null ? null : Explained(refused);
        return new(ReadRefusal.None, page with { Recomputed = value.Value }, null);
    }

    /// <summary>The value as it is answered: by the version that stands, or from history where a moment or a version is named.</summary>
    /// <returns>Neither a view nor a refusal where the definition changed since the question was read.</returns>
    private async Task<(PastView? View, IndicatorValue Value, ValuesResult? Refusal)> FindAsync(AskedCell cell, ValuesQuery asked, long deadline)
    {
        var query = new ValuesQuery(Instant(cell.Window), Instant(cell.Window).AddTicks(1), false, asked.Level, asked.Area, asked.AtLeast, null, 10_000) { Whole = asked.Whole, Within = asked.Within };
        if (asked.AsOf is not null || asked.Definition is not null)
        {
            var (moment, noMoment) = await MomentAsync(asked.AsOf, asked.AtLeast, "asOf", deadline);
            if (moment is null) return (null, default, noMoment);
            var (view, noView) = await ViewAsync(cell.Definition, moment, query);
            if (view is null) return (null, default, noView);
            for (; ; )
            {
                var past = await PastPageAsync(view, query, deadline);
                if (past.Value is not { } page) return (null, default, past.Refusal);
                if (Find(page.Rows, view.Target) is { } value) return (view, value, null);
                if (page.Next is null) return (view, Nothing(moment.At), null);
                query = query with { After = page.Next };
            }
        }

        for (; ; )
        {
            var present = await AnswerAsync(query, deadline);
            if (present.Page is not { } page) return (null, default, present);

            // The page says which definition answered it.
            if (page.Indicator.Definition.Version != cell.Definition.Version) return (null, default, null);
            var target = CellRollUp.Aim(page.Indicator.Definition.Spec, _areas, query).Target!;
            var value = Find(page.Rows, target);
            if (value is null && page.Next is not null)
            {
                query = query with { After = page.Next };
                continue;
            }

            if (!Watermark.TryParse(page.Watermark, out var watermark)) throw new InvalidOperationException($"{Id} answered with a watermark that is none");
            var (moment, noMoment) = await MomentAsync(new(null, null, watermark), null, "asOf", deadline);
            if (moment is null) return (null, default, noMoment);
            var (view, noView) = await ViewAsync(cell.Definition, moment, query, present: true);
            return (view, value ?? Nothing(time.GetUtcNow()), noView);
        }

        IndicatorValue? Find(IndicatorValue[] rows, RollUpTarget target)
        {
            foreach (var row in rows)
            {
                if (row.Area == target.Area && (row.Dimensions is null ? "" : DefinitionFold.Text(row.Dimensions)) == cell.Dimensions) return row;
            }

            return null;
        }

        IndicatorValue Nothing(DateTimeOffset at)
        {
            var to = Instant(CalendarWindows.Parse(cell.Definition.Spec.Window, cell.Definition.Spec.TimeZone).Next(cell.Window));
            return new(asked.Area, Instant(cell.Window), to, cell.Values, null, 0, to > at ? ValueState.Preliminary : ValueState.Ok);
        }
    }

    /// <summary>The cell that is asked for, or which parameter does not name one.</summary>
    private static (AskedCell? Cell, string? Parameter, LocalText? Fault) CellOf(IndicatorDefinition definition, ExplainQuery query)
    {
        var (spec, asked) = (definition.Spec, query.Cell);
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var from = asked.FromDay is { } day ? windows.DayBegins(day) : asked.From?.UtcTicks;
        if (from is null) return (null, "from", new("from fehlt: der Beginn des Fensters.", "from is missing: the begin of the window."));
        if (asked.Level is not null && asked.Area is null)
            return (null, "level", new("level: Erklärt wird eine Zahl; area fehlt.", "level: One number is explained; area is missing."));

        var (values, parameter, fault) = DimensionsOf(spec, query.Dimensions, all: true);
        return values is null
            ? (null, parameter, fault)
            : (new(definition, windows.Floor(from.Value), values.Length == 0 ? "" : DefinitionFold.Text(values), values.Length == 0 ? null : values), null, null);
    }

    /// <summary>The values in the order of the definition's dimensions.</summary>
    /// <param name="all">Every dimension must have one; else those without are null.</param>
    private static (string?[]? Values, string? Parameter, LocalText? Fault) DimensionsOf(IndicatorSpec spec, DimensionValue[] given, bool all)
    {
        if (Array.FindIndex(given, one => !spec.Dimensions.Contains(one.Field, StringComparer.Ordinal)) is >= 0 and var unknown)
        {
            var name = given[unknown].Field;
            return (null, "dim." + name, new(
                $"dim.{name}: Nach „{name}“ ist der Indikator nicht gegliedert; {Known()}.", $"dim.{name}: The indicator is not grouped by “{name}”; {Known("en")}."));
        }

        if (all && Array.Find(spec.Dimensions, name => !Array.Exists(given, one => one.Field == name)) is { } missing)
            return (null, "dim." + missing, new($"dim.{missing} fehlt; leer: ohne Wert.", $"dim.{missing} is missing; empty: without a value."));
        return (Array.ConvertAll(spec.Dimensions, name => Array.Find(given, one => one.Field == name).Value), null, null);

        string Known(string language = "de") => spec.Dimensions.Length == 0
            ? language == "de" ? "er hat keine Dimensionen" : "it has no dimensions"
            : (language == "de" ? "es gibt " : "there are ") + string.Join(", ", spec.Dimensions);
    }

    /// <summary>The areas as cells carry them that count for the asked one; null: all.</summary>
    private static IReadOnlySet<string>? Areas(PastView view) =>
        view.Target.Whole || !view.Definition.Spec.ByArea ? null
        : view.Target.Area is { } area ? view.Areas!.WithDescendants(area)
        : new HashSet<string>(StringComparer.Ordinal) { "" };

    /// <summary>Reads the rows of one partition that went into the cells of a scope.</summary>
    /// <param name="take">Gives back so many at most, those after the cursor.</param>
    /// <param name="whole">Folds and counts all of them; else reads no further than needed.</param>
    private async Task<Scan> ScanAsync(string partition, PastView view, CellScope scope, long sequence, RowCursor? after, int take, bool whole)
    {
        var scan = new Scan([], [], []);
        if (take == 0 && !whole) return scan;
        var spec = view.Definition.Spec;
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var (from, to) = PastRange.OfRows(spec, windows, scope.From, scope.To);
        var cells = new RowCells(view.Definition);

        // What began and ended within the windows is in none of them any more when the last is over: it is looked at apart.
        var apart = spec.Function == MeasureFunction.Open ? new RowCells(view.Definition) : null;

        // Rows without an area are in no index of areas: they are looked for among all of the time.
        var areas = scope.Areas is { } some && !some.Contains("") ? some : null;
        var past = new PastRows(history, contracts);
        await foreach (var versions in past.ReadAsync(partition, new(sequence, from, to, areas, whole ? null : after, whole ? PastRows.ChunkRows : Math.Min(PastRows.ChunkRows, take)) { WithPush = true }, read.Value.MaxPastRows))
        {
            var contract = await past.ContractAsync(partition, versions);
            var block = PastRows.Block(contract, versions);
            for (var row = 0; row < versions.Count; row++)
            {
                var version = versions[row];
                if (apart is not null && Balance(apart.Parts(contract, PastRows.Block(contract, [version]))) == 0) continue;
                if (!cells.AddOne(contract, block, row).Any(cell => scope.Contains(cell.Window, cell.Area, cell.Dimensions))) continue;
                if (whole) scan.Count(version.Push?.Feed, version.Push?.Receipt);
                if (scan.Found.Count < take && IsAfter(version.Row, after)) scan.Found.Add(version);
            }

            if (!whole && scan.Found.Count >= take) break;
        }

        if (whole) scan.Cells.AddRange(cells.Cells.Where(cell => scope.Contains(cell.WindowFrom, cell.Area, cell.Dimensions)));
        return scan;

        double Balance(IReadOnlyList<CellValue> parts) => parts.Where(part => scope.Contains(part.WindowFrom, part.Area, part.Dimensions))
            .Sum(part => CellState.FromBytes(MeasureFunction.Open, part.State).Value() ?? 0);

        static bool IsAfter(HistoryRow row, RowCursor? cursor) =>
            cursor is null || row.Time > cursor.Time || (row.Time == cursor.Time && ByteKeyComparer.Instance.Compare(row.Key, cursor.Key) > 0);
    }

    /// <summary>The number folded again from what was listed, and where the rows came from.</summary>
    private static ExplainedCell Together(PastView view, AskedCell cell, Scan[] scans)
    {
        var definition = view.Definition with { Spec = view.Definition.Spec with { MinimumCount = 0 } };
        var query = new ValuesQuery(Instant(cell.Window), Instant(cell.Window).AddTicks(1), false, null, null, null, null, int.MaxValue);

        // The window was there to be asked for: it counts as begun whenever the moment was.
        var now = view.Moment.At > query.From ? view.Moment.At : query.From!.Value;
        var rolled = CellRollUp.Make(definition, view.Areas, view.Target, query, scans.Select(scan => scan.Cells), [], now, only: null);
        var sources = scans.SelectMany(scan => scan.Pushes).GroupBy(push => push.Key.Feed).OrderBy(feed => feed.Key, StringComparer.Ordinal)
            .Select(feed => new RowSource(feed.Key, feed.Sum(push => push.Value), feed.Select(push => push.Key.Receipt).OfType<string>().Distinct(StringComparer.Ordinal).Count())).ToArray();
        return new(rolled.Rows is [var row] ? row.Value : null, sources.Sum(source => source.Rows), sources);
    }

    /// <summary>Which runs brought the rows: of feeds that jobs write, the newest pushes are asked.</summary>
    private async Task<ExplainedCell> WithRunsAsync(ExplainedCell cell, string dataset, Scan[] scans)
    {
        var lineage = await GrainFactory.GetGrain<IDatasetLineageGrain>(dataset).GetAsync(Caller.Hub);
        var feeds = lineage.Jobs.SelectMany(job => job.Feeds).ToHashSet(StringComparer.Ordinal);
        if (feeds.Count == 0) return cell;
        var pushes = scans.SelectMany(scan => scan.Pushes).Where(push => push.Key is { Receipt: not null, Feed: { } feed } && feeds.Contains(feed)).GroupBy(push => push.Key.Receipt!)
            .Select(push => (Receipt: push.Key, Rows: push.Sum(one => one.Value))).OrderByDescending(push => push.Receipt, StringComparer.Ordinal).ToArray();
        var known = lineage.Writes.DistinctBy(use => use.Receipt).ToDictionary(use => use.Receipt!, use => use.By, StringComparer.Ordinal);
        var (runs, asked) = (new List<RowRun>(), 0);
        foreach (var push in pushes)
        {
            if (!known.TryGetValue(push.Receipt, out var by))
            {
                if (asked++ >= MaxAskedPushes) continue;
                by = await log.FindReceiptAsync(push.Receipt, CancellationToken.None) is [var part, ..] ? part.Push.Run : null;
            }

            if (by is not null) runs.Add(new(by, push.Rows, push.Receipt));
        }

        return cell with { Runs = [.. runs.Take(MaxToldRuns)], AreRunsPartial = asked > MaxAskedPushes || runs.Count > MaxToldRuns };
    }

    /// <summary>Rows as they are told, each with what stood under its key before.</summary>
    private async Task<ToldRows> TellAsync(Passage? through, DatasetInfo dataset, (int Partition, HistoryVersion Version)[] rows, long[] sequences)
    {
        var contract = await contracts.GetAsync(dataset.Id, dataset.ContractVersion);
        var earlier = new IReadOnlyList<HistoryVersion>[rows.Length];

        // What stood under a key before may be what the agreement does not give.
        if (through is not null) Array.Fill(earlier, []);
        else foreach (var part in rows.Select((row, i) => (row.Partition, row.Version, Place: i)).GroupBy(row => row.Partition))
        {
            var keys = part.Select(row => new HistoryKey(row.Version.Row.Key, contract.KeyHasTime ? row.Version.Row.Time : null)).ToArray();
            var found = await history.EarlierAsync(Source.Partitions[part.Key], keys, sequences[part.Key], ExplainQuery.MaxCorrections, CancellationToken.None);
            foreach (var (row, i) in part.Select((row, i) => (row, i))) earlier[row.Place] = found[i];
        }

        var teller = new RowTeller(dataset, contract, through is null ? null : DoorRules.Fields(through.Agreement.Terms, contract));
        return teller.Tell(rows.Select((row, i) => new ToldRow(teller.Add(row.Version), [.. earlier[i].Select(teller.Add)])));
    }

    /// <summary>The end of the time line is one tick beyond the last instant.</summary>
    private static DateTimeOffset Instant(long ticks) => new(Math.Min(ticks, DateTime.MaxValue.Ticks), TimeSpan.Zero);

    private static ExplainResult Explained(ValuesResult refusal, string? parameter = null) => new(refusal.Refusal, null, refusal.Detail, parameter) { RetryAfter = refusal.RetryAfter };

    /// <param name="Window">Begin of the window.</param>
    /// <param name="Dimensions">As cells have them.</param>
    /// <param name="Values">The same one by one; null where the definition has no dimensions.</param>
    private sealed record AskedCell(IndicatorDefinition Definition, long Window, string Dimensions, string?[]? Values);

    /// <summary>Cells of windows that begin in [From, To).</summary>
    /// <param name="Areas">As cells carry them; null: all.</param>
    private sealed record CellScope(long From, long To, IReadOnlySet<string>? Areas, string Dimensions)
    {
        public bool Contains(long window, string area, string dimensions) =>
            window >= From && window < To && dimensions == Dimensions && (Areas is null || Areas.Contains(area));
    }

    /// <param name="Pushes">Rows by the push that brought them.</param>
    private sealed record Scan(List<HistoryVersion> Found, List<CellValue> Cells, Dictionary<(string? Feed, string? Receipt), long> Pushes)
    {
        public void Count(string? feed, string? receipt) => Pushes[(feed, receipt)] = Pushes.GetValueOrDefault((feed, receipt)) + 1;
    }

    private sealed record ExplainedCell(double? Value, long Rows, RowSource[] Sources)
    {
        public RowRun[] Runs { get; init; } = [];

        public bool AreRunsPartial { get; init; }
    }

    private readonly record struct ExplainedKey(int Definition, int MinimumCount, long Window, string Dimensions, RollUpTarget Target, int AreaVersion, Watermark Watermark)
    {
        public ExplainedKey(AskedCell cell, RollUpTarget target, int areaVersion, Watermark watermark)
            : this(cell.Definition.Version, cell.Definition.Spec.MinimumCount, cell.Window, cell.Dimensions, target, areaVersion, watermark)
        {
        }
    }
}
