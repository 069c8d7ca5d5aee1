-- Who looked at what: a second log of the same make, written before the page is sent.

CREATE TABLE record.reads (
    id        bigint      NOT NULL CONSTRAINT reads_pkey PRIMARY KEY,
    read_at   timestamptz NOT NULL,
    account   uuid        NOT NULL,
    route     text        NOT NULL CHECK (octet_length(route) BETWEEN 1 AND 200),
    subjects  uuid[]      NOT NULL
              CHECK (cardinality(subjects) <= 65535 AND array_position(subjects, NULL) IS NULL),
    state     bytea       NOT NULL,
    leaf_hash bytea       NOT NULL CHECK (octet_length(leaf_hash) = 32)
);
ALTER TABLE record.reads ALTER COLUMN state SET STORAGE EXTERNAL;
-- "Who looked at this case?"
CREATE INDEX reads_subjects_idx ON record.reads USING gin (subjects);

CREATE FUNCTION record.stamp_read() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    invented timestamptz;
    route    bytea := convert_to(NEW.route, 'UTF8');
    looked   bytea;
BEGIN
    IF current_setting('casebook.demo_time', true) <> '' AND (SELECT o.demo FROM record.origin o) THEN
        invented := current_setting('casebook.demo_time')::timestamptz;
    END IF;
    SELECT coalesce(string_agg(uuid_send(s.id), ''::bytea ORDER BY s.place), ''::bytea) INTO looked
      FROM unnest(NEW.subjects) WITH ORDINALITY AS s (id, place);
    UPDATE record.heads
       SET size = size + 1, last_at = greatest(last_at, coalesce(invented, clock_timestamp()))
     WHERE log = 'reads'
    RETURNING size, last_at INTO STRICT NEW.id, NEW.read_at;
    NEW.leaf_hash := sha256('\x00'::bytea || uuid_send(NEW.account) || int8send(NEW.id) || sha256(
        'casebook-read/1'::bytea || '\x0a'::bytea
        || int8send((extract(epoch FROM NEW.read_at) * 1000000)::bigint)
        || int2send(octet_length(route)::smallint) || route
        || substring(int4send(cardinality(NEW.subjects)) FROM 3) || looked
        || sha256(NEW.state)));
    RETURN NEW;
END
$$;

CREATE TRIGGER stamp BEFORE INSERT ON record.reads FOR EACH ROW EXECUTE FUNCTION record.stamp_read();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON record.reads
    FOR EACH STATEMENT EXECUTE FUNCTION record.refuse_change();
ALTER TABLE record.reads ENABLE ALWAYS TRIGGER refuse_change;

CREATE FUNCTION record.log_read(p_account uuid, p_route text, p_subjects uuid[], p_state bytea) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
    INSERT INTO record.reads (account, route, subjects, state)
    VALUES (p_account, p_route, p_subjects, p_state) RETURNING id;
$$;

-- Logs the read and hands over the stream that it was a read of, in one round trip and one transaction:
-- a client that gets the rows without an error knows that the read is committed.
CREATE FUNCTION record.log_read_and_rows(
    p_account uuid, p_route text, p_subjects uuid[], p_state bytea, p_originator uuid, p_upto bigint)
RETURNS TABLE (
    originator_id uuid, originator_version bigint, topic text, state bytea, id bigint, recorded_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
#variable_conflict use_column
BEGIN
    PERFORM record.log_read(p_account, p_route, p_subjects, p_state);
    RETURN QUERY
        SELECT e.originator_id, e.originator_version, e.topic, e.state, e.notification_id, e.recorded_at
          FROM record.events e
         -- The sum keeps the planner from the index of all positions, which it would read from the beginning.
         WHERE e.originator_id = p_originator AND (p_upto IS NULL OR e.notification_id + 0 <= p_upto)
         ORDER BY e.originator_version;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA record FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA record TO casebook_app;
GRANT SELECT, INSERT ON record.reads TO casebook_app;
