"""What globals of browsers take from their program: clocks, random bytes, output, the event loop."""

from __future__ import annotations

from typing import Any

import pytest

from wazero_core import ModuleConfig
from wazero_gojs.global_names import GLOBALS
from wazero_gojs.loop import EventLoop
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import JSError
from wazero_gojs.script.evaluate import evaluate


class Host:
    def __init__(self, realm: Realm, config: ModuleConfig) -> None:
        self.system = config.new_system_context()
        self.loop = EventLoop(self.system, realm.jobs)
        self.config = None


def new_realm(config: ModuleConfig | None = None) -> Realm:
    realm = Realm(GLOBALS)
    realm.host = Host(realm, config or ModuleConfig())
    return realm


def run_all(realm: Realm) -> None:
    while not realm.host.loop.is_stuck:
        realm.host.loop.run_ready()
        realm.host.loop.wait()


def thrown(realm: Realm, source: str) -> Any:
    with pytest.raises(JSError) as caught:
        evaluate(realm, source)
    return realm.thrown(caught.value)


# --- performance and crypto ---


def test_performance_starts_at_zero_and_counts_milliseconds() -> None:
    readings = iter((5_000_000_000, 5_002_500_000, 5_010_000_000))
    config = ModuleConfig().with_nanotime(lambda: next(readings)).with_walltime(lambda: 1_700_000_000_123_000_000)
    realm = new_realm(config)
    evaluate(realm, "var first = performance.now(), second = performance.now()")
    assert evaluate(realm, "first") == 2.5
    assert evaluate(realm, "second") == 10
    assert evaluate(realm, "performance.timeOrigin") == 1_700_000_000_123


def test_random_bytes_come_from_the_program() -> None:
    realm = new_realm(ModuleConfig().with_rand_source(lambda count: bytes(range(count))))
    assert evaluate(realm, "crypto.getRandomValues(new Uint8Array(5)).join()") == "0,1,2,3,4"
    assert evaluate(realm, "crypto.getRandomValues(new Uint16Array(4).subarray(1, 3)).join()") == "256,770"
    assert evaluate(realm, "crypto.randomUUID()") == "00010203-0405-4607-8809-0a0b0c0d0e0f"
    assert evaluate(realm, "crypto.subtle === undefined")


def test_more_random_bytes_than_the_quota_are_refused() -> None:
    error = thrown(new_realm(), "crypto.getRandomValues(new Uint8Array(65537))")
    assert (error.get("name"), error.get("code")) == ("QuotaExceededError", 22)


# --- Text ---


def test_a_stream_can_be_cut_anywhere() -> None:
    text = "aé€😀\ufeffz"
    data = text.encode()
    realm = new_realm()
    decode = evaluate(
        realm, "(a, b) => { const d = new TextDecoder(); return d.decode(a, {stream: true}) + d.decode(b) }"
    )
    for cut in range(len(data) + 1):
        assert decode.call(None, (realm.new_bytes(data[:cut]), realm.new_bytes(data[cut:]))) == text


def test_what_does_not_fit_is_not_written_in_part() -> None:
    realm = new_realm()
    source = "a€😀b"
    for size in range(10):
        realm.global_object.set("size", size)
        found = evaluate(realm, f"b = new Uint8Array(size); ({{...new TextEncoder().encodeInto('{source}', b), b}})")
        written = found.get("written")
        text = bytes(found.get("b").view[:written]).decode()
        assert source.startswith(text)
        assert found.get("read") == len(text.encode("utf-16-le")) // 2
        assert len(source[: len(text) + 1].encode()) > size or text == source


# --- Timers ---


def test_timers_run_in_the_order_of_their_times() -> None:
    realm = new_realm()
    evaluate(
        realm,
        "var seen = []; [30, 10, 20, 0, 1, -5, NaN, 2 ** 40].forEach((ms, i) => setTimeout(x => seen.push(x), ms, i))",
    )
    run_all(realm)
    assert evaluate(realm, "seen.join()") == "3,4,5,6,7,1,2,0"


def test_an_interval_ends_when_it_is_cleared_inside() -> None:
    realm = new_realm()
    evaluate(realm, "var n = 0, every = setInterval(function () { if (++n === 3) clearInterval(this) }, 1)")
    run_all(realm)
    assert evaluate(realm, "n") == 3


def test_a_timer_that_throws_goes_on_if_it_repeats() -> None:
    realm = new_realm()
    evaluate(
        realm, "var n = 0, every = setInterval(() => { if (++n < 3) throw new Error('no'); clearInterval(every) }, 1)"
    )
    failures = 0
    while not realm.host.loop.is_stuck:
        try:
            realm.host.loop.run_ready()
            realm.host.loop.wait()
        except JSError:
            failures += 1
    assert (failures, evaluate(realm, "n")) == (2, 3)


@pytest.mark.parametrize(
    "clear", ["clearTimeout(t)", "clearInterval(t)", "clearTimeout(+t)", "clearTimeout(`${+t}`)", "t.close()"]
)
def test_a_cleared_timer_leaves_nothing_to_wait_for(clear: str) -> None:
    realm = new_realm()
    evaluate(realm, f"var t = setTimeout(() => {{ throw 1 }}, 1000); {clear}")
    assert realm.host.loop.is_stuck


def test_numbers_of_timers_that_have_run_are_forgotten() -> None:
    realm = new_realm()
    evaluate(realm, "for (let i = 0; i < 50; i++) +setTimeout(() => {}, 1)")
    run_all(realm)
    kept = realm.hidden("timers by number", lambda: pytest.fail("nobody used a number"))
    assert not kept.properties


def test_immediates_come_before_timers_and_can_be_cleared() -> None:
    realm = new_realm()
    evaluate(
        realm,
        "var seen = []; setTimeout(() => seen.push('t'), 50); setImmediate(x => seen.push(x), 'i'); clearImmediate(setImmediate(() => seen.push('no')))",
    )
    run_all(realm)
    assert evaluate(realm, "seen.join()") == "i,t"


# --- console ---


def test_output_without_a_file_is_lost() -> None:
    realm = new_realm()
    realm.host.system.files.close(1)
    evaluate(realm, "console.log('nobody hears this')")


def test_times_are_those_of_the_programs_clock() -> None:
    out = bytearray()
    now = [0]
    realm = new_realm(ModuleConfig().with_stdout(out).with_nanotime(lambda: now[0]))
    for passed in (1_234_567, 2_500_000_000, 3 * 60_000_000_000 + 4_005_000_000):
        now[0] = 0
        evaluate(realm, "console.time('t')")
        now[0] = passed
        evaluate(realm, "console.timeLog('t', 1); console.timeEnd('t')")
    assert out.decode().splitlines() == [
        "t: 1.235ms 1", "t: 1.235ms", "t: 2.500s 1", "t: 2.500s", "t: 3:04.005 (m:ss.mmm) 1", "t: 3:04.005 (m:ss.mmm)"
    ]  # fmt: skip


def test_unknown_labels_are_warned_of() -> None:
    err = bytearray()
    realm = new_realm(ModuleConfig().with_stderr(err))
    evaluate(realm, "console.timeEnd('a'); console.countReset('b'); console.trace('x')")
    assert err.decode().splitlines() == [
        "Warning: No such label 'a' for console.timeEnd()",
        "Warning: Count for 'b' does not exist",
        "Trace: x",
        "    at <anonymous>",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "a = []; for (let i = 0; i < 3000; i++) a = [a]; console.log('%O', a); console.dir(a, {depth: null})",
        "o = {}; for (let i = 0; i < 2000; i++) o['k' + i] = o; console.log(o)",
        "console.group(); for (let i = 0; i < 2000; i++) console.group(); console.log(1)",
        "console.table(Array(100).fill({a: 1}))",
        "console.log('%s'.repeat(1000), ...Array(1000).fill({}))",
    ],
)
def test_large_values_are_written_or_refused(source: str) -> None:
    realm = new_realm()
    said = ""
    try:
        evaluate(realm, source)
    except JSError as error:
        said = str(error)
    assert said in ("", "RangeError: Maximum call stack size exceeded")


def test_objects_with_many_ways_to_the_same_end() -> None:
    out = bytearray()
    realm = new_realm(ModuleConfig().with_stdout(out))
    evaluate(realm, "a = {}; for (let d = 0; d < 40; d++) a = {l: a, r: a}; console.dir(a, {depth: 12})")
    assert len(out) < 1 << 20


# --- Events ---


def test_listeners_that_throw_stop_no_others() -> None:
    realm = new_realm()
    evaluate(
        realm,
        "var seen = [], t = new EventTarget(); t.addEventListener('x', () => { throw new Error('one') });"
        "t.addEventListener('x', () => seen.push('two')); t.dispatchEvent(new Event('x')); seen.push('after')",
    )
    assert evaluate(realm, "seen.join()") == "two,after"
    with pytest.raises(JSError, match="one"):
        realm.host.loop.run_ready()


def test_a_signal_removes_listeners() -> None:
    realm = new_realm()
    evaluate(
        realm,
        "var n = 0, c = new AbortController, t = new EventTarget; t.addEventListener('x', () => n++, {signal: c.signal});"
        "t.dispatchEvent(new Event('x')); c.abort(); t.dispatchEvent(new Event('x'))",
    )
    assert evaluate(realm, "n") == 1


def test_random_urls_never_break_the_parser() -> None:
    from random import Random

    realm = new_realm()
    parse = evaluate(realm, "(u, b) => { try { return new URL(u, b).href } catch (e) { return e.code } }")
    again = evaluate(realm, "u => new URL(u).href")
    random = Random(7)
    alphabet = [*"abc:/?#[]@\\.%0x1 é|-", "http:", "file:", "//", "..", "%2e", "[::1]", ":80", "C:", "xn--", "\ud800"]
    for _ in range(3000):
        text = "".join(random.choices(alphabet, k=random.randrange(12)))
        found = parse.call(None, (text, random.choice(["http://h/a/b?c", "file:///C:/d", "mailto:x"])))
        assert isinstance(found, str)
        if found != "ERR_INVALID_URL":
            assert again.call(None, (found,)) == found
