"""What this process remembers of subjects that it changed a moment ago.

The next command on the same case needs no look at the record: it decides on what is remembered, and the
record, which takes a fact only if its version follows, refuses it if somebody else was faster. So what is
remembered never decides by itself that something is refused, absent or out of date.
"""

from functools import cache
from threading import Lock
from time import monotonic
from typing import Final, TypeVar
from uuid import UUID

from domain.fact import Subject

S = TypeVar("S", bound=Subject)

SECONDS: Final = 60.0
"""A key that was destroyed elsewhere must not live on here."""
MOST: Final = 2000


class Memory:
    """Subjects as they were after their last change here, for `seconds` at most. Safe between threads."""

    def __init__(self, *, seconds: float = SECONDS, most: int = MOST) -> None:
        self._seconds = seconds
        self._most = most
        self._lock = Lock()
        # In the order of their times, so that the first is always the one to go. Not by the ids themselves,
        # whose hash and comparison are Python's.
        self._kept: dict[int, tuple[float, Subject]] = {}

    def keep(self, subject: Subject) -> None:
        """Remember a subject whose facts are all saved."""
        kept, place = _copy(subject), subject.id.int
        with self._lock:
            self._kept.pop(place, None)
            self._kept[place] = (monotonic() + self._seconds, kept)
            self._let_go()

    def take(self, kind: type[S], subject_id: UUID) -> S | None:
        """The subject, which is then forgotten until it is kept again; None if it isn't known."""
        with self._lock:
            self._let_go()
            known = self._kept.pop(subject_id.int, None)
        return known[1] if known is not None and type(known[1]) is kind else None

    def has(self, subject_id: UUID) -> bool:
        """Whether it is worth a try to take it."""
        return subject_id.int in self._kept

    def clear(self) -> None:
        """Somebody may have been erased: nobody is remembered."""
        with self._lock:
            self._kept.clear()

    def _let_go(self) -> None:
        now = monotonic()
        while self._kept:
            first = next(iter(self._kept))
            if len(self._kept) <= self._most and self._kept[first][0] > now:
                return
            del self._kept[first]


def _copy(subject: S) -> S:
    """A subject's lists grow; whatever else it holds is replaced and never changed."""
    copy = object.__new__(type(subject))
    held = vars(copy)
    held.update(vars(subject))
    for name in _lists_of(type(subject)):
        held[name] = held[name].copy()
    return copy


@cache
def _lists_of(kind: type[Subject]) -> tuple[str, ...]:
    """What a subject of this kind holds as lists: it has them from its beginning."""
    return tuple(name for name, value in vars(kind.blank(UUID(int=0))).items() if isinstance(value, list))
