"""GOOS=js: runs Go programs that were built for JavaScript hosts, and lets Go and Python call each other.

import wazero_gojs

with wazero_gojs.load("calc.wasm") as calc:      # a Go program that sets js.Global().Set("add", js.FuncOf(add))
    calc.add(1, 2)
"""

from __future__ import annotations

from ._version import __version__

TYPE_CHECKING = False  # see wazero_core/__init__.py
if TYPE_CHECKING:
    from .config import Config
    from .conversion import JsException
    from .handles import JsFunction, JsObject, JsPromise
    from .http.httpx_transport import httpx_round_tripper
    from .http.standard_transport import http_round_tripper
    from .model.values import UNDEFINED
    from .running import Library, load, run, run_async, run_program

_MODULES = {
    "Config": "config",
    "JsException": "conversion",
    "JsFunction": "handles",
    "JsObject": "handles",
    "JsPromise": "handles",
    "Library": "running",
    "UNDEFINED": "model.values",
    "http_round_tripper": "http.standard_transport",
    "httpx_round_tripper": "http.httpx_transport",
    "load": "running",
    "run": "running",
    "run_async": "running",
    "run_program": "running",
}


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


__all__ = [
    "Config",
    "JsException",
    "JsFunction",
    "JsObject",
    "JsPromise",
    "Library",
    "UNDEFINED",
    "__version__",
    "http_round_tripper",
    "httpx_round_tripper",
    "load",
    "run",
    "run_async",
    "run_program",
]
