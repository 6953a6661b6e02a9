"""Whatever a guest passes, it gets a number: no exception, no wait, no byte outside what it named."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from wazero_wasi import signatures
from wazero_wasi.errnos import NAMES

SIZE = 1 << 16
EDGES = (0, 1, 2, 3, 4, 7, 8, 1 << 10, SIZE - 8, SIZE - 1, SIZE, SIZE + 1, 1 << 31, (1 << 32) - 8, (1 << 32) - 1)
WIDE_EDGES = (*EDGES, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
ROUNDS = 400


@pytest.mark.parametrize("name", [row.name for row in signatures.TABLE if row.name != "proc_exit"])
@pytest.mark.parametrize("filling", ["zeros", "noise", "paths"])
def test_any_arguments_give_an_errno(guest: Any, tmp_path: Path, name: str, filling: str) -> None:
    choices = random.Random(f"{name} {filling}")
    data = {"zeros": bytes(SIZE), "noise": choices.randbytes(SIZE), "paths": b"../dir/./to_file\0x" * (SIZE // 18)}[
        filling
    ]
    function = guest.functions[name]
    outside = sorted(tmp_path.parent.iterdir())
    start = time.monotonic()
    for _ in range(ROUNDS):
        guest.memory.buffer[: len(data)] = data
        args = [
            choices.choice(WIDE_EDGES if type_.name == "i64" else EDGES)
            if choices.random() < 0.7
            else choices.randrange(1 << (64 if type_.name == "i64" else 32))
            for type_ in function.type.params
        ]
        result = function.callable(guest, *args)
        assert 0 <= result < len(NAMES), args
        if 3 not in guest.system.files:
            break
    assert time.monotonic() - start < 30
    assert sorted(tmp_path.parent.iterdir()) == outside
