from __future__ import annotations

import gc
import random
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from wazero_api import (
    Convention,
    FunctionType,
    UnsupportedError,
    ValueType,
    decode_f32,
    decode_f64,
    encode_f32,
    encode_f64,
)
from wazero_jit.isa.amd64.assembler import Assembler, Label
from wazero_jit.isa.amd64.encoding import (
    CMP_RM,
    LEA,
    MOV_OI,
    MOVD_MR,
    MOVD_RM,
    POP,
    PUSH,
    R10,
    R11,
    R12,
    RAX,
    RBP,
    RBX,
    RCX,
    RET,
    RSI,
    RSP,
    SUB_MI8,
    XOR_RM,
    Mem,
)
from wazero_jit.link.callbacks import NESTING_LIMIT

I32, I64, F32, F64 = ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64
FUNCREF, EXTERNREF = ValueType.FUNCREF, ValueType.EXTERNREF
TYPED, RAW = Convention.TYPED, Convention.RAW

ENCODE: dict[ValueType, Callable[[Any], Any]] = {
    I32: lambda value: value & 0xFFFFFFFF,
    I64: lambda value: value & 0xFFFFFFFFFFFFFFFF,
    F32: encode_f32,
    F64: encode_f64,
}


def bits(value: Any, type: ValueType) -> Any:
    return ENCODE.get(type, lambda value: value)(value)


def one(*types: ValueType) -> FunctionType:
    return FunctionType(types, types)


# Values

VALUES: list[tuple[ValueType, Any]] = [
    *[(I32, value) for value in (0, 1, -1, 300, -300, 2**31 - 1, -(2**31))],
    *[(I64, value) for value in (0, 1, -1, 2**40, -(2**40), 2**63 - 1, -(2**63))],
    *[(F32, decode_f32(value)) for value in (0, 0x80000000, 0x3FC00000, 0x7F800001, 0xFFC12345, 0x7F800000)],
    *[(F64, decode_f64(value)) for value in (0, 1 << 63, 0x3FF8 << 48, 0x7FF0000000000001, 0xFFF8 << 48)],
    *[(EXTERNREF, value) for value in (None, "text", ("a", "tuple"))],
    (FUNCREF, None),
]


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize(("type", "value"), VALUES)
def test_a_value_goes_out_and_comes_back(native: Any, convention: Convention, type: ValueType, value: Any) -> None:
    seen = []

    def host(argument: Any) -> Any:
        seen.append(argument)
        return argument

    entry = native.through(native.host(one(type), host, convention)).entry
    assert bits(entry(value), type) == bits(value, type)
    expected = bits(value, type) if convention is RAW and type in ENCODE else value
    assert seen[0].__class__ is expected.__class__
    assert (seen[0] if convention is RAW else bits(seen[0], type)) == bits(value, type)


def test_function_references_go_out_and_come_back(native: Any) -> None:
    function = native.function(FunctionType((), ()), RET(32))
    for convention in Convention:
        seen: list[Any] = []
        host = native.host(one(FUNCREF), lambda value, seen=seen: (seen.append(value), value.entry)[1], convention)
        assert native.through(host).entry(function) is function
        assert seen == [function]


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("wants_module", [False, True])
@pytest.mark.parametrize("count", range(21))
def test_any_number_of_parameters_and_results(
    native: Any, convention: Convention, wants_module: bool, count: int
) -> None:
    """All come out in reverse, so that each goes through another place."""
    draw = random.Random(count)
    choices: dict[ValueType, Callable[[], Any]] = {
        I32: lambda: draw.randrange(-(2**31), 2**31),
        I64: lambda: draw.randrange(-(2**63), 2**63),
        F32: lambda: decode_f32(draw.randrange(2**32)),
        F64: lambda: decode_f64(draw.randrange(2**64)),
        EXTERNREF: lambda: draw.choice((None, "a", 2**70)),
    }
    module = object() if wants_module else None
    for _ in range(5):
        types = tuple(draw.choices(list(choices), k=count))
        values = [choices[type]() for type in types]

        def host(*arguments: Any, types: Any = types, values: Any = values) -> Any:
            if wants_module:
                first, *rest = arguments
                assert first is module
            else:
                rest = list(arguments)
            raw = [value if convention is RAW else bits(value, type) for value, type in zip(rest, types, strict=True)]
            assert raw == [bits(*pair) for pair in zip(values, types, strict=True)]
            rest.reverse()
            return tuple(rest) if count > 1 else rest[0] if rest else None

        type = FunctionType(types, types[::-1])
        result = native.through(native.host(type, host, convention, module)).entry(*values)
        if count < 2:
            result = (result,) if count else ()
        assert [bits(*pair) for pair in zip(result, types[::-1], strict=True)] == [
            bits(*pair) for pair in zip(values[::-1], types[::-1], strict=True)
        ]


@pytest.mark.parametrize("convention", Convention)
def test_upper_halves(native: Any, convention: Convention) -> None:
    """Zero where an i32 is; not looked at where an f32 is."""
    host = native.host(FunctionType((), (I32,) * 6), lambda: (-1,) * 6, convention)
    assert native.through(host, FunctionType((), (I64,) * 6)).entry() == (2**32 - 1,) * 6
    seen = []
    host = native.host(FunctionType((F32,) * 10, ()), lambda *arguments: seen.append(arguments), convention)
    native.through(host, FunctionType((F64,) * 10, ())).entry(*[decode_f64(0xDEADBEEF_3FC00000)] * 10)
    assert seen == [(0x3FC00000 if convention is RAW else 1.5,) * 10]


CONVERTED: list[tuple[Convention, ValueType, Any, Any]] = [
    (TYPED, I32, True, 1),
    (TYPED, I32, 2**32 - 1, -1),
    (TYPED, I64, 2**64 - 1, -1),
    (TYPED, F32, 3, 3.0),
    (TYPED, F32, 1e300, float("inf")),
    (TYPED, F64, 3, 3.0),
    (RAW, I32, 2**32 + 5, 5),
    (RAW, I32, -1, -1),
    (RAW, I32, True, 1),
    (RAW, I64, 2**70 + 5, 5),
    (RAW, I64, -(2**70) - 1, -1),
    (RAW, I64, -(2**63), -(2**63)),
    (RAW, F32, (1 << 40) + 0x3FC00000, 1.5),
    (RAW, F64, (1 << 70) + (0x3FF8 << 48), 1.5),
]


@pytest.mark.parametrize(("convention", "type", "result", "expected"), CONVERTED)
def test_what_else_can_be_a_result(
    native: Any, convention: Convention, type: ValueType, result: Any, expected: Any
) -> None:
    assert native.through(native.host(FunctionType((), (type,)), lambda: result, convention)).entry() == expected


REFUSED: list[tuple[Convention, ValueType, Any, type[BaseException], str]] = [
    (TYPED, I32, 2**32, OverflowError, "4294967296 does not fit in an i32"),
    (TYPED, I32, None, TypeError, "i32 needs an int, not NoneType"),
    (TYPED, I64, 2**64, OverflowError, f"{2**64} does not fit in an i64"),
    (TYPED, I64, 1.0, TypeError, "i64 needs an int, not float"),
    (TYPED, F32, "1", TypeError, "f32 needs a float, not str"),
    (TYPED, F64, (), TypeError, "f64 needs a float, not tuple"),
    (TYPED, FUNCREF, 1, TypeError, "funcref needs a wasm function or None, not int"),
    (RAW, FUNCREF, 1, TypeError, "funcref needs a wasm function or None, not int"),
    (RAW, I32, 1.5, TypeError, "unsupported operand type(s) for &: 'float' and 'int'"),
    (RAW, F64, None, TypeError, "unsupported operand type(s) for &: 'NoneType' and 'int'"),
]


@pytest.mark.parametrize(("convention", "type", "result", "error", "message"), REFUSED)
def test_what_cannot_be_a_result(
    native: Any, convention: Convention, type: ValueType, result: Any, error: type[BaseException], message: str
) -> None:
    """Alone, and as one of several."""
    for results, value in (((type,), result), ((I32, type, I32), (1, result, 2))):
        host = native.host(FunctionType((), results), lambda value=value: value, convention)
        with pytest.raises(error) as caught:
            native.through(host).entry()
        assert str(caught.value) == message
        assert native.execution.depth == 0


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("result", [None, 1, "text", (), object()])
def test_a_result_nobody_wants_is_dropped(native: Any, convention: Convention, result: Any) -> None:
    assert native.through(native.host(FunctionType((), ()), lambda: result, convention)).entry() is None


class Pair(tuple[int, ...]):
    """A subclass that unpacks to something else."""

    __slots__ = ()

    def __iter__(self) -> Any:
        return iter((7, 8))


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("result", [(7, 8), [7, 8], Pair((1, 2)), {7: 0, 8: 0}, range(7, 9)])
def test_several_results_may_be_any_iterable(native: Any, convention: Convention, result: Any) -> None:
    host = native.host(FunctionType((), (I32, I64)), lambda: result, convention)
    assert native.through(host).entry() == (7, 8)


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("result", [5, None, (), (1,), [1], (1, 2, 3), [1, 2, 3], "abc", iter(range(100))])
def test_a_wrong_number_of_results(native: Any, convention: Convention, result: Any) -> None:
    """Fails as Python's own unpacking does."""
    host = native.host(FunctionType((), (I32, I32)), lambda: result, convention)
    with pytest.raises((TypeError, ValueError)) as caught:
        native.through(host).entry()
    with pytest.raises((TypeError, ValueError)) as expected:
        _, _ = list(result) if isinstance(result, (tuple, list)) else result
    assert caught.type is expected.type
    assert str(caught.value).split(",")[0] == str(expected.value).split(",")[0]


def test_an_error_of_an_iterator_comes_through(native: Any) -> None:
    def fail() -> Any:
        yield 1
        raise KeyError("iterator")

    with pytest.raises(KeyError, match="iterator"):
        native.through(native.host(FunctionType((), (I32, I32)), fail)).entry()


def test_hundreds_of_results(native: Any) -> None:
    host = native.host(FunctionType((), (I32,) * 300), lambda: list(range(300)))
    assert native.through(host).entry() == tuple(range(300))


def test_vectors_are_refused(native: Any) -> None:
    with pytest.raises(UnsupportedError, match="v128"):
        native.host(FunctionType((), (ValueType.V128,)), lambda: b"")


def test_any_callable_can_be_a_host_function(native: Any) -> None:
    class Callable:
        def __call__(self, a: int, b: int) -> int:
            return a - b

        def method(self, a: int, b: int) -> int:
            return a - b

        @classmethod
        def of_class(cls, a: int, b: int) -> int:
            return a - b

    type = FunctionType((I32, I32), (I32,))
    inner = native.through(native.host(type, lambda a, b: a - b)).entry
    for host in (Callable(), Callable().method, Callable.of_class, int.__sub__, inner, lambda *a: a[0] - a[1]):
        assert native.through(native.host(type, host)).entry(9, 4) == 5


# Registers

GENERAL_PINS = (RBX, RBP, R12, R10, R11)
FLOAT_PINS = range(8, 14)


def _pins_survive(native: Any, host: Any, before: bytes = b"") -> Any:
    """A function that fills the pins, calls `host`, and tells whether they are as they were."""
    a, wrong = Assembler(), Label()
    a(*[PUSH(64, register) for register in GENERAL_PINS])
    for number in FLOAT_PINS:
        a(MOV_OI(64, RAX, number * 0x0101010101010101), MOVD_RM(64, number, RAX))
    for register in GENERAL_PINS:
        a(MOV_OI(64, register, register * 0x1111111111111111 & 2**63 - 1))
    a(native.calling(host, before), XOR_RM(32, RSI, RSI))
    for number in FLOAT_PINS:
        a(MOV_OI(64, RAX, number * 0x0101010101010101), MOVD_MR(64, RCX, number), CMP_RM(64, RAX, RCX))
        a.jump(wrong, "ne")
    for register in GENERAL_PINS:
        a(MOV_OI(64, RAX, register * 0x1111111111111111 & 2**63 - 1), CMP_RM(64, RAX, register))
        a.jump(wrong, "ne")
    a(MOV_OI(32, RSI, 1))
    a.bind(wrong)
    a(*[POP(64, register) for register in reversed(GENERAL_PINS)], RET(32))
    return native.function(FunctionType((), (I32,)), a.finish()).entry


def _busy(*arguments: Any) -> tuple[float, ...]:
    """Python code that uses floating-point registers in C."""
    return tuple(sum(float(i) ** 1.5 for i in range(20)) for _ in range(6))


@pytest.mark.parametrize("results", [(), (F64,) * 6])
def test_pins_survive_a_host_call(native: Any, results: tuple[ValueType, ...]) -> None:
    assert _pins_survive(native, native.host(FunctionType((), results), _busy))() == 1


def test_code_may_be_aligned_either_way(native: Any) -> None:
    """The stack pointer of wasm code is a multiple of 8, not always of 16."""
    host = native.host(FunctionType((), (F64,) * 6), _busy)
    for words in range(4):
        a = Assembler()
        a(SUB_MI8(64, RSP, words * 8), native.calling(host), LEA(64, RSP, Mem(RSP, words * 8)), RET(32))
        native.function(FunctionType((), ()), a.finish()).entry()


def test_the_gil_is_taken_back_for_a_host_call(native: Any) -> None:
    state = []

    def host(*arguments: Any) -> Any:
        state.append((native.execution.thread_state, arguments))
        return _busy()

    type = FunctionType((I64, F64), (F64,) * 6)
    before = native.release_gil() + MOV_OI(64, RSI, 5) + MOV_OI(64, RAX, encode_f64(2.5)) + MOVD_RM(64, 1, RAX)
    a = Assembler()
    a(native.calling(native.host(type, host), before), RET(32))
    assert native.function(FunctionType((), ()), a.finish()).entry() is None
    assert state == [(0, (5, 2.5))]


def test_other_threads_run_while_the_gil_is_released(native: Any) -> None:
    """Here: until the host call waits for them."""
    done, seen = threading.Event(), []

    def host() -> None:
        seen.append(done.wait(10))

    a = Assembler()
    a(native.release_gil(), native.calling(native.host(FunctionType((), ()), host)), RET(32))
    entry = native.function(FunctionType((), ()), a.finish()).entry
    thread = threading.Thread(target=entry)
    thread.start()
    done.set()
    thread.join()
    assert seen == [True]


# Exceptions


class Custom(Exception):
    pass


def test_an_exception_comes_through_as_it_is(native: Any) -> None:
    error = Custom("from the host")

    def host(a: int) -> int:
        raise error

    entry = native.through(native.host(one(I32), host)).entry
    with pytest.raises(Custom) as caught:
        entry(5)
    assert caught.value is error
    assert [entry.name for entry in caught.traceback][-1] == "host"
    assert native.execution.depth == 0
    ((_, annotated, _, _, context),) = [call for call in native.calls if call[0] == "annotate"]
    assert annotated is error
    assert context != 0


def test_where_an_exception_left_wasm_code(native: Any) -> None:
    """The return address of the wasm function's call, and its stack pointer."""

    def host() -> None:
        raise Custom

    a = Assembler()
    a(LEA(64, RSP, Mem(RSP, -40)))
    a(native.calling(native.host(FunctionType((), ()), host)))
    after = a.position
    a(LEA(64, RSP, Mem(RSP, 40)), RET(32))
    address = native.place(a.finish())
    with pytest.raises(Custom):
        native.function(FunctionType((), ()), address).entry()
    _, _, pc, sp, _ = native.calls[-1]
    assert pc == address + after - len(POP(64, 15))
    assert sp % 8 == 0


def test_an_exception_keeps_its_cause_and_context(native: Any) -> None:
    def host() -> None:
        try:
            raise KeyError("context")
        except KeyError:
            raise Custom from ValueError("cause")

    with pytest.raises(Custom) as caught:
        native.through(native.host(FunctionType((), ()), host)).entry()
    assert isinstance(caught.value.__cause__, ValueError)
    assert isinstance(caught.value.__context__, KeyError)


def test_another_exception_takes_the_place(native: Any) -> None:
    def host() -> None:
        raise Custom

    entry = native.through(native.host(FunctionType((), ()), host)).entry
    native.annotate = lambda error, *_: RuntimeError(f"instead of {type(error).__name__}")
    with pytest.raises(RuntimeError, match="instead of Custom"):
        entry()

    def fail(*_: Any) -> None:
        raise LookupError("while annotating")

    native.annotate = fail
    with pytest.raises(LookupError, match="while annotating"):
        entry()
    native.annotate = lambda *_: None
    with pytest.raises(Custom):
        entry()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, MemoryError])
def test_every_exception_comes_through(native: Any, error: type[BaseException]) -> None:
    def host() -> None:
        raise error

    with pytest.raises(error):
        native.through(native.host(FunctionType((), ()), host)).entry()


def test_c_code_that_raises_without_an_instance(native: Any) -> None:
    """`next` sets StopIteration and no value."""
    entry = native.through(native.host(FunctionType((), (I32,)), iter(()).__next__)).entry
    with pytest.raises(StopIteration):
        entry()
    assert isinstance(native.calls[-1][1], StopIteration)


def test_calls_of_the_host_with_wrong_arguments(native: Any) -> None:
    with pytest.raises(TypeError, match="positional argument"):
        native.through(native.host(one(I32), lambda: 1)).entry(5)


def test_what_cannot_be_boxed(native: Any) -> None:
    """The arguments made before it are released."""
    host = native.host(FunctionType((EXTERNREF, I64, EXTERNREF), ()), lambda *_: None)
    through = native.through(host, FunctionType((EXTERNREF, I64, I64), ()))
    thing = object()
    before = sys.getrefcount(thing)
    for _ in range(100):
        with pytest.raises(Exception, match="no external reference 0x5"):
            through.entry(thing, 2**60, 5)
    native.keeper.sweep(set())
    native.keeper.sweep(set())
    assert sys.getrefcount(thing) - before < 5


# Nesting


def test_nested_calls(native: Any) -> None:
    """Host → wasm → host …, each level with its own frame."""

    def host(n: int) -> int:
        return entry(n - 1) + 1 if n else native.execution.depth

    entry = native.through(native.host(one(I32), host)).entry
    assert entry(50) == 51 + 50
    assert native.execution.depth == 0


def test_exceptions_pass_nested_calls(native: Any) -> None:
    depths = []

    def host(n: int) -> int:
        if not n:
            raise Custom("innermost")
        try:
            return int(entry(n - 1))
        finally:
            depths.append(native.execution.depth)

    entry = native.through(native.host(one(I32), host)).entry
    with pytest.raises(Custom) as caught:
        entry(20)
    assert depths == list(range(20, 0, -1))
    assert [entry.name for entry in caught.traceback].count("host") == 21
    assert len([call for call in native.calls if call[0] == "annotate"]) == 21


def test_a_caught_exception_leaves_the_outer_call_going(native: Any) -> None:
    def host(n: int) -> int:
        if n == 0:
            raise Custom
        try:
            return int(entry(n - 1)) + 100
        except Custom:
            return n

    entry = native.through(native.host(one(I32), host)).entry
    assert entry(5) == 1 + 4 * 100


def test_too_deep_nesting(native: Any) -> None:
    def host(n: int) -> int:
        return int(entry(n + 1))

    entry = native.through(native.host(one(I32), host)).entry
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        with pytest.raises(RecursionError, match="too deep"):
            entry(0)
    finally:
        sys.setrecursionlimit(limit)
    assert len([call for call in native.calls if call[0] == "annotate"]) == NESTING_LIMIT
    with pytest.raises(RecursionError):  # Python's own this time, and as harmless
        entry(0)


def test_entries_may_be_called_while_arguments_are_converted(native: Any) -> None:
    inner = native.function(one(I32), RET(32)).entry

    class Number:
        def __index__(self) -> int:
            return int(inner(5)) + 1

    assert native.function(one(I32, I32), RET(32)).entry(Number(), Number()) == (6, 6)
    host = native.host(FunctionType((), (I32, I32)), lambda: (Number(), Number()))
    assert native.through(host).entry() == (6, 6)


def test_threads_nest_independently(native: Any) -> None:
    barrier, results = threading.Barrier(8), []

    def host(n: int) -> int:
        if n % 7 == 0:
            raise Custom(n)
        try:
            return int(entry(n - 1)) + 1
        except Custom:
            return 1

    entry = native.through(native.host(one(I32), host)).entry

    def run() -> None:
        barrier.wait()
        results.extend(entry(20) for _ in range(300))

    threads = [threading.Thread(target=run) for _ in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert results == [6] * 2400


# Nothing leaks


@pytest.mark.parametrize("convention", Convention)
def test_references_are_counted_exactly(native: Any, convention: Convention) -> None:
    module, error, thing = object(), Custom("kept"), object()
    results: list[Any] = []

    def host(first: Any, *arguments: Any) -> Any:
        result = results[0]
        if result is error:
            raise error
        return result

    types = (I64, F64, F32, EXTERNREF, I32)
    context = native.host(FunctionType(types, (I64, EXTERNREF)), host, convention, module)
    entry = native.through(context).entry
    arguments = (2**50, 1.25, decode_f32(0x7F800001), thing, 10**9)
    number = 2**61
    outcomes = [(number, thing), [number, thing], (number,), (thing, number), error, None]

    def call(outcome: Any) -> None:
        results[:] = [outcome]
        try:
            entry(*arguments)
        except (TypeError, ValueError):
            pass
        except Custom as caught:
            caught.__traceback__ = None
        native.calls.clear()

    watched = [module, error, thing, number, host, entry, *outcomes[:4], *arguments, Custom, TypeError]
    counts = []
    for repeat in (10, 10_000 // len(outcomes)):
        for outcome in outcomes:
            for _ in range(repeat):
                call(outcome)
        results.clear()
        native.keeper.sweep(set())
        native.keeper.sweep(set())
        gc.collect()
        counts.append([sys.getrefcount(value) for value in watched])
    assert all(abs(now - then) < 5 for then, now in zip(*counts, strict=True)), counts


def test_memory_stays_flat(native: Any) -> None:
    def host(*arguments: Any) -> Any:
        if arguments[0] == 2**40:
            raise Custom("a new one each time")
        return (arguments[2], arguments[0] + 1) if arguments[0] % 2 else [2.5, "wrong"]

    entry = native.through(native.host(FunctionType((I64, I32, F64, F32), (F64, I64)), host)).entry

    def work() -> None:
        entry(2**41 + 1, 2**30, 1e10, decode_f32(0x7F800001))
        with pytest.raises(TypeError):
            entry(2**41, 2**30, 1e10, 0.5)
        with pytest.raises(Custom):
            entry(2**40, 2**30, 1e10, 0.5)
        native.calls.clear()

    for _ in range(100):
        work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(3000):
        work()
    gc.collect()
    assert sys.getallocatedblocks() - before < 500
