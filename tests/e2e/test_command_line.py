"""The command line as people use it: the real program, in a process of its own."""

from __future__ import annotations

import json
import shutil
import sqlite3
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Receipt
from hub.demo.retailer import NEW_YORK

if TYPE_CHECKING:
    from tests.e2e.conftest import House

RECEIPTS = [entry for entry in till.day(NEW_YORK, seed=3) if isinstance(entry, Receipt)]
ORDER = next(iter(shop.orders(1, seed=3)))
FIRST = "/".join(RECEIPTS[0].key)
REPORT_KEYS = ["messages", "applied", "duplicates", "held", "flagged", "totals", "problems"]


def _day(*transactions: bytes) -> bytes:
    return b"".join(poslog_writer.document(transactions, dialect="v2"))


@pytest.fixture
def played(house: House) -> House:
    """A house with a day in which one sale lost its total, and an order with its refund."""
    sales = [poslog_writer.transaction(receipt) for receipt in RECEIPTS]
    house.send("poslog", _day(*sales[:-1], poslog_writer.without_total(RECEIPTS[-1])), "day.xml")
    house.send("shopify", shop_writer.order(ORDER), "order.json")
    house.send("shopify", shop_writer.refund(shop.refund(ORDER)), "refund.json")
    return house


def _json(house: House, *args: str | Path, status: int = 0) -> Any:
    done = house.lynchpin(*args, "--json")
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_init_makes_a_home_once_and_changes_nothing_after(house: House) -> None:
    shutil.rmtree(house.home)
    first, settings = house.lynchpin("init"), house.home / "lynchpin.toml"
    settings.write_text(settings.read_text() + "\n# mine\n")
    kept = settings.read_bytes()
    second = house.lynchpin("init")
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.startswith("made")
    assert second.stdout.startswith("ready")
    assert settings.read_bytes() == kept


def test_receive_reports_one_json_object_and_makes_its_own_home(house: House) -> None:
    shutil.rmtree(house.home)
    report = _json(
        house, "receive", "poslog", house.file(_day(*map(poslog_writer.transaction, RECEIPTS)))
    )
    assert [key for key in report if key in REPORT_KEYS] == REPORT_KEYS
    assert set(report) - set(REPORT_KEYS) == {"stale", "refused", "recovered"}
    assert report["totals"] == {"USD": str(sum(receipt.total for receipt in RECEIPTS))}
    assert report["messages"] == report["applied"] == len(RECEIPTS)


def test_receive_ends_with_1_only_where_something_was_refused(house: House) -> None:
    broken = house.file(_day(poslog_writer.without_total(RECEIPTS[0])))
    assert house.lynchpin("receive", "poslog", broken).returncode == 0
    assert house.lynchpin("receive", "poslog", house.file(b"")).returncode == 1


def test_messages_are_found_and_shown(played: House) -> None:
    [held] = _json(played, "message", "find", "--state", "held")
    [found] = _json(played, "message", "find", FIRST)
    masked = _json(played, "message", "show", str(found["id"]))
    shown = _json(played, "message", "show", str(found["id"]), "--reveal", "a test")
    assert (held["file"], held["code"]) == ("day.xml", "LP-MAP-102")
    assert found["fact"] == f"poslog:{FIRST}"
    assert shown["payload"].encode() == poslog_writer.transaction(RECEIPTS[0])
    assert {**masked, "payload": shown["payload"]} == shown
    assert "payload" not in masked
    assert (shown["state"], shown["file"]) == ("applied", "day.xml")
    assert played.lynchpin("message", "show", "999999").returncode == 2


def test_a_hold_says_what_to_do_and_is_discarded_with_a_reason(played: House) -> None:
    [number] = played.holds()
    [row] = _json(played, "hold", "list")
    problem = _json(played, "hold", "show", str(number))
    assert row["problem"] == problem
    assert problem["next_step"] in played.lynchpin("hold", "show", str(number)).stdout
    assert _json(played, "hold", "release", str(number), status=1) == {
        "states": {str(number): "held"}
    }
    assert played.lynchpin("hold", "discard", str(number), "--reason", "a test").returncode == 0
    assert played.holds() == {}
    assert played.lynchpin("hold", "discard", str(number), "--reason", "again").returncode == 2


def test_what_is_held_for_one_thing_is_released_at_once(house: House) -> None:
    orders = [json.loads(shop_writer.order(each)) for each in shop.orders(5, seed=3)]
    for order in orders[:3]:
        order["total_price"] = "much"
    del orders[3]["updated_at"]
    house.send("shopify", "\n".join(map(json.dumps, orders)).encode())
    numbers = sorted(house.holds())
    groups = _json(house, "hold", "list", "--groups")
    assert [group["messages"] for group in groups] == [3, 1]
    assert [group["path"] for group in groups] == ["total_price", "updated_at"]
    assert groups[0]["group"] in house.lynchpin("hold", "list", "--groups").stdout
    many, one = (group["group"] for group in groups)
    released = _json(house, "hold", "release", "--group", many, status=1)["states"]
    assert released == {str(number): "held" for number in numbers[:3]}
    gone = house.lynchpin("hold", "discard", "--group", many, "--reason", "a test")
    assert "discarded 3" in gone.stdout
    assert sorted(house.holds()) == numbers[3:]
    for wrong in (["--group", many], ["--group", one, "17"], []):
        assert house.lynchpin("hold", "release", *wrong).returncode == 2
    assert sorted(house.holds()) == numbers[3:]


def test_messages_are_found_by_what_they_carry(played: House) -> None:
    [number] = played.holds()
    found = _json(played, "message", "find", "--state", "held", "--since", "1h")
    assert [row["id"] for row in found] == [number]
    store, workstation, date, sequence = FIRST.split("/")
    till_ = ("--store", store, "--workstation", workstation, "--date", date)
    [row] = _json(played, "message", "find", *till_, "--sequence", sequence)
    assert row["fact"] == f"poslog:{FIRST}"
    assert _json(played, "message", "find", *till_, "--sequence", sequence, "--until", "1h") == []
    assert played.lynchpin("message", "find", "--since", "soon").returncode == 2


def test_a_hold_is_released_after_its_cure(house: House) -> None:
    sale = poslog_writer.transaction(RECEIPTS[0]).replace(b"<Description>", b"<Description>\xe4", 1)
    house.send("poslog", _day(sale))
    [number] = house.holds()
    settings = house.home / "lynchpin.toml"
    cure = '[sources.poslog]\noptions = { encoding = "latin-1" }'
    settings.write_text(settings.read_text().replace("[sources.poslog]", cure))
    assert _json(house, "hold", "release", str(number)) == {"states": {str(number): "applied"}}
    described = [line.get("description", "") for line in house.show(FIRST).body["lines"]]
    assert any(text.startswith("ä") for text in described)


def test_a_conflict_is_held_until_a_person_lets_it_stand(house: House) -> None:
    sale = poslog_writer.transaction(RECEIPTS[0])
    other = sale.replace(b"<Quantity>", b"<Quantity>1", 1)
    house.send("poslog", _day(sale))
    before = house.export()
    [problem] = house.send("poslog", _day(other)).problems
    [number] = house.holds()
    assert (problem.code, problem.path) == ("LP-HUB-020", f"poslog:{FIRST}")
    _json(house, "hold", "release", str(number), status=1)
    assert house.export() == before
    assert _json(house, "hold", "release", str(number), "--replace")["states"] == {
        str(number): "applied"
    }
    assert house.export() != before
    assert house.show(FIRST).message_id == number
    assert house.send("poslog", _day(other)).duplicates == 1


def test_transactions_are_found_and_shown(played: House) -> None:
    rows = _json(played, "transaction", "find", "--workstation", RECEIPTS[0].till)
    expected = [r.sequence for r in RECEIPTS[:-1] if r.till == RECEIPTS[0].till]
    assert [row["sequence_number"] for row in rows] == sorted(expected)
    shown = _json(played, "transaction", "show", FIRST)
    assert shown["body"]["total"] == str(RECEIPTS[0].total)
    assert played.lynchpin("transaction", "show", "no-such").returncode == 2


def test_orders_are_found_by_number_and_id_with_their_refund(played: House) -> None:
    [row] = _json(played, "order", "find", f"#{ORDER.number}")
    by_number = _json(played, "order", "show", f"#{ORDER.number}")
    assert row["fact"] == by_number["fact"] == f"shopify:order/{ORDER.id}"
    assert by_number == _json(played, "order", "show", str(ORDER.id))
    assert [link["kind"] for link in by_number["by"]] == ["reversal"]


@pytest.mark.parametrize(
    ("name", "path", "source", "sent"),
    [
        (f"#{ORDER.number}", "total", "total_price", str(ORDER.total)),
        (f"#{ORDER.number}", "lines[0].id", "line_items[0].id", str(ORDER.lines[0].id)),
        (FIRST, "workstation", "WorkstationID", RECEIPTS[0].till),
    ],
)
def test_explain_names_message_path_rule_and_version(
    played: House, name: str, path: str, source: str, sent: str
) -> None:
    [origin] = _json(played, "explain", name, path)
    assert (origin["path"], origin["source"], str(origin["sent"])) == (path, source, sent)
    assert origin["message_id"] == played.show(name).message_id
    assert origin["version"]
    file = Path(__file__).resolve().parents[2] / "mappings" / origin["mapping"]
    assert path.rsplit(".", maxsplit=1)[-1] in file.read_text().splitlines()[origin["line"] - 1]
    text = played.lynchpin("explain", name, path).stdout
    assert f"{origin['mapping']}:{origin['line']}" in text
    assert played.lynchpin("explain", name, "no.such.path").returncode == 2


def test_export_of_two_homes_is_the_same_in_any_order_of_arrival(
    fresh: Callable[[], House], played: House
) -> None:
    other = fresh()
    other.send("shopify", shop_writer.refund(shop.refund(ORDER)), "x")
    for receipt in reversed(RECEIPTS[:-1]):
        other.send("poslog", _day(poslog_writer.transaction(receipt)), "y")
    other.send("shopify", shop_writer.order(ORDER), "z")
    one, two = played.lynchpin("export"), other.lynchpin("export")
    assert one.stdout == two.stdout
    lines = [json.loads(line) for line in one.stdout.splitlines()]
    assert {frozenset(line) - {"flags", "version"} for line in lines} == {
        frozenset({"kind", "model", "fact", "document"})
    }
    assert [(line["kind"], line["fact"]) for line in lines] == sorted(
        (line["kind"], line["fact"]) for line in lines
    )
    [only] = played.lynchpin("export", "Reversal").stdout.splitlines()
    assert only == next(t for t in one.stdout.splitlines() if '"Reversal"' in t)


def test_reference_data_is_loaded(house: House) -> None:
    tables = {
        "locations": b"system,store,zone,currency\nposlog,9001,America/New_York,USD\n",
        "workstations": b"system,store,workstation\nposlog,9001,1\n",
        "items": b"item,gtin\nSAMPLE-001,9520000000019\n",
    }
    for what, content in tables.items():
        file = house.file(content, f"{what}.csv")
        assert house.lynchpin("load", what, file).stdout.startswith("added 1, changed 0")
        assert house.lynchpin("load", what, file).stdout.startswith("added 0, changed 0")
    wrong = house.lynchpin("load", "locations", house.file(b"system,store\n", "wrong.csv"))
    assert wrong.returncode == 2
    assert "LP-CFG-031" in wrong.stderr


def test_the_doctor_ends_with_1_where_somebody_should_act(house: House, played: House) -> None:
    assert house is played
    findings = _json(played, "doctor", status=1)
    assert [finding["what"] for finding in findings if not finding["well"]] == ["holds"]
    [number] = played.holds()
    played.lynchpin("hold", "discard", str(number), "--reason", "a test")
    assert played.lynchpin("doctor").returncode == 0


def test_a_home_that_is_not_there_is_named(house: House) -> None:
    shutil.rmtree(house.home)
    done = house.lynchpin("export")
    assert done.returncode == 2
    assert "LP-CFG-001" in done.stderr
    assert done.stdout == ""


def test_a_receipt_that_never_came_is_a_gap(house: House) -> None:
    mine = [receipt for receipt in RECEIPTS if receipt.till == RECEIPTS[0].till]
    numbers = sorted(int(receipt.key[3]) for receipt in mine)
    lost = next(r for r in mine if int(r.key[3]) == numbers[1])
    others = [poslog_writer.transaction(receipt) for receipt in mine if receipt is not lost]
    house.send("poslog", _day(*others), "day.xml")
    (store, workstation, day, number) = lost.key
    gaps = _json(house, "store", "gaps", "--store", store)
    found = [gap for gap in gaps if gap["first"] <= int(number) <= gap["last"]]
    assert [(g["workstation"], g["business_date"]) for g in found] == [(workstation, day)]
    house.send("poslog", _day(poslog_writer.transaction(lost)), "late.xml")
    left = _json(house, "store", "gaps", "--store", store)
    assert not [gap for gap in left if gap["first"] <= int(number) <= gap["last"]]
    assert _json(house, "store", "gaps", "--since", "2999-01-01") == []
    assert _json(house, "store", "list") == []


def test_deliveries_are_listed_and_decided(house: House) -> None:
    settings = house.home / "lynchpin.toml"
    secret = f"whsec_{b64encode(bytes(32)).decode()}"
    settings.write_text(
        f"{settings.read_text()}\n[destinations.crm]\n"
        f'url = "https://crm.example.org/in"\nsecrets = ["{secret}"]\n'
    )
    house.send("shopify", shop_writer.order(ORDER), "order.json")
    [waiting] = _json(house, "delivery", "list", "--destination", "crm")
    [crm] = _json(house, "delivery", "status")
    assert (waiting["state"], crm["name"], crm["waiting"]) == ("waiting", "crm", 1)
    number = str(waiting["id"])
    assert _json(house, "delivery", "retry", number) == {"count": 1}
    assert _json(house, "delivery", "discard", number, "--reason", "a test") == {"count": 1}
    assert house.lynchpin("delivery", "retry", number).returncode == 2
    assert _json(house, "delivery", "list") == []
    [gone] = _json(house, "delivery", "list", "--state", "discarded")
    assert gone["id"] == waiting["id"]
    assert "crm" in house.lynchpin("delivery", "status").stdout
    for wrong in (("list", "--state", "lost"), ("retry",), ("retry", "1", "--destination", "crm")):
        assert house.lynchpin("delivery", *wrong).returncode == 2


def test_the_journal_is_weighed_and_learned_from(played: House) -> None:
    weighed = {row["source"]: row for row in _json(played, "journal", "stats")}
    assert weighed["poslog"]["messages"] == len(RECEIPTS)
    assert weighed["poslog"]["gain"] is None
    nothing = {"samples": 0, "gain": None, "used": False}
    for more in ((), ("--dry-run",)):
        found = _json(played, "journal", "train", "--source", "poslog", *more)
        assert found == [{"source": "poslog", **nothing}]
    assert played.lynchpin("journal", "train", "--source", "none").returncode == 2


def test_what_messages_said_is_removed_when_its_days_are_over(played: House) -> None:
    assert _json(played, "journal", "sweep", "--yes") == {"due": 0, "removed": 0}
    database = sqlite3.connect(played.home / "lynchpin.db")
    with database:
        database.execute("UPDATE record SET received_at = '2020-01-01T00:00:00.000000Z'")
    database.close()
    due = len(RECEIPTS) + 2 - len(played.holds())
    assert _json(played, "journal", "sweep", "--dry-run") == {"due": due, "removed": 0}
    assert played.lynchpin("journal", "sweep").returncode != 0
    assert _json(played, "journal", "sweep", "--yes") == {"due": due, "removed": due}
    [found] = _json(played, "message", "find", FIRST)
    assert _json(played, "message", "show", str(found["id"]))["removed_at"] is not None
    asked = played.lynchpin("message", "show", str(found["id"]), "--reveal", "a test")
    assert (asked.returncode, "LP-HUB-025" in asked.stderr) == (2, True)
    assert sum(row["removed"] for row in _json(played, "journal", "stats")) == due


def test_a_message_is_redacted_for_good(house: House) -> None:
    house.send("shopify", shop_writer.order(ORDER), "order.json")
    for wrong in ((), ("--message", "1", "--person", "x"), ("--message", "99", "--yes")):
        assert house.lynchpin("journal", "redact", *wrong, "--reason", "a test").returncode == 2
    assert house.lynchpin("journal", "redact", "--message", "1", "--reason", "x").returncode == 1
    done = _json(house, "journal", "redact", "--message", "1", "--reason", "a test", "--yes")
    assert done == {"documents": 1, "rewritten": 1, "removed": 0}
    [found] = _json(house, "message", "find")
    assert _json(house, "message", "show", str(found["id"]))["state"] == "applied"
