using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

using DataHub.Catalog;

using Microsoft.Extensions.Options;

namespace DataHub.Feeds;

/// <summary>A push as it came, decompressed and not yet looked into.</summary>
/// <param name="Body">In the form that <see cref="PushText"/> brings it into.</param>
/// <param name="BodyHash">SHA-256 of the body as it was before that.</param>
internal sealed record Push(Caller Caller, string Dataset, string Feed, PushFormat Format, ReadOnlyMemory<byte> Body, byte[] BodyHash)
{
    /// <summary>Whose turn it waits for, and whose room it takes: that of the agency or person who sends it.</summary>
    public string Sender => SenderOf(Caller);

    public static string SenderOf(Caller caller) => caller.Agency ?? caller.Subject;

    /// <summary>How the feed writes CSV.</summary>
    public CsvProfile? Csv { get; init; }

    /// <summary>As the client sent it; null where it sent none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>What is kept of the key: its SHA-256, so that a key made of a person's data leaves nothing of them in the log.</summary>
    public string? KeptKey => IdempotencyKey is null ? null : Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(IdempotencyKey)));

    /// <summary>Check and answer, store nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>All rows or none.</summary>
    public bool Atomic { get; init; }

    /// <summary>The step of a run that pushes; null: no run does.</summary>
    public Pipelines.RunStep? Run { get; init; }
}

/// <summary>Why a push was not taken.</summary>
internal enum PushRefusal
{
    None = 0,
    NoDataset,

    /// <summary>The dataset takes no rows any more.</summary>
    Retired,

    /// <summary>The dataset takes no rows any more since an agreement is over; the detail names it.</summary>
    Frozen,
    NoFeed,

    /// <summary>The body is not what it says: <see cref="PushAnswer.Body"/>.</summary>
    Undecodable,

    /// <summary>Atomic is asked for, the dataset has several partitions.</summary>
    AtomicNeedsOnePartition,

    /// <summary>Atomic is asked for, rows did not pass: <see cref="PushAnswer.Receipt"/> says which; nothing is stored.</summary>
    NotAtomic,
    Forbidden,
    KeyReused,
    Full,

    /// <summary>The feed has used up its quota: <see cref="PushAnswer.RetryAfter"/>.</summary>
    OverQuota,

    /// <summary>The push has more rows than its feed may bring in a day.</summary>
    LargerThanQuota,
    Unavailable,
}

/// <param name="Detail">From the shard, for logs.</param>
internal sealed record PushAnswer(PushRefusal Refusal, PushReceipt? Receipt = null, UndecodableBody? Body = null, string? Detail = null)
{
    /// <summary>How the feed's quotas stand; empty where it has none, or the push was not weighed.</summary>
    public QuotaReading[] Quotas { get; init; } = [];

    public TimeSpan RetryAfter { get; init; }
}

/// <summary>What a push is answered (design §5).</summary>
/// <param name="Receipt">Null where nothing was stored.</param>
/// <param name="Watermark">Null where nothing was stored.</param>
/// <param name="Errors">By row; bounded by <see cref="IngestOptions.MaxErrors"/>.</param>
/// <param name="Replayed">The answer is that of an earlier push with the same idempotency key; nothing was counted.</param>
internal sealed record PushReceipt(string? Receipt, PushCounts Counts, string? Watermark, RowError[] Errors, bool Replayed)
{
    /// <summary>Of a dry run: what would become of the first rows, by row. Null for others.</summary>
    public RowOutcome[]? Outcomes { get; init; }
}

/// <summary>
/// The way of a push through the front-end (design §2.1): decode and check against the contract, resolve areas, divide
/// by partition, hand each part to its shard, and put the answers together.
/// </summary>
internal sealed partial class PushService(DatasetDirectory datasets, IPushTarget target, IOptions<IngestOptions> options, IngestMetrics metrics, DecodeGate gate, TimeProvider time, ILogger<PushService> logger)
{
    /// <summary>How often a push is made again because its contract or area version has moved on.</summary>
    public const int MaxAttempts = 5;

    /// <summary>How often a large push that is under way waits for a full shard.</summary>
    private const int MaxWaits = 100;

    private static readonly TimeSpan s_waitForConsumers = TimeSpan.FromMilliseconds(200);

    public async Task<PushAnswer> PushAsync(Push push, CancellationToken cancellationToken)
    {
        var answer = await TryAsync(push, cancellationToken);
        metrics.Count(answer, push.DryRun);
        return answer;
    }

    /// <summary>Pushes a table in chunks of its batches: with the same key again it completes what is missing and stores nothing twice.</summary>
    /// <param name="push">Its body is empty; its hash is that of the table.</param>
    /// <param name="chunk">Reads a batch, and says how it is decoded.</param>
    /// <param name="stored">Told after each.</param>
    public async Task<PushAnswer> PushTableAsync(Push push, long rows, int chunks, Func<int, Task<Func<DecodeContext, DecodeResult>>> chunk, Action<int> stored, CancellationToken cancellationToken)
    {
        var made = new Making(push, ReceiptIds.New(time.GetUtcNow())) { Rows = rows };
        var next = chunk(0);
        try
        {
            for (var number = 0; ; number++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var decode = await next;
                // While one is stored the next is read.
                if (number < chunks - 1) next = chunk(number + 1);
                var result = await MakeAsync(push, made, decode, chunks == 1 ? default : (number, chunks), cancellationToken);
                if (result!.Refusal != PushRefusal.None || number == chunks - 1)
                {
                    metrics.Count(result, push.DryRun);
                    return result;
                }

                stored(number);
            }
        }
        finally
        {
            // Nothing is read any more when this is over.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<PushAnswer> TryAsync(Push push, CancellationToken cancellationToken)
    {
        var made = new Making(push, ReceiptIds.New(time.GetUtcNow()));
        if (push.Body.Length <= PushLimits.WholeBytes && await MakeAsync(push, made, context => PushDecoder.Decode(push.Format, push.Body, push.Csv, context), default, cancellationToken) is { } answer)
            return answer;

        if (await datasets.GetAsync(push.Dataset, push.Feed, null) is not { } dataset) return new(PushRefusal.NoDataset);
        var (cuts, refusal) = await InTurnAsync(push, () => PushCuts.Cut(push.Format, push.Body, push.Csv, dataset.Contract, options.Value), cancellationToken);
        if (refusal is not null) return new(PushRefusal.Undecodable, Body: refusal);
        var chunks = cuts!.Chunks.Count;
        made.Rows = cuts.Chunks[^1].FirstRow - 1 + cuts.Chunks[^1].Rows;
        if (chunks > 1 && (push.DryRun || push.Atomic)) return new(PushRefusal.Undecodable, Body: TooLargeForOne(push.DryRun ? "dryRun" : "atomic"));

        for (var chunk = 0; chunk < chunks; chunk++)
        {
            // Whoever does not wait any more repeats the push with its key, and it goes on from here.
            cancellationToken.ThrowIfCancellationRequested();
            var number = chunk;
            var result = await MakeAsync(push, made, context => PushDecoder.Decode(cuts, number, context), (chunk, chunks), cancellationToken);
            if (result!.Refusal != PushRefusal.None || chunk == chunks - 1) return result;
        }

        throw new InvalidOperationException("a body without chunks");
    }

    /// <summary>Makes a push, or one chunk of it, until it is stored or refused.</summary>
    /// <param name="part">Which chunk of how many; none: the push goes in one.</param>
    /// <returns>Null where the body has more rows than are taken whole.</returns>
    private async Task<PushAnswer?> MakeAsync(Push push, Making made, Func<DecodeContext, DecodeResult> decode, (int Chunk, int Chunks) part, CancellationToken cancellationToken)
    {
        KnownDataset? outdated = null;
        var waits = 0;
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            // The second attempt finds what the shard knew; a third meets a change under way, which takes a moment.
            if (attempt > 1) await Task.Delay(TimeSpan.FromMilliseconds(20 * attempt), cancellationToken);
            if (await datasets.GetAsync(push.Dataset, push.Feed, outdated) is not { } dataset) return new(PushRefusal.NoDataset);
            if (!dataset.HasFeed(push.Feed)) return new(PushRefusal.NoFeed);
            var partitions = dataset.Info.Partitions.Length;
            if (push.Atomic && partitions > 1) return new(PushRefusal.AtomicNeedsOnePartition);

            IRowAreas? areas = null;
            // A version that is not kept any more: the dataset has moved on to another.
            if (dataset.Info.Spec.AreaSystem is { } system && (areas = await target.AreasAsync(system, dataset.Info.AreaVersion, cancellationToken)) is null)
            {
                outdated = dataset;
                continue;
            }

            var decoded = await InTurnAsync(push, () => decode(new(dataset.Contract, areas, options.Value, time.GetUtcNow(), partitions)), cancellationToken);

            if (decoded.NeedsChunks) return null;
            if (decoded.Refusal is { } refusal) return new(PushRefusal.Undecodable, Body: refusal);
            var refused = await made.SendAsync(target, dataset, decoded.Push!, part);
            while (refused is { Refusal: AppendRefusal.Full } && part.Chunk > 0 && waits++ < MaxWaits)
            {
                // A large push runs ahead of its own consumers: it waits for them rather than stop in its middle.
                await Task.Delay(s_waitForConsumers, cancellationToken);
                refused = await made.SendAsync(target, dataset, decoded.Push!, part);
            }

            if (refused is null) return new(PushRefusal.None, made.Receipt(options.Value)) { Quotas = made.Quotas };
            if (refused.Refusal != AppendRefusal.Outdated) return Refused(refused, push, decoded.Push!);
            outdated = dataset;
            LogOutdated(push.Dataset, dataset.Contract.Version, dataset.Info.AreaVersion, attempt + 1);
        }

        return new(PushRefusal.Unavailable, Detail: $"{push.Dataset} changed {MaxAttempts} times while the push was made");
    }

    /// <summary>What takes a processor for long is done in turn.</summary>
    private async ValueTask<T> InTurnAsync<T>(Push push, Func<T> work, CancellationToken cancellationToken)
    {
        await gate.EnterAsync(push.Sender, cancellationToken);
        try
        {
            return work();
        }
        finally
        {
            gate.Leave();
        }
    }

    private static UndecodableBody TooLargeForOne(string parameter) => new(
        ProblemTypes.TooLarge,
        new($"Mit {parameter}=true hat eine Lieferung höchstens {PushLimits.WholeBytes} Byte (entpackt) und {PushLimits.WholeRows} Zeilen; größere werden stückweise angenommen. In mehreren senden. Nichts wurde gespeichert.",
            $"With {parameter}=true a push has at most {PushLimits.WholeBytes} bytes (decompressed) and {PushLimits.WholeRows} rows; larger ones are taken piece by piece. Send several. Nothing was stored."),
        ("limit", PushLimits.WholeBytes), ("maxRows", PushLimits.WholeRows));

    private PushAnswer Refused(AppendResult result, Push push, DecodedPush decoded)
    {
        LogRefused(push.Dataset, push.Feed, result.Refusal, result.Detail);
        return result.Refusal switch
        {
            AppendRefusal.Full => new(PushRefusal.Full, Detail: result.Detail),
            AppendRefusal.KeyReused => new(PushRefusal.KeyReused, Detail: result.Detail),
            AppendRefusal.Forbidden => new(PushRefusal.Forbidden, Detail: result.Detail),
            AppendRefusal.Retired => new(PushRefusal.Retired, Detail: result.Detail),
            AppendRefusal.Frozen => new(PushRefusal.Frozen, Detail: result.Detail),
            AppendRefusal.NotFound => new(PushRefusal.NoDataset, Detail: result.Detail),
            AppendRefusal.OverQuota => new(PushRefusal.OverQuota, Detail: result.Detail) { Quotas = result.Quotas, RetryAfter = result.RetryAfter },
            AppendRefusal.LargerThanQuota => new(PushRefusal.LargerThanQuota, Detail: result.Detail) { Quotas = result.Quotas },
            AppendRefusal.NotAtomic => new(PushRefusal.NotAtomic, new(
                null,
                new PushCounts(decoded.Received, 0, 0, 0, 0, decoded.Quarantined.Count),
                null,
                [.. decoded.Quarantined.SelectMany(q => q.Errors).Take(options.Value.MaxErrors)],
                false)),
            _ => new(PushRefusal.Unavailable, Detail: result.Detail),
        };
    }

    [LoggerMessage(1141, LogLevel.Information, "A push into {Dataset} was made with contract {Contract} and areas {Areas}, which no longer hold; attempt {Attempt}")]
    private partial void LogOutdated(string dataset, int contract, int areas, int attempt);

    [LoggerMessage(1142, LogLevel.Warning, "A push into {Dataset}/{Feed} was refused: {Refusal}, {Detail}")]
    private partial void LogRefused(string dataset, string feed, AppendRefusal refusal, string? detail);

    /// <summary>
    /// One push while its parts are stored. A part's number is its partition's, in a large push that of its chunk times the
    /// number of partitions besides: a retry, whatever contract it is made under, finds the part again that it repeats.
    /// Part 0 is always sent, and first: its receipt is the push's.
    /// </summary>
    private sealed class Making(Push push, string receipt)
    {
        private readonly SortedDictionary<int, PartReceipt> _stored = [];
        private string _receipt = receipt;
        private Guid _incarnation;
        private string _dataset = push.Dataset;
        private int _partitions;
        private int _chunk;
        private int _errorsBefore;
        private int _errors;

        /// <summary>Of the whole push, where it goes in chunks; else null.</summary>
        public long? Rows { get; set; }

        /// <summary>As the first part's shard told them.</summary>
        public QuotaReading[] Quotas { get; private set; } = [];

        /// <summary>Sends the parts that are not stored yet.</summary>
        /// <param name="part">Which chunk of how many; chunks come one after another.</param>
        /// <returns>Null when all are stored; else why not.</returns>
        public async Task<AppendResult?> SendAsync(IPushTarget target, KnownDataset dataset, DecodedPush decoded, (int Chunk, int Chunks) part)
        {
            _dataset = dataset.Info.Id;
            _partitions = dataset.Info.Partitions.Length;
            if (part.Chunk > _chunk) (_chunk, _errorsBefore) = (part.Chunk, _errors);
            _errors = _errorsBefore + decoded.Quarantined.Sum(row => row.Errors.Length);
            var parts = Divide(dataset, decoded, part);
            if (!_stored.ContainsKey(0))
            {
                var load = new PushLoad(Rows ?? decoded.Received, push.Body.Length);
                var first = await target.AppendAsync(dataset.Info.Partitions[0].Shard, push.Caller, parts[0] with { Load = load });
                if (first.Refusal != AppendRefusal.None) return first;
                Quotas = first.Quotas;
                Store(0, first);
                _receipt = first.Receipt!.Push.Receipt;
            }

            AppendResult? refused = null;
            var sent = parts.Where(p => !_stored.ContainsKey(p.Key)).Select(async p =>
                (p.Key, Result: await target.AppendAsync(dataset.Info.Partitions[p.Key % _partitions].Shard, push.Caller, p.Value with { Receipt = _receipt }))).ToArray();
            foreach (var (number, result) in await Task.WhenAll(sent))
            {
                if (result.Refusal == AppendRefusal.None) Store(number, result);
                // What can be put right by making the batch again is tried last: another refusal would come again.
                else if (refused is null || refused.Refusal == AppendRefusal.Outdated) refused = result;
            }

            return refused;
        }

        public PushReceipt Receipt(IngestOptions options)
        {
            var counts = default(PushCounts);
            var sequences = new long[_partitions];
            foreach (var (number, part) in _stored)
            {
                counts += part.Push.Counts;
                sequences[number % _partitions] = Math.Max(sequences[number % _partitions], part.Sequence);
            }

            RowError[] errors = [.. _stored.Values.SelectMany(p => p.Push.Errors).OrderBy(e => e.Row).Take(options.MaxErrors)];
            return push.DryRun
                ? new(null, counts, null, errors, false) { Outcomes = [.. _stored.Values.SelectMany(p => p.Outcomes).OrderBy(o => o.Row).Take(PushLimits.OutcomesInDryRun)] }
                : new(_receipt, counts, new Watermark(_incarnation, _dataset, sequences).ToString(), errors, _stored.Values.Any(p => p.Replayed));
        }

        private void Store(int number, AppendResult result)
        {
            _stored[number] = result.Receipt!;
            _incarnation = result.Incarnation;
        }

        private SortedDictionary<int, PushPart> Divide(KnownDataset dataset, DecodedPush decoded, (int Chunk, int Chunks) part)
        {
            var parts = new SortedDictionary<int, PushPart>();
            var first = part.Chunk * _partitions;
            if (_partitions == 1)
            {
                parts[first] = Part(dataset, first, Math.Max(1, part.Chunks), decoded.Rows, [.. decoded.Quarantined]);
                return parts;
            }

            var rows = new List<int>[_partitions];
            var quarantined = new List<QuarantinedRow>[_partitions];
            for (var p = 0; p < _partitions; p++) (rows[p], quarantined[p]) = ([], []);
            for (var row = 0; row < decoded.Rows.Count; row++) rows[RowKeys.Partition(dataset.Contract, decoded.Rows, row, _partitions)].Add(row);
            for (var i = 0; i < decoded.Quarantined.Count; i++) quarantined[decoded.QuarantinedIn[i]].Add(decoded.Quarantined[i]);

            // Of a large push every chunk goes to every partition: so the number of its parts is known from the beginning.
            var isTouched = Enumerable.Range(0, _partitions).Select(p => part.Chunks > 1 || p == 0 || rows[p].Count > 0 || quarantined[p].Count > 0).ToArray();
            var total = part.Chunks > 1 ? part.Chunks * _partitions : isTouched.Count(touched => touched);
            for (var p = 0; p < _partitions; p++)
            {
                if (isTouched[p]) parts[first + p] = Part(dataset, first + p, total, decoded.Rows.Take([.. rows[p]]), [.. quarantined[p]]);
            }

            return parts;
        }

        private PushPart Part(KnownDataset dataset, int number, int parts, RowBlock rows, QuarantinedRow[] quarantined) => new(
            dataset.Info.Id, dataset.Info.Partitions[number % _partitions].Key, push.Feed, _receipt, push.KeptKey, push.BodyHash, number, parts,
            dataset.Contract.Version, dataset.Info.AreaVersion, rows, quarantined)
        {
            DryRun = push.DryRun,
            Atomic = push.Atomic,
            Run = push.Run,
            ErrorLimit = Math.Max(0, PushLimits.ErrorsInReceipt - _errorsBefore),
        };
    }
}
