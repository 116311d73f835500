"""Webhooks: what shops, phone systems and campaign tools send of themselves, signed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from hub.api.errors import answers
from hub.api.intake import Receipt
from hub.api.served import ServedHere
from hub.api.signed import Webhook, WebhookHere
from hub.door import Taken, repeated, take_in

__all__ = ["router"]

router = APIRouter(tags=["sources"])


@router.post(
    "/webhooks/{source}",  # noqa: FAST003
    response_model=Receipt,
    responses={
        **answers(400, 408, 413, 415),
        200: {
            "description": "It is on the disk: its receipt, or what this sender wants to hear.",
            "content": {"text/xml": {"schema": {"type": "string"}}},
        },
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "As its sender writes and signs it, in at most 4 MiB.",
            "content": {
                "application/json": {"schema": {}},
                "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
            },
        }
    },
)
async def send_webhook(webhook: WebhookHere, served: ServedHere) -> Response | Receipt:
    """Take in a webhook that is signed as its sender's system signs: no key is needed.

    The answer comes after the commit. What is sent again counts once: the same bytes under the same
    stamp are the record that came first.
    """
    work = partial(_journal, webhook=webhook, now=served.hub.now)
    taken = await served.take_in(work)
    connector = webhook.door.connector
    if connector.reply is None:
        return Receipt.of(taken)
    said = connector.reply(webhook.request, webhook.door.options)
    return Response(said.content, media_type=said.media_type)


def _journal(connection: Connection, *, webhook: Webhook, now: Callable[[], str]) -> Taken:
    door, stamp, pieces = webhook.door, webhook.stamp, webhook.pieces
    before = repeated(connection, door.source, stamp, pieces)
    if before is not None:
        return before
    return take_in(connection, door, pieces, name="webhook", now=now(), stamp=stamp)
