#!/bin/sh
# Writes a base back-up of the record's cluster into the first folder and of the keys' into the second: with what
# deploy/archive.sh kept since then, each can be put back as it was at any moment. Lists with names aren't in them.
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

base() { # service, file
  docker compose exec -T --user postgres "$1" \
    pg_basebackup --username postgres --pgdata - --format tar --wal-method fetch --checkpoint fast >"$2.unfinished"
  tar -tf "$2.unfinished" >/dev/null
  mv "$2.unfinished" "$2"
}
base record-db "$record/record-base-$now.tar"
base keys-db "$keys/keys-base-$now.tar"
echo "Backed up: $record/record-base-$now.tar and $keys/keys-base-$now.tar"
