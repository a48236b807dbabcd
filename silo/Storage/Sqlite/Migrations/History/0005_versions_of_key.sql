-- What stood under a key before, where the key does not say the time.
CREATE INDEX row_version_key ON row_version (partition_id, row_key, from_sequence) WHERE time_keyed = 0;
