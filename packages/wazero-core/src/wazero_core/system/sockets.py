"""TCP for guests: sockets that listen, and connections. A guest gets the ones that it is given, and can open no others."""

from __future__ import annotations

import errno
import socket
import sys
from threading import Lock
from typing import Any, Final, final

from wazero_api.record import record
from wazero_api.system import File, FileType, Stat

from .files import BaseFile, fail
from .host_file import keep_some_for_host

_SOCKET: Final = Stat(FileType.SOCKET)
_AT_ONCE: Final = getattr(socket, "MSG_DONTWAIT", 0)
"""Send what there is room for, receive what is there, and do not wait for more. Windows has no such flag, and waits."""


@final
@record
class TcpAddress:
    """Where a guest may listen. Port 0 is any that is free."""

    host: str
    port: int


class _Socket(BaseFile):
    """Safe to close while another thread uses it, as `host_file` explains; so nothing here may wait, with the lock held."""

    __slots__ = ("_lock", "_socket")

    def __init__(self, socket: socket.socket) -> None:
        self._socket = socket
        self._lock = Lock()

    def stat(self) -> Stat:
        return _SOCKET

    def fileno(self) -> int | None:
        return self._socket.fileno()

    def close(self) -> None:
        with self._lock:
            self._socket.close()


@final
class ListenerFile(_Socket):
    """A `wazero_api.system.Listener` over a Python socket that listens."""

    __slots__ = ()

    def accept(self) -> File:
        """The next connection. EAGAIN if there is none, unless the socket is the caller's, which may wait.

        EMFILE, and the connection is gone, if the process can open few others: see `keep_some_for_host`.
        """
        with self._lock:
            connection, _ = self._socket.accept()
        if sys.platform != "win32":  # where the numbers of sockets are no descriptors
            connection = socket.socket(fileno=keep_some_for_host(connection.detach()))
        # The timeout of a socket is Python's own business and makes it non-blocking; here waiting is done elsewhere.
        connection.settimeout(None)
        return ConnectionFile(connection)


@final
class ConnectionFile(_Socket):
    """A `wazero_api.system.Connection` over a connected Python socket."""

    __slots__ = ()

    def read(self, count: int) -> bytes:
        """What has arrived, EAGAIN for nothing; b"" once the other end is done."""
        return self.receive(count)

    def receive(self, count: int, *, peek: bool = False) -> bytes:
        """See `wazero_api.system.Connection`."""
        with self._lock:
            return self._socket.recv(count, _AT_ONCE | (socket.MSG_PEEK if peek else 0))

    def write(self, data: memoryview | bytes) -> int:
        """Send as much as there is room for; EAGAIN if there is none."""
        with self._lock:
            return self._socket.send(data, _AT_ONCE)

    def shutdown(self, *, reading: bool, writing: bool) -> None:
        """See `wazero_api.system.Connection`. EINVAL if neither is to end."""
        if not (reading or writing):
            fail(errno.EINVAL)
        how = socket.SHUT_RDWR if reading and writing else socket.SHUT_RD if reading else socket.SHUT_WR
        with self._lock:
            self._socket.shutdown(how)


def listen(listener: Any) -> tuple[ListenerFile, bool]:
    """A file that listens, and whether it is ours to close.

    `listener` is a `TcpAddress`, where to listen is tried at each address that its host has, or a socket. Raises OSError,
    with the address in its text.
    """
    if not isinstance(listener, TcpAddress):
        return ListenerFile(listener), False
    where = f"cannot listen at {listener.host}:{listener.port}"
    failure = OSError(errno.EADDRNOTAVAIL, f"{where}: no such address")
    passive = socket.AI_PASSIVE
    try:
        found = socket.getaddrinfo(listener.host or None, listener.port, type=socket.SOCK_STREAM, flags=passive)
    except (OSError, ValueError) as error:  # ValueError: of a host that cannot be a name
        raise OSError(errno.EADDRNOTAVAIL, f"{where}: {getattr(error, 'strerror', error)}") from None
    for family, _, _, _, address in found:
        try:
            server = socket.create_server(address[:2], family=family)
        except OSError as error:
            failure = OSError(error.errno, f"{where}: {str(error.strerror).partition(' (')[0]}")
        else:
            server.setblocking(False)
            return ListenerFile(server), True
    raise failure
