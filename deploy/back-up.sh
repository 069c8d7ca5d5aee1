#!/bin/sh
# Writes a back-up of the record into the first folder and one of the keys into the second, which should be kept
# apart: together, with the kek, they open every case. The keys come second, so that none is missing.
set -eu
umask 077
if [ $# != 2 ]; then
  echo "Usage: $0 FOLDER-FOR-THE-RECORD FOLDER-FOR-THE-KEYS" >&2
  exit 2
fi
record=$(cd "$1" && pwd)
keys=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."
now=$(date -u +%Y-%m-%dT%H%M%SZ)

dump() { # service, database, file
  docker compose exec -T --user postgres "$1" \
    pg_dump --username postgres --format custom --no-unlogged-table-data "$2" >"$3.unfinished"
  docker compose exec -T --user postgres "$1" pg_restore --list <"$3.unfinished" >/dev/null
  mv "$3.unfinished" "$3"
}
dump record-db casebook "$record/record-$now.dump"
dump keys-db casebook_keys "$keys/keys-$now.dump"
echo "Backed up: $record/record-$now.dump and $keys/keys-$now.dump"
