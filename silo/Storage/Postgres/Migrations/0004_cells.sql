-- Where each definition stands in each partition.
CREATE TABLE datahub.fold_position (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  partition_key text COLLATE "C" NOT NULL,
  indicator text COLLATE "C" NOT NULL,
  version int NOT NULL,
  sequence bigint NOT NULL,
  last_window bigint NOT NULL, -- ticks; the smallest bigint where there was none
  accepted bigint NOT NULL,
  received_at bigint NOT NULL, -- ticks
  fill_as_of bigint, -- filled from history as of this sequence; null: folded from the log alone
  fill_rows bigint, -- read so far
  fill_time bigint, -- ticks; continue after this row; null: at the beginning, or done
  fill_key bytea,
  UNIQUE (partition_key, indicator, version)
) WITH (fillfactor = 50);

-- A cell whose state is empty has lost all its rows; it stays, because the sequence of its last change does.
CREATE TABLE datahub.cell (
  fold_id bigint NOT NULL,
  window_from bigint NOT NULL, -- ticks
  area text COLLATE "C" NOT NULL,
  dimensions text COLLATE "C" NOT NULL, -- JSON array of texts; empty where not grouped by dimensions
  sequence bigint NOT NULL,
  state bytea NOT NULL,
  PRIMARY KEY (fold_id, window_from, area, dimensions)
) WITH (fillfactor = 70);

-- The last change of any cell of a window, so that what changed since a sequence is found without reading all cells.
CREATE TABLE datahub.window_change (
  fold_id bigint NOT NULL,
  window_from bigint NOT NULL, -- ticks
  sequence bigint NOT NULL,
  PRIMARY KEY (fold_id, window_from)
) WITH (fillfactor = 70);

CREATE INDEX window_change_by_sequence ON datahub.window_change (fold_id, sequence);

-- Definitions whose cells are being dropped, step by step; a row stands until the last of them is gone.
CREATE TABLE datahub.dropped_fold (
  fold_id bigint PRIMARY KEY,
  partition_key text COLLATE "C" NOT NULL
);

CREATE INDEX dropped_fold_by_partition ON datahub.dropped_fold (partition_key);
