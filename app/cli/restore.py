"""After a restore: what a server looks at before it serves, and the command new-epoch."""

from argparse import Namespace

import psycopg

from app.cli.output import Commands, Failed, add_command
from app.settings import Settings


def add_to(commands: Commands) -> None:
    """Make this command known."""
    epoch = add_command(
        commands,
        "new-epoch",
        _new_epoch,
        "After a restore that lost signed entries: say so for good, and sign from there on.",
    )
    epoch.add_argument("--reason", required=True, help="what happened; it stands in the record for good")
    epoch.add_argument(
        "--by", default="whoever runs the server", metavar="ROLE", help="who says so: a role, no name"
    )
    epoch.add_argument(
        "--although-changed",
        action="store_true",
        help="also when entries aren't cut off, but other than what was signed",
    )


def _new_epoch(said: Namespace) -> None:
    from app.cli.proof import checkpoint_file, next_keys, signing_key, verifier_keys
    from app.cli.surroundings import anchor_here
    from app.proof.new_epoch import EpochRefused, new_epoch

    settings = anchor_here()
    key = signing_key(settings)
    try:
        epoch, notes = new_epoch(
            settings.database_url,
            key,
            checkpoint_file(settings),
            older=[one for one in verifier_keys(settings) if one != key.verifier_key],
            by=said.by,
            reason=said.reason,
            also=next_keys(settings),
            although_changed=said.although_changed,
        )
    except EpochRefused as refused:
        raise Failed(str(refused)) from None
    print("\n".join([*epoch.told(), ""]))
    print("\n".join(note.decode() for note in notes), end="")


def why_not_restored(settings: Settings) -> str | None:
    """Why this record isn't yet what it was, by the files that this machine has; None when it is.

    Raises psycopg.Error, TornFile.
    """
    from app.proof.checkpoints import CheckpointFile
    from app.proof.epoch import behind

    if settings.checkpoint_file is None or not settings.checkpoint_file.exists():
        return None
    with psycopg.connect(settings.database_url, connect_timeout=10) as connection:
        lacks = behind(connection, CheckpointFile(settings.checkpoint_file))
    if not lacks:
        return None
    return (
        f"The record is behind its own checkpoints: {' '.join(lacks)} Keep it as it is, and restore a newer "
        "back-up; if there is none, say so for good: casebook new-epoch, where the anchor runs."
    )


def erase_again(settings: Settings) -> int:
    """Destroy each listed key that came back with an old back-up, where this machine has the list.

    Gives how many. Raises ListBroken, PoolTimeout, and what database and file raise.
    """
    from app.forgetting.destroyed_list import DestroyedList
    from app.forgetting.destroying import apply_list
    from app.record.pool import open_pool

    if settings.destroyed_file is None or not settings.destroyed_file.exists():
        return 0
    with open_pool(settings.keys_database_url, max_size=1, wait=True) as pool:
        return len(apply_list(pool, DestroyedList(settings.destroyed_file)))
