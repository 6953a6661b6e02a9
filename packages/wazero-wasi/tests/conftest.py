"""A stand-in for an instance: memory, a system, and the functions of WASI called directly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wazero_core.runtime.module_config import ModuleConfig
from wazero_core.system import FSConfig
from wazero_wasi import host_module
from wazero_wasi.errnos import NAMES

MEMORY_SIZE = 1 << 16


class FakeMemory:
    """Linear memory without an engine."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(MEMORY_SIZE))


class Guest:
    """What WASI sees as the calling module, with what a guest would do to use it."""

    def __init__(self, config: ModuleConfig, dialect: str = "wasi_snapshot_preview1") -> None:
        self.name = "guest"
        self.memory: Any = FakeMemory()
        self.system = config.new_system_context()
        self.exit_code: int | None = None
        self.functions = {function.name: function for function in host_module(dialect).functions}
        self._next = 1024

    def close_with_exit_code(self, exit_code: int) -> None:
        self.exit_code = exit_code

    def call(self, name: str, *args: int) -> str:
        """Call a function with arguments as an engine passes them; the name of the errno."""
        function = self.functions[name]
        assert len(args) == len(function.type.params), name
        raw = [
            arg % (1 << (32 if type_.name == "i32" else 64))
            for arg, type_ in zip(args, function.type.params, strict=True)
        ]
        number: int = function.callable(self, *raw)
        return NAMES[number]

    def alloc(self, size: int) -> int:
        """Room for `size` bytes, aligned to 8."""
        pointer = self._next
        self._next += -(-size // 8) * 8
        assert self._next <= MEMORY_SIZE
        return pointer

    def put(self, data: bytes) -> int:
        """Put bytes into memory."""
        pointer = self.alloc(len(data))
        self.memory.buffer[pointer : pointer + len(data)] = data
        return pointer

    def text(self, text: str | bytes) -> tuple[int, int]:
        """Put a path into memory: its pointer and length."""
        data = text.encode() if isinstance(text, str) else text
        return self.put(data), len(data)

    def iovecs(self, *buffers: tuple[int, int]) -> tuple[int, int]:
        """Put an array of (pointer, length) into memory: its pointer and count."""
        array = b"".join(p.to_bytes(4, "little") + n.to_bytes(4, "little") for p, n in buffers)
        return self.put(array), len(buffers)

    def data(self, pointer: int, size: int) -> bytes:
        return bytes(self.memory.buffer[pointer : pointer + size])

    def u32(self, pointer: int) -> int:
        return int.from_bytes(self.data(pointer, 4), "little")

    def u64(self, pointer: int) -> int:
        return int.from_bytes(self.data(pointer, 8), "little")

    def write(self, fd: int, *parts: bytes) -> tuple[str, int]:
        """fd_write: the errno and how many bytes were taken."""
        result = self.alloc(4)
        vector = self.iovecs(*((self.put(part), len(part)) for part in parts))
        return self.call("fd_write", fd, *vector, result), self.u32(result)

    def read(self, fd: int, *sizes: int) -> tuple[str, bytes]:
        """fd_read: the errno and what was read."""
        result = self.alloc(4)
        buffers = [(self.alloc(size), size) for size in sizes]
        errno = self.call("fd_read", fd, *self.iovecs(*buffers), result)
        return errno, b"".join(self.data(*buffer) for buffer in buffers)[: self.u32(result)]

    def open(
        self, path: str | bytes, *, fd: int = 3, follow: int = 1, oflags: int = 0, rights: int = 0x42, fdflags: int = 0
    ) -> int | str:
        """path_open: the descriptor, or the errno."""
        result = self.alloc(4)
        errno = self.call("path_open", fd, follow, *self.text(path), oflags, rights, 0, fdflags, result)
        return self.u32(result) if errno == "ESUCCESS" else errno


@pytest.fixture
def new_guest() -> Iterator[Any]:
    """Make guests of a config; their files are closed in the end."""
    guests: list[Guest] = []

    def make(config: ModuleConfig | None = None, dialect: str = "wasi_snapshot_preview1") -> Guest:
        guests.append(Guest(config or ModuleConfig(), dialect))
        return guests[-1]

    yield make
    for guest in guests:
        guest.system.close()


@pytest.fixture
def guest(new_guest: Any, tmp_path: Path) -> Any:
    """A guest with a directory as root: a file, a directory with a file, and a link to each."""
    (tmp_path / "dir").mkdir()
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "dir" / "inner").write_bytes(b"inner")
    (tmp_path / "to_file").symlink_to("file")
    (tmp_path / "to_dir").symlink_to("dir")
    (tmp_path / "out").symlink_to("..")
    return new_guest(ModuleConfig().with_fs_config(FSConfig().with_dir_mount(tmp_path, "/")))
