-- What feeds brought in each hour; begins with what is stored from here on.
CREATE TABLE feed_hour (
  dataset TEXT NOT NULL,
  feed TEXT NOT NULL,
  hour INTEGER NOT NULL, -- hours since 0001-01-01 UTC
  partition_id INTEGER NOT NULL,
  pushes INTEGER NOT NULL,
  received INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  duplicate INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  PRIMARY KEY (dataset, feed, hour, partition_id)
) STRICT, WITHOUT ROWID;
