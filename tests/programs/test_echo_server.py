"""A server in C, compiled to WASI by a real compiler, answers real clients."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wazero_wasi
from integration.runtimes import new_runtime
from wazero_core import ModuleConfig, RuntimeConfig

SOURCE = str(Path(__file__).parent / "sources" / "echo-server-c" / "main.c")
DATA = bytes(range(256)) * 600
"""150 KB: more than one call of the server takes."""


class Server:
    """The program in a thread of its own."""

    def __init__(self, engine: str, wasm: Path, listener: socket.socket) -> None:
        self.address = listener.getsockname()
        self.output = bytearray()
        self.errors = bytearray()
        self.failure: BaseException | None = None
        self._engine = engine
        self._wasm = wasm
        self._config = ModuleConfig().with_listener(listener).with_stdout(self.output).with_stderr(self.errors)
        self._thread: threading.Thread | None = None

    def start(self, *args: str) -> None:
        self._thread = threading.Thread(target=self._run, args=args)
        self._thread.start()

    def _run(self, *args: str) -> None:
        try:
            with new_runtime(self._engine, RuntimeConfig().with_lazy_validation(True)) as runtime:
                wazero_wasi.instantiate(runtime)
                runtime.instantiate(self._wasm, self._config.with_args("server", *args), timeout=60)
        except BaseException as error:
            self.failure = error

    def join(self) -> None:
        assert self._thread is not None
        self._thread.join(70)
        assert self.failure is None, self.errors.decode()

    def echo(self, data: bytes) -> bytes:
        """What a new client gets back."""
        with socket.create_connection(self.address, timeout=60) as client:
            sender = threading.Thread(target=self._send, args=(client, data))
            sender.start()
            received = bytearray()
            while part := client.recv(1 << 16):
                received += part
            sender.join(60)
        return bytes(received)

    @staticmethod
    def _send(client: socket.socket, data: bytes) -> None:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)


@pytest.fixture
def server(engine: str, program: Callable[..., Path]) -> Iterator[Any]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Server(engine, program(SOURCE), listener)
        assert listener.fileno() >= 0
        assert listener.getblocking()


def test_clients_one_after_another(server: Server) -> None:
    server.start("blocking", "3")
    for data in (b"hello", b"", DATA):
        assert server.echo(data) == data
    server.join()
    assert server.output == b"served 1\nserved 2\nserved 3\n"


def test_clients_all_at_once(server: Server) -> None:
    """One of them sends nothing for as long as the others are served."""
    server.start("poll", "6")
    while b"ready" not in server.output:
        assert server.failure is None
    answers: list[bytes] = []
    with socket.create_connection(server.address, timeout=60) as idle:
        threads = [threading.Thread(target=lambda: answers.append(server.echo(DATA))) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        idle.sendall(b"late")
        assert idle.recv(9) == b"late"
    server.join()
    assert answers == [DATA] * 5
    assert server.output == b"ready\nserved 6\n"
