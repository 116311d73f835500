"""Traps of real formats, each as small as it can be: what is left of the handling is seen here."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from connectors import registry
from connectors.contract.trial import kept, mapping, take_in
from connectors.scrub.card import is_card
from mappings.mapping import load

JSON = "mapping: a.trap\nreads: json\nto: {to}\nrules:\n"


def _made(rules: str, body: Any, *, to: str = "Order") -> dict[str, Any]:
    mapping = load(JSON.format(to=to) + rules, "trap.yaml")
    document, _ = mapping.run(body)
    assert mapping.trace(body).document == document
    return document


def test_a_constant_is_replaced_by_a_later_branch_also_inside_a_list() -> None:
    rules = (
        "  customers[] from c[]:\n    value: v\n    kind: = loyalty\n"
        "    when t = e: {kind: = email}\n"
    )
    body = {"c": [{"v": "1", "t": "e"}, {"v": "2"}, {"t": "x"}]}
    assert _made(rules, body, to="Interaction")["customers"] == [
        {"value": "1", "kind": "email"},
        {"value": "2", "kind": "loyalty"},
    ]


def test_a_constant_after_a_branch_replaces_what_that_filled() -> None:
    rules = (
        "  customers[] from c[]:\n    value: v\n    when t = e: {kind: = email}\n"
        "    kind: = loyalty\n"
    )
    body = {"c": [{"v": "1", "t": "e"}]}
    made = _made(rules, body, to="Interaction")["customers"]
    assert made == [{"value": "1", "kind": "loyalty"}]


def _sample(connector: str, name: str) -> str:
    return (registry.folder(connector) / "samples" / name).read_text("utf-8")


def _sale(*edits: tuple[str, str], name: str = "v2-cash-sale-with-change.xml") -> Any:
    """The canonical form of a receipt of POSLog after some edits of its text."""
    text = _sample("poslog", name)
    for old, new in edits:
        assert re.search(old, text), old
        text = re.sub(old, new, text, count=1)
    outcome = take_in("poslog", text.encode())
    assert not outcome.problems, outcome.problems
    return next(t.written() for t in outcome.taken if t.document.kind.startswith("retail"))


def _order(**changed: Any) -> Any:
    """The canonical form of an order of the shop with some of its fields changed."""
    body = json.loads(_sample("shopify", "order-paid-bare.json"), parse_float=Decimal)
    outcome = take_in("shopify", json.dumps({**body, **changed}, default=str).encode())
    assert not outcome.problems, outcome.problems
    return outcome.taken[0].written()


def _raw_order(text: str) -> Any:
    outcome = take_in("shopify", text.encode())
    assert not outcome.problems, outcome.problems
    return outcome.taken[0].written()


def test_a_list_of_one_may_come_without_its_list() -> None:
    body = json.loads(_sample("shopify", "order-paid-bare.json"), parse_float=Decimal)
    line = body["line_items"][0]
    made = mapping("shopify", "order").run({**body, "line_items": line})[0]
    assert made == mapping("shopify", "order").run({**body, "line_items": [line]})[0]
    assert len(made["lines"]) == 1


@pytest.mark.parametrize("nothing", [[], None, "", "absent"])
def test_a_list_of_none_and_no_list_are_the_same(nothing: Any) -> None:
    body = json.loads(_sample("shopify", "order-paid-bare.json"), parse_float=Decimal)
    body["line_items"] = nothing
    if nothing == "absent":
        del body["line_items"]
    assert "lines" not in mapping("shopify", "order").run(body)[0]


def test_empty_is_absent_and_zero_is_not() -> None:
    made = _order(note="", cancel_reason=None, total_tip_received="0.00", name="")
    assert "note" not in made
    assert "cancel_reason" not in made
    assert made["tip_total"] == "0.00"
    text = "mapping: a.b\nreads: json\nto: Order\nrules:\n  note: a\n  test: b\n"
    assert load(text, "x").run({"a": 0, "b": False})[0] == {"note": "0", "test": False}
    # The next of several places counts where the first is empty.
    assert made["number"] == str(
        json.loads(_sample("shopify", "order-paid-bare.json"))["order_number"]
    )


def test_an_empty_element_is_there_for_a_condition_and_absent_as_a_value() -> None:
    rules = (
        "mapping: a.b\nreads: xml\nto: Order\nrules:\n  when A: {note: = there}\n  number: A or B\n"
    )
    made = load(rules, "x").run(etree.fromstring("<t><A/><B>1</B></t>"))[0]
    assert made == {"note": "there", "number": "1"}


def test_an_attribute_and_a_child_of_one_name_are_two_things() -> None:
    rules = "mapping: a.b\nreads: xml\nto: Order\nrules:\n  note: A.@B\n  number: A.B\n"
    made = load(rules, "x").run(etree.fromstring("<t><A B='1'><B>2</B></A></t>"))[0]
    assert made == {"note": "1", "number": "2"}
    flag = '<Sale ItemType="Stock"><TaxIncludedInPriceFlag>true</TaxIncludedInPriceFlag>'
    inside = _sale(('<Sale ItemType="Stock">', flag))
    assert inside["tax_included"] is True
    assert next(line for line in inside["lines"] if line["kind"] == "sale")["tax_included"] is True


def test_two_namespaces_may_have_one_local_name() -> None:
    other = "<acs:OperatorID>99</acs:OperatorID><OperatorID"
    assert _sale(("<OperatorID", other)) == _sale()
    other = '<acs:Total TotalType="TransactionGrandAmount">9</acs:Total><Total'
    assert _sale(("<Total", other))["total"] == "3.52"
    # The prefix is the sender's choice, the namespace is not.
    text = _sample("poslog", "v2-cash-sale-with-change.xml")
    renamed = text.replace("acs:", "vendor:").replace("xmlns:acs", "xmlns:vendor")
    made = take_in("poslog", renamed.encode()).taken[0].written()
    assert made["lines"][0]["tax_id"] == _sale()["lines"][0]["tax_id"] == "1"


def test_leading_zeros_stay() -> None:
    made = _sale(
        ("<RetailStoreID>501", "<RetailStoreID>0501"),
        ("<WorkstationID>3", "<WorkstationID>003"),
        (r">17</OperatorID>", ">0017</OperatorID>"),
    )
    assert (made["store"], made["workstation"], made["operator"]) == ("0501", "003", "0017")


@pytest.mark.parametrize("number", ["04006381333931", "38900000500063"])
def test_a_gtin_of_fourteen_digits_stays_whole_and_is_no_card(number: str) -> None:
    """The second one has the beginning, the length and the check digit of a card."""
    assert is_card(number.encode()) is (number[0] == "3")
    made = _sale(("<POSItemID>00000000500017", f"<POSItemID>{number}"))
    goods = next(line for line in made["lines"] if line["kind"] == "sale")
    assert goods["item"][0] == {"kind": "gtin", "value": number}
    record = _sample("poslog", "v2-cash-sale-with-change.xml").replace("00000000500017", number)
    assert kept("poslog", record.encode()).count(number.encode()) == record.count(number) > 1


def test_amounts_of_three_decimals_stay_digit_for_digit() -> None:
    made = _sale((">3.52</Total>", ">3.520</Total>"), (">0.32</Total>", ">0.325</Total>"))
    assert (made["total"], made["tax"]) == ("3.520", "0.325")
    text = _sample("shopify", "order-paid-bare.json")
    number = re.sub(r'"total_price": "[0-9.]+"', '"total_price": 67.700', text, count=1)
    assert number != text
    assert _raw_order(number)["total"] == "67.700"


@pytest.mark.parametrize(
    ("currency", "total", "tax"),
    [("KWD", "3.520", "0.325"), ("JPY", "3520", "320"), ("USD", "3.5", "0.32")],
)
def test_no_currency_has_the_decimals_of_another(currency: str, total: str, tax: str) -> None:
    """Fils have three, the yen has none, and nobody makes two of them, or brings any back."""
    made = _sale(
        (">USD<", f">{currency}<"),
        (">3.52</Total>", f">{total}</Total>"),
        (">0.32</Total>", f">{tax}</Total>"),
    )
    assert (made["currency"], made["total"], made["tax"]) == (currency, total, tax)
    for written in (f'"{total}"', total):
        text = _sample("shopify", "order-paid-bare.json").replace('"USD"', f'"{currency}"')
        text, count = re.subn(r'"total_price": "[0-9.]+"', f'"total_price": {written}', text)
        assert count == 1
        order = _raw_order(text)
        assert (order["currency"], order["total"]) == (currency, total)


def test_an_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    first = _order(processed_at="2031-10-26T02:30:00+02:00")["placed_at"]
    second = _order(processed_at="2031-10-26T02:30:00+01:00")["placed_at"]
    assert first["local"] == second["local"]
    assert (first["utc"], second["utc"]) == ("2031-10-26T00:30:00Z", "2031-10-26T01:30:00Z")


def test_a_clock_without_offset_is_not_guessed_by_the_mapping() -> None:
    text = "mapping: a.b\nreads: json\nto: Order\nrules:\n  placed_at: at\n"
    made = load(text, "x").run({"at": "2031-10-26T02:30:00"})[0]
    assert set(made["placed_at"]) == {"local"}


NIGHT = {
    "v2-cash-sale-with-change.xml": "2031-05-06",
    "v6-tax-included.xml": "2031-07-08",
    "v2-controls.xml": "2031-05-06",
}


@pytest.mark.parametrize("sample", NIGHT)
def test_what_is_done_after_midnight_belongs_to_the_day_that_the_till_says(sample: str) -> None:
    day = NIGHT[sample]
    clocks = r"(<(?:Begin|End|Receipt)DateTime>)\d{4}-\d\d-\d\dT\d\d"
    text = re.sub(clocks, rf"\g<1>{day[:-1]}9T01", _sample("poslog", sample))
    first = take_in("poslog", text.encode()).taken[0]
    made = first.written()
    assert made["business_date"] == day
    assert made["occurred_at"]["local"][:13] == f"{day[:-1]}9T01"
    assert day in first.name.key


def test_tax_inside_the_prices_is_told_and_not_added() -> None:
    inside = _sale(name="v6-tax-included.xml")
    outside = _sale(name="v6-tax-exclusive.xml")
    for made, counts in ((inside, False), (outside, True)):
        assert made["tax_included"] is not counts
        taxes = [line for line in made["lines"] if line["kind"] == "tax"]
        assert taxes
        assert all(line["counts"] is counts for line in taxes)
        counted = sum(Decimal(line["amount"]) for line in made["lines"] if line["counts"])
        assert counted == Decimal(made["total"])
