"""Signatures of webhooks: each function passes a request that its sender signed, or denies it.

All of them compare in constant time and take the bytes as they came. Each secret is tried, so that
a sender may go over to a new one without a gap. A source without a secret denies everything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from urllib.parse import SplitResult, parse_qsl, urlsplit

from connectors.api import Request, Secrets
from schemas.problem import Cause, ConfigError, Denied

__all__ = [
    "AGE_MAX",
    "BAD_SECRET",
    "TOO_OLD",
    "UNSIGNED",
    "shopify",
    "square",
    "standard",
    "twilio",
]

AGE_MAX = timedelta(minutes=5)
"""How far a signed time may be from the hub's clock, on either side."""

UNSIGNED = Cause(
    "LP-SIG-001",
    "The signature is missing or wrong.",
    "Compare the secret and the public address of the source with what the sender has.",
)
TOO_OLD = Cause(
    "LP-SIG-002",
    "The signed time is too far from the hub's clock.",
    "Set both clocks, then have the sender send it again under a new time.",
)
BAD_SECRET = Cause(
    "LP-CFG-041",
    "The secret of the source is not what its signatures need.",
    "Copy the secret from the sender again, whole: `whsec_` and what follows it.",
)

_WHSEC = "whsec_"
_STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_PORT = re.compile(r":[0-9]+\Z")
_BODY_DIGEST = "bodySHA256"


def shopify(request: Request, secrets: Secrets) -> None:
    """Pass what carries the HMAC-SHA256 of its body, in base64. Raises ``Denied``."""
    given = request.header("x-shopify-hmac-sha256")
    _compare(given, (_mac(_plain(s), request.body, "sha256") for s in _texts(secrets)))


def square(request: Request, secrets: Secrets, *, notification_url: str) -> None:
    """Pass what carries the HMAC-SHA256 of the subscribed address and body. Raises ``Denied``."""
    given = request.header("x-square-hmacsha256-signature")
    signed = notification_url.encode() + request.body
    _compare(given, (_mac(_plain(s), signed, "sha256") for s in _texts(secrets)))


def twilio(request: Request, secrets: Secrets) -> None:
    """Pass what carries the HMAC-SHA1 of its address and the sorted fields of its form.

    A body that is no form is signed by its digest in the address. Twilio leaves out the port of
    the address or writes it, so both will do. Raises ``Denied``.
    """
    given = request.header("x-twilio-signature")
    parts = _parts(request.url)
    fields = _twilio_fields(request.body, parts.query)
    signed = [_plain(address + fields) for address in _addresses(request.url, parts)]
    _compare(given, (_mac(_plain(s), t, "sha1") for s in _texts(secrets) for t in signed))


def standard(request: Request, secrets: Secrets, *, now: datetime) -> None:
    """Pass what is signed as Standard Webhooks say: id, time and body, scheme ``v1``.

    Raises ``Denied``, and ``ConfigError`` for a secret that is not base64 after ``whsec_``.
    """
    # First of all, so that a secret that is none shows before anything was ever signed with it.
    keys = [_key(text) for text in _texts(secrets)]
    number, seconds, listed = (request.header(name) for name in _STANDARD)
    if not number or not seconds or not listed or not _SECONDS.fullmatch(seconds):
        raise Denied(UNSIGNED.at())
    signed = b".".join((_plain(number), _plain(seconds), request.body))
    expected = [_mac(key, signed, "sha256") for key in keys]
    given = [scheme[3:] for scheme in listed.split(" ") if scheme.startswith("v1,")]
    if not any(_matches(each, expected) for each in given):
        raise Denied(UNSIGNED.at())
    # Only what is truly signed is told that its time is wrong.
    if abs(now.timestamp() - int(seconds)) > AGE_MAX.total_seconds():
        raise Denied(TOO_OLD.at())


def _compare(given: str | None, expected: Iterable[bytes]) -> None:
    if given is None or not _matches(given, expected):
        raise Denied(UNSIGNED.at())


def _matches(given: str, expected: Iterable[bytes]) -> bool:
    return any(hmac.compare_digest(_plain(given), each) for each in expected)


def _mac(key: bytes, signed: bytes, algorithm: str) -> bytes:
    return base64.b64encode(hmac.new(key, signed, algorithm).digest())


def _plain(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _texts(secrets: Secrets) -> Iterator[str]:
    """The secrets; an empty one is none, or everybody could sign."""
    return (text for secret in secrets if (text := secret.get_secret_value()))


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix(_WHSEC), validate=True)
    except (NotBase64, ValueError):
        key = b""
    if not key:
        raise ConfigError(BAD_SECRET.at())
    return key


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Denied(UNSIGNED.at()) from None
    return parts


def _twilio_fields(body: bytes, query: str) -> str:
    """What follows the address: names and values, sorted, each value of a name once."""
    for name, value in parse_qsl(query):
        if name == _BODY_DIGEST:
            digest = hashlib.sha256(body).hexdigest().encode()
            if not hmac.compare_digest(digest, _plain(value)):
                raise Denied(UNSIGNED.at())
            return ""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise Denied(UNSIGNED.at()) from None
    return "".join(name + value for name, value in sorted(set(pairs)))


def _addresses(url: str, parts: SplitResult) -> tuple[str, str]:
    """The address without a port, and with the one it has or that its scheme stands for."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = _PORT.sub("", parts.netloc)
    # Putting the parts together again might spell the rest in another way.
    without, ported = (
        url.replace(f"//{parts.netloc}", f"//{netloc}", 1) for netloc in (host, f"{host}:{port}")
    )
    return without, ported
