using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>
/// Values as pseudonyms. What is expected was computed with hmac, hashlib and base64 of Python 3 from messages put together
/// by hand: <c>b32encode(hmac(key, b"datahub:pseudonym:1\0" + tag + value, sha256)[:20])</c>, tags one letter, numbers in
/// eight bytes, the highest first.
/// </summary>
public sealed class PseudonymRulesTests
{
    private static readonly byte[] s_key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly PseudonymiseStep s_step = new("t", ["Wert"], "probe");

    [Fact]
    public void Every_type_has_the_pseudonym_that_another_program_computes()
    {
        Assert.Equal("v1.fmmao362pp2trplhixuqc42k5zvfza5l", Of(FieldType.String, Column.OfTexts(["Müller"])));
        Assert.Equal("v1.vvrz2jyvl6ruimaozfpsjdouyilh3uos", Of(FieldType.String, Column.OfTexts([""])));
        Assert.Equal("v1.juiwcia63zdezpnr6ups3zst3neapaum", Of(FieldType.String, Column.OfTexts(["7"])));
        Assert.Equal("v1.2h2ofqd5eposlu7ouodwkh3mna7q3v3m", Of(FieldType.Integer, Column.OfIntegers([7])));
        Assert.Equal("v1.miyniu45zqrcnngwf2ikaekhewyo3ffw", Of(FieldType.Number, Column.OfNumbers([7])));
        Assert.Equal("v1.lc2r5o7cxjx4zlpasy6g6pvi4g25wbjo", Of(FieldType.Number, Column.OfNumbers([-0.0])));
        Assert.Equal("v1.oeb4jt2i5zxh66ifdm2mxz7bneb5o23h", Of(FieldType.Boolean, Column.OfBooleans([1])));
        Assert.Equal("v1.f5z4pmi5xe7yclbxuizskkuipwmrqx4l", Of(FieldType.Date, Column.OfIntegers([739_946])));
        Assert.StartsWith("v12.fmmao3", Of(FieldType.String, Column.OfTexts(["Müller"]), version: 12));
    }

    [Fact]
    public void A_text_counts_as_people_read_it_and_no_value_stays_none()
    {
        var column = Pseudonyms(FieldType.String, Column.OfTexts(["Mu\u0308ller", "M\u00fcller", "Muller", null]));
        Assert.Equal(column.Texts![0], column.Texts[1]);
        Assert.NotEqual(column.Texts[0], column.Texts[2]);
        Assert.Null(column.Texts[3]);
        Assert.Null(Pseudonyms(FieldType.Integer, Column.OfIntegers([Column.NullInteger])).Texts![0]);
        Assert.Null(Pseudonyms(FieldType.Number, Column.OfNumbers([double.NaN])).Texts![0]);
        Assert.Throws<StepException>(() => Pseudonyms(FieldType.String, Column.OfTexts(["a\ud800"])));
    }

    [Fact]
    public void Other_columns_stay_and_what_is_dropped_is_gone()
    {
        TableColumn[] input = [new("wert", FieldType.Integer), new("n", FieldType.Integer)];
        var rows = new RowBlock { Count = 2, Columns = [Column.OfIntegers([1, 2]), Column.OfIntegers([3, 4])] };
        Assert.Equal([new("wert", FieldType.String), new TableColumn("n", FieldType.Integer)], PseudonymRules.Columns(s_step, input));
        Assert.Same(rows.Columns[1], PseudonymRules.Apply(s_step, input, rows, s_key, 1).Columns[1]);
        var drop = s_step with { Drop = true };
        Assert.Equal([new TableColumn("n", FieldType.Integer)], PseudonymRules.Columns(drop, input));
        Assert.Same(rows.Columns[1], Assert.Single(PseudonymRules.Apply(drop, input, rows, [], 0).Columns));
        Assert.Contains("„Wert“", Assert.Throws<StepException>(() => PseudonymRules.Columns(s_step, [input[1]])).Reason.De, StringComparison.Ordinal);
        Assert.Throws<StepException>(() => PseudonymRules.Columns(drop, [input[0]]));
    }

    [Fact]
    public void A_version_that_is_destroyed_has_no_bytes_left_and_the_next_one_goes_on_counting()
    {
        var (now, later) = (new DateTimeOffset(2026, 11, 28, 8, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 11, 29, 8, 0, 0, TimeSpan.Zero));
        var state = PseudonymRules.Rotate(PseudonymRules.Rotate(new(), s_key, "key:a.1", now), [1, 2], "key:a.1", now);
        state = PseudonymRules.Rotate(PseudonymRules.Destroy(state, 2, "key:a.2", "Zweck erreicht", later), [3, 4], "key:a.1", later);
        Assert.Equal([1, 2, 3], state.Versions.Select(version => version.Info.Version));
        Assert.Equal(s_key, state.Versions[0].Secret);
        Assert.Empty(state.Versions[1].Secret);
        Assert.Equal(new(2, now, "key:a.1") { Destroyed = later, DestroyedBy = "key:a.2", Reason = "Zweck erreicht" }, state.Versions[1].Info);
        Assert.NotNull(PseudonymRules.Full(new([.. Enumerable.Repeat(state.Versions[0], PseudonymPurposes.MaxVersions)])));
    }

    private static string Of(FieldType type, Column column, int version = 1) => Pseudonyms(type, column, version).Texts![0]!;

    private static Column Pseudonyms(FieldType type, Column column, int version = 1) =>
        PseudonymRules.Apply(s_step, [new("wert", type)], new() { Count = column.Length, Columns = [column] }, s_key, version).Columns[0];
}
