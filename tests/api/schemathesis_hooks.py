"""What a program would know that only reads answers: the version of a thing, and who may be matched.

Loaded by the schemathesis command itself (SCHEMATHESIS_HOOKS). Without it nearly every command would end at
the version: a made-up ETag is stale. It also counts how commands end, into the file CASEBOOK_FIRE_COUNTS.

With CASEBOOK_FIRE_ALONG_LINKS, the ids to begin with, it leaves alone what a link of the document hands on.
Only a made-up id is exchanged, with its version, so that a walk along links begins at a thing that is there.
"""

import json
import os
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import Request, urlopen

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation

THING = re.compile(r"/(cases|mentors|pupils|concerns|scheme)(?:/([0-9a-f-]{36}))?/[a-z-]+$")
USUALLY = 0.85
ALONG_LINKS: dict[str, str] = json.loads(os.environ.get("CASEBOOK_FIRE_ALONG_LINKS", "{}"))
FILLED_IN = ("mentor_id",) if ALONG_LINKS else ("pupil_id", "mentor_id")
ID = re.compile(r'"(?:id|concern_id)": ?"([0-9a-f-]{36})"')
TODAY = datetime.now(UTC)
LATELY = TODAY - timedelta(days=20)
schemathesis.openapi.format("date", st.dates(LATELY.date(), TODAY.date()).map(str))
schemathesis.openapi.format(
    "date-time",
    st.datetimes(LATELY.replace(tzinfo=None), TODAY.replace(tzinfo=None)).map(
        lambda when: f"{when.isoformat()}Z"
    ),
)
_chance = Random(1)
_seen: dict[str, str] = {}
_counts: Counter[str] = Counter()
_told: set[str] = set()


def _place(path: str) -> str | None:
    found = THING.search(path)
    return f"{found[1]}/{found[2] or ''}" if found else None


def _as_meant(case: schemathesis.Case[Any], location: ParameterLocation) -> bool:
    """Whether this part of the request is meant to be right."""
    part = case.meta.components.get(location) if case.meta else None
    return part is None or part.mode.is_positive


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], **_kwargs: Any) -> None:
    """Fill in what was seen, for most requests that are meant to be right."""
    if ALONG_LINKS:
        _begin(case)
    place = _place(case.formatted_path)
    if "If-Match" in case.headers and _as_meant(case, ParameterLocation.HEADER) and place:
        if not ALONG_LINKS and _chance.random() < USUALLY:
            case.headers["If-Match"] = _seen.get(place) or _asked(place)
        # A key that came before is another request's.
        case.headers.pop("Idempotency-Key", None)
    body = case.body
    if isinstance(body, dict) and _as_meant(case, ParameterLocation.BODY):
        for name in FILLED_IN:
            if name in body and _chance.random() < USUALLY:
                body[name] = os.environ[f"CASEBOOK_FIRE_{name.upper()}"]


def _begin(case: schemathesis.Case[Any]) -> None:
    """At a thing that is there, unless an answer has told of this one."""
    thing, made_up = case.path.split("/")[-2 if "{" in case.path.split("/")[-1] else -3], case.path_parameters
    if "subject_id" in made_up and made_up["subject_id"] not in _told and thing in ALONG_LINKS:
        made_up["subject_id"] = ALONG_LINKS[thing]
        if "If-Match" in case.headers:
            case.headers["If-Match"] = _asked(f"{thing}/{ALONG_LINKS[thing]}")


def _asked(place: str) -> str:
    """The version as it is now, by a request beside the test."""
    address = f"{os.environ['CASEBOOK_FIRE_ADDRESS']}/{place}".rstrip("/")
    bearer = {"Authorization": f"Bearer {os.environ['CASEBOOK_FIRE_TOKEN']}"}
    try:
        with urlopen(Request(address, headers=bearer), timeout=10) as answer:  # noqa: S310 - this test's server
            return str(answer.headers["ETag"])
    except OSError:
        return '"1"'


@schemathesis.hook
def after_call(
    _context: schemathesis.HookContext, case: schemathesis.Case[Any], response: schemathesis.Response
) -> None:
    """Remember the version, and count."""
    place = _place(case.formatted_path)
    etag = response.headers.get("etag")
    _told.update(ID.findall(response.text))
    if place and etag:
        _seen[place] = etag[0]
    elif place and response.status_code == 412:
        _seen.pop(place, None)
    if case.method == "POST" and "search" not in case.path:
        right = case.meta is None or case.meta.generation.mode.is_positive
        _counts[f"{'right' if right else 'wrong'} {response.status_code}"] += 1
        Path(os.environ["CASEBOOK_FIRE_COUNTS"]).write_text(json.dumps(_counts))
