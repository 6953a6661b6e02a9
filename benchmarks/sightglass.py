"""The sightglass table for daily work, without pytest; bench_sightglass.py has the same programs as benchmarks.

- ``python benchmarks/sightglass.py --engine jit --programs bz2,regex --rounds 5``
- ``python benchmarks/sightglass.py --engine none``: wasmtime alone
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the programs of sightglass beside wasmtime.")
    engine = os.environ.get("WAZERO_BENCH_ENGINE") or "jit"
    parser.add_argument("--engine", default=engine, help=f'"jit", "portable", or "none" (default: {engine})')
    parser.add_argument("--programs", help='names with commas between, "shootout-" may be left out (default: all)')
    parser.add_argument(
        "--rounds", type=int, default=5, help="of programs that take long; 4 times as many of short ones"
    )
    parser.add_argument("--no-peer", action="store_true", help="leave out wasmtime")
    parser.add_argument("--timeout", type=float, default=300, help="seconds that one run or compilation may take")
    return parser.parse_args()


def main() -> int:
    """The exit code: 1 if a program failed."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # as a script, only its own folder is there
    from benchmarks import sightglass_suite as suite
    from benchmarks.inputs import MissingInputError

    arguments = _arguments()
    engine = None if arguments.engine == "none" else arguments.engine
    try:
        chosen = suite.choose(arguments.programs)
    except MissingInputError as error:
        print(error, file=sys.stderr)
        return 2
    print(*suite.heading(engine), sep="\n")
    races = []
    for program in chosen:
        with suite.Race(program, engine, has_peer=not arguments.no_peer, timeout=arguments.timeout) as race:
            race.run(arguments.rounds)
        print(suite.row(race), flush=True)
        races.append(race)
    print(*suite.summary(races), sep="\n")
    return int(any(race.has_failed for race in races))


if __name__ == "__main__":
    sys.exit(main())
