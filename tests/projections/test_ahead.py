"""Fetching ahead: the same rows as without, one look for each batch, and errors where they are asked for."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from projections.ahead import Ahead, Batch, Row

THEN = datetime(2026, 9, 1, tzinfo=UTC)


class Numbered(NamedTuple):
    notification_id: int
    topic: str = "pupil.enrolled"
    recorded_at: datetime = THEN


class Shelf:
    """A record of so many facts, which notes who asked for what."""

    def __init__(self, facts: int) -> None:
        self.facts = facts
        self.asked: list[int] = []

    def read(self, position: int, limit: int) -> Sequence[Row]:
        self.asked.append(position)
        if position == 6:
            raise TimeoutError
        return [Numbered(n) for n in range(position + 1, min(position + limit, self.facts) + 1)]


def ids(batch: Batch[list[Row]]) -> list[int]:
    assert batch.made == list(batch.rows)
    return [row.notification_id for row in batch.rows]


def test_each_batch_is_fetched_once_and_nothing_is_fetched_after_the_end() -> None:
    shelf = Shelf(5)
    ahead = Ahead(shelf.read, 2, list)
    assert [ids(ahead.after(position)) for position in (0, 2, 4)] == [[1, 2], [3, 4], [5]]
    ahead.close()
    assert shelf.asked == [0, 2, 4]
    shelf.facts = 9
    again = Ahead(shelf.read, 2, list)
    assert ids(again.after(4)) == [5, 6], "what came meanwhile"
    again.close()


def test_what_was_fetched_for_another_position_is_not_given() -> None:
    shelf = Shelf(9)
    ahead = Ahead(shelf.read, 2, list)
    assert ids(ahead.after(0)) == [1, 2]
    assert ids(ahead.after(7)) == [8, 9]
    assert ids(ahead.after(0)) == [1, 2]
    ahead.close()


def test_a_fetch_that_failed_ahead_fails_where_it_is_asked_for_and_is_tried_again() -> None:
    shelf = Shelf(20)
    ahead = Ahead(shelf.read, 3, list)
    assert ids(ahead.after(3)) == [4, 5, 6]
    for _ in range(2):
        with pytest.raises(TimeoutError):
            ahead.after(6)
    ahead.close()
    assert shelf.asked == [3, 6, 6]
