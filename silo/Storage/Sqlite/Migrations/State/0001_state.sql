-- What Microsoft.Orleans.Persistence.AdoNet reads its statements from, at start.
CREATE TABLE OrleansQuery (
  QueryKey TEXT PRIMARY KEY,
  QueryText TEXT NOT NULL
) STRICT;

-- Grains' state. One row per grain: the primary key refuses the second of two concurrent first writes.
-- grain_key is empty where the grain's key has no text, because a null would not be unique.
CREATE TABLE grain_state (
  service_id TEXT NOT NULL,
  grain_type TEXT NOT NULL,
  grain_type_hash INTEGER NOT NULL,
  grain_n0 INTEGER NOT NULL,
  grain_n1 INTEGER NOT NULL,
  grain_key TEXT NOT NULL,
  grain_hash INTEGER NOT NULL,
  version INTEGER NOT NULL,
  payload BLOB,
  modified_at TEXT NOT NULL,
  PRIMARY KEY (service_id, grain_type, grain_key, grain_n0, grain_n1)
) STRICT, WITHOUT ROWID;

-- Each is one writing statement, so nothing is ever half done; changes() tells whether it won. The provider's
-- connections are its own: the pragma makes sure that they write through, whatever SQLite was built with.
INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('WriteToStorageKey', '
PRAGMA synchronous = FULL;
INSERT INTO grain_state (service_id, grain_type, grain_type_hash, grain_n0, grain_n1, grain_key, grain_hash, version, payload, modified_at)
SELECT @ServiceId, @GrainTypeString, @GrainTypeHash, @GrainIdN0, @GrainIdN1, coalesce(@GrainIdExtensionString, ''''), @GrainIdHash, 1, @PayloadBinary, datetime(''now'')
WHERE @GrainStateVersion IS NULL OR EXISTS (
  SELECT 1 FROM grain_state WHERE service_id = @ServiceId AND grain_type = @GrainTypeString AND grain_key = coalesce(@GrainIdExtensionString, '''')
    AND grain_n0 = @GrainIdN0 AND grain_n1 = @GrainIdN1)
ON CONFLICT (service_id, grain_type, grain_key, grain_n0, grain_n1)
DO UPDATE SET version = version + 1, payload = excluded.payload, modified_at = excluded.modified_at WHERE version = @GrainStateVersion;
SELECT CASE WHEN changes() > 0 THEN coalesce(@GrainStateVersion, 0) + 1 ELSE @GrainStateVersion END AS NewGrainStateVersion;
');

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('ReadFromStorageKey', '
SELECT payload AS PayloadBinary, modified_at AS ModifiedOn, version AS Version FROM grain_state
WHERE service_id = @ServiceId AND grain_type = @GrainTypeString AND grain_key = coalesce(@GrainIdExtensionString, '''')
  AND grain_n0 = @GrainIdN0 AND grain_n1 = @GrainIdN1;
');

-- A cleared state keeps its row and version, so that a writer that still holds an older version is refused.
INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('ClearStorageKey', '
PRAGMA synchronous = FULL;
UPDATE grain_state SET version = version + 1, payload = NULL, modified_at = datetime(''now'')
WHERE service_id = @ServiceId AND grain_type = @GrainTypeString AND grain_key = coalesce(@GrainIdExtensionString, '''')
  AND grain_n0 = @GrainIdN0 AND grain_n1 = @GrainIdN1 AND version = @GrainStateVersion;
SELECT CASE WHEN changes() > 0 THEN @GrainStateVersion + 1 ELSE @GrainStateVersion END AS NewGrainStateVersion;
');

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('DeleteStorageKey', '
PRAGMA synchronous = FULL;
DELETE FROM grain_state
WHERE service_id = @ServiceId AND grain_type = @GrainTypeString AND grain_key = coalesce(@GrainIdExtensionString, '''')
  AND grain_n0 = @GrainIdN0 AND grain_n1 = @GrainIdN1 AND version = @GrainStateVersion;
SELECT CASE WHEN changes() > 0 THEN @GrainStateVersion + 1 ELSE @GrainStateVersion END AS NewGrainStateVersion;
');
