"""Lists: page after page, as far as the projector has read, and no name in an address."""

import re
from time import monotonic
from typing import Any
from uuid import UUID

import pytest

from tests.api.conftest import School


def walk(school: School, path: str, role: str = "coordinator") -> list[dict[str, Any]]:
    """Every item of a list, by following its links."""
    found: list[dict[str, Any]] = []
    at: str | None = path
    while at is not None:
        answer = school.get(at, role)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        items = answer.get_json()["items"]
        found += items
        link = re.fullmatch(r'<(/api/v1)?([^>]*)>; rel="next"', answer.headers.get("Link", ""))
        at = link[2] if link else None
        assert at is None or len(items) == 2
    return found


@pytest.fixture
def full(lists: School) -> School:
    """Five cases, seven pupils, two mentors."""
    for _ in range(2):
        lists.a_case()
    lists.a_matched_case()
    lists.a_matched_case()
    lists.a_mentor("other_mentor")
    lists.a_case()
    lists.get(f"/cases?after={lists.facts()}")
    lists.get(f"/pupils?after={lists.facts()}")
    lists.get(f"/mentors?after={lists.facts()}")
    return lists


def test_a_list_is_walked_by_its_links(full: School) -> None:
    for path, count in (("/cases", 5), ("/pupils", 7), ("/mentors", 2)):
        whole = full.get(path).get_json()["items"]
        assert len(whole) == count
        assert walk(full, f"{path}?limit=2") == whole
        assert "Link" not in full.get(f"{path}?limit={count}").headers


def test_filters_stay_on_the_way_to_the_next_page(full: School) -> None:
    waiting = walk(full, "/cases?state=referred&limit=2")
    assert [case["state"] for case in waiting] == ["referred"] * 3
    matched = full.get(f"/cases?mentor_id={full.mentors['mentor']}").get_json()["items"]
    assert [case["state"] for case in matched] == ["matched"] * 2
    free = full.get("/mentors?free=1").get_json()["items"]
    assert [mentor["id"] for mentor in free] == [full.mentors["other_mentor"]]
    assert [mentor["free"] for mentor in full.get("/mentors").get_json()["items"]] == [False, True]


def test_no_name_stands_in_a_link(full: School) -> None:
    link = full.get("/pupils?limit=1").headers["Link"]
    cursor = re.search(r"cursor=([\w-]+)", link)
    assert cursor is not None
    from base64 import urlsafe_b64decode

    UUID(urlsafe_b64decode(cursor[1] + "==").decode())


def test_a_list_shows_the_same_as_the_thing_itself(full: School) -> None:
    for item in full.get("/cases").get_json()["items"]:
        assert item == full.get(f"/cases/{item['id']}").get_json()
    for item in full.get("/pupils").get_json()["items"]:
        assert item == full.get(f"/pupils/{item['id']}").get_json()
    for item in full.get("/mentors").get_json()["items"]:
        assert item == full.get(f"/mentors/{item['id']}").get_json()


def test_a_search_finds_by_the_beginnings_of_names(full: School) -> None:
    found = full.post("/pupils/search", body={"q": "ama onei"}).get_json()["items"]
    assert {pupil["given_name"] for pupil in found} == {"Ama"}
    assert full.post("/pupils/search", body={"q": "zzz"}).get_json() == {"items": []}


def test_a_reader_waits_for_what_was_just_recorded(lists: School) -> None:
    case = lists.a_case()
    position = lists.post(f"/cases/{case}/decline", body={"reason": "No."}, version='"1"').headers[
        "Casebook-Position"
    ]
    shown = lists.get(f"/cases?after={position}")
    assert shown.get_json()["items"][0]["state"] == "declined"
    assert "Casebook-Behind" not in shown.headers


def test_a_list_that_is_behind_says_so_after_two_seconds(lists: School) -> None:
    lists.a_case()
    lists.get(f"/cases?after={lists.facts()}")
    began = monotonic()
    shown = lists.get("/cases?after=1000000")
    assert 1.9 < monotonic() - began < 8
    assert shown.status_code == 200
    assert shown.headers["Casebook-Behind"] == "1"


def test_a_possible_duplicate_is_named_by_id_year_and_form_alone(lists: School) -> None:
    first = lists.a_pupil()
    lists.get(f"/pupils?after={lists.facts()}")
    made = lists.post("/pupils", body={**_pupil(), "tutor_group": "7C"}).get_json()
    assert made["possible_duplicates"] == [{"id": first, "year_group": 7, "tutor_group": "7B"}]
    _account, _route, subjects = lists.looks()[-1]
    assert set(subjects) == {UUID(made["id"]), UUID(first)}


def _pupil() -> dict[str, Any]:
    from tests.api.conftest import PUPIL

    return PUPIL


def test_as_at_and_happened_until_cut_a_history_on_two_clocks(school: School) -> None:
    case = school.a_case()
    school.give(f"/cases/{case}/hold", "dsl")
    facts = school.get(f"/cases/{case}/history", "dsl").get_json()["facts"]
    assert [fact["name"] for fact in facts] == ["Referred", "PutOnHold"]
    then = facts[0]["recorded_at"]
    cut = school.get(f"/cases/{case}/history?as_at={then}", "dsl").get_json()["facts"]
    assert [fact["name"] for fact in cut] == ["Referred"]
    assert school.get(f"/cases/{case}/history?happened_until=2020-01-01", "dsl").get_json() == {"facts": []}
