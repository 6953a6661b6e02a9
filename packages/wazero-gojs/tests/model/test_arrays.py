"""Arrays: what may be done to their items and length."""

from __future__ import annotations

from typing import Any

import pytest

from wazero_gojs.global_names import GLOBALS
from wazero_gojs.model.array import MAX_LENGTH, JSArray
from wazero_gojs.model.object import ALL, CONFIGURABLE, ENUMERABLE, MISSING, WRITABLE, Accessor, NativeFunction
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import UNDEFINED, JSError


@pytest.fixture
def array() -> JSArray:
    return Realm(GLOBALS).new_array([10, 20, 30])


def test_items_and_length(array: JSArray) -> None:
    assert array.get("1") == array.get_index(1) == 20
    assert array.get("3") is array.get_index(3) is array.get("01") is UNDEFINED
    assert array.set("5", 60)
    assert array.items[3:] == [MISSING, MISSING, 60]
    assert array.own_keys() == ["0", "1", "2", "5", "length"]
    assert array.set("length", 1)
    assert array.items == [10]


def test_holes_are_inherited(array: JSArray) -> None:
    assert array.delete("1")
    assert array.get_index(1) is UNDEFINED
    assert array.prototype is not None
    array.prototype.set("1", "inherited")
    assert array.get_index(1) == array.get("1") == "inherited"


def test_frozen_items_stay(array: JSArray) -> None:
    assert array.restrict(WRITABLE | CONFIGURABLE)
    assert not array.is_plain
    assert not array.set_index(0, 1)
    assert not array.set("0", 1)
    assert not array.set("3", 1)
    assert not array.delete("0")
    assert not array.set("length", 0)
    assert not array.define("0", 1)
    assert array.define("0", 10, ENUMERABLE)
    assert array.items == [10, 20, 30]
    assert array.attributes_of("0") == ENUMERABLE
    assert array.attributes_of("length") == 0


def test_sealed_items_change_but_stay(array: JSArray) -> None:
    assert array.restrict(CONFIGURABLE)
    assert array.set_index(0, 1)
    assert not array.delete("0")
    assert not array.set_index(3, 1)
    assert array.items == [1, 20, 30]
    array.set("length", 0)
    assert array.items == [1, 20, 30]


def test_items_may_be_computed(array: JSArray) -> None:
    realm = Realm(GLOBALS)

    def get(realm: Realm, this: Any, args: Any) -> Any:
        return "got"

    assert array.define("1", Accessor(NativeFunction(realm, "", 0, get)))
    assert array.get("1") == array.get_index(1) == "got"
    assert not array.set_index(1, 5)
    assert not array.is_plain
    assert array.set_index(0, 5)
    assert array.define("1", 7, ALL)
    assert array.get_index(1) == 7
    assert array.is_plain


def test_an_item_that_may_not_go_ends_the_cut(array: JSArray) -> None:
    array.define("1", 20, WRITABLE | ENUMERABLE)
    assert not array.set("length", 0)
    assert array.items == [10, 20]


def test_length_may_be_fixed(array: JSArray) -> None:
    assert array.define("length", 3, 0)
    assert not array.set("length", 2)
    assert not array.set_index(3, 1)
    assert not array.define("3", 1)
    assert array.set_index(2, 1)


@pytest.mark.parametrize("length", [-1, 1.5, 2**32, MAX_LENGTH + 1, "x"])
def test_no_such_length(array: JSArray, length: Any) -> None:
    with pytest.raises(JSError, match="Invalid array length"):
        array.set("length", length)


def test_an_index_far_away_is_refused(array: JSArray) -> None:
    with pytest.raises(JSError, match="Invalid array length"):
        array.set(str(MAX_LENGTH), 1)
    assert len(array.items) == 3
