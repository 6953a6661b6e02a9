"""The seam between the runtime and its engines, and the objects that both sides hold.

Order of calls: the runtime asks `Engine.probe` once; per module `Engine.compile` once (which may do nothing yet); per
instance the `new_…` methods for what the module defines, then `Engine.link`, which gives every defined function its
callable. Code may then run, in any thread, one call at a time per instance.

Values at this seam are typed: i32 and i64 as signed ints, f32 and f64 as floats, v128 as 16 bytes, a null reference as
None, a function reference as a `Function`, an external reference as any Python object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, final

from .errors import Frame
from .features import CoreFeatures
from .host import HostFunction
from .module import Module
from .record import record
from .types import FunctionType, GlobalType, MemoryType, TableType, ValueType

StackTaker = Callable[[int, tuple[Frame, ...], bool], None]
"""Gets a thread's identifier, its wasm frames, innermost first, and whether that one waits for a function of the host.

Of very many frames not all are given, and offsets are None where finding them takes long. May be called on any thread, and
must be quick and raise nothing.
"""


@final
@record
class Block:
    """One structured instruction (block, loop, if) of a body. Positions count instructions from the body's start."""

    start: int
    end: int
    """Position of its ``end``."""
    alternative: int | None
    """Position of its ``else``, if it has one."""
    params: tuple[ValueType, ...]
    results: tuple[ValueType, ...]
    branches: int
    """How many live branches name its label (each target of a br_table counts)."""


@final
@record
class ValidatedBody:
    """A function body that obeys the typing rules, cut into instructions, with what an engine wants to know of it."""

    type: FunctionType
    locals: tuple[ValueType, ...]
    """Types of all locals, parameters first."""
    tokens: Sequence[bytes]
    """The encoding of each instruction, in order; the last is the function's ``end``."""
    offset: int
    """Where the first instruction starts in the binary."""
    blocks: dict[int, Block]
    """Live structured instructions by `Block.start`."""
    dead: tuple[tuple[int, int], ...]
    """Ranges (start, stop) of instructions that cannot be reached, each ending before a live ``else`` or ``end``."""
    branches_to_body: int
    """How many live branches, ``return`` not counted, name the function's own label."""


class BodySource(Protocol):
    """Validated bodies of one module, made when asked for."""

    @property
    def module(self) -> Module: ...

    def body(self, defined_index: int) -> ValidatedBody:
        """Of the function with that index among those the module defines.

        Raises InvalidModuleError if validation was put off until now and fails.
        """
        ...

    def instructions(self, defined_index: int) -> Sequence[bytes]:
        """The tokens of that body, which is valid, without the facts of `ValidatedBody`: far cheaper than `body`.

        A body that is known to be valid is only cut; any other is checked now and raises as `body` does.
        """
        ...


class Memory(Protocol):
    """A linear memory. Its bytes never move: a view taken once stays valid, also over `grow`."""

    @property
    def type(self) -> MemoryType: ...

    @property
    def buffer(self) -> memoryview:
        """All bytes of the present size, writable, format "B"."""
        ...

    @property
    def pages(self) -> int: ...

    @property
    def base_address(self) -> int | None:
        """Address of byte 0 for native code, or None where there is no such thing."""
        ...

    def grow(self, delta_pages: int) -> int:
        """Add zeroed pages; the old size in pages, or -1 if the maximum or the system forbids it."""
        ...

    def close(self) -> None:
        """Give the bytes back once no view is left. Called once, when the instance closes."""
        ...


class Table(Protocol):
    """A table of references. Out-of-range access raises IndexError and changes nothing."""

    @property
    def type(self) -> TableType: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Any: ...

    def __setitem__(self, index: int, value: Any) -> None: ...

    def grow(self, delta: int, value: Any = None) -> int:
        """Add elements; the old size, or -1 if the maximum or a cap forbids it."""
        ...


class Global(Protocol):
    """A global variable."""

    @property
    def type(self) -> GlobalType: ...

    def get(self) -> Any: ...

    def set(self, value: Any) -> None:
        """Store a typed value. The caller has checked that the global is mutable."""
        ...


class Function(Protocol):
    """A function of some instance, or of the host, as references hold it."""

    @property
    def type(self) -> FunctionType: ...

    @property
    def name(self) -> str: ...

    @property
    def entry(self) -> Callable[..., Any]:
        """The fastest callable there is for calls from Python; does what calling the function itself does."""
        ...

    def __call__(self, *args: Any) -> Any: ...


class ModuleInstance(Protocol):
    """What host functions see of the module that calls them."""

    @property
    def name(self) -> str: ...

    @property
    def memory(self) -> Any:
        """The first memory, or None."""
        ...


class LinkTarget(Protocol):
    """An instance while it is being linked: its index spaces, imports first.

    `Engine.link` appends the functions that the module defines; then the runtime fills the other lists, and
    `LinkedInstance.bind` says that they are complete. Engines may keep the lists and look into them later.
    """

    module: Module
    name: str
    instance: ModuleInstance
    """What host functions get that want to know their caller."""
    functions: list[Any]
    tables: list[Any]
    memories: list[Any]
    globals: list[Any]
    elements: list[Any]
    """Per element segment the references, or an empty sequence once dropped."""
    data: list[Any]
    """Per data segment the bytes, or b"" once dropped."""


class LinkedInstance(Protocol):
    """What an engine holds of one instance."""

    def bind(self, target: LinkTarget) -> None:
        """Tables, memories and globals are there now; called once, before any code runs."""
        ...

    def close(self, exit_code: int) -> None:
        """From now on calls raise ExitError, and running ones end with it soon."""
        ...

    def is_idle(self) -> bool:
        """Whether certainly no code of the instance is running, so that its memories can be taken away."""
        ...


@final
@record
class ListingLine:
    """A part of what an engine made of a function, for people."""

    offset: int | None
    """Where the instruction that it was made for starts in the binary; None for what was made for none in particular."""
    position: int
    """Of machine code the byte that it starts at, of source its line, counted from 1."""
    code: bytes | str
    """Machine code (bytes) or a line of source (str)."""


@final
@record
class Listing:
    """All that an engine made of a function, in order. Instructions that took nothing of their own are not in it."""

    language: str
    """What it is written in: "python", or an ISA, as "amd64"."""
    lines: tuple[ListingLine, ...]


class Code(Protocol):
    """A module as an engine compiled it; shared by all instances and tied to none. Safe to use from several threads."""

    @property
    def compiled_count(self) -> int:
        """How many functions are compiled; grows only. Tells whether `dump` would say more than it did before."""
        ...

    def compile_all(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Compile what is not compiled yet; `progress` gets (done, total) now and then."""
        ...

    def compile_functions(self, indices: Sequence[int], progress: Callable[[int, int], None] | None = None) -> None:
        """Like `compile_all`, for these of the functions that the module defines: several processes can share the work."""
        ...

    def dump(self) -> bytes:
        """All that is compiled so far, for `load` by an engine with the same `Engine.code_key`.

        Called when somebody closes the module, and as late as in exit handlers of the interpreter.
        """
        ...

    def load(self, data: bytes) -> None:
        """Take over what `dump` gave for the same module; functions that are compiled already stay as they are.

        The bytes are code: whoever could have written them can do all that this process can. For bytes that do not
        parse any exception is raised and nothing taken over, and callers go on as if there had been none.
        """
        ...

    def listing(self, defined_index: int) -> Listing:
        """What the engine makes of a function, compiled or not. Raises what `BodySource.body` raises."""
        ...


class Engine(Protocol):
    """Turns validated bodies into callables."""

    name: str
    code_key: str
    """All that the code from `Code.dump` depends on besides the module: engine, its version, ISA, CPU features…"""
    features: CoreFeatures
    """What it can run."""

    def probe(self) -> str | None:
        """None if this engine works here, else one sentence saying why not."""
        ...

    def compile(self, module: Module, bodies: BodySource) -> Code: ...

    def new_memory(self, type: MemoryType, maximum_pages: int) -> Memory:
        """`maximum_pages` is the bound in force: the type's maximum, cut to the runtime's limit.

        Raises MemoryError if the minimum cannot be had.
        """
        ...

    def new_table(self, type: TableType, init: Any, maximum_elements: int) -> Table:
        """`maximum_elements` is the bound in force, at least the type's minimum."""
        ...

    def new_global(self, type: GlobalType, value: Any) -> Global: ...

    def new_host_function(self, host: HostFunction, module: ModuleInstance) -> Function:
        """`module` is the host module itself, the caller when Python calls the function without a guest between."""
        ...

    def link(self, code: Code, target: LinkTarget) -> LinkedInstance:
        """Append a function for each one that the module defines to ``target.functions``."""
        ...

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """Calls that this thread makes inside the block raise DeadlineExceededError once `seconds` are over."""
        ...

    def remaining(self) -> float | None:
        """Seconds until the earliest deadline of the calling thread, 0 or less once it has passed; None without one.

        For host functions that wait: they raise DeadlineExceededError themselves when the time is up.
        """
        ...

    def take_stacks(self, take: StackTaker, *, only_caller: bool = False) -> None:
        """Have `take` called once for each thread that runs guest code, or with `only_caller` for the calling one.

        At once, or where only the running code can tell where it is, on its thread when that comes to a loop or function:
        later, if it is in the host now, and never if it ends before. Asking again before that changes nothing.
        """
        ...
