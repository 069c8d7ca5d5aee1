from collections.abc import Callable
from secrets import token_bytes
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent

from domain.mentee_case import MenteeCase
from domain.mentee_case_facts import SessionHeld
from projections.all_models import MODELS
from projections.positions import wait_for
from projections.read_model import ReadModel
from projections.rebuild import RebuildFailed, rebuild
from tests.projections.conftest import Record, until
from tests.projections.watching import a_case, standing
from tests.scenario import by


class Counted(MenteeCase):
    """Counts its sessions well."""

    words = ""


class Superstitious(Counted):
    """Can't count to three."""

    trouble: Callable[[Counted], object]

    def on_session_held(self, fact: SessionHeld) -> None:
        super().on_session_held(fact)
        if self.sessions_held == 3:
            type(self).trouble(self)


def counting(subject: type[MenteeCase]) -> ReadModel[MenteeCase]:
    return ReadModel(
        name="counting",
        kind="mentee-case",
        key="case_id",
        subject=subject,
        columns={"words": "text NOT NULL", "sessions_held": "integer NOT NULL"},
        indexes=("(words)",),
    )


def forget_the_count(case: MenteeCase) -> None:
    case.sessions_held = None  # type: ignore[assignment]


def raise_trouble(_: MenteeCase) -> None:
    raise ValueError("Siân said so")


def say_more_than_an_index_holds(case: Counted) -> None:
    # Letters that can't be compressed.
    case.words = "".join(chr(0x4E00 + byte) for byte in token_bytes(6_000))


@pytest.mark.parametrize("trouble", [raise_trouble, forget_the_count, say_more_than_an_index_holds])
@pytest.mark.parametrize("batch", [500, 2])
def test_a_fact_that_a_list_cannot_take_stops_that_list_alone_at_that_fact(
    record: Record, caplog: pytest.LogCaptureFixture, trouble: Callable[[Any], object], batch: int
) -> None:
    class Counting(Superstitious):
        pass

    Counting.trouble = staticmethod(trouble)
    trial = counting(Counting)
    a_case(record, 2)
    broke = a_case(record, 4)[-2]
    a_case(record, 5)
    newest = record.recorder.max_notification_id() or 0
    with record.projecting([*MODELS.values(), trial], batch=batch):
        assert wait_for(record.pool, newest, MODELS, timeout=10)
        until(lambda: standing(record, "counting").fault is not None)
        stopped = standing(record, "counting")
        assert (stopped.position, stopped.lag) == (broke - 1, newest - broke + 1)
        assert [row[-1] for row in record.rows("counting")] == [2, 2]
        began = monotonic()
        assert not wait_for(record.pool, newest, ["counting"])
        assert monotonic() - began < 1
        assert wait_for(record.pool, newest)
    assert "Siân" not in caplog.text
    with record.pool.connection() as connection:
        [fault] = connection.execute("SELECT name, position, error FROM views.faults")
    assert fault[:2] == ("counting", broke)
    assert fault[2] in ("ValueError", "NotNullViolation", "ProgramLimitExceeded")


def test_a_mended_list_goes_on_after_a_restart(record: Record) -> None:
    class Counting(Superstitious):
        trouble = staticmethod(raise_trouble)

    newest = a_case(record, 4)[-1]
    with record.projecting([counting(Counting)]):
        until(lambda: standing(record, "counting").fault is not None)
    with record.projecting([counting(Counted)]):
        until(lambda: standing(record, "counting") == ("counting", newest, 0, None))
    assert [row[-1] for row in record.rows("counting")] == [4]


def test_a_rebuild_takes_a_fault_away_beside_the_projector_that_met_it(record: Record) -> None:
    class Counting(Superstitious):
        trouble = staticmethod(raise_trouble)

    newest = a_case(record, 4)[-1]
    with record.projecting([counting(Counting)]):
        until(lambda: standing(record, "counting").fault is not None)
        rows = record.rows("counting")
        with pytest.raises(RebuildFailed, match="counting stopped after position 0: ValueError"):
            rebuild(record.pool, record.recorder.rows_after, record.mapper, counting(Counting))
        assert record.rows("counting") == rows
        mended = counting(Counted)
        assert rebuild(record.pool, record.recorder.rows_after, record.mapper, mended) == newest
        assert wait_for(record.pool, newest, ["counting"])
        newest = a_case(record, 1)[-1]
        assert wait_for(record.pool, newest, ["counting"], timeout=4)
    assert [row[-1] for row in record.rows("counting")] == [4, 1]


def test_a_fact_that_can_not_be_opened_stops_the_lists_that_hear_it_alone(record: Record) -> None:
    a_case(record, 1)
    subject = uuid4()
    case = MenteeCase.blank(subject)
    case.refer(by(), route="self", reasons=(), words="w", referred_by="r", pupil_id=uuid4())
    [fact] = case.collect_events()
    sealed = record.mapper.to_stored_event(fact)
    moved = StoredEvent(uuid4(), 1, sealed.topic, sealed.state)
    record.mapper.to_stored_event(fact.__class__(**(vars(fact) | {"originator_id": moved.originator_id})))
    broken = record.recorder.append([moved]).position
    newest, hear_it = a_case(record, 1)[-1], {"caseload", "figures"}
    with record.projecting():
        until(lambda: all(standing(record, name).fault for name in hear_it))
        for name in hear_it:
            assert standing(record, name) == (name, broken - 1, newest - broken + 1, "SealBroken")
        assert wait_for(record.pool, newest, set(MODELS) - hear_it, timeout=5)
    assert len(record.rows("caseload")) == len(record.rows("figures")) == 1


def test_a_list_of_another_shape_is_filled_again(record: Record) -> None:
    newest = a_case(record, 3)[-1]
    with record.projecting([counting(Counted)]):
        assert wait_for(record.pool, newest, ["counting"], timeout=5)
    other: ReadModel[MenteeCase] = ReadModel(
        name="counting",
        kind="mentee-case",
        key="case_id",
        subject=MenteeCase,
        columns={"sessions_held": "integer NOT NULL", "sessions_planned": "integer NOT NULL"},
    )
    with record.projecting([other]):
        until(lambda: [row[-2:] for row in record.rows("counting")] == [(3, 6)])
