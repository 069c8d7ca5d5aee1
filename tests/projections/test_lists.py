from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.record.keys import KeyStore, load_kek
from app.record.mapper import SealedMapper
from app.record.pool import open_pool
from app.settings import Settings
from domain.concern import Concern, Involved
from domain.fact import By
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.pupil import Pupil
from domain.staff import Staff
from projections.all_models import MODELS
from projections.caseload import Caseload
from projections.concerns import Concerns
from projections.mentors import Mentors
from projections.read_model import ReadModel
from projections.rebuild import rebuild
from projections.roll import Roll, folded
from projections.staff import Staff as StaffList
from tests.projections.conftest import Record
from tests.scenario import COORDINATOR, by

FIRST = date(2026, 9, 1)
AT = datetime(2026, 9, 20, 12, 30, tzinfo=UTC)


def on(day: int, **changes: Any) -> By:
    return by(happened_on=FIRST + timedelta(days=day), **changes)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def referred(number: int, **said: Any) -> MenteeCase:
    case = MenteeCase.blank(uuid4())
    who = {"pupil_id": uuid4()} | said
    case.refer(
        on(number), route="staff", reasons=("friendships",), words="Lonely", referred_by="Tutor", **who
    )
    return case


def matched(number: int, mentor_id: UUID | None = None) -> MenteeCase:
    case = referred(number)
    case.match(on(number + 1), mentor_id=mentor_id or uuid4())
    return case


def held(case: MenteeCase, *days: int) -> MenteeCase:
    for number in days:
        case.hold_session(by(), held_on=day(number), minutes=30, focus="f", notes="n")
    return case


def test_a_case_from_its_referral_to_its_review(record: Record) -> None:
    case = held(matched(0), 3, 5)
    case.miss_session(by(), due_on=day(9), reason="ill")
    case.arrange_session(on(10), at=AT, place="Library")
    case.ask_for_more(on(10), words="please")
    record.save(case)
    record.catch_up()
    caseload = Caseload(record.pool)
    assert asdict(caseload.by_ids([case.id, uuid4()])[case.id]) == {
        "case_id": case.id,
        "number": 1,
        "version": 7,
        "pupil_id": case.pupil_id,
        "state": "matched",
        "on_hold": False,
        "mentor_id": case.mentor_id,
        "referrer": COORDINATOR,
        "policy_version": 1,
        "sessions_held": 2,
        "sessions_planned": 6,
        "more_asked_for": True,
        "referred_on": day(0),
        "waiting_since": None,
        "matched_on": day(1),
        "last_met_on": day(5),
        "last_missed_on": day(9),
        "next_at": AT,
        "review_since": None,
        "closed_on": None,
    }
    record.save(held(case, 10, 12, 14, 11))
    record.catch_up()
    row = caseload.by_ids([case.id])[case.id]
    assert (row.state, row.review_since, row.next_at, row.last_met_on) == (
        "at_review",
        day(14),
        None,
        day(14),
    )
    case.extend(on(15), sessions=1, reason="r", mentee_wishes="w")
    case.close(on(16), outcome="better", reason="done")
    record.save(case)
    record.catch_up()
    row = caseload.by_ids([case.id])[case.id]
    assert (row.state, row.review_since, row.closed_on, row.mentor_id) == ("closed", None, day(16), None)
    case.reopen(on(17), reason="came back")
    record.save(case)
    record.catch_up()
    row = caseload.by_ids([case.id])[case.id]
    assert (row.state, row.waiting_since, row.closed_on) == ("referred", day(17), None)


def test_cases_by_state_and_mentor_in_pages(record: Record) -> None:
    mentor = uuid4()
    waiting = [referred(number) for number in (5, 3, 9, 3)]
    carried = [matched(2, mentor), held(matched(4, mentor), 30)]
    at_review = held(matched(0), *range(2, 8))
    for case in (*waiting, *carried, at_review):
        record.save(case)
    record.catch_up()
    caseload = Caseload(record.pool)

    first = caseload.cases(state="referred", limit=3)
    rest = caseload.cases(state="referred", after=first[-1].number)
    assert [c.case_id for c in first + rest] == [c.id for c in waiting]
    assert [c.case_id for c in caseload.cases(mentor_id=mentor)] == [c.id for c in carried]
    assert len(caseload.cases()) == 7

    longest = caseload.waiting(limit=2)
    assert [c.case_id for c in longest] == [waiting[1].id, waiting[3].id]
    assert longest[-1].waiting_since is not None
    later = caseload.waiting(after=(longest[-1].waiting_since, longest[-1].number))
    assert [c.case_id for c in later] == [waiting[0].id, waiting[2].id]

    assert [c.case_id for c in caseload.at_review()] == [at_review.id]
    assert [c.case_id for c in caseload.quiet(day(20))] == [carried[0].id]
    assert [c.case_id for c in caseload.quiet(day(40))] == [c.id for c in carried]
    assert caseload.counts() == {"referred": 4, "matched": 2, "at_review": 1}


def test_a_mentors_next_meeting_comes_first(record: Record) -> None:
    mentor = uuid4()
    later, sooner, unplanned = (matched(0, mentor) for _ in range(3))
    later.arrange_session(on(2), at=AT + timedelta(days=7), place="Library")
    sooner.arrange_session(on(2), at=AT, place="Library")
    for case in (unplanned, later, sooner):
        record.save(case)
    record.catch_up()
    found = Caseload(record.pool).of_mentor(mentor)
    assert [c.case_id for c in found] == [sooner.id, later.id, unplanned.id]


def test_a_pupil_named_in_words_is_unidentified_until_found_on_the_roll(record: Record) -> None:
    case, pupil = referred(0, pupil_id=None, pupil_in_words="the tall one"), uuid4()
    record.save(case)
    record.catch_up()
    caseload = Caseload(record.pool)
    assert caseload.by_ids([case.id])[case.id].unidentified
    case.correct(by(), version=1, field="pupil_id", value=str(pupil), reason="found")
    record.save(case)
    record.catch_up()
    [row] = caseload.of_pupil(pupil)
    assert (row.case_id, row.unidentified) == (case.id, False)


def test_a_raised_concern_shows_as_a_hold_and_no_more(record: Record) -> None:
    case, concern = matched(0), uuid4()
    case.break_confidentiality(by(), concern_id=concern)
    record.save(case)
    record.catch_up()
    assert Caseload(record.pool).by_ids([case.id])[case.id].on_hold
    assert str(concern) not in repr(record.rows("caseload"))


def a_mentor(pupil_id: UUID, steps: int, cases: int = 0) -> Mentor:
    mentor = Mentor.blank(uuid4())
    mentor.apply(on(0), pupil_id=pupil_id, statement="s")
    all_steps: list[Callable[[], None]] = [
        lambda: mentor.interview(by(), held_on=day(1), panel="p", notes="n"),
        lambda: mentor.select(on(2), reason="kind"),
        lambda: mentor.train(by(), course="c", completed_on=day(3)),
        lambda: mentor.sign_agreement(by(), signed_on=day(4), agreement_version="1"),
    ]
    for step in all_steps[:steps]:
        step()
    for _ in range(cases):
        mentor.take_on(on(5), case_id=uuid4())
    return mentor


def a_pupil(given: str, family: str, **said: Any) -> Pupil:
    pupil = Pupil.blank(uuid4())
    pupil.enrol(
        on(0),
        **{"given_name": given, "family_name": family, "born_on": date(2012, 2, 29), "year_group": 8}
        | {"tutor_group": "8B"}
        | said,
    )
    return pupil


def test_who_can_take_a_mentee(record: Record) -> None:
    pupil = a_pupil("Siân", "O'Neill")
    selected, free, busy, full = (
        a_mentor(uuid4(), 3),
        a_mentor(pupil.id, 4),
        a_mentor(uuid4(), 4, 1),
        a_mentor(uuid4(), 4, 2),
    )
    free.attach(on(5), tutor_group="7A")
    busy.supervise(by(), kind="group", held_on=day(8), notes="n")
    busy.supervise(by(), kind="group", held_on=day(6), notes="n")
    for subject in (pupil, selected, free, busy, full):
        record.save(subject)
    record.catch_up()
    mentors = Mentors(record.pool)
    assert [m.mentor_id for m in mentors.mentors()] == [selected.id, free.id, busy.id, full.id]
    assert [m.mentor_id for m in mentors.mentors(free_below=2)] == [free.id, busy.id]
    assert [m.mentor_id for m in mentors.mentors(free_below=1)] == [free.id]
    assert all(m.free_below(2) == (m.mentor_id in (free.id, busy.id)) for m in mentors.mentors())
    page = mentors.mentors(limit=1)
    assert [m.mentor_id for m in mentors.mentors(after=page[0].number, limit=1)] == [free.id]
    assert (mentors.by_ids([busy.id])[busy.id].last_supervised_on, busy.cases) == (
        day(8),
        tuple(mentors.by_ids([busy.id])[busy.id].cases),
    )
    assert [m.mentor_id for m in mentors.unsupervised(day(8))] == [full.id]
    assert [m.mentor_id for m in mentors.unsupervised(day(9))] == [busy.id, full.id]
    assert mentors.names([free.id, full.id]) == {free.id: "Siân O'Neill"}
    assert [m.tutor_group for m in mentors.of_pupil(pupil.id)] == ["7A"]
    busy.hand_back(on(9), case_id=busy.cases[0])
    record.save(busy)
    record.catch_up()
    assert [m.mentor_id for m in mentors.mentors(free_below=1)] == [free.id, busy.id]


@pytest.fixture
def roll(record: Record) -> Roll:
    for given, family, said in (
        ("Siân", "O'Neill", {"upn": "A123456789012"}),
        ("Anne-Marie", "de Souza", {"known_as": "Ziggy"}),
        ("Łukasz", "Ångström", {}),
        ("Zoë", "Smith", {"born_on": date(2011, 1, 1)}),
        ("Zoe", "Smith", {"born_on": date(2013, 1, 1)}),
    ):
        record.save(a_pupil(given, family, **said))
    record.catch_up()
    return Roll(record.pool)


def test_a_pupil_is_found_by_the_beginnings_of_names_accents_and_case_aside(roll: Roll) -> None:
    for q, found in (
        ("sian", ["Siân O'Neill"]),
        ("SIÂN oneil", ["Siân O'Neill"]),
        ("neill", ["Siân O'Neill"]),
        ("o’neill", ["Siân O'Neill"]),
        ("annemarie", ["Ziggy de Souza"]),
        ("marie sou", ["Ziggy de Souza"]),
        ("zig", ["Ziggy de Souza"]),
        ("lukasz angstrom", ["Łukasz Ångström"]),
        ("smith zo", ["Zoë Smith", "Zoe Smith"]),
        ("eill", []),
        ("", []),
        ("%", []),
        ("_ian", []),
        ("' OR 1=1", []),
    ):
        assert [p.name for p in roll.search(q)] == found, q


def test_the_roll_goes_by_family_name_in_pages(roll: Roll) -> None:
    assert roll.names([p.pupil_id for p in roll.pupils()]) == {p.pupil_id: p.name for p in roll.pupils()}
    pages = [roll.pupils(limit=2)]
    while pages[-1]:
        pages.append(roll.pupils(limit=2, after=pages[-1][-1].pupil_id))
    families = [p.family_name for page in pages for p in page]
    assert families == ["Ångström", "de Souza", "O'Neill", "Smith", "Smith"]


def test_possible_duplicates_share_a_full_name_or_a_birth_date_and_a_name(roll: Roll) -> None:
    def likely(given: str, family: str, born_on: date) -> list[str]:
        return [p.name for p in roll.possible_duplicates(given, family, born_on)]

    assert likely("zoe", "SMITH", date(2010, 5, 5)) == ["Zoë Smith", "Zoe Smith"]
    assert likely("Sian", "Jones", date(2012, 2, 29)) == ["Siân O'Neill"]
    assert likely("Ziggy", "Jones", date(2012, 2, 29)) == ["Ziggy de Souza"]
    assert likely("Sian", "Jones", date(2012, 3, 1)) == []


def test_pupils_by_their_numbers(roll: Roll) -> None:
    assert list(roll.with_upns(["A123456789012", "B"])) == ["A123456789012"]
    assert roll.by_upn("B") is None
    assert len(roll.without_upn()) == 4


def test_corrections_and_moves_show_on_the_roll(record: Record) -> None:
    pupil = a_pupil("Sian", "ONeil", known_as="Si", upn="A1")
    for version, field, value in (
        (1, "given_name", "Siân"),
        (1, "family_name", " O'Neill "),
        (1, "known_as", ""),
        (1, "born_on", "1 March 2012"),
        (1, "born_on", "some day"),
        (1, "year_group", "Year 9"),
    ):
        pupil.correct(by(), version=version, field=field, value=value, reason="typo")
    record.save(pupil)
    record.catch_up()
    roll = Roll(record.pool)
    [row] = roll.search("sian oneill")
    assert (row.name, row.known_as, row.born_on, row.year_group) == (
        "Siân O'Neill",
        None,
        date(2012, 3, 1),
        9,
    )

    pupil.move_up(on(9), year_group=10, tutor_group="10C")
    pupil.correct(by(), version=1, field="year_group", value="7", reason="typo")
    pupil.correct(by(), version=pupil.version - 1, field="tutor_group", value="10D", reason="typo")
    pupil.leave(by(), left_on=day(10))
    record.save(pupil)
    record.catch_up()
    assert roll.search("sian") == roll.pupils() == []
    [row] = roll.search("sian", left=True)
    assert (row.year_group, row.tutor_group, row.left) == (10, "10D", True)
    assert roll.pupils(left=True) == [row]


def raised(**said: Any) -> Concern:
    concern = Concern.blank(uuid4())
    concern.raise_concern(on(0), childs_words="He hits me.", **said)
    return concern


def test_concerns_come_by_how_far_they_are_and_then_by_age(record: Record) -> None:
    case, pupil, friend = uuid4(), uuid4(), uuid4()
    decided, read, new, other, closed = (
        raised(case_id=case, pupil_id=pupil),
        raised(immediate_danger=True),
        raised(pupil_id=friend),
        raised(involved=(Involved(pupil, "saw it"),), about="staff"),
        raised(),
    )
    dsl = by(UUID(int=9))
    decided.notify(by(), told=(uuid4(),), channel="email")
    decided.decide(dsl, decision="refer", rationale="r")
    read.acknowledge(dsl)
    closed.decide(dsl, decision="monitor", rationale="r")
    closed.close(dsl, outcome="o", rationale="r")
    for concern in (decided, read, new, other, closed):
        record.save(concern)
    record.catch_up()
    concerns = Concerns(record.pool)
    needing = concerns.needing_attention()
    assert [c.concern_id for c in needing] == [new.id, other.id, read.id, decided.id]
    assert [c.urgency for c in needing] == [1, 1, 2, 3]
    after = concerns.needing_attention(after=(needing[1].urgency, needing[1].number), limit=1)
    assert [c.concern_id for c in after] == [read.id]
    assert [c.concern_id for c in concerns.concerns(state="closed")] == [closed.id]
    assert len(concerns.concerns(after=needing[0].number)) == 2
    assert [c.concern_id for c in concerns.of_case(case)] == [decided.id]
    assert [c.concern_id for c in concerns.of_pupil(pupil)] == [decided.id, other.id]
    assert len(concerns.raised_by(COORDINATOR)) == 5
    assert concerns.raised_by(UUID(int=9)) == []
    row = concerns.by_ids([decided.id])[decided.id]
    assert (row.alerts, row.acknowledged_by, row.decision, row.about) == (1, UUID(int=9), "refer", "pupil")
    assert row.last_alert_at is not None
    assert row.decided_at is not None
    assert row.raised_at <= row.last_alert_at <= row.decided_at
    assert "hits" not in repr(record.rows("concerns"))

    closed.reopen(dsl, reason="again")
    record.save(closed)
    record.catch_up()
    row = concerns.by_ids([closed.id])[closed.id]
    assert (row.state, row.decided_at, row.decision, row.closed_at) == ("acknowledged", None, None, None)


def test_who_has_an_account(record: Record) -> None:
    mentor = uuid4()
    people = {}
    for name, role, said in (
        ("Mr Old", "dsl", {}),
        ("Ms Hughes", "dsl", {"email": "h@school.example"}),
        ("Ms Price", "coordinator", {}),
        ("Ada", "mentor", {"mentor_id": mentor}),
    ):
        people[name] = Staff.blank(uuid4())
        people[name].open_account(on(0), name=name, role=role, **said)
    people["Mr Old"].end_account(on(1), reason="retired")
    people["Ms Price"].correct(by(), version=1, field="name", value="Ms Price-Jones", reason="married")
    people["Ms Price"].correct(by(), version=1, field="email", value="p@school.example", reason="new")
    for person in people.values():
        record.save(person)
    record.catch_up()
    staff = StaffList(record.pool)
    lead = staff.lead()
    assert lead is not None
    assert (lead.name, lead.email, lead.account_id) == (
        "Ms Hughes",
        "h@school.example",
        people["Ms Hughes"].id,
    )
    price = people["Ms Price"].id
    assert staff.names([price, uuid4()]) == {price: "Ms Price-Jones"}
    assert staff.by_ids([price])[price].email == "p@school.example"
    assert [a.name for a in staff.by_role("dsl", "coordinator")] == ["Ms Hughes", "Ms Price-Jones"]
    assert [a.name for a in staff.of_mentor(mentor)] == ["Ada"]
    assert [a.ended for a in staff.accounts()] == [True, False, False, False]
    assert [a.name for a in staff.accounts(after=staff.accounts(limit=3)[-1].number)] == ["Ada"]


def test_an_erased_subject_has_no_row_and_gets_none_from_what_is_left(
    record: Record, settings: Settings
) -> None:
    gone, stays = matched(0), matched(0)
    concern = raised()
    pupil = a_pupil("Siân", "O'Neill")
    for subject in (gone, stays, concern, pupil):
        record.save(subject)
    concern.acknowledge(by())
    gone.hold(by())
    record.save(gone, concern)
    with open_pool(settings.keys_database_url) as keys:
        with keys.connection() as connection:
            connection.execute(
                "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = now()"
                " WHERE originator_id = ANY(%s)",
                [[gone.id, concern.id, pupil.id]],
            )
        mapper = SealedMapper(KeyStore(keys, load_kek(settings.kek_file)))
        after = Record(record.pool, record.recorder, mapper)
        after.catch_up()
        assert [row[0] for row in after.rows("caseload")] == [stays.id]
        assert after.rows("concerns") == after.rows("roll") == []
        for name in ("caseload", "concerns", "roll"):
            rebuild(record.pool, record.recorder.rows_after, mapper, MODELS[name], batch=1)
        assert [row[0] for row in after.rows("caseload")] == [stays.id]
        assert after.rows("concerns") == after.rows("roll") == []


def test_names_stand_in_unlogged_tables_alone(record: Record) -> None:
    record.catch_up()
    with record.pool.connection() as connection:
        found = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'views'::regnamespace"
            " AND relkind = 'r' AND relpersistence = 'u'"
        ).fetchall()
    assert {name for (name,) in found} == {"roll", "staff", "unlogged_positions"}


@pytest.mark.parametrize("name", ["Łø", "Æß", "ﬁ", "Ｓｉân"])
def test_folding_leaves_plain_small_letters(name: str) -> None:
    [word] = folded(name)
    assert word.isascii()
    assert word.islower()


def test_every_list_is_known_by_its_own_name() -> None:
    assert {name: model.name for name, model in MODELS.items()} == {name: name for name in MODELS}
    assert all(isinstance(model, ReadModel) for model in MODELS.values())
