-- The data keys, in a database of their own: whoever holds a backup of the record holds none of these.
-- A destroyed key leaves its row, without the key: a missing row is always a fault.

GRANT USAGE ON SCHEMA keys TO casebook_app;
GRANT SELECT ON keys.migrations TO casebook_app;

CREATE TABLE keys.data_keys (
    kid           bytea       CONSTRAINT data_keys_pkey PRIMARY KEY CHECK (octet_length(kid) = 16),
    originator_id uuid        NOT NULL CONSTRAINT data_keys_originator_id_key UNIQUE,
    kek_id        text        NOT NULL CHECK (kek_id ~ '^[0-9a-f]{16}$'),
    wrapped       bytea       CHECK (octet_length(wrapped) = 40),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at  timestamptz,
    CONSTRAINT data_keys_destroyed_means_gone CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

CREATE FUNCTION keys.refuse_removal() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% on keys.data_keys is refused: a destroyed key leaves its row', tg_op
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION keys.check_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.kid, NEW.originator_id, NEW.created_at) IS DISTINCT FROM (OLD.kid, OLD.originator_id, OLD.created_at) THEN
        RAISE EXCEPTION 'a data key never changes its name, its owner or its date' USING ERRCODE = 'insufficient_privilege';
    ELSIF OLD.destroyed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a destroyed key stays destroyed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER refuse_removal BEFORE DELETE OR TRUNCATE ON keys.data_keys
    FOR EACH STATEMENT EXECUTE FUNCTION keys.refuse_removal();
CREATE TRIGGER check_change BEFORE UPDATE ON keys.data_keys FOR EACH ROW EXECUTE FUNCTION keys.check_change();
ALTER TABLE keys.data_keys ENABLE ALWAYS TRIGGER refuse_removal;
ALTER TABLE keys.data_keys ENABLE ALWAYS TRIGGER check_change;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA keys FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA keys TO casebook_app;
GRANT SELECT, INSERT ON keys.data_keys TO casebook_app;
GRANT UPDATE (wrapped, kek_id, destroyed_at) ON keys.data_keys TO casebook_app;
