"""Traps: of the right kind, with the frames of the stack, and never covering what a host function raised."""

from __future__ import annotations

import operator
import sys
import threading
from typing import Any

import pytest
import wasmtime

from wazero_api import ExhaustionError, Trap, TrapKind, ValueType
from wazero_core import Module, ModuleConfig, Runtime, RuntimeConfig

I32 = ValueType.I32


def wasm(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


@pytest.fixture
def runtime() -> Runtime:
    return Runtime(RuntimeConfig.interpreter())


KINDS = [
    ("unreachable", TrapKind.UNREACHABLE),
    ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", TrapKind.INTEGER_DIVIDE_BY_ZERO),
    ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", TrapKind.INTEGER_DIVIDE_BY_ZERO),
    ("(drop (i64.rem_s (i64.const 1) (i64.const 0)))", TrapKind.INTEGER_DIVIDE_BY_ZERO),
    ("(drop (i64.rem_u (i64.const 1) (i64.const 0)))", TrapKind.INTEGER_DIVIDE_BY_ZERO),
    ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", TrapKind.INTEGER_OVERFLOW),
    ("(drop (i32.trunc_f32_s (f32.const 1e20)))", TrapKind.INTEGER_OVERFLOW),
    ("(drop (i32.trunc_f64_u (f64.const -1)))", TrapKind.INTEGER_OVERFLOW),
    ("(drop (i64.trunc_f64_s (f64.const nan)))", TrapKind.INVALID_CONVERSION_TO_INTEGER),
    ("(drop (i32.load (i32.const 65533)))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(drop (i32.load8_u (i32.const 65536)))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(drop (f32.load offset=4294967295 (i32.const -1)))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(i64.store (i32.const 65529) (i64.const 1))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(i32.store8 (i32.const -1) (i32.const 1))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(f32.store (i32.const -1) (f32.const 1))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(memory.fill (i32.const 65536) (i32.const 1) (i32.const 1))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(memory.copy (i32.const 0) (i32.const 65536) (i32.const 1))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(memory.init $d (i32.const 0) (i32.const 3) (i32.const 1))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(drop (table.get $t (i32.const 3)))", TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS),
    ("(table.set $t (i32.const 3) (ref.null func))", TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS),
    ("(table.init $t $e (i32.const 0) (i32.const 1) (i32.const 2))", TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS),
    ("(table.fill $t (i32.const 2) (ref.null func) (i32.const 2))", TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS),
    ("(call_indirect $t (i32.const 3))", TrapKind.UNDEFINED_ELEMENT),
    ("(call_indirect $t (i32.const -1))", TrapKind.UNDEFINED_ELEMENT),
    ("(call_indirect $t (i32.const 1))", TrapKind.UNINITIALIZED_ELEMENT),
    ("(call_indirect $t (result i32) (i32.const 0)) drop", TrapKind.INDIRECT_CALL_TYPE_MISMATCH),
    ("(call_indirect $t (type $i) (i32.load8_u (i32.const -1)) (i32.const 0))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(call_indirect $t (i32.load8_u (i32.const -1)))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    (
        "(call_indirect $t (type $i) (i32.div_u (i32.const 1) (i32.const 0)) (i32.const 9))",
        TrapKind.INTEGER_DIVIDE_BY_ZERO,
    ),
    ("(block (i32.load (i32.const -1)) (br_if 0 (i32.const 1)) drop)", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(block (i32.load (i32.const -1)) (br 0))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(i32.div_u (i32.const 1) (i32.const 0)) (br 0)", TrapKind.INTEGER_DIVIDE_BY_ZERO),
    ("(i32.div_u (i32.const 1) (i32.const 0)) (return)", TrapKind.INTEGER_DIVIDE_BY_ZERO),
    (
        "(i32.div_u (i32.const 1) (i32.const 0)) (i32.load (i32.const -1)) (br_table 0 (i32.const 0))",
        TrapKind.INTEGER_DIVIDE_BY_ZERO,
    ),
    ("(i32.div_u (i32.const 1) (i32.const 0)) (unreachable)", TrapKind.INTEGER_DIVIDE_BY_ZERO),
    (
        "(i32.div_u (i32.const 1) (i32.const 0)) (i32.store (i32.const -1) (i32.const 0)) drop",
        TrapKind.INTEGER_DIVIDE_BY_ZERO,
    ),
    (
        "(i32.store (i32.load (i32.const -1)) (i32.div_u (i32.const 1) (i32.const 0)))",
        TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,
    ),
    ("(drop (select (i32.load (i32.const -1)) (i32.const 1) (i32.const 0)))", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(loop (i32.load (i32.const -1)) (br_if 1 (i32.const 1)) drop)", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
    ("(i32.load (i32.const -1)) (if (i32.const 1) (then (br 1))) drop", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS),
]


@pytest.mark.parametrize(("code", "kind"), KINDS, ids=[code for code, _ in KINDS])
def test_kinds(code: str, kind: TrapKind, runtime: Runtime) -> None:
    module = runtime.instantiate(
        wasm(
            f"""(module (memory 1) (type $i (func (param i32))) (table $t 3 funcref) (elem (table $t) (i32.const 0) func $g)
            (elem $e func $g $g) (data $d "abc") (func $g) (func (export "f") {code}))"""
        )
    )
    with pytest.raises(Trap) as caught:
        module.exports.f()
    assert caught.value.kind is kind
    assert [frame.function_index for frame in caught.value.frames] == [1]


CALLS = """(module $shop
  (import "env" "host" (func $host))
  (func $inner (unreachable))
  (func $middle (nop) (call $inner) (nop))
  (func $outer (export "outer") (call $middle))
  (func $asks (export "asks") (call $host)))"""


def test_frames_have_names_and_offsets(runtime: Runtime) -> None:
    runtime.new_host_module_builder("env").new_function_builder().with_raw_function(lambda: None, [], []).export(
        "host"
    ).instantiate()
    binary = wasm(CALLS)
    with pytest.raises(Trap) as caught:
        runtime.instantiate(binary).exports.outer()
    frames = caught.value.frames
    assert [(f.module_name, f.function_name, f.function_index) for f in frames] == [
        ("shop", "inner", 1),
        ("shop", "middle", 2),
        ("shop", "outer", 3),
    ]
    assert [binary[f.code_offset or 0 :][:2] for f in frames] == [b"\x00\x0b", b"\x10\x01", b"\x10\x02"]
    assert str(caught.value).splitlines()[:3] == [
        "unreachable",
        "wasm stack trace:",
        f"\tshop.inner at byte {frames[0].code_offset:#x}",
    ]


@pytest.mark.parametrize(
    "use", ["", "(return)", "(local.tee 0)", "(global.set 0) (i32.const 1)", "(drop) (i32.const 1)"]
)
@pytest.mark.parametrize(
    ("code", "opcode"),
    [
        ("(i32.div_s (i32.const 1) (local.get 0))", b"\x6d"),
        ("(i32.load (i32.const -1))", b"\x28"),
        ("(call $g)", b"\x10"),
        ("(call_indirect (result i32) (i32.const 0))", b"\x11"),
    ],
)
def test_the_offset_is_that_of_the_instruction_and_not_of_the_one_that_takes_its_value(
    runtime: Runtime, code: str, opcode: bytes, use: str
) -> None:
    binary = wasm(
        f"""(module (memory 1) (global (mut i32) (i32.const 0)) (table funcref (elem $g)) (func $g (result i32) unreachable)
        (func (export "f") (result i32) (local i32) {code} {use}))"""
    )
    with pytest.raises(Trap) as caught:
        runtime.instantiate(binary).exports.f()
    offset = caught.value.frames[-1].code_offset or 0
    assert binary[offset : offset + 1] == opcode


def test_functions_without_names_show_their_index(runtime: Runtime) -> None:
    with pytest.raises(Trap) as caught:
        runtime.instantiate(wasm('(module (func (export "f") unreachable))'), ModuleConfig().with_name("m")).exports.f()
    assert str(caught.value.frames[0]).startswith("m.$0 at byte 0x")


def reentrant(runtime: Runtime, function: Any) -> Module:
    """`asks` calls `host`, which calls `outer`."""
    instance: list[Module] = []
    builder = runtime.new_host_module_builder("env")
    builder.new_function_builder().with_raw_function(lambda: function(instance[0]), [], []).export("host").instantiate()
    instance.append(runtime.instantiate(wasm(CALLS)))
    return instance[0]


def test_frames_across_the_host_come_once_each(runtime: Runtime) -> None:
    module = reentrant(runtime, lambda instance: instance.exports.outer())
    with pytest.raises(Trap) as caught:
        module.exports.asks()
    assert [frame.function_name for frame in caught.value.frames] == ["inner", "middle", "outer", "asks"]


def test_a_trap_that_the_host_catches_is_over(runtime: Runtime) -> None:
    seen = []

    def host(instance: Module) -> None:
        with pytest.raises(Trap) as caught:
            instance.exports.outer()
        seen.append(len(caught.value.frames))

    module = reentrant(runtime, host)
    assert module.exports.asks() is None
    assert seen == [3]


class OwnError(Exception):
    pass


@pytest.mark.parametrize(
    "error",
    [
        OwnError("mine"),
        IndexError("mine"),
        ZeroDivisionError("mine"),
        AttributeError("mine"),
        KeyboardInterrupt(),
        pytest.param(
            RecursionError("mine"),
        ),
    ],
    ids=lambda error: type(error).__name__,
)
def test_exceptions_of_host_functions_come_out_unchanged(error: BaseException, runtime: Runtime) -> None:
    def host(_: Module) -> None:
        raise error

    module = reentrant(runtime, host)
    with pytest.raises(type(error)) as caught:
        module.exports.asks()
    assert caught.value is error
    (note,) = error.__notes__
    assert note.startswith("wasm stack trace:\n\tshop.asks at byte")


def test_the_note_of_nested_calls_names_each_frame_once(runtime: Runtime) -> None:
    error = OwnError()
    depth = [0]

    def host(instance: Module) -> None:
        depth[0] += 1
        if depth[0] == 3:
            raise error
        instance.exports.asks()

    module = reentrant(runtime, host)
    with pytest.raises(OwnError):
        module.exports.asks()
    assert "\n".join(error.__notes__).count("shop.asks") == 3


@pytest.mark.parametrize(
    ("function", "error"),
    [
        pytest.param([].__getitem__, IndexError, id="list"),
        pytest.param(lambda index: [][index], IndexError, id="Python's list"),
        pytest.param({}.__getitem__, KeyError, id="dict"),
        pytest.param(lambda n: operator.floordiv(1, n), ZeroDivisionError, id="floordiv"),
        pytest.param((1).__rfloordiv__, None, id="a method of int"),
        pytest.param(memoryview(b"").__getitem__, IndexError, id="memoryview"),
    ],
)
def test_exceptions_of_builtin_host_functions_come_out_unchanged(
    function: Any, error: type[BaseException] | None, runtime: Runtime
) -> None:
    """Though no Python frame of theirs is on the stack."""
    runtime.new_host_module_builder("env").new_function_builder().with_raw_function(function, [I32], [I32]).export(
        "g"
    ).instantiate()
    text = '(module (import "env" "g" (func $g (param i32) (result i32))) (func (export "f") (result i32) (call $g (i32.const 0))))'
    module = runtime.instantiate(wasm(text))
    if error is None:
        assert module.exports.f() == 0
        return
    with pytest.raises(error):
        module.exports.f()


# Depth


def test_endless_recursion_is_a_trap(runtime: Runtime) -> None:
    limit = sys.getrecursionlimit()
    module = runtime.instantiate(
        wasm('(module (func $f (export "f") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0)))))')
    )
    for _ in range(3):
        with pytest.raises(ExhaustionError) as caught:
            module.exports.f(1)
        assert caught.value.kind is TrapKind.CALL_STACK_EXHAUSTED
        assert len(caught.value.frames) > 1000
        assert "more frames" in str(caught.value)
    assert sys.getrecursionlimit() == limit


def test_recursion_as_deep_as_real_programs_need_works(runtime: Runtime) -> None:
    module = runtime.instantiate(
        wasm("""(module (func $f (export "f") (param i32) (result i32)
        (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0)))))""")
    )
    limit = sys.getrecursionlimit()
    assert module.exports.f(4000) == 4000
    assert sys.getrecursionlimit() == limit


def test_endless_recursion_in_a_thread(runtime: Runtime) -> None:
    """A thread's stack is smaller than the main one."""
    module = runtime.instantiate(wasm('(module (func $f (export "f") (call $f)))'))
    caught: list[BaseException] = []

    def run() -> None:
        try:
            module.exports.f()
        except ExhaustionError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_endless_recursion_through_the_host(runtime: Runtime) -> None:
    module = reentrant(runtime, lambda instance: instance.exports.asks())
    limit = sys.getrecursionlimit()
    with pytest.raises(ExhaustionError):
        module.exports.asks()
    assert sys.getrecursionlimit() == limit


def test_endless_recursion_of_a_host_function_is_its_own_fault(runtime: Runtime) -> None:
    def endless() -> None:
        endless()

    module = reentrant(runtime, lambda _: endless())
    with pytest.raises(RecursionError) as caught:
        module.exports.asks()
    assert caught.type is RecursionError


def test_recursion_that_is_caught_by_a_host_function(runtime: Runtime) -> None:
    """The state of the guard is right again after a caught exhaustion."""
    text = """(module (import "env" "try" (func $try (result i32))) (func $deep (export "deep") (call $deep))
      (func (export "f") (result i32) (call $try)))"""
    instance: list[Module] = []

    def attempt() -> int:
        try:
            instance[0].exports.deep()
        except ExhaustionError:
            return 7
        return 0

    runtime.new_host_module_builder("env").new_function_builder().with_raw_function(attempt, [], [I32]).export(
        "try"
    ).instantiate()
    instance.append(runtime.instantiate(wasm(text)))
    limit = sys.getrecursionlimit()
    assert [instance[0].exports.f() for _ in range(3)] == [7, 7, 7]
    assert sys.getrecursionlimit() == limit
