"""What programs by AssemblyScript import from "env" unless they are made for WASI: `abort`, `trace` and `seed`.

Pointers are the guest's and may be anything: text that cannot be read is not shown, and nothing else happens.
Origin: AssemblyScript's book, "Special imports".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn, Protocol

from wazero_api import Convention, ExitError, FunctionType, HostFunction, HostModule, ValueType
from wazero_core.system.context import STDERR, STDOUT, SystemContext

MODULE_NAME: Final = "env"
ABORTED: Final = 255
"""The exit code of a program that aborts."""

_I32: Final = ValueType.I32
_F64: Final = ValueType.F64
_MAX_TEXT: Final = 1 << 20
"""Bytes of a string that are shown at most: a guest cannot make the host hold more for it."""
_EXACT: Final = 1 << 53
"""Up to here every whole number is a float of its own, and written in full."""
_STREAMS: Final = {"stdout": STDOUT, "stderr": STDERR}
_SEED_BYTES: Final = 8


class Caller(Protocol):
    """What the functions need of the instance that calls them."""

    @property
    def name(self) -> str: ...

    @property
    def memory(self) -> Any: ...

    @property
    def system(self) -> SystemContext: ...

    def close_with_exit_code(self, exit_code: int) -> None: ...


def functions(*, abort_message: bool = True, trace: str | None = None) -> tuple[HostFunction, ...]:
    """The functions as data. `trace` is where traces go: "stdout", "stderr" or, by default, nowhere.

    Without `abort_message`, a program that aborts only ends. Raises ValueError for another `trace`.
    """
    if trace is not None and trace not in _STREAMS:
        raise ValueError(f"traces go to {' or '.join(_STREAMS)}, not to {trace!r}")
    abort: Callable[..., NoReturn] = _abort
    if abort_message:
        abort = _abort_with_message
    return (
        HostFunction(
            "abort",
            FunctionType((_I32,) * 4, ()),
            abort,
            Convention.RAW,
            wants_module=True,
            param_names=("message", "fileName", "lineNumber", "columnNumber"),
        ),
        HostFunction(
            "trace",
            FunctionType((_I32, _I32, *(_F64,) * 5), ()),
            _no_trace if trace is None else _trace_to(_STREAMS[trace]),
            wants_module=True,
            param_names=("message", "nArgs", *(f"arg{i}" for i in range(5))),
        ),
        HostFunction(
            "seed",
            FunctionType((), (_F64,)),
            _seed,
            Convention.RAW,
            wants_module=True,
            result_names=("rand",),
        ),
    )


def host_module(*, abort_message: bool = True, trace: str | None = None) -> HostModule:
    """The module "env" with all `functions`, which take and raise the same."""
    return HostModule(MODULE_NAME, functions(abort_message=abort_message, trace=trace))


def instantiate(runtime: Any, *, abort_message: bool = True, trace: str | None = None) -> Any:
    """Make the `host_module` importable for the modules of a `Runtime`; its instance. Raises LinkError if "env" is taken."""
    return runtime.instantiate_host_module(host_module(abort_message=abort_message, trace=trace))


# --- The functions ----------------------------------------------------------------------------------------------------


def _abort(module: Caller, *_: int) -> NoReturn:
    """Close the module and leave it, through all its frames, as ExitError."""
    module.close_with_exit_code(ABORTED)
    raise ExitError(ABORTED, module.name)


def _abort_with_message(module: Caller, message: int, file_name: int, line: int, column: int) -> NoReturn:
    text, file = _text_at(module, message), _text_at(module, file_name)
    if text is not None and file is not None:
        _print(module, STDERR, f"{text} at {file}:{line}:{column}\n")
    _abort(module)


def _no_trace(*_: Any) -> None:
    """Say nothing."""


def _trace_to(stream: int) -> Callable[..., None]:
    def trace(module: Caller, message: int, count: int, *numbers: float) -> None:
        text = _text_at(module, message & 0xFFFFFFFF)
        if text is not None:
            shown = ",".join(map(_number, numbers[: max(count, 0)]))
            _print(module, stream, f"trace: {text}{' ' if shown else ''}{shown}\n")

    return trace


def _seed(module: Caller) -> int:
    """Random bits. The guest takes them for a float, whichever it is."""
    data = module.system.random(_SEED_BYTES)
    if len(data) != _SEED_BYTES:
        raise ValueError(f"the source of random bytes gave {len(data)} bytes in the place of {_SEED_BYTES}")
    return int.from_bytes(data, "little")


# --- Their parts ------------------------------------------------------------------------------------------------------


def _text_at(module: Caller, pointer: int) -> str | None:
    """The string at `pointer`: UTF-16, the number of its bytes in the four bytes before. None if it is not in memory."""
    if module.memory is None or pointer < 4:
        return None
    buffer = module.memory.buffer
    size = int.from_bytes(buffer[pointer - 4 : pointer], "little")
    if size % 2 or pointer + size > len(buffer):
        return None
    shown = buffer[pointer : pointer + min(size, _MAX_TEXT)]
    return str(shown, "utf-16-le", "replace") + ("…" if size > _MAX_TEXT else "")


def _print(module: Caller, stream: int, text: str) -> None:
    """Write to a standard stream of the guest, if that is still open and can be written to: messages are no necessity."""
    entry = module.system.files.get(stream)
    if entry is None:
        return
    rest = memoryview(text.encode())
    try:
        while rest:
            written = entry.file.write(rest)
            if written <= 0:
                return
            rest = rest[written:]
    except OSError:
        pass


def _number(value: float) -> str:
    """As JavaScript writes it, save that exponents begin elsewhere."""
    if value.is_integer() and abs(value) <= _EXACT:
        return str(int(value))
    text = repr(value)
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(text, text)
