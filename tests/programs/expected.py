"""The recorded results of the programs: expected.json in their folder."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from programs.build import PROGRAMS


class Mount(NamedTuple):
    """A directory for the guest: a folder among the programs, or "scratch" for a new one that may be written to."""

    source: str
    guest: str


class Case(NamedTuple):
    """A program's run, and how it must end."""

    name: str
    source: str
    args: list[str]
    env: dict[str, str]
    stdin: str
    mounts: list[Mount]
    exit_code: int
    stdout: str
    stderr_first_line: str


def load() -> dict[str, Any] | None:
    """The file as it is; None where there is none."""
    path = PROGRAMS / "expected.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def cases(target: str) -> list[Case]:
    """Those that were recorded for "wasi" or "gojs"; none where there are no programs."""
    recorded = load()
    return [] if recorded is None else [_case(c, target) for c in recorded["cases"] if target in c["targets"]]


def _case(case: dict[str, Any], target: str) -> Case:
    end = case["expected"][target]
    return Case(
        name=case["name"],
        source=case["source"],
        args=case["args"],
        env=case["env"],
        stdin=case["stdin"],
        mounts=[Mount(mount["from"], mount["guest"]) for mount in case["mounts"]],
        exit_code=end["exit"],
        stdout=end["stdout"],
        stderr_first_line=end["stderr_first_line"],
    )
