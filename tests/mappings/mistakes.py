"""Mistakes that an author may make in a shipped mapping, and what notices each."""

from __future__ import annotations

__all__ = ["MISTAKES"]

MISTAKES: dict[str, tuple[str, str, str, str]] = {
    "wrong path": (
        "shopify.order",
        "total:                    total_price\n",
        "total:                    total_line_items_price\n",
        "examples",
    ),
    "wrong sign": (
        "layout.csv_sales",
        "amount | absolute | negate",
        "amount | absolute",
        "examples",
    ),
    "dropped field": ("poslog.retail", "  operator:                 OperatorID\n", "", "coverage"),
    "swapped code": (
        "poslog.retail",
        "tender: {Cash: cash, CreditDebit: card,",
        "tender: {Cash: card, CreditDebit: cash,",
        "examples",
    ),
    "code left out": (
        "twilio.call",
        "busy: busy, failed: failed, no-answer: no_answer,",
        "busy: busy, failed: failed,",
        "examples",
    ),
    "wrong list": (
        "shopify.order",
        "  shipping[] from shipping_lines[]:",
        "  shipping[] from line_items[]:",
        "coverage",
    ),
    "dropped where": (
        "poslog.retail",
        "LineItem[] where Tender:",
        "LineItem[]:",
        "examples",
    ),
    "wrong constant": (
        "shopify.refund",
        "kind:                     = refund",
        "kind:                     = return",
        "examples",
    ),
    "condition inverted": (
        "poslog.retail_v6",
        "when Sale.Quantity < 0 and",
        "when Sale.Quantity > 0 and",
        "examples",
    ),
    "wrong code table": (
        "shopify.order",
        "financial_status or = pending | code payment",
        "financial_status or = pending | code fulfilment",
        "examples",
    ),
    "gross for net": (
        "poslog.retail_v6",
        "tax:                      RetailTransaction.Total[@TotalType=TransactionTaxAmount]",
        "tax:                      RetailTransaction.Total[@TotalType=TransactionGrandAmount]",
        "examples",
    ),
    "item kinds swapped": (
        "layout.rtlog",
        "item[] from gtin[]:\n      kind:                 = gtin",
        "item[] from gtin[]:\n      kind:                 = sku",
        "examples",
    ),
    "condition on the other side": (
        "poslog.retail_v6",
        "when .@VoidFlag = true, 1 and Sale.Quantity > 0:",
        "when .@VoidFlag = true, 1 and Sale.Quantity < 0:",
        "examples",
    ),
    "never reached": (
        "poslog.control",
        "  when ControlTransaction.NoSale:\n",
        "  when ControlTransaction.OperatorSignOff and ControlTransaction.NoSale:\n",
        "coverage",
    ),
    "written back elsewhere": (
        "shopify.customer",
        "  given_name:               first_name\n  family_name:              last_name\n",
        "  given_name:               last_name\n  family_name:              first_name\n",
        "round trip",
    ),
    "misspelt field": ("events.event", "  campaign: ", "  campain: ", "check"),
}
"""Mapping, what is right, what is wrong, and what notices it of all that an author has at hand."""
