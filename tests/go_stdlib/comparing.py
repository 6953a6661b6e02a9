"""The tests of a package here and on a peer: which are run, and that they come out the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import pytest

from go_stdlib.packages import Package, Run
from go_stdlib.results import ROW, Outcome, what_is_worse
from integration.runtimes import needs_jit


def parameters(packages: Sequence[Package]) -> list[object]:
    """Package and engine of every run, the engines of a package beside each other."""
    rows = [
        (package, *run) for package in packages for run in (("jit", package.native), ("portable", package.portable))
    ]
    return [_parameter(*row) for row in rows if row[2] is not Run.NEVER]


def _parameter(package: Package, engine: str, when: Run) -> object:
    marks = [pytest.mark.slow] if when is Run.SLOW else []
    if engine == "jit":
        marks.append(needs_jit)
    return pytest.param(package.path, engine, id=f"{package.path}-{engine}", marks=marks)


class Runs:
    """How a package's tests ended on an engine, and on a peer."""

    def __init__(self, package: str, engine: str, here: Outcome, peer: str, there: Outcome) -> None:
        self.package = package
        self.here, self.engine = here, engine
        self.there, self.peer = there, peer

    def record(self, record_property: Callable[[str, object], None]) -> None:
        """Put both into the table that is shown in the end."""
        for name, outcome in ((self.peer, self.there), (self.engine, self.here)):
            record_property(ROW, f"{self.package:18} {name:10} {outcome}")

    def check(self, known: Collection[str] = ()) -> None:
        """Fail if anything is worse here, except for what is known."""
        here, there = self.here, self.there
        complaint = f"\n{_end(here.errors, 2000)}\n{_end(here.output, 4000)}"
        assert here.count("PASS"), f"no test passes{complaint}"
        assert there.count("PASS"), f"no test passes under {self.peer}: {_end(there.errors, 2000)}"
        worse = what_is_worse(here, there, known)
        assert not worse, "\n".join(worse) + complaint + f"\nunder {self.peer}: {_end(there.errors, 2000)}"


def _end(output: bytes, size: int) -> str:
    return output[-size:].decode(errors="replace")
