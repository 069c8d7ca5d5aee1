"""Whether this process answers, and whether the record behind it can be used."""

from flask import Flask, Response, jsonify

from app.access.policy import allow_anyone, house
from app.errors import UNREACHABLE, problem, unreachable
from app.record.migrate import MigrationRefused, pending_on
from projections.all_models import MODELS
from projections.positions import status


@allow_anyone
def healthz() -> Response:
    """This process answers. Asks no database."""
    return jsonify(status="ok")


@allow_anyone
def readyz() -> Response:
    """The record can be used. Lists that were stopped or aren't there yet leave it ready, but degraded."""
    try:
        with house().pool.connection() as record, house().keys_pool.connection() as keys:
            waiting = pending_on(record, keys)
            takes_nothing = record.execute("SHOW transaction_read_only").fetchone() == ("on",)
        lists = {standing.name: standing for standing in status(house().pool)}
    except MigrationRefused:
        return problem(503, "The database doesn't fit this version of Casebook: see casebook status.")
    except UNREACHABLE as error:
        unreachable(error)
        return problem(503)
    if waiting:
        return problem(503, "The database needs casebook migrate.")
    if takes_nothing:
        return problem(503, "The database takes nothing just now: it is read-only, as a standby is.")
    stopped = sorted(name for name in MODELS if name not in lists or lists[name].fault)
    return jsonify(status="degraded" if stopped else "ok", stopped=stopped)


def register(app: Flask) -> None:
    """Put both at their addresses."""
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/readyz", view_func=readyz)
