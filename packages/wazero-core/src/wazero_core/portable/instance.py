"""Instances: the namespace that generated code runs in, and functions that compile themselves when first called."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock
from types import FunctionType as PythonFunction
from typing import Any, Final, final
from weakref import WeakSet

from wazero_api import BY_NAME, Frame, FunctionType, HostFunction, LinkTarget

from .adapters import Adapters, stub
from .code import PortableCode
from .guard import CallGuard
from .operations import NAMES

_CALL_INDIRECT: Final = BY_NAME["call_indirect"].code

_import_lock: Final = Lock()
"""Held while code goes from one instance to another: an importer must not miss that a stub is replaced."""


@final
class PortableFunction:
    """See `wazero_api.Function`. `code` takes and gives raw values; calling the object takes and gives typed ones."""

    __slots__ = (
        "__weakref__",
        "_adapters",
        "_entry",
        "_importers",
        "_is_stub",
        "code",
        "host",
        "index",
        "instance",
        "name",
        "type",
    )

    def __init__(
        self,
        type: FunctionType,
        name: str,
        index: int,
        instance: PortableInstance | None,
        adapters: Adapters,
        host: HostFunction | None = None,
    ) -> None:
        self.type = type
        self.name = name
        self.index = index
        self.instance = instance
        """The instance that defines it; None for a host function."""
        self.host = host
        self.code: Callable[..., Any] = _not_linked
        self._is_stub = False
        """Whether `code` will be replaced at the first call."""
        self._importers: WeakSet[PortableInstance] | None = None
        """Instances that took over the stub; None while there are none."""
        self._adapters = adapters
        self._entry: Callable[..., Any] | None = None

    @property
    def entry(self) -> Callable[..., Any]:
        """A plain Python function that does what calling this object does, faster."""
        if self._entry is None:
            self._entry = self._adapters.entry(self)
        return self._entry

    def __call__(self, *args: Any) -> Any:
        return self.entry(*args)

    def __repr__(self) -> str:
        return f"<wasm function {self.name} {self.type}>"

    def set_stub(self, code: Callable[..., Any]) -> None:
        """Let `code` stand for the function until `replace_code`."""
        self.code = code
        self._is_stub = True

    def code_for(self, importer: PortableInstance) -> Callable[..., Any]:
        """`code`, for the namespace of an instance that imports the function; a stub will be replaced there, too."""
        with _import_lock:
            if self._is_stub:
                if self._importers is None:
                    self._importers = WeakSet()
                self._importers.add(importer)
            return self.code

    def replace_code(self, code: Callable[..., Any]) -> None:
        """Put compiled code in the place of the stub that made it, wherever that went."""
        with _import_lock:
            self.code = code
            self._is_stub = False
            for importer in self._importers or ():
                importer.import_code(self)
            self._importers = None

    def bound_to(self, module: Any) -> PortableFunction:
        """Itself, or for a host function that wants its caller, one that is given `module`."""
        if self.host is None or not self.host.wants_module:
            return self
        bound = PortableFunction(self.type, self.name, self.index, None, self._adapters, self.host)
        bound.code = self._adapters.host_call(self.host, module)
        return bound


def _not_linked(*_: Any) -> Any:
    raise AssertionError("a function was called before it was linked")


@final
class PortableInstance:
    """One instance's globals for generated code. Alive as long as any of its functions."""

    __slots__ = ("__weakref__", "_code", "_functions", "_guard", "exit_code", "name", "namespace")

    def __init__(self, code: PortableCode, target: LinkTarget, guard: CallGuard) -> None:
        self._code = code
        self._guard = guard
        self.name = target.name
        self.exit_code: int | None = None
        """Set once the module is closed."""
        self._functions = target.functions
        self.namespace: dict[str, Any] = {
            **NAMES,
            "__builtins__": {},
            "__instance__": self,
            "stop": False,
            "poll": partial(guard.poll, self),
            "F": target.functions,
            "D": target.data,
            "E": target.elements,
            **{f"Y{index}": type for index, type in enumerate(code.types)},
        }

    def define(self, adapters: Adapters, names: Any) -> None:
        """Append the module's functions to the index space; bind host functions to this caller."""
        namespace = self.namespace
        for index, function in enumerate(self._functions):
            namespace[f"f{index}"] = function.code_for(self)
        code = self._code
        for index in range(code.import_count, len(code.function_types)):
            function = PortableFunction(
                code.function_types[index], names.get(index) or f"${index}", index, self, adapters
            )
            function.set_stub(stub(len(function.type.params), self._compile, index))
            namespace[f"f{index}"] = function.code
            self._functions.append(function)

    def import_code(self, function: PortableFunction) -> None:
        """Take over the present code of an imported function."""
        for index in range(self._code.import_count):
            if self._functions[index] is function:
                self.namespace[f"f{index}"] = function.code

    def bind(self, target: LinkTarget) -> None:
        """Name tables, memories and globals, once they all exist."""
        namespace = self.namespace
        for index, table in enumerate(target.tables):
            namespace[f"T{index}"] = table
            namespace[f"t{index}"] = table.elements
        namespace.update((f"M{index}", memory) for index, memory in enumerate(target.memories))
        namespace.update((f"g{index}", item) for index, item in enumerate(target.globals))

    def _compile(self, index: int) -> PythonFunction:
        compiled = self._code.function(index - self._code.import_count)
        function = PythonFunction(compiled.code, self.namespace)
        self.namespace[f"f{index}"] = function
        self._functions[index].replace_code(function)
        if self.namespace["stop"]:  # compiling may have taken all the time there was
            self._guard.poll(self)
        return function

    def close(self, exit_code: int) -> None:
        """From now on calls fail, and running ones end at their next poll."""
        self._guard.close(self, exit_code)

    def is_idle(self) -> bool:
        """See `wazero_api.LinkedInstance.is_idle`; calls of other instances count, since they may have come from here."""
        return self._guard.is_idle

    def frame(self, code_name: str, line: int) -> Frame:
        """Of a traceback entry in generated code."""
        index = int(code_name[1:])
        return Frame(self.name, self._functions[index].name, index, self._offset(index, line))

    def _offset(self, index: int, line: int) -> int:
        offsets = self._code.function(index - self._code.import_count).line_offsets
        return offsets[line - 1]

    def is_indirect_call(self, code_name: str, line: int) -> bool:
        """Whether the instruction there is a ``call_indirect``."""
        index = int(code_name[1:])
        body = self._code.module.bodies[index - self._code.import_count]
        return body.code[self._offset(index, line) - body.offset] == _CALL_INDIRECT
