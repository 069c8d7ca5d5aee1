"""The office's commands: the roll, accounts and tokens. Each returns once the lists show what it did."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

from app.cli.output import Commands, Failed, add_command, as_json, complain, progress, table
from app.cli.surroundings import settings_here
from app.forms import today
from app.house import House
from app.roll_file import RollRefused, read_roll
from app.roll_import import import_roll
from app.staff_office import ROLES, StaffOffice
from domain.staff import SYSTEM
from projections.positions import wait_for
from projections.roll import Roll

SHOWN_SECONDS: Final = 10.0


def add_to(commands: Commands) -> None:
    """Make these commands known."""
    roll = commands.add_parser("roll", help="The school's pupils.")
    files = roll.add_subparsers(title="commands", metavar="COMMAND", required=True)
    imported = add_command(files, "import", _import, "Bring pupils in from a CSV file: all of it or nothing.")
    imported.add_argument("file", type=Path, metavar="FILE.csv", help="- reads standard input")
    imported.add_argument("--json", action="store_true", help="counts, warnings and errors as JSON")

    staff = commands.add_parser("staff", help="The people with an account.")
    people = staff.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = add_command(people, "add", _add, "Open an account and print its password, once.")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", required=True, choices=ROLES)
    add.add_argument("--email", metavar="ADDRESS")
    add.add_argument("--mentor", type=UUID, metavar="MENTOR_ID", help="whose account it is, for a mentor")
    listed = add_command(people, "list", _list, "Show who has an account.")
    listed.add_argument("--json", action="store_true")
    end = add_command(people, "end", _end, "End an account at once, with its sessions and tokens.")
    end.add_argument("name", metavar="NAME")
    end.add_argument("--reason", default="Ended by the administrator.")

    token = add_command(commands, "token", _token, "Print a new bearer token for the API, once.")
    token.add_argument("name", metavar="NAME")


def _import(said: Namespace) -> int:
    content = sys.stdin.buffer.read() if str(said.file) == "-" else said.file.read_bytes()
    try:
        rows = read_roll(content, today())
    except RollRefused as refused:
        if said.json:
            as_json({"imported": False, "errors": refused.errors})
        else:
            for line in refused.errors:
                print(line, file=sys.stderr)
        complain(str(refused))
        return 1
    progress(f"Comparing {len(rows)} pupils with the roll")
    with House(settings_here()) as house:
        done = import_roll(rows, house.casework, house.pool, Roll(house.pool), lambda: _caught_up(house))
        _shown(house, done.position)
    if said.json:
        counts = {name: getattr(done, name) for name in ("enrolled", "moved_up", "corrected", "unchanged")}
        as_json({"imported": True, **counts, "warnings": done.warnings})
        return 0
    for line in done.warnings:
        print(line, file=sys.stderr)
    print(
        f"{done.enrolled} new, {done.moved_up} moved to another year or form, "
        f"{done.corrected} corrected, {done.unchanged} as they were."
    )
    return 0


def _add(said: Namespace) -> None:
    with _office() as (house, office):
        opened = office.add(said.name, said.role, email=said.email, mentor_id=said.mentor)
        _shown(house, opened.position)
    if said.role == "mentor" and said.mentor is None:
        complain("This account sees no case, because it names no mentor (--mentor MENTOR_ID).")
    print(f"Signs in as “{said.name}”" + (f" or “{said.email}”" if said.email else ""))
    print(f"Password (shown this once): {opened.password}")


def _list(said: Namespace) -> None:
    with House(settings_here()) as house:
        found = house.staff.accounts(limit=200)
        accounts = list(found)
        while found:
            found = house.staff.accounts(after=found[-1].number, limit=200)
            accounts += found
        # Peer mentors are among them. Whoever is at the server has no account to name.
        ids = [a.account_id for a in accounts]
        house.reads.log(
            SYSTEM, "casebook staff list", ids, role="admin", field_class="accounts", position=None
        )
    if said.json:
        as_json(
            [
                {
                    "id": str(a.account_id),
                    "name": a.name,
                    "role": a.role,
                    "email": a.email,
                    "mentor_id": str(a.mentor_id) if a.mentor_id else None,
                    "ended": a.ended,
                }
                for a in accounts
            ]
        )
        return
    rows = [(a.name, a.role, a.email or "", "ended" if a.ended else "") for a in accounts]
    table(("name", "role", "e-mail", ""), rows)


def _end(said: Namespace) -> None:
    with _office() as (house, office):
        _shown(house, office.end(said.name, said.reason))
    print("The account has ended.")


def _token(said: Namespace) -> None:
    with _office() as (house, office):
        token, position = office.issue_token(said.name)
        _shown(house, position)
    print(token)


@contextmanager
def _office() -> Iterator[tuple[House, StaffOffice]]:
    with House(settings_here()) as house:
        yield house, StaffOffice(house.casework, house.accounts)


def _caught_up(house: House) -> None:
    """The roll must be up to date before it is compared, or pupils would be enrolled twice."""
    newest = house.recorder.max_notification_id() or 0
    if not wait_for(house.pool, newest, ["roll"], timeout=SHOWN_SECONDS):
        raise Failed(
            "The list of pupils isn't up to date, so nothing was imported. "
            "Is `casebook project` running? `casebook status` shows more."
        )


def _shown(house: House, position: int | None) -> None:
    if position is not None and not wait_for(house.pool, position, timeout=SHOWN_SECONDS):
        complain("It is recorded; the lists don't show it yet. Is `casebook project` running?")
