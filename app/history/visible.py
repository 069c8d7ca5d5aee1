"""Who may see what of a subject's facts: the rules in one table.

Whoever isn't in the table sees nothing. Whether somebody may open a subject is decided before, elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol
from uuid import UUID

from domain.fact import Fact, Subject
from domain.mentee_case_facts import Closed, Matched, MatchEnded


class Reader(Protocol):
    """Who reads: an account in a role; a mentor's account names the mentor."""

    @property
    def role(self) -> str:
        """The role in which they read."""

    @property
    def account(self) -> UUID:
        """Their account."""

    @property
    def mentor_id(self) -> UUID | None:
        """The mentor whom this account belongs to, if any."""


class Others(Enum):
    """When a reader sees what somebody else recorded. What they recorded themselves they see whole."""

    ALWAYS = "always"
    IN_OWN_PAIRING = "from the match with this mentor until its end"
    NEVER = "never"


@dataclass(frozen=True)
class Rule:
    """How much of somebody else's fact a reader sees: when, without which fields, and whether by whom."""

    others: Others
    without: frozenset[str] = frozenset()
    who: bool = True


def _in_own_pairing(*without: str) -> Rule:
    return Rule(Others.IN_OWN_PAIRING, frozenset(without))


ALL: Final = Rule(Others.ALWAYS)
OWN: Final = Rule(Others.NEVER)
BARE: Final = Rule(Others.ALWAYS, frozenset({"reason"}), who=False)
"""That a case is on hold may be known; why and by whom would tell that there is a concern."""

EVERYTHING: Final = dict.fromkeys(
    ("mentee-case", "mentor", "pupil", "concern", "scheme", "staff", "erasure"), ALL
)
_KEEPING: Final = ("pupil.legal-hold-put", "pupil.legal-hold-released", "pupil.kept-longer")

VISIBLE: Final[Mapping[str, Mapping[str, Rule]]] = {
    "dsl": EVERYTHING,
    "deputy_dsl": EVERYTHING,
    "inspector": EVERYTHING,
    "coordinator": {
        **dict.fromkeys(("mentee-case", "mentor", "pupil", "scheme"), ALL),
        "mentee-case.confidentiality-broken": OWN,
        "mentee-case.put-on-hold": BARE,
        "mentee-case.hold-released": BARE,
        # Why something must be kept is for those who answer for the data.
        **dict.fromkeys(_KEEPING, OWN),
    },
    "mentor": {
        "mentee-case": OWN,
        "mentee-case.matched": _in_own_pairing("reason"),
        "mentee-case.purpose-agreed": _in_own_pairing(),
        "mentee-case.session-arranged": _in_own_pairing(),
        "mentee-case.session-held": _in_own_pairing("notes"),
        "mentee-case.session-missed": _in_own_pairing("reason"),
        "mentee-case.extended": _in_own_pairing("reason", "mentee_wishes"),
        "mentee-case.match-ended": _in_own_pairing("reason"),
        "mentee-case.closed": _in_own_pairing("outcome", "reason"),
        "mentee-case.put-on-hold": Rule(Others.IN_OWN_PAIRING, BARE.without, who=False),
        "mentee-case.hold-released": Rule(Others.IN_OWN_PAIRING, BARE.without, who=False),
    },
    # A concern about staff is theirs to deal with.
    "head": dict.fromkeys(("concern", "scheme", "staff", "erasure", *_KEEPING), ALL),
    "chair": dict.fromkeys(("concern", "scheme"), ALL),
    "data_officer": dict.fromkeys(("scheme", "staff", "erasure", *_KEEPING), ALL),
    "admin": dict.fromkeys(("scheme", "staff"), ALL),
}
"""By role: a fact's own line, else its subject's. A correction follows the fact that it corrects."""


def rule_for(role: str, topic: str) -> Rule | None:
    """The rule for a kind of fact, or None where this role sees nothing of its subject."""
    rules = VISIBLE.get(role, {})
    return rules.get(topic) or rules.get(topic.partition(".")[0])


def own_pairing(facts: Iterable[Fact], mentor_id: UUID | None) -> frozenset[int]:
    """The versions of a case's facts from this mentor's match until its end, both included."""
    inside = False
    versions = set()
    for fact in facts:
        if isinstance(fact, Matched):
            inside = mentor_id is not None and fact.mentor_id == mentor_id
        if inside:
            versions.add(fact.originator_version)
        if isinstance(fact, MatchEnded | Closed):
            inside = False
    return frozenset(versions)


def is_shown(subject: Subject, version: int, role: str, account: UUID) -> bool:
    """Whether somebody who may open a subject is shown its entry of this number. A mentor who may open a case
    has it now: theirs is what was recorded since the last match."""
    rule = rule_for(role, subject.told[version - 1].TOPIC)
    if rule is None or subject.told_by[version - 1] == account:
        return rule is not None
    if rule.others is Others.IN_OWN_PAIRING:
        return Matched in subject.told[:version] and Matched not in subject.told[version:]
    return rule.others is Others.ALWAYS
