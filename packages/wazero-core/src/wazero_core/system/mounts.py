"""What of the world's files a guest sees, and where: `FSConfig`."""

from __future__ import annotations

import os
from typing import final

from wazero_api.record import record, replace
from wazero_api.system import FS

from .files import check_fs


@final
@record
class Mount:
    """A file system and the directory of the guest where its root appears."""

    fs: FS
    guest_path: str
    """As it was given, without slashes at the end; "/" for the root."""


@final
@record
class FSConfig:
    """Mounts, in the order in which the guest gets to know them. A mount at a path that has one replaces it there.

    Guest paths are POSIX. One that names the root ("/", ".", "") becomes "/"; leading "./" and slashes make no
    difference to what is the same path, though the guest sees the path as it was given. Slashes at the end are left out:
    C libraries would find "/data/" only by that very name.
    """

    mounts: tuple[Mount, ...] = ()

    def with_dir_mount(self, host_path: str | os.PathLike[str], guest_path: str) -> FSConfig:
        """Add the directory `host_path`, which the guest may change and cannot leave."""
        from .directory import DirFS  # few guests have files

        return self.with_fs_mount(DirFS(host_path), guest_path)

    def with_read_only_dir_mount(self, host_path: str | os.PathLike[str], guest_path: str) -> FSConfig:
        """Add the directory `host_path`, which the guest can neither change nor leave."""
        from .directory import DirFS
        from .views import ReadOnlyFS

        return self.with_fs_mount(ReadOnlyFS(DirFS(host_path)), guest_path)

    def with_fs_mount(self, fs: FS, guest_path: str) -> FSConfig:
        """Add any file system. Raises TypeError or ValueError for a guest path that cannot be one."""
        if not isinstance(guest_path, str):
            raise TypeError(f"a guest path must be a str, not {type(guest_path).__name__}")
        check_fs(fs)
        if "\0" in guest_path:
            raise ValueError("a guest path must not contain a NUL")
        key = clean_guest_path(guest_path)
        mount = Mount(fs, guest_path.rstrip("/") if key else "/")
        mounts = list(self.mounts)
        for index, existing in enumerate(mounts):
            if clean_guest_path(existing.guest_path) == key:
                mounts[index] = mount
                break
        else:
            mounts.append(mount)
        return replace(self, mounts=tuple(mounts))


def clean_guest_path(path: str) -> str:
    """The path without leading "./" and slashes and without slashes at the end; the root is ""."""
    while path.startswith(("./", "/")):
        path = path[1:] if path[0] == "/" else path[2:]
    path = path.rstrip("/")
    return "" if path == "." else path
