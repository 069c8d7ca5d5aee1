"""What each reader meets while something is broken, and what became of what they sent."""

import re
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from time import monotonic
from typing import Any, Final
from uuid import UUID, uuid4

import requests

from domain.staff import Role
from tests.faults.school import PASSWORD, PEOPLE, School
from tests.kill import checks

PATIENCE_SECONDS: Final = 10.0
"""Nobody waits longer for an answer, whatever is broken."""
NEVER_SECONDS: Final = 60.0
SENDING: Final = ("worry", "worry signed out", "tell", "enrol")
LOOKING: Final = ("today", "case", "get", "list")
EVERYTHING: Final = (*LOOKING, "box", "readyz", *SENDING)
IT_WAS_RECORDED: Final = "It was recorded, but it can't be shown just now."
TELL_A_PERSON: Final = "tell the safeguarding lead or any adult in school now"


@dataclass(frozen=True)
class Seen:
    """One answer, and the seconds that it took."""

    status: int
    seconds: float
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class Visit:
    """Readers who look and tell, all at the same moment; what they send keeps its id."""

    def __init__(self, school: School) -> None:
        self.school = school
        self.words = f"He said “{uuid4().hex}”\nand <cried>."
        self.ids = {name: str(uuid4()) for name in SENDING}
        self._sessions = {"coordinator": self._signed_in("coordinator"), "mentor": self._signed_in("mentor")}
        page = self._sessions["mentor"].get(f"{school.address}/worried", timeout=NEVER_SECONDS)
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert found, page.status_code
        self._csrf = found[1]

    def with_new_words(self) -> "Visit":
        """The same people, signed in as they are, who send something else."""
        other = copy(self)
        other.words, other.ids = f"{self.words} {uuid4().hex}", {name: str(uuid4()) for name in SENDING}
        return other

    def all_at_once(self) -> dict[str, Seen]:
        """Every page, list and form."""
        case = f"/cases/{self.school.case}"
        asked: dict[str, Callable[[], Seen]] = {
            "today": partial(self._page, "coordinator", "/"),
            "case": partial(self._page, "coordinator", case),
            "box": partial(self._page, "mentor", "/worried"),
            "get": partial(self._api, "GET", case),
            "list": partial(self._api, "GET", "/cases"),
            "healthz": partial(self._seen, requests.get, "/healthz"),
            "readyz": partial(self._seen, requests.get, "/readyz"),
            **{name: partial(self.send, name) for name in SENDING},
        }
        with ThreadPoolExecutor(len(asked)) as threads:
            answers = {name: threads.submit(ask) for name, ask in asked.items()}
            return {name: answer.result() for name, answer in answers.items()}

    def send(self, name: str) -> Seen:
        """Tell or enrol, under the same id each time."""
        command = self.ids[name]
        if name == "tell":
            path = f"/cases/{self.school.case}/break-confidentiality"
            return self._api("POST", path, {"childs_words": self.words}, command)
        if name == "enrol":
            said = {"given_name": command, "family_name": "Ali", "year_group": 7, "tutor_group": "7B"}
            return self._api("POST", "/pupils", said | {"born_on": "2014-02-28"}, command)
        form = {"command_id": command, "childs_words": self.words, "facts": "It rained.", "csrf": self._csrf}
        if name == "worry":
            return self._seen(self._sessions["mentor"].post, "/worried", data=form, allow_redirects=False)
        form |= {"user_name": PEOPLE["mentor"], "password": PASSWORD}
        return self._seen(requests.post, "/worried/sign-in", data=form, allow_redirects=False)

    def everything_works_again(self, seconds: float, *, alone: bool = False) -> float:
        """All is open within so long. What was sent is recorded, once, however often it was sent.

        `alone`: a concern may have been saved without its case, as where there was room for one fact only.
        """
        took = self.school.until(lambda: all(s.status < 400 for s in self.all_at_once().values()), seconds)
        first, again = ({name: self.send(name) for name in SENDING} for _ in range(2))
        for name in SENDING:
            assert first[name].status == again[name].status in (200, 201, 303), name
            assert first[name].headers.get("Location") == again[name].headers.get("Location")
            if name in ("tell", "enrol"):
                assert first[name].text == again[name].text
        self.is_recorded_once(alone=alone)
        return took

    def what_was_answered_well_is_recorded_once(self, seen: Mapping[str, Seen]) -> None:
        """What somebody was told is recorded is there; in the worst case a concern without its case."""
        if well := [name for name in SENDING if seen[name].status < 400]:
            self.is_recorded_once(*well, alone=True)

    def is_recorded_once(self, *names: str, alone: bool = False) -> None:
        """What was sent stands in the record, word for word and once; of `names` alone, if any are given."""
        by_command: dict[UUID, list[str]] = {UUID(command): [] for command in self.ids.values()}
        for one in checks.recorded(self.school.house):
            if one.fact.command_id in by_command:
                by_command[one.fact.command_id].append(one.row.topic)
                if one.row.topic == "concern.raised":
                    assert vars(one.fact)["childs_words"].replace("\r\n", "\n") == self.words
        told = {name: by_command[UUID(command)] for name, command in self.ids.items()}
        once = {name: ["concern.raised"] for name in SENDING} | {"enrol": ["pupil.enrolled"]}
        for name in names or SENDING:
            assert told[name][:1] == once[name], name
            if name != "tell":
                assert told[name] == once[name], name
            elif not (alone and told["tell"] == ["concern.raised"]):
                assert told["tell"].count("mentee-case.confidentiality-broken") == 1

    def _page(self, role: str, path: str) -> Seen:
        return self._seen(self._sessions[role].get, path)

    def _api(self, method: str, path: str, body: Any = None, command: str | None = None) -> Seen:
        headers = {"Authorization": f"Bearer {self.school.tokens['coordinator']}"}
        if command:
            headers["Idempotency-Key"] = command
        ask = partial(requests.request, method)
        return self._seen(ask, f"/api/v1{path}", json=body, headers=headers)

    def _seen(self, ask: Callable[..., requests.Response], path: str, **more: Any) -> Seen:
        began = monotonic()
        answer = ask(f"{self.school.address}{path}", timeout=NEVER_SECONDS, **more)
        return Seen(answer.status_code, monotonic() - began, unescape(answer.text), answer.headers)

    def _signed_in(self, role: Role) -> requests.Session:
        session = requests.Session()
        said = {"user_name": PEOPLE[role], "password": PASSWORD}
        answer = session.post(f"{self.school.address}/sign-in", data=said, timeout=NEVER_SECONDS)
        assert answer.status_code == 200, answer.status_code
        return session


def is_told_in_words(
    visit: Visit, seen: Mapping[str, Seen], *closed: str, perhaps: Collection[str] = ()
) -> None:
    """Each of `closed` says what is wrong, whom to tell and when to try again; all else is as ever.

    Of `perhaps` each is one or the other: it depends on what a process has seen just before. Nobody waits
    long, and the process itself always answers.
    """
    statuses = {name: (one.status, round(one.seconds, 1)) for name, one in seen.items()}
    assert seen["healthz"].status == 200
    assert seen["healthz"].seconds < 2, statuses
    for name, one in seen.items():
        assert one.seconds < PATIENCE_SECONDS, statuses
        assert "Traceback" not in one.text
        if name not in closed and (name not in perhaps or one.status < 400):
            assert one.status < 400, statuses
            continue
        assert one.status == 503, statuses
        if name == "readyz":
            continue
        assert int(one.headers["Retry-After"]) <= 30
        if name in ("get", "list", "tell", "enrol"):
            assert one.headers["Content-Type"] == "application/problem+json"
            assert TELL_A_PERSON in one.text or IT_WAS_RECORDED in one.text
        elif name in ("worry", "worry signed out"):
            _keeps_the_words(visit, name, one)
        else:
            assert "Casebook can’t reach its record" in one.text
            assert "What was recorded before isn’t lost" in one.text
            assert "tell a person now" in one.text


def _keeps_the_words(visit: Visit, name: str, one: Seen) -> None:
    assert "Nobody has been alerted. Tell a person now" in one.text
    assert PEOPLE["dsl"] in one.text or "Find the safeguarding lead, a deputy, or any adult" in one.text
    assert visit.words in one.text.replace("\r\n", "\n")
    assert visit.ids[name] in one.text, "the same command is sent again"
    assert 'name="facts" value="It rained."' in one.text
    assert PASSWORD not in one.text
