"""The note that somebody looked, made before anything is shown."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from app.access.person import Person

if TYPE_CHECKING:
    from app.casework import Told
    from app.house import House
    from app.record.rows import StoredRow
    from domain.fact import Subject


def log(
    house: "House",
    person: Person,
    route: str,
    subjects: Iterable[UUID | None],
    field_class: str,
    position: int | None,
    reason: str | None = None,
) -> None:
    """Note that this person sees these subjects, and commit it. Call it before every answer with case data.

    `route` is the address's rule, `field_class` a word for what is shown ("case", "history", "names"),
    `position` the newest fact that the answer can hold. Raises RecordUnavailable: then show nothing.
    """
    # Where an id was erased with the rest, nobody can say any more whose it was.
    seen = list(dict.fromkeys(subject for subject in subjects if isinstance(subject, UUID)))
    house.reads.log(
        person.account,
        route,
        seen,
        role=person.role,
        field_class=field_class,
        reason=reason,
        position=position,
    )


def log_and_stream(
    house: "House",
    person: Person,
    route: str,
    kind: "type[Subject]",
    subject_id: UUID,
    field_class: str,
) -> "list[Told]":
    """Note that this person sees one subject's whole story, and give it, in one commit: faster than both.

    The story is as it stood when they were let in: to show what they just recorded, read it another way.
    Empty when there is no such subject. For readers who need no other right than that it is there: whoever
    asks is noted before anybody knows whose it is. Raises RecordUnavailable.
    """

    def read(since: int) -> "list[StoredRow]":
        return house.reads.log_and_rows(
            person.account,
            route,
            [subject_id],
            subject_id,
            role=person.role,
            field_class=field_class,
            position=person.position,
            since=since,
        )

    return house.casework.told(kind, subject_id, read)
