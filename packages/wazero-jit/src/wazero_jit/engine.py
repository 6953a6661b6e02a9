"""The native engine. See `wazero_api.Engine`."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, final

from wazero_api import (
    CORE_FEATURES_V2,
    BodySource,
    Code,
    CoreFeatures,
    GlobalType,
    HostFunction,
    LinkTarget,
    MemoryType,
    Module,
    StackTaker,
    TableType,
    UnsupportedError,
)

from ._version import __version__

if TYPE_CHECKING:
    from .code import JitCode
    from .instance import Instance
    from .link.builtin import Function
    from .link.variables import JitGlobal, JitTable
    from .memory.linear import NativeMemory
    from .process import Process

MEMORY_VARIABLE: Final = "WAZERO_JIT_MEMORY"
"""Environment variable: "checked" makes code compare addresses with the memory's size instead of letting them fault."""

_FEATURES: Final = CORE_FEATURES_V2 & ~CoreFeatures.SIMD | CoreFeatures.EXTENDED_CONST | CoreFeatures.MULTI_MEMORY


@final
class JitEngine:
    """Compiles to machine code, function by function when first called.

    Nothing is set up before a method needs it, so that asking `probe` where it cannot work costs next to nothing.
    `guarded`: let the hardware check memory accesses; None for wherever that is possible.
    """

    name = "jit"
    features: CoreFeatures = _FEATURES

    def __init__(self, guarded: bool | None = None) -> None:
        self._guarded_wish = guarded
        self._process: Process | None = None
        self._is_guarded = True

    def _ready(self) -> Process:
        if self._process is None:
            reason = self.probe()
            if reason is not None:
                raise UnsupportedError(reason)
            from .process import the_process

            self._process = the_process()
            self._is_guarded = self._choose_guarded()
        return self._process

    def _choose_guarded(self) -> bool:
        if self._guarded_wish is not None:
            return self._guarded_wish
        if os.environ.get(MEMORY_VARIABLE) == "checked":
            return False
        from .probe import can_guard

        return can_guard()

    def probe(self) -> str | None:
        """See `wazero_api.Engine.probe`."""
        if sys.implementation.name != "cpython":
            return f"it needs CPython, and this is {sys.implementation.name}"
        try:
            import ctypes  # noqa: F401 - missing in reduced builds, and in isolated sub-interpreters of CPython 3.12
        except ImportError as error:
            return f"it needs ctypes: {error}"
        from .isa.native import MACHINES, machine

        if sys.platform != "linux" or machine() not in MACHINES:
            return f"it needs Linux on {' or '.join(MACHINES)}, and this is {sys.platform} on {machine()}"
        from .probe import probe

        return probe()

    @property
    def code_key(self) -> str:
        """See `wazero_api.Engine.code_key`."""
        process = self._ready()
        mode = "guarded" if self._is_guarded else "checked"
        return f"jit {__version__} {process.native.name} {mode}"

    def compile(self, module: Module, bodies: BodySource) -> JitCode:
        """Nothing is compiled yet; see `JitCode`."""
        from .code import JitCode

        process = self._ready()
        return JitCode(module, bodies, process, self._is_guarded)

    def new_memory(self, type: MemoryType, maximum_pages: int) -> NativeMemory:
        """See `wazero_api.Engine.new_memory`."""
        from .memory.linear import NativeMemory

        self._ready()
        return NativeMemory(type, maximum_pages, self._is_guarded)

    def new_table(self, type: TableType, init: Any, maximum_elements: int) -> JitTable:
        """See `wazero_api.Engine.new_table`."""
        from .link.variables import JitTable

        process = self._ready()
        table = JitTable(type, init, maximum_elements, process.conversions)
        process.sweeper.add_holder(table)
        return table

    def new_global(self, type: GlobalType, value: Any) -> JitGlobal:
        """See `wazero_api.Engine.new_global`."""
        from .link.variables import JitGlobal

        process = self._ready()
        variable = JitGlobal(type, value, process.conversions)
        if type.value.is_ref:
            process.sweeper.add_holder(variable)
        return variable

    def new_host_function(self, host: HostFunction, module: Any) -> Function:
        """`module` is the host module's instance, the caller when Python calls the function directly."""
        from .instance import HostTarget

        return HostTarget(host, module, self._ready()).function

    def link(self, code: Code, target: LinkTarget) -> Instance:
        """See `wazero_api.Engine.link`."""
        from .code import JitCode
        from .instance import Instance

        assert isinstance(code, JitCode)
        process = self._ready()
        process.activity.catch_faults()
        return Instance(code, target, process)

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """See `wazero_api.Engine.deadline`."""
        return self._ready().activity.deadline(seconds)

    def remaining(self) -> float | None:
        """See `wazero_api.Engine.remaining`."""
        return self._ready().activity.remaining()

    def take_stacks(self, take: StackTaker, *, only_caller: bool = False) -> None:
        """See `wazero_api.Engine.take_stacks`; here always at a poll."""
        self._ready().take_stacks(take, only_caller=only_caller)
