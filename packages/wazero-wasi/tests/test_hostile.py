"""Whatever a guest passes, it gets a number: no exception but its own exit, no wait, no byte outside what it named."""

from __future__ import annotations

import random
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from wazero_api.errors import ExitError
from wazero_api.host import HostFunction
from wazero_core.runtime.module_config import ModuleConfig
from wazero_wasi import signatures
from wazero_wasi.errnos import NAMES

SIZE = 1 << 16
EDGES = (0, 1, 2, 3, 4, 7, 8, 1 << 10, SIZE - 8, SIZE - 1, SIZE, SIZE + 1, 1 << 31, (1 << 32) - 8, (1 << 32) - 1)
WIDE_EDGES = (*EDGES, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
ROUNDS = 400


def arguments(function: HostFunction, choices: random.Random) -> list[int]:
    """Some for each parameter, most of them where things change."""
    return [
        choices.choice(WIDE_EDGES if type_.name == "i64" else EDGES)
        if choices.random() < 0.7
        else choices.randrange(1 << (64 if type_.name == "i64" else 32))
        for type_ in function.type.params
    ]


@pytest.mark.parametrize("name", [row.name for row in signatures.TABLE if row.name != "proc_exit"])
@pytest.mark.parametrize("filling", ["zeros", "noise", "paths"])
def test_any_arguments_give_an_errno(guest: Any, tmp_path: Path, name: str, filling: str) -> None:
    choices = random.Random(f"{name} {filling}")
    data = {"zeros": bytes(SIZE), "noise": choices.randbytes(SIZE), "paths": b"../dir/./to_file\0x" * (SIZE // 18)}[
        filling
    ]
    function = guest.functions[name]
    outside = sorted(tmp_path.parent.iterdir())
    ends: list[tuple[str, int]] = []
    start = time.monotonic()
    for _ in range(ROUNDS):
        guest.memory.buffer[: len(data)] = data
        args = arguments(function, choices)
        try:
            result = function.callable(guest, *args)
        except ExitError as error:
            ends.append((name, error.exit_code - args[0]))
            continue
        assert 0 <= result < len(NAMES), args
        if 3 not in guest.system.files:
            break
    assert time.monotonic() - start < 30
    assert set(ends) <= {("proc_raise", 128)}
    assert sorted(tmp_path.parent.iterdir()) == outside


@pytest.mark.parametrize("name", [row.name for row in signatures.TABLE if row.name.startswith("sock_")])
def test_any_arguments_for_sockets_give_an_errno(new_guest: Any, name: str) -> None:
    """A listener and a connection that has something to read; both told not to wait."""
    choices = random.Random(name)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        guest = new_guest(ModuleConfig().with_listener(listener))
        with socket.create_connection(listener.getsockname()) as client:
            assert guest.call("sock_accept", 3, 4, 0) == "ESUCCESS"
            assert guest.call("fd_fdstat_set_flags", 3, 4) == "ESUCCESS"
            client.sendall(b"x" * 100)
            guest.memory.buffer[:] = choices.randbytes(SIZE // 2) + bytes(SIZE // 2)
            for _ in range(ROUNDS):
                args = [choices.choice((3, 4)), *arguments(guest.functions[name], choices)[1:]]
                assert 0 <= guest.functions[name].callable(guest, *args) < len(NAMES), args
