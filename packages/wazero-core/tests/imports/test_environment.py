"""Which functions a guest gets from "env" by what it imports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wazero_api import LinkError
from wazero_core import CompiledModule, Runtime
from wazero_core.imports.environment import module_for

Compile = Callable[[str], CompiledModule]

ABORT = '(import "env" "abort" (func (param i32 i32 i32 i32)))'
SEED = '(import "env" "seed" (func (result f64)))'
INVOKE = '(import "env" "invoke_vi" (func (param i32 i32)))'
THROW = '(import "env" "_emscripten_throw_longjmp" (func))'
UNKNOWN = '(import "env" "fork" (func)) (import "env" "memory" (memory 1))'
WASI = '(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))'


@pytest.mark.parametrize(
    ("imports", "names"),
    [
        ("", None),
        (WASI, None),
        (UNKNOWN, None),
        ('(import "env" "abort" (memory 1))', None),
        ('(import "other" "abort" (func (param i32 i32 i32 i32)))', None),
        ('(import "env" "invoke_v" (func))', None),
        (ABORT, ["abort"]),
        (WASI + INVOKE + THROW + INVOKE, ["invoke_vi", "_emscripten_throw_longjmp"]),
        (THROW + SEED + ABORT, ["_emscripten_throw_longjmp", "seed", "abort"]),
    ],
)
def test_what_is_imported(compile_text: Compile, imports: str, names: list[str] | None) -> None:
    module = module_for(compile_text(f"(module {imports})").module)
    assert (module and [function.name for function in module.functions]) == names
    assert module is None or module.name == "env"


def test_some_are_known_and_some_are_not(compile_text: Compile) -> None:
    with pytest.raises(LinkError) as caught:
        module_for(compile_text(f"(module {ABORT} {UNKNOWN} {INVOKE})").module)
    assert str(caught.value) == (
        "unknown imports: env.fork, env.memory; only abort, invoke_vi of 'env' can be given to the guest"
    )


def test_a_type_of_the_guests_own_does_not_link(runtime: Runtime, compile_text: Compile) -> None:
    """As where C code calls an `abort` that its author forgot to define."""
    compiled = compile_text('(module (import "env" "abort" (func)))')
    module = module_for(compiled.module)
    assert module is not None
    runtime.instantiate_host_module(module)
    with pytest.raises(LinkError, match=r"env\.abort is \(i32 i32 i32 i32\) -> \(\), not \(\) -> \(\)"):
        runtime.instantiate_module(compiled)


def test_the_module_links(runtime: Runtime, compile_text: Compile) -> None:
    compiled = compile_text(f"(module {THROW} {SEED} {ABORT} {INVOKE})")
    module = module_for(compiled.module)
    assert module is not None
    runtime.instantiate_host_module(module)
    assert not runtime.instantiate_module(compiled).is_closed
