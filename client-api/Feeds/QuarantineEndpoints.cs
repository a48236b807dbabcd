using System.Globalization;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace DataHub.Feeds;

/// <summary>The quarantine: what did not pass, by cause; putting it right, replaying it, giving it up; and who did what.</summary>
internal static class QuarantineEndpoints
{
    private static readonly LocalText s_dataset = new("Datensatz", "Dataset");
    private static readonly string[] s_list = ["feed", "cause", "value", "receipt", "state", "watermark", "limit", "after"], s_groups = ["feed", "state"], s_acts = ["limit", "after"], s_act = ["dryRun"];

    private static readonly Dictionary<string, QuarantineState> s_states = new(StringComparer.Ordinal)
    {
        ["open"] = QuarantineState.Open,
        ["accepted"] = QuarantineState.Accepted,
        ["duplicate"] = QuarantineState.Duplicate,
        ["discarded"] = QuarantineState.Discarded,
        ["erased"] = QuarantineState.Erased,
    };

    public static void MapQuarantineEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/datasets/{dataset}/quarantine").WithTags("Feeds");
        group.MapRead("", ListAsync)
            .WithSummary("Rows that did not pass, newest first, as they came, with every reason and what became of them. For keys of the publisher.")
            .Takes("feed", "Only this feed.")
            .Takes("cause", "Only rows with exactly this cause, as in …/quarantine/groups.")
            .Takes("value", "Only rows whose one error tells this value.")
            .Takes("receipt", "Only rows of this push.")
            .Takes("state", $"{string.Join(", ", s_states.Keys)} or all; open where it is not named.")
            .Takes("watermark", "The answer includes at least this.")
            .Takes("limit", $"Rows of the page, 1 to {Requests.MaxPage}.", JsonSchemaType.Integer)
            .Takes("after", "From the next of an earlier answer.")
            .Produces<JsonDocument>().Refuses(400, 401, 403, 404, 410, 503);
        group.MapRead("groups", GroupsAsync)
            .WithSummary("Rows that did not pass by their cause, most rows first, with the values that stood there most often. For keys of the publisher.")
            .Takes("feed", "Only this feed.")
            .Takes("state", $"{string.Join(", ", s_states.Keys)}; open where it is not named.")
            .Produces<JsonDocument>().Refuses(400, 401, 403, 404, 503)
            .Example("""{ "dataset": "air-quality", "groups": [ { "cause": "no2:above-maximum", "rows": 312, "oldest": "2026-11-22T08:00:00Z", "newest": "2026-11-23T08:00:00Z", "values": [ { "value": "23400", "rows": 7 } ] } ] }""", 200);
        group.MapRead("acts", ActsAsync)
            .WithSummary("What was done to quarantined rows: who, when, why, what was changed and what became of them, newest first; an act on rows of several partitions or feeds has an entry for each. For keys of the publisher.")
            .Takes("limit", $"Acts of the page, 1 to {Requests.MaxPage}.", JsonSchemaType.Integer)
            .Takes("after", "From the next of an earlier answer.")
            .Produces<JsonDocument>().Refuses(400, 401, 403, 404, 503)
            .Example("""{ "dataset": "air-quality", "acts": [ { "act": "01JDCB4Z6H8W4T0V9R5XK2M3NA", "kind": "replay", "at": "2026-11-23T09:12:00Z", "feed": "default", "partition": 0, "agency": "senumvk", "key": "b4Xk29Qz", "reason": "Gerät meldete Nanogramm", "changed": { "rule": { "field": "no2", "unit": "ng/m3" } }, "accepted": 310, "duplicate": 2, "discarded": 0 } ], "next": null }""", 200);
        group.MapPost("replay", (string dataset, HttpContext http, QuarantineService service, IOptions<IngestOptions> options) => ActAsync(dataset, http, service, options.Value, QuarantineActKind.Replay))
            .WithSummary("Checks quarantined rows anew, as they came or put right, and takes those that pass. For keys that may push.")
            .WithDescription($"select names the rows: ids, or any of cause, value, feed and receipt; {{}} is all that is open. Or rows: values to put over what came, row by row. rule puts every selected row right: one of rename {{ from, to }}, shiftDecimal (places to the right), unit (what the values are in; metric prefixes), decimalComma, renameField, drop. At most limit rows ({QuarantineRequest.DefaultRows}, up to {QuarantineRequest.MostRows}); next says where to go on (after). A row that passes moves to accepted or duplicate once, whoever repeats; one that does not stays as it was. ?dryRun=true says what would happen.")
            .Takes("dryRun", "true: check and answer, change nothing.")
            .Accepts<JsonDocument>("application/json").Produces<JsonDocument>().Refuses(400, 401, 403, 404, 413, 415, 422, 503)
            .Example("""{ "select": { "cause": "no2:above-maximum" }, "rule": { "field": "no2", "unit": "ng/m3" }, "reason": "Gerät meldete Nanogramm" }""")
            .Example("""{ "act": "01JDCB4Z6H8W4T0V9R5XK2M3NA", "selected": 312, "accepted": 310, "duplicate": 2, "discarded": 0, "stillQuarantined": 0, "watermark": "w1.k8QQ…", "rows": [ { "id": "q0.17.3", "outcome": "accepted" } ], "errors": [], "next": null }""", 200);
        group.MapPost("discard", (string dataset, HttpContext http, QuarantineService service, IOptions<IngestOptions> options) => ActAsync(dataset, http, service, options.Value, QuarantineActKind.Discard))
            .WithSummary("Gives quarantined rows up, with a reason. They stay listed and counted as quarantined. For keys that may push.")
            .Takes("dryRun", "true: answer, change nothing.")
            .Accepts<JsonDocument>("application/json").Produces<JsonDocument>().Refuses(400, 401, 403, 404, 413, 415, 422, 503)
            .Example("""{ "select": { "ids": [ "q0.17.3" ] }, "reason": "Sensor war abgebaut" }""")
            .Example("""{ "act": "01JDCB4Z6H8W4T0V9R5XK2M3NA", "selected": 1, "accepted": 0, "duplicate": 0, "discarded": 1, "stillQuarantined": 0, "watermark": "w1.k8QQ…", "rows": [ { "id": "q0.17.3", "outcome": "discarded" } ], "errors": [], "next": null }""", 200);
    }

    private static async Task<IResult> ListAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        if (RowsParameters.Strict(http, s_list) is { } unknown) return unknown;
        if (RowsParameters.AtLeast(http, out var watermark) is { } badWatermark) return badWatermark;
        if (RowsParameters.Limit(http, Requests.MaxPage, 100, out var limit) is { } badLimit) return badLimit;
        if (After(http, out var after) is { } badAfter) return badAfter;
        if (State(http, withAll: true, out var state) is { } badState) return badState;
        var query = new QuarantineQuery(RowsParameters.Text(http, "feed"), after, limit, watermark)
        {
            Cause = RowsParameters.Text(http, "cause"),
            Value = RowsParameters.Text(http, "value"),
            Receipt = RowsParameters.Text(http, "receipt"),
            State = state,
        };
        var result = await grains.GetGrain<IDatasetRowsGrain>(dataset).QuarantineAsync(http.Caller(), query);
        if (result.Refusal != ReadRefusal.None) return RowsEndpoints.Refused(http, result.Refusal, result.Detail, dataset);

        var language = Language.Of(http);
        return new JsonAnswer(RowsEndpoints.Render(writer =>
        {
            writer.WriteString("dataset", dataset);
            writer.WriteStartArray("rows");
            foreach (var entry in result.Entries)
            {
                writer.WriteStartObject();
                writer.WriteString("id", entry.Id.ToString());
                writer.WriteString("feed", entry.Feed);
                writer.WriteString("receipt", entry.Receipt);
                writer.WriteString("receivedAt", entry.ReceivedAt.UtcDateTime);
                writer.WriteNumber("row", entry.Row.Row);
                writer.WriteString("cause", entry.Cause);
                writer.WriteString("state", Word(entry.State));
                if (entry.Act is not null) writer.WriteString("act", entry.Act);
                writer.WriteStartArray("errors");
                foreach (var error in entry.Row.Errors) ReceiptJson.Write(writer, error, language);
                writer.WriteEndArray();
                // JSON text by its contract: what the agency sent, or a JSON string of what could not be read.
                writer.WritePropertyName("raw");
                if (entry.Row.IsErased) writer.WriteNullValue();
                else writer.WriteRawValue(entry.Row.Raw, skipInputValidation: true);
                if (entry.Corrected is not null)
                {
                    writer.WritePropertyName("corrected");
                    writer.WriteRawValue(entry.Corrected, skipInputValidation: true);
                }

                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteString("next", result.Next is { } last ? Next(http, s_list, limit, last) : null);
        }), language);
    }

    private static async Task<IResult> GroupsAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        if (RowsParameters.Strict(http, s_groups) is { } unknown) return unknown;
        if (State(http, withAll: false, out var state) is { } badState) return badState;
        var result = await grains.GetGrain<IDatasetRowsGrain>(dataset).QuarantineGroupsAsync(http.Caller(), RowsParameters.Text(http, "feed"), state!.Value);
        if (result.Refusal != ReadRefusal.None) return RowsEndpoints.Refused(http, result.Refusal, result.Detail, dataset);
        return new JsonAnswer(RowsEndpoints.Render(writer =>
        {
            writer.WriteString("dataset", dataset);
            writer.WriteStartArray("groups");
            foreach (var group in result.Groups)
            {
                writer.WriteStartObject();
                writer.WriteString("cause", group.Cause);
                writer.WriteNumber("rows", group.Rows);
                writer.WriteString("oldest", group.Oldest.UtcDateTime);
                writer.WriteString("newest", group.Newest.UtcDateTime);
                writer.WriteStartArray("values");
                foreach (var value in group.Values)
                {
                    writer.WriteStartObject();
                    writer.WriteString("value", value.Value);
                    writer.WriteNumber("rows", value.Rows);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }), Language.Of(http));
    }

    private static async Task<IResult> ActsAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        if (RowsParameters.Strict(http, s_acts) is { } unknown) return unknown;
        if (RowsParameters.Limit(http, Requests.MaxPage, 100, out var limit) is { } badLimit) return badLimit;
        if (After(http, out var after) is { } badAfter) return badAfter;
        var result = await grains.GetGrain<IDatasetRowsGrain>(dataset).QuarantineActsAsync(http.Caller(), after, limit);
        if (result.Refusal != ReadRefusal.None) return RowsEndpoints.Refused(http, result.Refusal, result.Detail, dataset);
        return new JsonAnswer(RowsEndpoints.Render(writer =>
        {
            writer.WriteString("dataset", dataset);
            writer.WriteStartArray("acts");
            foreach (var act in result.Acts)
            {
                writer.WriteStartObject();
                writer.WriteString("act", act.Receipt);
                writer.WriteString("kind", act.Kind == QuarantineActKind.Discard ? "discard" : "replay");
                writer.WriteString("at", act.At.UtcDateTime);
                writer.WriteString("feed", act.Feed);
                writer.WriteNumber("partition", act.Place.Partition);
                writer.WriteString("agency", act.Agency);
                writer.WriteString("key", act.KeyId);
                writer.WriteString("reason", act.Reason);
                writer.WritePropertyName("changed");
                if (act.Rule is null) writer.WriteNullValue();
                else writer.WriteRawValue(act.Rule);
                writer.WriteNumber("accepted", act.Accepted);
                writer.WriteNumber("duplicate", act.Duplicate);
                writer.WriteNumber("discarded", act.Discarded);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteString("next", result.Next is { } last ? Next(http, s_acts, limit, last) : null);
        }), Language.Of(http));
    }

    private static async Task<IResult> ActAsync(string dataset, HttpContext http, QuarantineService service, IngestOptions options, QuarantineActKind kind)
    {
        if (http.Caller().IsPublic) return Authentication.Forbidden(http, PushEndpoints.NeedsKey(dataset));
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        if (RowsParameters.Strict(http, s_act) is { } unknown) return unknown;
        if (PushEndpoints.Flag(http, "dryRun", out var dryRun) is { } badDryRun) return badDryRun;
        var (body, unreadable) = await http.ReadJsonAsync<JsonDocument>();
        if (unreadable is not null) return unreadable;
        using var document = body!;
        var faults = new List<DocumentFault>();
        var answer = await service.ActAsync(http.Caller(), dataset, dryRun, contract =>
        {
            faults.Clear();
            return QuarantineRequest.Read(document.RootElement, kind, contract, faults);
        }, http.RequestAborted);

        if (answer is null) return faults.Count == 0 ? Problems.NotFound(http, s_dataset, dataset) : Faulty(http, faults);
        if (answer.Read != ReadRefusal.None) return RowsEndpoints.Refused(http, answer.Read, answer.Detail, dataset);
        return answer.Refusal switch
        {
            AppendRefusal.None => Done(http, answer),
            AppendRefusal.Forbidden => Authentication.Forbidden(http, PushEndpoints.NeedsKey(dataset)),
            AppendRefusal.NotFound => Problems.NotFound(http, s_dataset, dataset),
            AppendRefusal.Frozen => Problems.Problem(http, ProblemTypes.Conflict, PushEndpoints.Frozen(dataset, answer.Detail)),
            AppendRefusal.Retired => Problems.Problem(http, ProblemTypes.Conflict, PushEndpoints.Retired(dataset)),
            AppendRefusal.Full => Problems.Later(http, ProblemTypes.ShardFull, Again, options.RetryAfter),
            _ => Problems.Later(http, ProblemTypes.Unavailable, Again, options.RetryAfter),
        };
    }

    private static LocalText Again => new(
        "Ob alle Zeilen behandelt wurden, ist nicht bekannt. Einfach wiederholen: Was schon behandelt ist, zählt nicht noch einmal.",
        "Whether all rows were dealt with is not known. Simply repeat: what has been dealt with is not counted again.");

    private static IResult Faulty(HttpContext http, List<DocumentFault> faults)
    {
        var language = Language.Of(http);
        return Problems.Problem(http, ProblemTypes.InvalidAct,
            new($"{faults[0].Path}: {faults[0].Detail.De}", $"{faults[0].Path}: {faults[0].Detail.In(Language.English)}"),
            ("errors", faults.Select(fault => new { path = fault.Path, detail = fault.Detail.In(language) }).ToArray()));
    }

    private static JsonAnswer Done(HttpContext http, QuarantineAnswer answer)
    {
        var language = Language.Of(http);
        return new(RowsEndpoints.Render(writer =>
        {
            writer.WriteString("act", answer.Act);
            writer.WriteNumber("selected", answer.Selected);
            foreach (var state in (QuarantineState[])[QuarantineState.Accepted, QuarantineState.Duplicate, QuarantineState.Discarded])
                writer.WriteNumber(Word(state), answer.Settled.Count(row => row.Outcome == state));
            writer.WriteNumber("stillQuarantined", answer.StillQuarantined);
            writer.WriteString("watermark", answer.Watermark);
            writer.WriteStartArray("rows");
            foreach (var (row, outcome) in answer.Settled.Take(PushLimits.ErrorsInReceipt))
            {
                writer.WriteStartObject();
                writer.WriteString("id", row.Id.ToString());
                writer.WriteString("outcome", Word(outcome));
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteStartArray("errors");
            foreach (var (row, error) in answer.Errors)
            {
                writer.WriteStartObject();
                writer.WriteString("id", row.Id.ToString());
                if (error.Field is not null) writer.WriteString("field", error.Field);
                writer.WriteString("code", error.Code);
                writer.WriteString("detail", RowErrorCodes.Detail(error).In(language));
                if (error.Expected is not null) writer.WriteString("expected", error.Expected);
                if (error.Value is not null) writer.WriteString("value", error.Value);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteString("next", answer.Next?.ToString());
        }), language);
    }

    internal static string Word(QuarantineState state) => s_states.First(word => word.Value == state).Key;

    private static IResult? State(HttpContext http, bool withAll, out QuarantineState? state)
    {
        state = QuarantineState.Open;
        if (RowsParameters.Text(http, "state") is not { } text) return null;
        if (withAll && text == "all")
        {
            state = null;
            return null;
        }

        if (s_states.TryGetValue(text, out var known))
        {
            state = known;
            return null;
        }

        var words = string.Join(", ", withAll ? s_states.Keys.Append("all") : s_states.Keys);
        return Requests.InvalidParameter(http, "state", new($"state ist eines von {words}.", $"state is one of {words}."));
    }

    private static IResult? After(HttpContext http, out QuarantineId? after)
    {
        after = null;
        if (RowsParameters.Text(http, "after") is not { } text) return null;
        if (!QuarantineId.TryParse(text, out var id)) return RowsParameters.BadCursor(http);
        after = id;
        return null;
    }

    /// <summary>The same query after a row.</summary>
    private static string Next(HttpContext http, string[] members, int limit, QuarantineId after)
    {
        var link = new StringBuilder($"{http.Request.PathBase}{http.Request.Path}?limit=").Append(limit.ToString(CultureInfo.InvariantCulture));
        foreach (var name in members)
        {
            if (name is not ("limit" or "after" or "watermark") && RowsParameters.Text(http, name) is { } value) link.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }

        return link.Append("&after=").Append(after).ToString();
    }
}
