using DataHub.Catalog;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace DataHub.Feeds;

/// <summary>The public push route (design §5).</summary>
internal static class PushEndpoints
{
    private const int LongestKey = 255;

    /// <summary>For how long a push is held back whose sender was told to wait for longer.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);

    private static readonly LocalText s_dataset = new("Datensatz", "Dataset");
    private static readonly LocalText s_feed = new("Datenquelle", "Feed");

    public static void MapPushEndpoints(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/v1/datasets/{dataset}/feeds/{feed}/records", PushAsync).WithTags("Feeds")
            .WithSummary("Pushes rows: a JSON array or object, NDJSON, CSV with a header, or MessagePack. Answered when they are stored.")
            .WithDescription("Header Idempotency-Key (1 to 255 visible ASCII characters): a repeat with the same body gets the same receipt, another body 409. ?dryRun=true checks and stores nothing; ?atomic=true takes all rows or none. A row with \"@delete\": true retracts its key. Content-Encoding gzip, br, zstd and deflate are taken. CSV: the delimiter is found in the header; ISO 8601 and points are read, with semicolons German dates and decimal commas too; a profile saved with the feed (csv) says otherwise. MessagePack: an array of maps, or { columns: { name: [ … ] } }. A body of more than 8 MiB (decompressed) or 100,000 rows is taken in chunks under one receipt. A feed or agency with a quota is told by RateLimit-Policy and RateLimit how it stands; beyond it 429 with Retry-After. What stands in errors[].code is explained at /problems/rows.")
            .Takes("dryRun", "true: check and answer, store nothing.")
            .Takes("atomic", "true: all rows or none; for datasets of one partition.")
            .Accepts<object[]>("application/json", ["application/x-ndjson", "text/csv", "application/vnd.msgpack", .. PublicDescription.OtherNames])
            .Produces<PushReceiptJson>().Refuses(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
            .Example("""[ { "station": "mc010", "time": "2026-11-23T08:00:00Z", "area": "0110", "no2": 23.4 } ]""")
            .Example("""{ "receipt": "01JDCB4Z6H8W4T0V9R5XK2M3NA", "received": 3, "accepted": 1, "duplicate": 1, "quarantined": 1, "watermark": "w1.k8QQ…", "errors": [ { "row": 2, "field": "no2", "code": "above-maximum", "detail": "2000 ist das Maximum", "expected": "2000", "value": "9999" } ] }""", 200);

    private static async Task<IResult> PushAsync(string dataset, string feed, HttpContext http, PushService pushes, BodyBudget budget, PushSpool spool, IOptions<IngestOptions> options, DatasetDirectory datasets, FeedQuotas quotas, IPushTarget target)
    {
        if (http.Caller().IsPublic) return Authentication.Forbidden(http, NeedsKey(dataset));
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        if (!CatalogIds.IsValid(feed)) return Problems.NotFound(http, s_feed, feed);
        if (Flag(http, "dryRun", out var dryRun) is { } badDryRun) return badDryRun;
        if (Flag(http, "atomic", out var atomic) is { } badAtomic) return badAtomic;
        if (IdempotencyKey(http, out var key) is { } badKey) return badKey;
        if (Format(http, out var format, out var charset) is { } badType) return badType;
        // Before the body is read: nobody should send megabytes to a name that is mistyped.
        if (await datasets.GetAsync(dataset, feed, null) is not { } known) return Problems.NotFound(http, s_dataset, dataset);
        if (!known.HasFeed(feed)) return Problems.NotFound(http, s_feed, feed);

        if (quotas.IsOver(dataset, feed, out var after, out var standing))
        {
            // Whoever was told to wait and comes all the same is answered slowly: its flood costs the others nothing.
            await Task.Delay(after < s_patience ? after : s_patience, http.RequestAborted);
            return OverQuota(http, dataset, feed, after, standing);
        }

        var (body, problem) = await PushBody.ReadAsync(http, Push.SenderOf(http.Caller()), options.Value, budget, spool);
        if (problem is not null) return problem;
        using (body)
        {
            // What this front-end remembers of the dataset may be from before the profile was saved.
            var csv = format == PushFormat.Csv && await target.DatasetAsync(dataset) is { } present ? Array.Find(present.Feeds, f => f.Id == feed)?.Csv : null;
            var (text, unreadable) = await body!.TextAsync(http, format, charset, csv, options.Value);
            if (unreadable is not null) return unreadable;
            var push = new Push(http.Caller(), dataset, feed, format, text, body.Hash) { IdempotencyKey = key, DryRun = dryRun, Atomic = atomic, Csv = csv };
            var answer = await pushes.PushAsync(push, http.RequestAborted);
            if (answer.Refusal == PushRefusal.OverQuota) quotas.Over(dataset, feed, answer.RetryAfter, answer.Quotas);
            return Answer(http, push, answer, options.Value);
        }
    }

    private static IResult Answer(HttpContext http, Push push, PushAnswer answer, IngestOptions options)
    {
        var language = Language.Of(http);
        FeedQuotas.Tell(http.Response, answer.Quotas);
        switch (answer.Refusal)
        {
            case PushRefusal.None:
                var counts = answer.Receipt!.Counts;
                return counts.Received > 0 && counts.Quarantined == counts.Received
                    ? Problems.Problem(http, ProblemTypes.AllQuarantined, new(
                        $"Keine der {counts.Received} Zeilen ist zulässig.", $"None of the {counts.Received} rows passes."), ReceiptJson.Members(answer.Receipt, language))
                    : new JsonAnswer(ReceiptJson.Render(answer.Receipt, language), language);
            case PushRefusal.NoDataset:
                return Problems.NotFound(http, s_dataset, push.Dataset);
            case PushRefusal.Retired:
                return Problems.Problem(http, ProblemTypes.Conflict, Retired(push.Dataset));
            case PushRefusal.Frozen:
                return Problems.Problem(http, ProblemTypes.Conflict, Frozen(push.Dataset, answer.Detail));
            case PushRefusal.NoFeed:
                return Problems.NotFound(http, s_feed, push.Feed);
            case PushRefusal.Undecodable:
                return Problems.Problem(http, answer.Body!.Type, answer.Body.Detail, answer.Body.Members);
            case PushRefusal.AtomicNeedsOnePartition:
                return Requests.InvalidParameter(http, "atomic", new(
                    $"Der Datensatz „{push.Dataset}“ hat mehrere Partitionen; alles oder nichts gibt es nur mit einer.",
                    $"The dataset “{push.Dataset}” has several partitions; all or nothing needs a single one."));
            case PushRefusal.NotAtomic:
                return Problems.Problem(http, ProblemTypes.NotAtomic, new(
                    $"{answer.Receipt!.Counts.Quarantined} von {answer.Receipt.Counts.Received} Zeilen sind nicht zulässig.",
                    $"{answer.Receipt.Counts.Quarantined} of {answer.Receipt.Counts.Received} rows do not pass."), ReceiptJson.Members(answer.Receipt, language));
            case PushRefusal.Forbidden:
                return Authentication.Forbidden(http, NeedsKey(push.Dataset));
            case PushRefusal.KeyReused:
                return Problems.Problem(http, ProblemTypes.IdempotencyKeyReused, new(
                    $"Der Idempotency-Key „{push.IdempotencyKey}“ gehört zu einer früheren Lieferung mit anderem Inhalt.",
                    $"The Idempotency-Key “{push.IdempotencyKey}” belongs to an earlier push with another body."));
            case PushRefusal.Full:
                return Problems.Later(http, ProblemTypes.ShardFull, new(
                    "Die Warteschlange ist voll. Nichts oder nur ein Teil wurde gespeichert; mit demselben Idempotency-Key wiederholen.",
                    "The queue is full. Nothing or only a part was stored; repeat with the same Idempotency-Key."), options.RetryAfter);
            case PushRefusal.OverQuota:
                return OverQuota(http, push.Dataset, push.Feed, answer.RetryAfter, answer.Quotas);
            case PushRefusal.LargerThanQuota:
                return Problems.Problem(http, ProblemTypes.LargerThanQuota, new(
                    $"Die Lieferung hat mehr Zeilen, als „{push.Dataset}/{push.Feed}“ an einem Tag bringen darf: {answer.Quotas.FirstOrDefault(q => q.Name == "rows-per-day").Quota}. Auf mehrere Tage verteilen oder die Plattform um ein größeres Kontingent bitten.",
                    $"The push has more rows than “{push.Dataset}/{push.Feed}” may bring in a day: {answer.Quotas.FirstOrDefault(q => q.Name == "rows-per-day").Quota}. Spread it over several days, or ask the platform for a larger quota."));
            case PushRefusal.Unavailable:
                return Problems.Later(http, ProblemTypes.Unavailable, new(
                    "Ob die Lieferung gespeichert wurde, ist nicht bekannt. Mit demselben Idempotency-Key wiederholen: Sie zählt dann genau einmal.",
                    "Whether the push was stored is not known. Repeat it with the same Idempotency-Key: it then counts exactly once."), options.RetryAfter);
            default:
                throw new InvalidOperationException($"no answer for {answer.Refusal}");
        }
    }

    private static IResult OverQuota(HttpContext http, string dataset, string feed, TimeSpan after, QuotaReading[] quotas)
    {
        FeedQuotas.Tell(http.Response, quotas);
        var agency = quotas.Any(quota => quota.Remaining == 0 && quota.Name.StartsWith("agency-", StringComparison.Ordinal));
        return Problems.Later(http, ProblemTypes.TooManyRequests, new(
            $"Das Kontingent {(agency ? $"der Behörde, die „{dataset}“ veröffentlicht," : $"der Datenquelle „{dataset}/{feed}“")} ist aufgebraucht ({Used("Zeilen", "Byte")}). Es wurde nichts gespeichert; nach der Wartezeit dieselbe Lieferung wiederholen.",
            $"The quota of the {(agency ? $"agency that publishes “{dataset}”" : $"feed “{dataset}/{feed}”")} is used up ({Used("rows", "bytes")}). Nothing was stored; repeat the same push after the time named."), after);

        string Used(string rows, string bytes) => string.Join(", ", quotas.Where(quota => quota.Remaining == 0)
            .Select(quota => $"{quota.Quota} {(quota.Name.Contains("bytes", StringComparison.Ordinal) ? bytes : rows)} / {quota.Window} s"));
    }

    internal static LocalText NeedsKey(string dataset) => new(
        $"Nötig ist ein Schlüssel mit dem Recht push oder admin der Behörde, die „{dataset}“ veröffentlicht, oder die Rolle Entwicklung in seinem Datenraum. Ist der Schlüssel enger gefasst, muss er die Datenquelle nennen.",
        $"A key with the right push or admin of the agency that publishes “{dataset}”, or the role developer in its dataspace, is needed. A key that is narrower must name the feed.");

    internal static LocalText Frozen(string dataset, string? agreement) => new(
        $"„{dataset}“ ist aus Daten der Vereinbarung „{agreement}“ abgeleitet; sie ist zu Ende, und vereinbart ist, dass dann nichts mehr angenommen wird. Es wurde nichts gespeichert.",
        $"“{dataset}” is derived from data of the agreement “{agreement}”; that is over, and it was agreed that nothing is taken then. Nothing was stored.");

    internal static LocalText Retired(string dataset) => new(
        $"„{dataset}“ ist ausgemustert und nimmt keine Zeilen mehr an. Es wurde nichts gespeichert.", $"“{dataset}” is retired and takes no more rows. Nothing was stored.");

    internal static IResult? Flag(HttpContext http, string name, out bool value)
    {
        var text = http.Request.Query[name].ToString();
        value = text == "true";
        return text is "" or "true" or "false" ? null : Requests.InvalidParameter(http, name, new($"{name} ist true oder false.", $"{name} is true or false."));
    }

    private static IResult? IdempotencyKey(HttpContext http, out string? key)
    {
        key = null;
        var header = http.Request.Headers["Idempotency-Key"];
        if (header.Count == 0) return null;
        key = header.ToString();
        return header.Count == 1 && key.Length is > 0 and <= LongestKey && !key.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? null
            : Requests.InvalidParameter(http, "Idempotency-Key", new(
                $"Idempotency-Key hat 1 bis {LongestKey} sichtbare ASCII-Zeichen ohne Leerzeichen und kommt einmal vor.",
                $"Idempotency-Key has 1 to {LongestKey} visible ASCII characters without spaces and occurs once."));
    }

    /// <param name="charset">Of a CSV body, where the content type names one.</param>
    private static IResult? Format(HttpContext http, out PushFormat format, out string? charset)
    {
        format = default;
        charset = null;
        if (MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type))
        {
            var named = type.Charset.Value?.Trim('"');
            charset = string.IsNullOrEmpty(named) ? null : PushText.Known(named);
            var isKnown = string.IsNullOrEmpty(named) || charset is not null;
            var isUtf8 = isKnown && charset is null or "utf-8";
            switch (type.MediaType.Value?.ToUpperInvariant())
            {
                case "APPLICATION/JSON" when isUtf8: format = PushFormat.Json; return null;
                case "APPLICATION/X-NDJSON" or "APPLICATION/NDJSON" or "APPLICATION/JSONL" when isUtf8: format = PushFormat.NdJson; return null;
                case "TEXT/CSV" when isKnown: format = PushFormat.Csv; return null;
                case "APPLICATION/VND.MSGPACK" or "APPLICATION/MSGPACK" or "APPLICATION/X-MSGPACK": format = PushFormat.MessagePack; return null;
            }
        }

        var encodings = string.Join(", ", CsvProfileCheck.Encodings);
        return Problems.Problem(http, ProblemTypes.UnsupportedType, new(
            $"Der Inhaltstyp „{http.Request.ContentType}“ wird nicht angenommen; möglich sind application/json und application/x-ndjson in UTF-8, text/csv in {encodings}, und application/vnd.msgpack.",
            $"The content type “{http.Request.ContentType}” is not taken; application/json and application/x-ndjson in UTF-8 are, text/csv in {encodings}, and application/vnd.msgpack."));
    }
}

/// <summary>200 with JSON that was rendered already and belongs to nobody else.</summary>
internal sealed class JsonAnswer(ReadOnlyMemory<byte> body, string language) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        response.Headers.ContentLanguage = language;
        response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(httpContext.Request.Method)) await response.Body.WriteAsync(body, httpContext.RequestAborted);
    }
}
