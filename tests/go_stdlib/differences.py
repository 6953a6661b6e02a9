"""Where Go's tests on js/wasm come out worse here than under Node, and are meant to."""

from __future__ import annotations

import os
from typing import Final, NamedTuple


class Difference(NamedTuple):
    """A row of `DIFFERENCES`."""

    package: str
    tests: str
    """A regular expression for whole names."""


_ABSOLUTE_LINKS: Final = (
    Difference("os", r"TestCopyFSWithSymlinks|TestDirFSReadLink|TestLchown|TestSymlinkWithTrailingSlash"),
    Difference("os", r"Test(Dir|File)AndSymlinkStats|TestLongPath(/.+)?"),
    Difference("os", r"TestReadDirFD"),  # skips itself: /dev/fd is such a link
    Difference("os", r"TestRoot[A-Za-z_]+(/absolute_symlink)?"),
    Difference("os", r"TestRootMulti[A-Za-z]+/.*bs?Ssrbs?[DF].*"),
    Difference("path/filepath", r"TestEvalSymlinks(AboveRoot|TooManyLinks)?|TestGlobSymlink|TestIssue13582"),
    Difference("path/filepath", r"TestRelativeSymlinkToAbsolute|TestWalkSymlink(Root(/.+)?)?"),
)
"""They make or follow links with an absolute target. `DirFS` refuses both: what the guest takes for the root need not be the
host's, so the link would lead out of the mount for every other program."""

_ANOTHER_USER: Final = (
    Difference("os", r"Test(File)?Chown|TestRoot(Chown|Lchown)(/.+)?"),
    Difference("os", r"TestFilePermissions|TestReadOnlyWriteFile"),  # skip themselves: they think that they are root
)
"""They change owners to those that the process has. `wazero run` does not tell who it is: user and group are 0."""

_IS_ROOT: Final = not (hasattr(os, "getuid") and os.getuid())

DIFFERENCES: Final = _ABSOLUTE_LINKS if _IS_ROOT else (*_ABSOLUTE_LINKS, *_ANOTHER_USER)


def known_differences(package: str) -> list[str]:
    """Regular expressions for the tests of a package that come out otherwise."""
    return [difference.tests for difference in DIFFERENCES if difference.package == package]
