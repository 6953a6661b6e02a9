"""fetch over TLS. The server's certificate is made by the command openssl, where that is installed."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gojs.http_server import SECONDS, Server, serving
from wazero_gojs import http_round_tripper

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and its certificate, for localhost."""
    folder = tmp_path_factory.mktemp("certificate")
    options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    command = [str(OPENSSL), *options.split(), "-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "certificate.pem").read_bytes())
    return both


@pytest.fixture
def secure(certificate: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(lambda listening: context.wrap_socket(listening, server_side=True)) as made:
        yield made


@pytest.fixture
def url(secure: Server) -> str:
    return secure.url.replace("http://127.0.0.1", "https://localhost")


@pytest.fixture
def world(new_world: Callable[[Any], Any], certificate: Path) -> Any:
    return new_world(http_round_tripper(ssl_context=ssl.create_default_context(cafile=certificate)))


def test_a_request(world: Any, url: str) -> None:
    assert world.run(f'fetch("{url}/hello").then((r) => r.text())') == "hello you"
    assert world.run(f'fetch("{url}/big").then((r) => r.arrayBuffer()).then((b) => b.byteLength)') == 1 << 20


def test_a_certificate_that_nobody_vouches_for(new_world: Callable[[Any], Any], url: str) -> None:
    found = new_world(http_round_tripper()).run(f'fetch("{url}/hello")')
    assert found.startswith("threw TypeError: fetch failed (SSLCertVerificationError: ")


@pytest.mark.parametrize("path", ["silent", "stalled", "endless"])
def test_closing_ends_threads_and_connections(world: Any, secure: Server, url: str, path: str) -> None:
    world.start(f'fetch("{url}/{path}").then((r) => r.text())')
    world.turn_until(lambda: bool(secure.log))
    world.close()  # the fixture looks at the threads
    assert secure.gone.wait(SECONDS), "the connection is still open"


def test_closing_while_the_server_says_nothing_of_tls(world: Any, server: Server) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        world.start(f'fetch("https://localhost:{silent.getsockname()[1]}/")')
        silent.settimeout(0)
        accepted: list[socket.socket] = []

        def accept() -> bool:
            try:
                accepted.append(silent.accept()[0])
            except BlockingIOError:
                return False
            return True

        world.turn_until(accept)
        world.close()
        accepted[0].close()
