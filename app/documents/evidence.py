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
from app.proof.checkpoints import Checkpoints, Kept, origin_of
from app.proof.log_key import LogKeyRefused
from app.proof.pack import PackRefused, make_pack, signing_key
from app.proof.verifier import Note, NotVerified, VerifierKey

if TYPE_CHECKING:
    from app.house import House

__all__ = ["NotDrawn", "PackRefused", "Standing", "pack_of", "sheet", "standing", "verifier_alone"]

_HEAD: Final = (
    "SELECT o.origin, h.size, clock_timestamp() FROM record.origin o, record.heads h WHERE h.log = 'events'"
)


@dataclass(frozen=True)
class Standing:
    """How proof stands at one moment.

    `facts` are all that are recorded; `events` and `reads` the newest checkpoints, if there are any; `key` is
    the public half of the log key, if this process knows it; `signs` whether it could sign a pack.
    """

    at: datetime
    origin: str
    facts: int
    events: Kept | None
    reads: Kept | None
    key: VerifierKey | None
    signs: bool

    @property
    def witnesses(self) -> tuple[str, ...]:
        """Who else signed the newest checkpoint, by the names of their keys."""
        if self.events is None:
            return ()
        signed = Note.parse(self.events.note.encode()).signatures
        return tuple(dict.fromkeys(name for name, _ in signed if name != self.origin))


def standing(house: "House") -> Standing:
    """How proof stands now. Raises what the record raises when it is out of reach."""
    with house.pool.connection() as connection:
        origin, facts, at = connection.execute(_HEAD).fetchone() or ("", 0, datetime.now(UTC))
    kept = Checkpoints(house.pool)
    key, signs = _key(house)
    return Standing(
        at=at,
        origin=origin,
        facts=facts,
        events=kept.newest(origin),
        reads=kept.newest(origin_of(origin, "reads")),
        key=key,
        signs=signs,
    )


def pack_of(
    house: "House", person: Person, cases: Sequence[UUID], *, for_whom: str, why: str, with_names: bool
) -> bytes:
    """An evidence pack of these cases, made now and noted before.

    Raises PackRefused, NotDrawn, RecordUnavailable.
    """
    return make_pack(house, person, cases, for_whom=for_whom, why=why, with_names=with_names)


def sheet(house: "House") -> bytes | None:
    """The governors' sheet with the newest checkpoints; None without a checkpoint or the log key's name.

    Raises NotVerified when the log key didn't sign them: then nobody should file a sheet, but ask why.
    """
    found = standing(house)
    if found.events is None or found.key is None:
        return None
    notes = [kept.note.encode() for kept in (found.events, found.reads) if kept is not None]
    school = house.casework.policy().school_name
    demo = found.origin.endswith("/demo")
    return checkpoint_sheet(notes, found.key, found.at, school, demo=demo)


def verifier_alone() -> bytes:
    """The single file with which anybody checks a pack."""
    return Path(verifier.__file__).read_bytes()


def _key(house: "House") -> tuple[VerifierKey | None, bool]:
    """The log key's public half, and whether the secret one is here as well."""
    try:
        return signing_key(house).verifier_key, True
    except (PackRefused, LogKeyRefused):
        pass
    try:
        return VerifierKey.parse(house.settings.log_vkey or ""), False
    except NotVerified:
        return None, False
