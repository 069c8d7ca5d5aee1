"""Keys are destroyed when two people agreed, by whoever comes to it, and no process goes on using one."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.checkup import check
from app.forgetting.certificate import certificate
from app.forgetting.destroyed_list import DestroyedList, ListBroken
from app.forgetting.destroying import Forgetting, NowhereToList, apply_list
from app.house import House
from app.record.keys import DESTROYED, KeyMissing
from app.settings import Settings
from app.staff_office import StaffOffice
from domain.concern import Concern
from domain.concern_facts import Decided
from domain.erasure import Completed, Erasure, KeyDestroyed, Ordered, Requested
from domain.fact import ERASED, Refused
from domain.mentee_case import MenteeCase
from projections.all_models import MODELS
from projections.caseload import Caseload
from projections.concerns import Concerns
from projections.positions import wait_for
from projections.rebuild import rebuild
from projections.retention import RETENTION
from projections.roll import ROLL, Roll
from tests.forgetting.conftest import LEASE, Office
from tests.giving import load


def listed(settings: Settings) -> DestroyedList:
    assert settings.destroyed_file is not None
    return DestroyedList(settings.destroyed_file)


def test_a_story_is_forgotten_and_its_skeleton_stays(office: Office, settings: Settings) -> None:
    pupil, case, concern = office.story()
    erasure = office.erase("narrative", case)
    casework = office.house.casework
    told = casework.stream(MenteeCase, case)
    assert {one.fact.TOPIC for one in told} >= {"mentee-case.referred", "mentee-case.declined"}
    assert vars(told[0].fact)["words"] is ERASED
    of_concern = casework.stream(Concern, concern)
    assert [one.fact.decision for one in of_concern if isinstance(one.fact, Decided)] == ["monitor"]
    assert [type(one.fact) for one in casework.stream(Erasure, erasure)] == [
        *(Requested, Ordered, KeyDestroyed, KeyDestroyed, Completed)
    ]
    assert {one.originator_id for one in listed(settings).read()} == {case, concern}
    assert Caseload(office.house.pool).by_ids([case]) == {}
    assert Concerns(office.house.pool).by_ids([concern]) == {}
    assert Roll(office.house.pool).by_ids([pupil])[pupil].given_name == "Siân", (
        "the identity is another matter"
    )


def test_nothing_is_recorded_about_what_was_erased(office: Office) -> None:
    pupil, case, _concern = office.story()
    office.erase("narrative", case)
    for again in (office.house.casework, House):
        if again is House:
            office.house.forget()
        with pytest.raises(Refused, match="has been erased"):
            office.do("cases/reopen", "coordinator", case, reason="Back.")
    office.erase("identity", pupil)
    with pytest.raises(Refused, match="has been erased"):
        office.do("pupils/put-legal-hold", "head", pupil, reason="Late.")
    with pytest.raises(Refused, match="already been erased"):
        office.ask("identity", pupil)
    assert Roll(office.house.pool).search("oneill", left=True) == []


def test_a_concern_about_a_case_that_was_erased_is_still_heard(office: Office) -> None:
    _pupil, case, _concern = office.story()
    office.erase("narrative", case)
    raised = office.concern(case, close=False)
    assert office.house.casework.load(Concern, raised) is not None
    assert raised in Concerns(office.house.pool).by_ids([raised])


def test_a_legal_hold_stops_asking_approving_and_destroying(office: Office) -> None:
    pupil, case, _concern = office.story()
    _other, another, _ = office.story()
    waiting, ordered = office.ask("narrative", case), office.order("narrative", another)
    office.do("pupils/put-legal-hold", "head", pupil, reason="A claim.")
    office.do("pupils/put-legal-hold", "head", _other, reason="A claim.")
    with pytest.raises(Refused, match="legal hold"):
        office.ask("identity", pupil)
    with pytest.raises(Refused, match="legal hold"):
        office.do("erasures/approve", "head", waiting)
    outcome = Forgetting(office.house).finish()
    assert (outcome.completed, outcome.held) == ([], [ordered])
    assert office.house.keys.get(another) is not DESTROYED
    office.do("pupils/release-legal-hold", "data_officer", _other, reason="Settled.")
    assert Forgetting(office.house).finish().completed == [ordered]


def test_the_second_person_is_another_one_and_sees_what_came_meanwhile(office: Office) -> None:
    _pupil, case, _concern = office.story()
    erasure = office.ask("narrative", case, by="head")
    with pytest.raises(Refused, match="Another person"):
        office.do("erasures/approve", "head", erasure)
    office.concern(case)
    with pytest.raises(Refused, match="Something was recorded since"):
        office.do("erasures/approve", "data_officer", erasure)
    office.do("erasures/withdraw", "head", erasure, reason="Ask again.")
    office.erase("narrative", case)


def test_before_its_time_nothing_with_a_concern_goes_and_mentoring_only_when_the_pupil_asks(
    office: Office,
) -> None:
    young = date(2010, 5, 1)
    _pupil, case, _concern = office.story(born_on=young)
    with pytest.raises(Refused, match="keep it until 1 May 2035"):
        office.ask("narrative", case)
    with pytest.raises(Refused, match="keep it until 1 May 2035"):
        office.ask("narrative", case, grounds="data_subject")
    plain = office.case(office.pupil(born_on=young))
    with pytest.raises(Refused, match="rules keep this until"):
        office.ask("narrative", plain)
    office.erase("narrative", plain, grounds="data_subject", reason="The pupil asks.")


def test_what_is_open_or_on_the_roll_is_never_erased(office: Office) -> None:
    here = office.pupil(born_on=date(2015, 1, 1), left=False)
    with pytest.raises(Refused, match="still on the roll"):
        office.ask("identity", here, grounds="data_subject")
    still = office.case(office.pupil(), close=False)
    with pytest.raises(Refused, match="still open"):
        office.ask("narrative", still)


def test_a_mentors_own_record_goes_with_their_account(office: Office) -> None:
    pupil = office.pupil()
    mentor = office.do("mentors/apply", "coordinator", pupil_id=pupil, statement="I listen.").subject.id
    office.do("mentors/turn-down", "coordinator", mentor, reason="Not now.")
    opened = StaffOffice(office.house.casework, office.house.accounts).add(
        "Siân O'Neill", "mentor", mentor_id=mentor
    )
    office.caught_up()
    with pytest.raises(Refused, match="End their account first"):
        office.ask("mentor", mentor)
    StaffOffice(office.house.casework, office.house.accounts).end("Siân O'Neill", "Left")
    office.caught_up()
    office.erase("mentor", mentor)
    assert office.house.keys.get(opened.account) is DESTROYED
    assert office.house.staff.names([opened.account]) == {}
    assert office.house.accounts.find("Siân O'Neill") is None
    with office.house.pool.connection() as connection:
        left = connection.execute("SELECT FROM access.logins WHERE account = %s", [opened.account])
        assert left.fetchone() is None


def test_every_process_forgets_at_once(office: Office, settings: Settings) -> None:
    _pupil, case, _concern = office.story()
    with House(settings, lease=60) as other:
        until(lambda: other.keys.get(case) is not DESTROYED and other.keys.get(case) is other.keys.get(case))
        assert vars(other.casework.stream(MenteeCase, case)[0].fact)["words"] == "Often alone."
        office.order("narrative", case)
        stop = Event()
        stop.set()
        Forgetting(office.house).finish(stop)
        began = monotonic()
        until(lambda: other.keys.get(case) is DESTROYED)
        assert monotonic() - began < 5, "its lease is a minute: it was told"
        assert vars(other.casework.stream(MenteeCase, case)[0].fact)["words"] is ERASED
    assert Forgetting(office.house).finish().completed != []


def test_who_hears_nothing_does_not_use_what_they_remember(settings: Settings, house: House) -> None:
    key = uuid4()
    house.keys.create(key)
    until(lambda: house.keys.get(key) is house.keys.get(key))
    with psycopg.connect(settings.migrate_keys_database_url or "", autocommit=True) as owner:
        owner.execute("ALTER TABLE keys.forgotten RENAME TO not_to_be_found")
        try:
            sleep(LEASE)
            until(lambda: house.keys.get(key) is not house.keys.get(key))
        finally:
            owner.execute("ALTER TABLE keys.not_to_be_found RENAME TO forgotten")
    until(lambda: house.keys.get(key) is house.keys.get(key))


def test_the_certificate_names_the_packs_that_were_handed_out_and_nobody_else_who_looked(
    office: Office,
) -> None:
    pupil, case, _concern = office.story()
    _other, another, _ = office.story()
    lead = office.who("dsl").account
    said: dict[str, Any] = {"role": "dsl", "position": 1}
    reads = office.house.reads
    reads.log(lead, "/evidence", [case, pupil], field_class="evidence", reason="Enquiry (for HMI)", **said)
    reads.log(lead, "/evidence", [case], field_class="list", **said)
    reads.log(lead, "/cases/{id}", [case], field_class="history", **said)
    reads.log(lead, "/evidence", [another], field_class="evidence", reason="Not this one", **said)
    erasure = office.erase("narrative", case)
    found = certificate(office.house, erasure)
    assert found is not None
    assert [(pack.account, pack.reason) for pack in found.packs] == [(lead, "Enquiry (for HMI)")]
    assert (found.requested.account, found.approved and found.approved.account) == (
        office.who("data_officer").account,
        office.who("head").account,
    )
    assert certificate(office.house, case) is None


def test_without_a_place_for_the_list_nothing_is_destroyed(office: Office) -> None:
    _pupil, case, _concern = office.story()
    office.order("narrative", case)
    with House(replace(office.house.settings, destroyed_file=None)) as careless:
        with pytest.raises(NowhereToList, match="CASEBOOK_DESTROYED_FILE"):
            Forgetting(careless).finish()
        assert careless.keys.get(case) is not DESTROYED


def test_an_erasure_that_is_not_carried_out_is_seen_by_whoever_looks_after_the_system(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    pupil, case, _concern = office.story()
    office.order("narrative", case)
    newest = office.house.recorder.max_notification_id() or 0
    assert wait_for(office.house.pool, newest, timeout=30)
    assert check(office.house).unforgotten == 0
    monkeypatch.setattr("app.checkup.FORGOTTEN_AFTER", timedelta(0))
    assert check(office.house).unforgotten == 1
    office.do("pupils/put-legal-hold", "head", pupil, reason="A claim.")
    assert check(office.house).unforgotten == 0


def test_the_process_beside_the_projector_finishes_what_was_ordered(office: Office) -> None:
    _pupil, case, _concern = office.story()
    stop = Event()
    running = Thread(target=Forgetting(office.house).run, args=(stop,))
    running.start()
    try:
        erasure = office.order("narrative", case)
        until(lambda: load(office.house, Erasure, erasure).state == "completed")
    finally:
        stop.set()
        running.join()


def test_lists_made_anew_are_as_those_that_heard_of_it(office: Office) -> None:
    pupil, case, _concern = office.story()
    office.story()
    office.erase("narrative", case)
    office.erase("identity", pupil)
    with office.house.pool.connection() as connection:
        for model in ("caseload", "figures", "concerns", "roll", "retention", "erasures"):
            before = connection.execute(f"SELECT * FROM views.{model} ORDER BY number").fetchall()
            rebuild(office.house.pool, office.house.recorder.rows_after, office.house.mapper, MODELS[model])
            after = connection.execute(f"SELECT * FROM views.{model} ORDER BY number").fetchall()
            assert before == after


def test_no_list_with_names_lets_the_database_keep_samples_of_them(office: Office) -> None:
    office.pupil(given="Quetzalina")
    with office.house.pool.connection() as connection:
        for model in (ROLL, RETENTION):
            connection.execute(f"ANALYZE views.{model.name}")
        found = connection.execute(
            "SELECT attname FROM pg_stats"
            " WHERE schemaname = 'views' AND tablename IN ('roll', 'retention', 'staff')"
            " AND attname NOT IN ('pupil_id', 'number', 'version')"
        ).fetchall()
    assert found == []


def test_a_list_is_applied_again_to_a_restored_store(office: Office, settings: Settings) -> None:
    _pupil, case, concern = office.story()
    keep = office.case(office.pupil())
    with psycopg.connect(settings.migrate_keys_database_url or "", autocommit=True) as owner:
        before = owner.execute("SELECT * FROM keys.data_keys").fetchall()
        office.erase("narrative", case)
        owner.execute("ALTER TABLE keys.data_keys DISABLE TRIGGER USER")
        owner.execute("DELETE FROM keys.data_keys")
        with owner.cursor() as cursor:
            restored = [row for row in before if row[1] != concern]
            cursor.executemany("INSERT INTO keys.data_keys VALUES (%s, %s, %s, %s, %s, %s)", restored)
        for trigger in ("refuse_removal", "check_change", "say_destroyed"):
            owner.execute(f"ALTER TABLE keys.data_keys ENABLE ALWAYS TRIGGER {trigger}")
    office.house.forget()
    assert office.house.keys.get(case) is not DESTROYED, "an old backup brings it back"
    with pytest.raises(KeyMissing):
        office.house.keys.get(concern)
    assert set(apply_list(office.house.keys_pool, listed(settings))) == {case, concern}
    office.house.forget()
    assert [office.house.keys.get(one) for one in (case, concern)] == [DESTROYED, DESTROYED]
    assert office.house.keys.get(keep) is not DESTROYED
    assert apply_list(office.house.keys_pool, listed(settings)) == []


def test_a_line_that_was_never_finished_is_not_on_the_list(tmp_path: Path) -> None:
    made = DestroyedList(tmp_path / "destroyed.jsonl")
    assert made.read() == []
    first, second = UUID(int=1), UUID(int=2)
    made.add(bytes(16), first)
    made.add(bytes(16), first)
    made.path.write_bytes(made.path.read_bytes() + b'{"kid":"0102')
    assert [one.originator_id for one in made.read()] == [first]
    made.add(bytes(range(16)), second)
    assert [one.originator_id for one in made.read()] == [first, second]
    made.path.write_bytes(b"not a line\n" + made.path.read_bytes())
    for reading in (made.read, lambda: made.add(bytes(16), first)):
        with pytest.raises(ListBroken, match="Line 1"):
            reading()


def until(happened: object, seconds: float = 10) -> None:
    """Wait for something."""
    assert callable(happened)
    began = monotonic()
    while not happened():
        assert monotonic() - began < seconds, "it didn't happen"
        sleep(0.02)
