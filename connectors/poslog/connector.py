"""The POSLog connector: what kind of transaction a message is, and which fact it states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lxml import etree

from connectors.api import FOREIGN, NAMELESS, Connector, Document, Name, Options, Rest, Slice
from connectors.formats.xml_split import Format, split_xml
from connectors.formats.xml_split import continues as goes_on
from connectors.formats.xml_tree import Namespaces, parse_slice
from connectors.manifest import read
from connectors.poslog import content
from connectors.poslog.scrub_profile import PROFILE
from schemas.problem import Rejected

__all__ = ["PoslogOptions", "connector"]

_NAMES = Namespaces(
    own=re.compile(
        r"https?://(www\.)?nrf-arts\.org/IXRetail/(namespace/?|v\d[\d.]*/poslog/?)", re.IGNORECASE
    ),
    vendors=(
        ("acs", re.compile(r"http://www\.ncr\.com/rsd/acs/tlog/markup/poslog/.*")),
        ("raw", re.compile(r"http://www\.ncr\.com/rsd/acs/tlog/markup/raw/.*")),
        ("dtv", re.compile(r"http://www\.datavantagecorp\.com/xstore/?.*")),
        ("fu", re.compile(r".*\bfutura4retail\b.*")),
        ("wn", re.compile(r".*\bwincor-nixdorf\.com\b.*")),
        ("xsi", re.compile(r"http://www\.w3\.org/2001/XMLSchema-instance")),
    ),
)
_FORMAT = Format("Transaction", frozenset({"POSLog", "Envelope"}), _NAMES)

_FAMILIES = {
    "RetailTransaction": "retail",
    "ControlTransaction": "control",
    "TenderControlTransaction": "control",
}
_VERSION_6 = re.compile(rb"IXRetail/v[6-9]|IXRetail/v[1-9]\d", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_START_TAG_BYTES_MAX = 1024


class PoslogOptions(Options):
    """``sequence_wraps`` is for tills that count to 9999 and start again on the same day."""

    sequence_wraps: bool = False


def split(
    chunks: Iterable[bytes], options: PoslogOptions, rest: Rest | None = None
) -> Iterator[Slice | Rest]:
    """Cut a POSLog, whatever it is wrapped in, into transactions; see ``formats.xml_split``."""
    return split_xml(chunks, options, rest, form=_FORMAT)


def continues(head: bytes) -> bool:
    """Whether a record with this head starts in the middle of a POSLog."""
    return goes_on(head, _FORMAT)


def decode(payload: bytes, context: bytes, options: PoslogOptions) -> tuple[Document, ...]:
    """Parse a transaction and tell its kind: ``retail``, ``retail_v6`` or ``control``.

    Raises ``Rejected``: not well-formed, wrongly encoded, or of a family that is not read.
    """
    transaction = parse_slice(payload, context, _NAMES, encoding=options.encoding)
    family = _family(transaction)
    if family is None:
        last = transaction[-1].tag if len(transaction) else "nothing"
        raise Rejected(FOREIGN.at("no kind of transaction that is read", path=str(last)))
    kind = _FAMILIES[family]
    if kind == "retail" and _is_version_6(transaction, payload, context):
        kind = "retail_v6"
    return (Document(kind, transaction),)


def name(document: Document, options: PoslogOptions) -> Name:
    """Name a transaction by store, workstation, business date and sequence number.

    Where sequence numbers wrap, the time it began is part of the name. Raises ``Rejected`` with
    the path of the field that is missing.
    """
    transaction: etree._Element = document.body
    key: tuple[str, ...] = (
        _store(transaction),
        _required(transaction, "WorkstationID"),
        _business_date(transaction),
        _required(transaction, "SequenceNumber", "TransactionID", "ReceiptNumber"),
    )
    if options.sequence_wraps:
        key += (_required(transaction, "BeginDateTime", "EndDateTime", "POSLogDateTime"),)
    family = _family(transaction) or ""
    return Name("fact", key, content.written(transaction, family), content.VERSION)


def _family(transaction: etree._Element) -> str | None:
    """The element that says what kind of transaction this is."""
    return next((tag for tag in _FAMILIES if transaction.find(tag) is not None), None)


def _is_version_6(transaction: etree._Element, payload: bytes, context: bytes) -> bool:
    """Whether the transaction is written in the words of version 6.

    Most tills of version 6 keep the address of version 2, so the ``BusinessUnit`` tells.
    """
    if transaction.find("BusinessUnit") is not None:
        return True
    version = transaction.get("MajorVersion", "")
    head = context + payload[:_START_TAG_BYTES_MAX].partition(b">")[0]
    return (version.isdigit() and int(version) >= 6) or _VERSION_6.search(head) is not None


def _store(transaction: etree._Element) -> str:
    """The store; of several business units (store, country) the one that says it is a store."""
    units = [
        unit for unit in transaction.iterfind("BusinessUnit/UnitID") if (unit.text or "").strip()
    ]
    stores = [unit for unit in units if _unit_type(unit) == "RetailStore"]
    if units:
        return ((stores or units)[0].text or "").strip()
    return _required(transaction, "RetailStoreID")


def _unit_type(unit: etree._Element) -> str | None:
    parent = unit.getparent()
    return unit.get("TypeCode") or (parent.get("TypeCode") if parent is not None else None)


def _business_date(transaction: etree._Element) -> str:
    """The business date as ISO text; a zone behind it says nothing about the day."""
    element = transaction.find("BusinessDayDate")
    nested = element.find("Date") if element is not None else None
    text = ((nested if nested is not None else element).text or "") if element is not None else ""
    date = _DATE.match(text.strip())
    if date is None:
        detail = "the transaction has no business date"
        raise Rejected(NAMELESS.at(detail, path="BusinessDayDate", value=text or None))
    return date[0]


def _required(transaction: etree._Element, *paths: str) -> str:
    """The text of the first of these elements that has one."""
    for path in paths:
        text = (transaction.findtext(path) or "").strip()
        if text:
            return text
    raise Rejected(NAMELESS.at(f"the transaction has no {' or '.join(paths)}", path=paths[0]))


connector = Connector(
    manifest=read(Path(__file__).with_name("manifest.toml")),
    scrub=PROFILE,
    split=split,
    continues=continues,
    decode=decode,
    name=name,
    options=PoslogOptions,
)
"""What the entry point ``poslog`` names."""
