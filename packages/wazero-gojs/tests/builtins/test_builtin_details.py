"""Built-in objects beyond expressions: hosts, time zones, weak references, and guests that want too much."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from wazero_core import ModuleConfig
from wazero_gojs.builtins.ordered import OrderedMap
from wazero_gojs.global_names import GLOBALS
from wazero_gojs.loop import EventLoop
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import JSError, to_string
from wazero_gojs.script.evaluate import evaluate


class Host:
    def __init__(self, realm: Realm, config: ModuleConfig, *, local_time_zone: bool = False) -> None:
        self.system = config.new_system_context()
        self.loop = EventLoop(self.system, realm.jobs)
        self.config = SimpleNamespace(local_time_zone=local_time_zone)


def new_realm(config: ModuleConfig | None = None, *, local_time_zone: bool = False) -> Realm:
    realm = Realm(GLOBALS)
    realm.host = Host(realm, config or ModuleConfig(), local_time_zone=local_time_zone)
    return realm


def result(source: str, realm: Realm | None = None) -> Any:
    return evaluate(realm or new_realm(), source)


# --- What comes from the program ---


def test_dates_and_random_numbers_come_from_the_program() -> None:
    config = (
        ModuleConfig().with_walltime(lambda: 1_700_000_000_123_456_789).with_rand_source(lambda count: b"\xff" * count)
    )
    realm = new_realm(config)
    assert result("Date.now()", realm) == 1_700_000_000_123
    assert result("new Date().toISOString()", realm) == "2023-11-14T22:13:20.123Z"
    assert result("Math.random()", realm) == 1 - 2**-53
    assert result("Math.random()", new_realm(ModuleConfig().with_rand_source(bytes))) == 0


@pytest.fixture
def new_york() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
        time.tzset()
        yield
    time.tzset()


ZONED = {
    "new Date(2021, 0, 1).toISOString()": "2021-01-01T05:00:00.000Z",
    "new Date(2021, 6, 1).toISOString()": "2021-07-01T04:00:00.000Z",
    "new Date(2021, 2, 14, 2, 30).toISOString()": "2021-03-14T07:30:00.000Z",  # left out: counted by winter
    "new Date(2021, 10, 7, 1, 30).toISOString()": "2021-11-07T05:30:00.000Z",  # comes twice: the first one
    "new Date(2021, 0, 1).getTimezoneOffset()": 300,
    "new Date(2021, 6, 1).getTimezoneOffset()": 240,
    "new Date('2021-07-01').getDate()": 30,
    "new Date('2021-07-01T00:00').toISOString()": "2021-07-01T04:00:00.000Z",
    "new Date(2021, 6, 1, 5).toString()": "Thu Jul 01 2021 05:00:00 GMT-0400 (EDT)",
    "(d => { d.setMonth(0); return d.toISOString() })(new Date(2021, 6, 1))": "2021-01-01T05:00:00.000Z",
    "new Date(8.64e15).getFullYear()": 275760,
    "new Date(-8.64e15).getFullYear()": -271821,
}


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system has one time zone")
@pytest.mark.parametrize("source", ZONED)
def test_local_times_where_the_zone_is_known(source: str, new_york: None) -> None:
    assert result(source, new_realm(local_time_zone=True)) == ZONED[source]


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system has one time zone")
def test_the_zone_is_utc_unless_the_program_may_know(new_york: None) -> None:
    assert result("new Date(2021, 6, 1).toString()") == "Thu Jul 01 2021 00:00:00 GMT+0000 (Coordinated Universal Time)"
    assert result("new Date(0).getTimezoneOffset()") == 0


def test_the_calendar_is_pythons_where_that_has_one() -> None:
    from datetime import UTC, datetime, timedelta

    source = "t => { const d = new Date(t); return [d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate(), d.getUTCDay()].join() }"
    fields = result(source)
    for day in range(-719_162, 2_932_896, 1237):
        expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
        found = fields.call(None, (day * 86_400_000 + 5,))
        assert found == f"{expected.year},{expected.month},{expected.day},{expected.isoweekday() % 7}"


# --- Collections ---


def test_an_order_that_is_made_anew_loses_no_reader() -> None:
    entries = OrderedMap()
    for key in range(100):
        entries.put(key, key)
    reader = entries.entries()
    seen = [next(reader).key for _ in range(10)]
    for key in range(95):
        entries.remove(key)
    entries.put(200, 0)
    assert seen + [entry.key for entry in reader] == [*range(10), *range(95, 100), 200]


def test_maps_and_sets_agree_with_a_plain_model() -> None:
    from random import Random

    random = Random(3)
    entries, model = OrderedMap(), {}
    for _ in range(5000):
        key = random.choice([random.randrange(50), str(random.randrange(50)), float(random.randrange(50)) + 0.5])
        if random.random() < 0.5:
            entries.put(key, _)
            model[key] = _
        else:
            assert entries.remove(key) == (model.pop(key, None) is not None)
        assert len(entries) == len(model)
    assert [(entry.key, entry.value) for entry in entries.entries()] == list(model.items())


def test_weak_things_keep_nothing_alive() -> None:
    realm = new_realm()
    result("var m = new WeakMap, k = {}, r = new WeakRef(k), seen = []; m.set(k, 1)", realm)
    result(
        "var f = new FinalizationRegistry(held => seen.push(held)); f.register(k, 'gone'); f.register(k, 'no', r); f.unregister(r)",
        realm,
    )
    assert result("r.deref() === k", realm) is True
    result("k = undefined", realm)
    gc.collect()
    assert result("r.deref()", realm) is result("undefined", realm)
    assert not len(realm.global_object.get("m").map)
    realm.host.loop.run_ready()
    assert result("seen.join()", realm) == "gone"


# --- Guests that want too much ---

REFUSED = {
    "new ArrayBuffer(2 ** 40)": "Array buffer allocation failed",
    "new Uint8Array(2 ** 40)": "Invalid typed array length: 1099511627776",
    "new Float64Array(2 ** 30)": "Invalid typed array length: 1073741824",
    "new Uint8Array({length: 2 ** 40})": "Invalid typed array length: 1099511627776",
    "new DataView(new ArrayBuffer(1), 2 ** 52)": "Start offset 4503599627370496 is outside the bounds of the buffer",
    "new Uint8Array(2 ** 20).join('x'.repeat(2 ** 20))": "Invalid string length",
    "Uint8Array.from({length: 2 ** 33})": "Invalid typed array length: 8589934592",
    "a = []; for (let i = 0; i < 20000; i++) a = [a]; JSON.stringify(a)": "Maximum call stack size exceeded",
    "JSON.parse('['.repeat(5000) + ']'.repeat(5000), (k, v) => v)": "Maximum call stack size exceeded",
    "new Date(NaN).toISOString()": "Invalid time value",
}


@pytest.mark.parametrize("source", REFUSED)
def test_too_much_is_a_range_error(source: str) -> None:
    realm = new_realm()
    with pytest.raises(JSError) as caught:
        evaluate(realm, source)
    error = realm.thrown(caught.value)
    assert (error.get("name"), error.get("message")) == ("RangeError", REFUSED[source])


def test_deep_json_is_read() -> None:
    assert (
        result(
            "let d = JSON.parse('{\"a\":['.repeat(50000) + ']}'.repeat(50000)), n = 0; while (d) { d = d.a?.[0]; n++ } n"
        )
        == 50000
    )


def test_long_dates_are_no_dates() -> None:
    assert to_string(result("Date.parse('1 '.repeat(1e6))")) == "NaN"
    assert to_string(result("Date.parse('('.repeat(1e6))")) == "NaN"


HOSTILE_ARGUMENTS = "[undefined, null, true, -1, 1.5, NaN, Infinity, 1e300, 5n, 'x', '\\ud800', Symbol('s'), {}, [], [1], () => 1, new Map, new Uint8Array(2), new BigInt64Array(1), {valueOf() { throw 1 }}, {length: -1}, {length: 1e300}, Object.create(null), new Proxy({}, {})]"

SUBJECTS = [
    "Math", "JSON", "new Date(0)", "new Date(NaN)", "new Map([[1, 2]])", "new Set([1])", "new WeakMap", "new WeakSet",
    "new WeakRef({})", "new FinalizationRegistry(() => {})", "Promise.resolve(1)", "new ArrayBuffer(8)",
    "new DataView(new ArrayBuffer(8))", "new Uint8Array(3)", "new Float32Array(3)", "/a(b)?/g",
    "new TextEncoder", "new TextDecoder", "console", "crypto", "performance", "new AbortController",
    "new AbortController().signal", "new EventTarget", "new Event('x')", "new URL('http://a/b?c#d')",
    "new URLSearchParams('a=1')", "setTimeout(() => {}, 1)", "setImmediate(() => {})", "new DOMException('x')",
    "globalThis",
]  # fmt: skip

FUZZ = """
(subject, values) => {
  const names = new Set;
  for (let o = subject; o && o !== Object.prototype; o = Object.getPrototypeOf(o)) Reflect.ownKeys(o).forEach(k => names.add(k));
  let calls = 0;
  const attempt = f => { calls++; try { f() } catch (e) {} };
  for (const name of names) {
    let method; attempt(() => { method = subject[name] });
    for (const v of values) attempt(() => { subject[name] = v; });
    if (typeof method !== 'function' || name === 'constructor' || name === 'eval' || name === 'Function') continue;
    attempt(() => method.call(subject));
    for (const v of values) {
      attempt(() => method.call(v, 1, 2));
      attempt(() => method.call(subject, v));
      attempt(() => method.call(subject, v, v, v));
      attempt(() => method.call(subject, 1, v));
      attempt(() => method.call(subject, () => 1, v));
      attempt(() => new method(v, v));
    }
  }
  return calls;
}
"""


@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_argument_breaks_a_method(subject: str) -> None:
    """Whatever they throw is a JavaScript error: an exception of Python's would end the test."""
    realm = new_realm()
    assert result(f"({FUZZ})({subject}, {HOSTILE_ARGUMENTS})", realm) > 0
