"""The packages of Go's standard library whose tests run here, and on what.

Go's own test driver, cmd/dist (`registerTests` in src/cmd/dist/test.go), gives `go test -short` every package that `go list std cmd`
names, on wasip1 as everywhere; it sets only cmd/internal/testdir apart, and drops the vendored ones, which have no tests. So it runs
all packages below, net/http among them, whose tests get a network within the guest (src/net/net_fake.go), and none is left out here.
On js/wasm the same holds. What a package's tests cannot do, such as starting processes, they skip themselves, by
internal/testenv or build tags.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple


class Run(Enum):
    """When tests run on an engine."""

    ALWAYS = "in the default run"
    SLOW = "in the session go_stdlib"
    NEVER = "nowhere"


class Package(NamedTuple):
    """A row of `WASIP1` or `JS`."""

    path: str
    """To import it by."""
    native: Run
    portable: Run
    why_not: str = ""
    """Why they never run on the portable engine."""


_TOO_LONG: Final = (
    "the portable engine needs more than the time that Go's test driver gives a package, several times over"
)

_TOO_DEEP: Final = "it nests 10,000 arrays, and the portable engine 5,000 calls"

WASIP1: Final = (
    Package("os", Run.SLOW, Run.SLOW),
    Package("path/filepath", Run.ALWAYS, Run.SLOW),
    Package("io/fs", Run.ALWAYS, Run.SLOW),
    Package("bufio", Run.ALWAYS, Run.SLOW),
    Package("sort", Run.ALWAYS, Run.SLOW),
    Package("strings", Run.SLOW, Run.SLOW),
    Package("encoding/json", Run.SLOW, Run.NEVER, _TOO_DEEP),
    Package("compress/gzip", Run.SLOW, Run.NEVER, _TOO_LONG),
    Package("crypto/sha256", Run.SLOW, Run.SLOW),
    Package("math/big", Run.SLOW, Run.NEVER, _TOO_LONG),
    Package("time", Run.SLOW, Run.SLOW),
    Package("net/http", Run.SLOW, Run.NEVER, _TOO_LONG),
)

JS: Final = (
    Package("syscall/js", Run.ALWAYS, Run.SLOW),
    Package("io/fs", Run.ALWAYS, Run.SLOW),
    Package("path/filepath", Run.SLOW, Run.SLOW),
    Package("sort", Run.ALWAYS, Run.SLOW),
    Package("sync", Run.SLOW, Run.SLOW),
    Package("os", Run.SLOW, Run.NEVER, _TOO_LONG),
    Package("time", Run.SLOW, Run.SLOW),
    Package("runtime", Run.SLOW, Run.NEVER, _TOO_LONG),
    Package("strings", Run.SLOW, Run.SLOW),
    Package("regexp", Run.SLOW, Run.NEVER, _TOO_LONG),
    Package("text/template", Run.SLOW, Run.SLOW),
    Package("encoding/json", Run.SLOW, Run.NEVER, _TOO_DEEP),
    Package("compress/gzip", Run.SLOW, Run.NEVER, _TOO_LONG),
    Package("crypto/sha256", Run.SLOW, Run.SLOW),
    Package("math/big", Run.SLOW, Run.NEVER, _TOO_LONG),
)
