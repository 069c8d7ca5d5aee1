"""The note that somebody looked, made before anything is shown."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from app.access.person import Person

if TYPE_CHECKING:
    from app.house import House


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
    seen = list(dict.fromkeys(subject for subject in subjects if subject is not None))
    house.reads.log(
        person.account,
        route,
        seen,
        role=person.role,
        field_class=field_class,
        reason=reason,
        position=position,
    )
