"""Bad input: held with its reason while its neighbours apply, or refused with nothing kept."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Receipt
from hub.demo.retailer import NEW_YORK

if TYPE_CHECKING:
    from tests.e2e.conftest import House

RECEIPTS = [entry for entry in till.day(NEW_YORK, seed=3) if isinstance(entry, Receipt)][:3]
FIRST, SECOND, THIRD = (poslog_writer.transaction(receipt) for receipt in RECEIPTS)
ORDERS = [shop_writer.order(order) for order in shop.orders(3, seed=3)]
DEPTH = 200_000
LARGE = 50 * 1024 * 1024
MEMORY_MB_MAX = 300


def _day(*transactions: bytes, declared: str = "") -> bytes:
    document = b"".join(poslog_writer.document(transactions, dialect="v2"))
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    return head.encode() + document


def _order(old: bytes, new: bytes) -> bytes:
    broken = re.sub(old, new, ORDERS[1], count=1)
    assert broken != ORDERS[1]
    return b"\n".join((ORDERS[0], broken, ORDERS[2]))


def _sale(old: bytes, new: bytes) -> bytes:
    broken = re.sub(old, new, SECOND, count=1)
    assert broken != SECOND
    return broken


@dataclass(frozen=True)
class Bad:
    """A record of three messages of which the middle one is bad, and what is to be said of it."""

    name: str
    source: str
    content: bytes
    code: str
    path: str | None = None
    at: bytes | None = None
    """What stands at the byte that is named."""
    value: str | None = None


_GRAND = rb'(<Total TotalType="TransactionGrandAmount">)[^<]*'
_TOTAL = "RetailTransaction.Total[@TotalType=TransactionGrandAmount]"
_PRICE = rb'"total_price":"[^"]*"'
HELD = [
    Bad(
        "truncated transaction",
        "poslog",
        _day(FIRST, poslog_writer.cut_short(RECEIPTS[1]), THIRD),
        "LP-DOC-001",
    ),
    Bad(
        "latin-1 byte in UTF-8",
        "poslog",
        _day(FIRST, _sale(rb"<Description>", b"<Description>\xe4"), THIRD),
        "LP-DOC-002",
        at=b"\xe4",
    ),
    Bad(
        "UTF-8 declared as ISO-8859-1",
        "poslog",
        _day(
            FIRST, _sale(rb"<Description>", "<Description>ä".encode()), THIRD, declared="ISO-8859-1"
        ),
        "LP-DOC-002",
        at="ä".encode(),
    ),
    Bad(
        "sale without total",
        "poslog",
        _day(FIRST, poslog_writer.without_total(RECEIPTS[1]), THIRD),
        "LP-MAP-102",
        path=_TOTAL,
    ),
    Bad(
        "total of NaN",
        "poslog",
        _day(FIRST, _sale(_GRAND, rb"\1NaN"), THIRD),
        "LP-MAP-101",
        path=_TOTAL,
        value="aaa",
    ),
    Bad(
        "line of Infinity",
        "poslog",
        _day(FIRST, _sale(rb"(<ExtendedAmount>)[^<]*", rb"\1-Infinity"), THIRD),
        "LP-MAP-101",
        path="RetailTransaction.LineItem[1].Sale.ExtendedAmount",
        value="-aaaaaaaa",
    ),
    Bad("JSON NaN", "shopify", _order(_PRICE, b'"total_price":NaN'), "LP-JSON-002", "total_price"),
    Bad(
        "NaN as text",
        "shopify",
        _order(_PRICE, b'"total_price":"NaN"'),
        "LP-MAP-101",
        path="total_price",
        value="aaa",
    ),
    Bad(
        "doubled key",
        "shopify",
        _order(b"(" + _PRICE + b")", rb'\1,"total_price":"0.01"'),
        "LP-JSON-001",
        path="total_price",
    ),
]


@pytest.mark.parametrize("bad", HELD, ids=lambda bad: bad.name)
def test_bad_message_is_held_with_its_reason_and_its_neighbours_apply(
    house: House, bad: Bad
) -> None:
    report = house.send(bad.source, bad.content, "bad-file")
    assert (report.messages, report.applied, report.held) == (3, 2, 1)
    [problem] = report.problems
    assert problem == house.held()[0]
    assert (problem.code, problem.path, problem.value) == (bad.code, bad.path, bad.value)
    assert problem.file == "bad-file"
    assert problem.next_step.endswith(".")
    middle = bad.content.find(SECOND[:200] if bad.source == "poslog" else ORDERS[1][:200])
    assert problem.byte is not None
    assert problem.byte >= middle > 0
    if bad.at is not None:
        assert bad.content[problem.byte :].startswith(bad.at)


def test_utf_8_declared_as_utf_16_is_held(house: House) -> None:
    report = house.send("poslog", _day(FIRST, SECOND, declared="UTF-16"))
    assert [problem.code for problem in report.problems] == ["LP-DOC-002", "LP-DOC-002"]


def test_a_held_message_sent_again_is_a_duplicate_of_itself(house: House) -> None:
    bad = HELD[0]
    house.send(bad.source, bad.content)
    report = house.send(bad.source, bad.content)
    assert (report.held, report.duplicates, len(house.held())) == (0, 3, 1)


def test_the_mended_message_applies_beside_the_held_one(house: House) -> None:
    house.send("poslog", _day(FIRST, poslog_writer.without_total(RECEIPTS[1]), THIRD))
    report = house.send("poslog", _day(FIRST, SECOND, THIRD))
    assert (report.applied, report.duplicates) == (1, 2)


_MARKER = b"FINDME-0123-MARKER"
_BOMB = b'<!DOCTYPE x [<!ENTITY a "%b">' % _MARKER + b"".join(
    b'<!ENTITY %c "%b">' % (name, b"&%c;" % (name - 1) * 10) for name in b"bcdefghij"
)
_BOMB += b"]>"
_DEEP = b"<a>" * DEPTH
_DEEP_WHOLE = _DEEP + _MARKER + b"</a>" * DEPTH
REFUSED = {
    "xml entity bomb": ("poslog", _BOMB + _day(FIRST), "LP-DOOR-003"),
    "xml entity bomb in UTF-16": (
        "poslog",
        (_BOMB + _day(FIRST)).decode().encode("utf-16"),
        "LP-DOOR-003",
    ),
    "xml entity bomb in UTF-16-BE": (
        "poslog",
        b"\xfe\xff" + (_BOMB + _day(FIRST)).decode().encode("utf-16-be"),
        "LP-DOOR-003",
    ),
    "xml doctype between sales": ("poslog", _day(FIRST, _BOMB, SECOND), "LP-DOOR-003"),
    "xml deep": ("poslog", _DEEP_WHOLE, "LP-DOOR-004"),
    "xml deep around a sale": ("poslog", b"<POSLog>" + _DEEP + FIRST, "LP-DOOR-004"),
    "xml deep in a sale": (
        "poslog",
        _day(FIRST, b"<Transaction>" + _DEEP_WHOLE + b"</Transaction>", SECOND),
        "LP-DOOR-004",
    ),
    "xml deep in an open sale": ("poslog", _day(b"<Transaction>" + _DEEP), "LP-DOOR-004"),
    "xml sales in sales": ("poslog", _day(b"<Transaction>" * DEPTH), "LP-DOOR-004"),
    "json deep list": ("shopify", b"[" * DEPTH + b"]" * DEPTH, "LP-DOOR-004"),
    "json deep objects": ("shopify", b'{"a":' * DEPTH, "LP-DOOR-004"),
    "json deep in an order": (
        "shopify",
        ORDERS[0] + b'{"id":1,"note":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
        "LP-DOOR-004",
    ),
    "xml empty": ("poslog", b"", "LP-DOOR-001"),
    "json empty": ("shopify", b"", "LP-DOOR-001"),
    "json blank": ("shopify", b" \r\n\t ", "LP-DOOR-001"),
    "xml no sale": ("poslog", _MARKER, "LP-DOOR-005"),
    "json no object": ("shopify", _MARKER, "LP-DOOR-005"),
}


def _long() -> bytes:
    return _MARKER + b"a" * LARGE


def _of_elements() -> bytes:
    return _day(b"<Transaction>" + b"<Note/>" * (LARGE // 7) + b"</Transaction>")


GIANTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "xml sale": (
        "poslog",
        lambda: _day(FIRST, b"<Transaction><N>" + _long() + b"</N></Transaction>"),
    ),
    "xml of elements": ("poslog", _of_elements),
    "xml tag": ("poslog", lambda: b"<POSLog x='" + _long() + b"'>"),
    "json order": ("shopify", lambda: b'{"id":1,"note":"' + _long() + b'"}'),
    "json number": ("shopify", lambda: b'{"id":' + b"1" * LARGE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_record_is_refused_and_nothing_of_it_is_kept(house: House, name: str) -> None:
    source, content, code = REFUSED[name]
    before = house.rows()
    report = house.send(source, content, "hostile")
    assert [(p.code, p.file) for p in report.problems] == [(code, "hostile")]
    assert (report.refused, report.messages) == (1, 0)
    assert house.rows() == before
    kept = b"".join(path.read_bytes() for path in house.home.rglob("*") if path.is_file())
    assert _MARKER not in kept


def test_a_refused_file_does_not_stop_the_next_one(house: House) -> None:
    hostile, good = house.file(_BOMB), house.file(_day(FIRST))
    report = house.receive("poslog", hostile, good)
    assert (report.refused, report.applied) == (1, 1)


def test_a_day_is_refused_whole_even_after_a_thousand_good_sales(house: House) -> None:
    before = house.rows()
    report = house.send("poslog", _day(*[FIRST] * 1200, _BOMB))
    assert (report.refused, report.messages) == (1, 0)
    assert house.rows() == before


@pytest.mark.parametrize("name", ["a-folder", "missing.xml"])
def test_what_is_no_file_is_refused(house: House, name: str) -> None:
    (house.folder / "a-folder").mkdir()
    before = house.rows()
    report = house.receive("poslog", house.folder / name)
    assert [(p.code, p.file) for p in report.problems] == [("LP-HUB-002", name)]
    assert house.rows() == before


def test_an_unknown_source_is_refused_with_a_hint(house: House) -> None:
    before = house.rows()
    done = house.lynchpin("receive", "poslgo", house.file(_day(FIRST)), "--json")
    assert done.returncode == 1
    assert "LP-HUB-001" in done.stdout
    assert "poslog" in done.stdout
    assert house.rows() == before


_MEASURE = """
import sys
from pathlib import Path
from hub import bootstrap, home
from hub.receive import receive
with bootstrap.open_hub(home.locate()) as hub:
    report = receive(hub, sys.argv[1], [Path(sys.argv[2])])
codes = [problem.code for problem in report.problems]
# The kernel's own high-water mark of this program alone, in kB.
status = Path("/proc/self/status").read_text()
print(codes, next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
@pytest.mark.parametrize("name", GIANTS)
def test_a_giant_document_is_refused_in_bounded_memory(house: House, name: str) -> None:
    source, content = GIANTS[name]
    file = house.file(content())
    before = house.rows()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, source, file],
        env={**os.environ, "LYNCHPIN_HOME": str(house.home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    codes, peak = done.stdout.rsplit(maxsplit=1)
    assert codes == "['LP-DOOR-002']"
    assert int(peak) < MEMORY_MB_MAX * 1024
    assert house.rows() == before
    kept = b"".join(path.read_bytes() for path in house.home.rglob("*") if path.is_file())
    assert _MARKER not in kept
