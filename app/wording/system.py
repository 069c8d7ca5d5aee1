"""How the system is, in words: for the administrator's page and for `casebook status`."""

from typing import TYPE_CHECKING, Final, NamedTuple

from app.wording.common import _, ago, how_long, listed, moment, ngettext

if TYPE_CHECKING:
    from app.checkup import Checkup
    from app.proof.verifier import Epoch

LISTS: Final = {
    "caseload": _("Cases"),
    "figures": _("Cases in figures"),
    "mentors": _("Mentors"),
    "roll": _("Pupils by name"),
    "concerns": _("Concerns"),
    "staff": _("People with an account"),
    "retention": _("What is kept until when"),
    "erasures": _("Erasures"),
}
"""What each list is called."""
LOST: Final = _("Lost entries")


class Part(NamedTuple):
    """One part of the system: what it is called, how it is, and whether that is well."""

    label: str
    text: str
    well: bool


class Advice(NamedTuple):
    """What is wrong, and what to do about it."""

    text: str
    what_to_do: str


def summary(found: "Checkup") -> str:
    """Everything in one sentence."""
    return _("{record}; {lists}; alerts: {alerts}; e-mail: {mail}.").format(
        record=_record(found), lists=_lists(found), alerts=_alerts(found), mail=_mail(found)
    )


def parts(found: "Checkup") -> list[Part]:
    """Part by part: the record, its keeper, each list, alerts, e-mail."""
    running = found.keeping and found.ringing
    keeper = _("Running.") if running else _("Nobody keeps the lists up to date or sends alerts.")
    lists = [
        Part(_("List: {list}").format(list=LISTS.get(one.name, one.name)), *_list(found, one.name))
        for one in found.lists
    ]
    return [
        Part(_("Record"), _sentence(_record(found)), True),
        Part(_("Checkpoints"), _checkpoints(found), found.signing),
        *(Part(LOST, lost(epoch), True) for epoch in found.epochs),
        Part(_("Projector"), keeper, running),
        *lists,
        Part(_("Alerts"), _sentence(_alerts(found)), not found.waiting),
        Part(_("E-mail"), _sentence(_mail(found)), found.mail != "none"),
    ]


def advice(found: "Checkup") -> list[Advice]:
    """What somebody has to do now."""
    given = []
    if not (found.keeping and found.ringing):
        given.append(
            Advice(
                _("Nobody keeps the lists up to date or sends alerts"),
                _("Nothing is lost: the record is complete. Start “casebook project” on the server."),
            )
        )
    elif found.unmade:
        given.append(
            Advice(
                _("Lists are being made"),
                _(
                    "Nothing is lost: the record is complete. Wait a minute; if it stays so, look at what "
                    "“casebook project” logs."
                ),
            )
        )
    if found.refused:
        given.append(
            Advice(
                _("The anchor refuses to sign checkpoints"),
                _(
                    "It says: {why} Keep everything as it is, and run “casebook verify”. What is recorded "
                    "now is kept. The anchor looks again within a quarter of an hour, or at once when it is "
                    "started again."
                ).format(why=found.refused),
            )
        )
    elif not found.anchoring:
        given.append(
            Advice(
                _("Nobody signs checkpoints"),
                _(
                    "What is recorded now is kept, and nothing proves later that it wasn’t changed. Start "
                    "“casebook anchor”."
                ),
            )
        )
    elif found.late:
        given.append(
            Advice(
                _("Checkpoints stay away"),
                _(
                    "Somebody says to be the anchor and signs nothing. Look whether “casebook anchor” runs "
                    "and what it logs, and start it again."
                ),
            )
        )
    given += [
        Advice(
            _("The list “{list}” has stopped").format(list=LISTS.get(one.name, one.name)),
            _(
                "Nothing is lost: the record is complete. Run “casebook rebuild {name}” on the server, and "
                "report this if it stops again."
            ).format(name=one.name),
        )
        for one in found.stopped
    ]
    if found.unforgotten:
        given.append(
            Advice(
                _("Approved erasures wait to be carried out"),
                _(
                    "What two people agreed to erase can still be read. See that CASEBOOK_DESTROYED_FILE is "
                    "set for “casebook project”, and look at what it logs."
                ),
            )
        )
    if found.mail == "none":
        given.append(
            Advice(
                _("No mail server is set"),
                _(
                    "Alerts about concerns can’t leave. Set CASEBOOK_SMTP_URL on the server. Until then the "
                    "safeguarding lead must look at Casebook several times a day."
                ),
            )
        )
    elif any(due.reachable for due in found.waiting):
        given.append(
            Advice(
                _("Alerts wait to be sent"),
                _(
                    "Tell the safeguarding lead now, by voice, that a concern needs them. Then see whether "
                    "the mail server answers: “casebook test-mail ADDRESS”."
                ),
            )
        )
    if not all(due.reachable for due in found.waiting):
        given.append(
            Advice(
                _("A concern has nobody to alert"),
                _(
                    "Tell the head now that a concern waits. Then give the safeguarding lead and a deputy "
                    "accounts with an e-mail address."
                ),
            )
        )
    return given


def _record(found: "Checkup") -> str:
    if found.newest_at is None:
        return _("The record is empty")
    said = ngettext(
        "The record has {n} fact, newest {ago}", "The record has {n} facts, newest {ago}", found.facts
    ).format(n=f"{found.facts:,}", ago=ago(found.newest_at, found.at))
    if found.signed_at is None:
        return _("{record}, no checkpoint yet").format(record=said)
    return _("{record}, last checkpoint {ago}").format(record=said, ago=ago(found.signed_at, found.at))


def _checkpoints(found: "Checkup") -> str:
    if found.refused and found.refused_at:
        return _("The anchor refuses since {when}: {why}").format(
            when=moment(found.refused_at), why=found.refused
        )
    if not found.anchoring:
        return _("Nobody signs them.")
    if found.signed_at is None:
        return _("None yet.")
    after = max(found.facts - found.signed, 0)
    if not after:
        return _("The last, of {when}, covers everything.").format(when=moment(found.signed_at))
    return ngettext(
        "The last is of {when}; {n} fact came after it.",
        "The last is of {when}; {n} facts came after it.",
        after,
    ).format(when=moment(found.signed_at), n=f"{after:,}")


def lost(epoch: "Epoch") -> str:
    """What an epoch says of the entries that were lost before it."""
    facts, reads = epoch.gaps["events"].lost, epoch.gaps["reads"].lost
    if facts or reads:
        what = _("{facts} and {reads} that had been signed are gone").format(
            facts=ngettext("{n} fact", "{n} facts", facts).format(n=f"{facts:,}"),
            reads=ngettext("{n} noted look", "{n} noted looks", reads).format(n=f"{reads:,}"),
        )
    else:
        what = _("Some entries aren’t what had been signed")
    return _("{what}. Epoch {n} of the record began on {when}, said by {who}: {why}").format(
        what=what, n=epoch.number, when=epoch.made_at[:10], who=epoch.by, why=epoch.reason
    )


def _lists(found: "Checkup") -> str:
    if not found.keeping:
        return _("nobody keeps the lists up to date")
    if found.stopped:
        names = listed([f"“{LISTS.get(one.name, one.name)}”" for one in found.stopped])
        return ngettext(
            "the list {names} has stopped", "the lists {names} have stopped", len(found.stopped)
        ).format(names=names)
    if found.unmade:
        return _("lists are being made")
    if found.behind:
        most = max(one.lag for one in found.behind)
        return ngettext(
            "lists are being updated, {n} fact behind", "lists are being updated, {n} facts behind", most
        ).format(n=f"{most:,}")
    return _("all lists are up to date")


def _alerts(found: "Checkup") -> str:
    if not found.ringing and not found.waiting:
        return _("nobody sends them")
    if not found.waiting:
        return _("none waiting")
    oldest = how_long(min(due.raised_at for due in found.waiting), found.at)
    said = ngettext(
        "{n} waiting, about a concern raised {oldest} ago",
        "{n} waiting, the oldest about a concern raised {oldest} ago",
        len(found.waiting),
    )
    return said.format(n=len(found.waiting), oldest=oldest)


def _mail(found: "Checkup") -> str:
    if found.mail == "none":
        return _("no mail server is set")
    if found.last_sent_at is None:
        return _("nothing sent yet") if found.mail == "e-mail" else _("kept as files, none yet")
    said = _("last sent {when}") if found.mail == "e-mail" else _("kept as files, last {when}")
    return said.format(when=moment(found.last_sent_at))


def _list(found: "Checkup", name: str) -> tuple[str, bool]:
    one = next(one for one in found.lists if one.name == name)
    if one in found.unmade:
        return _("Not made yet."), False
    if one.fault:
        return _("Stopped at fact {n}.").format(n=f"{one.position + 1:,}"), False
    if one.lag:
        return ngettext("{n} fact behind.", "{n} facts behind.", one.lag).format(n=f"{one.lag:,}"), True
    return _("Up to date."), True


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:] + "."
