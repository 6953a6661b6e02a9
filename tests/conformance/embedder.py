"""What the runner asks of a runtime: one small Protocol, and the errors by which a runtime says what went wrong.

The runner knows nothing else of the runtime under test. This module must not import the packages under test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from conformance.wast.values import Value

InstanceT = TypeVar("InstanceT")


class Malformed(Exception):
    """The binary cannot be decoded."""


class Invalid(Exception):
    """The module decodes, but does not validate."""


class MalformedOrInvalid(Malformed, Invalid):
    """For runtimes that do not tell these two apart: it satisfies both assertions."""


class Unlinkable(Exception):
    """An import is missing, or what is there is of another type."""


class Trapped(Exception):
    """The guest trapped; the message is the trap's text as the specification's interpreter words it.

    A runtime that has one trap for several of the interpreter's passes all their texts: it suffices if one agrees.
    """


class Exhausted(Exception):
    """The guest used up the stack; the message is "call stack exhausted". Not a trap to the scripts."""


class UncaughtException(Exception):
    """The guest threw an exception that nothing in it caught."""


class Embedder(Protocol[InstanceT]):
    """A store of the runtime under test; every script gets a fresh one.

    It starts with a module `spectest` registered: functions print, print_i32, print_i64, print_f32, print_f64,
    print_i32_f32, print_f64_f64; immutable globals global_i32, global_i64 (666), global_f32, global_f64 (666.6);
    `table` (funcref, 10 to 20), `memory` (1 to 2 pages) and, where the features allow, `table64` and `shared_memory`.

    Errors other than those named are reported as failures of the command, with their text.
    """

    @property
    def features(self) -> frozenset[str]:
        """What the runtime supports beyond WebAssembly 2.0 without vectors: names from `FEATURES`."""

    def validate(self, wasm: bytes) -> None:
        """Decode and validate a module, without keeping it.

        Raises:
            Malformed, Invalid: what the module is.
        """

    def instantiate(self, wasm: bytes, name: str | None) -> InstanceT:
        """Decode, validate, link and start a module; `name` is what the script calls it, for messages only.

        Effects that it had on imported memories and tables before it trapped must stay.

        Raises:
            Malformed, Invalid, Unlinkable, Trapped, Exhausted, UncaughtException: what went wrong.
        """

    def register(self, instance: InstanceT, name: str) -> None:
        """Let later modules import from this instance as `name`, in place of whatever was registered so before."""

    def invoke(self, instance: InstanceT, field: str, arguments: Sequence[Value]) -> Sequence[Value]:
        """Call an exported function and return its results, typed by its signature, as raw bits.

        Arguments may be null, extern and host references; the same number must come back as the same reference.

        Raises:
            Trapped, Exhausted, UncaughtException: how the call ended.
        """

    def get(self, instance: InstanceT, field: str) -> Value:
        """The value of an exported global."""
