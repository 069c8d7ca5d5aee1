"""A history that was put into words a moment ago, for whoever asks for the same once more."""

from collections.abc import Callable, Hashable, Sequence
from operator import is_
from threading import Lock
from time import monotonic
from typing import Final, NamedTuple
from weakref import WeakSet

from app.wording.names import Names
from domain.fact import Fact

SECONDS: Final = 60.0
MOST: Final = 200
_all: "WeakSet[Again]" = WeakSet()


class _Made(NamedTuple):
    until: float
    facts: Sequence[Fact]
    names: Names
    text: str


class Again:
    """Texts by who asked for what, each given again only for the very same facts and equal names.

    What changes in a history is another fact, or another object for an erased one. Safe between threads.
    """

    def __init__(self, *, seconds: float = SECONDS, most: int = MOST) -> None:
        self._seconds = seconds
        self._most = most
        self._lock = Lock()
        # In the order of their times, so that the first is always the one to go.
        self._made: dict[Hashable, _Made] = {}
        _all.add(self)

    def text(self, asked: Hashable, facts: Sequence[Fact], names: Names, make: Callable[[], str]) -> str:
        """What `make` gave for these, or gives now. `asked` holds everything else that it depends on."""
        now = monotonic()
        known = self._made.get(asked)
        if known is not None and known.until > now and known.names == names and _same(known.facts, facts):
            return known.text
        text = make()
        with self._lock:
            self._made.pop(asked, None)
            self._made[asked] = _Made(now + self._seconds, facts, names, text)
            while self._made:
                first = next(iter(self._made))
                if len(self._made) <= self._most and self._made[first].until > now:
                    break
                del self._made[first]
        return text


def forget() -> None:
    """Let go of every text of this process: somebody in one of them may have been erased."""
    for one in list(_all):
        with one._lock:
            one._made.clear()


def _same(known: Sequence[Fact], facts: Sequence[Fact]) -> bool:
    return len(known) == len(facts) and all(map(is_, known, facts))
