"""Webhooks of the invented shop, phone system and web site, signed as their senders sign."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

__all__ = ["Webhook", "call", "call_fact", "event", "event_fact", "shop"]

_SITE = "example-site"
_NUMBER = "+12125550100"


@dataclass(frozen=True, slots=True)
class Webhook:
    """What is posted to the hub, and how."""

    path: str
    body: bytes
    headers: dict[str, str]


def shop(body: bytes, *, number: str, secret: str) -> Webhook:
    """What the shop tells; ``number`` is that of the event, and stays when it is sent again."""
    headers = {
        "X-Shopify-Hmac-Sha256": _mac(secret.encode(), body, "sha256"),
        "X-Shopify-Event-Id": number,
        "Content-Type": "application/json",
    }
    return Webhook("/webhooks/shopify", body, headers)


def call(sid: str, phone: str, *, address: str, secret: str) -> Webhook:
    """A call that comes in from a phone; ``address`` is the hub's."""
    form = {
        "CallSid": sid,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "From": "+" + "".join(filter(str.isdigit, phone)),
        "To": _NUMBER,
    }
    path = "/webhooks/twilio"
    signed = address + path + "".join(name + form[name] for name in sorted(form))
    headers = {
        "X-Twilio-Signature": _mac(secret.encode(), signed.encode(), "sha1"),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Webhook(path, urlencode(form).encode(), headers)


def call_fact(sid: str) -> str:
    """The name by which the hub must know the call."""
    return f"twilio:call/{sid}"


def event(number: str, kind: str, data: dict[str, Any], *, at: str, secret: str) -> Webhook:
    """What the web site or a campaign tells of somebody, as a CloudEvent."""
    told = {
        "specversion": "1.0",
        "source": _SITE,
        "id": number,
        "type": kind,
        "time": at,
        "data": data,
    }
    body, seconds = json.dumps(told).encode(), str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    headers = {
        "Webhook-Id": number,
        "Webhook-Timestamp": seconds,
        "Webhook-Signature": "v1,"
        + _mac(key, b".".join((number.encode(), seconds.encode(), body)), "sha256"),
        "Content-Type": "application/json",
    }
    return Webhook("/webhooks/events", body, headers)


def event_fact(number: str) -> str:
    """The name by which the hub must know the event."""
    return f"events:{_SITE}/{number}"


def _mac(key: bytes, signed: bytes, algorithm: str) -> str:
    return base64.b64encode(hmac.new(key, signed, getattr(hashlib, algorithm)).digest()).decode()
