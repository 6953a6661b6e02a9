"""What a Go test binary says about each of its tests, and what is worse in one run than in another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final, Literal, NamedTuple, cast

Result = Literal["PASS", "FAIL", "SKIP"]

FLAGS: Final = ("-test.v=test2json",)
"""Makes a test binary report all tests in one form, which can be told from what tests log, also behind a line left unfinished."""

_REPORT: Final = re.compile(rb"(?<!\x1b)\x16--- (PASS|FAIL|SKIP): (.+) \([0-9.]+s\)$", re.MULTILINE)
"""U+0016 marks reports of the testing package (`markFraming` in src/testing/testing.go), which escapes the others that it writes."""

_TESTS_FAILED: Final = 1
"""The exit code of a test binary that came to its end."""

ROW: Final = "go_stdlib"
"""The property of a pytest report that is a row of the table shown in the end."""


class Outcome(NamedTuple):
    """A finished run of a test binary."""

    exit_code: int
    results: Mapping[str, Result]
    """By test, subtests too: Test/name. A test that did not come to its end is missing."""
    seconds: float
    output: bytes
    errors: bytes

    def count(self, result: Result) -> int:
        return Counter(self.results.values())[result]

    def __str__(self) -> str:
        counts = ", ".join(f"{self.count(result):5} {word}" for result, word in _WORDS.items())
        return f"{counts}, exit code {self.exit_code}, {self.seconds:6.1f} s"


_WORDS: Final[dict[Result, str]] = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}


def read_results(output: bytes) -> dict[str, Result]:
    """Results by test from what a binary run with `FLAGS` wrote to its standard output."""
    return {name.decode(): cast("Result", result.decode()) for result, name in _REPORT.findall(output)}


def what_is_worse(here: Outcome, there: Outcome, known: Collection[str] = ()) -> list[str]:
    """Lines on what does not pass here and came out otherwise there: failures, skipped and missing tests, and the exit code.

    A test that skips itself here and is not reached there has come further.

    Left out are tests whose whole name matches a regular expression in `known`; there is a line on each that matches none.
    """
    worse = {}
    for name in sorted(here.results.keys() | there.results.keys()):
        result, other = (outcome.results.get(name, "missing") for outcome in (here, there))
        if result not in ("PASS", other) and (result, other) != ("SKIP", "missing"):
            worse[name] = f"{name}: {result} here, {other} there"
    matches = {pattern: {name for name in worse if re.fullmatch(pattern, name)} for pattern in known}
    explained = set().union(*matches.values())
    found = [line for name, line in worse.items() if name not in explained]
    found += [f"{pattern}: known, but does not happen" for pattern, names in matches.items() if not names]
    wanted = {0, there.exit_code, _TESTS_FAILED if explained else 0}
    if here.exit_code not in wanted:
        found.append(f"exit code: {here.exit_code} here, {there.exit_code} there")
    return found
