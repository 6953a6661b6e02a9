"""Who may import whom: api <- core <- {wasi, gojs}, api <- jit, and nothing from outside the standard library.

Reads every source file's syntax tree, so imports inside functions and under TYPE_CHECKING count too, as do the literal
names given to `import_module` and `__import__`. Names in entry points do not count: they are how core finds the others.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ALLOWED = {
    "wazero_api": set[str](),
    "wazero_jit": {"wazero_api"},
    "wazero_core": {"wazero_api"},
    "wazero_wasi": {"wazero_api", "wazero_core"},
    "wazero_gojs": {"wazero_api", "wazero_core"},
}
"""Each package and the siblings it may import. A new edge is a change of the architecture, not of this table."""


OPTIONAL = {
    "packages/wazero-core/src/wazero_core/cli/disassembly.py": {"capstone"},
    "packages/wazero-gojs/src/wazero_gojs/http/httpx_transport.py": {"httpx"},
}
"""Files that import a package from outside when the user asks for what it does, and say so if it is not installed."""


def imported_roots(source: str) -> Iterator[tuple[int, str]]:
    """Line and top-level name of every absolute import in a file."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and node.args:
            function = node.func
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            first = node.args[0]
            if called in {"import_module", "__import__"} and isinstance(first, ast.Constant):
                names = [str(first.value)]
        for name in names:
            if not name.startswith("."):
                yield getattr(node, "lineno", 0), name.partition(".")[0]


def offences(package: str, source: str) -> list[str]:
    """What in a file of `package` breaks the rule, as `line: name`."""
    allowed = ALLOWED[package] | {package} | sys.stdlib_module_names
    return [f"{line}: {name}" for line, name in imported_roots(source) if name not in allowed]


def sources(package: str) -> list[Path]:
    return sorted((ROOT / "packages" / package.replace("_", "-") / "src" / package).rglob("*.py"))


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    files = sources(package)
    assert files, f"no sources of {package}"
    found = {file.relative_to(ROOT).as_posix(): offences(package, file.read_text("utf-8")) for file in files}
    for file in OPTIONAL.keys() & found.keys():
        found[file] = [offence for offence in found[file] if offence.split()[-1] not in OPTIONAL[file]]
    assert {file: wrong for file, wrong in found.items() if wrong} == {}


def test_every_package_is_in_the_table() -> None:
    folders = {path.parents[1].name.replace("-", "_") for path in (ROOT / "packages").glob("*/src/wazero_*")}
    assert folders == set(ALLOWED)


@pytest.mark.parametrize(
    ("package", "source", "expected"),
    [
        ("wazero_api", "import wazero_core", ["1: wazero_core"]),
        ("wazero_core", "from wazero_jit.isa import amd64", ["1: wazero_jit"]),
        ("wazero_jit", "def f():\n    import wazero_core.store", ["2: wazero_core"]),
        ("wazero_wasi", "if TYPE_CHECKING:\n    from wazero_gojs import x", ["2: wazero_gojs"]),
        ("wazero_core", "import importlib\nimportlib.import_module('wazero_wasi')", ["2: wazero_wasi"]),
        ("wazero_core", "__import__('wazero_jit.link')", ["1: wazero_jit"]),
        ("wazero_core", "import os, numpy", ["1: numpy"]),
        ("wazero_core", "from . import x\nfrom wazero_api import y\nimport struct", []),
        ("wazero_gojs", "import wazero_api, wazero_core", []),
    ],
)
def test_the_rule_itself(package: str, source: str, expected: list[str]) -> None:
    assert offences(package, source) == expected
