"""Flags are read as Go's flag package reads them."""

from __future__ import annotations

from typing import Any

import pytest

from wazero_core.cli.errors import USAGE, CommandError
from wazero_core.cli.flags import FlagParser


def number(text: str) -> int:
    if not text.isdigit():
        raise ValueError(f"no number: {text}")
    return int(text)


def new_parser() -> FlagParser:
    parser = FlagParser("wazero try", "wazero try [flags]", "Try flags.")
    parser.add_switch("fast", text="be quick")
    parser.add_list("env", "K=V", text="set")
    parser.add_value("count", "N", number, 0, text="how many")
    parser.add_switch("env-inherit", text="all")
    return parser


@pytest.mark.parametrize(
    ("arguments", "flags", "rest"),
    [
        ([], {}, []),
        (["x", "-fast"], {}, ["x", "-fast"]),
        (["-fast", "x", "-fast"], {"fast": True}, ["x", "-fast"]),
        (["--fast", "x"], {"fast": True}, ["x"]),
        (["-env", "A=1", "x"], {"env": ["A=1"]}, ["x"]),
        (["-env=A=1", "--env", "B=2", "--env=C=", "x"], {"env": ["A=1", "B=2", "C="]}, ["x"]),
        (["-env", "-A=1", "-env", "--", "x"], {"env": ["-A=1", "--"]}, ["x"]),
        (["-env="], {"env": [""]}, []),
        (["-env", "A=two words", "-env=B=-x y"], {"env": ["A=two words", "B=-x y"]}, []),
        (["-env-inherit"], {"env_inherit": True}, []),
        (["-count", "3", "-count=4"], {"count": 4}, []),
        (["--", "-fast"], {}, ["-fast"]),
        (["-fast", "--", "--", "x"], {"fast": True}, ["--", "x"]),
        (["-", "-fast"], {}, ["-", "-fast"]),
        (["", "-fast"], {}, ["", "-fast"]),
        (["-fast=false", "-fast=T"], {"fast": True}, []),
        (["-fast", "--fast=0"], {}, []),
        (["-h"], {"help": True}, []),
        (["-help"], {"help": True}, []),
        (["--help", "x"], {"help": True}, ["x"]),
    ],
)
def test_flags_and_what_follows_them(arguments: list[str], flags: dict[str, Any], rest: list[str]) -> None:
    defaults = {"help": False, "fast": False, "env": [], "count": 0, "env_inherit": False}
    options, left = new_parser().parse(arguments)
    assert (vars(options), left) == (defaults | flags, rest)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-x"], "flag provided but not defined: -x"),
        (["--fas"], "flag provided but not defined: --fas"),
        (["-hello"], "flag provided but not defined: -hello"),
        (["-fast", "-e=1"], "flag provided but not defined: -e=1"),
        (["---fast"], "flag provided but not defined: ---fast"),
        (["-=1"], "flag provided but not defined: -=1"),
        (["-env"], "flag needs an argument: -env"),
        (["-fast=maybe"], 'invalid boolean value "maybe" for -fast'),
        (["-fast="], 'invalid boolean value "" for -fast'),
        (["-count", "many"], "argument -count: no number: many"),
    ],
)
def test_wrong_flags(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        new_parser().parse(arguments)
    assert caught.value.message == f"error: {message} (`wazero try -h` lists the flags)"
    assert caught.value.status == USAGE


def test_parsing_twice_shares_nothing() -> None:
    parser = new_parser()
    parser.parse(["-env", "A=1"])
    assert parser.parse([])[0].env == []
