"""A retailer's differences and code tables become one plain mapping, and misfits are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import tables
from mappings.composition import compose, composed
from mappings.mapping import load
from mappings.yaml_text import Map, Node, Scalar, parse
from schemas.problem import ConfigError, Problem

SHIPPED = """\
# What a shop sends.
mapping: shop.order
reads: json
to: Order

rules:
  id:            id      # the shop's own
  number:        name or number
  when closed:
    life:        = closed
  otherwise:
    life:        = open
  payment:       state | code payment
  lines[] from items[]:
    # Lines are numbered by the shop.
    id:          no
    description: name
    item[] from sku[]:
      kind:      = sku
      value:     .
  bill_to from address:
    city:        city

codes:
  payment: {P: paid,
            D: due}
  other:
    a: b

ignore:
  # Nobody needs these.
  - token
  - cart

examples:
  - {from: a.json, expect: b.json}
"""
NAME = "shop/order.yaml"


def base(name: str) -> tuple[str, str]:
    assert name == "shop.order"
    return SHIPPED, NAME


def beside(name: str) -> str:
    return {
        "pay.csv": 'code,value,remark\nP,part_paid,changed\n01,due,"new, till"\n',
        "far.csv": "\ufeffCode;Value\r\nx;y\r\n",
        "twice.csv": "code,value\nx,y\n\nx,z\n",
    }[name]


def made(own: str) -> str:
    return compose(f"extends: shop.order\n{own}", "ours.yaml", beside=beside, base=base)


def problem(own: str) -> Problem:
    with pytest.raises(ConfigError) as caught:
        made(own)
    return caught.value.problem


def changed(own: str) -> tuple[list[str], list[str]]:
    """The lines that went and those that came, without the comments that say so."""
    shipped = SHIPPED[: SHIPPED.index("examples:")].splitlines()
    now = made(own).splitlines()
    came = [line for line in now if line not in shipped and "# " not in line]
    return [line for line in shipped if line not in now], came


def test_no_difference_changes_nothing_but_title_and_examples() -> None:
    text = made("")
    title, rest = text.split("\n", 1)
    assert title == "# shop/order.yaml with the differences of ours.yaml"
    assert rest == SHIPPED[: SHIPPED.index("examples:")]


@pytest.mark.parametrize(
    ("own", "went", "came"),
    [
        ("rules: {number: no}", ["  number:        name or number"], ["  number:        no"]),
        ("rules:\n  id: nr | trim",
         ["  id:            id      # the shop's own"],
         []),
        ("rules:\n  note: remark", [], ["  note: remark"]),
        ("rules:\n  without number:", ["  number:        name or number"], []),
        ("rules:\n  lines[]:\n    description: title",
         ["    description: name"], ["    description: title"]),
        ("rules:\n  lines[] from items[]:\n    without description:\n    quantity: n",
         ["    description: name"], ["    quantity: n"]),
        ("rules:\n  lines[]:\n    item[]:\n      value: code", ["      value:     ."],
         ["      value:     code"]),
        ("rules:\n  also lines[] from more[]:\n      id: nr",
         [], ["  lines[] from more[]:", "      id: nr"]),
        ("rules:\n  bill_to:\n    region: county", [], ["    region: county"]),
        ("rules:\n  without bill_to:\n  bill_to from payer:\n    city: town",
         ["  bill_to from address:", "    city:        city"],
         ["  bill_to from payer:", "    city: town"]),
        ("rules:\n  when closed:\n    life: = cancelled",
         ["    life:        = closed"], ["    life:        = cancelled"]),
        ("rules:\n  also when void:\n    life: = cancelled",
         [], ["  when void:", "    life: = cancelled"]),
        ("codes:\n  other: {a: c, without b c: x}", ["    a: b"],
         ["    a: c", "    without b c: x"]),
        ("codes:\n  without other:", ["  other:", "    a: b"], []),
        ("codes:\n  other: far.csv", [], ["    x: y"]),
        ('codes:\n  third:\n    "0#1": = x', [], ["  third:", '    "0#1": = x']),
        ("ignore: [more.of, without cart]", ["  - cart"], ["  - more.of"]),
        ("ignore: [cart]", [], []),
        ("mapping: ours.order", ["mapping: shop.order"], ["mapping: ours.order"]),
        ("summary: Ours", [], ["summary: Ours"]),
    ],
)  # fmt: skip
def test_only_what_differs_is_changed(own: str, went: list[str], came: list[str]) -> None:
    assert changed(own) == (went, came)


def test_a_new_branch_stands_before_those_that_are_there() -> None:
    text = made(
        "rules:\n  also when void:\n    life: = cancelled\n  otherwise:\n    life: = closed"
    )
    assert text.index("when closed") < text.index("when void") < text.index("otherwise")
    text = made("rules:\n  also when void:\n    life: = cancelled")
    assert text.index("when void") < text.index("when closed")
    assert load(text, NAME).run({"void": 1, "closed": 1})[0]["life"] == "cancelled"


def test_comments_name_the_line_of_the_change() -> None:
    text = made("rules:\n  number: no\n  without payment:\n  note: x\ncodes:\n  payment: {D: paid}")
    assert "  # ours.yaml:3 instead of: name or number\n  number:        no\n" in text
    assert "  # ours.yaml:4 leaves out: payment:       state | code payment\n" in text
    assert "  # added by ours.yaml:5\n  note: x\n" in text
    assert "  # ours.yaml:7 instead of: D: due\n  payment: {P: paid,\n            D: paid}" in text


def plain(node: Node) -> object:
    if isinstance(node, Map):
        return {key.value: plain(value) for key, value in node.entries}
    return node.value if isinstance(node, Scalar) else [plain(item) for item in node.items]


def test_tables_change_a_table_in_brackets() -> None:
    text = made("codes:\n  payment: pay.csv")
    codes = plain(parse(text, NAME))["codes"]  # type: ignore[index]
    assert codes["payment"] == {"P": "part_paid", "D": "due", "01": "due"}
    text = made('codes:\n  payment:\n    without P:\n    without D:\n    "X, Y": due')
    codes = plain(parse(text, NAME))["codes"]  # type: ignore[index]
    assert codes["payment"] == {"X, Y": "due"}
    text = made("codes:\n  without payment:\n  payment: pay.csv")
    assert plain(parse(text, NAME))["codes"]["payment"] == {  # type: ignore[index]
        "P": "part_paid",
        "01": "due",
    }
    assert "    01: due  # new, till\n" in text


@given(
    entries=st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=9), max_size=4),
    gone=st.sets(st.sampled_from(["P", "D"])),
    brackets=st.booleans(),
)
def test_any_entry_comes_out_as_it_was_put_in(
    *, entries: dict[str, str], gone: set[str], brackets: bool
) -> None:
    def quoted(text: str) -> str:
        return '"' + "".join(f"\\U{ord(c):08x}" for c in text) + '"'

    # An added code must not read as the words that take one away, nor stand there twice.
    entries = {k: v for k, v in entries.items() if k not in ("P", "D", "a") and " " not in k}
    rows = [f"{quoted(k)}: {quoted(v)}" for k, v in entries.items()]
    rows += [f'without {code}: ""' for code in sorted(gone)]
    table = f" {{{', '.join(rows)}}}" if brackets or not rows else "\n    " + "\n    ".join(rows)
    text = made(f"rules:\n  payment: state\ncodes:\n  payment:{table}\n")
    expected = {k: v for k, v in {"P": "paid", "D": "due"}.items() if k not in gone} | entries
    assert plain(parse(text, NAME))["codes"]["payment"] == expected  # type: ignore[index]


def test_a_mapping_without_differences_has_its_tables_written_out() -> None:
    own = (
        "mapping: our.order\nreads: json\nto: Order\nrules:\n  payment: a | code pay # why\n"
        "codes:\n  pay: pay.csv\n  far: {x: y}\n"
    )
    found = composed(own, "ours.yaml", beside=beside, base=base)
    assert found.text == own.replace(
        "pay.csv", "\n    P: part_paid  # changed\n    01: due  # new, till"
    ).replace("pay: \n", "pay:\n")
    assert [found.place(line) for line in (7, 8, 9, 10)] == [
        ("ours.yaml", 7), ("pay.csv", 2), ("pay.csv", 3), ("ours.yaml", 8),
    ]  # fmt: skip
    in_brackets = own.replace("\n  pay: pay.csv\n  far: {x: y}", " {pay: pay.csv, far: {x: y}}")
    text = compose(in_brackets, "ours.yaml", beside=beside, base=base)
    assert plain(parse(text, "f")) == plain(parse(found.text, "f"))


def test_a_plain_mapping_stays_as_it_is_to_the_last_character() -> None:
    text = "mapping: a.b\r\nreads: json\r\nto: Order\r\nrules: {id: a}"
    assert compose(text, "ours.yaml", beside=beside, base=base) == text


@pytest.mark.parametrize(
    ("own", "rule", "said"),
    [
        ("rules:\n  without nummber:", "ours.yaml:3", "did you mean 'number'?"),
        ("rules:\n  without lines[] from item[]:", "ours.yaml:3", "'lines[] from items[]'"),
        ("rules:\n  line[]:\n    id: a", "ours.yaml:3", "did you mean 'lines[]'?"),
        ("rules:\n  lines[]:\n    taxes[]: {rate: a}", "ours.yaml:4", "no 'taxes[]' in"),
        ("rules:\n  lines[] from item[]:\n    id: a", "ours.yaml:3",
         "write `also lines[] from item[]`"),
        ("rules:\n  bill_to from payer:\n    city: a", "ours.yaml:3", "no 'bill_to from payer'"),
        ("rules:\n  when close:\n    life: = open", "ours.yaml:3", "did you mean 'when closed'?"),
        ("rules:\n  also lines[] from items[]:\n    id: a", "ours.yaml:3", "by now"),
        ("rules:\n  lines[]: no", "ours.yaml:3", "is a group of rules"),
        ("codes:\n  payment: {without Q: ''}", "ours.yaml:3", "no 'Q' in codes.payment"),
        ("codes:\n  without pay:", "ours.yaml:3", "did you mean 'payment'?"),
        ("ignore:\n  - x\n  - without carts", "ours.yaml:4", "did you mean 'cart'?"),
        ("without rulez:", "ours.yaml:2", "did you mean 'rules'?"),
        ("to: Order", "ours.yaml:2", "`to` stands in the mapping"),
        # What is wrong with the composed text is told where somebody wrote it.
        ("rules:\n  id: a\n  number: x | uper", "ours.yaml:4", "line 4: there is no transform"),
        ("rules:\n  lines[]:\n    # why\n    quantty: n", "ours.yaml:5", "line 5: lines has no"),
        ("rules:\n  lines[]:\n    item[] from ean[]: {knd: = x}", "ours.yaml:4", "line 4"),
        ("codes: {without payment: ''}", "shop/order.yaml:13", "no code table 'payment'"),
        ("unheard: x", "ours.yaml:2", "line 2: unknown key 'unheard'"),
        ("codes:\n  payment: twice.csv", "twice.csv:4", "here and in line 2"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_file_line_and_what_to_do(
    own: str, rule: str, said: str
) -> None:
    found = problem(own)
    assert (found.rule, said in (found.detail or "")) == (rule, True), found.line()


def test_several_rules_of_one_target_are_told_apart_by_the_whole_key() -> None:
    two = SHIPPED.replace("  bill_to from", "  lines[] from fees[]:\n    id: no\n  bill_to from")

    def other(name: str) -> tuple[str, str]:
        return two, NAME

    def made_of(own: str) -> str:
        return compose(f"extends: x\nrules:\n  {own}", "o.yaml", beside=beside, base=other)

    with pytest.raises(ConfigError, match=r"several rules fill lines\[\]; write the whole key"):
        made_of("lines[]: {id: nr}")
    assert "fees[]:\n    # o.yaml:3 instead of: no\n    id: nr" in made_of(
        "lines[] from fees[]: {id: nr}"
    )


def test_nothing_extends_what_extends() -> None:
    def endless(name: str) -> tuple[str, str]:
        return "extends: shop.order\nrules: {id: a}\n", "loop.yaml"

    with pytest.raises(ConfigError, match="extends another mapping itself"):
        compose("extends: shop.order", "ours.yaml", beside=beside, base=endless)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "begins with the line"),
        ("01,cash\n", 1, "begins with the line"),
        ("code,value\na,b,c\n", 2, "3 cells where 2 were expected"),
        ("code,value\n\na\n", 3, "1 cells"),
        ("code,value\n,b\n", 2, "the code is empty"),
        ('code,value\na,"b\nc\n', 2, "unexpected end of data"),
        ('code,value\n"a\nb",c\na,d\na,e\n', 5, "here and in line 4"),
        (f"code,value\na,{'x' * (tables.CELL_MAX + 1)}\n", 2, "a cell of more than"),
        ("x" * (tables.CHARACTERS_MAX + 1), 1, "more than 524288 characters"),
        ("code,value\n" + "".join(f"{n},x\n" for n in range(tables.ENTRIES_MAX + 1)),
         tables.ENTRIES_MAX + 2, "more than 20000 entries"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_told_by_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tables.read("t.csv", text)
    assert caught.value.problem.rule == f"t.csv:{line}"
    assert said in (caught.value.problem.detail or "")


def test_a_table_as_large_as_may_be_makes_a_mapping() -> None:
    rows = "".join(f"{n:05},x\n" for n in range(tables.ENTRIES_MAX))
    own = "mapping: a.b\nreads: json\nto: Order\nrules: {note: a | code t}\ncodes: {t: t.csv}\n"
    text = compose(own, "o.yaml", beside=lambda name: f"code,value\n{rows}", base=base)
    assert load(text, "o.yaml").run({"a": "19999"}) == ({"note": "x"}, ())
    two = own.replace("{t: t.csv}", "{t: t.csv, u: t.csv}")
    with pytest.raises(ConfigError, match="too many parts"):
        compose(two, "o.yaml", beside=lambda name: f"code,value\n{rows}", base=base)


def test_tables_are_read_from_their_folder_and_from_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    (tmp_path / "out.csv").write_text("code,value\nP,due\n")
    (folder / "in.csv").write_bytes(b"\xef\xbb\xbfcode,value\r\nP,due\r\n")
    (folder / "link.csv").symlink_to(tmp_path / "out.csv")
    (folder / "latin.csv").write_bytes(b"code,value\nP,due\nQ,\xe4\n")
    os.mkfifo(folder / "pipe.csv")

    def reading(table: str) -> str:
        own = f"extends: shop.order\ncodes:\n  payment: {table}\n"
        return compose(own, "ours.yaml", beside=tables.beside(folder), base=base)

    assert "payment: {P: due," in reading("in.csv")
    for table, said in {
        "../out.csv": "in the folder of the mapping",
        "/etc/passwd.csv": "in the folder of the mapping",
        "link.csv": "a link leads out",
        "pipe.csv": "no such file",
        "none.csv": "no such file",
        "latin.csv": "line 3: this is no UTF-8",
    }.items():
        with pytest.raises(ConfigError, match=said):
            reading(table)


FURTHER = SHIPPED.replace(
    "codes:",
    """\
further:
  # One for each.
  parcel:
    to:        Interaction
    from:      parcels[]
    key:       no
    rules:
      id:      no
      kind:    = visit
      customers[] from people[]:
        value: id

codes:""",
)


@pytest.mark.parametrize(
    ("own", "went", "came"),
    [
        ("further:\n  without parcel:", 9, []),
        ("further:\n  parcel:\n    key: [/id, no]", ["    key:       no"],
         ["    key:       [/id, no]"]),
        ("further:\n  parcel:\n    rules:\n      kind: = chat", ["      kind:    = visit"],
         ["      kind:    = chat"]),
        ("further:\n  parcel:\n    rules:\n      customers[]:\n        kind: = x", [],
         ["        kind: = x"]),
        ("further:\n  parcel:\n    rules:\n      also customers[] from more[]:\n        value: x",
         [], ["      customers[] from more[]:", "        value: x"]),
        ("further:\n  parcel:\n    version: at\n    unset: {agent: none}", [],
         ["    version: at", "    unset: {agent: none}"]),
        ("further:\n  note:\n    to: Order\n    from: x\n    key: no\n    rules: {id: no}",
         [], ["  note:", "    to: Order", "    from: x", "    key: no", "    rules: {id: no}"]),
    ],
)  # fmt: skip
def test_further_documents_are_changed_like_anything_else(
    own: str, went: int | list[str], came: list[str]
) -> None:
    text = f"extends: shop.order\n{own}"
    made = compose(text, "ours.yaml", beside=beside, base=lambda _: (FURTHER, NAME)).splitlines()
    shipped = FURTHER[: FURTHER.index("examples:")].splitlines()
    gone = [line for line in shipped if line not in made]
    assert (gone if isinstance(went, list) else len(gone)) == went
    assert [line for line in made if line not in shipped and "# " not in line] == came


def test_further_documents_may_come_where_there_were_none() -> None:
    own = "further:\n  note: {to: Interaction, from: notes, key: no, rules: {id: no, kind: = x}}"
    mapping = load(made(own), NAME)
    assert [each.key for each in mapping.found({"notes": {"no": 1}})] == [("1",)]
