-- Content of uploaded files and of the tables between the steps of runs, in numbered pieces.
CREATE TABLE file_piece (
  file TEXT NOT NULL,
  number INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (file, number)
) STRICT;
