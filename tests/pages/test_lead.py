"""The first pages of those who answer for safeguarding: what waits, for how long, and for whom."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.forms import today
from app.wording.common import day
from domain.concern import Concern
from tests.pages.conftest import School


def raised(school: School) -> UUID:
    """A concern that the form tutor raised; its id."""
    tutor = school.as_("referrer")
    tutor.get("/worried")
    page = tutor.press("Send", childs_words="I’m scared to go home.")
    return UUID(page.address.rpartition("/")[2].partition("?")[0])


def decided(school: School, decision: str) -> UUID:
    """A concern that the lead decided on; its id."""
    concern_id = raised(school)
    said = {"decision": decision, "rationale": "The risk is high.", "alternatives": None}
    school.do("concerns/decide", concern_id, by="Ms Hughes", **said)
    return concern_id


def test_a_decided_concern_says_what_it_still_waits_for_until_nothing_does(school: School) -> None:
    concern_id, lead = decided(school, "refer"), school.as_("dsl")
    assert "A safeguarding referral was decided just now Not sent yet" in lead.get("/").text

    sent = {"body": "MASH", "sent_at": datetime.now(UTC) - timedelta(minutes=5), "reference": None}
    school.do("concerns/refer-out", concern_id, by="Ms Hughes", **sent)
    late, later = today() - timedelta(days=1), today() + timedelta(days=9)
    for due in (late, later):
        school.do(
            "concerns/assign-action", concern_id, by="Ms Hughes", action="Ring home", owner="Me", due_on=due
        )
    first = lead.get("/").text
    assert "Not sent yet" not in first
    assert "No answer from outside for less than a minute" in first
    assert f"An action is due by {day(late)} Overdue" in first
    assert f"An action is due by {day(later)} Open" in first

    page = lead.get(f"/concerns/{concern_id}").text
    assert "Answer from outside Not yet: less than a minute" in page
    assert f"Me · By {day(late)} Overdue" in page
    concern = school.house.casework.load(Concern, concern_id)
    assert concern is not None
    said = {"version": min(concern.open_actions), "field": "due_on", "value": later.isoformat()}
    school.do("concerns/correct", concern_id, by="Ms Hughes", **said, reason="Typed wrongly.")
    for address in ("/", f"/concerns/{concern_id}"):
        assert "Overdue" not in lead.get(address).text

    answer = {"outcome": "An assessment began.", "received_on": today()}
    school.do("concerns/record-outcome", concern_id, by="Ms Hughes", **answer)
    for number in sorted(concern.open_actions):
        done = {"action_version": number, "done_on": today(), "notes": None}
        school.do("concerns/complete-action", concern_id, by="Ms Hughes", **done)
    assert "No action is open and no answer is awaited" in lead.get("/").text


@pytest.mark.parametrize("who", ["head", "chair"])
def test_who_sees_concerns_about_staff_alone_is_never_told_that_all_have_been_read(
    school: School, who: str
) -> None:
    raised(school)
    first = school.as_(who).get("/").text
    assert "No concern about a member of staff waits to be read." in first
    assert "Those about pupils go to the Designated Safeguarding Lead" in first
    assert "Every concern" not in first


def test_a_concern_that_was_reopened_waits_from_then(school: School) -> None:
    concern_id = decided(school, "monitor")
    said = {"outcome": "Settled.", "rationale": "Nothing new."}
    school.do("concerns/close", concern_id, by="Ms Hughes", **said)
    school.do("concerns/reopen", concern_id, by="Ms Hughes", reason="It happened again.")
    lead = school.as_("dsl")
    assert "Reopened just now" in lead.get("/").text
    assert "Decided, since it was reopened Not yet" in lead.get(f"/concerns/{concern_id}").text


def test_the_list_of_concerns_says_how_soon_each_was_read_and_what_was_decided(school: School) -> None:
    case_id = school.matched()
    mentor = school.as_("Ruby Clarke")
    mentor.get("/worried")
    mentor.press("Send", childs_words="“Don’t tell.”", about_case=case_id)
    concern_id = decided(school, "early_help")
    said = {"outcome": "Settled.", "rationale": "Nothing new."}
    school.do("concerns/close", concern_id, by="Ms Hughes", **said)
    now = day(today())
    for who, raiser in (("dsl", "Ruby Clarke, peer mentor"), ("inspector", "Peer mentor")):
        text = school.as_(who).get("/concerns").text
        assert f"Raised {now} by {raiser}" in text
        assert "Not read yet" in text
        assert f"Read after less than a minute · Early help, {now} · Closed {now}" in text
    # A code says already whose it is.
    assert ", peer mentor" not in school.as_("inspector").get("/concerns").text


def test_whoever_decides_has_the_childs_words_before_them(school: School) -> None:
    concern_id = raised(school)
    assert "“I’m scared to go home.”" in school.as_("dsl").get(f"/concerns/{concern_id}/do/decide").text
