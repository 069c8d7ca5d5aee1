"""The commands of proof: anchor, checkpoint, log-key, verify."""

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

from app.cli.output import Commands, Failed, add_command, as_json
from app.cli.witness import (
    add_cosignature,
    add_outside_to,
    keys_of,
    mailing,
    print_proof,
    stamp_all,
)
from app.proof.checkpoints import CheckpointFile, whole_notes
from app.proof.log_key import create_log_key, load_log_key
from app.proof.note import SigningKey
from app.proof.verifier import NotVerified, VerifierKey
from app.settings import Settings


def add_to(commands: Commands) -> None:
    """Make these commands known."""
    anchor = add_command(
        commands, "anchor", _anchor, "Sign checkpoints of the record: on time, and after decisions."
    )
    anchor.add_argument("--check", action="store_true", help="only say whether the one that runs here does")
    checkpoint = add_command(commands, "checkpoint", _checkpoint, "Sign a checkpoint now, and print it.")
    add_outside_to(checkpoint)

    key = add_command(
        commands, "log-key", _log_key, "Print the public key that checkpoints are checked with."
    )
    key.add_argument(
        "--make", action="store_true", help="make the secret key first, in CASEBOOK_LOG_KEY_FILE"
    )
    key.add_argument(
        "--make-next", action="store_true", help="make the key after it, in CASEBOOK_NEXT_LOG_KEY_FILE"
    )

    verify = add_command(commands, "verify", _verify, "Check that the record is complete and unaltered.")
    verify.add_argument(
        "--log-key",
        metavar="VKEY",
        action="append",
        default=[],
        help="the public key, from where you keep it; then those before it",
    )
    verify.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="one that you obtained (-: piped)",
    )
    verify.add_argument(
        "--destroyed", metavar="FILE", type=Path, help="the list of destroyed keys, if it isn't the setting's"
    )
    verify.add_argument(
        "--clock-skew",
        metavar="SECONDS",
        type=seconds,
        help="how far the clocks of database and anchor may be apart (default: 120)",
    )
    verify.add_argument("--deep", action="store_true", help="read the header of every sealed entry too")
    verify.add_argument("--json", action="store_true")


def seconds(text: str) -> float:
    """So many seconds, for argparse."""
    found = float(text)
    # What isn't a number compares as nothing does: no time would ever be wrong.
    if not 0 <= found < inf:
        raise ArgumentTypeError("seconds, from 0 on")
    return found


def signing_key(settings: Settings) -> SigningKey:
    """The log key of this machine. Raises Failed, LogKeyRefused."""
    from app.cli.surroundings import origin_of

    if settings.log_key_file is None:
        raise Failed("Set CASEBOOK_LOG_KEY_FILE: only the anchor's machine can sign.")
    return load_log_key(settings.log_key_file, origin_of(settings))


def verifier_keys(settings: Settings) -> list[VerifierKey]:
    """The public halves, from the setting or from the keys themselves. Raises Failed, LogKeyRefused."""
    if settings.log_vkey:
        try:
            return [VerifierKey.parse(text) for text in settings.log_vkey.split()]
        except NotVerified as error:
            raise Failed(f"CASEBOOK_LOG_VKEY: {error.where}.") from None
    if settings.log_key_file is None:
        raise Failed("Give --log-key VKEY, or set CASEBOOK_LOG_VKEY: casebook log-key prints it.", status=2)
    return own_keys(settings)


def own_keys(settings: Settings) -> list[VerifierKey]:
    """The public halves of what signs here. Raises Failed, LogKeyRefused."""
    return [key.verifier_key for key in (signing_key(settings), *next_keys(settings))]


def next_keys(settings: Settings) -> list[SigningKey]:
    """The key that signs beside the log key until it takes its place. Raises LogKeyRefused."""
    from app.cli.surroundings import origin_of

    file = settings.next_log_key_file
    return [load_log_key(file, origin_of(settings))] if file and file.exists() else []


def checkpoint_file(settings: Settings) -> CheckpointFile:
    """The anchor's file. Raises Failed."""
    if settings.checkpoint_file is None:
        raise Failed("Set CASEBOOK_CHECKPOINT_FILE: a file outside the database, kept for good.")
    return CheckpointFile(settings.checkpoint_file)


def anchor_of(settings: Settings) -> Any:
    """The anchor of this machine. Raises Failed, LogKeyRefused."""
    from app.proof.anchor import Anchor

    key = signing_key(settings)
    also = next_keys(settings)
    return Anchor(settings.database_url, key.name, key, checkpoint_file(settings), also=also)


def _anchor(said: Namespace) -> None:
    import signal
    from threading import Event

    from app.cli.surroundings import anchor_here
    from app.logs import log_to_stderr
    from app.proof.signer import signing_for_others

    settings = anchor_here()
    if said.check:
        _check_anchor(settings)
        return
    anchor = anchor_of(settings)
    log_to_stderr()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        if settings.signer_listen:
            host, _, port = settings.signer_listen.rpartition(":")
            if not (host and port.isdecimal() and settings.signer_token):
                raise Failed("CASEBOOK_SIGNER_LISTEN is host:port, and needs CASEBOOK_SIGNER_TOKEN.")
            key, file = signing_key(settings), checkpoint_file(settings)
            stack.enter_context(signing_for_others(host, int(port), key, file, settings.signer_token))
        with mailing(settings, stop):
            anchor.run(stop)


def _check_anchor(settings: Settings) -> None:
    import psycopg

    from app.checkup import why_not_signed

    with psycopg.connect(settings.database_url, connect_timeout=10) as connection:
        wrong = why_not_signed(connection, checkpoint_file(settings))
    if wrong:
        raise Failed(wrong)
    print("Checkpoints are signed.")


def _checkpoint(said: Namespace) -> None:
    from app.cli.surroundings import anchor_here

    settings = anchor_here()
    if said.add_cosignature:
        add_cosignature(settings, said.add_cosignature)
        return
    if said.proof is not None:
        print_proof(settings, said.log, said.proof)
        return
    notes = anchor_of(settings).checkpoint()
    if not notes:
        raise Failed("The record is empty: there is nothing to sign.")
    if said.stamp:
        stamp_all(notes, checkpoint_file(settings).path.parent, said.stamp, said.stamp_authority)
        return
    print("\n".join(note.decode() for note in notes), end="")


def _log_key(said: Namespace) -> None:
    from app.cli.surroundings import anchor_here, origin_of

    settings = anchor_here()
    for wanted, file, setting in (
        (said.make, settings.log_key_file, "CASEBOOK_LOG_KEY_FILE"),
        (said.make_next, settings.next_log_key_file, "CASEBOOK_NEXT_LOG_KEY_FILE"),
    ):
        if not wanted:
            continue
        if file is None:
            raise Failed(f"Set {setting}: where the secret key is to be kept.")
        try:
            create_log_key(file, origin_of(settings))
        except FileExistsError:
            raise Failed(f"{file} is already there: nothing was changed.") from None
    keys = own_keys(settings) if settings.log_key_file else verifier_keys(settings)
    print("\n".join(map(str, keys)))


def _verify(said: Namespace) -> int:
    from app.cli.surroundings import origin_of, settings_here
    from app.proof.clocks import SKEW_SECONDS
    from app.proof.verify import Verifier

    settings = settings_here()
    key, *older = keys_of(said.log_key) or verifier_keys(settings)
    verifier = Verifier(
        settings.database_url,
        kept_keys_of(settings, said.destroyed),
        origin_of(settings),
        key,
        older=older,
        every_header=said.deep,
        skew=SKEW_SECONDS if said.clock_skew is None else said.clock_skew,
    )
    report = verifier.verify(_notes(settings, said.checkpoint), _bar if sys.stderr.isatty() else None)
    if said.json:
        as_json(_told_to_programs(report))
    else:
        _told_to_people(report)
    return 1 if report.faults else 0


def kept_keys_of(settings: Settings, destroyed: Path | None = None) -> Any:
    """The key store, with what this machine has to check it by: a list that was given, or the setting's where
    it is here, and the key-encryption key where it can be read. Raises Failed."""
    from app.forgetting.destroyed_list import DestroyedList
    from app.proof.kept_keys import KeptKeys
    from app.record.kek import KekRefused, Keks

    if destroyed is not None and not destroyed.exists():
        raise Failed(f"There is no file {destroyed}.", status=2)
    path = destroyed or settings.destroyed_file
    keks = None
    with suppress(KekRefused):
        keks = Keks.from_file(settings.kek_file)
    listed = DestroyedList(path) if path is not None and path.exists() else None
    return KeptKeys(settings.keys_database_url, listed, keks)


def _notes(settings: Settings, given: list[Path]) -> Iterator[tuple[str, bytes]]:
    """The anchor's own file where it is at hand, and what was given by hand."""
    if settings.checkpoint_file is not None and settings.checkpoint_file.exists():
        for note in CheckpointFile(settings.checkpoint_file).notes():
            yield "checkpoint file", note
    for path in given:
        raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        # A note by itself ends without the empty line that parts it from the next.
        for note in whole_notes(raw)[0] or [raw]:
            yield "standard input" if str(path) == "-" else path.name, note


def _bar(log: str, done: int, of: int) -> None:
    width = 40
    full = width * done // max(of, 1)
    end = "\n" if done == of else ""
    print(f"\r{log:<8}[{'#' * full}{'.' * (width - full)}] {done:,} of {of:,}", end=end, file=sys.stderr)


def _told_to_people(report: Any) -> None:
    names = {"events": "facts", "reads": "reads"}
    for one in report.logs:
        print(f"{one.entries:,} {names[one.log]}, compared with {one.compared} checkpoints.")
        if one.checkpoint is None:
            print("  There is no checkpoint: nothing shows that entries weren't changed or removed.")
            continue
        when = f"{datetime.fromtimestamp(one.signed_at, UTC):%d %B %Y, %H:%M UTC}" if one.signed_at else "?"
        after = max(one.entries - one.covered, 0)
        print(f"  Newest checkpoint: {one.covered:,} entries, signed {when}; {after:,} came after it.")
    for epoch in report.epochs:
        print("\n".join(epoch.told()))
    if not report.faults:
        print(
            "Verified. What is shown is complete and unaltered up to the newest checkpoint that you obtained"
        )
        print("independently: give such a one with --checkpoint.")
    for fault in report.faults:
        said = "FALSE ROW, passed over" if fault.passed_over else "NOT VERIFIED"
        print(f"{said} ({fault.log}, {fault.check}): {fault.text.removesuffix('.')}.")
    if report.faults and all(fault.passed_over for fault in report.faults):
        print(
            "What is recorded is what was signed. Somebody with the web server's password to the database "
            "added rows beside it: find out who, and change the password."
        )


def _told_to_programs(report: Any) -> dict[str, Any]:
    return {
        "verified": not report.faults,
        "logs": [
            {
                "log": one.log,
                "entries": one.entries,
                "checkpoint_size": one.checkpoint and one.checkpoint.size,
                "covered": one.covered,
                "signed_at": one.signed_at,
                "compared": one.compared,
            }
            for one in report.logs
        ],
        "epochs": ["\n".join(epoch.told()) for epoch in report.epochs],
        "faults": [vars(fault) for fault in report.faults],
    }
