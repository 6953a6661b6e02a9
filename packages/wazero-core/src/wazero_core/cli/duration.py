"""Durations as Go writes them: ``300ms``, ``1.5h``, ``2h45m``. In nanoseconds."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, micro sign
    "μs": 1_000,  # U+03BC, Greek letter mu
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART: Final = re.compile(r"([0-9]+)(?:\.([0-9]*))?([^0-9.]+)|\.([0-9]+)([^0-9.]+)", re.ASCII)
_MAX: Final = (1 << 63) - 1
"""Go counts in 64 bits."""


def parse_duration(text: str) -> int:
    """The nanoseconds that `text` says; negative with a minus. Raises ValueError."""
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text.startswith(("-", "+")) else text
    if rest == "0":
        return 0
    total = 0
    position = 0
    while position < len(rest) or not position:
        part = _PART.match(rest, position)
        unit = _UNITS.get(part[3] or part[5]) if part else None
        if part is None or unit is None:
            raise ValueError(f'invalid duration "{text}": write 300ms, 1.5h or 2h45m')
        fraction = part[2] or part[4] or ""
        total += int(part[1] or 0) * unit + int(fraction or 0) * unit // 10 ** len(fraction)
        position = part.end()
    if total > _MAX:
        raise ValueError(f'invalid duration "{text}": more than 292 years')
    return sign * total


def format_duration(nanoseconds: int) -> str:
    """As Go prints it: the unit below a second is the largest that leaves no zero before the point."""
    sign = "-" if nanoseconds < 0 else ""
    left = abs(nanoseconds)
    if not left:
        return "0s"
    if left < _UNITS["s"]:
        unit = "ns" if left < _UNITS["us"] else "µs" if left < _UNITS["ms"] else "ms"
        return f"{sign}{_decimal(left, _UNITS[unit])}{unit}"
    hours, left = divmod(left, _UNITS["h"])
    minutes, left = divmod(left, _UNITS["m"])
    seconds = f"{_decimal(left, _UNITS['s'])}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = str(rest).zfill(len(str(unit)) - 1).rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
