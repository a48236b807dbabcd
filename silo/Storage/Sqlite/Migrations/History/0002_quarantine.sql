-- Rows that did not pass, each named by where it lies in the log, with its cause and what became of it.
CREATE TABLE quarantined_row (
  id INTEGER PRIMARY KEY,
  partition_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  idx INTEGER NOT NULL, -- place among the quarantined rows of its batch, from 0
  dataset TEXT NOT NULL,
  feed TEXT NOT NULL,
  receipt TEXT NOT NULL,
  received_at INTEGER NOT NULL, -- ticks
  cause TEXT NOT NULL, -- its errors as field:code, joined by +
  value TEXT, -- what stood in the field, where there is one error and it tells
  state INTEGER NOT NULL, -- 0 open, 1 accepted, 2 duplicate, 3 discarded, 4 erased
  settled_sequence INTEGER, -- of the act
  corrected TEXT, -- as it was replayed, where it was changed
  payload BLOB NOT NULL
) STRICT;

-- What stood in quarantine before: a receipt then had one batch per partition, its rows in their order. Causes are unknown.
INSERT INTO quarantined_row (partition_id, sequence, idx, dataset, feed, receipt, received_at, cause, state, payload)
SELECT q.partition_id, b.sequence, row_number() OVER (PARTITION BY q.partition_id, b.sequence ORDER BY q.id) - 1, q.dataset, q.feed, q.receipt, q.received_at, '', 0, q.payload
FROM quarantine q JOIN history_batch b ON b.partition_id = q.partition_id AND b.receipt = q.receipt;

DROP TABLE quarantine;

CREATE UNIQUE INDEX quarantined_row_place ON quarantined_row (partition_id, sequence, idx);
CREATE INDEX quarantined_row_newest ON quarantined_row (dataset, received_at, partition_id, sequence, idx);
CREATE INDEX quarantined_row_cause ON quarantined_row (dataset, state, cause, value, received_at, partition_id, sequence, idx);
CREATE INDEX quarantined_row_receipt ON quarantined_row (receipt);

-- What was done to quarantined rows: who, when, why, and what was changed.
CREATE TABLE quarantine_act (
  partition_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  dataset TEXT NOT NULL,
  feed TEXT NOT NULL,
  receipt TEXT NOT NULL, -- of the act
  received_at INTEGER NOT NULL, -- ticks
  kind INTEGER NOT NULL, -- 1 replay, 2 discard
  agency TEXT,
  key_id TEXT,
  reason TEXT,
  rule TEXT,
  accepted INTEGER NOT NULL,
  duplicate INTEGER NOT NULL,
  discarded INTEGER NOT NULL,
  PRIMARY KEY (partition_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX quarantine_act_newest ON quarantine_act (dataset, received_at, partition_id, sequence);
