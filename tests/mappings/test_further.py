"""Further documents of a message: where they are found, what they are called, and what they say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from mappings import further
from mappings.coverage import static, unread
from mappings.mapping import Mapping, load
from mappings.reference import Reference
from mappings.spec import read
from schemas.problem import ConfigError, Problem, Rejected

HEAD = "mapping: shop.order\nreads: {reads}\nto: Order\nrules:\n  id: id\nfurther:\n"
ANSWER = """\
  answer:
    to: Interaction
    from: {source}
    key: {key}
    rules:
      id: = {{/id}}-{{no}}
      kind: = survey_answer
      outcome: score | code score
codes:
  score: {{1: bad, 5: good}}
"""


def answers(source: str = "answers[]", key: str = "[/id, no]", *, reads: str = "json") -> Mapping:
    return load(HEAD.format(reads=reads) + ANSWER.format(source=source, key=key), "f.yaml")


def custom(entry: str, *, reads: str = "json") -> Mapping:
    lines = "".join(f"    {line}\n" for line in entry.splitlines())
    rules = "    to: Interaction\n    rules:\n      id: no\n      kind: = call\n"
    return load(f"{HEAD.format(reads=reads)}  one:\n{rules}{lines}", "f.yaml")


def keys(mapping: Mapping, body: Any) -> list[tuple[str, ...]]:
    return [each.key for each in mapping.found(body)]


def problem(mapping: Mapping, body: Any) -> Problem:
    with pytest.raises(Rejected) as caught:
        mapping.found(body)
    return caught.value.problem


BODY = {"id": 7, "answers": [{"no": 1, "score": "5"}, {"no": 2, "score": "3"}]}
XML = (
    "<o><id>7</id><answers><no>1</no><score>5</score></answers>"
    "<answers><no>2</no><score>3</score></answers></o>"
)


@pytest.mark.parametrize(
    ("mapping", "body"), [(answers(), BODY), (answers(reads="xml"), etree.fromstring(XML))]
)
def test_each_element_is_a_document_of_its_own(mapping: Mapping, body: Any) -> None:
    first, second = mapping.found(body)
    assert (first.name, first.place, first.key) == ("answer", "answers[0]", ("7", "1"))
    assert (second.place, second.key, second.version) == ("answers[1]", ("7", "2"), None)
    inner = mapping.further["answer"]
    for each, outcome in ((first, "good"), (second, "unknown:3")):
        document, flags = inner.run(each.part)
        trace = inner.trace(each.part)
        assert document == trace.document
        assert document["outcome"] == outcome
        assert [flag.path for flag in flags] == ["outcome"] * (outcome == "unknown:3")
        origins = trace.origins
        assert origins["outcome"].source == f"{each.place}.score"
        assert origins["outcome"].line == 14
        assert origins["id"].source == f"id + {each.place}.no"
        assert inner.rule(14) == "outcome: score | code score"
    model = inner.build(second.part, system="shop")[0]
    assert type(model).__name__ == "Interaction"


@pytest.mark.parametrize(
    ("source", "body", "places"),
    [
        ("a", {"a": {"no": 1}}, ["a"]),
        ("a", {"a": None}, []),
        ("a.b", {"a": {"b": {"no": 1}}}, ["a.b"]),
        ("/a.b", {"a": {"b": {"no": 1}}}, ["a.b"]),
        ("a[]", {"a": {"no": 1}}, ["a"]),
        (
            "a[].b[]",
            {"a": [{"b": [{"no": 1}]}, {}, {"b": [{"no": 2}]}]},
            ["a[0].b[0]", "a[2].b[0]"],
        ),
        ("a[].b", {"a": [{"b": {"no": 1}}, {}, {"b": {"no": 2}}]}, ["a[0].b", "a[2].b"]),
        ("a[t=x]", {"a": [{"t": "y"}, {"t": "x", "no": 1}]}, ["a[t=x]"]),
        ("a[] where no > 1", {"a": [{"no": 1}, {"no": 2}]}, ["a[1]"]),
        ("a where not gone", {"a": {"no": 1, "gone": True}}, []),
        (".", {"no": 1}, [""]),
        (". where no = 2", {"no": 1}, []),
    ],
)
def test_where_they_lie(source: str, body: Any, places: list[str]) -> None:
    mapping = custom(f"from: {source}\nkey: no")
    found = mapping.found(body)
    assert [each.place for each in found] == places
    for each in found:
        trace = mapping.further["one"].trace(each.part)
        place = f"{each.place}." if each.place else ""
        assert trace.origins["id"].source == f"{place}no"


def test_a_place_in_xml_that_is_empty_is_there_and_one_that_is_missing_is_not() -> None:
    mapping = custom("from: a.b\nkey: /no", reads="xml")
    assert keys(mapping, etree.fromstring("<o><no>1</no><a><b/></a></o>")) == [("1",)]
    assert keys(mapping, etree.fromstring("<o><no>1</no><a/></o>")) == []
    many = custom("from: a[].b\nkey: .@k\nversion: /@at", reads="xml")
    tree = etree.fromstring("<o at='3'><a><b k='x'/></a><a/><a><b k='y'/></a></o>")
    assert [(e.key, e.version, e.place) for e in many.found(tree)] == [
        (("x",), "3".zfill(20), "a[0].b"),
        (("y",), "3".zfill(20), "a[2].b"),
    ]


def test_what_lacks_its_key_or_version_is_told_with_its_place_and_line() -> None:
    found = problem(answers(), {"id": 7, "answers": [{"no": 1}, {"score": 3}]})
    assert (found.code, found.path, found.rule) == ("LP-MAP-102", "answers[1]", "f.yaml:10")
    assert found.detail == "the key of answer is absent: no"
    aged = custom("from: a[]\nkey: no\nversion: at or since")
    found = problem(aged, {"a": [{"no": 1}]})
    assert (found.path, found.rule, found.target) == ("a[0]", "f.yaml:14", "further.one")
    assert found.detail == "the version of one is absent: at or since"


@pytest.mark.parametrize(
    ("entry", "body", "place", "line"),
    [
        ("from: a[]\nkey: no", {"a": [{"no": 1}, {"no": [1]}]}, "a[1].no", 13),
        ("from: a[]\nkey: no", {"a": [{"no": "x" * 201}]}, "a[0].no", 13),
        ("from: a[]\nkey: no | integer", {"a": [{"no": "x"}]}, "a[0].no", 13),
        ("from: a[]\nkey: no\nversion: at", {"a": [{"no": 1, "at": "9" * 21}]}, "a[0].at", 14),
        ("from: a[]\nkey: no\nversion: at", {"a": [{"no": 1, "at": "2026-13-01T10:00"}]},
         "a[0].at", 14),
        ("from: a[] where no > 1\nkey: no", {"a": [{"no": "x"}]}, "a[0].no", 12),
        ("from: a[].b\nkey: no", {"a": ["x"]}, "a[0].b", 12),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_place_and_line(
    entry: str, body: Any, place: str, line: int
) -> None:
    found = problem(custom(entry), body)
    assert (found.code, found.path, found.rule) == ("LP-MAP-101", place, f"f.yaml:{line}")


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-03-01T10:00:00+01:00", "2026-03-01T09:30:00Z"),
        ("2026-03-01T09:00:00Z", "2026-03-01T09:00:00.5Z"),
        ("2026-03-01T10:00:00.25+01:00", "2026-03-01T09:00:00.3Z"),
        (9, 10),
        ("9", "0010"),
        ("2026-03-01T09:00", "2026-03-01T09:00:01"),
        ("a", "b"),
    ],
)
def test_versions_order_by_age(older: Any, newer: Any) -> None:
    mapping = custom("from: a[]\nkey: /no\nversion: at")
    for versions in ((older, newer), (newer, older)):
        (kept,) = mapping.found({"no": 1, "a": [{"at": at} for at in versions]})
        assert kept.place == f"a[{versions.index(newer)}]"


def test_versions_that_are_one_moment_are_one_version() -> None:
    mapping = custom("from: a\nkey: no\nversion: at")
    same = ("2026-03-01T10:00:00+01:00", "2026-03-01T09:00:00.000Z", "2026-03-01 09:00Z")
    assert len({mapping.found({"a": {"no": 1, "at": at}})[0].version for at in same}) == 1
    other = custom("from: a\nkey: no\nversion: at | moment DD.MM.YYYY HH:mm | zone Europe/Vienna")
    (found,) = other.found({"a": {"no": 1, "at": "01.03.2026 10:00"}})
    assert found.version == "2026-03-01T09:00:00.000000000Z"


def test_the_same_twice_is_one_and_two_that_differ_are_told() -> None:
    mapping = custom("from: a[]\nkey: no")
    assert len(mapping.found({"a": [{"no": 1, "b": "x"}, {"no": "1", "b": "x", "c": None}]})) == 1
    found = problem(mapping, {"a": [{"no": 1, "b": "x"}, {"no": 1, "b": "y"}]})
    assert (found.code, found.path, found.rule) == ("LP-MAP-103", "a[1]", "f.yaml:13")


def test_content_is_what_the_source_says_however_it_is_written() -> None:
    mapping = custom("from: a\nkey: no")

    def content(**fields: Any) -> bytes:
        (found,) = mapping.found({"a": {"no": 1, **fields}, "other": len(fields)})
        return found.content

    assert content(b=Decimal("1.10"), c={"y": 1, "x": ""}) == content(
        c={"y": "1"}, b="1.10", d=None
    )
    assert content(b=1) != content(b=2)
    assert content(b=["x", "y"]) != content(b=["y", "x"])
    assert content(b=["x", None]) != content(b=["x"])
    assert content(b={"c": "x"}) != content(c="x")


def test_content_of_xml_is_all_of_the_element_but_blanks() -> None:
    mapping = custom("from: a\nkey: no", reads="xml")

    def content(inside: str) -> bytes:
        (found,) = mapping.found(etree.fromstring(f"<o><a><no>1</no>{inside}</a></o>"))
        return found.content

    assert content('<b x="1" y="2"> t </b>') == content('\n<b y="2" x="1">t</b><!-- c -->\n')
    for other in ('<b x="1" y="3">t</b>', '<b x="1" y="2">u</b>', '<c x="1" y="2">t</c>', ""):
        assert content(other) != content('<b x="1" y="2">t</b>')


@pytest.mark.parametrize("reads", ["json", "xml"])
def test_content_may_be_some_places_only(reads: str) -> None:
    mapping = custom("from: .\nkey: no\ncontent: [a, c]", reads=reads)

    def content(a: str, b: str) -> bytes:
        xml = etree.fromstring(f"<o><no>1</no><a><x>{a}</x></a><b>{b}</b></o>")
        body = {"no": 1, "a": {"x": a}, "b": b}
        return mapping.found(xml if reads == "xml" else body)[0].content

    assert content("1", "2") == content("1", "3")
    assert content("1", "2") != content("2", "2")


def test_no_rule_has_a_part_in_what_a_document_is_called() -> None:
    before = answers().found(BODY)
    text = ANSWER.replace("outcome: score | code score", "subject: score")
    other = load(HEAD.format(reads="json") + text.format(source="answers[]", key="[/id, no]"), "g")
    assert other.version != answers().version
    after = other.found(BODY)
    assert [(e.key, e.content, e.version) for e in after] == [
        (e.key, e.content, e.version) for e in before
    ]


def test_there_may_be_as_many_as_the_limit_and_no_more() -> None:
    mapping = custom("from: a[]\nkey: no")
    most = [{"no": number} for number in range(further.ELEMENTS_MAX)]
    assert len(mapping.found({"a": most})) == further.ELEMENTS_MAX
    assert len(mapping.found({"a": [*most, {"no": 0}]})) == further.ELEMENTS_MAX
    found = problem(mapping, {"a": [*most, {"no": "x"}]})
    assert (found.code, found.rule) == ("LP-MAP-102", "f.yaml:12")


def test_a_mapping_has_a_limit_of_kinds() -> None:
    entry = "{to: Interaction, from: x, key: id, rules: {}}"
    lines = [f"  a{number}: {entry}\n" for number in range(further.FURTHER_MAX + 1)]
    assert load(HEAD.format(reads="json") + "".join(lines[:-1]), "f").further
    with pytest.raises(ConfigError) as caught:
        load(HEAD.format(reads="json") + "".join(lines), "f.yaml")
    assert "more than 20 kinds" in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "line", "said"),
    [
        ("from: .[].a\nkey: no", 12, "is no place that holds something"),
        ("from: a[].@b\nkey: no", 12, "is no place that holds something"),
        ("from: a[].b[].c[].d[].e[]\nkey: no", 12, "more than 4 lists"),
        ("from: a where @b\nkey: no", 12, "JSON has no attributes"),
        ("from: a\nkey: .@no", 13, "JSON has no attributes"),
        ("from: a\nkey: [a, b, c, d, e, f, g, h, i]", 13, "`key` names 1 to 8 places"),
        ("from: a\nkey: count of .[].a", 13, "and this is in none"),
        ("from: a\nkey: no | location zone", 13, "'location' may give another name tomorrow"),
        ("from: a\nkey: '= {no | code x}'", 13, "'code' may give another name tomorrow"),
        ("from: a\nkey: no\nversion: at | item gtin sku", 14, "may give another name tomorrow"),
        ("from: a\nkey: no\ncontent: ['a[]']", 14, "stands for many"),
        ("from: a\nkey: no\ncontent: [.@b]", 14, "JSON has no attributes"),
        ("from: a\nkey: no\nunset: {agent: ''}", 14, "say in words why"),
        ("from: a\nkey: no\nunset: {total: x}", 14, "no field 'total'"),
        ("from: a\nkey: no\ncodes: {a: b}", 14, "unknown key 'codes'"),
    ],
)
def test_mistakes_are_told_with_their_line(entry: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        custom(entry)
    assert caught.value.problem.rule == f"f.yaml:{line}"
    assert said in str(caught.value)


def test_the_name_is_a_word() -> None:
    entry = "{to: Interaction, from: x, key: id, rules: {}}"
    for name in ("a b", "A", "a+b", "a/b"):
        with pytest.raises(ConfigError) as caught:
            load(f"{HEAD.format(reads='json')}  '{name}': {entry}\n", "f.yaml")
        assert "is a word like `survey`" in str(caught.value)


def test_groups_are_looked_for_in_further_rules_as_well() -> None:
    text = HEAD.format(reads="json") + ANSWER.format(source="a[]", key="no")
    with pytest.raises(ConfigError) as caught:
        load(text.replace("score | code score", "sum of .[].score"), "f.yaml")
    assert caught.value.problem.rule == "f.yaml:14"


def test_what_they_read_counts_as_read() -> None:
    body = {**BODY, "more": {"a": 1}}
    assert unread(answers(), body) == ("more.a",)
    some = custom("from: a[t=x].b[] where c = 1\nkey: [no, d]\nversion: e\ncontent: [f]")
    fields = dict.fromkeys(("no", "c", "d", "e", "f", "g"), "1")
    assert unread(some, {"id": 1, "a": [{"t": "x", "b": [fields]}]}) == ("a.b.g",)


def test_what_their_documents_never_fill_is_told_by_name() -> None:
    found = {each.subject: each for each in static(answers()) if each.what == "unset"}
    assert "answer: agent" in found
    assert "answer: outcome" not in found
    assert "`unset: {agent: ...}`" in found["answer: agent"].next_step
    assert found["channel"].required
    assert not [each for each in static(answers()) if each.what == "idle_table"]
    listed = custom("from: a\nkey: no\nunset: {agent: nobody, id: none}")
    subjects = {(each.what, each.subject) for each in static(listed)}
    assert ("unset", "one: agent") not in subjects
    assert ("stale", "one: id") in subjects


def test_functions_and_branches_in_vain_are_told_of_theirs_as_well() -> None:
    text = HEAD.format(reads="json") + ANSWER.format(source="a[]", key="no")
    text = text.replace("outcome: score | code score", "outcome: score | own f")
    text = text.replace("kind: = survey_answer", "when a and not a: {agent: a}\n      kind: k")
    found = static(load(text, "f.yaml", {"f": lambda value: value}))
    assert {each.what for each in found} == {"unset", "unreachable", "idle_table", "opaque"}


def test_look_ups_reach_their_rules() -> None:
    class Loaded:
        def location(self, store: str, field: str) -> str | None:
            return {"7": "Linz"}.get(store)

        def item(self, kind: str, number: str, field: str) -> str | None:
            return None

    text = HEAD.format(reads="json") + ANSWER.format(source="answers[]", key="[/id, no]")
    mapping = load(text.replace("score | code score", "/id | location name"), "f.yaml")
    known: Reference = Loaded()
    first = mapping.found(BODY)[0].part
    assert mapping.further["answer"].run(first, known)[0]["outcome"] == "Linz"


def test_a_value_that_does_not_fit_names_its_place_from_the_top() -> None:
    text = HEAD.format(reads="json") + ANSWER.format(source="answers[]", key="[/id, no]")
    mapping = load(text.replace("outcome: score | code score", "occurred_at: score"), "f.yaml")
    (first, _) = mapping.found(BODY)
    with pytest.raises(Rejected) as caught:
        mapping.further["answer"].build(first.part, system="shop")
    found = caught.value.problem
    assert (found.path, found.target) == ("answers[0].score", "occurred_at")
    assert found.rule == "f.yaml:14"


def test_the_way_back_leaves_them_out() -> None:
    text = HEAD.format(reads="json").replace("to: Order", "to: Order\ndirection: both")
    spec = read(text + ANSWER.format(source="answers[]", key="no"), "f.yaml")
    assert spec.declared.both
    assert spec.further[0].name == "answer"
