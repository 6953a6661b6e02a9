"""Guests for the command, and host modules that are offered as if they were installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wazero_api import Convention, FunctionType, HostFunction, HostModule
from wazero_api import Module as DecodedModule
from wazero_core.runtime import hosting
from wazero_core.runtime.entry_points import EntryPoint

Guests = Callable[[str], str]
Offer = Callable[..., None]


@pytest.fixture
def guest(tmp_path: Path) -> Guests:
    """From the text of a module to the path of its binary."""
    wasmtime = pytest.importorskip("wasmtime")

    def make(text: str) -> str:
        path = tmp_path / "guest.wasm"
        path.write_bytes(wasmtime.wat2wasm(text))
        return str(path)

    return make


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Offer a function that makes a host module, by entry point, in the place of all that are installed."""
    offered: list[EntryPoint] = []
    code = ModuleType("offered_host_modules")
    monkeypatch.setitem(sys.modules, code.__name__, code)

    def entry_points(group: str) -> list[EntryPoint]:
        return offered if group == hosting.GROUP else []

    def add(name: str, make: Callable[[str, DecodedModule], HostModule] | None, attribute: str = "") -> None:
        attribute = attribute or f"make_{len(offered)}"
        if make is not None:
            setattr(code, attribute, make)
        offered.append(EntryPoint(hosting.GROUP, name, f"{code.__name__}:{attribute}"))

    monkeypatch.setattr(hosting, "entry_points", entry_points)
    return add


@pytest.fixture
def look(offer: Offer) -> Callable[[Callable[[Any], None]], None]:
    """Make a function of the calling instance importable as "look" of the module "probe"."""

    def use(function: Callable[[Any], None]) -> None:
        look = HostFunction("look", FunctionType((), ()), function, Convention.RAW, wants_module=True)
        offer("probe", lambda name, guest: HostModule(name, (look,)))

    return use
