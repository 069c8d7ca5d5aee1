"""The times of entries beside those at which checkpoints were signed, which another machine may have told.

The database tells when something was recorded, and whoever runs it can make it tell another time. What a
checkpoint covers was there when it was signed, and what comes after it wasn't.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from psycopg import Connection

SKEW_SECONDS: Final = 120.0
"""How far two clocks may be apart without anything being wrong, with the time that reading a log takes."""
_CHUNK: Final = 4096
_TIMES: Final = {
    "events": "SELECT notification_id, extract(epoch FROM recorded_at) FROM record.events"
    " WHERE notification_id = ANY(%s)",
    "reads": "SELECT id, extract(epoch FROM read_at) FROM record.reads WHERE id = ANY(%s)",
}


def wrong_times(
    connection: Connection[Any], log: str, signed: Sequence[tuple[int, int, str]], skew: float
) -> Iterator[tuple[int, str]]:
    """Entries of a log whose times don't fit a checkpoint: their numbers, and what is wrong, in words.

    `signed` are over how many entries, when (seconds since 1970), and whence the checkpoint is. Raises
    psycopg.Error.
    """
    for begin in range(0, len(signed), _CHUNK):
        some = signed[begin : begin + _CHUNK]
        numbers = [number for over, _, _ in some for number in (over, over + 1)]
        at = {number: float(when) for number, when in connection.execute(_TIMES[log], [numbers])}
        for over, time, source in some:
            late = at.get(over, time) - time
            if late > skew:
                text = f"entry {over} is dated {_long(late)} after the checkpoint over it was signed"
                yield over, f"{text} ({source})"
            early = time - at.get(over + 1, time)
            if early > skew:
                text = f"entry {over + 1} is dated {_long(early)} before a checkpoint that isn't over it"
                yield over + 1, f"{text} ({source})"


def _long(seconds: float) -> str:
    for each, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        # From two of a unit on, so that none is ever one.
        if seconds >= 2 * each:
            return f"{seconds // each:.0f} {unit}"
    return f"{seconds:.0f} seconds"
