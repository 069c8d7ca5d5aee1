"""Commands beside a school's running projector, called as a program but inside the test's process."""

from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest

from app.alerts import Alerts
from app.checkup import check
from app.cli import main
from app.house import House
from app.post import Smtp
from app.project import ProjectorProcess
from app.proof.anchor import Anchor
from app.proof.checkpoints import CheckpointFile
from app.proof.log_key import create_log_key
from app.settings import Settings
from tests.projections.conftest import until

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
    """What `casebook project` and `casebook anchor` do, at work: lists, alerts and checkpoints."""
    stop = Event()
    settings = house.settings
    alerts = Alerts(house.pool, house.casework, Smtp(NO_MAIL), settings.base_url)
    key = create_log_key(settings.data_dir / "log-key", settings.origin)
    file = CheckpointFile(settings.data_dir / "checkpoints.txt")
    anchor = Anchor(settings.database_url, settings.origin, key, file)
    beside = [Thread(target=one.run, args=(stop,)) for one in (alerts, anchor)]
    for thread in beside:
        thread.start()
    with ProjectorProcess(house.pool, house.recorder, house.mapper):
        until(lambda: check(house).anchoring)
        yield house
    stop.set()
    for thread in beside:
        thread.join()


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
