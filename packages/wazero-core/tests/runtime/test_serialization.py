"""Compiled modules as bytes and pickles: what is in them, who may load them, and what becomes of them elsewhere."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
import wasmtime

from wazero_api import (
    CORE_FEATURES_V1,
    CoreFeatures,
    InvalidModuleError,
    MalformedModuleError,
    UnsupportedError,
    UntrustedCodeError,
)
from wazero_core import CompilationCache, CompiledModule, ModuleConfig, Runtime, RuntimeConfig
from wazero_core.runtime.serialization import Snapshot, pack, unpack

KEY = b"known to few"
ANONYMOUS = ModuleConfig().with_name("")
TEXT = """(module $calc
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "extend") (param i32) (result i32) (i32.extend8_s (local.get 0))))"""
WASM = bytes(wasmtime.wat2wasm(TEXT))
SNAPSHOT = Snapshot(WASM, "here and now", b"code", is_validated=True)


@pytest.fixture(params=["portable", "jit"])
def engine(request: pytest.FixtureRequest) -> str:
    try:
        Runtime(RuntimeConfig(engine=request.param))
    except UnsupportedError as error:
        pytest.skip(str(error))
    return str(request.param)


@pytest.fixture
def runtime(engine: str) -> Iterator[Runtime]:
    with Runtime(RuntimeConfig(engine=engine)) as runtime:
        yield runtime


def half_compiled(runtime: Runtime) -> CompiledModule:
    compiled = runtime.compile_module(WASM)
    compiled.code.compile_functions([0])
    return compiled


# The form


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("snapshot", [SNAPSHOT, Snapshot(b"", ""), SNAPSHOT._replace(is_validated=False, code=b"")])
def test_there_and_back(snapshot: Snapshot, key: bytes | None) -> None:
    assert unpack(pack(snapshot, key), key, allow_untrusted=key is None) == snapshot
    assert unpack(pack(snapshot, key), None, allow_untrusted=True) == snapshot


@pytest.mark.parametrize("key", [None, KEY])
def test_every_changed_byte_is_seen(key: bytes | None) -> None:
    data = pack(SNAPSHOT, key)
    untouched = unpack(data, None, allow_untrusted=True)
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x10
        if key is not None:
            with pytest.raises(UntrustedCodeError):
                unpack(bytes(changed), key, allow_untrusted=False)
        if position < len(data) - (32 if key else 0):
            try:  # only what flags say is not guarded by the checksum: who may change it is trusted
                assert unpack(bytes(changed), None, allow_untrusted=True)[:3] == untouched[:3]
            except MalformedModuleError:
                pass


@pytest.mark.parametrize(
    "data", [b"", b"\0asm\1\0\0\0", b"wazero", pack(SNAPSHOT, None)[:-1], pack(SNAPSHOT, KEY)[:-1]]
)
def test_what_is_no_serialised_module(data: bytes) -> None:
    with pytest.raises(MalformedModuleError, match="a serialised module"):
        unpack(data, None, allow_untrusted=True)


@pytest.mark.parametrize(
    ("signed_with", "key", "message"),
    [
        (None, None, "give the key that this one was signed with, or allow_untrusted=True"),
        (KEY, None, "give the key that this one was signed with, or allow_untrusted=True"),
        (None, KEY, "not signed with this key"),
        (b"another", KEY, "not signed with this key"),
    ],
)
def test_what_nobody_vouches_for(signed_with: bytes | None, key: bytes | None, message: str, runtime: Runtime) -> None:
    data = half_compiled(runtime).serialize(signed_with)
    with pytest.raises(UntrustedCodeError, match=message):
        runtime.deserialize(data, key=key)
    assert runtime.deserialize(data, key=key, allow_untrusted=True).code.compiled_count == 1


def test_an_empty_key_is_none(runtime: Runtime) -> None:
    compiled = runtime.compile_module(WASM)
    with pytest.raises(ValueError, match="an empty key"):
        compiled.serialize(b"")
    with pytest.raises(ValueError, match="an empty key"):
        runtime.deserialize(compiled.serialize(KEY), key=b"")


# Runtimes


def test_another_runtime_has_the_code(runtime: Runtime, engine: str) -> None:
    data = half_compiled(runtime).serialize(KEY)
    other = Runtime(RuntimeConfig(engine=engine))
    compiled = other.deserialize(memoryview(data), key=KEY)
    assert compiled.name == "calc"
    assert compiled.code.compiled_count == 1
    assert compiled.validator.has_checked_bodies
    assert other.instantiate_module(compiled).exports.add(2, 3) == 5


def test_another_environment_has_the_module_only(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    data = half_compiled(runtime).serialize(KEY)
    monkeypatch.setattr("wazero_core.runtime.engines.__version__", "99")
    compiled = runtime.deserialize(data, key=KEY)
    assert compiled.code.compiled_count == 0
    assert runtime.instantiate_module(compiled).exports.add(2, 3) == 5


def test_the_receiver_decides_on_features(runtime: Runtime, engine: str) -> None:
    data = half_compiled(runtime).serialize(KEY)
    config = RuntimeConfig(engine=engine).with_core_features(CORE_FEATURES_V1)
    with pytest.raises(InvalidModuleError):
        Runtime(config).deserialize(data, key=KEY)
    compiled = Runtime(config.with_lazy_validation(True)).deserialize(data, key=KEY)
    with pytest.raises(InvalidModuleError):
        compiled.compile_all()


def test_code_that_the_engine_cannot_read_is_left_out(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = half_compiled(runtime)
    monkeypatch.setattr(type(compiled.code), "dump", lambda self: b"no code")
    restored = runtime.deserialize(compiled.serialize(KEY), key=KEY)
    assert restored.code.compiled_count == 0
    assert runtime.instantiate_module(restored).exports.add(2, 3) == 5


def test_what_came_as_bytes_is_cached_too(runtime: Runtime, engine: str) -> None:
    data = half_compiled(runtime).serialize(KEY)
    config = RuntimeConfig(engine=engine).with_compilation_cache(CompilationCache())
    with Runtime(config) as first:
        first.deserialize(data, key=KEY)
        first.close()
        assert Runtime(config).compile_module(WASM).code.compiled_count == 1


# Pickles


def test_a_pickle_has_all(runtime: Runtime, engine: str) -> None:
    restored: CompiledModule = pickle.loads(pickle.dumps(half_compiled(runtime)))
    assert restored.wasm == WASM
    assert restored.engine.name == engine
    assert restored.code.compiled_count == 1
    assert restored.validator.has_checked_bodies
    assert runtime.instantiate_module(restored).exports.add(2, 3) == 5


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies(runtime: Runtime, duplicate: Any) -> None:
    copied = duplicate(half_compiled(runtime))
    assert runtime.instantiate_module(copied).exports.add(2, 3) == 5


def test_the_first_runtime_gets_what_comes_from_a_pickle(runtime: Runtime) -> None:
    restored: CompiledModule = pickle.loads(pickle.dumps(half_compiled(runtime)))
    runtime.instantiate_module(restored)
    assert restored.engine is runtime.engine
    assert restored.code.compiled_count == 1


def test_pickles_of_pickles(runtime: Runtime) -> None:
    restored: CompiledModule = pickle.loads(pickle.dumps(half_compiled(runtime)))
    again: CompiledModule = pickle.loads(pickle.dumps(restored))
    assert again.code.compiled_count == 1
    assert pickle.loads(pickle.dumps(again)).code.compiled_count == 1


def test_a_pickle_keeps_features_and_custom_sections(engine: str) -> None:
    features = CORE_FEATURES_V1 | CoreFeatures.SIGN_EXTENSION_OPS
    runtime = Runtime(RuntimeConfig(engine=engine).with_core_features(features).with_custom_sections(True))
    wasm = WASM + b"\0\6\4noteX"
    restored: CompiledModule = pickle.loads(pickle.dumps(runtime.compile_module(wasm)))
    assert restored.validator.features == features
    assert [section.name for section in restored.custom_sections] == ["note"]


def test_a_pickle_of_what_was_not_validated_is_validated_when_it_is_compiled(engine: str) -> None:
    config = RuntimeConfig(engine=engine, lazy_validation=True, core_features=CORE_FEATURES_V1)
    restored: CompiledModule = pickle.loads(pickle.dumps(Runtime(config).compile_module(WASM)))
    restored.code.compile_functions([0])
    with pytest.raises(InvalidModuleError):
        restored.compile_all()


def test_an_engine_that_is_not_there_is_replaced(runtime: Runtime) -> None:
    restore, (data, _, *rest) = half_compiled(runtime).__reduce__()
    restored = restore(data, "an engine of another machine", *rest)
    assert restored.engine.probe() is None
    assert runtime.instantiate_module(restored).exports.add(2, 3) == 5


def call_add(compiled: CompiledModule, a: int, b: int) -> tuple[int, int]:
    """In another process: how many functions were compiled already, and the sum."""
    with Runtime(RuntimeConfig(engine=compiled._engine_name)) as runtime:
        module = runtime.instantiate_module(compiled, ANONYMOUS)
        return compiled.code.compiled_count, module.exports.add(a, b)


def test_other_processes_get_the_code(runtime: Runtime) -> None:
    compiled = half_compiled(runtime)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(call_add, [compiled] * 3, [1, 2, 3], [10, 20, 30])) == [(1, 11), (1, 22), (1, 33)]


# Modules of other runtimes


def test_a_module_of_another_runtime_shares_its_functions_types(runtime: Runtime, engine: str) -> None:
    """Code is made for the runtime's own engine: a function from a table of one module is called by another."""
    callee = bytes(
        wasmtime.wat2wasm(
            """(module $callee (table (export "t") 1 funcref) (elem (i32.const 0) $f)
            (func $f (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))"""
        )
    )
    caller = bytes(
        wasmtime.wat2wasm(
            """(module $caller (import "callee" "t" (table 1 funcref)) (type $t (func (param i32) (result i32)))
            (func (export "go") (param i32) (result i32) (call_indirect (type $t) (local.get 0) (i32.const 0))))"""
        )
    )
    elsewhere = Runtime(RuntimeConfig(engine=engine)).compile_module(caller)
    elsewhere.compile_all()
    runtime.instantiate(callee)
    assert runtime.instantiate_module(elsewhere).exports.go(21) == 42
    assert runtime._code_of(elsewhere) is not elsewhere.code
    assert runtime._code_of(elsewhere) is runtime._code_of(elsewhere)
    assert runtime._code_of(elsewhere).compiled_count == 1


def test_modules_go_from_engine_to_engine() -> None:
    try:
        runtimes = [Runtime(RuntimeConfig(engine=name)) for name in ("portable", "jit")]
    except UnsupportedError as error:
        pytest.skip(str(error))
    for ours, theirs in (runtimes, runtimes[::-1]):
        compiled = half_compiled(theirs)
        assert ours.instantiate_module(compiled, ANONYMOUS).exports.add(2, 3) == 5
        restored = ours.deserialize(compiled.serialize(KEY), key=KEY)
        assert ours.instantiate_module(restored, ANONYMOUS).exports.add(2, 3) == 5


def test_one_binding_wins(runtime: Runtime, engine: str) -> None:
    others = [Runtime(RuntimeConfig(engine=engine)) for _ in range(4)]
    restored: CompiledModule = pickle.loads(pickle.dumps(half_compiled(runtime)))
    sums: list[int] = []

    def use(other: Runtime) -> None:
        sums.append(other.instantiate_module(restored, ANONYMOUS).exports.add(2, 3))

    threads = [threading.Thread(target=use, args=(other,)) for other in others * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == [5] * 8
    assert sum(restored.engine is other.engine for other in others) == 1
