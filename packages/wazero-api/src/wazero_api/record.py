"""`record`: what ``dataclass(frozen=True, slots=True)`` makes, in a sixth of the time.

Values are made by the dozen when a program starts. `dataclasses` imports `inspect` and compiles six methods for each of
them; here only ``__init__`` is compiled, and `dataclasses` is imported when somebody asks it about a record, as its
`fields`, `replace` and `asdict` do. See RATIONALE.md, "Why are records no dataclasses?". Imports nothing of the project.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, NoReturn, TypeVar, dataclass_transform, final

_T = TypeVar("_T")

_CLASS_VARIABLE: Final = "ClassVar["
"""How the annotation of what is no field begins: annotations are strings in all modules of the project."""


@dataclass_transform(frozen_default=True)
def record(cls: type[_T]) -> type[_T]:
    """Make a class frozen and slotted, with its annotated names as fields; methods that it has itself stay.

    A default is shared by all instances, so it must not be mutable. As with slotted dataclasses, what comes back is
    another class than what the decorator got.
    """
    annotations: dict[str, str] = {
        name: text for name, text in cls.__annotations__.items() if not text.startswith(_CLASS_VARIABLE)
    }
    members = {name: value for name, value in vars(cls).items() if name not in {"__dict__", "__weakref__"}}
    defaults = {name: members.pop(name) for name in annotations if name in members}
    values = _getter(tuple(annotations))
    metaclass: Any = type(cls)
    made: Any = metaclass(
        cls.__name__,
        cls.__bases__,
        {
            "__repr__": _repr,
            "__eq__": _equality(values),
            "__hash__": _hash_of(values),
            "__setattr__": _refuse_change,
            "__delattr__": _refuse_change,
            "__reduce__": lambda self: (self.__class__, values(self)),
            "__replace__": replace,
            "__slots__": tuple(annotations),
            "__match_args__": tuple(annotations),
            "__dataclass_fields__": _AskedOfDataclasses("__dataclass_fields__", annotations, defaults),
            "__dataclass_params__": _AskedOfDataclasses("__dataclass_params__", annotations, defaults),
            **members,
        },
    )
    made.__init__ = _initialiser(made, annotations, defaults)
    return made  # type: ignore[no-any-return]


def replace(value: _T, **changes: Any) -> _T:
    """A copy of a record with other values in these fields. Raises TypeError for a name that is no field."""
    fields: tuple[str, ...] = value.__class__.__match_args__  # type: ignore[attr-defined]
    return value.__class__(**{name: getattr(value, name) for name in fields} | changes)


def _getter(fields: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """From a record to the tuple of its values. `attrgetter` gives one only for several names."""
    if len(fields) > 1:
        return attrgetter(*fields)
    return lambda self: tuple([getattr(self, name) for name in fields])


def _initialiser(made: Any, annotations: dict[str, str], defaults: dict[str, Any]) -> Any:
    """Slots are written through their descriptors, past ``__setattr__``, and faster than a dataclass does it."""
    scope: dict[str, Any] = {f"set_{name}": vars(made)[name].__set__ for name in annotations}
    scope |= {f"default_{name}": value for name, value in defaults.items()}
    parameters = [f"{name}=default_{name}" if name in defaults else name for name in annotations]
    lines = [f"def __init__({', '.join(['self', *parameters])}):", " pass"]
    lines += [f" set_{name}(self, {name})" for name in annotations]
    exec("\n".join(lines), scope)  # noqa: S102 - made of the names of fields
    initialiser = scope["__init__"]
    initialiser.__annotations__ = {**annotations, "return": None}
    initialiser.__qualname__ = f"{made.__qualname__}.__init__"
    initialiser.__module__ = made.__module__
    return initialiser


def _repr(self: Any) -> str:
    values = ", ".join([f"{name}={getattr(self, name)!r}" for name in self.__match_args__])
    return f"{self.__class__.__qualname__}({values})"


def _equality(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any, Any], Any]:
    return lambda self, other: values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented


def _hash_of(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], int]:
    return lambda self: hash(values(self))


def _refuse_change(self: Any, name: str, value: Any = None) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"{self.__class__.__name__} is immutable: cannot change or delete {name!r}")


@final
class _AskedOfDataclasses:
    """Class attribute that `dataclasses` looks for: filled in by making a real dataclass when somebody does."""

    def __init__(self, name: str, annotations: dict[str, str], defaults: dict[str, Any]) -> None:
        self._name = name
        self._annotations = annotations
        self._defaults = defaults

    def __get__(self, instance: object, owner: Any) -> Any:
        import dataclasses

        fields: list[Any] = []
        for name, text in self._annotations.items():
            default = self._defaults.get(name, dataclasses.MISSING)
            if default.__class__.__hash__ is None:  # dataclasses would take it for mutable
                fields.append((name, text, dataclasses.field(default_factory=default.copy)))
            else:
                fields.append((name, text, dataclasses.field(default=default)))
        model: Any = dataclasses.make_dataclass(owner.__name__, fields, frozen=True, slots=True)
        setattr(owner, self._name, getattr(model, self._name))
        return getattr(owner, self._name)
