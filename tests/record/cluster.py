"""A private PostgreSQL for the record's tests, unless one is given by CASEBOOK_TEST_SUPERUSER_URL."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if found:
        return found[-1]
    on_path = shutil.which("postgres")
    if on_path is None:
        raise RuntimeError("These tests need PostgreSQL 15 or newer on this machine.")
    return Path(on_path).resolve().parent


def _server_user() -> str | None:
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return "nobody"


@contextmanager
def superuser_url() -> Iterator[str]:
    given = os.environ.get("CASEBOOK_TEST_SUPERUSER_URL")
    if given:
        yield given
        return
    binaries, user = _binaries(), _server_user()
    with tempfile.TemporaryDirectory(prefix="casebook-test-", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        data = str(folder / "data")
        subprocess.run(
            [
                str(binaries / "initdb"),
                "-D",
                data,
                "-U",
                "superuser",
                "-A",
                "trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
            ],
            check=True,
            capture_output=True,
            user=user,
            cwd="/",
        )
        server = subprocess.Popen(
            [
                str(binaries / "postgres"),
                "-D",
                data,
                "-k",
                str(folder),
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=user,
            cwd="/",
        )
        url = f"postgresql://superuser@/postgres?host={folder}"
        try:
            _wait_for(url, server)
            yield url
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(20)
            server.kill()
            server.wait()


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        try:
            psycopg.connect(url, connect_timeout=1).close()
        except psycopg.OperationalError:
            if server.poll() is not None:
                raise
            with suppress(subprocess.TimeoutExpired):
                server.wait(0.05)
        else:
            return
    raise TimeoutError("PostgreSQL did not start within ten seconds.")
