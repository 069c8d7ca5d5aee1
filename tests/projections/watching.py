"""Facts to wait for, and where the lists are."""

from uuid import uuid4

import psycopg

from domain.mentee_case import MenteeCase
from projections.all_models import MODELS
from projections.positions import Standing, status, wait_for
from tests.projections.conftest import Record
from tests.scenario import by


def a_case(record: Record, sessions: int) -> list[int]:
    """A matched case with sessions; gives the position of each fact."""
    case = MenteeCase.blank(uuid4())
    case.refer(by(), route="self", reasons=(), words="w", referred_by="r", pupil_id=uuid4())
    case.match(by(), mentor_id=uuid4())
    first = record.save(case)
    told = [first - 1, first]
    for _ in range(sessions):
        case.hold_session(by(), held_on=by().today, minutes=20, focus="f", notes="n")
        told.append(record.save(case))
    return told


def standing(record: Record, name: str) -> Standing:
    return next((s for s in status(record.pool) if s.name == name), Standing(name, -1, 0, None))


def caught_up(record: Record, position: int) -> bool:
    try:
        return wait_for(record.pool, position, MODELS, timeout=0.5)
    except psycopg.OperationalError:
        return False
