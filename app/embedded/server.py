"""One PostgreSQL of our own in a data directory, for a machine that has no database to give."""

import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote, urlencode

import psycopg

from app.embedded.binaries import Binaries, find_binaries
from app.embedded.cluster import (
    APP,
    OWNER,
    SUPERUSER,
    clean_environment,
    make_cluster,
    make_roles_and_databases,
)
from app.embedded.error import EmbeddedError
from app.embedded.facts import DirectoryLock, Facts, read_facts, write_facts
from app.embedded.places import (
    Account,
    choose_home,
    is_socket_folder,
    make_data_dir,
    make_socket_folder,
    postgres_account,
    reachable_binaries,
)
from app.embedded.processes import end_child, end_leftovers, end_with_parent, recorded_pid, serves

Role = Literal["app", "owner", "superuser"]
Database = Literal["casebook", "casebook_keys"]

_ROLE_NAMES: dict[Role, str] = {"app": APP, "owner": OWNER, "superuser": SUPERUSER}
_LONGEST_LOG = 10_000_000  # bytes
# Recovery after a crash replays at most max_wal_size: seconds, unless the disk is very slow.
_READY_SECONDS = 180.0
_AGAIN_SECONDS = 0.5

_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # Statements and the details of errors carry pupils' data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class Embedded:
    """A PostgreSQL that lives and ends with the process that starts it, with its data in `data_dir`.

    It has two databases, casebook and casebook_keys, both owned by casebook_owner; casebook_app may connect.
    It listens on a unix socket in a closed folder and nowhere else. For `casebook demo` and for tests; never
    for a school's own record, since keys and data lie side by side.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.absolute()
        self._lock = DirectoryLock(self.data_dir)
        self._facts: Facts | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    def attach(cls, data_dir: Path) -> Self:
        """The database that another process runs in `data_dir`, for a command beside it. Starts nothing.

        Raises EmbeddedError if none is running there.
        """
        embedded = cls(data_dir)
        embedded._facts = read_facts(embedded.data_dir)
        if not embedded.is_running():
            raise EmbeddedError(
                f"No embedded database is running in {embedded.data_dir}. "
                f"Start one with: casebook demo --data-dir {embedded.data_dir}"
            )
        return embedded

    def start(self) -> None:
        """Make the cluster if there is none yet, recover it if it was killed, and run it as our child.

        Returns when it answers. Call it from the main thread: only then does the database end with a process
        that is killed. Raises EmbeddedError if another process runs this data directory or PostgreSQL can't
        start.
        """
        if self.is_running() and self._lock.held:
            return
        account = postgres_account()
        facts = read_facts(self.data_dir)
        make_data_dir(self.data_dir, account, ours=facts is not None)
        if not self._lock.held:
            self._lock.take()
        try:
            self._facts = self._remembered_or_new(facts, account)
            binaries = self._prepare_cluster(account)
            self._run(binaries, account)
            make_roles_and_databases(self._url("superuser", "postgres"), self._known_facts)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the database: nothing of it stays but its data. Does nothing if it isn't running."""
        if self._child is not None:
            end_child(self._child)
            self._child = None
        if self._lock.held:
            if self._facts is not None:
                end_leftovers(self._cluster, self._socket)
            self._lock.release()

    def remove(self) -> None:
        """Stop it and forget its data for good. Raises EmbeddedError if another process runs it."""
        facts = read_facts(self.data_dir)
        if facts is None:
            return
        if not self._lock.held:
            self._lock.take()
        self._facts = facts
        home = self._home
        if self._child is not None:
            end_child(self._child)
            self._child = None
        end_leftovers(self._cluster, self._socket)
        copies = [*home.glob("postgresql-*"), *home.glob("cluster.*")]
        for leftover in [self._socket, self._cluster, *copies]:
            shutil.rmtree(leftover, ignore_errors=True)
        if home != self.data_dir:
            shutil.rmtree(home, ignore_errors=True)
        for name in ("postgres.log", "postgres.log.1", "embedded.json"):
            (self.data_dir / name).unlink(missing_ok=True)
        self._lock.release()

    def is_running(self) -> bool:
        """Whether the database is up, ours or (after `attach`) another process's."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it isn't running."""
        if self._child is not None:
            return self._child.pid if self._child.poll() is None else None
        if self._facts is None:
            return None
        recorded = recorded_pid(self._cluster)
        return recorded if recorded and serves(recorded, self._cluster) else None

    def url(self, role: Role, database: Database = "casebook") -> str:
        """A connection URL for libpq, password included: never for logs. EmbeddedError before a start."""
        return self._url(role, database)

    def _url(self, role: Role, database: str) -> str:
        facts = self._known_facts
        where = urlencode({"host": str(self._socket), "port": _SETTINGS["port"]}, quote_via=quote)
        return f"postgresql://{_ROLE_NAMES[role]}:{quote(getattr(facts, role))}@/{database}?{where}"

    @property
    def _known_facts(self) -> Facts:
        if self._facts is None:
            raise EmbeddedError(f"No embedded database was started in {self.data_dir}.")
        return self._facts

    @property
    def _home(self) -> Path:
        home = self._known_facts.home
        return Path(home) if home else self.data_dir

    @property
    def _cluster(self) -> Path:
        return self._home / "cluster"

    @property
    def _socket(self) -> Path:
        # Only facts that are being made have none yet.
        return Path(self._known_facts.socket or self._home / "socket")

    @property
    def _log(self) -> Path:
        return self.data_dir / "postgres.log"

    def _remembered_or_new(self, facts: Facts | None, account: Account) -> Facts:
        if facts is None:
            if (self.data_dir / "cluster").exists():
                raise EmbeddedError(
                    f"{self.data_dir} holds a database whose embedded.json, with its passwords, is gone: "
                    "put it back, or choose another place with --data-dir."
                )
            home = choose_home(self.data_dir, account)
            facts = Facts(home=None if home == self.data_dir else str(home), socket=None)
        home = Path(facts.home) if facts.home else self.data_dir
        if facts.socket is None or not is_socket_folder(Path(facts.socket), home, account):
            facts = replace(facts, socket=str(make_socket_folder(home, account)))
        write_facts(self.data_dir, facts)
        return facts

    def _prepare_cluster(self, account: Account) -> Binaries:
        version = self._cluster / "PG_VERSION"
        if version.exists():
            return reachable_binaries(find_binaries(int(version.read_text())), self._home, account)
        binaries = reachable_binaries(find_binaries(), self._home, account)
        make_cluster(self._cluster, binaries, account, self._known_facts.superuser)
        return binaries

    def _spawn(self, binaries: Binaries, account: Account) -> subprocess.Popen[bytes]:
        settings = _SETTINGS | {"unix_socket_directories": str(self._socket)}
        if self._log.exists() and self._log.stat().st_size > _LONGEST_LOG:
            self._log.replace(self._log.with_suffix(".log.1"))
        with os.fdopen(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
            return subprocess.Popen(
                [
                    binaries.folder / "postgres",
                    "-D",
                    self._cluster,
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._cluster,
                env=clean_environment(),
                # Ctrl-C is for the program that stops us in order, not for us.
                start_new_session=True,
                preexec_fn=end_with_parent(),
                **account.process_options(),
            )

    def _run(self, binaries: Binaries, account: Account) -> None:
        """Spawn it until it answers: a killed server may still hold its memory for a moment."""
        for tries_left in (2, 1, 0):
            end_leftovers(self._cluster, self._socket)
            self._child = self._spawn(binaries, account)
            try:
                self._wait_until_ready()
            except EmbeddedError:
                if not tries_left or self.is_running():
                    raise
                end_child(self._child)
                time.sleep(_AGAIN_SECONDS)
            else:
                return

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                psycopg.connect(self._url("superuser", "postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as fault:
                if not self.is_running() or time.monotonic() > deadline:
                    raise EmbeddedError(f"PostgreSQL doesn't start; {self._log} says why.") from fault
                time.sleep(0.02)
            else:
                return
