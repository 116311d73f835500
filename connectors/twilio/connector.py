"""The Twilio connector: a voice webhook is a snapshot of its call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator

from connectors import signature
from connectors.api import (
    FOREIGN,
    NAMELESS,
    Connector,
    Document,
    Name,
    Options,
    Reply,
    Request,
    Rest,
    Secrets,
    Slice,
    Stamp,
)
from connectors.formats.form_text import Form, decode_form, split_form
from connectors.manifest import read
from connectors.stamp import stamped
from connectors.twilio.scrub_profile import PROFILE
from connectors.twilio.twiml import checked
from schemas.problem import Rejected

__all__ = ["TwilioOptions", "connector"]

CONTENT_VERSION = 1
_CONTENT = ("CallSid", "CallStatus", "Direction", "From", "To", "ParentCallSid", "Timestamp")
_STATUSES = ("queued", "initiated", "ringing", "in-progress")
"""How a call goes on; every other status is an end."""
_ENDED = len(_STATUSES)
_JSON = b"{["
_SID = re.compile(r"\S{1,100}")
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)
_NUMBER = re.compile(r"\+?[0-9]{5,15}", re.ASCII)
_WITHHELD = frozenset({"+266696687", "+7378742883", "+2562533", "+8656696", "+86282452253"})
"""What Twilio writes for a number it does not get: the keys of ANONYMOUS, RESTRICTED, BLOCKED,
UNKNOWN and UNAVAILABLE."""


class TwilioOptions(Options):
    """What a source may set for its Twilio number."""

    twiml: Annotated[str, AfterValidator(checked)] = "<Response/>"
    """What Twilio is to do with a call, in its own words; as it stands, to end it."""


def verify(request: Request, secrets: Secrets, options: TwilioOptions, now: datetime) -> Stamp:
    """Pass a webhook signed with an auth token; its scheme has no time. Raises ``Denied``."""
    signature.twilio(request, secrets)
    return stamped(request, number="i-twilio-idempotency-token")


def reply(request: Request, options: TwilioOptions) -> Reply:
    """Tell Twilio what to do with the call. For a mere change of status it asks no answer."""
    return Reply(options.twiml.encode(), "text/xml")


def split(
    chunks: Iterable[bytes], options: TwilioOptions, rest: Rest | None = None
) -> Iterator[Slice | Rest]:
    """Give the one message of a webhook; see ``formats.form_text``."""
    yield from split_form(chunks, others=_JSON)


def continues(head: bytes) -> bool:
    """A form is always whole."""
    return False


def decode(payload: bytes, context: bytes, options: TwilioOptions) -> tuple[Document, ...]:
    """Give the call with all fields as sent, and in lower case what follows from them.

    ``party`` is the other party's number, ``started_at`` and ``ended_at`` are instants as far as
    the webhook tells. Raises ``Rejected``: FOREIGN for the JSON that other products of Twilio
    send, ENCODING, or NAMELESS without one CallSid.
    """
    if payload.startswith((b"{", b"[")):
        raise Rejected(FOREIGN.at("this is JSON, and calls come as forms"))
    form = decode_form(payload)
    sid = form.get("CallSid")
    if not isinstance(sid, str) or not _SID.fullmatch(sid):
        raise Rejected(NAMELESS.at("the webhook names no call", path="CallSid"))
    found = {"party": _party(form), **_times(form)}
    return (Document("call", {**form, **{k: v for k, v in found.items() if v is not None}}),)


def name(document: Document, options: TwilioOptions) -> Name:
    """Name the call as a snapshot; a later status is newer, and so is a later sequence number.

    Only status callbacks are numbered, and a call's status never goes back: so the status decides
    between a numbered webhook and one that is not.
    """
    body = document.body
    content = json.dumps([body.get(field) for field in _CONTENT]).encode()
    number = body.get("SequenceNumber")
    place = int(number) + 1 if isinstance(number, str) and _COUNT.fullmatch(number) else 0
    version = f"{_stage(body)}-{place:010d}"
    return Name("snapshot", ("call", body["CallSid"]), content, CONTENT_VERSION, version)


def _stage(form: Form) -> int:
    status = form.get("CallStatus")
    if not status:
        return 0
    return _STATUSES.index(status) if status in _STATUSES else _ENDED


def _party(form: Form) -> str | None:
    """The number of whoever is not us, if it is one.

    The leg that a call is put through on has the agent at its other end, so it names nobody: the
    parent call does.
    """
    if form.get("ParentCallSid"):
        return None
    comes_in = form.get("Direction") in ("inbound", "trunking-terminating")
    number = form.get("From" if comes_in else "To")
    if not isinstance(number, str):
        return None
    number = number.strip()
    return number if _NUMBER.fullmatch(number) and number not in _WITHHELD else None


def _times(form: Form) -> dict[str, Any]:
    """When the call began and ended. A status callback tells when its status came about."""
    try:
        at = parsedate_to_datetime(str(form.get("Timestamp", "")))
        # No offset is what "-0000" becomes: UTC, from nowhere in particular.
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if _stage(form) < _ENDED:
            return {"started_at": _written(at)}
        talked = form.get("CallDuration")
        seconds = int(talked) if isinstance(talked, str) and _COUNT.fullmatch(talked) else 0
        return {"started_at": _written(at - timedelta(seconds=seconds)), "ended_at": _written(at)}
    except (ValueError, OverflowError):
        return {}


def _written(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


connector = Connector(
    manifest=read(Path(__file__).with_name("manifest.toml")),
    scrub=PROFILE,
    split=split,
    continues=continues,
    decode=decode,
    name=name,
    options=TwilioOptions,
    verify=verify,
    reply=reply,
)
"""What the entry point ``twilio`` names."""
