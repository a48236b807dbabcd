-- Where each definition stands in each partition.
CREATE TABLE fold_position (
  id INTEGER PRIMARY KEY,
  partition_key TEXT NOT NULL,
  indicator TEXT NOT NULL,
  version INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  last_window INTEGER NOT NULL, -- ticks; the smallest integer where there was none
  accepted INTEGER NOT NULL,
  received_at INTEGER NOT NULL, -- ticks
  UNIQUE (partition_key, indicator, version)
) STRICT;

-- A cell whose state is empty has lost all its rows; it stays, because the sequence of its last change does.
CREATE TABLE cell (
  fold_id INTEGER NOT NULL,
  window_from INTEGER NOT NULL, -- ticks
  area TEXT NOT NULL,
  dimensions TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY (fold_id, window_from, area, dimensions)
) STRICT, WITHOUT ROWID;
