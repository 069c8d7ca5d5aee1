"""How hard fuzz tests try: the same few hundred examples each time; under `make fire` new ones for longer."""

import os
from typing import Final

from hypothesis import HealthCheck, settings

LONG: Final = "CASEBOOK_FIRE" in os.environ


def effort(examples: int) -> settings:
    """So many examples; ten times as many, and other ones each time, under `make fire`."""
    return settings(
        max_examples=examples * 10 if LONG else examples,
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
        ],
    )
