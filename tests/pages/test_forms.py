"""What a form does when it is sent twice, too late, wrongly, or against a rule."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from werkzeug.datastructures import MultiDict

from app.forms import today
from app.pages.reading_forms import boxes_in, day_in, read, time_in
from domain.mentee_case_facts import SessionArranged, SessionHeld
from tests.pages.conftest import School


def test_a_double_click_records_once_and_gets_the_first_answer(school: School) -> None:
    case_id = school.matched()
    mentor = school.as_("Ruby Clarke")
    form = mentor.get(f"/sessions/{case_id}/record").form_with("Record this session")
    sent = [
        *(v for v in form.values if v[0] != "day"),
        ("day", "today"),
        ("minutes", "30"),
        ("focus", "Lunch"),
    ]
    sent = [v for n, v in {n: (n, v) for n, v in sent}.items()]
    first = mentor.client.post(
        form.action, data=urlencode(sent), content_type="application/x-www-form-urlencoded"
    )
    before = school.facts()
    again = mentor.client.post(
        form.action, data=urlencode(sent), content_type="application/x-www-form-urlencoded"
    )
    assert first.status_code == again.status_code == 303
    assert first.headers["Location"] == again.headers["Location"]
    assert school.facts() == before


def test_the_same_form_with_other_answers_is_asked_about_before_it_is_recorded_as_well(
    school: School,
) -> None:
    case_id = school.matched()
    coordinator = school.as_("coordinator")
    page = coordinator.get(f"/cases/{case_id}/do/ask-for-more")
    coordinator.press("Ask for more sessions", words="Please, two more.", page=page)
    before = school.facts()
    again = coordinator.press("Ask for more sessions", 409, words="Please, three more.", page=page)
    assert school.facts() == before
    assert "This form was sent before, with other answers" in again.text
    assert "Please, three more." in again.html
    coordinator.press("Ask for more sessions", page=again)
    assert school.facts() == before + 1


def test_a_stale_page_says_what_changed_beside_what_was_typed(school: School) -> None:
    case_id = school.matched(sessions=6)
    coordinator = school.as_("coordinator")
    page = coordinator.get(f"/cases/{case_id}/review")
    school.do("cases/ask-for-more", case_id, by="Ruby Clarke", words="I'd like to go on.")
    stale = coordinator.press("Close", 409, outcome="Better.", reason="They are fine now.", page=page)
    assert "Something changed while you were writing" in stale.text
    assert "I'd like to go on." in stale.text
    assert "They are fine now." in stale.html
    assert "Case closed." in coordinator.press("Close").text


def test_what_a_coordinator_may_not_know_of_makes_no_page_stale(school: School) -> None:
    case_id = school.matched()
    coordinator = school.as_("coordinator")
    page = coordinator.get(f"/cases/{case_id}/do/agree-purpose")
    school.as_("dsl").get(f"/worried?case={case_id}")
    school.as_("dsl").press("Send", childs_words="Something was seen.", about_case=case_id)
    stale = coordinator.press("Agree the purpose", 409, purpose="Friends.", page=page)
    assert "put on hold" in stale.text
    assert "concern" not in stale.text.lower().replace("my concerns", "")
    assert "safeguarding lead was told" not in stale.text


def test_a_refusal_says_the_rule_and_offers_the_way_out(school: School) -> None:
    case_id = school.case()
    coordinator = school.as_("coordinator")
    coordinator.get(f"/sessions/{case_id}/record")
    before = school.facts()
    refused = coordinator.press("Record this session", 409, day="today", minutes=30, focus="Lunch")
    assert school.facts() == before
    assert "Match a mentor before recording a session." in refused.text
    assert refused.links["Match a mentor"] == f"/cases/{case_id}/match"
    assert 'value="30"' in refused.html


def test_a_case_on_hold_cant_be_closed_and_says_whom_to_speak_to(school: School) -> None:
    case_id = school.matched(sessions=1)
    coordinator = school.as_("coordinator")
    page = coordinator.get(f"/cases/{case_id}/do/close")
    school.do("cases/hold", case_id, by="Ms Hughes", reason="A family matter.")
    stale = coordinator.press("Close this case", 409, outcome="Fine.", reason="Fine.", page=page)
    refused = coordinator.press("Close this case", 409, page=stale)
    assert "This case is on hold. Speak to Ms Hughes before closing it." in refused.text
    assert "family matter" not in refused.html


def test_errors_are_listed_on_top_with_links_and_keep_what_was_typed(school: School) -> None:
    case_id = school.matched()
    mentor = school.as_("Ruby Clarke")
    mentor.get(f"/sessions/{case_id}/record")
    wrong = mentor.press(
        "Record this session",
        422,
        day="other",
        dates={"held_on": (31, 2, 2026)},
        minutes="half an hour",
        focus="",
        notes="  Kept, with “quotes” & <signs>.\n\nTwo lines.",
    )
    assert wrong.title.startswith("Error: ")
    assert "There is a problem" in wrong.text
    assert wrong.links["Give a real date, such as 14 9 2026."] == "#held_on"
    assert wrong.links["Give a whole number, such as 30."] == "#minutes"
    assert wrong.links["Answer this: What did you talk about?"] == "#focus"
    assert {"held_on", "minutes", "focus"} <= set(wrong.ids)
    assert ("notes", "  Kept, with “quotes” & <signs>.\n\nTwo lines.") in wrong.form_with("Record").values


def test_a_day_in_the_future_is_an_error_of_its_field(school: School) -> None:
    case_id = school.matched()
    mentor, later = school.as_("Ruby Clarke"), today() + timedelta(days=2)
    mentor.get(f"/sessions/{case_id}/record")
    days = {"held_on": (later.day, later.month, later.year)}
    wrong = mentor.press("Record this session", 422, day="other", dates=days, minutes=30, focus="Lunch")
    assert "This is in the future." in wrong.text


def test_another_day_than_today_is_asked_for_out_of_the_way_until_it_was_typed(school: School) -> None:
    case_id = school.matched()
    coordinator = school.as_("coordinator")
    address = f"/cases/{case_id}/do/ask-for-more"
    folded = coordinator.get(address)
    assert "It happened on another day" in folded.text
    assert '<details class="govuk-details" open>' not in folded.html
    wrong = coordinator.press("Ask for more", 422, words="Please.", dates={"happened_on": (31, 2, 2026)})
    assert wrong.links["Give a real date, such as 14 9 2026."] == "#happened_on"
    assert '<details class="govuk-details" open>' in wrong.html
    then = today() - timedelta(days=3)
    days = {"happened_on": (then.day, then.month, then.year)}
    unanswered = coordinator.press("Ask for more", 422, words="", dates=days)
    assert '<details class="govuk-details" open>' in unanswered.html
    assert ("happened_on-year", str(then.year)) in unanswered.form_with("Ask for more").values
    case = coordinator.press("Ask for more", words="Please.")
    assert f"happened {then.day} {then:%B}" in case.text


def test_a_wrong_next_meeting_keeps_the_session_from_being_recorded_by_half(school: School) -> None:
    case_id = school.matched()
    mentor = school.as_("Ruby Clarke")
    mentor.get(f"/sessions/{case_id}/record")
    before = school.facts()
    days = {"next_at": (1, 12, 2026, "lunch")}
    wrong = mentor.press("Record this session", 422, day="today", minutes=30, focus="Lunch", dates=days)
    assert "Give a real date and a time" in wrong.text
    assert "Answer this: Where will they meet?" in wrong.text
    assert school.facts() == before


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("1:05pm", 785),
        ("13:05", 785),
        ("1.05 PM", 785),
        ("9am", 540),
        ("12am", 0),
        ("12:30pm", 750),
        ("00:00", 0),
    ],
)
def test_times_are_understood_as_people_write_them(typed: str, minutes: int) -> None:
    found = time_in(typed)
    assert found is not None
    assert found.hour * 60 + found.minute == minutes


@pytest.mark.parametrize("typed", ["", "lunch", "13", "25:00", "13:60", "0pm", "13pm", "1:5pm"])
def test_what_isnt_a_time_is_none(typed: str) -> None:
    assert time_in(typed) is None


@pytest.mark.parametrize(
    ("day", "month", "year", "iso"),
    [("3", "9", "2026", "2026-09-03"), ("03", "09", "26", "2026-09-03"), ("29", "2", "2028", "2028-02-29")],
)
def test_three_boxes_make_a_day(day: str, month: str, year: str, iso: str) -> None:
    found = day_in({"day": day, "month": month, "year": year})
    assert found is not None
    assert found.isoformat() == iso


@pytest.mark.parametrize(
    "boxes", [("31", "2", "2026"), ("x", "2", "2026"), ("", "2", "2026"), ("²", "2", "2026")]
)
def test_three_boxes_that_name_no_day_are_none(boxes: tuple[str, str, str]) -> None:
    assert day_in(dict(zip(("day", "month", "year"), boxes, strict=True))) is None


def test_a_meeting_in_summer_is_stored_in_utc() -> None:
    form = MultiDict(
        {"at-day": "1", "at-month": "7", "at-year": "2026", "at-time": "1:05pm", "place": " Library "}
    )
    reading = read(SessionArranged, {"at": "datetime", "place": "text"}, form)
    assert reading.said == {"at": "2026-07-01T12:05:00Z", "place": "Library"}
    assert boxes_in(form, "at") == {"day": "1", "month": "7", "year": "2026", "time": "1:05pm"}


def test_blank_optional_answers_are_left_out_and_blank_notes_are_kept_blank() -> None:
    reading = read(SessionHeld, {"notes": "words", "friend_came": "flag"}, MultiDict({"notes": ""}))
    assert reading.said == {"notes": "", "friend_came": False}
