"""Who looked: noted and committed before anything is shown, or nothing is shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

from app import create_app
from app.house import House
from app.settings import Settings
from tests.api.conftest import REFERRAL, School


@contextmanager
def without_a_log(school: School) -> Iterator[None]:
    """Nobody can note that they looked."""
    url = school.house.settings.migrate_database_url
    assert url is not None
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("REVOKE INSERT ON record.reads FROM casebook_app")
        yield
        owner.execute("GRANT INSERT ON record.reads TO casebook_app")


@pytest.fixture
def ids(lists: School) -> dict[str, str]:
    """One of each thing."""
    case = lists.a_matched_case()
    concern = lists.post(f"/cases/{case}/break-confidentiality", "mentor", {"childs_words": "Help."})
    lists.get(f"/concerns?after={lists.facts()}", "dsl")
    pupil = lists.get(f"/cases/{case}").get_json()["pupil_id"]
    return {
        "case": case,
        "concern": concern.get_json()["concern_id"],
        "pupil": pupil,
        "mentor": lists.mentors["mentor"],
    }


READS = [
    ("/cases", "case"),
    ("/cases/{case}", "case"),
    ("/cases/{case}/history", "case"),
    ("/cases/{case}/readers", "case"),
    ("/concerns", "concern"),
    ("/concerns/{concern}", "concern"),
    ("/concerns/{concern}/history", "concern"),
    ("/pupils", "pupil"),
    ("/pupils/{pupil}", "pupil"),
    ("/mentors", "mentor"),
    ("/mentors/{mentor}", "mentor"),
    ("/mentors/{mentor}/history", "mentor"),
]


def test_each_read_is_noted_once_with_who_and_what(lists: School, ids: dict[str, str]) -> None:
    for path, subject in READS:
        before = len(lists.looks())
        answer = lists.get(path.format(**ids), "dsl")
        assert answer.status_code == 200
        looks = lists.looks()[before:]
        assert len(looks) == 1, path
        account, route, subjects = looks[0]
        assert account == lists.accounts["dsl"]
        assert UUID(ids[subject]) in subjects, path
        assert ids[subject] not in route
        assert route == "/api/v1" + path.replace(f"{{{subject}}}", "{id}")
        assert route.isascii()


def test_a_mentors_own_reads_and_a_search_are_noted(lists: School, ids: dict[str, str]) -> None:
    before = len(lists.looks())
    lists.get("/cases", "mentor")
    lists.get(f"/cases/{ids['case']}", "mentor")
    lists.post("/pupils/search", "coordinator", {"q": "siân"})
    looks = lists.looks()[before:]
    assert [account for account, _, _ in looks] == [
        lists.accounts["mentor"],
        lists.accounts["mentor"],
        lists.accounts["coordinator"],
    ]
    assert UUID(ids["case"]) in looks[0][2]
    assert UUID(ids["case"]) in looks[1][2]
    assert UUID(ids["pupil"]) in looks[2][2]


def test_a_mentor_who_may_not_see_a_case_has_not_looked(lists: School, ids: dict[str, str]) -> None:
    lists.a_mentor("other_mentor")
    before = len(lists.looks())
    assert lists.get(f"/cases/{ids['case']}", "other_mentor").status_code == 404
    assert len(lists.looks()) == before


def test_nothing_is_shown_when_nobody_can_note_it(lists: School, ids: dict[str, str]) -> None:
    with without_a_log(lists):
        for path, subject in READS:
            answer = lists.get(path.format(**ids), "dsl")
            assert answer.status_code == 503, path
            assert answer.content_type == "application/problem+json"
            assert ids[subject] not in answer.get_data(as_text=True)
        search = lists.post("/pupils/search", "coordinator", {"q": "siân"})
        assert search.status_code == 503
        assert "O'Neill" not in search.get_data(as_text=True)
    assert lists.get(f"/cases/{ids['case']}", "dsl").status_code == 200


def test_a_command_says_that_it_was_recorded_even_when_it_cannot_be_shown(school: School) -> None:
    case = school.a_case()
    with without_a_log(school):
        answer = school.post(f"/cases/{case}/decline", body={"reason": "No."}, version='"1"', key="k")
        assert answer.status_code == 503
        assert "was recorded" in answer.get_json()["detail"]
        assert "state" not in answer.get_json()
    again = school.post(f"/cases/{case}/decline", body={"reason": "No."}, version='"1"', key="k")
    assert again.get_json()["state"] == "declined"


def test_whoever_tells_is_heard_even_when_nobody_can_note_who_looks(school: School) -> None:
    case = school.a_matched_case()
    with without_a_log(school):
        told = school.post(f"/cases/{case}/break-confidentiality", "mentor", {"childs_words": "Help."})
        assert told.status_code == 200
        assert set(told.get_json()) == {"concern_id", "received_at"}
        raised = school.post("/concerns", "dsl", {"childs_words": "Help."})
        assert raised.status_code == 201
        assert set(raised.get_json()) == {"id", "reference", "state", "received_at"}


def test_the_answer_to_a_command_is_noted_too(school: School) -> None:
    case = school.a_case()
    before = len(school.looks())
    school.give(f"/cases/{case}/hold", "dsl")
    assert [(who, UUID(case) in seen) for who, _, seen in school.looks()[before:]] == [
        (school.accounts["dsl"], True)
    ]


def test_receipts_show_nothing_and_are_not_looks(school: School) -> None:
    before = len(school.looks())
    school.post("/cases", "referrer", REFERRAL | {"pupil_in_words": "The tall boy"})
    school.post("/concerns", "referrer", {"facts": "Seen."})
    assert len(school.looks()) == before


def test_the_lead_sees_who_looked(lists: School, ids: dict[str, str]) -> None:
    lists.get(f"/cases/{ids['case']}/history", "coordinator")
    looks = lists.get(f"/cases/{ids['case']}/readers", "dsl").get_json()["items"]
    assert looks[0]["account"]["id"] == str(lists.accounts["coordinator"])
    assert looks[0]["account"]["role"] == "coordinator"
    assert looks[0]["route"] == "/api/v1/cases/{id}/history"
    assert looks[0]["shown"] == "history"
    first = lists.get(f"/cases/{ids['case']}/readers?limit=1", "dsl")
    assert 'rel="next"' in first.headers["Link"]


@pytest.mark.parametrize("lost", ["database_url", "keys_database_url"])
def test_without_record_or_keys_nothing_is_shown_and_the_answer_says_whom_to_tell(
    school: School, settings: Settings, lost: str
) -> None:
    case = school.a_matched_case()
    nowhere = "host=127.0.0.1 port=1 dbname=x connect_timeout=1"
    with House(Settings(**{**vars(settings), lost: nowhere})) as house:
        broken = School(create_app(settings, house), house, school.tokens, school.accounts)
        for path in (f"/cases/{case}/break-confidentiality", "/concerns"):
            answer = broken.post(path, "mentor", {"childs_words": "Purple elephant"})
            assert answer.status_code == 503
            assert "any adult" in answer.get_json()["detail"]
            assert "999" in answer.get_json()["detail"]
            assert "elephant" not in answer.get_data(as_text=True)
        shown = broken.get(f"/cases/{case}", "dsl")
        assert shown.status_code == 503
        assert case not in shown.get_data(as_text=True)
