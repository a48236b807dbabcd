using System.Text;
using System.Text.Json.Nodes;

using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.Extensions.Options;

namespace DataHub.Feeds;

/// <summary>What became of an act on quarantined rows.</summary>
/// <param name="Refusal">None where it was done; else nothing more was done than <see cref="Settled"/> says.</param>
/// <param name="Read">Why the rows could not be read; None where they were.</param>
internal sealed record QuarantineAnswer(AppendRefusal Refusal, ReadRefusal Read, string? Detail)
{
    /// <summary>Receipt of the act; null where nothing was stored.</summary>
    public string? Act { get; init; }

    public int Selected { get; init; }

    public IReadOnlyList<(QuarantineEntry Row, QuarantineState Outcome)> Settled { get; init; } = [];

    /// <summary>Rows that do not pass as they are now; they stay as they were.</summary>
    public IReadOnlyList<(QuarantineEntry Row, RowError Error)> Errors { get; init; } = [];

    public int StillQuarantined { get; init; }

    /// <summary>Includes the act; null where nothing was stored.</summary>
    public string? Watermark { get; init; }

    /// <summary>Where to go on; null where no selected row is left.</summary>
    public QuarantineId? Next { get; init; }
}

/// <summary>
/// The way back from quarantine: rows are read, put right, checked anew as a push would be, and handed to the shards
/// that hold them; those settle each row once, whoever else tries.
/// </summary>
internal sealed class QuarantineService(DatasetDirectory datasets, IPushTarget target, IGrainFactory grains, IOptions<IngestOptions> options, TimeProvider time)
{
    /// <param name="read">Reads the request against the dataset's contract; null where it cannot be carried out, which it has noted.</param>
    /// <returns>Null where there is no such dataset, or the request was not readable.</returns>
    public async Task<QuarantineAnswer?> ActAsync(Caller caller, string dataset, bool dryRun, Func<CompiledContract, QuarantineRequest?> read, CancellationToken cancellationToken)
    {
        // Asked first: who may not is refused even where nothing is selected. What is settled the shard decides again.
        var access = await grains.GetGrain<IDatasetGrain>(dataset).AccessAsync(caller, caller);
        if (access is null || !May(AccessRights.ReadMetadata)) return null;
        if (!May(AccessRights.Push)) return new(AppendRefusal.Forbidden, ReadRefusal.None, dataset);

        var act = ReceiptIds.New(time.GetUtcNow());
        KnownDataset? outdated = null;
        var doing = new Doing();
        for (var attempt = 0; attempt < PushService.MaxAttempts; attempt++)
        {
            if (attempt > 1) await Task.Delay(TimeSpan.FromMilliseconds(20 * attempt), cancellationToken);
            if (await datasets.GetAsync(dataset, DefaultFeed, outdated) is not { } known || read(known.Contract) is not { } request) return null;
            outdated = known;
            IRowAreas? areas = null;
            if (known.Info.Spec.AreaSystem is { } system && (areas = await target.AreasAsync(system, known.Info.AreaVersion, cancellationToken)) is null) continue;

            var selected = await grains.GetGrain<IDatasetRowsGrain>(dataset).QuarantineAsync(caller, request.Select);
            if (selected.Refusal != ReadRefusal.None) return doing.Answer(AppendRefusal.None, selected.Refusal, selected.Detail, null);
            // What an earlier attempt has settled is not open any more; what it has told is told again.
            doing.Begin(dryRun, selected.Entries.Length, known.Info.Partitions.Length);

            AppendResult? refused = null;
            foreach (var entries in selected.Entries.GroupBy(entry => (entry.Feed, entry.Id.Partition)).SelectMany(group => group.Chunk(options.Value.MaxRows)))
            {
                var partition = entries[0].Id.Partition;
                var part = Part(known, areas, request, act, entries, doing) with { DryRun = dryRun };
                if (part.Claim!.Rows.Length == 0) continue;
                var result = await target.AppendAsync(known.Info.Partitions[partition].Shard, caller, part);
                if (result.Refusal == AppendRefusal.None) doing.Take(result, entries, partition, dryRun ? null : act);
                else refused = result;
            }

            if (refused is null) return doing.Answer(AppendRefusal.None, ReadRefusal.None, null, selected.Next, dataset);
            if (refused.Refusal != AppendRefusal.Outdated) return doing.Answer(refused.Refusal, ReadRefusal.None, refused.Detail, null, dataset);
        }

        return doing.Answer(AppendRefusal.Unavailable, ReadRefusal.None, dataset, null, dataset);

        bool May(AccessRights right) => Array.Exists(access!.Decisions, decision => decision.Right == right && decision.IsAllowed);
    }

    private const string DefaultFeed = "default";

    private PushPart Part(KnownDataset known, IRowAreas? areas, QuarantineRequest request, string act, QuarantineEntry[] entries, Doing doing)
    {
        var rows = RowBlock.Empty;
        ClaimedRow[] claimed;
        if (request.Kind == QuarantineActKind.Discard)
        {
            claimed = [.. entries.Select(entry => new ClaimedRow(entry.Id.Sequence, entry.Id.Index, null))];
        }
        else
        {
            var corrected = new string?[entries.Length];
            var text = new StringBuilder();
            for (var i = 0; i < entries.Length; i++)
            {
                corrected[i] = Corrected(entries[i], request);
                // A line each; in JSON line ends stand only between the values.
                text.Append((corrected[i] ?? entries[i].Row.Raw).Replace('\n', ' ').Replace('\r', ' ')).Append('\n');
            }

            var decoded = PushDecoder.Decode(PushFormat.NdJson, Encoding.UTF8.GetBytes(text.ToString()), null, new(known.Contract, areas, options.Value, time.GetUtcNow(), known.Info.Partitions.Length)).Push
                ?? throw new InvalidOperationException($"quarantined rows of {known.Info.Id} could not be read again");
            foreach (var row in decoded.Quarantined) doing.Stays(entries[row.Row - 1], row.Errors);

            var here = new List<int>(decoded.Rows.Count);
            for (var row = 0; row < decoded.Rows.Count; row++)
            {
                var entry = entries[decoded.Rows.Number(row) - 1];
                if (known.Info.Partitions.Length == 1 || RowKeys.Partition(known.Contract, decoded.Rows, row, known.Info.Partitions.Length) == entry.Id.Partition) here.Add(row);
                else doing.Stays(entry, [new(entry.Row.Row, known.Contract.Fields[known.Contract.Key[0]].Name, RowErrorCodes.OtherPartition, null, null)]);
            }

            rows = here.Count == decoded.Rows.Count ? decoded.Rows : decoded.Rows.Take([.. here]);
            claimed = new ClaimedRow[rows.Count];
            for (var row = 0; row < claimed.Length; row++)
            {
                var place = rows.Number(row) - 1;
                claimed[row] = new(entries[place].Id.Sequence, entries[place].Id.Index, corrected[place]);
            }
        }

        return new(
            known.Info.Id, known.Info.Partitions[entries[0].Id.Partition].Key, entries[0].Feed, act, null, [], doing.Parts, doing.Parts + 1, known.Contract.Version, known.Info.AreaVersion, rows, [])
        {
            Claim = new(request.Kind, request.Reason, request.RuleText, claimed),
        };
    }

    /// <summary>The row as it is to be checked; null where it goes as it came.</summary>
    private static string? Corrected(QuarantineEntry entry, QuarantineRequest request)
    {
        var hasValues = request.Corrections.TryGetValue(entry.Id, out var values);
        if (!hasValues && request.Rule is null) return null;
        // What could not be read at all has no fields: then the values given are the row.
        JsonObject? row;
        try
        {
            row = JsonNode.Parse(entry.Row.Raw) as JsonObject;
            _ = row?.Count;
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or ArgumentException)
        {
            // A field that stands in the row twice: a rule cannot say which is meant.
            row = null;
        }

        if (row is null && !hasValues) return null;
        row ??= [];
        var changed = false;
        if (hasValues)
        {
            foreach (var (name, value) in values!)
            {
                row[name] = value?.DeepClone();
                changed = true;
            }
        }

        changed |= request.Rule?.Apply(row) ?? false;
        return changed ? row.ToJsonString(WireJson.Options) : null;
    }

    private sealed class Doing
    {
        private readonly List<(QuarantineEntry, QuarantineState)> _settled = [];
        private readonly List<(QuarantineEntry, RowError)> _errors = [];
        private readonly Dictionary<int, long> _sequences = [];
        private int _selected, _staying, _partitions;
        private Guid _incarnation;
        private string? _act;

        /// <summary>Parts of the act that were handed to a shard: each is stored under a number of its own.</summary>
        public int Parts { get; private set; }

        public void Begin(bool dryRun, int selected, int partitions)
        {
            if (dryRun) _settled.Clear();
            _errors.Clear();
            _staying = 0;
            _selected = _settled.Count + selected;
            _partitions = partitions;
        }

        public void Stays(QuarantineEntry entry, RowError[] errors)
        {
            _staying++;
            foreach (var error in errors)
                if (_errors.Count < PushLimits.ErrorsInReceipt) _errors.Add((entry, error));
        }

        public void Take(AppendResult result, IEnumerable<QuarantineEntry> entries, int partition, string? act)
        {
            Parts++;
            var byPlace = entries.ToDictionary(entry => (entry.Id.Sequence, entry.Id.Index));
            foreach (var row in result.Receipt!.Settled) _settled.Add((byPlace[(row.Sequence, row.Index)], row.Outcome));
            _incarnation = result.Incarnation;
            if (result.Receipt.Settled.Length == 0 || act is null) return;
            _act = act;
            _sequences[partition] = Math.Max(_sequences.GetValueOrDefault(partition), result.Receipt.Sequence);
        }

        public QuarantineAnswer Answer(AppendRefusal refusal, ReadRefusal read, string? detail, QuarantineId? next, string? dataset = null) => new(refusal, read, detail)
        {
            Act = _act,
            Selected = _selected,
            Settled = _settled,
            Errors = _errors,
            StillQuarantined = _staying,
            Next = next,
            Watermark = _act is null || dataset is null
                ? null
                : new Watermark(_incarnation, dataset, [.. Enumerable.Range(0, _partitions).Select(p => _sequences.GetValueOrDefault(p))]).ToString(),
        };
    }
}
