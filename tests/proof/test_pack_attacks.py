"""What somebody could do to a pack who wants another story told, with the log key and without it."""

import json
from collections.abc import Sequence

import pytest
from jwcrypto import jwe, jwk

from app.proof.note import SigningKey, signed_note
from app.proof.verifier import (
    Checkpoint,
    Note,
    NotVerified,
    VerifierKey,
    verify_pack,
)
from app.record.base64url import to_base64url
from tests.proof.packs import (
    ALL_KEYS,
    CASE,
    CONCERN,
    KEYS,
    LEAVES,
    LOG,
    OTHER,
    PUPIL,
    TIME,
    WITNESS,
    as_keys,
    as_lines,
    checkpoint,
    cosigned,
    files_of,
    forged,
    forged_tree,
    lines_of,
    resealed,
    signed,
    small_pack,
    zipped,
)

PACK = small_pack()
FILES = files_of(PACK)
EVENTS = lines_of(FILES)
DISCLOSED = json.loads(FILES["keys.json"])


def refused(
    pack: bytes,
    check: str,
    *given: bytes,
    keys: Sequence[VerifierKey] = KEYS,
    witnesses: Sequence[VerifierKey] = (),
) -> None:
    with pytest.raises(NotVerified) as caught:
        verify_pack(pack, keys, given, witnesses)
    assert caught.value.check == check, caught.value


# With the log key


def test_an_event_that_is_withheld_is_missed_though_the_log_key_signed_it() -> None:
    for left_out in range(len(EVENTS)):
        events = [event for n, event in enumerate(EVENTS) if n != left_out]
        here = {f"{event['originator_id']}/{event['version']}" for event in events}
        keys = {place: key for place, key in DISCLOSED.items() if place in here}
        changed = {**FILES, "events.jsonl": as_lines(events), "keys.json": as_keys(keys)}
        refused(forged(changed), "withheld")


def without_leaf(index: int) -> dict[str, bytes]:
    """The pack without one fact anywhere, what follows moved up."""
    events = [event | {"index": event["index"] - (event["index"] > index)} for event in EVENTS]
    events = [event for event, old in zip(events, EVENTS, strict=True) if old["index"] != index]
    here = {f"{event['originator_id']}/{event['version']}" for event in events}
    keys = {place: key for place, key in DISCLOSED.items() if place in here}
    skeleton = b"".join(LEAVES[:index] + LEAVES[index + 1 :])
    return {
        **FILES,
        "skeleton.bin": skeleton,
        "events.jsonl": as_lines(events),
        "keys.json": as_keys(keys),
    }


def test_an_event_that_is_withheld_with_its_line_of_the_skeleton_leaves_another_root() -> None:
    refused(forged(without_leaf(3)), "skeleton")
    files = without_leaf(3)
    files["skeleton.bin"] += LEAVES[0]
    refused(forged(files), "root")


def test_with_a_forged_tree_as_well_it_leaves_a_gap_unless_it_was_the_subjects_last() -> None:
    for index in (1, 2, 3, 5):
        refused(forged_tree(without_leaf(index)), "versions")
    # Whoever has the log key can drop what came last; a checkpoint that was kept elsewhere tells.
    pack = forged_tree(without_leaf(6))
    assert verify_pack(pack, KEYS).checkpoint.size == 6
    refused(pack, "older", checkpoint(7))


def test_a_subject_whose_case_was_dropped_whole_is_missed_by_a_kept_checkpoint_alone() -> None:
    leaves = [leaf for leaf in LEAVES if leaf[:16] != CONCERN.bytes]
    events = [event | {"index": n} for n, event in enumerate(EVENTS[:3] + EVENTS[4:], 1)]
    keys = {place: key for place, key in DISCLOSED.items() if str(CONCERN) not in place}
    changed = {
        **FILES,
        "skeleton.bin": b"".join(leaves),
        "events.jsonl": as_lines(events),
        "keys.json": as_keys(keys),
    }
    pack = forged_tree(changed)
    refused(pack, "events")
    lines = Note.parse(files_of(pack)["manifest.txt"]).text.split("\n")
    assert str(CONCERN) in lines[3]
    pack = forged(files_of(pack), told={"subjects": [str(CASE)]})
    assert verify_pack(pack, KEYS).checkpoint.size == 6
    assert verify_pack(pack, KEYS, [checkpoint(4)]).checkpoint.size == 6
    refused(pack, "consistency", checkpoint(5))


def changed_event(**said: object) -> bytes:
    events = [event | said if event["index"] == 4 else event for event in EVENTS]
    return forged({**FILES, "events.jsonl": as_lines(events)})


@pytest.mark.parametrize(
    "said",
    [
        {"recorded_at_us": 1_788_000_000_000_000},
        {"topic": "concern.closed"},
        {"version": 2},
        {"originator_id": str(CASE)},
        {"state": EVENTS[0]["state"]},
        {"index": 0},
        {"index": 7},
    ],
    ids=str,
)
def test_a_fact_that_was_back_dated_renamed_moved_or_replaced_isnt_its_leaf(said: dict[str, object]) -> None:
    refused(changed_event(**said), "leaf")


def test_events_in_another_order_or_twice_or_of_others_are_refused() -> None:
    for events in ([EVENTS[1], EVENTS[0], *EVENTS[2:]], [*EVENTS, EVENTS[-1]], [EVENTS[0], *EVENTS]):
        refused(forged({**FILES, "events.jsonl": as_lines(events)}), "events")
    files = files_of(small_pack((PUPIL, CASE, CONCERN)))
    refused(forged(files, told={"subjects": [str(CASE), str(CONCERN)]}), "events")


def test_a_sealed_fact_that_was_moved_or_swapped_says_where_it_belongs() -> None:
    refused(resealed(EVENTS[0]["state"].encode()), "sealed fact")
    events = [*EVENTS[:3], EVENTS[3] | {"state": EVENTS[0]["state"]}, *EVENTS[4:]]
    keys = {place: key for place, key in DISCLOSED.items() if place != f"{CONCERN}/1"}
    files = files_of(resealed(EVENTS[0]["state"].encode()))
    # Also where nobody can open it.
    refused(forged({**files, "events.jsonl": as_lines(events), "keys.json": as_keys(keys)}), "sealed fact")


def test_keys_that_were_swapped_are_refused() -> None:
    places = list(DISCLOSED)
    swapped = DISCLOSED | {places[0]: DISCLOSED[places[1]], places[1]: DISCLOSED[places[0]]}
    refused(forged({**FILES, "keys.json": as_keys(swapped)}), "key commitment")
    wrong = DISCLOSED | {places[0]: to_base64url(bytes(32)).decode()}
    refused(forged({**FILES, "keys.json": as_keys(wrong)}), "key commitment")
    short = DISCLOSED | {places[0]: to_base64url(bytes(31)).decode()}
    refused(forged({**FILES, "keys.json": as_keys(short)}), "key commitment")


def test_keys_of_what_isnt_in_the_pack_are_refused() -> None:
    more = {f"{PUPIL}/1": to_base64url(ALL_KEYS[f"{PUPIL}/1"]).decode()}
    refused(forged({**FILES, "keys.json": as_keys(more | DISCLOSED)}), "keys")
    backwards = dict(reversed(DISCLOSED.items()))
    refused(forged({**FILES, "keys.json": as_keys(backwards)}), "keys")


# Checkpoints and witnesses


def test_a_checkpoint_that_was_kept_elsewhere_is_where_the_pack_began() -> None:
    for size in range(1, 8):
        assert verify_pack(PACK, KEYS, [checkpoint(size)]).checkpoint.size == 7
    assert verify_pack(PACK, KEYS, [checkpoint(size) for size in (3, 7, 1)]).checkpoint.size == 7
    several = b"\n".join(checkpoint(size) for size in (2, 5)) + b"\n"
    assert verify_pack(PACK, KEYS, [several]).checkpoint.size == 7
    assert verify_pack(PACK, KEYS, [checkpoint(5).replace(b"\n", b"\r\n")]).checkpoint.size == 7


def test_a_pack_that_is_older_than_a_checkpoint_that_was_given_is_refused() -> None:
    refused(small_pack(size=6), "older", checkpoint(7))
    refused(small_pack(size=6), "older", checkpoint(3), checkpoint(7))


def test_a_checkpoint_of_a_forked_log_is_refused() -> None:
    fork = [*LEAVES[:5], LEAVES[6], LEAVES[5]]
    for size in (6, 7):
        refused(PACK, "consistency", checkpoint(size, leaves=fork))
    assert verify_pack(PACK, KEYS, [checkpoint(5, leaves=fork)]).checkpoint.size == 7


def test_a_checkpoint_of_another_record_or_key_is_refused() -> None:
    other = signed(Checkpoint("another.example", 7, bytes(32)))
    refused(PACK, "checkpoint", other)
    refused(PACK, "signature", checkpoint(5, key=OTHER))
    refused(PACK, "signature", keys=[OTHER.verifier_key])
    refused(PACK, "signature", keys=[])
    refused(PACK, "note", b"")
    refused(PACK, "note", b"x\n\ny\n\nz")
    reads = signed(Checkpoint(f"{LOG.name}/reads", 5, bytes(32)))
    refused(PACK, "checkpoint", reads)
    assert verify_pack(PACK, KEYS, [checkpoint(5) + b"\n" + reads]).checkpoint.size == 7


def test_after_a_rotation_either_key_may_have_signed_and_a_bad_signature_of_either_rejects() -> None:
    both = [OTHER.verifier_key, LOG.verifier_key]
    assert verify_pack(PACK, both).signed_by == LOG.verifier_key
    text = Note.parse(FILES["checkpoint.txt"]).text
    bad = OTHER.sign(text + "x\n")
    refused(
        forged({**FILES, "checkpoint.txt": FILES["checkpoint.txt"] + bad.encode()}), "signature", keys=both
    )
    assert (
        verify_pack(forged({**FILES, "checkpoint.txt": FILES["checkpoint.txt"] + bad.encode()}), KEYS).time
        == TIME
    )


def test_a_checkpoint_that_says_another_size_than_the_manifest_is_refused() -> None:
    files = files_of(small_pack(size=6))
    manifest = files["manifest.txt"]
    text = Note.parse(manifest).text.replace("\n6\n", "\n7\n")
    refused(zipped({**files, "manifest.txt": signed_note(text, LOG.sign(text))}), "checkpoint")


def test_a_witness_must_have_signed_the_packs_checkpoint_or_one_that_was_given() -> None:
    key = WITNESS.verifier_key
    witnessed = small_pack(note=cosigned(checkpoint()))
    assert verify_pack(witnessed, KEYS, (), [key]).witnesses == {WITNESS.name: TIME + 60}
    assert verify_pack(witnessed, KEYS, (), [key.timed]).witnesses == {WITNESS.name: TIME + 60}
    assert verify_pack(PACK, KEYS, [cosigned(checkpoint(5))], [key]).witnesses == {WITNESS.name: TIME + 60}
    refused(PACK, "witness", witnesses=(key,))
    bad = SigningKey(WITNESS.name, WITNESS.seed).cosign("x\n", TIME)
    refused(small_pack(note=checkpoint() + bad.encode()), "signature", witnesses=(key,))
    assert verify_pack(small_pack(note=checkpoint() + bad.encode()), KEYS).witnesses == {}


# Another implementation


@pytest.mark.parametrize("number", range(len(EVENTS)))
def test_jwcrypto_opens_every_disclosed_fact_from_its_key_in_the_pack_alone(number: int) -> None:
    event = EVENTS[number]
    cek = DISCLOSED[f"{event['originator_id']}/{event['version']}"]
    token = jwe.JWE()
    token.allowed_algs = ["dir", "A256GCM"]
    token.deserialize(event["state"], jwk.JWK(kty="oct", k=cek))
    proven = verify_pack(PACK, KEYS).facts[number]
    assert json.loads(token.payload) == proven.payload
    assert json.loads(token.objects["protected"])["pub"] == proven.pub
