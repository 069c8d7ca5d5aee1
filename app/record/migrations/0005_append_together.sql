-- Commands that share a commit share its statements too: a subtransaction and an INSERT for each cost more than
-- the facts themselves. When one of them can't be recorded, none of that holds, and each is tried by itself.
CREATE OR REPLACE FUNCTION record.append_each(
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
    first  integer := 1;
    last   integer;
    before bigint;
    times  timestamptz[];
BEGIN
    -- Waiting here, before anything is read, lets each statement below see what the writer before us committed.
    PERFORM pg_advisory_xact_lock(4849336204517375);

    IF p_demo_time IS NULL OR (SELECT o.demo FROM record.origin o) THEN
        BEGIN
            PERFORM set_config('casebook.demo_time', coalesce(p_demo_time::text, ''), true);
            WITH fact AS (
                INSERT INTO record.events (originator_id, originator_version, topic, state)
                SELECT * FROM unnest(p_originators, p_versions, p_topics, p_states)
                RETURNING notification_id, recorded_at)
            SELECT min(f.notification_id) - 1, array_agg(f.recorded_at ORDER BY f.notification_id)
              INTO STRICT before, times FROM fact f;
            -- A command that was accepted before meets its own row here: nothing of it is kept, and it gets its
            -- first answer below.
            INSERT INTO record.commands
            SELECT c.command_id, c.account, c.route, c.request_hmac, c.originator, c.version, before + c.upto
              FROM unnest(p_command_ids, p_accounts, p_routes, p_request_hmacs,
                          p_answer_originators, p_answer_versions, p_ends)
                AS c (command_id, account, route, request_hmac, originator, version, upto)
             WHERE c.command_id IS NOT NULL;
            PERFORM pg_notify('casebook', '');
            -- Rows that are handed out aren't taken back by an error: nothing can fail from here on.
            RETURN QUERY
            SELECT before + c.upto, c.version, times[c.upto], false, NULL::text, NULL::text
              FROM unnest(p_ends, p_answer_versions) WITH ORDINALITY AS c (upto, version, n) ORDER BY c.n;
            RETURN;
        EXCEPTION WHEN unique_violation OR check_violation THEN
            NULL;
        END;
    END IF;

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
