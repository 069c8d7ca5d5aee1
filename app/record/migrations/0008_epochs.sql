-- Where the record goes on after entries were lost that a checkpoint had been published of. The statement says what
-- is gone, when and why; the first leaf of the epoch's trees is over it. The anchor keeps the same beside its file,
-- and believes that.

CREATE TABLE record.epochs (
    epoch     integer     NOT NULL CONSTRAINT epochs_pkey PRIMARY KEY CHECK (epoch >= 2),
    origin    text        NOT NULL CONSTRAINT epochs_origin_key UNIQUE CHECK (origin ~ '/epoch[0-9]+(/demo)?$'),
    statement text        NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON record.epochs
    FOR EACH STATEMENT EXECUTE FUNCTION record.refuse_change();
ALTER TABLE record.epochs ENABLE ALWAYS TRIGGER refuse_change;

GRANT SELECT, INSERT ON record.epochs TO casebook_app;
