"""The witness's commands, which run elsewhere and need no settings, and the school's side of them."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import time
from typing import TYPE_CHECKING, Final

from app.cli.output import Commands, Failed, add_command, as_json
from app.proof.checkpoints import READS_SUFFIX
from app.proof.log_rows import LOGS
from app.proof.verifier import Checkpoint, NotVerified, VerifierKey

if TYPE_CHECKING:
    from app.proof.witness import Signed, Witness
    from app.settings import Settings

FIRST_SIGHT: Final = (
    "{origin}: seen for the first time. What came before can't be compared with anything: from now on it is."
)


def add_to(commands: Commands) -> None:
    """Make these commands known."""
    witness = commands.add_parser("witness", help="Watch a school's record from elsewhere.")
    parts = witness.add_subparsers(title="commands", metavar="COMMAND", required=True)

    key = add_command(parts, "key", _key, "Print this witness's public key; made the first time.")
    key.add_argument("--name", help="how the witness is called, as governors.example: for good")

    look = add_command(
        parts, "look", _look, "Ask the school for its newest checkpoints, check and sign them."
    )
    look.add_argument("address", metavar="URL", help="the school's Casebook, as typed into a browser")
    look.add_argument(
        "--token-file", metavar="FILE", type=Path, required=True, help="holds a token of an account there"
    )
    look.add_argument("--no-send", action="store_true", help="print the signatures, and don't bring them")

    sign = add_command(parts, "sign", _sign, "Check and sign a checkpoint that came in a file.")
    sign.add_argument("file", metavar="FILE", help="- reads standard input")
    sign.add_argument(
        "--proof", metavar="FILE", type=Path, action="append", default=[], help="shows that the log only grew"
    )

    for command in (look, sign):
        command.add_argument(
            "--accept",
            metavar="NAME",
            help="go on with this epoch: you read what its statement says is lost",
        )

    seen = add_command(parts, "seen", _seen, "Show what this witness saw last.")
    seen.add_argument("--json", action="store_true")
    for command in (look, sign, seen):
        command.add_argument(
            "--log-key", metavar="VKEY", action="append", required=True, help="the school's; both in a change"
        )
    for command in (key, look, sign, seen):
        command.add_argument(
            "--state",
            metavar="DIR",
            type=Path,
            default=Path("~/.casebook-witness"),
            help="what the witness remembers (default: %(default)s)",
        )


def add_outside_to(checkpoint: ArgumentParser) -> None:
    """What `casebook checkpoint` does with those outside: witnesses and time-stamping authorities."""
    checkpoint.add_argument(
        "--add-cosignature", metavar="FILE", help="keep what a witness sent; - reads standard input"
    )
    checkpoint.add_argument(
        "--proof", metavar="SIZE", type=entries, help="print what shows that the log only grew since then"
    )
    checkpoint.add_argument("--log", choices=LOGS, default="events", help="the log of --proof")
    checkpoint.add_argument(
        "--stamp", metavar="URL", help="have the newest checkpoints stamped (RFC 3161) by this authority"
    )
    checkpoint.add_argument(
        "--stamp-authority", metavar="FILE", type=Path, help="its root certificate, to check the stamp with"
    )


def entries(text: str) -> int:
    """So many entries of a log, for argparse."""
    found = int(text)
    if found < 1:
        raise ValueError
    return found


def keys_of(texts: list[str]) -> list[VerifierKey]:
    """Public keys from arguments. Raises Failed."""
    try:
        return [VerifierKey.parse(text) for text in texts]
    except NotVerified as error:
        raise Failed(f"--log-key: {error.where}.", status=2) from None


def add_cosignature(settings: "Settings", file: str) -> None:
    """Keep a witness's lines. Raises Failed."""
    from app.proof.known_keys import KnownKeys
    from app.proof.published import NotKept, Published
    from app.record.pool import open_pool

    with open_pool(settings.database_url, max_size=2) as pool:
        try:
            for kept in Published(pool, settings.witness_keys, KnownKeys(settings, pool)).keep_lines(
                _read(file).decode("utf-8", "replace")
            ):
                print(f"Kept: {kept.origin}, {kept.size:,} entries.")
        except NotKept as refused:
            raise Failed(str(refused)) from None


def print_proof(settings: "Settings", log: str, first: int) -> None:
    """What shows that a log's newest checkpoint goes on from `first` entries. Raises Failed."""
    from app.proof.known_keys import KnownKeys
    from app.proof.published import NotYet, Published
    from app.proof.witness import proof_text
    from app.record.pool import open_pool

    with open_pool(settings.database_url, max_size=2) as pool:
        published = Published(pool, keys=KnownKeys(settings, pool))
        newest = published.newest(log)
        while newest is not None:
            try:
                print(proof_text(published.proof(log, first, newest.size)), end="")
            except NotYet:
                continue
            except IndexError:
                break
            return
    raise Failed("No checkpoint goes so far.")


def stamp_all(notes: list[bytes], folder: Path, address: str, authority: Path | None) -> None:
    """Have these checkpoints stamped, and the stamps kept in this folder. Raises Failed."""
    from app.proof.stamp import NotStamped, stamp

    for note in notes:
        try:
            made = stamp(note, address, folder, authority)
        except NotStamped as why:
            raise Failed(str(why)) from None
        print(f"Stamped {_when(int(made.at.timestamp()))}: {made.answer}")


@contextmanager
def mailing(settings: "Settings", stop: Event) -> Iterator[None]:
    """Send each day's checkpoint beside the anchor, to whom the settings say, until it stops."""
    from app.post import post_of
    from app.proof.checkpoints import CheckpointFile
    from app.proof.mail import DailyMail

    if not settings.checkpoint_mail or settings.checkpoint_file is None:
        yield
        return
    file = CheckpointFile(settings.checkpoint_file)
    mail = DailyMail(post_of(settings), settings.checkpoint_mail, file)
    sending = Thread(target=mail.run, args=(stop,), name="mail")
    sending.start()
    try:
        yield
    finally:
        stop.set()
        sending.join()


@contextmanager
def _in_words() -> Iterator[None]:
    """What went wrong, as the command says it: all of it is for the governor. Raises Failed."""
    from app.proof.log_key import LogKeyRefused
    from app.proof.remote import Unreached
    from app.proof.witness import Odd, WitnessRefused

    try:
        yield
    except (Odd, WitnessRefused, Unreached, LogKeyRefused) as why:
        raise Failed(str(why)) from None


def _witness(said: Namespace) -> "Witness":
    from app.proof.witness import Witness

    witness = Witness(said.state.expanduser(), getattr(said, "name", None))
    if witness.is_new:
        says = "This witness is new. Let the school list its key in CASEBOOK_WITNESS_KEYS:"
        print(f"{says}\n{witness.verifier_key}", file=sys.stderr)
    return witness


@_in_words()
def _key(said: Namespace) -> None:
    print(_witness(said).verifier_key)


@_in_words()
def _seen(said: Namespace) -> None:
    names, witness = sorted({key.name for key in keys_of(said.log_key)}), _witness(said)
    seen = [one for name in names for one in witness.seen(name)]
    if not seen:
        raise Failed("Nothing was seen yet.")
    if said.json:
        as_json([{"origin": one.origin, "size": one.size} for one in seen])
        return
    for one in seen:
        print(f"{one.origin}: {one.size} entries")


@_in_words()
def _look(said: Namespace) -> None:
    from app.proof.remote import School, Unreached
    from app.proof.witness import notes_of, now_here

    keys, witness = keys_of(said.log_key), _witness(said)
    school = School(said.address, said.token_file.read_text("ascii", "replace"))
    done = []
    for log in LOGS:
        raw = school.latest(log)
        if raw is None:
            for name in sorted({key.name for key in keys}):
                witness.must_be_there(name, log, now_here())
            continue
        [note] = notes_of(raw)
        done.append(witness.sign(note, keys, school.proof, now_here(), log=log, accepted=said.accept))
    if not done:
        raise Failed("The school has no checkpoint yet: its anchor isn't running, or nothing was recorded.")
    for signed in done:
        _tell(signed)
    if not said.no_send:
        try:
            for signed in done:
                school.send(signed.note)
        except Unreached as why:
            raise Failed("The record is in order, and it is signed.", str(why)) from None


@_in_words()
def _sign(said: Namespace) -> None:
    from app.proof.witness import notes_of, now_here, proof_in

    keys, witness = keys_of(said.log_key), _witness(said)
    proofs = [proof_in(path.read_text("ascii", "replace")) for path in said.proof]

    def proof(seen: Checkpoint, found: Checkpoint) -> list[bytes]:
        return next((one for one in proofs if _shows(seen, found, one)), proofs[0] if proofs else [])

    notes = notes_of(_read(said.file))
    if not proofs:
        _refuse_without_proof(witness, notes)
    for note in notes:
        _tell(witness.sign(note, keys, proof, now_here(), accepted=said.accept))


def _refuse_without_proof(witness: "Witness", notes: list[bytes]) -> None:
    """Nothing is odd about a record that grew, only that nobody brought the proof of it. Raises Failed."""
    from app.proof.verifier import Note

    for note in notes:
        try:
            found = Checkpoint.parse(Note.parse(note).text)
        except NotVerified:
            continue
        seen = witness.last(found.origin)
        if seen and seen.size < found.size:
            log = "reads" if found.origin.endswith(READS_SUFFIX) else "events"
            raise Failed(
                f"Give --proof FILE. The school makes it: casebook checkpoint --proof {seen.size} --log {log}"
            )


def _shows(seen: Checkpoint, found: Checkpoint, proof: list[bytes]) -> bool:
    from app.proof.verifier import check_consistency

    try:
        check_consistency(seen.size, found.size, seen.root, found.root, proof)
    except NotVerified:
        return False
    return True


def _tell(signed: "Signed") -> None:
    """The line on stdout, for the school; what it means on stderr, for whoever watches."""
    now, before = signed.checkpoint, signed.before
    when = f", signed by the school {_when(signed.signed_at)}" if signed.signed_at else ""
    print(f"{now.origin}: {now.size:,} entries{when}.", file=sys.stderr)
    days = int(time() - signed.signed_at) // 86_400 if signed.signed_at else 0
    if days >= 2 and not now.origin.endswith(READS_SUFFIX):
        print(f"  That is {days} days old. Unless the school is closed, ask why.", file=sys.stderr)
    if before is None:
        print(FIRST_SIGHT.format(origin=now.origin), file=sys.stderr)
    elif before.size == now.size:
        print("  The same as when you last looked.", file=sys.stderr)
    else:
        print(f"  All {before.size:,} that you saw before are still there, unchanged.", file=sys.stderr)
    print(signed.line, end="")


def _when(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %B %Y, %H:%M UTC}"


def _read(file: str) -> bytes:
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
