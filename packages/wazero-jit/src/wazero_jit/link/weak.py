"""Objects by number, without keeping them alive."""

from __future__ import annotations

from _weakref import _remove_dead_weakref  # type: ignore[attr-defined]  # what `weakref.WeakValueDictionary` does it with, too
from typing import Final, Generic, TypeVar, final
from weakref import ref

T = TypeVar("T")

_FEW: Final = 64


@final
class WeakRegistry(Generic[T]):
    """Like `weakref.WeakValueDictionary`, without callbacks; safe to use from several threads.

    Python calls those in the middle of a garbage collection. Where a signal has come during that, they are the first Python
    code to run, and what its handler raises is reported as ignored: Ctrl-C would be lost.
    """

    __slots__ = ("_limit", "_references")

    def __init__(self) -> None:
        self._references: dict[int, ref[T]] = {}
        self._limit = _FEW
        """With more entries than this, those are dropped whose objects are gone."""

    def __setitem__(self, key: int, value: T) -> None:
        self._references[key] = ref(value)
        if len(self._references) > self._limit:
            self._purge()

    def __getitem__(self, key: int) -> T:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: int) -> T | None:
        """None if there is no such object, or no more."""
        reference = self._references.get(key)
        return None if reference is None else reference()

    def items(self) -> list[tuple[int, T]]:
        """What is there now."""
        found = []
        for key in self._keys():
            value = self.get(key)
            if value is not None:
                found.append((key, value))
        return found

    def values(self) -> list[T]:
        """What is there now, without the numbers."""
        return [value for _, value in self.items()]

    def _keys(self) -> list[int]:
        # In one step: copying items would make objects, which may start a garbage collection, and that other code.
        return list(self._references)

    def _purge(self) -> None:
        for key in self._keys():
            _remove_dead_weakref(self._references, key)  # in one step: another thread may just put a new object there
        self._limit = max(2 * len(self._references), _FEW)
