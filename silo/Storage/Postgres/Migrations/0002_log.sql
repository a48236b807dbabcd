-- Names this log since its last restore; part of every watermark.
CREATE TABLE datahub.incarnation (
  id uuid NOT NULL
);

INSERT INTO datahub.incarnation (id) VALUES (gen_random_uuid());

-- What was fixed at the installation's first start.
CREATE TABLE datahub.installation (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  shards int NOT NULL
);

-- Where each shard's log ends, and who may write it: an append names epoch and position.
CREATE TABLE datahub.shard_head (
  shard int PRIMARY KEY,
  epoch bigint NOT NULL,
  position bigint NOT NULL,
  received_at bigint NOT NULL -- ticks; never falls
) WITH (fillfactor = 20);

CREATE TABLE datahub.partition_head (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  partition_key text COLLATE "C" NOT NULL UNIQUE,
  shard int NOT NULL,
  sequence bigint NOT NULL,
  contract_version int NOT NULL,
  area_version int NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX partition_head_shard ON datahub.partition_head (shard);

-- One row is one packed batch. A stretch of log is dropped with its month.
CREATE TABLE datahub.batch (
  shard int NOT NULL,
  position bigint NOT NULL,
  partition_id bigint NOT NULL,
  sequence bigint NOT NULL,
  received_at bigint NOT NULL,
  payload bytea NOT NULL,
  PRIMARY KEY (shard, position, received_at)
) PARTITION BY RANGE (received_at);

CREATE UNIQUE INDEX batch_sequence ON datahub.batch (partition_id, sequence, received_at);
-- The envelope compresses where that pays.
ALTER TABLE datahub.batch ALTER COLUMN payload SET STORAGE EXTERNAL;

-- Makes the months of the log from one instant up to another where they are missing. Silos may call it, and may do
-- nothing else to the schema.
CREATE FUNCTION datahub.add_log_months(since bigint, until bigint) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  month timestamp := date_trunc('month', datahub.instant(since) AT TIME ZONE 'UTC');
  name text;
  made int := 0;
BEGIN
  IF until - since > 315576000000000000 THEN RAISE EXCEPTION 'datahub: more than a thousand years of log'; END IF;
  PERFORM pg_advisory_xact_lock(hashtext('datahub.add_log_months'));
  WHILE month <= datahub.instant(until) AT TIME ZONE 'UTC' LOOP
    name := 'batch_' || to_char(month, 'YYYY_MM');
    IF to_regclass('datahub.' || name) IS NULL THEN
      EXECUTE format('CREATE TABLE datahub.%I PARTITION OF datahub.batch FOR VALUES FROM (%L) TO (%L)', name,
        datahub.ticks(month AT TIME ZONE 'UTC'), datahub.ticks((month + interval '1 month') AT TIME ZONE 'UTC'));
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON datahub.%I TO datahub_silo', name);
      made := made + 1;
    END IF;
    month := month + interval '1 month';
  END LOOP;
  RETURN made;
END
$$;

-- Receipts; they outlive the stretch of log that they came with, so nothing here refers to it.
CREATE TABLE datahub.push (
  shard int NOT NULL,
  position bigint NOT NULL,
  receipt text COLLATE "C" NOT NULL,
  part int NOT NULL,
  partition_id bigint NOT NULL,
  sequence bigint NOT NULL,
  received_at bigint NOT NULL,
  payload bytea NOT NULL,
  PRIMARY KEY (shard, position)
);

CREATE UNIQUE INDEX push_receipt ON datahub.push (receipt, part);
ALTER TABLE datahub.push ALTER COLUMN payload SET STORAGE EXTERNAL;

-- Idempotency keys, in the scope of a feed.
CREATE TABLE datahub.push_key (
  dataset text COLLATE "C" NOT NULL,
  feed text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL,
  part int NOT NULL,
  shard int NOT NULL,
  position bigint NOT NULL,
  received_at bigint NOT NULL,
  PRIMARY KEY (dataset, feed, idempotency_key, part)
);

-- The partition's last sequence received at or before an instant. Instants never fall along a partition, so it is
-- searched by halves; what is no longer in the log was received before.
CREATE FUNCTION datahub.sequence_at(partition bigint, head bigint, instant bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
  low bigint := 0;
  middle bigint;
  received bigint;
BEGIN
  WHILE low < head LOOP
    middle := head - (head - low) / 2;
    SELECT received_at INTO received FROM datahub.batch WHERE partition_id = partition AND sequence = middle;
    IF received > instant THEN head := middle - 1; ELSE low := middle; END IF;
  END LOOP;
  RETURN low;
END
$$;

-- Erasures: what was asked for, how it stands, and until it is done what it needs to go on.
CREATE TABLE datahub.erasure (
  id text COLLATE "C" PRIMARY KEY,
  dataset text COLLATE "C" NOT NULL,
  step int NOT NULL, -- 0 searching, 1 retracting, 2 overwriting, 3 done, 4 too many
  requested_at bigint NOT NULL, -- ticks
  finished_at bigint,
  agency text,
  key_id text,
  reason bytea NOT NULL,
  authority bytea NOT NULL,
  fields bytea NOT NULL, -- names, by line
  keys bigint NOT NULL,
  versions bigint NOT NULL,
  quarantined bigint NOT NULL,
  batches bigint NOT NULL,
  compacted boolean,
  work bytea
);

CREATE INDEX erasure_dataset ON datahub.erasure (dataset, id);
CREATE INDEX erasure_pending ON datahub.erasure (id) WHERE step < 3;
