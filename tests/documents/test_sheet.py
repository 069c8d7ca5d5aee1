"""The governors' sheet: one page that can be kept, read and scanned, and holds nothing about anybody."""

from datetime import UTC, datetime
from typing import Any

import pytest
import zxingcpp

from app.documents.sheet import checkpoint_sheet, sheet_words
from app.proof.note import SigningKey, signed_note
from app.proof.verifier import Checkpoint, NotVerified, VerifierKey, read_checkpoint
from app.wording.proof import PAPER_COPY, PROMISE
from tests.documents.reading import check_archive, pictures_of, text_of

ORIGIN = "casebook.example/ysgol"
KEY = SigningKey(ORIGIN, b"k" * 32)
SIGNED = datetime(2026, 9, 20, 13, 59, tzinfo=UTC)
PRINTED = datetime(2026, 9, 20, 14, 1, tzinfo=UTC)


def note(origin: str = ORIGIN, size: int = 12_408, witnesses: int = 0) -> bytes:
    text = str(Checkpoint(origin, size, b"\x07" * 32))
    seconds = int(SIGNED.timestamp())
    seen = [SigningKey(f"governor-{n}", bytes([n]) * 32).cosign(text, seconds) for n in range(witnesses)]
    return signed_note(text, KEY.sign(text), KEY.cosign(text, seconds), *seen)


def codes_on(page: Any) -> set[str]:
    return {found.text for found in zxingcpp.read_barcodes(page)}


def test_a_scanner_reads_the_checkpoints_and_the_key_from_the_printed_page() -> None:
    notes = [note(), note(f"{ORIGIN}/reads", 88_120)]
    (page,) = pictures_of(checkpoint_sheet(notes, KEY.verifier_key, PRINTED, "Ysgol Example"))

    codes = codes_on(page)
    assert codes == {notes[0].decode(), notes[1].decode(), str(KEY.verifier_key)}
    for code in codes - {str(KEY.verifier_key)}:
        assert read_checkpoint(code.encode(), VerifierKey.parse(str(KEY.verifier_key)))[0].size in (
            12_408,
            88_120,
        )


def test_it_says_what_it_is_for_and_what_to_do_with_it() -> None:
    text = text_of(checkpoint_sheet([note()], KEY.verifier_key, PRINTED, "Ysgol Example"))

    for said in (PROMISE, PAPER_COPY, "20 September 2026, 2:59pm", "20 September 2026, 3:01pm"):
        assert said in text
    assert "What was recorded: 12,408 entries" in text
    assert "demonstration" not in text
    demo = checkpoint_sheet([note()], KEY.verifier_key, PRINTED, "Ysgol Example", demo=True)
    assert "It is evidence of nothing." in text_of(demo)


def test_in_a_later_epoch_it_counts_entries_and_not_the_leaf_that_says_what_was_lost() -> None:
    notes = [note(f"{ORIGIN}/epoch2", 12_409), note(f"{ORIGIN}/epoch2/reads", 88_121)]
    said = sheet_words(notes, KEY.verifier_key, PRINTED, "Ysgol Example")["notes"]["items"]
    assert [item["heading"].rpartition(": ")[2] for item in said[:2]] == ["12,408 entries", "88,120 entries"]


def test_it_is_one_page_for_archives_and_screen_readers_also_with_many_witnesses() -> None:
    notes = [note(witnesses=4), note(f"{ORIGIN}/reads", witnesses=4)]
    sheet = checkpoint_sheet(notes, KEY.verifier_key, PRINTED, "Ysgol Example")

    opened = check_archive(sheet)
    assert len(opened.pages) == 1
    assert notes[0].decode() in codes_on(pictures_of(sheet)[0])


def test_printed_again_it_is_the_same_bytes() -> None:
    first = checkpoint_sheet([note()], KEY.verifier_key, PRINTED, "Ysgol Example")
    assert checkpoint_sheet([note()], KEY.verifier_key, PRINTED, "Ysgol Example") == first


def test_a_checkpoint_that_the_key_didnt_sign_isnt_printed() -> None:
    other = SigningKey(ORIGIN, b"o" * 32).verifier_key
    with pytest.raises(NotVerified):
        checkpoint_sheet([note()], other, PRINTED, "Ysgol Example")
