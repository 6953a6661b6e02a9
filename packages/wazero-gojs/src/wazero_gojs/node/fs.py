"""Node's module fs: the functions with callbacks that Go's package syscall calls, over the program's mounts.

    fs.stat(path, callback)  =>  the operation is done at once, and the event loop calls callback(error, result)

A file that would make its reader wait is waited for by the event loop, while goroutines run on.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from wazero_api.system import OpenFlags
from wazero_core.system import READ, WRITE, FileEntry
from wazero_core.system.files import offered
from wazero_core.system.waiting import is_open_for
from wazero_gojs.model.buffer import JSTypedArray
from wazero_gojs.model.object import Args, JSObject, argument, is_callable
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import MAX_SAFE, UNDEFINED, JSError, to_integer, to_number, to_uint32

from .errors import system_error, throw_out_of_range, throw_type_of_argument
from .stats import stats_of

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

_CONSTANTS: Final = {
    "O_RDONLY": 0,
    "O_WRONLY": 1,
    "O_RDWR": 2,
    "O_CREAT": 0o100,
    "O_EXCL": 0o200,
    "O_TRUNC": 0o1000,
    "O_APPEND": 0o2000,
    "O_DIRECTORY": 0o200000,
}
"""As on Linux, wherever this runs."""

_FLAGS: Final = {
    "O_CREAT": OpenFlags.CREATE,
    "O_EXCL": OpenFlags.EXCLUSIVE,
    "O_TRUNC": OpenFlags.TRUNCATE,
    "O_APPEND": OpenFlags.APPEND,
    "O_DIRECTORY": OpenFlags.DIRECTORY,
}

_SECOND: Final = 1_000_000_000
_MAX_TRANSFER: Final = 1 << 26
"""Bytes of one read at most: reading may always do less."""

_FS = Table()

Operation = Callable[..., Any]


def make(realm: Realm, name: str) -> Any:
    """The global `fs`."""
    return realm.new_namespace(_FS)


_FS.made("constants", lambda realm: realm.new_object(_CONSTANTS))


def _operation(name: str, length: int, *, paths: int = 0, syscall: str = "") -> Callable[[Operation], Operation]:
    """Register an operation ``(realm, *arguments) -> result`` that raises OSError, under its name with a callback.

    The first arguments are so many paths, which errors name, as they do the system call if it is called otherwise.
    """

    def add(function: Operation) -> Operation:
        def failure(realm: Realm, error: OSError, given: list[Any]) -> Any:
            return system_error(realm, error, syscall or name, *given[:paths])

        def call(realm: Realm, this: Any, args: Args) -> Any:
            callback = _callback(realm, args)
            given = _arguments(realm, args[:-1], length, paths)
            answer: tuple[Any, ...]
            try:
                result = function(realm, *given)
                answer = (None,) if result is UNDEFINED else (None, result)
            except OSError as error:
                answer = (failure(realm, error, given),)
            host = realm.host
            host.answer = answer
            host.loop.post(lambda: callback.call(UNDEFINED, answer))
            return UNDEFINED

        def call_now(realm: Realm, this: Any, args: Args) -> Any:
            given = _arguments(realm, args, length, paths)
            try:
                return function(realm, *given)
            except OSError as error:
                raise JSError(failure(realm, error, given)) from None

        _FS.method(name, length + 1)(call)
        _FS.method(f"{name}Sync", length)(call_now)
        return function

    return add


def _padded(args: Args, length: int) -> list[Any]:
    return [argument(args, index) for index in range(length)]


def _arguments(realm: Realm, args: Args, length: int, paths: int) -> list[Any]:
    given = _padded(args, length)
    for index in range(paths):
        given[index] = _path(realm, given[index])
    return given


def _path(realm: Realm, value: Any) -> str:
    """A path as text: bytes are taken for UTF-8."""
    if isinstance(value, str):
        return value
    if not (isinstance(value, JSTypedArray) and value.type.name == "Uint8Array"):
        throw_type_of_argument(realm, "path", "of type string or an instance of Buffer or URL")
    return str(value.view, "utf-8", "surrogateescape")


def _callback(realm: Realm, args: Args) -> Any:
    callback = args[-1] if args else UNDEFINED
    if not is_callable(callback):
        throw_type_of_argument(realm, "cb", "of type function")
    return callback


# --- By path ----------------------------------------------------------------------------------------------------------


@_operation("open", 3, paths=1)
def _open(realm: Realm, path: str, flags: Any, mode: Any) -> int:
    number = to_uint32(flags)
    open_flags = OpenFlags.READ_ONLY
    if number & _CONSTANTS["O_RDWR"]:
        open_flags = OpenFlags.READ_WRITE
    elif number & _CONSTANTS["O_WRONLY"]:
        open_flags = OpenFlags.WRITE_ONLY
    for name, flag in _FLAGS.items():
        if number & _CONSTANTS[name]:
            open_flags |= flag
    host = realm.host
    if open_flags & OpenFlags.CREATE:
        fs, rest = host.workdir.find_entry(path, errno.EISDIR)
    else:
        fs, rest = host.workdir.find(path)
    permissions = 0o666 if mode is UNDEFINED else to_uint32(mode) & 0o7777
    return int(host.system.open_file(fs, rest, open_flags, permissions & ~host.umask))


@_operation("stat", 1, paths=1)
def _stat(realm: Realm, path: str) -> JSObject:
    fs, rest = realm.host.workdir.find(path)
    return stats_of(realm, fs.stat(rest))


@_operation("lstat", 1, paths=1)
def _lstat(realm: Realm, path: str) -> JSObject:
    fs, rest = realm.host.workdir.find(path)
    return stats_of(realm, fs.lstat(rest))


@_operation("readdir", 1, paths=1, syscall="scandir")
def _readdir(realm: Realm, path: str) -> Any:
    fs, rest = realm.host.workdir.find(path)
    file = fs.open_file(rest, OpenFlags.DIRECTORY)
    try:
        names = [entry.name for entry in file.read_directory()]
    finally:
        file.close()
    return realm.new_array(sorted(names, key=os.fsencode))


@_operation("mkdir", 2, paths=1)
def _mkdir(realm: Realm, path: str, mode: Any) -> Any:
    fs, rest = realm.host.workdir.find_entry(path, errno.EEXIST)
    permissions = 0o777 if mode is UNDEFINED else to_uint32(mode) & 0o7777
    fs.mkdir(rest, permissions & ~realm.host.umask)
    return UNDEFINED


@_operation("rmdir", 1, paths=1)
def _rmdir(realm: Realm, path: str) -> Any:
    refused = errno.ENOTEMPTY if path.rstrip("/").endswith("..") else errno.EINVAL
    fs, rest = realm.host.workdir.find_entry(path, refused)
    fs.rmdir(rest)
    return UNDEFINED


@_operation("unlink", 1, paths=1)
def _unlink(realm: Realm, path: str) -> Any:
    fs, rest = realm.host.workdir.find_entry(path, errno.EISDIR)
    fs.unlink(rest)
    return UNDEFINED


@_operation("rename", 2, paths=2)
def _rename(realm: Realm, old: str, new: str) -> Any:
    fs, rest = realm.host.workdir.find_entry(old, errno.EBUSY)
    to, target = realm.host.workdir.find_entry(new, errno.EBUSY)
    fs.rename(rest, target, None if to is fs else to)
    return UNDEFINED


@_operation("link", 2, paths=2)
def _link(realm: Realm, old: str, new: str) -> Any:
    fs, rest = realm.host.workdir.find(old)
    if rest.endswith("/"):
        fs.stat(rest)
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))
    to, target = realm.host.workdir.find_new(new)
    fs.link(rest, target, None if to is fs else to)
    return UNDEFINED


@_operation("symlink", 2, paths=2)
def _symlink(realm: Realm, target: str, path: str) -> Any:
    fs, rest = realm.host.workdir.find_new(path)
    fs.symlink(target, rest)
    return UNDEFINED


@_operation("readlink", 1, paths=1)
def _readlink(realm: Realm, path: str) -> str:
    fs, rest = realm.host.workdir.find(path)
    return str(fs.readlink(rest))


@_operation("utimes", 3, paths=1, syscall="utime")
def _utimes(realm: Realm, path: str, access: Any, modification: Any) -> Any:
    fs, rest = realm.host.workdir.find(path)
    fs.set_times(rest, _nanoseconds(access), _nanoseconds(modification))
    return UNDEFINED


@_operation("truncate", 2, paths=1, syscall="open")
def _truncate(realm: Realm, path: str, length: Any) -> Any:
    fs, rest = realm.host.workdir.find(path)
    file = fs.open_file(rest, OpenFlags.WRITE_ONLY)
    try:
        file.truncate(_length(length))
    finally:
        file.close()
    return UNDEFINED


@_operation("chmod", 2, paths=1)
def _chmod(realm: Realm, path: str, mode: Any) -> Any:
    fs, rest = realm.host.workdir.find(path)
    offered(fs, "set_permissions")(rest, to_uint32(mode) & 0o7777)
    return UNDEFINED


@_operation("chown", 3, paths=1)
def _chown(realm: Realm, path: str, user: Any, group: Any) -> Any:
    fs, rest = realm.host.workdir.find(path)
    offered(fs, "set_owner")(rest, _owner(user), _owner(group))
    return UNDEFINED


@_operation("lchown", 3, paths=1)
def _lchown(realm: Realm, path: str, user: Any, group: Any) -> Any:
    fs, rest = realm.host.workdir.find(path)
    offered(fs, "set_owner")(rest, _owner(user), _owner(group), follow=False)
    return UNDEFINED


# --- By descriptor ----------------------------------------------------------------------------------------------------


def _entry(realm: Realm, fd: Any) -> FileEntry:
    number = to_number(fd)
    if not isinstance(number, int) or number < 0:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    entry: FileEntry = realm.host.system.files[number]
    return entry


@_operation("close", 1)
def _close(realm: Realm, fd: Any) -> Any:
    realm.host.system.files.close(to_uint32(fd))
    return UNDEFINED


@_operation("fstat", 1)
def _fstat(realm: Realm, fd: Any) -> JSObject:
    return stats_of(realm, _entry(realm, fd).file.stat())


@_operation("fsync", 1)
def _fsync(realm: Realm, fd: Any) -> Any:
    _entry(realm, fd).file.sync()
    return UNDEFINED


@_operation("ftruncate", 2)
def _ftruncate(realm: Realm, fd: Any, length: Any) -> Any:
    _entry(realm, fd).file.truncate(_length(length))
    return UNDEFINED


@_operation("fchmod", 2)
def _fchmod(realm: Realm, fd: Any, mode: Any) -> Any:
    offered(_entry(realm, fd).file, "set_permissions")(to_uint32(mode) & 0o7777)
    return UNDEFINED


@_operation("fchown", 3)
def _fchown(realm: Realm, fd: Any, user: Any, group: Any) -> Any:
    offered(_entry(realm, fd).file, "set_owner")(_owner(user), _owner(group))
    return UNDEFINED


def _transfer(name: str, mask: int) -> Callable[[Operation], Operation]:
    """Register reading or writing: ``(entry, bytes, position) -> count``.

    That is ``fs.name(fd, buffer, offset, length, position, callback)``, where a position of null is the file's own.
    """

    def add(function: Operation) -> Operation:
        def arguments(realm: Realm, args: Args) -> tuple[FileEntry, memoryview, int | None]:
            fd, buffer, offset, length, position = _padded(args, 5)
            if not isinstance(buffer, JSTypedArray):
                throw_type_of_argument(realm, "buffer", "an instance of Buffer, TypedArray, or DataView")
            room = len(buffer.view)
            start = 0 if offset is UNDEFINED or offset is None else to_integer(offset)
            count = room - start if length is UNDEFINED or length is None else to_integer(length)
            if not (isinstance(start, int) and 0 <= start <= room):
                throw_out_of_range(realm, "offset")
            if not (isinstance(count, int) and 0 <= count <= room - start):
                throw_out_of_range(realm, "length")
            place = None if position is UNDEFINED or position is None else _size(position)
            return _entry(realm, fd), buffer.view[start : start + count], place

        def call(realm: Realm, this: Any, args: Args) -> Any:
            callback = _callback(realm, args)
            loop = realm.host.loop

            def answer(error: Any, count: int = 0) -> None:
                values = (error, count, argument(args, 1))
                realm.host.answer = values
                loop.post(lambda: callback.call(UNDEFINED, values))

            def transfer() -> None:
                fd = _must_wait(realm, entry, mask)  # another program may have taken what was there
                if fd is not None:
                    loop.when_ready(fd, mask, transfer)
                    return
                try:
                    answer(None, function(entry, data, place))
                except OSError as error:
                    answer(system_error(realm, error, name))

            try:
                entry, data, place = arguments(realm, args[:-1])
            except OSError as error:
                answer(system_error(realm, error, name))
                return UNDEFINED
            transfer()
            return UNDEFINED

        def call_now(realm: Realm, this: Any, args: Args) -> Any:
            try:
                entry, data, place = arguments(realm, args)
                realm.host.system.wait_for(entry, mask) if entry.can_wait else None
                return function(entry, data, place)
            except OSError as error:
                raise JSError(system_error(realm, error, name)) from None

        _FS.method(name, 6)(call)
        _FS.method(f"{name}Sync", 5)(call_now)
        return function

    return add


def _must_wait(realm: Realm, entry: FileEntry, mask: int) -> int | None:
    """The descriptor to wait for if reading or writing now would make everything wait."""
    fd = entry.file.fileno() if entry.can_wait else None
    if fd is None or fd < 0 or (mask == READ and getattr(entry.file, "has_buffered", bool)()):
        return None
    is_ready = realm.host.system.waiter.wait(((fd, mask),), 0) or not is_open_for(fd, mask)
    return None if is_ready else fd


@_transfer("read", READ)
def _read(entry: FileEntry, target: memoryview, position: int | None) -> int:
    count = min(len(target), _MAX_TRANSFER)
    data = entry.file.read(count) if position is None else entry.file.pread(count, position)
    target[: len(data)] = data
    return len(data)


@_transfer("write", WRITE)
def _write(entry: FileEntry, data: memoryview, position: int | None) -> int:
    if entry.can_wait and len(data) > _PIPE_BYTES:
        data = data[:_PIPE_BYTES]
    # As on Linux, what was opened to append is written to at its end, even by Go, which passes positions after a seek.
    if position is None or entry.flags & OpenFlags.APPEND:
        return entry.file.write(data)
    return entry.file.pwrite(data, position)


_PIPE_BYTES: Final = 4096
"""What a pipe takes without waiting once it says that it can be written to."""


# --- Values -----------------------------------------------------------------------------------------------------------


def _size(value: Any) -> int:
    size = to_integer(value)
    if not isinstance(size, int) or size < 0:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return size


def _length(value: Any) -> int:
    """What a file is to be cut to; Node takes less than 0 for 0."""
    length = to_integer(value)
    return 0 if length < 0 else _size(length)


def _nanoseconds(seconds: Any) -> int:
    number = to_number(seconds)
    if number != number or abs(number) >= MAX_SAFE:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return round(number * _SECOND) if isinstance(number, float) else number * _SECOND


def _owner(value: Any) -> int:
    """A user or group; -1 leaves it as it is."""
    number = to_uint32(value)
    return -1 if number == 0xFFFFFFFF else number
