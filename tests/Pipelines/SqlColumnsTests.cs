using DataHub.Catalog;

using Microsoft.Extensions.Logging.Abstractions;

namespace DataHub.Pipelines;

/// <summary>From the columns of a result back to those of its tables, as the engine's own parser reads the statement.</summary>
[Collection(nameof(SqlEngineTests))]
public sealed class SqlColumnsTests
{
    private static readonly (string, TableColumn[])[] s_tables =
    [
        ("t", [new("id", FieldType.Integer), new("a", FieldType.Integer), new("b", FieldType.String)]), ("u", [new("id", FieldType.Integer), new("c", FieldType.Number)]),
    ];

    private readonly DuckDbEngine _engine = new(NullLogger<DuckDbEngine>.Instance);

    [Theory]
    [InlineData("SELECT a, t.b AS x, a + u.c AS y, 1 AS one FROM t JOIN u ON t.id = u.id WHERE b = 'x'", "a=t.a x=t.b y=t.a,u.c one=")]
    [InlineData("SELECT * FROM t", "id=t.id a=t.a b=t.b")]
    [InlineData("SELECT x.*, c FROM t AS x CROSS JOIN u", "id=t.id a=t.a b=t.b c=u.c")]
    [InlineData("SELECT * EXCLUDE (b) FROM t", "id=t.id a=t.a")]
    [InlineData("SELECT * FROM t JOIN u USING (id)", "id=t.id a=t.a b=t.b c=u.c")]
    [InlineData("SELECT p, n FROM t AS x(n, p)", "p=t.a n=t.id")]
    [InlineData("WITH k(m, n) AS (SELECT a, b FROM t), l AS (SELECT m * 2 AS z FROM k) SELECT z, n FROM l, k", "z=t.a n=t.b")]
    [InlineData("SELECT z + 1 AS w FROM (SELECT a + length(b) AS z FROM t) AS s", "w=t.a,t.b")]
    [InlineData("SELECT b, sum(a) AS s, count(*) AS n, max(CASE WHEN id > 1 THEN a END) AS m FROM t GROUP BY b", "b=t.b s=t.a n= m=t.a,t.id")]
    [InlineData("SELECT a, sum(a) OVER (PARTITION BY b ORDER BY id) AS s FROM t", "a=t.a s=t.a,t.b,t.id")]
    [InlineData("SELECT a FROM t UNION ALL SELECT c FROM u", "a=t.a,u.c")]
    [InlineData("SELECT a FROM t EXCEPT SELECT id FROM u", "a=t.a")]
    [InlineData("SELECT (SELECT max(c) FROM u WHERE u.id = t.id) AS m, EXISTS (SELECT 1 FROM u) AS e FROM t", "m=u.c e=")]
    [InlineData("SELECT a AS x, x + 1 AS y FROM t", "x=t.a y=t.a")]
    [InlineData("SELECT T.A AS x FROM T SEMI JOIN u ON t.id = u.id", "x=t.a")]
    public async Task What_can_be_told_is_told(string sql, string expected)
    {
        var columns = await _engine.DescribeAsync(s_tables, sql, CancellationToken.None);
        Assert.All(columns, column => Assert.NotNull(column.From));
        Assert.Equal(expected, string.Join(' ', columns.Select(column => $"{column.Name}={string.Join(',', column.From!.Select(from => $"{from.Table}.{from.Column}"))}")));
    }

    [Theory]
    [InlineData("SELECT COLUMNS('a|b') FROM t")]
    [InlineData("SELECT len(list_transform([1, a], e -> e + 1)) AS l FROM t")]
    [InlineData("SELECT * REPLACE (a + 1 AS a) FROM t")]
    [InlineData("SELECT a FROM t UNION BY NAME SELECT id AS a FROM u")]
    [InlineData("SELECT b FROM t NATURAL JOIN u")]
    [InlineData("SELECT i FROM range(3) AS r(i)")]
    public async Task What_cannot_is_not_guessed(string sql) => Assert.All(await _engine.DescribeAsync(s_tables, sql, CancellationToken.None), column => Assert.Null(column.From));
}
