"""Host modules as data: what Python code offers to guests.

A host module is a name and functions; an engine turns each into something that its compiled code can call.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, final

from .record import record
from .types import FunctionType


class Convention(Enum):
    """How a host function takes its arguments and gives its results."""

    TYPED = "typed"
    """Signed ints, floats, bytes and references as Python objects; one result as it is, several as a tuple."""
    RAW = "raw"
    """Every value as the unsigned 64-bit integer that holds its bits (a float's bits, an i32 zero-extended).
    References and vectors stay as in TYPED."""


@final
@record
class HostFunction:
    """One function. With `wants_module`, the callable gets the calling module instance before the arguments."""

    name: str
    type: FunctionType
    callable: Callable[..., Any]
    convention: Convention = Convention.TYPED
    wants_module: bool = False
    param_names: tuple[str, ...] = ()
    result_names: tuple[str, ...] = ()


@final
@record
class HostModule:
    """A module whose exports are host functions, in the order of their indices."""

    name: str
    functions: tuple[HostFunction, ...]
