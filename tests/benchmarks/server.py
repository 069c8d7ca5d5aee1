"""Our application as the server runs it, with one bare view beside it: a select and its JSON, no more."""

import json
import os
import sys
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask, jsonify

from app import create_app
from app.access.policy import allow_anyone
from app.door import Door
from app.logs import log_to_stderr
from app.record.pool import open_pool
from app.serve import THREADS
from app.settings import Settings


def make() -> Flask:
    """The application of the benchmark's ground."""
    told: dict[str, Any] = json.loads(os.environ["CASEBOOK_BENCH"])
    with redirect_stderr(sys.stdout):
        # As the product does it, but to where nobody looks: to stderr come only faults of the benchmark.
        log_to_stderr()
    settings = Settings(**told | {"kek_file": Path(told["kek_file"]), "data_dir": Path(told["data_dir"])})
    return create_app(settings)


def bare(url: str) -> Flask:
    """What Flask can do at best: the rows of one case by one select, as JSON."""
    made = Flask(__name__)
    pool = open_pool(url)

    @made.get("/bare/<uuid:case_id>")
    @allow_anyone
    def rows(case_id: UUID) -> Any:
        with pool.connection() as connection:
            found = connection.execute(
                "SELECT originator_version, topic, recorded_at FROM record.events"
                " WHERE originator_id = %s ORDER BY originator_version",
                [case_id],
            ).fetchall()
        return jsonify([{"version": v, "topic": t, "recorded_at": r.isoformat()} for v, t, r in found])

    return made


_ours = make()
_bare = bare(json.loads(os.environ["CASEBOOK_BENCH"])["database_url"])


def _either(environ: dict[str, Any], start_response: Any) -> Any:
    chosen = _bare if environ["PATH_INFO"].startswith("/bare/") else _ours
    return chosen(environ, start_response)


app = Door(_either, THREADS)
"""The product's own door, for both."""
