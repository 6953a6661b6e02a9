"""sock_accept, sock_recv, sock_send, sock_shutdown, and what else can be done with their files."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from wazero_core.runtime.module_config import ModuleConfig

LISTENER, CONNECTION = 3, 4
NON_BLOCK = 4
PEEK, WAIT_ALL = 1, 2
RECEIVING, SENDING = 1, 2
CLOCK, FD_READ, FD_WRITE = range(3)
BIG = 16 << 20
"""More than the system keeps for a reader that does not read."""


class Server:
    """A guest with a listener, and what it does with connections."""

    def __init__(self, guest: Any, address: Any) -> None:
        self.guest = guest
        self.address = address
        self.clients: list[socket.socket] = []

    def connect(self) -> socket.socket:
        """A new client, which the guest has not accepted yet."""
        self.clients.append(socket.create_connection(self.address, timeout=10))
        return self.clients[-1]

    def accept(self, flags: int = 0) -> tuple[str, int]:
        result = self.guest.alloc(4)
        errno = self.guest.call("sock_accept", LISTENER, flags, result)
        return errno, self.guest.u32(result)

    def receive(self, *sizes: int, flags: int = 0, fd: int = CONNECTION) -> tuple[str, bytes]:
        guest = self.guest
        buffers = [(guest.alloc(size), size) for size in sizes]
        size, out_flags = guest.put(b"\xaa" * 4), guest.put(b"\xaa" * 4)
        errno = guest.call("sock_recv", fd, *guest.iovecs(*buffers), flags, size, out_flags)
        if errno != "ESUCCESS":
            return errno, b""
        assert guest.data(out_flags, 4) == b"\0\0\xaa\xaa"
        return errno, b"".join(guest.data(*buffer) for buffer in buffers)[: guest.u32(size)]

    def send(self, *parts: bytes, fd: int = CONNECTION) -> tuple[str, int]:
        guest = self.guest
        result = guest.alloc(4)
        vector = guest.iovecs(*((guest.put(part), len(part)) for part in parts))
        return guest.call("sock_send", fd, *vector, 0, result), guest.u32(result)

    def shutdown(self, how: int, fd: int = CONNECTION) -> str:
        errno: str = self.guest.call("sock_shutdown", fd, how)
        return errno

    def set_flags(self, fd: int, flags: int) -> None:
        assert self.guest.call("fd_fdstat_set_flags", fd, flags) == "ESUCCESS"

    def flags(self, fd: int) -> int:
        result = self.guest.alloc(24)
        assert self.guest.call("fd_fdstat_get", fd, result) == "ESUCCESS"
        assert self.guest.data(result, 1) == b"\6"  # a stream socket
        return int.from_bytes(self.guest.data(result + 2, 2), "little")

    def wait_for_input(self, fd: int = CONNECTION) -> int:
        """What the guest would do first; the number of bytes that are there."""
        ((_, errno, _, size, _),) = self.poll((1, FD_READ, fd))
        assert errno == 0
        return size

    def poll(self, *subscriptions: tuple[int, int, int]) -> list[tuple[int, int, int, int, int]]:
        """Events of (user data, tag, descriptor or nanoseconds)."""
        guest = self.guest
        raw = b"".join(
            struct.pack("<QB7xI4xQ16x", userdata, tag, 1, what)
            if tag == CLOCK
            else struct.pack("<QB7xI28x", userdata, tag, what)
            for userdata, tag, what in subscriptions
        )
        events, result = guest.alloc(32 * len(subscriptions)), guest.alloc(4)
        assert guest.call("poll_oneoff", guest.put(raw), events, len(subscriptions), result) == "ESUCCESS"
        return [struct.unpack("<QHB5xQH6x", guest.data(events + 32 * i, 32)) for i in range(guest.u32(result))]


@pytest.fixture
def server(new_guest: Any) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = ModuleConfig().with_listener(listener).with_stdin(b"x")
        made = Server(new_guest(config), listener.getsockname())
        yield made
        for client in made.clients:
            client.close()


@pytest.fixture
def client(server: Server) -> socket.socket:
    """The other end of `CONNECTION`."""
    made = server.connect()
    assert server.accept() == ("ESUCCESS", CONNECTION)
    return made


# Accepting


def test_connections_are_accepted_in_their_order(server: Server) -> None:
    for number in range(3):
        server.connect().sendall(b"%d" % number)
    for number in range(3):
        assert server.accept() == ("ESUCCESS", CONNECTION + number)
        assert server.receive(9, fd=CONNECTION + number) == ("ESUCCESS", b"%d" % number)


def test_accepting_waits_for_a_client(server: Server) -> None:
    timer = threading.Timer(0.02, server.connect)
    timer.start()
    assert server.accept() == ("ESUCCESS", CONNECTION)
    timer.join()


def test_a_listener_that_does_not_wait(server: Server) -> None:
    server.set_flags(LISTENER, NON_BLOCK)
    assert server.flags(LISTENER) == NON_BLOCK
    assert server.accept()[0] == "EAGAIN"
    server.connect()
    server.wait_for_input(LISTENER)
    assert server.accept() == ("ESUCCESS", CONNECTION)
    assert server.flags(CONNECTION) == 0


def test_a_connection_can_be_accepted_as_one_that_does_not_wait(server: Server) -> None:
    client = server.connect()
    assert server.accept(NON_BLOCK) == ("ESUCCESS", CONNECTION)
    assert server.flags(CONNECTION) == NON_BLOCK
    assert server.receive(9)[0] == "EAGAIN"
    assert server.guest.read(CONNECTION, 9)[0] == "EAGAIN"
    client.sendall(b"x")
    server.wait_for_input()
    assert server.receive(9) == ("ESUCCESS", b"x")


@pytest.mark.parametrize("flags", [1, 2, 8, 16, 5, 32, 0xFFFFFFFF])
def test_flags_that_no_connection_can_have(server: Server, flags: int) -> None:
    server.connect()
    assert server.accept(flags)[0] == "EINVAL"
    assert server.accept() == ("ESUCCESS", CONNECTION)  # nothing was lost


def test_a_full_table_leaves_the_connection_where_it_is(new_guest: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(
            new_guest(ModuleConfig().with_listener(listener).with_max_open_files(4)), listener.getsockname()
        )
        with server.connect() as client:
            assert server.accept()[0] == "EMFILE"
            assert server.guest.call("fd_close", 0) == "ESUCCESS"
            assert server.accept() == ("ESUCCESS", 0)
            client.sendall(b"x")
            assert server.receive(1, fd=0) == ("ESUCCESS", b"x")


def test_an_address_outside_memory_accepts_nothing(server: Server) -> None:
    server.connect()
    assert server.guest.call("sock_accept", LISTENER, 0, (1 << 16) - 3) == "EFAULT"
    assert server.accept() == ("ESUCCESS", CONNECTION)


# Receiving


def test_what_is_there_is_received(server: Server, client: socket.socket) -> None:
    client.sendall(b"hello world")
    assert server.wait_for_input() == 11
    assert server.receive(5) == ("ESUCCESS", b"hello")
    assert server.receive(1, 0, 100) == ("ESUCCESS", b" world")


def test_peeking_takes_nothing_away(server: Server, client: socket.socket) -> None:
    client.sendall(b"hello")
    server.wait_for_input()
    for _ in range(2):
        assert server.receive(9, flags=PEEK) == ("ESUCCESS", b"hello")
    assert server.receive(2, flags=PEEK | WAIT_ALL) == ("ESUCCESS", b"he")
    assert server.receive(9, flags=PEEK | WAIT_ALL) == ("ESUCCESS", b"hello")
    assert server.receive(9) == ("ESUCCESS", b"hello")


def test_waiting_for_all(server: Server, client: socket.socket) -> None:
    client.sendall(b"one")
    server.wait_for_input()
    timer = threading.Timer(0.02, client.sendall, (b" two three",))
    timer.start()
    assert server.receive(4, 3, flags=WAIT_ALL) == ("ESUCCESS", b"one two")
    timer.join()


def test_waiting_for_all_ends_with_the_stream(server: Server, client: socket.socket) -> None:
    client.sendall(b"all")
    client.close()
    assert server.receive(100, flags=WAIT_ALL) == ("ESUCCESS", b"all")
    assert server.receive(100, flags=WAIT_ALL) == ("ESUCCESS", b"")


def test_waiting_for_all_loses_nothing_where_it_must_not_wait(server: Server, client: socket.socket) -> None:
    server.set_flags(CONNECTION, NON_BLOCK)
    client.sendall(b"some")
    server.wait_for_input()
    assert server.receive(100, flags=WAIT_ALL) == ("ESUCCESS", b"some")
    assert server.receive(100, flags=WAIT_ALL)[0] == "EAGAIN"


@pytest.mark.parametrize("flags", [4, 8, 7, 0xFFFF, 0xFFFFFFFF])
def test_flags_that_do_not_exist(server: Server, client: socket.socket, flags: int) -> None:
    client.sendall(b"x")
    assert server.receive(9, flags=flags)[0] == "EINVAL"
    assert server.receive(9) == ("ESUCCESS", b"x")


def test_receiving_nothing_does_not_wait(server: Server, client: socket.socket) -> None:
    for flags in (0, PEEK, WAIT_ALL):
        assert server.receive(0, flags=flags) == ("ESUCCESS", b"")
    assert server.guest.read(CONNECTION, 0) == ("ESUCCESS", b"")
    assert server.send(b"") == ("ESUCCESS", 0)


@pytest.mark.parametrize(("size", "flags"), [((1 << 16) - 3, 0), (0, (1 << 16) - 1), (0xFFFFFFFF, 0), (0, 0xFFFFFFFF)])
def test_results_outside_memory_receive_nothing(server: Server, client: socket.socket, size: int, flags: int) -> None:
    client.sendall(b"x")
    vector = server.guest.iovecs((server.guest.alloc(4), 4))
    assert server.guest.call("sock_recv", CONNECTION, *vector, 0, size, flags) == "EFAULT"
    assert server.receive(9) == ("ESUCCESS", b"x")


# Sending


def test_sending(server: Server, client: socket.socket) -> None:
    assert server.send(b"one", b"", b" two") == ("ESUCCESS", 7)
    assert client.recv(100) == b"one two"


@pytest.mark.parametrize("flags", [1, 0xFFFF])
def test_there_are_no_flags_for_sending(server: Server, client: socket.socket, flags: int) -> None:
    vector = server.guest.iovecs((server.guest.put(b"x"), 1))
    assert server.guest.call("sock_send", CONNECTION, *vector, flags, 0) == "EINVAL"


@pytest.mark.parametrize("name", ["sock_send", "fd_write"])
def test_more_than_the_system_takes_is_sent_in_part(server: Server, client: socket.socket, name: str) -> None:
    """One call does not wait for a reader to read it all, and one for which there is no room says so, if asked to."""
    guest = server.guest
    guest.memory.buffer = memoryview(bytearray(BIG))
    server.set_flags(CONNECTION, NON_BLOCK)
    vector, result = guest.iovecs((0, BIG)), guest.alloc(4)
    args = (CONNECTION, *vector, 0, result) if name == "sock_send" else (CONNECTION, *vector, result)
    sent = 0
    while (errno := guest.call(name, *args)) == "ESUCCESS":
        assert 0 < guest.u32(result) < BIG
        sent += guest.u32(result)
    assert errno == "EAGAIN"
    client.settimeout(0.05)
    received = 0
    try:
        while received < sent:
            received += len(client.recv(1 << 20))
    finally:
        assert received == sent


# Files


def test_reading_and_writing_as_files(server: Server, client: socket.socket) -> None:
    client.sendall(b"to the guest")
    assert server.guest.read(CONNECTION, 6, 100) == ("ESUCCESS", b"to the guest")
    assert server.guest.write(CONNECTION, b"to ", b"the client") == ("ESUCCESS", 13)
    assert client.recv(100) == b"to the client"
    client.close()
    assert server.guest.read(CONNECTION, 100) == ("ESUCCESS", b"")


def test_sockets_have_no_positions_and_no_sizes(server: Server, client: socket.socket) -> None:
    guest = server.guest
    for fd in (LISTENER, CONNECTION):
        assert guest.call("fd_seek", fd, 0, 0, 0) == "ESPIPE"
        assert guest.call("fd_tell", fd, 0) == "ESPIPE"
        assert guest.call("fd_filestat_set_size", fd, 0) == "EINVAL"
        assert guest.call("fd_readdir", fd, 0, 8, 0, 0) == "ENOTDIR"
        assert guest.call("fd_prestat_get", fd, 0) == "EBADF"
        filestat = guest.alloc(64)
        assert guest.call("fd_filestat_get", fd, filestat) == "ESUCCESS"
        assert guest.data(filestat + 16, 1) == b"\6"


def test_closing_a_connection_tells_the_client(server: Server, client: socket.socket) -> None:
    assert server.guest.call("fd_close", CONNECTION) == "ESUCCESS"
    assert client.recv(1) == b""
    assert server.receive(1)[0] == "EBADF"


# Ends


def test_a_client_that_is_done(server: Server, client: socket.socket) -> None:
    client.sendall(b"last")
    client.shutdown(socket.SHUT_WR)
    assert server.receive(2) == ("ESUCCESS", b"la")
    assert server.receive(9) == ("ESUCCESS", b"st")
    assert server.receive(9) == ("ESUCCESS", b"")
    assert server.send(b"answer") == ("ESUCCESS", 6)
    assert client.recv(9) == b"answer"


def test_a_client_that_is_gone(server: Server, client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()  # now with a reset
    end = time.monotonic() + 10
    while (errno := server.send(b"x")[0]) == "ESUCCESS":
        assert time.monotonic() < end
    assert errno in {"ECONNRESET", "EPIPE"}
    assert server.send(b"x")[0] == "EPIPE"
    assert server.guest.write(CONNECTION, b"x")[0] == "EPIPE"


@pytest.mark.parametrize("how", [SENDING, RECEIVING | SENDING])
def test_the_client_sees_the_end_of_what_is_sent(server: Server, client: socket.socket, how: int) -> None:
    server.send(b"last")
    assert server.shutdown(how) == "ESUCCESS"
    assert client.recv(9) == b"last"
    assert client.recv(9) == b""
    assert server.send(b"x")[0] == "EPIPE"


def test_receiving_can_be_ended(server: Server, client: socket.socket) -> None:
    assert server.shutdown(RECEIVING) == "ESUCCESS"
    assert server.receive(9) == ("ESUCCESS", b"")
    assert server.send(b"x") == ("ESUCCESS", 1)


@pytest.mark.parametrize("how", [0, 4, 7, 0xFF, 0xFFFFFFFF])
def test_ways_to_end_that_do_not_exist(server: Server, client: socket.socket, how: int) -> None:
    assert server.shutdown(how) == "EINVAL"
    assert server.send(b"x") == ("ESUCCESS", 1)


# The wrong kind of file

WRONG = [
    # function, expected of: nothing, a stream, a listener, a connection
    ("sock_accept", ["EBADF", "ENOTSOCK", None, "EINVAL"]),
    ("sock_recv", ["EBADF", "ENOTSOCK", "ENOTCONN", None]),
    ("sock_send", ["EBADF", "ENOTSOCK", "ENOTCONN", None]),
    ("sock_shutdown", ["EBADF", "ENOTSOCK", "ENOTCONN", None]),
]


@pytest.mark.parametrize(
    ("name", "fd", "expected"),
    [
        pytest.param(name, fd, errno, id=f"{name} {fd}")
        for name, expected in WRONG
        for fd, errno in zip((99, 0, LISTENER, CONNECTION), expected, strict=True)
        if errno
    ],
)
def test_the_wrong_kind_of_file(server: Server, client: socket.socket, name: str, fd: int, expected: str) -> None:
    function = server.guest.functions[name]
    assert server.guest.call(name, fd, *[0] * (len(function.type.params) - 1)) == expected


def test_a_listener_is_no_stream(server: Server) -> None:
    assert server.guest.write(LISTENER, b"x")[0] == "EBADF"
    server.connect()
    server.wait_for_input(LISTENER)
    assert server.guest.read(LISTENER, 1)[0] == "EBADF"


def test_a_socket_that_does_not_listen(new_guest: Any) -> None:
    """Given by mistake: the guest hears of it, and does not wait for ever."""
    with socket.socket() as idle:
        guest = new_guest(ModuleConfig().with_listener(idle))
        assert guest.call("sock_accept", LISTENER, 0, 0) == "EINVAL"


# Polling


def test_polling_a_listener_a_connection_and_a_clock(server: Server, client: socket.socket) -> None:
    everything = ((1, FD_READ, LISTENER), (2, FD_READ, CONNECTION), (3, CLOCK, 10_000_000_000))
    server.connect()
    assert server.poll(*everything) == [(1, 0, FD_READ, 1, 0)]
    assert server.accept() == ("ESUCCESS", CONNECTION + 1)
    client.sendall(b"hello")
    assert server.poll(*everything) == [(2, 0, FD_READ, 5, 0)]
    assert server.receive(9) == ("ESUCCESS", b"hello")
    assert server.poll(*everything[:2], (3, CLOCK, 1_000_000)) == [(3, 0, CLOCK, 0, 0)]
    assert server.poll(*everything, (4, FD_WRITE, CONNECTION)) == [(4, 0, FD_WRITE, 0, 0)]


def test_both_directions_of_one_connection(server: Server, client: socket.socket) -> None:
    both = ((1, FD_READ, CONNECTION), (2, FD_WRITE, CONNECTION))
    assert server.poll(*both) == [(2, 0, FD_WRITE, 0, 0)]
    client.sendall(b"xyz")
    server.wait_for_input()
    assert server.poll(*both) == [(1, 0, FD_READ, 3, 0), (2, 0, FD_WRITE, 0, 0)]


def test_the_end_of_a_connection_is_something_to_read(server: Server, client: socket.socket) -> None:
    client.close()
    ((userdata, errno, tag, size, _),) = server.poll((1, FD_READ, CONNECTION))
    assert (userdata, errno, tag, size) == (1, 0, FD_READ, 0)
    assert server.receive(9) == ("ESUCCESS", b"")
