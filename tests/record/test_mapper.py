import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg_pool import ConnectionPool

from app.record.keys import KeyMissing, KeyStore
from app.record.mapper import FactBroken, FactNotStorable, KeyDestroyed, SealedMapper
from app.record.rows import StoredNotification
from app.record.sealing import NotSealable, SealBroken, read_public, seal, unseal
from domain import concern_facts, mentee_case_facts
from domain.fact import ENVELOPE, ERASED, FACTS, Fact, annotations_of, kept_fields

RECORDED_AT = datetime(2026, 6, 14, 13, 1, 2, 345678, tzinfo=UTC)
SAMPLES: dict[str, list[dict[str, dict[str, Any]]]] = json.loads(
    (Path(__file__).parent / "samples.json").read_text()
)

# Reviewed: each of these stays readable after a child was erased, beside the envelope of every fact. It may
# hold a decision code, a count or a plain date; never who, nor in whose words.
REVIEWED_ENVELOPE = {"recorded_by", "command_id", "policy_version", "happened_on"}
REVIEWED = {
    "concern.action-assigned": "due_on",
    "concern.action-completed": "action_version done_on",
    "concern.child-informed": "told_on",
    "concern.corrected": "version",
    "concern.decided": "decision",
    "concern.disputed": "version",
    "concern.notified": "times",
    "concern.outcome-received": "received_on",
    "concern.receipt-confirmed": "received_on",
    "concern.transferred": "sent_on",
    "erasure.corrected": "version",
    "erasure.disputed": "version",
    "erasure.requested": "grounds scope",
    "mentee-case.corrected": "version",
    "mentee-case.disputed": "version",
    "mentee-case.extended": "sessions",
    "mentee-case.matched": "sessions_planned",
    "mentee-case.referred": "sessions_planned",
    "mentee-case.letter-sent": "sent_on",
    "mentee-case.session-held": "held_on minutes",
    "mentee-case.session-missed": "due_on",
    "mentor.agreement-signed": "signed_on",
    "mentor.corrected": "version",
    "mentor.disputed": "version",
    "mentor.interviewed": "held_on",
    "mentor.qualified": "awarded_on",
    "mentor.supervised": "held_on",
    "mentor.trained": "completed_on",
    "pupil.corrected": "version",
    "pupil.disputed": "version",
    "pupil.kept-longer": "until",
    "pupil.left": "left_on",
    "scheme.corrected": "version",
    "scheme.disputed": "version",
    "staff.account-opened": "role",
    "staff.corrected": "version",
    "staff.disputed": "version",
    "scheme.adopted": "acknowledge_within_hours alert_again_after_minutes caseload days_between_sessions"
    " decide_within_hours keep_concerns_until_age keep_mentoring_years keep_mentors_years quiet_after_days"
    " sessions supervision_every_days",
}


@dataclass(frozen=True)
class Row(StoredNotification):
    id: int = 1
    recorded_at: datetime = RECORDED_AT


@pytest.fixture
def mapper(keys: KeyStore) -> SealedMapper:
    return SealedMapper(keys)


def row(stored: StoredEvent, **changes: Any) -> Row:
    return Row(**(vars(stored) | changes))


def values(annotation: Any) -> st.SearchStrategy[Any]:
    if hasattr(annotation, "__metadata__"):
        return values(annotation.__origin__)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is UnionType:
        return st.one_of(*map(values, args))
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(values(args[0]), max_size=3).map(tuple)
    if isinstance(annotation, type) and is_dataclass(annotation):
        hints = get_type_hints(annotation)
        return st.builds(annotation, **{f.name: values(hints[f.name]) for f in fields(annotation)})
    leaves: dict[Any, st.SearchStrategy[Any]] = {
        NoneType: st.none(),
        bool: st.booleans(),
        int: st.integers(),
        str: st.text() | st.just('{"_type_": "uuid_hex", "_data_": "0"}'),
        UUID: st.uuids(),
        date: st.dates(),
        datetime: st.datetimes(
            date_time(2), date_time(9998), timezones=st.just(timezone(timedelta(hours=5.5)))
        ),
    }
    return leaves[annotation]


def date_time(year: int) -> datetime:
    """hypothesis wants its bounds without a zone."""
    return RECORDED_AT.replace(year=year, tzinfo=None)


def facts(fact_class: type[Fact]) -> st.SearchStrategy[Fact]:
    said = {name: values(annotation) for name, annotation in annotations_of(fact_class).items()}
    return st.builds(
        fact_class,
        originator_id=st.just(uuid4()),
        originator_version=st.just(1),
        timestamp=st.just(RECORDED_AT),
        **said,
    )


@pytest.mark.parametrize("topic", sorted(FACTS))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_fact_comes_back_as_it_was_told(mapper: SealedMapper, topic: str, data: st.DataObject) -> None:
    fact = data.draw(facts(FACTS[topic]))
    opened = mapper.to_domain_event(row(mapper.to_stored_event(fact)))
    assert opened == fact
    assert {name: type(value) for name, value in vars(opened).items()} == {
        name: type(value) for name, value in vars(fact).items()
    }


def test_what_stays_readable_after_erasure_was_reviewed() -> None:
    assert set(ENVELOPE) == REVIEWED_ENVELOPE
    found = {topic: kept_fields(kind) - REVIEWED_ENVELOPE for topic, kind in FACTS.items()}
    assert {topic: names for topic, names in found.items() if names} == {
        topic: set(names.split()) for topic, names in REVIEWED.items()
    }


def test_a_name_once_used_stays_and_each_fact_has_a_sample() -> None:
    assert sorted(FACTS) == sorted(SAMPLES), "add a sample for a new fact; never take one away or edit one"


@pytest.mark.parametrize("topic", sorted(SAMPLES))
def test_what_was_stored_before_still_loads_and_says_the_same(
    mapper: SealedMapper, keys: KeyStore, topic: str
) -> None:
    for sample in SAMPLES[topic]:
        subject = uuid4()
        key = keys.create(subject)
        state = seal(key, subject, 1, topic, sample["pub"], sample["priv"])
        fact = mapper.to_domain_event(Row(subject, 1, topic, state))
        assert (type(fact), fact.timestamp) == (FACTS[topic], RECORDED_AT)
        again = mapper.to_stored_event(fact)
        pub, priv = unseal(key, subject, 1, topic, again.state)
        assert sample["pub"].items() <= pub.items()
        assert sample["priv"].items() <= priv.items()


def test_the_stored_form_is_plain_json_of_dates_instants_ids_and_lists(
    mapper: SealedMapper, keys: KeyStore
) -> None:
    fact = a_session_arranged(at=datetime(2026, 6, 14, 14, 1, tzinfo=timezone(timedelta(hours=1))))
    pub, priv = unseal(
        keys.create(fact.originator_id), fact.originator_id, 1, fact.TOPIC, mapper.to_stored_event(fact).state
    )
    assert pub == {
        "recorded_by": str(UUID(int=1)),
        "command_id": str(UUID(int=2)),
        "policy_version": 1,
        "happened_on": "2026-06-14",
    }
    assert priv == {"at": "2026-06-14T13:01:00.000000Z", "place": "Library"}


def test_a_field_that_older_facts_lack_takes_its_default(mapper: SealedMapper, keys: KeyStore) -> None:
    subject, topic = uuid4(), "mentee-case.session-held"
    sample = SAMPLES[topic][0]
    older = {name: value for name, value in sample["priv"].items() if name != "friend_came"}
    fact = mapper.to_domain_event(
        Row(subject, 1, topic, seal(keys.create(subject), subject, 1, topic, sample["pub"], older))
    )
    assert isinstance(fact, mentee_case_facts.SessionHeld)
    assert fact.friend_came is False


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"at": [1], "place": "Library"}, "at"),
        ({"at": "tomorrow", "place": "Library"}, "at"),
        ({"place": "Library"}, "without its field at"),
        ({"at": "2026-06-14T13:01:00.000000Z", "place": "Library", "colour": "red"}, "doesn't know"),
    ],
)
def test_what_this_software_does_not_understand_is_refused_without_saying_what_it_holds(
    mapper: SealedMapper, keys: KeyStore, changed: dict[str, Any], words: str
) -> None:
    subject, topic = uuid4(), "mentee-case.session-arranged"
    state = seal(keys.create(subject), subject, 1, topic, SAMPLES[topic][0]["pub"], changed)
    with pytest.raises(FactBroken, match=words) as refused:
        mapper.to_domain_event(Row(subject, 1, topic, state))
    assert "Library" not in str(refused.value)
    assert "tomorrow" not in str(refused.value)


def test_a_name_off_the_allow_list_is_refused(mapper: SealedMapper, keys: KeyStore) -> None:
    subject = uuid4()
    topic = "domain.mentee_case:Closed"
    with pytest.raises(FactBroken, match="name"):
        mapper.to_domain_event(Row(subject, 1, topic, seal(keys.create(subject), subject, 1, topic, {}, {})))


def test_what_is_no_fact_is_not_stored_and_gets_no_key(mapper: SealedMapper, keys: KeyStore) -> None:
    class Arranged(mentee_case_facts.SessionArranged):
        """Of the same name, and not on the allow-list."""

    fact = a_session_arranged()
    with pytest.raises(FactNotStorable, match="Arranged"):
        mapper.to_stored_event(Arranged(**vars(fact)))
    with pytest.raises(KeyMissing):
        keys.get(fact.originator_id)


def test_a_fact_of_another_place_is_refused(mapper: SealedMapper) -> None:
    stored = mapper.to_stored_event(a_session_arranged())
    with pytest.raises(SealBroken):
        mapper.to_domain_event(row(stored, originator_version=2))


@pytest.mark.parametrize(
    "wrong",
    [
        {"place": 7},
        {"place": None},
        {"place": ERASED},
        {"at": "2026-06-14"},
        {"at": date(2026, 6, 14)},
        {"at": datetime(2026, 6, 14)},  # noqa: DTZ001
        {"at": datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))},
        {"happened_on": RECORDED_AT},
        {"policy_version": True},
        {"recorded_by": "nobody"},
    ],
)
def test_a_value_of_the_wrong_kind_is_never_stored(mapper: SealedMapper, wrong: dict[str, Any]) -> None:
    with pytest.raises(FactNotStorable, match=next(iter(wrong))):
        mapper.to_stored_event(a_session_arranged(**wrong))


def test_free_text_can_not_pass_as_a_code_that_stays_readable(mapper: SealedMapper) -> None:
    said: dict[str, Any] = ABOUT | {"decision": "Siân told me", "rationale": "r"}
    fact = concern_facts.Decided(**said)
    with pytest.raises(FactNotStorable, match="decision"):
        mapper.to_stored_event(fact)


def test_half_a_character_is_refused(mapper: SealedMapper) -> None:
    with pytest.raises(NotSealable):
        mapper.to_stored_event(a_session_arranged(place="\ud83d"))


def test_a_destroyed_key_opens_to_erased_and_takes_nothing_more(
    mapper: SealedMapper, keys: KeyStore, keys_pool: ConnectionPool
) -> None:
    fact = a_session_arranged()
    stored = mapper.to_stored_event(fact)
    with keys_pool.connection() as connection:
        connection.execute(
            "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = now() WHERE originator_id = %s",
            [fact.originator_id],
        )
    after = SealedMapper(KeyStore(keys_pool, bytes(range(32))))
    [opened] = after.to_domain_events([row(stored)])
    assert (opened.recorded_by, opened.happened_on) == (fact.recorded_by, fact.happened_on)
    assert (vars(opened)["at"], vars(opened)["place"]) == (ERASED, ERASED)
    with pytest.raises(KeyDestroyed):
        after.to_stored_event(a_session_arranged(originator_id=fact.originator_id, originator_version=2))


def test_many_facts_open_in_their_order(mapper: SealedMapper) -> None:
    told = [a_session_arranged(originator_id=uuid4(), place=str(i)) for i in range(20)]
    assert mapper.to_domain_events([row(mapper.to_stored_event(fact)) for fact in told]) == told


def test_nothing_sealed_stands_readable(mapper: SealedMapper) -> None:
    stored = mapper.to_stored_event(a_session_arranged(place="Behind the bike shed"))
    pub, names = read_public(stored.state)
    assert "place" in names
    assert "place" not in pub
    header, _, _, sealed, _ = stored.state.split(b".")
    for part in (header, sealed):
        assert b"bike" not in urlsafe_b64decode(part + b"==")


ABOUT: dict[str, Any] = {
    "originator_version": 1,
    "timestamp": RECORDED_AT,
    "recorded_by": UUID(int=1),
    "command_id": UUID(int=2),
    "policy_version": 1,
    "happened_on": date(2026, 6, 14),
    "originator_id": UUID(int=3),
}


def a_session_arranged(**changes: Any) -> mentee_case_facts.SessionArranged:
    about = ABOUT | {"originator_id": uuid4(), "at": RECORDED_AT, "place": "Library"}
    return mentee_case_facts.SessionArranged(**(about | changes))
