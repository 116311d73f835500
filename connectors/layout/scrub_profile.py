"""What the scrubber must know of a layout: where its fields of card data lie."""

from __future__ import annotations

from functools import lru_cache

from connectors.layout.layout import Layout, Record
from connectors.scrub import ScrubProfile
from connectors.scrub.field import Rule
from connectors.scrub.positional import Form, Positions, mask_of

__all__ = ["profile"]


@lru_cache(maxsize=64)
def profile(layouts: tuple[Layout, ...]) -> ScrubProfile:
    """The profile for records of any of these layouts; they have one framing and code page."""
    return ScrubProfile(
        syntax="positional",
        pan=frozenset(),
        secret=frozenset(),
        layouts=tuple(_positions(layout) for layout in layouts),
    )


def _positions(layout: Layout) -> Positions:
    page = layout.code_page
    return Positions(
        framing=layout.framing,
        plain=_plain(page),
        mask=mask_of(page),
        tag=layout.told,
        forms=tuple(_form(layout, record) for record in layout.records.values()),
        separator=_ascii(layout.separator, page),
        quote=_ascii(layout.quote, page),
        escape=_ascii(layout.escape, page),
        heads=(_ascii(layout.head, page),) if layout.header else (),
    )


def _form(layout: Layout, record: Record) -> Form:
    fields: list[tuple[int, int, Rule | None]] = []
    at = layout.told[1] if not layout.separator and layout.told[0] == 0 else 0
    for field in sorted(record.fields, key=lambda field: field.start):
        if not layout.separator and field.start > at:
            fields.append((at, field.start, None))
        fields.append((field.start, field.start + field.width, field.card))
        at = field.start + field.width
    # What no field covers is searched like a field without a rule.
    tag = _ascii(record.tag.encode(layout.code_page), layout.code_page)
    return Form(tag, record.size, tuple(fields))


def _plain(code_page: str) -> bytes:
    """The table from a code page to ASCII; UTF-8 has its ASCII where it is."""
    if code_page == "utf-8":
        return bytes(range(256))
    text = bytes(range(256)).decode(code_page, "replace")
    return text.encode("latin-1", "replace")


def _ascii(text: bytes, code_page: str) -> bytes:
    return text.translate(_plain(code_page))
