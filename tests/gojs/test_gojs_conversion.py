"""Values between Python and Go: the table at the top of wazero_gojs/conversion.py, row by row and both ways."""

from __future__ import annotations

import enum
import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from gojs.libraries import load
from wazero_gojs import UNDEFINED, JsException, JsFunction, JsObject, JsPromise, Library


@pytest.fixture(scope="module")
def go() -> Iterator[Library]:
    with load() as library:
        yield library


class Colour(enum.IntEnum):
    RED = 3


class Name(str):
    __slots__ = ()


class Box:
    """Has what objects have."""

    made = 0

    def __init__(self, content: Any = None) -> None:
        self.content = content
        self._hidden = 1
        type(self).made += 1

    def __str__(self) -> str:
        return f"a box of {self.content}"

    def __len__(self) -> int:
        return 5

    def open(self) -> Any:
        return self.content

    @property
    def broken(self) -> Any:
        raise ValueError("broken property")

    @property
    def fixed(self) -> int:
        return 7


@pytest.mark.parametrize(
    ("value", "kind", "back"),
    [
        (None, "null", None),
        (UNDEFINED, "undefined", None),
        (True, "boolean", True),
        (False, "boolean", False),
        ("", "string", ""),
        ("café 😀", "string", "café 😀"),
        (0, "number", 0),
        (-5, "number", -5),
        (2**53 - 1, "number", 2**53 - 1),
        (1.5, "number", 1.5),
        (3.0, "number", 3),
        (math.inf, "number", math.inf),
        (b"ab", "object", b"ab"),
        (b"", "object", b""),
        ([1, [2, None]], "object", [1, [2, None]]),
        ((1, 2), "object", [1, 2]),
        ({"a": {"b": 1}}, "object", {"a": {"b": 1}}),
        ({}, "object", {}),
        ([], "object", []),
        (Colour.RED, "number", 3),
        (Name("n"), "string", "n"),
        (OrderedDict(a=1), "object", {"a": 1}),
    ],
)
def test_values_that_are_copied(go: Library, value: Any, kind: str, back: Any) -> None:
    assert go.kind(value) == kind
    found = go.echo(value)
    assert found == back
    assert type(found) is type(back)


@pytest.mark.parametrize("value", [2**53, -(2**53), 10**40])
def test_large_integers_are_bigints(go: Library, value: int) -> None:
    assert go.echo(value) == value
    assert go.evaluate("x => typeof x")(value) == "bigint"


def test_not_a_number_and_negative_zero(go: Library) -> None:
    assert math.isnan(go.echo(math.nan))
    assert go.evaluate("x => Object.is(x, -0)")(-0.0) is True
    assert math.copysign(1, go["eval"]("-0")) == -1
    assert math.copysign(1, go.echo(-0.0)) == 1, "Go itself takes it for 0"


@pytest.mark.parametrize(
    "value",
    [len, lambda: 1, Box, Box("x").open, Box("x"), SimpleNamespace(a=1), {1: 2}, object(), ValueError("v"), range(3)],
    ids=lambda value: type(value).__name__,
)
def test_objects_that_come_back_as_themselves(go: Library, value: Any) -> None:
    assert go.echo(value) is value


def test_bytes_that_can_be_written_are_shared(go: Library) -> None:
    data = bytearray(6)
    assert go.fill(data) == 6
    assert data == b"filled"
    assert go.sum(data) == sum(data)
    assert go.echo(data) is data
    part = bytearray(10)
    assert go.fill(memoryview(part)[2:5]) == 3
    assert part == b"\0\0fil\0\0\0\0\0"
    words = memoryview(bytearray(8)).cast("I")
    assert go.fill(words) == 6
    assert words.tobytes() == b"filled\0\0"


def test_bytes_that_cannot_be_written_are_copied(go: Library) -> None:
    data = b"abc"
    assert go.fill(data) == 3
    assert data == b"abc"
    assert go.sum(memoryview(b"\1\2\3")) == 6
    assert go.sum(memoryview(bytes(range(10)))[::2]) == 20


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("undefined", None),
        ("[1, , 3]", [1, None, 3]),
        ("new Uint8Array([1, 2])", b"\1\2"),
        ("new Uint8ClampedArray([1, 300])", b"\1\xff"),
        ("new Int16Array([1, -2])", [1, -2]),
        ("new Float64Array([0.5])", [0.5]),
        ("new BigInt64Array([7n])", [7]),
        ("new ArrayBuffer(2)", b"\0\0"),
        ("({a: [1], b: {c: null}})", {"a": [1], "b": {"c": None}}),
        ("Object.create(null)", {}),
        ("123n", 123),
        ("JSON.parse('{\"x\": [true]}')", {"x": [True]}),
    ],
)
def test_values_of_javascript(go: Library, script: str, expected: Any) -> None:
    assert go.evaluate(script) == expected


@pytest.mark.parametrize("script", ["123n", "new BigInt64Array([7n])[0]", "[1n]", "new BigUint64Array([7n])"])
def test_bigints_are_plain_ints(go: Library, script: str) -> None:
    value = go.evaluate(script)
    assert type(value[0] if isinstance(value, list) else value) is int


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("() => 1", JsFunction),
        ("Map", JsFunction),
        ("Promise.resolve(1)", JsPromise),
        ("new Error('e')", JsException),
        ("new Map()", JsObject),
        ("new (class A {})()", JsObject),
    ],
)
def test_objects_of_javascript(go: Library, script: str, kind: type) -> None:
    assert type(go.evaluate(script)) is kind


def test_objects_that_contain_themselves(go: Library) -> None:
    found = go.evaluate("(() => { const a = []; a.push(a); return a })()")
    for _ in range(200):
        (found,) = found
    assert isinstance(found, JsObject)
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(JsException, match="nested more than 200 deep, or contains itself"):
        go.echo(loop)


def test_a_global_that_contains_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    with pytest.raises(JsException, match="contains itself"):
        load({"loop": loop})


# Python objects in JavaScript


def test_attributes_and_methods(go: Library) -> None:
    box = Box("tea")
    assert (go.get(box, "content"), go.method(box, "open"), go.get(box, "fixed")) == ("tea", "tea", 7)
    assert (go.get(box, "_hidden"), go.get(box, "missing"), go.get(box, "length")) == (None, None, 5)
    go.set(box, "content", [1])
    assert box.content == [1]
    go.set(box, "fixed", 8)  # sloppy code ignores what is not allowed
    assert box.fixed == 7
    assert go.evaluate("x => String(x)")(box) == "a box of [1]"
    assert go.evaluate("x => Object.keys(x).includes('content')")(box) is True
    assert go.evaluate("x => '_hidden' in x")(box) is False


def test_a_property_that_raises(go: Library) -> None:
    with pytest.raises(ValueError, match="broken property"):
        go.evaluate("x => x.broken")(Box())


def test_strange_objects_raise_what_they_raise(go: Library) -> None:
    class Strange:
        def __str__(self) -> str:
            raise ZeroDivisionError

        def __len__(self) -> int:
            raise KeyError("len")

        def __dir__(self) -> list[str]:
            raise OSError("dir")

        def __getitem__(self, index: int) -> Any:
            raise ArithmeticError("item")

    for script, error in (
        ("x => String(x)", ZeroDivisionError),
        ("x => x.length", KeyError),
        ("x => Object.keys(x)", OSError),
        ("x => x[0]", ArithmeticError),
    ):
        with pytest.raises(error):
            go.evaluate(script)(Strange())


def test_items_of_sequences(go: Library) -> None:
    script = go.evaluate("x => [x.length, x[0], x[2], x[3], 1 in x]")
    assert script(range(5, 8)) == [3, 5, 7, None, True]


def test_mappings_that_are_no_dicts(go: Library) -> None:
    class Items(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            return len(key)

        def __iter__(self) -> Iterator[str]:
            return iter(("a", "bb"))

        def __len__(self) -> int:
            return 2

        def __contains__(self, key: object) -> bool:
            return key in {"a", "bb"}

    items = Items()
    assert (go.get(items, "bb"), go.get(items, "ccc")) == (2, None)
    assert go.evaluate("x => Object.keys(x)")(items) == ["a", "bb"]


def test_classes(go: Library) -> None:
    made = go.evaluate("C => new C('in JavaScript')")(Box)
    assert type(made) is Box
    assert made.content == "in JavaScript"
    assert go.evaluate("(x, C) => x instanceof C")(made, Box) is True
    assert go.evaluate("(x, C) => x instanceof C")(SimpleNamespace(), Box) is False
    assert go.evaluate("(x, C) => x instanceof C")(1, Box) is False


def test_functions_get_converted_arguments(go: Library) -> None:
    seen: list[Any] = []
    go.call(lambda *args: seen.extend(args), 1, None, [2], {"a": b"b"})
    assert seen == [1, None, [2], {"a": b"b"}]
    assert go.evaluate("f => f(undefined, x => x + 1)")(lambda nothing, add: (nothing, add(1))) == [None, 2]
    assert go.evaluate("f => f.name")(lambda: 0) == "<lambda>"


def test_globals_are_given_before_the_program_starts() -> None:
    values = {"number": 5, "list": [1, 2], "box": Box("b"), "data": bytearray(2), "f": max}
    with load(values) as go:
        assert go.fromGlobal("number") == 5
        assert go.fromGlobal("list") == [1, 2]
        assert go.fromGlobal("box") is values["box"]
        assert go.fromGlobal("data") is values["data"]
        assert go.fromGlobal("f") is max
        assert "number" not in dir(go)


def test_a_global_may_replace_what_is_built_in() -> None:
    with load({"Math": {"max": lambda *_: "mine"}}) as go:
        assert go.evaluate("Math.max(1, 2)") == "mine"


# JavaScript objects in Python


def test_properties_as_items_and_attributes(go: Library) -> None:
    point = go.evaluate("new (class Point { constructor() { this.x = 1 } norm() { return this.x * 2 } })()")
    assert isinstance(point, JsObject)
    assert (point.x, point["x"], point.norm(), repr(point)) == (1, 1, 2, "<JsObject #<Point>>")
    point.x = 4
    point["y"] = [1]
    assert (point.norm(), point.y, list(point), dir(point)) == (8, [1], ["x", "y"], ["x", "y"])
    assert point["missing"] is None
    with pytest.raises(AttributeError, match="has no property 'missing'"):
        _ = point.missing
    assert go.echo(point) == point
    assert go.echo(point) is not point
    assert hash(go.echo(point)) == hash(point)
    assert point != go.evaluate("new Map()")


def test_getters_that_throw(go: Library) -> None:
    thing = go.evaluate("new (class T { get bad() { throw new TypeError('no') } })()")
    with pytest.raises(JsException, match=r"^no$"):
        _ = thing.bad


def test_an_error_that_is_handed_over(go: Library) -> None:
    error = go.evaluate("Object.assign(new RangeError('far'), {code: 'EFAR'})")
    assert isinstance(error, JsException)
    assert (str(error), error.value.name, error.value.code) == ("far", "RangeError", "EFAR")
    assert go.evaluate("e => e instanceof RangeError")(error) is True


def test_an_awaitable_needs_asyncio(go: Library) -> None:
    async def wait() -> None: ...

    with pytest.raises(JsException, match="does not run under asyncio: use run_async"):
        go.evaluate("f => f()")(wait)
