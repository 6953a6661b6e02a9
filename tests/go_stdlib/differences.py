"""Where Go's tests on js/wasm come out worse here than under Node, and are meant to."""

from __future__ import annotations

import os
from typing import Final, NamedTuple


class Difference(NamedTuple):
    """A row of `DIFFERENCES`."""

    package: str
    tests: str
    """A regular expression for whole names."""


_ANOTHER_USER: Final = (
    Difference("os", r"Test(File)?Chown|TestRoot(Chown|Lchown)(/.+)?"),
    Difference("os", r"TestFilePermissions|TestReadOnlyWriteFile"),  # skip themselves: they think that they are root
)
"""They change owners to those that the process has. `wazero run` does not tell who it is: user and group are 0."""

_IS_ROOT: Final = not (hasattr(os, "getuid") and os.getuid())

DIFFERENCES: Final = () if _IS_ROOT else _ANOTHER_USER


def known_differences(package: str) -> list[str]:
    """Regular expressions for the tests of a package that come out otherwise."""
    return [difference.tests for difference in DIFFERENCES if difference.package == package]
