"""Whatever is sent to whichever command: a clear problem, nothing recorded, no traceback."""

import json
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from marshmallow import Schema, fields
from werkzeug.test import TestResponse

from app.commands import Doing
from app.forms import AsText, Day, Moment, Nested, Tuple, Whole, YesNoOrWords, today
from tests.api.conftest import OFFERED, PUPIL, REFERRAL, SESSION, School

VALUES: Final[dict[str, Any]] = {
    "year_group": 7,
    "born_on": "2014-02-28",
    "minutes": 30,
    "sessions": 2,
    "version": 1,
    "action_version": 1,
    "value": "new",
    "field": "words",
    "at": "2026-09-14T13:05:00Z",
    "sent_at": "2026-09-14T13:05:00Z",
}
NEVER_REFUSED: Final = ("cases/break-confidentiality", "concerns/raise-concern")


def role_for(doing: Doing) -> str:
    wanted = ("dsl", "head") if doing.thing == "concerns" or doing.verb == "release" else ("coordinator",)
    return next(role for role in wanted if role in doing.roles)


def plausible(name: str, field: fields.Field[Any]) -> Any:
    """A value that this field takes."""
    if name in VALUES:
        return VALUES[name]
    for check in field.validators:
        if hasattr(check, "choices"):
            return next(iter(check.choices))
    if isinstance(field, Nested):
        return {inner: plausible(inner, f) for inner, f in field.schema.fields.items()}
    if isinstance(field, Tuple):
        return [plausible(name, field.inner)]
    if isinstance(field, Day):
        return "2026-09-14"
    if isinstance(field, Moment):
        return "2026-09-14T13:05:00Z"
    if isinstance(field, fields.UUID):
        return str(uuid4())
    if isinstance(field, Whole):
        return 3
    return True if isinstance(field, fields.Boolean) else "Some words."


def whole(doing: Doing) -> dict[str, Any]:
    """A body that this command's schema takes."""
    schema: Schema = doing.schema
    return {name: plausible(name, field) for name, field in schema.fields.items() if name != "happened_on"}


def wrong_types(field: fields.Field[Any]) -> list[Any]:
    """What no such field takes."""
    if isinstance(field, AsText):
        return ["x" * 10_001, "\x00"]
    text = isinstance(field, fields.String) and not isinstance(field, YesNoOrWords)
    wrong: list[Any] = [["not", "this"] if not isinstance(field, Tuple) else {"a": 1}, 1.5, {"_type_": "int"}]
    if isinstance(field, Tuple | Nested):
        return [*wrong, "words", 7, [None], [[]]]
    wrong += [10**30, float("1e308")]
    if not isinstance(field, Whole):
        wrong.append(7)
    if not isinstance(field, fields.Boolean | YesNoOrWords):
        wrong.append(True)
    if text:
        wrong += ["a" * 10_001, "nul \x00 here", "half a pair \ud83d here"]
    elif not isinstance(field, YesNoOrWords):
        wrong += ["words", "\x00"]
    if isinstance(field, Day):
        wrong += ["20260914", "2026-W01-1", "2026-02-30", "0001-01-01", "2026-09-14T00:00:00Z"]
    if isinstance(field, Moment):
        wrong += ["2026-09-14", "2026-09-14T13:05:00", "9999-12-31T23:59:59-14:00", "2026-13-14T13:05:00Z"]
    return wrong


@pytest.fixture
def ids(school: School) -> dict[str, str]:
    """One of each thing."""
    return {
        "pupils": school.a_pupil(),
        "mentors": school.a_mentor("mentor"),
        "cases": school.a_case(),
        "concerns": school.make("/concerns", {"facts": "Seen."}, "dsl"),
    }


def send(school: School, ids: dict[str, str], doing: Doing, body: Any = None, **more: Any) -> TestResponse:
    """One command on the newest version of its thing."""
    address = doing.rule.replace("<uuid:subject_id>", ids.get(doing.thing, ""))
    version = None
    if doing.verb:
        count = 1
        if doing.thing != "scheme":
            count = len(school.house.recorder.rows(UUID(ids[doing.thing])))
        version = f'"{count}"'
    return school.post(address, role_for(doing), body, version=version, **more)


def is_a_clear_problem(answer: TestResponse, *statuses: int) -> bool:
    if answer.status_code not in statuses or answer.content_type != "application/problem+json":
        return False
    text = answer.get_data(as_text=True)
    return "Traceback" not in text and bool(answer.get_json()["detail"])


def test_no_wrong_value_is_recorded(school: School, ids: dict[str, str]) -> None:
    before, taken = school.facts(), []
    for key, doing in OFFERED.items():
        good = whole(doing)
        for name, field in doing.schema.fields.items():
            for wrong in wrong_types(field):
                answer = send(school, ids, doing, good | {name: wrong})
                if not is_a_clear_problem(answer, 422) or name not in answer.get_data(as_text=True):
                    taken.append((key, name, wrong if len(repr(wrong)) < 80 else "…", answer.status_code))
            if field.required:
                answer = send(school, ids, doing, {n: v for n, v in good.items() if n != name})
                if answer.status_code != 422 or name not in answer.get_json()["errors"]:
                    taken.append((key, name, "missing", answer.status_code))
    assert taken == []
    assert school.facts() == before


def test_no_body_that_is_not_an_object_of_known_fields_is_recorded(
    school: School, ids: dict[str, str]
) -> None:
    before, taken = school.facts(), []
    for key, doing in OFFERED.items():
        good = json.dumps(whole(doing)).encode()
        bodies = {
            "array": b"[]",
            "text": b'"words"',
            "number": b"7",
            "null": b"null",
            "broken": b'{"reason": ',
            "not UTF-8": b'{"reason": "\xff\xfe"}',
            "NaN": b'{"reason": NaN}',
            "deep": b"[" * 100_000,
            "deep object": b'{"a":' * 400 + b"1" + b"}" * 400,
            "unknown field": _with(good, b'"nobody_knows": 1'),
            "marker": _with(good, b'"_type_": "domain.pupil:Enrolled"'),
            "digits": b'{"minutes": ' + b"9" * 10_000 + b"}",
        }
        for what, body in bodies.items():
            if not is_a_clear_problem(send(school, ids, doing, raw=body), 422):
                taken.append((key, what))
        if not is_a_clear_problem(send(school, ids, doing, raw=good, content_type="text/plain"), 415):
            taken.append((key, "as text"))
        if not is_a_clear_problem(send(school, ids, doing, raw=b" " * 300_000), 413):
            taken.append((key, "300 KB"))
    assert taken == []
    assert school.facts() == before


def _with(body: bytes, more: bytes) -> bytes:
    return body[:-1] + (b"" if body == b"{}" else b", ") + more + b"}"


def test_no_day_in_the_future_is_recorded(school: School, ids: dict[str, str]) -> None:
    before, taken = school.facts(), []
    tomorrow = (today() + timedelta(days=2)).isoformat()
    for key in sorted(set(OFFERED) - set(NEVER_REFUSED)):
        doing = OFFERED[key]
        answer = send(school, ids, doing, whole(doing) | {"happened_on": tomorrow})
        if not is_a_clear_problem(answer, 422) or "happened_on" not in answer.get_json()["errors"]:
            taken.append(key)
    assert taken == []
    assert school.facts() == before


def test_unknown_ids_and_ids_of_other_things_are_not_there(school: School, ids: dict[str, str]) -> None:
    before, taken = school.facts(), []
    for key, doing in OFFERED.items():
        if doing.verb is None or doing.thing == "scheme":
            continue
        elsewhere = {**ids, doing.thing: ids["pupils" if doing.thing != "pupils" else "cases"]}
        unknown = {**ids, doing.thing: str(uuid4())}
        answers = [send(school, other, doing, whole(doing)) for other in (elsewhere, unknown)]
        if (
            not all(is_a_clear_problem(answer, 404) for answer in answers)
            or answers[0].data != answers[1].data
        ):
            taken.append(key)
    assert taken == []
    assert school.facts() == before


def test_an_id_in_a_body_must_belong_to_the_right_thing(school: School, ids: dict[str, str]) -> None:
    before = school.facts()
    case = ids["cases"]
    for wrong in (str(uuid4()), ids["pupils"], case):
        answer = school.post(f"/cases/{case}/match", body={"mentor_id": wrong}, version='"1"')
        assert is_a_clear_problem(answer, 422)
        assert "mentor_id" in answer.get_json()["errors"]
    for wrong in (str(uuid4()), ids["mentors"], case):
        for path, body in (("/cases", REFERRAL), ("/mentors", {"statement": "Please."})):
            answer = school.post(path, body=body | {"pupil_id": wrong})
            assert is_a_clear_problem(answer, 422)
            assert "pupil_id" in answer.get_json()["errors"]
    assert school.facts() == before


def test_days_before_birth_and_sessions_before_the_match_are_refused(school: School) -> None:
    case = school.a_matched_case()
    before = school.facts()
    early = SESSION | {"held_on": (today() - timedelta(days=1)).isoformat()}
    answer = school.post(f"/cases/{case}/hold-session", "mentor", early, version='"2"')
    assert is_a_clear_problem(answer, 409)
    assert "before the match" in answer.get_json()["detail"]
    unborn = REFERRAL | {"pupil_id": school.a_pupil(), "happened_on": "2013-01-01"}
    answer = school.post("/cases", body=unborn)
    assert is_a_clear_problem(answer, 409)
    assert "before the pupil was born" in answer.get_json()["detail"]
    assert school.facts() == before + 1


@pytest.mark.parametrize(
    "words",
    [
        "\u202eright to left\u202c",
        "שלום \u200f",
        '{"_type_": "uuid", "_data_": "x"}',
        "{{ 7 * 7 }} <script>alert(1)</script>",
        "'; DROP TABLE record.events; --",
        "👩🏽‍🏫 " * 10,
        "\u0000x".replace("\u0000", "\u2400"),
        "a" * 10_000,
        "=1+1",
    ],
)
def test_odd_words_are_words_and_come_back_as_they_were(school: School, words: str) -> None:
    case = school.make("/cases", REFERRAL | {"pupil_id": school.a_pupil(), "words": words})
    facts = school.get(f"/cases/{case}/history").get_json()["facts"]
    assert facts[0]["fields"]["words"] == words


def test_queries_are_checked_too(school: School) -> None:
    for path in (
        *(
            "/cases?limit=0",
            "/cases?limit=101",
            "/cases?limit=x",
            "/cases?cursor=nonsense",
            "/cases?state=lost",
        ),
        *(
            "/cases?mentor_id=x",
            "/cases?after=-1",
            "/cases?after=x",
            "/pupils?cursor=AAAA",
            "/mentors?free=2",
        ),
        *("/cases?after=99999999999999999999", "/cases?limit=%00", "/cases?cursor=%F0%9F%98%80"),
    ):
        assert is_a_clear_problem(school.get(path, "coordinator"), 422), path
    case = school.a_case()
    for query in ("as_at=yesterday", "as_at=2026-09-14T13:05:00", "happened_until=20260914", "as_at=%00"):
        assert is_a_clear_problem(school.get(f"/cases/{case}/history?{query}"), 422), query


def test_a_body_is_not_needed_where_nothing_is_asked(school: School) -> None:
    concern = school.make("/concerns", {"facts": "Seen."}, "dsl")
    answer = school.call("POST", f"/concerns/{concern}/acknowledge", "dsl", version='"1"')
    assert answer.status_code == 200


def test_one_referrer_cannot_flood_the_coordinator(school: School) -> None:
    sent = REFERRAL | {"pupil_in_words": "The tall boy"}
    statuses = [school.post("/cases", "referrer", sent).status_code for _ in range(61)]
    assert statuses == [201] * 60 + [429]
    refused = school.post("/cases", "referrer", sent)
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert is_a_clear_problem(refused, 429)
    school.open_account("another", "referrer")
    assert school.post("/cases", "another", sent).status_code == 201


def test_unknown_tokens_are_slowed_down_and_good_ones_are_not(school: School) -> None:
    school.tokens["guess"] = "casebook_guess"
    statuses = [school.get("/me", "guess").status_code for _ in range(1001)]
    assert statuses == [401] * 1000 + [429], "a program that tries each address without a token hears 401"
    assert "Retry-After" in school.get("/me", "guess").headers
    assert school.get("/me", "coordinator").status_code == 200


def test_a_pupil_may_be_enrolled_with_any_real_name(school: School) -> None:
    for given, family in (("Siân", "O'Neill"), ("Nguyễn", "Thị Minh"), ("أحمد", "محمد"), ("X Æ", "A-Xii")):
        made = school.post("/pupils", body=PUPIL | {"given_name": given, "family_name": family})
        assert made.status_code == 201
        assert made.get_json()["given_name"] == given


@pytest.mark.parametrize("doing", [OFFERED[key] for key in NEVER_REFUSED], ids=NEVER_REFUSED)
def test_null_of_what_isnt_known_refuses_nobody_who_tells(school: School, doing: Doing) -> None:
    nothing = dict.fromkeys(doing.schema.fields)
    path = f"/cases/{school.a_case()}/break-confidentiality" if doing.verb else "/concerns"
    answer = school.post(path, "dsl", nothing | {"facts": "Seen."})
    assert answer.status_code in (200, 201), answer.get_json()
    concern = answer.get_json().get("concern_id") or answer.get_json()["id"]
    told = school.get(f"/concerns/{concern}", "dsl").get_json()
    kept = [told[name] for name in ("childs_words", "facts", "about", "involved")]
    assert kept == ["", "Seen.", "pupil", []]


def test_a_name_no_longer_than_lists_show_is_taken_and_corrected_to(school: School) -> None:
    for name in ("given_name", "family_name", "known_as", "tutor_group", "upn"):
        answer = school.post("/pupils", body=PUPIL | {name: "x" * 201})
        assert is_a_clear_problem(answer, 422)
        assert answer.get_json()["errors"][name] == ["This is too long: it can have 200 characters."]
    made = school.post("/pupils", body=PUPIL | {"family_name": "x" * 200})
    assert made.status_code == 201
    to = {"version": 1, "field": "family_name", "value": "x" * 201, "reason": "Typed wrongly."}
    answer = school.post(f"/pupils/{made.get_json()['id']}/correct", body=to, version='"1"')
    assert is_a_clear_problem(answer, 422)
    assert answer.get_json()["errors"]["value"] == ["This is too long: it can have 200 characters."]
