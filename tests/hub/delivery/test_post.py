"""One attempt, over real connections: where it goes, what it believes, and when it gives up."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.delivery import exchange as exchanging
from hub.delivery.post import FORBIDDEN, Answer, post
from hub.egress import USUAL, Egress
from hub.settings import Destination
from tests.hub.delivery.conftest import SECRET
from tests.hub.delivery.receiver import Receiver, receiving

HEADERS = {"webhook-id": "msg_1"}


def destination(url: str, *, private: bool = True, seconds: float = 15) -> Destination:
    return Destination(
        url=url, secrets=(SecretStr(SECRET),), allow_private=private, timeout_seconds=seconds
    )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def test_a_body_arrives_as_it_is(receiver: Receiver) -> None:
    assert post(destination(receiver.url), HEADERS, b'{"a":1}') == Answer(204)
    (call,) = receiver.calls
    assert (call.path, call.body, call.id) == ("/in", b'{"a":1}', "msg_1")
    assert call.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving() as other:
        receiver.reply = lambda call: (307, {"Location": other.url})
        assert post(destination(receiver.url), HEADERS, b"{}").status == 307
    assert other.calls == []


def test_the_connection_goes_to_what_was_looked_at(receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        # A second question would be answered otherwise: nobody listens there.
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    to = destination(f"http://crm.example.org:{receiver.port}/in")
    assert post(to, HEADERS, b"{}", resolve).status == 204
    assert asked == ["crm.example.org"]
    assert receiver.calls[0].headers["host"] == f"crm.example.org:{receiver.port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_nothing_is_sent_into_our_own_network(receiver: Receiver, host: str) -> None:
    to = destination(f"https://{host}:{receiver.port}/in", private=False)
    egress = Egress(ports=frozenset({receiver.port}))
    assert post(to, HEADERS, b"{}", egress=egress) == Answer(failure=FORBIDDEN)
    assert receiver.calls == []


def test_only_what_the_house_permits_is_connected_to_outside(receiver: Receiver) -> None:
    asked: list[int] = []

    def outside(host: str, port: int) -> list[str]:
        # Nobody listens there.
        asked.append(port)
        return ["192.0.2.1"] if port == 8443 else ["192.88.99.1"]

    def sent(port: int, *ports: int) -> Answer:
        to = destination(f"https://crm.example.org:{port}/in", private=False, seconds=0.1)
        egress = Egress(ports=frozenset(ports)) if ports else USUAL
        return post(to, HEADERS, b"{}", outside, egress)

    assert sent(5432) == sent(443, 9443) == Answer(failure=FORBIDDEN)
    assert asked == []
    sent(443)
    sent(8443)
    sent(9443, 9443)
    assert asked == [443, 8443, 9443]
    # Our own, where a person said so, at any port.
    assert post(destination(receiver.url), HEADERS, b"{}").status == 204


@contextmanager
def proxying(
    to: int, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n"
) -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that connects to this port whatever it is asked; and what it was asked."""
    heads: list[bytes] = []

    def serve(server: socket.socket) -> None:
        with server.accept()[0] as line, socket.create_connection(("127.0.0.1", to)) as other:
            heads.append(line.recv(4096))
            line.sendall(answer)
            pumps = [
                threading.Thread(target=pump, args=pair) for pair in ((line, other), (other, line))
            ]
            for each in pumps:
                each.start()
            for each in pumps:
                each.join()

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heads
        thread.join()


def unresolved(host: str, port: int) -> list[str]:
    raise AssertionError(host)


def test_a_proxy_of_the_house_is_asked_to_connect(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(exchanging, "_context", lambda: mine)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    to = destination("https://crm.example.org/in", private=False)
    with receiving(context) as receiver, proxying(receiver.port) as (proxy, heads):
        answer = post(to, HEADERS, b"{}", unresolved, Egress(proxy=proxy))
    assert answer.status == 204
    assert heads[0].startswith(b"CONNECT crm.example.org:443 HTTP/1.1\r\n")
    assert receiver.calls[0].headers["host"] == "crm.example.org"


def test_what_the_proxy_does_not_want_is_a_failure(receiver: Receiver) -> None:
    refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    to = destination("https://crm.example.org/in", private=False)
    with proxying(receiver.port, refused) as (proxy, _):
        answer = post(to, HEADERS, b"{}", unresolved, Egress(proxy=proxy))
    assert answer == Answer(failure="no answer (ConnectionRefusedError)")
    assert receiver.calls == []


def test_a_number_in_our_own_network_is_not_asked_of_the_proxy() -> None:
    to = destination("https://169.254.169.254/latest", private=False)
    answer = post(to, HEADERS, b"{}", unresolved, Egress(proxy="http://127.0.0.1:9"))
    assert answer == Answer(failure=FORBIDDEN)


def test_our_own_are_reached_without_the_proxy(receiver: Receiver) -> None:
    egress = Egress(proxy="http://127.0.0.1:9")
    assert post(destination(receiver.url), HEADERS, b"{}", egress=egress).status == 204


def test_no_proxy_of_the_environment_is_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert post(destination(receiver.url), HEADERS, b"{}").status == 204
    assert proxy.calls == []


def test_a_long_answer_is_not_read_to_its_end(receiver: Receiver) -> None:
    receiver.reply = lambda call: 503
    receiver.body = b"planted" * 4_000_000
    assert post(destination(receiver.url), HEADERS, b"{}") == Answer(503)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    answer = post(destination(f"http://127.0.0.1:{port}/"), HEADERS, b"{}")
    assert answer == Answer(failure="no answer (ConnectionRefusedError)")


def test_who_answers_a_byte_at_a_time_is_cut_off() -> None:
    over = threading.Event()

    def drip(server: socket.socket) -> None:
        line, _ = server.accept()
        with line:
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000:
                if over.wait(0.05):
                    return
                try:
                    line.send(bytes([byte]))
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        to = destination(f"http://127.0.0.1:{server.getsockname()[1]}/", seconds=0.4)
        answer = post(to, HEADERS, b"{}")
        over.set()
        thread.join()
    assert answer.status is None
    assert answer.failure


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of crm.example.org that vouches for itself, and its key."""
    file = tmp_path_factory.mktemp("tls") / "crm.pem"
    subprocess.run(
        [
            *[
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ],
            *("-subj", "/CN=crm", "-addext", "subjectAltName=DNS:crm.example.org"),
            *("-keyout", str(file), "-out", str(file.with_suffix(".crt"))),
        ],
        check=True,
        capture_output=True,
    )
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


@pytest.mark.parametrize(
    ("host", "trusted", "status"),
    [
        ("crm.example.org", "ours", 204),
        ("other.example.org", "ours", None),
        ("crm.example.org", "others", None),
    ],
)
def test_the_certificate_must_be_that_of_the_name(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str, trusted: str, status: int | None
) -> None:
    mine = ssl.create_default_context(cafile=str(certificate) if trusted == "ours" else None)
    monkeypatch.setattr(exchanging, "_context", lambda: mine)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    names: list[str | None] = []
    context.sni_callback = lambda line, name, context: names.append(name)
    with receiving(context) as receiver:
        to = destination(f"https://{host}:{receiver.port}/in")
        assert post(to, HEADERS, b"{}", here).status == status
    assert names == [host]
    assert len(receiver.calls) == (status is not None)
