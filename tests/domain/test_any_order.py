"""Whatever people do in whatever order: case and mentor agree, and replay tells the same story."""

from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from eventsourcing.domain import CanMutateAggregate
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.fact import By, Refused, Subject
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.policy import DEFAULT_POLICY

START = date(2026, 1, 5)
S = TypeVar("S", bound=Subject)


class OneScheme(RuleBasedStateMachine):
    """Three cases and two mentors, saved together as casework does: all facts of a command or none."""

    def __init__(self) -> None:
        super().__init__()
        self.cases = [uuid4() for _ in range(3)]
        self.mentors = [uuid4() for _ in range(2)]
        self.facts: dict[UUID, list[CanMutateAggregate[UUID]]] = {i: [] for i in (*self.cases, *self.mentors)}
        self.today = START
        for case_id in self.cases:
            case = MenteeCase.blank(case_id)
            words: dict[str, Any] = {"route": "staff", "reasons": (), "words": "w", "referred_by": "Tutor"}
            case.refer(self.by(), pupil_id=uuid4(), **words)
            self.save(case)
        for mentor_id in self.mentors:
            mentor = Mentor.blank(mentor_id)
            mentor.apply(self.by(), pupil_id=uuid4(), statement="s")
            mentor.interview(self.by(), held_on=START, panel="p", notes="")
            mentor.select(self.by(), reason="r")
            mentor.train(self.by(), course="c", completed_on=START)
            mentor.sign_agreement(self.by(), signed_on=START, agreement_version="1")
            self.save(mentor)

    def by(self) -> By:
        return By(account=UUID(int=1), command_id=uuid4(), today=self.today)

    def save(self, *subjects: Subject) -> None:
        for subject in subjects:
            self.facts[subject.id].extend(subject.collect_events())
            again = replayed(type(subject), subject.id, self.facts[subject.id])
            assert again == subject, "replay tells the same story as the commands did"

    def case(self, n: int) -> MenteeCase:
        return replayed(MenteeCase, self.cases[n], self.facts[self.cases[n]])

    def mentor(self, mentor_id: UUID) -> Mentor:
        return replayed(Mentor, mentor_id, self.facts[mentor_id])

    @rule(days=st.integers(1, 30))
    def time_passes(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(n=st.integers(0, 2), m=st.integers(0, 1))
    def match(self, n: int, m: int) -> None:
        case, mentor = self.case(n), self.mentor(self.mentors[m])
        try:
            case.match(self.by(), mentor_id=mentor.id)
            mentor.take_on(self.by(), case_id=case.id)
        except Refused:
            return
        self.save(case, mentor)

    @rule(n=st.integers(0, 2), verb=st.sampled_from(["end_match", "close"]))
    def let_go(self, n: int, verb: str) -> None:
        case = self.case(n)
        mentor = self.mentor(case.mentor_id) if case.mentor_id else None
        said = {"reason": "r"} | ({"outcome": "o"} if verb == "close" else {})
        try:
            getattr(case, verb)(self.by(), **said)
        except Refused:
            return
        assert mentor is not None, "only a case with a mentor is let go"
        mentor.hand_back(self.by(), case_id=case.id)
        self.save(case, mentor)

    @rule(
        n=st.integers(0, 2),
        verb=st.sampled_from(
            ["hold_session", "miss_session", "extend", "decline", "reopen", "hold", "release"]
        ),
    )
    def anything_else(self, n: int, verb: str) -> None:
        said: dict[str, dict[str, object]] = {
            "hold_session": {"held_on": self.today, "minutes": 30, "focus": "f", "notes": ""},
            "miss_session": {"due_on": self.today, "reason": "r"},
            "extend": {"sessions": 2, "reason": "r", "mentee_wishes": "w"},
            "decline": {"reason": "r"},
            "reopen": {"reason": "r"},
        }
        case = self.case(n)
        try:
            getattr(case, verb)(self.by(), **said.get(verb, {}))
        except Refused:
            nothing_recorded = not case.pending_events
            assert nothing_recorded
            return
        self.save(case)

    @rule(n=st.integers(0, 2))
    def somebody_is_worried(self, n: int) -> None:
        case = self.case(n)
        case.break_confidentiality(self.by(), concern_id=uuid4())
        self.save(case)
        assert self.case(n).on_hold

    @precondition(lambda self: any(self.case(n).on_hold for n in range(3)))
    @rule()
    def a_held_case_stays_open(self) -> None:
        for n in range(3):
            case = self.case(n)
            if case.on_hold and case.mentor_id:
                with pytest.raises(Refused, match="on hold"):
                    case.close(self.by(), outcome="o", reason="r")

    @invariant()
    def case_and_mentor_agree(self) -> None:
        carried = {m: set(self.mentor(m).cases) for m in self.mentors}
        for n, case_id in enumerate(self.cases):
            case = self.case(n)
            assert {m for m in self.mentors if case_id in carried[m]} == ({case.mentor_id} - {None})
            assert (case.state in ("matched", "at_review")) == (case.mentor_id is not None)
            if case.state == "matched":
                assert case.sessions_held < case.sessions_planned
            if case.state == "at_review":
                assert case.sessions_held == case.sessions_planned
        assert all(len(cases) <= DEFAULT_POLICY.caseload for cases in carried.values())


def replayed(kind: type[S], subject_id: UUID, facts: list[CanMutateAggregate[UUID]]) -> S:
    subject = kind.blank(subject_id)
    for fact in facts:
        fact.mutate(subject)
    return subject


OneScheme.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestOneScheme = OneScheme.TestCase
