"""What Go's own tests of syscall/js import beside the rest: Go's lib/wasm/wasm_exec.js has it for them, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wazero_api import Convention, FunctionType, HostFunction, HostModule, ValueType

from .imports import GO_TESTS
from .linking import exported_function

if TYPE_CHECKING:
    from wazero_gojs.program import Program

_I32: Final = ValueType.I32
_I64: Final = ValueType.I64


def host_module(program: Program) -> HostModule:
    """The imports of one program."""

    def call_export(a: int, b: int) -> int:
        program.call_export(exported_function(program.module, "testExport0"))
        result: int = program.call_export(exported_function(program.module, "testExport"), a, b)
        return result

    return HostModule(
        GO_TESTS,
        (
            HostFunction("add", FunctionType((_I32, _I32), (_I32,)), _add, Convention.RAW),
            HostFunction("callExport", FunctionType((_I32, _I64), (_I64,)), call_export),
        ),
    )


def _add(a: int, b: int) -> int:
    return (a + b) & 0xFFFFFFFF
