"""Flags as Go programs take them, so that command lines written for wazero work here.

They end at the first argument that is none, or after ``--``. One dash or two make no difference, nor do ``-name=value``
and ``-name value``; the value may begin with a dash. argparse, which reads all this differently, gets each flag as one
word, knows the types, and writes the help:

    --env A=1 -interpreter prog.wasm -x  =>  -env=A=1 -interpreter  and  prog.wasm -x
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn, final

from .errors import USAGE, CommandError

_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
"""What Go takes for a boolean."""


@final
class FlagParser(argparse.ArgumentParser):
    """The flags of a command. Every command has ``-h``, as the attribute `help` of what `parse` returns."""

    def __init__(self, name: str, usage: str, description: str, epilog: str = "") -> None:
        super().__init__(
            prog=name,
            usage=usage,
            description=description,
            epilog=epilog,
            add_help=False,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._takes_value: dict[str, bool] = {}
        self.add_switch("h", "help", text="print this help")

    def add_switch(self, *names: str, text: str) -> None:
        """A flag that is there or not. Its attribute is named for the last name."""
        self._takes_value.update(dict.fromkeys(names, False))
        options = [f"-{name}" for name in names]
        self.add_argument(*options, action="store_true", dest=_attribute(names[-1]), help=text)

    def add_value(self, name: str, metavar: str, type: Callable[[str], Any], default: Any, *, text: str) -> None:
        """A flag with a value, of which the last counts. `type` raises argparse.ArgumentTypeError."""
        self._takes_value[name] = True
        self.add_argument(
            f"-{name}",
            metavar=metavar,
            type=lambda value: type(_unquoted(value)),
            default=default,
            dest=_attribute(name),
            help=text,
        )

    def add_list(self, name: str, metavar: str, *, text: str) -> None:
        """A flag with a value that may be given many times; the attribute is a list of str."""
        self._takes_value[name] = True
        dest = _attribute(name)
        self.add_argument(
            f"-{name}", metavar=metavar, action="append", type=_unquoted, default=[], dest=dest, help=text
        )

    def parse(self, arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
        """The values of the flags, and the arguments after them. Raises CommandError."""
        words, count = self._words(arguments)
        return self.parse_args(words), list(arguments[count:])

    def error(self, message: str) -> NoReturn:
        """Called by argparse."""
        raise _misuse(self.prog, message)

    def _words(self, arguments: Sequence[str]) -> tuple[list[str], int]:
        """Each flag as one word that argparse takes, and how many arguments that used up."""
        words: list[str] = []
        rest = iter(arguments)
        count = 0
        for argument in rest:
            if argument == "-" or not argument.startswith("-"):
                break
            count += 1
            if argument == "--":
                break
            name, equals, value = argument.removeprefix("-").removeprefix("-").partition("=")
            if name not in self._takes_value:
                raise _misuse(self.prog, f"flag provided but not defined: {argument}")
            if not self._takes_value[name]:
                words = self._switched(words, name, value if equals else "true")
                continue
            if not equals:
                value = self._next_value(rest, name)
                count += 1
            words.append(f"-{name}={_quoted(value)}")
        return words, count

    def _next_value(self, rest: Any, name: str) -> str:
        for value in rest:
            return str(value)
        raise _misuse(self.prog, f"flag needs an argument: -{name}")

    def _switched(self, words: list[str], name: str, value: str) -> list[str]:
        is_on = _BOOLEANS.get(value)
        if is_on is None:
            raise _misuse(self.prog, f'invalid boolean value "{value}" for -{name}')
        return [*words, f"-{name}"] if is_on else [word for word in words if word != f"-{name}"]


def _attribute(name: str) -> str:
    return name.replace("-", "_")


def _quoted(value: str) -> str:
    """As a value that argparse leaves alone; some of its versions remove one that is ``--``."""
    return f"={value}"


def _unquoted(value: str) -> str:
    return value[1:]


def _misuse(prog: str, message: str) -> CommandError:
    return CommandError(f"error: {message} (`{prog} -h` lists the flags)", USAGE)
