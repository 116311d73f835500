"""What two versions of a mapping say otherwise, target by target."""

from __future__ import annotations

import pytest

from hub.authoring import comparison
from mappings.mapping import Mapping, load

TEXT = """\
mapping: shop.order
reads: json
to: Order
rules:
  id: id
  number: no
  life: state | code life
  lines[] from items[] where count > 0:
    id: pos
    when gift: skip
    quantity: count
  when paid:
    payment: = paid
  otherwise:
    payment: = due
codes:
  life: {N: open, D: closed}
ignore: [note, log]
"""


FURTHER = """\
further:
  parcel:
    to: Interaction
    from: parcels[]
    key: no
    rules:
      id: no
      kind: = visit
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: = visit", "kind: = call", [("changed", "further.parcel.kind")]),
        ("      id: no\n", "", [("removed", "further.parcel.id")]),
        ("parcels[]", "parcels[] where no", [("changed", "further.parcel.from")]),
        ("to: Interaction", "to: Customer", [("changed", "further.parcel.from")]),
        ("key: no", "key: [/id, no]", [("changed", "further.parcel.key")]),
        ("key: no", "key: no\n    content: [no]", [("changed", "further.parcel.key")]),
        ("key: no", "key: no\n    version: at", [("added", "further.parcel.version")]),
        (
            FURTHER,
            "",
            [("removed", f"further.parcel.{what}") for what in ("from", "key", "id", "kind")],
        ),
    ],
)
def test_what_changes_of_further_documents_is_told_by_their_names(
    old: str, new: str, said: list[tuple[str, str]]
) -> None:
    text = TEXT + FURTHER
    if "Customer" in new:
        text = text.replace("      kind: = visit\n", "")
    then, now = mapping(text), mapping(text.replace(old, new))
    assert [(change.kind, change.what) for change in comparison.targets(then, now)] == said


def changes(old: str, new: str) -> list[tuple[str, str]]:
    assert old in TEXT
    then, now = mapping(TEXT), mapping(TEXT.replace(old, new))
    return [(change.kind, change.what) for change in comparison.targets(then, now)]


def mapping(text: str) -> Mapping:
    return load(text, "order.yaml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rules:", "# a comment\n\nrules:", []),
        ("number: no", "number: name", [("changed", "number")]),
        ("number: no", "number:   no", []),
        ("  number: no\n", "", [("removed", "number")]),
        ("  id: id\n", "  id: id\n  note: remark\n", [("added", "note")]),
        ("quantity: count", "quantity: count | absolute", [("changed", "lines[].quantity")]),
        # What decides whether a rule runs is a part of it.
        (
            "from items[]",
            "from rows[]",
            [("changed", f"lines[].{x}") for x in ("id", "(skip)", "quantity")],
        ),
        (
            "count > 0",
            "count > 1",
            [("changed", f"lines[].{x}") for x in ("id", "(skip)", "quantity")],
        ),
        ("when gift: skip", "when free: skip", [("changed", "lines[].(skip)")]),
        ("when paid:", "when done:", [("changed", "payment")]),
        ("N: open", "N: closed", [("changed", "codes.life.N")]),
        ("D: closed", "D: closed, X: cancelled", [("added", "codes.life.X")]),
        ("N: open, ", "", [("removed", "codes.life.N")]),
        ("[note, log]", "[note, token]", [("removed", "ignore log"), ("added", "ignore token")]),
    ],
)
def test_changes(old: str, new: str, said: list[tuple[str, str]]) -> None:
    assert changes(old, new) == said


def test_a_change_shows_both_rules() -> None:
    then, now = mapping(TEXT), mapping(TEXT.replace("number: no", "number: name | upper"))
    (change,) = comparison.targets(then, now)
    assert (change.old, change.new) == ("number: no", "number: name | upper")


def test_lines_are_told_with_both_versions() -> None:
    then, now = mapping(TEXT), mapping(TEXT.replace("number: no", "number: name"))
    said = comparison.lines(then, now)
    assert said[:2] == [f"--- order.yaml {then.version}", f"+++ order.yaml {now.version}"]
    assert [line for line in said[2:] if line[0] in "+-"] == ["-  number: no", "+  number: name"]
    assert comparison.lines(then, then) == []
