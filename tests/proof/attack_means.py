"""With what attacks on the database are made, and what is said of many of them."""

from collections.abc import Callable, Sequence
from typing import Final

import psycopg

from tests.giving import Someone, a_pupil, give
from tests.proof.attack import RENUMBER, Scene

NOBODY: Final = "nobody"
ADMIN: Final = "database administrator"
KEYED: Final = "database administrator with the data keys"
APP: Final = "whoever holds the web server's password to the database"

WINDOW: Final = (
    "It came after the newest checkpoint, and until the next one nobody outside knows of these facts. Keep "
    "the time between checkpoints short; closings, extensions and decisions don't wait for it."
)
THIEF: Final = (
    "Whoever has the log key can sign another history of all that came after the newest checkpoint outside. "
    "Keep a checkpoint elsewhere, and the newer the better: the paper one misses what came after it."
)


def sql(*statements: str) -> Callable[[Scene], Sequence[str]]:
    """Statements, with places of the scene in braces."""

    def said(scene: Scene) -> Sequence[str]:
        places = {
            "old": scene.old,
            "mid": scene.mid,
            "tail": scene.tail,
            "case": scene.case,
            "concern": scene.concern,
            "other_case": scene.other_case,
            "new_case": scene.new_case,
            "size": scene.size,
            "paper_size": scene.paper_size,
        }
        return [statement.format(**places) for statement in statements]

    return said


def rewritten(place: str) -> Callable[[Scene], Sequence[str]]:
    """A fact that says something else, sealed as it should be."""

    def said(scene: Scene) -> Sequence[str]:
        row = scene.fact(getattr(scene, place))
        field = {"old": "words", "mid": "purpose", "tail": "place"}[place]
        return [
            f"UPDATE record.events SET state = {scene.sealed_again(row, {field: 'Nothing was wrong.'})}"
            f" WHERE notification_id = {row.number}"
        ]

    return said


def moved_up(scene: Scene) -> Sequence[str]:
    """A fact of the case is gone, and what follows it in the case is sealed under the number before."""
    gone = scene.fact(scene.mid)
    later = [row for row in scene.of(scene.case) if row.version > gone.version]
    return [
        f"DELETE FROM record.events WHERE notification_id = {gone.number}",
        *(
            f"UPDATE record.events SET originator_version = {row.version - 1},"
            f" state = {scene.sealed_again(row, version=row.version - 1)}"
            f" WHERE notification_id = {row.number}"
            for row in later
        ),
        *RENUMBER,
    ]


def inserted(place: Callable[[Scene], int]) -> Callable[[Scene], Sequence[str]]:
    """A fact of another case that never was, numbered and dated as if it had come then."""

    def said(scene: Scene) -> Sequence[str]:
        number = place(scene)
        last = scene.of(scene.other_case)[-1]
        version = last.version + 1
        return [
            f"UPDATE record.events SET notification_id = -notification_id - 1"
            f" WHERE notification_id >= {number}",
            "UPDATE record.events SET notification_id = -notification_id WHERE notification_id < 0",
            "INSERT INTO record.events (notification_id, originator_id, originator_version, topic, state,"
            f" recorded_at, leaf_hash) SELECT {number}, originator_id, {version}, topic,"
            f" {scene.sealed_again(last, version=version)}, (SELECT recorded_at FROM record.events"
            f" WHERE notification_id = {number + 1}), leaf_hash"
            f" FROM record.events WHERE notification_id = {last.number}",
            "UPDATE record.heads SET size = size + 1 WHERE log = 'events'",
        ]

    return said


def dated_back_at_the_end(*before: str) -> Callable[[Scene], Sequence[str]]:
    """A fact of the case that is added with a date of a year ago."""

    def said(scene: Scene) -> Sequence[str]:
        last = scene.of(scene.case)[-1]
        return [
            *before,
            "INSERT INTO record.events (notification_id, originator_id, originator_version, topic, state,"
            " recorded_at, leaf_hash)"
            " SELECT notification_id + 1, originator_id, originator_version + 1, topic,"
            f" {scene.sealed_again(last, version=last.version + 1)}, recorded_at - interval '1 year',"
            " leaf_hash"
            f" FROM record.events WHERE notification_id = {last.number}",
            "UPDATE record.heads SET size = size + 1 WHERE log = 'events'",
        ]

    return said


def replayed(scene: Scene) -> None:
    with psycopg.connect(scene.proven.settings.database_url) as connection:
        connection.execute(
            "INSERT INTO record.events (originator_id, originator_version, topic, state)"
            " SELECT originator_id, (SELECT max(originator_version) + 1 FROM record.events"
            " WHERE originator_id = e.originator_id), topic, state FROM record.events e"
            " WHERE notification_id = %s",
            [scene.mid],
        )


def in_a_colleagues_name(scene: Scene) -> None:
    said = {"at": "2026-11-30T12:00:00Z", "place": "Library"}
    give(scene.house, "cases/arrange-session", said, scene.case, person=Someone(scene.colleague))


def rolled_back(scene: Scene) -> None:
    scene.put_back("early")


def grown_past(scene: Scene) -> None:
    """Another history from the older backup on, longer than the one that was signed."""
    scene.put_back("early")
    for _ in range(len(scene.rows()), scene.size + 3):
        a_pupil(scene.house)
