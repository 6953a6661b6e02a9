"""References through machine code: the same object comes back, and everything lives as long as it is referred to."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from integration.runtimes import ANONYMOUS, needs_jit, new_runtime, wasm
from wazero_api import Trap, TrapKind, ValueType
from wazero_core import Module, Runtime

pytestmark = needs_jit

EXTERNREF, FUNCREF = ValueType.EXTERNREF, ValueType.FUNCREF

KEEPER: Final = """(module
  (type $answer (func (result i32)))
  (import "env" "pass" (func $pass (param externref) (result externref)))
  (import "env" "pass_function" (func $pass_function (param funcref) (result funcref)))
  (table $objects (export "objects") 2 10 externref) (table $functions (export "functions") 2 10 funcref)
  (global $object (export "object") (mut externref) (ref.null extern))
  (global $function (export "function") (mut funcref) (ref.null func))
  (elem declare func $one)
  (func $one (export "one") (type $answer) (i32.const 1))
  (func (export "own") (result funcref) (ref.func $one))
  (func (export "same") (param externref) (result externref) (local.get 0))
  (func (export "same_function") (param funcref) (result funcref) (local.get 0))
  (func (export "through_host") (param externref) (result externref) (call $pass (local.get 0)))
  (func (export "function_through_host") (param funcref) (result funcref) (call $pass_function (local.get 0)))
  (func (export "many") (param externref i32 funcref f64 externref i64) (result externref funcref externref i32)
    (local.get 4) (local.get 2) (local.get 0) (i32.wrap_i64 (local.get 5)))
  (func (export "set_object") (param externref) (global.set $object (local.get 0)))
  (func (export "set_function") (param funcref) (global.set $function (local.get 0)))
  (func (export "put_object") (param i32 externref) (table.set $objects (local.get 0) (local.get 1)))
  (func (export "put_function") (param i32 funcref) (table.set $functions (local.get 0) (local.get 1)))
  (func (export "get_object") (param i32) (result externref) (table.get $objects (local.get 0)))
  (func (export "get_function") (param i32) (result funcref) (table.get $functions (local.get 0)))
  (func (export "grow_objects") (param externref i32) (result i32)
    (table.grow $objects (local.get 0) (local.get 1)))
  (func (export "grow_functions") (param funcref i32) (result i32)
    (table.grow $functions (local.get 0) (local.get 1)))
  (func (export "fill_objects") (param i32 externref i32)
    (table.fill $objects (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy_functions") (param i32 i32 i32)
    (table.copy $functions $functions (local.get 0) (local.get 1) (local.get 2)))
  (func (export "is_null") (param externref funcref) (result i32 i32)
    (ref.is_null (local.get 0)) (ref.is_null (local.get 1)))
  (func (export "call") (param i32) (result i32) (call_indirect $functions (type $answer) (local.get 0)))
  (func (export "call_global") (result i32)
    (table.set $functions (i32.const 1) (global.get $function)) (call_indirect $functions (type $answer) (i32.const 1))))"""

ANSWER: Final = """(module (func $f (export "f") (result i32) (i32.const 4242))
  (table (export "t") 1 funcref) (elem (i32.const 0) func $f) (global (export "g") funcref (ref.func $f))
  (func (export "get") (result funcref) (ref.func $f)))"""


class Thing:
    """Something to refer to."""


def keeper_in(runtime: Runtime, **host: Callable[..., Any]) -> Module:
    """An instance of `KEEPER`; its host functions return what they get, unless given."""
    builder = runtime.new_host_module_builder("env")
    for name, type in (("pass", EXTERNREF), ("pass_function", FUNCREF)):
        function = host.get(name, lambda value: value)
        builder.new_function_builder().with_raw_function(function, [type], [type]).export(name)
    builder.instantiate()
    return runtime.instantiate(wasm(KEEPER), ANONYMOUS)


@pytest.fixture
def keeper() -> Iterator[Module]:
    with new_runtime("jit") as runtime:
        yield keeper_in(runtime)


def answer() -> Module:
    """An instance in a runtime that nothing else refers to."""
    return new_runtime("jit").instantiate(wasm(ANSWER), ANONYMOUS)


def churn() -> None:
    """Collect garbage, and have freed memory used again."""
    for _ in range(2):
        gc.collect()
    runtime = new_runtime("jit")
    keep = [runtime.instantiate(wasm(ANSWER.replace("4242", "13")), ANONYMOUS) for _ in range(30)]
    assert keep


# Round trips

OBJECTS: Final = (Thing(), "text", 7, 1 << 100, 2.5, True, (), [1], print, Thing, float("nan"), Ellipsis, b"", None)


@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: type(thing).__name__)
def test_any_object_comes_back(thing: object, keeper: Module) -> None:
    exports = keeper.exports
    assert exports.same(thing) is thing
    assert exports.through_host(thing) is thing
    exports.set_object(thing)
    assert exports.object.get() is thing
    exports.put_object(1, thing)
    assert exports.get_object(1) is thing
    assert exports.objects[1] is thing
    assert exports.grow_objects(thing, 2) == 2
    exports.fill_objects(0, thing, 4)
    assert all(exports.get_object(index) is thing for index in range(4))
    assert tuple(exports.is_null(thing, None)) == (int(thing is None), 1)


def test_objects_that_python_puts_in(keeper: Module) -> None:
    exports, thing = keeper.exports, Thing()
    exports.object.set(thing)
    exports.objects[0] = thing
    assert exports.get_object(0) is thing
    assert exports.objects.grow(1, thing) == 2
    assert exports.get_object(2) is thing


def test_functions_come_back(keeper: Module) -> None:
    exports = keeper.exports
    own = exports.own()
    assert own() == 1
    assert exports.same_function(own) is own
    assert exports.same_function(exports.one) is own
    assert exports.same_function(keeper.exported_function("one")) is own
    assert exports.function_through_host(own) is own
    exports.set_function(own)
    assert exports.function.get() is own
    assert exports.call_global() == 1
    exports.put_function(0, own)
    assert exports.call(0) == 1
    assert exports.functions[0] is own
    assert exports.grow_functions(own, 2) == 2
    assert exports.call(3) == 1
    assert exports.same_function(None) is None


def test_references_among_other_values(keeper: Module) -> None:
    first, second, own = Thing(), Thing(), keeper.exports.own()
    assert keeper.exports.many(first, 1, own, 2.0, second, -5) == (second, own, first, -5)
    assert keeper.exports.many(None, 1, None, 2.0, None, 3) == (None, None, None, 3)


@pytest.mark.parametrize("wrong", [5, "one", print, Thing()])
def test_what_is_no_function(wrong: object, keeper: Module) -> None:
    exports = keeper.exports
    with pytest.raises(TypeError, match="funcref needs a wasm function"):
        exports.same_function(wrong)
    with pytest.raises(TypeError, match="funcref needs a wasm function"):
        exports.functions[0] = wrong
    with pytest.raises(TypeError, match="funcref needs a wasm function"):
        exports.function.set(wrong)


def test_a_host_function_that_returns_no_function() -> None:
    with new_runtime("jit") as runtime:
        exports = keeper_in(runtime, pass_function=lambda _: "nothing").exports
        with pytest.raises(TypeError, match="funcref needs a wasm function"):
            exports.function_through_host(None)
        assert exports.one() == 1


def test_host_functions_are_references_too(keeper: Module) -> None:
    """Of the kind that wasm code can call through a table."""
    builder = keeper._runtime.new_host_module_builder("more").new_function_builder()
    host = builder.with_raw_function(lambda: 77, [], [ValueType.I32]).export("f").instantiate()
    keeper.exports.put_function(0, host.exports.f)
    assert keeper.exports.call(0) == 77
    assert keeper.exports.get_function(0)() == 77


def test_references_of_types_that_do_not_fit(keeper: Module) -> None:
    keeper.exports.put_function(0, keeper.exports.same)
    with pytest.raises(Trap) as caught:
        keeper.exports.call(0)
    assert caught.value.kind is TrapKind.INDIRECT_CALL_TYPE_MISMATCH


# Lives of objects


def test_objects_live_while_they_are_referred_to(keeper: Module) -> None:
    """Only wasm knows them; sweeps come and go."""
    exports = keeper.exports
    things = [Thing() for _ in range(3)]
    seen = [weakref.ref(thing) for thing in things]
    exports.set_object(things[0])
    exports.put_object(0, things[1])
    exports.objects[1] = things[2]
    del things
    for _ in range(5000):
        exports.same(Thing())
    gc.collect()
    assert exports.object.get() is seen[0]()
    assert exports.get_object(0) is seen[1]()
    assert exports.get_object(1) is seen[2]()
    assert None not in [ref() for ref in seen]


def test_objects_die_when_they_are_not(keeper: Module) -> None:
    """Not at once: what wasm was given is looked through now and then."""
    exports = keeper.exports
    seen = []
    for _ in range(20_000):
        thing = Thing()
        seen.append(weakref.ref(thing))
        exports.put_object(0, thing)
    del thing
    gc.collect()
    assert sum(ref() is not None for ref in seen) < 5000
    assert exports.get_object(0) is seen[-1]()


def test_a_peak_does_not_last() -> None:
    """Nothing is looked through while a call is running; the many objects of that time are let go soon after it."""
    seen = []

    def host(thing: Any) -> Any:
        for _ in range(20_000):
            other = Thing()
            seen.append(weakref.ref(other))
            exports.same(other)
        return thing

    with new_runtime("jit") as runtime:
        exports = keeper_in(runtime, **{"pass": host}).exports
        exports.through_host(None)
        for _ in range(5000):
            exports.same(Thing())
        gc.collect()
        assert not any(ref() for ref in seen)


def test_objects_that_are_only_in_frames() -> None:
    """While the host function runs, wasm locals are all that refers to what it was given."""

    def host(thing: Any) -> Any:
        for _ in range(5000):
            exports.same(Thing())
        gc.collect()
        return thing

    with new_runtime("jit") as runtime:
        exports = keeper_in(runtime, **{"pass": host}).exports
        seen = []

        def made() -> Thing:
            thing = Thing()
            seen.append(weakref.ref(thing))
            return thing

        result = exports.through_host(made())
        assert result is seen[0]()


def test_reference_counts_stay_the_same(keeper: Module) -> None:
    thing, exports, own = Thing(), keeper.exports, keeper.exports.own()
    before = None
    for _ in range(5):
        for _ in range(50):
            exports.through_host(thing)
            exports.many(thing, 1, own, 2.0, thing, 3)
            exports.function_through_host(own)
        counts = sys.getrefcount(thing), sys.getrefcount(own), sys.getrefcount(None) // 100
        assert before in (None, counts)
        before = counts


# Lives of instances


def test_an_instance_dies_with_its_last_reference() -> None:
    runtime = new_runtime("jit")
    module = runtime.instantiate(wasm(ANSWER), ANONYMOUS)
    module.exports.f()
    compiled: Any = module._compiled
    parts = [weakref.ref(module), weakref.ref(module.state.functions[0].owner), weakref.ref(compiled.code)]
    module.close()
    del module, compiled
    gc.collect()
    assert [part() for part in parts] == [None] * 3
    assert runtime.instantiate(wasm(ANSWER), ANONYMOUS).exports.f() == 4242


def test_instances_that_import_from_one_another_die_together() -> None:
    runtime = new_runtime("jit")
    keeper_in(runtime)
    text = """(module $b (import "a" "same_function" (func $same (param funcref) (result funcref)))
      (import "a" "functions" (table $t 2 10 funcref)) (elem (table $t) (i32.const 0) func $f)
      (func $f (export "f") (result i32) (i32.const 5))
      (func (export "g") (result funcref) (call $same (ref.func $f))))"""
    named = runtime.instantiate(wasm(KEEPER.replace("(module", "(module $a", 1)))
    second = runtime.instantiate(wasm(text))
    assert second.exports.g()() == named.exports.call(0) == 5
    parts = [weakref.ref(part) for module in (named, second) for part in (module, module.state.functions[-1].owner)]
    runtime.close()
    del named, second
    gc.collect()
    assert [part() for part in parts] == [None] * 4


@pytest.mark.parametrize("take", ["f", "t", "g", "get"])
def test_a_part_keeps_its_instance_alive(take: str) -> None:
    """An exported function, table or global, or a function that a call returned."""
    part = answer().exports[take]
    churn()
    match take:
        case "t":
            part = part[0]
        case "g":
            part = part.get()
        case "get":
            part = part()
    churn()
    assert part() == 4242


PLACES: Final[dict[str, Callable[[Any, Any], object]]] = {
    "argument": lambda exports, function: exports.put_function(0, function),
    "argument of table.grow": lambda exports, function: exports.grow_functions(function, 3),
    "argument for a global": lambda exports, function: exports.set_function(function),
    "element": lambda exports, function: exports.functions.__setitem__(0, function),
    "growth": lambda exports, function: exports.functions.grow(3, function),
    "global": lambda exports, function: exports.function.set(function),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_function_in_a_foreign_instance_keeps_its_own_alive(place: str, keeper: Module) -> None:
    """The two have nothing else to do with each other. The function then moves on inside, and sweeps happen."""
    exports = keeper.exports
    PLACES[place](exports, answer().exports.f)
    churn()
    if "global" in place:
        assert exports.call_global() == 4242
    source = {"argument": 0, "element": 0}.get(place, 1 if "global" in place else 3)
    assert exports.call(source) == 4242
    exports.copy_functions(1 - source % 2, source, 1)
    for index in range(len(exports.functions)):
        if index != 1 - source % 2:
            exports.functions[index] = None
    exports.function.set(None)
    for _ in range(5000):
        exports.same(Thing())
        exports.same_function(exports.one)
    churn()
    assert exports.call(1 - source % 2) == 4242


def test_a_function_that_a_host_function_returned() -> None:
    with new_runtime("jit") as runtime:
        exports = keeper_in(runtime, pass_function=lambda _: answer().exports.f).exports
        exports.put_function(0, exports.function_through_host(None))
        churn()
        assert exports.call(0) == 4242


def test_functions_that_python_passes_around_are_let_go(keeper: Module) -> None:
    """Their instances die, though not at once."""
    runtime = new_runtime("jit")
    compiled = runtime.compile_module(wasm(ANSWER))
    seen = []
    for _ in range(500):
        with runtime.instantiate_module(compiled, ANONYMOUS) as module:
            function = keeper.exports.same_function(module.exports.f)
        seen.append(weakref.ref(function.owner))
    del function, module
    for _ in range(20_000):
        keeper.exports.same(Thing())
    gc.collect()
    assert [ref() for ref in seen] == [None] * 500


def test_a_table_outlives_its_exporter(keeper: Module) -> None:
    """An importer goes on with the table, and with the functions of the others in it."""
    runtime = new_runtime("jit")
    table_of = runtime.instantiate(wasm(f"(module $a {ANSWER.removeprefix('(module')}"))
    text = """(module (import "a" "t" (table 1 funcref))
      (func (export "call") (result i32) (call_indirect (result i32) (i32.const 0))))"""
    call = runtime.instantiate(wasm(text), ANONYMOUS).exports.call
    del table_of, runtime
    churn()
    assert call() == 4242


def test_calls_out_of_destructors() -> None:
    """When a cycle dies whose members still call into it: the call works, or says that it does not."""
    results: list[object] = []

    class Caller:
        def __init__(self, module: Module) -> None:
            self.module = module

        def __del__(self) -> None:
            results.append(self.module.exports.f())
            try:
                self.module.exports.trap()
            except Trap as trap:
                results.append(trap.kind)

    def make() -> None:
        text = '(module (func (export "f") (result i32) (i32.const 9)) (func (export "trap") unreachable))'
        caller = Caller(new_runtime("jit").instantiate(wasm(text), ANONYMOUS))
        caller.cycle = caller  # type: ignore[attr-defined]

    make()
    gc.collect()
    assert results == [9, TrapKind.UNREACHABLE]
