"""Compiles arithmetic expressions to machine code with wazero-jit alone, and says what that gains.

    python -m pip install wazero-jit
    python examples/expressions/expressions.py

The code of packages/wazero-jit/README.md is this file's.
"""

from __future__ import annotations

import ast
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wazero_api import Export, ExternKind, FunctionType, Limits, MemoryType, Module, ValueType
from wazero_jit import JitModule, function_body

F64 = ValueType.F64
OPERATORS = {ast.Add: "f64.add", ast.Sub: "f64.sub", ast.Mult: "f64.mul", ast.Div: "f64.div"}


def instructions(node: ast.expr, names: Sequence[str]) -> Iterator[Any]:
    """Leave the expression's value on the stack; variables are the function's parameters."""
    match node:
        case ast.BinOp(left, operator, right) if type(operator) in OPERATORS:
            yield from instructions(left, names)
            yield from instructions(right, names)
            yield OPERATORS[type(operator)]
        case ast.UnaryOp(ast.USub(), operand):
            yield from instructions(operand, names)
            yield "f64.neg"
        case ast.Constant(int() | float() as value):
            yield "f64.const", value
        case ast.Name(name) if name in names:
            yield "local.get", names.index(name)
        case _:
            raise SyntaxError(f"not an arithmetic expression of {', '.join(names)}: {ast.unparse(node)}")


def compile_expression(text: str, names: Sequence[str]) -> Callable[..., float]:
    """A native function of the expression's variables."""
    tree = ast.parse(text, mode="eval").body
    module = Module(
        types=(FunctionType((F64,) * len(names), (F64,)),),
        functions=(0,),  # function 0 has type 0
        bodies=(function_body(instructions(tree, names)),),
        exports=(Export("expression", ExternKind.FUNCTION, 0),),
    )
    function: Callable[..., float] = JitModule(module).exports["expression"]
    return function


def over_rows(column_count: int, stride: int) -> Iterator[Any]:
    """Call function 0 for each row, with values from columns that are `stride` bytes apart; results go behind the last.

    Local 0 is the parameter, how many bytes a column has, and local 1 how many of them are done.
    """
    yield from ("block", "loop")
    yield from (("local.get", 1), ("local.get", 0), "i32.ge_u", ("br_if", 1))
    yield "local.get", 1  # the address for f64.store, below the value
    for column in range(column_count):
        yield from (("local.get", 1), ("f64.load", column * stride))
    yield from (("call", 0), ("f64.store", column_count * stride))
    yield from (("local.get", 1), ("i32.const", 8), "i32.add", ("local.set", 1))
    yield from (("br", 0), "end", "end")


def compile_query(text: str, names: Sequence[str], row_count: int) -> Callable[..., Any]:
    """A function from columns (arrays of float) to the column of the expression's values."""
    tree = ast.parse(text, mode="eval").body
    width, stride = len(names), row_count * 8
    pages = -(-stride * (width + 1) // 65536)
    module = Module(
        types=(FunctionType((F64,) * width, (F64,)), FunctionType((ValueType.I32,), ())),
        functions=(0, 1),
        memories=(MemoryType(Limits(pages, pages)),),
        bodies=(
            function_body(instructions(tree, names)),
            function_body(over_rows(width, stride), local_types=[ValueType.I32]),
        ),
        exports=(Export("run", ExternKind.FUNCTION, 1),),
    )
    native = JitModule(module)
    run = native.exports["run"]
    *columns, result = (native.memory.buffer[i * stride :][:stride].cast("d") for i in range(width + 1))

    def query(*values: Any) -> Any:
        for column, content in zip(columns, values, strict=True):
            column[:] = memoryview(content)
        run(stride)
        return result

    return query


def _seconds(function: Callable[[], object], count: int) -> float:
    """The least time of a call."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(count):
            function()
        best = min(best, time.perf_counter() - start)
    return best / count


def main() -> None:
    """Print results and times, beside those of the same expression in Python."""
    text, names = "x * x + 2 * y - 1", ["x", "y"]
    native = compile_expression(text, names)
    python = eval(f"lambda x, y: {text}")
    print(f"native {native(3.0, 4.0)}, Python {python(3.0, 4.0)}")
    seconds = _seconds(lambda: compile_expression(text, names)(3.0, 4.0), 100)
    print(f"compiled and called once: {seconds * 1e6:.0f} µs")

    rows = 100_000
    x, y = (array("d", (start + i / 8 for i in range(rows))) for start in (0, 7))
    query = compile_query(text, names, rows)
    in_python = eval(f"lambda xs, ys: array('d', [{text} for x, y in zip(xs, ys)])", {"array": array})
    assert query(x, y).tolist() == in_python(x, y).tolist()
    for what, run in (("native", query), ("Python", in_python)):
        seconds = _seconds(lambda run=run: run(x, y), 5)  # type: ignore[misc]
        print(f"{rows:,} rows, {what}: {seconds * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
