"""Records damaged on purpose: what the contract tries connectors out on.

Works on whole records in XML or JSON and on web forms, by parsing, changing and writing them
again. A format without named fields has no leaves, so that there is nothing to damage in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote_plus, urlencode

from lxml import etree

from connectors.scrub.card import luhn

__all__ = [
    "UNKNOWN",
    "Leaf",
    "bombs",
    "cards",
    "field",
    "filled",
    "foreign",
    "rewritten",
    "with_each_leaf",
    "with_unknown",
    "without_each_leaf",
]

UNKNOWN = "LynchpinUnknown"
"""A field that no format has."""

_NEST_DEPTH = 200_000


class Leaf(NamedTuple):
    """A single value of a record.

    ``path`` are the local names from the top, those of attributes and keys included; ``text`` is
    the value as text.
    """

    path: tuple[str, ...]
    text: str
    put: Callable[[str], object]
    remove: Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Syntax:
    load: Callable[[bytes], Any]
    dump: Callable[[Any], bytes]
    leaves: Callable[[Any], Iterator[Leaf]]
    widen: Callable[[Any], None]
    quoted: Callable[[str], str]
    frame: tuple[str, str]
    """What stands around the value of a field, so that it can be told from an attribute's."""
    nest: str


def rewritten(message: bytes, syntax: str) -> bytes:
    """A message as every damaged one is written, but undamaged: what to compare them with."""
    form = _SYNTAXES.get(syntax)
    return message if form is None else form.dump(form.load(message))


def with_unknown(message: bytes, syntax: str) -> bytes:
    """A message with an unknown field in every object, every element and every start tag."""
    form = _SYNTAXES.get(syntax)
    if form is None:
        return message
    tree = form.load(message)
    form.widen(tree)
    return form.dump(tree)


def filled(record: bytes, syntax: str, texts: Iterator[str]) -> tuple[bytes, list[Leaf]]:
    """The record with another text in every leaf, and the leaves as they are then."""
    form = _SYNTAXES.get(syntax)
    if form is None:
        return record, []
    tree = form.load(record)
    leaves = [leaf._replace(text=next(texts)) for leaf in form.leaves(tree)]
    for leaf in leaves:
        leaf.put(leaf.text)
    return form.dump(tree), leaves


def without_each_leaf(record: bytes, syntax: str) -> Iterator[tuple[Leaf, bytes]]:
    """Each leaf, and the record without it."""
    return _each(record, syntax, lambda leaf: leaf.remove())


def with_each_leaf(record: bytes, syntax: str, text: str) -> Iterator[tuple[Leaf, bytes]]:
    """Each leaf, and the record with ``text`` in its place."""
    return _each(record, syntax, lambda leaf: leaf.put(text))


def bombs(record: bytes, syntax: str, *, size: int) -> Iterator[tuple[str, bytes]]:
    """Records nobody may take in: nested 200,000 deep in two places, and one of ``size`` bytes."""
    form = _SYNTAXES.get(syntax)
    if form is None:
        return
    before, after = form.frame
    marker = f"{before}{form.quoted(UNKNOWN)}{after}".encode()
    marked = next(r for _, r in with_each_leaf(record, syntax, UNKNOWN) if marker in r)
    large = form.quoted("x" * size)
    for detail, text in (("nested deep", form.nest), ("one message too large", large)):
        yield detail, marked.replace(marker, f"{before}{text}{after}".encode())
    yield "nested deep before any message", form.nest.encode()


def foreign(record: bytes) -> Iterator[tuple[str, bytes]]:
    """Records that are nothing of the kind, and this one written as it does not say."""
    yield "blanks", b" \r\n\t" * 10
    yield "zero bytes", bytes(1000)
    yield "every byte there is", bytes(range(256)) * 10
    yield "text", b"Nothing to see here, move along.\n" * 20
    middle = len(record) // 2
    yield "bytes of no encoding in it", record[:middle] + b"\xe9\xff\xfe\xc3" + record[middle:]
    yield "backwards", record[::-1]
    yield "UTF-16 that does not say so", record.decode("latin-1").encode("utf-16-le")
    yield "its last bit flipped", record[:-1] + bytes([record[-1] ^ 0x80])


def cards() -> Iterator[str]:
    """Card numbers, all different, that pass for cards everywhere."""
    for serial in count(111111111111):
        digits = f"4{serial:014d}"
        yield digits + next(c for c in "0123456789" if luhn(f"{digits}{c}".encode()))


def field(name: str, text: str, syntax: str) -> bytes:
    """The smallest document with a field of this name, or of this ``Parent/Name``."""
    if syntax == "form":
        return urlencode({name: text}).encode()
    value = text if syntax == "xml" else json.dumps(text)
    for part in reversed(name.split("/")):
        value = f"<{part}>{value}</{part}>" if syntax == "xml" else f'{{"{part}": {value}}}'
    return value.encode()


def _each(
    record: bytes, syntax: str, act: Callable[[Leaf], object]
) -> Iterator[tuple[Leaf, bytes]]:
    form = _SYNTAXES.get(syntax)
    if form is None:
        return
    for number in count():
        tree = form.load(record)
        leaf = next(islice(form.leaves(tree), number, None), None)
        if leaf is None:
            return
        act(leaf)
        yield leaf, form.dump(tree)


def _load_xml(record: bytes) -> etree._Element:
    # A message alone does not declare its prefixes: the parser has to put up with that.
    parser = etree.XMLParser(remove_comments=True, remove_pis=True, recover=True)
    return etree.fromstring(record, parser)


def _dump_xml(root: etree._Element) -> bytes:
    return etree.tostring(root)


def _xml_leaves(element: etree._Element, above: tuple[str, ...] = ()) -> Iterator[Leaf]:
    path = (*above, etree.QName(element).localname)
    for name, value in element.attrib.items():
        local = etree.QName(name).localname
        put, remove = partial(element.set, name), partial(element.attrib.pop, name)
        yield Leaf((*path, local), str(value), put, remove)
    parent = element.getparent()
    if len(element) == 0 and parent is not None:
        put, without = partial(setattr, element, "text"), partial(parent.remove, element)
        yield Leaf(path, element.text or "", put, without)
    for child in element:
        yield from _xml_leaves(child, path)


def _widen_xml(root: etree._Element) -> None:
    for element in list(root.iter()):
        element.set(UNKNOWN, "1")
        if len(element):
            etree.SubElement(element, UNKNOWN).text = "1"


def _load_json(record: bytes) -> list[Any]:
    """All values of the record, which may be JSON lines; numbers lose nothing that is compared."""
    text, at, values = record.decode("utf-8-sig").strip(), 0, []
    while at < len(text):
        value, end = json.JSONDecoder().raw_decode(text, at)
        values.append(value)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return values


def _dump_json(values: list[Any]) -> bytes:
    return "\n".join(json.dumps(value, ensure_ascii=False) for value in values).encode()


def _json_leaves(values: list[Any]) -> Iterator[Leaf]:
    for value in values:
        yield from _inside_json(value, ())


def _inside_json(value: Any, path: tuple[str, ...]) -> Iterator[Leaf]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        below = (*path, key) if isinstance(key, str) else path
        if isinstance(inner, dict | list):
            yield from _inside_json(inner, below)
        elif inner is not None:
            put, remove = partial(value.__setitem__, key), partial(value.pop, key)
            yield Leaf(below, str(inner), put, remove)


def _widen_json(values: Any) -> None:
    inside = list(values.values()) if isinstance(values, dict) else values
    for inner in inside:
        if isinstance(inner, dict | list):
            _widen_json(inner)
    if isinstance(values, dict):
        values[UNKNOWN] = {"id": 1}


def _load_form(record: bytes) -> list[list[str]]:
    return [[*pair] for pair in parse_qsl(record.decode(), keep_blank_values=True)]


def _dump_form(pairs: list[list[str]]) -> bytes:
    return urlencode([(name, value) for name, value in pairs]).encode()


def _form_leaves(pairs: list[list[str]]) -> Iterator[Leaf]:
    for pair in list(pairs):
        yield Leaf((pair[0],), pair[1], partial(pair.__setitem__, 1), partial(pairs.remove, pair))


def _widen_form(pairs: list[list[str]]) -> None:
    pairs.append([UNKNOWN, "1"])


_SYNTAXES = {
    "xml": _Syntax(
        _load_xml,
        _dump_xml,
        _xml_leaves,
        _widen_xml,
        quoted=str,
        frame=(">", "<"),
        nest="<a>" * _NEST_DEPTH + "</a>" * _NEST_DEPTH,
    ),
    "json": _Syntax(
        _load_json,
        _dump_json,
        _json_leaves,
        _widen_json,
        quoted=json.dumps,
        frame=("", ""),
        nest='{"a":' * _NEST_DEPTH + "1" + "}" * _NEST_DEPTH,
    ),
    # Nothing nests in a form; what grows out of hand there is the number of its fields.
    "form": _Syntax(
        _load_form,
        _dump_form,
        _form_leaves,
        _widen_form,
        quoted=quote_plus,
        frame=("=", ""),
        nest="1&a=1" * _NEST_DEPTH,
    ),
}
