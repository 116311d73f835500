"""Mutants: shipped mappings with one thing wrong, and what notices it.

A mutant is the text of a mapping after one edit, such as an author may make by mistake. It is
noticed by the ``check`` of the text, by ``coverage``, by the ``examples`` of the mapping, by the
other ``samples`` of its connector, or on the ``round trip`` of a mapping of both directions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from connectors import registry
from connectors.api import Slice
from connectors.contract.trial import documents, mapping, pieces, samples
from mappings.coverage import static, unread
from mappings.mapping import Mapping, load
from mappings.round_trip import broken
from schemas.problem import ConfigError, Rejected

__all__ = ["Mutant", "Shipped", "every_mutant", "noticed_by", "shipped"]


@dataclass(frozen=True)
class Shipped:
    """A shipped mapping with the documents of its samples and what they become."""

    name: str
    text: str
    file: str
    examples: tuple[tuple[Any, Any], ...]
    samples: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True)
class Mutant:
    """A text with one line changed or left out."""

    line: int
    told: str
    text: str = field(repr=False)


@cache
def shipped() -> dict[str, Shipped]:
    """Every shipped mapping by its name."""
    found = {}
    for connector, manifest in registry.manifests().items():
        bodies = _bodies(connector)
        for kind, message in manifest.messages.items():
            made = mapping(connector, kind)
            named = {example.source for example in made.spec.examples}
            pairs = [(s, (body, _made(made, body))) for s, k, body in bodies if k == kind]
            found[made.name] = Shipped(
                made.name,
                *registry.mapping_text(connector, message.mapping),
                tuple(pair for sample, pair in pairs if sample in named),
                tuple(pair for sample, pair in pairs if sample not in named),
            )
    return found


def _bodies(connector: str) -> list[tuple[str, str, Any]]:
    """Sample, kind and body of every document of a connector's samples that can be mapped."""
    found = []
    for sample in samples(connector):
        for piece in pieces(connector, sample.read_bytes()):
            try:
                read = documents(connector, piece) if isinstance(piece, Slice) else ()
            except Rejected:
                continue
            found += [(sample.name, each.kind, each.body) for each in read]
    return found


def _made(made: Mapping, body: Any) -> Any:
    """What a document becomes with its flags; of one that is held, the code and the place."""
    try:
        model, flags = made.build(body, system="test")
    except Rejected as rejection:
        return rejection.problem.code, rejection.problem.target
    return model.model_dump(mode="json", exclude_none=True), [flag.path for flag in flags]


def noticed_by(text: str, of: Shipped) -> Iterator[str]:
    """Everything that notices a text, the cheapest first; nothing for the shipped one."""
    try:
        made = load(text, of.file)
    except ConfigError:
        yield "check"
        return
    both = (*of.examples, *of.samples)
    undecided = any(each.what != "opaque" for each in static(made))
    if undecided or any(unread(made, body) for body, _ in both):
        yield "coverage"
    if any(_made(made, body) != expected for body, expected in of.examples):
        yield "examples"
    if any(_made(made, body) != expected for body, expected in of.samples):
        yield "samples"
    if made.spec.declared.both and any(_breaks(made, body, made_of) for body, made_of in both):
        yield "round trip"


def _breaks(made: Mapping, body: Any, expected: Any) -> bool:
    document, _ = expected
    try:
        return isinstance(document, dict) and bool(broken(made, body, document))
    except Rejected:
        return True


_RULE = re.compile(r"^(?P<indent> +)(?P<key>[^#\s].*?):(?P<value>\s+\S.*)?$")


def every_mutant(text: str) -> Iterator[Mutant]:
    """One mutant for every line of the rules left out, and for every two values exchanged.

    A line with rules below it is left out with them; a value is exchanged with that of the next
    line of the same block.
    """
    lines = text.split("\n")
    start = lines.index("rules:") + 1
    end = next(n for n in range(start, len(lines)) if lines[n][:1] not in ("", " ", "#"))
    rules = {n: m for n in range(start, end) if (m := _RULE.match(lines[n]))}
    for number, rule in rules.items():
        below = _below(lines, number, end)
        rest = [*lines[:number], *lines[below:]]
        yield Mutant(number + 1, _told("left out", lines[number]), "\n".join(rest))
        other = rules.get(below)
        if rule["value"] and other and other["value"] and other["indent"] == rule["indent"]:
            if rule["value"].split() == other["value"].split():
                continue
            swapped = [*lines]
            swapped[number] = f"{rule['indent']}{rule['key']}:{other['value']}"
            swapped[below] = f"{other['indent']}{other['key']}:{rule['value']}"
            yield Mutant(number + 1, _told("exchanged", lines[number]), "\n".join(swapped))


def _told(edit: str, line: str) -> str:
    return f"{edit}: {' '.join(line.split())}"


def _below(lines: list[str], number: int, end: int) -> int:
    """The first line that is no part of the rule on line ``number``."""
    depth = _depth(lines[number])
    after = (n for n in range(number + 1, end) if lines[n].strip() and _depth(lines[n]) <= depth)
    return next(after, end)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
