"""The OpenAPI document says what the addresses do, and a person can read it."""

import json
from collections.abc import Iterator
from typing import Any

from app.api import create_openapi
from app.api.commands import API
from app.commands import FOR_PROGRAMS
from tests.api.conftest import School


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
