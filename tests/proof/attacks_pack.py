"""Attacks on an evidence pack that was made: by whoever handed it on, without the log key and with it."""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from app.proof.note import SigningKey
from app.proof.verifier import FILES, Note, event_leaf, stored_zip
from app.record.base64url import from_base64url, to_base64url
from tests.proof.attack import Attack, Scene, says, signed_tree
from tests.proof.packs import WITNESS, as_keys, as_lines, files_of, forged, lines_of, zipped
from tests.proof.test_two_keys import opens_under_both

Files = dict[str, bytes]
Event = dict[str, Any]

HANDED: Final = "whoever hands the pack on"
MAKER: Final = "whoever makes the pack"
WITH_KEY: Final = "Whoever has the log key can sign "


def handed_on(
    change: Callable[[Scene, Files], Files], *, tree: bool = False, told: Mapping[str, Any] | None = None
) -> Callable[[Scene, bool], bytes]:
    """The pack with some files changed: as it is, or with whatever the log key can sign.

    That is a manifest, in which something else is `told`, and with `tree` a new tree.
    """

    def made(scene: Scene, stolen: bool) -> bytes:
        files = files_of(scene.pack)
        files |= change(scene, files)
        if not stolen:
            return zipped(files)
        if tree:
            leaves = [files["skeleton.bin"][at : at + 56] for at in range(0, len(files["skeleton.bin"]), 56)]
            files["checkpoint.txt"] = signed_tree(scene.key, scene.key.name, leaves)
        return forged(files, scene.key, told)

    return made


def with_events(files: Files, events: list[Event], keys: Mapping[str, Any] | None = None) -> Files:
    """These events, and the keys of those that are there."""
    disclosed = json.loads(files["keys.json"]) if keys is None else keys
    places = [f"{event['originator_id']}/{event['version']}" for event in events]
    return {
        "events.jsonl": as_lines(events),
        "keys.json": as_keys({place: disclosed[place] for place in places if place in disclosed}),
    }


def purpose(scene: Scene, files: Files) -> int:
    """Which of the pack's events is the one from between the checkpoints."""
    return [event["index"] for event in lines_of(files)].index(scene.mid - 1)


def without_an_event(scene: Scene, files: Files) -> Files:
    events = lines_of(files)
    del events[purpose(scene, files)]
    return with_events(files, events)


def without_a_leaf(which: Callable[[Scene, Files], int]) -> Callable[[Scene, Files], Files]:
    """Without an event and its line of the skeleton; whatever follows moves up."""

    def change(scene: Scene, files: Files) -> Files:
        events = lines_of(files)
        gone: int = events.pop(which(scene, files))["index"]
        moved = [event | {"index": event["index"] - (event["index"] > gone)} for event in events]
        skeleton = files["skeleton.bin"]
        return {
            **with_events(files, moved),
            "skeleton.bin": skeleton[: gone * 56] + skeleton[gone * 56 + 56 :],
        }

    return change


def without_the_concern(scene: Scene, files: Files) -> Files:
    events = [event for event in lines_of(files) if event["originator_id"] != str(scene.concern)]
    text = Note.parse(files["manifest.txt"]).text.replace(f',"{scene.concern}"', "")
    assert str(scene.concern) not in text
    return {
        **with_events(files, events),
        "manifest.txt": files["manifest.txt"].replace(
            Note.parse(files["manifest.txt"]).text.encode(), text.encode()
        ),
    }


def without_the_case_that_matters(scene: Scene, stolen: bool) -> bytes | None:
    return None if stolen else scene.pack


def with_a_wrong_key(scene: Scene, files: Files) -> Files:
    keys = json.loads(files["keys.json"])
    keys[f"{scene.case}/1"] = to_base64url(bytes(range(32))).decode()
    return {"keys.json": as_keys(keys)}


def without_a_key(scene: Scene, files: Files) -> Files:
    keys = json.loads(files["keys.json"])
    del keys[f"{scene.concern}/1"]
    return {"keys.json": as_keys(keys)}


def another_event(**said: Any) -> Callable[[Scene, Files], Files]:
    def change(scene: Scene, files: Files) -> Files:
        events = lines_of(files)
        events[purpose(scene, files)] |= said
        return {"events.jsonl": as_lines(events)}

    return change


def two_stories(scene: Scene, files: Files) -> Files:
    """The concern's first fact, in a ciphertext that opens under another key to another story as well."""
    events, keys = lines_of(files), json.loads(files["keys.json"])
    at = [event["originator_id"] for event in events].index(str(scene.concern))
    place, parts = f"{scene.concern}/1", events[at]["state"].encode().split(b".")
    first, second = from_base64url(keys[place].encode()), sha256(b"another story").digest()
    body, tag = opens_under_both(first, second, from_base64url(parts[2]), parts[0], b"\0" * 32)
    state = b".".join([parts[0], b"", parts[2], to_base64url(body), to_base64url(tag)])
    events[at]["state"] = state.decode()
    event = events[at]
    leaf = event_leaf(UUID(event["originator_id"]).bytes, 1, event["topic"], event["recorded_at_us"], state)
    begin = event["index"] * 56
    skeleton = files["skeleton.bin"][:begin] + leaf + files["skeleton.bin"][begin + 56 :]
    keys[place] = to_base64url(second).decode()
    return {**with_events(files, events, keys), "skeleton.bin": skeleton}


def another_file(name: str, old: bytes = b"", new: bytes = b"x") -> Callable[[Scene, Files], Files]:
    """One of the files that people read, with something else in it."""

    def change(_: Scene, files: Files) -> Files:
        assert old in files[name]
        return {name: files[name].replace(old, new) if old else files[name] + new}

    return change


def another_reason(_: Scene, files: Files) -> Files:
    return {"manifest.txt": files["manifest.txt"].replace(b'"why":"Inspection"', b'"why":"Curiosity"')}


def an_older_one(scene: Scene, stolen: bool) -> bytes:
    return scene.old_pack


def by_another_key(scene: Scene, stolen: bool) -> bytes | None:
    stranger = SigningKey(scene.key.name, bytes(range(32)))
    return None if stolen else forged(files_of(scene.pack), stranger)


def with_another_file(scene: Scene, stolen: bool) -> bytes:
    files = files_of(scene.pack)
    return stored_zip([*((name, files[name]) for name in FILES), ("more.txt", b"More")])


def with_more_bytes(scene: Scene, stolen: bool) -> bytes:
    return scene.pack + b"\0"


def witnessed_falsely(scene: Scene, files: Files) -> Files:
    """Under the checkpoint stands what the witness signed of another one."""
    text, _, lines = files["checkpoint.txt"].decode().partition("\n\n")
    ours = [line for line in lines.splitlines(keepends=True) if WITNESS.name not in line]
    line = WITNESS.cosign(Note.parse(scene.paper).text, 1_800_000_000)
    return {"checkpoint.txt": f"{text}\n\n{''.join(ours)}{line}".encode()}


PAPERS: Final = (
    WITH_KEY
    + "papers that say anything: what people read is drawn from the facts, and isn't proof of them. Read "
    "verify-pack --show, which tells the history from the proven facts."
)
CHOSEN: Final = (
    "A pack is complete for the subjects that it names. The case itself names the concern that it opened, "
    "and the skeleton shows that there are more subjects: ask for them by their numbers."
)

PACKS: Final = (
    Attack(
        "Withhold an event",
        HANDED,
        says("–", "–", "digest", "withheld", "withheld", "withheld", "–"),
        pack=handed_on(without_an_event),
    ),
    Attack(
        "Withhold an event with its line of the skeleton",
        HANDED,
        says("–", "–", "digest", "versions", "versions", "older", "–"),
        pack=handed_on(without_a_leaf(purpose), tree=True),
    ),
    Attack(
        "Withhold a subject's last event with its line of the skeleton",
        HANDED,
        says("–", "–", "digest", "missed", "missed", "older", "–"),
        WITH_KEY + "a shorter tree that lacks what came last. A newer checkpoint kept elsewhere tells.",
        pack=handed_on(without_a_leaf(lambda *_: -1), tree=True),
    ),
    Attack(
        "Withhold a whole concern from a pack that has it",
        HANDED,
        says("–", "–", "signature", "missed", "missed", "missed", "–"),
        WITH_KEY + "a pack about fewer subjects. " + CHOSEN,
        pack=handed_on(without_the_concern),
    ),
    Attack(
        "Not choose the case that matters when the pack is made",
        MAKER,
        says("–", "–", "missed", "–", "–", "–", "–"),
        CHOSEN,
        pack=without_the_case_that_matters,
    ),
    Attack(
        "Disclose a fact under a wrong key",
        HANDED,
        says("–", "–", "digest", "key commitment", "key commitment", "key commitment", "–"),
        pack=handed_on(with_a_wrong_key),
    ),
    Attack(
        "Show another story by a second key that opens the same ciphertext",
        "whoever seals, and hands the pack on",
        says("–", "–", "digest", "key commitment", "consistency", "consistency", "–"),
        pack=handed_on(two_stories, tree=True),
    ),
    Attack(
        "Leave out the key of a fact, so that it stays sealed",
        HANDED,
        says("–", "–", "digest", "missed", "missed", "missed", "–"),
        WITH_KEY
        + "a pack that discloses less. That the fact is there, when it was recorded and what it is called is "
        "shown all the same, and that it is sealed: ask why.",
        pack=handed_on(without_a_key),
    ),
    Attack(
        "Back-date an event",
        HANDED,
        says("–", "–", "digest", "leaf", "leaf", "leaf", "–"),
        pack=handed_on(another_event(recorded_at_us=1_700_000_000_000_000)),
    ),
    Attack(
        "Rename an event",
        HANDED,
        says("–", "–", "digest", "leaf", "leaf", "leaf", "–"),
        pack=handed_on(another_event(topic="mentee-case.closed")),
    ),
    Attack(
        "Say that an event came at another place",
        HANDED,
        says("–", "–", "digest", "leaf", "leaf", "leaf", "–"),
        pack=handed_on(another_event(index=0)),
    ),
    Attack(
        "Alter the history that people read (history.html)",
        HANDED,
        says("–", "–", "digest", "missed", "missed", "missed", "–"),
        PAPERS,
        pack=handed_on(another_file("history.html")),
    ),
    Attack(
        "Alter the history on paper (history.pdf)",
        HANDED,
        says("–", "–", "digest", "missed", "missed", "missed", "–"),
        PAPERS,
        pack=handed_on(another_file("history.pdf")),
    ),
    Attack(
        "Alter what the manifest says of why the pack was made",
        HANDED,
        says("–", "–", "signature", "missed", "missed", "missed", "–"),
        WITH_KEY
        + "any manifest: who made it, for whom and why is what its maker says. The log of reads tells who "
        "made which pack.",
        pack=handed_on(another_reason, told={"why": "Curiosity"}),
    ),
    Attack(
        "Put a witness's signature of another checkpoint under this one",
        HANDED,
        says("–", "–", "digest", "missed", "missed", "signature", "–"),
        "A witness says something to those alone who name the witness's key (--witness); they find the "
        "signature wrong.",
        pack=handed_on(witnessed_falsely),
    ),
    Attack(
        "Hand over an older pack as if it were new",
        HANDED,
        says("–", "–", "missed", "missed", "missed", "older", "–"),
        "It is true as far as it goes, and the verifier shows how old its checkpoint is. A newer "
        "checkpoint tells.",
        pack=an_older_one,
    ),
    Attack(
        "Sign the pack with a key of one's own",
        HANDED,
        says("–", "–", "signature", "–", "–", "–", "–"),
        pack=by_another_key,
    ),
    Attack(
        "Put another file into the archive",
        HANDED,
        says("–", "–", "archive", "archive", "archive", "archive", "–"),
        pack=with_another_file,
    ),
    Attack(
        "Add a byte to the archive",
        HANDED,
        says("–", "–", "archive", "archive", "archive", "archive", "–"),
        pack=with_more_bytes,
    ),
)
