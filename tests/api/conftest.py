"""A small school behind its API: people with tokens, pupils, mentors, and a case where a test wants it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.api.commands import API
from app.commands import FOR_PROGRAMS, Doing
from app.house import House
from app.project import ProjectorProcess
from app.settings import Settings
from projections.all_models import MODELS
from projections.positions import wait_for
from tests.counting import Counting

ROLES = (
    *("coordinator", "dsl", "deputy_dsl", "mentor", "referrer", "inspector", "head", "chair"),
    *("data_officer", "admin"),
)
OFFERED: dict[str, Doing] = {doing.key: doing for doing in FOR_PROGRAMS}
"""What programs may ask for: all but what two people decide on by themselves."""
PUPIL: dict[str, Any] = {
    "given_name": "Siân",
    "family_name": "O'Neill",
    "born_on": "2014-02-28",
    "year_group": 7,
    "tutor_group": "7B",
}
REFERRAL: dict[str, Any] = {
    "route": "staff",
    "reasons": ["friendships"],
    "words": "Often alone at lunch.",
    "referred_by": "Mr Okafor",
}
SESSION: dict[str, Any] = {"minutes": 30, "focus": "Lunch", "notes": "Talked."}


@dataclass
class School(Counting):
    """What a program sees of a school. `tokens` by role; `other_mentor` is another mentor's token."""

    app: Flask
    house: House
    tokens: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, UUID] = field(default_factory=dict)
    mentors: dict[str, str] = field(default_factory=dict)

    @property
    def client(self) -> FlaskClient:
        """A fresh client, without cookies."""
        return self.app.test_client()

    def call(
        self,
        method: str,
        path: str,
        role: str | None = "coordinator",
        body: Any = None,
        *,
        version: str | None = None,
        key: str | None = None,
        raw: bytes | None = None,
        content_type: str | None = "application/json",
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """One request. `version` is the ETag that was seen, in its quotes."""
        sent = dict(headers or {})
        if role is not None:
            sent["Authorization"] = f"Bearer {self.tokens[role]}"
        if version is not None:
            sent["If-Match"] = version
        if key is not None:
            sent["Idempotency-Key"] = key
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        return self.client.open(
            API + path,
            method=method,
            data=data,
            headers=sent,
            content_type=content_type if data is not None else None,
        )

    def get(self, path: str, role: str | None = "coordinator", **more: Any) -> TestResponse:
        """A read."""
        return self.call("GET", path, role, **more)

    def post(
        self, path: str, role: str | None = "coordinator", body: Any = None, **more: Any
    ) -> TestResponse:
        """A command, or a creation."""
        return self.call("POST", path, role, body if body is not None else {}, **more)

    def give(self, path: str, role: str = "coordinator", body: Any = None) -> dict[str, Any]:
        """A command that must succeed, on the newest version."""
        thing = "/".join(path.split("/")[:3])
        seen = self.house.recorder.rows(UUID(thing.rpartition("/")[2]))
        answer = self.post(path, role, body, version=f'"{len(seen)}"')
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: dict[str, Any] = answer.get_json()
        return found

    def make(self, path: str, body: Any, role: str = "coordinator") -> str:
        """A creation that must succeed; gives the id."""
        answer = self.post(path, role, body)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return str(answer.get_json()["id"])

    def open_account(self, name: str, role: str, person_id: UUID | None = None) -> None:
        """Somebody who may use the API, called `name` in `tokens`."""
        account = uuid4()
        self.house.accounts.open(account, role, [], None, person_id)
        self.tokens[name] = self.house.accounts.issue_token(account)
        self.accounts[name] = account

    def a_pupil(self, **more: Any) -> str:
        """A pupil on the roll."""
        return self.make("/pupils", PUPIL | more)

    def a_mentor(self, name: str) -> str:
        """A mentor who may take cases, and their token under `name`."""
        pupil = self.a_pupil(given_name="Ama", year_group=10, tutor_group="10A", born_on="2011-05-01")
        mentor = self.make("/mentors", {"pupil_id": pupil, "statement": "I would like to help."})
        about = f"/mentors/{mentor}"
        self.give(f"{about}/interview", body={"held_on": "2026-09-01", "panel": "Ms Price", "notes": "Kind."})
        self.give(f"{about}/select", body={"reason": "Listens well."})
        self.give(f"{about}/train", body={"course": "Peer mentoring", "completed_on": "2026-09-02"})
        self.give(f"{about}/sign-agreement", body={"signed_on": "2026-09-02", "agreement_version": "3"})
        self.mentors[name] = mentor
        self.open_account(name, "mentor", UUID(mentor))
        return mentor

    def a_case(self, role: str = "coordinator") -> str:
        """A case that waits for a mentor."""
        return self.make("/cases", REFERRAL | {"pupil_id": self.a_pupil()}, role)

    def a_matched_case(self, mentor: str = "mentor") -> str:
        """A case whose mentor is `mentor`."""
        if mentor not in self.mentors:
            self.a_mentor(mentor)
        case = self.a_case()
        self.give(f"/cases/{case}/match", body={"mentor_id": self.mentors[mentor]})
        return case


@pytest.fixture
def school(settings: Settings, house: House) -> School:
    """A school with one account in each role, whose lists nobody keeps up to date."""
    made = School(create_app(settings, house), house)
    for role in ROLES:
        if role != "mentor":
            made.open_account(role, role)
    return made


@pytest.fixture
def lists(school: School) -> Iterator[School]:
    """The same, with the projector at work."""
    process = ProjectorProcess(school.house.pool, school.house.recorder, school.house.mapper)
    process.start()
    try:
        assert wait_for(school.house.pool, 0, MODELS, timeout=20)
        yield school
    finally:
        process.stop()
