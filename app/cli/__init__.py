"""The command `casebook`: exit 0 fine, 1 found or failed, 2 usage. Errors are lines on stderr."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import psycopg
from psycopg_pool import PoolTimeout

from app.cli.output import Failed, complain


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Gives its exit status; wrong usage leaves by SystemExit(2), as argparse does."""
    said = parser().parse_args(arguments)
    # What the pool says of a lost connection is said again, in one line, by the command that needed it.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    try:
        status: int = said.run(said) or 0
        sys.stdout.flush()
    except Failed as failed:
        complain(*failed.lines)
        return failed.status
    except (psycopg.OperationalError, PoolTimeout):
        complain("The database can't be reached: is it running, and are the URLs right?")
    except psycopg.errors.UndefinedTable:
        complain("The database isn't ready for this version. Run: casebook migrate")
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        complain("Interrupted.")
    except Exception as error:
        complain(_sentence(error))
    else:
        return status
    return 1


def _sentence(error: Exception) -> str:
    """What an error says, where its text is ours and so holds no personal data; else only its kind."""
    from app.demo.ground import DemoFailed
    from app.demo.seed import NotTold
    from app.embedded import EmbeddedError
    from app.forgetting.destroyed_list import ListBroken
    from app.forgetting.destroying import NowhereToList
    from app.proof.anchor import AnchorRefuses
    from app.proof.checkpoints import TornFile
    from app.proof.log_key import LogKeyRefused
    from app.record.errors import RecordError
    from app.record.kek_roll import StillNeeded
    from app.record.keys import KekRefused, KeyFault
    from app.record.migrate import MigrationRefused
    from app.settings import SettingsMissing
    from app.staff_office import OfficeRefused
    from projections.rebuild import RebuildFailed

    ours = (DemoFailed, NotTold, EmbeddedError, RecordError, KekRefused, KeyFault, MigrationRefused)
    proofs = (AnchorRefuses, TornFile, LogKeyRefused)
    erasing = (ListBroken, NowhereToList, StillNeeded)
    if isinstance(error, (*ours, *proofs, *erasing, SettingsMissing, OfficeRefused, RebuildFailed)):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"This failed unexpectedly ({type(error).__name__})."


class _Parser(argparse.ArgumentParser):
    """Complains of wrong usage in one line, as of everything else."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help says more)\n")


def parser() -> argparse.ArgumentParser:
    """Every command with its arguments."""
    from app.cli import evidence, forgetting, looking, office, proof, restore, running, witness

    made = _Parser(prog="casebook", description="The record of a school's peer-mentoring scheme.")
    commands = made.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for part in (running, office, looking, proof, witness, evidence, restore, forgetting):
        part.add_to(commands)
    return made


def port(text: str) -> int:
    """A TCP port, for argparse."""
    found = int(text)
    if not 1 <= found <= 65535:
        raise ValueError
    return found


def folder(text: str) -> Path:
    """A folder, made absolute at once: children of the command may work elsewhere."""
    return Path(text).resolve()
