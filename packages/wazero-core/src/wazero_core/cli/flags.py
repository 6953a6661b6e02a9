"""Flags as Go programs take them, so that command lines written for wazero work here.

They end at the first argument that is none, or after ``--``. One dash or two make no difference, nor do ``-name=value``
and ``-name value``; the value may begin with a dash. argparse reads all this differently, and takes longer to import
than a small program to run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, final

from .errors import USAGE, CommandError

_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
"""What Go takes for a boolean."""

_MAX_COLUMN: Final = 24
"""Where help texts start at most, however long the flags are."""


class _Flag(NamedTuple):
    attribute: str
    read: Callable[[str], Any] | None
    """From the text to the value; None for a flag that is there or not."""
    default: Any
    is_list: bool


@final
class FlagParser:
    """The flags of a command. Every command has ``-h``, as the attribute `help` of what `parse` returns."""

    def __init__(self, name: str, usage: str, description: str, epilog: str = "") -> None:
        self._name = name
        self._usage = usage
        self._description = description
        self._epilog = epilog
        self._flags: dict[str, _Flag] = {}
        self._help: list[tuple[str, str]] = []
        self.add_switch("h", "help", text="print this help")

    def add_switch(self, *names: str, text: str) -> None:
        """A flag that is there or not. Its attribute is named for the last name."""
        self._flags.update(dict.fromkeys(names, _Flag(_attribute(names[-1]), None, False, is_list=False)))
        self._help.append((", ".join(f"-{name}" for name in names), text))

    def add_value(self, name: str, metavar: str, read: Callable[[str], Any], default: Any, *, text: str) -> None:
        """A flag with a value, of which the last counts. `read` makes the value of its text, or raises ValueError."""
        self._flags[name] = _Flag(_attribute(name), read, default, is_list=False)
        self._help.append((f"-{name} {metavar}", text))

    def add_list(self, name: str, metavar: str, *, text: str) -> None:
        """A flag with a value that may be given many times; the attribute is a list of str."""
        self._flags[name] = _Flag(_attribute(name), str, (), is_list=True)
        self._help.append((f"-{name} {metavar}", text))

    def parse(self, arguments: Sequence[str]) -> tuple[SimpleNamespace, list[str]]:
        """The values of the flags, and the arguments after them. Raises CommandError."""
        values = {flag.attribute: [] if flag.is_list else flag.default for flag in self._flags.values()}
        position = 0
        while position < len(arguments):
            argument = arguments[position]
            if argument == "-" or not argument.startswith("-"):
                break
            position += 1
            if argument == "--":
                break
            name, equals, text = argument.removeprefix("-").removeprefix("-").partition("=")
            flag = self._flags.get(name)
            if flag is None:
                raise self._misuse(f"flag provided but not defined: {argument}")
            if flag.read is None:
                text = text if equals else "true"
            elif not equals:
                if position == len(arguments):
                    raise self._misuse(f"flag needs an argument: -{name}")
                text = arguments[position]
                position += 1
            value = self._read(name, flag, text)
            values[flag.attribute] = [*values[flag.attribute], value] if flag.is_list else value
        return SimpleNamespace(**values), list(arguments[position:])

    def _read(self, name: str, flag: _Flag, text: str) -> Any:
        if flag.read is None:
            if text not in _BOOLEANS:
                raise self._misuse(f'invalid boolean value "{text}" for -{name}')
            return _BOOLEANS[text]
        try:
            return flag.read(text)
        except ValueError as error:
            raise self._misuse(f"argument -{name}: {error}") from None

    def _misuse(self, message: str) -> CommandError:
        return CommandError(f"error: {message} (`{self._name} -h` lists the flags)", USAGE)

    def format_help(self) -> str:
        """What ``-h`` prints, as wide as the terminal."""
        parts = [f"usage: {self._usage}", self._description, "options:\n" + "\n".join(self._help_lines()), self._epilog]
        return "\n\n".join(filter(None, parts)) + "\n"

    def _help_lines(self) -> list[str]:
        from shutil import get_terminal_size
        from textwrap import wrap

        column = min(max(len(option) for option, _ in self._help) + 4, _MAX_COLUMN)
        width = max(get_terminal_size().columns - column - 2, _MAX_COLUMN)
        lines = []
        for option, text in self._help:
            first, *rest = wrap(text, width)
            if len(option) + 4 > column:
                lines.append(f"  {option}")
                lines.append(" " * column + first)
            else:
                lines.append(f"  {option:{column - 2}}{first}")
            lines.extend(" " * column + line for line in rest)
        return lines


def add_engine_flags(parser: FlagParser) -> None:
    """Flags of all commands that compile."""
    text = (
        "keep compiled code in this directory, and take from it what is there; only you should be able to write to it"
    )
    parser.add_value("cachedir", "DIR", str, "", text=text)
    parser.add_switch("interpreter", text="use the portable engine even where machine code could be run")


def _attribute(name: str) -> str:
    return name.replace("-", "_")
