"""A demo's life: it begins again what was half told, outlives its children, and leaves no process behind."""

import os
import signal
import socket
import sys
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from app.embedded import Embedded
from tests.demo.running import Running, demo, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.kill,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]


def test_a_demo_survives_whatever_is_killed_and_ends_as_one() -> None:
    with demo() as running:
        running.start()
        until(lambda: running.facts() > 2000)
        assert running.process is not None
        running.process.kill()
        running.process.communicate()
        until(lambda: not running.processes())

        running.start()
        said = running.ready()
        assert f"http://127.0.0.1:{running.port}" in said
        assert "coordinator" in said
        told = running.facts()
        assert told > 4400
        assert running.facts_since(hours=1) < 100, "an alert rang while the past was told"
        found = running.command("status")
        assert found.returncode == 0, found.stdout

        for child in running.children():
            os.kill(child, signal.SIGKILL)
        until(lambda: not running.answers())
        until(running.answers)
        until(lambda: running.command("status").returncode == 0)

        running.kill()
        running.process.communicate()
        until(lambda: not running.processes())
        running.start()
        running.ready()
        assert running.facts() >= told

        status, _, complaints = running.end()
        assert (status, complaints) == (0, "")
        assert running.processes() == []

        running.start("--fresh")
        until(lambda: 0 < running.facts() < told // 2)
        assert running.end(signal.SIGINT)[0] == 0
        assert running.processes() == []
        running.start()
        running.ready()
        assert running.facts() <= told + 1
        assert running.end()[0] == 0
        assert running.processes() == []


def test_a_port_in_use_and_a_running_demo_are_said_in_one_line() -> None:
    with demo() as running, socket.socket() as taken:
        taken.bind(("127.0.0.1", running.port))
        taken.listen()
        refused = running.command("demo", "--port", str(running.port))
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"casebook: Port {running.port} can't be used")
        assert refused.stderr.count("\n") == 1

        embedded = Embedded(running.folder)
        embedded.start()
        try:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            refused = running.command("demo", "--port", str(port))
        finally:
            embedded.stop()
        assert refused.returncode == 1
        assert "already runs the database" in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_the_same_program_runs_on_a_server_s_databases(cluster: Embedded) -> None:
    names = [f"demo_{uuid4().hex[:8]}" for _ in range(2)]
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as connection:
        for name in names:
            create = sql.SQL("CREATE DATABASE {} OWNER casebook_owner").format(sql.Identifier(name))
            connection.execute(create)
    urls = {
        "CASEBOOK_DATABASE_URL": make_conninfo(cluster.url("app"), dbname=names[0]),
        "CASEBOOK_MIGRATE_DATABASE_URL": make_conninfo(cluster.url("owner"), dbname=names[0]),
        "CASEBOOK_KEYS_DATABASE_URL": make_conninfo(cluster.url("app"), dbname=names[1]),
    }
    with demo(urls) as running:
        running.start("--scheme", "Another School")
        running.ready()
        _beside(running, urls)
        assert running.end()[0] == 0
        assert running.processes() == []
        serving = running.command("serve", "--port", str(running.port))
        assert serving.returncode == 1
        assert "embedded database is for demonstrations" in serving.stderr

        told = running.facts()
        running.start("--fresh")
        until(lambda: 0 < running.facts() < told // 2)
        assert running.end()[0] == 0


def _beside(running: Running, urls: dict[str, str]) -> None:
    found = running.command("status")
    assert found.returncode == 0, found.stdout
    assert running.command("database-url").stdout.strip() == urls["CASEBOOK_DATABASE_URL"]
    assert running.command("database-url", "--superuser").returncode == 2
    token = running.command("token", "coordinator")
    assert token.returncode == 0
    assert token.stdout.startswith("casebook_")
