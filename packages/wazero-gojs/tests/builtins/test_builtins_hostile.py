"""What a guest may ask of the language's own objects never takes the host down: no Python error, no endless memory."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest

from wazero_gojs.global_names import GLOBALS
from wazero_gojs.model.object import JSObject, NativeFunction
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import UNDEFINED, BigInt, JSError, Symbol, describe
from wazero_gojs.script.evaluate import evaluate

TOO_LARGE = {
    "'x'.repeat(1e9)": "Invalid string length",
    "'xy'.repeat(2 ** 29)": "Invalid string length",
    "'x'.padStart(1e9)": "Invalid string length",
    "'x'.padEnd(2 ** 53, 'abc')": "Invalid string length",
    "Array(1e7).join('x'.repeat(1000))": "Invalid string length",
    "'x'.repeat(2 ** 20).replaceAll('x', 'y'.repeat(1000))": "Invalid string length",
    "String.raw({raw: {length: 1e6, get 0() { throw 1 }}}, 1)": "1",
    "new Array(4e9)": "Invalid array length",
    "Array(2 ** 32)": "Invalid array length",
    "[].length = 2 ** 31": "Invalid array length",
    "[][4e9] = 1; [][2 ** 31] = 1": "Invalid array length",
    "Object.defineProperty([], 2 ** 30, {value: 1})": "Invalid array length",
    "Array.from({length: 1e9})": "Invalid array length",
    "Array.from({length: 2 ** 53})": "Invalid array length",
    "[].map.call({length: 1e9}, () => 1)": "Invalid array length",
    "[].indexOf.call({length: 1e15}, 1)": "Invalid array length",
    "[].slice.call({length: 1e9})": "Invalid array length",
    "[].concat.call([], {length: 1e9, [Symbol.isConcatSpreadable]: true})": "Invalid array length",
    "[].splice.call({length: 1e9}, 0, 0)": "Invalid array length",
    "[].reverse.call({length: 1e9})": "Invalid array length",
    "[].sort.call({length: 1e9})": "Invalid array length",
    "[].fill.call({length: 1e9}, 1)": "Invalid array length",
    "[].toSpliced.call({length: 1e9})": "Invalid array length",
    "'x'.repeat(2 ** 26).split('')": "Invalid array length",
    "[].join.call({length: 1e9})": "Invalid array length",
    "(() => 1).apply(null, {length: 1e6})": "Maximum call stack size exceeded",
    "Reflect.apply(() => 1, null, {length: 1e9})": "Invalid array length",
    "Reflect.construct(Array, {length: 1e6})": "Maximum call stack size exceeded",
    "new Proxy({}, {ownKeys: () => ({length: 1e9})}); Object.keys(new Proxy({}, {ownKeys: () => ({length: 1e9})}))": "Invalid array length",
    "let a = []; a[0] = a; a.flat(Infinity)": "Maximum call stack size exceeded",
    "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; String(a)": "Maximum call stack size exceeded",
    "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; a.flat(Infinity)": "Maximum call stack size exceeded",
    "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x": "Maximum call stack size exceeded",
    "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy({}, p); p.x": "Maximum call stack size exceeded",
    "let p = {}; for (let i = 0; i < 1e5; i++) p = Object.create(new Proxy(p, {})); 'x' in p": "Maximum call stack size exceeded",
    "let p = {}; for (let i = 0; i < 1e5; i++) p = Object.create(new Proxy(p, {})); p.x = 1": "Maximum call stack size exceeded",
    "let f = () => 1; for (let i = 0; i < 1e5; i++) f = new Proxy(f, {}); f()": "Maximum call stack size exceeded",
    "const o = {get x() { return this.x }}; o.x": "Maximum call stack size exceeded",
    "const o = {toString() { return '' + this }}; '' + o": "Maximum call stack size exceeded",
    "const o = {toString() { return `${[this]}` }}; o + ''": "Maximum call stack size exceeded",
    "BigInt('9'.repeat(1e6))": "Maximum BigInt size exceeded",
    "BigInt('0x' + 'f'.repeat(1e6))": "Maximum BigInt size exceeded",
    "BigInt.asUintN(2 ** 40, -1n)": "Maximum BigInt size exceeded",
}  # fmt: skip


@pytest.mark.parametrize("source", TOO_LARGE)
def test_what_is_too_large_is_a_range_error(source: str) -> None:
    realm = Realm(GLOBALS)
    with pytest.raises(JSError) as caught:
        evaluate(realm, source)
    assert TOO_LARGE[source] in describe(realm.thrown(caught.value))


@pytest.mark.parametrize(
    "source", ["'x'.repeat(1e9)", "new Array(1e9)", "Array.from({length: 1e9})", "'x'.padEnd(1e9)"]
)
def test_refusing_takes_no_memory(source: str) -> None:
    realm = Realm(GLOBALS)
    evaluate(realm, "[String, Array, [].map, ''.repeat, RangeError]")
    tracemalloc.start()
    try:
        with pytest.raises(JSError):
            evaluate(realm, source)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_long_chains_of_prototypes_and_bindings_do_not_recurse() -> None:
    realm = Realm(GLOBALS)
    assert evaluate(realm, "let o = {x: 1}; for (let i = 0; i < 1e4; i++) o = Object.create(o); o.x") == 1
    assert evaluate(realm, "let f = () => 5; for (let i = 0; i < 1e4; i++) f = f.bind(null); f()") == 5


def odd_values(realm: Realm) -> list[object]:
    thrower = NativeFunction(realm, "thrower", 0, _throw)
    return [
        UNDEFINED, None, True, 0, -1, 1.5, float("nan"), float("inf"), -float("inf"), 2**53 - 1, 1e300, "", "length", "\ud800",
        "a\U0001f600b", BigInt(5), BigInt(-(10**30)), Symbol("s"), JSObject(None), realm.new_object({"length": -3}),
        realm.new_object({"length": 2, "0": 1}), realm.new_object({"toString": thrower, "valueOf": thrower}),
        realm.new_array([1, "x"]), thrower, realm.intrinsic("Array"), evaluate(realm, "new Proxy([1], {})"),
        evaluate(realm, "Proxy.revocable({}, {}).proxy"), evaluate(realm, "({get length() { throw 5 }})"),
    ]  # fmt: skip


def _throw(realm: Realm, this: object, args: object) -> object:
    raise JSError("thrown")


CLASSES = (
    "Object",
    "Function",
    "Array",
    "Error",
    "AggregateError",
    "Symbol",
    "String",
    "Number",
    "BigInt",
    "Boolean",
    "Reflect",
    "Proxy",
)
FUNCTIONS = (
    "parseInt",
    "parseFloat",
    "isNaN",
    "isFinite",
    "encodeURI",
    "decodeURI",
    "encodeURIComponent",
    "decodeURIComponent",
    "escape",
    "unescape",
)


def functions_of(holder: JSObject) -> list[NativeFunction]:
    found: list[NativeFunction] = []
    for key in holder.own_keys():
        value = holder.own(key)
        found += [
            part
            for part in (value, getattr(value, "getter", None), getattr(value, "setter", None))
            if isinstance(part, NativeFunction)
        ]
    return found


@pytest.mark.parametrize("name", [*CLASSES, *FUNCTIONS])
def test_odd_arguments_throw_nothing_but_what_javascript_can_catch(name: str) -> None:
    """Every built-in function, with many kinds of this and of arguments."""
    realm = Realm(GLOBALS)
    intrinsic = realm.intrinsic(name)
    functions = [intrinsic] if isinstance(intrinsic, NativeFunction) else []
    prototype = intrinsic.get("prototype")
    for holder in (intrinsic, prototype):
        if isinstance(holder, JSObject):
            functions += functions_of(holder)
    assert functions
    for function in dict.fromkeys(functions):
        values = odd_values(realm)
        for this, first in itertools.product(values, values):
            for args in ((), (first,), (this, first, first)):
                use(realm, partial(function.call, this, args))
        for pair in itertools.product(values, values) if function.is_constructor else ():
            use(realm, partial(function.construct, pair))


def use(realm: Realm, action: Callable[[], object]) -> None:
    try:
        action()
    except JSError as error:
        describe(realm.thrown(error))
