"""The engines that the suite runs on, and the reports of what ran."""

from __future__ import annotations

from typing import Final

import pytest

from conformance.runner import Report
from wazero_api import CoreFeatures
from wazero_core import RuntimeConfig

_FEATURES: Final = RuntimeConfig().core_features | CoreFeatures.MULTI_MEMORY

ENGINES: Final = {
    "portable": RuntimeConfig.interpreter().with_core_features(_FEATURES),
    "jit": RuntimeConfig.compiler().with_core_features(_FEATURES),
}
"""A config per engine under test, by the name that test ids show."""

REPORTS: Final = pytest.StashKey[dict[str, list[Report]]]()
"""Reports by engine, kept in pytest's config for its summary."""


def record(config: pytest.Config, engine: str, report: Report) -> None:
    """Count a script's outcomes in the summary."""
    config.stash.setdefault(REPORTS, {}).setdefault(engine, []).append(report)
