"""Makes an instance of a small module, calls its export ``run`` and closes it, many times; says what that leaves behind.

    python instances.py ENGINE PROGRAM.wasm COUNT instances|modules

"instances" compiles the module once, "modules" anew for each instance. Prints JSON: seconds of all cycles, and by how much
resident memory (bytes) and the number of mappings grew over them. Some cycles before that are not counted.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from wazero_core import ModuleConfig, Runtime, RuntimeConfig

_RESULT: Final = 42
"""What ``run`` returns."""


class Usage(NamedTuple):
    """What a process holds at one moment."""

    resident: int
    mappings: int


def usage() -> Usage:
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    resident = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS"))
    return Usage(resident, len(Path("/proc/self/maps").read_text().splitlines()))


def cycle(runtime: Runtime, wasm: bytes, kind: str) -> Callable[[], None]:
    config = ModuleConfig().with_name("")
    kept = runtime.compile_module(wasm)

    def instance() -> None:
        with runtime.instantiate_module(kept, config) as module:
            assert module.exports.run() == _RESULT

    def module() -> None:
        with runtime.compile_module(wasm) as compiled, runtime.instantiate_module(compiled, config) as module:
            assert module.exports.run() == _RESULT

    return instance if kind == "instances" else module


def repeat(work: Callable[[], None], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        work()
    return time.perf_counter() - start


def main() -> None:
    engine, path, text, kind = sys.argv[1:]
    count = int(text)
    with Runtime(RuntimeConfig(engine=engine).with_lazy_validation(True)) as runtime:
        work = cycle(runtime, Path(path).read_bytes(), kind)
        repeat(work, max(100, count // 10))
        before = usage()
        seconds = repeat(work, count)
        after = usage()
    resident, mappings = (new - old for new, old in zip(after, before, strict=True))
    print(json.dumps({"seconds": seconds, "resident": resident, "mappings": mappings}))


if __name__ == "__main__":
    main()
