"""The people on a page, looked up once: by name for readers who may know it, by a code for an inspector."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from app.access.policy import house, person
from app.naming import coded_names, mentors_of, names, reads_codes
from app.wording.common import _, day, year
from app.wording.names import Names, mentioned
from domain.fact import Fact
from projections.mentors import Mentor, Mentors
from projections.roll import Pupil, Roll
from projections.staff import Staff


@dataclass(frozen=True)
class People:
    """Names for sentences, and what the lists know of the pupils and mentors themselves."""

    names: Names
    pupils: Mapping[UUID, Pupil]
    mentors: Mapping[UUID, Mentor]

    def pupil(self, pupil_id: UUID | None, otherwise: str = "") -> dict[str, str]:
        """A pupil as rows and headers show one: name, year and form. `otherwise` stands for a missing one."""
        if pupil_id is None:
            return {"name": otherwise or _("A pupil not on the roll yet"), "year": "", "form": ""}
        row = self.pupils.get(pupil_id)
        return {
            "name": capital(self.names.pupil(pupil_id)),
            "year": year(row.year_group) if row else "",
            "form": row.tutor_group if row else "",
        }

    def mentor(self, mentor_id: UUID | None) -> str | None:
        """A mentor's name, or None without a mentor."""
        return capital(self.names.mentor(mentor_id)) if mentor_id else None

    def mentors_pupil(self, mentor_id: UUID | None) -> Pupil | None:
        """The mentor as a pupil on the roll."""
        mentor = self.mentors.get(mentor_id) if mentor_id else None
        return self.pupils.get(mentor.pupil_id) if mentor else None

    def called(self, account: UUID) -> str:
        """Somebody with an account, with their role: Ms Price, coordinator."""
        role = self.names.role(account)
        name = capital(self.names.person(account))
        title = self.names.title(role) if role else ""
        # A code says whose it is: Peer mentor 1EAC26.
        return f"{name}, {title}" if title and not name.startswith(capital(title)) else name


def people(
    facts: Iterable[Fact] = (),
    *,
    pupils: Iterable[UUID | None] = (),
    mentor_ids: Iterable[UUID | None] = (),
    accounts: Iterable[UUID | None] = (),
) -> People:
    """Everybody whom these facts mention, and these ids, as far as this reader may know them."""
    found = mentioned(facts)
    pool, policy = house().pool, house().casework.policy()
    coded = reads_codes(person())
    wanted_accounts = found.accounts | _given(accounts)
    staff_rows = Staff(pool).by_ids(wanted_accounts) if wanted_accounts else {}
    wanted_mentors = found.mentors | _given(mentor_ids)
    if coded:
        wanted_mentors |= mentors_of(staff_rows.values())
    mentor_rows = Mentors(pool).by_ids(wanted_mentors) if wanted_mentors else {}
    on_roll = found.pupils | _given(pupils) | {m.pupil_id for m in mentor_rows.values()}
    if coded:
        return People(coded_names(policy, staff_rows, mentor_rows, on_roll), {}, mentor_rows)
    pupil_rows = Roll(pool).by_ids(on_roll) if on_roll else {}
    named = {pupil_id: row.name for pupil_id, row in pupil_rows.items()}
    return People(names(policy, staff_rows, mentor_rows, named), pupil_rows, mentor_rows)


def born(row: Pupil) -> str:
    """A birth date, to tell two pupils apart."""
    return _("born {day}").format(day=day(row.born_on))


def capital(text: str) -> str:
    """A name at the beginning of a line."""
    return text[:1].upper() + text[1:]


def _given(ids: Iterable[UUID | None]) -> frozenset[UUID]:
    return frozenset(one for one in ids if isinstance(one, UUID))
