"""Memory as machine code reaches it: every way out of bounds traps, views stay good, and no other fault is touched."""

from __future__ import annotations

import faulthandler
import signal
import struct
from collections.abc import Iterator
from typing import Any, Final

import pytest

from integration.runtimes import ANONYMOUS, NATIVE, needs_jit, new_runtime, start_python, wasm
from wazero_api import CoreFeatures, LinkError, MemoryAccessError, Trap, TrapKind
from wazero_core import Module, Runtime, RuntimeConfig

pytestmark = needs_jit

PAGE: Final = 65536

LOADS: Final = {
    "i32.load8_s": 1,
    "i32.load8_u": 1,
    "i32.load16_s": 2,
    "i32.load16_u": 2,
    "i32.load": 4,
    "i64.load8_s": 1,
    "i64.load8_u": 1,
    "i64.load16_s": 2,
    "i64.load16_u": 2,
    "i64.load32_s": 4,
    "i64.load32_u": 4,
    "i64.load": 8,
    "f32.load": 4,
    "f64.load": 8,
}
STORES: Final = {
    "i32.store8": 1,
    "i32.store16": 2,
    "i32.store": 4,
    "i64.store8": 1,
    "i64.store16": 2,
    "i64.store32": 4,
    "i64.store": 8,
    "f32.store": 4,
    "f64.store": 8,
}
"""Instructions and the bytes that they access."""
OFFSETS: Final = (
    0,
    1,
    0x7FFF,
    PAGE - 8,
    PAGE - 1,
    PAGE,
    (1 << 31) - 1,
    1 << 31,
    (1 << 31) + 1,
    (1 << 32) - 8,
    (1 << 32) - 1,
)
"""Constant offsets in the instructions, those included that no displacement of an x86 instruction can hold."""


def access_module(name: str) -> str:
    """Functions "v0", "v1"… of an address, one for each of `OFFSETS`, and "c0", "c1"… where the address is 5 and constant."""
    type = name[:3]
    functions = []
    for number, offset in enumerate(OFFSETS):
        code = f"{name} offset={offset} " + ("drop" if "load" in name else "")
        value = "" if "load" in name else f"{type}.const -1"
        functions += [
            f'(func (export "v{number}") (param i32) local.get 0 {value} {code})',
            f'(func (export "c{number}") i32.const 5 {value} {code})',
        ]
    return f'(module (memory (export "memory") 1) {" ".join(functions)})'


@pytest.fixture(params=NATIVE)
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    features = RuntimeConfig().core_features | CoreFeatures.MULTI_MEMORY
    with new_runtime(request.param, RuntimeConfig().with_core_features(features)) as runtime:
        yield runtime


def traps(call: Any, *arguments: Any) -> bool:
    """Whether a call traps as an access out of bounds, or else returns."""
    try:
        call(*arguments)
    except Trap as trap:
        if trap.kind is TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS and len(trap.frames) == 1:
            return True
        raise
    return False


@pytest.mark.parametrize(("name", "size"), [*LOADS.items(), *STORES.items()], ids=[*LOADS, *STORES])
def test_bounds(name: str, size: int, runtime: Runtime) -> None:
    """The last bytes can be accessed and no byte more, with every offset and address; a store that traps writes nothing."""
    module = runtime.instantiate(wasm(access_module(name)), ANONYMOUS)
    buffer = module.memory.buffer  # type: ignore[union-attr]
    for number, offset in enumerate(OFFSETS):
        last = PAGE - size - offset
        addresses = {0, 1, last - 1, last, last + 1, last + size, -offset, PAGE, 1 << 31, (1 << 31) - 1, -1, -size, -8}
        for address in addresses:
            if not -(1 << 31) <= address < 1 << 32:
                continue
            is_outside = address % (1 << 32) + offset + size > PAGE
            assert traps(module.exports[f"v{number}"], address) is is_outside, (address, offset)
            if is_outside:
                assert not any(buffer)
            buffer[:] = bytes(PAGE)
        assert traps(module.exports[f"c{number}"]) is (5 + offset + size > PAGE)
        buffer[:] = bytes(PAGE)


@pytest.mark.parametrize("pages", [0, 1, 2])
def test_bounds_follow_the_size(pages: int, runtime: Runtime) -> None:
    text = f"""(module (memory {pages} 4) (func (export "load") (param i32) (result i64) (i64.load (local.get 0)))
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""
    module = runtime.instantiate(wasm(text), ANONYMOUS)
    for size in range(pages, 5):
        end = size * PAGE
        assert [traps(module.exports.load, end + d) for d in (-8, -7, 0, PAGE)] == [size == 0, True, True, True]
        assert module.exports.grow(1) == (size if size < 4 else -1)


def test_the_second_memory_has_its_own_bounds(runtime: Runtime) -> None:
    text = """(module (memory 2) (memory $b 1)
      (func (export "a") (param i32) (drop (i32.load (local.get 0))))
      (func (export "b") (param i32) (drop (i32.load $b (local.get 0)))))"""
    exports = runtime.instantiate(wasm(text), ANONYMOUS).exports
    assert [traps(exports.a, at) for at in (PAGE, 2 * PAGE - 4, 2 * PAGE - 3, -1)] == [False, False, True, True]
    assert [traps(exports.b, at) for at in (0, PAGE - 4, PAGE - 3, PAGE, -1)] == [False, False, True, True, True]


def test_memories_of_callees(runtime: Runtime) -> None:
    """After a call of another instance, and after one that did not return, the caller's own memory is the first again."""
    text = """(module $callee (memory 1) (data (i32.const 0) "B")
      (func (export "get") (result i32) (i32.load8_u (i32.const 0))) (func (export "trap") unreachable))"""
    runtime.instantiate(wasm(text))
    text = """(module (import "callee" "get" (func $get (result i32))) (import "callee" "trap" (func $trap))
      (memory 1) (data (i32.const 0) "A") (table funcref (elem $get))
      (func (export "f") (result i32 i32 i32 i32) (call $get) (i32.load8_u (i32.const 0))
        (call_indirect (result i32) (i32.const 0)) (i32.load8_u (i32.const 0)))
      (func (export "g") (call $trap)))"""
    exports = runtime.instantiate(wasm(text), ANONYMOUS).exports
    for _ in range(2):
        assert bytes(exports.f()) == b"BABA"
        with pytest.raises(Trap):
            exports.g()


# Views

GROWING: Final = """(module (memory (export "memory") 1 100)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))"""


def memory_of(module: Module) -> Any:
    memory = module.memory
    assert memory is not None
    return memory


def test_views_survive_growth(runtime: Runtime) -> None:
    module = runtime.instantiate(wasm(GROWING), ANONYMOUS)
    memory, exports = memory_of(module), module.exports
    early = memory.buffer
    part = memory.view(8, 8)
    for pages in range(1, 40):
        exports.store(8, pages)
        assert (early[8], part[0], len(early)) == (pages, pages, PAGE)
        early[9] = pages
        assert exports.load(9) == pages
        assert (exports.grow(1) if pages % 2 else memory.grow(1)) == pages
        last = memory.size - 1
        exports.store(last, 7)
        assert memory.buffer[last] == 7


def test_views_outlive_everything(runtime: Runtime) -> None:
    module = runtime.instantiate(wasm(GROWING), ANONYMOUS)
    view = memory_of(module).buffer
    module.exports.store(3, 99)
    module.close()
    del module
    assert view[3] == 99
    view[4] = 1
    assert bytes(view[3:5]) == b"\x63\x01"


def test_numpy_sees_what_the_guest_writes(runtime: Runtime) -> None:
    numpy = pytest.importorskip("numpy")
    module = runtime.instantiate(wasm(GROWING), ANONYMOUS)
    array = numpy.frombuffer(memory_of(module).buffer, dtype=numpy.uint8)
    module.exports.grow(50)
    module.exports.store(100, 200)
    array[101] = 3
    assert (array[100], module.exports.load(101)) == (200, 3)


def test_a_closed_memory_is_not_reached(runtime: Runtime) -> None:
    module = runtime.instantiate(wasm(GROWING), ANONYMOUS)
    memory = memory_of(module)
    module.close()
    with pytest.raises(MemoryAccessError):
        memory.read(0, 1)


def test_many_memories_at_once(runtime: Runtime) -> None:
    """Each is 8 GiB of address space where it is guarded, and none of them memory until it is used."""
    compiled = runtime.compile_module(wasm(GROWING))
    modules = [runtime.instantiate_module(compiled, ANONYMOUS) for _ in range(200)]
    for number, module in enumerate(modules):
        module.exports.store(0, number)
    assert [module.exports.load(0) for module in modules] == list(range(200))
    assert all(traps(module.exports.load, PAGE) for module in modules)


def test_limits_of_the_runtime() -> None:
    for engine in NATIVE:
        with new_runtime(engine, RuntimeConfig().with_memory_limit_pages(3)) as runtime:
            module = runtime.instantiate(wasm(GROWING), ANONYMOUS)
            assert [module.exports.grow(n) for n in (2, 1, 0)] == [1, -1, 3]
            assert traps(module.exports.load, 3 * PAGE)
            with pytest.raises(LinkError):
                runtime.instantiate(wasm("(module (memory 4))"), ANONYMOUS)


def test_floats_keep_their_bits(runtime: Runtime) -> None:
    """Signalling NaNs too, from and to memory and through locals."""
    text = """(module (memory (export "memory") 1)
      (func (export "f") (local f32 f64)
        (local.set 0 (f32.load (i32.const 0))) (local.set 1 (f64.load (i32.const 8)))
        (f32.store (i32.const 16) (local.get 0)) (f64.store (i32.const 24) (local.get 1))))"""
    module = runtime.instantiate(wasm(text), ANONYMOUS)
    memory = memory_of(module)
    for single, double in ((0x7F800001, 0x7FF0000000000001), (0xFFA00000, 0xFFF4000000000000)):
        memory.write(0, struct.pack("<I4xQ", single, double))
        module.exports.f()
        assert memory.read(16, 16) == memory.read(0, 16)


# Other faults

FAULTING: Final = """
import ctypes, faulthandler, signal
from integration.runtimes import new_runtime, wasm
from integration.test_native_memory import GROWING, traps

def check():
    module = runtime.instantiate(wasm(GROWING))
    modules.append(module)
    for module in modules:
        assert traps(module.exports.load, 1 << 20) and module.exports.load(5) == 0

if "before" in sys.argv:
    faulthandler.enable()
modules = []
runtime = new_runtime("jit")
check()
if "after" in sys.argv:
    faulthandler.enable()
    check()
if "handler" in sys.argv:
    signal.signal(signal.SIGSEGV, lambda *_: None)
    check()
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    check()
print("ready", flush=True)
if "host" in sys.argv:
    builder = runtime.new_host_module_builder("env").new_function_builder()
    builder.with_raw_function(lambda: ctypes.string_at(8), [], []).export("host").instantiate()
    runtime.instantiate(wasm('(module $c (import "env" "host" (func $f)) (func (export "f") (call $f)))')).exports.f()
elif "guard" in sys.argv:
    ctypes.string_at(modules[0].state.memories[0].base_address + (1 << 20))
else:
    ctypes.string_at(8)
print("survived")
"""
"""Faults that are the guest's, and in the end one that is not. Instantiating puts the engine's handler in front again."""


@pytest.mark.parametrize("where", ["python", "host", "guard"])
@pytest.mark.parametrize("handlers", ["none", "before", "after", "handler"])
def test_a_foreign_segfault_kills_the_process(where: str, handlers: str) -> None:
    """Also in a host function, and in a memory's guard pages; faulthandler, if enabled, has its say before."""
    with start_python(FAULTING, handlers, where) as process:
        output, errors = process.communicate(timeout=30)
    assert (output, process.returncode) == ("ready\n", -signal.SIGSEGV), errors
    has_reported = "Fatal Python error: Segmentation fault" in errors
    assert has_reported is (handlers in ("before", "after"))
    if has_reported:
        assert errors.count("Fatal Python error") == 1
        assert "string_at" in errors


def test_faulthandler_says_nothing_of_the_guests_faults(runtime: Runtime) -> None:
    """This process, as under pytest, has it enabled: it would be heard on standard error, and kill."""
    assert faulthandler.is_enabled()
    exports = runtime.instantiate(wasm(GROWING), ANONYMOUS).exports
    assert all(traps(exports.load, 1 << 20) for _ in range(1000))
