"""Python code that goes through a guest's iterables."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from wazero_gojs.builtins.iteration import collect, entries_of, iterate, new_iterator, open_iterator
from wazero_gojs.builtins.primitives import call_member, get_member, set_member
from wazero_gojs.global_names import GLOBALS
from wazero_gojs.model.object import MISSING
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import UNDEFINED, JSError
from wazero_gojs.script.evaluate import evaluate

COUNTING = "({closed: 0, [Symbol.iterator]() { let i = 0; return {next: () => ({value: i++, done: i > 4}), return: () => { this.closed++; %s }}}})"


@pytest.fixture
def realm() -> Realm:
    return Realm(GLOBALS)


@pytest.mark.parametrize(
    ("source", "items"),
    [
        ("[1, 2]", [1, 2]),
        ("[1, , 2]", [1, UNDEFINED, 2]),
        ("'a\\u{1f600}'", ["a", "\U0001f600"]),
        ("new String('ab')", ["a", "b"]),
        ("new Set([1, 2])", [1, 2]),
        (COUNTING % "", [0, 1, 2, 3]),
        ("(function* () { yield 5 })()", [5]),
    ],
)
def test_items(realm: Realm, source: str, items: list[Any]) -> None:
    assert list(iterate(realm, evaluate(realm, source))) == items
    assert collect(realm, evaluate(realm, source)) == items


def test_arrays_may_change_on_the_way(realm: Realm) -> None:
    array = realm.new_array([1, 2, 3])
    seen = []
    for item in iterate(realm, array):
        seen.append(item)
        if len(array.items) < 5:
            array.items.append(item + 10)
    assert seen == [1, 2, 3, 11, 12]


def test_who_stops_early_tells_the_iterator(realm: Realm) -> None:
    value = evaluate(realm, COUNTING % "return {}")
    with closing(iterate(realm, value)) as items:
        assert next(items) == 0
    assert value.get("closed") == 1
    for _ in iterate(realm, value):
        pass
    assert value.get("closed") == 1


def test_a_loop_that_fails_keeps_its_error(realm: Realm) -> None:
    value = evaluate(realm, COUNTING % "throw 'other'")
    with pytest.raises(JSError, match="entry object"):
        list(entries_of(realm, value))
    assert value.get("closed") == 1


def test_steps(realm: Realm) -> None:
    record = open_iterator(realm, evaluate(realm, COUNTING % "throw 'other'"))
    assert record.step() == 0
    with pytest.raises(JSError, match="other"):
        record.close()
    assert record.step() is MISSING
    record.close()


@pytest.mark.parametrize("value", [UNDEFINED, None, 5, True])
def test_what_cannot_be_iterated(realm: Realm, value: Any) -> None:
    with pytest.raises(JSError, match="is not iterable"):
        list(iterate(realm, value))


def test_an_iterator_that_steps_itself(realm: Realm) -> None:
    def items() -> Any:
        yield made.call_method("next")

    made = new_iterator(realm, "Test Iterator", items())
    with pytest.raises(JSError, match="already running"):
        made.call_method("next")
    assert realm.object_prototype.get("toString").call(made, ()) == "[object Test Iterator]"


def test_members_of_any_value(realm: Realm) -> None:
    assert get_member(realm, "a\U0001f600", "length") == 3
    assert get_member(realm, "abc", 1) == "b"
    assert get_member(realm, realm.new_array([7]), 0) == 7
    assert call_member(realm, 255, "toString", (16,)) == "ff"
    assert not set_member(realm, "abc", "length", 1)
    assert not set_member(realm, 5, "x", 1)
    with pytest.raises(JSError, match=r"Cannot read properties of undefined \(reading 'x'\)"):
        get_member(realm, UNDEFINED, "x")
    with pytest.raises(JSError, match=r"Cannot set properties of null \(setting 'x'\)"):
        set_member(realm, None, "x", 1)
    with pytest.raises(JSError, match="is not a function"):
        call_member(realm, 5, "nothing")
