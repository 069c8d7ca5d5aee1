"""A school of its own for the benchmarks: one PostgreSQL, our record in it, the stock library's beside."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.embedded import Embedded
from app.house import House
from app.record.keys import create_kek
from app.record.migrate import migrate
from app.settings import Settings
from domain.fact import By, Subject
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.pupil import Pupil
from domain.staff import Staff

# The same in each of the processes that write facts.
ACCOUNT = UUID("0b1c5d1e-6f0a-4a53-9d0e-3f4f2f9f7c11")
START = date(2026, 9, 1)
BORN = date(2014, 5, 4)
NOTES = "Something of the length that people write here. " * 4
FOLDER = "/tmp"  # noqa: S108 -- the database needs a short path that its own user may enter


@dataclass(frozen=True)
class Ground:
    """Where the benchmarks run."""

    settings: Settings
    house: House
    stock_env: dict[str, str]
    superuser_url: str


@contextmanager
def ground() -> Iterator[Ground]:
    """Start everything; end it afterwards."""
    with TemporaryDirectory(prefix="casebook-bench-", dir=FOLDER, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        embedded = Embedded(folder / "data")
        embedded.start()
        try:
            with psycopg.connect(embedded.url("superuser"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE stock")
            owner = embedded.url("owner"), embedded.url("owner", "casebook_keys")
            migrate(*owner, origin="casebook.example/bench")
            create_kek(folder / "kek")
            settings = Settings(
                database_url=embedded.url("app"),
                keys_database_url=embedded.url("app", "casebook_keys"),
                kek_file=folder / "kek",
                secret_key="bench",
                origin="casebook.example/bench",
                data_dir=folder,
            )
            with House(settings, pool_size=16) as house:
                yield Ground(
                    settings, house, _stock_env(embedded.url("superuser")), embedded.url("superuser")
                )
        finally:
            embedded.stop()
            embedded.remove()


def _stock_env(url: str) -> dict[str, str]:
    told = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": "stock",
        "POSTGRES_HOST": str(told["host"]),
        "POSTGRES_PORT": str(told.get("port", 5432)),
        "POSTGRES_USER": str(told["user"]),
        "POSTGRES_PASSWORD": str(told["password"]),
        # A connection for each of thirty-two writers, so that none of them waits for one.
        "POSTGRES_POOL_SIZE": "32",
        "POSTGRES_MAX_OVERFLOW": "0",
    }


def a_case(facts: int, people: "People | None" = None) -> MenteeCase:
    """A matched case with so many facts in all, as mentoring goes, not yet saved."""
    pupil_id, mentor_id = people or (uuid4(), uuid4())
    case = MenteeCase.blank(uuid4())
    words = {"route": "staff", "reasons": ("friendships",), "words": "x" * 120, "referred_by": "Form tutor"}
    case.refer(by(), pupil_id=pupil_id, **words)
    case.match(by(), mentor_id=mentor_id)
    for n in range(facts - 2):
        if case.state == "at_review":
            case.extend(by(), sessions=6, reason="Going well, not done yet.", mentee_wishes="Six more.")
        elif n % 3 == 0:
            case.arrange_session(
                by(), at=datetime(2026, 9, 14, 11, tzinfo=UTC), place="Library, by the window"
            )
        elif n % 6 == 4:
            case.miss_session(by(), due_on=START, reason="Away on the Year 7 trip.")
        elif n % 9 == 8:
            case.dispute(by(), version=n, words="That isn't how I remember it.")
        else:
            case.hold_session(by(), held_on=START, minutes=30, focus="Lunch time", notes=NOTES)
    return case


class People(NamedTuple):
    """Those whom a case is about, as the lists know them."""

    pupil_id: UUID
    mentor_id: UUID


def people(house: House, pairs: int = 1) -> tuple[list[People], int]:
    """Mentees and mentors on the roll, and whoever records; with the position at which lists know them."""
    office = Staff.blank(ACCOUNT)
    office.open_account(by(), name="Ms Price", role="coordinator")
    subjects: list[Subject] = [office]
    met = []
    for _ in range(pairs):
        mentee, other, mentor = Pupil.blank(uuid4()), Pupil.blank(uuid4()), Mentor.blank(uuid4())
        for pupil, name in ((mentee, "Mia"), (other, "Tom")):
            pupil.enrol(
                by(), given_name=name, family_name="Jones", born_on=BORN, year_group=7, tutor_group="7B"
            )
        mentor.apply(by(), pupil_id=other.id, statement="I would like to help.")
        subjects += (mentee, other, mentor)
        met.append(People(mentee.id, mentor.id))
    return met, house.casework.save(subjects).position


def by() -> By:
    """The next command of the one who records everything here."""
    return By(account=ACCOUNT, command_id=uuid4(), today=START)


def subject_of(event: StoredEvent) -> UUID:
    """Whom a sealed fact is about; the library would take texts for ids too."""
    subject = event.originator_id
    return subject if isinstance(subject, UUID) else UUID(subject)


def save(house: House, subjects: Sequence[Subject]) -> list[UUID]:
    """Write many new subjects in few transactions."""
    subjects = list(subjects)
    for start in range(0, len(subjects), 100):
        house.casework.save(subjects[start : start + 100])
    return [subject.id for subject in subjects]


def settle(ground: Ground) -> None:
    """Let the database clear up after what was made to be measured, not beside what is measured."""
    for name in ("casebook", "stock"):
        url = make_conninfo(ground.superuser_url, dbname=name)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")


def per_second(work: Callable[[Any], object], items: Sequence[Any], threads: int) -> float:
    """How many items a second the work does, by so many threads at once, each with a share of them."""

    def give(share: Sequence[Any]) -> None:
        for item in share:
            work(item)

    start = perf_counter()
    if threads == 1:
        give(items)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(give, [items[n::threads] for n in range(threads)]))
    return len(items) / (perf_counter() - start)


Measured = tuple[float, ...]


def side_by_side(
    ours: Callable[[], Measured], theirs: Callable[[], Measured], rounds: int = 3
) -> list[tuple[float, float]]:
    """Medians of both, number by number, taken in turns so that a noisy minute hits both."""
    turns = [(ours(), theirs()) for _ in range(rounds)]
    return [
        (median(row), median(stock))
        for row, stock in zip(
            zip(*(turn[0] for turn in turns), strict=True),
            zip(*(turn[1] for turn in turns), strict=True),
            strict=True,
        )
    ]
