"""The fields of a document by byte offset, read without parsing it.

The scrubber must know which field a digit stands in while the bytes may be cut short, wrongly
encoded or not well-formed. So this reads tags and keys as they come, in one pass, never fails,
and on a broken document may only be wrong about what comes after the break.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import unquote_to_bytes

from connectors.repeated import many

__all__ = ["Leaf", "Rule", "RuleOf", "form_leaves", "json_leaves", "json_numbers", "xml_leaves"]

Rule = Literal["pan", "secret", "never"]
"""What is done with the text of a field."""

RuleOf = Callable[[str, str, Rule | None], Rule | None]
"""From a field's name, its parent's name and the rule of the field around it."""


class Leaf(NamedTuple):
    """A piece of text that some rule covers.

    Leaves of one ``field`` belong together: an element whose text a comment interrupts, or all
    that lies inside a field of card data.
    """

    start: int
    end: int
    rule: Rule
    field: int


_Frame = tuple[str, Rule | None, int]
"""An open element, object or array: its name, its rule, the field it belongs to."""

_NAME_BYTES_MAX = 600
"""No name is longer, fully escaped; what is cut here matches none and stays small in a cache."""

_OUTSIDE: _Frame = ("", None, 0)

# No alternative can fail after it has read far: what never closes reaches to the end of the text.
_MARKUP = re.compile(
    rb"(?P<text>[^<]++)"
    rb"|<(?:!--(?P<comment>.*?)-->|!\[CDATA\[(?P<cdata>.*?)\]\]>|\?(?P<pi>.*?)\?>"
    rb"|!--(?P<open_comment>.*)|!\[CDATA\[(?P<open_cdata>.*)|\?(?P<open_pi>.*)"
    rb"|(?P<close>/)[^<>]*+>?"
    rb"|(?P<name>[^\s<>/!?][^\s<>/]*+)"
    rb"(?P<attributes>" + many(rb"[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'") + rb")>?)",
    re.DOTALL,
)
_ASIDE = frozenset({"comment", "open_comment", "pi", "open_pi"})
_ATTRIBUTE = re.compile(rb"([^\s=<>\"'/]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'))?")
_RESERVED = (b"xmlns", b"xml:", b"xsi:")


@lru_cache(maxsize=4096)
def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace").lower()


def _local(name: bytes) -> str:
    return _text(name[-_NAME_BYTES_MAX:].rpartition(b":")[2])


def xml_leaves(payload: bytes, rule_of: RuleOf) -> Iterator[Leaf]:
    """Text, CDATA, comments and attribute values that a rule covers, in order."""
    stack = [_OUTSIDE]
    serial = 0
    for part in _MARKUP.finditer(payload):
        kind = part.lastgroup or ""
        around, rule, field = stack[-1]
        if kind == "close":
            if len(stack) > 1:
                stack.pop()
        elif kind == "attributes":
            name = _local(part["name"])
            own = rule_of(name, around, rule)
            serial += 1
            frame = (name, own, field if own and own == rule else serial)
            if part[kind]:
                for start, end, one in _attributes(payload, part.span(kind), frame, rule_of):
                    serial += 1
                    yield Leaf(start, end, one, serial)
            if not part[kind].endswith(b"/"):
                stack.append(frame)
        elif rule and not (kind in _ASIDE and rule == "never"):
            yield Leaf(*part.span(kind), rule, field)


def _attributes(
    payload: bytes, span: tuple[int, int], element: _Frame, rule_of: RuleOf
) -> Iterator[tuple[int, int, Rule]]:
    for attribute in _ATTRIBUTE.finditer(payload, *span):
        if attribute.lastindex == 1 or attribute[1].startswith(_RESERVED):
            continue
        rule = rule_of(_local(attribute[1]), element[0], element[1])
        if rule:
            yield *attribute.span(attribute.lastindex or 0), rule


_TOKEN = re.compile(
    rb"\"(?P<text>" + many(rb"[^\"\\]++|\\.") + rb")(?:\"(?P<key>\s*+:)?)?"
    rb"|(?P<open>[{\[])|(?P<close>[}\]])|(?P<number>-?[0-9][0-9.eE+-]*+)",
    re.DOTALL,
)


def json_leaves(payload: bytes, rule_of: RuleOf) -> Iterator[Leaf]:
    """Strings and numbers that a rule covers, in order.

    The elements of an array belong to the key that the array has.
    """
    stack = [_OUTSIDE]
    serial = 0
    pending: _Frame | None = None
    for token in _TOKEN.finditer(payload):
        kind = token.lastgroup
        if kind == "key":
            around, rule, field = stack[-1]
            name = _key(token["text"])
            own = rule_of(name, around, rule)
            serial += 1
            pending = (name, own, field if own and own == rule else serial)
            continue
        owner, pending = pending or stack[-1], None
        if kind == "open":
            stack.append(owner)
        elif kind == "close":
            if len(stack) > 1:
                stack.pop()
        elif kind and owner[1]:
            yield Leaf(*token.span(kind), owner[1], owner[2])


def json_numbers(payload: bytes) -> Iterator[tuple[int, int]]:
    """Where the bare numbers stand: start and end of each."""
    for token in _TOKEN.finditer(payload):
        if token.lastgroup == "number":
            yield token.span()


_PAIR = re.compile(rb"([^&=\s]*+)=([^&\s]*+)")


def form_leaves(payload: bytes, rule_of: RuleOf) -> Iterator[Leaf]:
    """Values of a web form that a rule covers, in order; its fields have no parents."""
    for serial, pair in enumerate(_PAIR.finditer(payload)):
        name = unquote_to_bytes(pair[1][: 3 * _NAME_BYTES_MAX].replace(b"+", b" "))
        rule = rule_of(_text(name), "", None)
        if rule:
            yield Leaf(*pair.span(2), rule, serial)


def _key(text: bytes) -> str:
    text = text[:_NAME_BYTES_MAX]
    if b"\\" in text:
        with suppress(ValueError):
            return str(json.loads(b'"' + text + b'"')).lower()
    return _text(text)
