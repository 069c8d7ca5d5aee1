-- An append is one statement now, which the program asks for by itself; the functions for it cost more than the
-- facts. The head's row, locked by the stamp until the commit, is what appends wait for.
DROP FUNCTION record.append(
    uuid[], bigint[], text[], bytea[], uuid, uuid, text, bytea, uuid, bigint, timestamptz);
DROP FUNCTION record.append_each(
    integer[], uuid[], bigint[], text[], bytea[], uuid[], uuid[], text[], bytea[], uuid[], bigint[], timestamptz);

-- PostgreSQL reads the text of each CHECK anew with each statement. What they held the stamp holds, which no row
-- of the run-time role passes by; a leaf hash and a head are made by nobody else.
ALTER TABLE record.events
    DROP CONSTRAINT events_originator_version_check,
    DROP CONSTRAINT events_topic_check,
    DROP CONSTRAINT events_leaf_hash_check;
ALTER TABLE record.heads DROP CONSTRAINT heads_size_check;

-- As before, but for the checks, for the time that an append may wait for the one before it, and that a demo is
-- asked for only when there is an invented time.
CREATE OR REPLACE FUNCTION record.stamp_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    invented timestamptz;
    topic    bytea := convert_to(NEW.topic, 'UTF8');
BEGIN
    IF NEW.originator_version < 1 THEN
        RAISE EXCEPTION 'version % of %: the first version is 1', NEW.originator_version, NEW.originator_id
            USING ERRCODE = 'check_violation', SCHEMA = 'record', TABLE = 'events',
                  CONSTRAINT = 'events_originator_version_check';
    END IF;
    IF octet_length(topic) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION 'a topic has 1 to 200 bytes'
            USING ERRCODE = 'check_violation', SCHEMA = 'record', TABLE = 'events',
                  CONSTRAINT = 'events_topic_check';
    END IF;
    IF current_setting('casebook.demo_time', true) <> '' THEN
        IF (SELECT o.demo FROM record.origin o) THEN
            invented := current_setting('casebook.demo_time')::timestamptz;
        END IF;
    END IF;
    -- Waits for the row's lock, then takes the time: what is read below is what was committed before.
    UPDATE record.heads
       SET size = size + 1, last_at = greatest(last_at, coalesce(invented, clock_timestamp()))
     WHERE log = 'events'
    RETURNING size, last_at INTO STRICT NEW.notification_id, NEW.recorded_at;

    -- A version that is already there is left to the primary key to refuse.
    IF NEW.originator_version > 1 THEN
        PERFORM FROM record.events e
          WHERE e.originator_id = NEW.originator_id AND e.originator_version = NEW.originator_version - 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'version % of % has no version before it', NEW.originator_version, NEW.originator_id
                USING ERRCODE = 'check_violation', SCHEMA = 'record', TABLE = 'events',
                      CONSTRAINT = 'events_versions_follow';
        END IF;
    END IF;

    NEW.leaf_hash := sha256('\x00'::bytea
        || uuid_send(NEW.originator_id) || int8send(NEW.originator_version) || sha256(
        'casebook-event/1'::bytea || '\x0a'::bytea
        || int8send((extract(epoch FROM NEW.recorded_at) * 1000000)::bigint)
        || int2send(octet_length(topic)::smallint) || topic
        || sha256(NEW.state)));
    RETURN NEW;
END
$$;
