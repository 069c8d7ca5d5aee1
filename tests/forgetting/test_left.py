"""What is left of whoever was erased can be opened, says so, and offers nothing more to do."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from app.forms import today
from app.wording.common import ERASED_TEXT
from domain.concern import Concern
from domain.fact import By
from domain.mentee_case import MenteeCase
from domain.staff import SYSTEM
from tests.forgetting.conftest import Office
from tests.giving import load
from tests.pages.conftest import STAFF, School

NOT_SO = (
    *(
        "Not matched yet",
        "Not agreed yet",
        "Not known yet",
        "weren’t recorded",
        "None was given",
        "No facts beside",
    ),
    *("Nothing is missing", "Nobody beside", "Correct this", "Refer this pupil", "Record supervision"),
)
"""What pages say of what nobody has told them."""


def office_of(school: School) -> Office:
    """The same people, giving commands beside the pages."""
    return Office(school.house, {role: school.people[name] for role, name in STAFF.items()})


def a_case(school: School) -> tuple[UUID, UUID]:
    """A case with a purpose, and its concern with everything that a concern may hold; both closed."""
    office, mentor, then = office_of(school), school.mentor(), today() - timedelta(days=50)
    case = school.case(pupil_id=office.pupil())
    school.do("cases/match", case, mentor_id=mentor, reason=None, happened_on=then)
    school.do("cases/agree-purpose", case, purpose="To find friends.", expectations=None)
    concern = office.concern(case, close=False)
    opened = load(school.house, Concern, concern)
    opened.notify(By(SYSTEM, uuid4(), today()), told=(school.people["Ms Hughes"].account,), channel="email")
    office.shown(school.house.casework.save([opened]))
    given: dict[str, dict[str, Any]] = {
        "acknowledge": {},
        "assess": {"threshold": "Child in need", "reason": "Bruises."},
        "share": {"with_whom": "Ms Okoro", "what": "All of it.", "basis": "Vital interests."},
        "assign-action": {"action": "Ring home.", "owner": "Ms Hughes", "due_on": today()},
        "inform-child": {"told_on": today(), "words": "We will help."},
    }
    for verb, said in given.items():
        office.do(f"concerns/{verb}", "dsl", concern, **said)
    office.close(concern)
    school.do("cases/release", case, by="Ms Hughes", reason="Settled.")
    school.do("cases/close", case, outcome="better", reason="Done.")
    return case, concern


def a_mentor(school: School) -> tuple[UUID, UUID]:
    """A pupil who was a peer mentor, and stood down."""
    office = office_of(school)
    pupil = office.pupil(given="Merl")
    mentor = office.do("mentors/apply", "coordinator", pupil_id=pupil, statement="I listen.").subject.id
    given: dict[str, dict[str, Any]] = {
        "interview": {"held_on": today(), "panel": "Two", "notes": "Calm."},
        "select": {"reason": "Kind."},
        "supervise": {"kind": "group", "held_on": today(), "notes": "Well."},
        "stand-down": {"reason": "Exams."},
    }
    for verb, said in given.items():
        office.do(f"mentors/{verb}", "coordinator", mentor, **said)
    return pupil, mentor


def test_every_page_of_it_opens_and_tells_no_untruth(school: School) -> None:
    office, (case, concern), (pupil, mentor) = office_of(school), a_case(school), a_mentor(school)
    mentee = school.house.casework.stream(MenteeCase, case)[0].fact
    child = UUID(str(vars(mentee)["pupil_id"]))
    for scope, subject in {"narrative": case, "mentor": mentor}.items():
        office.erase(scope, subject)
    for one in (child, pupil):
        office.erase("identity", one)

    for who, addresses in {
        "coordinator": (f"/cases/{case}", f"/mentors/{mentor}", f"/pupils/{child}", f"/pupils/{pupil}"),
        "dsl": (
            *(f"/cases/{case}", f"/cases/{case}/history", f"/concerns/{concern}", f"/pupils/{child}"),
            *(f"/pupils/{child}/history", f"/evidence/ask?case={case}"),
        ),
        "inspector": (f"/cases/{case}", f"/cases/{case}/history", f"/concerns/{concern}"),
        "head": (f"/kept/{child}", f"/kept/{pupil}"),
    }.items():
        for address in addresses:
            shown = school.as_(who).get(address)
            assert ERASED_TEXT in shown.text, address
            assert [words for words in NOT_SO if words in shown.text] == [], (who, address)
            assert not [words for words in shown.h1 if not words.strip()], address
    for account, path in (("Ms Price", f"cases/{case}"), ("Ms Hughes", f"concerns/{concern}")):
        token = school.house.accounts.issue_token(school.people[account].account)
        sent = {"Authorization": f"Bearer {token}"}
        told = school.app.test_client().get(f"/api/v1/{path}/history", headers=sent)
        assert told.status_code == 200
        assert '{"erased":true}' in told.get_data(as_text=True).replace(" ", "")
    # Forms of before lead to a refusal, never to a fault.
    coordinator = school.as_("coordinator")
    for address in (f"/cases/{case}/review", f"/cases/{case}/match", f"/sessions/{case}/record"):
        coordinator.get(address)
    coordinator.get(f"/mentors/{mentor}/do/supervise")
    refused = coordinator.press(
        "Record supervision", kind="group", dates={"held_on": (1, 9, 2026)}, notes="n", status=409
    )
    assert "has been erased" in refused.text
