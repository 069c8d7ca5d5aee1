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
ERASED_LINKS: Final = _(
    "The concerns of an erased case, if there were any. Which concerns came from it stood in the words that "
    "are gone, so that nobody can tell any more. Their entries, if there are, are in the skeleton like all "
    "others. The certificate of the erasure, which the school keeps, names each part that went with it."
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

FIRST: Final = _(
    "First get the log key, a line of text that begins with the name of the record, from somewhere else than "
    "the pack, for example from:"
)
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
BROKEN_LOOK: Final = _("An entry that can’t be opened: it was altered, or put there by somebody else")
IN_PASSING: Final = frozenset({"list", "state"})
"""Classes of what stands in lists, and is shown many times a day."""


def looked_at(field_class: str | None) -> str:
    """What somebody looked at, in words."""
    return LOOKED_AT.get(field_class or "", _("An answer that isn’t told any more"))


# Headings and labels of the history in a pack

HISTORY: Final = _("History for reading: {school}")
FOR_READING_TITLE: Final = _("What this is")
DEMO: Final = _("From a demonstration: invented people, invented times. It is evidence of nothing.")
ABOUT: Final = _("The pack")
MADE_FOR: Final = _("Made for")
MADE_BY: Final = _("Made by")
WHY: Final = _("Why")
MADE_AT: Final = _("Made on")
COVERS: Final = _("Covers")
COVERS_TEXT: Final = _("the first {n} entries of the record “{origin}”")
CHECKPOINT_AT: Final = _("Checkpoint of")
NO_TIME: Final = _("a time that the checkpoint doesn’t tell")
NAMES: Final = _("Names of pupils")
NAMED: Final = _("Shown for the pupils whom these cases are about; everybody else who is a pupil has a code.")
CODED: Final = _("Not shown: each pupil has a code, which is the same everywhere.")
CONTENTS: Final = _("Contents")
NUMBER: Final = _("Number in the record: {id}")
ERASED_NOTE: Final = _(
    "Some of this was erased, as the law asks. That there were entries, and when, is still proven; the words "
    "are gone."
)
NO_ENTRIES: Final = _("Nothing was recorded up to the checkpoint.")
RECORDED: Final = _("Recorded {moment} by {who}")
HAPPENED: Final = _("happened {day}")
PLACE: Final = _("fact {n}, version {version}")
LATE: Final = _("Recorded late")
CORRECTED: Final = _("Corrected")
DISPUTED: Final = _("Disputed")
ERASED: Final = _("Erased")
WAS: Final = _("was")
NOW: Final = _("now")
CORRECTED_BY: Final = _("Corrected {moment} by {who}: {reason}")
DISPUTED_BY: Final = _("Disputed {moment} by {who}")
LOOKS: Final = _("Who looked")
LOOK_COLUMNS: Final = (_("When"), _("Who"), _("What"), _("Why"))
NO_LOOKS: Final = _("Nobody had looked at these subjects before the pack was made.")
SEVERAL: Final = _("{first} to {last}, {n} times")
PEOPLE: Final = _("Who is who")
PEOPLE_COLUMNS: Final = (_("Name"), _("Role"), _("Number of the account"))
LEFT_OUT: Final = _("What isn’t in this pack")
WHAT_IS_PROVEN: Final = _("What a pack that verifies proves")
WHAT_IS_NOT: Final = _("What it doesn’t prove")

# README.txt of a pack

README_TITLE: Final = _("Evidence from Casebook, the record of a school’s peer-mentoring scheme")
README_FILES: Final = (
    ("manifest.txt", _("what the pack holds, signed with the school’s log key")),
    ("checkpoint.txt", _("how long the record was, and a digest of all of it, signed")),
    ("epoch.txt", _("if it is there: where this record goes on from an earlier one, and what was lost")),
    ("skeleton.bin", _("a digest of each entry of the whole record, without its words")),
    ("events.jsonl", _("every entry about the subjects of this pack, sealed as it is stored")),
    ("keys.json", _("the keys that open those entries which this pack discloses")),
    ("history.html, history.pdf", _("the same entries for reading; they prove nothing by themselves")),
    ("README.txt", _("this text")),
)
README_WHAT: Final = _("What is in it")
README_CHECK: Final = _("How to check it")
README_STEPS: Final = _(
    "You need a computer with Python 3.11 or newer. Nothing is sent anywhere, and you needn’t trust the "
    "school’s computers, or this text."
)
README_ONE: Final = _("1. Where Casebook is installed:")
README_TWO: Final = _("2. Anywhere, with the one file verifier.py and nothing else of Casebook’s:")
README_GET: Final = _(
    "Take verifier.py from somewhere else than the person who gave you the pack. It is short enough to be "
    "read."
)
README_MORE: Final = _("For each checkpoint that you hold, from a sheet, an e-mail or a witness, add:")
README_ANSWER: Final = _(
    "The answer is “verified”, or which check failed and where. With --show it prints the history from the "
    "proven entries: compare it with history.html."
)

# The governors' sheet

SHEET: Final = _("Checkpoint of the record: {school}")
SHEET_WHAT: Final = _(
    "This sheet lets you show, at any later time, that nothing which Casebook had recorded up to now was "
    "changed, left out or put in afterwards. It holds no name and nothing about anybody."
)
SHEET_KEEP: Final = _("What to do with it")
SHEET_KEEP_ITEMS: Final = (
    PAPER_COPY,
    _("File a new sheet each term, and keep the old ones: each proves the time up to its own date."),
    _(
        "When somebody shows you a history from Casebook, check it against the newest sheet that you hold. "
        "Scan the code into a file, and give the file to the check, as the pack’s README.txt says."
    ),
    _("If the check says that the history doesn’t fit this sheet, tell the chair of governors at once."),
)
SHEET_NOTES: Final = _("To keep, to type or to scan")
SHEET_EVENTS: Final = _("What was recorded: {n} entries")
SHEET_READS: Final = _("Who looked: {n} entries")
SHEET_KEY: Final = _("The log key of this record: whoever checks a pack needs it")
SHEET_PRINTED: Final = _("Printed")
SHEET_SIGNED: Final = _("Checkpoint signed")
SHEET_CODE: Final = _("The text beside it, as a code to scan.")
SHEET_SIGN: Final = (_("Received by"), _("Date"), _("Signature"))

# Pages

LEFT_OUT_LATER: Final = _("What was recorded after the newest checkpoint. Make another pack later for that.")
KEY_ELSEWHERE: Final = _(
    "This server doesn’t know it. Whoever runs the anchor prints it with “casebook log-key”."
)
NOT_OURS: Final = _(
    "The newest checkpoint isn’t signed by the log key. Keep everything as it is, tell whoever runs "
    "Casebook, and run “casebook verify”."
)
PAGE_STEPS: Final = (
    _(
        "Have the log key and a checkpoint from somewhere else than this page: the sheet that the governors "
        "keep, an e-mail, a witness. Compare the log key with the one on this page, letter by letter."
    ),
    _(
        "Take the pack and the file verifier.py to any computer with Python and its library “cryptography”. "
        "Nothing of Casebook’s is needed, and nothing is sent anywhere."
    ),
    _("Run the command below. Add each checkpoint that you hold: --checkpoint FILE."),
    _(
        "The answer is “verified”, or which check failed and where. With --show it prints the history from "
        "the proven entries, so that nobody has to trust the page in the pack."
    ),
)
