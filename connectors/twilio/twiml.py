"""TwiML: what Twilio is told to do with a call, as far as its form can be checked."""

from __future__ import annotations

from lxml import etree

__all__ = ["checked"]

_BYTES_MAX = 64 * 1024
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def checked(text: str) -> str:
    """Give the document as it is. Raises ``ValueError`` if Twilio could not read it."""
    content = text.encode()
    if len(content) > _BYTES_MAX:
        message = f"TwiML has at most {_BYTES_MAX} bytes"
        raise ValueError(message)
    try:
        root = etree.fromstring(content, _PARSER)
    except etree.XMLSyntaxError:
        message = "this is not well-formed XML"
        raise ValueError(message) from None
    if root.tag != "Response":
        message = "TwiML is a <Response>"
        raise ValueError(message)
    return text
