"""The demo as a house that is open: visitors at a second terminal, and its end."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import httpx2
import pytest

from tests.e2e.demo import Demo, lynchpin
from tests.processes import naming


def test_a_visitor_rings_up_calls_orders_cuts_a_link_and_decides(demo: Demo) -> None:
    with httpx2.Client(trust_env=False) as browser:
        assert browser.get(demo.link()).status_code < 400

    sale = demo.lynchpin("demo", "sale", "9001")
    assert "poslog:9001/7/2026-03-02/1" in sale.stdout, sale.stderr
    assert "at the hub" in sale.stdout
    shown = demo.lynchpin("transaction", "show", "poslog:9001/7/2026-03-02/1")
    assert shown.returncode == 0, shown.stderr
    for visit, fact in (("call", "twilio:call/"), ("order", "shopify:order/")):
        done = demo.lynchpin("demo", visit)
        assert fact in done.stdout, done.stderr
        assert "at the hub" in done.stdout
    person = json.loads(demo.lynchpin("customer", "show", "+1 212 555 0113", "--json").stdout)
    # Seven events of the day itself, and these three.
    assert person["documents"] == 10

    assert demo.lynchpin("demo", "break", "9001").returncode == 0
    waits = demo.lynchpin("demo", "sale", "9001")
    assert "waits in the store" in waits.stdout
    other = demo.lynchpin("demo", "sale", "0043")
    assert "at the hub" in other.stdout
    missing = demo.lynchpin("transaction", "show", "poslog:9001/7/2026-03-02/2")
    assert missing.returncode != 0
    mended = demo.lynchpin("demo", "mend", "9001")
    assert "Of 2 sales of yours, 2 have arrived" in mended.stdout, mended.stderr

    (hold,) = json.loads(demo.lynchpin("hold", "list", "--json").stdout)
    released = demo.lynchpin("hold", "release", str(hold["message_id"]), "--replace")
    assert released.returncode == 0, released.stdout + released.stderr
    assert json.loads(demo.lynchpin("hold", "list", "--json").stdout) == []

    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(30) == 0, demo.screen.read_text()
    assert naming(demo.folder) == []
    assert {each.name for each in demo.folder.parent.iterdir()} == {"screen", demo.folder.name}
    assert "LP-CLI-023" in demo.lynchpin("demo", "sale").stderr


def test_a_demo_whose_hub_is_gone_says_so_and_ends(demo: Demo) -> None:
    hub = int(json.loads((demo.folder / "hub" / "running.json").read_text())["process"])
    os.kill(hub, signal.SIGKILL)
    assert demo.process.wait(30) == 1
    assert "LP-CLI-022" in demo.screen.read_text()
    assert naming(demo.folder) == []


@pytest.mark.parametrize("program", ["up", "run"])
def test_a_program_that_does_not_start_is_named_and_nothing_runs_on(
    tmp_path: Path, program: str
) -> None:
    path = tmp_path / "path"
    path.mkdir()
    fails = f"import sys\nif {program!r} in sys.orig_argv: raise SystemExit('no room on the disk')"
    (path / "sitecustomize.py").write_text(fails)
    environ = {"TMPDIR": str(tmp_path), "PYTHONPATH": str(path)}
    done = lynchpin("demo", "--once", **environ)
    assert done.returncode == 1
    assert "LP-CLI-022" in done.stderr
    assert "no room on the disk" in done.stderr
    assert naming(tmp_path) == []


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    done = lynchpin("demo", "--home", tmp_path, "--once")
    assert (done.returncode, "LP-CLI-021" in done.stderr) == (2, True)
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
    done = lynchpin("demo", "--home", tmp_path / "mine" / "below", "--once")
    assert (done.returncode, "LP-CLI-021" in done.stderr) == (2, True)
