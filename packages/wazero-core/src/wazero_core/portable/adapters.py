"""Generated functions at the boundary: entries, by which Python calls wasm, and host calls, by which wasm calls Python.

One per signature, made when first needed, since a general one would loop over types at every call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, final

from wazero_api import Convention, FunctionType, HostFunction, ValueType

from .faults import INTERNAL_MARK, explain
from .guard import CallGuard
from .values import CONVERSIONS, NAMES

_HOST_CALL_GLOBALS: Final[dict[str, Any]] = {"__name__": __name__, **NAMES}
"""What generated host calls name besides their own variables. Not marked as internal: a host function may be written in
C and have no frame of its own, and what goes wrong with its results is the host's fault."""

_ENTRY_GLOBALS: Final[dict[str, Any]] = {INTERNAL_MARK: True, **_HOST_CALL_GLOBALS}
"""The same for entries."""


def _parameters(count: int) -> str:
    return ", ".join(f"a{i}" for i in range(count))


def _tuple(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _results(type: FunctionType, template: Callable[[ValueType], str]) -> list[str]:
    """Lines that return the converted results held in ``r``."""
    if not type.results:
        return ["return None"]
    if len(type.results) == 1:
        return [f"return {template(type.results[0]).format(v='r')}"]
    texts = [template(result).format(v=f"r{i}") for i, result in enumerate(type.results)]
    return [f"{', '.join(f'r{i}' for i in range(len(texts)))} = r", f"return {_tuple(texts)}"]


@final
class Adapters:
    """The generated functions of one engine, by signature."""

    def __init__(self, guard: CallGuard) -> None:
        self._guard = guard
        self._entries: dict[FunctionType, Callable[..., Any]] = {}
        self._host_calls: dict[tuple[FunctionType, Convention, bool], Callable[..., Any]] = {}

    def entry(self, function: Any) -> Callable[..., Any]:
        """A Python function with positional parameters that calls `function` (a `PortableFunction`) with typed values.

        It raises TypeError and OverflowError for bad arguments, what `CallGuard.enter` raises, and what `explain`
        makes of faults.
        """
        make = self._entries.get(function.type)
        if make is None:
            make = self._entries[function.type] = _compile(_entry_source(function.type), _ENTRY_GLOBALS)
        guard = self._guard
        entry: Callable[..., Any] = make(function, guard.enter, guard.leave, explain)
        entry.__name__ = entry.__qualname__ = function.name
        entry.function = function  # type: ignore[attr-defined]  # so that an entry can stand for its function
        return entry

    def host_call(self, host: HostFunction, module: Any) -> Callable[..., Any]:
        """A Python function over raw values that calls `host` on behalf of the instance `module`."""
        key = host.type, host.convention, host.wants_module
        make = self._host_calls.get(key)
        if make is None:
            make = self._host_calls[key] = _compile(_host_call_source(*key), _HOST_CALL_GLOBALS)
        call: Callable[..., Any] = make(host.callable, module, host.name)
        return call


@cache
def _stub_maker(parameter_count: int) -> Callable[..., Any]:
    parameters = _parameters(parameter_count)
    lines = [
        "def make(compile_function, index):",
        f" def stub({parameters}):",
        f"  return compile_function(index)({parameters})",
        " return stub",
    ]
    return _compile("\n".join(lines), _ENTRY_GLOBALS)


def stub(parameter_count: int, compile_function: Callable[[int], Callable[..., Any]], index: int) -> Callable[..., Any]:
    """What stands for a function until its first call, when ``compile_function(index)`` gives the function itself.

    A Python function with the very parameters: only such calls does CPython nest without using its C stack.
    """
    made: Callable[..., Any] = _stub_maker(parameter_count)(compile_function, index)
    return made


def _compile(source: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(compile(source, "<wazero adapter>", "exec"), namespace, scope)
    make: Callable[..., Any] = scope["make"]
    return make


def _entry_source(type: FunctionType) -> str:
    count = len(type.params)
    checks = [CONVERSIONS[param].check.format(v=f"a{i}") for i, param in enumerate(type.params)]
    lines = [
        "def make(function, enter, leave, explain):",
        f" def entry({_parameters(count)}{', /' if count else ''}):",
        *(f"  {check}" for check in checks if check != "pass"),
        "  enter(function)",
        "  try:",
        f"   r = function.code({_parameters(count)})",
        "  except BaseException as error:",
        "   explained = explain(error)",
        "   if explained is error: raise",
        "   raise explained from None",
        "  finally:",
        "   leave()",
        *(f"  {line}" for line in _results(type, lambda result: CONVERSIONS[result].typed)),
        " return entry",
    ]
    return "\n".join(lines)


def _host_call_source(type: FunctionType, convention: Convention, wants_module: bool) -> str:
    raw = convention is Convention.RAW
    count = len(type.params)
    arguments = []
    for i, param in enumerate(type.params):
        row = CONVERSIONS[param]
        arguments.append((row.to_bits if raw else row.typed).format(v=f"a{i}"))
    call = f"callable({', '.join((['module'] if wants_module else []) + arguments)})"
    if raw:
        results = _results(type, lambda result: CONVERSIONS[result].from_bits)
    else:
        names = ["r"] if len(type.results) == 1 else [f"r{i}" for i in range(len(type.results))]
        results = [f"{', '.join(names)} = r"] if len(names) > 1 else []
        results += [CONVERSIONS[result].check.format(v=name) for name, result in zip(names, type.results, strict=True)]
        results += [f"return {_tuple(names)}" if names else "return None"]
    lines = [
        "def make(callable, module, name):",
        f" def host_call({_parameters(count)}):",
        f"  r = {call}",
        *(f"  {line}" for line in results),
        " return host_call",
    ]
    return "\n".join(lines)
