from uuid import UUID, uuid4

from domain.concern_facts import Involved
from domain.staff import Staff
from projections.all_models import MODELS
from projections.concerns import Concern as ConcernRow
from projections.concerns import Concerns
from projections.mentors import Mentors
from projections.read_model import ReadModel
from projections.rebuild import rebuild
from projections.staff import Staff as StaffList
from tests.projections.conftest import Record
from tests.projections.makers import AT, a_mentor, a_pupil, day, matched, on, raised
from tests.scenario import COORDINATOR, by


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
    assert row.waits_since == row.reopened_at


def test_what_a_decided_concern_waits_for(record: Record) -> None:
    concern, dsl = raised(), by(UUID(int=9))
    concern.decide(dsl, decision="refer", rationale="r")

    def row() -> ConcernRow:
        record.save(concern)
        record.catch_up()
        return Concerns(record.pool).by_ids([concern.id])[concern.id]

    owed = row()
    assert (owed.referred_at, owed.unanswered, owed.action_days) == (None, 0, [])
    concern.refer_out(dsl, body="MASH", sent_at=AT, reference=None)
    concern.assign_action(dsl, action="a", owner="o", due_on=day(9))
    concern.assign_action(dsl, action="b", owner="o", due_on=day(5))
    asked = row()
    assert asked.referred_at is not None
    assert (asked.unanswered, asked.action_days) == (1, [day(9), day(5)])
    first, second = sorted(concern.open_actions)
    concern.complete_action(dsl, action_version=first, done_on=day(4))
    concern.correct(dsl, version=second, field="due_on", value=day(7).isoformat(), reason="typed wrongly")
    concern.record_outcome(dsl, outcome="o", received_on=day(4))
    answered = row()
    assert (answered.unanswered, answered.action_days) == (0, [day(7)])


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


def test_an_erased_subject_has_no_row_and_gets_none_from_what_is_left(record: Record) -> None:
    gone, stays = matched(0), matched(0)
    concern = raised()
    pupil = a_pupil("Siân", "O'Neill")
    for subject in (gone, stays, concern, pupil):
        record.save(subject)
    concern.acknowledge(by())
    gone.hold(by())
    record.save(gone, concern)
    for erased in (gone, concern, pupil):
        record.destroy(erased.id)
    record.catch_up()
    assert [row[0] for row in record.rows("caseload")] == [stays.id]
    assert record.rows("concerns") == record.rows("roll") == []
    for name in ("caseload", "concerns", "roll"):
        rebuild(record.pool, record.recorder.rows_after, record.mapper, MODELS[name], batch=1)
    assert [row[0] for row in record.rows("caseload")] == [stays.id]
    assert record.rows("concerns") == record.rows("roll") == []


def test_names_stand_in_unlogged_tables_alone(record: Record) -> None:
    record.catch_up()
    with record.pool.connection() as connection:
        found = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'views'::regnamespace"
            " AND relkind = 'r' AND relpersistence = 'u'"
        ).fetchall()
    assert {name for (name,) in found} == {"retention", "roll", "staff", "unlogged_positions"}


def test_every_list_is_known_by_its_own_name() -> None:
    assert {name: model.name for name, model in MODELS.items()} == {name: name for name in MODELS}
    assert all(isinstance(model, ReadModel) for model in MODELS.values())
