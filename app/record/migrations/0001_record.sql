-- The record: every fact, in the order of its commit, never changed again.
-- Runs as the owner role; the run-time role casebook_app may insert and select, nothing else.

GRANT USAGE ON SCHEMA record TO casebook_app;
GRANT SELECT ON record.migrations TO casebook_app;

CREATE FUNCTION record.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: facts are never changed or deleted',
        tg_op, tg_table_schema, tg_table_name USING ERRCODE = 'insufficient_privilege', HINT = 'Record a correction beside the fact instead.';
END
$$;

-- One row: the name under which this record is known to verifiers, and whether its times may be invented.
CREATE TABLE record.origin (
    only_row boolean NOT NULL DEFAULT true CONSTRAINT origin_pkey PRIMARY KEY CHECK (only_row),
    origin   text    NOT NULL CHECK (origin <> '' AND origin !~ '[[:space:]+]'),
    demo     boolean NOT NULL,
    CONSTRAINT origin_of_a_demo_says_so CHECK (demo = (origin LIKE '%/demo'))
);

-- The newest id and time of each log. Its row is locked from a stamp to the commit: hence no gaps, and ids in
-- commit order.
-- A low fillfactor keeps each update on the same page, without touching the index.
CREATE TABLE record.heads (
    log     text        CONSTRAINT heads_pkey PRIMARY KEY,
    size    bigint      NOT NULL DEFAULT 0 CHECK (size >= 0),
    last_at timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 10);
INSERT INTO record.heads (log) VALUES ('events'), ('reads');

CREATE TABLE record.events (
    notification_id    bigint      NOT NULL CONSTRAINT events_notification_id_key UNIQUE,
    originator_id      uuid        NOT NULL,
    originator_version bigint      NOT NULL CHECK (originator_version >= 1),
    topic              text        NOT NULL CHECK (octet_length(topic) BETWEEN 1 AND 200),
    state              bytea       NOT NULL,
    recorded_at        timestamptz NOT NULL,
    leaf_hash          bytea       NOT NULL CHECK (octet_length(leaf_hash) = 32),
    CONSTRAINT events_pkey PRIMARY KEY (originator_id, originator_version)
);
-- Sealed states don't compress; trying costs time at each insert.
ALTER TABLE record.events ALTER COLUMN state SET STORAGE EXTERNAL;

-- Which concerns still wait to be acknowledged is asked of the record itself, so that no late list hides one.
CREATE INDEX events_concern_idx ON record.events (topic, originator_id)
    WHERE topic IN ('concern.raised', 'concern.acknowledged', 'concern.notified', 'concern.closed');

-- Numbers a fact, stamps it with the time, hashes its leaf, and refuses it if its version doesn't follow
-- the one before. The time is the clock's, never before the fact before it; in a demo it may come from a setting.
-- SECURITY DEFINER: the run-time role may not write heads itself.
CREATE FUNCTION record.stamp_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    invented timestamptz;
    topic    bytea := convert_to(NEW.topic, 'UTF8');
BEGIN
    IF current_setting('casebook.demo_time', true) <> '' AND (SELECT o.demo FROM record.origin o) THEN
        invented := current_setting('casebook.demo_time')::timestamptz;
    END IF;
    -- Waits for the row's lock, then takes the time: what is read below is what was committed before.
    UPDATE record.heads
       SET size = size + 1, last_at = greatest(last_at, coalesce(invented, clock_timestamp()))
     WHERE log = 'events'
    RETURNING size, last_at INTO STRICT NEW.notification_id, NEW.recorded_at;

    -- A version that is already there is left to the primary key to refuse.
    IF NEW.originator_version > 1 AND NOT EXISTS (
        SELECT FROM record.events e
         WHERE e.originator_id = NEW.originator_id AND e.originator_version = NEW.originator_version - 1)
    THEN
        RAISE EXCEPTION 'version % of % has no version before it', NEW.originator_version, NEW.originator_id
            USING ERRCODE = 'check_violation', SCHEMA = 'record', TABLE = 'events',
                  CONSTRAINT = 'events_versions_follow';
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

-- The stamping trigger is an ordinary one: replication and data-only restores carry the original stamps.
CREATE TRIGGER stamp BEFORE INSERT ON record.events FOR EACH ROW EXECUTE FUNCTION record.stamp_event();

-- The answer of each accepted command, so that the same command sent again is answered and not done again.
-- request_hmac: keyed hash of the request; no request and no answer is kept in clear.
CREATE TABLE record.commands (
    command_id      uuid   NOT NULL,
    account         uuid   NOT NULL,
    route           text   NOT NULL,
    request_hmac    bytea  NOT NULL,
    originator_id   uuid   NOT NULL,
    version         bigint NOT NULL,
    notification_id bigint NOT NULL,
    CONSTRAINT commands_pkey PRIMARY KEY (account, route, command_id)
);

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON record.origin
    FOR EACH STATEMENT EXECUTE FUNCTION record.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON record.events
    FOR EACH STATEMENT EXECUTE FUNCTION record.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON record.commands
    FOR EACH STATEMENT EXECUTE FUNCTION record.refuse_change();
CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON record.heads
    FOR EACH STATEMENT EXECUTE FUNCTION record.refuse_change();
ALTER TABLE record.origin ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE record.events ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE record.commands ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE record.heads ENABLE ALWAYS TRIGGER refuse_change;

-- Saves the events of one command in one round trip; the answer is the version that one aggregate reached by it.
-- The same command again gives its first answer; another request under the same command id raises CB422; an
-- invented time outside a demo raises CB403.
CREATE FUNCTION record.append(
    p_originators uuid[], p_versions bigint[], p_topics text[], p_states bytea[],
    p_command_id uuid, p_account uuid, p_route text, p_request_hmac bytea,
    p_answer_originator uuid, p_answer_version bigint, p_demo_time timestamptz)
RETURNS TABLE (notification_id bigint, version bigint, recorded_at timestamptz, replayed boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
#variable_conflict use_column
DECLARE
    known record.commands%ROWTYPE;
BEGIN
    -- Waiting here, before anything is read, lets each statement below see what the writer before us committed.
    PERFORM pg_advisory_xact_lock(4849336204517375);

    IF p_command_id IS NOT NULL THEN
        SELECT c.* INTO known FROM record.commands c
         WHERE c.account = p_account AND c.route = p_route AND c.command_id = p_command_id;
        IF FOUND THEN
            IF known.request_hmac <> p_request_hmac THEN
                RAISE EXCEPTION 'this command id was used for another request' USING ERRCODE = 'CB422';
            END IF;
            RETURN QUERY SELECT known.notification_id, known.version, e.recorded_at, true
                FROM record.events e WHERE e.notification_id = known.notification_id;
            RETURN;
        END IF;
    END IF;

    IF p_demo_time IS NOT NULL AND NOT (SELECT o.demo FROM record.origin o) THEN
        RAISE EXCEPTION 'only a demo may invent the time of recording' USING ERRCODE = 'CB403';
    END IF;
    PERFORM set_config('casebook.demo_time', coalesce(p_demo_time::text, ''), true);

    INSERT INTO record.events (originator_id, originator_version, topic, state)
    SELECT * FROM unnest(p_originators, p_versions, p_topics, p_states);
    SELECT h.size, p_answer_version, h.last_at, false
      INTO STRICT notification_id, version, recorded_at, replayed
      FROM record.heads h WHERE h.log = 'events';

    IF p_command_id IS NOT NULL THEN
        INSERT INTO record.commands
        VALUES (p_command_id, p_account, p_route, p_request_hmac,
                p_answer_originator, p_answer_version, notification_id);
    END IF;
    -- Its queue has one lock for all, but appends wait for each other already: it cost about a tenth when measured,
    -- with one writer and with eight, and spares the projector from asking all the time.
    PERFORM pg_notify('casebook', '');
    RETURN NEXT;
END
$$;

-- Saves several commands in one commit, each as `append` would: what is refused of one leaves the others as they
-- are. Command n has the events up to p_ends[n]. A refusal's sqlstate and constraint stand in its row.
CREATE FUNCTION record.append_each(
    p_ends integer[],
    p_originators uuid[], p_versions bigint[], p_topics text[], p_states bytea[],
    p_command_ids uuid[], p_accounts uuid[], p_routes text[], p_request_hmacs bytea[],
    p_answer_originators uuid[], p_answer_versions bigint[], p_demo_time timestamptz)
RETURNS TABLE (
    notification_id bigint, version bigint, recorded_at timestamptz, replayed boolean,
    refused text, constraint_name text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
#variable_conflict use_column
DECLARE
    first integer := 1;
    last  integer;
BEGIN
    PERFORM pg_advisory_xact_lock(4849336204517375);
    FOR n IN 1 .. cardinality(p_ends) LOOP
        last := p_ends[n];
        BEGIN
            refused := NULL;
            constraint_name := NULL;
            SELECT a.notification_id, a.version, a.recorded_at, a.replayed
              INTO STRICT notification_id, version, recorded_at, replayed
              FROM record.append(
                p_originators[first:last], p_versions[first:last], p_topics[first:last], p_states[first:last],
                p_command_ids[n], p_accounts[n], p_routes[n], p_request_hmacs[n],
                p_answer_originators[n], p_answer_versions[n], p_demo_time) a;
        EXCEPTION WHEN unique_violation OR check_violation OR SQLSTATE 'CB422' THEN
            GET STACKED DIAGNOSTICS refused = RETURNED_SQLSTATE, constraint_name = CONSTRAINT_NAME;
        END;
        RETURN NEXT;
        first := last + 1;
    END LOOP;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA record FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA record TO casebook_app;
GRANT SELECT ON record.origin, record.heads TO casebook_app;
GRANT SELECT, INSERT ON record.events, record.commands TO casebook_app;
