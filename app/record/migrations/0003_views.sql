-- Projections live here. They can be thrown away and filled again from the record,
-- so the run-time role makes, swaps and drops its tables itself.

CREATE SCHEMA views;
GRANT USAGE, CREATE ON SCHEMA views TO casebook_app;
