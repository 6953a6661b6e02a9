"""A .wast script as a list of commands.

Modules stay as they are written (text, bytes or quoted text); who assembles them is not decided here.

Spec: interpreter/README.md of the specification's repository, section "Scripts".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, TypeAlias, TypeVar, final

from conformance.wast.sexpr import Node, SList, parse
from conformance.wast.values import Expectation, Value, argument, expectation

NodeT = TypeVar("NodeT", bound=Node)


class ScriptError(ValueError):
    """A form that is no command; the message starts with its line."""


class ModuleKind(Enum):
    """How a module is written."""

    TEXT = "text"
    BINARY = "binary"
    QUOTE = "quote"


@final
@dataclass(frozen=True, slots=True)
class ModuleSource:
    """A module as the script spells it: `content` is the text in UTF-8, or the binary itself."""

    kind: ModuleKind
    content: bytes
    name: str | None
    line: int


@final
@dataclass(frozen=True, slots=True)
class Module:
    """Defines a module and, unless it is `(module definition ...)`, instantiates it."""

    line: int
    source: ModuleSource
    definition_only: bool = False


@final
@dataclass(frozen=True, slots=True)
class Instance:
    """`(module instance $name $module)`: instantiates a definition, the latest one where none is named."""

    line: int
    name: str | None
    module: str | None


@final
@dataclass(frozen=True, slots=True)
class Register:
    """Makes an instance importable as `module_name`."""

    line: int
    module_name: str
    instance: str | None


@final
@dataclass(frozen=True, slots=True)
class Invoke:
    """Calls an exported function of an instance, the latest one where none is named; a command or an action."""

    line: int
    instance: str | None
    field: str
    arguments: tuple[Value, ...]


@final
@dataclass(frozen=True, slots=True)
class Get:
    """Reads an exported global; a command or an action."""

    line: int
    instance: str | None
    field: str


Action: TypeAlias = Invoke | Get


@final
@dataclass(frozen=True, slots=True)
class AssertReturn:
    """The action returns these results."""

    line: int
    action: Action
    expected: tuple[Expectation, ...]


@final
@dataclass(frozen=True, slots=True)
class AssertTrap:
    """The action traps."""

    line: int
    action: Action
    message: str


@final
@dataclass(frozen=True, slots=True)
class AssertExhaustion:
    """The action exhausts the stack."""

    line: int
    action: Action
    message: str


@final
@dataclass(frozen=True, slots=True)
class AssertException:
    """The action ends in an exception of the guest that nobody catches."""

    line: int
    action: Action


@final
@dataclass(frozen=True, slots=True)
class AssertMalformed:
    """The module cannot be decoded or parsed; `custom` if only because of a custom section or annotation."""

    line: int
    source: ModuleSource
    message: str
    custom: bool = False


@final
@dataclass(frozen=True, slots=True)
class AssertInvalid:
    """The module does not validate; `custom` as above."""

    line: int
    source: ModuleSource
    message: str
    custom: bool = False


@final
@dataclass(frozen=True, slots=True)
class AssertUnlinkable:
    """The module is valid, but what it imports is missing or of another type."""

    line: int
    source: ModuleSource
    message: str


@final
@dataclass(frozen=True, slots=True)
class AssertUninstantiable:
    """The module links, but its initialization or start function traps: `assert_trap` of a module."""

    line: int
    source: ModuleSource
    message: str


ModuleAssertion: TypeAlias = AssertMalformed | AssertInvalid | AssertUnlinkable | AssertUninstantiable
ActionAssertion: TypeAlias = AssertReturn | AssertTrap | AssertExhaustion | AssertException
Command: TypeAlias = Module | Instance | Register | Invoke | Get | ActionAssertion | ModuleAssertion


@final
@dataclass(frozen=True, slots=True)
class Script:
    """A parsed script; `name` is for reports."""

    name: str
    commands: tuple[Command, ...]

    def sources(self) -> list[ModuleSource]:
        """Every module that the script spells out, in order."""
        return [c.source for c in self.commands if isinstance(c, Module | ModuleAssertion)]


def read_script(path: Path, name: str | None = None) -> Script:
    """The script in a file; `name` stands for it in reports, else its file name.

    Raises:
        SexprError: see `parse`.
        ScriptError: a form that is no command.
    """
    # Bytes, since reading as text would turn carriage returns into newlines.
    return parse_script(path.read_bytes().decode(), name or path.name)


def parse_script(text: str, name: str = "script") -> Script:
    """As `read_script`, from text."""
    return Script(name, _Reader(text).commands())


_DEFINITION: Final = re.compile(r"\bdefinition\b")


@final
class _Reader:
    """Turns the forms of one text into commands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._readers: dict[str, Callable[[SList], Command]] = {
            "module": self._module,
            "register": self._register,
            "invoke": self._action,
            "get": self._action,
            "assert_return": self._assert_return,
            "assert_trap": self._assert_trap,
            "assert_exhaustion": self._assert_exhaustion,
            "assert_exception": lambda form: AssertException(self._line(form), self._action(self._list(form, 1))),
            "assert_malformed": lambda form: AssertMalformed(*self._of_module(form)),
            "assert_malformed_custom": lambda form: AssertMalformed(*self._of_module(form), custom=True),
            "assert_invalid": lambda form: AssertInvalid(*self._of_module(form)),
            "assert_invalid_custom": lambda form: AssertInvalid(*self._of_module(form), custom=True),
            "assert_unlinkable": lambda form: AssertUnlinkable(*self._of_module(form)),
        }

    def commands(self) -> tuple[Command, ...]:
        """The commands; fields of a module that stand by themselves are one module."""
        forms = parse(self._text)
        lists = [form for form in forms if isinstance(form, SList)]
        if len(lists) != len(forms):
            raise ScriptError("an atom or a string outside of every list")
        if lists and all(form.head not in self._readers for form in lists):
            content = f"(module {self._text[lists[0].start : lists[-1].end]})".encode()
            line = self._line(lists[0])
            return (Module(line, ModuleSource(ModuleKind.TEXT, content, None, line)),)
        return tuple(self._command(form) for form in lists)

    def _command(self, form: SList) -> Command:
        reader = self._readers.get(form.head or "")
        if reader is None:
            raise ScriptError(f"line {self._line(form)}: no command: {form.head}")
        try:
            return reader(form)
        except (ValueError, IndexError) as error:
            raise ScriptError(f"line {self._line(form)}: {error}") from error

    def _line(self, form: SList) -> int:
        return bisect_right(self._newlines, form.start) + 1

    def _list(self, form: SList, index: int) -> SList:
        return _expect(form.items[index], SList)

    # --- Modules ---

    def _module(self, form: SList) -> Module | Instance:
        line = self._line(form)
        if form.items[1:2] == ["instance"]:
            names = [_expect(item, str) for item in form.items[2:]]
            return Instance(line, names[0] if names else None, names[1] if len(names) > 1 else None)
        return Module(line, self._source(form), definition_only=form.items[1:2] == ["definition"])

    def _source(self, form: SList) -> ModuleSource:
        if form.head != "module":
            raise ScriptError(f"no module: {form.head}")
        items = form.items[1:]
        text = self._text[form.start : form.end]
        if items[:1] == ["definition"]:
            items = items[1:]
            # The word belongs to scripts: no assembler knows it.
            text = _DEFINITION.sub("", text, count=1)
        name = items.pop(0) if items and isinstance(items[0], str) and items[0].startswith("$") else None
        line = self._line(form)
        if items[:1] == ["binary"]:
            return ModuleSource(ModuleKind.BINARY, _strings(items[1:]), _optional_name(name), line)
        if items[:1] == ["quote"]:
            return ModuleSource(ModuleKind.QUOTE, _strings(items[1:]), _optional_name(name), line)
        return ModuleSource(ModuleKind.TEXT, text.encode(), _optional_name(name), line)

    def _register(self, form: SList) -> Register:
        instance = _expect(form.items[2], str) if len(form.items) > 2 else None
        return Register(self._line(form), _name(form.items[1]), instance)

    # --- Actions and assertions ---

    def _action(self, form: SList) -> Action:
        line, items = self._line(form), form.items[1:]
        instance = items.pop(0) if isinstance(items[0], str) else None
        field = _name(items[0])
        if form.head == "get":
            return Get(line, _optional_name(instance), field)
        if form.head == "invoke":
            return Invoke(line, _optional_name(instance), field, tuple(argument(item) for item in items[1:]))
        raise ScriptError(f"no action: {form.head}")

    def _assert_return(self, form: SList) -> AssertReturn:
        expected = tuple(expectation(item) for item in form.items[2:])
        return AssertReturn(self._line(form), self._action(self._list(form, 1)), expected)

    def _assert_trap(self, form: SList) -> AssertTrap | AssertUninstantiable:
        if self._list(form, 1).head == "module":
            return AssertUninstantiable(*self._of_module(form))
        return AssertTrap(self._line(form), self._action(self._list(form, 1)), _name(form.items[2]))

    def _assert_exhaustion(self, form: SList) -> AssertExhaustion:
        return AssertExhaustion(self._line(form), self._action(self._list(form, 1)), _name(form.items[2]))

    def _of_module(self, form: SList) -> tuple[int, ModuleSource, str]:
        return self._line(form), self._source(self._list(form, 1)), _name(form.items[2])


def _expect(node: Node, kind: type[NodeT]) -> NodeT:
    if not isinstance(node, kind):
        raise ScriptError(f"not what must stand here: {node!r}")
    return node


def _name(node: Node) -> str:
    return _expect(node, bytes).decode()


def _optional_name(node: Node | None) -> str | None:
    return None if node is None else _expect(node, str)


def _strings(nodes: list[Node]) -> bytes:
    return b"".join(_expect(node, bytes) for node in nodes)
