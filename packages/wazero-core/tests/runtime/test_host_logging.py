"""Logs of calls to host functions: which, how values look, how calls nest, and that a log changes no call."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

from wazero_api import (
    Convention,
    DeadlineExceededError,
    ExitError,
    FunctionType,
    HostFunction,
    HostModule,
    LogScope,
    MemoryAccessError,
    ValueType,
    encode,
)
from wazero_api.record import replace
from wazero_core import Module, Runtime, RuntimeConfig
from wazero_core.runtime.host_logging import MAX_SHOWN, guest_call, logged, parse_log_scopes, visible

I32, I64, F32, F64, V128 = ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64, ValueType.V128
EXTERNREF, FUNCREF = ValueType.EXTERNREF, ValueType.FUNCREF
NAMES = "all, clock, filesystem, memory, poll, proc, random, sock"


def function(name: str, call: Callable[..., Any], type: FunctionType | None = None, **fields: Any) -> HostFunction:
    return HostFunction(name, type or FunctionType((), ()), call, **fields)


def log_of(host: HostFunction, *args: Any, scopes: LogScope = LogScope.ALL, module: Any = None) -> tuple[Any, str]:
    """Call a function of a module "env": what it returns, and the log."""
    lines: list[str] = []
    (wrapped,) = logged(HostModule("env", (host,)), scopes, lines.append).functions
    given = (module, *args) if wrapped.wants_module else args
    return wrapped.callable(*given), "".join(lines)


# Scopes


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        ("", LogScope.NONE),
        (",", LogScope.NONE),
        ("all", LogScope.ALL),
        ("all,clock", LogScope.ALL),
        ("clock", LogScope.CLOCK),
        ("filesystem", LogScope.FILESYSTEM),
        ("memory", LogScope.MEMORY),
        ("poll", LogScope.POLL),
        ("proc", LogScope.PROC),
        ("random", LogScope.RANDOM),
        ("sock", LogScope.SOCK),
        ("sock,,clock,sock", LogScope.SOCK | LogScope.CLOCK),
    ],
)
def test_scopes_are_read_from_text(text: str, scopes: LogScope) -> None:
    assert parse_log_scopes(text) == scopes


@pytest.mark.parametrize(
    ("text", "wrong"), [("dns", "dns"), ("clock,Sock", "Sock"), ("clock, sock", " sock"), ("none", "none")]
)
def test_other_scopes_are_refused(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match="is not a log scope") as caught:
        parse_log_scopes(text)
    assert str(caught.value) == f"{wrong!r} is not a log scope: use {NAMES}, with commas between several"


def test_all_is_more_than_every_scope() -> None:
    every = LogScope.NONE
    for scope in LogScope:
        every |= scope
    assert every != LogScope.ALL
    assert every & LogScope.ALL == every


@pytest.mark.parametrize(
    ("of_function", "of_log", "is_logged"),
    [
        (LogScope.NONE, LogScope.NONE, False),
        (LogScope.NONE, LogScope.CLOCK, False),
        (LogScope.NONE, LogScope.ALL, True),
        (LogScope.CLOCK, LogScope.NONE, False),
        (LogScope.CLOCK, LogScope.CLOCK, True),
        (LogScope.CLOCK, LogScope.CLOCK | LogScope.SOCK, True),
        (LogScope.CLOCK, LogScope.SOCK, False),
        (LogScope.CLOCK, LogScope.ALL, True),
        (LogScope.CLOCK | LogScope.POLL, LogScope.POLL, True),
    ],
)
def test_which_functions_are_logged(of_function: LogScope, of_log: LogScope, is_logged: bool) -> None:
    host = function("f", lambda: None, scope=of_function)
    (found,) = logged(HostModule("env", (host,)), of_log, print).functions
    assert (found is not host) is is_logged
    assert log_of(host, scopes=of_log)[1] == ("==> env.f()\n<==\n" if is_logged else "")


def test_the_module_is_otherwise_the_same() -> None:
    first = function("a", abs, FunctionType((I32,), (I32,)), param_names=("x",), scope=LogScope.CLOCK)
    second = function("b", abs, FunctionType((I64,), (I64,)), convention=Convention.RAW)
    host = HostModule("env", (first, second))
    found = logged(host, LogScope.CLOCK, print)
    assert (found.name, found.functions[1]) == ("env", second)
    assert replace(found.functions[0], callable=abs, wants_module=False) == first
    assert host.functions == (first, second)


# Values

TYPED_VALUES = [
    (I32, -1, "-1"),
    (I32, 5, "5"),
    (I64, -(1 << 63), "-9223372036854775808"),
    (F32, 3.4028234663852886e38, "3.4028235e+38"),
    (F32, 0.10000000149011612, "0.1"),
    (F32, -0.0, "-0"),
    (F64, 1.7976931348623157e308, "1.7976931348623157e+308"),
    (F64, 0.1, "0.1"),
    (F64, 0.1 + 0.2, "0.30000000000000004"),
    (F64, math.nan, "nan"),
    (F64, -math.inf, "-inf"),
    (V128, bytes([*[0] * 8, 1, *[0] * 7]), "00000000000000000000000000000001"),
    (EXTERNREF, None, "0000000000000000"),
    (FUNCREF, None, "0000000000000000"),
]


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize(("type", "value", "text"), TYPED_VALUES)
def test_values(type: ValueType, value: Any, text: str, convention: Convention) -> None:
    given = encode(value, type) if convention is Convention.RAW else value
    host = function("f", lambda value: value, FunctionType((type,), (type,)), convention=convention)
    returned, log = log_of(host, given)
    assert returned is given
    assert log == f"==> env.f({text})\n<== {text}\n"


def test_references_are_told_apart() -> None:
    one, other = object(), object()
    host = function("f", lambda a, b: None, FunctionType((EXTERNREF, EXTERNREF), ()))
    assert log_of(host, one, other)[1] == f"==> env.f({id(one):016x},{id(other):016x})\n<==\n"


@pytest.mark.parametrize(
    ("params", "results", "param_names", "result_names", "log"),
    [
        ((), (), (), (), "==> env.f()\n<==\n"),
        ((I32, F64), (I32, F64), (), (), "==> env.f(7,1.5)\n<== (7,1.5)\n"),
        ((I32, F64), (I32, F64), ("x", "y"), ("a", "b"), "==> env.f(x=7,y=1.5)\n<== (a=7,b=1.5)\n"),
        ((I32,), (I32,), ("x",), ("errno",), "==> env.f(x=7)\n<== errno=7\n"),
        ((I32, F64), (), ("x",), ("gone",), "==> env.f(7,1.5)\n<==\n"),  # names that do not fit are no names
    ],
)
def test_shapes(
    params: tuple[ValueType, ...],
    results: tuple[ValueType, ...],
    param_names: tuple[str, ...],
    result_names: tuple[str, ...],
    log: str,
) -> None:
    values = {(): None, (I32,): 7, (I32, F64): (7, 1.5)}
    host = function(
        "f",
        lambda *args: values[results],
        FunctionType(params, results),
        param_names=param_names,
        result_names=result_names,
    )
    assert log_of(host, *(7, 1.5)[: len(params)]) == (values[results], log)


@pytest.mark.parametrize("wants_module", [True, False])
def test_the_function_gets_what_it_asks_for(wants_module: bool) -> None:
    calls: list[Any] = []
    host = function("f", lambda *args: calls.append(args), FunctionType((I32,), ()), wants_module=wants_module)
    log_of(host, 7, module="caller")
    assert calls == [("caller", 7) if wants_module else (7,)]


@pytest.mark.parametrize(("results", "wrong"), [((), 5), ((I32,), None), ((I32, I32), 5), ((I32, I32), (1,))])
def test_wrong_results_are_the_engines_business(results: tuple[ValueType, ...], wrong: Any) -> None:
    returned, log = log_of(function("f", lambda: wrong, FunctionType((), results)))
    assert returned is wrong
    assert log.startswith("==> env.f()\n<==")
    assert log.count("\n") == 2


# Calls in calls, and calls that do not return


@pytest.mark.parametrize("error", [ExitError(3, "guest"), OSError("no"), KeyboardInterrupt(), MemoryAccessError("no")])
def test_a_call_that_raises_has_no_second_line(error: BaseException) -> None:
    def fail() -> None:
        raise error

    lines: list[str] = []
    host = HostModule("env", (function("fail", fail), function("f", lambda: None)))
    failing, other = logged(host, LogScope.ALL, lines.append).functions
    with pytest.raises(type(error)) as caught:
        failing.callable(None)
    assert caught.value is error
    other.callable(None)
    assert lines == ["==> env.fail()\n", "==> env.f()\n", "<==\n"]


GUEST = """(module
  (import "outer" "call_back" (func $call_back))
  (import "inner" "f" (func $f (param i32) (result i32)))
  (func (export "run") (call $call_back) (drop (call $f (i32.const 1))))
  (func (export "again") (drop (call $f (i32.const 2)))))"""


def test_nesting_across_modules() -> None:
    lines: list[str] = []

    def call_back(module: Module) -> None:
        module.exports.again()

    outer = HostModule("outer", (function("call_back", call_back, wants_module=True),))
    inner = HostModule("inner", (function("f", abs, FunctionType((I32,), (I32,)), param_names=("x",)),))
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        for host in (outer, inner):
            runtime.instantiate_host_module(logged(host, LogScope.ALL, lines.append))
        guest = runtime.instantiate(bytes(wasmtime.wat2wasm(GUEST)))
        function_ = guest.exported_function("run")
        assert function_ is not None
        with guest_call(function_.definition.debug_name, lines.append):
            function_()
    assert "".join(lines) == (
        "--> .$2()\n\t==> outer.call_back()\n\t\t==> inner.f(x=2)\n\t\t<== 2\n\t<==\n\t==> inner.f(x=1)\n\t<== 1\n<--\n"
    )


def test_a_guest_call_that_raises_has_no_second_line() -> None:
    lines: list[str] = []
    for _ in range(2):
        with pytest.raises(ExitError), guest_call("app._start", lines.append):
            raise ExitError(1, "app")
    assert lines == ["--> app._start()\n"] * 2


def test_threads_nest_for_themselves() -> None:
    lines: list[str] = []

    def in_thread() -> None:
        thread = threading.Thread(target=inner.callable, args=(None,))
        thread.start()
        thread.join(60)

    host = HostModule("env", (function("outer", in_thread), function("inner", lambda: None)))
    outer, inner = logged(host, LogScope.ALL, lines.append).functions
    outer.callable(None)
    assert lines == ["==> env.outer()\n", "==> env.inner()\n", "<==\n", "<==\n"]


# Describers


class Describer:
    """Shows what it is made with; an exception is raised."""

    def __init__(self, params: str | Exception | None, results: str | Exception = "") -> None:
        self._params = params
        self._results = results
        self.seen: list[Any] = []

    def params(self, module: Any, args: tuple[Any, ...]) -> str | None:
        self.seen.append((module, args))
        if isinstance(self._params, Exception):
            raise self._params
        return self._params

    def results(self, module: Any, args: tuple[Any, ...], results: tuple[Any, ...]) -> str:
        self.seen.append((module, args, results))
        if isinstance(self._results, Exception):
            raise self._results
        return self._results


@pytest.mark.parametrize(
    ("params", "results", "log"),
    [
        ("fs.open(path=/x)", "(fd=4)", "==> env.f(fs.open(path=/x))\n<== (fd=4)\n"),
        ("", "", "==> env.f()\n<==\n"),
        (None, "not looked at", ""),
        (MemoryAccessError("no"), "x", "==> env.f(<cannot be shown: MemoryAccessError>)\n<== x\n"),
        ("x", UnicodeError("no"), "==> env.f(x)\n<== <cannot be shown: UnicodeError>\n"),
    ],
)
def test_functions_are_described(params: str | Exception | None, results: str | Exception, log: str) -> None:
    describer = Describer(params, results)
    asked: list[LogScope] = []

    def describe(scopes: LogScope) -> Describer:
        asked.append(scopes)
        return describer

    host = function("f", abs, FunctionType((I32,), (I32,)), scope=LogScope.CLOCK, describe=describe)
    assert log_of(host, -7, scopes=LogScope.CLOCK, module="caller") == (7, log)
    assert asked == [LogScope.CLOCK]
    assert describer.seen == [("caller", (-7,)), ("caller", (-7,), (7,))][: 1 if params is None else 2]


def test_a_call_left_out_does_not_indent() -> None:
    lines: list[str] = []
    host = HostModule(
        "env",
        (
            function("outer", lambda: inner.callable(None), describe=lambda scopes: Describer(None)),
            function("inner", lambda: None),
        ),
    )
    outer, inner = logged(host, LogScope.ALL, lines.append).functions
    outer.callable(None)
    assert lines == ["==> env.inner()\n", "<==\n"]


def test_a_deadline_gets_through_a_describer() -> None:
    host = function("f", lambda: None, describe=lambda scopes: Describer(DeadlineExceededError("over")))
    with pytest.raises(DeadlineExceededError):
        log_of(host)


def test_nobody_describes_what_is_not_logged() -> None:
    def describe(scopes: LogScope) -> Describer:
        raise AssertionError

    host = HostModule("env", (function("f", abs, scope=LogScope.CLOCK, describe=describe),))
    assert logged(host, LogScope.SOCK, print) == host


# Writing


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("closed"), UnicodeEncodeError("ascii", "é", 0, 1, "")])
def test_a_log_that_cannot_be_written_changes_nothing(error: Exception) -> None:
    def write(line: str) -> None:
        raise error

    host = HostModule("env", (function("f", abs, FunctionType((I32,), (I32,))),))
    assert logged(host, LogScope.ALL, write).functions[0].callable(None, -7) == 7


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢 /", "plain é 漢 /"),
        ("a\nb\r\t\0", "a\\nb\\r\\t\\x00"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egnp", "\\u202egnp"),
        ("\U000e0001", "\\U000e0001"),
        ("back\\slash", "back\\\\slash"),
        (b"caf\xc3\xa9", "café"),
        (b"\xff\xc3", "\\xff\\xc3"),
        (memoryview(b"view\n"), "view\\n"),
        (b"x" * MAX_SHOWN, "x" * MAX_SHOWN),
        (b"x" * (MAX_SHOWN + 1), "x" * MAX_SHOWN + "…"),
        ("\n" * (1 << 20), "\\n" * MAX_SHOWN + "…"),
    ],
)
def test_texts_stay_on_their_line(text: str | bytes | memoryview, shown: str) -> None:
    assert visible(text) == shown


def test_names_stay_on_their_line() -> None:
    lines: list[str] = []
    (host,) = logged(HostModule("e\nv", (function("f\n", lambda: None),)), LogScope.ALL, lines.append).functions
    host.callable(None)
    with guest_call("a\n.b", lines.append):
        pass
    assert lines == ["==> e\\nv.f\\n()\n", "<==\n", "--> a\\n.b()\n", "<--\n"]


def test_without_a_log_nothing_of_it_is_imported() -> None:
    program = (
        "import sys, wazero_core.cli.run, wazero_wasi; wazero_wasi.host_module()\n"
        "print([name for name in sys.modules if name in {'wazero_wasi.logging', 'wazero_core.runtime.host_logging'}])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
