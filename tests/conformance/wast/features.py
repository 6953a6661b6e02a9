"""Finds out what a module needs beyond WebAssembly 2.0 without vectors, by asking wasmtime's validator.

A module needs a feature if the validator's verdict changes when that feature is off and all others are on. This works
for invalid modules too: the verdict includes the reason, so that one which is invalid in any case needs nothing.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import wasmtime

FEATURES: Final = (
    "gc",
    "function-references",
    "exceptions",
    "memory64",
    "multi-memory",
    "tail-call",
    "relaxed-simd",
    "simd",
    "threads",
    "custom-page-sizes",
    "wide-arithmetic",
)
"""What may be on or off, dependants first: a feature is tried without before those that it builds on."""

_IMPLIED: Final = {"gc": ("function-references",), "relaxed-simd": ("simd",)}


def needed_features(wasm: bytes) -> frozenset[str]:
    """A smallest set of features with which the module gets the verdict that it gets with all of them.

    Raises:
        ImportError: wasmtime is not installed.
    """
    verdict = _verdict(wasm, frozenset(FEATURES))
    if _verdict(wasm, frozenset()) == verdict:
        return frozenset()
    needed = frozenset(FEATURES)
    for feature in FEATURES:
        without = needed - {feature}
        if _is_closed(without) and _verdict(wasm, without) == verdict:
            needed = without
    return needed


def _is_closed(features: frozenset[str]) -> bool:
    return all(base in features for feature in features for base in _IMPLIED.get(feature, ()))


def _verdict(wasm: bytes, features: frozenset[str]) -> str:
    """Empty for a valid module, else the validator's reason."""
    import wasmtime

    try:
        wasmtime.Module.validate(engine(features), wasm)
    except wasmtime.WasmtimeError as error:
        return str(error)
    return ""


@cache
def engine(features: frozenset[str]) -> wasmtime.Engine:
    """An engine of wasmtime with exactly these features beyond WebAssembly 2.0 without vectors."""
    import wasmtime

    config = wasmtime.Config()
    for feature in FEATURES:
        setattr(config, f"wasm_{feature.replace('-', '_')}", feature in features)
    # Validation has one switch for threads, and creating a shared memory has another.
    config.shared_memory = "threads" in features
    return wasmtime.Engine(config)
