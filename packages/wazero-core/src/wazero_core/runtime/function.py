"""A function as Python programs see it: wazero's `api.Function`."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, final

from wazero_api import DeadlineExceededError, FunctionType, decode, encode
from wazero_api import Function as EngineFunction
from wazero_api.sys import EXIT_CODE_DEADLINE_EXCEEDED

from .definitions import FunctionDefinition

if TYPE_CHECKING:
    from .module import Module


@final
class Function:
    """Call it with typed values: ints for i32 and i64 (signed or unsigned), floats, references as Python objects.

    Results are signed ints, floats, or objects; several come as a tuple. Wrong arguments raise TypeError or
    OverflowError, faults of the guest `Trap`, and an exception of a host function comes through as it is.
    """

    __slots__ = ("_module", "_target", "definition", "function")

    def __init__(self, module: Module, function: EngineFunction, definition: FunctionDefinition) -> None:
        self._module = module
        self.function = function
        self.definition = definition
        self._target: Callable[..., Any] = function.entry if module.call_timeout is None else self._call_in_time

    def __repr__(self) -> str:
        return f"<wasm function {self.definition.debug_name} {self.definition.type}>"

    @property
    def type(self) -> FunctionType:
        """Parameter and result types."""
        return self.definition.type

    if TYPE_CHECKING:

        def __call__(self, *args: Any) -> Any: ...

    else:
        # Looked up in C: a method written in Python would take longer than a short wasm function.
        __call__ = property(attrgetter("_target"))

    def _call_in_time(self, *args: Any) -> Any:
        return self._timed(self._module.call_timeout, args)

    def call(self, *args: Any, timeout: float | None = None) -> Any:
        """Like calling the object, but at most for `timeout` seconds; then DeadlineExceededError is raised."""
        if timeout is None:
            return self(*args)
        return self._timed(timeout, args)

    def _timed(self, timeout: float | None, args: tuple[Any, ...]) -> Any:
        module = self._module
        assert timeout is not None
        try:
            with module.engine.deadline(timeout):
                return self.function.entry(*args)
        except DeadlineExceededError:
            if module.closes_on_deadline:
                module.close_with_exit_code(EXIT_CODE_DEADLINE_EXCEEDED)
            raise

    def call_with_stack(self, stack: MutableSequence[int]) -> None:
        """Take the arguments from the start of `stack` and leave the results there, each as the 64 bits of the value.

        `stack` must hold as many items as there are parameters or results, whichever is more. References are passed as
        they are.
        """
        type = self.type
        needed = max(len(type.params), len(type.results))
        if len(stack) < needed:
            raise ValueError(f"the stack has {len(stack)} values, but {self.definition.debug_name} needs {needed}")
        args = [decode(value, param) for value, param in zip(stack, type.params, strict=False)]
        result = self(*args)
        results = result if len(type.results) > 1 else (result,)
        for index, result_type in enumerate(type.results):
            stack[index] = encode(results[index], result_type)
