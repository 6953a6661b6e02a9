"""What machine code uses of CPython: addresses of C API functions, and where the fields of a few objects are.

All functions are exported by every supported version. Objects and types need no row: ``id`` of one is its address.
"""

from __future__ import annotations

import ctypes
from typing import Final, NamedTuple, final


@final
class PythonApi(NamedTuple):
    """Addresses of the functions with these names."""

    PyErr_CheckSignals: int
    PyErr_Clear: int
    PyErr_Fetch: int
    PyErr_NormalizeException: int
    PyErr_Occurred: int
    PyErr_Restore: int
    PyErr_SetObject: int
    PyEval_RestoreThread: int
    PyEval_SaveThread: int
    PyException_SetTraceback: int
    PyFloat_FromDouble: int
    PyLong_AsLongLong: int
    PyLong_AsUnsignedLongLong: int
    PyLong_AsUnsignedLongLongMask: int
    PyLong_FromLongLong: int
    PyLong_FromUnsignedLongLong: int
    PyObject_CallFunction: int
    PyObject_Vectorcall: int
    PyThreadState_Get: int
    PyTuple_New: int
    Py_DecRef: int
    Py_NewRef: int


def _address(name: str) -> int:
    address = ctypes.cast(ctypes.pythonapi[name], ctypes.c_void_p).value
    assert address is not None, name
    return address


API: Final = PythonApi(*map(_address, PythonApi._fields))

ARGUMENTS_OFFSET: Final = 1 << 63
"""PY_VECTORCALL_ARGUMENTS_OFFSET: the callee may overwrite the word before the first argument. Added to their number."""

_POINTER_BYTES: Final = ctypes.sizeof(ctypes.c_void_p)

OBJECT_TYPE: Final = object.__basicsize__ - _POINTER_BYTES
"""``ob_type``, the last field of every object's header."""
OBJECT_SIZE: Final = object.__basicsize__
"""``ob_size`` of objects with a variable size, such as tuples."""
FLOAT_VALUE: Final = float.__basicsize__ - ctypes.sizeof(ctypes.c_double)
"""``ob_fval``, the last field of a float."""
TUPLE_ITEMS: Final = tuple.__basicsize__
"""``ob_item[0]``; also of subclasses with empty ``__slots__``."""
BYTES_PAYLOAD: Final = bytes.__basicsize__ - 1
"""``ob_sval[0]``: the basic size counts the byte that ends it."""
