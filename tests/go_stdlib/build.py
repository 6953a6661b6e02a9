"""Builds the tests of packages of Go's standard library, from the sources that come with the Go toolchain, and keeps what it made."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, Literal

from programs.build import CACHE, Toolchain, UnavailableError, compile_to, go

Target = Literal["wasip1", "js", ""]
"""A GOOS; "" is this machine's."""

_COMMAND: Final = ("test", "-c", "-o")


def build_tests(package: str, target: Target) -> Path:
    """The binary with the tests of a package, named by its import path. Raises UnavailableError."""
    compiler = go()
    if not package_folder(package).is_dir():
        raise UnavailableError(f"no {package_folder(package)}: this Go comes without its standard library's sources")
    # GOROOT is written into the binary, and tests look for files there.
    facts = "\0".join((package, target, compiler.version, str(compiler.root), *_COMMAND))
    key = hashlib.sha256(facts.encode()).hexdigest()[:16]
    name = f"{package.replace('/', '-')}-{target or 'host'}-{key}.test" + (".wasm" if target else "")
    binary = CACHE / "go-stdlib" / name
    if not binary.exists():
        environment = tuple(compiler.environment(target).items())
        compile_to(binary, Toolchain((compiler.path, *_COMMAND), environment, compiler.version), package)
    return binary


def package_folder(package: str) -> Path:
    """Where the package's sources are, and the files that its tests read: Go runs them with this as working directory."""
    return go().root / "src" / package
