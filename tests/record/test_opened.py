"""What was opened a moment ago is given again only while the record holds its last fact as it was."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.record.keys import KeyStore
from app.record.mapper import Opened, SealedMapper
from app.record.opened import OpenedStreams
from app.record.rows import StoredRow
from app.record.sealing import SealBroken
from domain.fact import ERASED
from tests.benchmarks.ground import a_case
from tests.record.conftest import Databases
from tests.record.test_mapper import RECORDED_AT


@pytest.fixture
def mapper(keys: KeyStore) -> SealedMapper:
    return SealedMapper(keys)


class Shelf:
    """A record of one subject, which notes from where on its rows were asked for."""

    def __init__(self, mapper: SealedMapper, count: int = 3) -> None:
        stored = [mapper.to_stored_event(fact) for fact in a_case(count).pending_events]
        self.rows = [
            StoredRow(**vars(one), notification_id=n, recorded_at=RECORDED_AT)
            for n, one in enumerate(stored, 1)
        ]
        self.subject = self.rows[0].originator_id
        self.asked: list[int] = []

    def read(self, since: int) -> Sequence[StoredRow]:
        self.asked.append(since)
        # As from the record: the same bytes, but other objects.
        return [row._replace(state=bytes(bytearray(row.state))) for row in self.rows[since - 1 :]]


def test_what_was_opened_is_not_opened_again(mapper: SealedMapper) -> None:
    shelf = Shelf(mapper)
    first = mapper.stream(shelf.subject, shelf.read)
    assert [one.fact for one in first] == mapper.to_domain_events(shelf.rows)
    assert mapper.stream(shelf.subject, shelf.read) is first
    assert shelf.asked == [1, 3], "but the record is asked for the last one each time"


def test_what_came_since_is_added(mapper: SealedMapper) -> None:
    shelf = Shelf(mapper, 5)
    late, shelf.rows = shelf.rows[3:], shelf.rows[:3]
    first = mapper.stream(shelf.subject, shelf.read)
    shelf.rows += late
    second = mapper.stream(shelf.subject, shelf.read)
    assert [one.fact for one in second] == mapper.to_domain_events(shelf.rows)
    assert all(one is other for one, other in zip(first, second, strict=False))
    assert len(first) == 3, "nothing grows in the hands of whoever got it before"
    assert mapper.stream(shelf.subject, shelf.read) is second
    assert shelf.asked == [1, 3, 5]


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_record_that_holds_fewer_of_them_is_believed(mapper: SealedMapper, gone: int) -> None:
    """It was put back from a backup, or the reader may see it only up to an earlier position."""
    shelf = Shelf(mapper)
    mapper.stream(shelf.subject, shelf.read)
    shelf.rows = shelf.rows[:-gone]
    assert [one.row for one in mapper.stream(shelf.subject, shelf.read)] == shelf.rows
    assert shelf.asked == [1, 3, 1]


@pytest.mark.parametrize("years", [1, -1])
def test_another_last_fact_is_opened_with_all_before_it(mapper: SealedMapper, years: int) -> None:
    shelf = Shelf(mapper)
    mapper.stream(shelf.subject, shelf.read)
    another = RECORDED_AT.replace(year=RECORDED_AT.year + years)
    shelf.rows[-1] = shelf.rows[-1]._replace(recorded_at=another)
    assert mapper.stream(shelf.subject, shelf.read)[-1].fact.timestamp == another
    assert shelf.asked == [1, 3, 1]


@pytest.mark.parametrize(
    "change",
    [
        {"state": b"x.y.z.a.b"},
        {"topic": "mentee-case.reopened"},
        {"originator_version": 2},
        {"originator_id": uuid4()},
    ],
)
def test_a_row_that_was_altered_since_is_refused(mapper: SealedMapper, change: dict[str, Any]) -> None:
    shelf = Shelf(mapper)
    mapper.stream(shelf.subject, shelf.read)
    shelf.rows[-1] = shelf.rows[-1]._replace(**change)
    with pytest.raises(SealBroken):
        mapper.stream(shelf.subject, shelf.read)


def test_one_stream_is_never_given_for_another(mapper: SealedMapper) -> None:
    one, other = Shelf(mapper), Shelf(mapper)
    mapper.stream(one.subject, one.read)
    assert [opened.row for opened in mapper.stream(other.subject, other.read)] == other.rows
    assert mapper.stream(uuid4(), lambda _since: []) == ()


@pytest.mark.parametrize("count", [1, 3])
def test_what_is_not_wanted_is_neither_opened_nor_given(mapper: SealedMapper, count: int) -> None:
    shelf = Shelf(mapper)
    shelf.rows = shelf.rows[:count]
    assert mapper.stream(shelf.subject, shelf.read, "concern.raised".__eq__) == ()
    assert mapper._opened.find(shelf.subject) is None
    assert mapper.stream(shelf.subject, shelf.read, "mentee-case.referred".__eq__)
    assert mapper.stream(shelf.subject, shelf.read, "concern.raised".__eq__) == ()
    assert mapper.stream(shelf.subject, shelf.read, "mentee-case.referred".__eq__)
    assert shelf.asked == [1, 1, count, count], "once each time: whoever asks is noted each time"


def test_what_was_opened_is_gone_with_its_key(
    mapper: SealedMapper, keys: KeyStore, databases: Databases
) -> None:
    shelf = Shelf(mapper)
    assert vars(mapper.stream(shelf.subject, shelf.read)[0].fact)["words"] is not ERASED
    with psycopg.connect(databases.keys_owner, autocommit=True) as connection:
        connection.execute(
            "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = now() WHERE originator_id = %s",
            [shelf.subject],
        )
    keys._known.clear()
    assert vars(mapper.stream(shelf.subject, shelf.read)[0].fact)["words"] is ERASED


def test_what_is_let_go_is_not_in_memory_any_more(mapper: SealedMapper) -> None:
    """A key was destroyed somewhere: what it opened mustn't outlive it, whoever it was about."""
    shelf, other = Shelf(mapper), Shelf(mapper)
    first = mapper.stream(shelf.subject, shelf.read)
    mapper.stream(other.subject, other.read)
    mapper.forget()
    assert mapper._opened.find(shelf.subject) is None
    assert mapper._opened.find(other.subject) is None
    again = mapper.stream(shelf.subject, shelf.read)
    assert again == first
    assert again[0].fact is not first[0].fact, "opened anew"
    assert shelf.asked == [1, 1]


def test_it_lets_go_by_time_and_by_number(mapper: SealedMapper, keys: KeyStore) -> None:
    def kept(streams: OpenedStreams, count: int) -> UUID:
        shelf = Shelf(mapper, count)
        facts = [
            Opened(row, fact)
            for row, fact in zip(shelf.rows, mapper.to_domain_events(shelf.rows), strict=True)
        ]
        streams.keep(shelf.subject, keys.get(shelf.subject), facts)
        return shelf.subject

    streams = OpenedStreams(most=7)
    first, second, third = (kept(streams, 3) for _ in range(3))
    assert streams.find(first) is None, "nine facts are more than seven"
    assert streams.find(second)
    assert streams.find(third)
    streams.forget()
    assert streams.find(second) is None
    assert streams.find(kept(streams, 8)) is None, "a stream that is longer than all that may be kept"
    short = OpenedStreams(seconds=0)
    assert short.find(kept(short, 3)) is None
    assert not short._known


def test_going_on_does_not_make_it_last_longer(mapper: SealedMapper, keys: KeyStore) -> None:
    shelf = Shelf(mapper, 4)
    last = shelf.rows.pop()
    mapper.stream(shelf.subject, shelf.read)
    known = mapper._opened.find(shelf.subject)
    shelf.rows.append(last)
    mapper.stream(shelf.subject, shelf.read)
    longer = mapper._opened.find(shelf.subject)
    assert known is not None
    assert longer is not None
    assert (len(known.facts), len(longer.facts)) == (3, 4)
    assert known.until == longer.until
