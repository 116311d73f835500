"""The command line beside a hub that runs: it finds it, waits for it, and says when it is gone."""

from __future__ import annotations

import getpass
import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from hub import running
from hub.cli.there import HTTP_BYTES_MAX
from hub.demo import poslog_writer
from hub.home import Home
from hub.watchdog import EXIT_STATUS

if TYPE_CHECKING:
    from tests.e2e.conftest import House

from tests.e2e.furnished import furnish, select

PROGRAM = Path(sys.executable).with_name("lynchpin")
HOLDER = """
import sys
from pathlib import Path
from hub.demo import poslog_writer
from hub.home import Home
from hub.watchdog import EXIT_STATUS
from hub.lock import hold
home = Home(Path(sys.argv[1]))
sys.argv = ["lynchpin", *sys.argv[2:]]
with hold(home):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def furnished(house: House) -> House:
    return furnish(house)


def _announcement(house: House) -> dict[str, str]:
    said: dict[str, str] = json.loads((house.home / "running.json").read_text())
    return said


def _status(address: str, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    with httpx2.Client(base_url=address, headers=headers, trust_env=False) as client:
        return client.get("/keys").status_code


def _receive(house: House, *names: str) -> subprocess.CompletedProcess[str]:
    inbox = house.folder / "inbox"
    return house.lynchpin("receive", "poslog", *(inbox / name for name in names), "--json")


def test_it_says_where_it_is_to_its_own_user_and_only_while_it_runs(house: House) -> None:
    with house.up() as up:
        said = _announcement(house)
        assert said["address"] == up.url
        assert stat.S_IMODE((house.home / "running.json").stat().st_mode) == 0o600
        assert _status(up.url, said["key"]) == 200
        up.process.terminate()
        assert up.process.wait() == 0
    assert not (house.home / "running.json").exists()
    assert select(house, "SELECT count(*) FROM api_key WHERE revoked_at IS NULL") == [(0,)]
    with house.up() as up:
        assert _status(up.url, said["key"]) == 401
        assert _status(up.url, _announcement(house)["key"]) == 200


def test_what_a_killed_hub_said_is_not_believed(furnished: House) -> None:
    with furnished.up() as up:
        up.process.kill()
        up.process.wait()
    said = _announcement(furnished)
    # Whoever takes its port and waits for its key gets neither call nor key.
    with _listening(int(said["address"].rpartition(":")[2])) as heard:
        done = _receive(furnished, "again.xml")
        assert (done.returncode, json.loads(done.stdout)["duplicates"]) == (0, 1)
        with _holding(furnished, "receive"):
            assert running.find(Home(furnished.home)) is None
        assert not heard
    with furnished.up() as up:
        assert _status(up.url, said["key"]) == 401
        assert _receive(furnished, "again.xml").returncode == 0


@contextmanager
def _listening(port: int) -> Iterator[list[bytes]]:
    """Somebody else at this port, and what was sent there."""
    heard: list[bytes] = []

    def listen(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                heard.append(connection.recv(65536))

    with socket.create_server(("127.0.0.1", port)) as server:
        thread = threading.Thread(target=listen, args=(server,))
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def _holding(house: House, command: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the home until it reads a line, as if it ran this command."""
    arguments = [sys.executable, "-c", HOLDER, str(house.home), command]
    root = Path(__file__).resolve().parents[2]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, cwd=root, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


def _started(house: House, *arguments: str | Path) -> subprocess.Popen[str]:
    """A command under way."""
    return subprocess.Popen(
        [PROGRAM, *arguments],
        env={**os.environ, "LYNCHPIN_HOME": str(house.home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_command_waits_for_a_hub_that_is_starting(
    furnished: House, fresh: Callable[[], House]
) -> None:
    """It has the home and does not say yet where it is. Here another hub answers in its stead, so
    that it can be seen who was asked.
    """
    file, other = furnished.folder / "inbox" / "again.xml", fresh()
    with _holding(furnished, "up") as starting, other.up():
        with _started(furnished, "receive", "poslog", file, "--json") as command:
            with pytest.raises(subprocess.TimeoutExpired):
                command.wait(timeout=3)
            said = {**_announcement(other), "process": starting.pid}
            (furnished.home / "running.json").write_text(json.dumps(said))
            told, complaint = command.communicate()
        assert command.returncode == 0, complaint
    assert json.loads(told)["applied"] == 1
    assert other.rows()["message"] == 1


def test_a_command_waits_for_a_hub_that_is_ending(furnished: House) -> None:
    """It takes no more calls, but finishes what it has: here a sender that is slow."""
    key = furnished.key("source", "--source", "poslog")
    with furnished.up() as up:
        slow = socket.create_connection(("127.0.0.1", up.port))
        with slow:
            head = (
                "POST /sources/poslog/records HTTP/1.1\r\nHost: hub\r\n"
                f"Authorization: Bearer {key}\r\nContent-Length: 20\r\n"
                "Expect: 100-continue\r\n\r\n"
            )
            slow.sendall(head.encode())
            # It has begun to take the body: a call that it has not heard of it need not finish.
            assert slow.recv(100).startswith(b"HTTP/1.1 100")
            slow.sendall(b"0123456789")
            up.process.terminate()
            while _connects(up.port):
                pass
            file = furnished.folder / "inbox" / "again.xml"
            with _started(furnished, "receive", "poslog", file, "--json") as command:
                slow.sendall(b"0123456789")
                told, complaint = command.communicate()
        assert up.process.wait() == 0
    assert command.returncode == 0, complaint
    assert json.loads(told)["duplicates"] == 1


def _connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        # It was closed while this call waited to be let in.
        return True
    return True


def test_a_hub_that_dies_under_a_command_is_said(furnished: House) -> None:
    pipe = furnished.folder / "inbox" / "pipe"
    os.mkfifo(pipe)
    with furnished.up() as up, _started(furnished, "receive", "poslog", pipe) as command:
        # It opens its end once it sends, so by now it has asked the hub.
        with pipe.open("wb", buffering=0) as sending, suppress(BrokenPipeError):
            up.process.kill()
            up.process.wait()
            while True:
                sending.write(bytes(65536))
        _, complaint = command.communicate()
    assert command.returncode == 2
    assert "LP-CLI-002" in complaint


def test_two_commands_at_once_are_both_done(furnished: House) -> None:
    files = [("many.xml",), ("again.xml", "held.xml")]
    with furnished.up(), ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda names: _receive(furnished, *names), files))
    assert [each.returncode for each in done] == [0, 0]
    many, few = (json.loads(each.stdout) for each in done)
    assert (many["messages"], many["applied"]) == (450, 450)
    assert (few["messages"], few["duplicates"], few["held"]) == (2, 1, 1)


def test_a_file_that_is_too_large_for_a_hub_is_refused_and_the_others_go_on(
    furnished: House,
) -> None:
    large = furnished.file(b"", "large.xml")
    os.truncate(large, HTTP_BYTES_MAX + 1)
    with furnished.up():
        done = _receive(furnished, "large.xml", "again.xml")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert (told["refused"], told["duplicates"]) == (1, 1)
    (problem,) = told["problems"]
    assert (problem["code"], problem["file"]) == ("LP-CLI-001", "large.xml")


def test_a_key_that_somebody_ended_is_said(furnished: House) -> None:
    with furnished.up():
        said = _announcement(furnished)
        number = said["key"].split("_")[1]
        assert furnished.lynchpin("key", "revoke", number).returncode == 0
        done = furnished.lynchpin("key", "revoke", number)
    assert done.returncode == 2
    assert "LP-CLI-003" in done.stderr
    assert said["key"] not in done.stderr + done.stdout


def test_only_the_command_line_is_believed_on_whose_behalf_it_calls(house: House) -> None:
    key = house.key("operator")
    with house.up() as up, up.calling(key) as client:
        liar = {"X-Lynchpin-Actor": "somebody-else"}
        assert client.get("/customers", params={"q": "nobody"}, headers=liar).status_code == 200
        assert house.lynchpin("customer", "find", "nobody").returncode == 0
    actors = [actor for (actor,) in select(house, "SELECT actor FROM audit WHERE act = 'read'")]
    assert len(actors) == 2
    assert actors[0].endswith(" operator")
    assert actors[1].endswith(f" command line, {getpass.getuser()}")


def test_what_it_keeps_for_the_command_line_is_one_row_in_the_list_of_keys(house: House) -> None:
    for _ in range(2):
        with house.up():
            pass
    with house.up():
        found = json.loads(house.lynchpin("key", "list", "--json").stdout)
    assert [(key["name"], key["revoked_at"]) for key in found] == [("command line", None)]


def test_a_hub_that_gets_no_further_ends_and_the_next_one_goes_on(house: House) -> None:
    """Somebody holds the database's lock while a record comes: nobody is told that it is kept."""
    key = house.key("source", "--source", "poslog")
    body = b"".join(poslog_writer.sales(2, seed=1))
    database = house.home / "lynchpin.db"

    def send(url: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {key}"}
        with httpx2.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
            return client.post("/sources/poslog/records", content=body)

    with (
        house.up(LYNCHPIN_WATCHDOG__STALL_SECONDS="1") as up,
        closing(sqlite3.connect(database, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(httpx2.TransportError):
            send(up.url)
        assert up.process.wait(60) == EXIT_STATUS
        assert [line["code"] for line in up.lines() if "code" in line] == ["LP-HUB-042"]
        other.execute("ROLLBACK")
    assert select(house, "SELECT count(*) FROM message") == [(0,)]
    with house.up() as up:
        assert send(up.url).is_success
    assert select(house, "SELECT count(*) FROM message") == [(2,)]
