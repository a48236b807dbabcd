-- Versions of rows whose key contains their time, many in one row, by time, key and the sequence from which they held; a
-- version holds until the next one under its time and key begins, in whichever segment that lies. Never changed, only joined.
CREATE TABLE datahub.history_segment (
  id bigint GENERATED ALWAYS AS IDENTITY,
  partition_id bigint NOT NULL,
  day bigint NOT NULL, -- since 0001-01-01 UTC; all its times lie within
  level int NOT NULL, -- how often it was joined
  run bigint NOT NULL, -- what came, or was joined, together
  first_time bigint NOT NULL, -- ticks
  last_time bigint NOT NULL,
  row_count int NOT NULL,
  ends boolean NOT NULL, -- some of its versions end others
  area_set text[] COLLATE "C" NOT NULL, -- its areas, each once
  times bigint[] NOT NULL,
  froms bigint[] NOT NULL,
  changes bytea NOT NULL, -- a byte each: 0 new, 1 correction, 2 retraction
  contract_versions int[] NOT NULL,
  areas int[] NOT NULL, -- places in area_set; 0: none
  keys bytea[] NOT NULL,
  packed bytea[] NOT NULL, -- null for a retraction
  PRIMARY KEY (partition_id, first_time, id)
) PARTITION BY RANGE (first_time);

-- Where the server can, content is compressed the quick way.
DO $$
BEGIN
  ALTER TABLE datahub.history_segment
    ALTER COLUMN times SET COMPRESSION lz4, ALTER COLUMN froms SET COMPRESSION lz4, ALTER COLUMN areas SET COMPRESSION lz4,
    ALTER COLUMN contract_versions SET COMPRESSION lz4, ALTER COLUMN keys SET COMPRESSION lz4, ALTER COLUMN packed SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END
$$;

CREATE INDEX history_segment_run ON datahub.history_segment (partition_id, day, level, run);

CREATE TABLE datahub.history_segment_early PARTITION OF datahub.history_segment FOR VALUES FROM (MINVALUE) TO (datahub.ticks('2000-01-01Z'));
CREATE TABLE datahub.history_segment_late PARTITION OF datahub.history_segment FOR VALUES FROM (datahub.ticks('2100-01-01Z')) TO (MAXVALUE);

-- Makes the years of history where they are missing; all before 2000 and all from 2100 on lie together.
CREATE OR REPLACE FUNCTION datahub.add_history_years(years int[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  year int;
  name text;
  made int := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('datahub.add_history_years'));
  FOREACH year IN ARRAY years LOOP
    CONTINUE WHEN year < 2000 OR year > 2099;
    name := 'history_segment_' || year;
    IF to_regclass('datahub.' || name) IS NULL THEN
      EXECUTE format('CREATE TABLE datahub.%I PARTITION OF datahub.history_segment FOR VALUES FROM (%L) TO (%L)', name,
        datahub.ticks(make_timestamptz(year, 1, 1, 0, 0, 0, 'UTC')), datahub.ticks(make_timestamptz(year + 1, 1, 1, 0, 0, 0, 'UTC')));
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON datahub.%I TO datahub_silo', name);
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END
$$;

CREATE FUNCTION analysis.day(ticks bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ticks / 864000000000 - CASE WHEN ticks % 864000000000 < 0 THEN 1 ELSE 0 END;
COMMENT ON FUNCTION analysis.day IS 'The day (since 0001-01-01 UTC) of a time in ticks, as in the column day';

-- What stood one by one is cut into segments: a version that ended without another in its place becomes one and its end.
SELECT datahub.add_history_years(ARRAY(
  SELECT DISTINCT extract(year FROM datahub.instant(day * 864000000000) AT TIME ZONE 'UTC')::int
  FROM (SELECT DISTINCT analysis.day(time) AS day FROM datahub.observed_version WHERE time >= 0) d));

INSERT INTO datahub.history_segment
  (partition_id, day, level, run, first_time, last_time, row_count, ends, area_set, times, froms, changes, contract_versions, areas, keys, packed)
SELECT n.partition_id, n.day, 6, 0, min(n.time), max(n.time), count(*), bool_or(n.change <> 0), s.area_set,
  array_agg(n.time ORDER BY n.place), array_agg(n.from_sequence ORDER BY n.place),
  decode(string_agg(lpad(to_hex(n.change), 2, '0'), '' ORDER BY n.place), 'hex'), array_agg(n.contract_version ORDER BY n.place),
  array_agg(coalesce(array_position(s.area_set, n.area_key), 0) ORDER BY n.place), array_agg(n.row_key ORDER BY n.place), array_agg(n.packed ORDER BY n.place)
FROM (
  SELECT c.*, a.area_key, row_number() OVER by_place AS place, (row_number() OVER by_place - 1) / 1024 AS chunk
  FROM (
    SELECT partition_id, analysis.day(time) AS day, time, row_key, from_sequence, contract_version, area_id, packed,
      CASE WHEN lag(to_sequence) OVER of_key = from_sequence THEN 1 ELSE 0 END AS change
    FROM datahub.observed_version
    WINDOW of_key AS (PARTITION BY partition_id, time, row_key ORDER BY from_sequence)
    UNION ALL
    SELECT partition_id, analysis.day(time), time, row_key, to_sequence, contract_version, NULL, NULL, 2
    FROM (
      SELECT *, lead(from_sequence) OVER (PARTITION BY partition_id, time, row_key ORDER BY from_sequence) AS next
      FROM datahub.observed_version) v
    WHERE to_sequence < 9223372036854775807 AND next IS DISTINCT FROM to_sequence) c
  LEFT JOIN datahub.area a ON a.id = c.area_id
  WINDOW by_place AS (PARTITION BY c.partition_id, c.day ORDER BY c.time, c.row_key, c.from_sequence)) n
JOIN (
  SELECT partition_id, analysis.day(time) AS day, coalesce(array_agg(DISTINCT a.area_key) FILTER (WHERE a.area_key IS NOT NULL), '{}') AS area_set
  FROM datahub.observed_version v LEFT JOIN datahub.area a ON a.id = v.area_id GROUP BY 1, 2) s ON s.partition_id = n.partition_id AND s.day = n.day
GROUP BY n.partition_id, n.day, n.chunk, s.area_set;

DROP FUNCTION analysis.rows_between;
DROP VIEW analysis.row_versions;
DROP VIEW analysis.rows;
DROP VIEW datahub.readable_version;
DROP TABLE datahub.observed_version;

-- Versions of rows with what their fields are called; the branch of a partition is known from its position. A version in a
-- segment ends where the next one of its time and key begins. How a version came is looked up for each in the views below
-- (OFFSET 0), whatever statistics say.
CREATE VIEW datahub.readable_version AS
SELECT d.dataset, d.access, p.id AS partition_id, v.day, v.time AS time_ticks, v.area,
  datahub.content(v.packed, f.names, f.types, f.shown) AS content, v.from_sequence, v.to_sequence
FROM datahub.history_position p
JOIN datahub.dataset_description d ON d.dataset = regexp_replace(p.partition_key, '/[0-9]+$', '') COLLATE "C"
JOIN LATERAL (
  SELECT array_agg(name ORDER BY ordinal) AS names, array_agg(type ORDER BY ordinal) AS types, array_agg(role <> 'personal' ORDER BY ordinal) AS shown
  FROM datahub.field_description WHERE field_description.dataset = d.dataset) f ON true
JOIN LATERAL (
  SELECT o.day, o.time, o.area, o.packed, o.from_sequence, o.to_sequence
  FROM (
    SELECT s.day, u.time, s.area_set[u.area] AS area, u.packed, u.from_sequence,
      coalesce(lead(u.from_sequence) OVER (PARTITION BY s.day, u.time, u.row_key ORDER BY u.from_sequence), 9223372036854775807) AS to_sequence
    FROM datahub.history_segment s
    CROSS JOIN LATERAL unnest(s.times, s.froms, s.areas, s.keys, s.packed) AS u (time, from_sequence, area, row_key, packed)
    WHERE s.partition_id = p.id AND p.by_time) o
  WHERE o.packed IS NOT NULL
  UNION ALL
  SELECT analysis.day(r.time), r.time, a.area_key, r.packed, r.from_sequence, r.to_sequence
  FROM datahub.record_version r LEFT JOIN datahub.area a ON a.id = r.area_id
  WHERE r.partition_id = p.id AND NOT p.by_time) v ON true;
REVOKE ALL ON datahub.readable_version FROM datahub_silo;

CREATE VIEW analysis.rows WITH (security_barrier) AS
SELECT v.dataset, datahub.instant(v.time_ticks) AS time, v.area, v.content, datahub.instant(b.received_at) AS received_at, b.feed, b.receipt, v.time_ticks, v.day
FROM datahub.readable_version v
JOIN LATERAL (SELECT received_at, feed, receipt FROM datahub.history_batch WHERE partition_id = v.partition_id AND sequence = v.from_sequence OFFSET 0) b ON true
WHERE v.to_sequence = 9223372036854775807 AND analysis.may_read(v.access);
COMMENT ON VIEW analysis.rows IS 'Rows as they stand now. With a span of time, analysis.rows_between is faster';
COMMENT ON COLUMN analysis.rows.dataset IS 'Id of the dataset; name one, or every row of the hub is read';
COMMENT ON COLUMN analysis.rows.time IS 'The row''s time; null where it has none';
COMMENT ON COLUMN analysis.rows.area IS 'Id of the area it lies in';
COMMENT ON COLUMN analysis.rows.content IS 'Its fields with a value by their names, personal ones left out: content->>''no2''';
COMMENT ON COLUMN analysis.rows.received_at IS 'When this version of it came';
COMMENT ON COLUMN analysis.rows.feed IS 'Through which feed';
COMMENT ON COLUMN analysis.rows.receipt IS 'Under which receipt';
COMMENT ON COLUMN analysis.rows.time_ticks IS 'The time as it is indexed: 100 ns since 0001-01-01 UTC';
COMMENT ON COLUMN analysis.rows.day IS 'Day of the time, by which rows lie together: since 0001-01-01 UTC';

CREATE VIEW analysis.row_versions WITH (security_barrier) AS
SELECT v.dataset, datahub.instant(v.time_ticks) AS time, v.area, v.content, datahub.instant(b.received_at) AS known_from, datahub.instant(e.received_at) AS known_until,
  b.feed, b.receipt, v.time_ticks, v.day
FROM datahub.readable_version v
JOIN LATERAL (SELECT received_at, feed, receipt FROM datahub.history_batch WHERE partition_id = v.partition_id AND sequence = v.from_sequence OFFSET 0) b ON true
LEFT JOIN LATERAL (SELECT received_at FROM datahub.history_batch WHERE partition_id = v.partition_id AND sequence = v.to_sequence OFFSET 0) e ON true
WHERE analysis.may_read(v.access);
COMMENT ON VIEW analysis.row_versions IS 'Every version that a row ever had';
COMMENT ON COLUMN analysis.row_versions.dataset IS 'Id of the dataset; name one, or every row of the hub is read';
COMMENT ON COLUMN analysis.row_versions.time IS 'The row''s time; null where it has none';
COMMENT ON COLUMN analysis.row_versions.area IS 'Id of the area it lies in';
COMMENT ON COLUMN analysis.row_versions.content IS 'Its fields with a value by their names, personal ones left out';
COMMENT ON COLUMN analysis.row_versions.known_from IS 'When this version came';
COMMENT ON COLUMN analysis.row_versions.known_until IS 'When it was corrected or retracted; null while it stands';
COMMENT ON COLUMN analysis.row_versions.feed IS 'Through which feed it came';
COMMENT ON COLUMN analysis.row_versions.receipt IS 'Under which receipt it came';
COMMENT ON COLUMN analysis.row_versions.time_ticks IS 'The time as it is indexed: 100 ns since 0001-01-01 UTC';
COMMENT ON COLUMN analysis.row_versions.day IS 'Day of the time, by which rows lie together: since 0001-01-01 UTC';

CREATE FUNCTION analysis.rows_between(dataset text, since timestamptz, until timestamptz) RETURNS SETOF analysis.rows
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT * FROM analysis.rows r WHERE r.dataset = rows_between.dataset
  AND r.day >= analysis.day(analysis.ticks(since)) AND r.day <= analysis.day(analysis.ticks(until)) AND r.time_ticks >= analysis.ticks(since) AND r.time_ticks < analysis.ticks(until) $$;
COMMENT ON FUNCTION analysis.rows_between IS 'Rows of a dataset with a time from since (inclusive) to until (exclusive), by the index';
