"""Making a cluster: its files by initdb, then the roles and the two databases that Casebook works with."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from app.embedded.binaries import Binaries
from app.embedded.error import EmbeddedError
from app.embedded.facts import Facts
from app.embedded.places import Account

SUPERUSER = "postgres"
OWNER = "casebook_owner"
APP = "casebook_app"
DATABASES = ("casebook", "casebook_keys")


def clean_environment() -> dict[str, str]:
    """The environment of PostgreSQL's programs: nobody's PGDATA, PGHOST or locale reaches them."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def make_cluster(cluster: Path, binaries: Binaries, account: Account, password: str) -> None:
    """Make an empty cluster with the superuser's `password`; whole or not at all. May raise EmbeddedError."""
    unfinished = cluster.with_suffix(".unfinished")
    complaint: str | None = None
    # The second is for systems whose C library has no C.UTF-8.
    for locale in ("C.UTF-8", "C"):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        account.own(unfinished)
        complaint = _initdb(unfinished, binaries, account, password, locale)
        if complaint is None:
            unfinished.rename(cluster)
            return
    raise EmbeddedError(f"PostgreSQL couldn't make a database in {cluster}: {complaint}")


def _initdb(cluster: Path, binaries: Binaries, account: Account, password: str, locale: str) -> str | None:
    with tempfile.NamedTemporaryFile("w", prefix="casebook-") as password_file:
        account.own(Path(password_file.name))
        password_file.write(password)
        password_file.flush()
        made = subprocess.run(
            [
                binaries.folder / "initdb",
                "--encoding=UTF8",
                f"--locale={locale}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file.name}",
                "--auth-local=scram-sha-256",
                "--auth-host=reject",
                "-D",
                cluster,
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=cluster,
            env=clean_environment(),
            **account.process_options(),
        )
    return made.stderr.strip() if made.returncode else None


def make_roles_and_databases(superuser_url: str, facts: Facts) -> None:
    """Make what isn't there yet; at every start, so that one which was killed half-way is finished."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for name, password in ((OWNER, facts.owner), (APP, facts.app)):
            if name not in roles:
                # Hashed here, so that no password passes through a statement.
                verifier = connection.pgconn.encrypt_password(
                    password.encode(), name.encode(), b"scram-sha-256"
                )
                create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                connection.execute(create.format(sql.Identifier(name), verifier.decode()))
        databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        for name in DATABASES:
            database = sql.Identifier(name)
            if name not in databases:
                create = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(create.format(database, sql.Identifier(OWNER)))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
            grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
            connection.execute(grant.format(database, sql.Identifier(APP)))
