"""The OpenAPI document says what the addresses do, and a person can read it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.api import create_openapi
from app.api.commands import API
from app.api.reading import READINGS
from app.commands import FOR_PROGRAMS
from tests.api.conftest import OFFERED, PUPIL, REFERRAL, School


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in ("get", "post"):
            if method in item:
                yield path, method, item[method]


def test_every_address_is_described_once(school: School) -> None:
    document = create_openapi()
    assert document["openapi"].startswith("3.1")
    described = [(path, method) for path, method, _ in operations(document)]
    assert len(described) == len(set(described))
    routes = {
        rule.rule.replace("<uuid:", "{").replace(">", "}")
        for rule in school.app.url_map.iter_rules()
        if rule.rule.startswith(API)
    }
    assert {path for path, _ in described} == routes - {f"{API}/openapi.json", f"{API}/docs"}
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(operation["summary"] for _, _, operation in operations(document))


def test_every_reference_in_it_leads_somewhere(school: School) -> None:
    document = create_openapi()
    text = json.dumps(document)
    for part in text.split('"$ref": "')[1:]:
        place: Any = document
        for step in part.split('"')[0].removeprefix("#/").split("/"):
            place = place[step]


def test_bodies_refuse_fields_that_they_do_not_know(school: School) -> None:
    document = create_openapi()
    for _, _, operation in operations(document):
        if "requestBody" in operation:
            name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
            assert document["components"]["schemas"][name]["additionalProperties"] is False


def test_the_answers_have_the_fields_that_it_says(lists: School) -> None:
    schemas = create_openapi()["components"]["schemas"]
    case = lists.a_matched_case()
    concern = lists.make("/concerns", {"facts": "Seen."}, "dsl")
    lists.get(f"/concerns?after={lists.facts()}", "dsl")
    for path, name in (
        (f"/cases/{case}", "Case"),
        (f"/concerns/{concern}", "Concern"),
        (f"/mentors/{lists.mentors['mentor']}", "Mentor"),
        ("/me", "Me"),
        ("/scheme", "Policy"),
    ):
        assert set(lists.get(path, "dsl").get_json()) == set(schemas[name]["properties"]), name
    listed = lists.get("/concerns", "dsl").get_json()["items"][0]
    assert set(listed) == set(schemas["ConcernInList"]["properties"])
    entry = lists.get(f"/cases/{case}/history").get_json()["facts"][0]
    assert set(entry) == set(schemas["HistoryShape"]["properties"]["facts"]["items"]["properties"])


def test_anyone_may_read_it_without_a_script(school: School) -> None:
    assert school.client.get(f"{API}/openapi.json").get_json() == create_openapi()
    page = school.client.get(f"{API}/docs").get_data(as_text=True)
    assert "<script" not in page
    assert " style=" not in page
    for doing in FOR_PROGRAMS:
        assert f'id="{doing.key.replace("/", "-")}"' in page


WORRY = {"facts": "Seen."}
WORDS = {"version": 1, "words": "It was otherwise."}


class Linked:
    """A program that knows the document's links and the answers that they stand in."""

    def __init__(self, lists: School) -> None:
        self.school, self.document = lists, create_openapi()
        self.by_id = {op["operationId"]: (path, op) for path, _, op in operations(self.document)}
        self.roles = {doing.key.replace("/", "-"): doing.roles for doing in OFFERED.values()} | {
            f"read-{one.view.__name__.replace('_', '-')}": one.roles for one in READINGS
        }

    def answered(self, operation: str) -> TestResponse:
        """A new good answer of one operation."""
        school, thing = self.school, operation.removesuffix("-dispute").removeprefix("read-").rstrip("s")
        match operation:
            case "pupils-enrol":
                return school.post("/pupils", body=PUPIL)
            case "mentors-apply":
                return school.post(
                    "/mentors", body={"pupil_id": school.a_pupil(), "statement": "I’d like to."}
                )
            case "cases-refer":
                return school.post("/cases", body=REFERRAL | {"pupil_id": school.a_pupil()})
            case "concerns-raise-concern":
                return school.post("/concerns", "dsl", WORRY)
            case "cases-break-confidentiality":
                return school.post(f"/cases/{school.a_case()}/break-confidentiality", "dsl", WORRY)
        makers: dict[str, Callable[[], str]] = {
            "pupil": school.a_pupil,
            "mentor": lambda: str(self.answered("mentors-apply").get_json()["id"]),
            "case": school.a_case,
            "concern": lambda: school.make("/concerns", WORRY, "dsl"),
        }
        subject = makers[thing]()
        role, path = ("dsl" if thing == "concern" else "coordinator"), f"/{thing}s/{subject}"
        seen = school.get(path, role)
        if operation.startswith("read-"):
            return seen
        return school.post(f"{path}/dispute", role, WORDS, version=seen.headers["ETag"])

    def follow(self, answer: TestResponse, link: dict[str, Any]) -> TestResponse:
        """Ask what a link leads to, with what it hands on and nothing else."""
        path, operation = self.by_id[link["operationId"]]
        sent = {name: _said(answer, where) for name, where in link.get("parameters", {}).items()}
        body = {name: _said(answer, where) for name, where in link.get("requestBody", {}).items()}
        path = path.removeprefix(API).replace("{subject_id}", sent.get("path.subject_id", ""))
        may = self.roles[link["operationId"]]
        role = next(one for one in ("coordinator", "dsl", "head", "chair", "mentor") if one in may)
        if "requestBody" in operation:
            return self.school.post(path, role, body, version=sent.get("header.If-Match"))
        return self.school.get(path, role)


def _said(answer: TestResponse, where: str) -> str:
    source, _, name = where.removeprefix("$response.").partition(".")
    if source == "header":
        return answer.headers[name]
    return str(answer.get_json()[source.removeprefix("body#/")])


ANSWERS = (
    *(
        "pupils-enrol",
        "mentors-apply",
        "cases-refer",
        "concerns-raise-concern",
        "cases-break-confidentiality",
    ),
    *("read-pupil", "read-mentor", "read-case", "read-concern"),
    *("pupils-dispute", "mentors-dispute", "cases-dispute", "concerns-dispute"),
)
"""One answer of each shape, by who gives it. Every other command answers as the dispute of the same thing."""


@pytest.mark.parametrize("operation", ANSWERS)
def test_every_link_leads_to_the_thing_at_the_version_that_was_seen(lists: School, operation: str) -> None:
    program = Linked(lists)
    [good] = [one for code, one in program.by_id[operation][1]["responses"].items() if code in ("200", "201")]
    assert good["links"]
    for name, link in good["links"].items():
        link = program.document["components"]["links"][link["$ref"].rpartition("/")[2]]
        answer = program.answered(operation)
        assert answer.status_code in (200, 201), answer.get_data(as_text=True)
        led = program.follow(answer, link)
        # Id and version are looked at before the body, whose words no link can hand on.
        assert led.status_code in (200, 201, 409, 422), (name, led.status_code, led.get_data(as_text=True))
        if led.status_code == 422:
            assert not {"pupil_id", "If-Match"} & set(led.get_json()["errors"]), name


def test_no_other_answer_has_other_links() -> None:
    by_id = {operation["operationId"]: operation for _, _, operation in operations(create_openapi())}
    links: dict[str, Any] = {
        name: next((one["links"] for one in operation["responses"].values() if one.get("links")), {})
        for name, operation in by_id.items()
    }
    for name in links.keys() - set(ANSWERS):
        assert not links[name] or links[name] == links[f"{name.partition('-')[0]}-dispute"], name
