"""Host modules as data: what Python code offers to guests.

A host module is a name and functions; an engine turns each into something that its compiled code can call.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, IntFlag
from typing import Any, Protocol, final

from .record import record
from .types import FunctionType


class Convention(Enum):
    """How a host function takes its arguments and gives its results."""

    TYPED = "typed"
    """Signed ints, floats, bytes and references as Python objects; one result as it is, several as a tuple."""
    RAW = "raw"
    """Every value as the unsigned 64-bit integer that holds its bits (a float's bits, an i32 zero-extended).
    References and vectors stay as in TYPED."""


class LogScope(IntFlag):
    """What host functions are about, for logs of their calls. A function may belong to several scopes, or to none."""

    NONE = 0
    """Of a function: logged with ALL only. Of a log: nothing is logged."""
    CLOCK = 1 << 0
    PROC = 1 << 1
    FILESYSTEM = 1 << 2
    MEMORY = 1 << 3
    POLL = 1 << 4
    RANDOM = 1 << 5
    SOCK = 1 << 6
    ALL = (1 << 64) - 1
    """Everything, also what belongs to no scope: more than all scopes together."""


class CallDescriber(Protocol):
    """How the calls of one host function read in a log. Values are as the function itself takes and gives them.

    What is in a guest's memory may be anything. A description that fails is replaced; the call goes on.
    """

    def params(self, module: Any, args: tuple[Any, ...]) -> str | None:
        """What stands between the parentheses; None to leave this call out. Called before the function."""
        ...

    def results(self, module: Any, args: tuple[Any, ...], results: tuple[Any, ...]) -> str:
        """What stands after the arrow, or "". Called once the function has returned; not if it raised."""
        ...


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
    scope: LogScope = LogScope.NONE
    describe: Callable[[LogScope], CallDescriber] | None = None
    """Makes, for a log of these scopes, what shows the calls; without it names and types do. Called if there is a log."""


@final
@record
class HostModule:
    """A module whose exports are host functions, in the order of their indices."""

    name: str
    functions: tuple[HostFunction, ...]
