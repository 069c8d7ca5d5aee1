"""Commands beside a school's running projector, called as a program but inside the test's process."""

from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest

from app.alerts import Alerts
from app.cli import main
from app.house import House
from app.post import Smtp
from app.project import ProjectorProcess
from app.settings import Settings

NO_MAIL = "smtp://127.0.0.1:1"
Casebook = Callable[..., tuple[int, str, str]]


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a server with this test's databases."""
    said = {
        "DATABASE_URL": settings.database_url,
        "KEYS_DATABASE_URL": settings.keys_database_url,
        "MIGRATE_DATABASE_URL": settings.migrate_database_url,
        "KEK_FILE": settings.kek_file,
        "SECRET_KEY": settings.secret_key,
        "ORIGIN": settings.origin,
        "DATA_DIR": settings.data_dir / "data",
        "SMTP_URL": NO_MAIL,
    }
    for name, value in said.items():
        monkeypatch.setenv(f"CASEBOOK_{name}", str(value))


@pytest.fixture
def projecting(house: House) -> Iterator[House]:
    """What `casebook project` does, at work: lists and alerts."""
    stop = Event()
    alerts = Alerts(house.pool, house.casework, Smtp(NO_MAIL), house.settings.base_url)
    ringing = Thread(target=alerts.run, args=(stop,))
    ringing.start()
    with ProjectorProcess(house.pool, house.recorder, house.mapper):
        yield house
    stop.set()
    ringing.join()


@pytest.fixture
def casebook(environment: None, capsys: pytest.CaptureFixture[str]) -> Casebook:
    """Run a command: gives exit status, stdout, stderr."""

    def run(*arguments: Any) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as left:
            status = int(left.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run
