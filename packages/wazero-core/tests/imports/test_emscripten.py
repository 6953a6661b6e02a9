"""Emscripten's ``invoke_…`` and `_emscripten_throw_longjmp`, by guests that do what Emscripten's output does."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from wazero_api import (
    DeadlineExceededError,
    ExhaustionError,
    ExitError,
    FunctionType,
    HostFunction,
    HostModule,
    LinkError,
    Trap,
    TrapKind,
)
from wazero_core import CompiledModule, Module, ModuleConfig, Runtime
from wazero_core.imports import emscripten

Compile = Callable[[str], CompiledModule]

HELPERS = """
  (global $sp (mut i32) (i32.const 1000))
  (global $threw (mut i32) (i32.const 0))
  (func (export "stackSave") (result i32) (global.get $sp))
  (func (export "stackRestore") (param i32) (global.set $sp (local.get 0)))
  (func (export "setThrew") (param i32 i32)
    (global.set $threw (i32.or (global.get $threw) (i32.sub (local.get 0) (local.get 1)))))
  (func (export "sp") (result i32) (global.get $sp))
  (func (export "threw") (result i32) (global.get $threw) (global.set $threw (i32.const 0)))
"""

IMPORTS = """
  (import "env" "_emscripten_throw_longjmp" (func $throw))
  (import "env" "invoke_v" (func $invoke_v (param i32)))
  (import "env" "invoke_i" (func $invoke_i (param i32) (result i32)))
  (import "env" "invoke_dijf" (func $invoke_dijf (param i32 i32 i64 f32) (result f64)))
  (import "env" "invoke_many" (func $invoke_many (param i32) (result i32 i64 f32 f64 externref)))
  (import "other" "fail" (func $fail))
"""

GUEST = f"""
(module
  {IMPORTS}
  {HELPERS}
  (table 20 funcref)
  (elem (i32.const 0)
    $answer $sum $many $jump $jump_i $jump_sum $jump_many $nested $rethrow $trap $fail $again $spin $back)

  (func $down (global.set $sp (i32.sub (global.get $sp) (i32.const 16))))
  (func $answer (result i32) (i32.const -42))
  (func $sum (param i32 i64 f32) (result f64)
    (f64.add (f64.convert_i32_s (local.get 0)) (f64.add (f64.convert_i64_s (local.get 1)) (f64.promote_f32 (local.get 2)))))
  (func $many (result i32 i64 f32 f64 externref)
    (i32.const -1) (i64.const -2) (f32.const 0.5) (f64.const 0.25) (ref.null extern))
  (func $jump (call $down) (call $throw))
  (func $jump_i (result i32) (call $down) (call $throw) (i32.const 1))
  (func $jump_sum (param i32 i64 f32) (result f64) (call $throw) (f64.const 1))
  (func $jump_many (result i32 i64 f32 f64 externref) (call $throw) (unreachable))
  ;; Catches a jump itself and returns 100 + what it heard of it.
  (func $nested (result i32)
    (call $down) (call $invoke_v (i32.const 3)) (i32.add (i32.const 100) (global.get $threw)))
  ;; The inner jump was not for it, so it jumps again.
  (func $rethrow (result i32)
    (call $down) (call $invoke_v (i32.const 3)) (call $throw) (i32.const 1))
  (func $trap (call $down) (unreachable))
  (func $again (call $invoke_v (i32.const 11)))
  (func $spin (loop (br 0)))
  (func $back (call $invoke_v (i32.const 9)))

  (func (export "v") (param i32) (call $invoke_v (local.get 0)))
  (func (export "i") (param i32) (result i32) (call $invoke_i (local.get 0)))
  (func (export "dijf") (param i32 i32 i64 f32) (result f64)
    (call $invoke_dijf (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "many") (param i32) (result i32 i64 f32 f64 externref) (call $invoke_many (local.get 0)))
  (func (export "jump") (call $throw)))
"""
ANSWER, SUM, MANY, JUMP, JUMP_I, JUMP_SUM, JUMP_MANY, NESTED, RETHROW, TRAP, FAIL, AGAIN, SPIN, BACK = range(14)
NULL, OUTSIDE = 14, 20


class HostError(Exception):
    """Of a host function that a guest calls."""


def fail() -> None:
    raise HostError


@pytest.fixture
def instantiate(runtime: Runtime, compile_text: Compile) -> Callable[[str], Module]:
    """A guest by its text, with what it imports."""

    def make(text: str) -> Module:
        compiled = compile_text(text)
        emscripten.instantiate_for(runtime, compiled.module)
        other = HostModule("other", (HostFunction("fail", FunctionType((), ()), fail),))
        runtime.instantiate_host_module(other)
        return runtime.instantiate_module(compiled, ModuleConfig().with_name("guest"))

    return make


@pytest.fixture
def exports(instantiate: Callable[[str], Module]) -> Any:
    return instantiate(GUEST).exports


# --- invoke_… -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("i", (ANSWER,), -42),
        ("dijf", (SUM, -3, 1 << 40, 0.5), (1 << 40) - 2.5),
        ("many", (MANY,), (-1, -2, 0.5, 0.25, None)),
    ],
)
def test_a_function_is_called_by_its_index(exports: Any, name: str, arguments: Any, expected: Any) -> None:
    assert getattr(exports, name)(*arguments) == expected
    assert (exports.sp(), exports.threw()) == (1000, 0)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("v", (JUMP,), None),
        ("i", (JUMP_I,), 0),
        ("dijf", (JUMP_SUM, 1, 2, 3), 0.0),
        ("many", (JUMP_MANY,), (0, 0, 0.0, 0.0, None)),
        ("i", (NESTED,), 101),
        ("i", (RETHROW,), 0),
    ],
)
def test_a_jump_is_caught(exports: Any, name: str, arguments: Any, expected: Any) -> None:
    """The guest's stack is as before, and the guest is told."""
    before = exports.sp()
    assert getattr(exports, name)(*arguments) == expected
    assert exports.threw() == 1
    assert exports.sp() == (before if arguments[0] != NESTED else before - 16)  # it did not put its own frame back


@pytest.mark.parametrize(
    ("name", "index", "kind"),
    [
        ("i", OUTSIDE, TrapKind.UNDEFINED_ELEMENT),
        ("i", -1, TrapKind.UNDEFINED_ELEMENT),
        ("i", NULL, TrapKind.UNINITIALIZED_ELEMENT),
        ("i", SUM, TrapKind.INDIRECT_CALL_TYPE_MISMATCH),
        ("v", ANSWER, TrapKind.INDIRECT_CALL_TYPE_MISMATCH),
        ("v", TRAP, TrapKind.UNREACHABLE),
        ("v", BACK, TrapKind.UNREACHABLE),
    ],
)
def test_traps(exports: Any, name: str, index: int, kind: TrapKind) -> None:
    with pytest.raises(Trap) as caught:
        getattr(exports, name)(index)
    assert caught.value.kind is kind
    assert "guest" in {frame.module_name for frame in caught.value.frames}
    assert exports.threw() == 0
    assert exports.i(ANSWER) == -42


def test_another_exception_passes(exports: Any) -> None:
    with pytest.raises(HostError):
        exports.v(FAIL)
    assert exports.threw() == 0


def test_a_deadline_passes(instantiate: Callable[[str], Module]) -> None:
    module = instantiate(GUEST)
    function = module.exported_function("v")
    assert function is not None
    with pytest.raises(DeadlineExceededError):
        function.call(SPIN, timeout=0.05)
    assert module.exports.threw() == 0


def test_a_guest_that_calls_itself_without_end(exports: Any) -> None:
    with pytest.raises(ExhaustionError):
        exports.v(AGAIN)
    assert exports.i(ANSWER) == -42


DEEP = f"""
(module
  (import "env" "invoke_v" (func $invoke (param i32)))
  {HELPERS}
  (table 1 funcref) (elem (i32.const 0) $again)
  (global $depth (mut i32) (i32.const 0))
  (func $again (call $down (global.get $depth)))
  (func $down (param i32)
    (if (local.get 0)
      (then (call $down (i32.sub (local.get 0) (i32.const 1))))
      (else (call $invoke (i32.const 0)))))
  (func (export "go") (param i32) (global.set $depth (local.get 0)) (call $again)))
"""


def test_wherever_a_stack_is_used_up(instantiate: Callable[[str], Module]) -> None:
    """Where Python's own limit is met first, that may be in the frames between host and guest."""
    exports = instantiate(DEEP).exports
    for depth in range(30, 50):
        with pytest.raises(ExhaustionError):
            exports.go(depth)


def test_a_closed_guest(instantiate: Callable[[str], Module]) -> None:
    module = instantiate(GUEST)
    function = module.exports.v
    module.close_with_exit_code(3)
    with pytest.raises(ExitError):
        function(JUMP)


def test_a_jump_to_nowhere_is_a_trap(exports: Any) -> None:
    with pytest.raises(Trap) as caught:
        exports.jump()
    assert caught.value.kind is TrapKind.UNCAUGHT_EXCEPTION
    assert str(caught.value).startswith("unhandled exception from longjmp")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy)) == (emscripten.LongjmpError, str(caught.value))
    assert exports.i(ANSWER) == -42


# --- What the guest must have -------------------------------------------------------------------------------------------

INVOKE = '(import "env" "invoke_i" (func $invoke (param i32) (result i32)))'
CALL = '(func (export "call") (param i32) (result i32) (call $invoke (local.get 0)))'
NEWER = """
  (import "env" "_emscripten_throw_longjmp" (func $throw))
  (global $sp (mut i32) (i32.const 1000))
  (func (export "emscripten_stack_get_current") (result i32) (global.get $sp))
  (func (export "_emscripten_stack_restore") (param i32) (global.set $sp (local.get 0)))
  (func (export "setThrew") (param i32 i32))
"""


def test_the_names_of_newer_versions(instantiate: Callable[[str], Module]) -> None:
    jump = "(func $jump (result i32) (global.set $sp (i32.const 0)) (call $throw) (i32.const 1)) (elem (i32.const 0) $jump)"
    sp = '(func (export "sp") (result i32) (global.get $sp))'
    exports = instantiate(f"(module {INVOKE} {NEWER} (table 1 funcref) {jump} {CALL} {sp})").exports
    assert (exports.call(0), exports.sp()) == (0, 1000)


@pytest.mark.parametrize(
    "helper",
    [
        "",
        '(func (export "stackSave") (param i32) (result i32) (local.get 0))',
        '(func (export "stackSave") (result f64) (f64.const 0))',
        '(memory (export "stackSave") 1)',
    ],
)
def test_a_guest_that_cannot_save_its_stack(instantiate: Callable[[str], Module], helper: str) -> None:
    exports = instantiate(f"(module {INVOKE} (table 1 funcref) {helper} {CALL})").exports
    with pytest.raises(LinkError, match=r"needs an export stackSave or emscripten_stack_get_current \(\) -> \(i32\)"):
        exports.call(0)


ONE_IN_THE_FIRST = "(table 1 funcref) (elem (table 0) (i32.const 0) func $one)"


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (ONE_IN_THE_FIRST, 1),
        (
            f"""{ONE_IN_THE_FIRST} (table (export "__indirect_function_table") 1 funcref)
            (elem (table 1) (i32.const 0) func $two)""",
            2,
        ),
        (f'{ONE_IN_THE_FIRST} (table (export "__indirect_function_table") 0 funcref)', TrapKind.UNDEFINED_ELEMENT),
        ("(table 1 externref)", TrapKind.UNDEFINED_ELEMENT),
        ("", TrapKind.UNDEFINED_ELEMENT),
    ],
)
def test_which_table(instantiate: Callable[[str], Module], tables: str, expected: int | TrapKind) -> None:
    functions = "(func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))"
    exports = instantiate(f"(module {INVOKE} {HELPERS} {tables} {functions} {CALL})").exports
    if isinstance(expected, int):
        assert exports.call(0) == expected
        return
    with pytest.raises(Trap) as caught:
        exports.call(0)
    assert caught.value.kind is expected


def test_two_guests_of_one_host_module(runtime: Runtime, compile_text: Compile) -> None:
    """Each has its own table, and its own register for the value that a longjmp brings."""
    text = f"""(module
      (import "env" "getTempRet0" (func $get (result i32)))
      (import "env" "setTempRet0" (func $set (param i32)))
      {INVOKE} {HELPERS} {CALL}
      (table 1 funcref) (elem (i32.const 0) $get_it)
      (func $get_it (result i32) (call $get))
      (func (export "set") (param i32) (call $set (local.get 0))))"""
    compiled = compile_text(text)
    emscripten.instantiate_for(runtime, compiled.module)
    one, two = (runtime.instantiate_module(compiled, ModuleConfig().with_name(name)).exports for name in ("1", "2"))
    one.set(-5)
    assert (one.call(0), two.call(0)) == (-5, 0)
    two.set(6)
    assert (one.call(0), two.call(0)) == (-5, 6)


# --- Which functions ----------------------------------------------------------------------------------------------------


def test_only_what_is_imported(compile_text: Compile) -> None:
    compiled = compile_text("""(module
      (import "env" "emscripten_notify_memory_growth" (func $grown (param i32)))
      (import "env" "invoke_vid" (func (param i32 i32 f64)))
      (import "env" "invoke_vid" (func (param i32)))
      (import "env" "invoke_" (func))
      (import "env" "invoke_d" (func (param f64)))
      (import "env" "invoke_table" (table 1 funcref))
      (import "env" "abort" (func))
      (import "other" "invoke_v" (func (param i32)))
      (import "other" "_emscripten_throw_longjmp" (func)))""")
    module = emscripten.host_module_for(compiled.module)
    assert module.name == "env"
    assert [(f.name, str(f.type), f.param_names) for f in module.functions] == [
        ("emscripten_notify_memory_growth", "(i32) -> ()", ("memory_index",)),
        ("invoke_vid", "(i32 i32 f64) -> ()", ("index", "a1", "a2")),
    ]


def test_growth_needs_no_answer(runtime: Runtime, compile_text: Compile) -> None:
    compiled = compile_text("""(module
      (import "env" "emscripten_notify_memory_growth" (func $grown (param i32)))
      (memory (export "memory") 1)
      (func (export "grow") (drop (memory.grow (i32.const 1))) (call $grown (i32.const 0))))""")
    emscripten.instantiate_for(runtime, compiled.module)
    module = runtime.instantiate_module(compiled)
    module.exports.grow()
    assert module.memory is not None
    assert module.memory.pages == 2
