"""Finding engines: core imports none but its own, others are found by entry point."""

from __future__ import annotations

import os
from typing import Final

from wazero_api import CoreFeatures, Engine, LinkError, UnsupportedError
from wazero_core._version import __version__

from .entry_points import EntryPoint, entry_points

ENGINE_VARIABLE: Final = "WAZERO_ENGINE"
"""Environment variable that names the engine wherever a config leaves it open."""

_GROUP: Final = "wazero.engines"
_PORTABLE: Final = "portable"


def new_engine(name: str | None) -> Engine:
    """The engine called `name`, or the best that works.

    Raises UnsupportedError if the named one is not installed or does not work here.
    """
    name = name or os.environ.get(ENGINE_VARIABLE) or None
    if name == _PORTABLE:
        return _portable_engine()
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
    return _portable_engine()


def _portable_engine() -> Engine:
    from wazero_core.portable import PortableEngine  # of no use to those who have a faster one

    return PortableEngine()


def environment_of(engine: Engine, features: CoreFeatures) -> str:
    """All that compiled code, and whether it may be trusted to be valid, depend on besides the module."""
    return f"wazero-core {__version__}, features {features.value:#x}, {engine.code_key}"


_process_engines: dict[str, Engine] = {}


def process_engine(name: str) -> Engine:
    """An engine of this process that belongs to no runtime: the one called `name`, or else the best that works."""
    engine = _process_engines.get(name)
    if engine is None:
        try:
            engine = new_engine(name)
        except UnsupportedError:  # a pickle from a machine where more works
            engine = new_engine(None)
        engine = _process_engines.setdefault(name, engine)
    return engine


def _installed() -> dict[str, EntryPoint]:
    """Engines besides the portable one, by name. Raises LinkError if two share a name."""
    found: dict[str, EntryPoint] = {}
    for entry_point in entry_points(_GROUP):
        if entry_point.name == _PORTABLE:
            continue
        other = found.setdefault(entry_point.name, entry_point)
        if other.value != entry_point.value:
            raise LinkError(f'two engines are named "{entry_point.name}": {other.value} and {entry_point.value}')
    return found
