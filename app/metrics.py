"""Counts and times for whoever watches the server, at /metrics, in the text format of Prometheus.

Labels are names from fixed tables: a route's rule, a command, a list; never anything about a person. Only a
program of an administrator may ask, with a bearer token.

Only the web imports this: the library decides at its import whether processes count together.
"""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from time import perf_counter
from typing import Any, Final
from uuid import UUID

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.access.policy import allow_programs, house
from app.casework import Busy, Casework, CommandReused, Done, NotFound, Person, Stale
from app.checkup import Checkup, check
from app.commands import BREAK_CONFIDENTIALITY, RAISE_CONCERN, Doing, Invalid
from app.errors import UNREACHABLE
from app.record.recorder import CommandKey
from domain.fact import Refused

_OURS: Final = CollectorRegistry()
_REQUESTS: Final = Counter(
    "casebook_requests", "Requests answered.", ("method", "rule", "status"), registry=_OURS
)
_SECONDS: Final = Histogram(
    "casebook_request_seconds",
    "How long answers took.",
    ("method", "rule"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_OURS,
)
_COMMANDS: Final = Counter(
    "casebook_commands", "Commands given, by what became of them.", ("command", "outcome"), registry=_OURS
)
_OUTCOMES: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]] = (
    (Refused, "refused"),
    (Invalid, "invalid"),
    (Stale, "stale"),
    (Busy, "busy"),
    (NotFound, "not_found"),
    (CommandReused, "reused"),
    (UNREACHABLE, "unreachable"),
    (Exception, "failed"),
)


class CountedCasework(Casework):
    """Casework that counts what becomes of each command."""

    def run(
        self,
        doing: Doing,
        person: Person,
        said: dict[str, Any],
        *,
        key: CommandKey,
        subject_id: UUID | None = None,
        expected: int | None = None,
    ) -> Done:
        """Give one command, and count it."""
        give = super().run
        return _counted(
            doing, lambda: give(doing, person, said, key=key, subject_id=subject_id, expected=expected)
        )

    def raise_concern(
        self, person: Person, said: dict[str, Any], *, key: CommandKey, case_id: UUID | None = None
    ) -> Done:
        """Raise a concern, and count it."""
        doing = BREAK_CONFIDENTIALITY if case_id else RAISE_CONCERN
        give = super().raise_concern
        return _counted(doing, lambda: give(person, said, key=key, case_id=case_id))


def register(app: Flask) -> None:
    """Count this app's requests, once `log_requests` times them, and put the metrics at their address."""

    @app.after_request
    def end(response: Response) -> Response:
        rule = request.url_rule
        # What isn't an address of ours is typed by strangers, its method too: it gets no label of its own.
        method, address = (request.method, rule.rule) if rule else ("(other)", "(none)")
        _REQUESTS.labels(method, address, str(response.status_code)).inc()
        _SECONDS.labels(method, address).observe(perf_counter() - g.began)
        return response

    app.add_url_rule("/metrics", view_func=metrics)


@allow_programs("admin")
def metrics() -> Response:
    """How this server works and how its record is, in numbers."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_OURS)
    registry.register(Record(check(house())))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Record(Collector):
    """The record's own numbers: how the record, its lists, alerts and e-mail are."""

    def __init__(self, found: Checkup) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """The numbers of one moment."""
        found = self._found
        yield CounterMetricFamily("casebook_facts", "Facts in the record.", found.facts)
        yield CounterMetricFamily("casebook_reads", "Looks at somebody's data that were logged.", found.reads)
        yield _when("casebook_newest_fact", "When the newest fact was recorded.", found.newest_at)
        yield GaugeMetricFamily(
            "casebook_projector_running",
            "Whether a process keeps the lists and one sends alerts.",
            int(found.keeping and found.ringing),
        )
        position = GaugeMetricFamily(
            "casebook_list_position", "The fact up to which a list is.", labels=["list"]
        )
        lag = GaugeMetricFamily("casebook_list_lag", "Facts that a list is behind.", labels=["list"])
        stopped = GaugeMetricFamily("casebook_list_stopped", "Whether a list has stopped.", labels=["list"])
        for one in found.lists:
            position.add_metric([one.name], one.position)
            lag.add_metric([one.name], one.lag)
            stopped.add_metric([one.name], int(one in found.stopped))
        yield from (position, lag, stopped)
        yield GaugeMetricFamily(
            "casebook_concerns_unacknowledged", "Concerns that nobody has read yet.", found.unacknowledged
        )
        yield GaugeMetricFamily(
            "casebook_alerts_waiting", "Alerts that are due and not sent.", len(found.waiting)
        )
        yield GaugeMetricFamily(
            "casebook_erasures_late", "Approved erasures that aren't carried out.", found.unforgotten
        )
        yield _when("casebook_alert_last_sent", "When an alert last left.", found.last_sent_at)


def _when(name: str, text: str, when: datetime | None) -> Metric:
    return GaugeMetricFamily(f"{name}_timestamp_seconds", text, when.timestamp() if when else 0)


def _counted(doing: Doing, give: Callable[[], Done]) -> Done:
    try:
        done = give()
    except Exception as error:
        outcome = next(name for kind, name in _OUTCOMES if isinstance(error, kind))
        _COMMANDS.labels(doing.key, outcome).inc()
        raise
    _COMMANDS.labels(doing.key, "repeated" if done.replayed else "recorded").inc()
    return done
