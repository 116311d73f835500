"""Transactions and Orders: lists without names of people, and whole documents."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict

from hub import finding
from hub.api.audit import REVEAL, reason_of, seen
from hub.api.errors import answers
from hub.api.paging import Page, Turned, page
from hub.api.rule import only
from hub.api.served import Reading, Served, ServedHere
from hub.keys import Key
from hub.people.document import Document, shown
from schemas.envelope import Flag

__all__ = ["router"]

router = APIRouter(tags=["documents"])

Fact = Annotated[str, Path(max_length=500, description="Fact id, or a name it alone goes by.")]
Looker = Annotated[Key, Depends(only("reader", "agent", "operator", narrows=True))]
Desk = Annotated[Key, Depends(only("agent", "operator", narrows=True))]

_OF_TILLS = ("Transaction", "Control")
_OF_SHOPS = ("Order", "Reversal")


class TransactionRow(BaseModel):
    """A Transaction in a list. Amounts are decimal text, ``revenue`` only where it counts."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "fact": "tills:0042/03/2031-05-06/114",
                "system": "tills",
                "store": "0042",
                "workstation": "03",
                "business_date": "2031-05-06",
                "sequence": "114",
                "occurred_utc": "2031-05-06T10:00:00Z",
                "receipt": "0042031140506",
                "native_id": "8d5f0b6c",
                "status": "completed",
                "voided_by": "tills:0042/03/2031-05-06/115",
                "revenue": "19.90",
                "currency": "EUR",
                "flags": [],
            }
        },
    )

    fact: str
    system: str
    store: str
    workstation: str
    business_date: str
    sequence: str
    occurred_utc: str | None
    receipt: str | None
    native_id: str | None
    status: str
    voided_by: str | None
    revenue: str | None
    currency: str | None
    flags: list[Flag]


class OrderRow(BaseModel):
    """An Order in a list, with its three states."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "fact": "shop:order/5100000001",
                "system": "shop",
                "native_id": "5100000001",
                "number": "#1001",
                "channel": "web",
                "placed_utc": "2031-05-06T10:00:00Z",
                "life": "open",
                "payment": "paid",
                "fulfilment": "none",
                "store": "0042",
                "flags": [],
            }
        },
    )

    fact: str
    system: str
    native_id: str
    number: str
    channel: str
    placed_utc: str | None
    life: str
    payment: str
    fulfilment: str
    store: str | None
    flags: list[Flag]


@router.get("/transactions", responses=answers())
def list_transactions(
    reading: Reading,
    key: Looker,
    turn: Turned,
    store: str | None = None,
    workstation: str | None = None,
    business_date: str | None = None,
    receipt: str | None = None,
    status: str | None = None,
) -> Page[TransactionRow]:
    """Transactions, in the order of day, till and sequence."""
    found = finding.transactions(
        reading,
        limit=turn.limit + 1,
        after=turn.cursor,
        stores=key.stores,
        store=store,
        workstation=workstation,
        business_date=business_date,
        receipt=receipt,
        status=status,
    )
    return page(TransactionRow, _with_flags(found), turn, finding.transaction_key)


@router.get("/orders", responses=answers())
def list_orders(
    reading: Reading,
    key: Looker,
    turn: Turned,
    number: str | None = None,
    channel: str | None = None,
    life: str | None = None,
    payment: str | None = None,
    fulfilment: str | None = None,
) -> Page[OrderRow]:
    """Orders, the newest first."""
    found = finding.orders(
        reading,
        limit=turn.limit + 1,
        after=turn.cursor,
        stores=key.stores,
        number=number,
        channel=channel,
        life=life,
        payment=payment,
        fulfilment=fulfilment,
    )
    return page(OrderRow, _with_flags(found), turn, finding.order_key)


def _with_flags(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "flags": json.loads(row["flags"] or "[]")} for row in rows]


@router.get("/transactions/{fact:path}", responses=answers(404, 409))
async def show_transaction(fact: Fact, served: ServedHere, key: Desk) -> Document:
    """A Transaction or control transaction whole, its people masked."""
    return await _show(served, key, fact, _OF_TILLS)


@router.post(
    "/transactions/{fact:path}/reveal",
    responses=answers(404, 409, 413),
    openapi_extra=REVEAL,
)
async def reveal_transaction(
    fact: Fact, request: Request, served: ServedHere, key: Desk
) -> Document:
    """The same Transaction or control transaction, unmasked."""
    return await _show(served, key, fact, _OF_TILLS, reason=await reason_of(request))


@router.get("/orders/{fact:path}", responses=answers(404, 409))
async def show_order(fact: Fact, served: ServedHere, key: Desk) -> Document:
    """An Order or reversal whole, its people masked."""
    return await _show(served, key, fact, _OF_SHOPS)


@router.post("/orders/{fact:path}/reveal", responses=answers(404, 409, 413), openapi_extra=REVEAL)
async def reveal_order(fact: Fact, request: Request, served: ServedHere, key: Desk) -> Document:
    """The same Order or reversal, unmasked."""
    return await _show(served, key, fact, _OF_SHOPS, reason=await reason_of(request))


async def _show(
    served: Served, key: Key, name: str, kinds: tuple[str, ...], *, reason: str = ""
) -> Document:
    """Found first, then audited under its fact id, then shown."""

    def read() -> Document:
        with served.readers.begin() as connection:
            reveal, stores = bool(reason), key.stores
            return shown(served.hub, connection, name, kinds, reveal=reveal, stores=stores)

    found = await asyncio.to_thread(read)
    await seen(served, key, found.fact, reason=reason)
    return found
