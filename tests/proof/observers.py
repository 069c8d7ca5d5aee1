"""Who looks after an attack, and what each of them says."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

import psycopg
from psycopg import errors

from app.access.person import Person
from app.cli.proof import anchor_of, kept_keys_of
from app.cli.surroundings import origin_of
from app.proof.anchor import AnchorRefuses
from app.proof.checkpoints import TornFile
from app.proof.pack import PackRefused, make_pack, newest_moment
from app.proof.pack_files import Asked, Event, events_jsonl, keys_json, packed
from app.proof.verifier import Checkpoint, Note, NotVerified, verify_pack
from app.proof.verify import Verifier
from app.record.data_key import DataKey
from app.record.errors import RecordUnavailable
from app.record.keys import KeyFault
from tests.proof.attack import Attack, Scene, signed_tree
from tests.proof.packs import PAPERS, WITNESS
from tests.proof.test_pack import told_briefly

OBSERVERS: Final = (
    ("triggers", "Database triggers"),
    ("anchor", "Anchor"),
    ("honest", "Pack, honest checkpoint"),
    ("stolen", "Pack, log key stolen"),
    ("paper", "… and older paper checkpoint"),
    ("witnessed", "… and newest witnessed one"),
    ("live", "`casebook verify`"),
)
"""Each observer's name, and the head of its column."""
MISSED: Final = "missed"
REFUSED: Final = "refused"
NOTHING: Final = "–"
_ANCHOR_SAYS: Final = {
    "It was cut": "length",
    "aren't these any more": "root",
    "is missing": "numbers",
    "with this key": "signature",
    "none so new": "file",
    "calls itself": "name",
}


def detected(check: str) -> str:
    return f"detected: {check}"


def triggers(scene: Scene, attack: Attack) -> str:
    """The statements as they are, by a superuser for whom nothing was switched off; then taken back."""
    if attack.statements is None and attack.keys is None:
        return MISSED if attack.ordinary else NOTHING
    tried = ((attack.statements, scene.superuser), (attack.keys, scene.keys_superuser))
    for statements, url in tried:
        if statements is None:
            continue
        with psycopg.connect(url) as connection:
            try:
                for statement in statements(scene):
                    connection.execute(statement.encode())
                if attack.aim and connection.execute(attack.aim.encode()).fetchone() != (True,):
                    return f"{REFUSED}: stamped anew"
            except (errors.InsufficientPrivilege, errors.IntegrityConstraintViolation):
                return REFUSED
            finally:
                connection.rollback()
    return MISSED


def done(scene: Scene, attack: Attack) -> None:
    """The attack itself, with everything that its maker has to switch off."""
    scene.touched = True
    if attack.statements is not None and not attack.aim:
        scene.alter(*attack.statements(scene), guarded=attack.guarded, rebuild=attack.rebuild)
    if attack.keys is not None:
        scene.alter_keys(*attack.keys(scene))
    if attack.act is not None:
        attack.act(scene)


def anchor(scene: Scene) -> str:
    """An anchor that was restarted, with its file. It looks last: what it misses, it signs."""
    try:
        anchor_of(scene.proven.settings).checkpoint()
    except TornFile:
        return detected("file")
    except AnchorRefuses as refused:
        return detected(next(check for words, check in _ANCHOR_SAYS.items() if words in str(refused)))
    return MISSED


def live(scene: Scene) -> str:
    """`casebook verify`, with the anchor's file and the log key's public half from elsewhere, on a machine
    that has the key-encryption key."""
    settings = scene.proven.settings
    try:
        verifier = Verifier(
            settings.database_url, kept_keys_of(settings), origin_of(settings), scene.key.verifier_key
        )
        faults = verifier.verify(("file", note) for note in scene.proven.file.notes()).faults
    except TornFile:
        return detected("file")
    return detected(", ".join(dict.fromkeys(fault.check for fault in faults))) if faults else MISSED


def packs(scene: Scene, attack: Attack) -> dict[str, str]:
    """What the four who are handed a pack say of it."""
    try:
        honest = attack.pack(scene, False) if attack.pack else a_pack(scene, scene.witnessed)
        said = verdict(scene, honest)
    except KeyFault:
        said = detected("keys")
    stolen = attack.pack(scene, True) if attack.pack else a_pack(scene)
    return {
        "honest": said,
        "stolen": verdict(scene, stolen),
        "paper": verdict(scene, stolen, scene.paper),
        "witnessed": verdict(scene, stolen, scene.witnessed),
    }


def verdict(scene: Scene, pack: bytes | None, *given: bytes) -> str:
    """What the verifier says of a pack, with checkpoints that were obtained otherwise."""
    if pack is None:
        return NOTHING
    witnesses = [WITNESS.verifier_key] if scene.witnessed in given else []
    try:
        verify_pack(pack, [scene.key.verifier_key], given, witnesses)
    except NotVerified as error:
        return detected(error.check)
    return MISSED


def a_pack(scene: Scene, checkpoint: bytes | None = None) -> bytes:
    """The pack of the case and its concern, of whatever the database holds.

    With a checkpoint as whoever can't sign another has to make it; without as a thief of the log key does,
    who counts the facts anew and signs a tree over them.
    """
    rows = scene.rows()
    if checkpoint is None:
        rows = [row._replace(number=number) for number, row in enumerate(rows, 1)]
        note = signed_tree(scene.key, scene.key.name, [row.leaf for row in rows])
    else:
        note = checkpoint
    covers = Checkpoint.parse(Note.parse(note).text)
    rows = [row for row in rows if row.number <= covers.size]
    subjects = (scene.case, scene.concern)
    events = [
        Event(row.number - 1, UUID(bytes=row.owner), row.version, row.name.decode(), row.at_us, row.state)
        for row in rows
        if UUID(bytes=row.owner) in subjects
    ]
    asked = Asked("Ms Hughes", "Estyn", "Inspection", newest_moment(scene.house), subjects)
    lines, keys = events_jsonl(events), keys_json(_keys(scene, events, every=checkpoint is None), events)
    return packed(scene.key, covers, note, asked, b"".join(row.leaf for row in rows), lines, keys, PAPERS)


def _keys(scene: Scene, events: list[Event], *, every: bool) -> dict[str, bytes]:
    found = {}
    for event in events:
        try:
            key = scene.house.keys.get(event.originator_id)
        except KeyFault:
            # A thief of the log key says that it was destroyed.
            if not every:
                raise
            continue
        if isinstance(key, DataKey):
            found[event.place] = key.content_key(event.originator_id, event.version)
    return found


def makes_a_pack(scene: Scene) -> bool:
    """Whether Casebook itself still makes the pack, or refuses to."""
    lead = Person(scene.lead, "dsl", "Ms Hughes")
    try:
        make_pack(
            scene.house,
            lead,
            [scene.case],
            for_whom="Estyn",
            why="Inspection",
            checkpoint=scene.witnessed,
            papers=told_briefly,
        )
    except (PackRefused, KeyFault, RecordUnavailable):
        return False
    return True


LOOK: Final[dict[str, Callable[[Scene], str]]] = {"live": live, "anchor": anchor}
"""Those who look at the record itself, in this order: the anchor leaves something behind."""


def all_say(scene: Scene, attack: Attack) -> dict[str, str]:
    """What each observer says of one attack."""
    said = dict.fromkeys(("triggers", *LOOK), NOTHING)
    if attack.pack is None:
        said["triggers"] = triggers(scene, attack)
        done(scene, attack)
    said |= packs(scene, attack)
    if attack.pack is None:
        said |= {name: look(scene) for name, look in LOOK.items()}
    return {name: said[name] for name, _ in OBSERVERS}
