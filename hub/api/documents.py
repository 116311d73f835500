"""Transactions and Orders: lists without names of people, and whole documents."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict

from hub import finding
from hub.api.audit import seen
from hub.api.errors import answers
from hub.api.messages import Limit, Looker
from hub.api.rule import only
from hub.api.served import Reading, Served, ServedHere
from hub.finding import Shown
from hub.keys import Key

__all__ = ["router"]

router = APIRouter(tags=["documents"])

Fact = Annotated[str, Path(max_length=500, description="Fact id, or a name it alone goes by.")]
Desk = Annotated[Key, Depends(only("agent", "operator"))]


class TransactionRow(BaseModel):
    """A Transaction in a list. Amounts are decimal text, ``revenue`` only where it counts."""

    model_config = ConfigDict(frozen=True)

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
    flags: list[dict[str, Any]]


class OrderRow(BaseModel):
    """An Order in a list, with its three states."""

    model_config = ConfigDict(frozen=True)

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
    flags: list[dict[str, Any]]


@router.get("/transactions", responses=answers())
def list_transactions(
    reading: Reading,
    key: Looker,
    store: str | None = None,
    workstation: str | None = None,
    business_date: str | None = None,
    receipt: str | None = None,
    status: str | None = None,
    limit: Limit = finding.LIMIT,
) -> list[TransactionRow]:
    """Transactions, in the order of day, till and sequence."""
    found = finding.transactions(
        reading,
        limit=limit,
        store=store,
        workstation=workstation,
        business_date=business_date,
        receipt=receipt,
        status=status,
    )
    return [TransactionRow(**_with_flags(row)) for row in found]


@router.get("/orders", responses=answers())
def list_orders(
    reading: Reading,
    key: Looker,
    number: str | None = None,
    channel: str | None = None,
    life: str | None = None,
    payment: str | None = None,
    fulfilment: str | None = None,
    limit: Limit = finding.LIMIT,
) -> list[OrderRow]:
    """Orders, the newest first."""
    found = finding.orders(
        reading,
        limit=limit,
        number=number,
        channel=channel,
        life=life,
        payment=payment,
        fulfilment=fulfilment,
    )
    return [OrderRow(**_with_flags(row)) for row in found]


def _with_flags(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "flags": json.loads(row["flags"] or "[]")}


@router.get("/transactions/{fact:path}", responses=answers(404, 409))
async def show_transaction(fact: Fact, served: ServedHere, key: Desk) -> Shown:
    """A Transaction or control transaction whole, what it names and what names it."""
    return await _show(served, key, fact, ("Transaction", "Control"))


@router.get("/orders/{fact:path}", responses=answers(404, 409))
async def show_order(fact: Fact, served: ServedHere, key: Desk) -> Shown:
    """An Order or reversal whole, what it names and what names it."""
    return await _show(served, key, fact, ("Order", "Reversal"))


async def _show(served: Served, key: Key, name: str, kinds: tuple[str, ...]) -> Shown:
    """Found first, then audited under its fact id, then shown."""
    shown = await asyncio.to_thread(_found, served, name, kinds)
    await seen(served, key, shown.fact)
    return shown


def _found(served: Served, name: str, kinds: tuple[str, ...]) -> Shown:
    with served.readers.begin() as connection:
        return finding.show(
            connection,
            finding.resolve(connection, name, systems=served.hub.systems, kinds=kinds),
        )
