"""Begin an epoch: after a restore that lost entries of which a checkpoint had been published.

Nothing is smoothed over. What can be compared must be what was signed, and what is gone stands in a statement
that every later checkpoint vouches for.
"""

from collections.abc import Sequence

import psycopg

from app.proof.anchor import Anchor, alone, known_epochs, newest_signed
from app.proof.checkpoints import CheckpointFile, origin_of
from app.proof.epoch import entries, keep_beside, stated
from app.proof.log_rows import LOGS
from app.proof.note import SigningKey
from app.proof.verifier import Epoch, Gap, VerifierKey
from app.proof.verify import Report, Verifier


class EpochRefused(Exception):
    """No epoch was begun; the message is a sentence for whoever asked."""


def new_epoch(
    url: str,
    key: SigningKey,
    file: CheckpointFile,
    *,
    by: str,
    reason: str,
    although_changed: bool = False,
    older: Sequence[VerifierKey] = (),
    also: Sequence[SigningKey] = (),
) -> tuple[Epoch, list[bytes]]:
    """Begin the next epoch of the record whose log key this is, and sign its first checkpoints.

    `older` are keys that signed before this one, `also` those that sign beside it. `by` and `reason` stand in
    the statement for good: a role and what happened, no names of children. Entries that were signed otherwise
    than they are now, and not just cut off at the end, are refused unless `although_changed`. When a kill
    left an epoch unsigned, that one is finished. Raises EpochRefused, AnchorRefuses, TornFile, psycopg.Error.
    """
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        alone(connection)
        known = [*older, *(one.verifier_key for one in (key, *also))]
        before = known_epochs(connection, file, key.name, known)
        origin = before[-1].origin if before else key.name
        last = {log: newest_signed(connection, file, origin_of(origin, log), key, known) for log in LOGS}
        epoch = before[-1] if before else None
        if epoch is None or any(last.values()):
            report = Verifier(url, None, key.name, key.verifier_key, older=older).verify(
                ("checkpoint file", note) for note in file.notes()
            )
            signed = {
                log: entries(found[0].size, found[0].origin, key.name) if found else 0
                for log, found in last.items()
            }
            gaps = _gaps(report, signed, although_changed=although_changed)
            notes = [found[1] for found in last.values() if found]
            epoch = stated(origin, before, gaps, notes, by, reason, [key, *also])
            keep_beside(file.path, epoch)
    return epoch, Anchor(url, key.name, key, file, also=also).checkpoint()


def _gaps(report: Report, signed: dict[str, int], *, although_changed: bool) -> dict[str, Gap]:
    """What is gone of each log. Raises EpochRefused when that isn't what happened."""
    explained = {"length", "checkpoint"} if although_changed else {"length"}
    # A clock that was wrong took no entry away, and its entries go on telling of it. A row that somebody put
    # beside the logs isn't an entry.
    for fault in (one for one in report.faults if one.check != "clock" and not one.passed_over):
        if fault.check == "checkpoint" and not although_changed:
            raise EpochRefused(
                f"{fault.log}: {fault.text}. That is no mere restore: keep everything as it is and find out. "
                "If the record has to go on like this, say --although-changed."
            )
        if fault.log not in LOGS or fault.check not in explained:
            raise EpochRefused(f"This isn't what an epoch can explain: {fault.text}. See casebook verify.")
    for one in report.logs:
        if one.found != one.entries and not although_changed:
            raise EpochRefused(f"{one.log}: the log doesn't end where its head says. See casebook verify.")
    gaps = {one.log: Gap(signed[one.log], min(one.held, signed[one.log]), one.entries) for one in report.logs}
    if all(gap.kept == gap.signed for gap in gaps.values()):
        raise EpochRefused("Nothing that was signed is missing: the record goes on as it is.")
    return gaps
