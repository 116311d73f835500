"""Texts of parts, conditions on transforms, arguments from the document, look-ups, functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from mappings.mapping import load
from mappings.own import Opaque, opaque
from schemas.problem import ConfigError, Problem, Rejected

HEAD = "mapping: shop.order\nreads: {reads}\nto: Order\nrules:\n"


class Loaded:
    """Reference data that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def location(self, store: str, field: str) -> str | None:
        self.asked.append((store, field))
        return {"07": {"zone": "Asia/Tokyo", "currency": "JPY"}}.get(store, {}).get(field)

    def item(self, kind: str, number: str, field: str) -> str | None:
        self.asked.append((kind, number, field))
        return {("gtin", "04006381333931", "sku"): "0012"}.get((kind, number, field))


def half(value: str) -> str:
    """A function of a connector."""
    return str(int(value) // 2)


def worse(value: str, how: str = "raise") -> Any:
    """A function that does what none may."""
    if how == "raise":
        raise KeyError(value)
    if how == "unheard":
        raise RuntimeError(value)
    return {"float": 1.5, "nothing": "", "none": None, "list": [value]}[how]


FUNCTIONS: dict[str, Callable[..., Any]] = {"half": half, "worse": worse}


def mapped(rules: str, body: Any, reference: Any = None, reads: str = "json") -> Any:
    mapping = load(HEAD.format(reads=reads) + rules, "f.yaml", FUNCTIONS)
    document, _ = mapping.run(body, reference or Loaded())
    traced = mapping.trace(body, reference or Loaded())
    assert repr(traced.document) == repr(document)
    return document


def problem(rules: str, body: Any) -> Problem:
    mapping = load(HEAD.format(reads="json") + rules, "f.yaml", FUNCTIONS)
    with pytest.raises(Rejected) as caught:
        mapping.run(body, Loaded())
    with pytest.raises(Rejected) as traced:
        mapping.trace(body, Loaded())
    assert caught.value.problem == traced.value.problem
    return caught.value.problem


def refused(rules: str) -> str | None:
    with pytest.raises(ConfigError) as caught:
        load(HEAD.format(reads="json") + rules, "f.yaml", FUNCTIONS)
    return caught.value.problem.detail


@pytest.mark.parametrize(
    ("template", "body", "result"),
    [
        ("= {a}-{b}", {"a": 1, "b": "02"}, "1-02"),
        ("= {a}-{b}", {"a": 1}, None),
        ("= {a}-{b}", {"a": 1, "b": ""}, None),
        ("= {a?} {b?}", {"a": "x", "b": "y"}, "x y"),
        ("= {a?} {b?}", {"b": "y"}, "y"),
        ("= {a?} {b?}", {"a": "x"}, "x"),
        ("= {a?} {b?}", {}, None),
        ("= No. {a?}, {b?}!", {"a": "x"}, "No. x!"),
        ("= No. {a?}, {b?}!", {"b": "y"}, "y!"),
        ("= No. {a?}, {b?}!", {}, None),
        ("= {a?}-{b?}-{c}", {"c": "z"}, "z"),
        ("= {a?}-{b}-{c?}", {"a": "x", "c": "z"}, None),
        ("= {a} or = {b}", {"b": "y"}, "y"),
        ("= {a} or b or = none", {}, "none"),
        ("c or = {a or b}!", {"b": "y"}, "y!"),
        ("= {a or = 7}{{}}", {}, "7{}"),
        ("= {a | upper}{b | pad 3?}", {"a": "x", "b": 7}, "X007"),
        ("= {a | upper}{b | pad 3?}", {"a": "x"}, "X"),
        ("= {a | digits}!", {"a": "none"}, None),
        ("= {a}{a} | prefix _ | upper", {"a": "x"}, "_XX"),
        ("= {a} | code t", {"a": "b"}, "c"),
        ("= {a | code t}{b | code t}", {"a": "b", "b": "d"}, "cunknown:d"),
        ("= {b.c[0].d}{b.c[d=2].d}", {"b": {"c": [{"d": 1}, {"d": 2}]}}, "12"),
        ('= {a | replace " or " "|"} | part -1 "|"', {"a": "x or y"}, "y"),
        ("= {a}", {"a": True}, "true"),
        ("= {a}", {"a": Decimal("1.10")}, "1.10"),
        ("= {{x}} or y", {}, "{x}"),
    ],
)
def test_a_text_of_parts(template: str, body: Any, result: str | None) -> None:
    if template.endswith("or y"):
        assert "can never be reached" in (refused(f"  note: '{template}'\n") or "")
        template = template.removesuffix(" or y")
    made = mapped(f"  note: '{template}'\ncodes:\n  t: {{b: c}}\n", body)
    assert made == ({} if result is None else {"note": result})


def test_a_text_of_parts_is_read_from_xml() -> None:
    tree = etree.fromstring("<O Id=' 7 '><A>x</A><B>  </B><L><C>1</C></L><L><C>2</C></L></O>")
    rules = "  id: = {.@Id}-{A}\n  note: = {A?}, {B?}\n"
    rules += "  lines[] from L[]:\n    id: = {/A}{C | pad 3}\n"
    assert mapped(rules, tree, reads="xml") == {
        "id": "7-x",
        "note": "x",
        "lines": [{"id": "x001"}, {"id": "x002"}],
    }


def test_the_origin_of_a_text_is_all_its_places() -> None:
    rules = "  id: a\n  lines[] from l[]:\n    id: = {b}-{/a}{c or d?}\n"
    mapping = load(HEAD.format(reads="json") + rules, "f.yaml")
    origin = mapping.trace({"a": "x", "l": [{"b": 1}]}).origins["lines[0].id"]
    assert (origin.source, origin.line) == ("l[0].b + a + l[0].c + l[0].d", 7)
    assert origin.value == "1-x"


@pytest.mark.parametrize(
    ("rule", "body", "path", "value"),
    [
        ("note: = {b}{a | integer}", {"a": "Ann", "b": 1}, "a", "aaa"),
        ("note: = {b}{a}", {"a": {}, "b": 1}, "a", None),
        ("total: = {a}{b}", {"a": "x", "b": 1}, "a + b", "a9"),
        ("total: a | times {b}", {"a": 1, "b": "Ann"}, "b", "aaa"),
        ("total: a | times {b}", {"a": "x", "b": 1}, "a", "a"),
        ("total: a | times {b}", {"a": 1}, "b", None),
        ("total: a | divide {b}", {"a": 1, "b": 0}, "b", "9"),
        ("total: a | divide {b}", {"a": 1, "b": 3}, "a", "9"),
        ("placed_at: a | zone {b}", {"a": "2026-03-01 10:00", "b": "Vienna"}, "b", "aaaaaa"),
        ("total: a | negate where b = R", {"a": "x", "b": "R"}, "a", "a"),
        ("total: a | negate where b > 1", {"a": "1", "b": "R"}, "b", "a"),
        ("note: a | own half", {"a": "Ann"}, "a", "aaa"),
        ("note: a | own worse", {"a": "Ann"}, "a", "aaa"),
        ("note: a | own worse float", {"a": "Ann"}, "a", "aaa"),
        ("note: a | own worse list", {"a": "Ann"}, "a", "aaa"),
        ("note: a | own half", {"a": []}, "a", None),
    ],
)
def test_what_does_not_fit_names_the_place_that_it_is_about(
    rule: str, body: Any, path: str, value: str | None
) -> None:
    found = problem(f"  {rule}\n", body)
    assert (found.code, found.path, found.value) == ("LP-MAP-101", path, value)
    assert "Ann" not in found.model_dump_json()


def test_a_transform_is_done_where_its_condition_holds() -> None:
    rule = "  total: a | implied 2 | negate where sign = R, V and not paid | absolute where b < 0\n"
    assert mapped(rule, {"a": "0001250", "sign": "V"}) == {"total": Decimal("-12.50")}
    assert mapped(rule, {"a": "0001250", "sign": "S"}) == {"total": Decimal("12.50")}
    assert mapped(rule, {"a": "0001250", "sign": "R", "paid": 1}) == {"total": Decimal("12.50")}
    assert mapped(rule, {"a": "0001250", "sign": "R", "b": -1}) == {"total": Decimal("12.50")}
    rule = "  note: a | digits where b | prefix x where c\n  number: c\n"
    assert mapped(rule, {"a": "y", "b": 1, "c": 2}) == {"number": "2"}
    assert mapped(rule, {"a": "y", "c": 2}) == {"note": "xy", "number": "2"}
    # What only a condition reads is found again by a rule behind it.
    assert mapped("  note: z | upper where y.a = 1\n  number: y.a\n", {"y": {"a": 1}}) == {
        "number": "1"
    }
    assert mapped("  note: a | code t where b\ncodes:\n  t: {x: y}\n", {"a": "x"}) == {"note": "x"}


def test_defaults_go_through_the_transforms() -> None:
    assert mapped("  note: a or = web | upper | prefix x-\n", {}) == {"note": "x-WEB"}
    assert mapped("  note: = web | upper\n", {}) == {"note": "WEB"}
    assert mapped("  total: a or = 0 | implied 2\n", {}) == {"total": Decimal("0.00")}
    assert mapped("  total: a or = 100 | divide {b or = 8}\n", {}) == {"total": Decimal("12.5")}


def test_digits_and_zeros_are_kept_through_a_chain() -> None:
    body = {"amount": "000001234", "gtin": "00012345600012", "kg": "1.250"}
    rules = "  total: amount | implied 3\n  note: gtin | cut 1 14 | trim\n"
    assert mapped(rules, body) == {"total": Decimal("1.234"), "note": "00012345600012"}
    assert mapped("  total: kg | times 1000 | divide 1000\n", body)["total"] == Decimal("1.25")
    assert mapped("  note: amount | implied 3 | text\n", body) == {"note": "1.234"}


def test_a_zone_from_the_document_or_from_none() -> None:
    rule = "  placed_at: at | moment YYYYMMDDHHmm | zone {zone}\n"
    at = {"at": "202607010930"}
    tokyo = mapped(rule, {**at, "zone": "Asia/Tokyo"})["placed_at"]
    assert (tokyo["zone"], tokyo["utc"]) == ("Asia/Tokyo", "2026-07-01T00:30:00Z")
    assert mapped(rule, at) == {"placed_at": {"local": "2026-07-01T09:30:00"}}
    plain = "  placed_at: at | zone {zone}\n"
    assert mapped(plain, {"at": "2026-07-01 09:30"}) == {
        "placed_at": {"local": "2026-07-01T09:30:00"}
    }
    # An object of the source is no time, even if it looks like one of ours.
    assert problem("  placed_at: at\n", {"at": {"local": "2026-07-01T09:30:00"}}).path == "at"


def test_what_is_looked_up() -> None:
    rules = "  currency: shop | location currency\n  note: ean | pad 14 | item gtin sku\n"
    body = {"shop": "07", "ean": 4006381333931}
    assert mapped(rules, body) == {"currency": "JPY", "note": "0012"}
    rules += "  placed_at: at | zone {shop | location zone}\n"
    made = mapped(rules, {**body, "at": "2026-07-01 09:30"})
    assert made["placed_at"]["utc"] == "2026-07-01T00:30:00Z"


def test_what_is_not_known_is_left_out_and_flagged() -> None:
    rules = "  currency: = {shop | location currency} or = EUR\n  id: id\n"
    rules += "  lines[] from l[]:\n    id: no\n    description: . | item sku name where no\n"
    rules = rules.replace("description: .", "description: sku")
    mapping = load(HEAD.format(reads="json") + rules, "f.yaml")
    body = {"id": 1, "shop": "Ann9", "l": [{"no": 1}, {"no": 2, "sku": "B7"}]}
    document, flags = mapping.run(body, Loaded())
    assert document == {"currency": "EUR", "id": "1", "lines": [{"id": "1"}, {"id": "2"}]}
    told = [(flag.code, flag.path) for flag in flags]
    assert told == [("LP-MAP-202", "currency"), ("LP-MAP-202", "lines[1].description")]
    assert "`item sku name` finds nothing for one like 'a9'" in (flags[1].detail or "")
    assert "Ann" not in str(flags)
    # Without any reference data at all it is the same.
    assert mapping.run(body) == (document, flags)


def test_a_mapping_asks_only_for_what_it_looks_up() -> None:
    loaded = Loaded()
    mapping = load(
        HEAD.format(reads="json") + "  store: shop\n  currency: a | location currency\n", "f"
    )
    mapping.run({"shop": "07"}, loaded)
    assert loaded.asked == []
    mapping.run({"shop": "07", "a": "07"}, loaded)
    assert loaded.asked == [("07", "currency")]


def test_functions_of_the_connector() -> None:
    rules = "  id: = {a | own half}x\n  tags: [a, 'a | own half']\n"
    rules += "  note: a | own worse none\n  number: a | own worse nothing\n"
    rules += "  customer from b:\n    email: c\n"
    rules += "  lines[] from l[]:\n    when c:\n      id: c | own half\n"
    body = {"a": "8", "l": [{"c": 6}]}
    assert mapped(rules, body) == {"id": "4x", "tags": ["8", "4"], "lines": [{"id": "3"}]}
    spec = load(HEAD.format(reads="json") + rules, "f.yaml", FUNCTIONS).spec
    assert list(opaque(spec.rules)) == [
        Opaque(5, "id", "half"),
        Opaque(6, "tags", "half"),
        Opaque(7, "note", "worse", ("none",)),
        Opaque(8, "number", "worse", ("nothing",)),
        Opaque(13, "lines.id", "half"),
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("own half", "'half' does not take this"),
        ("own worse", "'worse' does not take this"),
        ("own worse unheard", "'worse' does not take this"),
        ("own worse float", "'worse' makes no single value of this"),
        ("own worse list", "'worse' makes no single value of this"),
    ],
)
def test_what_a_function_does_wrong_is_told_as_its_fault(rule: str, said: str) -> None:
    found = problem(f"  note: a | {rule}\n", {"a": "Ann"})
    assert found.detail == f"the connector's function {said}"


def test_functions_are_no_part_of_the_version() -> None:
    text = HEAD.format(reads="json") + "  id: a | own half\n"
    one: Mapping[str, Any] = {"half": half}
    other: Mapping[str, Any] = {"half": str.upper, "more": half}
    assert load(text, "f", one).version == load(text, "f", other).version
    assert "has no function 'half'" in (_refusal(text, {"more": half}) + _refusal(text, {}))


def _refusal(text: str, functions: Mapping[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        load(text, "f", functions)
    return str(caught.value.problem.detail)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("note: = {", "a brace that is text is written twice"),
        ("note: = {a} {b", "a brace that is text is written twice"),
        ("note: = }", "a brace that is text is written twice"),
        ("note: = {}", "is no path"),
        ("note: = {?}", "is no path"),
        ("note: = {a b}", "is no step of a path"),
        ("note: = {a} or b", None),
        ("note: = x or b", "can never be reached"),
        ("note: = {a | uper}", "did you mean 'upper'?"),
        ("note: = {a | moment}", "'moment' makes a time, and this is none"),
        ("note: a | zone UTC", "'zone' makes a time, and this is none"),
        ("placed_at: a | moment | upper", "only `zone` can follow 'moment'"),
        ("placed_at: a | zone UTC | date", "only `zone` can follow 'zone'"),
        ("placed_at: a | moment | zone UTC", None),
        ("tags: ['a | moment']", "'moment' makes a time, and this is none"),
        ("total: a | negate where", "'negate' does not take these arguments"),
        ("total: a | negate where x =", "say which text to compare with"),
        ("total: a | negate where .@b", "JSON has no attributes"),
        ("note: = {.@b}", "JSON has no attributes"),
        ("total: a | times {.@b}", "JSON has no attributes"),
        ("total: a | round {b} down", "'round' takes no place in braces"),
        ("total: a | times {b} 3", "'times' does not take these arguments"),
        ("total: a | times 3 {b}", "'times' does not take these arguments"),
        ("total: a | divide {b} round 2", "'divide' does not take these arguments"),
        ("placed_at: = {a | moment}", "'moment' makes a time, and this is none"),
        ("note: a | location", "'location' does not take these arguments"),
        ("note: a | location phones", "'location' does not take these arguments: there are zone"),
        ("note: a | item gtin", "'item' does not take these arguments"),
        ("note: a | item gtin phones", "'item' does not take these arguments: there are item"),
        ("note: a | own", "the connector has no function ''"),
        ("note: a | own halv", "did you mean 'half'?"),
        ("note: a | own half 2", "'own' does not take these arguments: the function takes others"),
        ("note: a | locaton zone", "did you mean 'location'?"),
        ('note: a | split "', "begins with a quote that is not closed"),
        ('note: a | split ""', "'split' does not take these arguments: a separator was expected"),
        ("note: = " + "{a}" * 25, "too many places in one text"),
        ("note: a" + " | trim" * 25, "too many transforms in one rule"),
    ],
)
def test_what_is_refused_and_how(rule: str, said: str | None) -> None:
    quoted = rule.partition(": ")
    text = f"  {quoted[0]}: '{quoted[2]}'\n" if quoted[2][0] != "[" else f"  {rule}\n"
    if said is None:
        load(HEAD.format(reads="json") + text, "f.yaml", FUNCTIONS)
    else:
        assert said in (refused(text) or "")


def test_the_name_of_a_code_table_is_a_word() -> None:
    found = refused("  note: 'a | code \"t u\"'\ncodes:\n  t u: {a: b}\n")
    assert found == "line 7: the name of a code table is a single word"


def test_a_text_put_together_does_not_grow_for_ever() -> None:
    rules = "  note: = " + "{a}" * 24 + "\n"
    assert len(mapped(rules, {"a": "x" * 40_000})["note"]) == 960_000
    assert problem(rules, {"a": "x" * 50_000}).detail == "the text put together here is too long"


def test_an_argument_of_the_document_is_told_by_what_it_is_for_and_not_quoted() -> None:
    text = HEAD.format(reads="json") + "  placed_at: a | zone {b}\n"
    with pytest.raises(Rejected) as caught:
        load(text, "f.yaml").run({"a": "2026-03-01T10:00", "b": "Europe/Wien"})
    assert caught.value.problem.detail == "this is nothing that `zone` takes"
    assert "Wien" not in caught.value.problem.model_dump_json()
