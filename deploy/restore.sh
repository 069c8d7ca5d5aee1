#!/bin/sh
# Puts a back-up into new, empty databases, and serves nothing: what failed stays as it is, for somebody to look at.
# First name the new ones: echo COMPOSE_PROJECT_NAME=casebook-restored | sudo tee -a .env
# Give the newest checkpoints and destroyed keys that can be found: newer than the databases, if there are any.
set -eu
if [ $# != 4 ]; then
  echo "Usage: $0 RECORD.dump KEYS.dump CHECKPOINTS.tar DESTROYED.tar" >&2
  exit 2
fi
file() {
  if [ ! -r "$1" ]; then
    echo "$1 can't be read: nothing was changed." >&2
    exit 2
  fi
  (cd "$(dirname "$1")" && printf '%s/%s' "$(pwd)" "$(basename "$1")")
}
record=$(file "$1")
keys=$(file "$2")
checkpoints=$(file "$3")
destroyed=$(file "$4")
cd "$(dirname "$0")/.."

empty() { # service, database, schema
  found=$(docker compose exec -T --user postgres "$1" psql --no-psqlrc --tuples-only --no-align --username postgres \
    --dbname "$2" --command "SELECT to_regnamespace('$3') IS NULL")
  if [ "$found" != t ]; then
    echo "The database $2 isn't empty: nothing was changed. Is COMPOSE_PROJECT_NAME a new one?" >&2
    exit 1
  fi
}
restore() { # service, database, file
  docker compose exec -T --user postgres "$1" \
    pg_restore --username postgres --single-transaction --dbname "$2" <"$3"
}
docker compose up --detach --wait record-db keys-db
empty record-db casebook record
empty keys-db casebook_keys keys
restore keys-db casebook_keys "$keys"
restore record-db casebook "$record"
exec deploy/restored.sh "$checkpoints" "$destroyed"
