namespace DataHub.Storage.Postgres;

internal sealed partial class PostgresHistoryStore
{
    /// <summary>The statements on one of the two tables of versions.</summary>
    private sealed class Texts
    {
        public const string Columns = "v.row_key, v.time, v.area_id, v.contract_version, v.packed, v.from_sequence";

        public Texts(string table)
        {
            var byTime = table == "observed_version";
            var sameTime = byTime ? "AND v.time = k.time" : "";
            var range = $"FROM {table} v WHERE v.partition_id = $1 AND v.time >= $2 AND v.time < $3 AND (v.time, v.row_key) > ($4, $5)";
            const string Stood = "v.from_sequence <= $6 AND v.to_sequence > $6";

            EndVersions =
                $"""
                WITH ended AS (
                  UPDATE {table} v SET to_sequence = k.sequence
                  FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) AS k (row_key, time, sequence)
                  WHERE v.partition_id = {Partition} {sameTime} AND v.row_key = k.row_key AND v.to_sequence = {Standing}
                  RETURNING 1)
                SELECT require(count(*) = cardinality($2::bytea[]), 'DH002') FROM ended
                """;
            InsertVersions =
                $"""
                INSERT INTO {table} (partition_id, time, row_key, from_sequence, to_sequence, area_id, contract_version, packed)
                SELECT {Partition}, * FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[], $8::bytea[])
                """;
            FindKeys =
                $"""
                SELECT p.sequence, f.* FROM history_position p
                LEFT JOIN LATERAL (
                  SELECT k.place, {Columns} FROM unnest($2::bytea[], $3::bigint[]) WITH ORDINALITY AS k (row_key, time, place)
                  JOIN {table} v ON v.partition_id = p.id {sameTime} AND v.row_key = k.row_key AND v.to_sequence = {Standing}) f ON true
                WHERE p.partition_key = $1
                """;
            Window = $"SELECT {Columns} FROM {table} v WHERE v.partition_id = $1 AND v.time >= $2 AND v.time < $3 AND v.from_sequence <= $4 AND v.to_sequence > $4 ORDER BY v.time, v.row_key";
            WindowOfArea =
                $"""
                SELECT {Columns} FROM {table} v WHERE v.partition_id = $1 AND v.area_id = (SELECT id FROM area WHERE area_key = $5)
                  AND v.time >= $2 AND v.time < $3 AND v.from_sequence <= $4 AND v.to_sequence > $4 ORDER BY v.time, v.row_key
                """;
            Versions = $"SELECT {Columns}, v.to_sequence {range} AND {Stood} AND ($8::bigint[] IS NULL OR v.area_id = ANY ($8)) ORDER BY v.time, v.row_key LIMIT $7";
            VersionsOfArea = $"SELECT {Columns}, v.to_sequence {range} AND {Stood} AND v.area_id = $8 ORDER BY v.time, v.row_key LIMIT $7";
            Moved =
                $"""
                SELECT {Columns}, v.to_sequence {range} AND ({Stood}) <> (v.from_sequence <= $9 AND v.to_sequence > $9) AND ($8::bigint[] IS NULL OR v.area_id = ANY ($8))
                ORDER BY v.time, v.row_key, v.to_sequence LIMIT $7
                """;
            Earlier =
                $"""
                SELECT f.*, k.place FROM unnest($2::bytea[], $3::bigint[]) WITH ORDINALITY AS k (row_key, time, place)
                CROSS JOIN LATERAL (
                  SELECT {Columns}, v.to_sequence FROM {table} v WHERE v.partition_id = $1 {sameTime} AND v.row_key = k.row_key AND v.to_sequence <= $4
                  ORDER BY v.from_sequence DESC LIMIT $5) f
                ORDER BY k.place, f.from_sequence
                """;
            StandingByTime = $"SELECT {Columns} {range} AND v.to_sequence = {Standing} AND ($7::bigint[] IS NULL OR v.area_id = ANY ($7)) ORDER BY v.time, v.row_key LIMIT $6";
            StandingByArea =
                $"""
                SELECT f.* FROM unnest($7::bigint[]) AS a (id)
                CROSS JOIN LATERAL (SELECT {Columns} {range} AND v.to_sequence = {Standing} AND v.area_id = a.id ORDER BY v.time, v.row_key LIMIT $6) f
                ORDER BY f.time, f.row_key LIMIT $6
                """;
        }

        public string EndVersions { get; }

        public string InsertVersions { get; }

        public string FindKeys { get; }

        public string Window { get; }

        public string WindowOfArea { get; }

        public string Versions { get; }

        public string VersionsOfArea { get; }

        public string Moved { get; }

        public string Earlier { get; }

        public string StandingByTime { get; }

        public string StandingByArea { get; }
    }
}
