"""Where a hub says that it runs, and who is believed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import bootstrap, keys, running
from hub.home import Home
from hub.keys import COMMAND_LINE, Key
from hub.writer import Writer, writing
from schemas.problem import Denied
from tests import homes


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return homes.made(tmp_path / "home")


@pytest.fixture
def writer(home: Home) -> Iterator[Writer]:
    with bootstrap.open_hub(home) as hub, writing(hub) as made:
        yield made


def _known(writer: Writer, text: str) -> Key:
    return writer.submit(lambda connection: keys.recognised(connection, text)).result()


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8470"),
        ("0.0.0.0", "http://127.0.0.1:8470"),
        ("192.0.2.7", "http://192.0.2.7:8470"),
        ("::", "http://[::1]:8470"),
        ("::1", "http://[::1]:8470"),
        ("2001:db8::7", "http://[2001:db8::7]:8470"),
    ],
)
def test_a_hub_is_found_where_this_machine_reaches_it(
    home: Home, writer: Writer, host: str, address: str
) -> None:
    with running.announced(writer, host, 8470):
        found = running.find(home)
        assert found is not None
        assert (found.address, found.process) == (address, os.getpid())
        key = _known(writer, found.key)
        assert (key.name, key.role, key.stores) == (COMMAND_LINE, "operator", ())
    assert running.find(home) is None
    with pytest.raises(Denied):
        _known(writer, found.key)


def test_the_key_is_shown_to_nobody_who_prints_it(home: Home, writer: Writer) -> None:
    with running.announced(writer, "127.0.0.1", 8470):
        found = running.find(home)
    assert found is not None
    assert found.key not in repr(found)


@pytest.mark.parametrize("said", ["", "{", "[]", "{}", "null", '{"process": 1}', '"text"', "\xff"])
def test_what_is_no_announcement_finds_nothing(home: Home, writer: Writer, said: str) -> None:
    (home.path / "running.json").write_bytes(said.encode("latin-1"))
    assert running.find(home) is None


def test_only_who_holds_the_home_is_believed(home: Home, writer: Writer) -> None:
    with running.announced(writer, "127.0.0.1", 8470):
        file = home.path / "running.json"
        said = json.loads(file.read_bytes())
        file.write_text(json.dumps({**said, "process": said["process"] + 1}))
        assert running.find(home) is None
        file.write_text(json.dumps(said))
        assert running.find(home) is not None


def test_nobody_is_believed_once_the_home_is_free(home: Home) -> None:
    with (
        bootstrap.open_hub(home) as hub,
        writing(hub) as writer,
        running.announced(writer, "127.0.0.1", 8470),
    ):
        said = (home.path / "running.json").read_bytes()
    (home.path / "running.json").write_bytes(said)
    assert running.find(home) is None


def test_keys_of_runs_that_were_killed_end_when_the_next_one_starts(writer: Writer) -> None:
    _, left = writer.submit(
        lambda connection: keys.create(
            connection, COMMAND_LINE, "operator", actor="hub", now=writer.hub.now()
        )
    ).result()
    _, other = writer.submit(
        lambda connection: keys.create(
            connection, "someone", "operator", actor="test", now=writer.hub.now()
        )
    ).result()
    with running.announced(writer, "127.0.0.1", 8470):
        assert _known(writer, other).name == "someone"
        with pytest.raises(Denied):
            _known(writer, left)


@pytest.mark.parametrize(
    ("name", "user", "actor"),
    [
        (COMMAND_LINE, "ann", "key 1 command line, ann"),
        (COMMAND_LINE, "", "key 1 command line"),
        (COMMAND_LINE, "a\nb\x1b[1m" + "x" * 99, "key 1 command line, ab[1m" + "x" * 59),
        ("tills", "ann", "key 1 tills"),
        ("command line ", "ann", "key 1 command line "),
    ],
)
def test_only_the_command_line_says_on_whose_behalf_it_calls(
    name: str, user: str, actor: str
) -> None:
    key = Key("1", name, "operator", (), (), "now")
    assert key.on_behalf_of(user).actor == actor
