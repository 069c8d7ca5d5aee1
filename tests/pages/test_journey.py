"""One case, start to finish, through the forms: referral, match, sessions, a disclosure, review, close."""

from datetime import timedelta

from app.forms import today
from tests.pages.conftest import School


def test_a_case_is_carried_from_referral_to_close_with_a_disclosure_between(school: School) -> None:
    school.pupil()
    school.mentor()
    coordinator, lead, mentor = school.as_("coordinator"), school.as_("dsl"), school.as_("Ruby Clarke")

    coordinator.get("/")
    coordinator.follow("Refer a pupil")
    coordinator.press("Find", q="oneil")
    coordinator.follow("Refer")
    coordinator.press("Continue", route="staff", referred_by="Mr Okafor")
    coordinator.press("Continue", reasons=["friendships", "bullying"])
    checked = coordinator.press("Continue", words="Sits alone at lunch.")
    assert "Sits alone at lunch." in checked.text
    case = coordinator.press("Send mentoring referral")
    assert case.h1 == ["Siân O'Neill"]
    assert "Mentoring referral recorded." in case.text
    assert "By Ms Price, coordinator" in case.text

    assert "Waiting for a mentor (1)" in coordinator.get("/").text
    coordinator.follow("Match a mentor")
    value = str(school.mentors["Ruby Clarke"])
    case = coordinator.press("Match", mentor_id=value, reason="Both like chess.")
    assert "Mentor matched." in case.text
    case_address = case.address.partition("?")[0]

    mine = mentor.get("/")
    assert "Siân O'Neill" in mine.text
    mentor.follow("Record a session")
    case = mentor.press("Record this session", day="today", minutes=30, focus="Lunch", notes="Talked.")
    assert "Session recorded." in case.text
    assert "1 of 6" in case.text

    worried = mentor.get("/worried")
    assert worried.text.index("First: tell a person") < worried.text.index("What did they say")
    sent = mentor.press(
        "Send", about_case=case_address.rpartition("/")[2], childs_words="“I don't feel safe at home.”"
    )
    assert "Ms Hughes" in sent.text

    first = lead.get("/")
    assert "Nobody has acknowledged these (1)" in first.text
    concern = lead.follow("Siân O'Neill")
    assert "I don't feel safe at home." in concern.text
    concern = lead.press("I have read this")
    assert "Concern acknowledged." in concern.text
    assert "Ms Hughes has read this at" in mentor.get(sent.address).text
    lead.follow("Decide what to do")
    concern = lead.press("Record decision", decision="early_help", rationale="Mother agrees to early help.")
    assert "Mother agrees to early help." in concern.text

    on_hold = coordinator.get(case_address)
    assert "This case is on hold. Speak to Ms Hughes before closing it." in on_hold.text
    assert "early help" not in on_hold.html
    assert "safe at home" not in on_hold.html
    lead.get(case_address)
    lead.follow("Release the hold")
    lead.press("Release the hold", reason="Support is in place.")

    for _ in range(5):
        mentor.get("/")
        mentor.follow("Record a session")
        mentor.press("Record this session", day="today", minutes=30, focus="Chess", notes="")
    assert "Review due (1)" in coordinator.get("/").text
    review = coordinator.follow("Review")
    assert "6 of 6" in review.text
    closed = coordinator.press("Close", outcome="Has friends now.", reason="The aim was reached.")
    assert "Case closed." in closed.text
    assert mentor.get("/").text.count("Siân O'Neill") == 0
    mentor.get(case_address, status=404)


def test_a_session_can_be_dated_by_hand_and_arrange_the_next_one(school: School) -> None:
    case_id = school.matched()
    mentor = school.as_("Ruby Clarke")
    then, soon = today() - timedelta(days=3), today() + timedelta(days=7)
    mentor.get(f"/sessions/{case_id}/record")
    page = mentor.press(
        "Record this session",
        day="other",
        minutes=25,
        focus="Homework",
        notes="",
        dates={
            "held_on": (then.day, then.month, then.year),
            "next_at": (soon.day, soon.month, soon.year, "1:05pm"),
        },
        next_place="Library",
    )
    assert "1:05pm, Library" in page.text
    assert "1:05pm, Library" in mentor.get("/").text
