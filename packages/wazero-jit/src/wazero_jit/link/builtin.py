"""Functions as Python sees them, and their entries: builtin function objects over machine code.

A builtin keeps two things: its ``__self__`` and its PyMethodDef, which must outlive it. The method definition is
therefore part of ``__self__``, an `EntryTarget`. That is a tuple because tuples, unlike instances with attributes, are
never emptied by the garbage collector: whatever order it frees a cycle in, the definition goes last.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

from .python_api import BYTES_PAYLOAD

if TYPE_CHECKING:
    from wazero_api import FunctionType

    from .trampolines import Trampolines

_MODULE: Final = "wazero"
"""``__module__`` of entries."""
_METH_FASTCALL: Final = 0x80


@final
class _MethodDef(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("code", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_void_p),
    )


_new_builtin: Final[Any] = ctypes.pythonapi["PyCFunction_NewEx"]
_new_builtin.argtypes = (ctypes.c_void_p, ctypes.py_object, ctypes.py_object)
_new_builtin.restype = ctypes.py_object


def _payload(data: bytes) -> int:
    """Address of the first byte."""
    return id(data) + BYTES_PAYLOAD


@final
class EntryTarget(tuple[Any, ...]):
    """``__self__`` of an entry: what its machine code reads, and what must live as long."""

    __slots__ = ()

    RECORD_ITEM: Final = 1
    """Item of 8 bytes: the address of the function's record."""

    @property
    def function(self) -> Function:
        """The function that the entry calls."""
        function: Function = self[0]
        return function

    def __reduce__(self) -> NoReturn:
        raise TypeError("wasm functions cannot be pickled")


def _c_string(text: str) -> bytes:
    return text.encode(errors="replace") + b"\0"


def _doc(function: Function) -> str:
    """The docstring, behind the signature in the form that `inspect` looks for."""
    parameters = "".join([f"a{i}, " for i in range(len(function.type.params))])
    name = function.name.rpartition(".")[2]
    return f"{name}({parameters}{'/' if parameters else ''})\n--\n\n{function.type}"


def new_entry(function: Function, code: int) -> Callable[..., Any]:
    """A builtin over the machine code at `code`, an entry for the function's type."""
    name = _c_string(function.name)
    doc = _c_string(_doc(function))
    definition = bytes(_MethodDef(_payload(name), code, _METH_FASTCALL, _payload(doc)))
    target = EntryTarget((function, function.record.to_bytes(8, sys.byteorder), definition, name, doc))
    entry: Callable[..., Any] = _new_builtin(_payload(definition), target, _MODULE)
    return entry


@final
class Function:
    """See `wazero_api.Function`. Calling it is calling its entry, which is made when first needed."""

    __slots__ = ("__weakref__", "_trampolines", "entry", "index", "name", "owner", "record", "type")

    type: FunctionType
    name: str
    index: int
    """In the function index space of the instance; 0 for host functions."""
    record: int
    """Address of its `FunctionRecord`."""
    owner: Any
    """What keeps the record alive, and all that the code needs."""
    entry: Callable[..., Any]

    def __init__(
        self, type: FunctionType, name: str, index: int, record: int, owner: Any, trampolines: Trampolines
    ) -> None:
        self.type = type
        self.name = name
        self.index = index
        self.record = record
        self.owner = owner
        self._trampolines = trampolines

    def __getattr__(self, name: str) -> Any:
        """Only asked for what is not there yet: makes the entry."""
        if name != "entry":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self.entry = entry = new_entry(self, self._trampolines.entry(self.type))
        return entry

    if TYPE_CHECKING:

        def __call__(self, *args: Any) -> Any: ...

    else:
        # A property written in C: a method written in Python would take twice the time of the whole call.
        __call__ = property(attrgetter("entry"))

    def __repr__(self) -> str:
        return f"<wasm function {self.name} {self.type}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("wasm functions cannot be pickled")


def wrong_count(target: EntryTarget, given: int) -> NoReturn:
    """Raise the TypeError for a call with `given` arguments. See `Callbacks.wrong_count`."""
    function = target.function
    count = len(function.type.params)
    arguments = "argument" if count == 1 else "arguments"
    were = "was" if given == 1 else "were"
    raise TypeError(f"{function.name}() takes {count} positional {arguments} but {given} {were} given")
