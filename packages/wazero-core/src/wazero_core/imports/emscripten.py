"""What programs by Emscripten import from "env" when they are made without JavaScript, most of them for `setjmp`.

Code between a `setjmp` and its `longjmp` calls functions through ``invoke_<types>(index, ...)``, so that the host can
catch what `_emscripten_throw_longjmp` throws. The one that catches it puts the guest's stack pointer back, tells the
guest by `setThrew`, and returns; the guest then sees for itself whether its own `setjmp` was meant, and throws again
if not. Origin: Emscripten's JavaScript library, and LLVM's pass "WebAssemblyLowerEmscriptenEHSjLj".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

from wazero_api import (
    ExhaustionError,
    ExternKind,
    Frame,
    FunctionType,
    HostFunction,
    HostModule,
    LinkError,
    Trap,
    TrapKind,
    ValueType,
)
from wazero_api import Module as DecodedModule
from wazero_api.record import record

if TYPE_CHECKING:
    from wazero_core.runtime.module import Module

MODULE_NAME: Final = "env"
INVOKE_PREFIX: Final = "invoke_"
TABLE_NAME: Final = "__indirect_function_table"
"""Under which Emscripten exports the table that function pointers index."""

_I32: Final = ValueType.I32
_ZEROS: Final[dict[ValueType, Any]] = {
    ValueType.I32: 0,
    ValueType.I64: 0,
    ValueType.F32: 0.0,
    ValueType.F64: 0.0,
    ValueType.V128: bytes(16),
}


@final
class LongjmpError(Trap):
    """The guest jumps. A trap for whoever called the guest, if there is no ``invoke_…`` in between."""

    def __init__(self, frames: tuple[Frame, ...] = ()) -> None:
        super().__init__(TrapKind.UNCAUGHT_EXCEPTION, frames, "from longjmp, with no setjmp that still runs")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.frames,)


def functions_for(module: DecodedModule) -> tuple[HostFunction, ...]:
    """The functions as data, those that a module imports; each ``invoke_…`` has the type that the module expects."""
    fixed = {function.name: function for function in (*_STATELESS, *_temporary_register())}
    found: dict[str, HostFunction] = {}
    for item in module.imported(ExternKind.FUNCTION):
        if item.module == MODULE_NAME:
            function = fixed.get(item.name) or _invoke_function(item.name, module.types[item.type_index])
            if function is not None:
                found.setdefault(item.name, function)
    return tuple(found.values())


def host_module_for(module: DecodedModule) -> HostModule:
    """The module "env" with `functions_for` a module."""
    return HostModule(MODULE_NAME, functions_for(module))


def instantiate_for(runtime: Any, module: DecodedModule) -> Any:
    """Make the `host_module_for` a module importable in a `Runtime`; its instance. Raises LinkError if "env" is taken."""
    return runtime.instantiate_host_module(host_module_for(module))


# --- invoke_… -----------------------------------------------------------------------------------------------------------


@final
@record
class _Helper:
    """A function that the guest exports for its host, under the first of these names that it has."""

    names: tuple[str, ...]
    type: FunctionType

    def of(self, module: Module) -> Callable[..., Any]:
        """The function itself. Raises LinkError if the guest has none of that type."""
        for name in self.names:
            function = module.exported_function(name)
            if function is not None and function.type == self.type:
                return function.function.entry
        names = " or ".join(self.names)
        raise LinkError(f"the guest calls {INVOKE_PREFIX}…, which needs an export {names} {self.type}, but has none")


_STACK_SAVE: Final = _Helper(("stackSave", "emscripten_stack_get_current"), FunctionType((), (_I32,)))
_STACK_RESTORE: Final = _Helper(("stackRestore", "_emscripten_stack_restore"), FunctionType((_I32,), ()))
_SET_THREW: Final = _Helper(("setThrew",), FunctionType((_I32, _I32), ()))


def _invoke_function(name: str, type: FunctionType) -> HostFunction | None:
    """The function, if that is what the name stands for and a function of that type can be."""
    if not name.startswith(INVOKE_PREFIX) or type.params[:1] != (_I32,):
        return None
    names = ("index", *(f"a{number}" for number in range(1, len(type.params))))
    return HostFunction(name, type, _invoke(type), wants_module=True, param_names=names)


def _invoke(type: FunctionType) -> Callable[..., Any]:
    """What calls the function of the table at an index, and ends where that function jumps."""
    callee = FunctionType(type.params[1:], type.results)
    zeros = tuple(_ZEROS.get(result) for result in type.results)
    nothing = zeros[0] if len(zeros) == 1 else zeros or None

    def invoke(module: Module, index: int, *args: Any) -> Any:
        stack_pointer = _STACK_SAVE.of(module)()
        function = _table_entry(module, index & 0xFFFFFFFF, callee)
        try:
            return function.entry(*args)
        except LongjmpError:
            pass
        except RecursionError:  # calls of Python on this way are the guest's doing
            raise ExhaustionError from None
        _STACK_RESTORE.of(module)(stack_pointer)
        _SET_THREW.of(module)(1, 0)
        return nothing

    return invoke


def _table_entry(module: Module, index: int, type: FunctionType) -> Any:
    """A function of the guest's table. Raises Trap where `call_indirect` would."""
    table = _table(module)
    if table is None or index >= len(table):
        raise Trap(TrapKind.UNDEFINED_ELEMENT)
    function = table[index]
    if function is None:
        raise Trap(TrapKind.UNINITIALIZED_ELEMENT)
    if function.type != type:
        raise Trap(TrapKind.INDIRECT_CALL_TYPE_MISMATCH)
    return function


def _table(module: Module) -> Any:
    """The table that function pointers index: by its name, or else the first, which need not be exported."""
    table: Any = module.exported_table(TABLE_NAME)
    if table is None:
        table = next(iter(module.state.tables), None)
    return table if table is not None and table.type.element == ValueType.FUNCREF else None


# --- The others ---------------------------------------------------------------------------------------------------------


def _throw_longjmp() -> NoReturn:
    raise LongjmpError


def _notify_memory_growth(memory_index: int) -> None:
    """Do nothing: views of a memory follow its growth by themselves."""


_STATELESS: Final = (
    HostFunction(
        "emscripten_notify_memory_growth",
        FunctionType((_I32,), ()),
        _notify_memory_growth,
        param_names=("memory_index",),
    ),
    HostFunction("_emscripten_throw_longjmp", FunctionType((), ()), _throw_longjmp),
)


def _temporary_register() -> tuple[HostFunction, ...]:
    """`getTempRet0` and `setTempRet0`: 32 bits that each guest has to itself; newer versions have them inside.

    The value that a longjmp brings goes through them.
    """
    from weakref import WeakKeyDictionary

    values: WeakKeyDictionary[Module, int] = WeakKeyDictionary()
    return (
        HostFunction("getTempRet0", FunctionType((), (_I32,)), lambda module: values.get(module, 0), wants_module=True),
        HostFunction("setTempRet0", FunctionType((_I32,), ()), values.__setitem__, wants_module=True),
    )
