"""What lies around the mounts of a guest: something to find, and a look at whether it was found."""

# `os` and not `pathlib`: targets of links are text, not paths.
# ruff: noqa: PTH115

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, final

SECRET: Final = b"the plans of the outside, " * 5003
"""Of a size that nothing else has."""
UNGUESSED: Final = "nobody-tells-the-guest-this-name"


@final
class Place:
    """Where it happens: `outside` and, next to it, the directories `mount`, `other` and `safe` of the guest."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.outside, self.mount, self.other, self.safe = (
            base / name for name in ("outside", "mount", "other", "safe")
        )
        for directory in (self.outside / "sub", self.mount / "dir" / "inner", self.other / "dir", self.safe / "dir"):
            directory.mkdir(parents=True)
        (self.outside / "secret").write_bytes(SECRET)
        (self.outside / UNGUESSED).write_bytes(b"")
        (self.outside / "link").symlink_to("secret")
        for directory in (self.mount, self.other, self.safe):
            (directory / "file").write_bytes(b"inside")
            (directory / "dir" / "deep").write_bytes(b"deeper")
        for name, target in self.links().items():
            (self.mount / name).symlink_to(target)
        (self.safe / "out").symlink_to("../outside")
        (self.safe / "to_file").symlink_to("file")

    def links(self) -> dict[str, str]:
        """Of the mount; all but the last two lead out."""
        return {
            "absolute": str(self.outside),
            "absolute_file": str(self.outside / "secret"),
            "absolute_self": str(self.mount / "file"),
            "out": "../outside",
            "out_file": "../outside/secret",
            "out_new": "../outside/planted",
            "returning": "../mount/file",
            "twice": "out",
            "chain0": "dir/chain1",
            "dir/chain1": "../dir/inner/chain2",
            "dir/inner/chain2": "../../out",
            "through": "to_dir/inner/../../../outside",
            "parent": "..",
            "dots": ".././../outside",
            "root": "/",
            "proc_root": "/proc/self/root",
            "proc_cwd": "/proc/self/cwd",
            "standard_input": "/dev/fd/0",
            "proc_directory": "/proc/self/fd/3",
            "to_dir": "dir",
            "to_file": "file",
        }


def snapshot(directory: Path) -> dict[str, object]:
    """All that can be known of what is in a directory, but for the times of reading."""
    found: dict[str, object] = {}
    for path in [directory, *sorted(directory.rglob("*"))]:
        stat = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        kind = (stat.st_mode, stat.st_ino, stat.st_nlink, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        found[str(path.relative_to(directory))] = (kind, content)
    return found
