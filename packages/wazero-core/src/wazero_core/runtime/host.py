"""Building host modules from Python functions: wazero's `HostModuleBuilder` and `HostFunctionBuilder`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar, final, get_args, get_origin, get_type_hints

from wazero_api import Convention, FunctionType, HostFunction, HostModule, ModuleInstance, ValueType

from .module import Module

if TYPE_CHECKING:
    from .runtime import Runtime

_F = TypeVar("_F", bound=Callable[..., Any])

_PLAIN_TYPES: Final = {float: ValueType.F64}
"""Annotations that mean one value type without doubt; int does not, i32 and i64 are equally likely."""


@final
class HostModuleBuilder:
    """Collects functions under a module name; `instantiate` makes them importable."""

    def __init__(self, runtime: Runtime, name: str) -> None:
        self._runtime = runtime
        self.name = name
        self._functions: dict[str, HostFunction] = {}

    def new_function_builder(self) -> HostFunctionBuilder:
        """Describe one function; finish with `HostFunctionBuilder.export`."""
        return HostFunctionBuilder(self)

    def function(self, name: str | None = None) -> Callable[[_F], _F]:
        """Decorator: export a function under `name`, or its own name. Types come from its annotations."""

        def export(function: _F) -> _F:
            self.new_function_builder().with_func(function).export(name or function.__name__)
            return function

        return export

    def add(self, function: HostFunction) -> HostModuleBuilder:
        """Export a function, in the place of an earlier one of that name."""
        self._functions[function.name] = function
        return self

    def compile(self) -> HostModule:
        """The module as data, for `Runtime.instantiate_host_module`."""
        return HostModule(self.name, tuple(self._functions.values()))

    def instantiate(self) -> Module:
        """Make the functions importable. Raises LinkError if the name is taken."""
        return self._runtime.instantiate_host_module(self.compile())


@final
class HostFunctionBuilder:
    """One function. The ``with_…`` methods change the builder and return it."""

    def __init__(self, module: HostModuleBuilder) -> None:
        self._module = module
        self._callable: Callable[..., Any] | None = None
        self._type = FunctionType((), ())
        self._convention = Convention.TYPED
        self._wants_module = False
        self._name: str | None = None
        self._param_names: tuple[str, ...] = ()
        self._result_names: tuple[str, ...] = ()

    def with_func(self, function: Callable[..., Any]) -> HostFunctionBuilder:
        """Typed values in and out, by annotations: `i32`, `i64`, `f32`, `f64`, `externref`… of `wazero_api`, or float.

        A first parameter annotated `Module` is given the calling instance; a result annotated ``tuple[...]`` is several
        results. Raises TypeError for an annotation that is missing or means no value type.
        """
        signature = _Signature(function)
        self._param_names = signature.param_names
        return self._set(function, signature.type, Convention.TYPED, wants_module=signature.wants_module)

    def with_raw_function(
        self, function: Callable[..., Any], params: Sequence[Any], results: Sequence[Any]
    ) -> HostFunctionBuilder:
        """Every value in and out as the unsigned int that holds its 64 bits; references as they are."""
        return self._set(function, _function_type(params, results), Convention.RAW)

    def with_raw_module_function(
        self, function: Callable[..., Any], params: Sequence[Any], results: Sequence[Any]
    ) -> HostFunctionBuilder:
        """Like `with_raw_function`, with the calling instance as first argument."""
        return self._set(function, _function_type(params, results), Convention.RAW, wants_module=True)

    def with_function(
        self, function: Callable[[list[Any]], None], params: Sequence[Any], results: Sequence[Any]
    ) -> HostFunctionBuilder:
        """Like wazero's `WithGoFunction`: `function` gets one list with the arguments and leaves the results at its start."""
        type = _function_type(params, results)
        return self._set(_on_stack(function, type, module_first=False), type, Convention.RAW)

    def with_module_function(
        self, function: Callable[[Any, list[Any]], None], params: Sequence[Any], results: Sequence[Any]
    ) -> HostFunctionBuilder:
        """Like wazero's `WithGoModuleFunction`, and like `with_function`, with the calling instance as first argument."""
        type = _function_type(params, results)
        return self._set(_on_stack(function, type, module_first=True), type, Convention.RAW, wants_module=True)

    def with_name(self, name: str) -> HostFunctionBuilder:
        """For stack traces; the export name otherwise."""
        self._name = name
        return self

    def with_parameter_names(self, *names: str) -> HostFunctionBuilder:
        """For definitions and logs."""
        self._param_names = names
        return self

    def with_result_names(self, *names: str) -> HostFunctionBuilder:
        """For definitions and logs."""
        self._result_names = names
        return self

    def export(self, name: str) -> HostModuleBuilder:
        """Add the function to its module. Raises ValueError if no ``with_…`` gave a function."""
        if self._callable is None:
            raise ValueError(f"the host function {name!r} has no function: call with_func or a sibling first")
        return self._module.add(
            HostFunction(
                name,
                self._type,
                self._callable,
                self._convention,
                self._wants_module,
                self._param_names,
                self._result_names,
            )
        )

    def _set(
        self, function: Callable[..., Any], type: FunctionType, convention: Convention, *, wants_module: bool = False
    ) -> HostFunctionBuilder:
        if not callable(function):
            raise TypeError(f"a host function must be callable, not {function.__class__.__name__}")
        self._callable = function
        self._type = type
        self._convention = convention
        self._wants_module = wants_module
        return self


def _on_stack(function: Callable[..., None], type: FunctionType, *, module_first: bool) -> Callable[..., Any]:
    room = max(len(type.params), len(type.results))
    result_count = len(type.results)

    def call(*args: Any) -> Any:
        module, values = (args[:1], args[1:]) if module_first else ((), args)
        stack = [*values, *[0] * (room - len(values))]
        function(*module, stack)
        return stack[0] if result_count == 1 else tuple(stack[:result_count])

    return call


def _function_type(params: Sequence[Any], results: Sequence[Any]) -> FunctionType:
    return FunctionType(tuple(map(_value_type, params)), tuple(map(_value_type, results)))


def _value_type(annotation: Any) -> ValueType:
    if isinstance(annotation, ValueType):
        return annotation
    for mark in getattr(annotation, "__metadata__", ()):
        if isinstance(mark, ValueType):
            return mark
    plain = _PLAIN_TYPES.get(annotation)
    if plain is None:
        raise TypeError(
            f"{annotation!r} is no value type: use i32, i64, f32, f64, v128, funcref or externref of wazero_api"
        )
    return plain


class _Signature:
    """What the annotations of a Python function say."""

    def __init__(self, function: Callable[..., Any]) -> None:
        from inspect import signature  # slow to import, and many programs have no host functions, or raw ones

        name = getattr(function, "__name__", repr(function))
        try:
            hints = get_type_hints(function, include_extras=True)
            parameters = list(signature(function).parameters.values())
        except NameError as error:
            raise TypeError(f"host function {name}: {error}; annotations must be global names") from None
        except (TypeError, ValueError):
            raise TypeError(
                f"host function {name} has no annotations: put it in a function or lambda for with_raw_function"
            ) from None
        self.wants_module = bool(parameters) and hints.get(parameters[0].name) in (Module, ModuleInstance)
        parameters = parameters[self.wants_module :]
        self.param_names = tuple(parameter.name for parameter in parameters)
        params = []
        for parameter in parameters:
            if parameter.kind == parameter.KEYWORD_ONLY:
                raise TypeError(f"host function {name}: parameter {parameter.name!r} must not be keyword-only")
            if parameter.name not in hints or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise TypeError(f"host function {name}: parameter {parameter.name!r} needs an annotation such as i32")
            params.append(hints[parameter.name])
        if "return" not in hints:
            raise TypeError(f"host function {name} needs an annotation of its result: `-> None` or `-> i32`")
        try:
            self.type = _function_type(params, _result_annotations(hints["return"]))
        except TypeError as error:
            raise TypeError(f"host function {name}: {error}") from None


def _result_annotations(annotation: Any) -> Sequence[Any]:
    if annotation is type(None):
        return ()
    if get_origin(annotation) is tuple:
        return get_args(annotation)
    return (annotation,)
