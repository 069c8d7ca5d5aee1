#!/bin/sh
# After databases were put back, and before anything is served: the files, whether each key can be opened, what was
# erased since, the check, the lists. What the volumes hold already is newer, and stays. Ends with 1 where a key is
# missing, or the record isn't all that was signed.
set -eu
if [ $# != 2 ]; then
  echo "Usage: $0 CHECKPOINTS.tar DESTROYED.tar" >&2
  exit 2
fi
file() { (cd "$(dirname "$1")" && printf '%s/%s' "$(pwd)" "$(basename "$1")"); }
checkpoints=$(file "$1")
destroyed=$(file "$2")
cd "$(dirname "$0")/.."
run() { docker compose run --rm --no-deps -T "$@"; }

run anchor tar -C /var/lib/casebook --skip-old-files -xf - <"$checkpoints"
run projector tar -C /var/lib/casebook --skip-old-files -xf - <"$destroyed"
run migrate
if ! run projector casebook keys list; then
  cat >&2 <<'END'
A key is missing that this back-up needs: docs/restore.md, "A back-up from before a roll". Nothing is served yet.
Put it where it belongs, and go on:
  deploy/restored.sh CHECKPOINTS.tar DESTROYED.tar
END
  exit 1
fi
echo "Erased since then, and erased again:"
run projector casebook erase --apply-list
whole=yes
set --
for key in $(run anchor casebook log-key); do
  set -- "$@" --log-key "$key"
done
run anchor cat /var/lib/casebook/checkpoints.txt |
  run web casebook verify "$@" --checkpoint - || whole=no
run projector casebook rebuild
if [ $whole = yes ]; then
  echo "The record is all that was signed. Let it run: docker compose up --detach"
  exit 0
fi
cat >&2 <<'END'
The record isn't all that was signed: see above. Nothing is served yet, and what failed is as it was.
Look for a newer back-up first. If there is none, say for good what is missing, and then let it run:
  docker compose run --rm --no-deps -T anchor casebook new-epoch --by "THE HEAD" --reason "WHAT HAPPENED"
  docker compose up --detach
END
exit 1
