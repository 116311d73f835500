"""The fast and the traced form make the same of everything, and nothing a mapping says is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import CodeType, FunctionType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connectors import registry
from connectors.api import Slice
from mappings import coverage
from mappings.mapping import Mapping, load
from schemas.problem import ConfigError, LynchpinError, Rejected
from tests.mappings.sources import source

ROOT = Path(__file__).resolve().parents[2]
REAL_DAY = ROOT.parent / "shared" / "samples" / "poslog" / "ncr-acs-v2.1-day.xml"
SHIPPED = sorted((ROOT / "mappings").glob("*/*.yaml"))
ATTACK = "');__import__('os').system('touch harm')\\n\"\"\"{0}%s"
INVENTED = """\
mapping: all.forms
reads: json
to: Order
rules:
  id: a or b.c or = none | upper | prefix x
  note: l[0].b or l[b=x].c | trim | code t
  tags: [a, n | lower, = z]
  total: m | times 3
  placed_at: at
  when a = x, 1 and b.c:
    life: = open
  when not a:
    number: o
  otherwise:
    number: c
  customer from b:
    email: c
    identifiers[] from i[]:
      kind: = k
      value: .
  lines[] from k[].b[] where /c != x:
    id: c
    when d < 1: skip
    when d > 2 and c:
      gift_card: e
    quantity: d
    taxes[] from f[]:
      name: = n
      amount: .
  lines[] from k[]:
    id: /c
    item[] from b[].g[]:
      value: .
codes:
  t: {x: y, 1: one}
"""


def shipped(path: Path) -> Mapping:
    return load(path.read_text("utf-8"), f"{path.parent.name}/{path.name}")


def bodies(connector_id: str, record: bytes) -> Iterator[tuple[str, Any]]:
    """Kind and body of every document in a record that can be read at all."""
    connector = registry.load(connector_id)
    options = connector.options()
    for piece in connector.split([record], options, None):
        if isinstance(piece, Slice) and piece.problem is None:
            for document in connector.decode(piece.payload, piece.context, options):
                yield document.kind, document.body


def outcome(mapping: Mapping, body: Any, *, traced: bool) -> Any:
    try:
        return mapping.trace(body).document if traced else mapping.run(body)[0]
    except Rejected as error:
        return error.problem


def same(one: Any, other: Any) -> bool:
    """Equal to the last digit: 1.0 is not 1.00, and True is not 1."""
    return repr(one) == repr(other)


@pytest.mark.parametrize("connector", registry.manifests())
def test_both_forms_agree_on_every_sample(connector: str) -> None:
    messages = registry.manifests()[connector].messages
    mappings = {
        kind: load(*registry.mapping_text(connector, message.mapping))
        for kind, message in messages.items()
    }
    met = set()
    for sample in sorted((registry.folder(connector) / "samples").iterdir()):
        if sample.name.endswith(".canonical.json"):
            continue
        for kind, body in bodies(connector, sample.read_bytes()):
            document = outcome(mappings[kind], body, traced=False)
            assert isinstance(document, dict), sample.name
            assert same(document, outcome(mappings[kind], body, traced=True)), sample.name
            met.add(kind)
    assert met == set(mappings)


@pytest.mark.skipif(not REAL_DAY.exists(), reason="the real day is not beside this checkout")
def test_both_forms_agree_on_a_real_day() -> None:
    messages = registry.manifests()["poslog"].messages
    mappings = {
        kind: load(*registry.mapping_text("poslog", m.mapping)) for kind, m in messages.items()
    }
    found = list(bodies("poslog", REAL_DAY.read_bytes()))
    assert len(found) == 51
    for kind, body in found:
        document = outcome(mappings[kind], body, traced=False)
        assert isinstance(document, dict)
        assert same(document, outcome(mappings[kind], body, traced=True))


class Source:
    """Invents documents out of what a mapping reads: most can be read but for a place or two."""

    def __init__(self, mapping: Mapping) -> None:
        self.spec = mapping.spec
        self.tree: dict[str, Any] = {}
        for names in coverage._of_rules(mapping.spec.rules, ()):
            node = self.tree
            for name in names:
                node = node.setdefault(name, {})
        self.words = ["", " ", "x", "0", "1", "true", "-1.50", "0012", "2026-03-01T10:00:00Z"]
        self.words += [code for table in mapping.spec.codes.values() for code in table]
        self.words += re.findall(r"= (\w+)", mapping.spec.text)

    def body(self, random: Random) -> Any:
        """A document that can be read, with up to two places spoilt, or one of mere names."""
        xml = self.spec.reads == "xml"
        if random.random() < 0.25:
            return (self.xml if xml else self.json)(random, self.tree)
        body = source(self.spec, random)
        for _ in range(random.choice([0, 0, 1, 2])):
            (self._spoil_xml if xml else self._spoil_json)(random, body)
        return body

    def _spoil_json(self, random: Random, value: Any) -> None:
        while isinstance(value, dict | list) and value:
            at = random.choice(list(value) if isinstance(value, dict) else range(len(value)))
            inner = value[at]
            if not inner or not isinstance(inner, dict | list) or random.random() < 0.2:
                value[at] = self.json(random, {})
                return
            value = inner

    def _spoil_xml(self, random: Random, body: etree._Element) -> None:
        element = random.choice(list(body.iter()))
        if element.attrib and random.random() < 0.5:
            element.set(random.choice(list(element.attrib)), random.choice(self.words))
        elif random.random() < 0.5:
            element.append(etree.Element(random.choice(list(body.iter())).tag))
        else:
            element.text = random.choice(self.words)

    def json(self, random: Random, tree: dict[str, Any]) -> Any:
        chance = random.random()
        if not tree or chance < 0.1:
            return random.choice([*self.words, None, 0, -2, 3, True, False, [], ["x", 1], {}])
        if chance < 0.4:
            return [self.json(random, tree) for _ in range(random.randrange(4))]
        return {name: self.json(random, tree[name]) for name in tree if random.random() < 0.7}

    def xml(self, random: Random, tree: dict[str, Any], tag: str = "T") -> Any:
        element = etree.Element(self._name(tag))
        element.text = random.choice([None, *self.words])
        for name, below in tree.items():
            if name.startswith("@"):
                if random.random() < 0.6:
                    element.set(self._name(name[1:]), random.choice(self.words))
                continue
            for _ in range(random.choice([0, 1, 1, 1, 2])):
                element.append(self.xml(random, below, name))
        return element

    @staticmethod
    def _name(name: str) -> str:
        prefix, colon, local = name.rpartition(":")
        return f"{{{prefix}}}{local}" if colon else name


@pytest.mark.parametrize("name", ["invented", *(f"{p.parent.name}/{p.stem}" for p in SHIPPED)])
def test_both_forms_agree_on_whatever_comes(name: str) -> None:
    mapping = (
        load(INVENTED, "all.yaml")
        if name == "invented"
        else shipped(ROOT / "mappings" / f"{name}.yaml")
    )
    invented = Source(mapping)
    documents, problems = 0, 0

    @given(st.randoms(use_true_random=False))
    def agree(random: Random) -> None:
        nonlocal documents, problems
        body = invented.body(random)
        fast = outcome(mapping, body, traced=False)
        assert same(fast, outcome(mapping, body, traced=True))
        documents += isinstance(fast, dict) and len(fast) > 3
        problems += not isinstance(fast, dict)

    agree()
    assert documents >= 10
    assert problems >= 5


@given(st.randoms(use_true_random=False))
def test_whatever_comes_is_built_or_rejected_with_a_reason(random: Random) -> None:
    body = ORDER_SOURCE.body(random)
    try:
        ORDER.build(body, system="shop")
    except LynchpinError as error:
        found = error
    else:
        return
    assert isinstance(found, Rejected)
    assert found.problem.rule is not None
    assert found.problem.target is not None or found.problem.path is not None


ORDER = shipped(ROOT / "mappings" / "shopify" / "order.yaml")
ORDER_SOURCE = Source(ORDER)


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def generated(mapping: Mapping) -> Iterator[CodeType]:
    for form in (mapping._fast, mapping._traced):
        assert isinstance(form, FunctionType)
        yield from codes(form.__code__)


def assert_pure(mapping: Mapping) -> None:
    """The code holds our own names and no text; all that it can reach are constants of ours."""
    names = {"unknown", "reference", "trace", "body", "run", "x", "e", ".0"}
    names |= {"notes", "note", "enter", "take", "site", "here", "source", "value"}
    calls = {"get", "text", "strip", "append", "iterchildren", "tag", "enumerate", "len", "list"}
    calls |= {
        "next",
        "str",
        "type",
        "zip",
        "add",
        "taken",
        "notes",
        "entered",
        "failed",
        "failures",
    }
    for code in generated(mapping):
        for text in code.co_consts:
            assert (
                not isinstance(text, str) or text in {"", ".", "[", "]", "]."} or "<locals>" in text
            )
        assert set(code.co_names) <= calls
        for name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
            assert name in names or re.fullmatch(r"[a-z]\d+", name), name


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_generated_code_holds_no_text_of_a_shipped_mapping(path: Path) -> None:
    assert_pure(shipped(path))


def braced(text: str) -> str:
    """A text as a constant writes it."""
    return text.replace("{", "{{").replace("}", "}}")


def test_generated_code_holds_no_text_of_a_hostile_mapping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    quoted = "'" + ATTACK.replace("'", "''") + "'"
    word = ATTACK.replace(" ", "")
    text = f"""
mapping: hostile
summary: {quoted}
reads: json
to: Order
rules:
  id: '= {braced(ATTACK).replace("'", "''")}'
  number: 'a[b={ATTACK.replace("'", "''")}].c or = {{a}}{braced(ATTACK).replace("'", "''")}'
  note: 'a | prefix {word.replace("'", "''")} | code {word.replace("'", "''")}'
  tags: 'a | split {word.replace("'", "''")}'
  'when a = {ATTACK.replace("'", "''")}':
    channel: = one
  'lines[] from l[] where k != {ATTACK.replace("'", "''")}':
    id: id
codes:
  '{word.replace("'", "''")}': {{{quoted}: {quoted}, 'a{word.replace("'", "''")}': b}}
ignore: []
"""
    mapping = load(text, ATTACK)
    assert_pure(mapping)
    lines = [{"k": ATTACK, "id": 1}, {"k": ATTACK[:-1], "id": 2}]
    body = {"a": ATTACK, "l": lines}
    for document in (mapping.run(body)[0], mapping.trace(body).document):
        assert document["id"] == ATTACK
        assert document["number"] == ATTACK + ATTACK
        assert document["channel"] == "one"
        assert document["lines"] == [{"id": "2"}]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "place", ["id: {}", "{}: a", "id: a[{}]", "id: a | {}", "x[] from {}[]: {{}}"]
)
@pytest.mark.parametrize("name", ["a);import os", "a\n  return 1", "__import__('os')", "lambda: a"])
def test_names_are_names(place: str, name: str) -> None:
    rule = place.format(name).replace("'", "''").replace("\n", "\n\n")
    key, _, value = rule.partition(": ") if place.endswith("a") else ("id", "", rule[4:])
    with pytest.raises(ConfigError):
        load(f"mapping: a\nreads: json\nto: Order\nrules:\n  '{key}': '{value}'\n", "f.yaml")


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=30)


def double_quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(c):08x}" for c in text) + '"'


@given(WORDS)
def test_any_constant_is_nothing_but_text(word: str) -> None:
    expression = double_quoted(f"= {braced(word)}")
    text = f"mapping: a\nreads: json\nto: Order\nrules:\n  note: {expression}\n"
    try:
        mapping = load(text, "f.yaml")
    except ConfigError:
        assert not word.strip() or re.search(r"\s(\||or)(\s|$)", f" {word}")
        return
    assert mapping.run({})[0] == mapping.trace({}).document == {"note": word.strip()}
    assert_pure(mapping)


@given(st.dictionaries(WORDS, WORDS, min_size=1, max_size=5))
def test_any_code_is_nothing_but_text(table: dict[str, str]) -> None:
    entries = ", ".join(f"{double_quoted(k)}: {double_quoted(v)}" for k, v in table.items())
    head = "mapping: a\nreads: json\nto: Order\nrules:\n  note: a | code t\n"
    mapping = load(f"{head}codes:\n  t: {{{entries}}}\n", "f.yaml")
    for code, meaning in table.items():
        assert mapping.run({"a": code})[0] == {"note": meaning}
    assert_pure(mapping)
