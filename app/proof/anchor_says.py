"""What the anchor says of itself: in the database, for the status, and in its log."""

import logging
from functools import lru_cache
from typing import Any, Final

from psycopg import Connection

_SAID: Final = "SELECT why FROM record.refusals ORDER BY said_at DESC LIMIT 1"

_log = logging.getLogger("casebook.anchor")


def say(connection: Connection[Any], why: str | None) -> None:
    """Keep why nothing is signed, or that something is, where it isn't what was said last."""
    row = connection.execute(_SAID).fetchone()
    if why != (row[0] if row else None):
        connection.execute("INSERT INTO record.refusals (why) VALUES (%s)", [why])


@lru_cache(maxsize=1000)
def pass_over(what: str) -> None:
    """Said once: it stays there for good, and everybody who checks sees it."""
    _log.warning(
        "anchor: %s: its key didn't sign that. It is passed over: find out who put it there. casebook verify "
        "names it.",
        what,
    )
