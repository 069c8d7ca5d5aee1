"""Each day's checkpoint by e-mail, to people who keep it where nobody of the school's office can change it.

It goes out every day, also when nothing was recorded: a message that doesn't come is noticed. What was sent
is remembered beside the checkpoint file, by address and day, so that a restart sends nothing twice and a mail
server's bad day only makes it late. A kill in the moment between sending and remembering sends it twice: that
does no harm, and remembering first could mean that it never comes.
"""

import json
import logging
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Final

from app.forms import today
from app.post import NotSent, Post
from app.proof.checkpoints import READS_SUFFIX, CheckpointFile, TornFile
from app.whole_file import write_whole
from app.wording.common import _, day

LOOK_SECONDS: Final = 60.0
AGAIN_SECONDS: Final = 600.0
"""How soon a message that couldn't be sent is tried again."""
SUBJECT: Final = _("Casebook: checkpoint of {day}")
TEXT: Final = _(
    "Please keep this message. It holds no name and nothing about anybody.\n"
    "\n"
    "With the text at its end you can show, at any later time, that what Casebook had recorded by then was\n"
    "neither changed nor left out afterwards. It comes every day: if it stays away for some days, ask why.\n"
    "\n"
    "To use it, save the lines from {origin} to the last one that begins with a dash, as they stand, in a\n"
    "text file, and give that file to casebook verify-pack or casebook verify as --checkpoint.\n"
    "\n"
    "{notes}"
)

_log = logging.getLogger("casebook.mail")


class DailyMail:
    """Sends the newest checkpoints of a file, once a day to each address."""

    def __init__(self, post: Post, addresses: Sequence[str], file: CheckpointFile) -> None:
        self._post = post
        self._addresses = tuple(dict.fromkeys(addresses))
        self._file = file

    @property
    def memory(self) -> Path:
        """The file that says to whom today's went: by digests of addresses, which are people's."""
        return self._file.path.with_name(f"{self._file.path.name}.mailed")

    def run(self, stop: Event) -> None:
        """Send when it is due, until `stop` is set. No error ends it."""
        while not stop.is_set():
            wait = LOOK_SECONDS
            try:
                self.send_due(today())
            except (NotSent, TornFile, OSError) as error:
                said = str(error) if isinstance(error, NotSent | TornFile) else type(error).__name__
                _log.error("the day's checkpoint wasn't mailed: %s", said)
                wait = AGAIN_SECONDS
            stop.wait(wait)

    def send_due(self, when: date) -> int:
        """Send the day's to whoever doesn't have it; gives how many it left for.

        Before the first checkpoint there is nothing to send. Raises NotSent when it left for some of them
        at most, TornFile, and OSError.
        """
        sent = self._sent_on(when)
        due = [address for address in self._addresses if _digest(address) not in sent]
        notes = self._newest() if due else []
        if not notes:
            return 0
        text = TEXT.format(origin=notes[0].partition("\n")[0], notes="\n".join(notes))
        reached = self._post.send(due, text, SUBJECT.format(day=day(when)))
        self._remember(when, sent | {_digest(address) for address in reached})
        if len(reached) < len(due):
            raise NotSent(f"{len(due) - len(reached)} of {len(due)} addresses were refused.")
        return len(reached)

    def _newest(self) -> list[str]:
        """The last note of each log, whatever its epoch is called: the file is one record's."""
        found: dict[bool, str] = {}
        for note in self._file.notes():
            text = note.decode()
            found[text.partition("\n")[0].endswith(READS_SUFFIX)] = text
        return [found[reads] for reads in sorted(found)]

    def _sent_on(self, when: date) -> set[str]:
        try:
            kept = json.loads(self.memory.read_text())
        except (FileNotFoundError, ValueError):
            return set()
        return set(kept.get("sent", ())) if isinstance(kept, dict) and kept.get("day") == str(when) else set()

    def _remember(self, when: date, sent: set[str]) -> None:
        kept = json.dumps({"day": str(when), "sent": sorted(sent)})
        write_whole(self.memory, kept.encode())


def _digest(address: str) -> str:
    return sha256(address.encode()).hexdigest()[:16]
