"""The command line's way to a hub that runs, where the hub is in trouble."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.api import body
from hub.cli import call, there
from hub.cli.there import There, connected
from hub.demo import poslog_writer
from hub.running import Running
from hub.writer import Writer
from schemas.problem import Denied, Refused, Rejected, Unavailable

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving


def _way(serving: Serving, role: str = "operator") -> There:
    found = connected(Running(0, f"http://127.0.0.1:{serving.port}", serving.keys[role]))
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def _here(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LYNCHPIN_HOME", str(serving.hub.home.path))


def test_the_command_line_knows_what_a_hub_takes() -> None:
    assert there.HTTP_BYTES_MAX == body.BODY_BYTES_MAX
    assert body.FULL.code == call._FULL_CODE


def test_who_does_not_answer_is_no_way_to_a_hub() -> None:
    assert connected(Running(0, "http://127.0.0.1:9", "lp_x_y")) is None


def test_a_hub_that_is_full_is_asked_again_and_gets_the_whole_file(
    serving: Serving, tmp_path: Path
) -> None:
    file = tmp_path / "sale.xml"
    file.write_bytes(poslog_writer.sale(0, seed=3))
    budget = serving.app.state.served.budget
    room, budget.left = budget.left, 0
    turned_away, done = threading.Event(), threading.Event()

    def make_room() -> None:
        while not done.wait(0.01):
            if 'status="503"' in serving.call("operator", "GET", "/metrics").text:
                turned_away.set()
                budget.left = room
                return

    helper = threading.Thread(target=make_room)
    helper.start()
    try:
        with _way(serving) as hub:
            report = hub.receive("poslog", [file], lambda count: None)
    finally:
        done.set()
        helper.join()
    assert turned_away.is_set()
    assert (report.messages, report.applied) == (1, 1)
    assert serving.count("record") == 1


def test_a_hub_whose_database_fails_is_not_waited_for(
    serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is settled any more, and the hub says that it is unwell."""
    file = tmp_path / "sale.xml"
    file.write_bytes(poslog_writer.sale(0, seed=3))
    monkeypatch.setattr(Writer, "_settle", lambda *_: time.sleep(0.01))
    serving.writer.trouble = True

    def keep_in_trouble() -> None:
        # A transaction that goes well ends the trouble; the next one would find it again.
        while not done.wait(0.01):
            serving.writer.trouble = True

    done = threading.Event()
    helper = threading.Thread(target=keep_in_trouble)
    helper.start()
    try:
        with _way(serving) as hub, pytest.raises(Unavailable, match="LP-HUB-041"):
            hub.receive("poslog", [file], lambda count: None)
    finally:
        done.set()
        helper.join()


def test_errors_come_back_as_what_they_were(serving: Serving, tmp_path: Path) -> None:
    with _way(serving) as hub:
        with pytest.raises(Rejected, match="LP-HUB-006"):
            hub.discard([1], reason="test")
        with pytest.raises(Refused, match="LP-HUB-001"):
            hub.create_key("till", "source", sources=["nowhere"], stores=[], destinations=[])
        with pytest.raises(Refused, match="LP-KEY-003"):
            hub.create_key("till", "source", sources=[], stores=[], destinations=[])
        with pytest.raises(Rejected, match="LP-HUB-004"):
            hub.payload(1, reveal="test")
        file = tmp_path / "täg.csv"
        file.write_text("a,b\n")
        with pytest.raises(Refused, match="LP-CFG-031") as refused:
            hub.load("items", file)
        assert refused.value.problem.file == "täg.csv"
    with _way(serving, "reader") as hub, pytest.raises(Denied, match="LP-KEY-002"):
        hub.revoke_key("1")
    serving.writer.close()
    with _way(serving) as hub, pytest.raises(Unavailable, match="LP-HUB-040"):
        list(hub.export(()))
