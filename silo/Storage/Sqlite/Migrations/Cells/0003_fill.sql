-- A definition is filled from history as of one fixed sequence: under way while it stands below that.
ALTER TABLE fold_position ADD COLUMN fill_as_of INTEGER; -- null: folded from the log alone
ALTER TABLE fold_position ADD COLUMN fill_rows INTEGER; -- read so far
ALTER TABLE fold_position ADD COLUMN fill_time INTEGER; -- ticks; continue after this row; null: at the beginning, or done
ALTER TABLE fold_position ADD COLUMN fill_key BLOB;
