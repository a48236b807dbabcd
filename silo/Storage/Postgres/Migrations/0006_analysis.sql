-- What analysts read with plain SQL: views of rows, cells, feeds and what they mean, in a schema of their own. They show
-- what is open, no personal fields, and no value that stands on too few rows. Who is in the role datahub_analyst_internal
-- instead of datahub_analyst sees what is internal too.
DO $$
BEGIN
  BEGIN
    CREATE ROLE datahub_analyst_internal NOLOGIN;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
  END;
END
$$;

-- A cell's value and rows, beside the accumulator that only the program can read. No rows until the cell is next stored.
ALTER TABLE datahub.cell ADD COLUMN value double precision, ADD COLUMN row_count bigint NOT NULL DEFAULT 0;

-- Which version of a grain's state the descriptions below were taken from. Emptied, they are all taken anew.
CREATE TABLE datahub.described (
  grain_type text COLLATE "C" NOT NULL,
  grain_key text COLLATE "C" NOT NULL,
  version int NOT NULL,
  PRIMARY KEY (grain_type, grain_key)
);

CREATE TABLE datahub.dataset_description (
  dataset text COLLATE "C" PRIMARY KEY,
  title_de text, title_en text,
  publisher text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  access text NOT NULL,
  license text,
  area_system text COLLATE "C",
  contract_version int NOT NULL
);

CREATE TABLE datahub.field_description (
  dataset text COLLATE "C" NOT NULL,
  ordinal int NOT NULL, -- from 0, as in packed rows
  name text NOT NULL,
  type text NOT NULL,
  role text NOT NULL,
  unit text,
  title_de text, title_en text,
  PRIMARY KEY (dataset, ordinal)
);

CREATE TABLE datahub.indicator_description (
  indicator text COLLATE "C" PRIMARY KEY,
  version int NOT NULL, -- that which answers
  dataset text COLLATE "C" NOT NULL,
  title_de text, title_en text,
  access text NOT NULL,
  license text,
  function text NOT NULL,
  field text,
  filter text,
  "window" text NOT NULL,
  sliding text,
  time_zone text NOT NULL,
  by_area boolean NOT NULL,
  dimensions jsonb NOT NULL,
  unit text,
  decimals int,
  minimum_count int NOT NULL
);

CREATE TABLE datahub.area_description (
  system text COLLATE "C" NOT NULL,
  area text COLLATE "C" NOT NULL,
  parent text COLLATE "C",
  name text NOT NULL,
  level int NOT NULL,
  population bigint,
  PRIMARY KEY (system, area)
);

-- Whole numbers as packed rows have them: so many bytes, the highest first. Eight of them are as signed as they were.
CREATE FUNCTION datahub.whole(bytes bytea, at int, size int) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT ('x' || lpad(encode(substring(bytes FROM at + 1 FOR size), 'hex'), 16, '0'))::bit(64)::bigint $$;

-- An IEEE 754 double of its bits.
CREATE FUNCTION datahub.double_of(bits bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN bits < 0 THEN -1 ELSE 1 END * CASE
    WHEN (bits >> 52) & 2047 = 0 THEN (bits & 4503599627370495)::double precision * power(2::double precision, -1074)
    ELSE ((bits & 4503599627370495) | 4503599627370496)::double precision * power(2::double precision, ((bits >> 52) & 2047) - 1075)
  END
$$;

-- A whole number of a packed row as the API writes it for the field's type.
CREATE FUNCTION datahub.written(number bigint, type text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  fraction text;
BEGIN
  CASE type
    WHEN 'datetime', 'time' THEN
      fraction := rtrim(lpad((number % 10000000)::text, 7, '0'), '0');
      RETURN to_jsonb(to_char(datahub.instant(number / 10000000 * 10000000) AT TIME ZONE 'UTC', CASE type WHEN 'time' THEN 'HH24:MI:SS' ELSE 'YYYY-MM-DD"T"HH24:MI:SS' END)
        || CASE fraction WHEN '' THEN '' ELSE '.' || fraction END || CASE type WHEN 'time' THEN '' ELSE 'Z' END);
    WHEN 'date' THEN RETURN to_jsonb(to_char(date '0001-01-01' + number::int, 'YYYY-MM-DD'));
    WHEN 'yearmonth' THEN RETURN to_jsonb(lpad((number / 12)::text, 4, '0') || '-' || lpad((number % 12 + 1)::text, 2, '0'));
    ELSE RETURN to_jsonb(number);
  END CASE;
END
$$;

-- A packed row (a MessagePack array) as an object by the names of its fields. Fields that are not to be shown, and those
-- that the description does not know yet, are left out, as are those without a value. Runs as the owner, because analysts
-- may not look into this schema.
CREATE FUNCTION datahub.content(packed bytea, names text[], types text[], shown boolean[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  tag int := get_byte(packed, 0);
  at int := 1;
  fields int;
  size int;
  item jsonb;
  result jsonb := '{}';
BEGIN
  CASE
    WHEN tag BETWEEN 144 AND 159 THEN fields := tag - 144;
    WHEN tag = 220 THEN fields := datahub.whole(packed, 1, 2); at := 3;
    WHEN tag = 221 THEN fields := datahub.whole(packed, 1, 4); at := 5;
  END CASE;
  FOR i IN 1 .. fields LOOP
    tag := get_byte(packed, at);
    at := at + 1;
    item := NULL;
    size := 0;
    CASE
      WHEN tag = 192 THEN NULL;
      WHEN tag IN (194, 195) THEN item := to_jsonb(tag = 195);
      WHEN tag = 203 THEN size := 8; item := to_jsonb(datahub.double_of(datahub.whole(packed, at, 8)));
      WHEN tag < 128 THEN item := datahub.written(tag, types[i]);
      WHEN tag >= 224 THEN item := datahub.written(tag - 256, types[i]);
      WHEN tag BETWEEN 204 AND 207 THEN size := 1 << (tag - 204); item := datahub.written(datahub.whole(packed, at, size), types[i]);
      WHEN tag = 208 THEN size := 1; item := datahub.written((datahub.whole(packed, at, 1) + 128) % 256 - 128, types[i]);
      WHEN tag = 209 THEN size := 2; item := datahub.written((datahub.whole(packed, at, 2) + 32768) % 65536 - 32768, types[i]);
      WHEN tag = 210 THEN size := 4; item := datahub.written((datahub.whole(packed, at, 4) + 2147483648) % 4294967296 - 2147483648, types[i]);
      WHEN tag = 211 THEN size := 8; item := datahub.written(datahub.whole(packed, at, 8), types[i]);
      ELSE
        CASE
          WHEN tag BETWEEN 160 AND 191 THEN size := tag - 160;
          WHEN tag = 217 THEN size := datahub.whole(packed, at, 1); at := at + 1;
          WHEN tag = 218 THEN size := datahub.whole(packed, at, 2); at := at + 2;
          WHEN tag = 219 THEN size := datahub.whole(packed, at, 4); at := at + 4;
        END CASE;
        item := to_jsonb(datahub.readable(substring(packed FROM at + 1 FOR size)));
    END CASE;
    at := at + size;
    IF item IS NOT NULL AND shown[i] THEN result := result || jsonb_build_object(names[i], item); END IF;
  END LOOP;
  RETURN result;
END
$$;

-- Where a calendar window ends: up to an hour in elapsed time, longer ones by the clock of the zone.
CREATE FUNCTION datahub.window_end(begins timestamptz, length text, zone text) RETURNS timestamptz
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN length::interval <= interval '1 hour' THEN begins + length::interval ELSE (begins AT TIME ZONE zone + length::interval) AT TIME ZONE zone END
$$;

CREATE SCHEMA analysis;
COMMENT ON SCHEMA analysis IS 'Rows, cells and what they mean, for reading with plain SQL';
GRANT USAGE ON SCHEMA analysis TO datahub_analyst, datahub_analyst_internal;
ALTER DEFAULT PRIVILEGES IN SCHEMA analysis GRANT SELECT ON TABLES TO datahub_analyst, datahub_analyst_internal;

-- Who asks, not whose view it is, decides.
CREATE FUNCTION analysis.may_read(access text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN access = 'open' OR pg_has_role(current_user, 'datahub_analyst_internal', 'MEMBER');
COMMENT ON FUNCTION analysis.may_read IS 'Whether whoever asks sees rows and values of this access';

CREATE FUNCTION analysis.ticks(instant timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN datahub.ticks(instant);
COMMENT ON FUNCTION analysis.ticks IS 'An instant as time_ticks and window_ticks have it';

CREATE VIEW analysis.datasets AS
SELECT dataset, title_de, title_en, publisher, kind, access, license, area_system, contract_version, analysis.may_read(access) AS readable
FROM datahub.dataset_description;
COMMENT ON VIEW analysis.datasets IS 'What is described, owned and released';
COMMENT ON COLUMN analysis.datasets.dataset IS 'Id';
COMMENT ON COLUMN analysis.datasets.title_de IS 'German title';
COMMENT ON COLUMN analysis.datasets.title_en IS 'English title';
COMMENT ON COLUMN analysis.datasets.publisher IS 'Id of the agency';
COMMENT ON COLUMN analysis.datasets.kind IS 'observations (a series and a time) or records (a key and a life cycle)';
COMMENT ON COLUMN analysis.datasets.access IS 'open or internal';
COMMENT ON COLUMN analysis.datasets.license IS 'As the publisher gave it';
COMMENT ON COLUMN analysis.datasets.area_system IS 'System that areas of rows are of; see analysis.areas';
COMMENT ON COLUMN analysis.datasets.contract_version IS 'Present version of the fields';
COMMENT ON COLUMN analysis.datasets.readable IS 'Whether you see its rows';

CREATE VIEW analysis.fields AS
SELECT f.dataset, f.ordinal, f.name, f.type, f.role, f.unit, f.title_de, f.title_en, f.role <> 'personal' AS shown
FROM datahub.field_description f;
COMMENT ON VIEW analysis.fields IS 'Fields of the datasets'' rows, in the present version of the contract';
COMMENT ON COLUMN analysis.fields.dataset IS 'Id of the dataset';
COMMENT ON COLUMN analysis.fields.ordinal IS 'Place, from 0';
COMMENT ON COLUMN analysis.fields.name IS 'Name of the member in content';
COMMENT ON COLUMN analysis.fields.type IS 'Type of Frictionless Table Schema';
COMMENT ON COLUMN analysis.fields.role IS 'What it means to the hub: time, area, series, measure, dimension, opened, closed, revision, personal, …';
COMMENT ON COLUMN analysis.fields.unit IS 'UCUM code';
COMMENT ON COLUMN analysis.fields.title_de IS 'German title';
COMMENT ON COLUMN analysis.fields.title_en IS 'English title';
COMMENT ON COLUMN analysis.fields.shown IS 'False for personal data, which no view shows';

CREATE VIEW analysis.areas AS
SELECT system, area, parent, name, level, population FROM datahub.area_description;
COMMENT ON VIEW analysis.areas IS 'Areas of the present version of each area system';
COMMENT ON COLUMN analysis.areas.system IS 'Id of the system';
COMMENT ON COLUMN analysis.areas.area IS 'Id, unique in the system';
COMMENT ON COLUMN analysis.areas.parent IS 'Area one level up; null at level 0';
COMMENT ON COLUMN analysis.areas.name IS 'For people';
COMMENT ON COLUMN analysis.areas.level IS 'Depth, 0 is the coarsest';
COMMENT ON COLUMN analysis.areas.population IS 'Inhabitants; null where unknown';

CREATE VIEW analysis.feeds WITH (security_barrier) AS
SELECT c.dataset, c.feed, sum(c.pushes)::bigint AS pushes, sum(c.received)::bigint AS received, sum(c.accepted)::bigint AS accepted,
  sum(c.duplicate)::bigint AS duplicate, sum(c.quarantined)::bigint AS quarantined,
  datahub.instant(max(c.last_received)) AS last_received, datahub.instant(max(c.newest_row)) AS newest_row
FROM datahub.feed_count c
JOIN datahub.dataset_description d USING (dataset)
WHERE analysis.may_read(d.access)
GROUP BY c.dataset, c.feed;
COMMENT ON VIEW analysis.feeds IS 'What each feed has brought: received = accepted + duplicate + quarantined';
COMMENT ON COLUMN analysis.feeds.dataset IS 'Id of the dataset';
COMMENT ON COLUMN analysis.feeds.feed IS 'Id of the source that pushes';
COMMENT ON COLUMN analysis.feeds.pushes IS 'Pushes taken';
COMMENT ON COLUMN analysis.feeds.received IS 'Rows in them';
COMMENT ON COLUMN analysis.feeds.accepted IS 'Rows that are new, corrected or retracted something';
COMMENT ON COLUMN analysis.feeds.duplicate IS 'Rows that were there already';
COMMENT ON COLUMN analysis.feeds.quarantined IS 'Rows that did not pass and wait';
COMMENT ON COLUMN analysis.feeds.last_received IS 'When the last push came';
COMMENT ON COLUMN analysis.feeds.newest_row IS 'Greatest time of a row';

-- Versions of rows with what their fields are called; the branch of a partition is known from its position. How a version
-- came is looked up for each in the views below (OFFSET 0), whatever statistics say.
CREATE VIEW datahub.readable_version AS
SELECT d.dataset, d.access, p.id AS partition_id, v.time AS time_ticks, a.area_key AS area,
  datahub.content(v.packed, f.names, f.types, f.shown) AS content, v.from_sequence, v.to_sequence
FROM datahub.history_position p
JOIN datahub.dataset_description d ON d.dataset = regexp_replace(p.partition_key, '/[0-9]+$', '') COLLATE "C"
JOIN LATERAL (
  SELECT array_agg(name ORDER BY ordinal) AS names, array_agg(type ORDER BY ordinal) AS types, array_agg(role <> 'personal' ORDER BY ordinal) AS shown
  FROM datahub.field_description WHERE field_description.dataset = d.dataset) f ON true
JOIN LATERAL (
  SELECT time, area_id, packed, from_sequence, to_sequence FROM datahub.observed_version WHERE partition_id = p.id AND p.by_time
  UNION ALL
  SELECT time, area_id, packed, from_sequence, to_sequence FROM datahub.record_version WHERE partition_id = p.id AND NOT p.by_time) v ON true
LEFT JOIN datahub.area a ON a.id = v.area_id;
REVOKE ALL ON datahub.readable_version FROM datahub_silo;

CREATE VIEW analysis.rows WITH (security_barrier) AS
SELECT v.dataset, datahub.instant(v.time_ticks) AS time, v.area, v.content, datahub.instant(b.received_at) AS received_at, b.feed, b.receipt, v.time_ticks
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

CREATE VIEW analysis.row_versions WITH (security_barrier) AS
SELECT v.dataset, datahub.instant(v.time_ticks) AS time, v.area, v.content, datahub.instant(b.received_at) AS known_from, datahub.instant(e.received_at) AS known_until,
  b.feed, b.receipt, v.time_ticks
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

CREATE FUNCTION analysis.rows_between(dataset text, since timestamptz, until timestamptz) RETURNS SETOF analysis.rows
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT * FROM analysis.rows r WHERE r.dataset = rows_between.dataset AND r.time_ticks >= analysis.ticks(since) AND r.time_ticks < analysis.ticks(until) $$;
COMMENT ON FUNCTION analysis.rows_between IS 'Rows of a dataset with a time from since (inclusive) to until (exclusive), by the index';

CREATE VIEW analysis.quarantine WITH (security_barrier) AS
SELECT q.dataset, q.feed, datahub.readable(q.cause) AS cause,
  CASE q.state WHEN 0 THEN 'open' WHEN 1 THEN 'accepted' WHEN 2 THEN 'duplicate' WHEN 3 THEN 'discarded' ELSE 'erased' END AS state,
  count(*) AS rows, datahub.instant(min(q.received_at)) AS first_received, datahub.instant(max(q.received_at)) AS last_received
FROM datahub.quarantined_row q
JOIN datahub.dataset_description d USING (dataset)
WHERE analysis.may_read(d.access)
GROUP BY q.dataset, q.feed, q.cause, q.state;
COMMENT ON VIEW analysis.quarantine IS 'Rows that did not pass, by cause';
COMMENT ON COLUMN analysis.quarantine.dataset IS 'Id of the dataset';
COMMENT ON COLUMN analysis.quarantine.feed IS 'Through which feed they came';
COMMENT ON COLUMN analysis.quarantine.cause IS 'Their errors as field:code, joined by +';
COMMENT ON COLUMN analysis.quarantine.state IS 'What became of them: open, accepted, duplicate, discarded, erased';
COMMENT ON COLUMN analysis.quarantine.rows IS 'How many';
COMMENT ON COLUMN analysis.quarantine.first_received IS 'When the first came';
COMMENT ON COLUMN analysis.quarantine.last_received IS 'When the last came';

CREATE VIEW analysis.indicators AS
SELECT indicator, version, dataset, title_de, title_en, access, license, function, field, filter, "window", sliding, time_zone, by_area, dimensions, unit, decimals, minimum_count,
  analysis.may_read(access) AS readable
FROM datahub.indicator_description;
COMMENT ON VIEW analysis.indicators IS 'Definitions that answer, without formulas, which have no cells of their own';
COMMENT ON COLUMN analysis.indicators.indicator IS 'Id';
COMMENT ON COLUMN analysis.indicators.version IS 'Version of the definition';
COMMENT ON COLUMN analysis.indicators.dataset IS 'Id of the dataset that is measured';
COMMENT ON COLUMN analysis.indicators.title_de IS 'German title';
COMMENT ON COLUMN analysis.indicators.title_en IS 'English title';
COMMENT ON COLUMN analysis.indicators.access IS 'open or internal';
COMMENT ON COLUMN analysis.indicators.license IS 'Of the dataset';
COMMENT ON COLUMN analysis.indicators.function IS 'What is done with the rows of a cell';
COMMENT ON COLUMN analysis.indicators.field IS 'The measured field; null where rows are counted';
COMMENT ON COLUMN analysis.indicators.filter IS 'CQL2 text; only such rows count';
COMMENT ON COLUMN analysis.indicators."window" IS 'ISO 8601 duration that time is cut into';
COMMENT ON COLUMN analysis.indicators.sliding IS 'ISO 8601 duration that a value of the API covers; cells hold single windows';
COMMENT ON COLUMN analysis.indicators.time_zone IS 'Zone of the calendar';
COMMENT ON COLUMN analysis.indicators.by_area IS 'Whether rows are grouped by area';
COMMENT ON COLUMN analysis.indicators.dimensions IS 'Fields that rows are grouped by besides, in order';
COMMENT ON COLUMN analysis.indicators.unit IS 'Unit of the values';
COMMENT ON COLUMN analysis.indicators.decimals IS 'Places that the API rounds to; cells are not rounded';
COMMENT ON COLUMN analysis.indicators.minimum_count IS 'Values on fewer rows are suppressed';
COMMENT ON COLUMN analysis.indicators.readable IS 'Whether you see its cells';

-- A dataset of several partitions has parts of a cell in each; what cannot be told from the parts' values has none here.
CREATE VIEW analysis.cells WITH (security_barrier) AS
SELECT c.indicator, datahub.instant(c.window_from) AS window_from, datahub.window_end(datahub.instant(c.window_from), c."window", c.time_zone) AS window_to,
  nullif(c.area, '') AS area, CASE c.names WHEN '[]' THEN NULL ELSE
    (SELECT jsonb_object_agg(n.name, v.value) FROM jsonb_array_elements_text(c.names) WITH ORDINALITY AS n (name, place)
      JOIN jsonb_array_elements_text(nullif(c.dimensions, '')::jsonb) WITH ORDINALITY AS v (value, place) USING (place)) END AS dimensions,
  CASE WHEN c.suppressed THEN NULL ELSE c.value END AS value, CASE WHEN c.suppressed THEN NULL ELSE c.rows END AS count,
  CASE WHEN c.suppressed THEN 'suppressed' WHEN c.value IS NULL THEN 'missing'
    WHEN datahub.window_end(datahub.instant(c.window_from), c."window", c.time_zone) > now() THEN 'preliminary' ELSE 'ok' END AS state,
  datahub.instant(c.folded_to) AS folded_to, c.window_from AS window_ticks
FROM (
  SELECT i.indicator, i."window", i.time_zone, i.dimensions AS names, c.window_from, c.area, c.dimensions, sum(c.row_count)::bigint AS rows, min(p.received_at) AS folded_to,
    sum(c.row_count) < i.minimum_count AS suppressed,
    CASE
      WHEN count(*) = 1 THEN min(c.value)
      WHEN i.function IN ('count', 'sum', 'open') THEN sum(c.value)
      WHEN i.function = 'mean' THEN sum(c.value * c.row_count) / sum(c.row_count)
      WHEN i.function = 'min' THEN min(c.value)
      WHEN i.function = 'max' THEN max(c.value)
    END AS value
  FROM datahub.indicator_description i
  JOIN datahub.fold_position p ON p.indicator = i.indicator AND p.version = i.version
  JOIN datahub.cell c ON c.fold_id = p.id AND c.row_count > 0
  WHERE analysis.may_read(i.access)
  GROUP BY i.indicator, c.window_from, c.area, c.dimensions) c;
COMMENT ON VIEW analysis.cells IS 'Values of indicators by window, area as rows carry it, and dimensions. With a span of time, analysis.cells_between is faster';
COMMENT ON COLUMN analysis.cells.indicator IS 'Id of the indicator; name one, or every cell of the hub is read';
COMMENT ON COLUMN analysis.cells.window_from IS 'Where the window begins';
COMMENT ON COLUMN analysis.cells.window_to IS 'Where it ends';
COMMENT ON COLUMN analysis.cells.area IS 'Id of the area; null where not grouped by area, or rows have none. Coarser levels are the API''s';
COMMENT ON COLUMN analysis.cells.dimensions IS 'Values of the dimensions by their names; null where not grouped by any';
COMMENT ON COLUMN analysis.cells.value IS 'Not rounded; the change within the window for open; null where suppressed, and where parts of it lie in several partitions and its function cannot be told from theirs';
COMMENT ON COLUMN analysis.cells.count IS 'Rows in the cell; null where suppressed';
COMMENT ON COLUMN analysis.cells.state IS 'ok, preliminary (the window is not over), suppressed (too few rows), missing (no value)';
COMMENT ON COLUMN analysis.cells.folded_to IS 'Rows received up to then are in it';
COMMENT ON COLUMN analysis.cells.window_ticks IS 'The window''s begin as it is indexed: 100 ns since 0001-01-01 UTC';

CREATE FUNCTION analysis.cells_between(indicator text, since timestamptz, until timestamptz) RETURNS SETOF analysis.cells
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT * FROM analysis.cells c WHERE c.indicator = cells_between.indicator AND c.window_ticks >= analysis.ticks(since) AND c.window_ticks < analysis.ticks(until) $$;
COMMENT ON FUNCTION analysis.cells_between IS 'Cells of an indicator whose windows begin from since (inclusive) to until (exclusive), by the index';
