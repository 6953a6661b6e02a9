"""Machine code as text, by the PyPI package capstone where that is installed. Nothing else here needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final

from .errors import CommandError

Disassembler = Callable[[bytes, int], Iterator[tuple[int, bytes, str]]]
"""From machine code and its position to (position, bytes, text) of each instruction."""

_MODES: Final = {
    "amd64": (("CS_ARCH_X86",), "CS_MODE_64"),
    "arm64": (("CS_ARCH_AARCH64", "CS_ARCH_ARM64"), "CS_MODE_ARM"),
}
"""Names of capstone's constants, the first that there is, by language of a `Listing`."""


def new_disassembler(language: str) -> Disassembler:
    """Raises CommandError if it is no machine code, or capstone is not installed."""
    if language not in _MODES:
        raise CommandError(f"error: -disassemble is for machine code, and this engine makes {language}")
    try:
        capstone: Any = import_module("capstone")
    except ImportError:
        raise CommandError("error: -disassemble needs the package capstone: `pip install capstone`") from None
    architectures, mode = _MODES[language]
    architecture = next(getattr(capstone, name) for name in architectures if hasattr(capstone, name))
    decoder = capstone.Cs(architecture, getattr(capstone, mode))
    decoder.skipdata = True  # tables of branch targets stand between instructions

    def disassemble(code: bytes, position: int) -> Iterator[tuple[int, bytes, str]]:
        for found in decoder.disasm(code, position):
            yield found.address, bytes(found.bytes), f"{found.mnemonic} {found.op_str}".strip()

    return disassemble
