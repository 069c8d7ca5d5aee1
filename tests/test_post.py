"""Content-free e-mail, through a mail server or into a folder."""

import email
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.post import NotSent, Outbox, Smtp
from tests.mailbox import Mailbox


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


def test_a_password_never_leaves_in_clear(mailbox: Mailbox) -> None:
    url = mailbox.open().replace("smtp://", "smtp://user:secret@")
    with pytest.raises(NotSent):
        Smtp(url).send(["dsl@school.example"], "text", "subject")
    assert mailbox.got == []


def test_an_address_that_breaks_lines_makes_no_header(mailbox: Mailbox) -> None:
    reached = Smtp(mailbox.open()).send(["a@b.example\nBcc: x@y.example", "c@d.example"], "text", "subject")
    assert reached == {"c@d.example"}
    assert mailbox.addresses == ["c@d.example"]


def test_the_outbox_holds_a_file_for_each_message(tmp_path: Path) -> None:
    Outbox(tmp_path / "outbox").send(["a@b.example", "c@d.example"], "Sign in.", "A concern needs you")
    files = sorted((tmp_path / "outbox").iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert {email.message_from_bytes(f.read_bytes())["To"] for f in files} == {"a@b.example", "c@d.example"}
    assert (tmp_path / "outbox").stat().st_mode & 0o077 == 0


def test_an_outbox_that_cannot_be_written_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file in its place")
    with pytest.raises(NotSent):
        Outbox(tmp_path / "outbox").send(["a@b.example"], "text", "subject")
