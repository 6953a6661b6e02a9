"""Executes scripts against an `Embedder` and says of every command how it went.

A command never stops the script: what follows a module that failed fails for that reason, what follows one that needs
a feature which the runtime does not have needs that feature too, and both are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final, Generic, final

from conformance.embedder import (
    Embedder,
    Exhausted,
    InstanceT,
    Invalid,
    Malformed,
    Trapped,
    UncaughtException,
    Unlinkable,
)
from conformance.wast.assemble import Assembled, Assembly
from conformance.wast.imports import imported_modules
from conformance.wast.script import (
    Action,
    AssertException,
    AssertExhaustion,
    AssertInvalid,
    AssertMalformed,
    AssertReturn,
    AssertTrap,
    AssertUninstantiable,
    AssertUnlinkable,
    Command,
    Get,
    Instance,
    Invoke,
    Module,
    ModuleSource,
    Register,
    Script,
)
from conformance.wast.values import Value, matches


class Status(Enum):
    """How a command went; the first two are those that ran."""

    PASSED = "passed"
    FAILED = "failed"
    OUT_OF_SCOPE = "out of scope"
    NEEDS_FEATURE = "needs feature"


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    """One command's result; `reason` is empty where it passed."""

    command: Command
    status: Status
    reason: str


@final
@dataclass(frozen=True)
class Report:
    """The outcomes of a script's commands, in order."""

    script: str
    outcomes: tuple[Outcome, ...]

    @cached_property
    def counts(self) -> Counter[Status]:
        """How many commands ended how; counters of several reports add up with `+`."""
        return Counter(outcome.status for outcome in self.outcomes)

    @property
    def ran(self) -> int:
        return self.counts[Status.PASSED] + self.counts[Status.FAILED]

    def reasons(self, status: Status) -> Counter[str]:
        """How often each reason was given for a status, such as "needs gc" for `NEEDS_FEATURE`."""
        return Counter(outcome.reason for outcome in self.outcomes if outcome.status is status)

    def failures(self) -> list[str]:
        """One line `file:line: command: reason` for each failure."""
        return [
            f"{self.script}:{outcome.command.line}: {type(outcome.command).__name__}: {outcome.reason}"
            for outcome in self.outcomes
            if outcome.status is Status.FAILED
        ]

    def summary(self) -> str:
        """One line with all counts."""
        counted = ", ".join(f"{self.counts[status]} {status.value}" for status in Status)
        return f"{self.script}: {len(self.outcomes)} commands, {self.ran} ran: {counted}"


def run_script(script: Script, assembly: Assembly, embedder: Embedder[InstanceT]) -> Report:
    """Execute all commands of a script in a fresh embedder."""
    run = _Run(assembly, embedder)
    return Report(script.name, tuple(run.outcome(command) for command in script.commands))


@final
class _Ended(Exception):
    """A command's end other than having passed."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def _failed(reason: str) -> _Ended:
    return _Ended(Status.FAILED, reason)


_REJECTIONS: Final = {"AssertMalformed": Malformed, "AssertInvalid": Invalid}


@final
class _Run(Generic[InstanceT]):
    """The state of a script under way; names map to an `_Ended` where their module is not there."""

    def __init__(self, assembly: Assembly, embedder: Embedder[InstanceT]) -> None:
        self._assembly = assembly
        self._embedder = embedder
        # The key None stands for the latest.
        self._definitions: dict[str | None, bytes | _Ended] = {}
        self._instances: dict[str | None, InstanceT | _Ended] = {}
        self._missing: dict[str, _Ended] = {}

    def outcome(self, command: Command) -> Outcome:
        """Execute one command."""
        try:
            self._execute(command)
        except _Ended as end:
            return Outcome(command, end.status, end.reason)
        except Exception as error:
            return Outcome(command, Status.FAILED, _describe(error))
        return Outcome(command, Status.PASSED, "")

    def _execute(self, command: Command) -> None:
        match command:
            case Module():
                self._module(command)
            case Instance():
                self._define(command.name, lambda: self._start(self._definition(command.module), command.name))
            case Register():
                self._register(command)
            case Invoke() | Get():
                self._act(command)
            case AssertReturn():
                self._assert_return(command)
            case AssertTrap():
                _expect(Trapped, lambda: self._act(command.action), command.message)
            case AssertExhaustion():
                _expect(Exhausted, lambda: self._act(command.action), command.message)
            case AssertException():
                _expect(UncaughtException, lambda: self._act(command.action))
            case AssertMalformed() | AssertInvalid():
                self._assert_rejected(command)
            case AssertUnlinkable():
                # What the text says here differs between runtimes in all but the kind of error.
                _expect(Unlinkable, lambda: self._start(self._binary(command.source), None))
            case AssertUninstantiable():
                _expect(Trapped, lambda: self._start(self._binary(command.source), None), command.message)

    # --- Modules ---

    def _module(self, command: Module) -> None:
        name = command.source.name
        try:
            wasm = self._binary(command.source)
        except _Ended as end:
            self._definitions[name] = self._definitions[None] = end
            if not command.definition_only:
                self._instances[name] = self._instances[None] = end
            raise
        self._definitions[name] = self._definitions[None] = wasm
        if command.definition_only:
            self._embedder.validate(wasm)
        else:
            self._define(name, lambda: self._start(wasm, name))

    def _define(self, name: str | None, start: Callable[[], InstanceT]) -> None:
        """Make an instance the latest, and the one of its name; if it does not start, whatever uses it ends as it did."""
        try:
            self._instances[name] = self._instances[None] = start()
        except _Ended as end:
            self._instances[name] = self._instances[None] = end
            raise
        except Exception as error:
            self._instances[name] = self._instances[None] = _failed(f"its module failed: {_describe(error)}")
            raise

    def _start(self, wasm: bytes, name: str | None) -> InstanceT:
        for module in imported_modules(wasm):
            if module in self._missing:
                end = self._missing[module]
                raise _Ended(end.status, end.reason)
        return self._embedder.instantiate(wasm, name)

    def _binary(self, source: ModuleSource) -> bytes:
        """The binary of a module that is meant to be valid."""
        module = self._assembly[source]
        if module.wasm is None:
            raise _failed(f"does not assemble: {module.error}")
        missing = self._missing_features(module)
        if missing:
            raise _Ended(Status.NEEDS_FEATURE, missing)
        return module.wasm

    def _missing_features(self, module: Assembled) -> str:
        missing = module.needs - self._embedder.features
        return f"needs {', '.join(sorted(missing))}" if missing else ""

    def _definition(self, name: str | None) -> bytes:
        wasm = self._definitions.get(name, _failed(f"no such module: {name}"))
        if isinstance(wasm, _Ended):
            raise _Ended(wasm.status, wasm.reason)
        return wasm

    def _instance(self, name: str | None) -> InstanceT:
        instance = self._instances.get(name, _failed(f"no such instance: {name}"))
        if isinstance(instance, _Ended):
            raise _Ended(instance.status, instance.reason)
        return instance

    def _register(self, command: Register) -> None:
        try:
            instance = self._instance(command.instance)
        except _Ended as end:
            self._missing[command.module_name] = end
            raise
        self._embedder.register(instance, command.module_name)
        self._missing.pop(command.module_name, None)

    # --- Actions and assertions ---

    def _act(self, action: Action) -> Sequence[Value]:
        instance = self._instance(action.instance)
        if isinstance(action, Get):
            return (self._embedder.get(instance, action.field),)
        return self._embedder.invoke(instance, action.field, action.arguments)

    def _assert_return(self, command: AssertReturn) -> None:
        results = self._act(command.action)
        if len(results) != len(command.expected) or not all(map(matches, command.expected, results)):
            raise _failed(f"expected {_listed(command.expected)}, got {_listed(results)}")

    def _assert_rejected(self, command: AssertMalformed | AssertInvalid) -> None:
        """Accepting the module is wrong with any set of features; only how it is rejected may depend on them."""
        module = self._assembly.get(command.source)
        if command.custom:
            raise _Ended(Status.OUT_OF_SCOPE, "about the content of a custom section")
        if module is None:
            raise _Ended(Status.OUT_OF_SCOPE, "about the text format")
        if module.wasm is None:
            raise _Ended(Status.OUT_OF_SCOPE, f"rejected by the assembler already: {module.error}")
        wanted = _REJECTIONS[type(command).__name__]
        try:
            self._embedder.validate(module.wasm)
        except wanted:
            return
        except (Malformed, Invalid) as error:
            if missing := self._missing_features(module):
                raise _Ended(Status.NEEDS_FEATURE, missing) from error
            raise _failed(f'not {wanted.__name__} ("{command.message}"), but {_describe(error)}') from error
        raise _failed(f'accepted, but it is {wanted.__name__}: "{command.message}"')


def _expect(kind: type[Exception], act: Callable[[], object], message: str = "") -> None:
    """Run something that must end in an error of this kind, with a text that agrees with the message."""
    try:
        result = act()
    except kind as error:
        texts = [str(text) for text in error.args]
        if message and not any(_agree(text, message) for text in texts):
            raise _failed(f'expected "{message}", got {texts}') from error
        return
    except _Ended:
        raise
    except Exception as error:
        raise _failed(f'expected {kind.__name__} "{message}", got {_describe(error)}') from error
    got = _listed(result) if isinstance(result, Sequence) else "an instance"
    raise _failed(f'expected {kind.__name__} "{message}", got {got}')


def _agree(text: str, message: str) -> bool:
    """Whether both are the same up to where the shorter one ends: either side may go into more detail."""
    return bool(text) and (text.startswith(message) or message.startswith(text))


def _listed(values: Sequence[object]) -> str:
    return " ".join(map(str, values)) or "no results"


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
