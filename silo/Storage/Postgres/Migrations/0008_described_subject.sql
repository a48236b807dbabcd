-- Orleans takes an id that reads as a number or a GUID (2024, cafe) for one, and keeps it beside an empty text: states are
-- told apart by all parts of their key. What each describes is noted by name; all are described anew.
DROP TABLE datahub.described;

CREATE TABLE datahub.described (
  grain_type text COLLATE "C" NOT NULL,
  grain_key text COLLATE "C" NOT NULL,
  grain_n0 bigint NOT NULL,
  grain_n1 bigint NOT NULL,
  version int NOT NULL,
  subject text COLLATE "C", -- id of the dataset, indicator or area system; null where the state holds none
  PRIMARY KEY (grain_type, grain_key, grain_n0, grain_n1)
) WITH (fillfactor = 50);
REVOKE ALL ON datahub.described FROM datahub_analyst;
