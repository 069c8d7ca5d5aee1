"""What is proven and what isn't, in the same words on pages, in packs and on paper."""

from typing import Final

from app.wording.common import _

PROMISE: Final = _(
    "A history that verifies is complete and unaltered up to the newest checkpoint that you obtained "
    "independently."
)
"""The promise, in these words and no stronger."""

PROVEN: Final = (
    _(
        "Each entry is, byte for byte, the one that was recorded: nothing in it was changed, and its time is "
        "the one that it got then."
    ),
    _(
        "No entry about these subjects was left out, put in later or moved, up to the checkpoint: the first, "
        "the last and each one between are there."
    ),
    _(
        "Whoever keeps a checkpoint outside the school can tell whether anything before it was changed "
        "afterwards, by anybody, also by whoever runs the computers."
    ),
)
NOT_PROVEN: Final = (
    _("Anything that was recorded after the newest checkpoint that you hold."),
    _(
        "That what somebody typed is true. It is proven that it was recorded then, and that it hasn’t been "
        "changed since."
    ),
    _(
        "Who sat at the keyboard. An entry names the account that was signed in; a password can be lent or "
        "stolen."
    ),
    _(
        "Anything against somebody who holds the log key, and runs the computers, for the time after the "
        "newest checkpoint that was out of their reach. That is why checkpoints are kept elsewhere."
    ),
    _(
        "What an erasure took away. It stays proven that there was an entry, when, and what kind of entry; "
        "its words are gone for good, as the law asks."
    ),
    _(
        "What happened in school and was never recorded here, and what was spoken, written on paper or sent "
        "some other way."
    ),
)
LEFT_OUT_ALWAYS: Final = (
    _("Concerns about members of staff. They belong to the head and the chair, and never leave in a pack."),
    _("Other pupils’ cases, and peer mentors’ own records: they are proven to exist and stay sealed."),
)
WITHOUT_NAMES: Final = _(
    "Names and dates of birth. Pupils are shown by a code: the same code is always the same pupil. What "
    "people wrote stands as they wrote it, and may name somebody."
)
WITH_NAMES: Final = _(
    "The names of other pupils and of peer mentors, who are pupils too. They are shown by a code. What "
    "people wrote stands as they wrote it, and may name somebody."
)
FOR_READING: Final = _(
    "This is for reading. It proves nothing by itself, and anybody could write one like it: the proof is in "
    "the other files of the pack. Check those first, and compare: the check can print the same history from "
    "the proven entries alone."
)
OF_PEOPLE: Final = _(
    "In the proven entries each person is an account with a number. These are the names of the accounts, as "
    "the school’s own list had them; the list isn’t part of the pack."
)
OF_LOOKS: Final = _(
    "Each answer that Casebook gave is noted before it is shown. These notes have checkpoints of their own; "
    "in this pack they are for reading."
)
PAPER_COPY: Final = _(
    "Keep this where nobody of the school’s office can change it: with the minutes of the governors’ "
    "meeting, or at home."
)

FIRST: Final = _("Get the log key of this school from somewhere else than the pack, for example from:")
WHERE_KEYS_ARE: Final = (
    _("the sheet that the governors keep"),
    _("the minutes of a governors’ meeting"),
    _("an e-mail with a checkpoint that the school sent to you before"),
)
NEWER_CHECKPOINT: Final = _(
    "The newer the checkpoint that you hold, the more is proven. Give each one that you have: the check "
    "fails if one of them doesn’t fit the pack, or is newer than the pack."
)
WITH_CASEBOOK: Final = "casebook verify-pack {file} --log-key {key} --show"
WITH_CHECKPOINT: Final = "--checkpoint {file}"
ALONE: Final = "python3 verifier.py {file} --log-key {key} --show"
IN_A_FOLDER: Final = (
    "python3 -m venv check",
    "check/bin/pip install cryptography",
    "check/bin/python verifier.py {file} --log-key {key} --show",
)

LOOKED_AT: Final = {
    "case": _("The case, with its history"),
    "concern": _("The concern"),
    "history": _("The history"),
    "names": _("The pupil’s name"),
    "list": _("A line in lists"),
    "state": _("Where it stood, in lists"),
    "readers": _("Who had looked"),
    "receipt": _("The receipt"),
    "accounts": _("The account"),
    "evidence": _("An evidence pack"),
}
"""What was shown, by the class of fields that a read is noted with."""
IN_PASSING: Final = frozenset({"list", "state"})
"""Classes of what stands in lists, and is shown many times a day."""


def looked_at(field_class: str | None) -> str:
    """What somebody looked at, in words."""
    return LOOKED_AT.get(field_class or "", _("An answer that isn’t told any more"))
