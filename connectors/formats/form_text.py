"""A web form (``application/x-www-form-urlencoded``) as a record of one message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias
from urllib.parse import parse_qsl

from connectors.api import EMPTY, ENCODING, MESSAGE_BYTES_MAX, NO_MESSAGE, OVERSIZED, Slice
from schemas.problem import Cause, Refused, Rejected

__all__ = ["FIELDS_MAX", "TOO_MANY_FIELDS", "Form", "decode_form", "split_form"]

FIELDS_MAX = 1000
"""Fields that a form may have."""

TOO_MANY_FIELDS = Cause(
    "LP-DOOR-006",
    "The form has more fields than any real one.",
    "Treat the sender as hostile until you know why.",
)

Form: TypeAlias = dict[str, str | list[str]]
"""The fields of a form; one that came more than once has its values in a list."""

_CONTROLS = bytes(range(0x21)) + b"\x7f"
_BLANKS = b" \t\r\n"


def split_form(chunks: Iterable[bytes], *, others: bytes = b"") -> Iterator[Slice]:
    """Give the one message of a record; a form has no end mark, so it is always complete.

    What begins with one of the ``others`` is no form but kept all the same: whoever sends forms
    may send something else as well. Raises ``Refused`` for what is empty, larger than a message may
    be, has too many fields, or holds bytes that no form has, such as blanks and line ends in its
    middle.
    """
    record = bytearray()
    for chunk in chunks:
        record += chunk
        if len(record) > MESSAGE_BYTES_MAX:
            raise Refused(OVERSIZED.at())
    payload = bytes(record).strip(_BLANKS)
    if not payload:
        raise Refused(EMPTY.at())
    if not others or payload[0] not in others:
        _check(payload)
    yield Slice(payload, offset=record.find(payload))


def _check(payload: bytes) -> None:
    if b"=" not in payload or payload.translate(None, _CONTROLS) != payload:
        raise Refused(NO_MESSAGE.at("this is no form"))
    if payload.count(b"&") >= FIELDS_MAX:
        raise Refused(TOO_MANY_FIELDS.at())


def decode_form(payload: bytes) -> Form:
    """Give the fields of a form. Raises ``Rejected`` (ENCODING) for bytes that are not UTF-8."""
    try:
        text = payload.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise Rejected(ENCODING.at("the form is not UTF-8")) from None
    form: Form = {}
    for name, value in pairs:
        before = form.get(name)
        if before is None:
            form[name] = value
        elif isinstance(before, str):
            form[name] = [before, value]
        else:
            before.append(value)
    return form
