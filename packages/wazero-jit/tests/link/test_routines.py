from __future__ import annotations

import ctypes
import gc
import sys
from typing import Any

import pytest

from wazero_api import Convention, FunctionType, ValueType
from wazero_jit.isa.amd64.assembler import Assembler
from wazero_jit.isa.amd64.encoding import (
    CALL_M,
    LEA,
    MOV_OI,
    MOV_RM,
    MOVD_MR,
    MOVD_RM,
    POP,
    PUSH,
    R12,
    R13,
    R14,
    R15,
    RAX,
    RBP,
    RBX,
    RET,
    RSI,
    RSP,
    Mem,
)
from wazero_jit.link.records import TRAPS, Execution, FunctionRecord

I32, I64, F32, F64 = ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64
NOTHING = FunctionType((), ())


def _trap(kind: int) -> bytes:
    return CALL_M(32, Mem(R13, Execution.traps.offset + 8 * kind))


# Traps


@pytest.mark.parametrize("kind", range(len(TRAPS)))
@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("words", range(3))
def test_a_trap_tells_kind_and_place(native: Any, kind: int, released: bool, words: int) -> None:
    before = (native.release_gil() if released else b"") + LEA(64, RSP, Mem(RSP, -8 * words)) + _trap(kind)
    address = native.place(before)
    function = native.function(FunctionType((I32,), (I32,)), address)
    with pytest.raises(ArithmeticError, match=str(kind)):
        function.entry(5)
    name, trapped, pc, _, context = native.calls[-1]
    assert (name, trapped, pc) == ("trap", kind, address + len(before))
    assert context == ctypes.addressof(function.owner.context[0])
    assert native.execution.depth == native.execution.thread_state == 0


def test_a_trap_gives_the_stack_pointer(native: Any) -> None:
    """From there, Python can read the frames."""
    a = Assembler()
    a(MOV_OI(64, RAX, 0x12345678), PUSH(64, RAX), PUSH(64, RBX), _trap(0))
    found = []

    def look(kind: int, pc: int, sp: int, context: int) -> None:
        found.append(ctypes.c_uint64.from_address(sp + 8).value)
        raise ArithmeticError

    native.raise_trap = look
    with pytest.raises(ArithmeticError):
        native.function(NOTHING, a.finish()).entry()
    assert found == [0x12345678]


def test_a_trap_may_come_with_any_registers(native: Any) -> None:
    """But the execution's: all that Python's caller had is restored."""
    code = b"".join(MOV_OI(64, register, 0xDEAD) for register in (RBX, RBP, R12, R14)) + _trap(1)
    entry = native.function(NOTHING, code).entry
    for _ in range(100):
        with pytest.raises(ArithmeticError):
            entry()


def test_traps_in_nested_calls(native: Any) -> None:
    """Each leaves one entry only."""
    trap = native.function(NOTHING, _trap(2)).entry
    depths = []

    def host(n: int) -> int:
        if n:
            return int(entry(n - 1)) + 1
        with pytest.raises(ArithmeticError):
            trap()
        depths.append(native.execution.depth)
        return 0

    entry = native.through(native.host(FunctionType((I32,), (I32,)), host)).entry
    assert entry(10) == 10
    assert depths == [11]


def test_traps_leak_nothing(native: Any) -> None:
    entry = native.function(FunctionType((I64,), (I64,)), _trap(3)).entry

    def work(count: int) -> None:
        for _ in range(count):
            with pytest.raises(ArithmeticError):
                entry(2**50)
            native.calls.clear()

    work(100)
    gc.collect()
    before = sys.getallocatedblocks()
    work(10_000)
    gc.collect()
    assert sys.getallocatedblocks() - before < 500


# Functions that are not compiled


class Lazy:
    """A function behind a lazy stub; compiling gives it `code`."""

    def __init__(self, native: Any, index: int, type: FunctionType, code: bytes) -> None:
        self.indices: list[int] = []
        self.address = native.place(code)
        self.compile = self.do_compile
        self.function = native.function(type, native.trampolines.lazy_stub(index))
        context, self.record = self.function.owner.context
        context.compile = id(self.compile)
        context.records = self.function.record - index * ctypes.sizeof(FunctionRecord)

    def do_compile(self, index: int) -> None:
        self.indices.append(index)
        if not self.address:
            raise LookupError("cannot compile")
        self.record.code = self.address


@pytest.mark.parametrize("index", [0, 1, 100, 1023, 1024, 5000, 70_000])
def test_a_function_is_compiled_at_its_first_call(native: Any, index: int) -> None:
    lazy = Lazy(native, index, FunctionType((I32,), (I32,)), RET(32))
    assert [lazy.function.entry(i) for i in (5, 6, 7)] == [5, 6, 7]
    assert lazy.indices == [index]


@pytest.mark.parametrize("released", [False, True])
def test_arguments_survive_compiling(native: Any, released: bool) -> None:
    types = (I32, I64, F64, F32, I64, F64, I32, F64, F32, I64, F64, I64)
    values = (1, 2**40, 2.5, 3.5, -(2**40), 1e300, -5, -0.0, 0.25, 7, 8.0, 2**63 - 1)
    lazy = Lazy(native, 3, FunctionType(types, types), RET(32))
    compiling = lazy.compile

    def compile_busily(index: int) -> None:
        sum(float(i) ** 1.5 for i in range(100))
        compiling(index)

    lazy.function.owner.context[0].compile = id(compile_busily)
    assert lazy.function.entry(*values) == values


def test_pins_survive_compiling(native: Any) -> None:
    """They belong to the caller; and the GIL is taken back."""
    lazy = Lazy(native, 0, NOTHING, RET(32))
    pins = (RBX, RBP, R12, 10, 11)
    a = Assembler()
    a(*[PUSH(64, register) for register in pins], native.release_gil())
    a(*[MOV_OI(64, register, 1 << register) for register in pins])
    a(*[MOV_OI(64, RAX, 1 << number + 16) + MOVD_RM(64, number, RAX) for number in range(8, 14)])
    a(PUSH(64, R15), MOV_OI(64, RAX, lazy.function.record), MOV_RM(64, R15, Mem(RAX, FunctionRecord.context.offset)))
    a(CALL_M(32, Mem(RAX, FunctionRecord.code.offset)), POP(64, R15), MOV_OI(32, RSI, 0))
    a(*[LEA(64, RSI, Mem(RSI, 0, register)) for register in pins])
    a(*[MOVD_MR(64, RAX, number) + LEA(64, RSI, Mem(RSI, 0, RAX)) for number in range(8, 14)])
    a(*[POP(64, register) for register in reversed(pins)], RET(32))
    expected = sum(1 << register for register in pins) + sum(1 << number + 16 for number in range(8, 14))
    assert native.function(FunctionType((), (I64,)), a.finish()).entry() == expected
    assert lazy.indices == [0]


def test_an_error_of_compiling_comes_through(native: Any) -> None:
    """As if the caller's call instruction had raised it; another call tries again."""
    lazy = Lazy(native, 0, NOTHING, RET(32))
    address, lazy.address = lazy.address, 0
    a = Assembler()
    a(native.calling(lazy.function))
    after = a.position - len(POP(64, R15))
    a(RET(32))
    caller = native.place(a.finish())
    entry = native.function(NOTHING, caller).entry
    for _ in range(3):
        with pytest.raises(LookupError, match="cannot compile"):
            entry()
        _, error, pc, _, context = native.calls[-1]
        assert isinstance(error, LookupError)
        assert pc == caller + after
        assert context == ctypes.addressof(lazy.function.owner.context[0])
    lazy.address = address
    assert entry() is None


def test_stubs_in_bulk(native: Any) -> None:
    stubs = native.trampolines.lazy_stubs(3000)
    assert stubs.typecode == "Q"
    assert len(stubs) == len(set(stubs)) == 3000
    assert [native.trampolines.lazy_stub(i) for i in range(3000)] == list(stubs)
    assert native.trampolines.lazy_stubs(100) == stubs[:100]
    assert not native.trampolines.lazy_stubs(0)
    stubs[0] = 0
    assert native.trampolines.lazy_stub(0) != 0


# Closed instances


@pytest.mark.parametrize("released", [False, True])
def test_functions_of_closed_instances(native: Any, released: bool) -> None:
    function = native.function(NOTHING, native.routines.closed)
    with pytest.raises(ConnectionError) as caught:
        function.entry()
    assert caught.value.args[0] is function.owner
    a = Assembler()
    a(native.release_gil() if released else b"", native.calling(function))
    after = a.position - len(POP(64, R15))
    caller = native.place(a.finish() + RET(32))
    with pytest.raises(ConnectionError):
        native.function(NOTHING, caller).entry()
    assert native.calls[-1][2] == caller + after
    before = sys.getrefcount(function.owner)
    for _ in range(1000):
        with pytest.raises(ConnectionError):
            function.entry()
    native.calls.clear()
    gc.collect()
    assert sys.getrefcount(function.owner) - before < 5


def test_callbacks_that_should_raise_and_do_not(native: Any) -> None:
    """A bug of ours is a SystemError, no crash."""
    native.raise_trap = native.raise_closed = lambda *_: None
    for code in (_trap(0), native.routines.closed):
        with pytest.raises(SystemError):
            native.function(NOTHING, code).entry()


# Trampolines


def test_trampolines_are_made_once(native: Any) -> None:
    trampolines = native.trampolines
    type = FunctionType((I32,), (I64,))
    assert trampolines.entry(type) == trampolines.entry(FunctionType((I32,), (I64,)))
    assert trampolines.entry(type) != trampolines.entry(NOTHING)
    addresses = {trampolines.host_call(type, c, wants) for c in Convention for wants in (False, True) for _ in range(2)}
    assert len(addresses) == 4
