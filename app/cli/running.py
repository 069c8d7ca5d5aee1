"""The commands that run things: demo, migrate, serve, project."""

import argparse
import os
from argparse import Namespace
from threading import Event, Thread

from app.cli.output import Commands, Failed, add_command, progress
from app.settings import data_dir


def add_to(commands: Commands) -> None:
    """Make these commands known."""
    from app.cli import folder, port

    demo = add_command(commands, "demo", _demo, "Run an invented school on this machine; Ctrl-C ends it.")
    demo.add_argument("--port", type=port, default=8000, help="where pages are served (default: 8000)")
    demo.add_argument("--data-dir", type=folder, metavar="DIR", help="where its data is kept")
    demo.add_argument("--fresh", action="store_true", help="forget what the demo holds and begin again")
    demo.add_argument("--scheme", metavar="NAME", help="the name of the invented school")

    migrate = add_command(commands, "migrate", _migrate, "Bring the databases to this version's shape.")
    migrate.add_argument("--demo", action="store_true", help="a demo for good: times may be invented")

    serve = add_command(commands, "serve", _serve, "Serve pages and API of a school's own record.")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=port, default=8000, help="the port to listen on (default: 8000)")
    serve.add_argument("--workers", type=_count, default=1, help="processes (default: 1)")

    add_command(commands, "project", _project, "Keep the lists up to date and send alerts.")


def _count(text: str) -> int:
    found = int(text)
    if not 1 <= found <= 64:
        raise argparse.ArgumentTypeError("from 1 to 64")
    return found


def _demo(said: Namespace) -> None:
    from app.demo.people import SCHOOL
    from app.demo.run import run_demo

    folder = said.data_dir or data_dir()
    run_demo(folder, said.port, said.scheme or SCHOOL, fresh=said.fresh, say=progress)


def _migrate(said: Namespace) -> None:
    from app.cli.surroundings import owner_urls, settings_here
    from app.record.migrate import migrate

    settings = settings_here()
    record, keys = owner_urls(settings)
    applied = migrate(record, keys, origin=settings.origin, demo=said.demo or settings.demo)
    for name in applied:
        print(f"applied {name}")
    if not applied:
        print("Nothing to apply: the databases are up to date.")


def _serve(said: Namespace) -> None:
    from app.cli.restore import erase_again, why_not_restored
    from app.cli.surroundings import names_databases, origin_of, settings_here, why_not_a_server
    from app.logs import log_to_stderr
    from app.record.keys import load_kek
    from app.record.migrate import pending
    from app.serve import run

    if not names_databases():
        raise Failed(
            "serve needs a PostgreSQL server: set CASEBOOK_DATABASE_URL and CASEBOOK_KEYS_DATABASE_URL. "
            "`casebook demo` brings its own."
        )
    settings = settings_here()
    wrong = why_not_a_server(settings)
    if wrong:
        raise Failed(wrong)
    load_kek(settings.kek_file)
    if pending(settings.database_url, settings.keys_database_url):
        raise Failed("The databases aren't ready for this version. Run: casebook migrate")
    wrong = why_not_restored(settings)
    if wrong:
        raise Failed(wrong)
    erase_again(settings)
    # A demo's name ends in /demo, by which its pages know to say so, whatever the environment calls it.
    os.environ["CASEBOOK_ORIGIN"] = origin_of(settings)
    log_to_stderr()
    run(said.host, said.port, said.workers)


def _project(_said: Namespace) -> None:
    from app.alerts import Alerts
    from app.cli.surroundings import settings_here
    from app.forgetting.destroying import Forgetting
    from app.house import House
    from app.logs import log_to_stderr
    from app.post import post_of
    from app.project import ProjectorProcess

    settings = settings_here()
    log_to_stderr()
    stop = Event()
    with House(settings) as house:
        alerts = Alerts(house.pool, house.casework, post_of(settings), settings.base_url)
        # A thread and a lock of its own: a list that can't be kept must not silence an alert.
        ringing = Thread(target=alerts.run, args=(stop,), name="alerts")
        forgetting = Thread(target=Forgetting(house).run, args=(stop,), name="forgetting")
        threads = (ringing, forgetting)
        try:
            # Inside: Ctrl-C may come before the projector listens for it, and they would go on for ever.
            for thread in threads:
                thread.start()
            with house.catching_up() as reader:
                ProjectorProcess(house.pool, reader, house.mapper).run()
        finally:
            stop.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
