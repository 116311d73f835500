"""Names: what makes a fact the same fact, whichever door it came through."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from connectors.api import Name

__all__ = ["business_hash", "fact_id", "further_kind"]

# Everything else is written as %XX, so that the parts can always be told apart again.
_PLAIN = " #@+,-._~()"


def fact_id(system: str, key: tuple[str, ...]) -> str:
    """The unique name of a thing: ``tills-uk:0009/03/2026-03-01/114``, ``shop-eu:order/1001``."""
    return f"{system}:{'/'.join(quote(part, safe=_PLAIN) for part in key)}"


def further_kind(kind: str, name: str) -> str:
    """What the names of further documents begin with; no kind of message has a ``+`` in it."""
    return f"{kind}+{name}"


def business_hash(name: Name) -> str:
    """Hash of the content that makes two documents of one name the same, 64 hex digits."""
    content = hashlib.sha256(b"%d\n" % name.content_version)
    content.update(name.content)
    return content.hexdigest()
