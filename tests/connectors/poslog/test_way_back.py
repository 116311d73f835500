"""What goes back to a till: it is read again as it was meant, or told before it is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lxml import etree

from connectors.contract import trial
from connectors.poslog import connector
from connectors.poslog.connector import PoslogOptions
from mappings.inverse import Written, write

OPTIONS = PoslogOptions()
HEAD = {"store": "7001", "workstation": "K7", "business_date": "2031-07-08", "sequence": "12"}
CONTROLS: list[dict[str, Any]] = [
    {"kind": "sign_on", "operator": "31"},
    {"kind": "no_sale", "reason": "Change"},
    {"kind": "z_report", "reason": "Z Report"},
    {"kind": "paid_in", "amount": "3.00", "reason": "Float"},
    {"kind": "loan", "amount": "50.00"},
    {"kind": "till_close", "amount": "50.00", "transaction_count": 4},
    {"kind": "tender_control"},
]
RETURN = {"number": "1", "kind": "return", "amount": "-3.00", "quantity": "-1"}
LINES: list[dict[str, Any]] = [
    RETURN,
    RETURN | {"reason": "Late", "origin": {"store": "7002", "sequence": "9", "line": "1"}},
    RETURN | {"void": True, "counts": False},
    {"number": "1", "kind": "sale", "amount": "3.00", "quantity": "1"},
    {"number": "1", "kind": "sale", "amount": "3.00", "quantity": "1", "void": True}
    | {"counts": False},
    # The compensating line of a void is summed up.
    {"number": "1", "kind": "sale", "amount": "-3.00", "quantity": "-1", "void": True},
    {"number": "1", "kind": "gift_card", "amount": "3.00", "void": True, "counts": False},
    {"number": "1", "kind": "tax", "amount": "0.50", "taxable": "2.50", "rate": "20"},
]


def read_again(kind: str, written: Written) -> Any:
    """What the connector makes of a transaction that goes to it in a POSLog."""
    inside = etree.tostring(written.body, encoding="unicode")
    log = f'<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/">{inside}</POSLog>'
    (piece,) = trial.pieces("poslog", log.encode())
    (found,) = connector.decode(piece.payload, piece.context, OPTIONS)
    assert found.kind == kind
    made = trial.mapping("poslog", kind).run(found.body)[0]
    return json.loads(json.dumps(made, default=str))


def wrong(kind: str, document: dict[str, Any]) -> list[str | None]:
    findings = write(trial.mapping("poslog", kind), HEAD | document).findings
    return [each.problem.target for each in findings if not each.declared]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda each: each["kind"])
def test_a_control_transaction_is_one_of_its_kind_again(control: dict[str, Any]) -> None:
    written = write(trial.mapping("poslog", "control"), HEAD | control)
    assert written.findings == ()
    assert read_again("control", written) == HEAD | control
    # The book knows a transaction as one of the two, never both.
    assert len(written.body.xpath("ControlTransaction|TenderControlTransaction")) == 1


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_version_6_is_the_same_again(line: dict[str, Any]) -> None:
    document = HEAD | {"lines": [line]}
    written = write(trial.mapping("poslog", "retail_v6"), document)
    assert written.findings == ()
    assert read_again("retail_v6", written) == document


def test_version_6_names_stores_as_business_units() -> None:
    link = {"reason": "Void", "kind": "void", "to": {"store": "7002", "sequence": "9"}}
    document = HEAD | {"links": [link], "lines": [LINES[1]]}
    body = write(trial.mapping("poslog", "retail_v6"), document).body
    assert body.xpath("//BusinessUnit/UnitID/text()") == ["7002", "7002", "7001"]
    assert not body.xpath("//RetailStoreID")


@pytest.mark.parametrize(
    ("kind", "document", "targets"),
    [
        ("control", {"kind": "loan", "amount": "50.00", "reason": "Float"}, ["reason"]),
        ("control", {"kind": "sign_on", "amount": "50.00"}, ["amount"]),
        ("control", {"kind": "day_open", "transaction_count": 4}, ["transaction_count"]),
        ("control", {"kind": "unheard_of"}, ["kind"]),
        ("retail_v6", {"note": "Ring twice"}, ["note"]),
        ("retail_v6", {"lines": [LINES[3] | {"order": "4711"}]}, ["lines[0].order"]),
        (
            "retail_v6",
            {"tenders": [{"kind": "card", "amount": "3", "card": {"brand": "X"}}]},
            ["tenders[0].card.brand"],
        ),
        (
            "retail_v6",
            {"lines": [{"number": "1", "kind": "discount", "amount": "-1", "coupon": "C"}]},
            ["lines[0].coupon"],
        ),
    ],
)
def test_what_a_till_cannot_be_told_is_found(
    kind: str, document: dict[str, Any], targets: list[str]
) -> None:
    assert wrong(kind, document) == targets
