"""Replays in the real program: what Lynchpin itself fails on stays, and the rest goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.outside import CALLS, CODE, MAPPING, installed
from tests.e2e.conftest import ROOT

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from tests.e2e.conftest import House

FINE = '    return (Document("call", body),)\n'
LATER = {**CALLS["hidden-caller"], "caller": "+12025550199"}
"""The same call told otherwise: it comes in after the update, and is held for it."""
BUG = FINE.replace("    return", "    assert body['call'] != '7002'\n    return")
"""What an update of a connector brings: it fails on one call, in a way that nobody foresaw."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the connector of another author is installed, for every program that is run."""
    site = tmp_path / "site"
    installed(site)
    monkeypatch.setenv("PYTHONPATH", f"{site}:{ROOT}")
    return site


@pytest.fixture
def calls(site: Path, house: House) -> House:
    """A house that has taken in some calls by the mapping that is shipped."""
    settings = house.home / "lynchpin.toml"
    settings.write_text(f'{settings.read_text()}\n[sources.acme_calls]\nconnector = "acme_calls"\n')
    lines = "\n".join(map(json.dumps, CALLS.values()))
    done = house.lynchpin("receive", "acme_calls", house.file(lines.encode()))
    assert done.returncode == 0, done.stderr
    return house


def _updated(site: Path, old: str, new: str) -> None:
    assert CODE.count(old) == 1
    (site / "acme_calls" / "__init__.py").write_text(CODE.replace(old, new))


def _own(house: House, old: str, new: str) -> Path:
    """The mapping that is shipped with something else in it, and without its examples."""
    assert MAPPING.count(old) == 1
    text = MAPPING.partition("examples:")[0].replace(old, new)
    return house.file(text.encode(), "own.yaml")


def _published(house: House, file: Path, *options: str) -> None:
    done = house.lynchpin("map", "publish", file, *options)
    assert done.returncode == 0, done.stderr


def _replayed(house: House, *options: str) -> tuple[CompletedProcess[str], dict[str, Any]]:
    done = house.lynchpin("map", "replay", "acme_calls.call", "--json", *options)
    return done, json.loads(done.stdout or "{}")


def _kinds(house: House) -> dict[str, str]:
    rows = map(json.loads, house.export("Interaction").splitlines())
    return {row["document"]["id"]: row["document"]["kind"] for row in rows}


@pytest.mark.parametrize("way", ["here", "there"])
def test_a_call_on_which_an_update_fails_stays_and_the_others_go_on(
    site: Path, calls: House, way: str
) -> None:
    _published(calls, _own(calls, "= call", "= chat"))
    _updated(site, FINE, BUG)
    if way == "here":
        done, said = _replayed(calls)
    else:
        with calls.up() as up:
            done, said = _replayed(calls)
            logged = [line for line in up.lines() if line["logger"] == "lynchpin.jobs"]
        assert [(line["code"], line["message_id"]) for line in logged if "code" in line] == [
            ("LP-HUB-031", 2)
        ]
    assert done.returncode == 1
    assert (said["remade"], said["failed"]) == (2, 1)
    problem = said["problems"]["2"]
    assert problem["code"] == "LP-HUB-031"
    assert problem["detail"].startswith("AssertionError in decode")
    assert _kinds(calls) == {"7001": "chat", "7002": "call", "7003": "chat"}
    # Once it is mended, only that call is left.
    _updated(site, FINE, FINE)
    done, said = _replayed(calls)
    assert (done.returncode, said["remade"], said["failed"]) == (0, 1, 0)
    assert set(_kinds(calls).values()) == {"chat"}


def test_a_call_on_which_an_update_fails_stops_no_plan_and_no_coverage(
    site: Path, calls: House
) -> None:
    file = _own(calls, "= call", "= chat")
    _updated(site, FINE, BUG)
    held = calls.lynchpin("receive", "acme_calls", calls.file(json.dumps(LATER).encode()))
    assert "LP-HUB-030" in held.stdout
    planned = calls.lynchpin("map", "plan", file, "--json")
    assert planned.returncode == 0, planned.stderr
    said = json.loads(planned.stdout)
    counts = said["counts"]
    assert (counts["changed"], counts["still_failing"], counts["equal"]) == (2, 1, 0)
    ((code, message),) = ((f["code"], f["samples"][0]["message"]) for f in said["failures"])
    assert (code, message) == ("LP-HUB-030", 2)
    covered = calls.lynchpin("map", "cover", "acme_calls.call", "--json")
    assert covered.returncode == 0, covered.stderr
    assert json.loads(covered.stdout)["documents"] == 2


@pytest.fixture(params=["here", "there"])
def asked(request: pytest.FixtureRequest, calls: House) -> Iterator[House]:
    """A house with calls: its home is opened by each command, or a hub that is up is asked."""
    if request.param == "here":
        yield calls
    else:
        with calls.up():
            yield calls


def test_only_what_a_plan_found_affected_is_made_again(asked: House) -> None:
    file = _own(asked, "agent | own desk", "agent | prefix desk")
    planned = asked.lynchpin("map", "plan", file, "--json")
    plan = json.loads(planned.stdout)["id"]
    done, _ = _replayed(asked, "--plan", plan)
    assert (done.returncode, "LP-PLAN-004" in done.stderr) == (2, True)
    _published(asked, file, "--plan", plan)
    assert _replayed(asked, "--plan", plan, "--dry-run")[1]["affected"] == 1
    assert _replayed(asked, "--plan", plan)[1]["remade"] == 1
    assert _replayed(asked, "--plan", plan)[1]["remade"] == 0
    # The others still name the version that made them.
    assert _replayed(asked)[1]["remade"] == 2
    assert "LP-PLAN-001" in _replayed(asked, "--plan", "20310506-201500-3f1c0a")[0].stderr


def test_only_what_came_in_since_is_made_again(asked: House) -> None:
    _published(asked, _own(asked, "= call", "= chat"))
    assert _replayed(asked, "--since", "2999-01-01")[1]["remade"] == 0
    assert _replayed(asked, "--since", "1h", "--dry-run")[1]["affected"] == 3
    assert _replayed(asked, "--since", "1h")[1]["remade"] == 3
    for wrong in ("yesterday", "7y"):
        done, _ = _replayed(asked, "--since", wrong)
        assert (done.returncode, "as in 30m, 12h, 7d or 2w" in done.stderr) == (2, True)
