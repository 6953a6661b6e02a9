"""What the engine tells of the code that it made."""

from __future__ import annotations

from typing import Any

import pytest

from wazero_api import FunctionBody, FunctionType, Listing, Module, ValueType
from wazero_jit import JitEngine, UncheckedBodies, function_body

_reason = JitEngine().probe()
pytestmark = pytest.mark.skipif(_reason is not None, reason=f"the native engine does not work here: {_reason}")

OFFSET = 1000
"""Where the body starts in a binary that there is not."""

COUNT_DOWN = ["loop", ("local.get", 0), ("i32.const", 1), "i32.sub", ("local.tee", 0), ("br_if", 0), "end"]
FOR_EVER = ["loop", ("br", 0), "end"]
NOTHING: list[Any] = []


def new_code(instructions: list[Any]) -> Any:
    body = FunctionBody((), function_body(instructions).code, OFFSET)
    module = Module(types=(FunctionType((ValueType.I32,), ()),), functions=(0,), bodies=(body,))
    engine = JitEngine()
    return engine.compile(module, UncheckedBodies(module, engine.features))


@pytest.mark.parametrize("instructions", [COUNT_DOWN, FOR_EVER, NOTHING])
def test_a_listing_is_all_code_in_order(instructions: list[Any]) -> None:
    code = new_code(instructions)
    listing: Listing = code.listing(0)
    assert listing.language == "amd64"
    assert code.compiled_count == 1
    whole = b""
    for line in listing.lines:
        assert line.position == len(whole)
        assert line.code
        assert isinstance(line.code, bytes)
        whole += line.code
    assert whole == code.function_code(0).code
    offsets = [line.offset for line in listing.lines if line.offset is not None]
    assert offsets == sorted(set(offsets))


@pytest.mark.parametrize(
    ("instructions", "offsets"),
    [
        (COUNT_DOWN, [None, 0, 6, 9, 12, None]),  # begin, loop's poll, subtraction, branch, the function's end, poll
        (FOR_EVER, [None, 0, 2, None]),
        (NOTHING, [None, 0]),
    ],
)
def test_whose_the_code_is(instructions: list[Any], offsets: list[int | None]) -> None:
    lines = new_code(instructions).listing(0).lines
    assert [line.offset if line.offset is None else line.offset - OFFSET for line in lines] == offsets


def test_offsets_of_code() -> None:
    """What stack traces ask for; a poll's code, which is out of line, belongs to the loop that polls."""
    code = new_code(COUNT_DOWN)
    lines = code.listing(0).lines
    loop = OFFSET
    expected = [OFFSET, *(line.offset for line in lines[1:-1]), loop]
    assert [code.binary_offset(0, line.position) for line in lines] == expected
    assert [code.binary_offset(0, line.position + len(line.code) - 1) for line in lines] == expected
