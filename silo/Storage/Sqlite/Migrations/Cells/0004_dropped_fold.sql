-- Definitions whose cells are being dropped, step by step; a row stands until the last of them is gone.
CREATE TABLE dropped_fold (
  fold_id INTEGER PRIMARY KEY, -- not given to another definition meanwhile
  partition_key TEXT NOT NULL
) STRICT;

CREATE INDEX dropped_fold_by_partition ON dropped_fold (partition_key);
