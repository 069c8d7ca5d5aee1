"""Corrections and disputes: who may record an entry may amend it, and only if they are shown it."""

from typing import Any

from tests.api.conftest import School

REASON: dict[str, Any] = {
    "version": 2,
    "field": "reason",
    "value": "They asked.",
    "reason": "A slip.",
}
NOT_YOURS = "Only those who record such entries can correct or dispute them."


def amend(school: School, path: str, role: str, body: dict[str, Any]) -> tuple[int, str | None]:
    """What somebody who saw the newest version gets: the status, and the refusal's sentence."""
    thing = "/".join(path.split("/")[:3])
    seen = school.get(thing, role).headers["ETag"]
    answer = school.post(path, role, body, version=seen)
    return answer.status_code, answer.get_json().get("detail")


def test_only_a_role_that_records_an_entry_may_correct_or_dispute_it(school: School) -> None:
    case = f"/cases/{school.a_matched_case()}"
    dispute = {"version": 2, "words": "It was otherwise."}
    assert amend(school, f"{case}/correct", "dsl", REASON) == (409, NOT_YOURS)
    assert amend(school, f"{case}/dispute", "dsl", dispute) == (409, NOT_YOURS)
    assert amend(school, f"{case}/dispute", "mentor", dispute) == (409, NOT_YOURS)
    assert amend(school, f"{case}/correct", "coordinator", REASON) == (200, None)
    assert amend(school, f"{case}/dispute", "coordinator", dispute) == (200, None)
    # A mentoring referral is everybody's to record who may open a case.
    assert amend(school, f"{case}/dispute", "dsl", dispute | {"version": 1}) == (200, None)

    school.give(f"{case}/hold", "dsl")
    released = school.give(f"{case}/release", "dsl", {"reason": "All is well."})["version"]
    assert amend(school, f"{case}/correct", "coordinator", REASON | {"version": released}) == (409, NOT_YOURS)
    assert amend(school, f"{case}/correct", "deputy_dsl", REASON | {"version": released}) == (200, None)


def test_an_entry_that_isnt_shown_is_amended_as_little_as_one_that_isnt_there(school: School) -> None:
    case = f"/cases/{school.a_matched_case()}"
    school.post(f"{case}/break-confidentiality", "referrer", {"childs_words": "He hits me."})
    for number in (3, 9):
        about = {"version": number, "words": "It was otherwise."}
        told = (409, f"There is no entry number {number} in this record.")
        assert amend(school, f"{case}/dispute", "coordinator", about) == told
        assert amend(school, f"{case}/correct", "coordinator", REASON | {"version": number}) == told
    # Whoever told the lead knows of it.
    school.post(f"{case}/break-confidentiality", "coordinator", {"childs_words": "He hit her."})
    assert amend(school, f"{case}/dispute", "coordinator", {"version": 5, "words": "No."}) == (200, None)


def test_a_mentor_amends_what_was_recorded_since_their_match_alone(school: School) -> None:
    case = f"/cases/{school.a_matched_case('first')}"
    school.give(f"{case}/end-match", body={"reason": "Moved."})
    school.a_mentor("second")
    school.give(f"{case}/match", body={"mentor_id": school.mentors["second"]})
    asked = school.give(f"{case}/ask-for-more", body={"words": "Please."})["version"]
    for number in (1, 2):
        told = (409, f"There is no entry number {number} in this record.")
        assert amend(school, f"{case}/dispute", "second", {"version": number, "words": "No."}) == told
    # That more was asked for is a mentor's to record; another's words aren't theirs to see.
    assert amend(school, f"{case}/dispute", "second", {"version": asked, "words": "No."})[0] == 409
    own = school.give(f"{case}/ask-for-more", "second", {"words": "He would."})["version"]
    assert amend(school, f"{case}/dispute", "second", {"version": own, "words": "No."}) == (200, None)
