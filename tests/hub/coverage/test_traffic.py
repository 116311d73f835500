"""``lynchpin map cover`` over a journal that real receipts came into, in a home of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from connectors import registry
from hub import bootstrap
from hub.cli import main
from hub.home import Home
from hub.receive import receive
from hub.store.tables import record
from tests import homes

pytestmark = pytest.mark.databases

SAMPLES = registry.folder("poslog") / "samples"
SALE = (SAMPLES / "v2-cash-sale-with-change.xml").read_text("utf-8")
Run = Callable[..., tuple[int, str]]


def _sale(number: int, *, extra: str = "", tender: str = "Cash") -> bytes:
    text = SALE.replace('TenderType="Cash"', f'TenderType="{tender}"')
    head, sequence, rest = text.partition("<SequenceNumber>")
    digits = rest.index("<")
    return f"{head}{extra}{sequence}{number}{rest[digits:]}".encode()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = homes.made(tmp_path / "home")
    with bootstrap.open_hub(home) as hub:
        for number, record_bytes in enumerate(
            (
                _sale(9001),
                _sale(9002, extra="<TillDrawer>Ann 12</TillDrawer>", tender="Twint"),
                _sale(9003, extra="<TillDrawer>B</TillDrawer>", tender="Twint"),
                _sale(9001),
            )
        ):
            path = tmp_path / f"{number}.xml"
            path.write_bytes(record_bytes)
            receive(hub, "poslog", [path])
        with hub.engine.begin() as connection:
            old = update(record).where(record.c.id == 3).values(received_at="2001-01-01T00:00:00Z")
            connection.execute(old)
    return home


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("LYNCHPIN_HOME", str(home.path))
        monkeypatch.setattr(sys, "argv", ["lynchpin", "map", "cover", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), capsys.readouterr().out

    return run


def _said(run: Run, *arguments: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(run("poslog.retail", "--json", *arguments)[1])
    return said


def test_what_arrived_and_nobody_reads_is_told_masked(run: Run) -> None:
    said = _said(run)
    assert (said["messages"], said["documents"]) == (3, 3)
    assert said["unread"] == [
        {"path": "TillDrawer", "shape": "aaa 99", "messages": 2, "first": 2, "last": 3}
    ]
    assert said["codes"] == [
        {"table": "tender", "code": "Twint", "messages": 2, "first": 2, "last": 3}
    ]
    assert "Ann" not in json.dumps(said)


def test_the_window_limits_what_is_read(run: Run) -> None:
    assert _said(run, "--since", "7d")["messages"] == 2
    assert _said(run, "--since", "2001-01-02")["messages"] == 2
    assert _said(run, "--since", "1999-12-31")["messages"] == 3
    assert _said(run, "--source", "poslog")["messages"] == 3
    assert _said(run, "--source", "shopify")["messages"] == 0


@pytest.mark.parametrize("wrong", ["7", "d", "7y", "0d", "2031-13-01", "yesterday"])
def test_a_window_that_is_none_is_refused(run: Run, wrong: str) -> None:
    assert run("poslog.retail", "--since", wrong)[0] == 2


def test_required_targets_come_first_with_their_share(run: Run) -> None:
    filled = _said(run)["filled"]
    assert filled[0] == {"target": "store", "required": True, "filled": 3, "of": 3}
    assert {"target": "note", "required": False, "filled": 0, "of": 3} in filled


def test_a_file_is_measured_in_place_of_what_is_in_force(run: Run, tmp_path: Path) -> None:
    text = registry.mapping_text("poslog", "retail")[0]
    text = text.replace("ignore:\n", "ignore:\n  - TillDrawer\n", 1)
    text = text.replace("tender: {Cash: cash,", "tender: {Cash: cash, Twint: mobile,")
    own = tmp_path / "own.yaml"
    own.write_text(text)
    said = json.loads(run(str(own), "--json")[1])
    assert (said["documents"], said["unread"], said["codes"]) == (3, [], [])


def test_strict_is_an_error_where_anything_is_undecided(run: Run, tmp_path: Path) -> None:
    assert run("poslog.retail", "--strict")[0] == 1
    assert run("poslog.retail")[0] == 0
    assert run("shopify.refund", "--strict")[0] == 0
    text = registry.mapping_text("shopify", "customer")[0]
    own = tmp_path / "own.yaml"
    own.write_text(text.replace("  born_on:", "  # born_on:", 1))
    assert run(str(own), "--strict")[0] == 1
    assert run(str(own))[0] == 0


def test_the_tables_say_what_to_do(run: Run) -> None:
    _, text = run("poslog.retail")
    assert "TillDrawer" in text
    assert "write a rule that reads it, or add the path to `ignore`" in text
    assert "add the code to its table under `codes`" in text
    assert "never true" in text
    assert "100.0 %" in text
    assert "Ann" not in text


def test_without_a_name_every_mapping_in_force_is_told(run: Run) -> None:
    said = json.loads(run("--json")[1])
    assert {"poslog.retail", "shopify.order", "twilio.call"} <= {each["mapping"] for each in said}
