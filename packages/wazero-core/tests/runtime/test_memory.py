"""Memory from Python's side: typed access within bounds, and views that stay."""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import wasmtime

from wazero_api import MemoryAccessError
from wazero_core import Memory, Module, Runtime, RuntimeConfig

TEXT = """(module (memory (export "memory") 1 4) (data (i32.const 0) "\\01\\02\\03\\04\\05\\06\\07\\08")
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))"""
SIZE = 65536


@pytest.fixture
def module() -> Iterator[Module]:
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        yield runtime.instantiate(bytes(wasmtime.wat2wasm(TEXT)))


@pytest.fixture
def memory(module: Module) -> Memory:
    assert module.memory is not None
    return module.memory


READS: list[tuple[Callable[[Memory, int], Any], int, Any]] = [
    (Memory.read_byte, 1, 0x01),
    (Memory.read_uint16_le, 2, 0x0201),
    (Memory.read_uint32_le, 4, 0x04030201),
    (Memory.read_uint64_le, 8, 0x0807060504030201),
    (Memory.read_float32_le, 4, struct.unpack("<f", bytes([1, 2, 3, 4]))[0]),
    (Memory.read_float64_le, 8, struct.unpack("<d", bytes(range(1, 9)))[0]),
    (lambda m, offset: m.read(offset, 3), 3, b"\1\2\3"),
    (lambda m, offset: bytes(m.view(offset, 3)), 3, b"\1\2\3"),
]
READ_IDS = ["byte", "uint16", "uint32", "uint64", "float32", "float64", "read", "view"]

WRITES: list[tuple[Callable[[Memory, int], Any], bytes]] = [
    (lambda m, offset: m.write_byte(offset, 0xFE), b"\xfe"),
    (lambda m, offset: m.write_uint16_le(offset, 0xFEDC), b"\xdc\xfe"),
    (lambda m, offset: m.write_uint32_le(offset, 0xFEDCBA98), b"\x98\xba\xdc\xfe"),
    (lambda m, offset: m.write_uint64_le(offset, 0xFEDCBA9876543210), bytes.fromhex("1032547698badcfe")),
    (lambda m, offset: m.write_float32_le(offset, -1.5), struct.pack("<f", -1.5)),
    (lambda m, offset: m.write_float64_le(offset, 0.1), struct.pack("<d", 0.1)),
    (lambda m, offset: m.write(offset, b"abc"), b"abc"),
    (lambda m, offset: m.write(offset, np.array([1, 2], dtype="<u2")), b"\1\0\2\0"),
    (lambda m, offset: m.write_string(offset, "é!"), "é!".encode()),
]
WRITE_IDS = ["byte", "uint16", "uint32", "uint64", "float32", "float64", "bytes", "array", "string"]


@pytest.mark.parametrize(("read", "width", "value"), READS, ids=READ_IDS)
def test_reads(read: Callable[[Memory, int], Any], width: int, value: Any, memory: Memory) -> None:
    assert read(memory, 0) == value
    memory.write(SIZE - width, bytes(range(1, 9))[:width])
    assert read(memory, SIZE - width) == value


@pytest.mark.parametrize(("read", "width", "value"), READS, ids=READ_IDS)
@pytest.mark.parametrize("offset", [-1, -SIZE, SIZE, SIZE + 1, 1 << 32, 1 << 64, -(1 << 64)])
def test_reads_out_of_range(
    read: Callable[[Memory, int], Any], width: int, value: Any, offset: int, memory: Memory
) -> None:
    with pytest.raises(MemoryAccessError, match="outside of the memory, which has 65536 bytes"):
        read(memory, offset)
    if width > 1:
        with pytest.raises(MemoryAccessError):
            read(memory, SIZE - width + 1)


@pytest.mark.parametrize(("write", "data"), WRITES, ids=WRITE_IDS)
def test_writes(write: Callable[[Memory, int], Any], data: bytes, memory: Memory) -> None:
    for offset in (100, SIZE - len(data)):
        write(memory, offset)
        assert memory.read(offset, len(data)) == data
        assert memory.read_byte(offset - 1) == 0


@pytest.mark.parametrize(("write", "data"), WRITES, ids=WRITE_IDS)
@pytest.mark.parametrize("offset", [-1, -3, SIZE, 1 << 64])
def test_writes_out_of_range_touch_nothing(
    write: Callable[[Memory, int], Any], data: bytes, offset: int, memory: Memory
) -> None:
    before = bytes(memory.buffer)
    offsets = [offset] if len(data) == 1 else [offset, SIZE - len(data) + 1]
    for bad in offsets:
        with pytest.raises(MemoryAccessError):
            write(memory, bad)
    assert bytes(memory.buffer) == before


@pytest.mark.parametrize(
    "write",
    [
        lambda m: m.write_byte(0, 256),
        lambda m: m.write_byte(0, -1),
        pytest.param(lambda m: m.write_uint16_le(0, 1 << 16)),
        pytest.param(lambda m: m.write_uint32_le(0, -1)),
        pytest.param(lambda m: m.write_uint64_le(0, 1 << 64)),
        pytest.param(lambda m: m.write_float32_le(0, 1e39)),
    ],
)
def test_values_that_do_not_fit(write: Callable[[Memory], None], memory: Memory) -> None:
    before = bytes(memory.buffer)
    with pytest.raises(OverflowError):
        write(memory)
    assert bytes(memory.buffer) == before


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m.write_byte(0, "1"),
        pytest.param(lambda m: m.write_uint16_le(0, 1.0)),
        pytest.param(lambda m: m.write_uint32_le(0, None)),
        pytest.param(lambda m: m.write_uint64_le(0, "1")),
        pytest.param(lambda m: m.write_float32_le(0, "1")),
        pytest.param(lambda m: m.write_float64_le(0, None)),
        lambda m: m.grow(1.5),
        lambda m: m.grow("1"),
    ],
)
def test_values_of_another_type(use: Callable[[Memory], None], memory: Memory) -> None:
    before = bytes(memory.buffer)
    with pytest.raises(TypeError):
        use(memory)
    assert bytes(memory.buffer) == before
    assert (memory.grow(1), memory.pages) == (1, 2)


def test_nothing_can_be_read_anywhere_up_to_the_end(memory: Memory) -> None:
    assert memory.read(SIZE, 0) == b""
    memory.write(SIZE, b"")
    with pytest.raises(MemoryAccessError):
        memory.read(SIZE + 1, 0)
    with pytest.raises(MemoryAccessError):
        memory.read(10, -1)


def test_special_floats(memory: Memory) -> None:
    memory.write_float32_le(0, math.inf)
    memory.write_float64_le(8, math.nan)
    assert memory.read_float32_le(0) == math.inf
    assert math.isnan(memory.read_float64_le(8))


def test_growth(module: Module, memory: Memory) -> None:
    assert (memory.pages, memory.size, len(memory)) == (1, SIZE, SIZE)
    assert memory.grow(0) == 1
    assert memory.grow(2) == 1
    assert module.exports.grow(1) == 3
    assert (memory.pages, len(memory.buffer)) == (4, 4 * SIZE)
    assert memory.grow(1) is None
    assert module.exports.grow(1) == -1
    assert memory.read_byte(4 * SIZE - 1) == 0
    with pytest.raises(ValueError, match="cannot shrink"):
        memory.grow(-1)
    assert memory.grow(1 << 70) is None


def test_views_survive_growth(module: Module, memory: Memory) -> None:
    """An old view shows the same bytes as new ones, in both directions, but not more than it did."""
    whole, part = memory.buffer, memory.view(100, 4)
    assert module.exports.grow(3) == 1
    module.exports.store(101, 77)
    assert (whole[101], part[1]) == (77, 77)
    part[0] = 9
    assert module.exports.load(100) == 9
    assert (len(whole), len(part)) == (SIZE, 4)


def test_views_survive_closing() -> None:
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        module = runtime.instantiate(bytes(wasmtime.wat2wasm(TEXT)))
        assert module.memory is not None
        view = module.memory.view(0, 4)
    assert bytes(view) == b"\1\2\3\4"


def test_numpy_sees_the_bytes(module: Module, memory: Memory) -> None:
    array = np.frombuffer(memory.buffer, dtype="<u4")
    assert array[0] == 0x04030201
    array[1] = 5
    assert module.exports.load(4) == 5


@pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 688 came with Python 3.12")
def test_is_a_buffer(memory: Memory) -> None:
    assert bytes(memoryview(memory)[:4]) == b"\1\2\3\4"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 688 came with Python 3.12")
def test_an_array_over_the_memory_outlives_the_module(module: Module, memory: Memory) -> None:
    array = np.frombuffer(memory, dtype="u1")  # type: ignore[call-overload]
    module.close()
    assert array[0] in (0, 1)


def test_a_view_can_be_released(module: Module, memory: Memory) -> None:
    with memory.buffer as view:
        assert view[0] == 1
    assert module.exports.load(0) == 1


def test_the_buffer_method_gives_all_bytes(memory: Memory) -> None:
    view = memory.__buffer__(0)
    assert view.format == "B"
    assert not view.readonly
    assert len(view) == SIZE


def test_a_memory_of_no_pages() -> None:
    module = Runtime(RuntimeConfig.interpreter()).instantiate(
        bytes(wasmtime.wat2wasm('(module (memory 0 1) (func (export "f") (result i32) (i32.load (i32.const 0))))'))
    )
    assert module.memory is not None
    assert (len(module.memory), bytes(module.memory.buffer)) == (0, b"")
    with pytest.raises(MemoryAccessError):
        module.memory.read_byte(0)
    with pytest.raises(Exception, match="out of bounds memory access"):
        module.exports.f()
    assert module.memory.grow(1) == 0
    assert module.exports.f() == 0


def test_no_memory() -> None:
    assert Runtime(RuntimeConfig.interpreter()).instantiate(b"\0asm\1\0\0\0").memory is None
