"""console: text to the program's standard output and error, as Node writes it."""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.model.object import Args, Native, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    is_object,
    number_to_string,
    to_boolean,
    to_number,
    to_string,
)

from .format import format_all
from .inspect import inspect
from .text import to_utf8

_STDOUT: Final = 1
_STDERR: Final = 2
_MILLISECOND: Final = 1_000_000
_STREAMS: Final = {"log": _STDOUT, "info": _STDOUT, "debug": _STDOUT, "error": _STDERR, "warn": _STDERR}
_MAX_INDENT: Final = 1000


class _Console:
    """What one console remembers."""

    def __init__(self) -> None:
        self.indent = ""
        self.counts: dict[str, int] = {}
        self.timers: dict[str, int] = {}

    def write(self, realm: Realm, stream: int, text: str) -> None:
        """Write lines, indented as groups have it."""
        if self.indent:
            text = self.indent + text.replace("\n", f"\n{self.indent}")
        write_to(realm, stream, f"{text}\n")


def make(realm: Realm, name: str) -> Any:
    """The global console."""
    console = _Console()
    table = Table()
    table.constant(SYMBOL_TO_STRING_TAG, "console", 4)
    for method, stream in _STREAMS.items():
        table.method(method)(_writer(console, stream))
    table.method("dirxml")(_writer(console, _STDOUT))
    _add_reports(table, console)
    _add_groups(table, console)
    _add_counts(table, console)
    _add_timers(table, console)
    return realm.new_namespace(table, "console")


def write_to(realm: Realm, stream: int, text: str) -> None:
    """Write to standard output or error; that it fails, or is closed, changes nothing for the program."""
    system = realm.host.system
    entry = system.files.get(stream)
    if entry is None:
        return
    data = memoryview(to_utf8(text))
    try:
        while data:
            data = data[system.write(entry, data) :]
    except OSError:
        pass


def _writer(console: _Console, stream: int) -> Native:
    def write(realm: Realm, this: Any, args: Args) -> Any:
        console.write(realm, stream, format_all(realm, args))
        return UNDEFINED

    return write


def _label(args: Args) -> str:
    label = argument(args, 0)
    return "default" if label is UNDEFINED else to_string(label)


def _add_reports(table: Table, console: _Console) -> None:
    @table.method("trace")
    def trace(realm: Realm, this: Any, args: Args) -> Any:
        said = format_all(realm, args)
        console.write(realm, _STDERR, f"Trace{': ' * bool(said)}{said}\n    at <anonymous>")
        return UNDEFINED

    @table.method("assert")
    def assert_(realm: Realm, this: Any, args: Args) -> Any:
        if not to_boolean(argument(args, 0)):
            rest = list(args[1:]) or [""]
            rest[0] = f"Assertion failed{': ' * (len(args) > 1)}{to_string(rest[0])}"
            console.write(realm, _STDERR, format_all(realm, rest))
        return UNDEFINED

    @table.method("dir")
    def dir_(realm: Realm, this: Any, args: Args) -> Any:
        options = argument(args, 1)
        depth: Any = options.get("depth") if is_object(options) else UNDEFINED
        depth = 2 if depth is UNDEFINED else float("inf") if depth is None else to_number(depth)
        hidden = is_object(options) and to_boolean(options.get("showHidden"))
        console.write(realm, _STDOUT, inspect(realm, argument(args, 0), depth, hidden))
        return UNDEFINED

    @table.method("table")
    def table_(realm: Realm, this: Any, args: Args) -> Any:
        from .console_table import draw

        data = argument(args, 0)
        text = draw(realm, data, argument(args, 1)) if is_object(data) else format_all(realm, (data,))
        console.write(realm, _STDOUT, text)
        return UNDEFINED


def _add_groups(table: Table, console: _Console) -> None:
    def group(realm: Realm, this: Any, args: Args) -> Any:
        if args:
            console.write(realm, _STDOUT, format_all(realm, args))
        console.indent = (console.indent + "  ")[:_MAX_INDENT]
        return UNDEFINED

    table.method("group")(group)
    table.method("groupCollapsed")(group)

    @table.method("groupEnd")
    def group_end(realm: Realm, this: Any, args: Args) -> Any:
        console.indent = console.indent[2:]
        return UNDEFINED


def _add_counts(table: Table, console: _Console) -> None:
    @table.method("count")
    def count(realm: Realm, this: Any, args: Args) -> Any:
        label = _label(args)
        console.counts[label] = console.counts.get(label, 0) + 1
        console.write(realm, _STDOUT, f"{label}: {console.counts[label]}")
        return UNDEFINED

    @table.method("countReset")
    def count_reset(realm: Realm, this: Any, args: Args) -> Any:
        if console.counts.pop(_label(args), None) is None:
            console.write(realm, _STDERR, f"Warning: Count for '{_label(args)}' does not exist")
        return UNDEFINED


def _add_timers(table: Table, console: _Console) -> None:
    @table.method("time")
    def time(realm: Realm, this: Any, args: Args) -> Any:
        label = _label(args)
        if label in console.timers:
            console.write(realm, _STDERR, f"Warning: Label '{label}' already exists for console.time()")
        else:
            console.timers[label] = realm.host.system.nanotime()
        return UNDEFINED

    def report(realm: Realm, args: Args, method: str) -> str | None:
        label = _label(args)
        start = console.timers.get(label)
        if start is None:
            console.write(realm, _STDERR, f"Warning: No such label '{label}' for console.{method}()")
            return None
        passed = _duration((realm.host.system.nanotime() - start) / _MILLISECOND)
        rest = format_all(realm, args[1:])
        console.write(realm, _STDOUT, f"{label}: {passed}{' ' * bool(rest)}{rest}")
        return label

    @table.method("timeEnd")
    def time_end(realm: Realm, this: Any, args: Args) -> Any:
        label = report(realm, args, "timeEnd")
        if label is not None:
            console.timers.pop(label, None)
        return UNDEFINED

    @table.method("timeLog")
    def time_log(realm: Realm, this: Any, args: Args) -> Any:
        report(realm, args, "timeLog")
        return UNDEFINED


def _duration(milliseconds: float) -> str:
    if milliseconds >= 60_000:
        minutes, seconds = divmod(milliseconds / 1000, 60)
        return f"{int(minutes)}:{seconds:06.3f} (m:ss.mmm)"
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.3f}s"
    return f"{number_to_string(round(milliseconds, 3))}ms"
