"""What a mapping file must be: each mistake is told when it is loaded, with file, line and hint."""

from __future__ import annotations

import hashlib

import pytest

from mappings.mapping import load
from mappings.spec import read
from schemas.problem import ConfigError, Problem

HEAD = "mapping: shop.order\nreads: json\nto: Order\nrules:\n"


def problem(text: str) -> Problem:
    with pytest.raises(ConfigError) as caught:
        load(text, "shop/order.yaml")
    assert "\n" not in str(caught.value)
    return caught.value.problem


def wrong(text: str, line: int, *said: str) -> None:
    found = problem(text)
    assert found.rule == f"shop/order.yaml:{line}"
    for words in said:
        assert words in (found.detail or ""), found.detail


def test_a_whole_file() -> None:
    spec = read(
        HEAD
        + "  id: a | code x\n"
        + "summary: in a word\n"
        + "codes:\n  x: {01: one, 'NO': no, '*': other}\n"
        + "ignore: [b, c.d, 'e[].f']\n"
        + "examples:\n  - {from: a.json, expect: b.json}\n",
        "shop/order.yaml",
    )
    assert (spec.name, spec.reads, spec.to) == ("shop.order", "json", "Order")
    assert spec.codes == {"x": {"01": "one", "NO": "no", "*": "other"}}
    assert [str(path) for path in spec.ignore] == ["b", "c.d", "e[].f"]
    assert [(e.source, e.expect, e.line) for e in spec.examples] == [("a.json", "b.json", 11)]


def test_the_version_is_the_text() -> None:
    text = HEAD + "  id: a\n"
    version = load(text, "a.yaml").version
    assert version == hashlib.sha256(text.encode()).hexdigest()[:16]
    assert load(text, "b.yaml").version == version
    assert load(text + "# a word\n", "a.yaml").version != version


@pytest.mark.parametrize("key", ["mapping", "reads", "to", "rules"])
def test_what_a_file_must_say(key: str) -> None:
    lines = [line for line in (HEAD + "  id: a\n").splitlines() if not line.startswith(f"{key}:")]
    text = "\n".join(lines).replace("  id: a", "") if key == "rules" else "\n".join(lines)
    wrong(text, 1, f"the key {key!r} is missing")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (HEAD + "  id: a\ncode: {}", 6, "unknown key 'code'; did you mean 'codes'?"),
        (HEAD + "  id: a\nzzz: {}", 6, "unknown key 'zzz'"),
        (HEAD.replace("json", "yaml") + "  id: a", 2, "`reads` is xml or json"),
        (HEAD.replace("Order", "Ordr") + "  id: a", 3, "'Ordr'; did you mean 'Order'?"),
        (HEAD.replace("shop.order", "Shop order") + "  id: a", 1, "name of a mapping"),
        (HEAD.replace("shop.order", '"a\\0b"') + "  id: a", 1, "name of a mapping"),
        ("mapping: [a]\nreads: json\nto: Order\nrules: {}", 1, "a text was expected"),
        ("mapping: a\nreads: json\nto: Order\nrules: id", 4, "a map of keys was expected"),
        (HEAD + "  id: {a: b}", 5, "a text was expected"),
        (HEAD + "  lines[] from a[]: b", 5, "a map of keys was expected"),
        (HEAD + "  when a: b", 5, "a map of keys was expected"),
        (HEAD + "  id: a\ncodes: [a]", 6, "a map of keys was expected"),
        (HEAD + "  id: a\ncodes:\n  x: y", 7, "a map of keys was expected"),
        (HEAD + "  id: a\ncodes:\n  x: {y: [z]}", 7, "a text was expected"),
        (HEAD + "  id: a\nignore: b", 6, "a list was expected"),
        (HEAD + "  id: a\nignore:\n  - b\n  - c d", 8, "is no step"),
        (HEAD + "  id: a\nexamples:\n  - {from: a}", 7, "exactly the keys"),
        (HEAD + "  id: a\nexamples:\n  - {from: a, expect: b, c: d}", 7, "exactly the keys"),
    ],
)
def test_the_frame_of_a_file(text: str, line: int, said: str) -> None:
    wrong(text, line, said)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("nmber: a", "Order has no field 'nmber'; did you mean 'number'?"),
        (
            "lines[] from a[]: {quantty: b}",
            "lines has no field 'quantty'; did you mean 'quantity'?",
        ),
        ("customer.mail: a", "customer has no field 'mail'; did you mean 'email'?"),
        ("id.x: a", "id has no field 'x'"),
        ("system: a", "system is set by the hub"),
        ("customer: a", "customer is no single value"),
        ("lines: a", "lines is no single value"),
        ("lines: [a]", "lines is no single value"),
        ("customer[] from a[]: {email: b}", "customer is no list of objects"),
        ("tags[] from a[]: {email: b}", "tags is no list of objects"),
        ("placed_at[] from a[]: {local: b}", "placed_at is no list of objects"),
        ("lines from a: {id: b}", "lines is no object"),
        ("placed_at from a: {local: b}", "placed_at is no object"),
        ("id from a: {local: b}", "id is no object"),
        ("id: [a, b]", "id is no list of texts"),
        ("placed_at: [a, b]", "placed_at is no list of texts"),
        ("lines.id: a", "lines is no single object: write `lines[] from ...`"),
        ("placed_at.local: a", "placed_at is no single object: fill it whole"),
        ("fulfilments[] from a[]: {lines.line: b}", "write `fulfilments.lines[] from ...`"),
    ],
)
def test_targets(rules: str, said: str) -> None:
    found = problem(f"{HEAD}  {rules}")
    assert found.code == "LP-MAP-004"
    wrong(f"{HEAD}  # a comment\n  {rules}", 6, said)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("id: a | uper", "there is no transform 'uper'; did you mean 'upper'?"),
        ("id: a | coed x", "there is no transform 'coed'; did you mean 'code'?"),
        ("id: a | code chanel", "there is no code table 'chanel'; did you mean 'channel'?"),
        ("id: a | code", "there is no code table"),
        ("id: a | code channel x", "there is no code table"),
        ("id: a | upper x", "'upper' does not take these arguments"),
        ("id: a | last", "'last' does not take these arguments"),
        ("id: a | last 0", "'last' does not take these arguments"),
        ("id: a | last -4", "'last' does not take these arguments"),
        ("id: a | last x", "'last' does not take these arguments"),
        ("id: a | prefix", "'prefix' does not take these arguments"),
        ("id: a | prefix a b", "'prefix' does not take these arguments"),
        ("tags: a | split", "'split' does not take these arguments"),
        ("total: a | times", "'times' does not take these arguments"),
        ("total: a | times x", "'times' does not take these arguments"),
        ("total: a | times NaN", "'times' does not take these arguments"),
        ("tags: [a, b | uper]", "there is no transform 'uper'"),
        ("id: a b", "'a b'"),
        ("id: ''", "no path"),
        ("lines[] from a: {id: b}", "must end in []"),
        ("lines[] from a[] where b < c: {id: b}", "compare with one number"),
        ("when a = : {id: b}", "say which text"),
        ("id: " + "a" * 2001, "longer than 2000 characters"),
        ("? " + "a" * 2001 + "\n  : b", "longer than 2000 characters"),
    ],
)
def test_rules(rules: str, said: str) -> None:
    table = "\ncodes:\n  channel: {a: b}\n"
    found = problem(f"{HEAD}  {rules}{table}")
    assert found.code == "LP-MAP-003"
    wrong(f"{HEAD}  number: a\n  {rules}{table}", 6, said)


@pytest.mark.parametrize(
    ("rules", "line", "said"),
    [
        ("  id: a\n  number: b\n  'id ': c", 7, "no name of a canonical field"),
        ("  customer from a:\n    email: b\n  customer from c:\n    email: d", 7, "filled twice"),
        ("  otherwise:\n    id: a", 5, "`otherwise` follows a `when`"),
        ("  when a:\n    id: a\n  id: b\n  otherwise:\n    id: c", 8, "`otherwise` follows"),
        (
            "  when a:\n    id: a\n  otherwise:\n    id: b\n  when c:\n    id: d",
            9,
            "nothing can follow `otherwise`",
        ),
        ("  when a: skip", 5, "in none"),
        ("  customer from a:\n    when b: skip", 6, "in none"),
        ("  when a:\n    when b: skip", 6, "in none"),
    ],
)
def test_rules_beside_each_other(rules: str, line: int, said: str) -> None:
    wrong(HEAD + rules, line, said)


def test_skip_is_for_whatever_stands_inside_a_list() -> None:
    rules = "  lines[] from a[]:\n    id: b\n    when c:\n      when d: skip\n"
    load(HEAD + rules, "f")
    deeper = "  fulfilments[] from a[]:\n    lines[] from b[]:\n      line: c\n      when d: skip\n"
    load(HEAD + deeper, "f")


def test_a_choice_has_an_end() -> None:
    branches = "".join(f"  when a{n}:\n    id: b\n" for n in range(41))
    wrong(HEAD + branches, 5 + 2 * 40, "more than 40 branches")
    load(HEAD + branches.rpartition("  when")[0], "f")


@pytest.mark.parametrize(
    "rules",
    [
        "id: .@a",
        "id: a.@b",
        "id: a or b.@c",
        "id: a[@b=c]",
        "id: a[b.@c=d].e",
        "tags: [a, b.@c]",
        "customer from a[@b=c]: {email: d}",
        "lines[] from a[@b=c].d[]: {id: e}",
        "lines[] from a[] where .@b: {id: e}",
        "when .@a = b: {id: c}",
        "lines[] from a[]: {id: .@b}",
    ],
)
def test_json_has_no_attributes(rules: str) -> None:
    wrong(f"{HEAD}  number: a\n  {rules}", 6, "JSON has no attributes")
    load(f"{HEAD.replace('json', 'xml')}  number: a\n  {rules}", "f")


def test_json_has_no_attributes_to_ignore_either() -> None:
    text = HEAD + "  id: a\nignore:\n  - b\n  - c.@d\n"
    wrong(text, 8, "JSON has no attributes")
    load(text.replace("json", "xml"), "f")


@pytest.mark.parametrize(
    "rules",
    [
        "test: = maybe",
        "total: = much",
        "total: = NaN",
        "currency: = euro",
        "life: = opne",
        "placed_at: = tomorrow",
        "placed_at: = 2026-02-30T10:00:00",
        "id: a or = " + "x" * 201,
        "life: a or = opne",
        "lines[] from a[]: {gift_card: = perhaps}",
        "lines[] from a[]: {quantity: '= 1,5'}",
        "life: a | code life",
        "life: a | lower | code life",
    ],
)
def test_a_word_of_the_mapping_must_fit_its_target(rules: str) -> None:
    table = "\ncodes:\n  life: {a: open, b: opne}\n"
    wrong(f"{HEAD}  number: a\n  {rules}{table}", 6, "cannot be")


@pytest.mark.parametrize(
    "rules",
    [
        "test: = no",
        "total: = 1.50",
        "currency: = EUR",
        "life: = open",
        "life: a | code life",
        "placed_at: = 2026-02-28T10:00:00+01:00",
        "tags: = a",
        "lines[] from a[]: {gift_card: '= 1'}",
    ],
)
def test_a_word_that_fits(rules: str) -> None:
    load(f"{HEAD}  {rules}\ncodes:\n  life: {{a: open, b: '', '*': closed}}\n", "f")


def test_one_of_several_kinds_of_line_may_take_a_word() -> None:
    head = HEAD.replace("Order", "Transaction") + "  lines[] from a[]:\n    amount: b\n"
    load(head + "    kind: = tax\n", "f")
    wrong(head + "    kind: = taxes\n", 7, "lines.kind cannot be 'taxes'")


def test_what_python_cannot_nest_is_told_too() -> None:
    rules, indent = "", "  "
    for name in "abc":
        for n in range(39):
            rules += f"{indent}when {name}{n}:\n{indent}  number: c\n"
        rules += f"{indent}otherwise:\n"
        indent += "  "
    found = problem(HEAD + rules + indent + "number: c\n")
    assert (found.code, found.file) == ("LP-MAP-003", "shop/order.yaml")
