"""Finding engines: core imports none but its own, others are found by entry point."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from wazero_api import Engine, LinkError, UnsupportedError
from wazero_core.portable import PortableEngine

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENGINE_VARIABLE: Final = "WAZERO_ENGINE"
"""Environment variable that names the engine wherever a config leaves it open."""

_GROUP: Final = "wazero.engines"


def new_engine(name: str | None) -> Engine:
    """The engine called `name`, or the best that works.

    Raises UnsupportedError if the named one is not installed or does not work here.
    """
    name = name or os.environ.get(ENGINE_VARIABLE) or None
    if name == PortableEngine.name:
        return PortableEngine()
    candidates = _installed()
    if name is not None and name not in candidates:
        raise UnsupportedError(f'no engine named "{name}" is installed; `pip install wazero-{name}` may bring it')
    for candidate, entry_point in candidates.items():
        if name not in (None, candidate):
            continue
        engine: Engine = entry_point.load()()
        reason = engine.probe()
        if reason is None:
            return engine
        if name is not None:
            raise UnsupportedError(f'the engine "{name}" does not work here: {reason}')
    return PortableEngine()


def _installed() -> dict[str, EntryPoint]:
    """Engines besides the portable one, by name. Raises LinkError if two share a name."""
    from importlib.metadata import entry_points  # slow to import, and an explicit choice needs none

    found: dict[str, EntryPoint] = {}
    for entry_point in entry_points(group=_GROUP):
        if entry_point.name == PortableEngine.name:
            continue
        other = found.setdefault(entry_point.name, entry_point)
        if other.value != entry_point.value:
            raise LinkError(f'two engines are named "{entry_point.name}": {other.value} and {entry_point.value}')
    return found
