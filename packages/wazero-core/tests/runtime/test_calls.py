"""Calls from Python and to Python: values in and out, host functions in every form, wrong uses refused."""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Callable, Iterator
from types import GenericAlias
from typing import Annotated, Any

import pytest
import wasmtime

from wazero_api import ValueType, externref, f32, f64, i32, i64
from wazero_core import Module, ModuleConfig, Runtime, RuntimeConfig

I32, I64, F32, F64 = ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64
ANONYMOUS = ModuleConfig().with_name("")


def wasm(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        yield runtime


@pytest.fixture
def identity(runtime: Runtime) -> Module:
    types = ("i32", "i64", "f32", "f64", "externref")
    functions = [f'(func (export "{t}") (param {t}) (result {t}) (local.get 0))' for t in types]
    return runtime.instantiate(
        wasm(f"""(module {" ".join(functions)} (func (export "none"))
          (func (export "many") (param i32 f64) (result f64 i32 i64) (local.get 1) (local.get 0) (i64.const -9)))""")
    )


@pytest.mark.parametrize(
    ("name", "given", "found"),
    [
        ("i32", 5, 5),
        ("i32", -(1 << 31), -(1 << 31)),
        ("i32", (1 << 32) - 1, -1),
        ("i32", True, 1),
        ("i64", (1 << 63), -(1 << 63)),
        ("i64", -1, -1),
        ("f32", 0.1, 0.10000000149011612),
        ("f32", 1e39, math.inf),
        ("f32", 7, 7.0),
        ("f64", -0.0, -0.0),
        ("f64", 1 << 70, float(1 << 70)),
        ("externref", "any", "any"),
        ("externref", None, None),
    ],
)
def test_values(name: str, given: Any, found: Any, identity: Module) -> None:
    result = identity.exports[name](given)
    assert result == found
    assert type(result) is type(found)
    assert math.copysign(1, result) == math.copysign(1, found) if isinstance(found, float) else True


def test_nans(identity: Module) -> None:
    assert math.isnan(identity.exports.f32(math.nan))
    assert math.isnan(identity.exports.f64(math.nan))


def test_results(identity: Module) -> None:
    assert identity.exports.none() is None
    assert identity.exports.many(3, 1.5) == (1.5, 3, -9)


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("i32", (), TypeError),
        ("i32", (1, 2), TypeError),
        ("i32", (1.0,), TypeError),
        ("i32", ("1",), TypeError),
        ("i32", (None,), TypeError),
        ("i32", (1 << 32,), OverflowError),
        ("i32", (-(1 << 31) - 1,), OverflowError),
        ("i64", (1 << 64,), OverflowError),
        ("f32", ("x",), TypeError),
        ("f64", (None,), TypeError),
        ("f64", (b"1",), TypeError),
        ("none", (1,), TypeError),
    ],
)
def test_wrong_arguments(name: str, arguments: tuple[Any, ...], error: type[Exception], identity: Module) -> None:
    with pytest.raises(error):
        identity.exports[name](*arguments)
    with pytest.raises(error):
        identity.exported_function(name)(*arguments)  # type: ignore[misc]


def test_exports(identity: Module) -> None:
    assert set(identity.exports) == {"i32", "i64", "f32", "f64", "externref", "none", "many"}
    assert "many" in dir(identity.exports)
    with pytest.raises(AttributeError, match="the module exports no 'absent'"):
        _ = identity.exports.absent
    with pytest.raises(KeyError):
        identity.exports["absent"]
    assert identity.exported_function("absent") is None
    assert identity.exported_memory("i32") is None


def test_call_with_stack(identity: Module) -> None:
    function = identity.exported_function("many")
    assert function is not None
    stack = [0xFFFFFFFF, struct.unpack("<Q", struct.pack("<d", 2.5))[0], 0, 99]
    function.call_with_stack(stack)
    assert stack == [struct.unpack("<Q", struct.pack("<d", 2.5))[0], 0xFFFFFFFF, (1 << 64) - 9, 99]
    with pytest.raises(ValueError, match=r"the stack has 2 values, but .* needs 3"):
        function.call_with_stack([1, 2])


@pytest.mark.parametrize("bits", [0x7FA00001, 0xFFC00000, 0x7F800001, 0x80000000])
def test_call_with_stack_keeps_the_bits_of_f32(bits: int, identity: Module) -> None:
    function = identity.exported_function("f32")
    assert function is not None
    stack = [bits]
    function.call_with_stack(stack)
    assert stack == [bits]


# Host functions


def add(a: i32, b: i64) -> i64:
    return a + b


def halve(x: float) -> f32:
    return x / 2


def swap(a: i32, b: f64) -> tuple[f64, i32]:
    return b, a


def nothing() -> None:
    return None


def name_of(module: Module, suffix: i32) -> externref:
    return f"{module.name}{suffix}"


def marked(a: Annotated[int, "a note", I32]) -> Annotated[int, I32]:
    return a + 1


@pytest.mark.parametrize(
    ("function", "signature", "call", "result"),
    [
        (add, "(param i32 i64) (result i64)", "(i32.const -1) (i64.const 5)", 4),
        (halve, "(param f64) (result f32)", "(f64.const 3)", 1.5),
        (swap, "(param i32 f64) (result f64 i32)", "(i32.const 4) (f64.const 2)", (2.0, 4)),
        (nothing, "", "", None),
        (name_of, "(param i32) (result externref)", "(i32.const 7)", "guest7"),
        (marked, "(param i32) (result i32)", "(i32.const 7)", 8),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_annotated_functions(
    function: Callable[..., Any], signature: str, call: str, result: Any, runtime: Runtime
) -> None:
    runtime.new_host_module_builder("env").new_function_builder().with_func(function).export("f").instantiate()
    results = signature[signature.find("(result") :] if "(result" in signature else ""
    module = runtime.instantiate(
        wasm(f'(module $guest (import "env" "f" (func $f {signature})) (func (export "g") {results} (call $f {call})))')
    )
    assert module.exports.g() == result


def no_result(a: i32):  # type: ignore[no-untyped-def]
    return a


def no_annotation(a) -> None:  # type: ignore[no-untyped-def]
    del a


def plain_int(a: int) -> None:
    del a


def plain_int_result() -> int:
    return 1


def variadic(*a: i32) -> None:
    del a


def string(a: str) -> None:
    del a


def keyword(a: i32, *, b: i32) -> None:
    del a, b


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (keyword, "parameter 'b' must not be keyword-only"),
        (max, "host function max has no annotations: .* with_raw_function"),
        (functools.partial(string, ""), "has no annotations"),
        (no_result, "needs an annotation of its result"),
        (no_annotation, "parameter 'a' needs an annotation"),
        (plain_int, "is no value type: use i32, i64"),
        (plain_int_result, "is no value type"),
        (variadic, "parameter 'a' needs an annotation"),
        (string, "is no value type"),
    ],
)
def test_bad_annotations(function: Callable[..., Any], message: str, runtime: Runtime) -> None:
    builder = runtime.new_host_module_builder("env").new_function_builder()
    with pytest.raises(TypeError, match=message):
        builder.with_func(function)


def test_a_decorator_exports(runtime: Runtime) -> None:
    builder = runtime.new_host_module_builder("env")

    @builder.function()
    def first(a: i32) -> i32:
        return a * 2

    @builder.function("other")
    def second(a: i32) -> i32:
        return a * 3

    host = builder.instantiate()
    assert (host.exports.first(4), host.exports.other(4)) == (8, 12)
    assert first(5) == 10
    assert second(5) == 15


def test_builder_without_a_function(runtime: Runtime) -> None:
    with pytest.raises(ValueError, match="'f' has no function"):
        runtime.new_host_module_builder("env").new_function_builder().export("f")
    with pytest.raises(TypeError, match="must be callable"):
        runtime.new_host_module_builder("env").new_function_builder().with_raw_function(5, [], [])  # type: ignore[arg-type]


RAW_TEXT = """(module $guest (import "env" "f" (func $f (param i32 i64 f32 f64) (result i64 f32)))
  (func (export "g") (result i64 f32) (call $f (i32.const -1) (i64.const -2) (f32.const 1.5) (f64.const -0.5))))"""
RAW_PARAMS, RAW_RESULTS = [i32, i64, f32, f64], [i64, F32]
RAW_ARGUMENTS = [0xFFFFFFFF, (1 << 64) - 2, 0x3FC00000, 0xBFE0000000000000]


def test_raw_functions(runtime: Runtime) -> None:
    seen: list[int] = []

    def raw(*args: int) -> tuple[int, int]:
        seen.extend(args)
        return (1 << 64) - 7, 0x1_40000000

    runtime.new_host_module_builder("env").new_function_builder().with_raw_function(
        raw, RAW_PARAMS, RAW_RESULTS
    ).export("f").instantiate()
    assert runtime.instantiate(wasm(RAW_TEXT)).exports.g() == (-7, 2.0)
    assert seen == RAW_ARGUMENTS


def test_stack_functions(runtime: Runtime) -> None:
    def on_stack(stack: list[int]) -> None:
        assert stack == RAW_ARGUMENTS
        stack[0], stack[1] = 5, 0x40000000

    runtime.new_host_module_builder("env").new_function_builder().with_function(
        on_stack, RAW_PARAMS, RAW_RESULTS
    ).export("f").instantiate()
    assert runtime.instantiate(wasm(RAW_TEXT)).exports.g() == (5, 2.0)


def test_module_functions(runtime: Runtime) -> None:
    """The caller comes first, whoever it is."""

    def raw(module: Module, *args: int) -> tuple[int, int]:
        return len(module.name), len(args)

    def on_stack(module: Module, stack: list[int]) -> None:
        stack[0], stack[1] = len(module.name), 0

    for function in ("raw", "stack"):
        builder = runtime.new_host_module_builder("env").new_function_builder()
        if function == "raw":
            builder.with_raw_module_function(raw, RAW_PARAMS, RAW_RESULTS)
        else:
            builder.with_module_function(on_stack, RAW_PARAMS, RAW_RESULTS)
        host = builder.export("f").instantiate()
        compiled = runtime.compile_module(wasm(RAW_TEXT))
        for name in ("a", "bcd"):
            with runtime.instantiate_module(compiled, ModuleConfig().with_name(name)) as guest:
                assert guest.exports.g()[0] == len(name)
        assert host.exports.f(0, 0, 0.0, 0.0)[0] == len("env")
        host.close()


@pytest.mark.parametrize(
    ("results", "returned", "error"),
    [
        ([I32], None, TypeError),
        ([I32], "1", TypeError),
        ([I32], 1.5, TypeError),
        ([I32], 1 << 32, OverflowError),
        ([F64], "x", TypeError),
        ([I32, I32], 1, TypeError),
        ([I32, I32], (1,), ValueError),
        ([I32, I32], (1, 2, 3), ValueError),
    ],
)
def test_host_functions_that_return_the_wrong_thing(
    results: list[ValueType], returned: Any, error: type[Exception], runtime: Runtime
) -> None:
    """A typed one; the error names no wasm fault, since it is the host's."""

    def typed() -> Any:
        return returned

    typed.__annotations__["return"] = (
        GenericAlias(tuple, tuple(Annotated[Any, r] for r in results))
        if len(results) > 1
        else Annotated[Any, results[0]]
    )
    runtime.new_host_module_builder("env").new_function_builder().with_func(typed).export("f").instantiate()
    names = " ".join(r.name for r in results)
    module = runtime.instantiate(
        wasm(f'(module (import "env" "f" (func $f (result {names}))) (func (export "g") (result {names}) (call $f)))'),
        ANONYMOUS,
    )
    with pytest.raises(error):
        module.exports.g()


def test_reentrancy(runtime: Runtime) -> None:
    """Guest, host and guest again: each level has its own locals, and memory growth inside is seen outside."""
    text = """(module (import "env" "down" (func $down (param i32) (result i32))) (memory (export "memory") 1 100)
      (func (export "f") (param i32) (result i32)
        (i32.store8 (i32.const 5) (local.get 0))
        (if (result i32) (local.get 0)
          (then (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (local.get 0)))
          (else (memory.grow (i32.const 2))))
        (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 9))))"""

    def down(module: Module, n: i32) -> i32:
        result: int = module.exports.f(n)
        return result

    runtime.new_host_module_builder("env").new_function_builder().with_func(down).export("down").instantiate()
    module = runtime.instantiate(wasm(text))
    assert module.exports.f(10) == 1 + sum(range(11))
    assert module.exports.memory.pages == 3
    assert module.exports.memory.read_byte(3 * 65536 - 1) == 9


def test_definitions(runtime: Runtime) -> None:
    compiled = runtime.compile_module(
        wasm("""(module $m (import "env" "f" (func $imported (param i32))) (memory (export "mem") 1 2)
          (func $named (export "a") (export "b") (param $x i32) (param $y i64) (result f32) (f32.const 0)))""")
    )
    (imported,) = compiled.imported_functions
    assert (imported.import_, imported.debug_name) == (("env", "f"), "m.imported")
    exported = compiled.exported_functions
    assert set(exported) == {"a", "b"}
    assert exported["a"].export_names == ("a", "b")
    assert exported["a"].param_names == ("x", "y")
    assert (exported["a"].param_types, exported["a"].result_types) == ((I32, I64), (F32,))
    assert (compiled.exported_memories["mem"].min, compiled.exported_memories["mem"].max) == (1, 2)
