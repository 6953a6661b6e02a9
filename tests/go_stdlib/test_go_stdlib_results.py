"""Reading results of Go test binaries, and comparing two runs."""

from __future__ import annotations

import pytest

from go_stdlib.results import Outcome, Result, read_results, what_is_worse

OUTPUT = b"""\x16=== RUN   TestA
\x16=== RUN   TestA/sub_(1.00s)
    a_test.go:5: \x1b\x16--- PASS: TestLogged (0.00s)
--- PASS: TestPrinted (0.00s)
\x16--- FAIL: TestA/sub_(1.00s) (0.01s)
\x16=== NAME  TestA
\x16--- FAIL: TestA (0.01s)
\x16=== RUN   TestB
no end of line\x16--- PASS: TestB (12.30s)
\x16=== RUN   TestC
\x16--- SKIP: TestC (0.00s)
\x16=== RUN   TestD
panic: so TestD has no result
"""


def outcome(exit_code: int = 0, **results: Result) -> Outcome:
    return Outcome(exit_code, results, 0.0, b"", b"")


def test_results_are_those_of_the_testing_package() -> None:
    assert read_results(OUTPUT) == {"TestA": "FAIL", "TestA/sub_(1.00s)": "FAIL", "TestB": "PASS", "TestC": "SKIP"}


@pytest.mark.parametrize(
    ("here", "there", "worse"),
    [
        (outcome(A="PASS"), outcome(A="PASS"), []),
        (outcome(A="PASS"), outcome(1, A="FAIL"), []),
        (outcome(A="PASS"), outcome(A="SKIP"), []),
        (outcome(A="PASS", B="PASS"), outcome(2, A="PASS"), []),
        (outcome(1, A="FAIL"), outcome(1, A="FAIL"), []),
        (outcome(A="SKIP"), outcome(A="SKIP"), []),
        (outcome(A="SKIP"), outcome(A="PASS"), ["A: SKIP here, PASS there"]),
        (outcome(A="SKIP"), outcome(A="FAIL"), ["A: SKIP here, FAIL there"]),
        (outcome(A="PASS"), outcome(A="PASS", B="PASS"), ["B: missing here, PASS there"]),
        (
            outcome(1, A="FAIL", B="FAIL"),
            outcome(A="PASS", B="FAIL"),
            ["A: FAIL here, PASS there", "exit code: 1 here, 0 there"],
        ),
        (outcome(2, A="FAIL"), outcome(1, A="FAIL"), ["exit code: 2 here, 1 there"]),
        (outcome(1, A="FAIL"), outcome(1), ["A: FAIL here, missing there"]),
    ],
)
def test_what_is_worse(here: Outcome, there: Outcome, worse: list[str]) -> None:
    assert what_is_worse(here, there) == worse


@pytest.mark.parametrize(
    ("here", "there", "worse"),
    [
        (outcome(1, A="FAIL", B="PASS"), outcome(A="PASS", B="PASS"), []),
        (outcome(1, A="FAIL", AB="FAIL"), outcome(A="PASS", AB="PASS"), ["AB: FAIL here, PASS there"]),
        (outcome(1, A="SKIP"), outcome(A="PASS"), []),
        (outcome(2, A="FAIL"), outcome(A="PASS"), ["exit code: 2 here, 0 there"]),
        (outcome(A="PASS"), outcome(A="PASS"), ["A|C: known, but does not happen"]),
        (outcome(1, A="FAIL"), outcome(1, A="FAIL"), ["A|C: known, but does not happen"]),
    ],
)
def test_known_differences(here: Outcome, there: Outcome, worse: list[str]) -> None:
    assert what_is_worse(here, there, ["A|C"]) == worse
