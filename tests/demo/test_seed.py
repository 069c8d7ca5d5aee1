"""The invented year hangs together, on whichever day the demo begins."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from app.demo.people import PASSWORD, SCHOOL, STAFF, pupils, roll_on
from app.demo.seed import is_begun, is_told, tell_the_year
from app.demo.terms import is_school_day
from app.forms import LONDON
from app.house import House
from app.project import ProjectorProcess
from app.record.recorder import StoredRow
from app.roll_file import read_roll
from app.roll_import import year_by_age
from app.settings import Settings
from domain.concern import Concern
from domain.concern_facts import Acknowledged, Decided, Notified, Raised
from domain.fact import Fact
from domain.mentee_case_facts import SessionHeld
from domain.mentor import Appointed, Interviewed
from projections.caseload import Caseload
from projections.mentors import Mentors
from projections.positions import status, wait_for
from projections.retention import Retention
from projections.roll import Roll


@pytest.fixture
def empty(demo_settings: Settings) -> Iterator[House]:
    with House(demo_settings) as house, ProjectorProcess(house.pool, house.recorder, house.mapper):
        yield house


@pytest.mark.slow
@pytest.mark.parametrize(
    ("now", "waiting"),
    [("2026-11-20T15:30", 1), ("2026-09-03T07:00", 0), ("2026-11-16T01:25", 0), ("2026-08-05T11:00", 0)],
    ids=["school day", "first morning after the summer", "night after a weekend", "summer"],
)
def test_the_year_can_be_told_on_any_day(empty: House, now: str, waiting: int) -> None:
    """`waiting` concerns are unread then: only while somebody is at school."""
    moment = datetime.fromisoformat(now).replace(tzinfo=LONDON)
    assert not is_begun(empty)

    tell_the_year(empty, SCHOOL, moment)

    assert is_begun(empty)
    assert is_told(empty)
    assert empty.casework.policy().school_name == SCHOOL
    position = empty.recorder.max_notification_id() or 0
    assert wait_for(empty.pool, position, timeout=60)
    assert not [standing for standing in status(empty.pool) if standing.fault]

    facts = list(_facts(empty))
    times = [row.recorded_at for row, _ in facts]
    assert times == sorted(times)
    assert times[-1] <= moment
    assert times[0] < moment - timedelta(days=250)
    held = [fact for _, fact in facts if isinstance(fact, SessionHeld)]
    assert len(held) > 600
    assert all(is_school_day(fact.held_on) for fact in held)

    cases = Caseload(empty.pool).cases(limit=500)
    states = Counter(case.state for case in cases)
    assert len(cases) == 150
    assert set(states) == {"referred", "matched", "at_review", "closed", "declined"}
    assert states["closed"] > 90
    # All of the coordinator's first page fits on it.
    assert 2 <= states["at_review"] <= 8
    assert states["referred"] <= 8
    assert 3 <= sum(case.on_hold for case in cases) <= 4
    due = Retention(empty.pool).due(empty.casework.policy(), moment.date())
    # Something waits for the data protection officer.
    assert {matter.scope for matter in due} == {"narrative", "identity"}
    mentors = Mentors(empty.pool).mentors(limit=100)
    assert len(mentors) == 85
    assert max(len(mentor.cases) for mentor in mentors) == 2
    standings = Counter((m.standing, m.trained, m.signed) for m in mentors)
    assert len(standings) >= 5
    assert 870 <= len(Roll(empty.pool).pupils(limit=2000)) <= 970
    decisions = {fact.decision for _, fact in facts if isinstance(fact, Decided)}
    assert decisions == {"refer", "early_help", "monitor", "no_further_action"}
    unread = [
        concern
        for concern_id in {fact.originator_id for _, fact in facts if isinstance(fact, Raised)}
        if (concern := empty.casework.load(Concern, concern_id)) and not concern.acknowledged
    ]
    assert len(unread) == waiting
    raised = [fact.originator_id for _, fact in facts if isinstance(fact, Raised)]
    assert 8 <= len(raised) <= 12
    # Nobody raises, reads or decides at night, and no alert rings then: nothing was left unread.
    at_school = [row.recorded_at.astimezone(LONDON) for row, fact in facts if fact.originator_id in raised]
    assert all(is_school_day(when.date()) and time(8) <= when.time() < time(17, 30) for when in at_school)
    again = timedelta(minutes=empty.casework.policy().alert_again_after_minutes)
    for concern_id in raised:
        rang = list(_until_read(facts, concern_id, moment))
        assert rang[1] - rang[0] < timedelta(minutes=2)
        # It rang again as Casebook does, and nothing is due when the demo begins.
        assert all(later - sooner <= again for sooner, later in pairwise(rang))
    _interviews_are_believable(facts)
    notes = Counter(fact.notes for fact in held)
    assert [words for words, times in notes.items() if times > 1] == []

    for colleague in STAFF:
        person = empty.accounts.by_password(colleague.sign_in, PASSWORD, "127.0.0.1")
        assert person, colleague.sign_in
        assert person.role == colleague.role
    mentor = empty.accounts.by_password("mentor", PASSWORD, "127.0.0.1")
    assert mentor
    assert mentor.mentor_id
    assert Caseload(empty.pool).of_mentor(mentor.mentor_id)


def _facts(house: House) -> Iterator[tuple[StoredRow, Fact]]:
    position = 0
    while rows := house.recorder.rows_after(position, 500):
        yield from zip(rows, house.mapper.to_domain_events(rows), strict=True)
        position = rows[-1].notification_id


def _interviews_are_believable(facts: list[tuple[StoredRow, Fact]]) -> None:
    """Nobody sits on a panel in a post that nobody has yet, and a panel sees a handful of pupils a day."""
    posts: set[str] = set()
    interviews: Counter[date] = Counter()
    for _, fact in facts:
        if isinstance(fact, Appointed):
            posts.add(fact.post)
        if isinstance(fact, Interviewed):
            interviews[fact.held_on] += 1
            sits = re.findall(r"(?:Deputy )?Head Peer Mentor", fact.panel)
            assert set(sits) <= posts, fact.panel
            assert posts or "peer mentor" not in fact.panel
    assert interviews.total() > 40
    assert max(interviews.values()) <= 10


def _until_read(facts: list[tuple[StoredRow, Fact]], concern_id: UUID, now: datetime) -> Iterator[datetime]:
    """When a concern was raised, when it rang, and when it was read, or now."""
    for row, fact in facts:
        if fact.originator_id != concern_id:
            continue
        if isinstance(fact, Raised | Notified | Acknowledged):
            yield row.recorded_at
        if isinstance(fact, Acknowledged):
            return
    yield now


def test_the_roll_is_a_file_that_the_importer_takes_without_a_word() -> None:
    today = datetime(2026, 11, 20, tzinfo=LONDON).date()
    rows = read_roll(roll_on(today, today), today)
    assert len(rows) == 900
    assert {row.year_group for row in rows} == set(range(7, 14))
    assert all(year_by_age(row.born_on, today) == row.year_group for row in rows)
    assert len({(pupil.given_name, pupil.family_name) for pupil in pupils()}) == len(pupils())
    assert len({row.upn for row in rows if row.upn}) > 890


def test_a_school_s_own_record_is_never_told_stories(house: House) -> None:
    with pytest.raises(Exception, match="Only a demo may invent"):
        tell_the_year(house, SCHOOL)
    assert house.recorder.max_notification_id() is None
