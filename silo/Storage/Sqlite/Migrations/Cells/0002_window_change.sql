-- The last change of any cell of a window, so that what changed since a sequence is found without reading all cells.
CREATE TABLE window_change (
  fold_id INTEGER NOT NULL,
  window_from INTEGER NOT NULL, -- ticks
  sequence INTEGER NOT NULL,
  PRIMARY KEY (fold_id, window_from)
) STRICT, WITHOUT ROWID;

CREATE INDEX window_change_by_sequence ON window_change (fold_id, sequence);

INSERT INTO window_change (fold_id, window_from, sequence)
SELECT fold_id, window_from, max(sequence) FROM cell GROUP BY fold_id, window_from;
