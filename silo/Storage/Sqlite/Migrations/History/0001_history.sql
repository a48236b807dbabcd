-- How far history is stored, per partition.
CREATE TABLE history_position (
  id INTEGER PRIMARY KEY,
  partition_key TEXT NOT NULL UNIQUE,
  sequence INTEGER NOT NULL,
  accepted INTEGER NOT NULL
) STRICT;

-- Ids of areas, to keep their index narrow.
CREATE TABLE area (
  id INTEGER PRIMARY KEY,
  area_key TEXT NOT NULL UNIQUE
) STRICT;

-- When and through whom the rows of a sequence came.
CREATE TABLE history_batch (
  partition_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  received_at INTEGER NOT NULL, -- ticks
  feed TEXT,
  receipt TEXT,
  PRIMARY KEY (partition_id, sequence)
) STRICT, WITHOUT ROWID;

-- Every version of every row: held from from_sequence on, before to_sequence (the greatest integer while it stands).
-- The table itself is the index by time, and where the key contains the time (time_keyed) by key as well: its primary
-- key then keeps two versions from standing at once. No foreign keys: they would cost a look-up per row, and the
-- position is written in the same transaction.
CREATE TABLE row_version (
  partition_id INTEGER NOT NULL,
  time INTEGER NOT NULL, -- ticks; the smallest integer where the row has none
  row_key BLOB NOT NULL,
  from_sequence INTEGER NOT NULL,
  to_sequence INTEGER NOT NULL,
  time_keyed INTEGER NOT NULL,
  area_id INTEGER,
  contract_version INTEGER NOT NULL,
  packed BLOB NOT NULL,
  PRIMARY KEY (partition_id, time, row_key, to_sequence)
) STRICT, WITHOUT ROWID;

-- What stands under a key that does not say the time; also keeps two versions from standing at once.
CREATE UNIQUE INDEX row_version_standing ON row_version (partition_id, row_key)
WHERE time_keyed = 0 AND to_sequence = 9223372036854775807;

CREATE INDEX row_version_area ON row_version (partition_id, area_id, time) WHERE area_id IS NOT NULL;

-- The newest time that a series ever had.
CREATE TABLE series (
  partition_id INTEGER NOT NULL,
  series_key BLOB NOT NULL,
  newest INTEGER NOT NULL,
  PRIMARY KEY (partition_id, series_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset TEXT NOT NULL,
  feed TEXT NOT NULL,
  partition_id INTEGER NOT NULL,
  receipt TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  payload BLOB NOT NULL
) STRICT;

CREATE INDEX quarantine_dataset ON quarantine (dataset);
CREATE INDEX quarantine_feed ON quarantine (dataset, feed);
CREATE INDEX quarantine_partition ON quarantine (partition_id);

-- Counts per feed, kept per partition so that one can be forgotten and rebuilt.
CREATE TABLE feed_count (
  dataset TEXT NOT NULL,
  feed TEXT NOT NULL,
  partition_id INTEGER NOT NULL,
  pushes INTEGER NOT NULL,
  received INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  duplicate INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  last_received INTEGER NOT NULL, -- ticks
  PRIMARY KEY (dataset, feed, partition_id)
) STRICT, WITHOUT ROWID;
