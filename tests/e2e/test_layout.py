"""Files of a layout through a hub: received, held where they are broken, never a card number."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from connectors import registry
from hub import journal

if TYPE_CHECKING:
    from tests.e2e.conftest import House

SAMPLES = registry.folder("layout") / "samples"
DAY = (SAMPLES / "rtlog-13-day-with-controls.dat").read_bytes()
CARD_SALE = (SAMPLES / "rtlog-13-card-sale-of-three-decimals.dat").read_bytes()
NO_LUHN = b"4012888800001234"


def _documents(house: House) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for line in filter(None, house.export().splitlines()):
        one = json.loads(line)
        found.setdefault(one["kind"], []).append(one["document"])
    return found


def _sequences(house: House, kind: str) -> list[str]:
    return sorted(str(one["sequence"]) for one in _documents(house).get(kind, []))


def test_an_rtlog_is_received_and_exported(house: House) -> None:
    done = house.lynchpin("receive", "layout", house.file(DAY, "RTLOG_120_20310506.DAT"), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["applied"], report["held"], report["totals"]) == (7, 0, {"USD": "16.6000"})
    assert _sequences(house, "Transaction") == ["0000000003", "0000000005"]
    assert len(_sequences(house, "Control")) == 5


def test_a_broken_transaction_is_held_and_its_neighbours_apply(house: House) -> None:
    broken = DAY.replace(b"TEA-GREEN", b"TEA-GREE", 1)
    report = house.send("layout", broken, "RTLOG_120_20310506.DAT")
    assert (report.applied, report.held) == (6, 1)
    (problem,) = house.held()
    assert problem.code == "LP-LAY-101"
    assert problem.file == "RTLOG_120_20310506.DAT"
    assert problem.byte == broken.index(b"TITEM")
    assert problem.detail == "record 2 (titem) has 164 bytes, the layout rtlog-13 says 165"
    assert _sequences(house, "Transaction") == ["0000000005"]
    # The file as it should be: what was there already is a duplicate.
    report = house.send("layout", DAY)
    assert (report.applied, report.duplicates) == (1, 6)


def test_a_file_in_two_halves_and_one_sent_twice(house: House) -> None:
    house.send("layout", DAY[:777], "RTLOG_120.DAT")
    assert [problem.code for problem in house.held()] == ["LP-DOC-001"]
    house.send("layout", DAY[777:], "RTLOG_120.DAT")
    assert house.held() == []
    assert _sequences(house, "Transaction") == ["0000000003", "0000000005"]
    before = house.export()
    assert house.send("layout", DAY).applied == 0
    assert house.export() == before


def test_a_file_of_another_release_is_refused_and_nothing_kept(house: House) -> None:
    settings = house.home / "lynchpin.toml"
    chosen = 'connector = "layout"\noptions = { layout = "rtlog-16" }\n'
    settings.write_text(settings.read_text().replace('connector = "layout"\n', chosen))
    before = house.rows()
    report = house.send("layout", DAY)
    assert [problem.code for problem in report.problems] == ["LP-LAY-010"]
    assert {**house.rows(), **before} == house.rows()


def test_a_layout_of_ones_own_in_the_home(house: House) -> None:
    own = house.home / "layouts" / "ours.yaml"
    own.parent.mkdir()
    shipped = registry.folder("layout") / "layouts" / "rtlog-13.yaml"
    own.write_text(shipped.read_text("utf-8").replace("tag: TITEM", "tag: TPOSN"))
    settings = house.home / "lynchpin.toml"
    more = (
        '[sources.ours]\nconnector = "layout"\nsystem = "ours"\n'
        'options = { layout = "layouts/ours.yaml", constants = { currency = "CHF" } }\n'
    )
    settings.write_text(settings.read_text() + more)
    report = house.send("ours", DAY.replace(b"TITEM", b"TPOSN"))
    assert (report.applied, report.held) == (7, 0)
    assert {one["currency"] for one in _documents(house)["Transaction"]} == {"CHF"}
    own.write_text("layout: [\n")
    done = house.lynchpin("receive", "ours", house.file(DAY), "--json")
    assert done.returncode != 0
    assert "LP-LAY-001" in done.stdout + done.stderr


def test_no_card_number_in_its_field_reaches_the_disk(house: House) -> None:
    for card in (NO_LUHN, b"9990001112223   ", b"7139990001112223"):
        paid = CARD_SALE.replace(b"************0028", card)
        assert paid != CARD_SALE
        house.send("layout", paid)
        house.send("layout", paid.replace(b"A00817", b"A0081", 1))
        house.send("layout", paid[: paid.index(card) + 11])
        for content in _kept(house):
            assert card.strip() not in content
            assert card[:8] not in content


def _kept(house: House) -> list[bytes]:
    """All that lies in the home, packed payloads unpacked as well."""
    kept = [path.read_bytes() for path in house.home.rglob("*") if path.is_file()]
    database = f"{(house.home / 'lynchpin.db').as_uri()}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        for statement in (
            "SELECT payload FROM message",
            "SELECT rest_payload FROM record WHERE rest_payload IS NOT NULL",
        ):
            kept += [journal.decompress(row[0]) for row in connection.execute(statement)]
    return kept
