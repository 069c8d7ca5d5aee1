-- Checkpoints of both logs, as they were signed, and what witnesses added to them. The anchor keeps the same in a
-- file outside the database, and believes that file.

CREATE TABLE record.checkpoints (
    origin  text        NOT NULL,
    size    bigint      NOT NULL CHECK (size >= 0),
    root    bytea       NOT NULL CHECK (octet_length(root) = 32),
    note    text        NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT checkpoints_pkey PRIMARY KEY (origin, size)
);

-- A line `cosignature/v1` of somebody else's key, checked before it is kept.
CREATE TABLE record.cosignatures (
    origin  text        NOT NULL,
    size    bigint      NOT NULL,
    witness text        NOT NULL,
    line    text        NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT cosignatures_pkey PRIMARY KEY (origin, size, witness),
    CONSTRAINT cosignatures_of_a_checkpoint FOREIGN KEY (origin, size) REFERENCES record.checkpoints
);

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON record.checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION record.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON record.cosignatures
    FOR EACH STATEMENT EXECUTE FUNCTION record.refuse_change();
ALTER TABLE record.checkpoints ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE record.cosignatures ENABLE ALWAYS TRIGGER refuse_change;

GRANT SELECT, INSERT ON record.checkpoints, record.cosignatures TO casebook_app;
