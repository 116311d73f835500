"""The page of the mapping language says nothing that is not so: each example and table is run."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, get_args

import pytest
from lxml import etree

from mappings import (
    direction,
    errors,
    further,
    grammar,
    inverse,
    inversion,
    numbers,
    rule_text,
    tables,
    template,
    texts,
    yaml_text,
)
from mappings.composition import compose
from mappings.coverage import static
from mappings.mapping import Mapping, load
from mappings.own import Function
from mappings.reference import LOOKUPS
from mappings.transforms import COERCIONS, TRANSFORMS
from schemas.envelope import DOCUMENTS
from schemas.problem import Cause, ConfigError, Rejected

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "mapping.md").read_text("utf-8")
FENCES = re.findall(r"^```(\w+) (\w+)(?: (\w+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILE = "page/example.yaml"
WAYS = get_args(direction.Way)
Row = tuple[str, ...]


def rows(title: str) -> list[Row]:
    """The rows of the tables whose first column has this title, without backticks."""
    table = re.compile(rf"^\| {re.escape(title)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", re.MULTILINE)
    lines = "".join(table.findall(PAGE)).splitlines()
    found = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [tuple(plain(cell.strip().replace("\\|", "|")) for cell in row) for row in found]


def plain(cell: str) -> str:
    """A cell that is nothing but code, without its backticks; any other as it stands."""
    code = re.fullmatch(r"`([^`]*)`", cell)
    return code[1] if code else cell


def value(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def readable(document: Any) -> Any:
    """The document as JSON shows it: decimals as text."""
    return json.loads(json.dumps(document, default=str))


def body(language: str, text: str) -> Any:
    return etree.fromstring(text) if language == "xml" else value(text)


class Loaded:
    """Reference data as the page shows it."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self.locations: list[dict[str, Any]] = tables["locations"]
        self.items: list[dict[str, Any]] = tables["items"]

    def location(self, store: str, field: str) -> str | None:
        return next((place.get(field) for place in self.locations if place["store"] == store), None)

    def item(self, kind: str, number: str, field: str) -> str | None:
        written = number.zfill(14) if kind == "gtin" else number
        for item in self.items:
            if written in item.get(kind, ()):
                found = item.get(field)
                return found[0] if isinstance(found, list) and len(found) == 1 else found
        return None


def functions(text: str) -> dict[str, Function]:
    """What a connector would register that holds this code of the page."""
    module: dict[str, Any] = {}
    exec(text, module)
    return {name: value for name, value in module.items() if inspect.isfunction(value)}


REFERENCE = next(Loaded(value(text)) for _, kind, _, text in FENCES if kind == "reference")
FUNCTIONS = next(functions(text) for _, kind, _, text in FENCES if kind == "functions")


def whole(text: str, reads: str, to: str) -> str:
    if re.search("^mapping:", text, re.MULTILINE):
        return text
    return f"mapping: page.example\nreads: {reads}\nto: {to}\n{text}"


@dataclass
class Texts:
    """The mapping that the page speaks of, what it was made of, and the files beside it."""

    KINDS: ClassVar = ("table", "mapping", "differences", "misfit")
    text: str = ""
    to: str = "Order"
    shipped: str = ""
    own: str = ""
    files: dict[str, str] = field(default_factory=dict)

    def takes(self, kind: str, argument: str, content: str) -> bool:
        if kind == "table":
            self.files[f"{argument}.csv"] = content
        elif kind == "mapping":
            self.text, self.to, self.own = content, argument or "Order", ""
            if ".csv" in content:
                self.text = self.put_together(whole(content, "json", self.to))
            self.shipped = self.text
        elif kind == "differences":
            self.text = self.put_together(content)
        elif kind == "misfit":
            self.own = content
        else:
            return False
        return True

    def put_together(self, own: str) -> str:
        def base(name: str) -> tuple[str, str]:
            return self.shipped, FILE

        return compose(own, "page/own.yaml", beside=self.files.__getitem__, base=base)

    def misfit(self) -> str:
        return self.put_together(self.own) if self.own else ""


def made(rules: str, source: Any) -> Any:
    reads = "json" if isinstance(source, dict) else "xml"
    mapping = load(whole(f"rules:\n  {rules}\n", reads, "Order"), FILE)
    return mapping.run(source)[0]


def origins(mapping: Mapping, source: Any) -> list[list[str]]:
    found = mapping.trace(source).origins
    return [f"{target} from {o.source} line {o.line}".split() for target, o in found.items()]


def built(mapping: Mapping, source: Any) -> None:
    """Make all that a message holds, as the hub does."""
    mapping.found(source)
    mapping.build(source, system="page")


def found_in(mapping: Mapping, source: Any) -> list[dict[str, Any]]:
    """The further documents of a source as the page shows them, in both forms."""
    shown = []
    for each in mapping.found(source):
        inner = mapping.further[each.name]
        document = readable(inner.run(each.part)[0])
        assert readable(inner.trace(each.part).document) == document
        named = {"further": each.name, "at": each.place, "key": list(each.key)}
        version = {"version": each.version} if each.version else {}
        shown.append({**named, **version, "document": document})
    return shown


def test_every_fence_of_the_page_is_of_a_kind_that_is_run() -> None:
    assert len(FENCES) == PAGE.count("\n```") / 2
    kinds = {fence[1] for fence in FENCES}
    run = {"mapping", "input", "output", "source", "origins", "refused", "held", "coverage"}
    assert kinds == run | {
        "sketch",
        "further",
        "canonical",
        "written",
        "findings",
        *Texts.KINDS,
    } | {
        "reference",
        "functions",
    }


def test_every_example_comes_out_as_written() -> None:
    text, to, source, done = "", "Order", None, 0
    page = Texts()
    reads = "json"
    for language, kind, argument, content in FENCES:
        if page.takes(kind, argument, content):
            text, to = page.text, page.to
        elif kind == "input":
            reads, source = language, body(language, content)
        elif kind == "output":
            mapping = load(whole(text, reads, to), FILE, FUNCTIONS)
            assert readable(mapping.run(source, REFERENCE)[0]) == json.loads(content), text
            traced = mapping.trace(source, REFERENCE).document
            assert readable(traced) == json.loads(content), text
        elif kind == "further":
            assert found_in(load(whole(text, reads, to), FILE), source) == json.loads(content)
        elif kind == "origins":
            told = [line.split() for line in content.splitlines()]
            assert origins(load(whole(text, reads, to), FILE), source) == told
        elif kind == "refused":
            with pytest.raises(ConfigError) as caught:
                load(page.misfit() or whole(text, "json", to), FILE)
            assert str(caught.value) == content.strip()
        elif kind == "held":
            with pytest.raises(Rejected) as held:
                built(load(whole(text, reads, to), FILE), source)
            assert str(held.value) == content.strip()
        elif kind == "coverage":
            findings = static(load(whole(text, "json", to), FILE))
            lines = [f"{each.what} {each.subject}: {each.next_step}" for each in findings]
            assert lines == content.splitlines()
        else:
            continue
        done += kind not in ("mapping", "input")
    assert done >= 9


def test_the_way_back_is_as_written() -> None:
    text, document, done = "", {}, 0
    for _, kind, _, content in FENCES:
        if kind == "mapping":
            text = content
        elif kind == "canonical":
            document = json.loads(content)
        elif kind in ("written", "findings"):
            found = inverse.write(load(whole(text, "json", "Order"), FILE), document)
            if kind == "written":
                assert readable(found.body) == json.loads(content)
                assert found.findings == ()
            else:
                told = "".join(f"{f.problem.line()}\n" for f in found.findings)
                assert told == content
            done += 1
    assert done >= 2


@pytest.mark.parametrize(
    ("rule", "way", "why"), [(r[0], r[1], r[2]) for r in rows("rule") if r[1] in WAYS]
)
def test_rules_go_the_way_that_the_page_says(rule: str, way: str, why: str) -> None:
    tables = "codes:\n  one: {a: x, b: y}\n  many: {a: x, b: x}\n"
    mapping = load(whole(f"rules:\n  {rule}\n{tables}", "json", "Order"), FILE)
    ((found),) = direction.fields(mapping.spec)
    assert found.way == way
    assert found.why in ("", why)
    assert found.why or way == "two-way"


def test_every_transform_has_its_way_on_the_page() -> None:
    said = {name: row[0] for row in rows("on the way back") for name in row[1].split("` `")}
    said = {name.strip("`"): way for name, way in said.items()}
    assert set(said) == {*TRANSFORMS, *LOOKUPS, "own"}
    shown = {row[0].split()[0]: row[0] for row in reversed(rows("transform"))}
    for name, way in said.items():
        if name in inversion.WITHOUT_INVERSE:
            assert way == "one-way"
            continue
        step = grammar.expression(f"a | {shown[name] if name != 'date' else name}").transforms[0]
        loses = inversion.INVERSES[name](*step.arguments).loses
        assert way == ("lossy" if loses else "two-way"), name


@pytest.mark.parametrize(("entry", "said"), rows("in `further: {a: ...}`"))
def test_mistakes_in_further_documents_are_told_as_the_page_says(entry: str, said: str) -> None:
    text = f"rules: {{}}\nfurther:\n  a: {{{entry}}}\ncodes: {{channel: {{a: b}}}}\n"
    with pytest.raises(ConfigError) as caught:
        load(whole(text, "json", "Order"), FILE)
    assert str(caught.value.problem.detail).partition(": ")[2] == said


@pytest.mark.parametrize(("top", "said"), rows("at the top"))
def test_what_is_declared_wrong_is_told_as_the_page_says(top: str, said: str) -> None:
    lines = top[1:-1].replace("}, ", "}\n") if top.startswith("{") else top
    lines = re.sub(r"^direction: both, ", "direction: both\n", lines)
    with pytest.raises(ConfigError) as caught:
        load(whole(f"{lines}\nrules:\n  id: a\n", "json", "Order"), FILE)
    assert str(caught.value.problem.detail).partition(": ")[2] == said


def test_the_first_example_is_a_whole_order() -> None:
    text, source = FENCES[0][3], value(FENCES[1][3])
    model, flags = load(text, FILE).build(source, system="page")
    assert (type(model), flags) == (DOCUMENTS["Order"], ())
    line = next(line for line in text.splitlines() if line.startswith("to: "))
    assert set(re.findall(r"[A-Z]\w+", line)) == set(DOCUMENTS)


def test_paths_find_what_the_page_says() -> None:
    sources = [body(fence[0], fence[3]) for fence in FENCES if fence[1] == "source"]
    xml_from = [row[0] for row in rows("path")].index("Total")
    for number, (path, _, found) in enumerate(rows("path")):
        expected = {} if found == "nothing" else {"note": value(found)}
        assert made(f"note: {path}", sources[number >= xml_from]) == expected, path
    assert len(rows("path")) >= 15


@pytest.mark.parametrize(
    ("transform", "given", "result"), [(r[0], r[2], r[3]) for r in rows("transform")]
)
def test_transforms_do_what_the_page_says(transform: str, given: str, result: str) -> None:
    step = grammar.expression(f"a | {transform}").transforms[0]
    found = TRANSFORMS[step.name](*step.arguments)(value(given))
    expected = None if result == "nothing" else value(result)
    assert (type(readable(found)), str(found)) == (type(readable(expected)), str(expected))


def test_every_transform_is_on_the_page() -> None:
    assert {row[0].split()[0] for row in rows("transform")} == set(TRANSFORMS)


@pytest.mark.parametrize(("kind", "given", "result"), [(r[0], r[2], r[3]) for r in rows("target")])
def test_targets_read_what_the_page_says(kind: str, given: str, result: str) -> None:
    found = COERCIONS[kind](value(given))
    assert (type(found), str(found)) == (type(value(result)), str(value(result)))


def test_every_kind_of_target_is_on_the_page() -> None:
    assert {row[0] for row in rows("target")} == set(COERCIONS)


@pytest.mark.parametrize(
    ("condition", "yes", "no"), [(r[0], r[2], r[3]) for r in rows("condition")]
)
def test_conditions_hold_as_the_page_says(condition: str, yes: str, no: str) -> None:
    rules = f"when {condition}:\n    note: = yes"
    assert made(rules, value(yes)) == {"note": "yes"}
    assert made(rules, value(no)) == {}


@pytest.mark.parametrize(("rule", "said"), rows("written"))
def test_mistakes_are_told_as_the_page_says(rule: str, said: str) -> None:
    tables = "codes:\n  channel: {a: b}\n"
    with pytest.raises(ConfigError) as caught:
        load(whole(f"rules:\n  {rule}\n{tables}", "json", "Order"), FILE, FUNCTIONS)
    assert caught.value.problem.detail == f"line 5: {said}"


def test_every_code_is_on_the_page() -> None:
    codes = {cause.code for cause in vars(errors).values() if isinstance(cause, Cause)}
    assert {row[0] for row in rows("code")} == codes


def test_the_limits_are_those_of_the_code() -> None:
    assert [row[1].replace(",", "") for row in rows("of a file")] == [
        str(limit)
        for limit in (
            yaml_text.CHARACTERS_MAX,
            yaml_text.DEPTH_MAX,
            yaml_text.NODES_MAX,
            rule_text.TEXT_MAX,
            grammar.PARTS_MAX,
            grammar.LISTS_MAX,
            grammar.KEYS_MAX,
            rule_text.BRANCHES_MAX,
            further.FURTHER_MAX,
            further.ELEMENTS_MAX,
            further.PLACES_MAX,
            further.KEY_MAX,
            tables.ENTRIES_MAX,
            tables.CHARACTERS_MAX,
            tables.CELL_MAX,
            numbers.DIGITS_MAX,
            texts.LENGTH_MAX,
            template.LENGTH_MAX,
            texts.WIDTH_MAX,
            texts.PLACE_MAX,
        )
    ]
