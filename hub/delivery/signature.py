"""The signature of Standard Webhooks 1.0, by which a receiver knows that the hub sent it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable

from pydantic import SecretStr

__all__ = ["signed"]


def signed(key: str, seconds: int, body: bytes, secrets: Iterable[SecretStr]) -> dict[str, str]:
    """The headers that go with a body: its id, when it is sent, and a signature by each secret."""
    content = b"%s.%d.%s" % (key.encode(), seconds, body)
    return {
        "webhook-id": key,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(_signature(secret, content) for secret in secrets),
    }


def _signature(secret: SecretStr, content: bytes) -> str:
    key = base64.b64decode(secret.get_secret_value().partition("_")[2])
    mac = hmac.new(key, content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"
