#!/bin/sh
# Runs a program as its container would: as an account of no rights, with its own secrets alone, on a file system
# that can't be written but for an empty /tmp. Call it as root by `unshare --mount --pid --fork --mount-proc`.
# contain.sh UID SECRETS-FOLDER VOLUME-FOLDER KEKS-FOLDER none|ro|rw NEEDED-FOLDERS… -- PROGRAM ARGUMENTS…
set -eu
uid=$1
secrets=$2
kept=$3
keks=$4
may=$5
shift 5
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir /mnt/secrets
mount --bind "$secrets" /mnt/secrets
mkdir /mnt/kept
mount --bind "$kept" /mnt/kept
if [ "$may" != none ]; then
  mkdir /mnt/keks
  mount --bind "$keks" /mnt/keks
fi

# What is needed may lie in a folder that is closed to others, such as root's home, or in /tmp.
count=0
places=
while [ "$1" != -- ]; do
  count=$((count + 1))
  mkdir "/mnt/$count"
  mount --bind "$1" "/mnt/$count"
  places="$places$1
"
  shift
done
shift
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir /run/secrets
mount --move /mnt/secrets /run/secrets
if [ "$may" != none ]; then
  mkdir /run/keks
  mount --move /mnt/keks /run/keks
  mount -o "remount,$may,bind" /run/keks
fi
count=0
printf '%s' "$places" | while read -r place; do
  count=$((count + 1))
  closed=$place
  while [ "$(dirname "$closed")" != / ]; do
    closed=$(dirname "$closed")
    case $(stat -c %A "$closed" 2>/dev/null || echo d) in
      *x | *t | d) ;;
      *) mount -t tmpfs -o mode=0755 tmpfs "$closed" ;;
    esac
  done
  mkdir -p "$place"
  mount --move "/mnt/$count" "$place"
done
# An empty folder of the machine's own, over which the volume is laid as it is in a container.
mount -t tmpfs -o mode=0755 tmpfs /var/lib
mkdir /var/lib/casebook
mount --move /mnt/kept /var/lib/casebook
umount /mnt
mount -o remount,ro,bind /
cd /tmp
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
