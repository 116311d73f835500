"""How files tell their layout, stream, and stay harmless whatever their fields hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.api import OVERSIZED, Rest, Slice
from connectors.layout import connector
from connectors.layout.layout import Layout
from schemas.problem import Problem, Refused
from tests.connectors.layout.taking import (
    CSV,
    R16,
    SAMPLES,
    cut,
    documents,
    layout,
    options,
    outcome,
    slices,
)
from tests.connectors.layout.test_file import CARDS, CHOSEN, DAY


def test_a_large_file_streams() -> None:
    """What was read and not yet given is never more than a chunk and a message."""
    chunk = 64 * 1024
    one = DAY[DAY.index(b"THEAD") : DAY.index(b"THEAD", 300)]
    read = 0

    def chunks() -> Iterator[bytes]:
        nonlocal read
        yield DAY[: DAY.index(b"THEAD")]
        pending = b""
        for _ in range(60_000):
            pending += one
            if len(pending) >= chunk:
                read += len(pending)
                yield pending
                pending = b""
        yield pending

    given = 0
    for piece in connector.split(chunks(), CHOSEN, None):
        if isinstance(piece, Slice):
            given += len(one)
            assert read - given < chunk + 2 * len(one)
    assert given == 60_000 * len(one) > 20_000_000


def test_a_record_that_never_ends_is_refused() -> None:
    fed = 0

    def chunks() -> Iterator[bytes]:
        nonlocal fed
        yield DAY[: DAY.index(b"THEAD")]
        for _ in range(1000):
            fed += 100_000
            yield b"THEAD" + b"1" * 99_995

    with pytest.raises(Refused) as caught:
        list(connector.split(chunks(), CHOSEN, None))
    assert caught.value.problem.code == OVERSIZED.code
    assert fed < 5_000_000


def test_a_message_that_never_ends_is_refused() -> None:
    rows = DAY[DAY.index(b"TITEM") : DAY.index(b"TTEND")] * 40_000
    with pytest.raises(Refused) as caught:
        cut(DAY[: DAY.index(b"TITEM")] + rows, CHOSEN)
    assert caught.value.problem.code == OVERSIZED.code


def _versioned(version: str, width: int) -> Layout:
    return layout(
        f"layout: v{version}\nsummary: x\nform: fixed\ntold: {{at: 0, width: 1}}\n"
        "file: {begin: f, end: e}\nmessage: {begin: a, end: a}\nkinds: rtlog\nkey: [n]\n"
        "content: [n]\nrecords:\n"
        f"  f: {{tag: F, fields: {{version: 2 is {version}}}}}\n"
        f"  a: {{tag: A, fields: {{n: {width} digits, m: {6 - width} text}}}}\n"
        "  e: {tag: E, fields: {n: 3 digits count}}\n"
    )


def test_a_version_in_the_header_tells_the_release() -> None:
    both = options((_versioned("01", 2), _versioned("02", 4)))  # type: ignore[arg-type]
    assert documents(b"F01\nA123456\nE001\n", both)[0]["n"] == "12"
    assert documents(b"F02\nA123456\nE001\n", both)[0]["n"] == "1234"
    with pytest.raises(Refused) as caught:
        cut(b"F03\nA123456\nE001\n", both)
    assert caught.value.problem.detail == "record 1 (f) lacks a constant of the layout v01"
    with pytest.raises(Refused):
        cut(b"F02\nA123456\nE001\n", options(_versioned("01", 2)))


SKIPPING = layout(
    "layout: skip\nsummary: x\nform: delimited\nskip_lines: 2\ncolumns: [Nr, Wert]\n"
    "message: {begin: a, end: a}\nkinds: rtlog\nkey: [n]\ncontent: [n]\n"
    "records: {a: {fields: {n: Nr digits, m: Wert text}}}\n"
)


def test_lines_before_the_header_are_skipped() -> None:
    chosen = options(SKIPPING)
    whole = b"Report of the day;x;y\n\nNr;Wert\n1;a\n2;b\n"
    assert [one["n"] for one in documents(whole, chosen)] == ["1", "2"]
    bound = connector.bound(chosen)
    expected = [piece.payload for piece in slices(whole, chosen)]
    assert not bound.continues(whole)
    for at in range(1, len(whole)):
        assert not bound.continues(whole[:at]), at
        first = cut(whole[:at], chosen)
        rest = first[-1] if first and isinstance(first[-1], Rest) else None
        then = cut(whole[at:], chosen, rest) if rest or at < len(whole) - 4 else []
        found = [p.payload for p in (*first, *then) if isinstance(p, Slice)]
        if rest:
            assert found == expected, at


FIELDS = [
    (name, kind, at)
    for name, made in (("rtlog-16", R16), ("csv-sales", CSV))
    for kind, one in made.records.items()
    for at in range(len(one.fields))
]
WHOLE = {
    "rtlog-16": (SAMPLES / "rtlog-16-return-with-origin.dat").read_bytes(),
    "csv-sales": CARDS,
}


@pytest.mark.parametrize(("name", "kind", "at"), FIELDS)
def test_whatever_a_field_holds_it_is_read_or_held(name: str, kind: str, at: int) -> None:
    """No other error comes out, and no problem quotes what the field held."""
    for text in ("", "Quokkaberg", "-1", "99999999"):
        _try(name, kind, at, text)


def _try(name: str, kind: str, at: int, text: str) -> None:
    used = R16 if name == "rtlog-16" else CSV
    record = used.records[kind]
    field = record.fields[at]
    lines = WHOLE[name].splitlines(keepends=True)
    for n, line in enumerate(lines):
        if used.type_of(line.rstrip(b"\r\n")) is not record:
            continue
        begin, end = field.start, field.start + field.width
        if used.separator:
            begin, end = used.spans(line.rstrip(b"\r\n"))[field.start]
        value = text.encode() if used.separator else text.encode()[: end - begin].ljust(end - begin)
        changed = b"".join([*lines[:n], line[:begin] + value + line[end:], *lines[n + 1 :]])
        try:
            found = outcome(changed, options(used))
        except Refused as error:
            found = [error.problem]
        for one in found:
            if isinstance(one, Problem):
                assert "Quokka" not in one.model_dump_json()
        return
