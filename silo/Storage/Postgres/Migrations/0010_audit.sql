-- The audit log: entries chained by hashes, and apart from them where each chain ends.
CREATE TABLE datahub.audit_head (
  chain text COLLATE "C" PRIMARY KEY,
  sequence bigint NOT NULL,
  link bytea NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE datahub.audit_entry (
  chain text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  link bytea NOT NULL,
  leaf bytea NOT NULL,
  salt bytea, -- null, as all that follows, where the content was deleted
  content bytea, -- the bytes that were hashed
  id text COLLATE "C",
  at bigint, -- ticks
  action text COLLATE "C",
  agency text COLLATE "C",
  actor text COLLATE "C",
  object text COLLATE "C",
  outcome int, -- 0 done, 1 refused
  PRIMARY KEY (chain, sequence)
);

CREATE UNIQUE INDEX audit_entry_id ON datahub.audit_entry (chain, id) WHERE id IS NOT NULL;
CREATE INDEX audit_entry_at ON datahub.audit_entry (chain, at);
CREATE INDEX audit_entry_action ON datahub.audit_entry (chain, action, sequence);
CREATE INDEX audit_entry_agency ON datahub.audit_entry (chain, agency, sequence);
CREATE INDEX audit_entry_actor ON datahub.audit_entry (chain, actor, sequence);
CREATE INDEX audit_entry_object ON datahub.audit_entry (chain, object, sequence);

-- Nothing is ever changed but by the deletion of content, which leaves place and hashes; nobody's role goes around it.
CREATE FUNCTION datahub.audit_entry_keeps() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.chain = OLD.chain AND NEW.sequence = OLD.sequence AND NEW.link = OLD.link AND NEW.leaf = OLD.leaf
    AND num_nonnulls(NEW.salt, NEW.content, NEW.id, NEW.at, NEW.action, NEW.agency, NEW.actor, NEW.object, NEW.outcome) = 0 THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'entries of the audit log are never changed or removed';
END
$$;

CREATE TRIGGER audit_entry_keeps BEFORE UPDATE OR DELETE ON datahub.audit_entry FOR EACH ROW EXECUTE FUNCTION datahub.audit_entry_keeps();
CREATE TRIGGER audit_entry_stays BEFORE TRUNCATE ON datahub.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION datahub.audit_entry_keeps();

REVOKE ALL ON datahub.audit_entry, datahub.audit_head FROM datahub_silo, datahub_analyst;
GRANT SELECT, INSERT ON datahub.audit_entry TO datahub_silo;
GRANT UPDATE (salt, content, id, at, action, agency, actor, object, outcome) ON datahub.audit_entry TO datahub_silo;
GRANT SELECT, INSERT, UPDATE ON datahub.audit_head TO datahub_silo;
