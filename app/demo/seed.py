"""Telling the whole invented year into an empty demo. It is all there, or it is begun again."""

from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

from app.access.person import Person
from app.casework import Casework
from app.demo.mentors import recruiting, supervising
from app.demo.people import PASSWORD, STAFF, move_up_day, pupils, roll_on
from app.demo.planning import DAYS, Year
from app.demo.plot import stories
from app.demo.recruits import MENTOR_YEARS
from app.demo.telling import Cast, Story, Teller, later
from app.demo.terms import at, school_days_back
from app.forms import LONDON
from app.house import House
from app.record.recorder import CommandKey
from app.roll_file import read_roll
from app.roll_import import import_roll
from app.staff_office import StaffOffice
from domain.fact import By
from domain.pupil import Pupil
from domain.scheme import SCHEME_ID
from domain.staff import SYSTEM, Staff
from projections.positions import wait_for
from projections.roll import Roll

WAIT_SECONDS: Final = 60.0
_MOST_PUPILS: Final = 2000
_DESTINATIONS: Final = ("Sixth-form college", "University", "Apprenticeship", "Further education college")
_COMMAND: Final = UUID("5c4e3e00-0000-4000-8000-000000000003")
_BEGUN: Final = CommandKey(_COMMAND, SYSTEM, "/demo/begun", b"casebook-demo/1")
_TOLD: Final = CommandKey(_COMMAND, SYSTEM, "/demo/told", b"casebook-demo/1")


class NotTold(Exception):
    """The story couldn't be told to its end."""


def is_begun(house: House) -> bool:
    """Whether somebody began to tell it here: then what is in the record is invented."""
    return house.recorder.remembered(_BEGUN) is not None


def is_told(house: House) -> bool:
    """Whether the whole year is in the record."""
    return house.recorder.remembered(_TOLD) is not None


def tell_the_year(house: House, school: str, now: datetime | None = None) -> None:
    """Tell everything. The record must be an empty demo's, and a projector must be keeping its lists.

    `school` is the name that pages show; `now` is the moment up to which the year is told.
    """
    now = (now or datetime.now(LONDON)).astimezone(LONDON)
    year = Year(now.date())
    begin = Teller(_casework(house), now, year.days)
    begin.casework.demo_time = begin.time(DAYS, "08:00")
    former = _first_of_all(begin.casework, house)
    office = StaffOffice(begin.casework, house.accounts)
    staff = {
        colleague.sign_in: Person(
            office.add(
                colleague.name,
                colleague.role,
                email=colleague.email,
                password=PASSWORD,
                sign_in_names=(colleague.sign_in,),
            ).account,
            colleague.role,
            colleague.name,
        )
        for colleague in STAFF
    }
    rules = {"school_name": school, "mentor_years": list(MENTOR_YEARS), "closing_needs_second_person": True}
    begin.give(staff["coordinator"], "scheme/adopt", SCHEME_ID, **rules)

    # Casework knows the rules for two seconds: this one asks for those that were adopted just now.
    t = Teller(_casework(house), now, year.days)
    cast = Cast(staff)
    office = StaffOffice(t.casework, house.accounts)
    t.tell(
        [
            _keep_the_roll(t, cast, house),
            *(recruiting(t, cast, office, recruit) for recruit in year.recruits),
            supervising(t, cast, year.recruits),
            *stories(t, cast, year),
        ]
    )
    t.casework.demo_time = later(now, -30)
    _last_of_all(t.casework, house, former)


def _casework(house: House) -> Casework:
    """A casework of its own, so that its invented time is nobody else's."""
    lead = next(colleague.name for colleague in STAFF if colleague.role == "dsl")
    return Casework(
        house.recorder,
        house.keys,
        house.mapper,
        secret=house.settings.secret_key,
        lead_name=lambda: lead,
    )


def _keep_the_roll(t: Teller, cast: Cast, house: House) -> Story:
    """The office's file when the record begins, and again in September, when everybody moves up."""
    roll = Roll(house.pool)

    def wait() -> None:
        newest = house.recorder.max_notification_id() or 0
        if not wait_for(house.pool, newest, ["roll"], timeout=WAIT_SECONDS):
            raise NotTold("The list of pupils didn't follow: is the projector running?")

    begins = t.day(DAYS)
    moves_up = move_up_day(begins, t.today)
    for day in filter(None, (begins, moves_up)):
        yield at(day, "08:10")
        if day == moves_up:
            _let_leave(t, cast, day)
        rows = read_roll(roll_on(day, t.today), day)
        import_roll(rows, t.casework, house.pool, roll, wait)
        wait()
        cast.ids.update(_ids(roll))


def _let_leave(t: Teller, cast: Cast, day: date) -> None:
    """Who isn't in the new year's file left on the last day of the old one."""
    last = school_days_back(day, 1)[0]
    office = cast.staff["data"]
    leavers: list[Pupil] = []
    for one in pupils():
        if one.is_here(last, t.today) and not one.is_here(day, t.today):
            pupil = t.casework.load(Pupil, cast.ids[one.name])
            if pupil is None:
                raise NotTold("Somebody on the list of pupils isn't in the record.")
            by = By(office.account, uuid4(), day, policy=t.casework.policy())
            pupil.leave(by, left_on=last, destination=_DESTINATIONS[len(leavers) % len(_DESTINATIONS)])
            leavers.append(pupil)
    if leavers:
        t.casework.save(leavers)


def _ids(roll: Roll) -> dict[str, UUID]:
    found = roll.pupils(limit=_MOST_PUPILS)
    return {f"{pupil.given_name} {pupil.family_name}": pupil.pupil_id for pupil in found}


def _first_of_all(casework: Casework, house: House) -> Staff:
    """The first fact, under a command id by which a story that was begun is known."""
    staff = Staff.blank(uuid4())
    staff.open_account(_by(casework, _BEGUN), name="Mr Marsh", role="referrer")
    casework.save([staff], key=_BEGUN, answer=staff)
    house.accounts.open(staff.id, "referrer", [], None)
    return staff


def _last_of_all(casework: Casework, house: House, staff: Staff) -> None:
    """The last fact, under a command id by which a complete story is known."""
    house.accounts.end(staff.id)
    staff.end_account(_by(casework, _TOLD), reason="Left the school.")
    casework.save([staff], key=_TOLD, answer=staff)


def _by(casework: Casework, key: CommandKey) -> By:
    return By(SYSTEM, key.command_id, casework.today(), policy=casework.policy())
