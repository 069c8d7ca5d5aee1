"""The web server: Granian, with worker processes of a few threads each."""

import argparse
import ctypes
import multiprocessing
import os
import resource
import signal
import sys
from tempfile import TemporaryDirectory
from typing import Final

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from app.door import Door
from app.logs import granian_logs, log_to_stderr

THREADS: Final = 8
STOP_SECONDS: Final = 5
PLACES: Final = 4096
"""Connections that one worker keeps at the same time; more of them wait."""
HEADER_SECONDS: Final = 15
"""How long a client may take to say what it asks for, and a connection may be idle."""
BUFFER: Final = 64 * 1024
"""Bytes of a request's headers, or of answers to a client that doesn't read them."""
_OWN_FILES: Final = 256
_SET_PARENT_DEATH_SIGNAL: Final = 1


def web() -> Door:
    """The application of one worker, from the environment. Granian calls it in each worker."""
    from app import create_app
    from app.cli.surroundings import settings_here

    _end_with_parent()
    log_to_stderr()
    return Door(create_app(settings_here()).wsgi_app, THREADS)


def run(host: str, port: int, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT."""
    with TemporaryDirectory(prefix="casebook-metrics-") as folder:
        # Here the workers count together, so that each of them can answer for all; read when they start.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        Granian(
            "app.serve:web",
            address=host,
            port=port,
            interface=Interfaces.RSGI,
            workers=workers,
            backlog=PLACES,
            backpressure=_places(),
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=BUFFER),
            respawn_failed_workers=True,
            respawn_interval=0.5,
            workers_kill_timeout=STOP_SECONDS,
            factory=True,
            websockets=False,
            log_level=LogLevels.warning,
            log_dictconfig=granian_logs(),
        ).serve()


def _places() -> int:
    """As many as there may be open files, less those that a worker needs for itself."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = PLACES + _OWN_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(_OWN_FILES, most - _OWN_FILES)


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
