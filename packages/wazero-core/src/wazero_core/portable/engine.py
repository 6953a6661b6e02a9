"""The portable engine: every CPython and PyPy, no ctypes, no executable memory."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Any, final

from wazero_api import (
    BodySource,
    Code,
    CoreFeatures,
    FunctionType,
    GlobalType,
    HostFunction,
    LinkTarget,
    MemoryType,
    Module,
    StackTaker,
    TableType,
)
from wazero_core._version import __version__
from wazero_core.validation import SUPPORTED_FEATURES

from .adapters import Adapters
from .code import PortableCode
from .guard import CallGuard
from .instance import PortableFunction, PortableInstance
from .memory import PortableMemory
from .table import PortableGlobal, PortableTable


@final
class PortableEngine:
    """See `wazero_api.Engine`. One per runtime: references and tables must not cross between engines."""

    name = "portable"
    features: CoreFeatures = SUPPORTED_FEATURES
    code_key = f"portable {__version__} {sys.implementation.cache_tag} {sys.hexversion:x} {sys.byteorder}"

    def __init__(self) -> None:
        self._guard = CallGuard()
        self._adapters = Adapters(self._guard)
        self._types: dict[FunctionType, FunctionType] = {}

    def probe(self) -> str | None:
        """None: it works everywhere."""
        return None

    def compile(self, module: Module, bodies: BodySource) -> PortableCode:
        """Nothing is compiled yet; see `PortableCode`."""
        return PortableCode(module, bodies, self._intern)

    def _intern(self, type: FunctionType) -> FunctionType:
        return self._types.setdefault(type, type)

    def new_memory(self, type: MemoryType, maximum_pages: int) -> PortableMemory:
        """See `wazero_api.Engine.new_memory`."""
        return PortableMemory(type, maximum_pages)

    def new_table(self, type: TableType, init: Any, maximum_elements: int) -> PortableTable:
        """See `wazero_api.Engine.new_table`."""
        return PortableTable(type, init, maximum_elements)

    def new_global(self, type: GlobalType, value: Any) -> PortableGlobal:
        """See `wazero_api.Engine.new_global`."""
        return PortableGlobal(type, value)

    def new_host_function(self, host: HostFunction, module: Any) -> PortableFunction:
        """`module` is the host module's instance, the caller when Python calls the function directly."""
        name = host.name
        function = PortableFunction(self._intern(host.type), name, 0, None, self._adapters, host)
        function.code = self._adapters.host_call(host, module)
        return function

    def link(self, code: Code, target: LinkTarget) -> PortableInstance:
        """See `wazero_api.Engine.link`."""
        assert isinstance(code, PortableCode)
        target.functions[:] = [function.bound_to(target.instance) for function in target.functions]
        instance = PortableInstance(code, target, self._guard)
        instance.define(self._adapters, target.module.names.functions)
        self._guard.watch(instance)
        return instance

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """See `wazero_api.Engine.deadline`."""
        return self._guard.deadline(seconds)

    def remaining(self) -> float | None:
        """See `wazero_api.Engine.remaining`."""
        return self._guard.remaining()

    def take_stacks(self, take: StackTaker, *, only_caller: bool = False) -> None:
        """See `wazero_api.Engine.take_stacks`; here always at once."""
        from .stacks import take_stacks  # only for profiles

        take_stacks(take, only_caller=only_caller)
