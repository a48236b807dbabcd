using System.Text.Json;
using System.Text.Json.Serialization;

using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace DataHub.Feeds;

/// <summary>Erasure of a person's rows (design §2.3), with a receipt that holds nothing of them.</summary>
internal static class ErasureEndpoints
{
    private static readonly LocalText s_dataset = new("Datensatz", "Dataset"), s_erasure = new("Löschung", "Erasure");
    private static readonly HashSet<string> s_members = ["where", "reason", "authority"];
    private static readonly string[] s_list = ["limit", "after"];

    public static void MapErasureEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/datasets/{dataset}/erasures").WithTags("Feeds");
        group.MapPost("", RequestAsync)
            .WithSummary("Erases a person's rows: retracts them and overwrites their content in log, history, quarantine and receipts. For admins of the publisher.")
            .WithDescription("where names fields and values, all of which must hold: every version of every row any version of which has them is erased, and quarantined rows that name them. What is received after the request is not touched. Runs of jobs that had read the rows, or brought them, lose their tables and are ended where they are under way; files that they fetched are deleted, uploaded ones are named (files) for somebody to delete, and so are datasets that were written from the rows (derived; allDerived counts those too that you may not know of). 202: it is noted durably and goes on by itself; follow Location. reason and authority stay in the receipt and must not name the person.")
            .Accepts<JsonDocument>("application/json").Produces<ErasureJson>(StatusCodes.Status202Accepted).Refuses(400, 401, 403, 404, 413, 415, 422, 503)
            .Example("""{ "where": { "station": "handy-4711" }, "reason": "Antrag auf Löschung", "authority": "Art. 17 DSGVO, Az. 2026-11/17" }""")
            .Example(Example("searching", "null", 0, "null"), 202);
        group.MapRead("", ListAsync)
            .WithSummary("The erasures of a dataset, newest first. For admins of the publisher.")
            .Takes("limit", $"Erasures of the page, 1 to {Requests.MaxPage}.", JsonSchemaType.Integer)
            .Takes("after", "From the next of an earlier answer.")
            .Produces<ErasureListJson>().Refuses(400, 401, 403, 404, 503)
            .Example($$"""{ "erasures": [ {{Example("done", "\"2026-11-24T09:00:04Z\"", 3, "true")}} ], "next": null }""", 200);
        group.MapRead("{erasure}", GetAsync)
            .WithSummary("How an erasure stands; its receipt once it is done. For admins of the publisher.")
            .Produces<ErasureJson>().Refuses(401, 403, 404, 503)
            .Example(Example("done", "\"2026-11-24T09:00:04Z\"", 3, "true", Reach), 200);
    }

    private const string Reach = """, "runs": 2, "files": [ { "id": "01M85TE81WJVE9C37DP5NKMBKC", "name": "messungen.csv" } ], "allFiles": 1, "derived": [ "air-daily" ], "allDerived": 1""";

    private static string Example(string state, string finished, int keys, string compacted, string reach = "") =>
        $$"""{ "id": "01JDCB4Z6H8W4T0V9R5XK2M3NA", "dataset": "air-quality", "state": "{{state}}", "requested": "2026-11-24T09:00:00Z", "finished": {{finished}}, "agency": "senumvk", "key": "b4Xk29Qz", "reason": "Antrag auf Löschung", "authority": "Art. 17 DSGVO, Az. 2026-11/17", "fields": [ "station" ], "keys": {{keys}}, "versions": {{keys * 2}}, "quarantined": 0, "batches": {{keys}}, "compacted": {{compacted}}{{reach}} }""";

    private static async Task<IResult> RequestAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        if (http.Caller().IsPublic) return Authentication.Forbidden(http, new("Nötig ist ein Admin-Schlüssel der veröffentlichenden Behörde.", "An admin key of the publishing agency is needed."));
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        var (body, unreadable) = await http.ReadJsonAsync<JsonDocument>();
        if (unreadable is not null) return unreadable;
        using var document = body!;
        var faults = new List<DocumentFault>();
        var reader = new JsonObjectReader(document.RootElement, "", faults, s_members);
        var (reason, authority, where) = (reader.Text("reason", required: true), reader.Text("authority", required: true), reader.Get("where"));
        var values = new List<FieldText>();
        if (where.ValueKind != JsonValueKind.Object)
        {
            reader.Fault("where", "Hier wird ein Objekt aus Feldern und Werten erwartet.", "An object of fields and values is expected here.");
        }
        else
        {
            foreach (var member in where.EnumerateObject())
            {
                if (member.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number) values.Add(new(member.Name, member.Value.ToString()));
                else reader.Fault($"where.{member.Name}", "Hier wird ein Text oder eine Zahl erwartet.", "A text or a number is expected here.");
            }
        }

        if (faults.Count > 0)
        {
            return Problems.Problem(http, ProblemTypes.InvalidAct,
                new($"{faults[0].Path}: {faults[0].Detail.De}", $"{faults[0].Path}: {faults[0].Detail.In(Language.English)}"),
                ("errors", faults.Select(fault => new { path = fault.Path, detail = fault.Detail.In(Language.Of(http)) }).ToArray()));
        }

        var result = await grains.GetGrain<IErasuresGrain>(dataset).RequestAsync(http.Caller(), new([.. values], reason!, authority!));
        if (Refused(http, result.Refusal, result.Detail, dataset) is { } refused) return refused;
        var json = ErasureJson.Of(result.Erasure!);
        return TypedResults.Accepted($"/api/v1/datasets/{dataset}/erasures/{json.Id}", json);
    }

    private static async Task<IResult> GetAsync(string dataset, string erasure, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        if (!ReceiptIds.IsValid(erasure)) return Problems.NotFound(http, s_erasure, erasure);
        var result = await grains.GetGrain<IErasuresGrain>(dataset).GetAsync(http.Caller(), erasure);
        return Refused(http, result.Refusal, result.Detail, dataset) ?? Rendered.Json(ErasureJson.Of(result.Erasure!)).Answer();
    }

    private static async Task<IResult> ListAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        if (RowsParameters.Strict(http, s_list) is { } unknown) return unknown;
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        if (after is not null && !ReceiptIds.IsValid(after)) return RowsParameters.BadCursor(http);
        var result = await grains.GetGrain<IErasuresGrain>(dataset).ListAsync(http.Caller(), after, limit);
        return Refused(http, result.Refusal, result.Detail, dataset)
            ?? Rendered.Json(new ErasureListJson([.. result.Erasures.Select(ErasureJson.Of)], result.Next is null ? null : http.Next(result.Next, limit))).Answer();
    }

    private static IResult? Refused(HttpContext http, ReadRefusal refusal, LocalText? detail, string dataset) => refusal switch
    {
        ReadRefusal.None => null,
        ReadRefusal.NotFound => detail is null ? Problems.NotFound(http, s_dataset, dataset) : Problems.Problem(http, ProblemTypes.NotFound, detail),
        ReadRefusal.Forbidden => Authentication.Forbidden(http, detail!),
        ReadRefusal.Invalid => Problems.Problem(http, ProblemTypes.InvalidAct, detail!),
        _ => Problems.Later(http, ProblemTypes.Unavailable, ProblemTypes.Unavailable.Help, TimeSpan.FromSeconds(1)),
    };
}

/// <summary>An erasure; nothing of what was erased is in it.</summary>
/// <param name="State">searching, retracting, overwriting, done or too-many (nothing was changed: see DataHub:Erasure:MaxRows).</param>
/// <param name="Keys">Keys whose rows were erased in all versions.</param>
/// <param name="Versions">Stored rows taken out of the log.</param>
/// <param name="Batches">Batches of the log that were overwritten.</param>
/// <param name="Compacted">Whether all files were written anew; false where one is larger than DataHub:Erasure:CompactUpToMiB.</param>
internal sealed record ErasureJson(
    string Id, string Dataset, string State, DateTimeOffset Requested, DateTimeOffset? Finished, string? Agency, string? Key, string Reason, string Authority, string[] Fields,
    long Keys, long Versions, long Quarantined, long Batches, bool? Compacted)
{
    /// <summary>Runs whose tables were deleted; absent, as what follows, before it has come so far and in lists.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? Runs { get; init; }

    /// <summary>Uploaded files whose rows runs wrote into the dataset and that are still there: delete them by hand.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public ErasedFileJson[]? Files { get; init; }

    /// <summary>How many such files there were; the newest 1,000 are remembered.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? AllFiles { get; init; }

    /// <summary>Other datasets that you may know of into which runs wrote what they had made of the rows: erase there too.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string[]? Derived { get; init; }

    /// <summary>How many such datasets there are, those of others among them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? AllDerived { get; init; }

    public static ErasureJson Of(ErasureInfo info) => new(
        info.Id, info.Dataset, info.Step == ErasureStep.TooMany ? "too-many" : info.Step.ToString().ToLowerInvariant(), info.Requested, info.Finished, info.Agency, info.KeyId, info.Reason, info.Authority, info.Fields,
        info.Keys, info.Versions, info.Quarantined, info.Batches, info.Compacted)
    {
        Runs = info.Reach?.Runs,
        Files = info.Reach is null ? null : Array.ConvertAll(info.Reach.Files, file => new ErasedFileJson(file.Id, file.Name)),
        AllFiles = info.Reach?.AllFiles,
        Derived = info.Reach?.Derived,
        AllDerived = info.Reach?.AllDerived,
    };
}

internal sealed record ErasedFileJson(string Id, string Name);

/// <param name="Next">Path and query of the next page; null on the last.</param>
internal sealed record ErasureListJson(ErasureJson[] Erasures, string? Next);
