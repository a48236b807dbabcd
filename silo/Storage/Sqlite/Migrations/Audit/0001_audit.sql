-- The audit log: entries chained by hashes, and apart from them where each chain ends.
CREATE TABLE audit_head (
  chain TEXT NOT NULL PRIMARY KEY,
  sequence INTEGER NOT NULL,
  link BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_entry (
  chain TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  link BLOB NOT NULL,
  leaf BLOB NOT NULL,
  salt BLOB, -- null, as all that follows, where the content was deleted
  content BLOB, -- the bytes that were hashed
  id TEXT,
  at INTEGER, -- ticks
  action TEXT,
  agency TEXT,
  actor TEXT,
  object TEXT,
  outcome INTEGER, -- 0 done, 1 refused
  PRIMARY KEY (chain, sequence)
) STRICT;

CREATE UNIQUE INDEX audit_entry_id ON audit_entry (chain, id) WHERE id IS NOT NULL;
CREATE INDEX audit_entry_at ON audit_entry (chain, at);
CREATE INDEX audit_entry_action ON audit_entry (chain, action, sequence);
CREATE INDEX audit_entry_agency ON audit_entry (chain, agency, sequence);
CREATE INDEX audit_entry_actor ON audit_entry (chain, actor, sequence);
CREATE INDEX audit_entry_object ON audit_entry (chain, object, sequence);

-- Nothing is ever changed but by the deletion of content, which leaves place and hashes.
CREATE TRIGGER audit_entry_stays BEFORE DELETE ON audit_entry
BEGIN
  SELECT RAISE(ABORT, 'entries of the audit log are never removed');
END;

CREATE TRIGGER audit_entry_keeps BEFORE UPDATE ON audit_entry
WHEN NEW.chain IS NOT OLD.chain OR NEW.sequence IS NOT OLD.sequence OR NEW.link IS NOT OLD.link OR NEW.leaf IS NOT OLD.leaf
  OR coalesce(NEW.salt, NEW.content, NEW.id, NEW.at, NEW.action, NEW.agency, NEW.actor, NEW.object, NEW.outcome) IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'entries of the audit log are never changed');
END;
