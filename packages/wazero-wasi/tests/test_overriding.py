"""Single functions of WASI replaced by the embedder's own, the others as they are."""

from __future__ import annotations

from typing import Any, Final

import pytest

import wazero_wasi
from integration.runtimes import NAMED_ENGINES, new_runtime, wasm
from wazero_api import LinkError, i32
from wazero_core import Module, ModuleConfig

GUEST: Final = """
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\08\\00\\00\\00")
  (func (export "main") (result i32)
    (i32.or
      (call $random (i32.const 16) (i32.const 8))
      (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))))
"""


@pytest.mark.parametrize("engine", NAMED_ENGINES)
def test_own_random_bytes(engine: str) -> None:
    output = bytearray()
    with new_runtime(engine) as runtime:
        builder = wazero_wasi.export_functions(runtime.new_host_module_builder("wasi_snapshot_preview1"))

        @builder.function("random_get")  # type: ignore[untyped-decorator]
        def random_get(module: Module, buf: i32, buf_len: i32) -> i32:
            assert module.memory is not None
            module.memory.write(buf, b"r" * buf_len)
            return 0

        builder.instantiate()
        module: Any = runtime.instantiate(wasm(GUEST), ModuleConfig().with_stdout(output))
        assert module.exports.main() == 0
    assert output == b"rrrrrrrr"


@pytest.mark.parametrize("engine", NAMED_ENGINES)
def test_an_errno_of_ones_own(engine: str) -> None:
    with new_runtime(engine) as runtime:
        builder = wazero_wasi.export_functions(runtime.new_host_module_builder("wasi_snapshot_preview1"))
        builder.new_function_builder().with_raw_function(lambda *args: 76, [i32] * 2, [i32]).export("random_get")
        builder.instantiate()
        module: Any = runtime.instantiate(wasm(GUEST))
        assert module.exports.main() == 76


def test_one_that_does_not_fit_is_a_link_error() -> None:
    with new_runtime("portable") as runtime:
        builder = wazero_wasi.export_functions(runtime.new_host_module_builder("wasi_snapshot_preview1"))
        builder.new_function_builder().with_raw_function(lambda: None, [], []).export("random_get")
        builder.instantiate()
        with pytest.raises(LinkError, match="random_get"):
            runtime.instantiate(wasm(GUEST))


def test_under_another_name() -> None:
    """As the first version, or as whatever name the guest imports from."""
    with new_runtime("portable") as runtime:
        wazero_wasi.export_functions(runtime.new_host_module_builder("wasi"), "wasi_unstable").instantiate()
        guest = (
            '(module (import "wasi" "sched_yield" (func $f (result i32))) (func (export "f") (result i32) (call $f)))'
        )
        module: Any = runtime.instantiate(wasm(guest))
        assert module.exports.f() == 0


def test_a_name_that_wasi_never_had() -> None:
    with new_runtime("portable") as runtime, pytest.raises(ValueError, match="imported as"):
        wazero_wasi.export_functions(runtime.new_host_module_builder("wasi"), "wasi")
