"""No regular expression hangs, crashes or fills the host: what takes long can be ended, what is too much is an error."""

from __future__ import annotations

import signal
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest

from gojs.libraries import load
from wazero_api import DeadlineExceededError, ExitError
from wazero_gojs import Library
from wazero_gojs.builtins import regexp_matcher
from wazero_gojs.builtins.regexp_matcher import find
from wazero_gojs.builtins.regexp_reader import PatternError
from wazero_gojs.builtins.regexp_syntax import MAX_PATTERN, compile_pattern
from wazero_gojs.global_names import GLOBALS
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import JSError, describe
from wazero_gojs.script.evaluate import evaluate


class Interrupted(BaseException):
    """What the host raises when the time is up."""


# --- Matches that take too long ---------------------------------------------------------------------------------------

ENDLESS = [
    "/(a+)+$/.test('a'.repeat(40) + 'b')",
    "/(a+)+?$/.test('a'.repeat(40) + 'b')",
    "/(?:a|(a))*$/.test('a'.repeat(40) + 'b')",
    "/(?:a|aa)+$/.test('a'.repeat(80) + 'b')",
    "/(.*)*x/.test('a'.repeat(40))",
    "/(?:a?){40}a{40}/.test('a'.repeat(39))",
    "/(?=(a+)+$)/.test('a'.repeat(40) + 'b')",
    "/(?!(a+)+$)c|(?!(a+)+$)a/.test('a'.repeat(40) + 'b')",
    "/(?<=^(a+)+)b/.test('c' + 'a'.repeat(40) + 'b')",
    "/(?<!^(a+)+)b/.test('c' + 'a'.repeat(40) + 'b')",
    "/(?:(a+)+\\1)+$/.test('a'.repeat(40) + 'b')",
    r"/(?:\b){1000000000}/.test('a')",
    "/(?:(?:(?:a{0,99}){99}){99}){99}b/.test('a'.repeat(99))",
    "/(a+)+$/i.test('A'.repeat(40) + 'b')",
    "/(😀+)+$/u.test('😀'.repeat(40) + 'b')",
    "/(?:a*){50}$/.test('a'.repeat(50) + 'b')",
    "/.*.*.*.*.*.*x/.test('a'.repeat(200))",
    "/[^]*?[^]*?[^]*?[^]*?[^]*?x/.test('a'.repeat(200))",
    "('a'.repeat(40) + 'b').split(/(a+)+$/)",
    "('a'.repeat(40) + 'b').replace(/(a+)+$/, '')",
    "[...('a'.repeat(40) + 'b').matchAll(/(a+)+$/g)]",
    "('a'.repeat(40) + 'b').search(/(a+)+$/)",
    # Many matches that take no time themselves:
    "'a'.repeat(1e7).replace(/a/g, '')",
    "'a'.repeat(1e7).split(/a/)",
    "'a'.repeat(1e7).match(/a/g)",
    # Much that C code looks at, over and over:
    "/[^]+x/.test('a'.repeat(1e7))",
    "/(a+)\\1x/.test('a'.repeat(1e6))",
    "/([^]*)(?:\\1y)?x/i.test('a'.repeat(1e6))",
    "new RegExp('[ab]*' + 'a'.repeat(2e3) + 'b' + 'a'.repeat(2e3)).test('a'.repeat(2e7))",
]


def interrupted(source: str) -> Realm:
    """Evaluate, in a realm whose time is up soon."""
    realm = Realm(GLOBALS)
    left = 100

    def poll() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise Interrupted

    realm.poll = poll
    with pytest.raises(Interrupted):
        evaluate(realm, source)
    return realm


@pytest.mark.parametrize("source", ENDLESS)
def test_what_takes_long_can_be_interrupted(source: str) -> None:
    realm = interrupted(source)
    realm.poll = lambda: None
    assert evaluate(realm, "/(a)b/.exec('ab')[1]") == "a"


HOSTILE = "new RegExp('(a+)+$').test('a'.repeat(60) + 'b')"


def test_a_deadline_ends_a_match() -> None:
    with load(call_timeout=5) as go, pytest.raises(DeadlineExceededError):
        go.evaluate(HOSTILE)


def test_what_compiling_takes_counts_too() -> None:
    with load(call_timeout=5) as go, pytest.raises(DeadlineExceededError):
        go.evaluate("for (;;) new RegExp('(?:[a-c]x*)+'.repeat(5000) + Math.random())")


@contextmanager
def once_it_matches(act: Callable[[], object]) -> Iterator[dict[str, Callable[[], object]]]:
    """Globals for a program, which calls the first one before it starts to match: then `act` is called elsewhere."""
    started = threading.Event()

    def wait() -> None:
        assert started.wait(60)
        time.sleep(0.05)  # the match has begun by then, or else it is as good to end before that
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield {"started": started.set}
    finally:
        started.set()
        thread.join(60)
    assert not thread.is_alive()


def test_another_thread_can_end_a_match() -> None:
    loaded: list[Library] = []

    def close() -> None:
        loaded[0].close()  # it is not loaded yet when this is handed over

    with once_it_matches(close) as globals_, load(globals_) as go:
        loaded.append(go)
        with pytest.raises(ExitError):
            go.evaluate(f"started(); {HOSTILE}")


def test_ctrl_c_ends_a_match() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with (
            once_it_matches(lambda: signal.raise_signal(signal.SIGINT)) as globals_,
            load(globals_) as go,
            pytest.raises(KeyboardInterrupt),
        ):
            go.evaluate(f"started(); {HOSTILE}")
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_is_too_much_can_be_caught() -> None:
    with load() as go:
        script = "try { /(?:(a)|b)*$/.test('a'.repeat(1e6)) } catch (error) { String(error) }"
        assert go.evaluate(script) == "RangeError: Maximum call stack size exceeded"
        assert go.evaluate("/a/.test('a')") is True


# --- Matches that take much memory ------------------------------------------------------------------------------------

GREEDY = [
    "/(?:(a)|b)*$/.test('a'.repeat(1e5))",
    "/(?:a|aa)*$/.test('a'.repeat(2e5))",
    "/(?:(?=(a)).)*$/.test('a'.repeat(1e5))",
    "/(?:(?:a){1,2})*$/.test('a'.repeat(1e5))",
    f"/(?:{'()' * 30_000}a)*$/.test('a'.repeat(1e5))",
]
SMALLER = 16
"""How many times: counting memory takes long."""


@pytest.mark.parametrize("source", GREEDY, ids=lambda source: source[:30])
def test_the_stack_is_bounded(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexp_matcher, "_MAX_STACK", regexp_matcher._MAX_STACK // SMALLER)
    realm = Realm(GLOBALS)
    tracemalloc.start()
    try:
        with pytest.raises(JSError) as caught:
            evaluate(realm, source)
        assert tracemalloc.get_traced_memory()[1] < (250 << 20) // SMALLER + (40 << 20)
    finally:
        tracemalloc.stop()
    assert describe(realm.thrown(caught.value)) == "RangeError: Maximum call stack size exceeded"


def test_long_texts_are_matched() -> None:
    realm = Realm(GLOBALS)
    evaluate(realm, "var text = 'ab,\"c\\\\n\" '.repeat(20000)")
    assert evaluate(realm, r"""/^(?:[a-z]+,"(?:[^"\\]|\\.)*" )*$/.test(text)""") is True
    assert evaluate(realm, r"/^(?:a|b|,|.)*$/.test(text)") is True
    assert evaluate(realm, r"/^[^]*?$/.test(text)") is True


def steps(source: str, flags: str, text: str) -> int:
    """About how many steps it takes to find all matches."""
    program = compile_pattern(source, flags, bool)
    polls = position = 0

    def poll() -> None:
        nonlocal polls
        polls += 1

    while (found := find(program, text, position, False, poll)) is not None:
        position = found[1] + (found[1] == found[0])
    return polls


LINEAR = [
    (r"(?:a|b)*c", "ab", "c"),
    (r"\"(?:[^\"\\]|\\.)*\"", "ab", '"'),
    (r"(a+b+)+$", "aabb", ""),
    (r"(?:ab)*?$", "ab", ""),
    (r"^(?:[^,]*,)*[^,]*$", "ab,", ""),
    (r"^(?:(\w)(?=.))*.$", "ab", ""),
    (r"^[^]*?c$", "ab", "c"),
    (r"^(a|(b))+$", "ab", ""),
    (r"^(?:ab){2,}$", "ab", ""),
    (r"^\w*c", "ab", "d"),
]


@pytest.mark.parametrize(("source", "part", "end"), LINEAR)
def test_what_is_linear_stays_linear(source: str, part: str, end: str) -> None:
    few, many = (steps(source, "", part * count + end) for count in (10_000, 40_000))
    assert many <= 5 * few + 5


@pytest.mark.parametrize(
    ("source", "unit"),
    [("x[^>]*?y", "x--y "), ("<.*?>", "<a> b\n"), ("[^,]*?,", "ab,"), ("x[^]*?y", "x y "), (r"(\w+) ", "ab ")],
)
def test_many_matches_take_time_for_each(source: str, unit: str) -> None:
    """However long the text is that follows: what finds a match looks at no more of it than a few of its lengths."""
    began = time.monotonic()
    realm = Realm(GLOBALS)
    evaluate(realm, f"var text = {unit!r}.repeat(100000)")
    assert evaluate(realm, f"text.match(/{source}/g).length") == 100_000
    assert time.monotonic() - began < 60


# --- Patterns that are too large --------------------------------------------------------------------------------------

TOO_LARGE = {
    "long": "a" * (MAX_PATTERN + 1),
    "deep": "(" * 2_000 + ")" * 2_000,
    "groups that capture nothing": "(?:" * 5_000 + "a" + ")" * 5_000,
    "lookarounds": "(?=" * 5_000 + "a" + ")" * 5_000,
    "sets": "".join(rf"[^\p{{L}}{chr(0xE000 + i)}]" for i in range(2_000)),
    "classes": "[" * 1_000 + "a" + "]" * 1_000,
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_large_patterns_are_refused(name: str) -> None:
    with pytest.raises(PatternError, match="Regular expression too large"):
        compile_pattern(TOO_LARGE[name], "v" if name == "classes" else "u", bool)


def test_deep_and_long_patterns_are_fine() -> None:
    long = {
        "(" * 900 + "a" + ")" * 900: "ba",
        "(?:" * 900 + "a" + ")*" * 900 + "b": "xaab",
        "a" * 100_000: "b" + "a" * 100_000,
        "|".join(["ab"] * 30_000): "xab",
    }
    for source, text in long.items():
        assert find(compile_pattern(source, "", bool), text, 0, False, bool) is not None


COSTLY = [
    "[" * 60_000, "(?<" * 20_000, "(?<n" * 16_000, r"[\W]" * 16_000, r"\p{L}" * 13_000, r"\S" * 30_000, r"\1" * 30_000,
    "(" * 900 + "a|" * 60_000 + ")" * 900, "a{2}" * 30_000, "(?:a*)*" * 15_000, r"[^\p{L}]" * 15_000, r"(?<a>)\k<b>" * 10_000,
    "".join(f"[{chr(0x4E00 + i)}a]" for i in range(15_000)),
]  # fmt: skip


@pytest.mark.parametrize("source", COSTLY, ids=lambda source: source[:12])
def test_no_pattern_takes_long_to_compile(source: str) -> None:
    began = time.monotonic()
    tracemalloc.start()
    try:
        for flags in ("", "i", "iu"):
            try:
                compile_pattern(source, flags, bool)
            except PatternError:
                pass
        assert tracemalloc.get_traced_memory()[1] < 250 << 20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 60


def test_compiling_can_be_interrupted() -> None:
    def poll() -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        compile_pattern("[a-c]x*" * 10_000, "", poll)


def test_templates_of_replacements_are_read_once() -> None:
    realm = Realm(GLOBALS)
    began = time.monotonic()
    assert evaluate(realm, "'a'.replace(/(?<n>a)/, '$<'.repeat(1e5)).length") == 200_000
    assert evaluate(realm, "'a'.replace(/(?<n>a)/, '$<n>$<'.repeat(1e4) + '>')") == "a"
    assert time.monotonic() - began < 60


def test_random_patterns_are_compiled_or_refused() -> None:
    random = Random(5)
    alphabet = [
        *"abc()[]{}*+?|^$.\\-,1:=!<>&", r"\d", r"\b", r"\1", "(?:", "(?<n>", r"\k<n>", r"\u{1f600}", "[^", "{2,3}", r"\p{L}",
        "(?<=", r"\q{a|bc}", "--", "&&", "\ud83d", "\ude00",
    ]  # fmt: skip
    compiled = 0
    complaints: set[str] = set()
    for _ in range(6000):
        source = "".join(random.choices(alphabet, k=random.randrange(1, 10)))
        try:
            program = compile_pattern(source, random.choice(["", "u", "i", "ms", "v", "iv"]), bool)
            find(program, "aab-1c😀", 0, False, bool)
            compiled += 1
        except PatternError as error:
            complaints.add(str(error))
    assert compiled > 500
    assert {"Nothing to repeat", "Unterminated group", "Unmatched ')'"} <= complaints
