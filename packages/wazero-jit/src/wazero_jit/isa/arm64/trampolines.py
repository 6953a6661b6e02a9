"""What `link.trampolines` asks of an ISA, for arm64."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from wazero_api import UnsupportedError
from wazero_jit.link.trampolines import TrampolineWriters

from .entry import write_entry
from .routines import write_routines


def _no_host_call(*_: Any) -> NoReturn:
    raise UnsupportedError("the arm64 engine cannot call Python functions from WebAssembly yet")


def _no_lazy_stubs(*_: Any) -> NoReturn:
    raise UnsupportedError("the arm64 engine cannot compile functions when they are first called yet")


WRITERS: Final = TrampolineWriters(write_routines, write_entry, _no_host_call, _no_lazy_stubs)
