"""Allocating, filling and starting an instance: in order, and what a failure leaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import wasmtime

from wazero_api import ExitError, LinkError, Trap, TrapKind, ValueType
from wazero_core import ModuleConfig, Runtime, RuntimeConfig

I32 = ValueType.I32


def wasm(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        yield runtime


@pytest.mark.parametrize(
    ("type", "initialiser", "value"),
    [
        ("i32", "(i32.const -7)", -7),
        ("i64", "(i64.const 0x8000000000000000)", -(1 << 63)),
        ("f32", "(f32.const 1.1)", 1.100000023841858),
        ("f64", "(f64.const -0.1)", -0.1),
        ("externref", "(ref.null extern)", None),
        ("funcref", "(ref.null func)", None),
        ("i32", "(global.get $imported)", 11),
        ("i32", "(i32.sub (i32.mul (global.get $imported) (i32.const 3)) (i32.const 34))", -1),
        ("i32", "(i32.mul (i32.const 0x10000) (i32.const 0x8000))", -(1 << 31)),
        ("i64", "(i64.add (i64.const 0x7fffffffffffffff) (i64.const 1))", -(1 << 63)),
    ],
)
def test_globals(type: str, initialiser: str, value: object, runtime: Runtime) -> None:
    runtime.instantiate(wasm('(module $a (global (export "g") i32 (i32.const 11)))'))
    module = runtime.instantiate(
        wasm(f'(module (import "a" "g" (global $imported i32)) (global (export "x") {type} {initialiser}))')
    )
    assert module.exports.x.get() == value


def test_a_global_holds_a_function(runtime: Runtime) -> None:
    module = runtime.instantiate(
        wasm('(module (func $f (result i32) (i32.const 9)) (global (export "g") funcref (ref.func $f)))')
    )
    assert module.exports.g.get()() == 9


def test_segments_are_copied_in_order(runtime: Runtime) -> None:
    module = runtime.instantiate(
        wasm("""(module (memory (export "m") 1) (data (i32.const 0) "aaaa") (data (i32.const 2) "bb") (data "passive")
          (table (export "t") 3 funcref) (func $f (result i32) (i32.const 1)) (func $g (result i32) (i32.const 2))
          (elem (i32.const 0) func $f $f) (elem (i32.const 1) func $g))""")
    )
    assert module.exports.m.read(0, 5) == b"aabb\0"
    assert [module.exports.t[i]() for i in range(2)] == [1, 2]
    assert module.exports.t[2] is None


def test_what_comes_before_a_segment_that_does_not_fit_stays(runtime: Runtime) -> None:
    """In an imported memory, as the specification has it since 2.0."""
    library = runtime.instantiate(wasm('(module $lib (memory (export "m") 1) (table (export "t") 2 funcref))'))
    with pytest.raises(Trap, match="out of bounds memory access") as caught:
        runtime.instantiate(
            wasm("""(module (import "lib" "m" (memory 1)) (import "lib" "t" (table 1 funcref)) (func $f)
              (elem (i32.const 1) func $f) (data (i32.const 1) "ok") (data (i32.const 65535) "no") (data (i32.const 9) "never"))""")
        )
    assert caught.value.kind is TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS
    assert library.exports.m.read(0, 12) == b"\0ok" + bytes(9)
    assert library.exports.t[1]() is None
    with pytest.raises(Trap, match="out of bounds table access"):
        runtime.instantiate(
            wasm('(module (import "lib" "t" (table 1 funcref)) (func $f) (elem (i32.const 1) func $f $f))')
        )


@pytest.mark.parametrize(
    ("address", "content"), [(65535, "no"), (65536, "n"), (65537, ""), (0x7FFFFFFF, "no"), (-1, "n"), (-1, "")]
)
def test_only_what_fits_is_copied_of_many_segments(address: int, content: str, runtime: Runtime) -> None:
    """However many there are: those before the one that does not fit, and none behind it."""
    library = runtime.instantiate(wasm('(module $lib (memory (export "m") 1))'))
    entries = [f'(data (i32.const {20 * i + 1000}) "ab")' for i in range(40)]
    entries[30] = f'(data (i32.const {address}) "{content}")'
    with pytest.raises(Trap, match="by a data segment") as caught:
        runtime.instantiate(wasm(f'(module (import "lib" "m" (memory 1)) {"".join(entries)})'))
    assert caught.value.kind is TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS
    assert [library.exports.m.read(20 * i + 1000, 2) for i in range(40)] == [b"ab"] * 30 + [b"\0\0"] * 10


def test_empty_segments_may_stand_at_the_end_of_memory(runtime: Runtime) -> None:
    runtime.instantiate(wasm('(module (memory 1) (data (i32.const 65536) ""))'))


def test_later_segments_overwrite_earlier_ones(runtime: Runtime) -> None:
    """Those that are found together too."""
    segments = "".join([f'(data (i32.const {1000 + i}) "{i:02}")' for i in range(20)])
    module = runtime.instantiate(wasm(f'(module (memory (export "m") 1) {segments})'))
    assert module.exports.m.read(1000, 21) == b"0" * 10 + b"1" * 10 + b"9"


@pytest.mark.parametrize("misfit", ['(data (i32.const 65535) "no")', "(elem (i32.const 1) func $f $f)"])
def test_segments_behind_a_trap_can_be_used(misfit: str, runtime: Runtime) -> None:
    """A function in another instance's table outlives its own instance, which has all segments that were not copied."""
    library = runtime.instantiate(wasm('(module $lib (memory (export "m") 1) (table (export "t") 2 funcref))'))
    with pytest.raises(Trap):
        runtime.instantiate(
            wasm(f"""(module (import "lib" "m" (memory 1)) (import "lib" "t" (table 2 funcref))
              (func $f (memory.init $d (i32.const 9) (i32.const 0) (i32.const 3)))
              (elem (i32.const 0) func $f) {misfit} (data (i32.const 1) "xx") (data $d "abc"))""")
        )
    library.exports.t[0]()
    assert library.exports.m.read(0, 12) == bytes(9) + b"abc"


def test_active_segments_are_dropped_after_copying(runtime: Runtime) -> None:
    module = runtime.instantiate(
        wasm("""(module (memory 1) (table 4 funcref) (func $f) (data $d (i32.const 0) "x") (elem $e (i32.const 0) func $f)
          (elem $declared declare func $f)
          (func (export "data") (param i32) (memory.init $d (i32.const 9) (i32.const 0) (local.get 0)))
          (func (export "elem") (param i32) (table.init $e (i32.const 1) (i32.const 0) (local.get 0)))
          (func (export "declared") (param i32) (table.init $declared (i32.const 1) (i32.const 0) (local.get 0))))""")
    )
    for name in ("data", "elem", "declared"):
        assert module.exports[name](0) is None
        with pytest.raises(Trap, match="out of bounds"):
            module.exports[name](1)


def test_instances_do_not_share_dropped_segments(runtime: Runtime) -> None:
    compiled = runtime.compile_module(
        wasm(
            '(module (memory 1) (data $d "xyz") (func (export "init") (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3)) (data.drop $d)))'
        )
    )
    first, second = (runtime.instantiate_module(compiled, ModuleConfig().with_name("")) for _ in range(2))
    first.exports.init()
    with pytest.raises(Trap):
        first.exports.init()
    second.exports.init()
    assert second.memory is not None
    assert second.memory.read(0, 3) == b"xyz"


def test_start_function_runs_before_start_functions(runtime: Runtime) -> None:
    seen: list[str] = []
    builder = runtime.new_host_module_builder("env")
    for name in ("a", "b", "c"):
        builder.new_function_builder().with_raw_function(lambda name=name: seen.append(name), [], []).export(name)
    builder.instantiate()
    text = """(module (import "env" "a" (func $a)) (import "env" "b" (func $b)) (import "env" "c" (func $c))
      (start $a) (export "_start" (func $b)) (export "other" (func $c)))"""
    runtime.instantiate(wasm(text), ModuleConfig().with_name(""))
    runtime.instantiate(wasm(text), ModuleConfig().with_name("").with_start_functions())
    runtime.instantiate(wasm(text), ModuleConfig().with_name("").with_start_functions("other", "absent", "_start"))
    assert seen == ["a", "b", "a", "a", "c", "b"]


@pytest.mark.parametrize("code", [0, 3])
def test_a_start_function_that_exits(code: int, runtime: Runtime) -> None:
    """Code 0 is success; the module is closed either way."""

    def leave() -> None:
        raise ExitError(code, "guest")

    runtime.new_host_module_builder("env").new_function_builder().with_raw_function(leave, [], []).export(
        "exit"
    ).instantiate()
    binary = wasm(
        '(module $guest (import "env" "exit" (func $e)) (func (export "_start") (call $e) unreachable) (func (export "f")))'
    )
    if code:
        with pytest.raises(ExitError) as caught:
            runtime.instantiate(binary)
        assert caught.value.exit_code == code
    else:
        module = runtime.instantiate(binary)
        assert (module.is_closed, module.exit_code) == (True, 0)
        with pytest.raises(ExitError):
            module.exports.f()
    assert runtime.module("guest") is None


@pytest.mark.parametrize(
    ("memory", "limit", "message"),
    [
        ("(memory 11)", 10, "memory of 11 pages: the limit is 10"),
        ("(memory 1)", 0, "memory of 1 pages: the limit is 0"),
    ],
)
def test_the_memory_limit(memory: str, limit: int, message: str) -> None:
    runtime = Runtime(RuntimeConfig.interpreter().with_memory_limit_pages(limit))
    with pytest.raises(LinkError, match=message):
        runtime.instantiate(wasm(f"(module {memory})"))


def test_the_memory_limit_bounds_growth() -> None:
    runtime = Runtime(RuntimeConfig.interpreter().with_memory_limit_pages(3))
    module = runtime.instantiate(
        wasm('(module (memory 1 100) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))')
    )
    assert module.memory is not None
    assert [module.exports.grow(2), module.exports.grow(1), module.memory.grow(1), module.memory.pages] == [
        1,
        -1,
        None,
        3,
    ]


def test_a_big_table_is_refused() -> None:
    with pytest.raises(LinkError, match="of 4294967295 elements"):
        Runtime(RuntimeConfig.interpreter()).instantiate(wasm("(module (table 0xffffffff funcref))"))
