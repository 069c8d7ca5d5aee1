"""A school in which things happen by chance, but never against the rules."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from domain.concern import Concern
from domain.concern_facts import Involved
from domain.erasure import Erasure
from domain.fact import By, Refused, Subject
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.policy import Policy
from domain.pupil import Pupil
from domain.retention import Matter
from domain.staff import Staff

S = TypeVar("S", bound=Subject)
BEGAN = date(2025, 9, 1)
NAMES = ("Siân", "Zoë", "Anne-Marie", "Łukasz", "O'Neill", "de Souza", "Ng", "Brontë", "İpek", "Mac Aodha")
CORRECTED = {
    "given_name": NAMES,
    "known_as": ("", "Ziggy"),
    "born_on": ("2012-02-29", "1/9/2011", "soon"),
    "year_group": ("9", "Year 8", "99"),
}


class School:
    """Each call of `something` tells one thing; `changed` gives the subjects that it was about."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.subjects: list[Subject] = []
        self.day = 0

    def facts(self, count: int, save: Callable[..., Any]) -> None:
        """Let things happen until so many facts are told, saving each as it happens."""
        told = 0
        while told < count:
            changed = [s for s in self.something() if s.pending_events]
            told += sum(len(s.pending_events) for s in changed)
            if changed:
                save(*changed)

    def something(self) -> list[Subject]:
        self.day += self.chance.random() < 0.1
        happening = self.chance.choice(
            [self.pupil, self.pupil_changes, self.mentor, self.refer]
            + [self.mentor_changes, self.match] * 4
            + [self.case_changes] * 9
            + [self.concern, self.concern_changes, self.concern_changes, self.staff, self.erasure]
        )
        try:
            return happening() or []
        except (Refused, IndexError):
            return []

    def by(self) -> By:
        today = BEGAN + timedelta(days=self.day)
        earlier = today - timedelta(days=self.chance.randrange(0, 20))
        return By(
            account=self._id(),
            command_id=self._id(),
            today=today,
            happened_on=earlier if self.chance.random() < 0.2 else None,
            policy=Policy(sessions=2, caseload=5),
        )

    def pupil(self) -> list[Subject]:
        pupil = self._new(Pupil)
        pupil.enrol(
            self.by(),
            given_name=self.chance.choice(NAMES),
            family_name=self.chance.choice(NAMES),
            born_on=date(2011, 1, 1) + timedelta(days=self.chance.randrange(0, 900)),
            year_group=self.chance.randrange(7, 12),
            tutor_group="8B",
            known_as=self.chance.choice((None, "Jo")),
            upn=self.chance.choice((None, f"A{self.chance.randrange(10**11):011d}")),
        )
        return [pupil]

    def pupil_changes(self) -> list[Subject]:
        pupil = self._some(Pupil)
        if self.chance.random() < 0.2:
            pupil.leave(self.by(), left_on=BEGAN, destination=None)
        elif self.chance.random() < 0.5:
            pupil.move_up(self.by(), year_group=self.chance.randrange(7, 12), tutor_group="9C")
        else:
            field = self.chance.choice(list(CORRECTED))
            value = self.chance.choice(CORRECTED[field])
            pupil.correct(
                self.by(), version=self.chance.randrange(1, 4), field=field, value=value, reason="typo"
            )
        return [pupil]

    def mentor(self) -> list[Subject]:
        mentor = self._new(Mentor)
        mentor.apply(self.by(), pupil_id=self._some(Pupil).id, statement="I would like to.")
        return [mentor]

    def mentor_changes(self) -> list[Subject]:
        mentor, by, day = self._some(Mentor), self.by(), BEGAN + timedelta(days=self.day)
        self._one_of(
            lambda: mentor.interview(by, held_on=day, panel="Two", notes="Kind"),
            lambda: mentor.select(by, reason="Kind"),
            lambda: mentor.select(by, reason="Kind"),
            lambda: mentor.train(by, course="Listening", completed_on=day),
            lambda: mentor.sign_agreement(by, signed_on=day, agreement_version="2"),
            lambda: mentor.attach(by, tutor_group="7A"),
            lambda: mentor.supervise(by, kind="group", held_on=day, notes="Well"),
            lambda: mentor.turn_down(by, reason="Not yet") if self.chance.random() < 0.1 else None,
            lambda: mentor.stand_down(by, reason="Exams") if self.chance.random() < 0.2 else None,
        )
        return [mentor]

    def refer(self) -> list[Subject]:
        if len(self._all(MenteeCase)) > 10 and self.chance.random() < 0.9:
            return []
        case = self._new(MenteeCase)
        who: dict[str, Any] = {"pupil_id": self._some(Pupil).id}
        if self.chance.random() < 0.2:
            who = {"pupil_in_words": "the tall one in 7A"}
        case.refer(
            self.by(), route="staff", reasons=("friendships",), words="Lonely", referred_by="Tutor", **who
        )
        return [case]

    def match(self) -> list[Subject]:
        case, mentor, by = self._some(MenteeCase), self._some(Mentor), self.by()
        mentor.take_on(by, case_id=case.id)
        try:
            case.match(by, mentor_id=mentor.id)
        except Refused:
            mentor.hand_back(by, case_id=case.id)
        return [case, mentor]

    def case_changes(self) -> list[Subject]:
        case, by, day = self._some(MenteeCase), self.by(), BEGAN + timedelta(days=self.day)
        mentor = self._with_id(Mentor, case.mentor_id)
        self._one_of(
            lambda: case.hold_session(by, held_on=day, minutes=30, focus="x", notes="y"),
            lambda: case.hold_session(by, held_on=day, minutes=30, focus="x", notes="y"),
            lambda: case.miss_session(by, due_on=day, reason="ill"),
            lambda: case.send_letter(by, kind="Mentoring begins", sent_on=day),
            lambda: case.ask_for_more(by, words="please"),
            lambda: case.extend(by, sessions=2, reason="r", mentee_wishes="w"),
            lambda: case.close(by, outcome="better", reason="done") if self.chance.random() < 0.3 else None,
            lambda: case.end_match(by, reason="moved") if self.chance.random() < 0.3 else None,
            lambda: case.decline(by, reason="other help") if self.chance.random() < 0.2 else None,
            lambda: case.reopen(by, reason="came back"),
            lambda: case.hold(by) if self.chance.random() < 0.3 else None,
            lambda: case.release(by),
            lambda: case.correct(
                by, version=1, field="pupil_id", value=str(self._some(Pupil).id), reason="found"
            ),
        )
        if mentor and case.mentor_id != mentor.id:
            mentor.hand_back(by, case_id=case.id)
        return [case, *([mentor] if mentor else [])]

    def concern(self) -> list[Subject]:
        if self.chance.random() < 0.7:
            return []
        case, concern, by = self._some(MenteeCase), self._new(Concern), self.by()
        other = Involved(self._some(Pupil).id, "saw it")
        concern.raise_concern(
            by,
            childs_words="…",
            immediate_danger=self.chance.choice((None, True, False)),
            case_id=case.id,
            pupil_id=case.pupil_id,
            involved=self.chance.choice(((), (other,))),
        )
        case.break_confidentiality(by, concern_id=concern.id)
        return [concern, case]

    def concern_changes(self) -> list[Subject]:
        concern, by = self._some(Concern), self.by()
        self._one_of(
            lambda: concern.notify(by, told=(self._id(),), channel="email"),
            lambda: concern.acknowledge(by),
            lambda: concern.decide(by, decision="monitor", rationale="r", alternatives=None),
            lambda: concern.close(by, outcome="o", rationale="r"),
            lambda: concern.reopen(by, reason="more"),
        )
        return [concern]

    def staff(self) -> list[Subject]:
        if self.chance.random() < 0.5:
            person = self._new(Staff)
            role = self.chance.choice(("coordinator", "dsl", "mentor"))
            person.open_account(
                self.by(), name=self.chance.choice(NAMES), role=role, email=None, mentor_id=None
            )
            return [person]
        person = self._some(Staff)
        if self.chance.random() < 0.3:
            person.end_account(self.by(), reason="left")
        else:
            person.correct(self.by(), version=1, field="name", value="Ms Hughes", reason="married")
        return [person]

    def erasure(self) -> list[Subject]:
        """Ask for one, or let its next step happen. Keys stay: what lists make of it is tried here."""
        if self.chance.random() < 0.3 or not self._all(Erasure):
            erasure, gone = self._new(Erasure), (self._some(MenteeCase).id, self._some(Pupil).id)
            matter = Matter("narrative", gone[0], None, gone, (), keep_until=BEGAN)
            erasure.request(self.by(), matter=matter, grounds="retention", reason="Time is over.")
            return [erasure]
        erasure, by = self._some(Erasure), self.by()
        self._one_of(
            lambda: erasure.approve(
                by, matter=Matter("narrative", by.account, None, erasure.targets, (), keep_until=BEGAN)
            ),
            lambda: erasure.withdraw(by, reason="later") if self.chance.random() < 0.1 else None,
            lambda: erasure.key_destroyed(by, target=erasure.targets[0], kid="00"),
            lambda: erasure.key_destroyed(by, target=erasure.targets[1], kid="00"),
            lambda: erasure.complete(by),
        )
        return [erasure]

    def _one_of(self, *commands: Callable[[], Any]) -> None:
        self.chance.choice(commands)()

    def _id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def _new(self, kind: type[S]) -> S:
        subject = kind.blank(self._id())
        self.subjects.append(subject)
        return subject

    def _all(self, kind: type[S]) -> list[S]:
        return [s for s in self.subjects if isinstance(s, kind) and s.version]

    def _some(self, kind: type[S]) -> S:
        return self.chance.choice(self._all(kind))

    def _with_id(self, kind: type[S], subject_id: UUID | None) -> S | None:
        return next((s for s in self._all(kind) if s.id == subject_id), None)
