using System.Text.Json;
using System.Text.Json.Serialization;
using System.Xml;

using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace DataHub.Feeds;

/// <summary>How feeds are: what they brought, when they were last heard of, and the receipts of their pushes.</summary>
internal static class FeedStateEndpoints
{
    /// <summary>Past the last receipt there can be: no letter of an id is so great.</summary>
    private const string PastTheLast = "~";

    private static readonly LocalText s_dataset = new("Datensatz", "Dataset"), s_feed = new("Datenquelle", "Feed");
    private static readonly string[] s_receipts = ["from", "to", "after", "limit"], s_none = [];

    private const string StateExample = """
        { "feed": "messnetz", "state": "active", "rhythm": "PT15M", "silentFrom": "2026-11-23T08:16:02Z", "lastReceived": "2026-11-23T08:01:02Z", "newestRow": "2026-11-23T08:00:00Z", "rowLag": 90.5,
          "total": { "pushes": 1204, "received": 90210, "accepted": 90012, "duplicate": 190, "quarantined": 8 },
          "lastDay": { "since": "2026-11-22T08:00:00Z", "pushes": 96, "received": 7200, "accepted": 7198, "duplicate": 0, "quarantined": 2 } }
        """;

    private static readonly string s_oneExample = $$"""{ "dataset": "air-quality", "at": "2026-11-23T08:01:30.5Z", "foldLag": 0, "historyLag": 0, {{StateExample.TrimStart()[1..]}}""";

    public static void MapFeedStateEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/datasets/{dataset}").WithTags("Feeds");
        group.MapRead("state", AllAsync)
            .WithSummary("How the dataset's feeds are: last heard of, silent or not by their rhythm, counts of the last day and in all, and how far rows and indicators lag behind. For keys of the publisher.")
            .Produces<FeedStatesJson>().Refuses(400, 401, 403, 404, 503)
            .Example($$"""{ "dataset": "air-quality", "at": "2026-11-23T08:01:30.5Z", "foldLag": 0, "historyLag": 0, "feeds": [ {{StateExample}} ] }""", StatusCodes.Status200OK);
        group.MapRead("feeds/{feed}/state", OneAsync)
            .WithSummary("How a feed is; as in the dataset's state. For keys of the publisher.")
            .WithDescription("state: active, silent (no push for longer than the rhythm allows), waiting (nothing ever came) or no-rhythm. silentFrom: since when it is silent, or when it will be if nothing comes. Lags in seconds: rowLag from the newest row's time, foldLag and historyLag how long the oldest push waits that indicators or rows do not include yet.")
            .Produces<FeedStateOfOneJson>().Refuses(400, 401, 403, 404, 503)
            .Example(s_oneExample, StatusCodes.Status200OK);
        group.MapRead("feeds/{feed}/receipts", ReceiptsAsync)
            .WithSummary("The receipts of a feed, newest first. For keys of the publisher.")
            .WithDescription("kind: push, or act for what was done to quarantined rows. status: accepted, partial (some rows are in quarantine), quarantined (all are) or incomplete (over several partitions, and the sender gave up in between).")
            .Takes("from", "Receipts made at or after: an instant with offset, or a day.")
            .Takes("to", "Receipts made before: an instant with offset, or a day.")
            .Takes("after", "From the next of an earlier answer.")
            .Takes("limit", $"Receipts of the page, 1 to {Requests.MaxPage}; 100 where it is not named.", JsonSchemaType.Integer)
            .Produces<ReceiptListJson>().Refuses(400, 401, 403, 404, 503)
            .Example("""
                { "dataset": "air-quality", "feed": "messnetz", "receipts": [ { "receipt": "01M85TE81WJVE9C37DP5NKMBKC", "receivedAt": "2026-11-23T08:01:02Z", "kind": "push", "status": "partial", "agency": "senumvk",
                  "received": 2, "accepted": 1, "new": 1, "corrected": 0, "retracted": 0, "duplicate": 0, "quarantined": 1, "href": "/api/v1/receipts/01M85TE81WJVE9C37DP5NKMBKC" } ], "next": null }
                """, StatusCodes.Status200OK);
    }

    private static async Task<IResult> AllAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        var (result, problem) = await StatesAsync(dataset, null, http, grains);
        return problem ?? TypedResults.Ok(new FeedStatesJson(
            dataset, result!.At, result.FoldLag.TotalSeconds, result.HistoryLag.TotalSeconds, Array.ConvertAll(result.Feeds, FeedStateJson.Of)));
    }

    private static async Task<IResult> OneAsync(string dataset, string feed, HttpContext http, IGrainFactory grains)
    {
        var (result, problem) = await StatesAsync(dataset, feed, http, grains);
        if (problem is not null) return problem;
        var state = FeedStateJson.Of(result!.Feeds[0]);
        return TypedResults.Ok(new FeedStateOfOneJson(
            dataset, result.At, result.FoldLag.TotalSeconds, result.HistoryLag.TotalSeconds,
            state.Feed, state.State, state.Rhythm, state.SilentFrom, state.LastReceived, state.NewestRow, state.RowLag, state.Total, state.LastDay));
    }

    private static async Task<(FeedStatesResult? Result, IResult? Problem)> StatesAsync(string dataset, string? feed, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(dataset)) return (null, Problems.NotFound(http, s_dataset, dataset));
        if (RowsParameters.Strict(http, s_none) is { } unknown) return (null, unknown);
        var result = await grains.GetGrain<IDatasetRowsGrain>(dataset).FeedStatesAsync(http.Caller(), feed);
        http.Response.Headers.CacheControl = "no-store";
        return result.NoFeed ? (null, Problems.NotFound(http, s_feed, feed!))
            : result.Refusal != ReadRefusal.None ? (null, RowsEndpoints.Refused(http, result.Refusal, result.Detail, dataset))
            : (result, null);
    }

    private static async Task<IResult> ReceiptsAsync(string dataset, string feed, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        if (RowsParameters.Strict(http, s_receipts) is { } unknown) return unknown;
        if (RowsParameters.Time(http, "from", out var from) is { } badFrom) return badFrom;
        if (RowsParameters.Time(http, "to", out var to) is { } badTo) return badTo;
        if (from >= to) return Requests.InvalidParameter(http, "to", new("to muss nach from liegen; das Ende gehört nicht mehr dazu.", "to must be after from; the end itself does not belong to the range."));
        if (RowsParameters.Limit(http, Requests.MaxPage, 100, out var limit) is { } badLimit) return badLimit;
        var after = RowsParameters.Text(http, "after");
        if (after is not null && !ReceiptIds.IsValid(after)) return RowsParameters.BadCursor(http);

        var before = after ?? (to is { } end ? ReceiptIds.Begin(end) : PastTheLast);
        var result = await grains.GetGrain<IDatasetRowsGrain>(dataset).ReceiptsAsync(http.Caller(), new(feed, from is { } begin ? ReceiptIds.Begin(begin) : "", before, limit));
        if (result.NoFeed) return Problems.NotFound(http, s_feed, feed);
        if (result.Refusal != ReadRefusal.None) return RowsEndpoints.Refused(http, result.Refusal, result.Detail, dataset);

        http.Response.Headers.CacheControl = "no-store";
        var pathBase = http.Request.PathBase.Value ?? "";
        var next = result.Next is null ? null
            : http.Next(result.Next, limit) + (RowsParameters.Text(http, "from") is { } since ? "&from=" + Uri.EscapeDataString(since) : "");
        return TypedResults.Ok(new ReceiptListJson(dataset, feed, Array.ConvertAll(result.Receipts, parts => ReceiptEntryJson.Of(parts, pathBase)), next));
    }
}

/// <param name="At">When it was looked at.</param>
/// <param name="FoldLag">Seconds that the oldest push waits which indicators do not include yet.</param>
/// <param name="HistoryLag">Seconds that the oldest push waits which rows and counts do not include yet.</param>
internal sealed record FeedStatesJson(string Dataset, DateTimeOffset At, double FoldLag, double HistoryLag, FeedStateJson[] Feeds);

/// <inheritdoc cref="FeedStatesJson"/>
internal sealed record FeedStateOfOneJson(
    string Dataset, DateTimeOffset At, double FoldLag, double HistoryLag,
    string Feed, string State, string? Rhythm, DateTimeOffset? SilentFrom, DateTimeOffset? LastReceived, DateTimeOffset? NewestRow, double? RowLag, FeedCountsJson Total, FeedCountsJson LastDay);

/// <param name="State">active, silent, waiting or no-rhythm.</param>
/// <param name="SilentFrom">Since when it is silent, or when it will be if nothing comes.</param>
/// <param name="NewestRow">The newest time that a row of the feed ever had.</param>
/// <param name="RowLag">Seconds from the newest row's time; negative where it lies ahead.</param>
internal sealed record FeedStateJson(
    string Feed, string State, string? Rhythm, DateTimeOffset? SilentFrom, DateTimeOffset? LastReceived, DateTimeOffset? NewestRow, double? RowLag, FeedCountsJson Total, FeedCountsJson LastDay)
{
    public static FeedStateJson Of(FeedState state) => new(
        state.Feed,
        state.Silence switch
        {
            FeedSilence.Active => "active",
            FeedSilence.Silent => "silent",
            FeedSilence.Waiting => "waiting",
            _ => "no-rhythm",
        },
        state.Rhythm is { } rhythm ? XmlConvert.ToString(rhythm) : null,
        state.SilentFrom, state.All.LastReceived, state.All.NewestRow, state.RowLag?.TotalSeconds,
        FeedCountsJson.Of(state.All, null), FeedCountsJson.Of(state.Day, state.DaySince));
}

/// <param name="Since">Counted from here on; absent: from the beginning.</param>
internal sealed record FeedCountsJson(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? Since, long Pushes, long Received, long Accepted, long Duplicate, long Quarantined)
{
    public static FeedCountsJson Of(FeedCounts counts, DateTimeOffset? since) => new(since, counts.Pushes, counts.Received, counts.Accepted, counts.Duplicate, counts.Quarantined);
}

/// <param name="Next">Path and query of the next page; null on the last.</param>
internal sealed record ReceiptListJson(string Dataset, string Feed, ReceiptEntryJson[] Receipts, string? Next);

/// <param name="Kind">push, or act for what was done to quarantined rows.</param>
/// <param name="Status">accepted, partial, quarantined or incomplete.</param>
/// <param name="Accepted">New, corrected and retracted.</param>
internal sealed record ReceiptEntryJson(
    string Receipt, DateTimeOffset ReceivedAt, string Kind, string Status, string? Agency,
    int Received, int Accepted, int New, int Corrected, int Retracted, int Duplicate, int Quarantined, string Href)
{
    public static ReceiptEntryJson Of(PartReceipt[] parts, string pathBase)
    {
        var push = parts[0].Push;
        var counts = parts.Aggregate(default(PushCounts), (sum, part) => sum + part.Push.Counts);
        var status = parts.Length < push.Parts ? "incomplete"
            : counts.Quarantined <= 0 ? "accepted"
            : counts.Quarantined < counts.Received ? "partial"
            : "quarantined";
        return new(
            push.Receipt, parts.Max(part => part.ReceivedAt), counts.Received > 0 ? "push" : "act", status, push.Agency,
            counts.Received, counts.Accepted, counts.New, counts.Corrected, counts.Retracted, counts.Duplicate, counts.Quarantined, $"{pathBase}/api/v1/receipts/{push.Receipt}");
    }
}
