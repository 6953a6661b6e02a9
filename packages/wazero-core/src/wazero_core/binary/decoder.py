"""The module grammar: preamble, sections in order, and what they must agree on (spec 5.5)."""

from __future__ import annotations

from typing import Any, Final

from wazero_api import CustomSection, MalformedModuleError, Module

from .names import decode_names
from .reader import Reader
from .sections import CUSTOM, SECTIONS, Section

_MAGIC: Final = b"\0asm"
_VERSION: Final = b"\1\0\0\0"
_COMPONENT_LAYER: Final = b"\1\0"


def decode_module(data: bytes, *, keep_custom_sections: bool = True) -> Module:
    """The module in `data`. Only the form is checked; typing rules are the validator's.

    Raises MalformedModuleError with the byte offset. Time and memory grow with len(data) alone: no announced count is
    believed before as many bytes are seen.
    """
    _check_preamble(data)
    fields: dict[str, Any] = {}
    custom: list[CustomSection] = []
    reader = Reader(data, 8)
    last_order = 0
    while reader.position < reader.end:
        start = reader.position
        section = SECTIONS.get(reader.byte())
        if section is None:
            raise reader.fail(f"malformed section id {data[start]}", start)
        size = reader.u32()
        if size > reader.end - reader.position:
            raise reader.fail(f"length out of bounds: section {section.name} runs past the end", start)
        body = Reader(data, reader.position, reader.position + size)
        reader.position = body.end
        if section is CUSTOM:
            _read_custom(body, fields, custom, keep_custom_sections)
            continue
        if section.order <= last_order:
            raise reader.fail(f"unexpected content after last section: {section.name} is out of order", start)
        last_order = section.order
        _read_section(section, body, fields)
    _check_agreement(fields, reader)
    return Module(**fields, custom_sections=tuple(custom))


def _check_preamble(data: bytes) -> None:
    if data[:4] != _MAGIC:
        raise MalformedModuleError("magic header not detected: this is not a WebAssembly binary", 0)
    if data[4:8] == _VERSION:
        return
    if data[6:8] == _COMPONENT_LAYER:
        raise MalformedModuleError(
            "unknown binary version: this is a component, not a core module; "
            "extract its core module (for example with `wasm-tools component unbundle`) and run that",
            4,
        )
    raise MalformedModuleError("unknown binary version", 4)


def _read_section(section: Section, body: Reader, fields: dict[str, Any]) -> None:
    fields[section.field] = section.read(body)
    if body.position != body.end:
        raise body.fail(f"section size mismatch: section {section.name} has {body.end - body.position} bytes too many")


def _read_custom(body: Reader, fields: dict[str, Any], custom: list[CustomSection], keep: bool) -> None:
    start = body.position
    name = body.name()
    if name == "name":
        fields["names"] = decode_names(body)
    elif keep:
        custom.append(CustomSection(name, body.data[body.position : body.end], start))


def _check_agreement(fields: dict[str, Any], reader: Reader) -> None:
    functions, bodies = len(fields.get("functions", ())), len(fields.get("bodies", ()))
    if functions != bodies:
        raise reader.fail(f"function and code section have inconsistent lengths: {functions} and {bodies}")
    announced, segments = fields.get("data_count"), len(fields.get("data", ()))
    if announced is not None and announced != segments:
        raise reader.fail(f"data count and data section have inconsistent lengths: {announced} and {segments}")
