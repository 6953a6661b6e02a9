"""`eval` and `new Function` as a host and Go's tests use them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from wazero_gojs.global_names import GLOBALS
from wazero_gojs.model.object import JSFunction
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import UNDEFINED, JSError, describe
from wazero_gojs.script.evaluate import evaluate, new_function

# What the tests of Go's syscall/js begin with.
DUMMYS = """({
	someBool: true,
	someString: "abc\\u1234",
	someInt: 42,
	someFloat: 42.123,
	someArray: [41, 42, 43],
	someDate: new Date(),
	add: function(a, b) {
		return a + b;
	},
	zero: 0,
	stringZero: "0",
	NaN: NaN,
	emptyObj: {},
	emptyArray: [],
	Infinity: Infinity,
	NegInfinity: -Infinity,
	objNumber0: new Number(0),
	objBooleanFalse: new Boolean(false),
})"""


@pytest.fixture
def realm() -> Realm:
    return Realm(GLOBALS)


def call_eval(realm: Realm, *args: Any) -> Any:
    return realm.global_object.get("eval").call(realm.global_object, args)


def test_dummys_of_syscall_js(realm: Realm):
    dummys = call_eval(realm, DUMMYS)
    values = {key: dummys.get(key) for key in dummys.own_keys()}
    assert list(values)[:4] == ["someBool", "someString", "someInt", "someFloat"]
    assert values["someBool"] is True
    assert values["someString"] == "abc\u1234"
    assert (values["someInt"], values["someFloat"], values["zero"]) == (42, 42.123, 0)
    assert values["someArray"].items == [41, 42, 43]
    assert values["someDate"].prototype is realm.prototype_of("Date")
    assert values["add"].call(dummys, (1, 2)) == 3
    assert values["add"].call(dummys, ("a", "b")) == "ab"
    assert values["stringZero"] == "0"
    assert math.isnan(values["NaN"])
    assert (values["Infinity"], values["NegInfinity"]) == (math.inf, -math.inf)
    assert values["emptyObj"].own_keys() == []
    assert values["emptyArray"].items == []
    assert values["objNumber0"].call_method("valueOf") == 0
    assert values["objBooleanFalse"].call_method("valueOf") is False


def test_other_scripts_of_syscall_js(realm: Realm):
    assert call_eval(realm, "40") == 40
    assert call_eval(realm, "new Object()").own_keys() == []
    frozen = call_eval(realm, "(function () { let o = new Object(); o.field = 5; Object.freeze(o); return o; })()")
    assert frozen.get("field") == 5
    assert not frozen.set("field", 6)


def test_values_that_are_no_strings_are_returned(realm: Realm):
    value = realm.new_object()
    assert call_eval(realm, value) is value
    assert call_eval(realm) is UNDEFINED
    assert call_eval(realm, 5, "ignored") == 5


def test_scripts_share_the_global_scope_but_not_let(realm: Realm):
    call_eval(realm, "var a = 1; function f() { return a; } let b = 2; const c = 3; class D {}")
    assert call_eval(realm, "a += 1; f()") == 2
    assert call_eval(realm, "typeof b + typeof c + typeof D") == "undefined" * 3
    assert realm.global_object.get("a") == 2
    realm.global_object.set("given", 7)
    assert call_eval(realm, "given") == 7


def test_strict_scripts_keep_their_variables(realm: Realm):
    assert call_eval(realm, "'use strict'; var hidden = 1; function f() { return hidden; } f()") == 1
    assert call_eval(realm, "typeof hidden + typeof f") == "undefined" * 2


def test_scripts_never_see_variables_of_their_callers(realm: Realm):
    assert call_eval(realm, "(function () { var inner = 1; return eval('typeof inner'); })()") == "undefined"


def test_new_function(realm: Realm):
    function = new_function(realm, ["a", "b = 2"], "return a + b")
    assert isinstance(function, JSFunction)
    assert function.call(UNDEFINED, (40,)) == 42
    assert function.get("name") == "anonymous"
    assert function.get("length") == 1
    assert function.source_text() == "function anonymous(a,b = 2\n) {\nreturn a + b\n}"
    assert call_eval(realm, "new Function('a, b', 'return a * b')(6, 7)") == 42
    assert call_eval(realm, "Function('return this')() === globalThis") is True
    assert call_eval(realm, "var made = new Function('this.x = 1'); new made().x") == 1
    assert call_eval(realm, "new Function('a // comment', 'return a')(1)") == 1


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        (["a"], "}) (function () {"),
        (["a) { }, function ("], "return 1"),
        (["/*"], "*/ ) {"),
        (["a", "b = "], "1"),
        ([], "return 1 +"),
        ([], "await 1"),
        (["...a", "b"], ""),
    ],
)
def test_sources_of_new_function_must_be_right_alone(realm: Realm, parameters: list[str], body: str):
    with pytest.raises(JSError) as caught:
        new_function(realm, parameters, body)
    assert describe(realm.thrown(caught.value)).startswith("SyntaxError: ")


UNSUPPORTED = {
    "async function* g() {}": "Async generators are not supported",
    "async () => { for await (const x of []); }": "for await is not supported",
    "class A { #x = 1 }": "Private names are not supported",
    "a.#x": "Private names are not supported",
    "class A { static {} }": "Static blocks are not supported",
    "with (a) {}": "with statements are not supported",
    "async a => { a?.b(await 1) }": "yield and await are not supported in optional chains",
    "async a => { a ??= await 1 }": "yield and await are not supported here",
    "async () => class extends (await 1) {}": "yield and await are not supported in classes",
    "async a => { [a = await 1] = [] }": "yield and await are not supported here",
    "async a => { switch (1) { case await 1: } }": "yield and await are not supported here",
}


@pytest.mark.parametrize("source", UNSUPPORTED)
def test_what_is_not_supported_is_a_syntax_error_that_says_so(realm: Realm, source: str):
    with pytest.raises(JSError) as caught:
        evaluate(realm, source)
    assert describe(realm.thrown(caught.value)) == f"SyntaxError: {UNSUPPORTED[source]}"


def test_errors_of_the_host_pass_through_scripts(realm: Realm):
    class HostError(Exception):
        pass

    def fail(realm: Realm, this: Any, args: Any) -> Any:
        raise HostError

    realm.global_object.set("fail", realm.new_function(fail))
    with pytest.raises(HostError):
        evaluate(realm, "try { fail(); } catch (e) { 1 } finally { 2 }")
    assert realm.call_depth == 0
