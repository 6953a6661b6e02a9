"""What installed packages offer by entry point, without `importlib.metadata`, whose import takes longer than all of core.

Reads the ``entry_points.txt`` of the packages in the folders on ``sys.path``, which is where pip and its like put them,
also for editable installs. Where packages can be anywhere else (archives, eggs, finders of their own kind) the standard
library is asked after all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder
from typing import Any, NamedTuple

Names = tuple["EntryPoint", ...]

_scanned: dict[str, tuple[int, dict[str, list[EntryPoint]]]] = {}
"""Per folder the time of its last change, and by distribution what it offers."""


class EntryPoint(NamedTuple):
    """A name of a group, and what it stands for: ``module:attribute``."""

    group: str
    name: str
    value: str

    def load(self) -> Any:
        """The object itself. Raises what importing its module raises, AttributeError if it is not there."""
        from importlib import import_module

        module, _, attributes = self.value.partition("[")[0].strip().partition(":")
        found: Any = import_module(module.strip())
        for attribute in filter(None, attributes.strip().split(".")):
            found = getattr(found, attribute)
        return found


def entry_points(group: str) -> list[EntryPoint]:
    """Those of one group. Of a distribution that is installed twice only the one counts that imports would find."""
    paths = [path or os.curdir for path in sys.path]
    if any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path) or any(
        path.endswith(".egg") or os.path.isfile(path) for path in paths
    ):
        return list(_ask_standard_library(group))
    offers: dict[str, list[EntryPoint]] = {}
    for path in paths:
        for distribution, found in _scan(path).items():
            offers.setdefault(distribution, found)
    return [entry_point for found in offers.values() for entry_point in found if entry_point.group == group]


def _ask_standard_library(group: str) -> Iterator[EntryPoint]:
    from importlib.metadata import entry_points as installed

    for found in installed(group=group):
        yield EntryPoint(found.group, found.name, found.value)


def _scan(folder: str) -> dict[str, list[EntryPoint]]:
    """By distribution, in a folder whose listing is read again only after it has changed."""
    try:
        changed_at = os.stat(folder).st_mtime_ns
        known = _scanned.get(folder)
        if known is None or known[0] != changed_at:
            known = _scanned[folder] = changed_at, dict(_distributions(folder))
    except OSError:  # sys.path may name what is not there
        return {}
    return known[1]


def _distributions(folder: str) -> Iterator[tuple[str, list[EntryPoint]]]:
    for entry in os.listdir(folder):
        stem, extension = os.path.splitext(entry)
        if extension not in {".dist-info", ".egg-info"}:
            continue
        found: list[EntryPoint] = []
        try:
            with open(os.path.join(folder, entry, "entry_points.txt"), encoding="utf-8") as file:
                found.extend(_parse(file))
        except (OSError, ValueError):  # most offer nothing
            pass
        yield stem.partition("-")[0].lower().replace(".", "_"), found


def _parse(lines: Iterable[str]) -> Iterator[EntryPoint]:
    group = ""
    for line in map(str.strip, lines):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif line and line[0] not in "#;":
            name, equals, value = line.partition("=")
            if equals:
                yield EntryPoint(group, name.strip(), value.strip())
