"""A guest that Python plays: a real module on a real engine that passes every call on to WASI.

    guest.open("dir/file")  =>  path and result in the module's memory  =>  its export path_open  =>  its import path_open

What WASI refuses raises `Refused` with the name of the errno. Arguments are laid out from the same place for each call,
so what a call leaves behind can be looked at in `guest.memory` until the next one.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, final

from integration.runtimes import new_runtime, wasm
from wazero_core import ModuleConfig
from wazero_wasi import instantiate
from wazero_wasi.errnos import NAMES
from wazero_wasi.signatures import TABLE

READ, WRITE, BOTH = 1 << 1, 1 << 6, 1 << 1 | 1 << 6
"""Rights that say how to open a file."""
CREATE, DIRECTORY, EXCLUSIVE, TRUNCATE = 1, 2, 4, 8
"""Flags of path_open."""
APPEND, NON_BLOCK = 1, 4
"""Flags of files."""
_ALSO: Final = sum(1 << bit for bit in range(30)) & ~(BOTH | 1 << 8 | 1 << 22)
"""All rights that do not say how to open."""
MOUNT: Final = 3
"""The first mount's descriptor."""

_PARAMS: Final = {row.name: [type_.name for type_ in row.type.params] for row in TABLE}
_ARENA: Final = 1024
_FILESTAT: Final = struct.Struct("<QQBxxxxxxxQQQQQ")
_DIRENT: Final = struct.Struct("<QQIB3x")


@final
class Refused(Exception):
    """WASI said no. `errno` is the name of the number."""

    def __init__(self, function: str, errno: str) -> None:
        super().__init__(f"{function}: {errno}")
        self.errno = errno


class Filestat(NamedTuple):
    """What path_filestat_get stores."""

    device: int
    inode: int
    file_type: int
    links: int
    size: int
    access_time: int
    modification_time: int
    change_time: int


@functools.cache
def forwarder(pages: int = 1) -> bytes:
    """The binary: memory of that many pages, and a function for each of WASI's."""
    imports, functions = [], []
    for row in TABLE:
        params = f"(param {' '.join(_PARAMS[row.name])})" if _PARAMS[row.name] else ""
        result = "(result i32)" if row.type.results else ""
        arguments = " ".join(f"(local.get {index})" for index in range(len(_PARAMS[row.name])))
        imports.append(f'(import "wasi_snapshot_preview1" "{row.name}" (func ${row.name} {params} {result}))')
        functions.append(f'(func (export "{row.name}") {params} {result} (call ${row.name} {arguments}))')
    return wasm(f'(module {" ".join(imports)} (memory (export "memory") {pages}) {" ".join(functions)})')


@final
class Guest:
    """An instance of the forwarder, with what a guest's C library would do."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.memory: memoryview = module.memory.buffer
        self._functions = {name: module.exported_function(name) for name in _PARAMS}
        self._next = _ARENA

    def call(self, name: str, *args: int) -> None:
        """Call a function with integers, taken modulo the width of its parameters."""
        widths = _PARAMS[name]
        number = self._functions[name](*(arg % (1 << int(width[1:])) for arg, width in zip(args, widths, strict=True)))
        self._next = _ARENA
        if number:
            raise Refused(name, NAMES[number])

    def errno(self, name: str, *args: int) -> str:
        """Call a function; the name of its errno."""
        try:
            self.call(name, *args)
        except Refused as refused:
            return refused.errno
        return "ESUCCESS"

    def alloc(self, size: int) -> int:
        """Room for bytes until the next call, aligned to 8."""
        pointer = self._next
        self._next += -(-size // 8) * 8
        assert self._next <= len(self.memory), "the guest's memory is too small for this test"
        return pointer

    def put(self, data: str | bytes) -> tuple[int, int]:
        """Lay bytes into memory: pointer and length."""
        raw = data.encode() if isinstance(data, str) else data
        pointer = self.alloc(len(raw))
        self.memory[pointer : pointer + len(raw)] = raw
        return pointer, len(raw)

    def iovecs(self, *buffers: tuple[int, int]) -> tuple[int, int]:
        """Lay out an array of (pointer, length): pointer and count."""
        pointer, _ = self.put(b"".join(struct.pack("<II", *buffer) for buffer in buffers))
        return pointer, len(buffers)

    def u32(self, pointer: int) -> int:
        (value,) = struct.unpack_from("<I", self.memory, pointer)
        return int(value)

    def open(
        self,
        path: str | bytes,
        fd: int = MOUNT,
        *,
        follow: bool = True,
        oflags: int = 0,
        rights: int = READ,
        fdflags: int = 0,
    ) -> int:
        result = self.alloc(4)
        self.call("path_open", fd, follow, *self.put(path), oflags, rights | _ALSO, _ALSO | BOTH, fdflags, result)
        return self.u32(result)

    def close(self, fd: int) -> None:
        self.call("fd_close", fd)

    def read(self, fd: int, size: int = 4096) -> bytes:
        result, buffer = self.alloc(4), self.alloc(size)
        self.call("fd_read", fd, *self.iovecs((buffer, size)), result)
        return bytes(self.memory[buffer : buffer + self.u32(result)])

    def write(self, fd: int, data: bytes) -> int:
        result = self.alloc(4)
        self.call("fd_write", fd, *self.iovecs(self.put(data)), result)
        return self.u32(result)

    def content(self, path: str | bytes, fd: int = MOUNT, *, follow: bool = True) -> bytes:
        """The first bytes of a file."""
        file = self.open(path, fd, follow=follow)
        try:
            return self.read(file)
        finally:
            self.close(file)

    def store(
        self, path: str | bytes, fd: int = MOUNT, oflags: int = CREATE | TRUNCATE, data: bytes = b"guest"
    ) -> None:
        """Make a file with that content."""
        file = self.open(path, fd, oflags=oflags, rights=WRITE)
        try:
            self.write(file, data)
        finally:
            self.close(file)

    def stat(self, path: str | bytes, fd: int = MOUNT, *, follow: bool = True) -> Filestat:
        result = self.alloc(64)
        self.call("path_filestat_get", fd, follow, *self.put(path), result)
        return Filestat(*_FILESTAT.unpack_from(self.memory, result))

    def fstat(self, fd: int) -> Filestat:
        result = self.alloc(64)
        self.call("fd_filestat_get", fd, result)
        return Filestat(*_FILESTAT.unpack_from(self.memory, result))

    def set_times(self, path: str | bytes, fd: int = MOUNT, *, follow: bool = True, time: int = 0) -> None:
        self.call("path_filestat_set_times", fd, follow, *self.put(path), time, time, 1 | 4)

    def mkdir(self, path: str | bytes, fd: int = MOUNT) -> None:
        self.call("path_create_directory", fd, *self.put(path))

    def rmdir(self, path: str | bytes, fd: int = MOUNT) -> None:
        self.call("path_remove_directory", fd, *self.put(path))

    def unlink(self, path: str | bytes, fd: int = MOUNT) -> None:
        self.call("path_unlink_file", fd, *self.put(path))

    def rename(self, old: str | bytes, new: str | bytes, fd: int = MOUNT, to: int = MOUNT) -> None:
        self.call("path_rename", fd, *self.put(old), to, *self.put(new))

    def link(
        self, old: str | bytes, new: str | bytes, fd: int = MOUNT, to: int = MOUNT, *, follow: bool = False
    ) -> None:
        self.call("path_link", fd, follow, *self.put(old), to, *self.put(new))

    def symlink(self, target: str | bytes, path: str | bytes, fd: int = MOUNT) -> None:
        self.call("path_symlink", *self.put(target), fd, *self.put(path))

    def readlink(self, path: str | bytes, fd: int = MOUNT) -> bytes:
        result, buffer = self.alloc(4), self.alloc(4096)
        self.call("path_readlink", fd, *self.put(path), buffer, 4096, result)
        return bytes(self.memory[buffer : buffer + self.u32(result)])

    def renumber(self, fd: int, to: int) -> None:
        self.call("fd_renumber", fd, to)

    def readdir(self, fd: int, size: int = 8192) -> list[bytes]:
        """The names in a directory."""
        names: list[bytes] = []
        cookie = 0
        while True:
            result, buffer = self.alloc(4), self.alloc(size)
            self.call("fd_readdir", fd, buffer, size, cookie, result)
            used = self.u32(result)
            position = buffer
            while position + _DIRENT.size <= buffer + used:
                following, _, length, _ = _DIRENT.unpack_from(self.memory, position)
                position += _DIRENT.size + length
                if position > buffer + used:
                    break
                names.append(bytes(self.memory[position - length : position]))
                cookie = following
            if used < size:
                return names


@contextmanager
def guest_on(engine: str, config: ModuleConfig, pages: int = 1) -> Iterator[Guest]:
    """A guest on that engine, with what `config` gives it."""
    with new_runtime(engine) as runtime:
        instantiate(runtime)
        yield Guest(runtime.instantiate_module(runtime.compile_module(forwarder(pages)), config))
