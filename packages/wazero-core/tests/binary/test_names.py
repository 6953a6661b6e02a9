"""The name section: read as far as it is sound, never a reason to refuse a module."""

from __future__ import annotations

import pytest

from fuzz.binary import PREAMBLE, leb, name, section, vec
from wazero_api import Names
from wazero_core.binary import decode_module


def names_of(content: bytes) -> Names:
    return decode_module(PREAMBLE + section(0, name("name") + content)).names


def name_map(entries: dict[int, str]) -> bytes:
    return vec(leb(index) + name(text) for index, text in entries.items())


MODULE = section(0, name("me"))
FUNCTIONS = section(1, name_map({0: "first", 7: "héllo"}))
LOCALS = section(2, vec([leb(7) + name_map({0: "x", 1: "y"}), leb(8) + name_map({})]))


def test_all_there_is() -> None:
    names = names_of(MODULE + FUNCTIONS + LOCALS)
    assert names == Names("me", {0: "first", 7: "héllo"}, {7: {0: "x", 1: "y"}, 8: {}})


def test_unknown_subsections_are_skipped() -> None:
    assert names_of(section(9, b"\xff\xff") + FUNCTIONS).functions == {0: "first", 7: "héllo"}


def test_no_section() -> None:
    assert decode_module(PREAMBLE).names == Names()


@pytest.mark.parametrize(
    ("content", "module", "functions"),
    [
        pytest.param(MODULE + b"\1", "me", {}, id="cut after a kind"),
        pytest.param(MODULE + FUNCTIONS[:-3], "me", {}, id="cut in a name"),
        pytest.param(section(0, b"\2\xff\xfe") + FUNCTIONS, None, {}, id="not UTF-8"),
        pytest.param(MODULE + section(1, b"\xff\xff\xff\xff\x0f"), "me", {}, id="huge count"),
        pytest.param(
            MODULE + b"\1\xff\xff\xff\xff\x0f" + name_map({1: "f"}), "me", {1: "f"}, id="subsection past the end"
        ),
        pytest.param(MODULE + b"\x80" * 9, "me", {}, id="long number"),
        pytest.param(b"", None, {}, id="empty"),
    ],
)
def test_broken_ones_are_read_up_to_the_fault(content: bytes, module: str | None, functions: dict[int, str]) -> None:
    names = names_of(content)
    assert names.module == module
    assert names.functions == functions


def test_the_last_of_two_names_counts() -> None:
    assert names_of(section(1, vec([leb(0) + name("a"), leb(0) + name("b")]))).functions == {0: "b"}


def test_names_are_no_custom_section() -> None:
    assert decode_module(PREAMBLE + section(0, name("name") + MODULE)).custom_sections == ()
