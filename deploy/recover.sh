#!/bin/sh
# Puts a base back-up into an empty data folder, to be brought to a moment when PostgreSQL starts there:
# recover.sh MOMENT <BASE.tar, inside a new container of that database. MOMENT is like "2026-09-21 14:05:00+00", or
# "end" for all that was kept. Pieces of the log come from /archive.
set -eu
umask 077
if [ $# != 1 ]; then
  echo "Usage: $0 MOMENT <BASE.tar" >&2
  exit 2
fi
case $1 in
  end) ;;
  *[!0-9:.+\ -]* | '')
    echo "A moment is like \"2026-09-21 14:05:00+00\", or the word end." >&2
    exit 2
    ;;
esac
if [ -n "$(ls -A "$PGDATA")" ]; then
  echo "$PGDATA isn't empty: nothing was changed." >&2
  exit 1
fi
tar -C "$PGDATA" -xf -
chmod 0700 "$PGDATA"
{
  echo "restore_command = 'cp \"${ARCHIVE:-/archive}/%f\" \"%p\"'"
  echo "recovery_target_action = 'promote'"
  # Nobody is answered before it is there.
  echo "hot_standby = off"
  [ "$1" = end ] || echo "recovery_target_time = '$1'"
} >>"$PGDATA/postgresql.auto.conf"
: >"$PGDATA/recovery.signal"
sync
echo "When PostgreSQL starts there, it goes to: $1"
