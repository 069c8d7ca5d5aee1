"""A school's busy day through the API: writers who send each command until it is acknowledged, or give up."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from threading import Event
from time import monotonic, sleep
from typing import Any, Final
from uuid import UUID, uuid4

import requests

from app.api.commands import API
from app.commands import BY_KEY
from app.forms import LONGEST_NAME, today

ACKNOWLEDGED_SECONDS: Final = 60.0
ANSWER_SECONDS: Final = 40.0
GIVES_UP: Final = 0.15
_PIECES: Final = (
    *("Siân O’Neill", "said: “no”", "\t", "\n", "\r\n", '{"_type_":"date"}', "\\u0000", "😀👩‍👧", "مرحبا"),
    *("\u202eabc\u202c", "e\u0301 é", "  ", "'; DROP TABLE record.events; --", "<b>&amp;", "\x7f\x1b[0m"),
    *("ﬁ ǅ ß İ", "\U0010ffff", "%s %b {}", "lunch", "he never comes", "0", "null"),
)


@dataclass(frozen=True)
class Account:
    """Whoever a bearer token acts for."""

    id: UUID
    token: str = field(repr=False)


@dataclass(frozen=True)
class Command:
    """One request that changes something. `doing` is its key in the table of commands."""

    doing: str
    path: str
    body: dict[str, Any]
    who: Account
    seen: str | None
    id: UUID


@dataclass(frozen=True)
class Acknowledged:
    """A command with its answer."""

    command: Command
    status: int
    body: dict[str, Any]
    etag: str | None
    position: int


@dataclass
class Thing:
    """A case, mentor or concern as its writer last saw it. `doubtful`: others may have changed it since."""

    path: str
    shown: dict[str, Any] = field(default_factory=dict)
    etag: str | None = None
    doubtful: bool = False


class NotAcknowledged(Exception):
    """The writer gave up, or what it had seen was out of date: it looks again."""


class Writer:
    """One program that sends a coordinator's and a safeguarding lead's commands, one after another."""

    def __init__(self, address: str, coordinator: Account, lead: Account, busy: str, chance: Random) -> None:
        self.acknowledged: list[Acknowledged] = []
        self.given_up: list[Command] = []
        self.refused: list[Command] = []
        self.looks: Counter[tuple[UUID, str, UUID]] = Counter()
        self.troubles: Counter[str] = Counter()
        self._address = address
        self._coordinator = coordinator
        self._lead = lead
        self._busy = Thing(f"/cases/{busy}")
        self._chance = chance
        self._session = requests.Session()
        self._mentor: str | None = None
        self._places = 0

    def work(self, enough: Event) -> None:
        """One case after another until it is enough."""
        with self._session:
            while not enough.is_set():
                try:
                    self._one_case(enough)
                except NotAcknowledged:
                    continue

    def again(self, first: Acknowledged) -> Acknowledged:
        """Send a command that was acknowledged once more."""
        answer = self._send(first.command)
        assert answer is not None
        return _acknowledged(first.command, answer)

    # The story

    def _one_case(self, enough: Event) -> None:
        pupil = self._a_pupil(2014)
        said = {"pupil_id": pupil, "route": "staff", "reasons": [self._words()], "words": self._words()}
        case = self._new("cases/refer", "/cases", said | {"referred_by": self._words()})
        mentor = self._a_mentor()
        self._places -= 1
        self._give("cases/match", case, {"mentor_id": mentor})
        for _ in range(self._chance.randint(8, 20)):
            if enough.is_set():
                return
            try:
                self._step(case)
            except NotAcknowledged:
                self._look(case)

    def _step(self, case: Thing) -> None:
        roll = self._chance.random()
        if roll < 0.08:
            self._tell(case)
        elif roll < 0.11:
            self._tell(self._busy)
        elif roll < 0.25:
            self._look(case)
        elif roll < 0.3:
            self._look_at_list()
        elif roll < 0.4:
            self._give("cases/dispute", case, {"version": 1, "words": self._words()})
        elif roll < 0.5:
            said = {"version": 1, "field": "words", "value": self._words(), "reason": self._words()}
            self._give("cases/correct", case, said)
        elif case.shown["on_hold"] and roll < 0.7:
            self._give("cases/release", case, {"reason": self._words()}, self._lead)
            # What a coordinator may do next isn't what the lead may.
            self._look(case)
        else:
            # What this writer has no words for is left to people.
            verbs = [
                verb
                for verb in case.shown["next_actions"]
                if verb != "decline" and not BY_KEY[f"cases/{verb}"].schema.validate(self._said(verb))
            ]
            if verbs:
                verb = self._chance.choice(verbs)
                self._give(f"cases/{verb}", case, self._said(verb))

    def _said(self, verb: str) -> dict[str, Any]:
        day, words = today().isoformat(), self._words
        said: dict[str, dict[str, Any]] = {
            "hold-session": {"held_on": day, "minutes": 30, "focus": words(), "notes": words()},
            "arrange-session": {"at": f"{day}T13:05:00.000000Z", "place": words()},
            "miss-session": {"due_on": day, "reason": words()},
            "agree-purpose": {"purpose": words(), "expectations": words()},
            "ask-for-more": {"words": words()},
            "extend": {"sessions": 2, "reason": words(), "mentee_wishes": words()},
            "close": {"outcome": words(), "reason": words()},
        }
        return said.get(verb, {"reason": words()})

    def _tell(self, case: Thing) -> None:
        said = {"childs_words": self._words(), "facts": self._words(), "immediate_danger": True}
        told = self._give("cases/break-confidentiality", case, said)
        if self._chance.random() < 0.5:
            # Alerts are recorded about it meanwhile.
            concern = Thing(f"/concerns/{told['concern_id']}", doubtful=True)
            self._look(concern, self._lead)
            self._give("concerns/acknowledge", concern, {}, self._lead)
            said = {"decision": "monitor", "rationale": self._words()}
            self._give("concerns/decide", concern, said, self._lead)

    def _a_pupil(self, born: int) -> str:
        said = {
            "given_name": self._words()[:LONGEST_NAME],
            "family_name": self._words()[:LONGEST_NAME],
            "born_on": f"{born}-02-28",
            "year_group": 7,
            "tutor_group": "7B",
        }
        return str(self._new("pupils/enrol", "/pupils", said).shown["id"])

    def _a_mentor(self) -> str:
        if self._mentor is not None and self._places > 0:
            return self._mentor
        said = {"pupil_id": self._a_pupil(2011), "statement": self._words()}
        mentor = self._new("mentors/apply", "/mentors", said)
        day = today().isoformat()
        self._give("mentors/interview", mentor, {"held_on": day, "panel": self._words(), "notes": ""})
        self._give("mentors/select", mentor, {"reason": self._words()})
        self._give("mentors/train", mentor, {"course": self._words(), "completed_on": day})
        self._give("mentors/sign-agreement", mentor, {"signed_on": day, "agreement_version": "3"})
        self._mentor, self._places = str(mentor.shown["id"]), 2
        return self._mentor

    def _words(self) -> str:
        pieces = self._chance.choices(_PIECES, k=self._chance.randint(1, 12))
        return " ".join((uuid4().hex, *pieces))

    # One request

    def _new(self, doing: str, path: str, body: dict[str, Any]) -> Thing:
        made = Thing(path)
        self._give(doing, made, body)
        made.path = f"{path}/{made.shown['id']}"
        return made

    def _give(
        self, doing: str, thing: Thing, body: dict[str, Any], who: Account | None = None
    ) -> dict[str, Any]:
        verb = BY_KEY[doing].verb
        path = f"{thing.path}/{verb}" if verb else thing.path
        command = Command(doing, path, body, who or self._coordinator, thing.etag, uuid4())
        answer = self._send(command, may_give_up=True)
        if answer is None:
            self.given_up.append(command)
            thing.doubtful = True
            raise NotAcknowledged
        if answer.status_code == 412 and thing.doubtful:
            self.refused.append(command)
            raise NotAcknowledged
        found = _acknowledged(command, answer)
        self.acknowledged.append(found)
        self._saw(command.who, path, found.body)
        if "id" in found.body:
            thing.shown, thing.etag = found.body, found.etag
        else:
            # Told and heard; but where the look at the case couldn't be logged, it wasn't shown as it is now.
            thing.doubtful = True
        return found.body

    def _look(self, thing: Thing, who: Account | None = None) -> None:
        answer = self._get(thing.path, who or self._coordinator)
        if not thing.doubtful:
            seen = answer.headers["ETag"]
            assert seen == thing.etag, f"acknowledged: {thing.shown}, and now {seen}: {answer.text}"
        thing.shown, thing.etag = answer.json(), answer.headers["ETag"]

    def _look_at_list(self) -> None:
        self._get("/cases?limit=5", self._coordinator)

    def _get(self, path: str, who: Account) -> requests.Response:
        answer = self._until_answered("GET", path, {"Authorization": f"Bearer {who.token}"})
        assert answer is not None
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        for one in answer.json().get("items", [answer.json()]):
            self._saw(who, path.partition("?")[0], one)
        return answer

    def _saw(self, who: Account, path: str, one: dict[str, Any]) -> None:
        if "id" in one:
            parts = path.split("/")
            if len(parts) > 2:
                parts[2] = "{id}"
            self.looks[who.id, API + "/".join(parts), UUID(one["id"])] += 1

    def _send(self, command: Command, *, may_give_up: bool = False) -> requests.Response | None:
        headers = {"Authorization": f"Bearer {command.who.token}", "Idempotency-Key": str(command.id)}
        if command.seen is not None:
            headers["If-Match"] = command.seen
        return self._until_answered("POST", command.path, headers, command.body, may_give_up=may_give_up)

    def _until_answered(
        self, method: str, path: str, headers: dict[str, str], body: Any = None, *, may_give_up: bool = False
    ) -> requests.Response | None:
        """The answer, once it isn't a failure; None when the writer loses patience after one."""
        until = monotonic() + ACKNOWLEDGED_SECONDS
        while True:
            try:
                answer = self._session.request(
                    method, self._address + API + path, json=body, headers=headers, timeout=ANSWER_SECONDS
                )
            except requests.RequestException as error:
                trouble = type(error).__name__
            else:
                if answer.status_code < 500:
                    return answer
                trouble = f"{answer.status_code}"
                if answer.status_code != 503:
                    trouble += f" {method} {path}"
            self.troubles[trouble] += 1
            if may_give_up and self._chance.random() < GIVES_UP:
                return None
            assert monotonic() < until, f"{method} {path}: {trouble} for {ACKNOWLEDGED_SECONDS} s"
            sleep(self._chance.uniform(0.02, 0.2))


def _acknowledged(command: Command, answer: requests.Response) -> Acknowledged:
    status, headers = answer.status_code, answer.headers
    assert status in (200, 201), f"{command.doing}: {status} {answer.text}"
    return Acknowledged(
        command, status, answer.json(), headers.get("ETag"), int(headers["Casebook-Position"])
    )
