"""The commands erase and keys. Whoever asks or approves signs in with their own password."""

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from getpass import getpass
from typing import Any, Final
from uuid import UUID, uuid4

from app.access.throttling import Throttled
from app.casework import Busy, NotFound
from app.cli.output import Commands, Failed, add_command, as_json, complain, progress, table
from app.cli.surroundings import settings_here
from app.commands import BY_KEY, OFFICERS, Invalid
from app.forgetting.certificate import Certificate, certificate
from app.forgetting.destroyed_list import DestroyedList
from app.forgetting.destroying import Forgetting, NowhereToList, apply_list
from app.forms import today
from app.house import House
from app.record.kek import KekRefused, load_kek, previous_files
from app.record.kek_roll import destroy_previous, roll, wrapped_by
from app.wording import data
from app.wording.common import day
from domain.fact import Refused
from projections.positions import wait_for
from projections.retention import Retention

SHOWN_SECONDS: Final = 10.0
NO_ERASURE: Final = "There is no such erasure."


def add_to(commands: Commands) -> None:
    """Make these commands known."""
    erase = add_command(commands, "erase", _erase, "Ask for an erasure, approve it, finish it, prove it.")
    what = erase.add_mutually_exclusive_group(required=True)
    what.add_argument("--due", action="store_true", help="list what the school's rules keep no longer")
    what.add_argument(
        "--request", type=UUID, metavar="ID", help="ask to erase a pupil, case, concern, mentor"
    )
    what.add_argument("--approve", type=UUID, metavar="ERASURE", help="approve a request, as a second person")
    what.add_argument("--resume", action="store_true", help="finish whatever was approved")
    what.add_argument("--apply-list", action="store_true", help="after a restore: destroy listed keys again")
    what.add_argument("--certificate", type=UUID, metavar="ERASURE", help="what was erased, by whom, when")
    _about_a_request(erase)
    erase.add_argument("--json", action="store_true")

    keys = commands.add_parser("keys", help="The key that wraps all others.")
    parts = keys.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_command(parts, "roll", _roll, "Make a new key-encryption key, and wrap every data key by it.")
    add_command(parts, "list", _list, "Which key-encryption keys are here, and how many keys each wraps.")
    old = "Destroy the keys that a roll replaced: when no backup from before it is kept any more."
    add_command(parts, "destroy-old", _destroy_old, old)


def _about_a_request(erase: ArgumentParser) -> None:
    erase.add_argument("--scope", choices=("identity", "narrative", "mentor"), help="which part of them")
    erase.add_argument("--grounds", choices=("retention", "data_subject"), default="retention")
    erase.add_argument("--reason", metavar="TEXT", help="what the review came to; names nobody")
    erase.add_argument("--as", dest="name", metavar="NAME", help="who you are; your password is asked for")


def _erase(said: Namespace) -> int:
    with House(settings_here()) as house:
        if said.due:
            return _due(house, said)
        if said.certificate:
            return _show(house, said.certificate, said.json)
        if said.resume:
            return _resume(house)
        if said.apply_list:
            return _apply(house)
        return _give(house, said)


def _due(house: House, said: Namespace) -> int:
    found = Retention(house.pool).due(house.casework.policy(), today())
    rows = [
        {"id": str(m.subject_id), "scope": m.scope, "due": m.keep_until.isoformat(), "parts": len(m.targets)}
        for m in found
    ]
    if said.json:
        as_json(rows)
    else:
        table(("id", "scope", "due", "parts"), [tuple(row.values()) for row in rows])
    return 0


def _give(house: House, said: Namespace) -> int:
    if not said.name:
        raise Failed("Say who you are: --as NAME.", status=2)
    asked: dict[str, Any] = {}
    if said.request:
        if not said.scope or not said.reason:
            raise Failed("A request needs --scope and --reason.", status=2)
        asked = {"scope": said.scope, "subject_id": said.request, "grounds": said.grounds}
        asked["reason"] = said.reason
    doing = BY_KEY["erasures/request" if said.request else "erasures/approve"]
    password = getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        person = house.accounts.by_password(said.name, password, "the server itself")
    except Throttled as throttled:
        raise Failed(f"Too many wrong passwords. Wait {throttled.seconds} seconds.") from None
    if person is None:
        raise Failed("The user name or the password isn't right.")
    if person.role not in OFFICERS:
        raise Failed("Only the head and the data protection officer ask for and approve erasures.")
    key = house.casework.key(person, f"command {doing.key}", str(uuid4()), asked)
    try:
        done = house.casework.run(doing, person, asked, key=key, subject_id=said.approve)
    except Busy:
        raise Failed("Others were recording the same things at this moment. Try again.") from None
    except NotFound:
        raise Failed(NO_ERASURE) from None
    except Refused as refused:
        raise Failed(refused.sentence) from None
    except Invalid as wrong:
        raise Failed(*(sentence for sentences in wrong.errors.values() for sentence in sentences)) from None
    wait_for(house.pool, done.position, timeout=SHOWN_SECONDS)
    print(done.subject.id)
    return 0


def _resume(house: House) -> int:
    done = Forgetting(house, progress).finish()
    wait_for(house.pool, house.recorder.max_notification_id() or 0, timeout=SHOWN_SECONDS)
    for erasure_id in done.completed:
        print(f"{erasure_id}: completed")
    for erasure_id in done.held:
        print(f"{erasure_id}: stopped by a legal hold")
    if not done.completed and not done.held:
        print("Nothing was left to finish.")
    return 0


def _apply(house: House) -> int:
    if house.settings.destroyed_file is None:
        raise NowhereToList("Set CASEBOOK_DESTROYED_FILE: the list of destroyed keys.")
    again = apply_list(house.keys_pool, DestroyedList(house.settings.destroyed_file))
    print(f"{len(again)} keys were there again and are destroyed.")
    if again:
        print("Now run: casebook rebuild")
    return 0


def _show(house: House, erasure_id: UUID, json: bool) -> int:
    found = certificate(house, erasure_id)
    if found is None:
        raise Failed(NO_ERASURE)
    if json:
        as_json(told_to_programs(found))
        return 0
    for line in data.certificate_lines(found):
        print(line)
    return 0


def told_to_programs(found: Certificate) -> dict[str, Any]:
    """A certificate as JSON values; checkpoints as the notes that they are."""
    said = asdict(found)
    for name in ("before", "after"):
        kept = getattr(found, name)
        said[name] = kept and {"origin": kept.origin, "size": kept.size, "note": kept.note}
    said["packs"] = [{"made_at": p.read_at, "account": p.account, "reason": p.reason} for p in found.packs]
    return said


def _roll(_said: Namespace) -> None:
    settings = settings_here()
    with House(settings) as house:
        name = roll(
            settings.kek_file, house.keys_pool, progress=lambda count: progress(f"{count:,} keys wrapped")
        )
    print(f"Every key is wrapped by {name} now, which lies in {settings.kek_file}.")
    print("Today: write it down anew for the safe. No back-up from now on can be opened with the old paper.")
    old = ", ".join(file.name for file in previous_files(settings.kek_file))
    print(f"Back-ups from before need the old key: keep its paper, and {old} beside the new one.")
    print("When none of them is kept: casebook keys destroy-old, and destroy the old paper")


def _list(_said: Namespace) -> int:
    settings = settings_here()
    with House(settings) as house:
        here = house.keks.names()
        wraps = wrapped_by(house.keys_pool)
    missing = sorted(wraps.keys() - set(here))
    called = ["in force", *["previous"] * (len(here) - 1), *["NOT HERE"] * len(missing)]
    keys = zip((*here, *missing), called, strict=True)
    table(("key", "is", "wraps"), [(name, word, wraps.get(name, 0)) for name, word in keys])
    for file in previous_files(settings.kek_file):
        try:
            load_kek(file)
        except KekRefused as refused:
            complain(str(refused))
    if missing:
        complain("What is wrapped by a key that isn't here can't be opened. Put its file beside the others.")
    return 1 if missing else 0


def _destroy_old(_said: Namespace) -> None:
    settings = settings_here()
    with House(settings) as house:
        names = destroy_previous(settings.kek_file, house.keys_pool)
    if not names:
        print(f"There is no old key beside {settings.kek_file}.")
        return
    print(
        f"Destroyed on {day(today())}: {', '.join(names)}. Destroy what is on paper and elsewhere of it too."
    )
