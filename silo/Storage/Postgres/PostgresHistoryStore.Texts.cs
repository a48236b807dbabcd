namespace DataHub.Storage.Postgres;

internal sealed partial class PostgresHistoryStore
{
    /// <summary>The statements on versions of rows whose key does not contain their time.</summary>
    private static class Texts
    {
        public const string Columns = "v.row_key, v.time, v.area_id, v.contract_version, v.packed, v.from_sequence";

        private const string Range = "FROM record_version v WHERE v.partition_id = $1 AND v.time >= $2 AND v.time < $3 AND (v.time, v.row_key) > ($4, $5)";

        private const string Stood = "v.from_sequence <= $6 AND v.to_sequence > $6";

        public const string EndVersions =
            $"""
            WITH ended AS (
              UPDATE record_version v SET to_sequence = k.sequence
              FROM unnest($2::bytea[], $3::bigint[]) AS k (row_key, sequence)
              WHERE v.partition_id = {Partition} AND v.row_key = k.row_key AND v.to_sequence = {Standing}
              RETURNING 1)
            SELECT require(count(*) = cardinality($2::bytea[]), 'DH002') FROM ended
            """;

        public const string InsertVersions =
            $"""
            INSERT INTO record_version (partition_id, time, row_key, from_sequence, to_sequence, area_id, contract_version, packed)
            SELECT {Partition}, * FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[], $8::bytea[])
            """;

        public const string FindKeys =
            $"""
            SELECT p.sequence, f.* FROM history_position p
            LEFT JOIN LATERAL (
              SELECT k.place, {Columns} FROM unnest($2::bytea[]) WITH ORDINALITY AS k (row_key, place)
              JOIN record_version v ON v.partition_id = p.id AND v.row_key = k.row_key AND v.to_sequence = {Standing}) f ON true
            WHERE p.partition_key = $1
            """;

        public const string Window =
            $"SELECT {Columns} FROM record_version v WHERE v.partition_id = $1 AND v.time >= $2 AND v.time < $3 AND v.from_sequence <= $4 AND v.to_sequence > $4 ORDER BY v.time, v.row_key";

        public const string WindowOfArea =
            $"""
            SELECT {Columns} FROM record_version v WHERE v.partition_id = $1 AND v.area_id = (SELECT id FROM area WHERE area_key = $5)
              AND v.time >= $2 AND v.time < $3 AND v.from_sequence <= $4 AND v.to_sequence > $4 ORDER BY v.time, v.row_key
            """;

        public const string Versions = $"SELECT {Columns}, v.to_sequence {Range} AND {Stood} AND ($8::bigint[] IS NULL OR v.area_id = ANY ($8)) ORDER BY v.time, v.row_key LIMIT $7";

        public const string VersionsOfArea = $"SELECT {Columns}, v.to_sequence {Range} AND {Stood} AND v.area_id = $8 ORDER BY v.time, v.row_key LIMIT $7";

        public const string Moved =
            $"""
            SELECT {Columns}, v.to_sequence {Range} AND ({Stood}) <> (v.from_sequence <= $9 AND v.to_sequence > $9) AND ($8::bigint[] IS NULL OR v.area_id = ANY ($8))
            ORDER BY v.time, v.row_key, v.to_sequence LIMIT $7
            """;

        public const string Earlier =
            $"""
            SELECT f.*, k.place FROM unnest($2::bytea[]) WITH ORDINALITY AS k (row_key, place)
            CROSS JOIN LATERAL (
              SELECT {Columns}, v.to_sequence FROM record_version v WHERE v.partition_id = $1 AND v.row_key = k.row_key AND v.to_sequence <= $3
              ORDER BY v.from_sequence DESC LIMIT $4) f
            ORDER BY k.place, f.from_sequence
            """;

        public const string StandingByTime = $"SELECT {Columns} {Range} AND v.to_sequence = {Standing} AND ($7::bigint[] IS NULL OR v.area_id = ANY ($7)) ORDER BY v.time, v.row_key LIMIT $6";

        public const string StandingByArea =
            $"""
            SELECT f.* FROM unnest($7::bigint[]) AS a (id)
            CROSS JOIN LATERAL (SELECT {Columns} {Range} AND v.to_sequence = {Standing} AND v.area_id = a.id ORDER BY v.time, v.row_key LIMIT $6) f
            ORDER BY f.time, f.row_key LIMIT $6
            """;
    }
}
