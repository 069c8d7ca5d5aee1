"""The commands that look: status, database-url, rebuild, openapi."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from app.cli.output import Commands, Failed, add_command, as_json, progress, table


def add_to(commands: Commands) -> None:
    """Make these commands known."""
    status = add_command(commands, "status", _status, "Show whether the record and its lists are in order.")
    status.add_argument("--json", action="store_true")

    url = add_command(commands, "database-url", _database_url, "Print the record database's URL, for psql.")
    url.add_argument("--superuser", action="store_true", help="the superuser's (embedded database only)")

    rebuild = add_command(commands, "rebuild", _rebuild, "Make lists again from the record.")
    rebuild.add_argument("names", nargs="*", metavar="NAME", help="which lists (default: all)")

    add_command(commands, "openapi", _openapi, "Print the API's OpenAPI document.")


def _status(said: Namespace) -> int:
    from app.cli.surroundings import settings_here

    found = _look(settings_here())
    if said.json:
        as_json(found)
    else:
        _tell(found)
    return 0 if found["in_order"] else 1


def _look(settings: Any) -> dict[str, Any]:
    """Everything that status tells, with `in_order` when nobody needs to do anything."""
    from app.alerts import Alerts
    from app.house import House
    from app.post import post_of
    from app.record.migrate import pending
    from projections.all_models import MODELS
    from projections.positions import status

    waiting = pending(settings.database_url, settings.keys_database_url)
    if waiting:
        return {"in_order": False, "migrations": waiting, "facts": None, "lists": [], "alerts_waiting": []}
    with House(settings) as house:
        facts = house.recorder.max_notification_id() or 0
        known = {standing.name: standing for standing in status(house.pool)}
        lists = [
            {"name": name, "position": s.position, "lag": s.lag, "fault": s.fault}
            if (s := known.get(name))
            else {
                "name": name,
                "position": 0,
                "lag": facts,
                "fault": "not made yet: is project running?",
            }
            for name in MODELS
        ]
        due = Alerts(house.pool, house.casework, post_of(settings), settings.base_url).waiting()
    return {
        "in_order": not due and not any(row["fault"] for row in lists),
        "migrations": waiting,
        "facts": facts,
        "lists": lists,
        "alerts_waiting": [
            {"since": d.raised_at.isoformat(), "people": len(d.people), "reachable": d.reachable} for d in due
        ],
    }


def _tell(found: dict[str, Any]) -> None:
    if found["migrations"]:
        print(f"The databases need casebook migrate: {', '.join(found['migrations'])}")
        return
    print(f"The record has {found['facts']:,} facts. The databases are up to date.")
    rows = [(r["name"], f"{r['position']:,}", f"{r['lag']:,}", r["fault"] or "") for r in found["lists"]]
    table(("list", "position", "behind", "fault"), rows)
    for due in found["alerts_waiting"]:
        who = f"{due['people']} to alert" if due["reachable"] else "nobody with an e-mail address to alert"
        print(f"A concern raised at {due['since']} waits to be sent: {who}.")
    if not found["alerts_waiting"]:
        print("No alert is waiting to be sent.")


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
    from app.house import House
    from projections.all_models import MODELS
    from projections.rebuild import rebuild

    unknown = [name for name in said.names if name not in MODELS]
    if unknown:
        raise Failed(f"There is no list “{unknown[0]}”. The lists are {', '.join(MODELS)}.", status=2)
    with House(settings_here()) as house:
        for name in said.names or MODELS:
            progress(f"Making {name} again")
            position = rebuild(house.pool, house.recorder.rows_after, house.mapper, MODELS[name])
            print(f"{name}: made again up to fact {position:,}")


def _openapi(_said: Namespace) -> None:
    from app import create_app
    from app.api import create_openapi
    from app.settings import Settings

    # The document is made from the commands alone: no database and no secret is asked.
    nowhere = Settings(
        database_url="",
        keys_database_url="",
        kek_file=Path(),
        secret_key="",
        origin="",
        data_dir=Path(),
    )
    as_json(create_openapi(create_app(nowhere)))
