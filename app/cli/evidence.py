"""The commands of evidence packs: make one, and verify one."""

import argparse
import os
import sys
from argparse import Namespace
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from app.access.person import Person
from app.cli.output import Commands, Failed, add_command, progress
from app.house import House
from app.proof import verifier
from app.whole_file import sync_folder

OUTSIDE: Final = "somebody outside the school"


def add_to(commands: Commands) -> None:
    """Make these commands known."""
    made = add_command(
        commands, "evidence", _evidence, "Make an evidence pack of cases, for somebody outside."
    )
    made.add_argument("cases", nargs="+", type=UUID, metavar="CASE_ID")
    made.add_argument("--out", required=True, type=Path, metavar="FILE.zip", help="where to (-: piped)")
    made.add_argument("--reason", required=True, metavar="TEXT", help="why: noted, and in the pack")
    made.add_argument("--for", dest="for_whom", default=OUTSIDE, metavar="TEXT", help="who will get it")
    made.add_argument("--by", metavar="NAME", help="who makes it: a lead's or inspector's sign-in name")
    made.add_argument("--with-names", action="store_true", help="name the pupils whose cases these are")
    made.add_argument("--at", type=int, metavar="SIZE", help="up to this checkpoint (default: the newest)")
    made.add_argument("--when", type=_moment, metavar="TIME", help="to make one again: when it was made")
    made.add_argument("--force", action="store_true", help="replace the file if it is there")

    checked = add_command(commands, "verify-pack", verifier.run, "Verify an evidence pack.")
    verifier.add_arguments(checked)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise argparse.ArgumentTypeError("a time with its zone, such as 2026-06-14T13:00:00Z")
    return found


def _evidence(said: Namespace) -> None:
    from app.cli.surroundings import settings_here
    from app.proof.pack import (
        PackRefused,
        checkpoint_at,
        log_keys,
        make_pack,
        newest_moment,
        signing_key,
    )

    piped = str(said.out) == "-"
    if piped and sys.stdout.isatty():
        raise Failed("A pack isn't for the screen: nothing was made. Send it to a file: >pack.zip", status=2)
    if said.out.exists() and not said.force:
        raise Failed(f"{said.out} is already there: nothing was made (--force replaces it).")
    if not said.out.resolve().parent.is_dir():
        raise Failed(f"The folder of {said.out} isn't there: nothing was made.")
    progress("Making the pack")
    with House(settings_here()) as house:
        try:
            key = signing_key(house)
            keys = log_keys(house, key)
            when = said.when or newest_moment(house)
            pack = make_pack(
                house,
                _maker(house, said.by),
                said.cases,
                for_whom=said.for_whom,
                why=said.reason,
                when=when,
                with_names=said.with_names,
                checkpoint=None if said.at is None else checkpoint_at(house, said.at, when=when, keys=keys),
            )
        except PackRefused as refused:
            raise Failed(str(refused)) from None
    if piped:
        sys.stdout.buffer.write(pack)
    else:
        write_whole(said.out, pack)
    found = verifier.verify_pack(pack, keys)
    for line in (
        f"{'The pack' if piped else said.out}: {len(found.facts)} facts about {len(found.subjects)} "
        f"subjects, up to the checkpoint over {found.checkpoint.size} entries.",
        f"Made {found.manifest['when']} (--when makes the same again).",
        f"Whoever gets it needs the log key from elsewhere than from you: {key.verifier_key}",
    ):
        print(line, file=sys.stderr if piped else sys.stdout)


def _maker(house: House, name: str | None) -> Person:
    """Whose view the pack has, and who is noted: an account, or Casebook itself for the office."""
    from app.proof.pack import OFFICE

    if name is None:
        return OFFICE
    account = house.accounts.find(name)
    found = house.accounts.person(account) if account else None
    if found is None:
        raise Failed("There is no open account with this name.")
    return found


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in its place, whole or not at all, readable by its owner alone. Raises OSError.

    What a kill leaves beside it is replaced by the next one.
    """
    part = path.with_name(f".{path.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
