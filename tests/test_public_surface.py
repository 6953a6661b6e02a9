"""The public surface of every package is its `__init__`, and a change of it is seen.

`__all__` is sorted, complete and honest; and tests/public_symbols.txt holds every public name with the public members of
every public class. After an intended change write that file anew and commit it:

    WAZERO_BLESS=1 python -m pytest tests/test_public_surface.py
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import inspect
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SNAPSHOT = ROOT / "tests" / "public_symbols.txt"
PACKAGES = ("wazero_api", "wazero_core", "wazero_gojs", "wazero_jit", "wazero_wasi")

NOT_PUBLIC = {"annotations", "TYPE_CHECKING"}
"""Names an `__init__` may bind for the language's sake."""


def bound_names(body: list[ast.stmt]) -> Iterator[str]:
    """The names that the statements of a module bind, those under `if TYPE_CHECKING:` (lazy exports) included."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                assert alias.name != "*", "no star imports in an __init__"
                yield alias.asname or alias.name.partition(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from (name.id for name in ast.walk(target) if isinstance(name, ast.Name))
        elif isinstance(node, ast.If):
            yield from bound_names(node.body + node.orelse)


def public_names(package: str) -> set[str]:
    source = ROOT / "packages" / package.replace("_", "-") / "src" / package / "__init__.py"
    names = set(bound_names(ast.parse(source.read_text("utf-8")).body))
    return {name for name in names if not name.startswith("_")} - NOT_PUBLIC


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_sorted_and_without_repetition(package: str) -> None:
    exported = importlib.import_module(package).__all__
    assert list(exported) == sorted(set(exported))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_in_all_exists(package: str) -> None:
    module = importlib.import_module(package)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_what_the_init_binds(package: str) -> None:
    exported = set(importlib.import_module(package).__all__)
    assert exported - {"__version__"} == public_names(package)
    assert "__version__" in exported


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b\nfrom c import d as e, f", {"a", "e", "f"}),
        ("x: int = 1\ny, (z, w) = 1, (2, 3)", {"x", "y", "z", "w"}),
        ("if True:\n    from a import b\nelse:\n    c = 1", {"b", "c"}),
        ("def f(): g = 1\nclass C: h = 1", {"f", "C"}),
    ],
)
def test_what_counts_as_bound(source: str, expected: set[str]) -> None:
    assert set(bound_names(ast.parse(source).body)) == expected


def members(cls: type) -> set[str]:
    """The public members that a class has from this project, however it stores them."""
    names: set[str] = set()
    for owner in cls.__mro__:
        if owner.__module__.partition(".")[0] in PACKAGES:
            names |= {name for name in vars(owner) if not name.startswith("_")}
            names |= {name for name in inspect.get_annotations(owner) if not name.startswith("_")}
    if dataclasses.is_dataclass(cls):
        names |= {field.name for field in dataclasses.fields(cls) if not field.name.startswith("_")}
    if issubclass(cls, enum.Enum):
        names |= set(cls.__members__)
    return names


def symbols() -> list[str]:
    """Every public name as `package.name`, each class followed by its members."""
    lines = []
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in sorted(module.__all__):
            lines.append(f"{package}.{name}")
            value = getattr(module, name)
            if inspect.isclass(value):
                lines.extend(f"{package}.{name}.{member}" for member in sorted(members(value)))
    return lines


def test_the_public_symbols_are_those_of_the_snapshot() -> None:
    now = symbols()
    if os.environ.get("WAZERO_BLESS"):
        SNAPSHOT.write_text("\n".join(now) + "\n", "utf-8")
    before = SNAPSHOT.read_text("utf-8").splitlines()
    added = sorted(set(now) - set(before))
    removed = sorted(set(before) - set(now))
    assert (added, removed) == ([], []), "if this change is meant, run with WAZERO_BLESS=1 and commit the snapshot"
    assert now == before
