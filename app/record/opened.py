"""Streams that this process opened a moment ago, so that looking at a case again need not open it again.

What is remembered is given only while the record still holds its last fact, byte for byte, and the subject
still has the same key: facts are never changed, so those before it are as they were.
"""

from collections.abc import Sequence
from threading import Lock
from time import monotonic
from typing import Final, NamedTuple
from uuid import UUID

from app.record.keys import FoundKey
from app.record.rows import StoredRow
from domain.fact import Fact

SECONDS: Final = 60.0
MOST: Final = 10_000


class Opened(NamedTuple):
    """A fact with the row that it was opened from."""

    row: StoredRow
    fact: Fact


class Stream(NamedTuple):
    """One subject's facts from the first on, the key that opened them, and until when they are remembered."""

    key: FoundKey
    facts: Sequence[Opened]
    until: float


class OpenedStreams:
    """At most `most` facts, for `seconds` after their stream was opened. Safe between threads."""

    def __init__(self, *, seconds: float = SECONDS, most: int = MOST) -> None:
        self._seconds = seconds
        self._most = most
        self._lock = Lock()
        # In the order of their times, so that the first is always the one to go. Not by the ids themselves,
        # whose hash and comparison are Python's.
        self._known: dict[int, Stream] = {}
        self._facts = 0

    def find(self, subject: UUID) -> Stream | None:
        """What is remembered of a subject."""
        found = self._known.get(subject.int)
        return found if found is not None and found.until > monotonic() else None

    def keep(self, subject: UUID, key: FoundKey, facts: Sequence[Opened]) -> Sequence[Opened]:
        """Remember a whole stream; gives the facts."""
        stream = Stream(key, facts, monotonic() + self._seconds)
        with self._lock:
            self._take_out(subject.int)
            self._put(subject.int, stream)
        return facts

    def go_on(self, subject: UUID, known: Stream, new: Sequence[Opened]) -> Sequence[Opened]:
        """Remember what came since, for no longer than what it continues; gives all the facts."""
        facts = [*known.facts, *new]
        with self._lock:
            if self._known.get(subject.int) is known:
                self._facts -= len(known.facts)
                self._put(subject.int, known._replace(facts=facts))
        return facts

    def forget(self) -> None:
        """Let go of all of them: the key of one may have been destroyed."""
        with self._lock:
            self._known.clear()
            self._facts = 0

    def _put(self, place: int, stream: Stream) -> None:
        self._known[place] = stream
        self._facts += len(stream.facts)
        now = monotonic()
        while self._known:
            first = next(iter(self._known))
            if self._facts <= self._most and self._known[first].until > now:
                return
            self._take_out(first)

    def _take_out(self, place: int) -> None:
        known = self._known.pop(place, None)
        if known is not None:
            self._facts -= len(known.facts)
