"""Modules made by hand, without a runtime."""

from __future__ import annotations

import gc
import math
import os
import re
import subprocess
import sys
import weakref
from collections.abc import Iterable
from pathlib import Path
from types import BuiltinFunctionType
from typing import Any

import pytest

from wazero_api import (
    Convention,
    DataSegment,
    DeadlineExceededError,
    ElementSegment,
    ExhaustionError,
    Export,
    ExternKind,
    FunctionType,
    GlobalDefinition,
    GlobalType,
    HostFunction,
    Import,
    InvalidModuleError,
    Limits,
    LinkError,
    MemoryType,
    Module,
    Names,
    SegmentMode,
    TableDefinition,
    TableType,
    Trap,
    TrapKind,
    UnsupportedError,
    ValueType,
)
from wazero_jit import JitEngine, JitModule, constant_expression, function_body

I32, I64, F32, F64 = ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64
ROOT = Path(__file__).parents[3]

_reason = JitEngine().probe()
pytestmark = pytest.mark.skipif(_reason is not None, reason=f"the native engine does not work here: {_reason}")


def i32_const(value: int) -> Any:
    return constant_expression([("i32.const", value)])


def one_function(params: Iterable[ValueType], results: Iterable[ValueType], body: Iterable[Any], **more: Any) -> Module:
    return Module(
        types=(FunctionType(tuple(params), tuple(results)),),
        functions=(0,),
        bodies=(function_body(body),),
        exports=(Export("f", ExternKind.FUNCTION, 0),),
        **more,
    )


def memory(pages: int = 1, **more: Any) -> JitModule:
    return JitModule(
        Module(memories=(MemoryType(Limits(pages, pages)),), exports=(Export("m", ExternKind.MEMORY, 0),), **more)
    )


# Calls


def test_a_function_is_a_builtin() -> None:
    f = JitModule(one_function([I32], [I32], [("local.get", 0), ("i32.const", 1), "i32.add"])).exports["f"]
    assert isinstance(f, BuiltinFunctionType)
    assert f(41) == 42
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        f(1, 2)


def test_several_functions_call_each_other() -> None:
    """fib, and what calls it."""
    fib: list[Any] = [
        *(("local.get", 0), ("i32.const", 2), "i32.lt_s", ("if", I32), ("local.get", 0), "else"),
        *(("local.get", 0), ("i32.const", 1), "i32.sub", ("call", 0)),
        *(("local.get", 0), ("i32.const", 2), "i32.sub", ("call", 0), "i32.add", "end"),
    ]
    module = JitModule(
        Module(
            types=(FunctionType((I32,), (I32,)), FunctionType((), (I32, F64))),
            functions=(0, 1),
            bodies=(function_body(fib), function_body([("i32.const", 20), ("call", 0), ("f64.const", math.pi)])),
            exports=(Export("both", ExternKind.FUNCTION, 1),),
        )
    )
    assert module.exports["both"]() == (6765, math.pi)


def test_compiled_ahead() -> None:
    module = JitModule(one_function([], [], [("br", 7)]))
    with pytest.raises(InvalidModuleError, match="there is no label 7"):
        module.compile_all()
    good = JitModule(one_function([], [], []))
    good.compile_all()
    assert good.exports["f"]() is None


def test_the_number_of_bodies() -> None:
    with pytest.raises(InvalidModuleError, match="0 bodies were given for 1 functions"):
        JitModule(Module(types=(FunctionType((), ()),), functions=(0,)))


# Traps


def test_a_trap_names_the_place() -> None:
    names = Names("math", {0: "divide"})
    divide = JitModule(
        one_function([I64, I64], [I64], [("local.get", 0), ("local.get", 1), "i64.div_s"], names=names)
    ).exports["f"]
    assert divide(-7, 2) == -3
    with pytest.raises(Trap) as raised:
        divide(1, 0)
    assert raised.value.kind is TrapKind.INTEGER_DIVIDE_BY_ZERO
    (frame,) = raised.value.frames
    assert (frame.module_name, frame.function_name, frame.function_index, frame.code_offset) == ("math", "divide", 0, 4)


def test_an_endless_loop_meets_its_deadline() -> None:
    f = JitModule(one_function([], [], ["loop", ("br", 0), "end"])).exports["f"]
    with pytest.raises(DeadlineExceededError), JitEngine().deadline(0.05):
        f()


def test_endless_recursion() -> None:
    with pytest.raises(ExhaustionError):
        JitModule(one_function([], [], [("call", 0)])).exports["f"]()


def test_out_of_bounds() -> None:
    f = JitModule(
        one_function([I32], [I32], [("local.get", 0), ("i32.load", 4)], memories=(MemoryType(Limits(1)),))
    ).exports["f"]
    assert f(65528) == 0
    for address in (65529, -1):
        with pytest.raises(Trap, match="out of bounds memory access"):
            f(address)


# Memories, tables, globals


def test_memory_and_data() -> None:
    data = (
        DataSegment(SegmentMode.ACTIVE, b"abc", 0, i32_const(65533)),
        DataSegment(SegmentMode.PASSIVE, b"later"),
    )
    copy = [("i32.const", 1), ("i32.const", 2), ("i32.const", 3), ("memory.init", 1)]
    module = JitModule(one_function([], [], copy, memories=(MemoryType(Limits(1)),), data=data))
    assert module.memory.buffer[65530:].tobytes() == b"\0\0\0abc"
    module.exports["f"]()
    assert module.memory.buffer[:5].tobytes() == b"\0ter\0"
    assert JitModule(one_function([], [], [])).memory is None


@pytest.mark.parametrize("address", [65534, -1])
def test_data_that_does_not_fit(address: int) -> None:
    with pytest.raises(Trap, match="out of bounds memory access by a segment"):
        memory(data=(DataSegment(SegmentMode.ACTIVE, b"abc", 0, i32_const(address)),))


def test_the_views_of_a_memory_stay() -> None:
    grow = JitModule(
        one_function([I32], [I32], [("local.get", 0), "memory.grow"], memories=(MemoryType(Limits(1, 3)),))
    )
    view = grow.memory.buffer
    view[7] = 9
    assert [grow.exports["f"](pages) for pages in (2, 1)] == [1, -1]
    assert (len(grow.memory.buffer), grow.memory.buffer[7]) == (3 * 65536, 9)


def test_a_table_of_functions() -> None:
    def table(segments: tuple[ElementSegment, ...]) -> JitModule:
        return JitModule(
            Module(
                types=(FunctionType((), (I32,)), FunctionType((I32,), (I32,))),
                functions=(0, 0, 1),
                tables=(TableDefinition(TableType(ValueType.FUNCREF, Limits(4))),),
                elements=segments,
                bodies=(
                    function_body([("i32.const", 10)]),
                    function_body([("i32.const", 11)]),
                    function_body([("local.get", 0), ("call_indirect", 0)]),
                ),
                exports=(Export("t", ExternKind.TABLE, 0), Export("call", ExternKind.FUNCTION, 2)),
            )
        )

    by_expression = (constant_expression([("ref.func", 1)]), constant_expression([("ref.null", ValueType.FUNCREF)]))
    module = table(
        (
            ElementSegment(SegmentMode.ACTIVE, ValueType.FUNCREF, (0, 1), offset=i32_const(1)),
            ElementSegment(SegmentMode.ACTIVE, ValueType.FUNCREF, (), by_expression, offset=i32_const(0)),
        )
    )
    assert [module.exports["call"](index) for index in (0, 2)] == [11, 11]
    assert module.exports["t"][2]() == 11
    for index, kind in ((1, TrapKind.UNINITIALIZED_ELEMENT), (4, TrapKind.UNDEFINED_ELEMENT)):
        with pytest.raises(Trap) as raised:
            module.exports["call"](index)
        assert raised.value.kind is kind
    with pytest.raises(Trap, match="out of bounds table access by a segment"):
        table((ElementSegment(SegmentMode.ACTIVE, ValueType.FUNCREF, (0, 1), offset=i32_const(3)),))


@pytest.mark.parametrize(
    ("type", "instruction", "value"),
    [
        (I32, ("i32.const", 0xFFFFFFFF), -1),
        (I64, ("i64.const", 1 << 62), 1 << 62),
        (F32, ("f32.const", 0.5), 0.5),
        (F64, ("f64.const", -0.1), -0.1),
        (ValueType.EXTERNREF, ("ref.null", ValueType.EXTERNREF), None),
    ],
)
def test_globals(type: ValueType, instruction: Any, value: Any) -> None:
    first = GlobalDefinition(GlobalType(type, True), constant_expression([instruction]))
    second = GlobalDefinition(GlobalType(type, True), constant_expression([("global.get", 0)]))
    module = JitModule(
        one_function([], [type], [("global.get", 1)], globals=(first, second)),
    )
    assert module.exports["f"]() == value


def test_an_initialiser_that_is_no_constant() -> None:
    sum_ = constant_expression([("i32.const", 1), ("i32.const", 2), "i32.add"])
    with pytest.raises(UnsupportedError, match=r"an initialiser must be one constant instruction"):
        JitModule(Module(globals=(GlobalDefinition(GlobalType(I32, False), sum_),)))


# Imports

CALLS = (Import("env", "host", ExternKind.FUNCTION, type_index=0),)


def caller(*imports: Import) -> Module:
    """Its function f has the type of the import `host` and calls it."""
    return Module(
        types=(FunctionType((I32, F64), (F64,)),),
        imports=CALLS + imports,
        functions=(0,),
        bodies=(function_body([("local.get", 0), ("local.get", 1), ("call", 0)]),),
        exports=(Export("f", ExternKind.FUNCTION, 1), Export("host", ExternKind.FUNCTION, 0)),
    )


def test_a_python_function_as_import() -> None:
    module = JitModule(caller(), {"env": {"host": lambda count, value: count * value}})
    assert module.exports["f"](-3, 1.5) == -4.5
    assert module.exports["host"](2, 2.0) == 4.0

    def fail(count: int, value: float) -> float:
        raise KeyError(count)

    with pytest.raises(KeyError, match="7"):
        JitModule(caller(), {"env": {"host": fail}}).exports["f"](7, 0.0)


def test_a_host_function_that_knows_its_caller() -> None:
    seen = []

    def host(module: Any, count: int, bits: int) -> int:
        seen.append((module, count, bits))
        return bits

    function = HostFunction("host", FunctionType((I32, F64), (F64,)), host, Convention.RAW, wants_module=True)
    module = JitModule(caller(), {"env": {"host": function}})
    assert module.exports["f"](-1, 1.0) == 1.0
    assert seen == [(module, 0xFFFFFFFF, 0x3FF0000000000000)]


def test_what_another_module_exports() -> None:
    store: list[Any] = [("i32.const", 8), ("local.get", 1), "f64.store", ("local.get", 1), ("global.get", 0), "f64.add"]
    one = JitModule(
        Module(
            types=(FunctionType((I32, F64), (F64,)),),
            functions=(0,),
            memories=(MemoryType(Limits(1, 2)),),
            globals=(GlobalDefinition(GlobalType(F64, True), constant_expression([("f64.const", 0.5)])),),
            bodies=(function_body(store),),
            exports=(
                Export("host", ExternKind.FUNCTION, 0),
                Export("m", ExternKind.MEMORY, 0),
                Export("g", ExternKind.GLOBAL, 0),
            ),
        )
    )
    wanted = (
        Import("env", "m", ExternKind.MEMORY, MemoryType(Limits(1, 2))),
        Import("env", "g", ExternKind.GLOBAL, GlobalType(F64, True)),
    )
    two = JitModule(caller(*wanted), {"env": one.exports})
    one.exports["g"].set(0.25)
    assert two.exports["f"](0, 3.0) == 3.25
    assert two.memory is one.memory
    assert two.memory.buffer[8:16].cast("d")[0] == 3.0


@pytest.mark.parametrize(
    ("imports", "message"),
    [
        ({}, "unknown import: nothing is given for env.host"),
        ({"env": {}}, "unknown import: nothing is given for env.host"),
        (
            {"env": {"host": HostFunction("host", FunctionType((), ()), print)}},
            "incompatible import type: env.host is () -> (), not (i32 f64) -> (f64)",
        ),
    ],
)
def test_imports_that_do_not_fit(imports: Any, message: str) -> None:
    with pytest.raises(LinkError) as raised:
        JitModule(caller(), imports)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("kind", "type"),
    [
        (ExternKind.MEMORY, MemoryType(Limits(2))),
        (ExternKind.MEMORY, MemoryType(Limits(1, 1))),
        (ExternKind.TABLE, TableType(ValueType.EXTERNREF, Limits(0))),
        (ExternKind.TABLE, TableType(ValueType.FUNCREF, Limits(0, 5))),
        (ExternKind.GLOBAL, GlobalType(I64, False)),
        (ExternKind.GLOBAL, GlobalType(I32, True)),
    ],
)
def test_imports_of_other_types(kind: ExternKind, type: Any) -> None:
    given = JitModule(
        Module(
            memories=(MemoryType(Limits(1, 2)),),
            tables=(TableDefinition(TableType(ValueType.FUNCREF, Limits(1))),),
            globals=(GlobalDefinition(GlobalType(I32, False), i32_const(0)),),
            exports=tuple(
                Export(kind.name, kind, 0) for kind in (ExternKind.MEMORY, ExternKind.TABLE, ExternKind.GLOBAL)
            ),
        )
    ).exports
    for value in (given[kind.name], object()):
        with pytest.raises(LinkError, match=r"incompatible import type: env\.x"):
            JitModule(Module(imports=(Import("env", "x", kind, type),)), {"env": {"x": value}})


# Life


def test_the_start_function() -> None:
    started = []
    JitModule(
        Module(types=(FunctionType((), ()),), imports=(Import("a", "b", ExternKind.FUNCTION),), start=0),
        {"a": {"b": lambda: started.append(1)}},
    )
    assert started == [1]


def test_an_export_is_enough() -> None:
    module = JitModule(one_function([], [I32], [("i32.const", 0), "i32.load"], memories=(MemoryType(Limits(1)),)))
    f, gone = module.exports["f"], weakref.ref(module)
    module.memory.buffer[0] = 5
    del module
    gc.collect()
    assert gone() is None
    assert f() == 5


def test_what_nobody_holds_goes() -> None:
    def instances() -> int:
        gc.collect()
        return sum(type(thing).__name__ == "JitCode" for thing in gc.get_objects())

    before = instances()
    for value in range(50):
        assert JitModule(one_function([], [I32], [("i32.const", value)])).exports["f"]() == value
    assert instances() == before


# Without wazero-core


def run_alone(*arguments: str) -> str:
    """The output of Python, in a process where nothing can be imported but the two packages and the standard library."""
    folders = [str(ROOT / "packages" / name / "src") for name in ("wazero-api", "wazero-jit")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(folders)}
    done = subprocess.run(
        [sys.executable, "-S", "-s", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_only_two_packages_are_there() -> None:
    code = "from importlib.util import find_spec as f; print([n for n in 'api core jit wasi gojs'.split() if f(f'wazero_{n}')])"
    assert run_alone("-c", code) == "['api', 'jit']\n"


def test_the_example() -> None:
    lines = run_alone(str(ROOT / "examples" / "expressions" / "expressions.py")).splitlines()
    assert lines[0] == "native 16.0, Python 16.0"
    assert [line.split()[0] for line in lines[1:]] == ["compiled", "100,000", "100,000"]


def blocks() -> list[str]:
    readme = (ROOT / "packages" / "wazero-jit" / "README.md").read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)


def test_the_code_of_the_readme_runs(tmp_path: Path) -> None:
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks()), "utf-8")
    assert run_alone(str(script)) == ""


def test_the_readme_shows_the_example() -> None:
    example = (ROOT / "examples" / "expressions" / "expressions.py").read_text("utf-8")
    shown = [block for block in blocks() if "def " in block]
    assert shown
    for definition in re.split(r"\n\n\n(?=def )", "\n\n\n".join(block.strip() for block in shown))[1:]:
        assert definition in example
