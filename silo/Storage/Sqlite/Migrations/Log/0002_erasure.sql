-- Erasures: what was asked for, how it stands, and until it is done what it needs to go on.
CREATE TABLE erasure (
  id TEXT PRIMARY KEY,
  dataset TEXT NOT NULL,
  step INTEGER NOT NULL, -- 0 searching, 1 retracting, 2 overwriting, 3 done, 4 too many
  requested_at INTEGER NOT NULL, -- ticks
  finished_at INTEGER,
  agency TEXT,
  key_id TEXT,
  reason TEXT NOT NULL,
  authority TEXT NOT NULL,
  fields TEXT NOT NULL, -- names, by line
  keys INTEGER NOT NULL,
  versions INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  batches INTEGER NOT NULL,
  compacted INTEGER,
  work BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX erasure_dataset ON erasure (dataset, id);
CREATE INDEX erasure_pending ON erasure (id) WHERE step < 3;
