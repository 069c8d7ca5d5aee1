#!/bin/sh
# Runs once, when a database is made: the role that Casebook runs as, which may add facts and never change them.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set "password=$(cat "$APP_PASSWORD_FILE")" <<'SQL'
CREATE ROLE casebook_app LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE :"DBNAME" TO casebook_app;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
