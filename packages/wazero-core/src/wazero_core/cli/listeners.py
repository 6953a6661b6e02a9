"""The values of ``-listen``: ``host:port``."""

from __future__ import annotations

from typing import Final

_MAX_PORT: Final = 65535


def parse_listener(text: str) -> tuple[str, int]:
    """Host and port. The host may be left out or be an IPv6 address in brackets. Raises ValueError."""
    host, colon, port = text.rpartition(":")  # the last one, as IPv6 addresses have some
    if not colon:
        raise ValueError(f'invalid listen: "{text}" is not of the form host:port')
    if not port.isascii() or not port.isdigit() or int(port[:10]) > _MAX_PORT:
        raise ValueError(f'invalid listen port: "{port}" is not a number from 0 to {_MAX_PORT}')
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return host, int(port)
