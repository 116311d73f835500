"""The parts of a mapping after reading: plain values, each knowing its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Assign",
    "By",
    "Choice",
    "Condition",
    "Constant",
    "Each",
    "Expression",
    "Gather",
    "Part",
    "Path",
    "Rule",
    "Rules",
    "Shape",
    "Source",
    "Step",
    "Template",
    "Test",
    "Total",
    "Transform",
    "When",
    "Within",
    "skips",
]


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path. ``many`` is ``name[]``; ``index`` and ``where`` choose one of several.

    ``where`` is a (path of a field or ``@attribute``, text) pair: the first element that has it.
    """

    name: str
    many: bool = False
    index: int | None = None
    where: tuple[str, str] | None = None

    def __str__(self) -> str:
        if self.many:
            return f"{self.name}[]"
        if self.index is not None:
            return f"{self.name}[{self.index}]"
        return f"{self.name}[{self.where[0]}={self.where[1]}]" if self.where else self.name


@dataclass(frozen=True, slots=True)
class Path:
    """A place in the source, seen from the element at hand, or from the top with a leading ``/``.

    No steps and no attribute is the element itself.
    """

    steps: tuple[Step, ...]
    attribute: str | None = None
    from_top: bool = False
    in_group: bool = False
    """Whether it is seen from each element of the group at hand: ``.[]``."""

    @property
    def first_list(self) -> Path:
        """The path up to its first ``[]``."""
        end = next(n for n, step in enumerate(self.steps, 1) if step.many)
        return Path(self.steps[:end], None, self.from_top)

    @property
    def reads_attribute(self) -> bool:
        """Whether this path means anything in XML only."""
        chosen_by = [step.where[0] for step in self.steps if step.where is not None]
        return self.attribute is not None or any("@" in field for field in chosen_by)

    def __str__(self) -> str:
        steps = ".".join(str(s) for s in self.steps)
        if self.attribute is not None:
            steps = f"{steps}.@{self.attribute}"
        if self.in_group:
            return f".[].{steps}" if steps else ".[]"
        return f"/{steps}" if self.from_top else steps or "."


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant: ``= web``."""

    value: str

    def __str__(self) -> str:
        return f"= {self.value}"


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison. ``exists`` has no values, ``in`` one or more."""

    path: Path
    operator: Literal["exists", "missing", "in", "not in", "<", ">"]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """Tests that must all hold."""

    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A place inside a template with the text in front of it; ``{floor?}`` is ``optional``."""

    before: str
    expression: Expression
    optional: bool


@dataclass(frozen=True, slots=True)
class Template:
    """A text made of constants and places: ``= {first?} {last}``; ``after`` is its end.

    It is absent where a part is absent that is not optional, or where all of them are.
    """

    parts: tuple[Part, ...]
    after: str

    @property
    def paths(self) -> Iterator[Path]:
        """Every path of its parts."""
        for part in self.parts:
            yield from part.expression.paths

    def __str__(self) -> str:
        parts = "".join(
            f"{part.before}{{{part.expression.text}{'?' * part.optional}}}" for part in self.parts
        )
        return f"= {parts}{self.after}"


@dataclass(frozen=True, slots=True)
class Total:
    """``sum of path``, the exact sum of the numbers there, or ``count of path``."""

    function: Literal["sum", "count"]
    path: Path

    @property
    def inside(self) -> Path:
        """What is read of each element: the path behind its last ``[]``."""
        ends = [end for end, step in enumerate(self.path.steps, 1) if step.many]
        return Path(self.path.steps[max(ends, default=0) :], self.path.attribute)

    def __str__(self) -> str:
        return f"{self.function} of {self.path}"


Source = Path | Constant | Template | Total


@dataclass(frozen=True, slots=True)
class Transform:
    """A named step of an expression with its arguments as written, quotes taken off.

    ``by`` is the place that the first argument is read from: ``times {pack}``; it is none of
    ``arguments`` then. Where the condition ``where`` does not hold, the value passes as it is.
    """

    name: str
    arguments: tuple[str, ...]
    by: Expression | None = None
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """Where a value comes from: the first source that is there, then the transforms in order."""

    sources: tuple[Source, ...]
    transforms: tuple[Transform, ...]
    text: str

    @property
    def constant(self) -> str | None:
        """The text of an expression that is nothing but a constant."""
        first = self.sources[0]
        return first.value if isinstance(first, Constant) and not self.transforms else None

    @property
    def inner(self) -> Iterator[Expression]:
        """This expression, and those inside its templates and arguments."""
        yield self
        for source in self.sources:
            for part in source.parts if isinstance(source, Template) else ():
                yield from part.expression.inner
        for transform in self.transforms:
            if transform.by is not None:
                yield from transform.by.inner

    @property
    def paths(self) -> Iterator[Path]:
        """Every path that is read for the value, also for templates, arguments and conditions."""
        for expression in self.inner:
            yield from (source for source in expression.sources if isinstance(source, Path))
            yield from (each.path for each in expression.sources if isinstance(each, Total))
            for transform in expression.transforms:
                tests = transform.where.tests if transform.where else ()
                yield from (test.path for test in tests)


@dataclass(frozen=True, slots=True)
class Assign:
    """``target: expression``."""

    target: tuple[str, ...]
    expression: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Gather:
    """``target: [expression, expression]``: a list of what is there."""

    target: tuple[str, ...]
    expressions: tuple[Expression, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Within:
    """``target from path:`` one object made from one object; left out where the source is."""

    target: tuple[str, ...]
    source: Path
    rules: Rules
    line: int


@dataclass(frozen=True, slots=True)
class By:
    """What a list is sorted, grouped or told apart by: a text, or a number."""

    path: Path
    number: bool = False
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """``distinct by``, ``group by``, ``sort by`` and ``take`` of a list rule, in this order."""

    distinct: tuple[By, ...] = ()
    group: tuple[By, ...] = ()
    sort: tuple[By, ...] = ()
    take: Literal["first", "last"] | None = None

    @property
    def keys(self) -> tuple[By, ...]:
        """All that is read of an element, in the order of ``lists.Row``."""
        return self.distinct + self.group + self.sort


@dataclass(frozen=True, slots=True)
class Each:
    """``target[] from path[] where condition:`` one element for each source element.

    With a ``shape``, one for each that is left when they are arranged.
    """

    target: tuple[str, ...]
    source: Path
    where: Condition | None
    rules: Rules
    line: int
    shape: Shape | None = None

    @property
    def put_together(self) -> bool:
        """Whether an element may stand for several of the source, or for a choice of them."""
        shape = self.shape or Shape()
        return self.source.in_group or bool(shape.distinct or shape.group or shape.take)

    @property
    def looks_at(self) -> tuple[Path, ...]:
        """What is read of an element before its rules are."""
        tests = self.where.tests if self.where else ()
        keys = self.shape.keys if self.shape else ()
        return (*(test.path for test in tests), *(by.path for by in keys))


@dataclass(frozen=True, slots=True)
class When:
    """One branch: its rules, or ``None`` for ``skip``."""

    condition: Condition | None
    rules: Rules | None
    line: int


@dataclass(frozen=True, slots=True)
class Choice:
    """``when ... when ... otherwise``: the first branch whose condition holds."""

    branches: tuple[When, ...]
    line: int


Rule = Assign | Gather | Within | Each | Choice
Rules = tuple[Rule, ...]


def skips(rules: Rules) -> bool:
    """Whether one of these rules may leave out the list element that they belong to."""
    for rule in rules:
        if isinstance(rule, Choice):
            if any(when.rules is None or skips(when.rules) for when in rule.branches):
                return True
        elif isinstance(rule, Within) and skips(rule.rules):
            return True
    return False
