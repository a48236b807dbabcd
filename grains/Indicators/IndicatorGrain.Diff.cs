using System.Diagnostics;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Sharing;

namespace DataHub.Indicators;

/// <summary>What moved between two moments.</summary>
internal sealed partial class IndicatorGrain
{
    public async Task<DiffResult> DiffAsync(Caller caller, DiffQuery query)
    {
        if (!await KnowInputsAsync()) return Differing(Unavailable());
        query = query with { Selection = query.Selection with { Within = null } };
        var denial = Denial(caller);
        if (denial == ReadRefusal.None)
        {
            var result = await DiffAsync(caller, null, query);
            return await CountedAsync(caller, UsageOperations.Diff, result, Given(result), refusal => Differing(refusal));
        }

        return IsDoorFor(caller, denial)
            ? await ThroughAsync(caller, UsageOperations.Diff, query.After is null, async passage => await DiffAsync(caller, passage, query), refusal => Differing(refusal), Given)
            : Differing(Denied(denial));
    }

    private static (long Values, string? Watermark)? Given(DiffResult result) => result.Page is { } page ? (2 * page.Cells.Length, page.Until) : null;

    private async Task<DiffResult> DiffAsync(Caller caller, Passage? through, DiffQuery query)
    {
        if (query.Limit is < 1 or > 1_000) return Differing(Refused(ReadRefusal.Invalid, new("limit: 1 bis 1000.", "limit: 1 to 1000.")), "limit");

        var deadline = Stopwatch.GetTimestamp() + (long)(read.Value.MaxWait.TotalSeconds * Stopwatch.Frequency);
        try
        {
            _incarnation ??= await log.IncarnationAsync(CancellationToken.None);
            if (query.Selection.AtLeast is { } watermark && WatermarkFault(watermark, _stored.Value.Definition!.Spec.Dataset) is { } fault) return Differing(fault, "watermark");
            await LookAfterAsync();
            var (named, unknown) = PastDefinition(caller, through, query.Selection.Definition);
            if (named is null) return Differing(unknown!, "definition");
            var (definition, none) = await PastFormulaAsync(caller, through, named);
            if (definition is null) return Differing(none!);
            var (dimensions, parameter, wrong) = DimensionsOf(definition.Spec, query.Dimensions, all: false);
            if (dimensions is null) return Differing(Refused(ReadRefusal.Invalid, wrong!), parameter);
            if (through is not null)
            {
                if (through.Agreement.Terms.Data.SmallestGroup > 1) return Differing(NoDiff(through.Agreement));
                var (given, narrowed) = Narrowed(through, definition, query.Selection);
                if (narrowed is not null) return Differing(narrowed);
                (query, definition) = (query with { Selection = given }, Shown(definition, given));
            }

            var result = await DiffAsync(caller, through, query, definition, deadline);
            return through is null && Unreadable(caller) is { } meanwhile ? Differing(meanwhile) : result;
        }
        catch (TooManyRowsException)
        {
            return Differing(Refused(ReadRefusal.TooMany, new(
                $"Je Partition haben sich mehr als {MostMoved} Zeilenfassungen geändert (DataHub:Read:MaxScannedRows); Zeitraum oder Abstand einschränken.",
                $"More than {MostMoved} versions of rows changed in a partition (DataHub:Read:MaxScannedRows); narrow the time range or the distance.")));
        }
        catch (Exception e)
        {
            LogUnreadable(e, Id);
            return Differing(Unavailable());
        }
    }

    private int MostMoved => Math.Min(read.Value.MaxScannedRows, read.Value.MaxPastRows);

    private async Task<DiffResult> DiffAsync(Caller caller, Passage? through, DiffQuery query, IndicatorDefinition definition, long deadline)
    {
        var selection = Plain(query.Selection, definition.Spec);
        var (since, noSince) = await MomentAsync(query.Since, null, "since", deadline);
        if (since is null) return Differing(noSince!, "since");
        var (until, noUntil) = await MomentAsync(query.Selection.AsOf, query.Selection.AtLeast, "until", deadline);
        if (until is null) return Differing(noUntil!, "until");
        if (since.Sequences.Zip(until.Sequences, (a, b) => a > b).Contains(true))
            return Differing(Refused(ReadRefusal.Invalid, new("since muss vor until liegen.", "since must lie before until.")), "since");
        var (view, noView) = await ViewAsync(definition, until, selection);
        if (view is null) return Differing(noView!);
        var reached = await Task.WhenAll(Source.Partitions.Select((partition, i) => ReachHistoryAsync(partition, until.Sequences[i], deadline)));
        if (reached.Contains(false)) return Differing(NotYet());
        var dataset = await GrainFactory.GetGrain<IDatasetGrain>(definition.Spec.Dataset).GetAsync(Caller.Hub);
        if (dataset is null) return Differing(Unavailable());

        var contract = await contracts.GetAsync(dataset.Id, dataset.ContractVersion);
        var asked = new AskedDiff(
            query, selection, view, since, dataset, contract, AccessRules.May(caller, AccessRights.ReadRows, Source.Holding(AccessClass.Internal)),
            through is null && AccessRules.May(caller, AccessRights.ReadRows, dataset.Holding), deadline);
        var (page, refusal) = definition.Inputs is null ? await MovedPageAsync(asked) : await DerivedPageAsync(asked);
        if (page is null) return Differing(refusal!);
        var told = await TellAsync(asked, page);
        if (asked.SeesRows) await NoteRowsAsync(caller, through, dataset, page.Cells.Sum(cell => cell.Rows.Length), told.Until, "diff");
        return new(ReadRefusal.None, told, null);
    }

    /// <summary>A page of the cells that rows moved.</summary>
    private async Task<(MovedPage? Page, ValuesResult? Refusal)> MovedPageAsync(AskedDiff asked)
    {
        var (view, since, selection) = (asked.View, asked.Since, asked.Selection);
        var spec = view.Definition.Spec;
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var (first, last) = (selection.From?.UtcTicks ?? long.MinValue, selection.To?.UtcTicks ?? long.MaxValue);
        var (from, to) = RowsBehind(spec, windows, first, last, asked.Contract.KeyHasTime);
        var perPartition = await Task.WhenAll(Source.Partitions.Select(async (_, i) =>
            await MovedAsync(view, i, await ChangedAsync(since, view.Moment, i, from, to), first, last, asked.Query.Dimensions)));
        var moved = perPartition.SelectMany(rows => rows).ToList();
        moved.Sort();
        var totals = moved.GroupBy(row => row.Place).ToDictionary(rows => rows.Key, rows => rows.Count());

        // Who may not see rows gets cells by the page: a cursor would tell a row's key, and pages how many there are.
        var entries = asked.SeesRows ? moved : moved.DistinctBy(row => row.Place);
        var page = entries.Where(row => asked.Query.After is not { } after || row.IsAfter(after)).Take(asked.Query.Limit + 1).ToArray();
        var told = page.AsSpan(0, Math.Min(page.Length, asked.Query.Limit)).ToArray();
        var (values, refusal) = await ValuesOfAsync(view, since, told.Select(row => row.Place).ToHashSet(), selection.Within, asked.Deadline);
        if (values is null) return (null, refusal);
        var cells = told.GroupBy(row => row.Place).Select(rows =>
        {
            var (before, after) = values[rows.Key];
            return IsHidden(asked, before, after)
                ? new MovedCell(before, after, null, [])
                : new(before, after, totals[rows.Key], asked.SeesRows ? [.. rows.Select(row => (row.Row, (int[]?)null))] : []);
        });
        return (new([.. cells], page.Length > told.Length ? Cursor(told[^1].Place, asked.SeesRows ? told[^1].Row : null) : null), null);
    }

    private static bool IsHidden(AskedDiff asked, IndicatorValue? before, IndicatorValue? after) =>
        !asked.MayMore && (before?.State == ValueState.Suppressed || after?.State == ValueState.Suppressed);

    /// <param name="row">Null: behind all rows of the cell.</param>
    private static DiffCursor Cursor(CellRollUp.Place place, ChangedRow? row) =>
        new(new(Instant(place.Window), place.Area, place.Dimensions), row is null ? new(long.MaxValue, []) : new(row.Time, row.Key));

    /// <summary>The page with the versions of its rows.</summary>
    private async Task<DiffPage> TellAsync(AskedDiff asked, MovedPage page)
    {
        var teller = new RowTeller(asked.Dataset, asked.Contract);
        var (rows, cells) = (new List<ToldRow>(), new List<DiffCell>());
        foreach (var cell in page.Cells)
        {
            var places = new List<int>();
            foreach (var (row, _) in cell.Rows)
            {
                places.Add(rows.Count);
                rows.Add(new(row.After is { } standing ? teller.Add(standing) : -1, row.Before is { } gone ? [teller.Add(gone)] : [])
                {
                    Change = row.After is null ? await RetractionAsync(row, asked.View.Moment, asked.Contract.KeyHasTime) : default,
                });
            }

            cells.Add(new(cell.Before, cell.After, cell.Moved, [.. places]) { Through = asked.View.Definition.Inputs is null ? null : Array.ConvertAll(cell.Rows, row => row.Through!) });
        }

        return new(asked.View.Info, asked.Since.Text, asked.View.Moment.Text, [.. cells], asked.SeesRows ? teller.Tell(rows) : null, page.Next);
    }

    /// <summary>Times of rows that can move values of windows which begin in [first, last).</summary>
    private static (long From, long To) RowsBehind(IndicatorSpec spec, CalendarWindows windows, long first, long last, bool keyHasTime)
    {
        // Where keys have no time a row may have moved along the time line: its other version is looked for everywhere.
        if (!keyHasTime) return (long.MinValue, long.MaxValue);
        var from = first == long.MinValue ? first : ReadRange.Before(windows, ReadRange.First(windows, first), SlidingWindows.Of(spec) - 1);
        return PastRange.OfRows(spec, windows, from, last);
    }

    /// <summary>The rows of one partition that stood otherwise at one moment than at the other.</summary>
    private async Task<List<ChangedRow>> ChangedAsync(PastMoment since, PastMoment until, int number, long from, long to)
    {
        var (sequence, earlier) = (until.Sequences[number], since.Sequences[number]);
        if (from >= to || sequence == earlier) return [];
        var pairs = new Dictionary<byte[], (HistoryVersion? Before, HistoryVersion? After)>(ByteKeyComparer.Instance);
        await foreach (var versions in new PastRows(history, contracts).ReadAsync(
            Source.Partitions[number], new(sequence, from, to, null, null, PastRows.ChunkRows) { Since = earlier, WithPush = true }, MostMoved))
        {
            foreach (var version in versions)
            {
                var pair = pairs.GetValueOrDefault(version.Row.Key);
                pairs[version.Row.Key] = version.Row.FromSequence <= earlier ? pair with { Before = version } : pair with { After = version };
            }
        }

        return [.. pairs.Select(pair => new ChangedRow(pair.Key, number, pair.Value.Before, pair.Value.After))];
    }

    /// <summary>Where changed rows of one partition brought something else into a cell at one moment than at the other.</summary>
    /// <param name="first">Cells of windows that begin at or after.</param>
    /// <param name="last">Cells of windows that begin before.</param>
    private async Task<List<MovedRow>> MovedAsync(PastView view, int number, List<ChangedRow> changed, long first, long last, DimensionValue[] dimensions)
    {
        var (partition, spec) = (Source.Partitions[number], view.Definition.Spec);
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var covered = SlidingWindows.Of(spec);
        var (past, moved) = (new PastRows(history, contracts), new List<MovedRow>());
        var cells = new RowCells(view.Definition);
        var wanted = dimensions.Select(one => (Place: Array.IndexOf(spec.Dimensions, one.Field), one.Value)).ToArray();
        foreach (var chunk in changed.Chunk(2_000))
        {
            var contract = await past.ContractAsync(partition, chunk.SelectMany(row => new[] { row.Before, row.After }).OfType<HistoryVersion>());
            foreach (var row in chunk)
            {
                var (old, fresh) = (Parts(row.Before), Parts(row.After));
                foreach (var place in old.Concat(fresh).Select(part => part.Place).Distinct())
                {
                    if (place.Window < first || place.Window >= last || !Fits(place)) continue;
                    if (Same(old, fresh, place)) continue;
                    moved.Add(new(place, row));
                }
            }

            // Others have their turn between two chunks.
            await Task.Yield();

            List<(CellRollUp.Place Place, byte[] State)> Parts(HistoryVersion? version)
            {
                var parts = new List<(CellRollUp.Place, byte[])>();
                if (version is null) return parts;
                foreach (var part in cells.Parts(contract, PastRows.Block(contract, [version])))
                {
                    if (CellRollUp.PlaceOf(part.Area, view.Areas, view.Target) is not { } area) continue;

                    // A sliding value is moved by the rows of all windows that it covers.
                    var window = part.WindowFrom;
                    for (var i = 0; i < covered && (i == 0 || window <= view.Moment.At.UtcTicks); i++, window = windows.Next(window)) parts.Add((new(window, area, part.Dimensions), part.State));
                }

                return parts;
            }
        }

        return moved;

        bool Fits(CellRollUp.Place place)
        {
            if (wanted.Length == 0) return true;
            var values = System.Text.Json.JsonSerializer.Deserialize<string?[]>(place.Dimensions)!;
            return Array.TrueForAll(wanted, one => values[one.Place] == one.Value);
        }

        static bool Same(List<(CellRollUp.Place Place, byte[] State)> old, List<(CellRollUp.Place Place, byte[] State)> fresh, CellRollUp.Place place)
        {
            var (a, b) = (Of(old), Of(fresh));
            return a.Length == b.Length && a.Zip(b, (x, y) => ByteKeyComparer.Instance.Compare(x, y) == 0).All(same => same);

            byte[][] Of(List<(CellRollUp.Place Place, byte[] State)> parts) =>
                [.. parts.Where(part => part.Place == place).Select(part => part.State).Order(ByteKeyComparer.Instance)];
        }
    }

    /// <summary>What the values had at both moments in these places.</summary>
    private async Task<(Dictionary<CellRollUp.Place, (IndicatorValue? Before, IndicatorValue? After)>? Values, ValuesResult? Refusal)> ValuesOfAsync(
        PastView view, PastMoment since, HashSet<CellRollUp.Place> places, ValuesWithin? within, long deadline)
    {
        var values = places.ToDictionary(place => place, _ => ((IndicatorValue?)null, (IndicatorValue?)null));
        if (places.Count == 0) return (values, null);
        var all = new ValuesQuery(Instant(places.Min(place => place.Window)), Instant(places.Max(place => place.Window)).AddTicks(1), false, null, null, null, null, int.MaxValue) { Within = within };
        var (old, fresh) = (await ReadPastAsync(view.Definition, since, all, deadline), await ReadPastAsync(view.Definition, view.Moment, all, deadline));
        if (old.Value is null || fresh.Value is null) return (null, old.Refusal ?? fresh.Refusal);
        var only = places.ToDictionary(place => place, _ => 1u);
        foreach (var value in Roll(view, since, all, old.Value, only).Rows) values[PlaceOf(value)] = (value, null);
        foreach (var value in Roll(view, view.Moment, all, fresh.Value, only).Rows) values[PlaceOf(value)] = (values[PlaceOf(value)].Item1, value);
        return (values, null);
    }

    private static CellRollUp.Place PlaceOf(IndicatorValue value) =>
        new(value.From.UtcTicks, value.Area ?? "", value.Dimensions is null ? "" : DefinitionFold.Text(value.Dimensions));

    /// <summary>The push that took a row away.</summary>
    private async Task<VersionSource> RetractionAsync(ChangedRow row, PastMoment until, bool keyHasTime)
    {
        var partition = Source.Partitions[row.Partition];
        var ended = await history.EarlierAsync(
            partition, [new(row.Key, keyHasTime ? row.Before!.Row.Time : null)], until.Sequences[row.Partition], 1, CancellationToken.None);
        return ended[0] is [.., var last] && await BatchAsync(partition, last.ToSequence) is { } batch ? new(batch.ReceivedAt, batch.Feed, batch.Receipt) : default;
    }

    private static DiffResult Differing(ValuesResult refusal, string? parameter = null) => new(refusal.Refusal, null, refusal.Detail, parameter) { RetryAfter = refusal.RetryAfter };

    /// <param name="MayMore">Whether this caller is told of suppressed values too.</param>
    /// <param name="SeesRows">Whether this caller may read the dataset.</param>
    private sealed record AskedDiff(
        DiffQuery Query, ValuesQuery Selection, PastView View, PastMoment Since, DatasetInfo Dataset, CompiledContract Contract, bool MayMore, bool SeesRows, long Deadline);

    /// <param name="Moved">Null where it is not to be told.</param>
    /// <param name="Rows">Those to be told, of a formula each with the inputs that it came through.</param>
    private sealed record MovedCell(IndicatorValue? Before, IndicatorValue? After, int? Moved, (ChangedRow Row, int[]? Through)[] Rows);

    private sealed record MovedPage(MovedCell[] Cells, DiffCursor? Next);
}
