-- Accounts, sign-in and sessions. No name and no address stands here in clear: whoever signs in is found
-- by a keyed hash of the sign-in name, and what belongs to a person is sealed in the record.

CREATE SCHEMA access;

CREATE TABLE access.accounts (
    id            uuid        CONSTRAINT accounts_pkey PRIMARY KEY,
    role          text        NOT NULL CHECK (role IN ('coordinator', 'dsl', 'deputy_dsl', 'mentor', 'referrer',
                                                       'inspector', 'head', 'chair', 'data_officer', 'admin')),
    password_hash text,
    -- The mentor or pupil whom the account belongs to, where it belongs to one.
    person_id     uuid,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    disabled_at   timestamptz
);
CREATE INDEX accounts_person_id_idx ON access.accounts (person_id) WHERE person_id IS NOT NULL;

CREATE TABLE access.logins (
    login_key bytea CONSTRAINT logins_pkey PRIMARY KEY,
    account   uuid  NOT NULL REFERENCES access.accounts
);
CREATE INDEX logins_account_idx ON access.logins (account);

CREATE TABLE access.sessions (
    token_hash bytea       CONSTRAINT sessions_pkey PRIMARY KEY,
    account    uuid        NOT NULL REFERENCES access.accounts,
    csrf       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at   timestamptz
);
CREATE INDEX sessions_account_idx ON access.sessions (account);

CREATE TABLE access.tokens (
    token_hash bytea       CONSTRAINT tokens_pkey PRIMARY KEY,
    account    uuid        NOT NULL REFERENCES access.accounts,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX tokens_account_idx ON access.tokens (account);

CREATE TABLE access.sign_in_failures (
    login_key  bytea       NOT NULL,
    source_key bytea       NOT NULL,
    failed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX sign_in_failures_login_idx ON access.sign_in_failures (login_key, failed_at);
CREATE INDEX sign_in_failures_source_idx ON access.sign_in_failures (source_key, failed_at);

GRANT USAGE ON SCHEMA access TO casebook_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA access TO casebook_app;
