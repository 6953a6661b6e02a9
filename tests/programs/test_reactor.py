"""A C reactor, called step by step from Python: results, host callbacks, memory from both sides, growth, and traps after
which the instance goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.runtimes import new_runtime
from programs.build import NO_PROGRAMS, zig_version
from programs.expected import load
from wazero_api import Trap, TrapKind, i32
from wazero_core import Module, Runtime

RECORDED_ZIG = "0.17.0"
"""The compiler of the recorded run: other versions may lay the memory out otherwise."""

KINDS = {
    "integer divide by zero": TrapKind.INTEGER_DIVIDE_BY_ZERO,
    "integer overflow": TrapKind.INTEGER_OVERFLOW,
    "wasm `unreachable` instruction executed": TrapKind.UNREACHABLE,
    "call stack exhausted": TrapKind.CALL_STACK_EXHAUSTED,
}
"""What the recorded run, which was wasmtime's, says for each trap."""

RECORDED = (load() or {}).get("reactor")


class Reactor:
    """The instance, and what its host has to remember."""

    def __init__(self, runtime: Runtime, wasm: Path) -> None:
        self.log: list[str] = []
        self.names: dict[str, int] = {}
        env = runtime.new_host_module_builder("env")

        @env.function()
        def host_log(caller: Module, address: i32, length: i32) -> None:
            assert caller.memory is not None
            self.log.append(caller.memory.read(address, length).decode())

        @env.function()
        def host_apply(x: i32) -> i32:
            return x * x + 1

        env.instantiate()
        self.module = runtime.instantiate(wasm)

    def do(self, step: dict[str, Any]) -> None:
        """One step of the record."""
        memory = self.module.memory
        assert memory is not None
        if "write_memory" in step:
            memory.write(self.names[step["write_memory"]], bytes.fromhex(step["hex"]))
        elif "read_memory" in step:
            assert memory.read(self.names[step["read_memory"]], step["length"]).hex() == step["hex"]
        else:
            self.call(step)
        if "host_log" in step:
            assert self.log == step["host_log"]

    def call(self, step: dict[str, Any]) -> None:
        function = self.module.exported_function(step["call"])
        assert function is not None
        args = [self.names[arg] if isinstance(arg, str) else arg for arg in step["args"]]
        if "trap" in step:
            with pytest.raises(Trap) as caught:
                function(*args)
            assert caught.value.kind is KINDS[step["trap"]]
            return
        pages = self.module.memory.pages if self.module.memory else 0
        result = function(*args)
        if "bind" in step:
            self.names[step["bind"]] = result
        elif step["call"] == "grow" and step["result"] >= 0 and zig_version() != RECORDED_ZIG:
            assert result == pages
        else:
            assert result == step["result"]
            assert type(result) is type(step["result"])


@pytest.mark.skipif(RECORDED is None, reason=NO_PROGRAMS)
def test_the_reactor_does_all_steps(engine: str, program: Callable[..., Path]) -> None:
    assert RECORDED is not None
    wasm = program(RECORDED["source"], is_reactor=True)
    with new_runtime(engine) as runtime:
        reactor = Reactor(runtime, wasm)
        for number, step in enumerate(RECORDED["steps"]):
            try:
                reactor.do(step)
            except BaseException as error:
                error.add_note(f"in step {number}: {step}")
                raise
