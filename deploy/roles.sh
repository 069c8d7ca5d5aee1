#!/bin/sh
# Runs once, when a database is made. Its owner changes its shape (casebook migrate) and is no superuser; the role
# that Casebook runs as may add facts and never change them.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set owner_password `cat "$OWNER_PASSWORD_FILE"`
\set app_password `cat "$APP_PASSWORD_FILE"`
CREATE ROLE casebook_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE casebook_app LOGIN PASSWORD :'app_password';
ALTER DATABASE :"DBNAME" OWNER TO casebook_owner;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO casebook_app;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
