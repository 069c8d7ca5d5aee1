"""The services of docker-compose.yml as processes of this machine: command, environment, secrets, account.

Where root may, each runs as process 1 of a space of its own, on a file system that can't be written. There
are two real PostgreSQL clusters, made by the options and the script that the containers make them by.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import randint
from time import monotonic, sleep
from typing import Any, Final

import psycopg
import yaml

from app.embedded.binaries import find_binaries
from app.embedded.places import postgres_account, reachable_binaries
from app.embedded.processes import end_with_parent
from tests.server.plans import (
    CASEBOOK_UID,
    ROOT,
    build_image,
    compose,
    container,
    dockerfile,
    may_contain,
    said_in_env,
    value_of,
)

STOP_SECONDS: Final = 10.0
"""How long Docker waits for a container to stop before it kills it."""


@dataclass
class Service:
    """One running service. What it says is in `log`."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    contained: bool

    def stop(self) -> float:
        """SIGTERM as `docker stop` sends it, to process 1. Gives the seconds until its end; exit code 0."""
        began = monotonic()
        pid = self.process.pid
        if self.contained:
            # unshare itself only waits: the service is its child.
            pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        os.kill(pid, 15)
        code = self.process.wait(STOP_SECONDS * 3)
        assert code == 0, (self.name, code, self.log.read_text()[-2000:])
        return monotonic() - began


@dataclass
class Yard:
    """A school's server in a folder."""

    folder: Path
    mail_port: int
    running: list[Service] = field(default_factory=list)
    databases: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contained = may_contain()
        self.port = _free_port()
        self.signer_port = _free_port()
        self.secrets = self.folder / "secrets"

    @cached_property
    def image(self) -> Path:
        """What the image would hold of ours."""
        return build_image(self.folder)

    # Secrets

    def make_secrets(self) -> None:
        """Run deploy/make-secrets.sh; then names of containers become addresses, since there is no Docker."""
        shutil.copytree(ROOT / "deploy", self.folder / "deploy")
        mail = f"smtp://127.0.0.1:{self.mail_port}?from=casebook@school.example"
        path = os.environ["PATH"] if os.geteuid() == 0 else f"{self._as_if_root()}:{os.environ['PATH']}"
        said = subprocess.run(
            [self.folder / "deploy" / "make-secrets.sh"],
            input=mail + "\n",
            text=True,
            capture_output=True,
            env={"PATH": path},
            check=False,
        )
        assert said.returncode == 0, said.stderr
        for name in ("record-db", "keys-db"):
            self.addresses[name] = f"127.{randint(1, 250)}.{randint(1, 250)}.{randint(1, 250)}"
            for secret in self.secrets.glob("*_url"):
                said_there = secret.read_text()
                secret.write_text(said_there.replace(f"@{name}/", f"@{self.addresses[name]}/"))

    def _as_if_root(self) -> Path:
        """Programs for a machine where we aren't root: everything then belongs to us."""
        folder = self.folder / "as-if-root"
        folder.mkdir()
        for name, does in (("id", "echo 0"), ("chown", "true")):
            (folder / name).write_text(f"#!/bin/sh\n{does}\n")
            (folder / name).chmod(0o755)
        return folder

    # The databases

    def start_databases(self) -> None:
        """Make both clusters as the image's entry point does, and start them."""
        account = postgres_account()
        home = self.folder / "postgres"
        home.mkdir()
        os.chown(home, -1, account.gid) if account.other else None
        for parent in [home, *home.parents]:
            if not account.may("-x", parent):
                parent.chmod(parent.stat().st_mode | 0o011)
        binaries = reachable_binaries(find_binaries(), home, account).folder
        for name, service in compose()["services"].items():
            if not name.endswith("-db"):
                continue
            environment = service["environment"]
            data = home / name
            data.mkdir(mode=0o700)
            account.own(data)
            password = data.with_suffix(".password")
            password.write_text(self._secret(environment["POSTGRES_PASSWORD_FILE"]).read_text())
            account.own(password)
            initdb = [binaries / "initdb", "-D", data, "--username", environment["POSTGRES_USER"]]
            options = [*shlex.split(environment["POSTGRES_INITDB_ARGS"]), "--auth-local=trust"]
            subprocess.run(
                [*initdb, f"--pwfile={password}", *options, "--no-sync"],
                check=True,
                capture_output=True,
                cwd=data,
                **account.process_options(),
            )
            # As the image does, whose server listens to the containers beside it.
            with (data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all all scram-sha-256\n")
            self._start_database(name, binaries, service["command"], data)
            self._make_roles(name, binaries, environment)

    def _start_database(self, name: str, binaries: Path, command: Sequence[str], data: Path) -> None:
        place = [f"--listen_addresses={self.addresses[name]}", f"--unix_socket_directories={data}"]
        with self.log_of(name).open("wb") as log:
            self.databases[name] = subprocess.Popen(
                [binaries / command[0], "-D", data, *command[1:], *place, "-c", "fsync=off"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=data,
                start_new_session=True,
                preexec_fn=end_with_parent(),
                **postgres_account().process_options(),
            )
        _until(lambda: _answers(f"host={data} user=postgres dbname=postgres"), 30)

    def _make_roles(self, name: str, binaries: Path, environment: Mapping[str, str]) -> None:
        data = self.folder / "postgres" / name
        given = {
            key: str(self._secret(value)) if value.startswith("/run/secrets/") else value
            for key, value in environment.items()
        }
        with psycopg.connect(f"host={data} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {environment['POSTGRES_DB']}")
        subprocess.run(
            [self.folder / "deploy" / "roles.sh"],
            check=True,
            env={"PATH": f"{binaries}:{os.defpath}", "PGHOST": str(data), **given},
        )

    def superuser(self, name: str) -> str:
        """How the superuser of a cluster connects, on its socket."""
        database = compose()["services"][name]["environment"]["POSTGRES_DB"]
        return f"host={self.folder / 'postgres' / name} user=postgres dbname={database}"

    # The services

    def start(self, name: str, command: Sequence[str] | None = None) -> Service:
        """Start a service, or another command in a container like its."""
        service = compose()["services"][name]
        image = dict(dockerfile())
        said = list(command or service.get("command") or yaml.safe_load(image["CMD"]))
        log = self.log_of(name)
        with log.open("ab") as file:
            process = subprocess.Popen(
                [*self._space(service), *self._program(said)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=self._environment(service["environment"]),
                cwd="/",
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )
        started = Service(name, process, log, self.contained)
        if command is None and service.get("restart") != "no":
            self.running.append(started)
        return started

    def run(
        self, name: str, *command: str, said: str = "", databases: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a container like a service's, as `docker compose exec` does, and wait for it.

        `databases` are URLs to use in place of those in the secrets, by the secret's name.
        """
        service = compose()["services"][name]
        urls = {f"CASEBOOK_{secret.upper()}": url for secret, url in (databases or {}).items()}
        return subprocess.run(
            [*self._space(service), *self._program(command)],
            input=said,
            env=self._environment(service["environment"]) | urls,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def environment_of(self, name: str) -> dict[str, str]:
        """What the image and the service set."""
        return self._environment(compose()["services"][name]["environment"])

    def space_of(self, name: str) -> list[str]:
        """What a program is started by, to run in a container like a service's."""
        return self._space(compose()["services"][name])

    def end(self) -> None:
        """Stop whatever still runs."""
        for service in self.running:
            if service.process.poll() is None:
                os.killpg(service.process.pid, 9)
                service.process.wait()
        for process in self.databases.values():
            process.send_signal(2)
            process.wait()

    @property
    def address(self) -> str:
        """Where the web answers."""
        return f"http://127.0.0.1:{self.port}"

    def log_of(self, name: str) -> Path:
        """Where a service's messages are."""
        return self.folder / f"{name}.log"

    def _environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """What the image and the service set, with the names that a school has to give."""
        school = {"CASEBOOK_ORIGIN": "casebook.example/yard", "CASEBOOK_BASE_URL": self.address}
        school |= said_in_env(self.folder)
        env = {name: value_of(value, school) for name, value in given.items()}
        # There are no names of containers here.
        env = {
            name: re.sub(r"\b(anchor|0\.0\.0\.0):8001", f"127.0.0.1:{self.signer_port}", value)
            for name, value in env.items()
        }
        said = " ".join(said for what, said in dockerfile() if what == "ENV")
        for name, value in (word.split("=", 1) for word in shlex.split(said)):
            env.setdefault(name, value)
        if not self.contained:
            places = {"/run/secrets": self.secrets, "/run/keks": self.secrets / "keks"}
            for place, ours in {**places, "/var/lib/casebook": self.kept}.items():
                env = {name: value.replace(place, str(ours)) for name, value in env.items()}
            env["CASEBOOK_DATA_DIR"] = str(self.folder / "data")
        return env | {"PATH": os.defpath, "PYTHONPATH": str(self.image)}

    def _space(self, service: Mapping[str, Any]) -> list[str]:
        if not self.contained:
            return []
        secrets = service["secrets"]
        own = self.folder / ("secrets-" + "-".join(secrets))
        if not own.exists():
            own.mkdir(mode=0o755)
            for name in secrets:
                shutil.copy2(self.secrets / name, own / name)
                os.chown(own / name, (self.secrets / name).stat().st_uid, -1)
        needed = dict.fromkeys([str(self.image), sys.prefix, sys.base_prefix])
        return container(service, own, self.kept, self.secrets / "keks", needed)

    @cached_property
    def kept(self) -> Path:
        """What stands for the volume that the anchor writes to."""
        folder = self.folder / "proof"
        folder.mkdir(mode=0o700)
        if self.contained:
            os.chown(folder, CASEBOOK_UID, CASEBOOK_UID)
        return folder

    def _program(self, words: Sequence[str]) -> list[str]:
        """A command of the image, by the programs of this machine and on a port that is free here."""
        programs = {"casebook": [sys.executable, "-m", "app"], "python": [sys.executable]}
        rest = [word.replace("8000", str(self.port)).replace("0.0.0.0", "127.0.0.1") for word in words[1:]]  # noqa: S104
        return [*programs[words[0]], *rest]

    def _secret(self, path: str) -> Path:
        return self.secrets / Path(path).name


def _answers(conninfo: str) -> bool:
    try:
        psycopg.connect(conninfo, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _until(happened: Any, seconds: float) -> None:
    until = monotonic() + seconds
    while not happened():
        assert monotonic() < until, "it didn't happen in time"
        sleep(0.05)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
