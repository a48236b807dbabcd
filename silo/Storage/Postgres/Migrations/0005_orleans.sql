-- What Orleans' AdoNet providers store: grains' state, the silos of the cluster, reminders. In a schema of its own, which
-- is the search path of their connections: they read their statements from OrleansQuery at start.
CREATE SCHEMA orleans;
GRANT USAGE ON SCHEMA orleans TO datahub_silo;
ALTER DEFAULT PRIVILEGES IN SCHEMA orleans GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO datahub_silo;

CREATE TABLE orleans.OrleansQuery (
  QueryKey text COLLATE "C" PRIMARY KEY,
  QueryText text NOT NULL
);

-- Grains' state. One row per grain: the primary key refuses the second of two concurrent first writes.
-- grain_key is empty where the grain's key has no text, because a null would not be unique.
CREATE TABLE orleans.grain_state (
  service_id text COLLATE "C" NOT NULL,
  grain_type text COLLATE "C" NOT NULL,
  grain_key text COLLATE "C" NOT NULL,
  grain_n0 bigint NOT NULL,
  grain_n1 bigint NOT NULL,
  version int NOT NULL,
  modified_at timestamptz NOT NULL,
  payload bytea, -- null: cleared
  PRIMARY KEY (service_id, grain_type, grain_key, grain_n0, grain_n1)
) WITH (fillfactor = 80);

-- Each is one statement, and so a transaction: nothing is ever half done.
-- A first write wins if there is no row; any other if the row still has the version that the writer has read.
INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('WriteToStorageKey', $query$
WITH first AS (
  INSERT INTO grain_state (service_id, grain_type, grain_key, grain_n0, grain_n1, version, modified_at, payload)
  SELECT @ServiceId, @GrainTypeString, coalesce(@GrainIdExtensionString, ''), @GrainIdN0, @GrainIdN1, 1, clock_timestamp(), @PayloadBinary
  WHERE @GrainStateVersion::int IS NULL
  ON CONFLICT (service_id, grain_type, grain_key, grain_n0, grain_n1) DO NOTHING
  RETURNING version
), next AS (
  UPDATE grain_state SET version = version + 1, modified_at = clock_timestamp(), payload = @PayloadBinary
  WHERE service_id = @ServiceId AND grain_type = @GrainTypeString AND grain_key = coalesce(@GrainIdExtensionString, '')
    AND grain_n0 = @GrainIdN0 AND grain_n1 = @GrainIdN1 AND version = @GrainStateVersion::int
  RETURNING version
)
SELECT coalesce((SELECT version FROM first), (SELECT version FROM next), @GrainStateVersion::int) AS NewGrainStateVersion
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('ReadFromStorageKey', $query$
SELECT payload AS PayloadBinary, modified_at AS ModifiedOn, version AS Version FROM grain_state
WHERE service_id = @ServiceId AND grain_type = @GrainTypeString AND grain_key = coalesce(@GrainIdExtensionString, '')
  AND grain_n0 = @GrainIdN0 AND grain_n1 = @GrainIdN1
$query$);

-- A cleared state keeps its row and version, so that a writer that still holds an older version is refused.
INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('ClearStorageKey', $query$
WITH cleared AS (
  UPDATE grain_state SET version = version + 1, modified_at = clock_timestamp(), payload = NULL
  WHERE service_id = @ServiceId AND grain_type = @GrainTypeString AND grain_key = coalesce(@GrainIdExtensionString, '')
    AND grain_n0 = @GrainIdN0 AND grain_n1 = @GrainIdN1 AND version = @GrainStateVersion::int
  RETURNING version
)
SELECT coalesce((SELECT version FROM cleared), @GrainStateVersion::int) AS NewGrainStateVersion
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('DeleteStorageKey', $query$
WITH deleted AS (
  DELETE FROM grain_state
  WHERE service_id = @ServiceId AND grain_type = @GrainTypeString AND grain_key = coalesce(@GrainIdExtensionString, '')
    AND grain_n0 = @GrainIdN0 AND grain_n1 = @GrainIdN1 AND version = @GrainStateVersion::int
  RETURNING version + 1 AS version
)
SELECT coalesce((SELECT version FROM deleted), @GrainStateVersion::int) AS NewGrainStateVersion
$query$);

-- The silos of a cluster. Every change raises the version of the whole table by one, and only from the version that its
-- author has read: the row of the version is the lock, and who comes second changes nothing.
CREATE TABLE orleans.membership_version (
  deployment_id text COLLATE "C" PRIMARY KEY,
  version int NOT NULL,
  modified_at timestamptz NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE orleans.membership (
  deployment_id text COLLATE "C" NOT NULL REFERENCES orleans.membership_version,
  address text COLLATE "C" NOT NULL,
  port int NOT NULL,
  generation int NOT NULL,
  silo_name text NOT NULL,
  host_name text NOT NULL,
  status int NOT NULL, -- 3: active, 4: shutting down, 5: stopping, 6: dead
  proxy_port int NOT NULL,
  suspect_times text,
  start_time timestamptz NOT NULL,
  iam_alive_time timestamptz NOT NULL,
  PRIMARY KEY (deployment_id, address, port, generation)
) WITH (fillfactor = 50);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('InsertMembershipVersionKey', $query$
WITH made AS (
  INSERT INTO membership_version (deployment_id, version, modified_at) VALUES (@DeploymentId, 0, clock_timestamp())
  ON CONFLICT (deployment_id) DO NOTHING RETURNING 1
)
SELECT count(*)::int FROM made
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('InsertMembershipKey', $query$
WITH raised AS (
  UPDATE membership_version SET version = version + 1, modified_at = clock_timestamp()
  WHERE deployment_id = @DeploymentId AND version = @Version AND NOT EXISTS (
    SELECT 1 FROM membership WHERE deployment_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation)
  RETURNING deployment_id
), made AS (
  INSERT INTO membership (deployment_id, address, port, generation, silo_name, host_name, status, proxy_port, start_time, iam_alive_time)
  SELECT deployment_id, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime FROM raised
  RETURNING 1
)
SELECT count(*)::int FROM made
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('UpdateMembershipKey', $query$
WITH raised AS (
  UPDATE membership_version SET version = version + 1, modified_at = clock_timestamp()
  WHERE deployment_id = @DeploymentId AND version = @Version AND EXISTS (
    SELECT 1 FROM membership WHERE deployment_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation)
  RETURNING deployment_id
), changed AS (
  UPDATE membership SET status = @Status, suspect_times = nullif(@SuspectTimes, ''), iam_alive_time = greatest(iam_alive_time, @IAmAliveTime)
  FROM raised
  WHERE membership.deployment_id = raised.deployment_id AND address = @Address AND port = @Port AND generation = @Generation
  RETURNING 1
)
SELECT count(*)::int FROM changed
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('UpdateIAmAlivetimeKey', $query$
UPDATE membership SET iam_alive_time = greatest(iam_alive_time, @IAmAliveTime)
WHERE deployment_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('MembershipReadRowKey', $query$
SELECT v.deployment_id AS DeploymentId, m.address AS Address, m.port AS Port, m.generation AS Generation, m.silo_name AS SiloName, m.host_name AS HostName,
  m.status AS Status, m.proxy_port AS ProxyPort, m.suspect_times AS SuspectTimes, m.start_time AS StartTime, m.iam_alive_time AS IAmAliveTime, v.version AS Version
FROM membership_version v
LEFT JOIN membership m ON m.deployment_id = v.deployment_id AND m.address = @Address AND m.port = @Port AND m.generation = @Generation
WHERE v.deployment_id = @DeploymentId
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('MembershipReadAllKey', $query$
SELECT v.deployment_id AS DeploymentId, m.address AS Address, m.port AS Port, m.generation AS Generation, m.silo_name AS SiloName, m.host_name AS HostName,
  m.status AS Status, m.proxy_port AS ProxyPort, m.suspect_times AS SuspectTimes, m.start_time AS StartTime, m.iam_alive_time AS IAmAliveTime, v.version AS Version
FROM membership_version v
LEFT JOIN membership m ON m.deployment_id = v.deployment_id
WHERE v.deployment_id = @DeploymentId
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('GatewaysQueryKey', $query$
SELECT address AS Address, proxy_port AS ProxyPort, generation AS Generation FROM membership
WHERE deployment_id = @DeploymentId AND status = @Status AND proxy_port > 0
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('DeleteMembershipTableEntriesKey', $query$
WITH silos AS (DELETE FROM membership WHERE deployment_id = @DeploymentId)
UPDATE membership_version SET version = version + 1, modified_at = clock_timestamp() WHERE deployment_id = @DeploymentId
$query$);

-- Silos that have been silent for long and are not active.
INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('CleanupDefunctSiloEntriesKey', $query$
DELETE FROM membership WHERE deployment_id = @DeploymentId AND iam_alive_time < @IAmAliveTime AND status <> 3
$query$);

-- One dead silo, if it still is as whoever cleans up has read it.
INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('CleanupDefunctSiloEntryKey', $query$
DELETE FROM membership
WHERE deployment_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation AND status = 6
  AND start_time = @StartTime AND iam_alive_time = @IAmAliveTime AND suspect_times IS NOT DISTINCT FROM nullif(@SuspectTimes, '')
$query$);

CREATE TABLE orleans.reminder (
  service_id text COLLATE "C" NOT NULL,
  grain_id text COLLATE "C" NOT NULL,
  reminder_name text COLLATE "C" NOT NULL,
  start_time timestamptz NOT NULL,
  period bigint NOT NULL, -- ms
  grain_hash int NOT NULL,
  version int NOT NULL,
  PRIMARY KEY (service_id, grain_id, reminder_name)
);

CREATE INDEX reminder_hash ON orleans.reminder (service_id, grain_hash);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('UpsertReminderRowKey', $query$
INSERT INTO reminder (service_id, grain_id, reminder_name, start_time, period, grain_hash, version)
VALUES (@ServiceId, @GrainId, @ReminderName, @StartTime, @Period, @GrainHash, 0)
ON CONFLICT (service_id, grain_id, reminder_name) DO UPDATE
SET start_time = excluded.start_time, period = excluded.period, grain_hash = excluded.grain_hash, version = reminder.version + 1
RETURNING version
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('ReadReminderRowKey', $query$
SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period, version AS Version
FROM reminder WHERE service_id = @ServiceId AND grain_id = @GrainId AND reminder_name = @ReminderName
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('ReadReminderRowsKey', $query$
SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period, version AS Version
FROM reminder WHERE service_id = @ServiceId AND grain_id = @GrainId
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('ReadRangeRows1Key', $query$
SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period, version AS Version
FROM reminder WHERE service_id = @ServiceId AND grain_hash > @BeginHash AND grain_hash <= @EndHash
$query$);

-- The range that goes over the end of the ring.
INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('ReadRangeRows2Key', $query$
SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period, version AS Version
FROM reminder WHERE service_id = @ServiceId AND (grain_hash > @BeginHash OR grain_hash <= @EndHash)
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('DeleteReminderRowKey', $query$
WITH deleted AS (
  DELETE FROM reminder WHERE service_id = @ServiceId AND grain_id = @GrainId AND reminder_name = @ReminderName AND version = @Version RETURNING 1
)
SELECT count(*)::int FROM deleted
$query$);

INSERT INTO orleans.OrleansQuery (QueryKey, QueryText) VALUES ('DeleteReminderRowsKey', $query$
DELETE FROM reminder WHERE service_id = @ServiceId
$query$);
