-- Names this log since its last restore; part of every watermark.
CREATE TABLE incarnation (
  id BLOB NOT NULL
) STRICT;

INSERT INTO incarnation (id) VALUES (randomblob(16));

-- Where each shard's log ends, and who may write it: an append names epoch and position.
CREATE TABLE shard_head (
  shard INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  position INTEGER NOT NULL,
  received_at INTEGER NOT NULL -- ticks (100 ns since 0001-01-01 UTC); never falls
) STRICT;

CREATE TABLE partition_head (
  id INTEGER PRIMARY KEY,
  partition_key TEXT NOT NULL UNIQUE,
  shard INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  contract_version INTEGER NOT NULL,
  area_version INTEGER NOT NULL
) STRICT;

CREATE INDEX partition_head_shard ON partition_head (shard);

-- One row is one packed batch. The id holds shard (upper 16 bits) and position (lower 47), so that appending to a
-- shard appends to its end of the table and reading a shard reads neighbours.
CREATE TABLE batch (
  id INTEGER PRIMARY KEY,
  partition_id INTEGER NOT NULL REFERENCES partition_head (id),
  sequence INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  payload BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX batch_sequence ON batch (partition_id, sequence);

-- Receipts; they outlive the stretch of log that they came with, so nothing here refers to it.
CREATE TABLE push (
  batch_id INTEGER PRIMARY KEY,
  receipt TEXT NOT NULL,
  part INTEGER NOT NULL,
  partition_id INTEGER NOT NULL REFERENCES partition_head (id),
  sequence INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  payload BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX push_receipt ON push (receipt, part);

-- Idempotency keys, in the scope of a feed.
CREATE TABLE push_key (
  dataset TEXT NOT NULL,
  feed TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  part INTEGER NOT NULL,
  batch_id INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (dataset, feed, idempotency_key, part)
) STRICT, WITHOUT ROWID;
