"""What people of the invented year write about a case: drawn from lists, and true of whom it is about.

A sentence that isn't true of everybody stands in a list of its own, and is drawn only where it is true.
"""

import random
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from app.demo.people import Pupil
from app.demo.plans import Plan
from app.demo.recruits import Deck, Recruit
from app.demo.tales import lists, say

_FORMS: Final = "HWBCLR"
_YOUNGEST: Final = 7
_SAYS_MORE: Final = 0.3
"""How often a reason says what is true of this mentor only, where there is something to say."""


def tutor_of(form: str) -> str:
    """Who is tutor of a form such as 7H, for as long as it is called that."""
    tutors = lists()["tutors"]
    return tutors[(int(form[:-1]) - _YOUNGEST) * len(_FORMS) + _FORMS.index(form[-1])]


def form_of(tutor: str) -> str:
    """The form whose tutor that is."""
    year, form = divmod(lists()["tutors"].index(tutor), len(_FORMS))
    return f"{_YOUNGEST + year}{_FORMS[form]}"


def objections() -> list[tuple[str, str]]:
    """What a guardian objects to, and what was agreed after all; the first is still waiting for that."""
    pairs = (line.partition("|") for line in lists()["objections"])
    return [(said.strip(), agreed.strip()) for said, _, agreed in pairs]


class Wording:
    """Draws sentences for the cases of one year."""

    def __init__(self, chance: random.Random, today: date) -> None:
        self._chance = chance
        self._today = today
        self._decks: dict[str, Deck] = {}

    def draw(self, name: str) -> str:
        """The next sentence of a list."""
        if name not in self._decks:
            self._decks[name] = Deck(self._chance, lists()[name])
        return self._decks[name].draw()

    def write(self, plans: Sequence[Plan]) -> None:
        """Fill in what was written about these cases; who has which mentor is known by now."""
        before: dict[str, list[tuple[datetime, datetime | None]]] = {}
        for plan in sorted(plans, key=lambda one: one.matched or one.referred):
            if plan.mentor is None or plan.matched is None:
                continue
            plan.match_reason = self._why(plan.mentor, plan.pupil, plan.matched, before)
            ended = plan.second.ended if plan.second else plan.ended
            before.setdefault(plan.mentor.pupil.name, []).append((plan.matched, ended))
            if plan.second:
                second = plan.second
                second.match_reason = self._why(second.mentor, plan.pupil, second.matched, before)
                before.setdefault(second.mentor.pupil.name, []).append((second.matched, plan.ended))
            plan.expectations = plan.say(self.draw("expectations"))
            plan.place = plan.tale.place or self.draw("places")
            plan.letters = plan.say(self.draw("letters")), plan.say(self.draw("last_letters"))
            for meeting in plan.meetings:
                meeting.missed = plan.say(meeting.missed)
                meeting.place = (meeting.session.place if meeting.session else "") or plan.place

    def _why(
        self,
        mentor: Recruit,
        mentee: Pupil,
        on: datetime,
        before: dict[str, list[tuple[datetime, datetime | None]]],
    ) -> str:
        """Why this mentor."""
        had = before.get(mentor.pupil.name, [])
        kinds = ["matches_first"] if not had else []
        if any(ended and ended < on for _, ended in had):
            kinds.append("matches_again")
        if mentor.form == mentee.tutor_group(on.date(), self._today):
            kinds.append("matches_form")
        special = bool(kinds) and self._chance.random() < _SAYS_MORE
        reason = self.draw(kinds[-1] if special else "matches")
        return say(reason, mentee, mentor.pupil.called)
