"""What a mapping must declare before it goes both ways, and what each rule can do by itself."""

from __future__ import annotations

import pytest

from mappings.direction import fields
from mappings.errors import DIRECTION, RULE, SYNTAX
from mappings.inversion import INVERSES, WITHOUT_INVERSE
from mappings.mapping import load
from mappings.reference import LOOKUPS
from mappings.transforms import TRANSFORMS
from schemas.problem import ConfigError

CODES = "codes:\n  one: {a: x, b: y}\n  two: {a: x, b: x}\n  drop: {a: x, b: ''}\n  any: {'*': x}\n"


def own(value: str) -> str:
    return value


def text(rules: str, top: str = "direction: both\n", reads: str = "json") -> str:
    return f"mapping: a.b\nreads: {reads}\nto: Order\n{top}rules:\n{rules}{CODES}"


def refusal(rules: str, top: str = "direction: both\n", reads: str = "json") -> str:
    with pytest.raises(ConfigError) as caught:
        load(text(rules, top, reads), "f.yaml", {"f": own})
    return caught.value.problem.line()


def test_every_transform_has_an_inverse_or_a_reason_why_not() -> None:
    assert set(INVERSES) | set(WITHOUT_INVERSE) == {*TRANSFORMS, *LOOKUPS, "own"}
    assert not set(INVERSES) & set(WITHOUT_INVERSE)


@pytest.mark.parametrize(
    "rule",
    [
        "id: a",
        "id: a.b[0].c",
        "id: a[k=x].c",
        "id: = web",
        "id: a | code one",
        "total: a | negate",
        "total: a | times 100",
        "id: a | prefix X-",
        "test: a | opposite",
        "tags: [a]",
        "lines[] from a[] where k = x: {id: b}",
        "lines[] from a[] where not k: {id: b}",
        "lines[] from a[] where b > 1: {quantity: b}",
        "placed_at: a",
        "placed_at: a | moment DD.MM.YYYY HH:mm",
        "id: = X-{a}!",
    ],
)
def test_what_needs_no_word(rule: str) -> None:
    mapping = load(text(f"  {rule}\n"), "f.yaml")
    assert {each.way for each in fields(mapping.spec)} == {"two-way"}


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("id: a or b", "b may have said it"),
        ("id: a or = x", "whether it stood there or was absent"),
        ("id: a | lower", "`lower` loses capital letters"),
        ("id: a | code two", "several codes of two become 'x'"),
        ("id: a | code drop", "a code of drop becomes nothing"),
        ("id: a | code any", "any other code of any becomes 'x'"),
        ("id: = {a}-{b}", "where one part ends and another begins is not kept"),
        ("tags: [a, b]", "which of the places a text stood in is not kept"),
    ],
)
def test_what_is_lossy_must_be_said(rule: str, why: str) -> None:
    name = rule.partition(":")[0]
    said = refusal(f"  {rule}\n")
    assert said == (
        f"LP-MAP-006: line 6: {name} comes back changed: {why}; list it under lossy or one_way "
        f"with the reason [rule f.yaml:6] {DIRECTION.next_step}"
    )
    for key, way in (("lossy", "lossy"), ("one_way", "one-way")):
        top = f"direction: both\n{key}: {{{name}: so it is}}\n"
        found = fields(load(text(f"  {rule}\n", top), "f.yaml").spec)
        assert [(f.way, f.why) for f in found] == [(way, "so it is")]


def test_a_list_through_lists_is_lossy() -> None:
    assert "which of the outer list" in refusal("  lines[] from a[].b[]:\n    id: c\n")


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (
            "  total: a | times 0\n",
            "total has no way back: `times`: nothing can be divided by zero",
        ),
        ("  id: = {a}{b}\n", "id has no way back: nothing says where the parts of this text"),
        ("  id: = {a?} {b}\n", "id has no way back: nothing says where the parts of this text"),
        ("  id: = {a | trim} {b}\n", "id has no way back: nothing says where the parts"),
        ("  id: a | own f\n", "id has no way back: `own` is a function of the connector"),
        ("  id: a | location zone\n", "id has no way back: `location` asks reference data"),
        ("  total: a | times {b}\n", "total has no way back: `times` depends on another place"),
        ("  total: a | negate where b\n", "total has no way back: `negate` depends on another"),
        ("  when a > 5: {note: = big}\n", "note has no way back: nothing says what to write to a"),
        ("  when a: {note: = there}\n", "note has no way back: nothing says what to write to a"),
    ],
)
def test_what_has_no_way_back_must_be_one_way(rules: str, why: str) -> None:
    assert why in refusal(rules)
    name = why.partition(" ")[0]
    assert "has no way back" in refusal(rules, f"direction: both\nlossy: {{{name}: y}}\n")
    load(text(rules, f"direction: both\none_way: {{{name}: y}}\n"), "f.yaml", {"f": own})


@pytest.mark.parametrize(
    ("condition", "lost"),
    [
        ("when a = x", ""),
        ("when a = x, y", "which of the texts stood in a"),
        ("when a != x", "what stood in a is not kept"),
        ("when not a", ""),
    ],
)
def test_a_constant_keeps_of_a_condition_what_it_can(condition: str, lost: str) -> None:
    rules = f"  {condition}:\n    note: = said\n"
    if lost:
        assert lost in refusal(rules)
        # A rule that reads the same place keeps all of it.
        load(text(f"  id: a\n{rules}"), "f.yaml")
    else:
        load(text(rules), "f.yaml")


def test_otherwise_loses_what_the_others_looked_at() -> None:
    rules = "  when a = x:\n    note: = one\n  otherwise:\n    note: = other\n"
    assert "line 9: note comes back changed: what else than `when` says stood in a" in refusal(
        rules
    )
    load(text(f"  id: a\n{rules}"), "f.yaml")


def test_an_element_can_be_made_to_be_there() -> None:
    top = "direction: both\nroot: Sale\n"
    load(text("  when A: {note: = there}\n", top, "xml"), "f.yaml")
    assert "has no way back" in refusal("  when A.@b: {note: = there}\n", top, "xml")


def test_an_entry_covers_what_lies_below_it() -> None:
    rules = "  lines[] from a[]:\n    id: b or c\n    taxes[] from d[]:\n      name: e | lower\n"
    load(text(rules, "direction: both\nlossy: {lines: all of it}\n"), "f.yaml")


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ("lossy: {id: x}\n", "line 4: `lossy` goes with `direction: both`"),
        ("direction: in\none_way: {id: x}\n", "line 5: `one_way` goes with `direction: both`"),
        ("direction: out\n", "line 4: `direction` is in or both"),
        ("direction: both\nlossy: {idd: x}\n", "line 5: idd is declared, and no rule fills it; "),
        ("direction: both\nlossy: {id: ' '}\n", "line 5: id: say what is lost, and why"),
        ("direction: both\nlossy: {id: a}\none_way: {id: a}\n", "line 6: id is declared twice"),
        ("direction: both\nlossy: [id]\n", "line 5: a map of fields and reasons was expected"),
        ("direction: both\nlossy: {id: [x]}\n", "line 5: a text was expected here"),
        ("direction: both\nroot: Sale\n", "line 4: `root` names the outermost element, in XML"),
        ("direction: both\nroots: Sale\n", "line 5: unknown key 'roots'; did you mean 'root'?"),
    ],
)
def test_what_is_declared_is_checked(top: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text("  id: a\n", top), "f.yaml")
    assert caught.value.problem.code in {RULE.code, SYNTAX.code, DIRECTION.code}
    assert said in str(caught.value.problem.detail)


def test_xml_needs_a_root_with_a_name() -> None:
    assert "`root` names the outermost element" in refusal("  id: a\n", reads="xml")
    top = "direction: both\nroot: a b\n"
    assert "'a b' is no name of an element" in refusal("  id: a\n", top, "xml")


def test_without_the_word_a_mapping_goes_in_only() -> None:
    for top in ("", "direction: in\n"):
        mapping = load(text("  id: a or b | lower\n", top), "f.yaml")
        assert not mapping.spec.declared.both
