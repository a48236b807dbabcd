-- The newest times of series are raised seldom; up to which sequence all rows are in is told here. So far all were. Another name,
-- so that a program that takes them for whole finds none of them.
ALTER TABLE datahub.history_position ADD COLUMN series_sequence bigint NOT NULL DEFAULT 0;
UPDATE datahub.history_position SET series_sequence = sequence;
ALTER TABLE datahub.series RENAME TO series_newest;
ALTER INDEX datahub.series_pkey RENAME TO series_newest_pkey;
