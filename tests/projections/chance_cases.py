"""Cases and concerns by chance: most of them go on well."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from domain.concern import Concern
from domain.concern_facts import Involved
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.pupil import Pupil
from tests.projections.chances import Chances, Happening


class Cases(Chances):
    """What happens in cases and concerns."""

    def refer(self) -> None:
        if len([case for case in self.all(MenteeCase) if case.state != "closed"]) > 8:
            return
        who: dict[str, Any] = {"pupil_id": self.some(Pupil).id}
        if self.chance.random() < 0.2:
            who = {"pupil_in_words": "the tall one in 7A"}
        case = self.new(MenteeCase)
        case.refer(
            self.by(), route="staff", reasons=("friendships",), words="Lonely", referred_by="Tutor", **who
        )

    def match(self, case: MenteeCase) -> None:
        if case.on_hold:
            return
        if case.pupil_id is None:
            value = str(self.some(Pupil).id)
            return case.correct(self.by(), version=1, field="pupil_id", value=value, reason="found")
        mentor = self.chance.choice([m for m in self.all(Mentor) if m.why_not_free(self.policy) is None])
        by = self.by()
        case.match(by, mentor_id=mentor.id)
        mentor.take_on(by, case_id=case.id)

    def case_changes(self) -> None:
        case, by = self.some(MenteeCase), self.by()
        mentor = self.with_id(Mentor, case.mentor_id)
        on = by.happened_on or self.today
        at = datetime.combine(self.today + timedelta(days=7), time(12, 30), UTC)
        always: list[tuple[float, Happening]] = [
            (0.3, lambda: case.send_letter(by, kind="Mentoring begins", sent_on=on)),
            (3.0 if case.on_hold else 0.2, lambda: case.release(by) if case.on_hold else case.hold(by)),
        ]
        together: list[tuple[float, Happening]] = [
            (0.5, lambda: case.ask_for_more(by, words="please")),
            (0.5, lambda: case.agree_purpose(by, purpose="Friends")),
            (0.3, lambda: case.end_match(by, reason="moved")),
            (1.5, lambda: case.arrange_session(by, at=at, place="Library")),
            (0.8, lambda: case.miss_session(by, due_on=on, reason="ill")),
        ]
        usual: dict[str, list[tuple[float, Happening]]] = {
            "referred": [(4, lambda: self.match(case)), (0.1, lambda: case.decline(by, reason="other help"))],
            "matched": [
                *together,
                (5, lambda: case.hold_session(by, held_on=on, minutes=30, focus="x", notes="y")),
                (0.1, lambda: case.close(by, outcome="left", reason="moved house")),
            ],
            "at_review": [
                *together,
                (6, lambda: case.extend(by, sessions=2, reason="r", mentee_wishes="w")),
                (3, lambda: case.close(by, outcome="better", reason="done")),
            ],
            "closed": [(0.3, lambda: case.reopen(by, reason="came back"))],
            "declined": [(0.5, lambda: case.reopen(by, reason="came back"))],
        }
        self.one_of(*always, *usual[case.state])
        if mentor and case.mentor_id != mentor.id:
            mentor.hand_back(by, case_id=case.id)

    def concern(self) -> None:
        case, concern, by = self.some(MenteeCase), Concern.blank(self.an_id()), self.by()
        if self.chance.random() < 0.3:
            # Told to staff, of somebody who has no mentor.
            concern.raise_concern(by, childs_words="…", about="staff", pupil_id=self.some(Pupil).id)
        else:
            other = Involved(self.some(Pupil).id, "saw it")
            concern.raise_concern(
                by,
                childs_words="…",
                immediate_danger=self.chance.choice((None, True, False)),
                case_id=case.id,
                pupil_id=case.pupil_id,
                involved=self.chance.choice(((), (other,))),
            )
            case.break_confidentiality(by, concern_id=concern.id)
        self.subjects.append(concern)

    def concern_changes(self) -> None:
        # The newest ones, so that each goes far.
        concern, by, day = self.chance.choice(self.all(Concern)[-3:]), self.by(), self.today
        due = day + timedelta(days=self.chance.randrange(3, 30))
        dealt_with: list[tuple[float, Happening]] = [
            (1.5, lambda: concern.assign_action(by, action="Ring home", owner="Lead", due_on=due)),
            (1.5, lambda: self.done(concern)),
            (1, lambda: self.put_off(concern)),
            (0.5, lambda: concern.assess(by, threshold="early help", reason="r")),
            (1, lambda: concern.refer_out(by, body="Social care", sent_at=datetime.now(UTC))),
            (0.7, lambda: concern.record_outcome(by, outcome="o", received_on=day)),
        ]
        self.one_of(
            *([] if concern.closed else dealt_with),
            (0.3, lambda: concern.notify(by, told=(self.an_id(),), channel="email")),
            (0.4, lambda: concern.share(by, with_whom="Head", what="w", basis="b")),
            (0.4, lambda: concern.inform_child(by, told_on=day, words="w")),
            (0.3, lambda: concern.acknowledge(by)),
            (0.7, lambda: concern.decide(by, decision="monitor", rationale="r", alternatives=None)),
            (1.5, lambda: concern.close(by, outcome="o", rationale="r")),
            (3, lambda: concern.approve_closing(by)),
            (2, lambda: concern.reopen(by, reason="more")),
            (2 if concern.transferred else 0.3, lambda: self.transfer(concern)),
        )

    def transfer(self, concern: Concern) -> None:
        if concern.transferred:
            concern.confirm_receipt(self.by(), received_on=self.today, by_whom="Office")
        else:
            concern.transfer(self.by(), to_school="Another", sent_on=self.today)

    def put_off(self, concern: Concern) -> None:
        action = self.chance.choice(sorted(concern.open_actions))
        value = self.typed("due_on")
        concern.correct(self.by(), version=action, field="due_on", value=value, reason="later")

    def done(self, concern: Concern) -> None:
        action = self.chance.choice(sorted(concern.open_actions))
        concern.complete_action(self.by(), action_version=action, done_on=self.today)

    def typed(self, field: str) -> str:
        return str(self.some(Pupil).id) if field == "pupil_id" else super().typed(field)

    def story_of(self, case: MenteeCase) -> tuple[UUID, ...]:
        """The case and its concerns: what is erased together."""
        return (case.id, *(c.id for c in self.all(Concern) if c.case_id == case.id))
