"""The people of the invented school: its roll as a file, and the staff who sign in."""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from app.demo.terms import first_day, school_year
from app.roll_file import COLUMNS
from app.upn import check_letter
from domain.staff import Role

SCHOOL: Final = "Hollinbrook School"
PASSWORD: Final = "hollinbrook"  # noqa: S105 - printed by the demo for everybody to use
_SCHOOL_NUMBER: Final = "9994321"  # no local authority has the number 999
_YEARS: Final = range(7, 14)


@dataclass(frozen=True)
class Pupil:
    """A pupil as the demo's file names them; `year_group` is the one of the present school year.

    `pronoun` is she or he. Who `left` did so when the school year before this one ended.
    """

    given_name: str
    family_name: str
    known_as: str
    birthday: str
    year_group: int
    form: str
    pronoun: str
    left: str = ""

    @property
    def name(self) -> str:
        """Given name and family name: no two of the file are alike."""
        return f"{self.given_name} {self.family_name}"

    @property
    def called(self) -> str:
        """What friends call them."""
        return self.known_as or self.given_name

    @property
    def shown(self) -> str:
        """As lists show them."""
        return f"{self.called} {self.family_name}"

    def year_on(self, day: date, today: date) -> int:
        """The year group on a day of this school year or of the one before."""
        return self.year_group - (school_year(today) - school_year(day))

    def is_here(self, day: date, today: date) -> bool:
        """Whether they are on the roll on a day of this school year or of the one before."""
        stays = not self.left or school_year(day) < school_year(today)
        return stays and self.year_on(day, today) in _YEARS

    def tutor_group(self, day: date, today: date) -> str:
        """Such as 7H."""
        return f"{self.year_on(day, today)}{self.form}"

    def born_on(self, today: date) -> date:
        """A birth date that fits the year group."""
        month, day = map(int, self.birthday.split("-"))
        first_september = school_year(today) - self.year_group - 5
        return date(first_september + (month < 9), month, day)


@dataclass(frozen=True)
class Colleague:
    """A member of staff with an account; people sign in with `sign_in`."""

    sign_in: str
    name: str
    role: Role

    @property
    def email(self) -> str:
        """An address that reaches nobody (RFC 2606)."""
        return f"{self.sign_in}@hollinbrook.example"


STAFF: Final = (
    Colleague("coordinator", "Ms Price", "coordinator"),
    Colleague("coordinator2", "Mr Bevan", "coordinator"),
    Colleague("dsl", "Ms Hughes", "dsl"),
    Colleague("deputy", "Mr Okonkwo", "deputy_dsl"),
    Colleague("head", "Mrs Adeyemi", "head"),
    Colleague("chair", "Mr Whitfield", "chair"),
    Colleague("tutor", "Mr Farrell", "referrer"),
    Colleague("inspector", "Ms Lindqvist", "inspector"),
    Colleague("data", "Mrs Dunne", "data_officer"),
    Colleague("admin", "Mr Ellis", "admin"),
)


@cache
def pupils() -> tuple[Pupil, ...]:
    """Everybody of the file: Years 7 to 13, and those who left in the summer."""
    text = files(__package__).joinpath("pupils.csv").read_text("utf-8")
    rows = csv.DictReader(io.StringIO(text))
    # A row of the file is text throughout; the one number is read on the spot, which the types can't follow.
    return tuple(Pupil(**{**row, "year_group": int(row["year_group"])}) for row in rows)  # type: ignore[arg-type]


def roll_on(day: date, today: date) -> bytes:
    """The school's roll on a day, as the file that an office would export."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    entered: Counter[int] = Counter()
    for pupil in pupils():
        entered[pupil.year_group] += 1
        if pupil.is_here(day, today):
            names = (pupil.given_name, pupil.family_name, pupil.known_as)
            upn = _upn(entered[pupil.year_group], pupil, today)
            year, form = pupil.year_on(day, today), pupil.tutor_group(day, today)
            writer.writerow([upn, *names, pupil.born_on(today), year, form])
    return out.getvalue().encode("utf-8-sig")


def move_up_day(begins: date, today: date) -> date | None:
    """The first day of this school year, when the record begins before it."""
    first = first_day(school_year(today))
    return first if begins < first <= today else None


def _upn(number: int, pupil: Pupil, today: date) -> str:
    # A few of the newest pupils came without one, as newcomers from abroad do.
    if pupil.year_group == _YEARS[0] and number % 50 == 0:
        return ""
    entered = school_year(today) - (pupil.year_group - _YEARS[0])
    rest = f"{_SCHOOL_NUMBER}{entered % 100:02d}{number:03d}"
    return check_letter(rest) + rest
