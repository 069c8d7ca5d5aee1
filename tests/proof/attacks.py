"""All attacks, and the table of them: `python -m tests.proof.attacks > docs/attacks.md`."""

from collections.abc import Iterator, Sequence
from typing import Final

from tests.proof.attack import Attack
from tests.proof.attack_means import NOBODY
from tests.proof.attacks_around import CHECKPOINTS
from tests.proof.attacks_guards import GUARDS, LOOKS
from tests.proof.attacks_keys import DATA_KEYS
from tests.proof.attacks_pack import PACKS
from tests.proof.attacks_record import FACTS
from tests.proof.observers import OBSERVERS

SECTIONS: Final = (
    ("Facts in the database", FACTS),
    ("What guards the database, and the database as a whole", GUARDS),
    ("The log of reads: who looked", LOOKS),
    ("Checkpoints and the log key", CHECKPOINTS),
    ("The keys of facts", DATA_KEYS),
    ("Evidence packs that were made", PACKS),
)
ATTACKS: Final[tuple[Attack, ...]] = tuple(attack for _, attacks in SECTIONS for attack in attacks)
CHECKS: Final = {
    "archive": "the pack isn't the archive of exactly its files, byte for byte",
    "checkpoint": "entries aren't what a checkpoint was signed over",
    "clock": "an entry is dated otherwise than a checkpoint that was signed before or after it allows",
    "consistency": "the pack's log doesn't begin as the checkpoint that was given",
    "digest": "a file of the pack isn't what its manifest was signed over",
    "epoch": "what is said of entries that were lost isn't signed",
    "events": "a subject that the pack names has no facts in it",
    "file": "the anchor's file can't be read, or the database knows of newer checkpoints",
    "guards": "a trigger or its function isn't as Casebook made it, or isn't Casebook's",
    "key commitment": "a fact was sealed under another key than the one that is shown",
    "keys": "a key is missing, or isn't one",
    "leaf": "an entry isn't what its hash is of",
    "length": "the log is shorter, or longer, than what was signed or what its head says",
    "name": "the record calls itself otherwise than what the anchor signed before",
    "numbers": "the numbers of entries have a gap",
    "older": "the pack ends before a checkpoint that was given",
    "origin": "the record calls itself otherwise than a checkpoint says",
    "root": "the whole log, hashed again, isn't what was signed",
    "sealed fact": "a fact was altered, or sealed for another place",
    "signature": "a signature is wrong, or of another key",
    "skeleton": "the pack has not as many facts as its checkpoint says",
    "time": "an entry is dated before the one before it",
    "versions": "a subject's facts have a gap, or one twice",
    "withheld": "a fact of a subject is in the log and not in the pack",
}
"""What each check says when it fails."""
_INTRODUCTION: Final = """\
# Attacks, and who notices

A history that verifies is complete and unaltered up to the newest checkpoint that you obtained
independently: that is the promise, and no more. This page shows what it means. Each line is an attack that
was really made, by a test, on a real database with a superuser's rights; each column is somebody who looks
afterwards, and what they said. **What is missed stands here too**, with the reason below each table and
what to do about it. The tests (`tests/proof/test_attack_matrix.py`) fail when anybody says anything else
than what is printed here.

`python -m tests.proof.attacks > docs/attacks.md` prints it.

## Who looks

- **Database triggers** refuse ordinary statements, a superuser's too. The same statements are then carried
  out with the triggers switched off; the other columns say who notices.
- **Anchor**: it was restarted, has its file of what it signed before, and refuses to sign what doesn't go
  on from there.
- **Pack, honest checkpoint**: an evidence pack over the newest checkpoint that was signed before the
  attack. Where the pack itself is attacked, by somebody without the log key.
- **Pack, log key stolen**: whoever makes the pack can sign any checkpoint and any manifest, and has counted
  and hashed everything again.
- **… and older paper checkpoint**: the same pack, and the reader has a checkpoint that the governors had on
  paper since last term.
- **… and newest witnessed one**: the reader has the newest checkpoint instead, with the signature of a
  witness whom they know.
- **`casebook verify`** beside the record, with the anchor's file, and where the key-encryption key is.

All attacks are on the same small record: facts and reads before the paper checkpoint, more before the
newest one, and a few after it. If nothing else is said, what is attacked lies between the two, so that the
paper one can't tell and the newest one can.

## What they say

*refused*: it can't be done in this way. *refused: stamped anew*: the entry is there, with the number and
the time that the database gave it. *missed*: nobody is told of anything. *–*: nothing that they look at is
touched. *detected*, by the check that failed:

"""

_PASSWORD: Final = """\
## What the web server's passwords to the databases are good for

Web, projector and, unless you give it a role of its own, the anchor sign in to the databases as
`casebook_app`. Whoever learns that password needs nobody's account. They can:

- **read** everything that is sealed, and open none of it without the key-encryption key; read the names in
  `views`;
- **add** facts and looks, stamped when they were added (28, 29), and rows beside them, which are believed for
  their signatures alone: checkpoints, witnesses' lines, statements of epochs. None takes a true one's place,
  and none is dated otherwise than it was added;
- **spoil** a case with a fact that can't be opened: from then on Casebook shows nothing of it, rather than a
  part. What was there before stays proven, and is had from a back-up from before. A look that can't be
  opened is shown as one, and hides no other;
- **say** that a command was accepted which wasn't (`record.commands`): whoever sends that very command is
  told so. It takes the secret key and the command's own words, which is to be the web server;
- **write** accounts, sessions and tokens, and every list: `casebook rebuild` makes lists anew from the
  record;
- **destroy or swap** data keys, with the password to the key store: a lost key can come back from its back-up
  alone. `casebook verify` names each;
- **hinder**: hold locks, end other connections of the same role, fill the disk. That is seen: status says
  when facts wait for a checkpoint for longer than half an hour, and the anchor that it was kept waiting.

They can't change or delete a fact, a look, a checkpoint or a statement; move a log's head; set a time; sign
anything; or make the anchor sign what isn't there.

A role of its own for the anchor keeps it from being disconnected by them:
`CREATE ROLE casebook_anchor LOGIN PASSWORD '…' IN ROLE casebook_app`, and its URL in the anchor's
`CASEBOOK_DATABASE_URL`.
"""


def page() -> str:
    """The whole page."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    yield _INTRODUCTION.rstrip()
    yield ""
    yield "| check | what it found |"
    yield "|---|---|"
    for check, meaning in CHECKS.items():
        yield f"| {check} | {meaning} |"
    number = 1
    for title, attacks in SECTIONS:
        yield ""
        yield f"## {title}"
        yield ""
        yield "| | attack | who could | " + " | ".join(head for _, head in OBSERVERS) + " |"
        yield "|---" * (len(OBSERVERS) + 3) + "|"
        for at, attack in enumerate(attacks, number):
            yield f"| {at} | {attack.name} | {attack.who} | " + " | ".join(_cells(attack)) + " |"
        yield ""
        yield from _misses(attacks, number)
        number += len(attacks)
    yield ""
    yield _PASSWORD.rstrip()


def _cells(attack: Attack) -> Iterator[str]:
    for word in attack.expected:
        found = "fine" if attack.who == NOBODY else "**missed**"
        yield found if word == "missed" else word


def _misses(attacks: Sequence[Attack], number: int) -> Iterator[str]:
    """Why it is missed, and what to do: each reason once, with the attacks that it is of."""
    reasons: dict[str, list[str]] = {}
    for at, attack in enumerate(attacks, number):
        if attack.missed:
            reasons.setdefault(attack.missed, []).append(str(at))
    yield "Why it is missed, and what to do:"
    yield ""
    for reason, places in reasons.items():
        yield f"- **{', '.join(places)}** – {reason}"


if __name__ == "__main__":
    print(page(), end="")
