"""Raising a concern, which nothing may refuse."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from app.casework.answers import Busy, Done, Person
from app.casework.giving import TRIES, Giving, gone
from app.forms import LONDON
from app.record.errors import CommandReused, RecordUnavailable, VersionConflict
from app.record.patience import has_waited
from app.record.recorder import CommandKey
from domain.concern import Concern
from domain.fact import By, Subject, day
from domain.mentee_case import MenteeCase


class Casework(Giving):
    """Commands, concerns and whole streams, on one record."""

    def raise_concern(
        self, person: Person, said: dict[str, Any], *, key: CommandKey, case_id: UUID | None = None
    ) -> Done:
        """Raise a concern, and put its case on hold in the same transaction. Never refused: what doesn't fit
        is kept as a gap, and if the case can't be saved in three tries the concern is saved alone.

        Raises CommandReused and RecordUnavailable only.
        """
        said, by = self._made_to_fit(person, key, said)
        concern_id = uuid4()
        self.keys.create(concern_id)
        with_case = TRIES
        for attempt in range(TRIES + 1):
            case = self._case_or_none(case_id) if attempt < with_case else None
            concern = Concern.blank(concern_id)
            pupil_id = case.pupil_id if case and isinstance(case.pupil_id, UUID) else None
            concern.raise_concern(by, **said, case_id=case_id, pupil_id=pupil_id)
            changed: list[Subject] = [concern]
            if case is not None and not case.erased:
                case.break_confidentiality(by, concern_id=concern_id)
                changed.append(case)
            try:
                appended = self.save(changed, key=key, answer=concern)
            except VersionConflict:
                continue
            except CommandReused:
                raise
            except Exception as error:
                if len(changed) == 1 or (isinstance(error, RecordUnavailable) and has_waited()):
                    raise
                # Whatever is wrong with the case, such as its key or its row, isn't wrong with the concern.
                with_case = 0
                continue
            if appended.replayed:
                remembered = self.recorder.remembered(key) or gone()
                first = self.load(Concern, remembered.originator_id, remembered.position) or gone()
                return self._with_case(Done(first, remembered.position, replayed=True), case_id)
            done = Done(concern, appended.position, recorded_at=appended.recorded_at)
            return replace(done, case=case if len(changed) > 1 else None)
        raise Busy

    def raised_before(self, key: CommandKey, case_id: UUID | None) -> Done | None:
        """The first answer to raising a concern under this command id."""
        remembered = self.recorder.remembered(key)
        if remembered is None:
            return None
        concern = self.load(Concern, remembered.originator_id, remembered.position) or gone()
        return self._with_case(Done(concern, remembered.position, replayed=True), case_id)

    def _case_or_none(self, case_id: UUID | None) -> MenteeCase | None:
        """The case, or None when it can't be read: a broken case never stops a concern."""
        if case_id is None:
            return None
        try:
            return self.load(MenteeCase, case_id)
        except RecordUnavailable:
            raise
        except Exception:
            return None

    def _with_case(self, done: Done, case_id: UUID | None) -> Done:
        """The case as it stood when the concern was first saved with it."""
        if case_id is None:
            return done
        return replace(done, case=self.load(MenteeCase, case_id, upto=done.position))

    def _made_to_fit(
        self, person: Person, key: CommandKey, said: dict[str, Any]
    ) -> tuple[dict[str, Any], By]:
        said = {name: value for name, value in said.items() if value is not None}
        gaps = list(said.pop("gaps", ()))
        happened_on = said.pop("happened_on", None)
        if happened_on is not None and happened_on > self.today():
            gaps.append(f"The day was given as {day(happened_on)}, which is in the future.")
            happened_on = None
        disclosed_at = said.get("disclosed_at")
        if isinstance(disclosed_at, str):
            said["disclosed_at"], gap = _moment(disclosed_at)
            gaps.extend(gap)
        if not said.get("childs_words") and not said.get("facts"):
            gaps.append("Nothing was written. Ask the person who raised it what happened.")
        said["gaps"] = tuple(gaps)
        return said, self._by(person, key, happened_on)


def _moment(text: str) -> tuple[datetime | None, list[str]]:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=LONDON)
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None, [f"The time of the disclosure was given as “{text}”."]
    if found.year < 1900:
        return None, [f"The time of the disclosure was given as {text}, which can't be right."]
    if found > datetime.now(UTC):
        return None, [f"The time of the disclosure was given as {text}, which is in the future."]
    return found, []
