"""A server's clock that is a day ahead and then set right: what readers meet, and what was recorded."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.clock import ClockedSchool, library
from tests.faults.school import HEALS_SECONDS
from tests.faults.visit import Seen, Visit, is_told_in_words
from tests.kill import checks

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]


@pytest.fixture
def clocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[ClockedSchool]:
    found = library()
    if found is None:
        pytest.skip("needs libfaketime: apt-get install libfaketime")
    with TemporaryDirectory(prefix="casebook-clock-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        made = ClockedSchool(Path(folder), library=found, patch=monkeypatch)
        try:
            made.prepare()
            yield made
        finally:
            made.clear()


def test_a_clock_that_goes_a_day_ahead_and_back_loses_nothing(clocked: ClockedSchool) -> None:
    today, before = Visit(clocked), datetime.now(UTC)
    set_clock(clocked, 24)
    # Who was signed in has been away for a day, and nothing that they typed is lost by it.
    _asks_to_sign_in(today.send("worry"))
    assert today.send("worry signed out").status == 303
    assert today.send("tell").status == 200
    tomorrow = Visit(clocked)
    tomorrow.everything_works_again(HEALS_SECONDS)
    is_told_in_words(tomorrow, tomorrow.all_at_once())
    set_clock(clocked, 0)
    # A session of tomorrow would last for more than a day.
    _asks_to_sign_in(tomorrow.send("worry"))
    # What was acknowledged on the odd day is there, and sent again it gets its first answer.
    tomorrow.is_recorded_once()
    assert tomorrow.send("enrol").status == 201
    today.is_recorded_once("worry signed out", "tell")
    today.everything_works_again(HEALS_SECONDS)
    Visit(clocked).everything_works_again(HEALS_SECONDS)
    # Nor does it keep the alerts waiting.
    clocked.until(lambda: checks.every_concern_rang(checks.recorded(clocked.house)), 20)
    facts = checks.recorded(clocked.house)
    checks.the_ledger_holds(clocked.house, facts)
    # What was recorded at a wrong time says so for good; the record's own order never runs backwards.
    assert facts[0].row.recorded_at < before + timedelta(hours=1)
    assert before + timedelta(hours=23) < facts[-1].row.recorded_at < before + timedelta(hours=25)


def set_clock(clocked: ClockedSchool, hours: int) -> None:
    """Set it, and wait until the database has noticed."""
    clocked.set(hours)

    def noticed() -> bool:
        with clocked.superuser() as connection:
            row = connection.execute("SELECT clock_timestamp()").fetchone()
        ahead = row[0] - datetime.now(UTC) if row else timedelta.max
        return bool(abs(ahead - timedelta(hours=hours)) < timedelta(hours=1))

    clocked.until(noticed, 10)


def _asks_to_sign_in(seen: Seen) -> None:
    assert seen.status == 401
    assert "Sign in to send this" in seen.text
    assert "He said “" in seen.text
