"""What the programs of this folder do under Node with Go's own scripts: recorded in expected.json.

`python tests/gojs/recorded.py` writes it anew; a test looks whether it is still true where there is a Node.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from gojs.building import Ended, go_program, under_node

_FILE: Final = Path(__file__).parent / "expected.json"


class Case(NamedTuple):
    """A program of this folder, and its arguments."""

    program: str
    args: tuple[str, ...]

    def __str__(self) -> str:
        return "-".join((self.program, *self.args))


UNCAUGHT: Final = {
    "uncaught-error": "SyntaxError: Expected property name or '}' in JSON at position 1",
    "rejected-error": "TypeError: unwanted",
    "rejected-text": "unwanted",
    "rejected-caught-late": "unwanted",
    "rejected-derived": "TypeError: Cannot convert a Symbol value to a number",
}
"""Ends by something that JavaScript threw, and what both hosts say of it, each in its own way."""

_ENDS: Final = (
    "return; exit 0; exit 3; exit 255; exit-goroutine; exit-deferred; exit-callback; exit-timer; log-fatal; goexit; "
    "goexit-others; deadlock; deadlock-chan; deadlock-later; deadlock-nil; pending-timers; deadlock-unref; "
    "unref-in-time; panic; panic-error; panic-type; panic-number; panic-nil-map; panic-index 5; panic-divide 0; panic-type-assertion; panic-goroutine; panic-again; "
    "panic-deferred; recovered; panic-callback; closed-chan; js-panic; js-value-panic; rejected-caught; released"
)
_VALUES: Final = "types; conversions; properties; calls; functions; bytes; replaced"
_WAITS: Final = "sleepers; tickers; selects; timers; order; promises"

CASES: Final = tuple(
    Case(program, tuple(args.split()))
    for program, lines in (
        ("ends", _ENDS),
        ("ends", "; ".join(UNCAUGHT)),
        ("values", _VALUES),
        ("waits", _WAITS),
    )
    for args in lines.split("; ")
)


def compared(case: Case, ended: Ended) -> Ended:
    """What must be the same everywhere: of errors the message, without Go's stacks, which show addresses."""
    errors = ended.stderr.partition("\ngoroutine ")[0]
    wanted = UNCAUGHT.get(case.args[0])
    if wanted is not None:
        errors = wanted if wanted in errors else f"{wanted!r} is missing: {errors}"
    return Ended(ended.exit_code, ended.stdout, errors)


def of_node(case: Case) -> Ended:
    """Run a case under Node. Raises UnavailableError."""
    return compared(case, under_node(go_program(case.program), case.args))


def load() -> dict[str, Ended]:
    """By case, as text."""
    return {name: Ended(*ended) for name, ended in json.loads(_FILE.read_text("utf-8")).items()}


if __name__ == "__main__":
    found = {str(case): of_node(case) for case in CASES}
    with tempfile.TemporaryDirectory() as folder:
        found["files"] = under_node(go_program("files"), [folder])
    _FILE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
