"""The head's and the data protection officer's pages, as they meet them."""

from datetime import date
from uuid import UUID, uuid4

from app.forgetting.destroying import Forgetting
from tests.forgetting.conftest import Office
from tests.pages.conftest import STAFF, School

OLD = date(1990, 5, 1)


def story(school: School) -> tuple[UUID, UUID, UUID]:
    """A pupil with a case and its concern, long over."""
    office = Office(school.house, {role: school.people[name] for role, name in STAFF.items()})
    return office.story(born_on=OLD)


def test_a_child_is_forgotten_by_two_people_at_their_browsers(school: School) -> None:
    pupil, _case, _concern = story(school)
    officer, head = school.as_("data_officer"), school.as_("head")
    first = officer.get("/")
    assert "Siân O’Neill" in first.text or "Siân O'Neill" in first.text
    assert "Mentoring case with 1 concern" in first.text
    officer.get(f"/kept/{pupil}")
    officer.follow("Ask for erasure: Mentoring case with 1 concern")
    asked = officer.press("Ask for erasure", grounds="retention", reason="Its time is over.")
    assert "Request recorded." in asked.text
    assert "Another person must approve it" in asked.text
    assert "Approve" not in asked.text

    head.get("/due")
    head.follow("Open: Siân O'Neill")
    head.follow("Approve this erasure")
    assert pupil in school.looks()[-1][2], "the form names the pupil"
    approved = head.press("Erase it for good")
    assert "Erasure approved." in approved.text
    assert Forgetting(school.house).finish().completed
    school.catch_up()
    certificate = head.get(approved.address.partition("?")[0])
    assert certificate.h1 == ["Certificate of erasure"]
    for words in ("2 of 2", "Ms Data, data protection officer", "Dr Evans, head teacher", "None was made"):
        assert words in certificate.text
    assert "Siân" not in certificate.text
    assert "Mentoring case" not in officer.get(f"/kept/{pupil}").text


def test_whoever_asked_is_not_offered_to_approve(school: School) -> None:
    pupil, _case, _concern = story(school)
    head = school.as_("head")
    head.get(f"/kept/{pupil}")
    head.follow("Ask for erasure: Mentoring case with 1 concern")
    page = head.press("Ask for erasure", grounds="retention", reason="Its time is over.")
    address = page.address.partition("?")[0]
    head.get(f"{address}/do/approve")
    assert "Another person must approve this" in head.press("Erase it for good", status=409).text
    head.get(address)
    head.follow("Withdraw this request")
    assert "Request withdrawn." in head.press("Withdraw", reason="Not yet.").text


def test_a_legal_hold_is_put_seen_and_released(school: School) -> None:
    pupil, _case, _concern = story(school)
    head = school.as_("head")
    head.get("/kept")
    found = head.press("Find", q="oneill")
    assert "born 1 May 1990" in found.text
    head.follow("Open: Siân O'Neill")
    head.follow("Put a legal hold")
    assert "Legal hold put." in head.press("Put a legal hold", reason="A claim.").text
    assert "Kept by a legal hold." in head.get(f"/kept/{pupil}").text
    due = school.as_("data_officer").get("/")
    assert "Nothing is due." in due.text
    assert "Nothing of this pupil is erased." in due.text
    school.as_("data_officer").get(f"/erasures/new?scope=narrative&subject={_case}")
    refused = school.as_("data_officer").press(
        "Ask for erasure", grounds="retention", reason="Old.", status=409
    )
    assert "A legal hold keeps this." in refused.text
    head.follow("Release the legal hold")
    assert "Legal hold released." in head.press("Release the legal hold", reason="Settled.").text


def test_what_is_due_may_be_kept_until_a_day(school: School) -> None:
    pupil, _case, _concern = story(school)
    officer = school.as_("data_officer")
    officer.get(f"/kept/{pupil}/do/keep-longer")
    done = officer.press("Keep it longer", dates={"until": (1, 1, 2099)}, reason="An enquiry may come.")
    assert "Decision to keep it recorded." in done.text
    assert "decided to keep it until 1 January 2099" in officer.get(f"/kept/{pupil}").text
    assert "Nothing is due." in officer.get("/").text


def test_what_is_not_there_is_not_found_and_nobody_else_comes_in(school: School) -> None:
    officer = school.as_("data_officer")
    for address in (
        *(f"/kept/{uuid4()}", f"/erasures/{uuid4()}", f"/kept/{uuid4()}/do/correct", "/erasures/new"),
        *(f"/erasures/new?scope=identity&subject={uuid4()}", "/erasures/new?scope=x&subject=y"),
    ):
        officer.get(address, status=404)
    for role in STAFF:
        if role not in ("head", "data_officer"):
            for address in ("/due", "/kept", f"/kept/{uuid4()}", f"/erasures/{uuid4()}", "/erasures/new"):
                school.as_(role).get(address, status=403)


def test_reading_what_is_kept_is_noted_first(school: School) -> None:
    pupil, case, concern = story(school)
    before = len(school.looks())
    school.as_("head").get(f"/kept/{pupil}")
    _account, route, subjects = school.looks()[before]
    assert route == "/kept/<uuid:subject_id>"
    assert {pupil, case, concern} <= set(subjects)
