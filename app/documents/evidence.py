"""What pages ask about proof: how it stands, the pack of chosen cases, the governors' sheet, the verifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.access.person import Person
from app.documents.paper import NotDrawn
from app.documents.sheet import checkpoint_sheet
from app.proof import verifier
from app.proof.checkpoints import Checkpoints, Kept
from app.proof.epoch import entries, statements_in
from app.proof.pack import PackRefused, make_pack
from app.proof.verifier import Epoch, Note, NotVerified, VerifierKey

if TYPE_CHECKING:
    from app.house import House

__all__ = ["NotDrawn", "PackRefused", "Standing", "pack_of", "sheet", "standing", "verifier_alone"]

_HEAD: Final = (
    "SELECT o.origin, h.size, clock_timestamp() FROM record.origin o, record.heads h WHERE h.log = 'events'"
)


@dataclass(frozen=True)
class Standing:
    """How proof stands at one moment.

    `origin` is the name under which checkpoints are signed now: the record's own (`first`), or its epoch's.
    `facts` are all that are recorded; `events` and `reads` the newest checkpoints, if there are any; `keys`
    the public halves of the log key, as far as this process knows them; `signs` whether packs are made here.
    `epochs` say which entries were lost, if any ever were.
    """

    at: datetime
    first: str
    origin: str
    facts: int
    events: Kept | None
    reads: Kept | None
    keys: tuple[VerifierKey, ...]
    signs: bool
    epochs: tuple[Epoch, ...] = ()

    @property
    def covered(self) -> int:
        """How many facts the newest checkpoint covers."""
        return entries(self.events.size, self.events.origin, self.first) if self.events else 0

    @property
    def looks_covered(self) -> int:
        """How many looks the newest checkpoint of theirs covers."""
        return entries(self.reads.size, self.reads.origin, self.first) if self.reads else 0

    @property
    def demo(self) -> bool:
        """Whether everything here is invented."""
        return self.first.endswith("/demo")

    @property
    def witnesses(self) -> tuple[str, ...]:
        """Who else signed the newest checkpoint, by the names of their keys."""
        if self.events is None:
            return ()
        own = {self.first, self.origin, *(key.name for key in self.keys)}
        signed = Note.parse(self.events.note.encode()).signatures
        return tuple(dict.fromkeys(name for name, _ in signed if name not in own))

    @property
    def key(self) -> VerifierKey | None:
        """The log key that signed the newest checkpoint; None where none of those known here did."""
        if self.events is None:
            return None
        try:
            note = Note.parse(self.events.note.encode())
            return next((key for key in self.keys if note.signed_by(key)), None)
        except NotVerified:
            return None


def standing(house: "House") -> Standing:
    """How proof stands now. Raises what the record raises when it is out of reach."""
    found = _standing(house)
    likely = Checkpoints(house.pool).newest(found.origin) if house.settings.signer_url else None
    if likely and (found.events is None or found.events[:3] != likely[:3]):
        # Another key may have taken the place of the one that the anchor had when it was asked.
        house.log_keys.ask_again()
        found = _standing(house)
    return found


def _standing(house: "House") -> Standing:
    keys = house.log_keys()
    with house.pool.connection() as connection:
        first, facts, at = connection.execute(_HEAD).fetchone() or ("", 0, datetime.now(UTC))
        epochs = statements_in(connection, keys)
    origin = epochs[-1].origin if epochs else first
    newest, settings = house.published.newest, house.settings
    return Standing(
        at=at,
        first=first,
        origin=origin,
        facts=facts,
        events=newest("events"),
        reads=newest("reads"),
        keys=keys,
        signs=bool(settings.signer_url or settings.log_key_file),
        epochs=tuple(epochs),
    )


def pack_of(
    house: "House", person: Person, cases: Sequence[UUID], *, for_whom: str, why: str, with_names: bool
) -> bytes:
    """An evidence pack of these cases, made now and noted before.

    Raises PackRefused, NotDrawn, RecordUnavailable.
    """
    return make_pack(house, person, cases, for_whom=for_whom, why=why, with_names=with_names)


def sheet(house: "House") -> bytes | None:
    """The governors' sheet with the newest checkpoints; None without a checkpoint that a log key signed."""
    found = standing(house)
    if found.events is None or found.key is None:
        return None
    notes = [kept.note.encode() for kept in (found.events, found.reads) if kept is not None]
    school = house.casework.policy().school_name
    try:
        return checkpoint_sheet(notes, found.key, found.at, school, demo=found.demo)
    except NotVerified:
        return None


def verifier_alone() -> bytes:
    """The single file with which anybody checks a pack."""
    return Path(verifier.__file__).read_bytes()
