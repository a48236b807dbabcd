-- How far history is stored, per partition.
CREATE TABLE datahub.history_position (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  partition_key text COLLATE "C" NOT NULL UNIQUE,
  sequence bigint NOT NULL,
  accepted bigint NOT NULL,
  by_time boolean NOT NULL -- its rows lie in observed_version, else in record_version
) WITH (fillfactor = 50);

-- Ids of areas, to keep their index narrow.
CREATE TABLE datahub.area (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  area_key text COLLATE "C" NOT NULL UNIQUE
);

-- When and through whom the rows of a sequence came.
CREATE TABLE datahub.history_batch (
  partition_id bigint NOT NULL,
  sequence bigint NOT NULL,
  received_at bigint NOT NULL, -- ticks
  feed text COLLATE "C",
  receipt text COLLATE "C",
  PRIMARY KEY (partition_id, sequence)
);

-- Receipts of a feed, newest first: their ids begin with the time.
CREATE INDEX history_batch_receipt ON datahub.history_batch (partition_id, feed, receipt) WHERE receipt IS NOT NULL;

-- Versions of rows whose key contains their time: held from from_sequence on, before to_sequence (the greatest bigint
-- while it stands). The primary key is the index by time and by key, and keeps two versions from standing at once.
CREATE TABLE datahub.observed_version (
  partition_id bigint NOT NULL,
  time bigint NOT NULL, -- ticks
  row_key bytea NOT NULL,
  from_sequence bigint NOT NULL,
  to_sequence bigint NOT NULL,
  area_id bigint,
  contract_version int NOT NULL,
  packed bytea NOT NULL,
  PRIMARY KEY (partition_id, time, row_key, to_sequence)
) PARTITION BY RANGE (time);

CREATE INDEX observed_version_area ON datahub.observed_version (partition_id, area_id, time) WHERE area_id IS NOT NULL;

CREATE TABLE datahub.observed_version_early PARTITION OF datahub.observed_version FOR VALUES FROM (MINVALUE) TO (datahub.ticks('2000-01-01Z'));
CREATE TABLE datahub.observed_version_late PARTITION OF datahub.observed_version FOR VALUES FROM (datahub.ticks('2100-01-01Z')) TO (MAXVALUE);

-- Makes the years of history where they are missing; all before 2000 and all from 2100 on lie together.
CREATE FUNCTION datahub.add_history_years(years int[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  year int;
  name text;
  made int := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('datahub.add_history_years'));
  FOREACH year IN ARRAY years LOOP
    CONTINUE WHEN year < 2000 OR year > 2099;
    name := 'observed_version_' || year;
    IF to_regclass('datahub.' || name) IS NULL THEN
      EXECUTE format('CREATE TABLE datahub.%I PARTITION OF datahub.observed_version FOR VALUES FROM (%L) TO (%L)', name,
        datahub.ticks(make_timestamptz(year, 1, 1, 0, 0, 0, 'UTC')), datahub.ticks(make_timestamptz(year + 1, 1, 1, 0, 0, 0, 'UTC')));
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON datahub.%I TO datahub_silo', name);
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END
$$;

-- Versions of rows whose key does not contain their time: it may change, so they are not divided by it.
CREATE TABLE datahub.record_version (
  partition_id bigint NOT NULL,
  time bigint NOT NULL, -- ticks; the smallest bigint where the row has none
  row_key bytea NOT NULL,
  from_sequence bigint NOT NULL,
  to_sequence bigint NOT NULL,
  area_id bigint,
  contract_version int NOT NULL,
  packed bytea NOT NULL,
  PRIMARY KEY (partition_id, time, row_key, to_sequence)
);

-- What stands under a key; also keeps two versions from standing at once.
CREATE UNIQUE INDEX record_version_standing ON datahub.record_version (partition_id, row_key) WHERE to_sequence = 9223372036854775807;
-- What stood under a key before.
CREATE INDEX record_version_key ON datahub.record_version (partition_id, row_key, from_sequence);
CREATE INDEX record_version_area ON datahub.record_version (partition_id, area_id, time) WHERE area_id IS NOT NULL;

-- The newest time that a series ever had.
CREATE TABLE datahub.series (
  partition_id bigint NOT NULL,
  series_key bytea NOT NULL,
  newest bigint NOT NULL,
  PRIMARY KEY (partition_id, series_key)
) WITH (fillfactor = 50);

-- Rows that did not pass, each named by where it lies in the log, with its cause and what became of it.
CREATE TABLE datahub.quarantined_row (
  partition_id bigint NOT NULL,
  sequence bigint NOT NULL,
  idx int NOT NULL, -- place among the quarantined rows of its batch, from 0
  dataset text COLLATE "C" NOT NULL,
  feed text COLLATE "C" NOT NULL,
  receipt text COLLATE "C" NOT NULL,
  received_at bigint NOT NULL, -- ticks
  cause bytea NOT NULL, -- its errors as field:code, joined by +
  value bytea, -- what stood in the field, where there is one error and it tells
  state int NOT NULL, -- 0 open, 1 accepted, 2 duplicate, 3 discarded, 4 erased
  settled_sequence bigint, -- of the act
  corrected bytea, -- as it was replayed, where it was changed
  payload bytea NOT NULL,
  PRIMARY KEY (partition_id, sequence, idx)
);

CREATE INDEX quarantined_row_newest ON datahub.quarantined_row (dataset, received_at, partition_id, sequence, idx);
CREATE INDEX quarantined_row_cause ON datahub.quarantined_row (dataset, state, md5(cause), received_at, partition_id, sequence, idx);
CREATE INDEX quarantined_row_receipt ON datahub.quarantined_row (receipt);

-- What was done to quarantined rows: who, when, why, and what was changed.
CREATE TABLE datahub.quarantine_act (
  partition_id bigint NOT NULL,
  sequence bigint NOT NULL,
  dataset text COLLATE "C" NOT NULL,
  feed text COLLATE "C" NOT NULL,
  receipt text COLLATE "C" NOT NULL, -- of the act
  received_at bigint NOT NULL, -- ticks
  kind int NOT NULL, -- 1 replay, 2 discard
  agency text,
  key_id text,
  reason bytea,
  rule bytea,
  accepted bigint NOT NULL,
  duplicate bigint NOT NULL,
  discarded bigint NOT NULL,
  PRIMARY KEY (partition_id, sequence)
);

CREATE INDEX quarantine_act_newest ON datahub.quarantine_act (dataset, received_at, partition_id, sequence);

-- Counts per feed, kept per partition so that one can be forgotten and rebuilt.
CREATE TABLE datahub.feed_count (
  dataset text COLLATE "C" NOT NULL,
  feed text COLLATE "C" NOT NULL,
  partition_id bigint NOT NULL,
  pushes bigint NOT NULL,
  received bigint NOT NULL,
  accepted bigint NOT NULL,
  duplicate bigint NOT NULL,
  quarantined bigint NOT NULL,
  last_received bigint NOT NULL, -- ticks
  newest_row bigint NOT NULL, -- ticks; the smallest bigint where no row has a time
  PRIMARY KEY (dataset, feed, partition_id)
) WITH (fillfactor = 50);

-- What feeds brought in each hour.
CREATE TABLE datahub.feed_hour (
  dataset text COLLATE "C" NOT NULL,
  feed text COLLATE "C" NOT NULL,
  hour bigint NOT NULL, -- hours since 0001-01-01 UTC
  partition_id bigint NOT NULL,
  pushes bigint NOT NULL,
  received bigint NOT NULL,
  accepted bigint NOT NULL,
  duplicate bigint NOT NULL,
  quarantined bigint NOT NULL,
  PRIMARY KEY (dataset, feed, hour, partition_id)
) WITH (fillfactor = 50);
