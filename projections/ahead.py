"""Fetch the next batch of the record while the one at hand is being taken."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Protocol


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


class Ahead:
    """Gives the rows after a position, `batch` at most. Close it: a thread fetches ahead.

    What lies after a position never changes but at its end, so that only full batches are followed by a look
    ahead, and one that isn't asked for is thrown away. Raises what `read` raises.
    """

    def __init__(self, read: Read, batch: int) -> None:
        self._read = read
        self._batch = batch
        self._thread = ThreadPoolExecutor(1, "projector-ahead")
        self._next: tuple[int, Future[Sequence[Row]]] | None = None

    def after(self, position: int) -> Sequence[Row]:
        """The next rows after this position."""
        fetched, self._next = self._next, None
        if fetched is not None and fetched[0] == position:
            rows = fetched[1].result()
        else:
            rows = self._read(position, self._batch)
        if len(rows) == self._batch:
            upto = rows[-1].notification_id
            self._next = upto, self._thread.submit(self._read, upto, self._batch)
        return rows

    def close(self) -> None:
        """Wait for the fetch that is under way, and end its thread."""
        self._thread.shutdown(cancel_futures=True)
