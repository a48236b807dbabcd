using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace DataHub.Pipelines;

/// <summary>A table, batch by batch: one is in memory.</summary>
internal sealed class TableAnswer(IPipelineRunGrain run, Caller caller, StepInfo step, FieldSpec[] fields, AnswerMetadata metadata, AnswerFormat format) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (response, stop) = (httpContext.Response, httpContext.RequestAborted);
        response.ContentType = AnswerFormats.ContentType(format);
        foreach (var (name, value) in AnswerRendering.Headers(metadata, format, null)) response.Headers.Append(name, value);
        response.Headers.Vary = StringValues.Concat(response.Headers.Vary, HeaderNames.Accept);
        if (HttpMethods.IsHead(httpContext.Request.Method)) return;
        using var gathered = new GatheredStream();
        var (rows, complete) = await BeginAsync(gathered, stop);
        for (var batch = 0; batch < step.Batches; batch++)
        {
            // Asked for each: what was taken away meanwhile is not given.
            if (await run.OutputAsync(caller, step.Id, batch) is not { } bytes) throw new InvalidDataException($"batch {batch} of step {step.Id} is not there any more");
            await rows(Of(TableCodec.Read(bytes)));
            await gathered.SendAsync(response.Body, stop);
        }

        await complete();
        await gathered.SendAsync(response.Body, stop);
    }

    /// <summary>Begins the answer.</summary>
    /// <returns>What writes the rows of a batch, and what ends the answer.</returns>
    private async Task<(Func<AnswerTable, Task> Rows, Func<Task> Complete)> BeginAsync(GatheredStream to, CancellationToken cancellationToken)
    {
        var buffer = to.Buffer;
        switch (format)
        {
            case AnswerFormat.NdJson or AnswerFormat.NdJsonMeta:
                if (format == AnswerFormat.NdJsonMeta) AnswerNdJson.WriteMetadata(metadata, buffer);
                return (AtOnce(table => AnswerNdJson.WriteRows(table, buffer)), () => Task.CompletedTask);
            case AnswerFormat.GeoJson:
                var json = AnswerGeoJson.Begin(metadata, buffer);
                return (
                    AtOnce(table =>
                    {
                        AnswerGeoJson.WriteFeatures(json, table);
                        json.Flush();
                    }),
                    () =>
                    {
                        AnswerGeoJson.End(json, null);
                        json.Dispose();
                        return Task.CompletedTask;
                    }
                );
            case AnswerFormat.Parquet:
                var parquet = await AnswerParquet.OpenAsync(fields, metadata, to, cancellationToken);
                return (table => parquet.WriteRowsAsync(table, cancellationToken), () => parquet.DisposeAsync().AsTask());
            case AnswerFormat.Xlsx:
                var xlsx = new AnswerXlsx(fields, metadata, to, step.Id);
                return (
                    AtOnce(xlsx.WriteRows),
                    () =>
                    {
                        xlsx.Complete();
                        xlsx.Dispose();
                        return Task.CompletedTask;
                    }
                );
            default:
                var german = format == AnswerFormat.CsvDe;
                AnswerCsv.WriteHeader(Of(RowBlock.Empty), buffer, german);
                return (AtOnce(table => AnswerCsv.WriteRows(table, buffer, german)), () => Task.CompletedTask);
        }

        static Func<AnswerTable, Task> AtOnce(Action<AnswerTable> write) => table =>
        {
            write(table);
            return Task.CompletedTask;
        };
    }

    private AnswerTable Of(RowBlock rows)
    {
        var geometry = format == AnswerFormat.GeoJson ? TableGeometry.Of(fields) : null;
        return new() { Fields = fields, Columns = rows.Columns, Count = rows.Count, Metadata = metadata, Geometry = row => geometry?.Row(rows.Columns, row) };
    }
}
