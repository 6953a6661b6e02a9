"""Compiled code: made lazily, dumped and loaded, and shown to people."""

from __future__ import annotations

import gc

import pytest
import wasmtime

from wazero_api import Trap
from wazero_core import CompiledModule, Runtime, RuntimeConfig
from wazero_core.portable.code import PortableCode

TEXT = """(module (import "env" "f" (func)) (memory 1)
  (func $add (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func $fail (export "fail") (param i32) (result i32) (nop) (unreachable)))"""
BINARY = bytes(wasmtime.wat2wasm(TEXT))


def compiled_by(runtime: Runtime) -> tuple[CompiledModule, PortableCode]:
    compiled = runtime.compile_module(BINARY)
    assert isinstance(compiled.code, PortableCode)
    return compiled, compiled.code


def runtime_with_host() -> Runtime:
    runtime = Runtime(RuntimeConfig.interpreter())
    runtime.new_host_module_builder("env").new_function_builder().with_raw_function(lambda: None, [], []).export(
        "f"
    ).instantiate()
    return runtime


def test_nothing_is_compiled_before_the_first_call() -> None:
    runtime = runtime_with_host()
    compiled, code = compiled_by(runtime)
    instance = runtime.instantiate_module(compiled)
    assert not code._compiled
    assert instance.exports.add(2, 3) == 5
    assert set(code._compiled) == {0}


def test_compile_all_reports_progress() -> None:
    compiled, code = compiled_by(Runtime(RuntimeConfig.interpreter()))
    seen: list[tuple[int, int]] = []
    compiled.compile_all(lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    assert set(code._compiled) == {0, 1}


def test_dumped_code_runs_elsewhere() -> None:
    compiled, code = compiled_by(Runtime(RuntimeConfig.interpreter()))
    compiled.compile_all()
    dumped = code.dump()
    runtime = runtime_with_host()
    other, other_code = compiled_by(runtime)
    other_code.load(dumped)
    assert set(other_code._compiled) == {0, 1}
    other_code._compile = None  # type: ignore[assignment,method-assign]  # whoever compiles now fails
    instance = runtime.instantiate_module(other)
    assert instance.exports.add(2, 3) == 5
    with pytest.raises(Trap) as caught:
        instance.exports.fail(0)
    assert caught.value.frames[0].code_offset == BINARY.index(b"\x01\x00\x0b") + 1


def test_loading_keeps_what_is_there() -> None:
    compiled, code = compiled_by(Runtime(RuntimeConfig.interpreter()))
    compiled.compile_all()
    before = dict(code._compiled)
    code.load(code.dump())
    assert code._compiled == before


def test_the_translation_can_be_read() -> None:
    _, code = compiled_by(Runtime(RuntimeConfig.interpreter()))
    source, offsets = code.translation(0)
    assert source.splitlines()[0] == "def f1(l0, l1):"
    assert "l0 + l1" in source
    assert len(offsets) == len(source.splitlines())


def test_the_listing_is_the_translation_by_instructions() -> None:
    _, code = compiled_by(Runtime(RuntimeConfig.interpreter()))
    source, offsets = code.translation(1)
    listing = code.listing(1)
    assert listing.language == "python"
    assert [line.code for line in listing.lines] == source.splitlines()
    assert [line.position for line in listing.lines] == list(range(1, len(listing.lines) + 1))
    assert [line.offset for line in listing.lines] == [None, *offsets[1:]]
    assert not code._compiled


def test_equal_types_are_one_object() -> None:
    """So that call_indirect can compare with `is`, across modules of one runtime."""
    runtime = Runtime(RuntimeConfig.interpreter())
    (_, first), (_, second) = compiled_by(runtime), compiled_by(runtime)
    assert first.types[1] is second.types[1]


def test_importers_call_the_compiled_function_itself() -> None:
    """Once an imported function is compiled, calls from another module go straight to it."""
    runtime = Runtime(RuntimeConfig.interpreter())
    exporter = runtime.instantiate(bytes(wasmtime.wat2wasm('(module $a (func (export "f") (result i32) i32.const 1))')))
    importer = runtime.instantiate(
        bytes(
            wasmtime.wat2wasm(
                '(module (import "a" "f" (func $f (result i32))) (func (export "g") (result i32) (call $f)))'
            )
        )
    )
    assert importer.exports.g() == 1
    assert importer.exports.g() == 1
    linked = importer.state._linked
    assert linked is not None
    assert linked.namespace["f0"] is exporter.state.functions[0].code  # type: ignore[attr-defined]


def test_what_is_imported_does_not_remember_importers_that_are_gone() -> None:
    """Neither a host function nor a function nobody has called yet may keep anything of short-lived instances."""
    runtime = Runtime(RuntimeConfig.interpreter())
    builder = runtime.new_host_module_builder("host")
    builder.new_function_builder().with_raw_function(lambda: None, [], []).export("h")
    builder.instantiate()
    exporter = runtime.instantiate(bytes(wasmtime.wat2wasm('(module $a (func (export "f")))')))
    compiled = runtime.compile_module(
        bytes(wasmtime.wat2wasm('(module (import "a" "f" (func)) (import "host" "h" (func)))'))
    )

    def objects_after(instances: int) -> int:
        for _ in range(instances):
            runtime.instantiate_module(compiled).close()
        gc.collect()
        return len(gc.get_objects())

    objects_after(10)
    before = objects_after(10)
    assert objects_after(200) - before < 100
    exporter.close()
