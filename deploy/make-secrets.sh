#!/bin/sh
# Makes the secrets of a new server in ./secrets, once. Nothing that exists is ever replaced: without the kek the
# record can't be opened again, so copy it to a safe that isn't this machine's back-up.
set -eu
umask 077
cd "$(dirname "$0")/.."
if [ -e secrets ]; then
  echo "./secrets is already there: nothing was changed." >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "Run this as root, so that each container can read its own secrets and no other." >&2
  exit 1
fi
echo "Which mail server sends alerts? For example smtps://user:password@mail.example.sch.uk?from=casebook@example.sch.uk"
read -r smtp_url
case $smtp_url in
  smtp://?* | smtps://?*) ;;
  *)
    echo "It begins with smtp:// or smtps://. Without e-mail nobody would learn of a concern in time." >&2
    exit 1
    ;;
esac

rm -rf secrets.new
mkdir secrets.new secrets.new/keks
random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }
for database in record keys; do
  for role in superuser owner app; do
    random >"secrets.new/${database}_${role}_password"
  done
done
random >secrets.new/keks/kek
random >secrets.new/log_key
random >secrets.new/signer_token
random >secrets.new/secret_key
printf '%s' "$smtp_url" >secrets.new/smtp_url
url() { printf 'postgresql://%s:%s@%s/%s' "$1" "$(cat "secrets.new/$2")" "$3" "$4"; }
url casebook_app record_app_password record-db casebook >secrets.new/database_url
url casebook_app keys_app_password keys-db casebook_keys >secrets.new/keys_database_url
url casebook_owner record_owner_password record-db casebook >secrets.new/migrate_database_url
url casebook_owner keys_owner_password keys-db casebook_keys >secrets.new/migrate_keys_database_url

# Inside the containers, PostgreSQL is account 999 and Casebook account 10001: each may read its own.
chown 10001 secrets.new/* secrets.new/keks/*
chown 999 secrets.new/*_password
chmod 0711 secrets.new
mv secrets.new secrets
echo "Made ./secrets. Keep a copy of secrets/keks/kek in a safe place, apart from the back-ups of the databases."
