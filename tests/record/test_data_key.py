from dataclasses import FrozenInstanceError
from uuid import UUID

import pytest

from app.record.data_key import DataKey
from tests.record.vectors import EVENTS, key_of

KEY = DataKey(bytes(16), bytes(range(32)))
CASE, OTHER = UUID(int=1), UUID(int=2)


def test_a_key_shows_its_name_alone() -> None:
    assert repr(KEY) == f"DataKey(kid={KEY.kid!r})"


@pytest.mark.parametrize(("kid", "key"), [(15, 32), (17, 32), (16, 31), (16, 33), (0, 0)])
def test_a_key_has_its_whole_length(kid: int, key: int) -> None:
    with pytest.raises(ValueError, match="16 bytes of name and 32 bytes of key"):
        DataKey(bytes(kid), bytes(key))


def test_a_key_is_never_altered_and_equals_what_has_the_same_bytes() -> None:
    used = DataKey(KEY.kid, KEY.key)
    used.content_key(CASE, 1)
    assert used == DataKey(KEY.kid, KEY.key), "also when one was used before"
    assert DataKey(KEY.kid, bytes(32)) != KEY
    with pytest.raises(FrozenInstanceError):
        KEY.key = bytes(32)  # type: ignore[misc]


def test_each_version_of_each_case_has_a_key_of_its_own_whichever_was_asked_for_before() -> None:
    first = {
        (case, ver): DataKey(KEY.kid, KEY.key).content_key(case, ver)
        for case in (CASE, OTHER)
        for ver in (1, 2)
    }
    assert len(set(first.values())) == 4
    for place in [(CASE, 1), (OTHER, 1), (CASE, 2), (UUID(int=1), 1), (OTHER, 2)]:
        assert KEY.content_key(*place) == first[place]


def test_keys_of_cases_that_take_turns_are_those_of_the_examples() -> None:
    keys = {event["kid"]: key_of(event) for event in EVENTS}
    for event in [*EVENTS, *reversed(EVENTS)]:
        place = UUID(event["originator_id"]), event["originator_version"]
        assert keys[event["kid"]].content_key(*place).hex() == event["cek"]
