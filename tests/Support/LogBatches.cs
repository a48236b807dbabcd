using System.Text.Json;

using CsCheck;

using DataHub.Feeds;

namespace DataHub.Support;

/// <summary>Log batches to test with.</summary>
internal static class LogBatches
{
    public static LogBatch Control(int shard, long position, string partition, long sequence, int contractVersion = 1, int areaVersion = 0) => new()
    {
        Shard = shard,
        Position = position,
        Partition = partition,
        Sequence = sequence,
        Kind = BatchKind.Control,
        ContractVersion = contractVersion,
        AreaVersion = areaVersion,
    };

    /// <summary>A batch of new rows of one text and one number each, without a place in a log.</summary>
    public static LogBatch OfNew(int rows, PushRecord? push = null, params QuarantinedRow[] quarantined) => At(0, 0, "air/0", 0, rows, push, quarantined);

    public static LogBatch At(int shard, long position, string partition, long sequence, int rows = 1, PushRecord? push = null, params QuarantinedRow[] quarantined) => new()
    {
        Shard = shard,
        Position = position,
        Partition = partition,
        Sequence = sequence,
        ContractVersion = 1,
        AreaVersion = 0,
        Rows = rows == 0
            ? RowBlock.Empty
            : new()
            {
                Count = rows,
                Columns =
                [
                    Column.OfTexts([.. Enumerable.Range(0, rows).Select(i => $"{partition}-{sequence}-{i}")]),
                    Column.OfNumbers([.. Enumerable.Range(0, rows).Select(i => i * 0.5)]),
                ],
            },
        Changes = new RowChange[rows],
        BeforeOf = [.. Enumerable.Repeat(-1, rows)],
        Push = push,
        Quarantined = quarantined,
    };

    public static PushRecord Push(string receipt, string dataset = "air", string feed = "default", string? key = null, int part = 0, int parts = 1, PushCounts counts = default, params RowError[] errors) =>
        new(receipt, dataset, feed, key, [.. Enumerable.Range(0, 32).Select(i => (byte)i)], part, parts, counts, errors) { Agency = "senumvk" };

    /// <summary>Equal in meaning: an absent list of numbers is 1, 2, 3, …, of areas none, of deletions none; areas by id.</summary>
    public static void AssertEqual(LogBatch expected, LogBatch actual) => Assert.Equal(Describe(expected), Describe(actual));

    public static string Describe(LogBatch batch) => JsonSerializer.Serialize(
        new
        {
            batch.Shard,
            batch.Position,
            batch.Partition,
            batch.Sequence,
            batch.Kind,
            batch.ContractVersion,
            batch.AreaVersion,
            batch.ReceivedAt,
            Rows = Describe(batch.Rows),
            batch.Changes,
            batch.BeforeOf,
            Befores = Describe(batch.Befores),
            batch.Push,
            batch.Quarantined,
        },
        Indented);

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static object Describe(RowBlock block) => new
    {
        block.Count,
        Columns = block.Count == 0 ? [] : block.Columns.Select(c => new
        {
            c.Kind,
            c.Texts,
            Numbers = c.Numbers?.Select(n => BitConverter.DoubleToInt64Bits(n)),
            c.Integers,
            Booleans = c.Booleans?.Select(b => (int)b),
        }),
        Areas = Enumerable.Range(0, block.Count).Select(block.AreaId),
        Numbers = Enumerable.Range(0, block.Count).Select(block.Number),
        Deletes = Enumerable.Range(0, block.Count).Select(block.IsDelete),
    };

    private static readonly Gen<string> Text = Gen.OneOf(Gen.String, Gen.OneOf("", "mc010", "Größe", "𝔘𝔫𝔦", "a\0b"));

    private static Gen<string?> Optional(Gen<string> text) => Gen.Frequency((4, text.Select(t => (string?)t)), (1, Gen.Const((string?)null)));

    private static Gen<Column> AColumn(int rows) => Gen.OneOf(
        Optional(Text).Array[rows].Select(Column.OfTexts),
        Gen.OneOf(Gen.Double, Gen.Const(double.NaN), Gen.Const(0d)).Array[rows].Select(Column.OfNumbers),
        Gen.OneOf(Gen.Long, Gen.Long[-3, 400], Gen.OneOf(Column.NullInteger, long.MaxValue, long.MinValue + 1)).Array[rows].Select(Column.OfIntegers),
        Gen.Long[638_000_000_000_000_000, 638_000_009_000_000_000].Array[rows].Select(Column.OfIntegers),
        Gen.Const(Column.NullInteger).Array[rows].Select(Column.OfIntegers),
        Gen.OneOf<byte>(0, 1, Column.NullBoolean).Array[rows].Select(Column.OfBooleans));

    private static Gen<RowBlock> ABlock(int rows) => rows == 0
        ? Gen.Const(RowBlock.Empty)
        : Gen.Select(
            Gen.Int[0, 6].SelectMany(n => AColumn(rows).Array[n]),
            Gen.String.Array[1, 5],
            Gen.Int[-1, 0].Array[rows],
            Gen.Int[1, 300].Array[rows],
            Gen.Bool.Array[rows],
            Gen.Int[0, 7],
            (columns, areas, areaOf, numbers, deletes, which) => new RowBlock
            {
                Count = rows,
                Columns = columns,
                Areas = areas,
                AreaOf = (which & 1) == 0 ? null : areaOf.Select(a => a < 0 ? -1 : areas.Length - 1).ToArray(),
                Numbers = (which & 2) == 0 ? null : numbers,
                Deletes = (which & 4) == 0 ? null : deletes,
            });

    private static readonly Gen<RowError> AnError = Gen.Select(
        Gen.Int[1, 9_999], Optional(Text), Text, Optional(Text), Optional(Text), (row, field, code, expected, value) => new RowError(row, field, code, expected, value));

    private static readonly Gen<QuarantinedRow> AQuarantinedRow = Gen.Select(
        Gen.Int[1, 9_999], AnError.Array[1, 3], Text, (row, errors, raw) => new QuarantinedRow(row, errors, raw));

    private static readonly Gen<PushRecord?> APush = Gen.Select(
        Text, Optional(Text), Gen.Byte.Array[32], Gen.Int[0, 15], AnError.Array[0, 4], Optional(Text), Gen.Int[0, 1_000_000],
        (receipt, key, hash, part, errors, agency, n) => (PushRecord?)new PushRecord(receipt, "air", "default", key, hash, part, 16, new(n, n / 2, n / 3, 1, 2, 3), errors) { Agency = agency });

    /// <summary>Any batch.</summary>
    public static Gen<LogBatch> Any { get; } = Gen.Select(Gen.Int[0, 40], Gen.Int[0, 9]).SelectMany((rows, befores) => Gen.Select(
        ABlock(rows), ABlock(befores), Gen.Int[0, 2].Array[rows], Gen.Int[-1, befores - 1].Array[rows], APush, AQuarantinedRow.Array[0, 3], Gen.Bool,
        (block, before, changes, beforeOf, push, quarantined, control) => new LogBatch
        {
            Shard = 3,
            Position = 77,
            Partition = "air/0",
            Sequence = 12,
            ReceivedAt = new DateTimeOffset(2026, 11, 23, 8, 0, 0, TimeSpan.Zero),
            Kind = control ? BatchKind.Control : BatchKind.Rows,
            ContractVersion = 2,
            AreaVersion = 5,
            Rows = block,
            Changes = changes.Select(c => (RowChange)c).ToArray(),
            BeforeOf = beforeOf,
            Befores = before,
            Push = control ? null : push,
            Quarantined = quarantined,
        }));
}
