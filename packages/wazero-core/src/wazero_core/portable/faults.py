"""What an exception out of generated code means: a fault of the guest becomes a typed error, the host's own passes."""

from __future__ import annotations

import struct
from types import TracebackType
from typing import Final

from wazero_api import ExhaustionError, Frame, Trap, TrapKind, WazeroError, format_frames

INTERNAL_MARK: Final = "__wazero_internal__"
"""In the globals of a frame: it belongs to the engine, neither to a guest nor to a host function."""

_GUEST_RECURSION: Final = 100
"""Wasm frames from which on a RecursionError below them is the guest's fault, and not the host function's own."""

_ENTRY: Final = "entry"
"""Name of the generated functions by which Python calls wasm."""


def explain(error: BaseException) -> BaseException:
    """The exception to raise for one that came out of generated code: itself, or a typed error in its place."""
    frames, host_frames = wasm_frames(error.__traceback__)
    if isinstance(error, Trap):
        error.frames += frames
        return error
    if isinstance(error, RecursionError) and (not host_frames or len(frames) >= _GUEST_RECURSION):
        return ExhaustionError(frames)
    if frames and not host_frames:
        kind = _kind(error, error.__traceback__)
        if kind is not None:
            return Trap(kind, frames)
    if frames and not isinstance(error, WazeroError):
        error.add_note(format_frames(frames))
    return error


def wasm_frames(trace: TracebackType | None) -> tuple[tuple[Frame, ...], int]:
    """The wasm frames below one entry, innermost first, and how many host frames lie below the innermost.

    Frames below a further entry have been told by that one.
    """
    frames = []
    host_frames = entries = 0
    while trace is not None:
        namespace = trace.tb_frame.f_globals
        name = trace.tb_frame.f_code.co_name
        instance = namespace.get("__instance__")
        if instance is not None:
            frames.append(instance.frame(name, trace.tb_lineno))
            host_frames = 0
        elif INTERNAL_MARK not in namespace:
            host_frames += 1
        elif name == _ENTRY:
            entries += 1
            if entries > 1:
                break
        trace = trace.tb_next
    frames.reverse()
    return tuple(frames), host_frames


_KINDS: Final[dict[type[BaseException], TrapKind]] = {
    struct.error: TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,
    IndexError: TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,
    ZeroDivisionError: TrapKind.INTEGER_DIVIDE_BY_ZERO,
    AttributeError: TrapKind.UNINITIALIZED_ELEMENT,
}
"""What Python raises in generated code when the guest traps: no check is written where Python checks anyway."""


def _kind(error: BaseException, trace: TracebackType | None) -> TrapKind | None:
    kind = _KINDS.get(type(error))
    if isinstance(error, IndexError) and _calls_indirectly(trace):
        return TrapKind.UNDEFINED_ELEMENT
    return kind


def _calls_indirectly(trace: TracebackType | None) -> bool:
    """Whether the innermost wasm frame was looking into a table: the only lists that generated code indexes."""
    where = None
    while trace is not None:
        if "__instance__" in trace.tb_frame.f_globals:
            where = trace
        trace = trace.tb_next
    if where is None:
        return False
    instance = where.tb_frame.f_globals["__instance__"]
    return bool(instance.is_indirect_call(where.tb_frame.f_code.co_name, where.tb_lineno))
