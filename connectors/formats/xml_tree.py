"""One slice of XML as an element with canonical names, whatever prefixes its document chose.

Elements of the format itself carry no namespace (``LineItem``); those of a vendor carry a short
prefix in place of the vendor's address (``{acs}DiscountTotal``), so that a mapping is written
once for every version of the vendor's schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from connectors.api import DEPTH, MALFORMED
from connectors.formats.xml_head import as_utf8, read_context
from schemas.problem import Problem, Rejected

__all__ = ["Namespaces", "parse_slice"]

_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
    strip_cdata=True,
)
_MISTAKES = {
    etree.ErrorTypes.ERR_TAG_NAME_MISMATCH: "a closing tag does not match its opening tag",
    etree.ErrorTypes.ERR_TAG_NOT_FINISHED: "an element is not closed",
    etree.ErrorTypes.ERR_GT_REQUIRED: "a tag is not finished",
    etree.ErrorTypes.ERR_UNDECLARED_ENTITY: "an entity is used that nothing declares",
    etree.ErrorTypes.ERR_INVALID_CHAR: "a control character that XML does not allow",
    etree.ErrorTypes.ERR_INVALID_CHARREF: "a reference to a character that XML does not allow",
    etree.ErrorTypes.ERR_ATTRIBUTE_REDEFINED: "an attribute occurs twice",
    etree.ErrorTypes.ERR_HYPHEN_IN_COMMENT: "a comment holds two dashes",
    etree.ErrorTypes.ERR_LT_IN_ATTRIBUTE: "an attribute holds a tag",
    etree.ErrorTypes.ERR_NAME_REQUIRED: "markup without a name",
    etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE: "a prefix is used that nothing declares",
}


@dataclass(frozen=True, slots=True, eq=False)
class Namespaces:
    """The namespaces that a format knows; a format has one of these, which is equal to itself only.

    ``own`` matches the addresses of the format itself. ``vendors`` are pairs of a canonical prefix
    and a pattern of addresses, whichever the version.
    """

    own: re.Pattern[str]
    vendors: tuple[tuple[str, re.Pattern[str]], ...] = ()

    def known(self, uri: str) -> str | None:
        """``""`` for the format's own address, a vendor's canonical prefix, ``None`` otherwise."""
        if self.own.fullmatch(uri):
            return ""
        return next((prefix for prefix, pattern in self.vendors if pattern.fullmatch(uri)), None)

    def name(self, uri: str, prefix: str | None, named: Mapping[str, str]) -> str:
        """What stands for ``uri`` in a tag: for an unknown one its prefix, unless that is taken."""
        known = self.known(uri)
        if known is not None:
            return known
        taken = {vendor for vendor, _ in self.vendors} | set(named.values())
        return uri if prefix is None or prefix in taken else prefix


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the wrappers of a message declare, as start tags of an artificial root.

    ``canonical`` binds each prefix to the name that is to stand in its tags and leaves the
    format's own namespace out, so that the parser alone gives canonical names. A prefix of the
    format's own namespace cannot be bound to nothing: see ``own_prefixes`` (``b"poslog:"``).
    ``named`` gives the name of each address.
    """

    declared: bytes
    canonical: bytes
    own_prefixes: tuple[bytes, ...]
    named: Mapping[str, str]


def parse_slice(
    payload: bytes, context: bytes, names: Namespaces, *, encoding: str | None = None
) -> etree._Element:
    """Parse one message. ``encoding`` is the source's option, which overrules the document's.

    Raises ``Rejected`` (encoding, depth, not well-formed) with the byte within ``payload``.
    """
    head = read_context(context)
    text = as_utf8(payload, head, encoding)
    scope = _scope(context, names)
    if b"xmlns" not in text and not any(prefix in text for prefix in scope.own_prefixes):
        return _parse(text, scope.canonical, payload)
    element = _parse(text, scope.declared, payload)
    _rename(element, names, dict(scope.named))
    return element


@lru_cache(maxsize=256)
def _scope(context: bytes, names: Namespaces) -> _Scope:
    # A record that begins in the middle of a document declares nothing, so vendors' own prefixes
    # are bound beforehand; what a wrapper declares overrules them.
    bound = {prefix: prefix for prefix, _ in names.vendors}
    wrappers = read_context(context).wrappers
    for declared, address in (d for wrapper in wrappers for d in wrapper.declarations):
        bound[declared.decode().partition(":")[2]] = address.decode()
    bound.pop("xml", None)
    named: dict[str, str] = {}
    for prefix, uri in bound.items():
        if prefix and uri not in named and uri != prefix:
            named[uri] = names.name(uri, prefix, named)
    canonical = {prefix: named.get(uri, uri) for prefix, uri in bound.items() if prefix}
    default = names.known(bound.get("", ""))
    if default:
        canonical[""] = default
    return _Scope(
        declared=_start_tag(bound),
        canonical=_start_tag({prefix: name for prefix, name in canonical.items() if name}),
        own_prefixes=tuple(f"{p}:".encode() for p, name in canonical.items() if name == ""),
        named=named,
    )


def _start_tag(bound: Mapping[str, str]) -> bytes:
    """The artificial root. Addresses are text of the document, so their ``&`` are escapes."""
    parts = [f' xmlns:{p}="{uri}"' if p else f' xmlns="{uri}"' for p, uri in bound.items()]
    return f"<_{''.join(parts)}>\n".encode()


def _parse(text: bytes, start_tag: bytes, payload: bytes) -> etree._Element:
    try:
        root = etree.fromstring(start_tag + text + b"</_>", _PARSER)
    except etree.XMLSyntaxError as error:
        raise Rejected(_problem(error, text, payload)) from None
    if len(root) != 1 or (root.text or "").strip() or (root[0].tail or "").strip():
        raise Rejected(MALFORMED.at("more than one element", byte=0))
    return root[0]


def _problem(error: etree.XMLSyntaxError, text: bytes, payload: bytes) -> Problem:
    """Say where and what kind of mistake it is, never with the parser's text: it may quote data."""
    if "depth" in (error.msg or ""):
        return DEPTH.at(byte=0)
    code = getattr(error, "code", 0)
    words = _MISTAKES.get(code, f"mistake {code} of libxml2")
    line, column = error.position
    before = b"".join(text.splitlines(keepends=True)[: line - 2]) if line > 2 else b""
    current = text[len(before) :].decode(errors="replace")[: max(column - 1, 0)] if line > 1 else ""
    at = len((before.decode() + current).encode() if text is payload else before.decode() + current)
    return MALFORMED.at(words, byte=min(at, len(payload)))


def _rename(message: etree._Element, names: Namespaces, named: dict[str, str]) -> None:
    """Give every tag and attribute its canonical name.

    A default namespace that nobody knows is taken for the format's own.
    """
    home = message.nsmap.get(None)
    if home is not None and names.known(home) is None:
        named[home] = ""

    def canonical(tag: str, element: etree._Element) -> str:
        uri, _, local = tag[1:].partition("}")
        if uri not in named:
            prefix = next((p for p, u in element.nsmap.items() if u == uri and p), None)
            named[uri] = names.name(uri, prefix, named)
        return f"{{{named[uri]}}}{local}" if named[uri] else local

    for element in message.iter():
        for attribute in [name for name in map(str, element.attrib) if name.startswith("{")]:
            element.attrib[canonical(attribute, element)] = element.attrib.pop(attribute)
        tag = str(element.tag)
        if tag.startswith("{"):
            element.tag = canonical(tag, element)
