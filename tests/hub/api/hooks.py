"""Webhooks as their senders write and sign them, and a hub with sources that take them."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from tests import homes
from tests.hub.api.conftest import serve

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving

NOW = 1935828000
"""The hub's clock, in seconds: 2031-05-06, ten o'clock."""
PUBLIC = "https://hub.example.org/in/desk"
WHSEC = base64.b64encode(b"an invented secret, 24 b").decode()


def served(folder: Path, settings: str) -> Iterator[Serving]:
    home = homes.made(folder / "home")
    home.settings.write_text(home.settings.read_text() + settings)
    with serve(home, now=lambda: "2031-05-06T10:00:00.000000Z") as running:
        yield running


def mac(key: str | bytes, signed: bytes, algorithm: str = "sha256") -> str:
    key = key.encode() if isinstance(key, str) else key
    return base64.b64encode(hmac.new(key, signed, algorithm).digest()).decode()


def shopify(body: bytes, key: str = "invented", **headers: str) -> dict[str, str]:
    named = {f"X-Shopify-{name.replace('_', '-')}": value for name, value in headers.items()}
    return {"Content-Type": "application/json", "X-Shopify-Hmac-Sha256": mac(key, body), **named}


def twilio(body: bytes, url: str = PUBLIC, key: str = "invented") -> dict[str, str]:
    pairs = sorted(set(httpx2.QueryParams(body.decode()).multi_items()))
    signed = url + "".join(name + value for name, value in pairs)
    form = "application/x-www-form-urlencoded"
    return {"Content-Type": form, "X-Twilio-Signature": mac(key, signed.encode(), "sha1")}


def standard(body: bytes, at: int = NOW, number: str = "msg_1") -> dict[str, str]:
    signed = mac(base64.b64decode(WHSEC), f"{number}.{at}.".encode() + body)
    return {
        "webhook-id": number,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signed}",
    }


def post(
    hooks: Serving, source: str, body: bytes, headers: dict[str, str], query: str = ""
) -> httpx2.Response:
    path = f"/webhooks/{source}{query}"
    return hooks.call(None, "POST", path, content=body, headers=headers)
