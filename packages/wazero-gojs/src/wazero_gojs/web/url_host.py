"""Hosts of URLs: domains, IPv4 and IPv6 addresses. Spec: https://url.spec.whatwg.org, 3."""

from __future__ import annotations

import re
from typing import Final

from . import percent

_FORBIDDEN: Final = re.compile(r"[\x00\t\n\r #/:<>?@\[\\\]^|]")
_FORBIDDEN_DOMAIN: Final = re.compile(r"[\x00-\x20#/:<>?@\[\\\]^|%\x7f]")
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_MAX_DOMAIN: Final = 1 << 12
"""Characters, more than any domain has."""


def parse_host(text: str, is_special: bool) -> str:
    """A host as it is written in a URL. Raises ValueError."""
    if text.startswith("["):
        if not text.endswith("]"):
            raise ValueError("an IPv6 address has no end")
        return f"[{_parse_ipv6(text[1:-1])}]"
    if not is_special:
        if _FORBIDDEN.search(text):
            raise ValueError("a host has a character that is not allowed")
        return percent.encode(text, "controls")
    domain = _to_ascii(percent.decode(text).decode("utf-8", "replace"))
    if not domain or _FORBIDDEN_DOMAIN.search(domain):
        raise ValueError("a domain has a character that is not allowed")
    parts = domain.split(".")
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    return _parse_ipv4(parts) if _NUMBER.fullmatch(parts[-1]) else domain


def _to_ascii(domain: str) -> str:
    """Lower case, and Punycode for what is not ASCII."""
    if domain.isascii():
        return domain.lower()
    if len(domain) > _MAX_DOMAIN:
        raise ValueError("a domain is too long")
    # The codec knows the dots of other scripts, and refuses what is longer than a name may be.
    return domain.encode("idna").decode("ascii").lower()


def _parse_ipv4(parts: list[str]) -> str:
    if len(parts) > 4:
        raise ValueError("an IPv4 address has too many parts")
    numbers: list[int] = []
    for part in parts:
        if _NUMBER.fullmatch(part) is None or len(part) > 64:
            raise ValueError("an IPv4 address has a part that is no number")
        base = 16 if part[:2] in ("0x", "0X") else 8 if len(part) > 1 and part[0] == "0" else 10
        numbers.append(int(part[2:] or "0", 16) if base == 16 else int(part, base))
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= 256 ** (5 - len(numbers)):
        raise ValueError("an IPv4 address has a part that is too large")
    address = numbers[-1] + sum(number << 8 * (3 - index) for index, number in enumerate(numbers[:-1]))
    return ".".join(str(byte) for byte in address.to_bytes(4, "big"))


def _parse_ipv6(text: str) -> str:
    from ipaddress import IPv6Address

    if "%" in text:
        raise ValueError("an IPv6 address has a zone")
    raw = IPv6Address(text).packed
    pieces = [f"{int.from_bytes(raw[at : at + 2], 'big'):x}" for at in range(0, 16, 2)]
    start, length = _longest_zeros(pieces)
    if length < 2:
        return ":".join(pieces)
    return f"{':'.join(pieces[:start])}::{':'.join(pieces[start + length :])}"


def _longest_zeros(pieces: list[str]) -> tuple[int, int]:
    best = (0, 0)
    start = 0
    for index in range(len(pieces) + 1):
        if index == len(pieces) or pieces[index] != "0":
            if index - start > best[1]:
                best = (start, index - start)
            start = index + 1
    return best
