"""What typical pieces look like: each row is what a reader of the manual would write. Correctness is tested elsewhere."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from wazero_jit.isa.amd64.encoding import R8, RBX, RDI, RSI
from wazero_jit.isa.amd64.templates import Templates
from wazero_jit.registers.operands import FLOAT, SLOT

from .harness import signed_leb

capstone = pytest.importorskip("capstone", reason="capstone, the disassembler, is not installed")

GUARDED = Templates()
CHECKED = Templates(guarded=False)

S1, S2, S3 = SLOT + 1, SLOT + 2, SLOT + 3
X1, X2, X3 = FLOAT + 1, FLOAT + 2, FLOAT + 3


def i32(value: int) -> bytes:
    return b"\x41" + signed_leb(value)


def i64(value: int) -> bytes:
    return b"\x42" + signed_leb(value)


def f64(value: float) -> bytes:
    return b"\x44" + struct.pack("<d", value)


# fmt: off
ROWS: list[tuple[tuple[Any, ...], tuple[Any, ...], str]] = [
    # Addition in all placements
    (("i32.add",), (RSI, RDI, RBX), "lea ebx, [rsi + rdi]"),
    (("i32.add",), (RSI, RDI, RSI), "add esi, edi"),
    (("i32.add",), (RSI, RDI, RDI), "add edi, esi"),
    (("i32.add",), (RSI, RSI, RSI), "add esi, esi"),
    (("i32.add",), (RSI, i32(5), RBX), "lea ebx, [rsi + 5]"),
    (("i32.add",), (RSI, i32(5), RSI), "add esi, 5"),
    (("i32.add",), (i32(-1), RSI, RSI), "dec esi"),
    (("i32.add",), (RSI, i32(128), RSI), "sub esi, -0x80"),
    (("i32.add",), (RSI, S1, RBX), "mov ebx, esi; add ebx, dword ptr [rsp + 8]"),
    (("i32.add",), (S1, S2, RBX), "mov ebx, dword ptr [rsp + 8]; add ebx, dword ptr [rsp + 0x10]"),
    (("i32.add",), (S1, i32(5), S1), "add dword ptr [rsp + 8], 5"),
    (("i32.add",), (S1, RDI, S1), "add dword ptr [rsp + 8], edi"),
    (("i32.add",), (RSI, RDI, S3), "lea eax, [rsi + rdi]; mov qword ptr [rsp + 0x18], rax"),
    (("i64.add",), (RSI, i64(1 << 40), RBX), "movabs rbx, 0x10000000000; add rbx, rsi"),
    # Arithmetic with constants
    (("i32.sub",), (RSI, i32(8), RBX), "lea ebx, [rsi - 8]"),
    (("i32.sub",), (i32(0), RSI, RSI), "neg esi"),
    (("i32.sub",), (RSI, RDI, RDI), "neg edi; add edi, esi"),
    (("i32.mul",), (RSI, i32(5), RBX), "lea ebx, [rsi + rsi*4]"),
    (("i32.mul",), (RSI, i32(16), RSI), "shl esi, 4"),
    (("i32.mul",), (S1, i32(100), RBX), "imul ebx, dword ptr [rsp + 8], 0x64"),
    (("i32.and",), (RSI, i32(255), RBX), "movzx ebx, sil"),
    (("i64.and",), (RSI, i64(0xFFFFFFFF), RBX), "mov ebx, esi"),
    (("i64.and",), (RSI, i64(1), RSI), "and esi, 1"),
    (("i64.xor",), (RSI, i64(-1), RSI), "not rsi"),
    (("i64.or",), (RSI, i64(-1 << 63), RSI), "bts rsi, 0x3f"),
    (("i32.shl",), (RSI, i32(33), RSI), "add esi, esi"),
    (("i32.shr_u",), (RSI, i32(1), RSI), "shr esi, 1"),
    (("i64.rotl",), (RSI, RDI, RBX), "mov ecx, edi; mov rbx, rsi; rol rbx, cl"),
    # Division
    (("i32.div_u",), (RSI, i32(8), RSI), "shr esi, 3"),
    (("i32.rem_u",), (RSI, i32(8), RBX), "mov ebx, esi; and ebx, 7"),
    (("i32.div_u",), (RSI, i32(10), RBX), "movabs rax, 0x199999999999999a; mul rsi; mov ebx, edx"),
    (("i32.rem_s",), (RSI, RDI, RBX),
     ("test edi, edi; jne 8; call qword ptr [r13 + 0x18]; mov eax, esi; cmp edi, -1; jne 0x13; xor edx, edx; jmp 0x16; "
      "cdq; idiv edi; mov ebx, edx")),
    # Memory
    (("i32.load", None, 16), (RSI, RBX), "mov ebx, dword ptr [r14 + rsi + 0x10]"),
    (("i32.load", None, 16), (i32(1024), RBX), "mov ebx, dword ptr [r14 + 0x410]"),
    (("i64.load8_u", None, 0), (RSI, RBX), "movzx ebx, byte ptr [r14 + rsi]"),
    (("f64.load", None, 8), (RSI, X1), "movsd xmm1, qword ptr [r14 + rsi + 8]"),
    (("i32.store8", None, 0), (RSI, i32(255)), "mov byte ptr [r14 + rsi], 0xff"),
    (("f64.store", None, 0), (RSI, f64(0)), "mov qword ptr [r14 + rsi], 0"),
    # Comparisons
    (("i32.lt_s",), (RSI, RDI, RBX), "xor ebx, ebx; cmp esi, edi; setl bl"),
    (("i32.eqz",), (RSI, RSI), "test esi, esi; sete al; movzx esi, al"),
    (("branch_if", "i32.lt_s"), (RSI, i32(0)), "test esi, esi; jl 8"),
    (("branch_if", "i32.lt_s"), (i32(7), S1), "cmp dword ptr [rsp + 8], 7; jg 0xb"),
    (("branch_unless",), (RSI,), "test esi, esi; je 8"),
    (("branch_if", "f64.lt"), (X1, X2), "ucomisd xmm2, xmm1; ja 0xa"),
    (("branch_unless", "f64.lt"), (X1, X2), "ucomisd xmm2, xmm1; jbe 0xa"),
    (("branch_if", "f64.eq"), (X1, X2), "ucomisd xmm1, xmm2; jp 0xc; je 0xc"),
    (("branch_if", "f64.ne"), (X1, X2), "ucomisd xmm1, xmm2; jp 8; je 0xd; jmp 0xd"),
    (("select",), (RSI, RDI, RBX, RSI), "test ebx, ebx; cmove rsi, rdi"),
    (("select",), (RSI, RDI, RBX, R8), "test ebx, ebx; mov r8, rsi; cmove r8, rdi"),
    (("select", "i32.lt_s"), (RSI, RDI, RDI, RSI, RSI), "cmp esi, edi; cmovl rsi, rdi"),
    # Floating point
    (("f64.add",), (X1, X2, X1), "addsd xmm1, xmm2"),
    (("f64.add",), (X1, X2, X2), "addsd xmm2, xmm1"),
    (("f64.mul",), (X1, S1, X3), "movaps xmm3, xmm1; mulsd xmm3, qword ptr [rsp + 8]"),
    (("f64.sqrt",), (X1, X1), "sqrtsd xmm1, xmm1"),
    (("f64.sqrt",), (X1, X2), "xorps xmm2, xmm2; sqrtsd xmm2, xmm1"),
    (("f64.abs",), (X1, X1), "pcmpeqd xmm15, xmm15; psrlq xmm15, 1; andps xmm1, xmm15"),
    (("f64.convert_i32_u",), (RSI, X1), "xorps xmm1, xmm1; cvtsi2sd xmm1, rsi"),
    (("i32.trunc_f64_u",), (X1, RSI),
     ("cvttsd2si rsi, xmm1; mov ecx, esi; cmp rcx, rsi; je 0x1a; ucomisd xmm1, xmm1; jp 0x16; "
      "call qword ptr [r13 + 0x20]; call qword ptr [r13 + 0x28]")),
    # Moves
    (("move",), (RSI, RBX), "mov rbx, rsi"),
    (("move",), (i32(-1), RBX), "mov ebx, 0xffffffff"),
    (("move",), (f64(0), X1), "xorps xmm1, xmm1"),
    (("move",), (i32(7), S1), "mov qword ptr [rsp + 8], 7"),
    (("global.get", 16), (RSI,), "mov rax, qword ptr [r15 + 0x10]; mov rsi, qword ptr [rax]"),
]
# fmt: on


def listing(code: bytes) -> str:
    instructions = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64).disasm(code, 0)
    return "; ".join(f"{instruction.mnemonic} {instruction.op_str}".strip() for instruction in instructions)


@pytest.mark.parametrize(("memo", "key", "wanted"), ROWS)
def test_listing(memo: tuple[Any, ...], key: tuple[Any, ...], wanted: str) -> None:
    assert listing(GUARDED.memo(*memo)[key]) == wanted


def test_checked_access() -> None:
    assert listing(CHECKED.memo("i32.load", 8, 16)[RSI, RBX]) == (
        "mov rcx, qword ptr [r15 + 8]; lea rax, [rsi + 0x14]; cmp rax, qword ptr [rcx + 8]; jbe 0x12; "
        "call qword ptr [r13 + 0x30]; mov rcx, qword ptr [rcx]; mov ebx, dword ptr [rcx + rax - 4]"
    )
