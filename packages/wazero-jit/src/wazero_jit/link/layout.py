"""Where things are in an instance's context: fixed by the module alone, so that compiled code can be shared and cached."""

from __future__ import annotations

import ctypes
from typing import Final, final

from wazero_api import ExternKind, FunctionType, Module, ValueType

from .records import FunctionRecord, InstanceContext

WORD: Final = 8
RECORD: Final = ctypes.sizeof(FunctionRecord)

_I32: Final = ValueType.I32
_I64: Final = ValueType.I64


def _takes(*params: ValueType, results: tuple[ValueType, ...] = ()) -> FunctionType:
    return FunctionType(params, results)


BUILTINS: Final = {
    "memory.grow": _takes(_I32, _I32, results=(_I32,)),
    "memory.init": _takes(_I32, _I32, _I32, _I32, _I32),
    "memory.copy": _takes(_I32, _I32, _I32, _I32, _I32),
    "memory.fill": _takes(_I32, _I32, _I32, _I32),
    "data.drop": _takes(_I32),
    "table.init": _takes(_I32, _I32, _I32, _I32, _I32),
    "table.copy": _takes(_I32, _I32, _I32, _I32, _I32),
    "table.fill": _takes(_I32, _I64, _I32, _I32),
    "table.grow": _takes(_I64, _I32, _I32, results=(_I32,)),
    "elem.drop": _takes(_I32),
}
"""Instructions done in Python, called like imports that follow the module's own. Their immediates are passed as further
i32 arguments, in binary order; references are passed as i64."""


@final
class ContextLayout:
    """Byte offsets from the context register."""

    def __init__(self, module: Module) -> None:
        self.import_count = len(module.imported(ExternKind.FUNCTION))
        counts = (
            len(module.types),
            len(module.memory_types()),
            len(module.table_types()),
            len(module.global_types()),
            self.import_count + len(BUILTINS),
        )
        offset = ctypes.sizeof(InstanceContext)
        starts = []
        for count in counts:
            starts.append(offset)
            offset += count * WORD
        self._types, self._memories, self._tables, self._globals, self._imports = starts
        self._records = offset
        self.size = offset + len(module.functions) * RECORD
        """Bytes of a context."""

    def type_id(self, index: int) -> int:
        """Word with the process-wide id of a type of the module."""
        return self._types + index * WORD

    def memory(self, index: int) -> int:
        """Word with the address of a `MemoryRecord`."""
        return self._memories + index * WORD

    def table(self, index: int) -> int:
        """Word with the address of a `TableRecord`."""
        return self._tables + index * WORD

    def variable(self, index: int) -> int:
        """Word with the address of a global's cell of 8 bytes."""
        return self._globals + index * WORD

    def imported(self, index: int) -> int:
        """Word with the address of an imported function's `FunctionRecord`."""
        return self._imports + index * WORD

    def builtin(self, name: str) -> int:
        """Word with the address of a builtin's `FunctionRecord`."""
        return self._imports + (self.import_count + _BUILTIN_INDEX[name]) * WORD

    def record(self, index: int) -> int:
        """The `FunctionRecord` of a function that the module defines, by its index in the function index space."""
        return self._records + (index - self.import_count) * RECORD


_BUILTIN_INDEX: Final = {name: index for index, name in enumerate(BUILTINS)}
