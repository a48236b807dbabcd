using Npgsql;

using NpgsqlTypes;

namespace DataHub.Storage.Postgres;

/// <summary>One statement with positional parameters (<c>$1</c>, <c>$2</c>, …), in the order in which they are bound.</summary>
internal sealed class PostgresStatement(string sql)
{
    public NpgsqlBatchCommand Command { get; } = new(sql);

    public PostgresStatement Bind(long value) => Add(new NpgsqlParameter<long> { TypedValue = value });

    public PostgresStatement Bind(int value) => Add(new NpgsqlParameter<int> { TypedValue = value });

    public PostgresStatement Bind(bool value) => Add(new NpgsqlParameter<bool> { TypedValue = value });

    public PostgresStatement Bind(string value) => Add(new NpgsqlParameter<string> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text });

    public PostgresStatement Bind(byte[] value) => Add(new NpgsqlParameter<byte[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bytea });

    public PostgresStatement BindNullable(long? value) => Nullable(value, NpgsqlDbType.Bigint);

    public PostgresStatement BindNullable(int? value) => Nullable(value, NpgsqlDbType.Integer);

    public PostgresStatement BindNullable(bool? value) => Nullable(value, NpgsqlDbType.Boolean);

    public PostgresStatement BindNullable(string? value) => Nullable(value, NpgsqlDbType.Text);

    public PostgresStatement BindNullable(byte[]? value) => Nullable(value, NpgsqlDbType.Bytea);

    public PostgresStatement BindNullable(long[]? values) => Nullable(values, NpgsqlDbType.Array | NpgsqlDbType.Bigint);

    public PostgresStatement BindNullable(string[]? values) => Nullable(values, NpgsqlDbType.Array | NpgsqlDbType.Text);

    public PostgresStatement Bind(long[] values) => Array(values, NpgsqlDbType.Bigint);

    public PostgresStatement Bind(long?[] values) => Array(values, NpgsqlDbType.Bigint);

    public PostgresStatement Bind(double?[] values) => Array(values, NpgsqlDbType.Double);

    public PostgresStatement Bind(int[] values) => Array(values, NpgsqlDbType.Integer);

    public PostgresStatement Bind(string?[] values) => Array(values, NpgsqlDbType.Text);

    public PostgresStatement Bind(byte[]?[] values) => Array(values, NpgsqlDbType.Bytea);

    private PostgresStatement Array<T>(T values, NpgsqlDbType type) => Add(new NpgsqlParameter<T> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });

    private PostgresStatement Nullable<T>(T? value, NpgsqlDbType type) => Add(new NpgsqlParameter { Value = value is null ? DBNull.Value : value, NpgsqlDbType = type });

    private PostgresStatement Add(NpgsqlParameter parameter)
    {
        Command.Parameters.Add(parameter);
        return this;
    }
}
