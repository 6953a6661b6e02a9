"""The names of the modules that a binary imports from, without a runtime's help.

The runner asks for them to tell "cannot link since the script's other module was left out" from a true link error.
"""

from __future__ import annotations

from typing import Final, final

_HEADER_BYTES: Final = 8
_IMPORT_SECTION: Final = 2
_TYPED_REFERENCES: Final = (0x63, 0x64)
_HAS_MAXIMUM: Final = 0x01
_HAS_PAGE_SIZE: Final = 0x08


def imported_modules(wasm: bytes) -> frozenset[str]:
    """The module names in the import section; of a damaged binary, none."""
    try:
        return frozenset(_Reader(wasm).import_modules())
    except (IndexError, UnicodeDecodeError):
        return frozenset()


@final
class _Reader:
    """A cursor over a binary; running past its end is an IndexError."""

    def __init__(self, wasm: bytes) -> None:
        self._wasm = wasm
        self._position = _HEADER_BYTES

    def import_modules(self) -> list[str]:
        while self._position < len(self._wasm):
            section, size_bytes = self._byte(), self._u64()
            if section == _IMPORT_SECTION:
                return [self._import() for _ in range(self._u64())]
            self._position += size_bytes
        return []

    def _import(self) -> str:
        """Step over one import and return its module name."""
        module = self._name()
        self._name()
        match self._byte():
            case 0:
                self._u64()
            case 1:
                self._type()
                self._limits()
            case 2:
                self._limits()
            case 3:
                self._type()
                self._byte()
            case 4:
                self._byte()
                self._u64()
        return module

    def _type(self) -> None:
        if self._byte() in _TYPED_REFERENCES:
            self._u64()

    def _limits(self) -> None:
        flags = self._byte()
        for flag in (0, _HAS_MAXIMUM, _HAS_PAGE_SIZE):
            if flags & flag == flag:
                self._u64()

    def _name(self) -> str:
        length_bytes = self._u64()
        start = self._position
        self._position += length_bytes
        return self._wasm[start : self._position].decode()

    def _byte(self) -> int:
        self._position += 1
        return self._wasm[self._position - 1]

    def _u64(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
