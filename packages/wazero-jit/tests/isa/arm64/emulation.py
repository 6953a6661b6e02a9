"""An arm64 Linux with CPython for the tests: Debian packages unpacked into a folder, and qemu to run it.

Nothing is installed and no setting of the system changes: apt-get works on folders of its own. The result is kept in
$WAZERO_ARM64_ROOT, or else in $XDG_CACHE_HOME/wazero/arm64, about 65 MB. As a script, prints the command that stands for
``python`` there, as JSON, or fails with one line that says why there is none.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCE = f"deb [signed-by={KEYRING}] http://deb.debian.org/debian bookworm main\n"
EMULATOR = "qemu-user-static"
PACKAGES = (
    "libbz2-1.0",
    "libc6",
    "libcrypt1",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libssl3",
    "python3.11-minimal",
    "zlib1g",
)
QEMU = "usr/bin/qemu-aarch64-static"
PYTHON = "usr/bin/python3.11"


class Unavailable(Exception):
    """There is no arm64 here; says why."""


def cache_folder() -> Path:
    """Where the unpacked packages are kept."""
    named = os.environ.get("WAZERO_ARM64_ROOT")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "wazero", "arm64")


def python_command() -> list[str]:
    """How to start arm64's ``python``. Raises Unavailable."""
    if platform.machine() == "aarch64":
        return [sys.executable]
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise Unavailable("emulating arm64 needs Linux on x86-64")
    folder = cache_folder()
    if not (folder / QEMU).exists():
        try:
            _make(folder)
        except OSError as error:
            raise Unavailable(f"cannot set up arm64 in {folder}: {error.strerror}") from error
    command = [str(folder / QEMU), "-L", str(folder), str(folder / PYTHON)]
    _run([*command, "-c", "import ctypes"])
    return command


def _make(folder: Path) -> None:
    """All or nothing: the folder appears when it is complete."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Unavailable(f"setting up arm64 needs {tool}")
    if not Path(KEYRING).exists():
        raise Unavailable(f"setting up arm64 needs Debian's keys, {KEYRING}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        work = Path(name)
        root = work / "root"
        root.mkdir()
        for package in _download(work):
            if package.name.startswith(EMULATOR):
                _unpack_file(package, QEMU, root)
            else:
                _run(["dpkg-deb", "--extract", str(package), str(root)])
        try:
            root.rename(folder)
        except OSError:
            if not (folder / QEMU).exists():  # else another process was faster
                raise


def _download(work: Path) -> list[Path]:
    apt = work / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True)
    (apt / "sources.list").write_text(SOURCE)
    (apt / "status").touch()
    settings = {
        "Dir::State": apt / "state",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "APT::Architecture": "amd64",
        "APT::Architectures::": "arm64",
        "Acquire::Retries": "1",
        "Acquire::http::Timeout": "20",
    }
    options = [part for setting, value in settings.items() for part in ("-o", f"{setting}={value}")]
    packages = work / "packages"
    packages.mkdir()
    _run(["apt-get", *options, "--error-on=any", "update"])
    wanted = [f"{EMULATOR}:amd64", *[f"{package}:arm64" for package in PACKAGES]]
    _run(["apt-get", *options, "download", *wanted], cwd=packages)
    return list(packages.iterdir())


def _unpack_file(package: Path, path: str, root: Path) -> None:
    """One file only: the package has an emulator for each processor there is."""
    files = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(root), f"./{path}"], input=files, check=True)


def _run(command: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"status {done.returncode}"]
        raise Unavailable(f"`{' '.join(command[:1])}` failed while setting up arm64: {lines[-1]}")


if __name__ == "__main__":
    try:
        print(json.dumps(python_command()))
    except Unavailable as error:
        sys.exit(str(error))
