using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DataHub.Tool;

/// <summary>How files are pushed.</summary>
internal sealed record PushSettings(string Dataset, string Feed, string Format, bool DryRun, bool Atomic, int BatchRows, int BatchBytes, string Compression, string? Charset, string StateFolder, bool Again);

/// <summary>What came of rows.</summary>
internal record struct PushCounts(long Received, long Accepted, long Duplicate, long Quarantined)
{
    public readonly PushCounts Plus(PushCounts other) => new(Received + other.Received, Accepted + other.Accepted, Duplicate + other.Duplicate, Quarantined + other.Quarantined);

    public readonly JsonObject Members() => new() { ["received"] = Received, ["accepted"] = Accepted, ["duplicate"] = Duplicate, ["quarantined"] = Quarantined };

    public override readonly string ToString() => Words.Say(
        $"{Words.Number(Received)} Zeilen: {Words.Number(Accepted)} angenommen, {Words.Number(Duplicate)} schon bekannt, {Words.Number(Quarantined)} in Quarantäne",
        $"{Words.Number(Received)} rows: {Words.Number(Accepted)} accepted, {Words.Number(Duplicate)} known already, {Words.Number(Quarantined)} quarantined");
}

/// <summary>How the push of a file ended.</summary>
/// <param name="ForAll">Whether any other file would be refused just the same: the key, the dataset or the feed is wrong.</param>
internal readonly record struct PushOutcome(int ExitCode, PushCounts Counts, bool ForAll = false);

/// <summary>How the push of a file stands.</summary>
/// <param name="Done">Bytes of the file that are answered.</param>
/// <param name="Total">Bytes of the file.</param>
internal readonly record struct PushProgress(long Done, long Total, PushCounts Counts, int Receipts);

/// <summary>
/// Pushes one file in batches, in order. Each batch has a key made of the file's content and of its own, so that
/// whatever is repeated, by this process or by a later one, counts once.
/// </summary>
internal sealed class FilePush(HubConnection hub, PushSettings settings, Report report)
{
    /// <summary>Bodies smaller than this are not worth compressing.</summary>
    private const int SmallBody = 1024;

    /// <summary>Row errors told of one file; further ones are in the quarantine.</summary>
    private const int MostErrors = 1000;

    /// <exception cref="UsageException">The file cannot be read, or changed meanwhile.</exception>
    /// <exception cref="GaveUpException">The hub was not reached in time; what was answered is remembered.</exception>
    public async Task<PushOutcome> RunAsync(string path, Action<PushProgress> progress, CancellationToken cancellationToken)
    {
        try
        {
            var format = FileFormats.Of(settings.Format, path);
            var before = new FileInfo(path);
            var (length, written) = (before.Length, before.LastWriteTimeUtc);
            var hash = await HashAsync(path, cancellationToken);
            using var memory = settings.DryRun ? null : PushMemory.Open(settings.StateFolder,
                [hub.Hub.ToString(), settings.Dataset, settings.Feed, settings.Atomic ? "atomic" : "", hash], Path.GetFullPath(path),
                new(settings.BatchRows, settings.BatchBytes, 0), settings.Again);
            if (memory is { Count: > 0 })
            {
                report.Note(memory.IsDone
                    ? Words.Say($"{path}: wurde schon geliefert (--again liefert noch einmal).", $"{path}: was pushed already (--again pushes once more).")
                    : Words.Say($"{path}: setzt nach {memory.Count} beantworteten Teilen fort.", $"{path}: goes on after {memory.Count} answered batches."));
            }

            var cut = memory?.HowCut ?? new(settings.BatchRows, settings.BatchBytes, 0);
            var whole = settings.Atomic || format is FileFormat.Json or FileFormat.MessagePack;
            var outcome = whole ? await WholeAsync(path, format, hash, length, cut, memory, progress, cancellationToken)
                : await BatchesAsync(path, format, hash, length, cut, memory, progress, cancellationToken);
            var after = new FileInfo(path);
            if (!after.Exists || after.Length != length || after.LastWriteTimeUtc != written)
                throw new UsageException(Words.Say($"„{path}“ wurde während der Lieferung geändert; noch einmal liefern.", $"“{path}” was changed while it was pushed; push it once more."));
            if (outcome.ExitCode is ExitCode.Done or ExitCode.Quarantined)
            {
                memory?.Finish();
                var members = outcome.Counts.Members();
                members.Insert(0, "file", path);
                members["dryRun"] = settings.DryRun;
                report.Result($"{path}: {outcome.Counts}{(settings.DryRun ? Words.Say(" (Probe, nichts gespeichert)", " (dry run, nothing stored)") : "")}", "file", members);
            }

            return outcome;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UsageException(Words.Say($"„{path}“ ist nicht zu lesen: {e.Message}", $"“{path}” cannot be read: {e.Message}"));
        }
    }

    /// <summary>Of the file's bytes, in hexadecimal.</summary>
    public static async Task<string> HashAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan | FileOptions.Asynchronous);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
    }

    private async Task<PushOutcome> BatchesAsync(string path, FileFormat format, string hash, long length, PushMemory.Cut cut, PushMemory? memory, Action<PushProgress> progress, CancellationToken cancellationToken)
    {
        var (skipRows, delimiter, encoding) = format == FileFormat.Csv ? await ProfileAsync(cancellationToken) : (0, null, null);
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        var charset = format == FileFormat.Csv ? settings.Charset : null;
        // The bytes of UTF-16 cannot be cut at bytes that mean line ends.
        var utf16 = format == FileFormat.Csv ? Utf16(file, charset ?? encoding) : null;
        await using var text = utf16 is null ? file : Encoding.CreateTranscodingStream(file, utf16, new UTF8Encoding(false), leaveOpen: true);
        if (utf16 is not null) charset = "utf-8";
        RowReader reader = format == FileFormat.Csv ? new CsvReader(text, cut.Rows, cut.Bytes, skipRows, delimiter) : new LineReader(text, cut.Rows, cut.Bytes);
        var (counts, done, receipts, errors) = (new PushCounts(), 0L, 0, 0);
        foreach (var batch in reader.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = Key(hash, cut, format, batch.Number, SHA256.HashData(batch.Body.Span));
            if (memory?.Find(batch.Number, key) is not { } known)
            {
                var body = Compress(batch.Body);
                var answer = await hub.SendAsync(() => Request(Content(body.Bytes, body.Encoding), format, charset, key), cancellationToken);
                if (!IsReceipt(answer)) return new(Refused(path, batch.Number, answer, counts.Received, ref errors), counts, answer.Status is 401 or 403 or 404);
                known = Answered(batch.Number, key, answer, batch.Length);
                memory?.Add(known);
                errors = TellErrors(path, answer, counts.Received, errors);
                Tell(path, known, counts.Received, resumed: false);
            }
            else
            {
                Tell(path, known, counts.Received, resumed: true);
            }

            counts = counts.Plus(new(known.Received, known.Accepted, known.Duplicate, known.Quarantined));
            done += batch.Length;
            progress(new(utf16 is null ? done : Math.Min(length, file.Position), length, counts, ++receipts));
        }

        return new(counts.Quarantined > 0 ? ExitCode.Quarantined : ExitCode.Done, counts);
    }

    private async Task<PushOutcome> WholeAsync(string path, FileFormat format, string hash, long length, PushMemory.Cut cut, PushMemory? memory, Action<PushProgress> progress, CancellationToken cancellationToken)
    {
        var key = Key(hash, cut, format, 1, Convert.FromHexString(hash));
        var errors = 0;
        if (memory?.Find(1, key) is not { } known)
        {
            var answer = await hub.SendAsync(() => Request(new FileContent(path, length < SmallBody ? "none" : settings.Compression), format, format == FileFormat.Csv ? settings.Charset : null, key), cancellationToken);
            if (!IsReceipt(answer)) return new(Refused(path, 1, answer, 0, ref errors), default, answer.Status is 401 or 403 or 404);
            known = Answered(1, key, answer, length);
            memory?.Add(known);
            TellErrors(path, answer, 0, 0);
            Tell(path, known, 0, resumed: false);
        }
        else
        {
            Tell(path, known, 0, resumed: true);
        }

        var counts = new PushCounts(known.Received, known.Accepted, known.Duplicate, known.Quarantined);
        progress(new(length, length, counts, 1));
        return new(counts.Quarantined > 0 ? ExitCode.Quarantined : ExitCode.Done, counts);
    }

    /// <summary>How the feed writes CSV, as far as cutting needs it.</summary>
    private async Task<(int SkipRows, char? Delimiter, string? Encoding)> ProfileAsync(CancellationToken cancellationToken)
    {
        var feed = await hub.GetAsync($"api/v1/datasets/{Uri.EscapeDataString(settings.Dataset)}/feeds/{Uri.EscapeDataString(settings.Feed)}", cancellationToken);
        // A feed that may not be seen has no profile that could be known; the push itself says what is wrong.
        if (!feed.IsSuccess || feed.Body is not { ValueKind: JsonValueKind.Object } body || !body.TryGetProperty("csv", out var csv) || csv.ValueKind != JsonValueKind.Object) return default;
        var profile = new HubAnswer(200, csv);
        return ((int)profile.Number("skipRows"), profile.Text("delimiter") is [var c] ? c : null, profile.Text("encoding"));
    }

    private static Encoding? Utf16(FileStream file, string? named)
    {
        Span<byte> mark = stackalloc byte[2];
        var read = file.ReadAtLeast(mark, 2, throwOnEndOfStream: false);
        if (read == 2 && mark[0] == 0xFF && mark[1] == 0xFE) return Encoding.Unicode;
        if (read == 2 && mark[0] == 0xFE && mark[1] == 0xFF) return Encoding.BigEndianUnicode;
        file.Position = 0;
        return named?.ToUpperInvariant() switch { "UTF-16" or "UTF-16LE" => Encoding.Unicode, "UTF-16BE" => Encoding.BigEndianUnicode, _ => null };
    }

    private string Key(string hash, PushMemory.Cut cut, FileFormat format, int batch, byte[] body)
    {
        var parts = string.Join('\n', "1", hash, settings.Dataset, settings.Feed, format, settings.Atomic, cut.Round.ToString(CultureInfo.InvariantCulture), batch.ToString(CultureInfo.InvariantCulture), Convert.ToHexStringLower(body));
        return "datahub-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(parts)))[..48];
    }

    private HttpRequestMessage Request(HttpContent content, FileFormat format, string? charset, string key)
    {
        var query = (settings.DryRun ? "?dryRun=true" : "") + (settings.Atomic ? settings.DryRun ? "&atomic=true" : "?atomic=true" : "");
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(hub.Hub, $"api/v1/datasets/{Uri.EscapeDataString(settings.Dataset)}/feeds/{Uri.EscapeDataString(settings.Feed)}/records{query}")) { Content = content };
        content.Headers.TryAddWithoutValidation("Content-Type", format.ContentType() + (charset is null ? "" : "; charset=" + charset));
        if (!settings.DryRun) request.Headers.Add("Idempotency-Key", key);
        return request;
    }

    private (ReadOnlyMemory<byte> Bytes, string? Encoding) Compress(ReadOnlyMemory<byte> body)
    {
        if (settings.Compression == "none" || body.Length < SmallBody) return (body, null);
        var packed = new MemoryStream(body.Length / 4);
        using (var compressor = Compressor(packed, settings.Compression)) compressor.Write(body.Span);
        return (packed.GetBuffer().AsMemory(0, (int)packed.Length), settings.Compression);
    }

    private static ReadOnlyMemoryContent Content(ReadOnlyMemory<byte> bytes, string? encoding)
    {
        var content = new ReadOnlyMemoryContent(bytes);
        if (encoding is not null) content.Headers.ContentEncoding.Add(encoding);
        return content;
    }

    private static Stream Compressor(Stream into, string compression) => compression == "br"
        ? new BrotliStream(into, CompressionLevel.Fastest, leaveOpen: true)
        : new GZipStream(into, CompressionLevel.Fastest, leaveOpen: true);

    /// <summary>Stored and answered; also where no row passed.</summary>
    private static bool IsReceipt(HubAnswer answer) => (answer.IsSuccess && answer.Body is { ValueKind: JsonValueKind.Object } body && body.TryGetProperty("received", out _)) || (answer.Status == 422 && answer.Word == "all-quarantined");

    private static PushMemory.Answered Answered(int batch, string key, HubAnswer answer, long length) =>
        new(batch, key, answer.Text("receipt") ?? "", answer.Number("received"), answer.Number("accepted"), answer.Number("duplicate"), answer.Number("quarantined"), length);

    private int Refused(string path, int batch, HubAnswer answer, long rowsBefore, ref int errors)
    {
        errors = TellErrors(path, answer, rowsBefore, errors);
        report.Refusal(batch == 1 ? path : Words.Say($"{path}, Teil {batch}", $"{path}, batch {batch}"), answer);
        if (answer.Status == 413) report.Note(Words.Say("Kleinere Teile: --batch-bytes und --batch-rows.", "Smaller batches: --batch-bytes and --batch-rows."));
        return ExitCode.Refused;
    }

    private void Tell(string path, PushMemory.Answered answered, long rowsBefore, bool resumed)
    {
        var counts = new PushCounts(answered.Received, answered.Accepted, answered.Duplicate, answered.Quarantined);
        var members = counts.Members();
        members.Insert(0, "file", path);
        members.Insert(1, "batch", answered.Batch);
        members.Insert(2, "firstRow", rowsBefore + 1);
        members.Insert(3, "receipt", answered.Receipt.Length == 0 ? null : answered.Receipt);
        members["resumed"] = resumed;
        report.Result(report.IsWatched || resumed || answered.Receipt.Length == 0 ? null : Words.Say($"{path}, Teil {answered.Batch}: Quittung {answered.Receipt}, {counts}", $"{path}, batch {answered.Batch}: receipt {answered.Receipt}, {counts}"), "batch", members);
    }

    private int TellErrors(string path, HubAnswer answer, long rowsBefore, int told)
    {
        if (answer.Body is not { ValueKind: JsonValueKind.Object } body || !body.TryGetProperty("errors", out var errors) || errors.ValueKind != JsonValueKind.Array) return told;
        foreach (var error in errors.EnumerateArray())
        {
            if (error.ValueKind != JsonValueKind.Object || !error.TryGetProperty("row", out var number) || !number.TryGetInt64(out var row)) continue;
            if (++told > MostErrors)
            {
                if (told == MostErrors + 1) report.Note(Words.Say($"{path}: weitere Fehler siehe datahub quarantine ls.", $"{path}: for further errors see datahub quarantine ls."));
                return told;
            }

            var members = JsonObject.Create(error)!;
            members["row"] = rowsBefore + row;
            var line = new HubAnswer(0, error);
            var text = $"{path}, {Words.Say("Zeile", "row")} {rowsBefore + row}: {line.Text("field")}{(line.Text("field") is null ? "" : ": ")}{Report.Flat(line.Text("detail") ?? "")} [{line.Text("code")}]{(line.Text("value") is { } value ? $" „{Report.Flat(value)}“" : "")}";
            members.Insert(0, "file", path);
            report.Result(null, "error", members);
            if (!report.IsJson) report.Note(text);
        }

        return told;
    }

    /// <summary>A file that is compressed while it is sent.</summary>
    private sealed class FileContent : HttpContent
    {
        private readonly string _path, _compression;

        public FileContent(string path, string compression)
        {
            (_path, _compression) = (path, compression);
            if (compression != "none") Headers.ContentEncoding.Add(compression);
        }

        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan | FileOptions.Asynchronous);
            if (_compression == "none")
            {
                await file.CopyToAsync(stream);
                return;
            }

            await using var compressor = Compressor(stream, _compression);
            await file.CopyToAsync(compressor);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _compression == "none" ? new FileInfo(_path).Length : 0;
            return _compression == "none";
        }
    }
}
