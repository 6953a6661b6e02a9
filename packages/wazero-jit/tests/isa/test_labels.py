"""Code with labels."""

from __future__ import annotations

import pytest

from wazero_jit.isa.labels import Label, LabelledCode


def patch(code: bytearray, end: int, target: int) -> None:
    code[end - 1] = target


def test_branches_are_filled_in_forwards_and_backwards() -> None:
    code = LabelledCode(patch)
    start, end = Label(), Label()
    code(b"ab", b"c")
    code.bind(start)
    code.branch(b"J?", end)
    code.branch(b"J?", start)
    assert code.position == 7
    code.bind(end)
    code(b"d")
    assert code.finish() == b"abcJ\x07J\x03d"


def test_labels_must_be_bound() -> None:
    code = LabelledCode(patch)
    code.branch(b"J?", Label())
    with pytest.raises(AssertionError, match="never bound"):
        code.finish()
