"""What ``wazero inspect`` does: a description of a program, as JSON or as text for people.

The keys of the JSON are there for programs to rely on. Further ones may come; these stay what they are:

=====================  ===============================================================================================
format                 1: the number of this description
file, bytes            path as it was given; size of the file
name                   what the name section calls the module, or null
kind                   "command" (exports _start), "reactor" (exports _initialize) or "library"
abi                    hosts that the imports are made for: wasi_snapshot_preview1, wasi_unstable, gojs, assemblyscript,
                       emscripten; and the names of the other modules that are imported from
features               needed: names of proposals; missing: those of them that `wazero run` does not enable
start                  index and name of the function that runs at instantiation, or null
counts                 number of types, imports, exports, functions, tables, memories, globals, element and data
                       segments (imported ones among them) and bytes of code
sections               id, name (of a custom section, its own), offset of the content in the file, size in bytes
imports                module, name, kind ("function", "table", "memory", "global") and type
exports                name, kind, index and type
memories               index, is_imported, minimum and maximum (null: none) in pages of 64 KiB, is_shared, is_64
tables                 index, is_imported, element, minimum and maximum, is_64
globals                index, is_imported, type, is_mutable
=====================  ===============================================================================================

Types are text, as ``(i32 i32) -> (i64)``, ``memory 1 2``, ``table 1 funcref`` and ``mut i32``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from wazero_api import (
    CoreFeatures,
    ExternKind,
    ExternType,
    GlobalType,
    Limits,
    MemoryType,
    Module,
    ModuleError,
    TableType,
)
from wazero_core.binary.decoder import decode_module
from wazero_core.runtime.config import DEFAULT_FEATURES
from wazero_core.validation.context import SUPPORTED_FEATURES, ModuleContext

from .errors import CommandError, printable
from .features_needed import features_needed
from .modules import read_binary
from .sections import list_sections

FORMAT: Final = 1

_HOSTS: Final = {"go": "gojs"}
"""What a host is called where that is not the name of the module that is imported."""


def print_inspection(path: str, *, is_json: bool) -> None:
    """Describe the program in that file. Raises CommandError."""
    wasm = read_binary(path)
    try:
        description = describe(path, wasm)
    except ModuleError as error:
        raise CommandError(f"error decoding wasm binary: {path}: {error}") from error
    except MemoryError:
        raise CommandError(f"error decoding wasm binary: {path}: out of memory") from None
    if is_json:
        import json

        print(json.dumps(description, indent=2))
        return
    from .inspection_text import inspection_lines

    for line in inspection_lines(description):
        print(printable(line))


def describe(path: str, wasm: bytes) -> dict[str, Any]:
    """What is printed as JSON. Raises MalformedModuleError, and InvalidModuleError for an index that is out of range."""
    module = decode_module(wasm)
    context = ModuleContext(module, CoreFeatures(0))
    needed = features_needed(module)
    missing = needed & ~(DEFAULT_FEATURES & SUPPORTED_FEATURES)
    return {
        "format": FORMAT,
        "file": path,
        "bytes": len(wasm),
        "name": module.names.module,
        "kind": _kind(module),
        "abi": _abi(module),
        "features": {"needed": _labels(needed), "missing": _labels(missing)},
        "start": _start(module),
        "counts": _counts(context),
        "sections": [section._asdict() for section in list_sections(wasm)],
        "imports": _imports(module),
        "exports": _exports(context),
        "memories": [_memory(index, context) for index in range(len(context.memories))],
        "tables": [_table(index, context) for index in range(len(context.tables))],
        "globals": [_global(index, context) for index in range(len(context.globals))],
    }


# What it is


def _kind(module: Module) -> str:
    exported = {item.name for item in module.exports if item.kind is ExternKind.FUNCTION}
    return "command" if "_start" in exported else "reactor" if "_initialize" in exported else "library"


def _abi(module: Module) -> list[str]:
    found: dict[str, None] = {}
    for item in module.imports:
        names = _environments(module) if item.module == "env" else []
        found |= dict.fromkeys(names or [_HOSTS.get(item.module, item.module)])
    return list(found)


def _environments(module: Module) -> list[str]:
    """Whose module "env" it is that functions are imported from."""
    from wazero_core.imports import assemblyscript, emscripten

    wanted = {item.name for item in module.imported(ExternKind.FUNCTION) if item.module == "env"}
    offers = {"assemblyscript": assemblyscript.functions(), "emscripten": emscripten.functions_for(module)}
    return [name for name, functions in offers.items() if wanted & {function.name for function in functions}]


def _labels(features: CoreFeatures) -> list[str]:
    return [feature.label for feature in CoreFeatures if feature in features]


def _start(module: Module) -> dict[str, Any] | None:
    return None if module.start is None else {"index": module.start, "name": module.names.functions.get(module.start)}


def _counts(context: ModuleContext) -> dict[str, int]:
    module = context.module
    return {
        "types": len(module.types),
        "imports": len(module.imports),
        "exports": len(module.exports),
        "functions": len(context.functions),
        "tables": len(context.tables),
        "memories": len(context.memories),
        "globals": len(context.globals),
        "element_segments": len(module.elements),
        "data_segments": len(module.data),
        "code_bytes": sum(len(body.code) for body in module.bodies),
    }


# Imports and exports


def _imports(module: Module) -> list[dict[str, Any]]:
    return [
        {
            "module": item.module,
            "name": item.name,
            "kind": item.kind.name.lower(),
            "type": type_text(item.type or module.types[item.type_index]),
        }
        for item in module.imports
    ]


def _exports(context: ModuleContext) -> list[dict[str, Any]]:
    spaces: dict[ExternKind, list[Any]] = {
        ExternKind.FUNCTION: context.functions,
        ExternKind.TABLE: context.tables,
        ExternKind.MEMORY: context.memories,
        ExternKind.GLOBAL: context.globals,
    }
    found = []
    for item in context.module.exports:
        kind, space = item.kind.name.lower(), spaces[item.kind]
        context.check_index(kind, item.index, len(space))
        found.append({"name": item.name, "kind": kind, "index": item.index, "type": type_text(space[item.index])})
    return found


def type_text(type: ExternType) -> str:
    """As in the text format, in short."""
    match type:
        case MemoryType():
            return " ".join(["memory", *_limit_words(type.limits, type.is_64), *(["shared"] if type.is_shared else [])])
        case TableType():
            return " ".join(["table", *_limit_words(type.limits, type.is_64), type.element.name])
        case GlobalType():
            return f"mut {type.value.name}" if type.is_mutable else type.value.name
    return str(type)


def _limit_words(limits: Limits, is_64: bool) -> list[str]:
    bounds = (limits.minimum, limits.maximum)
    return [*(["i64"] if is_64 else []), *(str(bound) for bound in bounds if bound is not None)]


# Memories, tables and globals


def _memory(index: int, context: ModuleContext) -> dict[str, Any]:
    type = context.memories[index]
    flags = {"is_shared": type.is_shared, "is_64": type.is_64}
    return _place(index, context.memories, context.module.memories) | _sizes(type.limits) | flags


def _table(index: int, context: ModuleContext) -> dict[str, Any]:
    type = context.tables[index]
    place = _place(index, context.tables, context.module.tables)
    return place | {"element": type.element.name} | _sizes(type.limits) | {"is_64": type.is_64}


def _global(index: int, context: ModuleContext) -> dict[str, Any]:
    type = context.globals[index]
    place = _place(index, context.globals, context.module.globals)
    return place | {"type": type.value.name, "is_mutable": type.is_mutable}


def _place(index: int, space: Sequence[object], defined: Sequence[object]) -> dict[str, Any]:
    return {"index": index, "is_imported": index < len(space) - len(defined)}


def _sizes(limits: Limits) -> dict[str, Any]:
    return {"minimum": limits.minimum, "maximum": limits.maximum}
