-- That a key was destroyed reaches every process at once: by a notification, and by a number that each of them
-- asks for every second, so that none is missed by who was away for a moment.

CREATE TABLE keys.forgotten (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    n   bigint  NOT NULL
);
INSERT INTO keys.forgotten (n) VALUES (0);

CREATE FUNCTION keys.say_destroyed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The row's lock is held to the commit: whoever reads a number sees all that it counts.
    UPDATE keys.forgotten SET n = n + 1;
    NOTIFY casebook_keys;
    RETURN NULL;
END
$$;

CREATE TRIGGER say_destroyed AFTER INSERT OR UPDATE OF destroyed_at ON keys.data_keys
    FOR EACH ROW WHEN (NEW.destroyed_at IS NOT NULL) EXECUTE FUNCTION keys.say_destroyed();
ALTER TABLE keys.data_keys ENABLE ALWAYS TRIGGER say_destroyed;

REVOKE ALL ON FUNCTION keys.say_destroyed() FROM PUBLIC;
GRANT SELECT ON keys.forgotten TO casebook_app;

-- Rolling the key-encryption key asks which keys are still wrapped by another.
CREATE INDEX data_keys_live_by_kek ON keys.data_keys (kek_id, kid) WHERE destroyed_at IS NULL;
