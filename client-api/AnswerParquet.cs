using DataHub.Catalog;
using DataHub.Feeds;

using Parquet;
using Parquet.Schema;

namespace DataHub;

/// <summary>
/// Apache Parquet: doubles as they are, instants as microseconds in UTC (a tenth of one is cut off), what has no type of
/// its own as the text that it is in JSON; metadata as pairs of the file.
/// </summary>
internal sealed class AnswerParquet : IAsyncDisposable
{
    private static readonly DateTime s_begin = new(0, DateTimeKind.Utc);

    private readonly ParquetWriter _writer;
    private readonly DataField[] _columns;

    private AnswerParquet(ParquetWriter writer, DataField[] columns) => (_writer, _columns) = (writer, columns);

    public static async Task<byte[]> WriteAsync(AnswerTable table, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        await using (var file = await OpenAsync(table.Fields, table.Metadata, body, cancellationToken)) await file.WriteRowsAsync(table, cancellationToken);
        return body.ToArray();
    }

    /// <summary>A file whose rows follow, group by group; it is complete once it is disposed of.</summary>
    public static async Task<AnswerParquet> OpenAsync(FieldSpec[] fields, AnswerMetadata metadata, Stream to, CancellationToken cancellationToken)
    {
        var columns = Array.ConvertAll(fields, Column);
        var writer = await ParquetWriter.CreateAsync(new ParquetSchema(columns), to, new ParquetOptions { CompressionMethod = CompressionMethod.Snappy }, false, cancellationToken);
        writer.CustomMetadata = metadata.Pairs();
        return new(writer, columns);
    }

    /// <summary>One group of rows.</summary>
    public async Task WriteRowsAsync(AnswerTable table, CancellationToken cancellationToken)
    {
        using var group = _writer.CreateRowGroup();
        for (var f = 0; f < _columns.Length; f++) await WriteColumnAsync(group, _columns[f], table.Fields[f], table.Columns[f], cancellationToken);
        group.CompleteValidate();
    }

    public ValueTask DisposeAsync() => _writer.DisposeAsync();

    private static DataField Column(FieldSpec field) => field.Type switch
    {
        FieldType.Number => new DataField<double?>(field.Name),
        FieldType.Integer or FieldType.Year => new DataField<long?>(field.Name),
        FieldType.Boolean => new DataField<bool?>(field.Name),
        FieldType.DateTime => new DateTimeDataField(field.Name, DateTimeFormat.Timestamp, isAdjustedToUTC: true, unit: DateTimeTimeUnit.Micros, isNullable: true),
        FieldType.Date => new DataField<DateOnly?>(field.Name),
        FieldType.Time => new TimeDataField(field.Name, TimeUnitPrecision.Micros, isNullable: true),
        _ => new DataField<string>(field.Name),
    };

    private static Task WriteColumnAsync(ParquetRowGroupWriter group, DataField column, FieldSpec field, Column values, CancellationToken cancellationToken)
    {
        return field.Type switch
        {
            FieldType.Number => WriteAsync(Array.ConvertAll(values.Numbers!, number => double.IsNaN(number) ? (double?)null : number)),
            FieldType.Integer or FieldType.Year => WriteAsync(Integers(values, integer => integer)),
            FieldType.Boolean => WriteAsync(Array.ConvertAll(values.Booleans!, word => word == Feeds.Column.NullBoolean ? (bool?)null : word == 1)),
            FieldType.DateTime => WriteAsync(Integers(values, ticks => s_begin.AddTicks(ticks - (ticks % TimeSpan.TicksPerMicrosecond)))),
            FieldType.Date => WriteAsync(Integers(values, day => DateOnly.FromDayNumber((int)day))),
            FieldType.Time => WriteAsync(Integers(values, ticks => ticks / TimeSpan.TicksPerMicrosecond)),
            _ => group.WriteAsync(column, Texts(field, values)),
        };

        Task WriteAsync<T>(T?[] cells)
            where T : struct => group.WriteAsync<T>(column, cells, cancellationToken: cancellationToken);
    }

    private static string?[] Texts(FieldSpec field, Column values)
    {
        // Only these are kept otherwise than they are shown.
        if (field.Type is not (FieldType.YearMonth or FieldType.GeoPoint)) return values.Texts!;
        var texts = new string?[values.Length];
        for (var row = 0; row < texts.Length; row++) texts[row] = values.IsNull(row) ? null : AnswerText.Of(field, values, row);
        return texts;
    }

    private static T?[] Integers<T>(Column values, Func<long, T> of)
        where T : struct => Array.ConvertAll(values.Integers!, integer => integer == Feeds.Column.NullInteger ? (T?)null : of(integer));
}
