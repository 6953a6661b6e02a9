"""Everything outside of bodies, and the features that gate what a module may use."""

from __future__ import annotations

import pytest
import wasmtime

from fuzz.binary import (
    ELEMENT,
    END,
    EXPORT,
    GLOBAL,
    I32,
    I64,
    IMPORT,
    MEMORY,
    START,
    TABLE,
    TYPE,
    body,
    export,
    function_type,
    functions,
    leb,
    module,
    name,
    vec,
)
from wazero_api import CORE_FEATURES_V1, CORE_FEATURES_V2, CoreFeatures, InvalidModuleError, ModuleError
from wazero_core import ModuleConfig, Runtime, RuntimeConfig


def compile_with(features: CoreFeatures, wasm: bytes) -> None:
    Runtime(RuntimeConfig.interpreter().with_core_features(features)).compile_module(wasm)


GATED = [
    ("(func (param i32) (result i32) (i32.extend8_s (local.get 0)))", CoreFeatures.SIGN_EXTENSION_OPS),
    (
        "(func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0)))",
        CoreFeatures.NON_TRAPPING_FLOAT_TO_INT_CONVERSION,
    ),
    ("(func (result i32 i32) (i32.const 1) (i32.const 2))", CoreFeatures.MULTI_VALUE),
    ("(type (func (param i32))) (func (i32.const 1) (block (type 0) (drop)))", CoreFeatures.MULTI_VALUE),
    ("(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))", CoreFeatures.BULK_MEMORY_OPERATIONS),
    ("(memory 1) (func (memory.copy (i32.const 0) (i32.const 0) (i32.const 0)))", CoreFeatures.BULK_MEMORY_OPERATIONS),
    pytest.param(
        '(memory 1) (data "x")',
        CoreFeatures.BULK_MEMORY_OPERATIONS,
    ),
    ("(elem func)", CoreFeatures.BULK_MEMORY_OPERATIONS),
    ("(func (param externref))", CoreFeatures.REFERENCE_TYPES),
    ("(func (local externref))", CoreFeatures.REFERENCE_TYPES),
    ("(table 1 externref)", CoreFeatures.REFERENCE_TYPES),
    ("(table 1 funcref) (table 1 funcref)", CoreFeatures.REFERENCE_TYPES),
    ("(table 1 funcref) (func (result i32) (table.size 0))", CoreFeatures.REFERENCE_TYPES),
    ("(func (result i32) (ref.is_null (ref.null func)))", CoreFeatures.REFERENCE_TYPES),
    ("(func (drop (select (result i32) (i32.const 1) (i32.const 1) (i32.const 1))))", CoreFeatures.REFERENCE_TYPES),
    ('(import "m" "g" (global (mut i32)))', CoreFeatures.MUTABLE_GLOBAL),
    ('(global (export "g") (mut i32) (i32.const 0))', CoreFeatures.MUTABLE_GLOBAL),
    ("(global i32 (i32.add (i32.const 1) (i32.const 2)))", CoreFeatures.EXTENDED_CONST),
    ("(memory 1) (memory 1)", CoreFeatures.MULTI_MEMORY),
]


@pytest.mark.parametrize(("text", "feature"), GATED)
def test_features_gate(text: str, feature: CoreFeatures) -> None:
    """What a feature brought is refused by its name without it, and taken with it."""
    wasm = bytes(wasmtime.wat2wasm(f"(module {text})"))
    everything = CORE_FEATURES_V2 | CoreFeatures.EXTENDED_CONST | CoreFeatures.MULTI_MEMORY
    compile_with(everything, wasm)
    with pytest.raises(InvalidModuleError, match=f'"{feature.label}" is disabled'):
        compile_with(everything & ~feature, wasm)


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("(func (param v128))", "simd"),
        ("(memory i64 1)", "memory64"),
        ("(memory 1 1 shared)", "threads"),
        ("(func $f (return_call $f))", "tail-call"),
    ],
)
def test_features_of_later_versions_are_named(text: str, feature: str) -> None:
    wasm = bytes(wasmtime.wat2wasm(f"(module {text})"))
    with pytest.raises(InvalidModuleError, match=f'"{feature}", which this version does not support'):
        compile_with(CoreFeatures((1 << 16) - 1), wasm)


def test_version_1_modules_need_no_feature() -> None:
    wasm = bytes(
        wasmtime.wat2wasm(
            '(module (memory 1) (data (i32.const 0) "x") (func (param f32) (result i32) (i32.trunc_f32_s (local.get 0))))'
        )
    )
    compile_with(CORE_FEATURES_V1, wasm)


GLOBAL_IMPORT = (IMPORT, vec([name("m") + name("g") + b"\3\x7f\0"]))
MUTABLE_IMPORT = (IMPORT, vec([name("m") + name("g") + b"\3\x7f\1"]))


@pytest.mark.parametrize(
    ("wasm", "message"),
    [
        pytest.param(module((EXPORT, vec([export("f", 0)]))), "unknown function 0", id="export of no function"),
        pytest.param(module((EXPORT, vec([export("m", 0, 2)]))), "unknown memory 0", id="export of no memory"),
        pytest.param(
            functions([body(b"")], exports=[export("f", 0)] * 2), "duplicate export name 'f'", id="export twice"
        ),
        pytest.param(functions([body(b"")], type_indices=[1]), "unknown type 1", id="type of a function"),
        pytest.param(
            module((IMPORT, vec([name("m") + name("f") + b"\0\0"]))), "unknown type 0", id="type of an import"
        ),
        pytest.param(
            functions([body(b"")], types=[function_type([I32])], more=[(START, b"\0")]),
            "start function must",
            id="start takes",
        ),
        pytest.param(functions([body(b"")], more=[(START, b"\1")]), "unknown function 1", id="start of nothing"),
        pytest.param(module((MEMORY, vec([b"\0" + leb(65537)]))), "memory size must be at most 65536", id="memory"),
        pytest.param(module((MEMORY, vec([b"\1\1" + leb(65537)]))), "memory size must be at most 65536", id="maximum"),
        pytest.param(module((MEMORY, vec([b"\1\2\1"]))), "size minimum must not be greater than maximum", id="limits"),
        pytest.param(
            module((TABLE, vec([b"\x70\1\2\1"]))), "size minimum must not be greater than maximum", id="table limits"
        ),
        pytest.param(
            module((GLOBAL, vec([b"\x7f\0\x42\0\x0b"]))), "expected i32, but found i64", id="initialiser's type"
        ),
        pytest.param(module((GLOBAL, vec([b"\x7f\0\x0b"]))), "the stack is empty", id="no initialiser"),
        pytest.param(module((GLOBAL, vec([b"\x7f\0\x41\0\x41\0\x0b"]))), "values remaining", id="two initialisers"),
        pytest.param(
            module((GLOBAL, vec([b"\x7f\0\x41\0\x45\x0b"]))),
            "constant expression required, found i32.eqz",
            id="not constant",
        ),
        pytest.param(module((GLOBAL, vec([b"\x7f\0\x23\0\x0b"]))), "unknown global 0", id="a global itself"),
        pytest.param(
            module((GLOBAL, vec([b"\x7f\0\x41\0\x0b", b"\x7f\0\x23\0\x0b"]))),
            "only globals before|unknown global",
            id="own global",
        ),
        pytest.param(
            module(MUTABLE_IMPORT, (GLOBAL, vec([b"\x7f\0\x23\0\x0b"]))), "global 0 is mutable", id="mutable global"
        ),
        pytest.param(module((GLOBAL, vec([b"\x70\0\xd2\0\x0b"]))), "unknown function 0", id="reference to nothing"),
        pytest.param(module((ELEMENT, vec([b"\0\x41\0\x0b\0"]))), "unknown table 0", id="elements without table"),
        pytest.param(
            functions([body(b"")], more=[(TABLE, vec([b"\x6f\0\1"])), (ELEMENT, vec([b"\0\x41\0\x0b\1\0"]))]),
            "element segment of funcref for a table of externref",
            id="elements of another type",
        ),
        pytest.param(
            module((TABLE, vec([b"\x70\0\1"])), (ELEMENT, vec([b"\0\x41\0\x0b\1\0"]))),
            "unknown function 0",
            id="element of nothing",
        ),
        pytest.param(
            module((TABLE, vec([b"\x70\0\1"])), (ELEMENT, vec([b"\0\x42\0\x0b\0"]))),
            "expected i32, but found i64",
            id="element offset",
        ),
        pytest.param(module((11, vec([b"\0\x41\0\x0b\0"]))), "unknown memory 0", id="data without memory"),
        pytest.param(
            module((MEMORY, vec([b"\0\1"])), (11, vec([b"\0\x42\0\x0b\0"]))),
            "expected i32, but found i64",
            id="data offset",
        ),
    ],
)
def test_bad_modules(wasm: bytes, message: str) -> None:
    with pytest.raises(InvalidModuleError, match=message):
        Runtime(RuntimeConfig.interpreter()).compile_module(wasm)


def test_initialisers_may_read_imported_globals() -> None:
    Runtime(RuntimeConfig.interpreter()).compile_module(module(GLOBAL_IMPORT, (GLOBAL, vec([b"\x7f\0\x23\0\x0b"]))))


BAD_BODY = functions([body(b""), body(b"\x6a")], exports=[export("good", 0), export("bad", 1)])


def test_lazy_validation_puts_bodies_off() -> None:
    runtime = Runtime(RuntimeConfig.interpreter().with_lazy_validation(True))
    instance = runtime.instantiate(BAD_BODY, ModuleConfig())
    assert instance.exports.good() is None
    for _ in range(2):
        with pytest.raises(InvalidModuleError, match="the stack is empty") as caught:
            instance.exports.bad()
        assert caught.value.offset == BAD_BODY.rindex(b"\x6a" + END)
    assert instance.exports.good() is None


def test_lazy_validation_still_checks_the_module() -> None:
    runtime = Runtime(RuntimeConfig.interpreter().with_lazy_validation(True))
    with pytest.raises(ModuleError):
        runtime.compile_module(module((EXPORT, vec([export("f", 0)]))))


def test_compile_all_finds_what_was_put_off() -> None:
    compiled = Runtime(RuntimeConfig.interpreter().with_lazy_validation(True)).compile_module(BAD_BODY)
    with pytest.raises(InvalidModuleError):
        compiled.compile_all()


def test_eager_validation_is_the_default() -> None:
    with pytest.raises(InvalidModuleError):
        Runtime(RuntimeConfig.interpreter()).compile_module(BAD_BODY)


def test_types_of_wide_functions_are_checked() -> None:
    with pytest.raises(InvalidModuleError, match="simd"):
        compile_with(CORE_FEATURES_V2, module((TYPE, vec([function_type([I32, I64, 0x7B])]))))
