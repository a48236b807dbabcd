using System.Text;

using DataHub.Support;

using DuckDB.NET.Data;

using static DataHub.Pipelines.FileReading;

namespace DataHub.Pipelines;

/// <summary>Parquet files that DuckDB wrote, read as the values that they were.</summary>
public sealed class ParquetFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _file;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("'01100101'", "string", "01100101")]
    [InlineData("'Köpenick 😀'", "string", "Köpenick 😀")]
    [InlineData("CAST(-7 AS TINYINT)", "integer", "-7")]
    [InlineData("CAST(200 AS UTINYINT)", "integer", "200")]
    [InlineData("CAST(4000000000 AS UINTEGER)", "integer", "4000000000")]
    [InlineData("CAST(9223372036854775807 AS BIGINT)", "integer", "9223372036854775807")]
    [InlineData("CAST(18446744073709551615 AS UBIGINT)", "string", "18446744073709551615")]
    [InlineData("CAST(0.1 AS DOUBLE)", "number", "0.1")]
    [InlineData("CAST(0.5 AS FLOAT)", "number", "0.5")]
    [InlineData("CAST(12.34 AS DECIMAL(6,2))", "number", "12.34")]
    [InlineData("CAST(1234567890123456.78 AS DECIMAL(18,2))", "string", "1234567890123456.78")]
    [InlineData("CAST(12345678901234567890 AS DECIMAL(20,0))", "string", "12345678901234567890")]
    [InlineData("true", "boolean", "true")]
    [InlineData("DATE '2026-11-02'", "date", "2026-11-02")]
    [InlineData("TIME '08:30:00.5'", "time", "08:30:00.5")]
    [InlineData("TIMESTAMPTZ '2026-11-02 08:00:00.123456+01'", "datetime", "2026-11-02T07:00:00.123456Z")]
    [InlineData("TIMESTAMP '2026-11-02 08:00:00'", "string", "2026-11-02T08:00:00")]
    [InlineData("TIMESTAMP_MS '2026-11-02 08:00:00.123'", "string", "2026-11-02T08:00:00.123")]
    [InlineData("UUID '6f9619ff-8b86-d011-b42d-00c04fc964ff'", "string", "6f9619ff-8b86-d011-b42d-00c04fc964ff")]
    public async Task No_value_becomes_another(string sql, string type, string value)
    {
        var (columns, rows, _) = await ReadAsync("a.parquet", Write($"SELECT {sql} AS wert, 1 AS x UNION ALL SELECT NULL, 2"));
        Assert.Equal(($"wert:{type} x:integer", $"{value}|1", "|2"), (columns, rows[0], rows[1]));
    }

    [Fact]
    public async Task Many_groups_are_one_table_and_clocks_become_instants_where_somebody_says_their_zone()
    {
        var file = Write("SELECT i AS nr, 'Zweig ' || i % 7 AS name, CASE WHEN i % 3 = 0 THEN NULL ELSE i / 8.0 END AS wert, TIMESTAMP '2026-11-02 08:00:00' + to_seconds(i) AS zeit FROM range(25000) AS r(i)", "ROW_GROUP_SIZE 4096");
        var (columns, rows, notes) = await ReadAsync("a.parquet", file, new() { TimeZone = "Europe/Berlin" });
        Assert.Equal(("nr:integer name:string wert:number zeit:datetime", 25_000, "24998|Zweig 1|3124.75|2026-11-02T13:56:38Z"), (columns, rows.Length, rows[24_998]));
        Assert.Equal("24999|Zweig 2||2026-11-02T13:56:39Z", rows[24_999]);
        Assert.StartsWith("Gelesen als Parquet, 25000 Zeilen in ", notes[0], StringComparison.Ordinal);
        Assert.Equal("Zweig 1", (await ReadAsync("a.parquet", file, new() { Columns = [new("NAME") { Type = "string" }] })).Rows[1]);
        Assert.Equal("Die Spalte „ort“ fehlt; die Datei hat: nr, name, wert, zeit.", await RefusedAsync("a.parquet", file, new() { Columns = [new("ort")] }));
    }

    [Theory]
    [InlineData("[1, 2]", "„a“ hat verschachtelte Werte (List)")]
    [InlineData("{'x': 1}", "„a“ hat verschachtelte Werte (Struct)")]
    [InlineData("MAP {'x': 1}", "„a“ hat verschachtelte Werte (Map)")]
    [InlineData("CAST(1 AS DECIMAL(38,2))", "„a“ ist von einer Art, die der Hub nicht liest (FIXED_LEN_BYTE_ARRAY DECIMAL 38)")]
    [InlineData("'x'::BLOB", "„a“ ist von einer Art, die der Hub nicht liest (BYTE_ARRAY")]
    [InlineData("INTERVAL 1 DAY", "„a“ ist von einer Art, die der Hub nicht liest (FIXED_LEN_BYTE_ARRAY INTERVAL")]
    public async Task What_no_table_has_is_refused_by_name_unless_nobody_wants_it(string sql, string reason)
    {
        var file = Write($"SELECT {sql} AS a, 5 AS b");
        Assert.StartsWith(reason, await RefusedAsync("a.parquet", file), StringComparison.Ordinal);
        Assert.Equal("5", (await ReadAsync("a.parquet", file, new() { Columns = [new("b")] })).Rows[0]);
    }

    [Fact]
    public async Task Not_a_number_is_a_fault_of_its_row()
    {
        var file = Write("SELECT CAST('nan' AS DOUBLE) AS a, 1 AS b UNION ALL SELECT 2, 2 ORDER BY b");
        Assert.Equal("Zeile 1, Spalte „a“: „NaN“ ist keine Zahl.", await RefusedAsync("a.parquet", file));
        Assert.Equal(["2|2"], (await ReadAsync("a.parquet", file, new() { MaxFaults = 1 })).Rows);
    }

    [Fact]
    public async Task A_time_that_no_day_has_is_a_fault_of_its_row()
    {
        var file = Write("SELECT TIME '24:00:00' AS a, 1 AS b UNION ALL SELECT TIME '08:30:00', 2 ORDER BY b");
        Assert.Equal("Zeile 1, Spalte „a“: Das ist keine Uhrzeit eines Tages (00:00:00 bis unter 24:00:00).", await RefusedAsync("a.parquet", file));
        Assert.Equal(["08:30:00|2"], (await ReadAsync("a.parquet", file, new() { MaxFaults = 1 })).Rows);
    }

    [Fact]
    public async Task A_small_file_that_would_fill_the_memory_is_refused_with_advice()
    {
        var file = Write("SELECT 'x' AS a FROM range(12000000)", "ROW_GROUP_SIZE 12000000");
        Assert.InRange(file.Length, 0, 1 << 20);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Assert.Equal(
            "Eine Zeilengruppe der Datei hat 12000000 Zeilen; bei diesen Spalten haben 11184810 im Speicher Platz (256 MiB). Mit kleineren Gruppen speichern (row_group_size) oder columns mit weniger Spalten angeben.",
            await RefusedAsync("a.parquet", file));
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 64L << 20);
    }

    [Fact]
    public async Task Lengths_that_lie_are_refused_before_anybody_makes_room_for_them()
    {
        var file = Write("SELECT i AS nr, 'Zweig ' || i AS name FROM range(1000) AS r(i)");
        foreach (var cut in new[] { 0, 4, 11, file.Length / 2, file.Length - 1 }) if (cut > 0) Assert.Equal("Die Datei ist kein lesbares Parquet.", await RefusedAsync("a.parquet", file[..cut]));

        // Whatever byte is another: a table or a refusal in words, in bounded memory.
        var random = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            var other = (byte[])file.Clone();
            for (var n = 0; n < 3; n++) other[random.Next(i % 2 == 0 ? 0 : other.Length - 600, other.Length)] = (byte)random.Next(256);
            var before = GC.GetTotalAllocatedBytes();
            try
            {
                await ReadAsync("a.parquet", other, new() { MaxFaults = 1_000_000 });
            }
            catch (StepException)
            {
            }

            Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 1L << 30);
        }
    }

    private byte[] Write(string sql, string options = "ROW_GROUP_SIZE 122880")
    {
        var file = Path.Combine(_folder.FullName, $"{++_file}.parquet");
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using var command = duck.CreateCommand();
#pragma warning disable CA2100 // The statements are this file's own.
        command.CommandText = $"SET TimeZone = 'UTC'; COPY ({sql}) TO '{file}' (FORMAT PARQUET, {options})";
#pragma warning restore CA2100
        command.ExecuteNonQuery();
        return File.ReadAllBytes(file);
    }
}
