-- Roles that logins are made members of: one for the silos, one for analysts who may read the views. They belong to the
-- whole server, so another database may have made them.
DO $$
BEGIN
  BEGIN
    CREATE ROLE datahub_silo NOLOGIN;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
  END;
  BEGIN
    CREATE ROLE datahub_analyst NOLOGIN;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
  END;
END
$$;

GRANT USAGE ON SCHEMA datahub TO datahub_silo;
GRANT SELECT ON datahub.schema_migration TO datahub_silo;
-- What later migrations make is the silos' too: to read and write, never to alter or drop.
ALTER DEFAULT PRIVILEGES IN SCHEMA datahub GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO datahub_silo;
ALTER DEFAULT PRIVILEGES IN SCHEMA datahub GRANT USAGE ON SEQUENCES TO datahub_silo;

-- Instants are ticks: 100 ns since 0001-01-01 UTC, as in the log's batches. The smallest bigint stands for "none".
CREATE FUNCTION datahub.ticks(instant timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT (extract(epoch FROM instant) * 10000000)::bigint + 621355968000000000 $$;

CREATE FUNCTION datahub.instant(ticks bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT CASE WHEN ticks = -9223372036854775808 THEN NULL ELSE timestamptz 'epoch' + (ticks - 621355968000000000) / 10 * interval '1 microsecond' END $$;

-- Ends the transaction of a condition that does not hold; the program knows it by the code.
CREATE FUNCTION datahub.require(holds boolean, code text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF holds IS NOT TRUE THEN RAISE EXCEPTION 'datahub: % does not hold', code USING ERRCODE = code; END IF;
END
$$;

-- Free text is stored as its UTF-8 bytes, because it may hold U+0000, which text may not. For people that becomes U+FFFD.
CREATE FUNCTION datahub.readable(bytes bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  place int := position('\x00'::bytea IN bytes);
BEGIN
  WHILE place > 0 LOOP
    bytes := overlay(bytes PLACING '\xefbfbd'::bytea FROM place FOR 1);
    place := position('\x00'::bytea IN bytes);
  END LOOP;
  RETURN convert_from(bytes, 'UTF8');
END
$$;
