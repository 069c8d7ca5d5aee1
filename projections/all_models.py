"""Every read model that the projector keeps, by name."""

from typing import Any, Final

from projections.caseload import CASELOAD
from projections.concerns import CONCERNS
from projections.erasures import ERASURES
from projections.figures import FIGURES
from projections.mentors import MENTORS
from projections.read_model import ReadModel
from projections.retention import RETENTION
from projections.roll import ROLL
from projections.staff import STAFF

MODELS: Final[dict[str, ReadModel[Any]]] = {
    m.name: m for m in (CASELOAD, FIGURES, MENTORS, ROLL, CONCERNS, STAFF, ERASURES, RETENTION)
}
