"""A till's entries as POSLog 2.x transactions, in the profile of NCR's ACS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

from hub.demo.receipt import Control, Key, Line, Loyalty, Receipt, Reward, Tax, Tender
from hub.demo.retailer import Article
from schemas.money import plain

__all__ = ["ROOT", "Detail", "transaction"]

Detail = Literal["lean", "full"]
"""``full`` writes the vendor's extras around every line as a real till does."""

ROOT = {
    "@xmlns": "http://www.nrf-arts.org/IXRetail/namespace/",
    "@xmlns:acs": "http://www.ncr.com/rsd/acs/tlog/markup/poslog/2.1",
}
"""Attributes of the document's root element."""

_VERSION = "2.1"
_PROMOTION = {"Item": "1200", "Transaction": "5100"}
_TENDER_ID = {"cash": "1", "card": "12"}
_CONTROL_REASON = {
    "sign_on": "Valid SignOn",
    "sign_off": "Normal SignOff",
    "no_sale": "Procedure 21",
}


def transaction(entry: Control | Receipt, *, detail: Detail = "full") -> dict[str, Any]:
    """The content of a ``Transaction`` element, as xmltodict writes it."""
    head = {
        "RetailStoreID": entry.store.number,
        "WorkstationID": entry.till,
        "SequenceNumber": str(entry.sequence),
        "BusinessDayDate": entry.business_date.isoformat(),
        "EndDateTime": entry.at.isoformat(),
        "OperatorID": {"@OperatorName": entry.operator.name, "#text": entry.operator.number},
        "CurrencyCode": entry.store.currency,
    }
    if isinstance(entry, Control):
        return head | {"ControlTransaction": _control(entry)}
    return head | {"RetailTransaction": _retail(entry, detail)}


def _control(entry: Control) -> dict[str, Any]:
    at, date, sequence = entry.at.isoformat(), entry.business_date.isoformat(), str(entry.sequence)
    reason = {"@Version": _VERSION, "ReasonCode": _CONTROL_REASON[entry.kind]}
    if entry.kind == "no_sale":
        return reason | {"NoSale": at}
    sign = {
        "StartDateTimestamp": at,
        "EndDateTimestamp": at,
        "OpenBusinessDayDate": date,
        "CloseBusinessDayDate": date,
        "OpenTransactionSequenceNumber": sequence,
        "CloseTransactionSequenceNumber": sequence,
    }
    return reason | {"OperatorSignOn" if entry.kind == "sign_on" else "OperatorSignOff": sign}


def _retail(receipt: Receipt, detail: Detail) -> dict[str, Any]:
    lines = [
        line | {"SequenceNumber": str(number)}
        for number, line in enumerate(_line_items(receipt, detail), start=1)
    ]
    retail: dict[str, Any] = {
        "@Version": _VERSION,
        "ReceiptDateTime": receipt.at.isoformat(),
        "TransactionCount": str(len(lines)),
        "LineItem": lines,
        "Total": list(_totals(receipt, detail)),
    }
    if receipt.returns:
        retail["TransactionLink"] = _link(receipt.returns)
    if detail == "full":
        retail["acs:ItemCount"] = str(sum(not line.voided for line in receipt.lines))
        retail["acs:PerformanceMetrics"] = {"acs:IdleTime": "30", "acs:TenderTime": "20"}
    return retail


def _line_items(receipt: Receipt, detail: Detail) -> Iterator[dict[str, Any]]:
    """All line items in the vendor's order; rewards and change are line items too."""
    for tax in receipt.taxes:
        yield _line_item("acs:Auto", Tax=_tax(tax))
    for line in receipt.lines:
        yield _merchandise(line, detail)
    for line in receipt.lines:
        if line.voided:
            # This vendor leaves a voided line as it was and adds its negative, to be summed.
            undone = replace(line, quantity=-line.quantity, amount=-line.amount)
            yield {"@VoidFlag": "true"} | _merchandise(undone, detail)
    for tender in receipt.tenders:
        entry = "Keyed" if tender.kind == "cash" else "MSR"
        yield _line_item(entry, Tender=_tender(tender, receipt, detail))
    if receipt.loyalty:
        yield _line_item("acs:Auto") | {"acs:LoyaltyMembership": _membership(receipt.loyalty)}
    for reward in _rewards(receipt):
        yield _line_item("acs:Auto", LoyaltyReward=reward)


def _line_item(entry_method: str, **content: Any) -> dict[str, Any]:
    # The number is filled in once all lines are there; its key comes first to be written first.
    return {"@EntryMethod": entry_method, "SequenceNumber": "", **content}


def _tax(tax: Tax) -> dict[str, Any]:
    return {
        "@acs:TaxID": "1",
        "@acs:TaxDescription": "TaxID1",
        "TaxableAmount": plain(tax.taxable),
        "Amount": plain(tax.amount),
        "Percent": plain(tax.percent),
        "Reason": "Charged",
    }


def _merchandise(line: Line, detail: Detail) -> dict[str, Any]:
    weighed = {"@acs:weightItem": "true"} if line.article.weighed and detail == "full" else {}
    if line.quantity < 0 and not line.voided:
        # By the book the word Return says the direction and its amounts are positive.
        taken_back = replace(line, quantity=-line.quantity, amount=-line.amount)
        return weighed | _line_item(line.entry, Return=_goods(taken_back, detail))
    return weighed | _line_item(line.entry, Sale=_goods(line, detail))


def _goods(line: Line, detail: Detail) -> dict[str, Any]:
    article = line.article
    goods: dict[str, Any] = {
        "@ItemType": "Stock",
        "POSIdentity": _pos_identity(article),
        "Description": article.name.ljust(20) if detail == "full" else article.name,
        "RegularSalesUnitPrice": plain(line.unit_price),
        "ExtendedAmount": plain(line.amount),
        "Quantity": plain(line.quantity),
    }
    if detail == "lean":
        return goods
    return goods | {
        "ItemID": article.gtin.zfill(14),
        "MerchandiseHierarchy": _hierarchy(article),
        "DiscountAmount": "0.00",
        "ExtendedDiscountAmount": "0.00",
        "acs:OperatorSequence": "1",
        "acs:ReportCode": "0",
        "acs:SaleableMediaID": "0",
        "acs:Itemizers": {"@Itemizer1": "true", "@Itemizer2": "true", "#text": "96"},
    }


def _pos_identity(article: Article) -> dict[str, Any]:
    return {"@POSIDType": "GTIN", "POSItemID": article.gtin.zfill(14)}


def _hierarchy(article: Article) -> dict[str, Any]:
    return {
        "@Level": "Department",
        "@acs:DepartmentDescription": f"Department{article.department}",
        "#text": article.department,
    }


def _tender(tender: Tender, receipt: Receipt, detail: Detail) -> dict[str, Any]:
    amount = plain(tender.amount)
    content: dict[str, Any] = {
        "@TenderType": "Cash" if tender.kind == "cash" else "CreditDebit",
        # This vendor knows no other type code: money that goes out is negative.
        "@TypeCode": "Sale",
        "@acs:TenderDescription": f"TenderType{_TENDER_ID[tender.kind]}",
        "TenderID": _TENDER_ID[tender.kind],
        "Amount": amount,
    }
    if tender.cash_back:
        content["Cashback"] = plain(tender.cash_back)
    if tender.change:
        content["TenderChange"] = {"Amount": amount}
    if tender.kind == "card":
        content["CreditDebit"] = {"@CardType": "Debit"}
    if tender.kind == "card" and detail == "full":
        content["Authorization"] = _authorization(tender, receipt)
    return content


def _authorization(tender: Tender, receipt: Receipt) -> dict[str, Any]:
    content: dict[str, Any] = {
        "@HostAuthorized": "true",
        "@ElectronicSignature": "false",
        "RequestedAmount": plain(tender.amount),
        "AuthorizationCode": tender.authorization,
        "AuthorizationDateTime": receipt.at.isoformat(),
    }
    if tender.cash_back:
        content["AuthorizedChangeAmount"] = plain(tender.cash_back)
    return content


def _membership(loyalty: Loyalty) -> dict[str, Any]:
    """Numbers are padded with zeros, so that no household is a row of zeros."""
    return {
        "acs:LoyaltyID": {"@Type": "Membership", "#text": loyalty.card.zfill(25)},
        "acs:MembershipID": loyalty.card.zfill(25),
        "acs:HouseholdID": loyalty.household.zfill(25),
        "acs:MembershipLevel": "0",
    }


def _rewards(receipt: Receipt) -> Iterator[dict[str, Any]]:
    """A reward on an item stands alone; one on the receipt is listed per item and summed up."""
    over_all = Decimal(0)
    percent = 0
    for line in receipt.lines:
        reward = line.reward
        if not reward:
            continue
        item = reward.level == "Item"
        marks = {"@acs:summarizedActivity": "true"} if item else {"@acs:membershipRequired": "true"}
        yield (
            {"@acs:detailedData": "true"}
            | marks
            | _reward(reward)
            | {"acs:RewardBasis": _reward_basis(line)}
        )
        if not item:
            over_all += reward.amount
            percent = reward.percent
    if over_all:
        total = Reward("Transaction", percent, over_all)
        yield {"@acs:membershipRequired": "true", "@acs:summarizedActivity": "true"} | _reward(
            total
        )


def _reward(reward: Reward) -> dict[str, Any]:
    return {
        "PromotionID": _PROMOTION[reward.level],
        "EventID": "1",
        "ReasonCode": "0",
        "acs:RewardLevel": reward.level,
        "acs:RewardCategory": "Monetary",
        "acs:RewardType": "PercentOff",
        "acs:CustomOfferID": "0",
        "acs:BaseRewardAmount": plain(Decimal(reward.percent).scaleb(-2)),
        "acs:ExtendedRewardAmount": plain(reward.amount),
    }


def _reward_basis(line: Line) -> dict[str, Any]:
    return {
        "acs:QuantityUsed": plain(line.quantity),
        "acs:WeightUsed": "0.000",
        "acs:AmountUsed": plain(line.amount),
        "acs:POSIdentity": _pos_identity(line.article),
        "acs:ItemID": line.article.gtin.zfill(14),
        "acs:ItemDescription": line.article.name.ljust(20),
    }


def _totals(receipt: Receipt, detail: Detail) -> Iterator[dict[str, str]]:
    nothing = Decimal("0.00")
    yield _total("TransactionGrandAmount", receipt.total)
    yield _total("TransactionTaxAmount", sum((t.amount for t in receipt.taxes), nothing))
    if detail == "full":
        amounts = [line.amount for line in receipt.lines]
        amounts += [-line.amount for line in receipt.lines if line.voided]
        yield _total("acs:GrossPositive", sum((a for a in amounts if a > 0), nothing))
        yield _total("acs:GrossNegative", sum((a for a in amounts if a < 0), nothing))
        yield _total("acs:DiscountTotal", nothing)


def _total(kind: str, amount: Decimal) -> dict[str, str]:
    return {"@TotalType": kind, "#text": plain(amount)}


def _link(returns: Key) -> dict[str, str]:
    store, till, business_date, sequence = returns
    return {
        "@ReasonCode": "Return",
        "RetailStoreID": store,
        "WorkstationID": till,
        "SequenceNumber": sequence,
        "BusinessDayDate": business_date,
    }
