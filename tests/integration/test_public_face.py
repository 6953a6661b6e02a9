"""The example of the public API, in the design and in the README, runs as it stands there."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

README = Path(__file__).parents[2] / "README.md"

DESIGN = """
from wazero_core import ModuleConfig, Runtime, RuntimeConfig
from wazero_api import i32

with Runtime() as runtime:                                   # RuntimeConfig.compiler() / .interpreter() / .sandbox() to choose
    env = runtime.new_host_module_builder("env")
    @env.function()                                          # or .new_function_builder().with_func(f).export("add"), or .with_raw_function(f, params, results)
    def host_add(a: i32, b: i32) -> i32:
        return a + b
    env.instantiate()

    compiled = runtime.compile_module(wasm)                  # InvalidModuleError, MalformedModuleError with the byte offset
    module = runtime.instantiate_module(compiled, ModuleConfig().with_name("calc"))
    module.exported_function("add")(1, 2)                    # 3; also module.exports.add(1, 2); .call(…, timeout=0.5)
    memory = module.memory                                   # None if there is none
    memory.write(0, b"hi"); memory.read_uint32_le(0)
    numpy.frombuffer(memory.buffer, dtype=numpy.uint8)       # a memoryview: zero copy, valid for the memory's life (3.12+: the memory itself)
"""
"""Copied without a change."""

MODULE = """
(module
  (import "env" "host_add" (func $host_add (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32) (call $host_add (local.get 0) (local.get 1))))
"""


@pytest.fixture
def wasm() -> bytes:
    wasmtime = pytest.importorskip("wasmtime")
    return bytes(wasmtime.wat2wasm(MODULE))


def readme_example() -> str:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    return str(next(block for block in blocks if "host_add" in block))


class Recorder(ast.NodeTransformer):
    """Makes `expression` as a statement into `shown(expression)`."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        call = ast.Call(ast.Name("shown", ast.Load()), [node.value], [])
        return ast.copy_location(ast.Expr(ast.copy_location(call, node)), node)


def run(example: str, **names: Any) -> tuple[dict[str, Any], list[Any]]:
    """Run an example; the names it leaves, and the values of the expressions that stand alone."""
    values: list[Any] = []
    tree = ast.fix_missing_locations(Recorder().visit(ast.parse(example)))
    scope = {"shown": values.append, **names}
    exec(compile(tree, "<example>", "exec", dont_inherit=True), scope)
    return scope, values


def numpy_or_stand_in() -> Any:
    try:
        import numpy  # noqa: ICN001  # as the example calls it
    except ImportError:  # the rest of the example does not need it
        return SimpleNamespace(uint8="B", frombuffer=lambda buffer, dtype: memoryview(buffer).cast(dtype))
    return numpy


@pytest.mark.parametrize("source", ["design", "readme"])
def test_the_example_runs(source: str, wasm: bytes) -> None:
    example = DESIGN if source == "design" else readme_example()
    scope, values = run(example, wasm=wasm, numpy=numpy_or_stand_in())
    assert values[1] == 3, "add(1, 2)"
    assert bytes(values[-1][:3]) == b"hi\0", "the array shows the memory"
    if source == "design":
        assert values[3] == int.from_bytes(b"hi", "little"), "read_uint32_le"
    assert scope["module"].name == "calc"
    assert scope["module"].is_closed
