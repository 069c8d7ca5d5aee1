"""Facts that were opened a moment ago are given again only for the very same bytes under the same key."""

from uuid import UUID, uuid4

import psycopg
import pytest

from app.record.keys import KeyStore
from app.record.mapper import SealedMapper
from app.record.opened import OpenedFacts
from app.record.rows import StoredRow
from app.record.sealing import SealBroken
from domain.fact import ERASED
from tests.benchmarks.ground import a_case
from tests.record.conftest import Databases
from tests.record.test_mapper import RECORDED_AT


@pytest.fixture
def mapper(keys: KeyStore) -> SealedMapper:
    return SealedMapper(keys)


def some_rows(mapper: SealedMapper, count: int = 3) -> list[StoredRow]:
    stored = [mapper.to_stored_event(fact) for fact in a_case(count).pending_events]
    return [
        StoredRow(**vars(one), notification_id=n, recorded_at=RECORDED_AT) for n, one in enumerate(stored, 1)
    ]


def test_equal_rows_give_the_same_facts(mapper: SealedMapper) -> None:
    rows = some_rows(mapper)
    first = mapper.reopen(rows)
    assert first == mapper.to_domain_events(rows)
    again = mapper.reopen([row._replace(state=bytes(bytearray(row.state))) for row in rows])
    assert all(one is other for one, other in zip(first, again, strict=True))


@pytest.mark.parametrize(
    "change",
    [
        {"state": b"x.y.z.a.b"},
        {"topic": "mentee-case.reopened"},
        {"originator_version": 2},
        {"originator_id": uuid4()},
    ],
)
def test_a_row_that_was_altered_since_is_refused(mapper: SealedMapper, change: dict[str, object]) -> None:
    rows = some_rows(mapper)
    mapper.reopen(rows)
    with pytest.raises(SealBroken):
        mapper.reopen([rows[0], rows[2]._replace(**change)])  # type: ignore[arg-type]


def test_another_time_of_recording_is_another_fact(mapper: SealedMapper) -> None:
    row = some_rows(mapper)[0]
    mapper.reopen([row])
    later = RECORDED_AT.replace(year=RECORDED_AT.year + 1)
    assert mapper.reopen([row._replace(recorded_at=later)])[0].timestamp == later


def test_what_was_opened_is_gone_with_its_key(
    mapper: SealedMapper, keys: KeyStore, databases: Databases
) -> None:
    rows = some_rows(mapper)
    assert vars(mapper.reopen(rows)[0])["words"] is not ERASED
    subject = rows[0].originator_id
    assert isinstance(subject, UUID)
    with psycopg.connect(databases.keys_owner, autocommit=True) as connection:
        connection.execute(
            "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = now() WHERE originator_id = %s",
            [subject],
        )
    keys._known.clear()
    assert vars(mapper.reopen(rows)[0])["words"] is ERASED


def test_it_lets_go_by_time_and_by_number(mapper: SealedMapper, keys: KeyStore) -> None:
    rows = some_rows(mapper, 5)
    opened = OpenedFacts(most=3)
    subject = rows[0].originator_id
    assert isinstance(subject, UUID)
    key = keys.get(subject)
    opened.facts(rows, key, lambda row, _: mapper.to_domain_event(row))  # type: ignore[arg-type]
    assert [version for _, version in opened._known] == [3, 4, 5]
    opened = OpenedFacts(seconds=0)
    opened.facts(rows, key, lambda row, _: mapper.to_domain_event(row))  # type: ignore[arg-type]
    assert not opened._known
