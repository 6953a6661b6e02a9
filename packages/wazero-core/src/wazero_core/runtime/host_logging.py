"""A log of the calls that guests make to host functions, as wazero's ``-hostlogging`` prints it.

host module + scopes + where to write => host module whose functions write two lines a call

    ==> wasi_snapshot_preview1.fd_read(fd=4,iovs=64776,iovs_len=1)
    <== (nread=5,errno=ESUCCESS)

The second line is missing where a call does not return, as with ``proc_exit``. Calls that happen within a logged call
are indented by a tab. Works on `HostModule` alone and is part of nothing: who wants no log does not import it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any, Final, final

from wazero_api import (
    CallDescriber,
    Convention,
    HostFunction,
    HostModule,
    LogScope,
    ValueType,
    decode,
    encode_f32,
    encode_f64,
)
from wazero_api.record import replace

Write = Callable[[str], object]
"""Gets whole lines, each with its newline, one a call; ``sys.stderr.write`` is one."""

MAX_SHOWN: Final = 1_024
"""Bytes or characters of a text that are shown; the rest is an ellipsis."""

_NAMES: Final = {name.lower(): scope for name, scope in sorted(LogScope.__members__.items()) if scope}

_OF_HOSTILE_VALUES: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    TypeError,
    ValueError,
    struct.error,
)
"""What describing can raise for memory that is not as the guest says. No error of the runtime is among them: a deadline
that runs out meanwhile must get through."""


@final
class _Nesting(local):
    """How many logged calls a thread is in."""

    depth = 0


_nesting = _Nesting()


def parse_log_scopes(text: str) -> LogScope:
    """The scopes of a list such as ``filesystem,clock``; empty parts count for nothing.

    Raises ValueError for a name that is none. Several lists add up with ``|``.
    """
    scopes = LogScope.NONE
    for name in text.split(","):
        if name not in {"", *_NAMES}:
            raise ValueError(f"{name!r} is not a log scope: use {', '.join(_NAMES)}, with commas between several")
        scopes |= _NAMES.get(name, LogScope.NONE)
    return scopes


def logged(host: HostModule, scopes: LogScope, write: Write) -> HostModule:
    """The host module with every function that belongs to one of the scopes writing its calls; the others as they are.

    With `LogScope.ALL` also those that belong to none. A log that cannot be written changes no call: OSError and
    ValueError of `write` are passed over.
    """
    functions = [
        _logged_function(host.name, function, scopes, write) if _is_wanted(function, scopes) else function
        for function in host.functions
    ]
    return replace(host, functions=tuple(functions))


@contextmanager
def guest_call(name: str, write: Write) -> Iterator[None]:
    """Log a call into the guest, such as ``.$1`` or ``app._start`` (`FunctionDefinition.debug_name`), made in the block.

    wazero does so with `LogScope.ALL`. There is no second line if the block raises.
    """
    _write_line(write, f"--> {visible(name)}()")
    with _nested():
        yield
    _write_line(write, "<--")


def visible(text: str | bytes | memoryview) -> str:
    """A text of the guest's on one line: no character that moves the cursor or cannot be seen, no more than `MAX_SHOWN`.

    Such characters, backslashes, and bytes that are no UTF-8 are shown as Python writes them in literals.
    """
    cut = text[:MAX_SHOWN]
    shown = cut if isinstance(cut, str) else str(cut, "utf-8", "surrogateescape")
    if not shown.isprintable() or "\\" in shown:
        shown = "".join([_visible_character(character) for character in shown])
    return shown if len(text) <= MAX_SHOWN else f"{shown}…"


def _visible_character(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how "surrogateescape" spells a byte
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def _is_wanted(function: HostFunction, scopes: LogScope) -> bool:
    return scopes == LogScope.ALL or bool(function.scope & scopes)


def _logged_function(module_name: str, function: HostFunction, scopes: LogScope, write: Write) -> HostFunction:
    run = function.callable
    wants_module = function.wants_module
    has_one_result = len(function.type.results) == 1
    describer: CallDescriber = function.describe(scopes) if function.describe else _ByTypes(function)
    name = visible(f"{module_name}.{function.name}")

    def call(module: Any, *args: Any) -> Any:
        given = (module, *args) if wants_module else args
        params = _description(describer.params, module, args)
        if params is None:
            return run(*given)
        _write_line(write, f"==> {name}({params})")
        with _nested():
            returned = run(*given)
        values = (returned,) if has_one_result else returned if isinstance(returned, tuple) else ()
        results = _description(describer.results, module, args, values)
        _write_line(write, f"<== {results}" if results else "<==")
        return returned

    return replace(function, callable=call, wants_module=True)


def _description(describe: Callable[..., str | None], *values: Any) -> str | None:
    try:
        return describe(*values)
    except _OF_HOSTILE_VALUES as error:
        return f"<cannot be shown: {error.__class__.__name__}>"


@contextmanager
def _nested() -> Iterator[None]:
    _nesting.depth += 1
    try:
        yield
    finally:
        _nesting.depth -= 1


def _write_line(write: Write, text: str) -> None:
    try:
        write("\t" * _nesting.depth + text + "\n")
    except (OSError, ValueError):  # a pipe that nobody reads, a closed file, or one without that character
        pass


@final
class _ByTypes:
    """Shows values by their types, with the names that the function has for them."""

    def __init__(self, function: HostFunction) -> None:
        self._function = function
        self._is_raw = function.convention is Convention.RAW

    def params(self, module: Any, args: tuple[Any, ...]) -> str | None:
        return ",".join(self._shown(self._function.type.params, self._function.param_names, args))

    def results(self, module: Any, args: tuple[Any, ...], results: tuple[Any, ...]) -> str:
        shown = self._shown(self._function.type.results, self._function.result_names, results)
        return shown[0] if len(shown) == 1 else f"({','.join(shown)})" if shown else ""

    def _shown(self, types: tuple[ValueType, ...], names: tuple[str, ...], values: tuple[Any, ...]) -> list[str]:
        texts = [
            _value_text(type, decode(value, type) if self._is_raw else value)
            for type, value in zip(types, values, strict=True)
        ]
        if len(names) != len(texts):
            return texts
        return [f"{name}={text}" for name, text in zip(names, texts, strict=True)]


def _value_text(type: ValueType, value: Any) -> str:
    """Integers signed, floats as short as they can be, vectors and references as 128 and 64 bits in hexadecimal."""
    if type == ValueType.F32:
        return _float_text(value, encode_f32)
    if type == ValueType.F64:
        return _float_text(value, encode_f64)
    if type == ValueType.V128:
        low, high = struct.unpack("<QQ", value)
        return f"{low:016x}{high:016x}"
    if type.is_ref:
        return f"{0 if value is None else id(value):016x}"
    return visible(str(value))


def _float_text(value: float, encode: Callable[[float], int]) -> str:
    """The shortest decimal number that stands for these bits."""
    if not math.isfinite(value):
        return str(value)
    bits = encode(value)
    texts = (f"{value:.{digits}g}" for digits in range(6, 17))
    return next((text for text in texts if encode(float(text)) == bits), f"{value:.17g}")
