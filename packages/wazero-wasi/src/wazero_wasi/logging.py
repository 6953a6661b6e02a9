"""How calls of WASI's functions read in a log: the signature table, joined with how each of its types is shown.

As wazero prints them, so that what reads its logs reads these. Three things are different: all ``result.…`` parameters
are shown as what is there after the call (wazero shows the pointers of ``args_sizes_get``, ``environ_sizes_get`` and
``fd_tell``), numbers in memory are not cut, and flags that have no name appear as a number.

Imported when a log is wanted, by `exports`.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final, final

from wazero_api import decode_i32, decode_i64, decode_u32
from wazero_core.runtime.host_logging import visible

from . import errnos
from .descriptors import FDSTAT, PRESTAT
from .dialect import Dialect
from .guest import U32, U64, Caller, buffer_of, view
from .rights import Rights
from .signatures import OUT, Signature

_U16: Final = Struct("<H")

_CLOCKS: Final = ("realtime", "monotonic", "process_cputime", "thread_cputime")
_FILE_TYPES: Final = (
    "UNKNOWN",
    "BLOCK_DEVICE",
    "CHARACTER_DEVICE",
    "DIRECTORY",
    "REGULAR_FILE",
    "SOCKET_DGRAM",
    "SOCKET_STREAM",
    "SYMBOLIC_LINK",
)
_FLAGS: Final = {
    "fdflags": ("APPEND", "DSYNC", "NONBLOCK", "RSYNC", "SYNC"),
    "fstflags": ("ATIM", "ATIM_NOW", "MTIM", "MTIM_NOW"),
    "lookupflags": ("SYMLINK_FOLLOW",),
    "oflags": ("CREAT", "DIRECTORY", "EXCL", "TRUNC"),
    "riflags": ("RECV_PEEK", "RECV_WAITALL"),
    "rights": tuple([str(right.name) for right in Rights]),
    "roflags": ("RECV_DATA_TRUNCATED",),
    "sdflags": ("RD", "WR"),
    "siflags": (),
}
"""Names by type, from the lowest bit on."""

_STANDARD_STREAMS: Final = range(3)
_OF_STREAMS: Final = frozenset({"fd_read", "fd_write"})
"""Functions whose calls are left out for the standard streams: what a guest prints is seen anyway."""


def flags_text(type: str, value: int) -> str:
    """The names of the bits that are set, and those that have none as a hexadecimal number."""
    names = _FLAGS[type]
    shown = [name for bit, name in enumerate(names) if value >> bit & 1]
    rest = value >> len(names) << len(names)
    return "|".join([*shown, f"{rest:#x}"] if rest else shown)


def _name_text(names: tuple[str, ...], type: str, number: int) -> str:
    return names[number] if number < len(names) else f"{type}({number})"


def _clock_text(clock_id: int) -> str:
    return _CLOCKS[clock_id] if clock_id < len(_CLOCKS) else str(decode_i32(clock_id))


def _prestat_text(_: int, name_length: int) -> str:
    return f"{{pr_name_len={decode_i32(name_length)}}}"


def _fdstat_text(file_type: int, fdflags: int, base: int, inheriting: int) -> str:
    return (
        f"{{filetype={_name_text(_FILE_TYPES, 'filetype', file_type)},fdflags={flags_text('fdflags', fdflags)}"
        f",fs_rights_base={flags_text('rights', base)},fs_rights_inheriting={flags_text('rights', inheriting)}}}"
    )


def _filestat_text(_device: int, _inode: int, file_type: int, _links: int, size: int, *times: int) -> str:
    name = _name_text(_FILE_TYPES, "filetype", file_type)
    return f"{{filetype={name},size={decode_i64(size)},mtim={decode_i64(times[1])}}}"


def _flags_shown(type: str) -> Callable[[int], str]:
    return lambda value: flags_text(type, value)


def _signed_32(value: int) -> str:
    return str(decode_i32(value))


def _signed_64(value: int) -> str:
    return str(decode_i64(value))


_SHOWN: Final[dict[str, Callable[[int], str]]] = {
    "": _signed_32,
    "clockid": _clock_text,
    "dircookie": _signed_64,
    "fd": _signed_32,
    "filedelta": _signed_64,
    "filesize": _signed_64,
    "size": _signed_32,
    "timestamp": _signed_64,
    **{type: _flags_shown(type) for type in _FLAGS},
}
"""How a number is shown, by the name of its type. Those without flags are signed, as wazero's are."""

_LAYOUTS: Final = {
    "fd": U32,
    "fdstat": FDSTAT,
    "filesize": U64,
    "prestat": PRESTAT,
    "roflags": _U16,
    "size": U32,
    "timestamp": U64,
}
"""How what an out parameter points to lies in memory; "filestat" depends on the dialect."""

_STRUCTURES: Final[dict[str, Callable[..., str]]] = {
    "fdstat": _fdstat_text,
    "filestat": _filestat_text,
    "prestat": _prestat_text,
}
"""How what has several fields is shown."""


@final
class WasiDescriber:
    """Shows the calls of one function: a `wazero_api.CallDescriber`."""

    def __init__(self, row: Signature, dialect: Dialect) -> None:
        self._row = row
        self._filestat = dialect.filestat
        typed = list(enumerate(zip(row.param_names, row.param_types, strict=True)))
        # A string's length is shown with its pointer.
        lengths = {index + 1 for index, (_, type) in typed if type == "string"}
        fields = [(index, name, type) for index, (name, type) in typed if index not in lengths]
        self._params = [field for field in fields if not field[1].startswith(OUT)]
        self._results = [(index, name[len(OUT) :], type) for index, name, type in fields if name.startswith(OUT)]

    def params(self, module: Caller, args: tuple[int, ...]) -> str | None:
        """The parameters that the guest gives; None for the standard streams."""
        if self._row.name in _OF_STREAMS and args[0] in _STANDARD_STREAMS:
            return None
        shown = [
            f"{name}={_string_at(module, args[index], args[index + 1]) if type == 'string' else _SHOWN[type](args[index])}"
            for index, name, type in self._params
        ]
        return ",".join(shown)

    def results(self, module: Caller, args: tuple[int, ...], results: tuple[int, ...]) -> str:
        """What the out parameters point to now, empty after a failure, and the name of the errno."""
        if not results:
            return ""
        (errno,) = results
        shown = [
            f"{name}={'' if errno else self._text_at(module, args, index, type)}" for index, name, type in self._results
        ]
        shown.append(f"errno={_name_text(errnos.NAMES, 'errno', decode_u32(errno))}")
        return shown[0] if len(shown) == 1 else f"({','.join(shown)})"

    def _text_at(self, module: Caller, args: tuple[int, ...], index: int, type: str) -> str:
        pointer = args[index]
        if type == "string":
            return _string_at(module, pointer, args[index + 1])
        layout = self._filestat if type == "filestat" else _LAYOUTS[type]
        try:
            values = layout.unpack(view(buffer_of(module), pointer, layout.size))
        except OSError:
            return _out_of_memory(pointer, layout.size)
        return (_STRUCTURES.get(type) or _SHOWN[type])(*values)


def _string_at(module: Caller, pointer: int, length: int) -> str:
    try:
        return visible(view(buffer_of(module), pointer, length))
    except OSError:
        return _out_of_memory(pointer, length)


def _out_of_memory(pointer: int, size: int) -> str:
    """What is shown of bytes that are not, or not all, inside of the memory."""
    return f"OOM({pointer},{size})"
