"""Which engines the suite runs on, and what it says at the end."""

from __future__ import annotations

from collections import Counter

import pytest

from conformance.engines import ENGINES, REPORTS
from conformance.runner import Status


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    """The name of the engine under test."""
    name: str = request.param
    return name


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for engine, reports in config.stash.get(REPORTS, {}).items():
        counts: Counter[Status] = sum((report.counts for report in reports), Counter())
        ran = counts[Status.PASSED] + counts[Status.FAILED]
        terminalreporter.section(f"WebAssembly test suite, {engine} engine")
        terminalreporter.line(
            f"{len(reports)} scripts: {ran} commands ran, {counts[Status.PASSED]} passed, "
            f"{counts[Status.FAILED]} failed; {counts[Status.OUT_OF_SCOPE]} are about the text format, "
            f"{counts[Status.NEEDS_FEATURE]} need features of later versions"
        )
        for reason, count in sum((r.reasons(Status.NEEDS_FEATURE) for r in reports), Counter[str]()).most_common():
            terminalreporter.line(f"  {count} {reason}")
