"""Records written by a layout: the opposite of what the connector does, for tests and samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from connectors.layout.layout import Field, Layout

Values = Mapping[str, str]
Row = tuple[str, Values]


def record(layout: Layout, kind: str, values: Values) -> bytes:
    """One record without its line end; a value is what the document has for it."""
    made = layout.records[kind]
    unknown = set(values) - {field.name for field in made.fields}
    assert not unknown, unknown
    tag = made.tag.encode(layout.code_page)
    signs = {f.sign: values.get(f.name, "").startswith("-") for f in made.fields if f.sign}
    texts = {f.name: _text(f, values.get(f.name, ""), layout, signs) for f in made.fields}
    if layout.separator:
        cells = [b""] * len(layout.columns)
        for field in made.fields:
            cells[field.start] = cells[field.start] or _quoted(texts[field.name], layout)
        if tag:
            cells[layout.told[0]] = tag
        return layout.separator.join(cells)
    row = bytearray(b" ".decode().encode(layout.code_page) * made.size)
    row[layout.told[0] : layout.told[1]] = tag
    for field in made.fields:
        text = texts[field.name].encode(layout.code_page)
        assert len(text) <= field.width, (kind, field.name, text)
        fill = "0" if field.kind in {"digits", "decimal"} and text else " "
        pad = fill.encode(layout.code_page) * (field.width - len(text))
        row[field.start : field.start + field.width] = pad + text if fill == "0" else text + pad
    return bytes(row)


def file(layout: Layout, *messages: Iterable[Row], head: Values | None = None) -> bytes:
    """A whole file: its header, the messages, its trailer with the right count."""
    end = layout.framing.line_end
    rows = [record(layout, kind, values) for message in messages for kind, values in message]
    first = []
    if layout.header:
        first = [layout.head]
    elif layout.file_begin:
        first = [record(layout, layout.file_begin, head or {})]
    last = []
    if layout.file_end:
        last = [record(layout, layout.file_end, {"records": str(len(rows))})]
    return b"".join(row + end for row in (*first, *rows, *last))


def _text(field: Field, value: str, layout: Layout, signs: Mapping[str, bool]) -> str:
    if field.kind == "is":
        return field.constant
    if field.kind == "sign":
        minus = signs.get(field.name, False)
        return layout.minus[0] if minus else layout.plus[0]
    if not value:
        return ""
    if field.kind == "date":
        return _date(field.pattern, value)
    return _number(field, value) if field.kind == "decimal" else value


def _number(field: Field, value: str) -> str:
    number = Decimal(value)
    digits = format(abs(number), "f")
    if field.places:
        digits = str(int(abs(number).scaleb(field.places)))
    if field.comma:
        digits = digits.replace(".", ",")
    minus = value.startswith("-")
    if field.sign == "trailing":
        return digits + ("-" if minus else "+")
    if field.sign == "overpunch":
        return digits[:-1] + ("}JKLMNOPQR" if minus else "{ABCDEFGHI")[int(digits[-1])]
    return digits if field.sign or not minus else f"-{digits}"


def _date(pattern: str, value: str) -> str:
    day, _, time = value.partition("T")
    year, month, date = day.split("-")
    hour, minute, second = (time or "00:00:00").split(":")
    parts = {"YYYY": year, "MM": month, "DD": date, "hh": hour, "mm": minute, "ss": second}
    for part, text in parts.items():
        pattern = pattern.replace(part, text)
    return pattern


def _quoted(text: str, layout: Layout) -> bytes:
    quote = layout.quote.decode()
    special = layout.separator.decode() in text or (quote and quote in text)
    if special:
        text = f"{quote}{text.replace(quote, quote * 2)}{quote}"
    return text.encode(layout.code_page)
