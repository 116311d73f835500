"""Which fields make two transactions of one name the same fact, and how they are written down.

Lines, quantities, amounts, tenders, links and what voids them. Not clocks, names, texts or what a
vendor adds: a till that sends a sale again with another description has not sold something else.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import lru_cache

from lxml import etree

__all__ = ["VERSION", "written"]

VERSION = 1
"""Raise it when the lists below change: hashes of different versions are never compared."""

_NUMBERS = frozenset(
    {
        *("Amount", "ExtendedAmount", "Quantity", "Total", "Cashback", "Rounding", "UnitCount"),
        *("OriginalFaceAmount", "ExchangeRate", "{acs}ExtendedRewardAmount"),
        *("TenderTotal", "DropAmount", "TotalAmount", "Count"),
    }
)

_WORDS = frozenset(
    {
        *("CurrencyCode", "ItemID", "POSItemID", "TenderID", "{acs}RewardCategory"),
        *("SequenceNumber", "LineItemSequenceNumber", "TransactionID", "ReceiptNumber"),
        *("RetailStoreID", "UnitID", "WorkstationID", "BusinessDayDate", "Date", "ReasonCode"),
        "CustomerOrderID",
    }
)

_STRUCTURE = frozenset(
    {
        *("Transaction", "RetailTransaction", "ControlTransaction", "TenderControlTransaction"),
        *("LineItem", "Sale", "Return", "Tax", "Tender", "Discount", "LoyaltyReward"),
        *("TransactionLink", "TenderChange", "ForeignCurrency"),
        *("CustomerOrderForDelivery", "CustomerOrderForPickup"),
    }
)

_FLAGS = frozenset(
    {
        *("CancelFlag", "VoidFlag", "DeleteFlag", "TrainingModeFlag", "TransactionStatus"),
        *("TypeCode", "TenderType", "TotalType", "Currency", "ItemType", "ReasonCode", "Action"),
        "{acs}summarizedActivity",
    }
)
"""Attributes that are content wherever they stand on one of the elements above."""

_EVENTS = frozenset(
    {
        *("OperatorSignOn", "OperatorSignOff", "SignOn", "SignOff", "NoSale", "TrainingMode"),
        *("BusinessSOD", "BusinessEOD", "PriceLookup", "PaidIn", "PaidOut", "TenderLoan"),
        *("TenderPickup", "TillOpen", "TillSettle"),
    }
)
"""What can happen at a till that is no sale; its name is all that says so."""

_TAGS = _NUMBERS | _WORDS | _STRUCTURE


def written(transaction: etree._Element, family: str) -> bytes:
    """Write the content down so that only equal content gives equal bytes.

    Fields come in document order; they and their parts are divided by control characters, which
    XML does not allow in text. ``family`` is the kind of transaction: for a control transaction
    what happened is the name of an element.
    """
    fields = [_field(element) for element in transaction.iter() if element.tag in _TAGS]
    body = transaction.find(family)
    if body is not None and family != "RetailTransaction":
        fields += [tag for child in body if (tag := str(child.tag)) in _EVENTS]
    return "\x1e".join(fields).encode()


def _field(element: etree._Element) -> str:
    tag = str(element.tag)
    text = element.text or ""
    if tag in _NUMBERS:
        field = f"{tag}\x1f{_plain(text)}"
    elif tag in _WORDS:
        field = f"{tag}\x1f{text.strip()}"
    else:
        field = tag
    flags = element.items()
    if not flags:
        return field
    return field + "".join(sorted(f"\x1f{k!s}\x1d{v!s}" for k, v in flags if k in _FLAGS))


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    """A number without what changes its writing only: ``3.490`` and ``+3.49`` are ``3.49``."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return text.strip()
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return text.strip()
    return format(number.normalize(), "f") if number else "0"
