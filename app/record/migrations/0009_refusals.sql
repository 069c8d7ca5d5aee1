-- When the anchor refused to sign and why, in its own words, for whoever asks how the record is. Without a reason
-- it signed again. Nothing is proven by it: whoever may add facts may add rows here.

CREATE TABLE record.refusals (
    said_at timestamptz NOT NULL DEFAULT clock_timestamp() CONSTRAINT refusals_pkey PRIMARY KEY,
    why     text
);

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON record.refusals
    FOR EACH STATEMENT EXECUTE FUNCTION record.refuse_change();
ALTER TABLE record.refusals ENABLE ALWAYS TRIGGER refuse_change;

GRANT SELECT, INSERT ON record.refusals TO casebook_app;
