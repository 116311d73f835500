"""A till's entries as POSLog 6 transactions: prices with tax, business units, signed quantities."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

from hub.demo.receipt import Control, Key, Line, Loyalty, Receipt, Tax, Tender, tax
from schemas.money import plain

__all__ = ["ROOT", "transaction"]

ROOT = {
    "@xmlns": "http://www.nrf-arts.org/IXRetail/v6.0.0/poslog",
    "@MajorVersion": "6",
    "@MinorVersion": "0",
    "@FixVersion": "0",
}
"""Attributes of the document's root element."""

_RING_TIME = timedelta(seconds=35)
_CONTROL_REASON = {"sign_on": "SignOn", "sign_off": "SignOff", "no_sale": "NoSale"}


def transaction(entry: Control | Receipt) -> dict[str, Any]:
    """The content of a ``Transaction`` element, as xmltodict writes it."""
    store = entry.store
    control = isinstance(entry, Control)
    begun = store.instant(entry.at - _RING_TIME)
    head = {
        "@TrainingModeFlag": "false",
        "@CancelFlag": "false",
        "@TypeCode": "ControlTransaction" if control else "SaleTransaction",
        "BusinessUnit": [
            {"UnitID": {"@Name": store.name, "@TypeCode": "RetailStore", "#text": store.number}},
            {"UnitID": {"@Name": store.country, "@TypeCode": "Country", "#text": store.country}},
        ],
        "WorkstationID": {
            "@TypeCode": "POS",
            "@SerialNumber": f"EXAMPLE-POS-{store.number}-{entry.till}",
            "#text": entry.till,
        },
        "TillID": entry.till,
        "SequenceNumber": str(entry.sequence),
        "TransactionID": _native_id(entry.key),
        "BusinessDayDate": entry.business_date.isoformat(),
        # Two clocks in one document, as in the field: the begin in UTC, the end with an offset.
        "BeginDateTime": f"{begun.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "EndDateTime": store.instant(entry.at).isoformat(),
        "OperatorID": {"@OperatorName": entry.operator.name, "#text": entry.operator.number},
        "CurrencyCode": store.currency,
    }
    if isinstance(entry, Control):
        return head | {"ControlTransaction": _control(entry)}
    return head | {"ReceiptNumber": _receipt_number(entry), "RetailTransaction": _retail(entry)}


def _native_id(key: Key) -> str:
    """The transaction's own id, which says nothing more than its key does."""
    # The letters keep the digits apart, so that nothing takes them for a card number.
    return "S{}T{}D{}N{}".format(*key)


def _receipt_number(receipt: Receipt) -> str:
    return f"{receipt.till}{receipt.sequence:06d}"


def _control(entry: Control) -> dict[str, Any]:
    at = entry.store.instant(entry.at).isoformat()
    reason = {"ReasonCode": _CONTROL_REASON[entry.kind]}
    if entry.kind == "no_sale":
        return reason | {"NoSale": at}
    name = "OperatorSignOn" if entry.kind == "sign_on" else "OperatorSignOff"
    return reason | {name: {"StartDateTimestamp": at, "EndDateTimestamp": at}}


def _retail(receipt: Receipt) -> dict[str, Any]:
    retail: dict[str, Any] = {
        "@TransactionStatus": "Finished",
        "LineItem": [
            # This dialect numbers a line after its content, not before it.
            line | {"SequenceNumber": str(number)}
            for number, line in enumerate(_line_items(receipt), start=1)
        ],
        "Total": list(_totals(receipt)),
    }
    if receipt.loyalty:
        retail["LoyaltyAccount"] = _loyalty_account(receipt.loyalty)
    return retail


def _line_items(receipt: Receipt) -> Iterator[dict[str, Any]]:
    for line in receipt.lines:
        yield _line_item(line.entry, voided=line.voided) | {"Sale": _goods(line, receipt)}
    for whole in receipt.taxes:
        yield _line_item("Automatic") | {"Tax": _tax(whole)}
    for tender in receipt.tenders:
        entry = "Keyed" if tender.kind == "cash" else "MSR"
        yield _line_item(entry) | {"Tender": _tender(tender, receipt)}


def _line_item(entry_method: str, *, voided: bool = False) -> dict[str, Any]:
    return {"@VoidFlag": "true" if voided else "false", "@EntryMethod": entry_method}


def _goods(line: Line, receipt: Receipt) -> dict[str, Any]:
    """A voided line keeps its full amount, to be skipped; a return is a sale of less than none."""
    discount = -line.reward.amount if line.reward else Decimal("0.00")
    amount = line.amount - discount
    goods: dict[str, Any] = {
        "@ItemType": "Stock",
        "@TaxIncludedInPriceFlag": "true",
        "POSIdentity": {"@POSIDType": "EAN", "POSItemID": line.article.gtin},
        "ItemID": line.article.sku,
        "MerchandiseHierarchy": {"@Level": "Department", "#text": line.article.department},
        "Description": {"@TypeCode": "Short", "#text": line.article.name},
        "RegularSalesUnitPrice": plain(line.unit_price),
        "ExtendedAmount": plain(amount),
        "ExtendedDiscountAmount": plain(discount),
        "Quantity": {
            "@UnitOfMeasureCode": "KGM" if line.article.weighed else "EA",
            "#text": plain(line.quantity),
        },
        # The same tax stands on the line and again on the transaction: only one of them counts.
        "Tax": _tax(tax(line.article.tax, amount, store=receipt.store)),
    }
    if receipt.returns:
        goods["TransactionLink"] = _link(receipt.returns)
    return goods


def _tax(owed: Tax) -> dict[str, Any]:
    return {
        "@TaxType": "VAT",
        "@TypeCode": "Sale" if owed.amount >= 0 else "Refund",
        "TaxableAmount": {
            "@TaxIncludedInTaxableAmountFlag": "false",
            "#text": plain(owed.taxable),
        },
        "Amount": plain(owed.amount),
        "Percent": plain(owed.percent),
        "TaxGroupID": "1" if owed.kind == "standard" else "2",
    }


def _tender(tender: Tender, receipt: Receipt) -> dict[str, Any]:
    """Money that goes out says so by its type code and has a positive amount."""
    content: dict[str, Any] = {
        "@TenderType": "Cash" if tender.kind == "cash" else "CreditDebit",
        "@TypeCode": "Refund" if tender.amount < 0 else "Sale",
        "Amount": {"@Currency": receipt.store.currency, "#text": plain(abs(tender.amount))},
    }
    if tender.cash_back:
        content["Cashback"] = plain(tender.cash_back)
    if tender.authorization:
        content["Authorization"] = {"AuthorizationCode": tender.authorization}
    return content


def _totals(receipt: Receipt) -> Iterator[dict[str, str]]:
    owed = sum((t.amount for t in receipt.taxes), Decimal("0.00"))
    type_code = "Refund" if receipt.total < 0 else "Sale"
    for kind, amount in (
        ("TransactionGrandAmount", receipt.total),
        ("TransactionNetAmount", receipt.total - owed),
        ("TransactionTaxAmount", owed),
    ):
        yield {"@TotalType": kind, "@TypeCode": type_code, "#text": plain(amount)}


def _loyalty_account(loyalty: Loyalty) -> dict[str, Any]:
    # A card number in name only: it belongs to the retailer and pays for nothing.
    return {"LoyaltyCard": {"PrimaryAccountNumber": loyalty.card}}


def _link(returns: Key) -> dict[str, Any]:
    store, till, business_date, sequence = returns
    return {
        "@ReasonCode": "Return",
        "TransactionID": _native_id(returns),
        "BusinessUnit": {"UnitID": {"@TypeCode": "RetailStore", "#text": store}},
        "WorkstationID": till,
        "BusinessDayDate": {"Date": business_date},
        "SequenceNumber": sequence,
    }
