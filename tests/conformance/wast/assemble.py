"""The modules of a script as binaries, with what each of them needs beyond WebAssembly 2.0.

Text goes through wasmtime's `wat2wasm`, which does not validate, so that invalid modules assemble as well. What comes
out is kept on disk, one file per script under a name made from its modules, so that Pythons for which there is no
wasmtime run the same scripts.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, final

from conformance.wast.features import needed_features
from conformance.wast.script import AssertMalformed, Module, ModuleAssertion, ModuleKind, ModuleSource, Script

CACHE_VARIABLE: Final = "WAZERO_TEST_CACHE"
"""Names the folder of the cache; without it, it is `.cache/wast` of the repository."""

_FORMAT: Final = 1
"""Part of every file name in the cache: raise it when what is stored changes."""

_CONFUSING: Final = re.compile("[\u202a-\u202e\u2066-\u206f]")
"""Characters that wat2wasm refuses since they can make text look like other text; scripts use them in strings."""


class AssemblerMissingError(RuntimeError):
    """A script is not in the cache, and wasmtime is not there to assemble it."""


@final
@dataclass(frozen=True, slots=True)
class Assembled:
    """A module as a binary, or why there is none (`wasm` is None then); `needs` are names from `FEATURES`."""

    wasm: bytes | None
    error: str
    needs: frozenset[str]


Assembly: TypeAlias = Mapping[ModuleSource, Assembled]


def in_scope(command: Module | ModuleAssertion) -> bool:
    """Whether a command's module matters to a runtime that reads binaries only: malformed text does not."""
    return not (isinstance(command, AssertMalformed) and command.source.kind is ModuleKind.QUOTE)


def assemble(script: Script, cache: Path | None = None) -> Assembly:
    """All modules of a script that are in scope, from the cache where it has them.

    Raises:
        AssemblerMissingError: neither the cache nor wasmtime can help.
    """
    sources = list(
        dict.fromkeys(c.source for c in script.commands if isinstance(c, Module | ModuleAssertion) and in_scope(c))
    )
    path = (cache or cache_folder()) / f"{_key(sources)}.json"
    modules = _stored(path)
    if modules is None:
        if _assembler_version() is None:
            raise AssemblerMissingError(
                f"{script.name} must be assembled first: install wasmtime, or fill {path.parent}"
            )
        modules = [_assemble(source) for source in sources]
        _store(path, modules)
    return dict(zip(sources, modules, strict=True))


def cache_folder() -> Path:
    """Where assembled scripts are kept."""
    override = os.environ.get(CACHE_VARIABLE)
    return Path(override) if override else Path(__file__).parents[3] / ".cache" / "wast"


def _assemble(source: ModuleSource) -> Assembled:
    import wasmtime

    wasm = source.content
    if source.kind is not ModuleKind.BINARY:
        try:
            text = _CONFUSING.sub(lambda match: f"\\u{{{ord(match[0]):x}}}", source.content.decode())
            wasm = bytes(wasmtime.wat2wasm(text))
        except (wasmtime.WasmtimeError, UnicodeDecodeError) as error:
            return Assembled(None, str(error).splitlines()[0], frozenset())
    return Assembled(wasm, "", needed_features(wasm))


def _assembler_version() -> str | None:
    try:
        return importlib.metadata.version("wasmtime")
    except importlib.metadata.PackageNotFoundError:
        return None


# --- The cache ------------------------------------------------------------------------------------------------------


def _key(sources: list[ModuleSource]) -> str:
    digest = hashlib.sha256(f"{_FORMAT}".encode())
    for source in sources:
        digest.update(f"{source.kind.value} {len(source.content)} ".encode())
        digest.update(source.content)
    return digest.hexdigest()


def _stored(path: Path) -> list[Assembled] | None:
    """What is stored, unless another version of the assembler that is installed made it, or the file is damaged."""
    try:
        stored = json.loads(path.read_bytes())
        if _assembler_version() not in {None, stored["assembler"]}:
            return None
        return [
            Assembled(None if wasm is None else base64.b64decode(wasm), error, frozenset(needs))
            for wasm, error, needs in stored["modules"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _store(path: Path, modules: list[Assembled]) -> None:
    """Write all at once: test processes run side by side, and none may read half a file."""
    rows = [(None if m.wasm is None else base64.b64encode(m.wasm).decode(), m.error, sorted(m.needs)) for m in modules]
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        json.dump({"assembler": _assembler_version(), "modules": rows}, file)
    Path(file.name).replace(path)
