#!/bin/sh
# PostgreSQL's archive_command: archive.sh PATH NAME. Keeps a piece of the log under /archive, whole and on the disk
# before PostgreSQL lets go of its own. The same piece again is well; another one under its name is refused.
set -eu
to=${ARCHIVE:-/archive}/$2
if [ -e "$to" ]; then
  exec cmp -s "$1" "$to"
fi
cp "$1" "$to.unfinished"
sync "$to.unfinished"
mv "$to.unfinished" "$to"
sync "$(dirname "$to")"
