"""The Shopify connector: which documents a message holds, and which thing of the shop each is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors import signature
from connectors.api import (
    FOREIGN,
    NAMELESS,
    Connector,
    Document,
    Name,
    Request,
    Rest,
    Secrets,
    Slice,
    Stamp,
)
from connectors.formats.json_record import continues, split_record
from connectors.formats.json_text import JsonOptions, decode_again, decode_json
from connectors.manifest import read
from connectors.shopify import content
from connectors.shopify.scrub_profile import PROFILE
from connectors.stamp import stamped
from schemas.problem import Rejected

__all__ = ["connector"]

_KIND_OF_WRAPPER = {
    b"order": "order",
    b"orders": "order",
    b"refund": "refund",
    b"refunds": "refund",
    b"customer": "customer",
    b"customers": "customer",
}
_WRAPPERS = frozenset({b"order", b"refund", b"customer"})
_LISTS = frozenset({b"orders", b"refunds", b"customers"})
_CONTENT = {"order": content.ORDER, "refund": content.REFUND, "customer": content.CUSTOMER}
_LOOKED_AT = frozenset({"id", "admin_graphql_api_id", "refunds"})
_GLOBAL_ID = "gid://shopify/"


def verify(request: Request, secrets: Secrets, options: JsonOptions, now: datetime) -> Stamp:
    """Pass a webhook that the shop signed; its scheme has no time. Raises ``Denied``.

    An event keeps its id however often and through however many subscriptions it is sent. A retry
    carries the first snapshot, hours later; what it was triggered by tells it from a newer one.
    """
    signature.shopify(request, secrets)
    return stamped(request, number="x-shopify-event-id", at="x-shopify-triggered-at")


def split(
    chunks: Iterable[bytes], options: JsonOptions, rest: Rest | None = None
) -> Iterator[Slice | Rest]:
    """Cut a webhook body, a REST reply, a list or JSON lines; see ``formats.json_record``."""
    return split_record(chunks, wrappers=_WRAPPERS, lists=_LISTS, rest=rest)


def decode(payload: bytes, context: bytes, options: JsonOptions) -> tuple[Document, ...]:
    """Give an order with a document for each refund inside it, a refund, or a customer.

    Raises ``Rejected``: the causes of ``json_text``; FOREIGN for another kind; NAMELESS for a
    document without id, such as the calculation of a refund that was never made.
    """
    documents = _documents(decode_json(payload, encoding=options.encoding), context)
    for document in documents:
        _native_id(document)
    return documents


def again(
    payload: bytes, context: bytes, options: JsonOptions, reads: frozenset[str] | None
) -> tuple[Document, ...]:
    """The documents of a message that ``decode`` has taken before; refunds are decoded whole."""
    needed = None if reads is None else reads | _LOOKED_AT
    return _documents(decode_again(payload, encoding=options.encoding, reads=needed), context)


def _documents(body: Any, context: bytes) -> tuple[Document, ...]:
    if not isinstance(body, dict):
        raise Rejected(FOREIGN.at("the message is no object"))
    kind = _KIND_OF_WRAPPER.get(context.partition(b" ")[0]) or _kind(body)
    return (Document(kind, body), *(_refunds(body) if kind == "order" else ()))


def name(document: Document, options: JsonOptions) -> Name:
    """Name a refund as a fact; an order or customer as a snapshot of its time of modification.

    Raises ``Rejected`` (NAMELESS) without an id, or without the time that orders snapshots.
    """
    key = (document.kind, _native_id(document))
    written = content.written(document.body, _CONTENT[document.kind])
    if document.kind == "refund":
        return Name("fact", key, written, content.VERSION)
    return Name("snapshot", key, written, content.VERSION, _version(document))


def _kind(body: dict[str, Any]) -> str:
    """Tell a bare body by its global id, or where there is none by fields that only it has."""
    global_id = body.get("admin_graphql_api_id")
    if isinstance(global_id, str) and global_id.startswith(_GLOBAL_ID):
        word = global_id.removeprefix(_GLOBAL_ID).partition("/")[0].lower()
        if word in _CONTENT:
            return word
        raise Rejected(FOREIGN.at("the global id is of another kind", path="admin_graphql_api_id"))
    # A refund is asked for first: it may carry lines, and a fulfilment carries an order_id too.
    if "refund_line_items" in body or {"order_id", "transactions"} <= body.keys():
        return "refund"
    if {"line_items", "financial_status"} <= body.keys():
        return "order"
    if {"first_name", "last_name"} <= body.keys() and (
        {"addresses", "default_address", "orders_count"} & body.keys()
    ):
        return "customer"
    raise Rejected(FOREIGN.at("neither an order nor a refund nor a customer"))


def _refunds(order: dict[str, Any]) -> Iterator[Document]:
    refunds = order.get("refunds") or []
    if not isinstance(refunds, list) or not all(isinstance(each, dict) for each in refunds):
        raise Rejected(FOREIGN.at("the refunds are no list of objects", path="refunds"))
    for index, refund in enumerate(refunds):
        body = refund
        if refund.get("order_id") is None:
            body = {**refund, "order_id": order.get("id")}
        yield Document("refund", body, at=f"refunds[{index}]")


def _native_id(document: Document) -> str:
    native = document.body.get("id")
    known = isinstance(native, int | str) and not isinstance(native, bool) and str(native).strip()
    if not known or len(str(native)) > 200:
        path = f"{document.at}.id" if document.at else "id"
        raise Rejected(NAMELESS.at(f"the {document.kind} has no id", path=path))
    return str(native)


def _version(document: Document) -> str:
    """The time of modification in UTC, of fixed width, so that it sorts as text."""
    text = document.body.get("updated_at")
    try:
        moment = datetime.fromisoformat(text)
        offset = moment.utcoffset()
        utc = moment.replace(tzinfo=None) - offset if offset is not None else None
    except (TypeError, ValueError, OverflowError):
        utc = None
    if utc is None:
        detail = f"the {document.kind} has no time of modification with an offset"
        raise Rejected(NAMELESS.at(detail, path="updated_at", value=text))
    return utc.isoformat(timespec="microseconds") + "Z"


connector = Connector(
    manifest=read(Path(__file__).with_name("manifest.toml")),
    scrub=PROFILE,
    split=split,
    continues=continues,
    decode=decode,
    name=name,
    options=JsonOptions,
    verify=verify,
    again=again,
)
"""What the entry point ``shopify`` names."""
