"""The ISA of this machine, with all that an engine needs of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, NamedTuple, final

from wazero_jit.link.activity import ActivityWriters
from wazero_jit.link.trampolines import TrampolineWriters

from .interface import Isa

MACHINES: Final = {"x86_64": "amd64"}
"""Names of ISAs that are complete, by ``uname -m``. arm64 lacks most operations yet."""


@final
class NativeIsa(NamedTuple):
    """One ISA. Each complete one has such an object, `NATIVE`, in its package's module ``native``."""

    name: str
    new_isa: Callable[[bool], Isa]
    """The argument says whether memories are guarded."""
    trampolines: TrampolineWriters
    activity: ActivityWriters
    memory_copy: Callable[[], bytes]
    memory_fill: Callable[[], bytes]
    missing_feature: Callable[[Callable[[bytes], int]], str | None]
    """Name of something that the processor would have to have; the argument runs a C function."""


def machine() -> str:
    """As ``uname -m`` has it; "unknown" where there is no such thing."""
    return os.uname().machine if hasattr(os, "uname") else "unknown"


def native_isa() -> NativeIsa:
    """Of this machine, whose name is in `MACHINES`."""
    assert MACHINES[machine()] == "amd64"
    from .amd64.native import NATIVE

    return NATIVE
