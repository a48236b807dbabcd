-- What is left in row_version are rows whose key does not contain their time; the others lie in segments.
DELETE FROM row_version WHERE time_keyed = 1;
DROP INDEX row_version_standing;
DROP INDEX row_version_key;
ALTER TABLE row_version DROP COLUMN time_keyed;
ALTER TABLE row_version RENAME TO record_version;

-- What stands under a key; also keeps two versions from standing at once.
CREATE UNIQUE INDEX record_version_standing ON record_version (partition_id, row_key) WHERE to_sequence = 9223372036854775807;
-- What stood under a key before.
CREATE INDEX record_version_key ON record_version (partition_id, row_key, from_sequence);
DROP INDEX row_version_area;
CREATE INDEX record_version_area ON record_version (partition_id, area_id, time) WHERE area_id IS NOT NULL;
