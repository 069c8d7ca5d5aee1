#!/bin/sh
# Writes a back-up of the record into the first folder, one of the keys into the second, and the anchor's and the
# eraser's files into the third. Keep the three apart: record and keys together, with the kek, open every case; and
# the files are what shows that somebody put an old record back. Neither the log key nor the kek is in any of them.
# The keys come after the record, so that none is missing; the files last, so that they know of all that was signed.
set -eu
umask 077
if [ $# != 3 ]; then
  echo "Usage: $0 FOLDER-FOR-THE-RECORD FOLDER-FOR-THE-KEYS FOLDER-FOR-THE-FILES" >&2
  exit 2
fi
record=$(cd "$1" && pwd)
keys=$(cd "$2" && pwd)
files=$(cd "$3" && pwd)
cd "$(dirname "$0")/.."
now=$(date -u +%Y-%m-%dT%H%M%SZ)

dump() { # service, database, file
  docker compose exec -T --user postgres "$1" \
    pg_dump --username postgres --format custom --no-unlogged-table-data "$2" >"$3.unfinished"
  docker compose exec -T --user postgres "$1" pg_restore --list <"$3.unfinished" >/dev/null
  mv "$3.unfinished" "$3"
}
kept() { # service, file
  docker compose exec -T "$1" \
    tar -C /var/lib/casebook --exclude '*log-key*' --exclude '*.unfinished' -cf - . >"$2.unfinished"
  tar -tf "$2.unfinished" >/dev/null
  mv "$2.unfinished" "$2"
}
dump record-db casebook "$record/record-$now.dump"
dump keys-db casebook_keys "$keys/keys-$now.dump"
kept anchor "$files/checkpoints-$now.tar"
kept projector "$files/destroyed-$now.tar"
echo "Backed up: $record/record-$now.dump, $keys/keys-$now.dump, and in $files checkpoints-$now.tar and destroyed-$now.tar"
