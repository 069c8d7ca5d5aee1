"""The commands that look: status, test-mail, database-url, rebuild, openapi."""

from argparse import Namespace
from typing import Any

from app.checkup import Checkup, check
from app.cli.output import Commands, Failed, add_command, as_json, progress, table
from app.house import House
from app.wording import system


def add_to(commands: Commands) -> None:
    """Make these commands known."""
    status = add_command(commands, "status", _status, "Show whether the record and its lists are in order.")
    status.add_argument("--json", action="store_true")

    mail = add_command(commands, "test-mail", _test_mail, "Send a test message, as alerts are sent.")
    mail.add_argument("address", metavar="ADDRESS")

    url = add_command(commands, "database-url", _database_url, "Print the record database's URL, for psql.")
    url.add_argument("--superuser", action="store_true", help="the superuser's (embedded database only)")

    rebuild = add_command(commands, "rebuild", _rebuild, "Make lists again from the record.")
    rebuild.add_argument("names", nargs="*", metavar="NAME", help="which lists (default: all)")

    add_command(commands, "openapi", _openapi, "Print the API's OpenAPI document.")


def _status(said: Namespace) -> int:
    from app.cli.surroundings import settings_here

    waiting, found = _look(settings_here())
    if said.json:
        as_json(_told_to_programs(waiting, found))
    else:
        _told_to_people(waiting, found)
    return 0 if found and found.in_order else 1


def _look(settings: Any) -> tuple[list[str], Checkup | None]:
    """The migrations that are still to apply; when there are none, how everything is."""
    from app.record.migrate import pending

    waiting = pending(settings.database_url, settings.keys_database_url)
    if waiting:
        return waiting, None
    with House(settings) as house:
        return [], check(house)


def _told_to_programs(waiting: list[str], found: Checkup | None) -> dict[str, Any]:
    lists = found.lists if found else ()
    due = found.waiting if found else ()
    return {
        "in_order": found is not None and found.in_order,
        "migrations": waiting,
        "facts": found and found.facts,
        "newest_at": found and found.newest_at and found.newest_at.isoformat(),
        "checkpoint_size": found and found.signed,
        "checkpoint_at": found and found.signed_at and found.signed_at.isoformat(),
        "lost": [one for epoch in (found.epochs if found else ()) for one in epoch.told()],
        "anchor_running": found and found.anchoring,
        "anchor_refuses": found and found.refused,
        "reads_logged": found and found.reads,
        "projector_running": found and found.keeping and found.ringing,
        "lists": [
            {"name": one.name, "position": one.position, "lag": one.lag, "fault": one.fault} for one in lists
        ],
        "alerts_waiting": [
            {"since": one.raised_at.isoformat(), "people": len(one.people), "reachable": one.reachable}
            for one in due
        ],
        "erasures_late": found and found.unforgotten,
        "concerns_unacknowledged": found and found.unacknowledged,
        "mail": found and found.mail,
        "mail_last_sent_at": found and found.last_sent_at and found.last_sent_at.isoformat(),
    }


def _told_to_people(waiting: list[str], found: Checkup | None) -> None:
    if found is None:
        print(f"The databases need casebook migrate: {', '.join(waiting)}")
        return
    print(system.summary(found))
    table(("", ""), [(part.label, part.text) for part in system.parts(found)])
    for advice in system.advice(found):
        print(f"\n{advice.text}. {advice.what_to_do}")


def _test_mail(said: Namespace) -> None:
    from app.cli.surroundings import settings_here
    from app.post import NotSent, post_of

    settings = settings_here()
    text = f"This is a test. Alerts from Casebook at {settings.base_url} will come from this address.\n"
    try:
        post_of(settings).send([said.address], text, "Casebook can reach you")
    except NotSent as failed:
        raise Failed(f"The message didn't leave: {failed}") from None
    print("The message has left. Look whether it arrives, and that it isn't taken for junk.")


def _database_url(said: Namespace) -> None:
    from app.cli.surroundings import names_databases, settings_here
    from app.embedded import attach
    from app.settings import data_dir

    if not said.superuser:
        print(settings_here().database_url)
        return
    if names_databases():
        raise Failed("--superuser is for an embedded database: this one belongs to a server.", status=2)
    print(attach(data_dir()).url("superuser"))


def _rebuild(said: Namespace) -> None:
    from app.cli.surroundings import settings_here
    from projections.all_models import MODELS
    from projections.rebuild import rebuild

    unknown = [name for name in said.names if name not in MODELS]
    if unknown:
        raise Failed(f"There is no list “{unknown[0]}”. The lists are {', '.join(MODELS)}.", status=2)
    with House(settings_here()) as house, house.catching_up() as reader:
        for name in said.names or MODELS:
            progress(f"Making {name} again")
            position = rebuild(house.pool, reader.rows_after, house.mapper, MODELS[name])
            print(f"{name}: made again up to fact {position:,}")


def _openapi(_said: Namespace) -> None:
    from app.api import create_openapi

    # Made from the commands alone: no database and no secret is asked.
    as_json(create_openapi())
