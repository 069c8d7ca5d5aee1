"""The real web server with our application, and a bare view beside it, asked by one reader."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from time import perf_counter, sleep
from types import TracebackType
from typing import Self

import httpx

from app.access.sessions import COOKIE
from tests.benchmarks.ground import ACCOUNT, Ground


class Server:
    """Serves one ground, to its coordinator, who is on the staff list; use it as a context."""

    def __init__(self, ground: Ground) -> None:
        ground.house.accounts.open(ACCOUNT, "coordinator", ["bench"], None)
        token, session = ground.house.accounts.issue_token(ACCOUNT), ground.house.sessions.start(ACCOUNT)
        port = _free_port()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface", "rsgi", "--host", "127.0.0.1"),
                *("--port", str(port), "--workers", "1", "--no-ws"),
                *("--log-level", "warning", "tests.benchmarks.server:app"),
            ],
            env=os.environ | {"CASEBOOK_BENCH": _told(ground), "PYTHONWARNINGS": "default"},
            stdout=subprocess.DEVNULL,
        )
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            timeout=30,
            headers={"Authorization": f"Bearer {token}"},
            cookies={COOKIE: session},
        )

    def __enter__(self) -> Self:
        for _ in range(200):
            try:
                if self._client.get("/healthz").status_code == 200:
                    return self
            except httpx.TransportError:
                sleep(0.05)
        self.__exit__(None, None, None)
        raise TimeoutError("The server did not start.")

    def times(self, paths: Sequence[str]) -> list[float]:
        """What each request took in milliseconds, one after another on one connection."""
        taken = []
        for path in paths:
            start = perf_counter()
            answer = self._client.get(path)
            taken.append((perf_counter() - start) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"The server answered {answer.status_code}.")
        return taken

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait(20)


def _told(ground: Ground) -> str:
    settings = ground.settings
    return json.dumps(
        {
            "database_url": settings.database_url,
            "keys_database_url": settings.keys_database_url,
            "kek_file": str(settings.kek_file),
            "secret_key": settings.secret_key,
            "origin": settings.origin,
            "data_dir": str(settings.data_dir),
        }
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port
