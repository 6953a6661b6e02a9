"""Every error that the project raises for a fault of a module, a guest or a caller.

    WazeroError
    ├── ModuleError                 the binary is at fault
    │   ├── MalformedModuleError    it cannot be decoded; `offset` is the byte
    │   └── InvalidModuleError      it decodes but breaks a typing rule
    ├── LinkError                   imports do not fit, or a name is taken
    ├── Trap                        guest code went wrong while running; `kind` and `frames` say how and where
    │   └── ExhaustionError         the call stack is used up
    ├── DeadlineExceededError       a call's timeout ran out
    ├── ExitError                   the guest ended itself, or its module was closed; `exit_code`
    ├── MemoryAccessError           the host read or wrote outside a memory (also an IndexError)
    ├── UnsupportedError            a feature, engine or platform that is not to be had here
    ├── UntrustedCodeError          serialised code that nobody vouches for
    └── WazeroBug                   cannot happen; please report it

Spec: appendix "Implementation limitations" allows the limits whose breach is a `ModuleError` or an `ExhaustionError`.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, final

from .record import record


class WazeroError(Exception):
    """The root of the tree."""


class ModuleError(WazeroError):
    """The module cannot be used. `offset` is a byte position in the binary, or None when unknown."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message if offset is None else f"{message} (at byte {offset:#x})")
        self.message = message
        self.offset = offset

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.offset)


@final
class MalformedModuleError(ModuleError):
    """The binary format is broken."""


@final
class InvalidModuleError(ModuleError):
    """A validation rule is broken, or a feature that is not enabled is used."""


@final
class LinkError(WazeroError):
    """An import is missing or of another type, or a module name is already taken."""


class TrapKind(Enum):
    """Why a guest trapped; the value is the specification's wording, as its test suite has it."""

    UNREACHABLE = "unreachable"
    INTEGER_DIVIDE_BY_ZERO = "integer divide by zero"
    INTEGER_OVERFLOW = "integer overflow"
    INVALID_CONVERSION_TO_INTEGER = "invalid conversion to integer"
    OUT_OF_BOUNDS_MEMORY_ACCESS = "out of bounds memory access"
    OUT_OF_BOUNDS_TABLE_ACCESS = "out of bounds table access"
    UNDEFINED_ELEMENT = "undefined element"
    UNINITIALIZED_ELEMENT = "uninitialized element"
    INDIRECT_CALL_TYPE_MISMATCH = "indirect call type mismatch"
    CALL_STACK_EXHAUSTED = "call stack exhausted"
    NULL_REFERENCE = "null reference"
    CAST_FAILURE = "cast failure"
    OUT_OF_BOUNDS_ARRAY_ACCESS = "out of bounds array access"
    UNCAUGHT_EXCEPTION = "unhandled exception"
    UNALIGNED_ATOMIC = "unaligned atomic"
    EXPECTED_SHARED_MEMORY = "expected shared memory"


@final
@record
class Frame:
    """One wasm function on the stack when something went wrong, innermost first in a list of them."""

    module_name: str
    function_name: str
    function_index: int
    code_offset: int | None
    """Byte offset, in the module's binary, of the instruction that was running; None when unknown."""

    def __str__(self) -> str:
        where = "" if self.code_offset is None else f" at byte {self.code_offset:#x}"
        module = f"{self.module_name}." if self.module_name else ""
        return f"{module}{self.function_name}{where}"


def format_frames(frames: tuple[Frame, ...], limit: int = 30) -> str:
    """The stack as text, a line a frame, at most `limit` lines and a count of the rest."""
    lines = [f"\t{frame}" for frame in frames[:limit]]
    if len(frames) > limit:
        lines.append(f"\t… {len(frames) - limit} more frames")
    return "\n".join(["wasm stack trace:", *lines])


class Trap(WazeroError):
    """Guest code trapped; the instance stays usable."""

    def __init__(self, kind: TrapKind, frames: tuple[Frame, ...] = (), detail: str = "") -> None:
        super().__init__(kind, frames, detail)
        self.kind = kind
        self.frames = frames
        self.detail = detail

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.kind, self.frames, self.detail)

    def __str__(self) -> str:
        text = f"{self.kind.value}{' ' + self.detail if self.detail else ''}"
        return f"{text}\n{format_frames(self.frames)}" if self.frames else text


@final
class ExhaustionError(Trap):
    """The guest used up its call stack."""

    def __init__(self, frames: tuple[Frame, ...] = (), detail: str = "") -> None:
        super().__init__(TrapKind.CALL_STACK_EXHAUSTED, frames, detail)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.frames, self.detail)


@final
class DeadlineExceededError(WazeroError):
    """A call ran past its timeout and was stopped; the instance stays usable.

    No TimeoutError: that is an OSError, and host functions that turn these into error numbers would swallow it.
    """


@final
class ExitError(WazeroError):
    """The guest called its ABI's exit function, or the module was closed while or before it ran."""

    def __init__(self, exit_code: int, module_name: str = "") -> None:
        super().__init__(exit_code, module_name)
        self.exit_code = exit_code
        self.module_name = module_name

    def __str__(self) -> str:
        return f"module {self.module_name!r} closed with exit code {self.exit_code}"


@final
class MemoryAccessError(WazeroError, IndexError):
    """A host access fell outside a memory or table; nothing was read or written."""


@final
class UnsupportedError(WazeroError):
    """What was asked for is not to be had on this machine or in this version."""


@final
class UntrustedCodeError(WazeroError):
    """Serialised code is not signed with the caller's key, and running it was not allowed otherwise."""


@final
class WazeroBug(WazeroError):
    """An invariant of this project broke: not the guest's fault, not the caller's."""
