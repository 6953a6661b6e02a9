"""A guest that waits in every way there is, and the files that it waits for."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import wazero_wasi
from integration.runtimes import new_runtime, wasm
from wazero_core import Module, ModuleConfig, Runtime, RuntimeConfig
from wazero_core.system import FileEntry, HostFile

CLOCK, FD_READ, FD_WRITE = range(3)
WALL, MONOTONIC = range(2)
WAIT_ALL: Final = 2
SECOND: Final = 1_000_000_000
SUBSCRIPTIONS: Final = 1 << 16
EVENTS: Final = 1 << 17
NEVENTS: Final = 16
BUFFER: Final = 1 << 10

GUEST: Final = """
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 36)
  (func $vector (param $size i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (local.get $size)))
  (func (export "read") (param $fd i32) (result i32)
    (call $vector (i32.const 64))
    (call $read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16)))
  (func (export "write") (param $fd i32) (param $size i32) (result i32)
    (call $vector (local.get $size))
    (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16)))
  (func (export "write_on") (param $fd i32) (param $size i32) (result i32) (local $errno i32)
    (call $vector (local.get $size))
    (loop
      (local.set $errno (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16)))
      (br_if 0 (i32.eqz (local.get $errno))))
    (local.get $errno))
  (func (export "poll") (param $count i32) (result i32)
    (call $poll (i32.const 65536) (i32.const 131072) (local.get $count) (i32.const 16)))
  (func (export "accept") (param $fd i32) (result i32)
    (call $accept (local.get $fd) (i32.const 0) (i32.const 16)))
  (func (export "recv") (param $fd i32) (param $flags i32) (result i32)
    (call $vector (i32.const 64))
    (call $recv (local.get $fd) (i32.const 0) (i32.const 1) (local.get $flags) (i32.const 16) (i32.const 20)))
  (func (export "send_on") (param $fd i32) (param $size i32) (result i32) (local $errno i32)
    (call $vector (local.get $size))
    (loop
      (local.set $errno (call $send (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 16)))
      (br_if 0 (i32.eqz (local.get $errno))))
    (local.get $errno))
  (func (export "answer") (result i32) (i32.const 42)))
"""


def clock(userdata: int, timeout: int, clock_id: int = MONOTONIC, *, absolute: bool = False) -> bytes:
    return struct.pack("<QB7xI4xQQH6x", userdata, CLOCK, clock_id, timeout % (1 << 64), 0, absolute)


def file(userdata: int, fd: int, tag: int = FD_READ) -> bytes:
    return struct.pack("<QB7xI28x", userdata, tag, fd)


class Scene:
    """An instance on some engine with the real clocks, and what it was given: nothing of that may be closed or changed."""

    def __init__(self, engine: str, config: RuntimeConfig | None = None) -> None:
        self.runtime: Runtime = new_runtime(engine, config)
        wazero_wasi.instantiate(self.runtime)
        reader, self.writer = os.pipe()
        self.reader, writer = os.pipe()
        self._given = (reader, writer)
        self._ends = [reader, self.writer, self.reader, writer]
        self._streams: list[Any] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.client: socket.socket | None = None
        self.module: Module

    def start(self, stdin: Callable[[int], Any] | None = None, stdout: Callable[[int], Any] | None = None) -> None:
        """Instantiate, with what these make of the ends of two pipes as standard streams, and the listener as 3."""
        reader, writer = self._given
        given = [make(fd) if make else fd for make, fd in ((stdin, reader), (stdout, writer))]
        self._streams += given
        config = ModuleConfig().with_name("").with_stdin(given[0]).with_stdout(given[1]).with_listener(self.listener)
        config = config.with_sys_walltime().with_sys_nanotime().with_sys_nanosleep()
        self.module = self.runtime.instantiate(wasm(GUEST), config)
        assert self.module.exports.answer() == 42

    def function(self, name: str) -> Any:
        return self.module.exported_function(name)

    def connect(self) -> int:
        """A connection to the guest; its descriptor there."""
        self.client = socket.create_connection(self.listener.getsockname(), timeout=10)
        assert self.module.exports.accept(3) == 0
        return self.result()

    def subscribe(self, *subscriptions: bytes) -> int:
        """Put them where "poll" finds them; how many they are."""
        assert self.module.memory is not None
        self.module.memory.write(SUBSCRIPTIONS, b"".join(subscriptions))
        return len(subscriptions)

    def poll(self, *subscriptions: bytes, timeout: float = 30) -> list[tuple[int, int, int]]:
        """(user data, errno, tag) of each event."""
        assert self.function("poll").call(self.subscribe(*subscriptions), timeout=timeout) == 0
        assert self.module.memory is not None
        raw = self.module.memory.read(EVENTS, 32 * self.result())
        return [(userdata, errno, tag) for userdata, errno, tag in struct.iter_unpack("<QHB21x", bytes(raw))]

    def result(self) -> int:
        """What the last call stored: a number of bytes or events, or a descriptor."""
        assert self.module.memory is not None
        return int.from_bytes(self.module.memory.read(NEVENTS, 4), "little")

    def data(self) -> bytes:
        """What the last call has read."""
        assert self.module.memory is not None
        return bytes(self.module.memory.read(BUFFER, self.result()))

    def add_pipe(self) -> tuple[int, int]:
        """A pipe for the guest to read: its descriptor there, and the end to write to."""
        reader, writer = os.pipe()
        self._ends += [reader, writer]
        return self.module.system.files.insert(FileEntry(HostFile(reader, is_owned=False))), writer

    def close(self) -> None:
        self.runtime.close()
        for stream in self._streams:
            assert isinstance(stream, int) or not stream.closed
        assert self.listener.getblocking()
        self.listener.close()
        if self.client is not None:
            self.client.close()
        for fd in self._ends:
            assert os.get_blocking(fd), "a descriptor that was given is not as it was"
        self._streams.clear()
        for fd in self._ends:
            os.close(fd)


Call = tuple[str, tuple[int, ...]]


def _buffered(fd: int) -> Any:
    return os.fdopen(fd, "rb", closefd=False)


def _read(make: Callable[[int], Any] | None) -> Callable[[Scene], Call]:
    def prepare(scene: Scene) -> Call:
        scene.start(stdin=make)
        return "read", (0,)

    return prepare


def _read_ahead(scene: Scene) -> Call:
    """The guest gets what its host has read ahead, and then waits for more."""
    os.write(scene.writer, b"line of the host\nline of the guest\n")

    def make(fd: int) -> Any:
        stream = _buffered(fd)
        assert stream.readline() == b"line of the host\n"
        return stream

    scene.start(stdin=make)
    assert scene.function("read").call(0, timeout=10) == 0
    assert scene.data() == b"line of the guest\n"
    return "read", (0,)


def _write(make: Callable[[int], Any] | None, size: int) -> Callable[[Scene], Call]:
    def prepare(scene: Scene) -> Call:
        scene.start(stdout=make)
        return "write_on", (1, size)

    return prepare


def _poll(subscriptions: Callable[[Scene], list[bytes]]) -> Callable[[Scene], Call]:
    def prepare(scene: Scene) -> Call:
        scene.start()
        return "poll", (scene.subscribe(*subscriptions(scene)),)

    return prepare


def many(scene: Scene) -> list[bytes]:
    """1000 clocks that are far away, and 200 pipes that are empty."""
    files = [file(number, scene.add_pipe()[0]) for number in range(200)]
    return files + [clock(1000 + number, (1000 + number) * SECOND) for number in range(1000)]


def _accept(scene: Scene) -> Call:
    scene.start()
    return "accept", (3,)


def _receive(scene: Scene) -> Call:
    scene.start()
    return "recv", (scene.connect(), 0)


def _receive_all(scene: Scene) -> Call:
    """The guest wants 64 bytes and gets 4."""
    scene.start()
    fd = scene.connect()
    assert scene.client is not None
    scene.client.sendall(b"some")
    return "recv", (fd, WAIT_ALL)


def _send(scene: Scene) -> Call:
    scene.start()
    return "send_on", (scene.connect(), 1 << 21)


def _write_to_socket(scene: Scene) -> Call:
    scene.start()
    return "write_on", (scene.connect(), 1 << 21)


def _in(nanoseconds: int, clock_id: int) -> int:
    return nanoseconds + (time.monotonic_ns() if clock_id == MONOTONIC else time.time_ns())


WAITS: Final[dict[str, Callable[[Scene], Call]]] = {
    "read descriptor": _read(None),
    "read raw": _read(lambda fd: os.fdopen(fd, "rb", buffering=0, closefd=False)),
    "read buffered": _read(_buffered),
    "read text": _read(lambda fd: os.fdopen(fd, closefd=False)),
    "read ahead": _read_ahead,
    "write descriptor": _write(None, 1000),
    "write much": _write(None, 1 << 20),
    "write buffered": _write(lambda fd: os.fdopen(fd, "wb", closefd=False), 5000),
    "write text": _write(lambda fd: os.fdopen(fd, "w", closefd=False), 100),
    "sleep": _poll(lambda scene: [clock(1, 100 * SECOND)]),
    "sleep for ages": _poll(lambda scene: [clock(1, -1)]),
    "sleep until": _poll(lambda scene: [clock(1, _in(100 * SECOND, MONOTONIC), absolute=True)]),
    "sleep until wall time": _poll(lambda scene: [clock(1, _in(100 * SECOND, WALL), WALL, absolute=True)]),
    "poll pipe": _poll(lambda scene: [file(1, 0)]),
    "poll pipe and clock": _poll(lambda scene: [file(1, 0), clock(2, -1)]),
    "poll many": _poll(many),
    "accept": _accept,
    "receive": _receive,
    "receive all": _receive_all,
    "send": _send,
    "write to socket": _write_to_socket,
}
"""By name what to prepare; then this call waits for ever, or for longer than anybody would."""


@contextmanager
def waiting(
    engine: str, name: str, config: RuntimeConfig | None = None
) -> Iterator[tuple[Scene, Any, tuple[int, ...]]]:
    """A scene, and a function and arguments with which the guest waits."""
    scene = Scene(engine, config)
    try:
        function, args = WAITS[name](scene)
        yield scene, scene.function(function), args
    finally:
        scene.close()
