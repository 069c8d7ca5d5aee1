"""Which pupils of the invented school became peer mentors, when, and who has which mentee."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from app.demo.people import Pupil
from app.demo.tales import lists, say
from app.demo.terms import Days, next_school_day, school_year

Stage = Literal["applied", "interviewed", "turned_down", "selected", "trained", "ready"]

MENTOR_YEARS: Final = (10, 11, 12, 13)
CASELOAD: Final = 2
SIGN_IN: Final = {"mentor": "Amina Chowdhury", "mentor2": "Josiah Campbell-Reid"}
_POSTS: Final = {
    1: "Head Peer Mentor",
    2: "Head Peer Mentor",
    7: "Deputy Head Peer Mentor",
    9: "Deputy Head Peer Mentor",
}
_COHORTS: Final[tuple[tuple[int, int, int, Stage], ...]] = (
    # Afterwards: how many, between which school days before today, how far they came
    (12, 124, 116, "ready"),
    (17, 78, 62, "ready"),
    (3, 110, 30, "turned_down"),
    (2, 40, 34, "trained"),
    (2, 30, 24, "selected"),
    (3, 14, 8, "interviewed"),
    (2, 5, 2, "applied"),
)
_RECRUITS: Final = 42
"""With whom the record begins, those who have left since included, besides the two who can sign in."""
_FIRST_LOT: Final = 173
"""The school day before today by which those with whom the record begins had applied."""
_LEAVERS: Final = 5
_STOPPERS: Final = 3
_STOPPED_BACK: Final = 58
_ENOUGH_DAYS: Final = 100
"""Calendar days that somebody who leaves in May has mentored for, if they were a mentor at all."""


@dataclass
class Recruit:
    """A pupil who applied, and how far they came. `busy` are the times at which they have a mentee."""

    pupil: Pupil
    number: int
    applied: date
    stage: Stage
    statement: str
    interview: str
    decision: str
    sign_in: str | None = None
    post: str | None = None
    form: str | None = None
    stands_down: date | None = None
    supervised: bool = True
    busy: list[tuple[date, date]] = field(default_factory=list)

    @property
    def ready_on(self) -> date:
        """The day from which they may mentor."""
        return next_school_day(self.applied, 9)

    def load(self, begins: date, ends: date) -> int:
        """How many mentees they have at most, at any moment of that time."""
        overlapping = [(b, e) for b, e in self.busy if b <= ends and e >= begins]
        moments = [begins, *(max(b, begins) for b, _ in overlapping)]
        return max(sum(b <= moment <= e for b, e in overlapping) for moment in moments)

    def may_take(self, mentee: Pupil, begins: date, ends: date, today: date) -> bool:
        """Whether they could have this mentee for that time."""
        older = self.pupil.year_group - mentee.year_group >= 2
        stays = self.stands_down is None or ends < self.stands_down
        here = self.pupil.is_here(begins, today) and self.pupil.year_on(begins, today) in MENTOR_YEARS
        return self.stage == "ready" and self.ready_on < begins and older and stays and here


class Deck:
    """Sentences to draw from: each once before any comes again."""

    def __init__(self, chance: random.Random, cards: Sequence[str]) -> None:
        self._chance = chance
        self._cards = cards
        self._left: list[str] = []

    def draw(self) -> str:
        """The next one."""
        if not self._left:
            self._left = self._chance.sample(self._cards, len(self._cards))
        return self._left.pop()


def recruit_all(chance: random.Random, days: Days, pupils: Sequence[Pupil]) -> list[Recruit]:
    """Everybody who applied in the year that the record covers, the oldest application first."""
    words = lists()
    statements = Deck(chance, words["statements"])
    first, then = Deck(chance, words["interview_first"]), Deck(chance, words["interview_then"])
    selected, turned_down = Deck(chance, words["selected"]), Deck(chance, words["turned_down"])
    recruits: list[Recruit] = []

    def add(pupil: Pupil, applied: date, stage: Stage) -> Recruit:
        decision = turned_down if stage == "turned_down" else selected
        recruit = Recruit(
            pupil,
            len(recruits),
            applied,
            stage,
            statements.draw(),
            f"{say(first.draw(), pupil)} {say(then.draw(), pupil)}",
            say(decision.draw(), pupil),
        )
        recruits.append(recruit)
        return recruit

    by_name = {pupil.name: pupil for pupil in pupils}
    for sign_in, name in SIGN_IN.items():
        add(by_name[name], days.back(184), "ready").sign_in = sign_in
    leavers = list(_leavers(chance, days, pupils))
    for pupil, until in leavers:
        add(pupil, days.back(183), "ready").stands_down = until
    taken = {recruit.pupil.name for recruit in recruits}
    for count, oldest, newest, stage in ((_RECRUITS - len(leavers), 182, _FIRST_LOT, "ready"), *_COHORTS):
        for number in range(count):
            # Spread evenly: a panel sees a handful of pupils a day.
            applied = days.back(oldest - number * (oldest - newest + 1) // count)
            pupil = chance.choice(
                [p for p in pupils if p.name not in taken and _may_apply(p, applied, days.today)]
            )
            taken.add(pupil.name)
            add(pupil, applied, stage)
    for recruit in recruits[20 : 20 + _STOPPERS]:
        recruit.stands_down = days.back(_STOPPED_BACK)
    for number, recruit in enumerate(recruits[:48]):
        recruit.post = _POSTS.get(number)
        if number % 3 == 0 and recruit.stands_down is None:
            recruit.form = f"{7 + number % 2}{'HWBCLR'[number // 3 % 6]}"
    return recruits


def _may_apply(pupil: Pupil, on: date, today: date) -> bool:
    return not pupil.left and pupil.year_on(on, today) in MENTOR_YEARS and pupil.is_here(on, today)


def _leavers(chance: random.Random, days: Days, pupils: Sequence[Pupil]) -> Iterator[tuple[Pupil, date]]:
    """Who was a mentor in the school year before this one and left for exams in May."""
    may = next_school_day(date(school_year(days.today), 5, 11))
    begins = days.back(183)
    if may >= days.today or (may - begins).days < _ENOUGH_DAYS:
        return
    leaving = [p for p in pupils if p.left and p.year_on(begins, days.today) in MENTOR_YEARS]
    for pupil in chance.sample(leaving, _LEAVERS):
        yield pupil, may
