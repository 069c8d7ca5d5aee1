"""One line of the table: what it shows, what was asked of it, and what it may not fall below."""

from dataclasses import dataclass

HEADING = f"{'':<68}{'ours':>12}{'baseline':>12} {'unit':<11}{'ratio':>14}  reach"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `ratio` is what is held against `reach`, the demand; rows without one are there to be read beside others.
    It is in times the baseline, unless `sign` says otherwise.
    `more_is_better` says which way. `holds` is what `make bench` fails beyond: the demand itself, or, where
    that is known not to be reached, something less, and `why` says why.
    """

    name: str
    ours: float
    baseline: float | None
    unit: str
    ratio: float
    reach: float | None = None
    more_is_better: bool = True
    holds: float | None = None
    why: str | None = None
    sign: str = "×"

    def __post_init__(self) -> None:
        if (self.holds is None) != (self.why is None):
            raise ValueError("A row that may miss its demand says why, and only such a row.")

    @property
    def reached(self) -> bool:
        """Whether the ratio is as good as was asked."""
        return self._as_good_as(self.reach)

    @property
    def held(self) -> bool:
        """Whether the ratio is at least as good as it is known to be."""
        return self._as_good_as(self.reach if self.holds is None else self.holds)

    def _as_good_as(self, bound: float | None) -> bool:
        if bound is None:
            return True
        return self.ratio >= bound if self.more_is_better else self.ratio <= bound


def ratio_row(
    name: str,
    ours: float,
    baseline: float,
    unit: str,
    reach: float | None = None,
    *,
    more_is_better: bool = True,
    known: tuple[float, str] | None = None,
) -> Row:
    """A row whose ratio is ours to the baseline. `known`: what it holds below its demand, and why."""
    holds, why = known or (None, None)
    return Row(name, ours, baseline, unit, ours / baseline, reach, more_is_better, holds, why)


def line(row: Row) -> str:
    """The row as it is printed."""
    baseline = "–" if row.baseline is None else f"{row.baseline:,.1f}"
    ratio = "" if row.baseline is None else f"{row.ratio:.2f} {row.sign}"
    measured = f"{row.name:<68}{row.ours:>12,.1f}{baseline:>12} {row.unit:<11}{ratio:>14}"
    if row.reach is None:
        return measured
    verdict = "reached" if row.reached else "NOT REACHED"
    if not row.held and row.holds is not None:
        verdict += f", and worse than the {row.holds} that it held"
    return f"{measured}  {'≥' if row.more_is_better else '≤'} {row.reach:<5}{verdict}"


def reasons(rows: list[Row]) -> list[str]:
    """Below the table: why some rows don't reach what was asked."""
    named: dict[str, list[str]] = {}
    for row in rows:
        if row.why is not None and not row.reached:
            named.setdefault(row.why, []).append(row.name)
    return [f"{'; '.join(names)}: {why}" for why, names in named.items()]
