"""Host modules, such as WASI: found by entry point, under the name that guests import them by.

An entry point of the group `wazero.hostmodules` names a function that gets the `Runtime` and makes its module importable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from wazero_api import LinkError
from wazero_core import Runtime
from wazero_core.runtime.entry_points import EntryPoint, entry_points

GROUP: Final = "wazero.hostmodules"

_DISTRIBUTIONS: Final = {"wasi_snapshot_preview1": "wazero-wasi"}
"""What to install for a host module that is missing."""


def instantiate_host_modules(runtime: Runtime, names: Iterable[str]) -> None:
    """Make these importable, and load no others.

    Raises LinkError if one is not installed, two distributions offer it, or its code cannot be loaded.
    """
    wanted = [name for name in dict.fromkeys(names) if runtime.module(name) is None]
    if not wanted:
        return
    installed = _installed()
    for name in wanted:
        _load(name, installed.get(name))(runtime)


def _load(name: str, entry_point: EntryPoint | None) -> Callable[[Runtime], Any]:
    if entry_point is None:
        raise LinkError(_missing(name))
    try:
        instantiate: Callable[[Runtime], Any] = entry_point.load()
    except (ImportError, AttributeError) as error:
        raise LinkError(f"the host module {name!r} ({entry_point.value}) cannot be loaded: {error}") from error
    return instantiate


def _missing(name: str) -> str:
    distribution = _DISTRIBUTIONS.get(name)
    advice = f"; `pip install {distribution}` does" if distribution else ""
    return f"unknown import: no installed package brings the host module {name!r}{advice}"


def _installed() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry_point in entry_points(GROUP):
        other = found.setdefault(entry_point.name, entry_point)
        if other.value != entry_point.value:
            raise LinkError(f"two host modules are named {entry_point.name!r}: {other.value} and {entry_point.value}")
    return found
