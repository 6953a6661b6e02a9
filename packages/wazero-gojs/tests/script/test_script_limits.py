"""No source crashes, hangs or fills the host: what is too much is a RangeError, and what never ends can be interrupted."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable

import pytest

from wazero_gojs.global_names import GLOBALS
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import JSError, describe
from wazero_gojs.script.evaluate import evaluate


class Interrupted(BaseException):
    """What the host raises when the time is up."""


def interrupting(realm: Realm, polls: int) -> Realm:
    left = polls

    def poll() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise Interrupted

    realm.poll = poll
    return realm


def thrown_by(source: str, realm: Realm | None = None) -> str:
    realm = realm or Realm(GLOBALS)
    with pytest.raises(JSError) as caught:
        evaluate(realm, source)
    assert realm.call_depth == 0
    return describe(realm.thrown(caught.value))


TOO_DEEP = {
    "parentheses": "(" * 100_000,
    "arrays": "[" * 5000 + "]" * 5000,
    "objects": "({a:" * 3000,
    "blocks": "{" * 100_000,
    "functions": "(function(){" * 2000,
    "arrows": "a=>" * 5000 + "1",
    "operators": "+".join("1" * 20_000),
    "members": "a" + ".b" * 20_000,
    "calls": "f" + "()" * 20_000,
    "unary operators": "!" * 100_000 + "1",
    "new": "new " * 100_000 + "a",
    "conditions": "1?" * 50_000 + "1" + ":1" * 50_000,
    "assignments": "a=" * 50_000 + "1",
    "templates": "`${" * 20_000,
    "if": "if(1)" * 50_000 + "1",
    "labels": "".join(f"l{i}:" for i in range(5000)) + "1",
    "calls of functions": "function f() { return f(); } f()",
    "constructors": "class A { constructor() { new A(); } } new A()",
    "derived constructors": "class A {} class B extends A { constructor() { super(); new B(); } } new B()",
    "getters": "var o = {get x() { return this.x; }}; o.x",
    "conversions": "var o = {toString() { return '' + o; }}; '' + o",
    "comparisons of sort": "function f() { [1, 2].sort(() => { f(); return 0; }); } f()",
    "callbacks": "function f() { [1].map(f); } f()",
    "generators": "function* g() { yield* g(); } [...g()]",
    "generators in loops": "function* g() { for (const x of g()) yield x; } g().next()",
    "eval": "function f() { return eval('f()'); } f()",
    "Function": "function f() { return new Function('return f()')(); } f()",
    "iteration": "var o = {[Symbol.iterator]() { return [...o]; }}; [...o]",
    "defaults": "function f(a = f()) {} f()",
    "fields": "class A { x = new A(); } new A()",
    "spread": "Math.max(...{[Symbol.iterator]() { return {next() { return {value: 1}; }}; }})",
}


@pytest.mark.parametrize("source", TOO_DEEP.values(), ids=TOO_DEEP)
def test_what_nests_too_deep_is_a_range_error(source: str):
    limit = sys.getrecursionlimit()
    assert thrown_by(source) == "RangeError: Maximum call stack size exceeded"
    assert sys.getrecursionlimit() == limit


def test_async_functions_that_nest_too_deep_are_rejected():
    realm = Realm(GLOBALS)
    evaluate(realm, "async function f() { await f(); } f().catch(e => globalThis.caught = String(e))")
    realm.jobs.run()
    assert realm.global_object.get("caught") == "RangeError: Maximum call stack size exceeded"


def test_scripts_can_catch_that_and_go_on():
    assert evaluate(Realm(GLOBALS), "function f() { f(); } try { f(); } catch (e) { e instanceof RangeError }") is True


def test_hundreds_of_calls_are_not_too_deep():
    assert evaluate(Realm(GLOBALS), "function f(n) { return n ? 1 + f(n - 1) : 0; } f(400)") == 400
    assert evaluate(Realm(GLOBALS), "(" * 300 + "1" + ")" * 300) == 1


def test_the_recursion_limit_is_restored_after_threads():
    limit = sys.getrecursionlimit()
    threads = [threading.Thread(target=thrown_by, args=(TOO_DEEP["calls of functions"],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.getrecursionlimit() == limit


TOO_BIG = {
    "var s = 'xxxxxxxx'; s += s; for (var i = 0; i < 60; i++) s += s": "RangeError: Invalid string length",
    "2n ** 99999999999n": "RangeError: Maximum BigInt size exceeded",
    "1n << 99999999999n": "RangeError: Maximum BigInt size exceeded",
    "var b = 3n; for (;;) b *= b": "RangeError: Maximum BigInt size exceeded",
    "1" * 100_000 + "n": "RangeError: Maximum BigInt size exceeded",
}


@pytest.mark.parametrize("source", TOO_BIG, ids=lambda source: source[:40])
def test_what_grows_too_big_is_a_range_error(source: str):
    assert thrown_by(source) == TOO_BIG[source]


ENDLESS = [
    "for (;;);",
    "while (true) {}",
    "do ; while (true)",
    "l: for (;;) { continue l; }",
    "for (const x of {[Symbol.iterator]() { return {next() { return {}; }}; }});",
    "[...{[Symbol.iterator]() { return {next() { return {}; }}; }}]",
    "var [...a] = {[Symbol.iterator]() { return {next() { return {}; }}; }}",
    "function* g() { for (;;) yield 1; } for (const x of g());",
    "function* g() { for (;;); } g().next()",
    "(async () => { for (;;); })()",
    "try { for (;;); } catch (e) {}",
    "try { for (;;); } finally { for (;;); }",
    "for (;;) { try { f(); function f() { for (;;); } } finally { continue; } }",
    "function f() { try { f(); } finally { f(); } } f()",
    "1;" * 3000,
    ",".join("a" * 9000),
]


@pytest.mark.parametrize("source", ENDLESS, ids=lambda source: source[:60])
def test_what_takes_long_can_be_interrupted(source: str):
    realm = interrupting(Realm(GLOBALS), 5000)
    with pytest.raises(Interrupted):
        evaluate(realm, source)
    assert realm.call_depth == 0


def test_an_interrupt_runs_no_finally():
    realm = interrupting(Realm(GLOBALS), 1000)
    with pytest.raises(Interrupted):
        evaluate(realm, "try { for (;;); } finally { globalThis.ran = true; }")
    assert not realm.global_object.has("ran")


def test_generators_that_nobody_needs_run_no_finally():
    realm = Realm(GLOBALS)
    evaluate(realm, "(function* () { try { yield 1; } finally { globalThis.ran = true; } })().next(); 1")
    assert not realm.global_object.has("ran")


TOKENS = [
    "a",
    "b",
    "c",
    "o",
    "f",
    "g",
    "x",
    "y",
    "0",
    "1",
    "2n",
    "'str'",
    "`t`",
    "/re/g",
    "(",
    ")",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ";",
    ",",
    ".",
    "=>",
    "=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "++",
    "--",
    "!",
    "~",
    "?",
    ":",
    "?.",
    "??",
    "&&",
    "||",
    "+=",
    "??=",
    "===",
    "<",
    ">",
    "<<",
    "in",
    "instanceof",
    "typeof",
    "delete",
    "void",
    "new",
    "this",
    "super",
    "null",
    "true",
    "undefined",
    "function",
    "async",
    "await",
    "yield",
    "class",
    "extends",
    "static",
    "get",
    "set",
    "constructor",
    "return",
    "if",
    "else",
    "for",
    "while",
    "do",
    "of",
    "let",
    "const",
    "var",
    "switch",
    "case",
    "default",
    "break",
    "continue",
    "try",
    "catch",
    "finally",
    "throw",
    "debugger",
    "with",
    "...",
    "`${",
    "}`",
    "\n",
    "'use",
    "strict'",
    "#",
    "@",
    "\\",
    "arguments",
    "eval",
    "Symbol.iterator",
    "o.f()",
    "(a)=>",
    "()=>{",
    "f(){",
    "l:",
    "[a,b]",
    "{a,b}",
]
WRAPPERS: list[Callable[[str], str]] = [
    lambda soup: soup,
    lambda soup: f"(function () {{ {soup} }})()",
    lambda soup: f"(async function () {{ {soup} }})()",
    lambda soup: f"[...(function* () {{ {soup} }})()]",
    lambda soup: f"(class extends Array {{ {soup} }})",
    lambda soup: f"({{ {soup} }})",
    lambda soup: f"var {{ {soup} }} = {{}}",
    lambda soup: f"for (let a of [1]) {{ {soup} }}",
]


@pytest.mark.parametrize("seed", range(8))
def test_soup_of_tokens_throws_nothing_but_what_scripts_can_catch(seed: int):
    chance = random.Random(seed)
    for _ in range(150):
        soup = " ".join(chance.choices(TOKENS, k=chance.randint(1, 12)))
        source = chance.choice(WRAPPERS)(soup)
        realm = interrupting(Realm(GLOBALS), 3000)
        try:
            evaluate(realm, source)
            realm.jobs.run()
        except (JSError, Interrupted):
            pass
        except Exception as error:
            raise AssertionError(source) from error
        assert realm.call_depth == 0
