"""How long, and how much, is remembered of what was opened: neither a moment nor a fact more."""

from uuid import UUID

import pytest

from app.record import opened
from app.record.data_key import DataKey
from app.record.opened import Opened, OpenedStreams
from app.record.rows import StoredRow
from tests.record.test_mapper import RECORDED_AT, a_session_arranged

KEY = DataKey(bytes(16), bytes(32))
ONE, OTHER, THIRD = (UUID(int=n) for n in (1, 2, 3))
FACT = Opened(StoredRow(ONE, 1, "mentee-case.session-arranged", b"", 1, RECORDED_AT), a_session_arranged())


class Clock:
    """A time that passes only when it is told to."""

    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(opened, "monotonic", lambda: clock.now)
    return clock


def keep(streams: OpenedStreams, subject: UUID, count: int) -> None:
    facts = [FACT] * count
    assert streams.keep(subject, KEY, facts) is facts


def known(streams: OpenedStreams) -> dict[int, int]:
    """How much it holds of whom, the next one to go first."""
    return {place: len(stream.facts) for place, stream in streams._known.items()}


def test_it_is_found_for_a_minute_and_not_a_moment_longer(clock: Clock) -> None:
    streams = OpenedStreams()
    keep(streams, ONE, 2)
    for later, there in ((0.0, True), (59.9, True), (60.0, False), (61.0, False)):
        clock.now = 1000.0 + later
        assert (streams.find(ONE) is not None) is there, later
    assert streams.find(OTHER) is None


def test_what_was_found_has_its_key_and_its_facts(clock: Clock) -> None:
    streams = OpenedStreams(seconds=5)
    keep(streams, ONE, 2)
    assert streams.find(ONE) == (KEY, [FACT, FACT], clock.now + 5)


@pytest.mark.parametrize("passed", [60.0, 75.0])
def test_what_is_too_old_leaves_the_memory_with_the_next_that_comes(clock: Clock, passed: float) -> None:
    streams = OpenedStreams()
    keep(streams, ONE, 2)
    clock.now += 15
    keep(streams, OTHER, 2)
    clock.now += passed - 15
    keep(streams, THIRD, 2)
    assert known(streams) == ({2: 2, 3: 2} if passed == 60 else {3: 2})
    assert streams._facts == sum(known(streams).values())


def test_ten_thousand_facts_are_the_most() -> None:
    streams = OpenedStreams()
    keep(streams, ONE, 10_000)
    assert known(streams) == {1: 10_000}
    keep(streams, ONE, 10_001)
    assert known(streams) == {}


def test_the_first_to_come_is_the_first_to_go() -> None:
    streams = OpenedStreams(most=7)
    keep(streams, ONE, 3)
    keep(streams, OTHER, 4)
    assert known(streams) == {1: 3, 2: 4}, "no more than seven"
    keep(streams, THIRD, 1)
    assert known(streams) == {2: 4, 3: 1}
    keep(streams, ONE, 2)
    assert known(streams) == {2: 4, 3: 1, 1: 2}, "there was room for just as many as went"
    keep(streams, OTHER, 4)
    assert known(streams) == {3: 1, 1: 2, 2: 4}, "counted once, and the last to go again"


def test_what_was_let_go_takes_no_room() -> None:
    streams = OpenedStreams(most=7)
    keep(streams, ONE, 5)
    streams.forget()
    assert known(streams) == {}
    keep(streams, ONE, 3)
    keep(streams, OTHER, 4)
    assert known(streams) == {1: 3, 2: 4}
    streams.forget()
    keep(streams, ONE, 4)
    keep(streams, OTHER, 4)
    assert known(streams) == {2: 4}, "eight are too many, as before"


def test_what_goes_on_takes_the_room_of_all_its_facts_and_its_old_place() -> None:
    streams = OpenedStreams(most=7)
    keep(streams, ONE, 3)
    keep(streams, OTHER, 3)
    found = streams.find(ONE)
    assert found is not None
    assert streams.go_on(ONE, found, [FACT]) == [FACT] * 4
    assert known(streams) == {1: 4, 2: 3}
    keep(streams, THIRD, 1)
    assert known(streams) == {2: 3, 3: 1}


def test_what_was_let_go_meanwhile_does_not_come_back() -> None:
    streams = OpenedStreams()
    keep(streams, ONE, 3)
    found = streams.find(ONE)
    assert found is not None
    streams.forget()
    assert streams.go_on(ONE, found, [FACT]) == [FACT] * 4, "whoever asked gets it"
    assert streams.find(ONE) is None, "but its key may have been destroyed"
    keep(streams, ONE, 2)
    assert len(streams.go_on(ONE, found, [FACT])) == 4
    assert known(streams) == {1: 2}
