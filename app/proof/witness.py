"""The witness: it runs elsewhere, remembers what it saw last, and signs only what goes on from that.

It needs no database and believes nobody: the log key comes from the governors' papers, and what it saw before
is in its own folder. Whoever changes the record, or shows two people two records, is caught by its memory.
"""

import fcntl
import os
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final

from app.proof.checkpoints import READS_SUFFIX
from app.proof.log_key import create_log_key, load_log_key
from app.proof.note import SigningKey
from app.proof.verifier import Checkpoint, Note, NotVerified, VerifierKey, check_consistency
from app.whole_file import write_whole

Proof = Callable[[Checkpoint, Checkpoint], Sequence[bytes]]
"""Gives the hashes that are to show that the second checkpoint's log begins with the first's."""

UNSIGNED: Final = (
    "This checkpoint isn't signed with the log key that you gave. Either the key was mistyped, or the school "
    "changed it without telling you, or somebody else made this."
)
OTHER: Final = "This checkpoint is of another record than the one whose log key you gave."
SHORTER: Final = (
    "The record is shorter than it was: {seen} entries when you last looked, {now} now. Entries were taken "
    "away, or an old copy was put back."
)
FORKED: Final = (
    "At {now} entries the record was another one when you last looked: somebody shows different people "
    "different records, or rewrote it."
)
BROKEN: Final = (
    "It isn't shown that the {seen} entries which you saw are still there, unchanged, among the {now} of now."
)
GONE: Final = "You saw a checkpoint over {seen} entries, and the school shows none any more."
EPOCH: Final = (
    "The record goes on under a new name, {origin}: entries were lost, and the school says which. Ask for "
    "that statement, compare it with what you saw and, if it is right, go on with --accept {origin}"
)
BACK: Final = "The record shows itself under an earlier name than {origin}, under which you saw it last."
TELL: Final = (
    "Nothing was signed. What you saw before and what came now are kept in {file}. Tell the chair of "
    "governors and the data protection officer, and give them that file. Don't leave it to those who run the "
    "record."
)


class Odd(Exception):
    """Something that mustn't be. `kept` is the file with the evidence; the text is for the governor."""

    def __init__(self, what: str, kept: Path) -> None:
        super().__init__(f"{what} {TELL.format(file=kept)}")
        self.what = what
        self.kept = kept


class WitnessRefused(Exception):
    """The witness can't work with what it was given or has in its folder. The record may be fine."""


@dataclass(frozen=True)
class Signed:
    """A checkpoint that was found good, which it follows, when the school signed it, the witness's line."""

    checkpoint: Checkpoint
    before: Checkpoint | None
    signed_at: int | None
    line: str

    @property
    def note(self) -> str:
        """The checkpoint with the witness's signature alone."""
        return f"{self.checkpoint}\n{self.line}"


class Witness:
    """One witness with its folder: a key, and what was seen of each record.

    Raises WitnessRefused and OSError.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self._folder = folder
        for part in (folder, folder / "seen", folder / "evidence"):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            self.is_new = not (folder / "key").exists()
            self.key = self._key(name)

    @property
    def verifier_key(self) -> VerifierKey:
        """What the school lists, so that it takes this witness's signatures."""
        return self.key.verifier_key.timed

    def last(self, origin: str) -> Checkpoint | None:
        """What was seen last of a record."""
        raw = self._seen(origin)
        return Checkpoint.parse(Note.parse(raw).text) if raw else None

    def sign(
        self,
        raw: bytes,
        keys: Sequence[VerifierKey],
        proof: Proof,
        now: datetime,
        *,
        log: str | None = None,
        accepted: str | None = None,
    ) -> Signed:
        """Check a checkpoint against what was seen, remember it, and only then sign it.

        `keys` are the log's, one or, while they change, two; `log`, where it is known, is the one that was
        asked for, "events" or "reads"; `accepted` is the name of a later epoch with which somebody goes on.
        What is signed says when it was seen: `now`. Raises Odd, WitnessRefused, OSError, and whatever `proof`
        raises.
        """
        with self._alone():
            try:
                note = Note.parse(raw)
                found = Checkpoint.parse(note.text)
            except NotVerified as error:
                raise WitnessRefused(f"What came isn't a checkpoint: {error.where}.") from None
            if note.text != str(found) or not found.size:
                raise WitnessRefused("What came isn't a checkpoint that a witness can sign.")
            signed_at = self._check_signed(note, found, raw, keys, now, log)
            self._check_epoch(found, raw, now, accepted)
            before = self._followed(found, raw, proof, now)
            if before != found:
                write_whole(self._place(found.origin), raw)
            return Signed(found, before, signed_at, self.key.cosign(str(found), int(now.timestamp())))

    def must_be_there(self, name: str, log: str, now: datetime) -> None:
        """The school shows no checkpoint of this log. Raises Odd when there was one."""
        for seen in self.seen(name):
            if seen.origin.endswith(READS_SUFFIX) == (log == "reads"):
                raise self._odd(GONE.format(seen=seen.size), seen, b"", now)

    def seen(self, name: str) -> list[Checkpoint]:
        """What was seen last of a record, its log of reads, and their later epochs."""
        return [one for one in self._all_seen() if _is_of(one.origin, name)]

    def _all_seen(self) -> list[Checkpoint]:
        raws = [path.read_bytes() for path in sorted((self._folder / "seen").glob("*.txt"))]
        return [Checkpoint.parse(Note.parse(raw).text) for raw in raws]

    def _check_signed(
        self,
        note: Note,
        found: Checkpoint,
        raw: bytes,
        keys: Sequence[VerifierKey],
        now: datetime,
        log: str | None,
    ) -> int | None:
        """When the school signed it. A key of its own record must have, and no known key badly."""
        seen = self.last(found.origin)
        own = [key for key in keys if _is_of(found.origin, key.name)]
        if not own or (log and found.origin.endswith(READS_SUFFIX) != (log == "reads")):
            raise self._odd(OTHER, seen, raw, now)
        try:
            signed = [time for key in own for time in note.signed_by(key)]
            times = [time for key in own for time in note.signed_by(key.timed) if time is not None]
        except NotVerified:
            signed, times = [], []
        if not signed:
            raise self._odd(UNSIGNED, seen, raw, now)
        return max(times, default=None)

    def _check_epoch(self, found: Checkpoint, raw: bytes, now: datetime, accepted: str | None) -> None:
        """A record that goes on under another name lost entries: somebody has to know, and agree."""
        base, number = _epoch(found.origin)
        same_log = [one for one in self._all_seen() if _epoch(one.origin)[0] == base]
        newest = max(same_log, key=lambda one: _epoch(one.origin)[1], default=None)
        if newest is not None and number < _epoch(newest.origin)[1]:
            raise self._odd(BACK.format(origin=newest.origin), newest, raw, now)
        name = found.origin.removesuffix(READS_SUFFIX)
        if newest is not None and number > _epoch(newest.origin)[1] and accepted != name:
            raise self._odd(EPOCH.format(origin=name), newest, raw, now)

    def _followed(self, found: Checkpoint, raw: bytes, proof: Proof, now: datetime) -> Checkpoint | None:
        """What was seen before, if this goes on from it."""
        seen = self.last(found.origin)
        if seen is None or seen == found:
            return seen
        sizes = {"seen": seen.size, "now": found.size}
        if found.size < seen.size:
            raise self._odd(SHORTER.format(**sizes), seen, raw, now)
        if found.size == seen.size:
            raise self._odd(FORKED.format(**sizes), seen, raw, now)
        hashes = proof(seen, found)
        try:
            check_consistency(seen.size, found.size, seen.root, found.root, hashes)
        except NotVerified:
            raise self._odd(BROKEN.format(**sizes), seen, raw, now, hashes) from None
        return seen

    def _odd(
        self, what: str, seen: Checkpoint | None, raw: bytes, now: datetime, hashes: Sequence[bytes] = ()
    ) -> Odd:
        before = (self._seen(seen.origin) or b"") if seen else b"(nothing)\n"
        kept = b"\n".join(
            (
                f"{now:%Y-%m-%dT%H:%M:%SZ}\n{what}\n\nSeen before:\n".encode(),
                before,
                b"Shown now:\n",
                raw or b"(nothing)\n",
                b"What was to show that the one goes on from the other:\n",
                proof_text(hashes).encode() or b"(nothing)\n",
            )
        )
        path = self._folder / "evidence" / f"{now:%Y%m%dT%H%M%SZ}-{sha256(kept).hexdigest()[:8]}.txt"
        write_whole(path, kept)
        return Odd(what, path)

    def _key(self, name: str | None) -> SigningKey:
        """The key of this folder; made the first time, under the name that is given."""
        named, path = self._folder / "name", self._folder / "key"
        if path.exists() and not named.exists():
            raise WitnessRefused(f"{named} is missing: bring it back, or begin with an empty folder.")
        known = named.read_text().strip() if named.exists() else None
        kept = known or name or f"casebook-witness-{os.urandom(4).hex()}"
        if not re.fullmatch(r"[^\s+]{1,200}", kept):
            raise WitnessRefused("A witness's name has no spaces and no plus sign, as governors.example.")
        if name not in (None, kept):
            raise WitnessRefused(f"The witness of this folder is called {kept}.")
        if not path.exists():
            write_whole(named, f"{kept}\n".encode())
            return create_log_key(path, kept)
        return load_log_key(path, kept)

    def _seen(self, origin: str) -> bytes | None:
        try:
            return self._place(origin).read_bytes()
        except FileNotFoundError:
            return None

    def _place(self, origin: str) -> Path:
        plain = re.sub("[^A-Za-z0-9.-]", "_", origin)[:80]
        return self._folder / "seen" / f"{plain}-{sha256(origin.encode()).hexdigest()[:8]}.txt"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two at once could sign two stories."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _epoch(origin: str) -> tuple[str, int]:
    """Which log of which record this is in all its epochs, and the epoch's number: the first is 1."""
    name = origin.removesuffix(READS_SUFFIX)
    demo = "/demo" if name.endswith("/demo") else ""
    later = re.fullmatch("(.+)/epoch([0-9]{1,6})", name.removesuffix("/demo"))
    base, number = (later[1], int(later[2])) if later else (name.removesuffix("/demo"), 1)
    return base + demo + origin.removeprefix(name), number


def _is_of(origin: str, name: str) -> bool:
    """Whether this is one of the logs of the record `name`, in whatever epoch."""
    return _epoch(origin)[0] in (name, name + READS_SUFFIX)


def notes_of(raw: bytes) -> list[bytes]:
    """The notes in a file or an answer: one, or several with an empty line between them.

    Lines may end as an e-mail program ends them, and what stands around the notes is left out. Raises
    WitnessRefused.
    """
    parts = re.split(rb"\n(?:[ \t]*\n)+", raw.replace(b"\r\n", b"\n").strip())
    found = [
        b"%b\n\n%b\n" % pair
        for pair in pairwise(parts)
        if pair[1].startswith("— ".encode()) and not pair[0].startswith("— ".encode())
    ]
    if not found:
        raise WitnessRefused("There is no checkpoint in what came.")
    return found


def proof_text(hashes: Iterable[bytes]) -> str:
    """A proof as people pass it on: a hash in base64 on each line."""
    return "".join(f"{b64encode(one).decode()}\n" for one in hashes)


def proof_in(text: str) -> list[bytes]:
    """The hashes of a proof. Raises WitnessRefused."""
    try:
        found = [b64decode(line, validate=True) for line in text.split()]
    except (NotBase64, ValueError):
        raise WitnessRefused("What came isn't a proof: hashes in base64, one on each line.") from None
    if len(found) > 200:
        raise WitnessRefused("What came is too long for a proof.")
    return found


def now_here() -> datetime:
    """The time by this machine."""
    return datetime.now(UTC)
