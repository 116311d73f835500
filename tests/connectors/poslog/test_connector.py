"""The POSLog connector: kinds, names and content of transactions, on look-alikes and a real day."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from connectors.api import Document, Name, Rest, Slice
from connectors.poslog import connector
from connectors.poslog.connector import PoslogOptions
from connectors.scrub import scrub
from schemas.problem import Refused, Rejected

ROOT = Path(__file__).resolve().parents[3]
DAY = ROOT / "../shared/samples/poslog/ncr-acs-v2.1-day.xml"
SAMPLES = sorted((ROOT / "connectors/poslog/samples").glob("*.xml"))
OPTIONS = PoslogOptions()

OPENING = '<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/">'
V2 = (
    "<Transaction><RetailStoreID> 0501 </RetailStoreID><WorkstationID>3</WorkstationID>"
    "<SequenceNumber>12</SequenceNumber><BusinessDayDate>2031-05-06</BusinessDayDate>"
    "<EndDateTime>2031-05-06T10:15:00</EndDateTime>{}</Transaction>"
)
V6 = (
    "<Transaction><BusinessUnit><UnitID TypeCode='Country'>XE</UnitID></BusinessUnit>"
    "<BusinessUnit><UnitID TypeCode='RetailStore'>7001</UnitID></BusinessUnit>"
    "<WorkstationID>K7</WorkstationID><BusinessDayDate><Date>2031-05-06Z</Date></BusinessDayDate>"
    "<SequenceNumber>12</SequenceNumber><TransactionID>T-1</TransactionID>"
    "<ReceiptNumber>R-1</ReceiptNumber><BeginDateTime>2031-05-06T10:00:00Z</BeginDateTime>"
    "<RetailTransaction/></Transaction>"
)
SALE = (
    '<RetailTransaction><LineItem VoidFlag="false"><SequenceNumber>1</SequenceNumber><Sale>'
    "<ItemID>0050</ItemID><Description>TEA</Description><ExtendedAmount>3.490</ExtendedAmount>"
    '<Quantity>1</Quantity></Sale></LineItem><LineItem><Tender TenderType="Cash">'
    "<Amount>3.49</Amount></Tender></LineItem><TransactionLink ReasonCode='Resume'>"
    "<SequenceNumber>7</SequenceNumber></TransactionLink></RetailTransaction>"
)


def documents(record: bytes | str) -> list[Document]:
    data = record.encode() if isinstance(record, str) else record
    found: list[Document] = []
    for piece in connector.split([data], OPTIONS, None):
        assert isinstance(piece, Slice)
        assert piece.problem is None
        found += connector.decode(piece.payload, piece.context, OPTIONS)
    return found


def document(transaction: str) -> Document:
    (found,) = documents(OPENING + transaction + "</POSLog>")
    return found


def named(transaction: str, options: PoslogOptions = OPTIONS) -> Name:
    return connector.name(document(transaction), options)


def rejection(transaction: str, options: PoslogOptions = OPTIONS) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as caught:
        named(transaction, options)
    return caught.value.problem.code, caught.value.problem.path


def test_the_real_day() -> None:
    if not DAY.exists():
        pytest.skip("the real day is not on this machine")
    found = documents(DAY.read_bytes())
    assert Counter(each.kind for each in found) == {"retail": 42, "control": 9}
    names = [connector.name(each, OPTIONS) for each in found]
    assert len({name.key for name in names}) == 51
    assert len({name.key[1] for name in names}) == 7
    assert len({name.content for name in names}) == 51
    assert scrub(DAY.read_bytes(), connector.scrub) == DAY.read_bytes()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_is_decoded_and_named_and_kept_by_the_scrubber(sample: Path) -> None:
    record = sample.read_bytes()
    found = documents(record)
    assert len({connector.name(each, OPTIONS).key for each in found}) == len(found) > 0
    v2, v6 = {"retail", "control"}, {"retail_v6", "control"}
    assert {each.kind for each in found} <= (v2 if sample.stem.startswith("v2") else v6)
    assert {each.kind for each in found} <= connector.manifest.messages.keys()
    assert scrub(record, connector.scrub) == record


def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 25


@pytest.mark.parametrize(
    ("transaction", "kind"),
    [
        (V2.format("<RetailTransaction/>"), "retail"),
        (V2.format('<RetailTransaction Version="2.1"/>'), "retail"),
        (V6, "retail_v6"),
        (V2.format("<ControlTransaction><NoSale/></ControlTransaction>"), "control"),
        (V2.format("<TenderControlTransaction><PaidIn/></TenderControlTransaction>"), "control"),
        ("<Transaction MajorVersion='6'><RetailTransaction/></Transaction>", "retail_v6"),
        ("<Transaction MajorVersion='2'><RetailTransaction/></Transaction>", "retail"),
        (
            (
                "<Transaction xmlns='http://www.nrf-arts.org/IXRetail/v6.0.0/poslog'>"
                "<RetailTransaction/></Transaction>"
            ),
            "retail_v6",
        ),
    ],
)
def test_kinds(transaction: str, kind: str) -> None:
    assert document(transaction).kind == kind


def test_the_address_of_version_6_in_the_root_tells_too() -> None:
    root = '<POSLog xmlns="http://www.nrf-arts.org/IXRetail/v6.0.0/poslog">'
    (found,) = documents(root + "<Transaction><RetailTransaction/></Transaction></POSLog>")
    assert (found.kind, found.body.tag) == ("retail_v6", "Transaction")


@pytest.mark.parametrize(
    "inside", ["<InventoryControlTransaction/>", "<CustomerOrderTransaction/>", ""]
)
def test_other_kinds_of_transaction_are_foreign(inside: str) -> None:
    assert rejection(V2.format(inside))[0] == "LP-DOC-004"


def test_elements_have_canonical_names() -> None:
    (found,) = documents(
        '<p:POSLog xmlns:p="http://www.nrf-arts.org/IXRetail/namespace"'
        ' xmlns:n="http://www.ncr.com/rsd/acs/tlog/markup/poslog/3.0">'
        '<p:Transaction><p:RetailTransaction n:a="1"><n:ItemCount/></p:RetailTransaction>'
        "</p:Transaction></p:POSLog>"
    )
    (retail,) = found.body
    assert (retail.tag, dict(retail.attrib), retail[0].tag) == (
        "RetailTransaction",
        {"{acs}a": "1"},
        "{acs}ItemCount",
    )


def test_names() -> None:
    assert named(V2.format(SALE)).key == ("0501", "3", "2031-05-06", "12")
    assert named(V6).key == ("7001", "K7", "2031-05-06", "12")
    without = V6.replace("<SequenceNumber>12</SequenceNumber>", "")
    assert named(without).key[3] == "T-1"
    assert named(without.replace("<TransactionID>T-1</TransactionID>", "")).key[3] == "R-1"
    assert named(V6.replace(" TypeCode='RetailStore'", "")).key[0] == "XE"
    on_unit = V6.replace("<BusinessUnit><UnitID TypeCode='RetailStore'>", "{}<UnitID>")
    assert named(on_unit.format("<BusinessUnit TypeCode='RetailStore'>")).key[0] == "7001"


def test_where_numbers_wrap_the_time_is_part_of_the_name() -> None:
    wraps = PoslogOptions(sequence_wraps=True)
    assert named(V6, wraps).key[4:] == ("2031-05-06T10:00:00Z",)
    assert named(V2.format(SALE), wraps).key[4:] == ("2031-05-06T10:15:00",)
    no_time = V2.format(SALE).replace("EndDateTime", "X")
    assert rejection(no_time, wraps) == ("LP-DOC-005", "BeginDateTime")


@pytest.mark.parametrize(
    ("element", "path"),
    [
        ("RetailStoreID", "RetailStoreID"),
        ("WorkstationID", "WorkstationID"),
        ("BusinessDayDate", "BusinessDayDate"),
        ("SequenceNumber", "SequenceNumber"),
    ],
)
def test_a_transaction_without_a_part_of_its_name_is_held(element: str, path: str) -> None:
    whole = V2.format("<RetailTransaction/>")
    assert rejection(whole.replace(element, "X")) == ("LP-DOC-005", path)
    tree = etree.fromstring(whole)
    found = tree.find(element)
    assert found is not None
    found.text = " "
    assert rejection(etree.tostring(tree).decode()) == ("LP-DOC-005", path)


def test_a_business_date_that_is_none_is_held() -> None:
    assert rejection(V2.format(SALE).replace("2031-05-06<", "6 May<"))[1] == "BusinessDayDate"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("3.490", "3.49"),
        ("3.490", "+3.4900"),
        (">1</Quantity>", ">1.000</Quantity>"),
        ("TEA", "GREEN TEA"),
        ("T10:15:00", "T10:15:01"),
        ("<LineItem>", "<LineItem><!-- c -->\n  "),
        ('TenderType="Cash"', 'Vendor="x" TenderType="Cash"'),
    ],
)
def test_content_is_the_same_for_another_spelling(old: str, new: str) -> None:
    sale = V2.format(SALE)
    assert sale.count(old) >= 1
    assert named(sale.replace(old, new)).content == named(sale).content


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("3.490", "3.48"),
        ("3.490", "-3.49"),
        (">1</Quantity>", ">2</Quantity>"),
        ("0050", "50"),
        ("<Amount>3.49", "<Amount>3.5"),
        ('"Cash"', '"CreditDebit"'),
        ('VoidFlag="false"', 'VoidFlag="true"'),
        ('VoidFlag="false"', 'CancelFlag="false"'),
        ("<Transaction>", '<Transaction TrainingModeFlag="true">'),
        (">7<", ">8<"),
        ("'Resume'", "'Return'"),
        ("<Sale>", "<Return>"),
    ],
)
def test_content_differs_where_the_sale_does(old: str, new: str) -> None:
    sale = V2.format(SALE)
    changed = sale.replace(old, new).replace(
        "</Sale>", "</Return>" if "Return>" in new else "</Sale>"
    )
    assert named(changed).content != named(sale).content


def test_content_of_a_control_transaction_is_what_happened() -> None:
    control = V2.format("<ControlTransaction><ReasonCode>A</ReasonCode>{}</ControlTransaction>")
    contents = {
        named(control.format(inside)).content
        for inside in (
            "<NoSale/>",
            "<OperatorSignOn/>",
            "<PaidIn><Amount>1</Amount></PaidIn>",
            "<PaidIn><Amount>2</Amount></PaidIn>",
            "<PaidOut><Amount>2</Amount></PaidOut>",
        )
    }
    assert len(contents) == 5


def test_numbers_that_are_none_are_kept_as_they_are() -> None:
    texts = ("NaN", "sNaN", "", "1E999999", "x")
    contents = {named(V2.format(SALE.replace("3.490", text))).content for text in texts}
    assert len(contents) == len(texts)
    assert max(len(content) for content in contents) < 1000


def test_continues() -> None:
    assert connector.continues(b"<Transaction>")
    assert not connector.continues(b"<POSLog>")
    first, rest = connector.split([(OPENING + V6 + V6[:50]).encode()], OPTIONS, None)
    assert isinstance(first, Slice)
    assert isinstance(rest, Rest)
    (second,) = connector.split([(V6[50:] + "</POSLog>").encode()], OPTIONS, rest)
    assert isinstance(second, Slice)
    assert (second.payload, second.context) == (first.payload, first.context)


def test_a_record_of_something_else_is_refused() -> None:
    with pytest.raises(Refused):
        documents("<NAXML-POSJournal><SaleEvent/></NAXML-POSJournal>")


@pytest.mark.parametrize(
    ("element", "masked"),
    [
        ("<CreditDebit><PrimaryAccountNumber>{}</PrimaryAccountNumber></CreditDebit>", True),
        ("<Tender><AccountNumber>{}</AccountNumber></Tender>", True),
        ("<Description>{}</Description>", True),
        ("<LoyaltyCard><PrimaryAccountNumber>{}</PrimaryAccountNumber></LoyaltyCard>", False),
        ("<POSItemID>{}</POSItemID>", False),
    ],
)
def test_card_numbers_are_scrubbed_and_look_alikes_are_not(element: str, *, masked: bool) -> None:
    number = "4" + "1" * 15
    scrubbed = scrub(element.format(number).encode(), connector.scrub)
    assert (number.encode() not in scrubbed) is masked
