"""Whatever is done to the bytes of a pack, it doesn't verify any more."""

import zipfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.proof.note import signed_note
from app.proof.verifier import FILES, Note, NotVerified, stored_zip, unpacked, verify_pack
from tests.proof.packs import (
    ALL_KEYS,
    CASE,
    CONCERN,
    KEYS,
    LOG,
    OTHER,
    TIME,
    checkpoint,
    files_of,
    forged,
    forged_tree,
    lines_of,
    small_pack,
    zipped,
)

PACK = small_pack()
SMALLEST = small_pack((CONCERN,), 5)


def refused(data: bytes, check: str | None = None) -> str:
    with pytest.raises(NotVerified) as caught:
        verify_pack(data, KEYS)
    assert check is None or caught.value.check == check, caught.value
    return caught.value.check


def test_a_pack_verifies_and_says_what_it_holds() -> None:
    found = verify_pack(PACK, KEYS)
    assert (found.checkpoint.origin, found.checkpoint.size, found.time) == (LOG.name, 7, TIME)
    assert found.signed_by == LOG.verifier_key
    assert found.manifest["for_whom"] == "Estyn"
    assert found.subjects == (str(CASE), str(CONCERN))
    assert [(fact.index, fact.version) for fact in found.facts] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 1),
        (5, 4),
        (6, 5),
    ]
    assert found.facts[3].payload is not None
    assert found.facts[3].payload["childs_words"] == "He hits me"


def test_the_archive_is_one_that_every_tool_opens_and_that_pythons_own_would_make() -> None:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files_of(PACK).items():
            archive.writestr(zipfile.ZipInfo(name), content)
    assert made.getvalue() == PACK
    with zipfile.ZipFile(BytesIO(PACK)) as archive:
        assert archive.testzip() is None
        assert tuple(archive.namelist()) == FILES
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_any_byte_of_a_pack_that_is_another_is_refused() -> None:
    for at in range(len(SMALLEST)):
        for flip in (0x01, 0x80):
            altered = bytearray(SMALLEST)
            altered[at] ^= flip
            with pytest.raises(NotVerified):
                verify_pack(bytes(altered), KEYS)


def test_any_byte_of_a_file_that_is_another_is_refused_when_the_archive_is_made_again() -> None:
    for name, content in files_of(SMALLEST).items():
        for at in range(len(content)):
            altered = bytearray(content)
            altered[at] ^= 0x01
            with pytest.raises(NotVerified) as caught:
                verify_pack(zipped({**files_of(SMALLEST), name: bytes(altered)}), KEYS)
            assert caught.value.check != "archive"


@pytest.mark.parametrize("name", ["checkpoint.txt", "skeleton.bin", "events.jsonl", "keys.json"])
def test_any_byte_of_the_proof_that_is_another_is_refused_though_the_log_key_signed_it(name: str) -> None:
    files = files_of(SMALLEST)
    own_time = b"".join(files["checkpoint.txt"].splitlines(keepends=True)[:-1])
    for at in range(len(files[name])):
        altered = bytearray(files[name])
        altered[at] ^= 0x01
        changed = {**files, name: bytes(altered)}
        if name == "checkpoint.txt" and at >= len(own_time):
            # The name of a signature: then it is somebody else's, and says nothing.
            try:
                assert verify_pack(forged(changed), KEYS).time is None
            except NotVerified:
                continue
        else:
            try:
                pack = forged(changed)
            except NotVerified:
                continue
            refused(pack)


def test_a_pack_that_was_cut_short_is_refused_wherever_it_was_cut() -> None:
    for length in range(len(SMALLEST)):
        refused(SMALLEST[:length], "archive")


@pytest.mark.parametrize(
    "altered",
    [
        PACK + b"\0",
        b"\0" + PACK,
        PACK + PACK,
        PACK[:-2] + b"\x01\x00!",
        b"",
        b"PK\3\4",
        b"PK\5\6" + bytes(18),
    ],
    ids=["after", "before", "twice", "comment", "nothing", "start", "empty"],
)
def test_bytes_outside_the_files_are_refused(altered: bytes) -> None:
    refused(altered, "archive")


def other_archive(**kwargs: object) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files_of(PACK).items():
            info = zipfile.ZipInfo(name)
            for key, value in kwargs.items():
                setattr(info, key, value)
            archive.writestr(info, content)
    return made.getvalue()


@pytest.mark.parametrize(
    "altered",
    [
        {"date_time": (1980, 1, 1, 0, 0, 2)},
        {"compress_type": zipfile.ZIP_DEFLATED},
        {"comment": b"x"},
        {"extra": b"\x99\x99\x00\x00"},
        {"create_system": 0},
        {"external_attr": 0o777 << 16},
    ],
    ids=lambda altered: next(iter(altered)),
)
def test_the_same_files_in_another_archive_are_refused(altered: dict[str, object]) -> None:
    refused(other_archive(**altered), "archive")


def test_a_file_more_or_less_or_twice_or_elsewhere_is_refused() -> None:
    listed = list(files_of(PACK).items())
    for files in (
        [*listed, ("more.txt", b"x")],
        listed[:-1],
        [*listed, listed[0]],
        [listed[1], listed[0], *listed[2:]],
        [("MANIFEST.TXT", listed[0][1]), *listed[1:]],
        [("./manifest.txt", listed[0][1]), *listed[1:]],
    ):
        refused(stored_zip(files), "archive")


def test_a_manifest_with_another_signature_beside_the_right_one_is_refused() -> None:
    files = files_of(PACK)
    manifest = files["manifest.txt"]
    text = Note.parse(manifest).text
    for line in (OTHER.sign(text), LOG.sign(text), LOG.cosign(text, 1)):
        refused(zipped({**files, "manifest.txt": manifest + line.encode()}), "signature")
    refused(zipped({**files, "manifest.txt": signed_note(text, OTHER.sign(text))}), "signature")
    refused(zipped({**files, "manifest.txt": signed_note(text, LOG.cosign(text, 1))}), "signature")


def test_a_signature_of_somebody_else_below_the_checkpoint_is_refused_unless_it_was_there() -> None:
    files = files_of(PACK)
    text = Note.parse(files["checkpoint.txt"]).text
    refused(
        zipped({**files, "checkpoint.txt": files["checkpoint.txt"] + OTHER.sign(text).encode()}), "digest"
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "check"),
    [
        ("events.jsonl", b'{"index":', b'{ "index":', "events"),
        ("events.jsonl", b'{"index":', b'{"Index":', "events"),
        ("events.jsonl", b'{"index":', b'{"more":1,"index":', "events"),
        ("events.jsonl", b'"index":4,', b'"index":4.0,', "events"),
        ("events.jsonl", b'"index":4,', b'"index":4,"index":4,', "events"),
        ("events.jsonl", b'"index":4,', b'"index":true,', "events"),
        ("events.jsonl", b'"index":4,', b'"index":-1,', "events"),
        ("events.jsonl", b'"index":4,', b'"index":%d,' % 10**30, "events"),
        ("events.jsonl", b'"version":1,', b'"version":' + b"9" * 5000 + b",", "events"),
        ("events.jsonl", b"concern.raised", b"concern.r\\u0061ised", "events"),
        ("events.jsonl", b"concern.raised", b"concern.r\\ud800ised", "pack"),
        ("events.jsonl", b"concern.raised", b"concern.raised" * 20, "events"),
        ("events.jsonl", str(CONCERN).encode(), str(CONCERN).upper().encode(), "events"),
        ("events.jsonl", b"}\n", b"}\n\n", "events"),
        ("events.jsonl", b"}\n", b"}", "events"),
        ("events.jsonl", b"}\n", b"}\r\n", "events"),
        ("keys.json", b"}", b" }", "keys"),
        ("keys.json", b"}\n", b"}", "keys"),
        ("keys.json", b'":"', b'":["', "keys"),
        ("keys.json", b'{"', b'{"x":"","', "keys"),
        ("manifest.txt", b"casebook-evidence/1", b"casebook-evidence/2", "manifest"),
    ],
    ids=range(21),
)
def test_what_is_written_otherwise_is_refused_though_the_log_key_signed_it(
    name: str, old: bytes, new: bytes, check: str
) -> None:
    files = files_of(SMALLEST)
    assert old in files[name]
    refused(forged({**files, name: files[name].replace(old, new)}), check)


@pytest.mark.parametrize(
    "told",
    [
        {"more": 1},
        {"made_by": None},
        {"subjects": "x"},
        {"subjects": [1]},
        {"subjects": []},
        {"subjects": [str(CONCERN), str(CONCERN)]},
        {"subjects": ["x"]},
        {"subjects": [str(CONCERN).upper()]},
        {"subjects": [str(CONCERN), "00000000-0000-0000-0000-000000000001"]},
        {"subjects": ["00000000-0000-0000-0000-000000000000"]},
    ],
)
def test_a_manifest_that_tells_something_else_is_refused(told: dict[str, object]) -> None:
    refused(forged(files_of(SMALLEST), told=told))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n5\n", "\n05\n"),
        ("\n5\n", "\nfive\n"),
        ("\n5\n", "\n5\n\n"),
        ("  README.txt\n", "  README.txt\nmore\n"),
        ("history.html\n", "history.html "),
        ('{"made_by":', '{ "made_by":'),
    ],
)
def test_a_manifest_of_another_form_is_refused_though_the_log_key_signed_it(old: str, new: str) -> None:
    files = files_of(SMALLEST)
    text = Note.parse(files["manifest.txt"]).text
    assert old in text
    text = text.replace(old, new)
    refused(zipped({**files, "manifest.txt": signed_note(text, LOG.sign(text))}), "manifest")


def test_a_pack_of_nothing_is_refused_though_the_log_key_signed_it() -> None:
    files = {**files_of(SMALLEST), "events.jsonl": b"", "keys.json": b"{}\n"}
    refused(forged(files, told={"subjects": []}), "manifest")


def test_a_file_that_was_signed_for_another_pack_doesnt_fit_into_this_one() -> None:
    first, second = files_of(PACK), files_of(small_pack((CASE,), note=checkpoint()))
    for name in FILES:
        if first[name] != second[name]:
            refused(zipped({**first, name: second[name]}), "digest")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FILES), st.binary(max_size=200), st.data())
def test_nothing_but_not_verified_whatever_bytes_come(name: str, junk: bytes, data: st.DataObject) -> None:
    files = files_of(SMALLEST)
    at = data.draw(st.integers(0, len(files[name])))
    cut = data.draw(st.integers(at, len(files[name])))
    altered = {**files, name: files[name][:at] + junk + files[name][cut:]}
    if altered == files:
        return
    for make in (zipped, forged, forged_tree):
        try:
            pack = make(altered)
        except (NotVerified, ValueError):
            continue
        try:
            verify_pack(pack, KEYS)
        except NotVerified:
            continue
        # Whoever holds the log key can write other papers and say something else of the pack, and can sign a
        # tree of which other subjects' facts are others: a checkpoint that was kept elsewhere tells.
        assert make is not zipped
        assert name not in ("events.jsonl", "keys.json")
        if name == "skeleton.bin":
            assert make is forged_tree
            with pytest.raises(NotVerified):
                verify_pack(pack, KEYS, [checkpoint(5)])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=500))
def test_bytes_that_are_no_pack_are_refused(data: bytes) -> None:
    with pytest.raises(NotVerified):
        verify_pack(data, KEYS)


def test_what_isnt_disclosed_stays_sealed_and_is_proven_all_the_same() -> None:
    sealed = f"{CASE}/3"
    found = verify_pack(small_pack(sealed=[sealed]), KEYS)
    held = next(fact for fact in found.facts if fact.version == 3)
    assert held.payload is None
    assert held.sealed == ("focus", "friend_came", "notes")
    assert held.pub["minutes"] == 30
    assert sealed in ALL_KEYS
    assert len(lines_of(files_of(small_pack(sealed=[sealed])))) == len(found.facts)


def test_unpacking_gives_back_the_files() -> None:
    assert zipped(unpacked(PACK)) == PACK
