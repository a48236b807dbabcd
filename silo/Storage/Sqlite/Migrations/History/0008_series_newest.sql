-- The newest times of series are raised seldom; up to which sequence all rows are in is told here. So far all were.
ALTER TABLE history_position ADD COLUMN series_sequence INTEGER NOT NULL DEFAULT 0;
UPDATE history_position SET series_sequence = sequence;
ALTER TABLE series RENAME TO series_newest;
