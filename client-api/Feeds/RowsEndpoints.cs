using System.Buffers;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Indicators;
using DataHub.Pipelines;
using DataHub.Sharing;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace DataHub.Feeds;

/// <summary>What became of pushes: receipts, rows, quarantine and counts (design §5).</summary>
internal static class RowsEndpoints
{
    private static readonly LocalText s_dataset = new("Datensatz", "Dataset"), s_receipt = new("Quittung", "Receipt");
    private static readonly string[] s_errors = ["limit", "after"];
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(1);
    private static readonly JsonWriterOptions s_json = new() { Encoder = WireJson.Options.Encoder };

    public static void MapRowsEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1").WithTags("Feeds");
        group.MapRead("receipts/{receipt}", ReceiptAsync)
            .WithSummary("A receipt, as it was answered. For keys of the agency that pushed, of the publisher, and admins of the platform.")
            .Produces<PushReceiptJson>().Refuses(401, 404, 503);
        group.MapRead("receipts/{receipt}/errors", ReceiptErrorsAsync)
            .WithSummary("All errors of a push, row by row, where an answer's first thousand are not all. For keys of the publisher.")
            .Takes("limit", $"Rows of the page, 1 to {Requests.MaxPage}.", JsonSchemaType.Integer)
            .Takes("after", "From the next of an earlier answer.")
            .Produces<JsonDocument>().Refuses(400, 401, 403, 404, 503)
            .Example("""{ "receipt": "01M85TE81WJVE9C37DP5NKMBKC", "rows": [ { "id": "q0.2.0", "row": 2, "state": "open", "errors": [ { "row": 2, "field": "no2", "code": "above-maximum", "detail": "2000 ist das Maximum", "expected": "2000", "value": "9999" } ] } ], "next": null }""", 200);
        group.MapRead("datasets/{dataset}/records", RecordsAsync)
            .WithSummary("The rows that stand, by time and key, in the format of Accept or ?format=.")
            .WithDescription("Rows that are not open are given by right, or through a sharing agreement in force with the caller's agency: the header DataHub-Purpose then names one of its purposes, and only the rows and fields that it names are given. Every such read is noted for both sides. Where the agreement names a rhythm (delivery.rhythm) the same reader begins to fetch once in it, else 429 with Retry-After; the pages of a fetch go on without waiting.")
            .Takes("from", "Rows at or after: an instant with offset, or a day.")
            .Takes("to", "Rows before: an instant with offset, or a day.")
            .Takes("area", "Only rows in this area or below it.")
            .Takes("fields", "Only these columns, separated by commas; they come in the contract's order. Absent: all. @area is the area a row was resolved to.")
            .Takes("filter.{field}", $"Only rows whose field has this value, such as filter.station=mc010; empty: rows without one. At most {RowsParameters.MaxFilters}, on fields of type string, integer, year and boolean that are not personal. A page may then hold fewer rows than its limit, even none, while next is there: so many rows as DataHub:Read:MaxScannedRows says are looked at for one.")
            .Takes("watermark", "The answer includes at least this.")
            .Takes("limit", $"Rows of the page, 1 to {RowsParameters.MaxLimit}; {RowsParameters.DefaultLimit} where it is not named.", JsonSchemaType.Integer)
            .Takes("after", "From the next of an earlier answer.")
            .Takes("format", $"One of {string.Join(", ", AnswerFormats.Words)}; goes before Accept. csv-de has semicolons, decimal commas and a byte order mark.")
            .Takes("meta", "true: the first line is {\"@meta\":{…}}; ndjson only.", JsonSchemaType.Boolean)
            .Produces<JsonDocument>(StatusCodes.Status200OK, AnswerFormats.Types[0], AnswerFormats.Types[1..]).Produces(StatusCodes.Status304NotModified).Refuses(400, 401, 403, 404, 406, 410, 429, 503);
        group.MapRead("datasets/{dataset}/csvw", CsvwAsync)
            .WithSummary("What the columns of the rows' CSV hold: CSV on the Web (W3C), with title, publisher, licence and units.")
            .Takes("format", "csv or csv-de: which of the two it describes.")
            .Produces<JsonDocument>(StatusCodes.Status200OK, AnswerCsvw.ContentType).Produces(StatusCodes.Status304NotModified).Refuses(400, 404);
        group.MapRead("datasets/{dataset}/conservation", ConservationAsync)
            .WithSummary("For each feed what was received and what became of it, and how far each consumer has come. For keys of the publisher.")
            .Produces<JsonDocument>().Refuses(401, 403, 404, 503);
    }

    private static async Task<IResult> ReceiptAsync(string receipt, HttpContext http, IGrainFactory grains)
    {
        // Receipts are nobody's but the pusher's and the publisher's: without a key there is nothing to look up.
        if (http.Caller().IsPublic)
            return Authentication.Forbidden(http, new("Nötig ist ein Schlüssel der Behörde, die geliefert hat.", "A key of the agency that pushed is needed."));
        if (!ReceiptIds.IsValid(receipt)) return Problems.NotFound(http, s_receipt, receipt);
        var result = await grains.GetGrain<IReceiptGrain>(receipt).GetAsync(http.Caller());
        if (result.Refusal == ReadRefusal.NotFound) return Problems.NotFound(http, s_receipt, receipt);
        if (result.Refusal != ReadRefusal.None) return Refused(http, result.Refusal, result.Detail, receipt);

        var push = result.Parts[0].Push;
        var counts = result.Parts.Aggregate(default(PushCounts), (sum, part) => sum + part.Push.Counts);
        var errors = result.Parts.SelectMany(p => p.Push.Errors).OrderBy(e => e.Row).Take(PushLimits.ErrorsInReceipt).ToArray();
        var language = Language.Of(http);
        // Whoever may not know of the run is not told that one pushed.
        var run = push.Run is { } by ? await grains.GetGrain<IPipelineRunGrain>(by.Run).GetAsync(http.Caller()) : null;
        return new JsonAnswer(
            ReceiptJson.Render(new(receipt, counts, result.Watermark, errors, true), language, writer =>
            {
                writer.WriteString("dataset", push.Dataset);
                writer.WriteString("feed", push.Feed);
                writer.WriteString("receivedAt", result.Parts.Max(p => p.ReceivedAt).UtcDateTime);
                // A push over several partitions whose sender gave up in between.
                if (result.Parts.Length < push.Parts) writer.WriteBoolean("complete", false);
                if (run is null) return;
                writer.WriteString("run", run.Pinned.Id);
                writer.WriteString("step", push.Run!.Step);
                writer.WriteString("job", run.Pinned.Job);
            }),
            language);
    }

    private static async Task<IResult> ReceiptErrorsAsync(string receipt, HttpContext http, IGrainFactory grains)
    {
        if (http.Caller().IsPublic)
            return Authentication.Forbidden(http, new("Nötig ist ein Schlüssel der Behörde, die geliefert hat.", "A key of the agency that pushed is needed."));
        if (!ReceiptIds.IsValid(receipt)) return Problems.NotFound(http, s_receipt, receipt);
        if (RowsParameters.Strict(http, s_errors) is { } unknown) return unknown;
        if (RowsParameters.Limit(http, Requests.MaxPage, Requests.MaxPage, out var limit) is { } badLimit) return badLimit;
        QuarantineId? after = null;
        if (RowsParameters.Text(http, "after") is { } place)
        {
            if (!QuarantineId.TryParse(place, out var id)) return RowsParameters.BadCursor(http);
            after = id;
        }

        var found = await grains.GetGrain<IReceiptGrain>(receipt).GetAsync(http.Caller());
        if (found.Refusal == ReadRefusal.NotFound) return Problems.NotFound(http, s_receipt, receipt);
        if (found.Refusal != ReadRefusal.None) return Refused(http, found.Refusal, found.Detail, receipt);
        var dataset = found.Parts[0].Push.Dataset;
        var result = await grains.GetGrain<IDatasetRowsGrain>(dataset).QuarantineAsync(http.Caller(), new(null, after, limit, null) { Receipt = receipt, OldestFirst = true });
        if (result.Refusal != ReadRefusal.None) return Refused(http, result.Refusal, result.Detail, dataset);

        var language = Language.Of(http);
        return new JsonAnswer(Render(writer =>
        {
            writer.WriteString("receipt", receipt);
            writer.WriteStartArray("rows");
            foreach (var entry in result.Entries)
            {
                writer.WriteStartObject();
                writer.WriteString("id", entry.Id.ToString());
                writer.WriteNumber("row", entry.Row.Row);
                writer.WriteString("state", QuarantineEndpoints.Word(entry.State));
                writer.WriteStartArray("errors");
                foreach (var error in entry.Row.Errors) ReceiptJson.Write(writer, error, language);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteString("next", result.Next is { } last ? $"{http.Request.PathBase}{http.Request.Path}?limit={limit.ToString(System.Globalization.CultureInfo.InvariantCulture)}&after={last}" : null);
        }), language);
    }

    private static async Task<IResult> RecordsAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        var (format, notAcceptable) = AnswerFormats.Choose(http);
        if (notAcceptable is not null) return notAcceptable;
        var (query, invalid) = RowsParameters.ReadRows(http);
        if (invalid is not null) return invalid;
        var result = await grains.GetGrain<IDatasetRowsGrain>(dataset).RowsAsync(http.Caller(), query!);
        if (result.Missing is { } missing)
        {
            return result.Refusal switch
            {
                ReadRefusal.TooMany => Problems.Problem(http, ProblemTypes.TooManyCells, missing),
                ReadRefusal.TooOften => Problems.Later(http, ProblemTypes.TooManyRequests, missing, result.RetryAfter),
                _ => Authentication.Forbidden(http, missing),
            };
        }

        if (result.Fault is { } fault) return Requests.InvalidParameter(http, RowsParameters.FilterPrefix + result.Detail, fault);
        if (result.Refusal != ReadRefusal.None) return Refused(http, result.Refusal, result.Detail, dataset);

        var next = result.Next is null ? null : RowsParameters.Next(http, query!, result.Next, format);
        http.Response.Headers[Requests.WatermarkHeader] = result.Watermark;
        var table = RowsTable.Of(result, RowsTable.Metadata(result.Dataset!, http.Request.PathBase.Value ?? ""));
        var (columns, unknown) = RowsParameters.ReadFields(http, table.Fields);
        if (unknown is not null) return await http.NotGivenAsync(unknown, result.Begun);
        if (format == AnswerFormat.GeoJson) table = RowsTable.WithGeometry(table, result, await AreasAsync(table.Metadata, http));
        table = table.Only(columns);
        var (body, tooLarge) = format == AnswerFormat.Json ? (RowsWriter.Write(table, next), null) : await AnswerRendering.WriteAsync(http, table, format, next);
        return tooLarge is not null ? await http.NotGivenAsync(tooLarge, result.Begun) : AnswerRendering.Rendered(body, table.Metadata, format, next).Answer(varies: true);
    }

    private static async Task<AreaTree?> AreasAsync(AnswerMetadata metadata, HttpContext http) => metadata is { AreaSystem: { } system, AreaVersion: { } version }
        ? (await http.RequestServices.GetRequiredService<AreaDirectory>().GetAsync(system, version, http.RequestAborted))?.Tree
        : null;

    private static async Task<IResult> CsvwAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        var (german, problem) = AnswerCsvw.Form(http);
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(dataset) || await grains.GetGrain<IDatasetGrain>(dataset).GetAsync(http.Caller()) is not { } info)
            return Problems.NotFound(http, s_dataset, dataset);
        var metadata = RowsTable.Metadata(info, http.Request.PathBase.Value ?? "");
        return AnswerCsvw.Write(metadata, RowsTable.Fields(info), metadata.DescribedBy + "/records", german).Answer();
    }

    private static async Task<IResult> ConservationAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        var result = await grains.GetGrain<IDatasetRowsGrain>(dataset).ConservationAsync(http.Caller());
        if (result.Refusal != ReadRefusal.None) return Refused(http, result.Refusal, result.Detail, dataset);

        var accepted = result.Feeds.Sum(f => f.Accepted);
        return new JsonAnswer(Render(writer =>
        {
            writer.WriteString("dataset", dataset);
            writer.WriteStartArray("feeds");
            foreach (var feed in result.Feeds)
            {
                writer.WriteStartObject();
                writer.WriteString("feed", feed.Feed);
                writer.WriteNumber("pushes", feed.Pushes);
                writer.WriteNumber("received", feed.Received);
                writer.WriteNumber("accepted", feed.Accepted);
                writer.WriteNumber("duplicate", feed.Duplicate);
                writer.WriteNumber("quarantined", feed.Quarantined);
                writer.WriteNumber("discarded", feed.Discarded);
                if (feed.LastReceived is { } last) writer.WriteString("lastReceived", last.UtcDateTime);
                else writer.WriteNull("lastReceived");
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteStartArray("consumers");
            Consumer(writer, "fold", result.Fold, result.Heads, accepted);
            Consumer(writer, "history", result.History, result.Heads, accepted);
            writer.WriteEndArray();
        }), Language.Of(http));
    }

    /// <summary>accepted = applied + notYetApplied (design I2), and where it stands in each partition.</summary>
    private static void Consumer(Utf8JsonWriter writer, string name, FoldStatus[] partitions, long[] heads, long accepted)
    {
        var applied = partitions.Sum(p => p.Accepted);
        writer.WriteStartObject();
        writer.WriteString("consumer", name);
        writer.WriteNumber("accepted", accepted);
        writer.WriteNumber("applied", applied);
        writer.WriteNumber("notYetApplied", accepted - applied);
        writer.WriteStartArray("partitions");
        for (var p = 0; p < partitions.Length; p++)
        {
            writer.WriteStartObject();
            writer.WriteNumber("partition", p);
            writer.WriteNumber("head", heads[p]);
            writer.WriteNumber("applied", partitions[p].Sequence);
            writer.WriteNumber("stored", partitions[p].StoredSequence);
            if (partitions[p].Halted is { } halted) writer.WriteString("halted", halted);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    internal static IResult Refused(HttpContext http, ReadRefusal refusal, string? detail, string id) => refusal switch
    {
        ReadRefusal.NotFound => Problems.NotFound(http, s_dataset, id),
        ReadRefusal.Forbidden => Authentication.Forbidden(http, new(
            $"Nötig ist ein Schlüssel der Behörde „{detail}“, die „{id}“ veröffentlicht.", $"A key of the agency “{detail}”, which publishes “{id}”, is needed.")),
        ReadRefusal.Gone => Problems.Problem(http, ProblemTypes.WatermarkGone, ProblemTypes.WatermarkGone.Help),
        ReadRefusal.Invalid when detail == "watermark" => Requests.InvalidParameter(http, "watermark", new(
            $"Der watermark gehört nicht zum Datensatz „{id}“.", $"The watermark is not one of the dataset “{id}”.")),
        ReadRefusal.Invalid => Requests.InvalidParameter(http, "area", new(
            $"Das Gebiet „{detail}“ kennt der Datensatz „{id}“ nicht.", $"The dataset “{id}” does not know the area “{detail}”.")),
        ReadRefusal.NotYet => Problems.Later(http, ProblemTypes.NotYet, ProblemTypes.NotYet.Help, s_retryAfter),
        ReadRefusal.TooMany => Problems.Problem(http, ProblemTypes.TooManyCells, ProblemTypes.TooManyCells.Help),
        _ => Problems.Later(http, ProblemTypes.Unavailable, ProblemTypes.Unavailable.Help, s_retryAfter),
    };

    internal static ReadOnlyMemory<byte> Render(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(1_024);
        using var writer = new Utf8JsonWriter(buffer, s_json);
        writer.WriteStartObject();
        members(writer);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
