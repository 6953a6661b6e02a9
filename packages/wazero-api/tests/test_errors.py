"""The error tree: what each error says and carries, also after a trip through pickle."""

from __future__ import annotations

import pickle

import pytest

from wazero_api import (
    DeadlineExceededError,
    ExhaustionError,
    ExitError,
    Frame,
    InvalidModuleError,
    LinkError,
    MalformedModuleError,
    MemoryAccessError,
    ModuleError,
    Trap,
    TrapKind,
    UnsupportedError,
    WazeroBug,
    WazeroError,
    format_frames,
)

FRAME = Frame("calc", "add", 3, 0x2A)

ERRORS = [
    (MalformedModuleError("unexpected end", 8), "unexpected end (at byte 0x8)"),
    (InvalidModuleError("unknown type 3"), "unknown type 3"),
    (LinkError("unknown import"), "unknown import"),
    (Trap(TrapKind.UNREACHABLE), "unreachable"),
    (Trap(TrapKind.UNREACHABLE, (FRAME,), "(why)"), "unreachable (why)\nwasm stack trace:\n\tcalc.add at byte 0x2a"),
    (ExhaustionError((FRAME,)), "call stack exhausted\nwasm stack trace:\n\tcalc.add at byte 0x2a"),
    (DeadlineExceededError("too slow"), "too slow"),
    (ExitError(3, "calc"), "module 'calc' closed with exit code 3"),
    (MemoryAccessError("outside"), "outside"),
    (UnsupportedError("not here"), "not here"),
    (WazeroBug("cannot happen"), "cannot happen"),
]


@pytest.mark.parametrize(("error", "text"), ERRORS, ids=lambda value: type(value).__name__)
def test_text(error: WazeroError, text: str) -> None:
    assert str(error) == text
    assert isinstance(error, WazeroError)


@pytest.mark.parametrize("error", [error for error, _ in ERRORS], ids=lambda error: type(error).__name__)
def test_pickle_keeps_everything(error: WazeroError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    for name in ("kind", "frames", "offset", "exit_code"):
        assert getattr(copy, name, None) == getattr(error, name, None)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [(MemoryAccessError, IndexError), (ExhaustionError, Trap)],
)
def test_errors_that_are_also_something_else(error: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(error, builtin)


def test_no_error_is_an_os_error() -> None:
    """Host functions turn OSError into error numbers for the guest; ours must pass them."""
    assert not any(isinstance(error, OSError) for error, _ in ERRORS)


def test_module_errors_tell_malformed_from_invalid() -> None:
    assert issubclass(MalformedModuleError, ModuleError)
    assert not issubclass(MalformedModuleError, InvalidModuleError)


def test_long_traces_are_cut() -> None:
    text = format_frames((FRAME,) * 50, limit=3)
    assert text.splitlines() == ["wasm stack trace:", *["\tcalc.add at byte 0x2a"] * 3, "\t… 47 more frames"]
