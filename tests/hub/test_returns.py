"""Which sale line a return line undoes: named, found by its article, or honestly not found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import bootstrap, reference, returns
from hub.bootstrap import Hub
from hub.receive import receive
from tests import homes

pytestmark = pytest.mark.databases

SHELL = """<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/">{}</POSLog>"""
RECEIPT = """<Transaction><RetailStoreID>501</RetailStoreID><WorkstationID>3</WorkstationID>
<SequenceNumber>{sequence}</SequenceNumber><BusinessDayDate>2031-05-06</BusinessDayDate>
<EndDateTime>2031-05-06T10:15:00</EndDateTime><CurrencyCode>USD</CurrencyCode>
<RetailTransaction>{lines}<LineItem><SequenceNumber>99</SequenceNumber>
<Tender TenderType="Cash"><Amount>{total}</Amount></Tender></LineItem>
<Total TotalType="TransactionGrandAmount">{total}</Total>{link}</RetailTransaction></Transaction>"""
LINE = """<LineItem><SequenceNumber>{number}</SequenceNumber><{element}>
<POSIdentity POSIDType="{kind}"><POSItemID>{item}</POSItemID></POSIdentity>
<ExtendedAmount>{amount}</ExtendedAmount><Quantity>1</Quantity>{inside}</{element}></LineItem>"""
LINK = """<TransactionLink ReasonCode="Return"><RetailStoreID>501</RetailStoreID>
<WorkstationID>3</WorkstationID><SequenceNumber>1</SequenceNumber>
<BusinessDayDate>2031-05-06</BusinessDayDate>{line}</TransactionLink>"""
RETURN = "poslog:501/3/2031-05-06/2"
SALE = "poslog:501/3/2031-05-06/1"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    home = homes.made(tmp_path / "home")
    with bootstrap.open_hub(home) as opened:
        yield opened


def line(
    number: int, item: str, *, kind: str = "GTIN", returned: bool = False, inside: str = ""
) -> str:
    element = "Return" if returned else "Sale"
    return LINE.format(
        number=number, item=item, kind=kind, element=element, amount="2.00", inside=inside
    )


def send(hub: Hub, folder: Path, *receipts: str) -> None:
    file = folder / "day.xml"
    file.write_text(SHELL.format("".join(receipts)))
    report = receive(hub, "poslog", [file])
    assert (report.held, report.refused, report.flagged) == (0, 0, 0), report.problems


def sale(*lines: str) -> str:
    total = f"{2 * len(lines)}.00"
    return RECEIPT.format(sequence=1, lines="".join(lines), total=total, link="")


def returning(*lines: str, link: str = "") -> str:
    total = f"-{2 * len(lines)}.00"
    return RECEIPT.format(sequence=2, lines="".join(lines), total=total, link=link)


def found(hub: Hub) -> list[tuple[str, str | None, bool, str | None]]:
    with hub.engine.begin() as connection:
        rows = returns.returned(connection, RETURN)
    return [(row.number, row.sale, row.arrived, row.line) for row in rows]


def test_a_line_of_a_linked_receipt_is_found_by_its_article(hub: Hub, tmp_path: Path) -> None:
    bought = sale(line(1, "00000000500017"), line(2, "00000000500024"))
    back = returning(line(1, "00000000500024", returned=True), link=LINK.format(line=""))
    send(hub, tmp_path, back, bought)
    assert found(hub) == [("1", SALE, True, "2")]


def test_a_line_named_by_its_number_is_taken_at_its_word(hub: Hub, tmp_path: Path) -> None:
    bought = sale(line(1, "00000000500017"), line(2, "00000000500017"))
    named = LINK.format(line="<LineItemSequenceNumber>2</LineItemSequenceNumber>")
    back = returning(line(1, "00000000500017", returned=True, inside=named))
    send(hub, tmp_path, bought, back)
    assert found(hub) == [("1", SALE, True, "2")]


def test_two_lines_of_one_article_are_not_guessed_between(hub: Hub, tmp_path: Path) -> None:
    bought = sale(line(1, "00000000500017"), line(2, "00000000500017"))
    back = returning(line(1, "00000000500017", returned=True), link=LINK.format(line=""))
    send(hub, tmp_path, bought, back)
    assert found(hub) == [("1", SALE, True, None)]


def test_an_article_known_by_two_numbers_is_found_through_its_item(
    hub: Hub, tmp_path: Path
) -> None:
    bought = sale(line(1, "00000000500017"), line(2, "00000000500024"))
    back = returning(line(1, "INV-24", kind="SKU", returned=True), link=LINK.format(line=""))
    send(hub, tmp_path, bought, back)
    assert found(hub) == [("1", SALE, True, None)]
    items = tmp_path / "items.csv"
    items.write_text("item,gtin,sku,system\nA24,00000000500024,INV-24,poslog\n")
    with hub.engine.begin() as connection:
        reference.load_items(connection, items)
    assert found(hub) == [("1", SALE, True, "2")]


def test_a_sale_that_has_not_arrived_is_waited_for(hub: Hub, tmp_path: Path) -> None:
    back = returning(line(1, "00000000500017", returned=True), link=LINK.format(line=""))
    send(hub, tmp_path, back)
    assert found(hub) == [("1", SALE, False, None)]


def test_a_return_without_a_receipt_says_so(hub: Hub, tmp_path: Path) -> None:
    send(hub, tmp_path, returning(line(1, "00000000500017", returned=True)))
    assert found(hub) == [("1", None, False, None)]
