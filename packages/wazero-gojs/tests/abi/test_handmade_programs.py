"""Programs that no Go compiler has made: names of old versions of Go, and guests that lie."""

from __future__ import annotations

import pytest

import wazero_core
import wazero_gojs
from gojs.handmade import END, EXIT, ending_with, guest
from integration.runtimes import NAMED_ENGINES, new_runtime
from wazero_api import DeadlineExceededError, ExitError, LinkError, Trap, TrapKind, WazeroError
from wazero_core import ModuleConfig

GLOBAL = 0x7FF8000100000005


@pytest.fixture(params=NAMED_ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def run(wasm: bytes, engine: str = NAMED_ENGINES[-1], config: ModuleConfig | None = None) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    output, errors = bytearray(), bytearray()
    with new_runtime(engine) as runtime:
        given = (config or ModuleConfig()).with_stdout(output).with_stderr(errors)
        try:
            wazero_gojs.run(runtime, runtime.compile_module(wasm), given, timeout=20)
        except ExitError as error:
            return error.exit_code, output.decode(), errors.decode()
    return 0, output.decode(), errors.decode()


# Old versions of Go


@pytest.mark.parametrize("module", ["go", "gojs"])
@pytest.mark.parametrize(("nanotime", "walltime"), [("nanotime", "walltime"), ("nanotime1", "walltime1")])
def test_clocks_by_all_their_names(engine: str, module: str, nanotime: str, walltime: str) -> None:
    """Exits with 1, 2 and 4 added up for what the clocks say."""
    code = """
      (call $put (i32.const 5) (i64.const -1))
      (call $nanotime (global.get $sp))
      (if (i64.eq (call $got (i32.const 0)) (i64.const 123456789012)) (then (local.set $found (i64.const 1))))
      (call $walltime (global.get $sp))
      (if (i64.eq (call $got (i32.const 0)) (i64.const 1700000000))
        (then (local.set $found (i64.add (local.get $found) (i64.const 2)))))
      (if (i64.eq (i64.load32_s (call $slot (i32.const 1))) (i64.const 999999999))
        (then (local.set $found (i64.add (local.get $found) (i64.const 4)))))
    """
    imports = f"{EXIT}\n$nanotime runtime.{nanotime}\n$walltime runtime.{walltime}"
    wasm = guest(imports, f"(local $found i64) {code} {ending_with('(local.get $found)')}", module=module)
    config = ModuleConfig().with_nanotime(lambda: 123456789012).with_walltime(lambda: 1700000000_999999999)
    assert run(wasm, engine, config)[0] == 7


def test_arguments_and_environment_in_memory(engine: str) -> None:
    """The pointers at argv: two arguments, 0, two variables in order, 0."""
    checks = """
      (i64.load (i32.wrap_i64 (i64.load (local.get $argv))))                              ;; "prog"
      (i64.load (i32.wrap_i64 (i64.load offset=8 (local.get $argv))))                     ;; "x"
      (i64.load offset=16 (local.get $argv))
      (i64.load (i32.wrap_i64 (i64.load offset=24 (local.get $argv))))                    ;; "A=1"
      (i64.load (i32.wrap_i64 (i64.load offset=32 (local.get $argv))))                    ;; "B=2"
      (i64.load offset=40 (local.get $argv))
      (i64.add) (i64.add) (i64.add) (i64.add) (i64.add)
    """
    total = sum(int.from_bytes(text, "little") for text in (b"prog", b"x", b"A=1", b"B=2"))
    wasm = guest(
        EXIT,
        f"""(if (i64.ne (i64.const {total}) (call $total (local.get $argv))) (then (unreachable)))
        {ending_with("(i64.extend_i32_s (local.get $argc))")}""",
        more=f"(func $total (param $argv i32) (result i64) {checks})",
    )
    config = ModuleConfig().with_args("prog", "x").with_env("B", "2").with_env("A", "1")
    assert run(wasm, engine, config)[0] == 2


def test_debug_tells_the_value() -> None:
    wasm = guest(f"{EXIT}\n$debug debug", f"(call $debug (i32.const 42)) {END}", module="go")
    assert run(wasm) == (0, "", "42\n")


def test_the_runtime_writes_and_its_errors_are_nobodys() -> None:
    write = """
      (call $put (i32.const 1) (i64.const 64)) (call $put (i32.const 2) (i64.const 5))
      (call $put (i32.const 0) (i64.const 1)) (call $write (global.get $sp))
      (call $put (i32.const 0) (i64.const 2)) (call $write (global.get $sp))
      (call $put (i32.const 0) (i64.const 77)) (call $write (global.get $sp))
      (call $put (i32.const 0) (i64.const 0)) (call $write (global.get $sp))
      (call $put (i32.const 2) (i64.const 0xFFFFFFFF)) (call $write (global.get $sp))
    """
    wasm = guest(f"{EXIT}\n$write runtime.wasmWrite", write + END, data='(data (i32.const 64) "hello")')
    assert run(wasm) == (0, "hello", "hello")


def test_timeouts_that_go_misses_are_repeated() -> None:
    """It looks away twice, as if its own clock were late, and clears the timeout then."""
    wasm = guest(
        f"{EXIT}\n$later runtime.scheduleTimeoutEvent\n$clear runtime.clearTimeoutEvent",
        "(call $put (i32.const 0) (i64.const 1)) (call $later (global.get $sp))",
        resume=f"""
          (global.set $count (i32.add (global.get $count) (i32.const 1)))
          (if (i32.eq (global.get $count) (i32.const 3)) (then
            (call $put (i32.const 0) (i64.const 1)) (call $clear (global.get $sp))
            {ending_with("(i64.extend_i32_s (global.get $count))")}))""",
        more="(global $count (mut i32) (i32.const 0))",
    )
    assert run(wasm)[0] == 3


# What is no Go program


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('(module (memory (export "mem") 1))', "imports nothing from 'gojs' or 'go'"),
        (
            '(module (import "gojs" "debug" (func (param i32))) (memory (export "mem") 1))',
            "exports no function 'getsp'",
        ),
        ('(module (import "gojs" "runtime.unknown" (func (param i32))) (memory (export "mem") 1))', "runtime.unknown"),
        (
            """(module (import "gojs" "debug" (func (param i32)))
              (func (export "getsp") (result i32) unreachable) (func (export "run") (param i32 i32))
              (func (export "resume")))""",
            "has no memory",
        ),
    ],
)
def test_modules_that_are_no_go_programs(text: str, message: str) -> None:
    from integration.runtimes import wasm

    with new_runtime(NAMED_ENGINES[-1]) as runtime:
        compiled = runtime.compile_module(wasm(text))
        before = len(runtime._anonymous)
        with pytest.raises(LinkError, match=message):
            wazero_gojs.run(runtime, compiled)
        assert len(runtime._anonymous) == before


def test_a_program_that_waits_for_nothing_and_ignores_being_told() -> None:
    """Go ends itself when it hears of a deadlock. Who does not, is ended by its time."""
    wasm = guest(EXIT, "")
    with new_runtime(NAMED_ENGINES[-1]) as runtime, pytest.raises(DeadlineExceededError):
        wazero_gojs.run(runtime, runtime.compile_module(wasm), timeout=0.3)


# Guests that lie


ALL = [
    "runtime.wasmExit",
    "runtime.wasmWrite",
    "runtime.nanotime1",
    "runtime.walltime",
    "runtime.scheduleTimeoutEvent",
    "runtime.clearTimeoutEvent",
    "runtime.getRandomData",
    "syscall/js.finalizeRef",
    "syscall/js.stringVal",
    "syscall/js.valueGet",
    "syscall/js.valueSet",
    "syscall/js.valueDelete",
    "syscall/js.valueIndex",
    "syscall/js.valueSetIndex",
    "syscall/js.valueCall",
    "syscall/js.valueInvoke",
    "syscall/js.valueNew",
    "syscall/js.valueLength",
    "syscall/js.valuePrepareString",
    "syscall/js.valueLoadString",
    "syscall/js.valueInstanceOf",
    "syscall/js.copyBytesToGo",
    "syscall/js.copyBytesToJS",
]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("sp", [-1, -8, 1 << 31, 131072, 131072 - 8, 131072 - 1, 131072 - 40])
def test_stack_pointers_that_point_nowhere(name: str, sp: int) -> None:
    wasm = guest(f"{EXIT}\n$called {name}", f"(call $called (i32.const {sp})) {END}")
    outcome = _outcome(wasm)
    assert isinstance(outcome, (int, Trap)), outcome
    if sp in {-1, -8, 1 << 31, 131072}:
        assert isinstance(outcome, Trap)
        assert outcome.kind is TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS


SLOTS = [0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 2**64 - 8, 131071, GLOBAL, 0x7FF8000100FFFFFF, 0x3FF0000000000000]


@pytest.mark.parametrize("name", ALL)
def test_arguments_that_are_anything(name: str) -> None:
    """The same in all slots, or a valid first one, or valid pointers with strange lengths: a trap, a throw, or nothing."""
    for value in SLOTS:
        for first in (value, GLOBAL):
            for pointer, length in ((value, value), (64, value), (value, 1), (value, 9)):
                slots = [first, pointer, length, pointer, length, value, value]
                puts = "".join(f"(call $put (i32.const {n}) (i64.const {slot}))" for n, slot in enumerate(slots))
                wasm = guest(f"{EXIT}\n$called {name}", f"{puts} (call $called (global.get $sp)) {END}")
                assert isinstance(_outcome(wasm), (int, Trap)), (value, first, pointer, length)


def _outcome(wasm: bytes) -> int | BaseException:
    try:
        return run(wasm, "portable")[0]
    except WazeroError as error:
        return error


def test_run_of_core_finds_this_host() -> None:
    assert wazero_core.run(guest(EXIT, ending_with("(i64.const 9)"))).exit_code == 9
