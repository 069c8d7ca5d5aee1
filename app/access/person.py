"""Who acts: an account in its role."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True)
class Person:
    """An account in a role. `name` is for the person's own pages; `csrf` belongs to this session alone.

    `mentor_id` names the mentor whom a mentor's account belongs to, and is None for everybody else.
    `position` is the newest fact in the record at the moment when they were let in.
    """

    account: UUID
    role: str
    name: str = field(repr=False)
    mentor_id: UUID | None = None
    csrf: str = field(default="", repr=False)
    position: int | None = field(default=None, repr=False, compare=False)
