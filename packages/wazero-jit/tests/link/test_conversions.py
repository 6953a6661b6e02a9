from __future__ import annotations

import threading
from typing import Any

import pytest

from wazero_api import Convention, UnsupportedError, ValueType, WazeroBug
from wazero_jit.link.conversions import Conversions, Kind, ReferenceKeeper, kind_of, unpack
from wazero_jit.link.python_api import API


@pytest.mark.parametrize(
    ("type", "typed", "raw"),
    [
        (ValueType.I32, Kind.I32, Kind.RAW32),
        (ValueType.I64, Kind.I64, Kind.RAW64),
        (ValueType.F32, Kind.F32, Kind.RAW32),
        (ValueType.F64, Kind.F64, Kind.RAW64),
        (ValueType.FUNCREF, Kind.FUNCREF, Kind.FUNCREF),
        (ValueType.EXTERNREF, Kind.EXTERNREF, Kind.EXTERNREF),
        (ValueType.ref(3), Kind.FUNCREF, Kind.FUNCREF),
        (ValueType.ref(-0x0D), Kind.FUNCREF, Kind.FUNCREF),
        (ValueType.ref(-0x0E), Kind.EXTERNREF, Kind.EXTERNREF),
        (ValueType.ref(-0x11, nullable=False), Kind.EXTERNREF, Kind.EXTERNREF),
    ],
)
def test_kinds(type: ValueType, typed: Kind, raw: Kind) -> None:
    assert kind_of(type) is typed
    assert kind_of(type, Convention.RAW) is raw


def test_vectors_have_no_kind() -> None:
    with pytest.raises(UnsupportedError, match="v128"):
        kind_of(ValueType.V128)


def test_raw_values() -> None:
    keeper = ReferenceKeeper()
    conversions = Conversions({5: "function"}.__getitem__, keeper)
    thing = object()
    for kind, value, raw in (
        (Kind.I32, -1, 2**32 - 1),
        (Kind.I64, -1, 2**64 - 1),
        (Kind.F32, 1.5, 0x3FC00000),
        (Kind.F64, 1.5, 0x3FF8 << 48),
        (Kind.RAW32, -1, 2**32 - 1),
        (Kind.RAW64, 2**64 + 1, 1),
        (Kind.EXTERNREF, thing, id(thing)),
        (Kind.EXTERNREF, None, 0),
        (Kind.FUNCREF, None, 0),
    ):
        assert conversions.to_native(value, kind) == raw
    assert conversions.from_native(id(thing), Kind.EXTERNREF) is thing
    assert conversions.from_native(5, Kind.FUNCREF) == "function"
    assert conversions.from_native(0, Kind.FUNCREF) is conversions.from_native(0, Kind.EXTERNREF) is None


def test_unpack() -> None:
    assert unpack(iter((1, 2)), 2) == (1, 2)
    with pytest.raises(TypeError, match="cannot unpack non-iterable int object"):
        unpack(5, 2)
    with pytest.raises(ValueError, match=r"not enough values to unpack \(expected 3, got 2\)"):
        unpack([1, 2], 3)
    with pytest.raises(ValueError, match=r"too many values to unpack \(expected 2\)"):
        unpack(iter(int, 1), 2)


def test_a_sweep_forgets_what_is_not_live() -> None:
    keeper = ReferenceKeeper()
    old, live, kept_again, new = ([name] for name in ("old", "live", "kept again", "new"))
    addresses = [keeper.keep(value) for value in (old, live, kept_again)]
    keeper.sweep(set())
    assert len(keeper) == 3
    keeper.keep(kept_again)
    keeper.keep(new)
    keeper.sweep({id(live)})
    assert len(keeper) == 3
    assert [keeper.get(id(value)) for value in (live, kept_again, new)] == [live, kept_again, new]
    with pytest.raises(WazeroBug, match="no external reference"):
        keeper.get(addresses[0])
    keeper.sweep(set())
    keeper.sweep(set())
    assert len(keeper) == 0


def test_a_sweep_that_was_stopped_loses_nothing() -> None:
    keeper = ReferenceKeeper()
    values = [[i] for i in range(3)]

    class Stop(set[int]):
        def __contains__(self, address: object) -> bool:
            raise KeyboardInterrupt

    for value in values:
        keeper.keep(value)
    keeper.sweep(set())
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            keeper.sweep(Stop())
    assert [keeper.get(id(value)) for value in values] == values
    keeper.sweep({id(value) for value in values})
    keeper.sweep({id(values[1])})
    keeper.sweep({id(values[1])})
    assert len(keeper) == 1


def test_sweeps_beside_other_threads() -> None:
    """Nothing that is live, or was kept after that was found out, is lost."""
    keeper, stop, wrong = ReferenceKeeper(), threading.Event(), []
    held: dict[int, list[Any]] = {}

    def work() -> None:
        while not stop.is_set():
            mine = held[threading.get_ident()] = [[i] for i in range(20)]
            for value in mine:
                address = keeper.keep(value)
                try:
                    if keeper.get(address) is not value:
                        wrong.append(value)
                except WazeroBug as error:
                    wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(2000):
        keeper.sweep({id(value) for values in list(held.values()) for value in values})
    stop.set()
    for thread in threads:
        thread.join()
    keeper.sweep(set())
    keeper.sweep(set())
    assert len(keeper) == 0
    assert wrong == []


def test_the_c_api_is_there() -> None:
    assert all(API)
    assert len(set(API)) == len(API)
