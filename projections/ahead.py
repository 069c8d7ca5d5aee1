"""Fetch and open the next batch of the record while the one at hand is being taken."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class Row(Protocol):
    """A stored fact, numbered."""

    @property
    def notification_id(self) -> int:
        """Its position in the record."""

    @property
    def topic(self) -> str:
        """Its pinned name."""

    @property
    def recorded_at(self) -> datetime:
        """When it was recorded."""


Read = Callable[[int, int], Sequence[Row]]
"""Rows of the record after a position, at most so many, in order."""


class Batch(NamedTuple, Generic[T]):
    """Rows of the record, and what was made of them."""

    rows: Sequence[Row]
    made: T


class Ahead(Generic[T]):
    """Gives the rows after a position, `batch` at most, and what `make` made of them. Close it: a thread is a
    batch ahead, and works while the database is waited for.

    What lies after a position never changes but at its end, so that only full batches are followed by a look
    ahead, and one that isn't asked for is thrown away. Raises what `read` and `make` raise.
    """

    def __init__(self, read: Read, batch: int, make: Callable[[Sequence[Row]], T]) -> None:
        self._read = read
        self._batch = batch
        self._make = make
        self._thread = ThreadPoolExecutor(1, "projector-ahead")
        self._next: tuple[int, Future[Batch[T]]] | None = None

    def after(self, position: int) -> Batch[T]:
        """The next rows after this position."""
        fetched, self._next = self._next, None
        found = fetched[1].result() if fetched and fetched[0] == position else self._fetch(position)
        if len(found.rows) == self._batch:
            upto = found.rows[-1].notification_id
            self._next = upto, self._thread.submit(self._fetch, upto)
        return found

    def close(self) -> None:
        """Wait for the fetch that is under way, and end its thread."""
        self._thread.shutdown(cancel_futures=True)

    def _fetch(self, position: int) -> Batch[T]:
        rows = self._read(position, self._batch)
        return Batch(rows, self._make(rows))
