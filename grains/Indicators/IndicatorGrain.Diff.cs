using System.Diagnostics;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>What moved between two moments.</summary>
internal sealed partial class IndicatorGrain
{
    public async Task<DiffResult> DiffAsync(Caller caller, DiffQuery query)
    {
        if (Unreadable(caller) is { } unreadable) return Differing(unreadable);
        if (query.Limit is < 1 or > 1_000) return Differing(Refused(ReadRefusal.Invalid, new("limit: 1 bis 1000.", "limit: 1 to 1000.")), "limit");

        var deadline = Stopwatch.GetTimestamp() + (long)(read.Value.MaxWait.TotalSeconds * Stopwatch.Frequency);
        try
        {
            _incarnation ??= await log.IncarnationAsync(CancellationToken.None);
            if (query.Selection.AtLeast is { } watermark && WatermarkFault(watermark, _stored.Value.Definition!.Spec.Dataset) is { } fault) return Differing(fault, "watermark");
            await LookAfterAsync();
            var (definition, none) = PastDefinition(caller, query.Selection.Definition);
            if (definition is null) return Differing(none!, "definition");
            if (NotFromRows(definition) is { } derived) return Differing(derived);
            var (dimensions, parameter, wrong) = DimensionsOf(definition.Spec, query.Dimensions, all: false);
            if (dimensions is null) return Differing(Refused(ReadRefusal.Invalid, wrong!), parameter);
            var result = await DiffAsync(caller, query, definition, deadline);
            return Unreadable(caller) is { } meanwhile ? Differing(meanwhile) : result;
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

    private async Task<DiffResult> DiffAsync(Caller caller, DiffQuery query, IndicatorDefinition definition, long deadline)
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
        var perPartition = await Task.WhenAll(Source.Partitions.Select((_, i) => MovedAsync(view, since, i, selection, query.Dimensions, contract.KeyHasTime)));
        var moved = perPartition.SelectMany(rows => rows).ToList();
        moved.Sort();
        var totals = moved.GroupBy(row => row.Place).ToDictionary(rows => rows.Key, rows => rows.Count());
        var page = moved.Where(row => query.After is not { } after || row.IsAfter(after)).Take(query.Limit + 1).ToArray();
        var told = page.AsSpan(0, Math.Min(page.Length, query.Limit)).ToArray();
        var (values, noValues) = await ValuesOfAsync(view, since, told.Select(row => row.Place).ToHashSet(), deadline);
        if (values is null) return Differing(noValues!);

        var mayMore = DatasetRules.MayRead(caller, AccessClass.Internal, Source.Publisher);
        var seesRows = DatasetRules.MayRead(caller, dataset.Spec.Access, dataset.Spec.Publisher);
        var teller = new RowTeller(dataset, contract);
        var rows = new List<ToldRow>();
        var cells = new List<DiffCell>();
        foreach (var cell in told.GroupBy(row => row.Place))
        {
            var (before, after) = values[cell.Key];
            var hidden = !mayMore && (before?.State == ValueState.Suppressed || after?.State == ValueState.Suppressed);
            var places = new List<int>();
            foreach (var row in hidden || !seesRows ? [] : cell.AsEnumerable())
            {
                places.Add(rows.Count);
                rows.Add(new(row.After is { } standing ? teller.Add(standing) : -1, row.Before is { } gone ? [teller.Add(gone)] : [])
                {
                    Change = row.After is null ? await RetractionAsync(row, until, contract.KeyHasTime) : default,
                });
            }

            cells.Add(new(before, after, hidden ? null : totals[cell.Key], [.. places]));
        }

        return new(ReadRefusal.None, new(
            view.Info, since.Text, until.Text, [.. cells], seesRows ? teller.Tell(rows) : null,
            page.Length > told.Length ? new(new(Instant(told[^1].Place.Window), told[^1].Place.Area, told[^1].Place.Dimensions), new(told[^1].Time, told[^1].Key)) : null), null);
    }

    /// <summary>The rows of one partition that brought something else into a cell of the selection at one moment than at the other.</summary>
    private async Task<List<MovedRow>> MovedAsync(PastView view, PastMoment since, int number, ValuesQuery selection, DimensionValue[] dimensions, bool keyHasTime)
    {
        var (partition, spec) = (Source.Partitions[number], view.Definition.Spec);
        var (first, last) = (selection.From?.UtcTicks ?? long.MinValue, selection.To?.UtcTicks ?? long.MaxValue);

        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var covered = SlidingWindows.Of(spec);
        var cellsFrom = first == long.MinValue ? first : ReadRange.Before(windows, ReadRange.First(windows, first), covered - 1);

        // Where keys have no time a row may have moved along the time line: its other version is looked for everywhere.
        var (from, to) = keyHasTime
            ? PastRange.OfRows(spec, windows, cellsFrom, last)
            : (long.MinValue, long.MaxValue);
        var (sequence, earlier) = (view.Moment.Sequences[number], since.Sequences[number]);
        var pairs = new Dictionary<byte[], (HistoryVersion? Before, HistoryVersion? After)>(ByteKeyComparer.Instance);
        var past = new PastRows(history, contracts);
        var moved = new List<MovedRow>();
        if (from >= to || sequence == earlier) return moved;
        await foreach (var versions in past.ReadAsync(partition, new(sequence, from, to, null, null, PastRows.ChunkRows) { Since = earlier, WithPush = true }, MostMoved))
        {
            foreach (var version in versions)
            {
                var pair = pairs.GetValueOrDefault(version.Row.Key);
                pairs[version.Row.Key] = version.Row.FromSequence <= earlier ? pair with { Before = version } : pair with { After = version };
            }
        }

        var cells = new RowCells(view.Definition);
        var wanted = dimensions.Select(one => (Place: Array.IndexOf(spec.Dimensions, one.Field), one.Value)).ToArray();
        foreach (var chunk in pairs.Chunk(2_000))
        {
            var contract = await past.ContractAsync(partition, chunk.SelectMany(pair => new[] { pair.Value.Before, pair.Value.After }).OfType<HistoryVersion>());
            foreach (var (key, (before, after)) in chunk)
            {
                var (old, fresh) = (Parts(before), Parts(after));
                foreach (var place in old.Concat(fresh).Select(part => part.Place).Distinct())
                {
                    if (place.Window < first || place.Window >= last || !Fits(place)) continue;
                    if (Same(old, fresh, place)) continue;
                    moved.Add(new(place, (after ?? before)!.Row.Time, key, number, before, after));
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
        PastView view, PastMoment since, HashSet<CellRollUp.Place> places, long deadline)
    {
        var values = places.ToDictionary(place => place, _ => ((IndicatorValue?)null, (IndicatorValue?)null));
        if (places.Count == 0) return (values, null);
        var all = new ValuesQuery(Instant(places.Min(place => place.Window)), Instant(places.Max(place => place.Window)).AddTicks(1), false, null, null, null, null, int.MaxValue);
        var (old, fresh) = (await ReadPastAsync(view.Definition, since, all, deadline), await ReadPastAsync(view.Definition, view.Moment, all, deadline));
        if (old.Value is null || fresh.Value is null) return (null, old.Refusal ?? fresh.Refusal);
        var only = places.ToDictionary(place => place, _ => 1u);
        foreach (var (place, value) in Rolled(old.Value, since)) values[place] = (value, null);
        foreach (var (place, value) in Rolled(fresh.Value, view.Moment)) values[place] = (values[place].Item1, value);
        return (values, null);

        IEnumerable<(CellRollUp.Place Place, IndicatorValue Value)> Rolled(CellSet[] sets, PastMoment moment)
        {
            var rolled = Roll(view, moment, all, sets, only);
            return rolled.Rows.Select(row => (new CellRollUp.Place(row.From.UtcTicks, row.Area ?? "", row.Dimensions is null ? "" : DefinitionFold.Text(row.Dimensions)), row));
        }
    }

    /// <summary>The push that took a row away.</summary>
    private async Task<VersionSource> RetractionAsync(MovedRow row, PastMoment until, bool keyHasTime)
    {
        var partition = Source.Partitions[row.Partition];
        var ended = await history.EarlierAsync(
            partition, [new(row.Key, keyHasTime ? row.Before!.Row.Time : null)], until.Sequences[row.Partition], 1, CancellationToken.None);
        return ended[0] is [.., var last] && await BatchAsync(partition, last.ToSequence) is { } batch ? new(batch.ReceivedAt, batch.Feed, batch.Receipt) : default;
    }

    private static DiffResult Differing(ValuesResult refusal, string? parameter = null) => new(refusal.Refusal, null, refusal.Detail, parameter);

    /// <summary>A row in a cell that it moved.</summary>
    private sealed record MovedRow(CellRollUp.Place Place, long Time, byte[] Key, int Partition, HistoryVersion? Before, HistoryVersion? After) : IComparable<MovedRow>
    {
        public int CompareTo(MovedRow? other)
        {
            if (other is null) return 1;
            var order = Place.CompareTo(other.Place);
            if (order == 0) order = Time.CompareTo(other.Time);
            return order != 0 ? order : ByteKeyComparer.Instance.Compare(Key, other.Key);
        }

        public bool IsAfter(DiffCursor cursor)
        {
            var order = Place.CompareTo(new(cursor.Cell.From.UtcTicks, cursor.Cell.Area, cursor.Cell.Dimensions));
            if (order == 0) order = Time.CompareTo(cursor.Row.Time);
            return order > 0 || (order == 0 && ByteKeyComparer.Instance.Compare(Key, cursor.Row.Key) > 0);
        }
    }
}
