-- Versions of rows whose key contains their time, many in one row: see HistorySegment. Never changed, only joined.
CREATE TABLE segment (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: readers keep segments by it
  partition_id INTEGER NOT NULL,
  day INTEGER NOT NULL, -- since 0001-01-01; all its times lie within
  level INTEGER NOT NULL, -- how often it was joined
  run INTEGER NOT NULL, -- what came, or was joined, together
  first_time INTEGER NOT NULL, -- ticks
  last_time INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  ends INTEGER NOT NULL, -- 1 where some of its versions end others
  areas BLOB NOT NULL,
  payload BLOB NOT NULL
) STRICT;

CREATE INDEX segment_time ON segment (partition_id, first_time, last_time);
CREATE INDEX segment_run ON segment (partition_id, day, level, run);

-- 1 where the partition's rows lie in segments.
ALTER TABLE history_position ADD COLUMN by_time INTEGER NOT NULL DEFAULT 0;
