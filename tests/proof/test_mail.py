"""Each day's checkpoint reaches each address once, whatever happens to mail server and process."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from app.cli.witness import mailing
from app.post import NotSent, Smtp
from app.proof import mail as room
from app.proof.checkpoints import CheckpointFile
from app.proof.mail import DailyMail
from app.proof.note import SigningKey, signed_note
from app.proof.verifier import Checkpoint, read_checkpoint
from app.proof.witness import notes_of
from tests.giving import a_pupil
from tests.mailbox import Mailbox
from tests.projections.conftest import until
from tests.proof.conftest import Proven

KEY = SigningKey("casebook.example/school", bytes(range(32)))
DAY = date(2026, 11, 22)
TO = ("chair@governors.example", "la@council.example")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


@pytest.fixture
def file(tmp_path: Path) -> CheckpointFile:
    return CheckpointFile(tmp_path / "checkpoints.txt")


def sign(file: CheckpointFile, size: int, log: str = "") -> bytes:
    text = str(Checkpoint(KEY.name + log, size, bytes(32)))
    note = signed_note(text, KEY.sign(text), KEY.cosign(text, 7))
    file.add(note)
    return note


def mail(url: str, file: CheckpointFile, to: tuple[str, ...] = TO) -> DailyMail:
    """One that knows nothing but the file beside the checkpoints, as after a restart."""
    return DailyMail(Smtp(url), to, file)


def test_it_goes_out_once_a_day_to_each_address_and_survives_a_restart(
    mailbox: Mailbox, file: CheckpointFile
) -> None:
    url = mailbox.open()
    assert mail(url, file).send_due(DAY) == 0
    sign(file, 3)
    notes = [sign(file, 5), sign(file, 2, "/reads")]
    assert mail(url, file).send_due(DAY) == 2
    assert mail(url, file).send_due(DAY) == 0
    assert mail(url, file, (*TO, TO[0])).send_due(DAY) == 0
    assert mailbox.addresses == list(TO)
    for _, message in mailbox.got:
        assert message["Subject"] == "Casebook: checkpoint of 22 November 2026"
        body = message.get_payload(decode=True)
        assert isinstance(body, bytes)
        assert notes_of(body) == notes
        assert [read_checkpoint(note, KEY.verifier_key)[0].size for note in notes_of(body)] == [5, 2]
    # A quiet day's message is the same, and comes all the same.
    assert mail(url, file).send_due(DAY + timedelta(days=1)) == 2
    # After an epoch began, its checkpoints are what is worth keeping.
    later = sign(file, 4, "/epoch2")
    assert mail(url, file).send_due(DAY + timedelta(days=2)) == 2
    body = mailbox.got[-1][1].get_payload(decode=True)
    assert isinstance(body, bytes)
    assert notes_of(body) == [later, notes[1]]


def test_an_address_that_was_refused_is_tried_again_and_the_others_are_not(
    mailbox: Mailbox, file: CheckpointFile
) -> None:
    url = mailbox.open()
    sign(file, 3)
    mailbox.refused = {TO[0]}
    with pytest.raises(NotSent, match="1 of 2"):
        mail(url, file).send_due(DAY)
    mailbox.refused = set()
    assert mail(url, file).send_due(DAY) == 1
    assert mailbox.addresses == [TO[1], TO[0]]
    assert not any(address in mail(url, file).memory.read_text() for address in TO)


def test_a_memory_that_cannot_be_read_sends_rather_than_skips(mailbox: Mailbox, file: CheckpointFile) -> None:
    url = mailbox.open()
    sign(file, 3)
    for torn in (b"", b"{", b"[]", b'{"day": "2026-11-22"}', b"\xff"):
        mail(url, file).memory.write_bytes(torn)
        assert mail(url, file).send_due(DAY) == 2, torn


def test_while_the_mail_server_is_away_it_waits_and_then_goes_out(
    mailbox: Mailbox, file: CheckpointFile, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(room, "AGAIN_SECONDS", 0.05)
    sign(file, 3)
    url, stop = mailbox.address, Event()
    sending = Thread(target=mail(url, file).run, args=(stop,))
    sending.start()
    try:
        until(lambda: bool(caplog.records))
        mailbox.open()
        until(lambda: len(mailbox.got) == 2)
    finally:
        stop.set()
        sending.join()
    assert "wasn't mailed" in caplog.text
    assert not any(address in caplog.text for address in TO)


def test_the_anchor_sends_the_days_checkpoint_by_mail(proven: Proven, mailbox: Mailbox) -> None:
    a_pupil(proven.house)
    [note] = proven.anchor().checkpoint()
    settings, stop = replace(proven.settings, smtp_url=mailbox.open(), checkpoint_mail=TO[:1]), Event()
    with mailing(settings, stop):
        until(lambda: bool(mailbox.got))
    assert stop.is_set()
    with mailing(replace(settings, checkpoint_mail=()), Event()):
        pass
    [(address, message)] = mailbox.got
    body = message.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert (address, notes_of(body)) == (TO[0], [note])
