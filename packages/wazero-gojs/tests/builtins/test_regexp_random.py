"""Random patterns match what they match in Node and, those that mean the same there, in Python's `re`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wazero_gojs.global_names import GLOBALS
from wazero_gojs.model import utf16
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import UNDEFINED, JSError

NODE = shutil.which("node")
SCRIPT = Path(__file__).parent / "match_patterns.js"
BATCH = 500
SEEDS = st.integers(0, 2**32)

Case = tuple[str, str, str]
"""A pattern, flags and a text."""


class Slow(Exception):
    """A pattern that takes too many steps to wait for."""


def find(case: Case) -> Any:
    """As match_patterns.js tells it."""
    source, flags, text = case
    realm = Realm(GLOBALS)
    polls = iter(range(100))

    def poll() -> None:
        if next(polls, None) is None:
            raise Slow

    realm.poll = poll
    try:
        regexp = realm.intrinsic("RegExp").construct((source, flags))
        match = regexp.get("exec").call(regexp, (text,))
    except JSError as error:
        return realm.thrown(error).get("message").rpartition(": ")[2]
    except Slow:
        return Slow
    return match and [match.get("index"), [None if part is UNDEFINED else part for part in match.items]]


# --- Patterns ---------------------------------------------------------------------------------------------------------

LETTERS = [*"aabbc", "A", "1", "\n"]
ATOMS = [*LETTERS, ".", "[ab]", "[^a]", "[a-c]", r"\w", r"\d", r"\s", r"\W", "[]", r"[\s\S]", r"[^\W1]"]
ASSERTIONS = ["^", "$", r"\b", r"\B"]
WIDE = ["é", "É", "\u017f", "\u212a", "ß", "ẞ", "Σ", "ς", "\u2028"]
ASTRAL = ["😀", r"\ud83d", r"\ude00", "[😀]", "[^😀]"]
QUANTIFIERS = ["*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}", "{0}"]


class Maker:
    """Makes patterns. `groups` are those it has made."""

    def __init__(self, random: Random, atoms: list[str]) -> None:
        self.random = random
        self.atoms = atoms
        self.groups = 0

    def pattern(self, depth: int = 3) -> str:
        count = self.random.choice((1, 1, 1, 2, 3))
        return "|".join(self.sequence(depth) for _ in range(count))

    def sequence(self, depth: int) -> str:
        return "".join(self.term(depth) for _ in range(self.random.randrange(4)))

    def term(self, depth: int) -> str:
        random = self.random
        choice = random.random()
        if choice < 0.08:
            return random.choice(ASSERTIONS)
        if choice < 0.16 and depth:
            return f"({random.choice(('?=', '?!', '?<=', '?<!'))}{self.pattern(depth - 1)})"
        if choice < 0.24 and self.groups:
            return rf"(?:\{random.randint(1, min(self.groups + 1, 9))})"
        if choice < 0.5 and depth:
            self.groups += 1
            term = f"({self.pattern(depth - 1)})"
        elif choice < 0.6 and depth:
            term = f"(?:{self.pattern(depth - 1)})"
        else:
            term = random.choice(self.atoms)
        if random.random() < 0.45:
            term += random.choice(QUANTIFIERS) + random.choice(("", "?"))
        return term


def case(random: Random) -> Case:
    atoms, letters = ATOMS, LETTERS
    if random.random() < 0.4:
        atoms, letters = [*ATOMS, *WIDE], [*LETTERS, *WIDE]
    flags = "".join(flag for flag in "ims" if random.random() < 0.3) + random.choice(("", "", "u"))
    if random.random() < 0.2:
        atoms, letters = [*atoms, *ASTRAL], [*letters, "😀", "\ud83d", "\ude00"]
    source = utf16.joined(Maker(random, atoms).pattern())
    text = utf16.joined("".join(random.choices(letters, k=random.randrange(9))))
    if "u" in flags and not text.isascii():
        # In the middle of a character V8 finds what matches without taking any; there is no such place.
        text = utf16.well_formed(text).replace("😀", "é")
    return source, flags, text


TOKENS = [
    *"aabc()[]{}*+?|^$.\\-,1:=!<>/&", "(?:", "(?<n>", "(?<m>", "(?<=", "(?!", r"\k<n>", r"\k", r"\u{1f600}", r"\u00e9", r"\u00",
    r"\ud83d", r"\x41", r"\x4", r"\cA", r"\c", r"\0", r"\08", r"\8", r"\12", r"\b", r"\d", r"\1", r"\-", r"\a", "[^", "[a-",
    r"[\d-", "{2,3}", "{2", "{,2}", r"\p{L}", r"\p{", r"\P{Foo}", "😀", "é",
]  # fmt: skip


def syntax_case(random: Random) -> Case:
    """Mostly no pattern at all."""
    source = "".join(random.choices(TOKENS, k=random.randrange(1, 9)))
    if random.random() < 0.5:
        source += ")" * (source.count("(") - source.count(")"))
    return source, random.choice(("", "u", "i")), "aab1"


def differences(cases: list[Case], expected: list[Any]) -> str:
    """The shortest of what is not as expected."""
    wrong = [
        (case, wanted, ours) for case, wanted in zip(cases, expected, strict=True) if (ours := find(case)) != wanted
    ]
    wrong = [row for row in wrong if row[2] is not Slow]
    return "\n".join(map(ascii, sorted(wrong, key=lambda row: len(row[0][0]))[:3]))


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("make", [case, syntax_case])
@given(seed=SEEDS)
@settings(max_examples=5, deadline=None)
def test_patterns_match_what_they_match_in_node(make: Any, seed: int) -> None:
    random = Random(seed)
    cases = [make(random) for _ in range(BATCH)]
    asked = subprocess.run(
        [str(NODE), str(SCRIPT)], input=json.dumps(cases), capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert not differences(cases, json.loads(asked.stdout))


class PlainMaker(Maker):
    """Makes patterns that mean the same in Python: no group, and nothing that may be empty, is repeated."""

    def term(self, depth: int) -> str:
        random = self.random
        choice = random.random()
        if choice < 0.1:
            return random.choice(["^", r"\b", r"(?=[ab])", "(?!a)"])
        if choice < 0.3 and depth:
            self.groups += 1
            return f"({self.pattern(depth - 1)})"
        term = "(?:aa|a|bc)" if choice < 0.4 else random.choice(self.atoms)
        return term + random.choice(["", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{2,}?"])


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_plain_patterns_match_what_they_match_in_python(seed: int) -> None:
    random = Random(seed)
    for _ in range(50):
        source = PlainMaker(random, [*"aabbc1", "[ab]", "[^a]", r"\w", r"\d", r"[\s\S]"]).pattern()
        text = "".join(random.choices("aabbc1 ", k=random.randrange(40)))
        wanted = re.search(source, text, re.ASCII)
        expected = wanted and [wanted.start(), [wanted[0], *wanted.groups()]]
        assert find((source, "", text)) == expected, (source, text)
