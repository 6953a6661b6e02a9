"""The table of results, below the tests' own report."""

from __future__ import annotations

import pytest

from go_stdlib.results import ROW


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == ROW
    ]
    if rows:
        terminalreporter.section("Go's tests of its standard library")
        for row in dict.fromkeys(rows):
            terminalreporter.write_line(row)
