-- Content of uploaded files and of the tables between the steps of runs, in numbered pieces.
CREATE TABLE datahub.file_piece (
  file text COLLATE "C" NOT NULL,
  number int NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (file, number)
);

-- It is compressed already, or will not become smaller.
ALTER TABLE datahub.file_piece ALTER COLUMN content SET STORAGE EXTERNAL;

REVOKE ALL ON datahub.file_piece FROM datahub_silo, datahub_analyst;
GRANT SELECT, INSERT, UPDATE, DELETE ON datahub.file_piece TO datahub_silo;
