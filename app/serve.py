"""The web server: Granian, with worker processes of a few threads each."""

import argparse
import ctypes
import multiprocessing
import os
import signal
import sys
from tempfile import TemporaryDirectory
from typing import Final

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from app.logs import granian_logs, log_to_stderr

THREADS: Final = 8
STOP_SECONDS: Final = 5
_SET_PARENT_DEATH_SIGNAL: Final = 1


def web() -> Flask:
    """The application of one worker, from the environment. Granian calls it in each worker."""
    from app import create_app
    from app.cli.surroundings import settings_here

    _end_with_parent()
    log_to_stderr()
    return create_app(settings_here())


def run(host: str, port: int, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT."""
    with TemporaryDirectory(prefix="casebook-metrics-") as folder:
        # Here the workers count together, so that each of them can answer for all; read when they start.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        Granian(
            "app.serve:web",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=THREADS,
            respawn_failed_workers=True,
            respawn_interval=0.5,
            workers_kill_timeout=STOP_SECONDS,
            factory=True,
            websockets=False,
            log_level=LogLevels.warning,
            log_dictconfig=granian_logs(),
        ).serve()


def _end_with_parent() -> None:
    """A worker whose server was killed would go on answering on its port for ever."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        server = multiprocessing.parent_process()
        # In a container the server itself is process 1, which elsewhere takes in those whose parent has died.
        if server is None or os.getppid() != server.pid:
            os._exit(1)


def main() -> None:
    """The web process of a demo, which may be served from an embedded database."""
    parser = argparse.ArgumentParser(prog="python -m app.serve")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    said = parser.parse_args()
    run(said.host, said.port)


if __name__ == "__main__":
    main()
