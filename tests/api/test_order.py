"""One order of checks, one shape of errors, and the first answer again for the same request."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID, uuid4

import psycopg
import pytest

from app.forms import today
from tests.api.conftest import PUPIL, REFERRAL, SESSION, School

PROBLEM = "application/problem+json"


def test_the_order_of_checks(school: School) -> None:
    case = school.a_case()
    path = f"/cases/{case}/decline"
    nothing_right = {"nonsense": 1}
    assert school.post(path, None, nothing_right).status_code == 401
    assert school.post(path, "inspector", nothing_right).status_code == 403
    assert school.post(f"/cases/{uuid4()}/decline", body=nothing_right).status_code == 404
    assert school.post(path, body=nothing_right).status_code == 428
    assert school.post(path, body=nothing_right, version='"7"').status_code == 412
    assert school.post(path, body=nothing_right, version='"1"').status_code == 422
    assert school.post(path, body={"reason": "Not now."}, version='"1"', key="k").status_code == 200
    assert school.post(path, body={"reason": "Not now."}, version='"2"').status_code == 409
    again = school.post(path, body={"reason": "Not now."}, version='"1"', key="k")
    assert again.status_code == 200, "idempotency comes before If-Match"
    assert school.post(path, body=nothing_right, key="k").status_code == 422, (
        "another request under the same key"
    )


@pytest.mark.parametrize("stale", ['"0"', '"2"', "*", 'W/"1"', "nonsense", '""', '"1x"'])
def test_a_version_that_nobody_saw_is_stale(school: School, stale: str) -> None:
    case = school.a_case()
    answer = school.post(f"/cases/{case}/decline", body={"reason": "No."}, version=stale)
    assert answer.status_code == 412
    assert answer.get_json()["version"] == 1
    assert len(school.house.recorder.rows(UUID(case))) == 1


def test_every_error_is_a_problem_in_a_sentence(school: School) -> None:
    case = school.a_case()
    answers = [
        school.get("/me", None),
        school.get("/pupils", "mentor" if "mentor" in school.tokens else "referrer"),
        school.get("/nothing"),
        school.call("DELETE", f"/cases/{case}"),
        school.post(f"/cases/{case}/decline", body={"reason": "x"}),
        school.post(f"/cases/{case}/decline", body={"reason": "x"}, version='"9"'),
        school.post(f"/cases/{case}/decline", version='"1"'),
        school.post(f"/cases/{case}/extend", version='"1"', body=EXTENSION),
        school.post("/pupils", raw=b"x" * 300_000),
        school.post("/pupils", raw=b"given_name=x", content_type="application/x-www-form-urlencoded"),
    ]
    assert [a.status_code for a in answers] == [401, 403, 404, 405, 428, 412, 422, 409, 413, 415]
    for answer in answers:
        assert answer.content_type == PROBLEM
        body = answer.get_json()
        assert body["status"] == answer.status_code
        assert len(body["detail"]) > 10, body
        assert answer.headers["Cache-Control"] == "no-store"
    assert answers[3].headers["Allow"]
    assert answers[6].get_json()["errors"] == {"reason": ["Missing data for required field."]}


EXTENSION = {"sessions": 2, "reason": "More to do.", "mentee_wishes": "Yes."}


def test_a_refusal_is_the_rules_own_sentence_and_names_a_way_out(school: School) -> None:
    case = school.a_case()
    answer = school.post(
        f"/cases/{case}/hold-session", body=SESSION | {"held_on": "2026-09-14"}, version='"1"'
    )
    assert answer.status_code == 409
    assert answer.get_json()["detail"] == "Match a mentor before recording a session."
    assert answer.get_json()["way_out"] == "match"


def test_a_creation_says_where_and_a_command_says_which_version(school: School) -> None:
    made = school.post("/cases", body=REFERRAL | {"pupil_id": school.a_pupil()})
    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/cases/{made.get_json()['id']}"
    read = school.client.get(
        made.headers["Location"], headers={"Authorization": f"Bearer {school.tokens['coordinator']}"}
    )
    assert read.get_json() == made.get_json()
    assert read.headers["ETag"] == made.headers["ETag"] == '"1"'
    declined = school.post(
        f"/cases/{made.get_json()['id']}/decline", body={"reason": "No."}, version=read.headers["ETag"]
    )
    assert declined.headers["ETag"] == '"2"'
    assert int(declined.headers["Casebook-Position"]) == school.facts()
    assert declined.get_json()["state"] == "declined"
    assert declined.get_json()["next_actions"] == ["reopen", "send-letter", "hold"]


def test_the_same_key_gives_the_first_answer_whatever_happened_since(school: School) -> None:
    case = school.a_case()
    first = school.post(f"/cases/{case}/hold", "dsl", {"reason": "Wait."}, version='"1"', key="a")
    school.give(f"/cases/{case}/release", "dsl")
    school.give(f"/cases/{case}/decline", body={"reason": "No."})
    before = school.facts()
    again = school.post(f"/cases/{case}/hold", "dsl", {"reason": "Wait."}, version='"1"', key="a")
    assert (again.status_code, again.data) == (first.status_code, first.data)
    for header in ("ETag", "Casebook-Position"):
        assert again.headers[header] == first.headers[header]
    assert school.facts() == before
    other = school.a_case()
    elsewhere = school.post(f"/cases/{other}/hold", "dsl", {"reason": "Wait."}, version='"1"', key="a")
    assert elsewhere.status_code == 422, "the same key for another case is another request"


def test_a_key_belongs_to_one_account(school: School) -> None:
    first = school.post("/concerns", "coordinator", {"facts": "a"}, key="same")
    second = school.post("/concerns", "referrer", {"facts": "b"}, key="same")
    assert first.get_json()["id"] != second.get_json()["id"]


@pytest.mark.race
@pytest.mark.parametrize("path", ["/pupils", "/cases", "/concerns", "decline", "break-confidentiality"])
def test_fifty_equal_requests_at_once_make_one_fact_and_fifty_equal_answers(
    school: School, path: str
) -> None:
    role, version = "coordinator", None
    if path == "/pupils":
        body, address, facts = PUPIL, path, 1
    elif path == "/cases":
        body, address, facts = REFERRAL | {"pupil_in_words": "The tall boy"}, path, 1
        role = "referrer"
    elif path == "/concerns":
        body, address, facts = {"childs_words": "Help."}, path, 1
    else:
        address = f"/cases/{school.a_case()}/{path}"
        body, facts = ({"reason": "No."}, 1) if path == "decline" else ({"childs_words": "Help."}, 3)
        version = '"1"'
    before = school.facts()
    gate = Barrier(50)

    def send(_: int) -> tuple[int, bytes, str | None, str | None]:
        gate.wait()
        answer = school.post(address, role, body, version=version, key="once")
        headers = answer.headers
        return answer.status_code, answer.data, headers.get("ETag"), headers.get("Casebook-Position")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))
    assert len(set(answers)) == 1, {a[:2] for a in answers}
    assert answers[0][0] in (200, 201)
    assert school.facts() == before + facts


def test_breaking_confidentiality_is_never_refused(school: School) -> None:
    case = school.a_matched_case()
    path = f"/cases/{case}/break-confidentiality"
    assert set(school.post(path, "mentor").get_json()) >= {"concern_id", "id", "on_hold"}
    assert school.post(path, "mentor", version='"1"').status_code == 200, "a stale page doesn't matter"
    tomorrow = (today() + timedelta(days=2)).isoformat()
    odd = {"childs_words": "", "happened_on": tomorrow, "disclosed_at": "yesterday, I think"}
    assert school.post(path, "mentor", odd).status_code == 200
    school.give(f"/cases/{case}/end-match", body={"reason": "Moved."})
    ended = school.post(path, "mentor", {"childs_words": "Again."})
    assert ended.status_code == 200
    assert set(ended.get_json()) == {"concern_id", "received_at"}, "the case is no longer theirs to see"
    school.give(f"/cases/{case}/release", "dsl")
    school.give(f"/cases/{case}/decline", body={"reason": "No."})
    for role in ("admin", "chair", "referrer", "inspector", "data_officer", "head"):
        answer = school.post(path, role, {"childs_words": "Help."})
        assert answer.status_code == 200
        assert ("state" in answer.get_json()) == (role == "inspector")
    school.a_mentor("other_mentor")
    assert school.post(path, "other_mentor").status_code == 404


def test_an_adopted_policy_has_its_own_version(school: School) -> None:
    seen = school.get("/scheme").headers["ETag"]
    assert seen == '"1"'
    policy = {"school_name": "Hill School", "sessions": 4}
    assert school.post("/scheme/adopt", "head", policy).status_code == 428
    adopted = school.post("/scheme/adopt", "head", policy, version=seen, key="p")
    assert adopted.status_code == 200
    assert adopted.headers["ETag"] == '"2"'
    assert adopted.get_json()["sessions"] == 4
    assert school.post("/scheme/adopt", "head", policy, version=seen).status_code == 412
    assert school.post("/scheme/adopt", "head", policy, version=seen, key="p").data == adopted.data
    assert (
        school.get("/scheme", "mentor" if "mentor" in school.tokens else "admin").get_json()
        == adopted.get_json()
    )


BROKEN = """
    CREATE FUNCTION record.broken() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
    CREATE TRIGGER broken BEFORE INSERT ON record.events FOR EACH ROW EXECUTE FUNCTION record.broken();
"""


@pytest.mark.parametrize("path", ["/concerns", "/cases/{case}/break-confidentiality"])
def test_whoever_tells_hears_at_once_that_nobody_was_told_whatever_the_fault(
    school: School, path: str
) -> None:
    path = path.format(case=school.a_case())
    with psycopg.connect(school.house.settings.migrate_database_url or "", autocommit=True) as owner:
        owner.execute(BROKEN)
        answer = school.post(path, body={"childs_words": "Don't tell."}, key="k")
        assert answer.status_code == 503
        assert "tell the safeguarding lead or any adult" in answer.get_json()["detail"]
        owner.execute("DROP TRIGGER broken ON record.events")
    assert school.post(path, body={"childs_words": "Don't tell."}, key="k").status_code in (200, 201)


def test_a_record_that_takes_nothing_just_now_is_no_fault_of_ours(school: School) -> None:
    case = school.a_case()
    name = psycopg.conninfo.conninfo_to_dict(school.house.settings.database_url)["dbname"]
    with psycopg.connect(school.house.settings.migrate_database_url or "", autocommit=True) as owner:
        owner.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    school.house.pool.drain()
    answer = school.post(f"/cases/{case}/decline", body={"reason": "No."}, version='"1"')
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
