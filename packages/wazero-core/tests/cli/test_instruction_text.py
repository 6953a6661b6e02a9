"""Instructions as the text format writes them."""

from __future__ import annotations

import pytest

from wazero_core.binary.instructions import decode_instruction
from wazero_core.cli.instruction_text import instruction_text


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("6a", "i32.add"),
        ("20 ac02", "local.get 300"),
        ("41 7f", "i32.const -1"),
        ("42 80808080808080808000", "i64.const 0"),
        ("43 0000c03f", "f32.const 1.5"),
        ("44 000000000000f0ff", "f64.const -inf"),
        ("44 000000000000f87f", "f64.const nan:0x8000000000000"),
        ("43 0100a0ff", "f32.const -nan:0x200001"),
        ("02 40", "block"),
        ("03 7c", "loop (result f64)"),
        ("04 05", "if (type 5)"),
        ("0e 03 00 01 02 03", "br_table 0 1 2 3"),
        ("10 07", "call 7"),
        ("11 02 00", "call_indirect (type 2)"),
        ("11 02 01", "call_indirect 1 (type 2)"),
        ("28 02 00", "i32.load"),
        ("28 00 08", "i32.load offset=8 align=1"),
        ("37 43 01 00", "i64.store 1"),
        ("3f 00", "memory.size"),
        ("40 01", "memory.grow 1"),
        ("fc08 02 00", "memory.init 2"),
        ("fc08 02 01", "memory.init 1 2"),
        ("fc0a 01 02", "memory.copy 1 2"),
        ("1b", "select"),
        ("1c 01 6f", "select (result externref)"),
        ("d0 70", "ref.null func"),
        ("d0 03", "ref.null 3"),
        ("d2 04", "ref.func 4"),
        ("fd0c 00000000 01000000 02000000 ffffffff", "v128.const i32x4 0x00000000 0x00000001 0x00000002 0xffffffff"),
        ("fd15 0f", "i8x16.extract_lane_s 15"),
        ("fd54 00 04 03", "v128.load8_lane offset=4 3"),
        ("1f 40 03 00 01 02 02 03 03 04", "try_table (catch 1 2) (catch_all 3) (catch_all_ref 4)"),
    ],
)
def test_the_text(token: str, text: str) -> None:
    assert instruction_text(decode_instruction(bytes.fromhex(token))) == text
