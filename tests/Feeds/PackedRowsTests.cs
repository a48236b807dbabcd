using Microsoft.Extensions.DependencyInjection;

using Orleans.Serialization;

namespace DataHub.Feeds;

/// <summary>Rows that travel between processes arrive as they were sent, packed.</summary>
public sealed class PackedRowsTests
{
    private readonly IServiceProvider _services = new ServiceCollection().AddSerializer(serializer => serializer.AddAssembly(typeof(RowBlock).Assembly)).BuildServiceProvider();

    [Fact]
    public void Every_kind_of_column_with_and_without_values_arrives_as_it_was_sent()
    {
        var random = new Random(7);
        foreach (var count in new[] { 1, 2, 7, 100, 3_000 })
        {
            var sent = new RowBlock
            {
                Count = count,
                Columns =
                [
                    Column.OfTexts([.. Enumerable.Range(0, count).Select(i => i % 5 == 0 ? null : $"straße-{i % 17}")]),
                    Column.OfNumbers([.. Enumerable.Range(0, count).Select(i => i % 7 == 0 ? double.NaN : random.NextDouble() * 1e9)]),
                    Column.OfIntegers([.. Enumerable.Range(0, count).Select(i => i % 11 == 0 ? Column.NullInteger : random.NextInt64())]),
                    Column.OfBooleans([.. Enumerable.Range(0, count).Select(i => (byte)(i % 3 == 2 ? Column.NullBoolean : i % 2))]),
                    Column.OfTexts(new string?[count]),
                ],
                Areas = ["01", "0110"],
                AreaOf = [.. Enumerable.Range(0, count).Select(i => (i % 3) - 1)],
                Numbers = count % 2 == 0 ? [.. Enumerable.Range(0, count).Select(i => (3 * i) + 1)] : null,
                Deletes = count > 2 ? [.. Enumerable.Range(0, count).Select(i => i == 1)] : null,
            };

            var serializer = _services.GetRequiredService<Serializer<RowBlock>>();
            var bytes = serializer.SerializeToArray(sent);
            var got = serializer.Deserialize(bytes)!;
            Assert.Equal(sent.Count, got.Count);
            Assert.Equal(sent.Columns.Select(column => column.Kind), got.Columns.Select(column => column.Kind));
            Assert.Equal(sent.Columns[0].Texts, got.Columns[0].Texts);
            Assert.Equal(sent.Columns[1].Numbers, got.Columns[1].Numbers);
            Assert.Equal(sent.Columns[2].Integers, got.Columns[2].Integers);
            Assert.Equal(sent.Columns[3].Booleans, got.Columns[3].Booleans);
            Assert.All(got.Columns[4].Texts!, Assert.Null);
            for (var row = 0; row < count; row++)
                Assert.Equal((sent.AreaId(row), sent.Number(row), sent.IsDelete(row)), (got.AreaId(row), got.Number(row), got.IsDelete(row)));
        }
    }

    [Fact]
    public void A_block_without_rows_arrives_and_within_a_process_nothing_is_copied()
    {
        var serializer = _services.GetRequiredService<Serializer<RowBlock>>();
        Assert.Equal(0, serializer.Deserialize(serializer.SerializeToArray(RowBlock.Empty))!.Count);
        var none = serializer.Deserialize(serializer.SerializeToArray(new() { Count = 0, Columns = [Column.OfTexts([]), Column.OfNumbers([]), Column.OfIntegers([]), Column.OfBooleans([])] }))!;
        Assert.Equal([ColumnKind.Text, ColumnKind.Number, ColumnKind.Integer, ColumnKind.Boolean], none.Columns.Select(column => column.Kind));
        Assert.All(none.Columns, column => Assert.Equal(0, column.Length));
        var block = new RowBlock { Count = 1, Columns = [Column.OfNumbers([1])] };
        Assert.Same(block, _services.GetRequiredService<DeepCopier<RowBlock>>().Copy(block));
    }
}
