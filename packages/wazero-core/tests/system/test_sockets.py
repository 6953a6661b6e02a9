"""Listeners and connections as files, and who closes them."""

from __future__ import annotations

import errno
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from wazero_api.system import Connection, FileType, Listener
from wazero_core.system import ConnectionFile, ListenerFile, SystemContext, TcpAddress, host_file
from wazero_core.system.sockets import listen


@pytest.fixture
def listener() -> Iterator[ListenerFile]:
    file, is_owned = listen(TcpAddress("127.0.0.1", 0))
    assert is_owned
    yield file
    file.close()


def address(file: ListenerFile) -> tuple[str, int]:
    fd = file.fileno()
    assert fd is not None
    with socket.socket(fileno=fd) as twin:
        host, port = twin.getsockname()
        twin.detach()
    return host, port


@pytest.fixture
def ends(listener: ListenerFile) -> Iterator[tuple[ConnectionFile, socket.socket]]:
    """A connection, and its client."""
    with socket.create_connection(address(listener), timeout=10) as client:
        connection = listener.accept()
        assert isinstance(connection, ConnectionFile)
        yield connection, client
        connection.close()


def number_of(error: pytest.ExceptionInfo[OSError]) -> int | None:
    return error.value.errno


def test_kinds(ends: tuple[ConnectionFile, socket.socket], listener: ListenerFile) -> None:
    kinds: list[tuple[Any, bool]] = [(listener, True), (ends[0], False)]
    for file, is_listener in kinds:
        assert isinstance(file, Listener) is is_listener
        assert isinstance(file, Connection) is not is_listener
        assert file.stat().file_type is FileType.SOCKET


def test_both_directions(ends: tuple[ConnectionFile, socket.socket]) -> None:
    connection, client = ends
    client.sendall(b"hello")
    assert connection.receive(9, peek=True) == b"hello"
    assert connection.receive(2) == b"he"
    assert connection.read(9) == b"llo"
    assert connection.write(memoryview(b"answer")) == 6
    assert client.recv(9) == b"answer"


@pytest.mark.parametrize(("reading", "writing"), [(True, False), (False, True), (True, True)])
def test_shutting_down(ends: tuple[ConnectionFile, socket.socket], reading: bool, writing: bool) -> None:
    connection, client = ends
    connection.shutdown(reading=reading, writing=writing)
    if reading:
        assert connection.read(1) == b""
    if writing:
        assert client.recv(1) == b""
        with pytest.raises(BrokenPipeError):
            connection.write(b"x")


def test_shutting_down_nothing(ends: tuple[ConnectionFile, socket.socket]) -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        ends[0].shutdown(reading=False, writing=False)
    assert number_of(caught) == errno.EINVAL


@pytest.mark.skipif(sys.platform == "win32", reason="Windows waits")
def test_sending_does_not_wait_for_room(ends: tuple[ConnectionFile, socket.socket]) -> None:
    connection, _ = ends
    data = bytes(1 << 20)
    with pytest.raises(BlockingIOError):
        all(iter(lambda: connection.write(data), 0))


def test_a_default_timeout_of_the_process_does_not_count(listener: ListenerFile) -> None:
    before = socket.getdefaulttimeout()
    with socket.create_connection(address(listener)):
        socket.setdefaulttimeout(5)
        try:
            connection: Any = listener.accept()
        finally:
            socket.setdefaulttimeout(before)
        timeout = connection._socket.gettimeout()
        connection.close()
    assert timeout is None


@pytest.mark.skipif(sys.platform == "win32", reason="sockets have no descriptors there")
def test_some_descriptors_are_kept_for_the_host(listener: ListenerFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int) -> int:
        socket.close(fd)
        raise OSError(errno.EMFILE, "few left")

    monkeypatch.setattr("wazero_core.system.sockets.keep_some_for_host", refuse)
    with socket.create_connection(address(listener), timeout=10) as client:
        with pytest.raises(OSError, match="few left"):
            listener.accept()
        assert client.recv(1) == b""
    assert host_file.KEPT_FOR_HOST > 0


# Listening


def test_a_socket_of_the_caller_is_not_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mine:
        file, is_owned = listen(mine)
        assert (file.fileno(), is_owned) == (mine.fileno(), False)


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError) as caught:  # noqa: PT011
        listen(TcpAddress("127.0.0.1", other.getsockname()[1]))
    assert number_of(caught) == errno.EADDRINUSE


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "no..name", "[::1"])
def test_an_address_of_somebody_else(host: str) -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # which one is up to the system
        listen(TcpAddress(host, 0))
    assert str(caught.value.strerror).startswith(f"cannot listen at {host}:0: ")


@pytest.mark.parametrize("host", ["localhost", ""])
def test_names(host: str) -> None:
    file, _ = listen(TcpAddress(host, 0))
    file.close()


# In a context


def test_listeners_come_after_the_standard_streams_in_order() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mine:
        system = SystemContext(listeners=(TcpAddress("127.0.0.1", 0), mine))
        made, given = system.files[3].file, system.files[4].file
        assert isinstance(made, ListenerFile)
        where = address(made)
        assert given.fileno() == mine.fileno()
        assert system.files[3].can_wait
        system.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(where, timeout=10)
        socket.create_connection(mine.getsockname(), timeout=10).close()


def test_a_listener_that_fails_closes_those_before_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as probe:
            free = probe.getsockname()[1]
        with pytest.raises(OSError):  # noqa: PT011  # another test says which
            SystemContext(listeners=(TcpAddress("127.0.0.1", free), TcpAddress("127.0.0.1", taken)))
        socket.create_server(("127.0.0.1", free)).close()


def test_a_full_table_leaves_no_listener_behind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        SystemContext(listeners=(TcpAddress("127.0.0.1", free),), max_open_files=3)
    assert number_of(caught) == errno.EMFILE
    socket.create_server(("127.0.0.1", free)).close()


def test_reading_and_writing_a_listener_does_not_wait() -> None:
    system = SystemContext(listeners=(TcpAddress("127.0.0.1", 0),))
    start = time.monotonic()
    for operation in (lambda: system.read(system.files[3], 1), lambda: system.write(system.files[3], b"x")):
        with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
            operation()
        assert number_of(caught) == errno.EBADF
    assert time.monotonic() - start < 5
    system.close()
