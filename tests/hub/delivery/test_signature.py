"""Signatures as another implementation of Standard Webhooks checks them."""

from __future__ import annotations

import time
from base64 import b64encode

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from hub.delivery.signature import signed

OLD, NEW = (f"whsec_{b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
BODY = '{"type":"order.v1","data":"é\U0001f9fe"}'.encode()


def headers(*secrets: str, body: bytes = BODY, seconds: int | None = None) -> dict[str, str]:
    now = int(time.time()) if seconds is None else seconds
    return signed("msg_1", now, body, [SecretStr(each) for each in secrets])


@pytest.mark.parametrize("held", [OLD, NEW])
def test_either_secret_will_do_while_one_is_changed(held: str) -> None:
    assert Webhook(held).verify(BODY, headers(OLD, NEW))["type"] == "order.v1"


@pytest.mark.parametrize(
    ("held", "body", "changed"),
    [
        (NEW, BODY, {}),
        (OLD, BODY + b" ", {}),
        (OLD, BODY, {"webhook-id": "msg_2"}),
        (OLD, BODY, {"webhook-timestamp": str(int(time.time()) - 60)}),
    ],
)
def test_what_was_altered_does_not_fit(held: str, body: bytes, changed: dict[str, str]) -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(held).verify(body, {**headers(OLD), **changed})
