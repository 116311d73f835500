"""The grammar of what stands in a rule: paths, expressions, conditions, and rule keys.

==========  ===================================================================================
path        name . name[] . name[0] . name[field=text] . name[@attribute=text] . @attribute
expression  source or source | transform argument | transform where condition
source      path, or sum of path[].path, or count of path[], or = constant
constant    text, or a template: text {path} text {path?}, whose places are expressions
argument    word, or "text in quotes", or {path}
condition   path and not path and path = text, text and path != text and path < 0
key         target, or target from path, or when condition, or otherwise, or
            target[] from path[] where condition distinct by keys group by keys sort by keys
            take first
keys        path as number descending, path
==========  ===================================================================================
"""

from __future__ import annotations

import re
from typing import Literal

from mappings.rules import (
    By,
    Condition,
    Constant,
    Expression,
    Part,
    Path,
    Shape,
    Source,
    Step,
    Template,
    Test,
    Total,
    Transform,
)

__all__ = ["GrammarError", "Key", "condition", "expression", "key", "path", "place", "target"]

_NAME = r"[A-Za-z_][\w-]*(?::[A-Za-z_][\w-]*)?"
_STEP = re.compile(rf"(?P<name>{_NAME})(?:\[(?P<choice>[^\[\]]*)\])?")
_TARGET = re.compile(r"[a-z][a-z0-9_]*")
_EACH = re.compile(r"(?P<target>[a-z0-9_.]+)\[\] from (?P<source>.+)", re.DOTALL)
_BY = re.compile(r"(?P<path>\S+)(?P<number> as number)?(?P<descending> descending)?")
KEYS_MAX = 4
_WITHIN = re.compile(r"(?P<target>[a-z0-9_.]+) from (?P<source>.+)", re.DOTALL)
_TRANSFORM = re.compile(r"[a-z][a-z0-9_]*")
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,16})?")
# Brackets are taken whole, so that no text can be read in two ways.
_COMPARED = re.compile(
    r"(?P<path>(?:[^\s=<>!\[\]]|\[[^\[\]]*\])+)\s*(?P<op>!=|=|<|>)\s*(?P<values>.*)"
)
PARTS_MAX = 24
LISTS_MAX = 4


class GrammarError(ValueError):
    """What cannot be understood, in words."""


class Key:
    """What a rule's key says: its ``form`` and the parts of that form."""

    __slots__ = ("condition", "form", "shape", "source", "target")

    def __init__(
        self,
        form: Literal["assign", "each", "within", "when", "otherwise"],
        target: tuple[str, ...] = (),
        source: Path | None = None,
        condition: Condition | None = None,
        shape: Shape | None = None,
    ) -> None:
        self.form = form
        self.target = target
        self.source = source
        self.condition = condition
        self.shape = shape

    @property
    def paths(self) -> list[Path]:
        """The source paths that the key reads."""
        tested = [test.path for test in self.condition.tests] if self.condition else []
        keys = [by.path for by in self.shape.keys] if self.shape else []
        return [*tested, *keys, *([self.source] if self.source else [])]


def key(text: str) -> Key:
    """Read the left side of a rule. Raises ``GrammarError``."""
    if text == "otherwise":
        return Key("otherwise")
    if text.startswith("when "):
        return Key("when", condition=condition(text[5:]))
    if match := _EACH.fullmatch(text):
        return _each(target(match["target"]), match["source"])
    if match := _WITHIN.fullmatch(text):
        source = path(match["source"])
        if source.attribute is not None:
            raise GrammarError("an object is made from an object, not from an attribute")
        return Key("within", target(match["target"]), source)
    return Key("assign", target(text))


def place(text: str) -> tuple[Path, Condition | None]:
    """Read where something lies, in one place or many, and which of it is meant."""
    written, _, where = text.partition(" where ")
    source = path(written, many=True)
    if source.attribute is not None or source.in_group:
        raise GrammarError(f"{written!r} is no place that holds something")
    if sum(step.many for step in source.steps) > LISTS_MAX:
        raise GrammarError(f"more than {LISTS_MAX} lists inside each other in one path")
    return Path(source.steps), condition(where) if where else None


def _each(names: tuple[str, ...], text: str) -> Key:
    """Read what stands behind ``from`` of a list rule, from its end on."""
    text, take = _clause(text, " take ")
    if take not in (None, "first", "last"):
        text, take = f"{text} take {take}", None
    text, sort = _clause(text, " sort by ")
    text, group = _clause(text, " group by ")
    text, distinct = _clause(text, " distinct by ")
    written, _, where = text.partition(" where ")
    source = path(written, many=True)
    if source.attribute is not None or not (source.in_group or source.steps):
        raise GrammarError(f"the source {written!r} must end in [] to make a list")
    if source.steps and not source.steps[-1].many:
        raise GrammarError(f"the source {written!r} must end in [] to make a list")
    if sum(step.many for step in source.steps) > LISTS_MAX:
        raise GrammarError(f"more than {LISTS_MAX} lists inside each other in one path")
    shape = Shape(_keys(distinct), _keys(group), _keys(sort), _TAKE.get(take or ""))
    if any(by.descending for by in shape.distinct + shape.group):
        raise GrammarError("`descending` says how to sort")
    used = shape if shape != Shape() else None
    return Key("each", names, source, condition(where) if where else None, used)


_TAKE: dict[str, Literal["first", "last"]] = {"first": "first", "last": "last"}


def _clause(text: str, word: str) -> tuple[str, str | None]:
    """Cut a clause off the end of a key."""
    before, found, after = text.rpartition(word)
    return (before, after.strip()) if found else (text, None)


def _keys(text: str | None) -> tuple[By, ...]:
    if text is None:
        return ()
    keys = text.split(",")
    if len(keys) > KEYS_MAX:
        raise GrammarError(f"more than {KEYS_MAX} keys")
    return tuple(_by(key.strip()) for key in keys)


def _by(text: str) -> By:
    match = _BY.fullmatch(text)
    if match is None:
        raise GrammarError(f"{text!r}: write a path, then `as number` or `descending` or both")
    found = path(match["path"])
    return By(found, match["number"] is not None, match["descending"] is not None)


def target(text: str) -> tuple[str, ...]:
    """Read the name of a canonical field: ``customer.email``."""
    names = tuple(text.split("."))
    if not all(_TARGET.fullmatch(name) for name in names):
        raise GrammarError(f"{text!r} is no name of a canonical field")
    return names


def path(text: str, *, many: bool = False) -> Path:
    """Read a path; ``many`` allows ``[]`` in it."""
    text = text.strip()
    from_top = text.startswith("/")
    rest = text[1:] if from_top else text
    if many and (text == ".[]" or text.startswith(".[].")):
        inner = path(text[4:] or ".", many=True)
        return Path(inner.steps, inner.attribute, in_group=True)
    if rest == ".":
        return Path((), from_top=from_top)
    steps: list[Step] = []
    attribute: str | None = None
    for part in _split_steps(rest.removeprefix(".")):
        if attribute is not None:
            raise GrammarError(f"nothing can follow the attribute in {text!r}")
        if part.startswith("@"):
            attribute = part[1:]
            if not re.fullmatch(_NAME, attribute):
                raise GrammarError(f"{part!r} is no name of an attribute")
        else:
            steps.append(_step(part, text, many=many))
    if len(steps) > PARTS_MAX:
        raise GrammarError(f"the path {text[:40]!r}... is too long")
    return Path(tuple(steps), attribute, from_top)


def _split_steps(text: str) -> list[str]:
    """Split at dots outside of brackets."""
    parts = re.findall(r"(?:[^.\[\]]|\[[^\[\]]*\])+|\.(?=\.|$)|^$", text)
    if ".".join(parts) != text or not all(parts):
        raise GrammarError(f"{text!r} is no path")
    return parts


def _step(part: str, whole: str, *, many: bool) -> Step:
    match = _STEP.fullmatch(part)
    if match is None:
        raise GrammarError(f"{part!r} in {whole!r} is no step of a path")
    name, choice = match["name"], match["choice"]
    if choice is None:
        return Step(name)
    if choice == "":
        if not many:
            raise GrammarError(f"{part!r} stands for many; choose one, as in {name}[0]")
        return Step(name, many=True)
    if re.fullmatch(r"[0-9]{1,6}", choice):
        return Step(name, index=int(choice))
    field, equals, value = choice.partition("=")
    if not equals or not re.fullmatch(rf"(?:{_NAME}\.)*@?{_NAME}", field.strip()):
        raise GrammarError(f"{part!r}: write a number or field=text between the brackets")
    return Step(name, where=(field.strip(), value.strip()))


def expression(text: str) -> Expression:
    """Read the right side of a rule. Raises ``GrammarError``."""
    source, *chain = _cut(text.strip(), _PIPE)
    if len(chain) > PARTS_MAX:
        raise GrammarError("too many transforms in one rule")
    terms = [_term(term) for term in _cut(source, _OR)]
    if any(isinstance(term, Constant) for term in terms[:-1]):
        raise GrammarError("what follows a constant can never be reached")
    return Expression(tuple(terms), tuple(_transform(part) for part in chain), text.strip())


_TOTAL = re.compile(r"(?P<function>sum|count) of (?P<path>\S+)")
_PIPE = re.compile(r"\s\|\s")
_OR = re.compile(r"\sor\s")
_BRACES = re.compile(r"\{\{|\}\}|\{[^{}]*\}")
# A text in quotes is one only as an argument of a transform; elsewhere quotes mean themselves.
_QUOTED = re.compile(r'(?<=\s)"[^"]*"(?=\s|$)')


def _cut(text: str, separator: re.Pattern[str]) -> list[str]:
    """Cut at a separator outside of braces, and outside of quotes behind the first ``|``."""
    hidden = _BRACES.sub(_blind, text)
    pipe = _PIPE.search(hidden)
    if pipe is not None:
        hidden = hidden[: pipe.end()] + _QUOTED.sub(_blind, hidden[pipe.end() - 1 :])[1:]
    parts, start = [], 0
    for found in separator.finditer(hidden):
        parts.append(text[start : found.start()])
        start = found.end()
    return [*parts, text[start:]]


def _blind(match: re.Match[str]) -> str:
    return "x" * len(match[0])


def _term(text: str) -> Source:
    text = text.strip()
    if match := _TOTAL.fullmatch(text):
        return _total(match["function"], match["path"])
    if not text.startswith("="):
        return path(text)
    value = text[1:].strip()
    if not value:
        raise GrammarError("say which text the constant has")
    return _template(value) if "{" in value or "}" in value else Constant(value)


def _total(function: str, text: str) -> Total:
    found = path(text, many=True)
    lists = sum(step.many for step in found.steps)
    if not (lists or found.in_group):
        raise GrammarError(f"{text!r} is no list: write [] behind the name of one")
    if lists > LISTS_MAX:
        raise GrammarError(f"more than {LISTS_MAX} lists inside each other in one path")
    return Total("sum" if function == "sum" else "count", found)


def _template(text: str) -> Template | Constant:
    parts: list[Part] = []
    before, start = "", 0
    for brace in _BRACES.finditer(text):
        before += _literal(text[start : brace.start()])
        start = brace.end()
        if brace[0] in ("{{", "}}"):
            before += brace[0][0]
            continue
        inside = brace[0][1:-1].strip()
        optional = inside.endswith("?")
        parts.append(Part(before, expression(inside.removesuffix("?")), optional))
        before = ""
    before += _literal(text[start:])
    if len(parts) > PARTS_MAX:
        raise GrammarError("too many places in one text")
    return Template(tuple(parts), before) if parts else Constant(before)


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise GrammarError("a brace that is text is written twice: {{ or }}")
    return text


_WHERE = re.compile(r"\swhere\s")
_ARGUMENT = re.compile(r'"([^"]*)"(?=\s|$)|(\{[^{}]*\})(?=\s|$)|(\S+)')


def _transform(text: str) -> Transform:
    step, *tests = _cut_where(text)
    name, rest = [*step.split(maxsplit=1), "", ""][:2]
    if not _TRANSFORM.fullmatch(name):
        raise GrammarError(f"{name!r} is no name of a transform")
    by: Expression | None = None
    arguments: list[str] = []
    for found in _ARGUMENT.finditer(rest):
        quoted, place, word = found.groups()
        if place is not None and not arguments and by is None:
            by = expression(place[1:-1])
        elif word is not None and word.startswith('"'):
            raise GrammarError(f"{word!r} begins with a quote that is not closed")
        else:
            arguments.append(quoted if quoted is not None else word or place)
    where = condition(tests[0].strip()) if tests else None
    return Transform(name, tuple(arguments), by, where)


def _cut_where(text: str) -> list[str]:
    """The step and, if there is one, its condition: what stands behind ``where``."""
    hidden = _QUOTED.sub(_blind, _BRACES.sub(_blind, text))
    found = _WHERE.search(hidden)
    return [text] if found is None else [text[: found.start()], text[found.end() :]]


def condition(text: str) -> Condition:
    """Read a condition. Raises ``GrammarError``."""
    tests = tuple(_test(part.strip()) for part in re.split(r"\sand\s", text))
    if len(tests) > PARTS_MAX:
        raise GrammarError("too many tests in one condition")
    return Condition(tests)


def _test(text: str) -> Test:
    if text.startswith("not "):
        return Test(path(text[4:]), "missing")
    match = _COMPARED.fullmatch(text)
    if match is None:
        return Test(path(text), "exists")
    values = tuple(value.strip() for value in match["values"].split(","))
    if match["op"] in "<>":
        if len(values) != 1 or not _NUMBER.fullmatch(values[0]):
            raise GrammarError(f"{text!r}: compare with one number")
        return Test(path(match["path"]), match["op"], values)  # type: ignore[arg-type]
    if not all(values):
        raise GrammarError(f"{text!r}: say which text to compare with")
    return Test(path(match["path"]), "in" if match["op"] == "=" else "not in", values)
