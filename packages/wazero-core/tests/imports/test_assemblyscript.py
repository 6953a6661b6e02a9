"""AssemblyScript's `abort`, `trace` and `seed`, called by guests that lay out strings as AssemblyScript does."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from typing import Any

import pytest

from wazero_api import ExitError, LinkError
from wazero_core import CompiledModule, Module, ModuleConfig, Runtime
from wazero_core.imports import assemblyscript

Compile = Callable[[str], CompiledModule]

PAGE = 65536
MESSAGE, FILE, EMPTY, ODD, LONE, TOO_LONG, LAST, HUGE = 16, 64, 128, 160, 192, 224, PAGE - 6, 1024

TEXT = """
(module
  (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
  (import "env" "trace" (func $trace (param i32 i32 f64 f64 f64 f64 f64)))
  (import "env" "seed" (func $seed (result f64)))
  (memory (export "memory") 33)
  (func (export "abort") (param i32 i32 i32 i32)
    (call $abort (local.get 0) (local.get 1) (local.get 2) (local.get 3)) (unreachable))
  (func (export "trace") (param i32 i32 f64 f64 f64 f64 f64) (call $trace (local.get 0) (local.get 1)
    (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6)))
  (func (export "seed") (result i64) (i64.reinterpret_f64 (call $seed)))
  (func (export "ok")))
"""


def put(module: Module, pointer: int, text: str, size: int | None = None) -> None:
    """Write a string as AssemblyScript has it: the number of its bytes, and at the pointer UTF-16."""
    data = text.encode("utf-16-le", "surrogatepass")
    assert module.memory is not None
    module.memory.write(pointer - 4, struct.pack("<I", len(data) if size is None else size) + data)


def written(streams: tuple[bytearray, bytearray]) -> tuple[bytes, bytes]:
    return bytes(streams[0]), bytes(streams[1])


@pytest.fixture
def streams() -> tuple[bytearray, bytearray]:
    """Standard output and standard error."""
    return bytearray(), bytearray()


@pytest.fixture
def instantiate(runtime: Runtime, compile_text: Compile, streams: tuple[bytearray, bytearray]) -> Callable[..., Module]:
    """A guest with some strings, on a host module with these options."""

    def make(config: ModuleConfig | None = None, **options: Any) -> Module:
        assemblyscript.instantiate(runtime, **options)
        config = config or ModuleConfig().with_stdout(streams[0]).with_stderr(streams[1])
        module = runtime.instantiate_module(compile_text(TEXT), config.with_name("guest"))
        for pointer, text in ((MESSAGE, "wrong ü 😀"), (FILE, "a.ts"), (EMPTY, ""), (LONE, "a\ud800b"), (LAST, "end")):
            put(module, pointer, text)
        put(module, ODD, "odd", size=5)
        put(module, TOO_LONG, "long", size=0xFFFF_FFFE)
        return module

    return make


def aborts(module: Module, message: int = MESSAGE, file_name: int = FILE) -> None:
    """Let the guest abort; the module is then closed."""
    with pytest.raises(ExitError) as caught:
        module.exports.abort(message, file_name, 3, -1)
    assert (caught.value.exit_code, caught.value.module_name) == (255, "guest")
    assert module.exit_code == 255
    with pytest.raises(ExitError):
        module.exports.ok()


# --- abort ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "file_name", "shown"),
    [
        (MESSAGE, FILE, "wrong ü 😀 at a.ts:3:4294967295\n"),
        (EMPTY, EMPTY, " at :3:4294967295\n"),
        (LAST, FILE, "end at a.ts:3:4294967295\n"),
        (LONE, FILE, "a�b at a.ts:3:4294967295\n"),
        (0, FILE, ""),
        (3, FILE, ""),
        (MESSAGE, 0, ""),
        (ODD, FILE, ""),
        (TOO_LONG, FILE, ""),
        (33 * PAGE + 4, FILE, ""),  # its length is the first thing outside
        (33 * PAGE + 2, FILE, ""),
        (-1, FILE, ""),
        (MESSAGE, -4, ""),
    ],
)
def test_abort_says_why_if_it_can_be_read(
    instantiate: Callable[..., Module],
    streams: tuple[bytearray, bytearray],
    message: int,
    file_name: int,
    shown: str,
) -> None:
    aborts(instantiate(), message, file_name)
    assert written(streams) == (b"", shown.encode())


def test_only_the_start_of_a_huge_message_is_shown(
    instantiate: Callable[..., Module], streams: tuple[bytearray, bytearray]
) -> None:
    module = instantiate()
    put(module, HUGE, "x" * 1_000_000)
    aborts(module, HUGE)
    assert streams[1].decode() == "x" * (1 << 19) + "… at a.ts:3:4294967295\n"


def test_a_message_can_be_left_out(instantiate: Callable[..., Module], streams: tuple[bytearray, bytearray]) -> None:
    aborts(instantiate(abort_message=False))
    assert written(streams) == (b"", b"")


def test_abort_ends_also_where_nothing_can_be_written(instantiate: Callable[..., Module]) -> None:
    written: list[bytes] = []

    def refuse(data: bytes) -> None:
        written.append(data)
        raise OSError(errno.ENOSPC, "full")

    aborts(instantiate(ModuleConfig().with_stderr(refuse)))
    assert len(written) == 1


def test_abort_ends_also_where_standard_error_is_closed(
    instantiate: Callable[..., Module], streams: tuple[bytearray, bytearray]
) -> None:
    module = instantiate()
    module.system.files.close(2)
    aborts(module)
    assert streams[1] == b""


def test_abort_of_a_guest_without_memory(runtime: Runtime, compile_text: Compile) -> None:
    assemblyscript.instantiate(runtime)
    abort = '(import "env" "abort" (func $abort (param i32 i32 i32 i32)))'
    call = "(call $abort (i32.const 8) (i32.const 8) (i32.const 0) (i32.const 0))"
    compiled = compile_text(f'(module {abort} (func (export "_start") {call}))')
    with pytest.raises(ExitError) as caught:
        runtime.instantiate_module(compiled)
    assert caught.value.exit_code == 255


# --- trace ------------------------------------------------------------------------------------------------------------

NUMBERS = (1.0, -2.5, 1e300, float("nan"), float("-inf"))


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, ""),
        (1, " 1"),
        (2, " 1,-2.5"),
        (5, " 1,-2.5,1e+300,NaN,-Infinity"),
        (6, " 1,-2.5,1e+300,NaN,-Infinity"),
        (-1, ""),
    ],
)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_trace(
    instantiate: Callable[..., Module],
    streams: tuple[bytearray, bytearray],
    stream: str,
    count: int,
    shown: str,
) -> None:
    instantiate(trace=stream).exports.trace(MESSAGE, count, *NUMBERS)
    text = f"trace: wrong ü 😀{shown}\n".encode()
    assert written(streams) == ((text, b"") if stream == "stdout" else (b"", text))


@pytest.mark.parametrize("pointer", [0, -1, ODD, TOO_LONG, 33 * PAGE + 1])
def test_what_cannot_be_read_is_not_traced(
    instantiate: Callable[..., Module], streams: tuple[bytearray, bytearray], pointer: int
) -> None:
    module = instantiate(trace="stdout")
    module.exports.trace(pointer, 5, *NUMBERS)
    assert written(streams) == (b"", b"")
    assert not module.is_closed


def test_trace_is_off_unless_asked_for(
    instantiate: Callable[..., Module], streams: tuple[bytearray, bytearray]
) -> None:
    instantiate().exports.trace(MESSAGE, 5, *NUMBERS)
    assert written(streams) == (b"", b"")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.0, "0"),
        (2.0**53, "9007199254740992"),
        (2.0**60, "1.152921504606847e+18"),
        (0.1, "0.1"),
        (float("inf"), "Infinity"),
    ],
)
def test_numbers(
    instantiate: Callable[..., Module], streams: tuple[bytearray, bytearray], value: float, text: str
) -> None:
    instantiate(trace="stdout").exports.trace(EMPTY, 1, value, 0, 0, 0, 0)
    assert streams[0].decode() == f"trace:  {text}\n"


# --- seed -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [0, 1, 0x7FF0_0000_0000_0001, 0xFFFF_FFFF_FFFF_FFFF])
def test_a_seed_is_eight_random_bytes(instantiate: Callable[..., Module], bits: int) -> None:
    asked: list[int] = []

    def random(count: int) -> bytes:
        asked.append(count)
        return bits.to_bytes(8, "little")

    module = instantiate(ModuleConfig().with_rand_source(random))
    assert module.exports.seed() % (1 << 64) == bits
    assert asked == [8]


def test_a_source_that_gives_too_little(instantiate: Callable[..., Module]) -> None:
    module = instantiate(ModuleConfig().with_rand_source(lambda count: b"x"))
    with pytest.raises(ValueError, match="gave 1 bytes in the place of 8"):
        module.exports.seed()


# --- The module -------------------------------------------------------------------------------------------------------


def test_the_name_can_be_taken(runtime: Runtime) -> None:
    assemblyscript.instantiate(runtime)
    with pytest.raises(LinkError, match="'env' has already been instantiated"):
        assemblyscript.instantiate(runtime)


def test_traces_go_to_known_places_only() -> None:
    with pytest.raises(ValueError, match="traces go to stdout or stderr, not to 'file'"):
        assemblyscript.functions(trace="file")


def test_the_functions_are_described() -> None:
    module = assemblyscript.host_module()
    assert module.name == "env"
    assert [(function.name, str(function.type), function.param_names) for function in module.functions] == [
        ("abort", "(i32 i32 i32 i32) -> ()", ("message", "fileName", "lineNumber", "columnNumber")),
        (
            "trace",
            "(i32 i32 f64 f64 f64 f64 f64) -> ()",
            ("message", "nArgs", "arg0", "arg1", "arg2", "arg3", "arg4"),
        ),
        ("seed", "() -> (f64)", ()),
    ]
