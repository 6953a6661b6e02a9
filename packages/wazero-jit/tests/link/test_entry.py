from __future__ import annotations

import gc
import inspect
import pickle
import random
import sys
import threading
import weakref
from typing import Any

import pytest

from wazero_api import FunctionType, UnsupportedError, ValueType, decode_f32, decode_f64, encode_f32, encode_f64
from wazero_jit.isa.amd64.encoding import ADD_RM, MOV_OI, R8, R9, RBP, RBX, RDI, RET, RSI, XOR_RM
from wazero_jit.link.builtin import EntryTarget, Function, new_entry

I32, I64, F32, F64 = ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64
FUNCREF, EXTERNREF = ValueType.FUNCREF, ValueType.EXTERNREF
NUMBERS = (I32, I64, F32, F64)

ECHO = RET(32)
"""Parameters and results at the same positions are in the same places."""


def echo(native: Any, *types: ValueType) -> Any:
    return native.function(FunctionType(types, types), ECHO).entry


def bits(value: Any, type: ValueType) -> Any:
    """What tells NaNs and zeros apart."""
    if type in (F32, F64) and isinstance(value, float):
        return encode_f32(value) if type is F32 else encode_f64(value)
    return value


class Index:
    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


class Big(int):
    pass


class Broken:
    def __index__(self) -> int:
        raise KeyError("index")

    def __float__(self) -> float:
        raise KeyError("float")


SIGNALLING_F32 = decode_f32(0x7F800001)
QUIET_F32 = decode_f32(0xFFC12345)
SIGNALLING_F64 = decode_f64(0x7FF0000000000001)

GOOD: list[tuple[ValueType, Any, Any]] = [
    *[(I32, value, value) for value in (0, 1, -1, 7, 256, 257, -5, -6, 2**30, -(2**30), 2**31 - 1, -(2**31))],
    (I32, 2**31, -(2**31)),
    (I32, 2**32 - 1, -1),
    (I32, True, 1),
    (I32, False, 0),
    (I32, Index(5), 5),
    (I32, Index(2**32 - 2), -2),
    (I32, Big(-3), -3),
    *[
        (I64, value, value)
        for value in (0, 1, -1, 2**31, 2**32, 2**60, -(2**60), 2**62, 2**63 - 1, -(2**63), 1 - 2**63)
    ],
    (I64, 2**63, -(2**63)),
    (I64, 2**64 - 1, -1),
    (I64, 2**64 - 2, -2),
    (I64, True, 1),
    (I64, Index(2**63), -(2**63)),
    (I64, Big(2**64 - 1), -1),
    *[(F64, value, value) for value in (0.0, -0.0, 1.5, -1e308, 5e-324, float("inf"), float("-inf"), SIGNALLING_F64)],
    (F64, 3, 3.0),
    (F64, True, 1.0),
    *[(F32, value, value) for value in (0.0, -0.0, 1.5, float("inf"), float("-inf"), SIGNALLING_F32, QUIET_F32)],
    (F32, 0.1, decode_f32(encode_f32(0.1))),
    (F32, 1e300, float("inf")),
    (F32, -1e300, float("-inf")),
    (F32, 10**300, float("inf")),
    (F32, -(10**300), float("-inf")),
    (F32, 3.4028235677973366e38, float("inf")),
    (F32, 3.4028235677973362e38, 3.4028234663852886e38),
    (F32, 1e-50, 0.0),
    (F32, 7, 7.0),
    *[(EXTERNREF, value, value) for value in (None, "text", 5, ())],
    (FUNCREF, None, None),
]


@pytest.mark.parametrize(("type", "value", "expected"), GOOD)
def test_a_value_comes_through(native: Any, type: ValueType, value: Any, expected: Any) -> None:
    result = echo(native, type)(value)
    assert result.__class__ is expected.__class__
    assert bits(result, type) == bits(expected, type)


BAD: list[tuple[ValueType, Any, type[BaseException], str]] = [
    (I32, 2**32, OverflowError, "4294967296 does not fit in an i32"),
    (I32, -(2**31) - 1, OverflowError, "-2147483649 does not fit in an i32"),
    (I32, 2**63, OverflowError, f"{2**63} does not fit in an i32"),
    (I32, -(2**70), OverflowError, f"{-(2**70)} does not fit in an i32"),
    (I32, Index(2**32), OverflowError, "4294967296 does not fit in an i32"),
    (I32, 1.0, TypeError, "i32 needs an int, not float"),
    (I32, "1", TypeError, "i32 needs an int, not str"),
    (I32, None, TypeError, "i32 needs an int, not NoneType"),
    (I32, Broken(), KeyError, "'index'"),
    (I64, 2**64, OverflowError, f"{2**64} does not fit in an i64"),
    (I64, -(2**63) - 1, OverflowError, f"{-(2**63) - 1} does not fit in an i64"),
    (I64, 1.5, TypeError, "i64 needs an int, not float"),
    (F32, "1", TypeError, "f32 needs a float, not str"),
    (F32, b"1", TypeError, "f32 needs a float, not bytes"),
    (F32, None, TypeError, "f32 needs a float, not NoneType"),
    (F64, "1", TypeError, "f64 needs a float, not str"),
    (F64, [], TypeError, "f64 needs a float, not list"),
    (F64, Broken(), KeyError, "'float'"),
    (F64, 10**400, OverflowError, "int too large to convert to float"),
    (FUNCREF, 5, TypeError, "funcref needs a wasm function or None, not int"),
    (FUNCREF, len, TypeError, "funcref needs a wasm function or None, not builtin_function_or_method"),
]


@pytest.mark.parametrize(("type", "value", "error", "message"), BAD)
def test_a_bad_value_is_refused(
    native: Any, type: ValueType, value: Any, error: type[BaseException], message: str
) -> None:
    entry = echo(native, type)
    with pytest.raises(error) as caught:
        entry(value)
    assert str(caught.value) == message
    assert native.execution.depth == 0


def test_values_are_treated_as_the_portable_engine_does(native: Any) -> None:
    values = pytest.importorskip("wazero_core.portable.values")
    candidates = {*(value for _, value, _ in GOOD), *(value for _, value, *_ in BAD if value.__class__ is not list)}
    for type in NUMBERS:
        entry = echo(native, type)
        for value in candidates:
            assert _outcome(entry, value, type) == _outcome(
                lambda value, type=type: values.from_raw(values.to_raw(value, type), type), value, type
            )


def _outcome(function: Any, value: Any, type: ValueType) -> Any:
    try:
        return bits(function(value), type)
    except (TypeError, OverflowError, KeyError) as error:
        if type is F32 and isinstance(error, OverflowError):
            return OverflowError
        return error.__class__, str(error)


def test_function_references(native: Any) -> None:
    class Wrapper:
        def __init__(self, function: Any) -> None:
            self.function = function

    function = native.function(FunctionType((), ()), RET(32))
    entry = echo(native, FUNCREF)
    for value in (function, function.entry, Wrapper(function)):
        assert entry(value) is function
    assert entry(Wrapper(None)) is None


def test_external_references_stay_alive(native: Any) -> None:
    """While wasm code may hold them, until a sweep finds that it does not."""

    class Thing:
        pass

    thing = Thing()
    watch = weakref.ref(thing)
    entry = echo(native, EXTERNREF)
    assert entry(thing) is thing
    address = id(thing)
    del thing
    native.keeper.sweep(set())
    assert watch() is native.keeper.get(address)
    native.keeper.sweep({address})
    assert watch() is not None
    native.keeper.sweep(set())
    assert watch() is None


def test_upper_halves(native: Any) -> None:
    """Zero where an i32 is; not looked at where an f32 is."""
    for position in (0, 5):
        others = (I64,) * position
        entry = native.function(FunctionType((*others, I32), (*others, I64)), ECHO).entry
        result = entry(*[1] * position, -1)
        assert (result[-1] if position else result) == 2**32 - 1
        entry = native.function(FunctionType((*others, F64), (*others, F32)), ECHO).entry
        result = entry(*[1] * position, decode_f64(0xDEADBEEF_3FC00000))
        assert (result[-1] if position else result) == 1.5


@pytest.mark.parametrize("count", range(21))
def test_any_number_of_parameters_and_results(native: Any, count: int) -> None:
    choices: dict[ValueType, Any] = {
        I32: lambda: draw.randrange(-(2**31), 2**31),
        I64: lambda: draw.randrange(-(2**63), 2**63),
        F32: lambda: decode_f32(draw.randrange(2**32)),
        F64: lambda: decode_f64(draw.randrange(2**64)),
        EXTERNREF: lambda: draw.choice((None, "a", 2**70)),
        FUNCREF: lambda: None,
    }
    draw = random.Random(count)
    for _ in range(20):
        types = draw.choices(list(choices), k=count)
        values = [choices[type]() for type in types]
        result = echo(native, *types)(*values)
        if count < 2:
            result = (result,) if count else ()
        assert [bits(*pair) for pair in zip(result, types, strict=True)] == [
            bits(*pair) for pair in zip(values, types, strict=True)
        ]


def test_results_are_none_one_or_a_tuple(native: Any) -> None:
    assert native.function(FunctionType((I32,), ()), RET(32)).entry(5) is None
    swap = XOR_RM(64, RSI, RDI) + XOR_RM(64, RDI, RSI) + XOR_RM(64, RSI, RDI) + RET(32)
    assert native.function(FunctionType((I32, I32), (I32, I32)), swap).entry(5, 6) == (6, 5)


def test_more_results_than_parameters(native: Any) -> None:
    code = b"".join(MOV_OI(32, register, value) for value, register in enumerate((RSI, RDI, R8, R9), 1)) + RET(32)
    assert native.function(FunctionType((), (I32, I64, I32, I64)), code).entry() == (1, 2, 3, 4)


def test_vectors_are_refused(native: Any) -> None:
    with pytest.raises(UnsupportedError, match="v128"):
        native.function(FunctionType((ValueType.V128,), ()), RET(32)).entry  # noqa: B018


@pytest.mark.parametrize(
    ("count", "given", "message"),
    [
        (0, 1, "add() takes 0 positional arguments but 1 was given"),
        (1, 0, "add() takes 1 positional argument but 0 were given"),
        (2, 3, "add() takes 2 positional arguments but 3 were given"),
        (20, 1, "add() takes 20 positional arguments but 1 was given"),
    ],
)
def test_a_wrong_number_of_arguments(native: Any, count: int, given: int, message: str) -> None:
    function = native.function(FunctionType((I32,) * count, ()), RET(32), "add")
    for call in (function, function.entry):
        with pytest.raises(TypeError) as caught:
            call(*[1] * given)
        assert str(caught.value) == message


def test_keywords_are_refused(native: Any) -> None:
    entry = echo(native, I32)
    with pytest.raises(TypeError, match=r"takes no keyword arguments"):
        entry(a=1)
    with pytest.raises(TypeError, match=r"takes no keyword arguments"):
        entry(1, a=1)


# Functions and their entries


def test_what_python_sees(native: Any) -> None:
    code = ADD_RM(32, RSI, RDI) + RET(32)
    function = native.function(FunctionType((I32, I32), (I32,)), code, "add€")
    entry = function.entry
    assert function(2, 3) == entry(2, 3) == function.entry(2, 3) == 5
    assert function.entry is entry
    assert type(entry) is type(len)
    assert (entry.__name__, entry.__module__, entry.__doc__) == ("add€", "wazero", "(i32 i32) -> (i32)")
    assert isinstance(entry.__self__, EntryTarget)
    assert entry.__self__.function is function
    assert str(inspect.signature(entry)) == "(a0, a1, /)"
    assert repr(function) == "<wasm function add€ (i32 i32) -> (i32)>"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        function.nothing  # noqa: B018


def test_functions_cannot_be_pickled(native: Any) -> None:
    function = native.function(FunctionType((), ()), RET(32))
    for value in (function, function.entry, function.entry.__self__):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(value)


def test_odd_names(native: Any) -> None:
    for name in ("", "a.b", "a\0b", "\ud800", "(", "f(x)\n--\n\n"):
        entry = native.function(FunctionType((), ()), RET(32), name).entry
        assert entry() is None
        assert isinstance(entry.__name__, str)
        assert repr(entry)
        entry.__doc__, entry.__text_signature__  # noqa: B018


class Link:
    """Any object that may be part of a cycle."""


def _make_cycle(native: Any, shape: int) -> weakref.ref[Any]:
    function = native.function(FunctionType((), ()), RET(32))
    native.functions.clear()
    link, entry = Link(), new_entry(function, native.trampolines.entry(function.type))
    if shape == 0:
        function.entry()
    elif shape == 1:
        function.owner.entries = {"f": entry}
    elif shape == 2:
        function.owner.link, link.entry, link.function = link, [entry, function.entry], function  # type: ignore[attr-defined]
    elif shape == 3:
        function.owner.entry = function.entry
        function.owner.method = function.entry.__call__
    watch = weakref.ref(function)
    if shape == 4:
        del function
        assert watch() is not None
        entry()
    return watch


@pytest.mark.parametrize("shape", range(5))
def test_functions_are_freed(native: Any, shape: int) -> None:
    """In whichever order the collector takes a cycle apart, and while much else is allocated in the freed places."""
    watches = [_make_cycle(native, shape) for _ in range(200)]
    gc.collect()
    filler = [bytes(32 + i % 64) for i in range(10_000)]
    assert all(watch() is None for watch in watches)
    assert len(filler) == 10_000


def test_entries_come_and_go(native: Any) -> None:
    def work(count: int) -> None:
        for i in range(count):
            function = native.function(FunctionType((), ()), address, f"function {i}")
            assert function() is None
            function.owner.entry = function.entry
            native.functions.clear()
        del function
        gc.collect()

    address = native.place(RET(32))
    work(100)
    before = sys.getallocatedblocks()
    work(3000)
    assert sys.getallocatedblocks() - before < 500


def test_an_entry_outlives_all_else(native: Any) -> None:
    function = native.function(FunctionType((I32,), (I32,)), ECHO)
    native.functions.clear()
    entry = function.entry
    del function
    gc.collect()
    filler = [bytes(33 + i % 64) for i in range(1000)]
    assert entry(5) == 5
    assert filler


@pytest.mark.parametrize("type", [I32, I64, F32, F64, EXTERNREF, FUNCREF])
def test_references_are_counted_exactly(native: Any, type: ValueType) -> None:
    entry = echo(native, type, type)
    values = [value for of, value, _ in GOOD if of is type] + [value for of, value, *_ in BAD if of is type]
    values += [10**10, 1e10, object()]

    def call(value: Any) -> None:
        for arguments in ((value, value), (values[0], value), (value,), (value, value, value)):
            try:
                entry(*arguments)
            except (TypeError, OverflowError, KeyError):
                pass

    for value in values:
        call(value)
    native.keeper.sweep(set())
    native.keeper.sweep(set())
    watched = [*values, None, True, entry, entry.__self__, KeyError]
    before = [sys.getrefcount(value) for value in watched]
    for value in values:
        for _ in range(10_000 // len(values)):
            call(value)
    native.keeper.sweep(set())
    native.keeper.sweep(set())
    after = [sys.getrefcount(value) for value in watched]
    changes = {repr(value): now - then for value, then, now in zip(watched, before, after, strict=True)}
    assert all(abs(change) < 50 for change in changes.values()), changes


def test_memory_stays_flat(native: Any) -> None:
    types = (I32, I64, F32, F64, EXTERNREF, I64)
    entry = echo(native, *types)
    good = (10**9, 10**18, SIGNALLING_F32, 2.5, "text", 2**64 - 1)
    bad = (*good[:5], "x")

    def work() -> None:
        entry(*good)
        for arguments in (bad, (), ("x", *good[1:])):
            with pytest.raises(TypeError):
                entry(*arguments)

    for _ in range(100):
        work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(3000):
        work()
    gc.collect()
    assert sys.getallocatedblocks() - before < 500


# The thread's state


def test_a_thread_enters_once(native: Any) -> None:
    entry = echo(native, I32)
    for _ in range(3):
        entry(1)
    assert native.calls == [("enter_thread",)]
    assert native.execution.depth == 0


def test_a_cell_of_another_thread_is_replaced(native: Any) -> None:
    entry = echo(native, I32)
    entry(1)
    for cell in native.cells:
        cell.thread_state = 12345
    assert entry(2) == 2
    assert native.calls == [("enter_thread",)] * 2


def test_a_cell_taken_away_meanwhile_is_asked_for_again(native: Any) -> None:
    """Another thread with the same cell may run while Python code does."""
    enter_thread, attempts = native.enter_thread, []

    def enter_late() -> None:
        attempts.append(1)
        if len(attempts) == 5:
            enter_thread()

    native.enter_thread = enter_late
    assert echo(native, I32)(2) == 2
    assert len(attempts) == 5


def test_an_error_of_enter_thread_comes_through(native: Any) -> None:
    def fail() -> None:
        raise MemoryError("no slot")

    entry = echo(native, I32)
    native.enter_thread, enter_thread = fail, native.enter_thread
    with pytest.raises(MemoryError, match="no slot"):
        entry(1)
    native.enter_thread = enter_thread
    assert entry(1) == 1


def test_a_sleeping_ticker_is_woken(native: Any) -> None:
    entry = echo(native, I32)
    native.ticker_asleep.value = 1
    assert entry(5) == 5
    assert sorted(native.calls) == [("enter_thread",), ("wake",)]
    assert native.ticker_asleep.value == 0
    native.ticker_asleep.value = 2
    assert entry(5) == 5
    assert native.calls[2:] == [("wake",)]


def test_an_error_of_wake_comes_through(native: Any) -> None:
    def fail() -> None:
        assert native.execution.depth == 0
        raise RuntimeError("no thread")

    entry = echo(native, I32)
    entry(1)
    native.wake = fail
    native.ticker_asleep.value = 1
    with pytest.raises(RuntimeError, match="no thread"):
        entry(1)


def test_each_thread_has_its_own_execution(native: Any) -> None:
    entry = echo(native, I64)
    barrier, wrong = threading.Barrier(8), []

    def run(base: int) -> None:
        barrier.wait()
        for i in range(5000):
            if entry(base + i) != base + i:
                wrong.append(i)  # noqa: PERF401

    threads = [threading.Thread(target=run, args=(n << 40,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_gil_is_taken_back(native: Any) -> None:
    """After wasm code that was long enough to give it away."""
    code = native.release_gil() + MOV_OI(64, RSI, 7) + RET(32)
    assert native.function(FunctionType((), (I64,)), code).entry() == 7
    assert native.execution.thread_state == 0


def test_registers_of_c_code_are_kept(native: Any) -> None:
    """Wasm functions keep rbx and rbp as well, so all but those are entries' care."""
    a = b"".join(MOV_OI(64, register, 0x1234567) for register in (12, 14, 15))
    entry = native.function(FunctionType((), ()), a + RET(32)).entry
    assert [entry() for _ in range(100)] == [None] * 100
    assert {RBX, RBP}.isdisjoint({12, 14, 15})


def test_functions_satisfy_the_protocol(native: Any) -> None:
    function: Function = native.function(FunctionType((), ()), RET(32), "name")
    assert (function.name, function.type, function.index) == ("name", FunctionType((), ()), 0)
    assert callable(function)
