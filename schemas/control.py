"""Control: what a till reports that is no sale. Counted for gaps, never for revenue."""

from __future__ import annotations

from datetime import date

from schemas.model import Canonical, Code, Id, Text
from schemas.moment import Moment
from schemas.money import Amount, Currency

__all__ = ["Control"]


class Control(Canonical):
    """A sign-on, a no-sale, a Z-report: it uses up a sequence number like a sale does.

    Kinds: ``sign_on sign_off no_sale paid_in paid_out till_open till_close loan pick_up
    day_open day_close z_report training price_lookup``.
    """

    system: Id
    store: Id
    workstation: Id
    business_date: date
    sequence: Id
    operator: Id | None = None
    kind: Code
    reason: Text | None = None
    occurred_at: Moment
    currency: Currency | None = None
    amount: Amount | None = None
    transaction_count: int | None = None
