using System.Globalization;
using System.Text;

using DataHub.Catalog;
using DataHub.Feeds;

using DuckDB.NET.Data;
using DuckDB.NET.Native;

using Appender = DuckDB.NET.Data.DuckDBAppender;

namespace DataHub.Pipelines;

/// <summary>
/// A DuckDB that holds the inputs in a file of the working folder and answers statements over them; its settings are locked.
/// Instants and times of day have microseconds there: what is finer is cut off.
/// </summary>
internal sealed class DuckDbTables : IDisposable
{
    private const string File = "tables.duckdb", Spilled = "spilled";
    private const long TicksPerMicrosecond = TimeSpan.TicksPerMicrosecond;
    private const long LastDay = 3_652_058, MicrosecondsPerDay = 86_400_000_000;
    private static readonly long s_epoch = DateTime.UnixEpoch.Ticks / TicksPerMicrosecond;
    private static readonly long s_lastInstant = DateTime.MaxValue.Ticks / TicksPerMicrosecond;

    private readonly DuckDBConnection _connection = new($"DataSource={File}");
    private readonly Dictionary<int, (Appender Appender, TableColumn[] Columns)> _loading = [];
    private readonly IReadOnlyList<(string Name, TableColumn[] Columns)> _inputs;

    /// <summary>Opens the file, lays out the tables and locks every setting.</summary>
    public DuckDbTables(SqlLimits limits, IReadOnlyList<(string Name, TableColumn[] Columns)> inputs)
    {
        _inputs = inputs;
        _connection.Open();
        foreach (var setting in new[]
        {
            $"temp_directory = '{Spilled}'",
            // The rest of what the operating system allows is for rows on their way and for DuckDB's own bookkeeping.
            string.Create(CultureInfo.InvariantCulture, $"memory_limit = '{limits.Memory / 2} bytes'"),
            string.Create(CultureInfo.InvariantCulture, $"max_temp_directory_size = '{limits.Disk} bytes'"),
            // What it no longer needs goes back to the system at once, not only in large pieces.
            "allocator_flush_threshold = '8MiB'", "allocator_bulk_deallocation_flush_threshold = '16MiB'",
            "threads = 1", "preserve_insertion_order = true", "TimeZone = 'UTC'", "Calendar = 'gregorian'", "default_collation = ''",
            "enable_progress_bar = false", "enable_external_access = false", "autoinstall_known_extensions = false", "autoload_known_extensions = false",
            "allow_community_extensions = false", "allow_unsigned_extensions = false", "lock_configuration = true",
        })
        {
            Execute($"SET {setting}");
        }

        foreach (var (name, columns) in inputs)
        {
            Execute($"CREATE TABLE {Quoted(name)} ({string.Join(", ", columns.Select(column => $"{Quoted(column.Name)} {TypeOf(column.Type)}"))})");
        }
    }

    /// <summary>DuckDB's name and version.</summary>
    public static string Version { get; } = $"DuckDB {typeof(DuckDBConnection).Assembly.GetName().Version!.ToString(3)}";

    public void Load(int input, RowBlock rows)
    {
        if (!_loading.TryGetValue(input, out var loading))
        {
            loading = (_connection.CreateAppender(_inputs[input].Name), _inputs[input].Columns);
            _loading.Add(input, loading);
        }

        for (var i = 0; i < rows.Count; i++)
        {
            var row = loading.Appender.CreateRow();
            for (var c = 0; c < loading.Columns.Length; c++) Append(row, loading.Columns[c].Type, rows.Columns[c], i);
            row.EndRow();
        }
    }

    public void Loaded()
    {
        foreach (var (_, loading) in _loading.OrderBy(pair => pair.Key)) loading.Appender.Dispose();
        _loading.Clear();
    }

    /// <summary>What DuckDB's parser makes of a text that is not run.</summary>
    public string Parse(string statement)
    {
        using var command = Command(Parsing(statement));
        return (string)command.ExecuteScalar()!;
    }

    /// <summary>A query for what DuckDB's parser makes of a statement.</summary>
    internal static string Parsing(string statement) =>
        $"SELECT json_serialize_sql('{statement.Replace("'", "''", StringComparison.Ordinal)}', skip_null := true, skip_empty := true)";

    /// <summary>Columns of a statement that was found harmless.</summary>
    /// <exception cref="SqlRefusedException">A column cannot be passed on.</exception>
    public DuckDbColumn[] Describe(string statement)
    {
        var columns = new List<DuckDbColumn>();
        using var command = Command($"DESCRIBE SELECT * FROM (\n{statement}\n)");
        using var reader = command.ExecuteReader();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        while (reader.Read())
        {
            var (name, type) = (reader.GetString(0), reader.GetString(1));
            if (name.Length is 0 or > TableColumn.LongestName || !names.Add(name)) throw SqlProblems.ColumnName(name);
            columns.Add(DuckDbColumn.Of(name, type) ?? throw SqlProblems.ColumnType(name, type));
        }

        return [.. columns];
    }

    /// <summary>The rows of a statement in the order of all columns, nulls last, as they lie in columns.</summary>
    /// <exception cref="SqlRefusedException">A value does not fit the type of its column.</exception>
    public IEnumerable<RowBlock> Run(string statement, DuckDbColumn[] columns)
    {
        var names = columns.Select((_, c) => string.Create(CultureInfo.InvariantCulture, $"c{c}")).ToArray();
        var values = names.Zip(columns, (name, column) => $"{column.Value(name)} AS {name}");
        // The statement begins on the second line, as in Describe.
        using var command = Command(
            $"SELECT {string.Join(", ", names)} FROM (SELECT {string.Join(", ", values)} FROM (\n{statement}\n) AS result({string.Join(", ", names)})) AS passed ORDER BY {string.Join(", ", names.Select(name => name + " ASC NULLS LAST"))}");
        command.UseStreamingMode = true;
        using var reader = command.ExecuteReader();
        for (var more = reader.Read(); more;)
        {
            var builder = columns.Select(column => new DuckDbColumnBuilder(column, TableCodec.BatchRows)).ToArray();
            var count = 0;
            for (; more && count < TableCodec.BatchRows; more = reader.Read(), count++)
            {
                for (var c = 0; c < builder.Length; c++) builder[c].Add(reader, c);
            }

            yield return new() { Count = count, Columns = Array.ConvertAll(builder, column => column.ToColumn()) };
        }
    }

    public void Dispose()
    {
        foreach (var (_, loading) in _loading) loading.Appender.Dispose();
        _connection.Dispose();
    }

    /// <summary>Ticks of a column, or null where it is outside the calendar of columns.</summary>
    internal static long? Ticks(FieldType type, long value) => type switch
    {
        FieldType.Date => value is >= 0 and <= LastDay ? value : null,
        FieldType.Time => value is >= 0 and < MicrosecondsPerDay ? value * TicksPerMicrosecond : null,
        _ => value >= -s_epoch && value <= s_lastInstant - s_epoch ? (value + s_epoch) * TicksPerMicrosecond : null,
    };

    private static void Append(IDuckDBAppenderRow row, FieldType type, Column column, int i)
    {
        if (column.IsNull(i))
        {
            row.AppendNullValue();
            return;
        }

        switch (type)
        {
            case FieldType.Number: row.AppendValue(column.Numbers![i]); break;
            case FieldType.Integer: row.AppendValue(column.Integers![i]); break;
            case FieldType.Boolean: row.AppendValue(column.Booleans![i] != 0); break;
            case FieldType.Date:
                var day = DateOnly.FromDayNumber((int)column.Integers![i]);
                row.AppendValue(new DuckDBDateOnly(day.Year, (byte)day.Month, (byte)day.Day));
                break;
            case FieldType.Time:
                var time = new TimeOnly(column.Integers![i]);
                row.AppendValue(new DuckDBTimeOnly((byte)time.Hour, (byte)time.Minute, (byte)time.Second, (time.Millisecond * 1000) + time.Microsecond));
                break;
            case FieldType.DateTime: row.AppendValue(new DateTime(column.Integers![i] / TicksPerMicrosecond * TicksPerMicrosecond, DateTimeKind.Utc)); break;
            // As bytes: as a string it would end at the first character 0.
            default: row.AppendValue(Encoding.UTF8.GetBytes(column.Texts![i]!)); break;
        }
    }

    private static string TypeOf(FieldType type) => type switch
    {
        FieldType.Number => "DOUBLE",
        FieldType.Integer => "BIGINT",
        FieldType.Boolean => "BOOLEAN",
        FieldType.Date => "DATE",
        FieldType.Time => "TIME",
        FieldType.DateTime => "TIMESTAMP",
        FieldType.String => "VARCHAR",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Columns of tables have other types."),
    };

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private void Execute(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }

    private DuckDBCommand Command(string sql)
    {
        var command = _connection.CreateCommand();
#pragma warning disable CA2100 // Somebody's SQL is what this is for; SqlGuard has read it.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }
}
