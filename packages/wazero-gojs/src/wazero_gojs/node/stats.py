"""What Node calls Stats: what is known of a file, as fs.stat gives it."""

from __future__ import annotations

import stat as mode_bits
from typing import TYPE_CHECKING, Any, Final

from wazero_api.system import FileType, Stat
from wazero_gojs.model.object import Args, JSObject, Native
from wazero_gojs.model.table import BuiltinObject, Table
from wazero_gojs.model.values import UNDEFINED, number_of, to_uint32

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

_TYPE_BITS: Final = {
    FileType.UNKNOWN: 0,
    FileType.BLOCK_DEVICE: mode_bits.S_IFBLK,
    FileType.CHARACTER_DEVICE: mode_bits.S_IFCHR,
    FileType.DIRECTORY: mode_bits.S_IFDIR,
    FileType.REGULAR: mode_bits.S_IFREG,
    FileType.SOCKET: mode_bits.S_IFSOCK,
    FileType.SYMBOLIC_LINK: mode_bits.S_IFLNK,
    FileType.FIFO: mode_bits.S_IFIFO,
}

_TYPE_MASK: Final = 0o170000
_MILLISECOND: Final = 1_000_000
_BLOCK: Final = 512

_STATS = Table()


def stats_of(realm: Realm, stat: Stat) -> JSObject:
    """The object with what is known of a file."""
    host = realm.host
    if host.stats_prototype is None:
        host.stats_prototype = BuiltinObject(realm, _STATS, realm.object_prototype)
    made = JSObject(host.stats_prototype)
    made.properties = {
        "dev": number_of(stat.device),
        "ino": number_of(stat.inode),
        "mode": _TYPE_BITS[stat.file_type] | stat.permissions,
        "nlink": stat.links,
        "uid": stat.user,
        "gid": stat.group,
        "rdev": 0,
        "size": stat.size,
        "blksize": 4096,
        "blocks": -(-stat.size // _BLOCK),
        "atimeMs": number_of(stat.access_time / _MILLISECOND),
        "mtimeMs": number_of(stat.modification_time / _MILLISECOND),
        "ctimeMs": number_of(stat.change_time / _MILLISECOND),
        "birthtimeMs": number_of(stat.change_time / _MILLISECOND),
    }
    return made


def _is_of_type(bits: int) -> Native:
    def is_of_type(realm: Realm, this: Any, args: Args) -> bool:
        mode = this.get("mode") if isinstance(this, JSObject) else UNDEFINED
        return to_uint32(mode) & _TYPE_MASK == bits

    return is_of_type


for _method, _bits in (
    ("isDirectory", mode_bits.S_IFDIR),
    ("isFile", mode_bits.S_IFREG),
    ("isSymbolicLink", mode_bits.S_IFLNK),
    ("isFIFO", mode_bits.S_IFIFO),
    ("isSocket", mode_bits.S_IFSOCK),
    ("isBlockDevice", mode_bits.S_IFBLK),
    ("isCharacterDevice", mode_bits.S_IFCHR),
):
    _STATS.method(_method)(_is_of_type(_bits))
