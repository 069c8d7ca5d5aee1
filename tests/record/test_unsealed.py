"""Sealing with the key at hand, and opening in two steps: the seals first, the facts later and elsewhere."""

from uuid import UUID, uuid4

import pytest
from eventsourcing.domain import DomainEvent

from app.record.keys import KeyMissing, KeyStore
from app.record.mapper import FactBroken, FactNotStorable, KeyDestroyed, SealedMapper, Unsealed
from app.record.rows import StoredRow
from app.record.sealing import SealBroken
from domain.fact import ERASED, Fact
from tests.benchmarks.ground import a_case
from tests.record.conftest import Databases
from tests.record.test_keys import destroy
from tests.record.test_mapper import RECORDED_AT, a_session_arranged


@pytest.fixture
def mapper(keys: KeyStore) -> SealedMapper:
    return SealedMapper(keys)


def rows_of(mapper: SealedMapper, facts: list[Fact], begin: int = 7) -> list[StoredRow]:
    return [
        StoredRow(**vars(mapper.to_stored_event(fact)), notification_id=n, recorded_at=RECORDED_AT)
        for n, fact in enumerate(facts, begin)
    ]


def case(facts: int = 4) -> list[Fact]:
    return [fact for fact in a_case(facts).pending_events if isinstance(fact, Fact)]


def test_opened_in_two_steps_a_fact_is_what_it_is_in_one(mapper: SealedMapper) -> None:
    rows = [
        row for pair in zip(rows_of(mapper, case()), rows_of(mapper, case()), strict=True) for row in pair
    ]
    opened = mapper.unsealed(rows)
    for one, row in zip(opened, rows, strict=True):
        assert isinstance(one, Unsealed)
        assert one.erased == []
        assert (one[:3], one[3:5]) == (row[:3], row[4:])
    facts = mapper.to_domain_events(rows)
    assert mapper.to_domain_events(opened) == facts
    assert mapper.to_domain_events(iter(opened)) == facts, "they aren't used up by it"
    assert {fact.timestamp for fact in facts} == {RECORDED_AT}


def test_what_is_unsealed_needs_no_key_and_may_stand_beside_what_is_not(mapper: SealedMapper) -> None:
    rows = rows_of(mapper, case())
    [first, second, *_] = mapper.unsealed(rows)
    assert isinstance(first, Unsealed)
    nobody = uuid4()
    facts = mapper.to_domain_events([first._replace(originator_id=nobody), rows[3], second])
    assert [(fact.originator_id, fact.originator_version) for fact in facts] == [
        (nobody, 1),
        (rows[3].originator_id, 4),
        (rows[1].originator_id, 2),
    ]


def test_what_cannot_be_opened_stays_as_it_is_for_whoever_wants_it(mapper: SealedMapper) -> None:
    rows = rows_of(mapper, case())
    moved = rows[1]._replace(originator_version=9)
    first, broken, last = mapper.unsealed([rows[0], moved, rows[2]])
    assert broken is moved
    assert mapper.to_domain_events([first, last]) == mapper.to_domain_events([rows[0], rows[2]])
    with pytest.raises(SealBroken):
        mapper.to_domain_events([first, broken, last])


def test_a_name_that_nobody_knows_is_unsealed_and_then_refused(mapper: SealedMapper) -> None:
    [row] = mapper.unsealed(rows_of(mapper, case()[:1]))
    with pytest.raises(FactBroken, match="a name that this software doesn't know"):
        mapper.to_domain_events([row._replace(topic="mentee-case.dreamt-of")])


def test_of_who_was_erased_the_names_alone_are_handed_over(
    mapper: SealedMapper, keys: KeyStore, databases: Databases
) -> None:
    [row] = rows_of(mapper, [a_session_arranged(place="Behind the bike shed")])
    destroy(databases, row.originator_id)
    keys.forget()
    [opened] = mapper.unsealed([row])
    assert isinstance(opened, Unsealed)
    assert opened.erased == ["at", "place"]
    assert opened.said.keys() == {"recorded_by", "command_id", "policy_version", "happened_on"}
    [fact] = mapper.to_domain_events([opened])
    assert (vars(fact)["at"], vars(fact)["place"]) == (ERASED, ERASED)
    assert mapper.to_domain_events([row]) == [fact]
    with pytest.raises(SealBroken):
        mapper.to_domain_events([row._replace(originator_version=2)])
    with pytest.raises(KeyDestroyed, match="This record has been erased"):
        mapper.sealed(a_session_arranged(originator_id=row.originator_id), keys.get(row.originator_id))


def test_a_row_whose_subject_is_a_text_is_opened_as_any_other(mapper: SealedMapper) -> None:
    """The library hands over what its own rows have, and declares either."""
    fact = a_session_arranged()
    [row] = rows_of(mapper, [fact])
    assert mapper.to_domain_events([row._replace(originator_id=str(row.originator_id))]) == (  # type: ignore[arg-type]
        mapper.to_domain_events([row])
    )


def test_sealed_with_its_key_at_hand_it_opens_to_the_same(mapper: SealedMapper, keys: KeyStore) -> None:
    fact = a_session_arranged()
    stored = mapper.sealed(fact, keys.create(fact.originator_id))
    place = fact.originator_id, fact.originator_version, fact.TOPIC
    assert (stored.originator_id, stored.originator_version, stored.topic) == place
    row = StoredRow(**vars(stored), notification_id=1, recorded_at=fact.timestamp)
    assert mapper.to_domain_events([row]) == [fact]


@pytest.mark.parametrize("version", [2, 3])
def test_only_a_first_fact_gets_its_subject_a_key(mapper: SealedMapper, keys: KeyStore, version: int) -> None:
    nobody = a_session_arranged(originator_version=version)
    for _ in range(2):
        with pytest.raises(KeyMissing):
            mapper.to_stored_event(nobody)


class Dreamt(Fact):
    """A fact whose name isn't on the allow-list."""

    TOPIC = "mentee-case.dreamt-of"


def test_what_is_no_fact_of_ours_is_refused_with_the_key_and_without(
    mapper: SealedMapper, keys: KeyStore
) -> None:
    told = vars(a_session_arranged())
    about = {name: told[name] for name in ("originator_id", "originator_version", "timestamp")}
    said = {name: told[name] for name in ("recorded_by", "command_id", "policy_version", "happened_on")}
    key = keys.create(UUID(int=9))
    for stranger in (DomainEvent(**about), Dreamt(**about, **said)):
        words = f"^{type(stranger).__name__} is not a fact on the allow-list.$"
        with pytest.raises(FactNotStorable, match=words):
            mapper.to_stored_event(stranger)
        with pytest.raises(FactNotStorable, match=words):
            mapper.sealed(stranger, key)
