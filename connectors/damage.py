"""Records damaged on purpose: what the contract of connectors is tried out on.

Works on whole records in XML or JSON, by parsing, changing and writing them again. A format
without named fields has no leaves, so that there is nothing to damage in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from lxml import etree

__all__ = ["UNKNOWN", "Leaf", "bombs", "rewritten", "with_each_leaf", "with_unknown", "without_each_leaf"]

UNKNOWN = "LynchpinUnknown"
"""A field that no format has."""

_BOMB_DEPTH = 200_000


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
    bomb: Callable[[str], str]
    quote: str


def rewritten(record: bytes, syntax: str) -> bytes:
    """The record as every damaged one is written, but undamaged: what to compare them with."""
    form = _SYNTAXES.get(syntax)
    return record if form is None else form.dump(form.load(record))


def with_unknown(record: bytes, syntax: str) -> bytes:
    """The record with an unknown field in every object, every element and every start tag."""
    form = _SYNTAXES.get(syntax)
    if form is None:
        return record
    tree = form.load(record)
    form.widen(tree)
    return form.dump(tree)


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
    _, marked = next(with_each_leaf(record, syntax, UNKNOWN))
    marker = f"{form.quote}{UNKNOWN}{form.quote}".encode()
    for detail, text in (
        ("nested deep inside a message", form.bomb("a")),
        ("one message too large", f"{form.quote}{'x' * size}{form.quote}"),
    ):
        yield detail, marked.replace(marker, text.encode())
    yield "nested deep before any message", form.bomb("a").encode()


def _each(
    record: bytes, syntax: str, act: Callable[[Leaf], None]
) -> Iterator[tuple[Leaf, bytes]]:
    form = _SYNTAXES.get(syntax)
    if form is None:
        return
    for number in range(len(list(form.leaves(form.load(record))))):
        tree = form.load(record)
        leaf = list(form.leaves(tree))[number]
        act(leaf)
        yield leaf, form.dump(tree)


def _load_xml(record: bytes) -> etree._Element:
    return etree.fromstring(record, etree.XMLParser(remove_comments=True, remove_pis=True))


def _dump_xml(root: etree._Element) -> bytes:
    encoding = root.getroottree().docinfo.encoding or "UTF-8"
    return etree.tostring(root, encoding=encoding, xml_declaration=True)


def _xml_leaves(element: etree._Element, above: tuple[str, ...] = ()) -> Iterator[Leaf]:
    path = (*above, etree.QName(element).localname)
    for name, value in element.attrib.items():
        local = etree.QName(name).localname
        put, remove = partial(element.set, name), partial(element.attrib.pop, name)
        yield Leaf((*path, local), str(value), put, remove)
    parent = element.getparent()
    if len(element) == 0 and parent is not None:
        put, remove = partial(setattr, element, "text"), partial(parent.remove, element)
        yield Leaf(path, element.text or "", put, remove)
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


_SYNTAXES = {
    "xml": _Syntax(
        _load_xml,
        _dump_xml,
        _xml_leaves,
        _widen_xml,
        lambda name: f"<{name}>" * _BOMB_DEPTH + f"</{name}>" * _BOMB_DEPTH,
        "",
    ),
    "json": _Syntax(
        _load_json,
        _dump_json,
        _json_leaves,
        _widen_json,
        lambda name: f'{{"{name}":' * _BOMB_DEPTH + "1" + "}" * _BOMB_DEPTH,
        '"',
    ),
}
