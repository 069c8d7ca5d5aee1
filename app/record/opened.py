"""Facts that this process opened a moment ago, so that looking at a case again need not open it again.

A fact is found by the very bytes that it was opened from, with the same key for the same place: what is
given is what opening those bytes would give. The bytes are always the record's own of now.
"""

from collections.abc import Callable, Sequence
from threading import Lock
from time import monotonic
from typing import Final, NamedTuple

from app.record.keys import FoundKey
from app.record.rows import StoredRow
from domain.fact import Fact

SECONDS: Final = 60.0
MOST: Final = 10_000


class _Entry(NamedTuple):
    until: float
    key: FoundKey
    state: bytes
    topic: str
    fact: Fact


class OpenedFacts:
    """At most `most` facts, for `seconds` after they were opened. Safe between threads."""

    def __init__(self, *, seconds: float = SECONDS, most: int = MOST) -> None:
        self._seconds = seconds
        self._most = most
        self._lock = Lock()
        # In the order of their times, so that the first is always the one to go.
        self._known: dict[tuple[int, int], _Entry] = {}

    def facts(
        self, rows: Sequence[StoredRow], key: FoundKey, opened: Callable[[StoredRow, FoundKey], Fact]
    ) -> list[Fact]:
        """The facts of rows under one key; those that aren't remembered are `opened`, and remembered."""
        found: list[Fact] = []
        new: list[tuple[tuple[int, int], _Entry]] = []
        now = monotonic()
        for row in rows:
            # Not the id itself, whose hash and comparison are Python's.
            place = row.originator_id.int, row.originator_version
            entry = self._known.get(place)
            if entry is None or not (
                entry.until > now
                and entry.key is key
                and entry.state == row.state
                and entry.topic == row.topic
                and entry.fact.timestamp == row.recorded_at
            ):
                entry = _Entry(now + self._seconds, key, row.state, row.topic, opened(row, key))
                new.append((place, entry))
            found.append(entry.fact)
        with self._lock:
            for place, entry in new:
                self._known.pop(place, None)
                self._known[place] = entry
            self._let_go(now)
        return found

    def forget(self) -> None:
        """Let go of all of them: the key of one may have been destroyed."""
        with self._lock:
            self._known.clear()

    def _let_go(self, now: float) -> None:
        while self._known:
            first = next(iter(self._known))
            if len(self._known) <= self._most and self._known[first].until > now:
                return
            del self._known[first]
