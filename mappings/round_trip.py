"""The laws of a mapping of both directions, checked on one document.

Put and get: what is written from a canonical document is mapped to the same document again, but
for its one-way fields. Get and put: what a two-way field read in a source stands there again, at
the same path and as it was spelt, once the source has become canonical and is written back; for a
lossy field something stands there that is read the same. What ``where`` and ``skip`` left out is
left out on purpose, like what stands under ``ignore``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from mappings import canonical
from mappings.direction import Way, fields
from mappings.inverse import write
from mappings.mapping import Mapping
from mappings.rules import Assign, Choice, Gather, Rules
from mappings.target import kind_at
from mappings.trace import Origin
from mappings.undo import spelling
from schemas.problem import Rejected, shape

__all__ = ["broken"]

Target = tuple[str, ...]
Reading = Callable[[Any], Any]


def broken(
    mapping: Mapping, source: Any, document: dict[str, Any] | None = None
) -> tuple[str, ...]:
    """What breaks the laws for a source document, in words without its values; nothing is well.

    ``document`` is what the source must become; without it, what the mapping makes of it. With it a
    rule is caught that reads and writes the same wrong thing. Raises ``Rejected`` if the mapping
    cannot read the source, ``ConfigError`` if it is not of both directions.
    """
    written = write(mapping, mapping.run(source)[0] if document is None else document)
    lost = tuple(f.problem.line() for f in written.findings if not f.declared)
    return lost + tuple(_moved(mapping, source, written.body))


def _moved(mapping: Mapping, source: Any, body: Any) -> Iterator[str]:
    """Where a field does not come back as it was in the source, as far as its way promises."""
    try:
        after = mapping.trace(body)
    except Rejected:
        return  # It has been found already.
    before = mapping.trace(source)
    model = mapping.spec.model
    made, again = (
        {canonical.path(p): v for p, v in canonical.leaves(model, t.document).items()}
        for t in (before, after)
    )
    ways, readings = _rules(mapping)
    for target, origin in before.origins.items():
        where = f"[line {origin.line}]"
        if ways[origin.line] == "one-way":
            continue
        if target not in after.origins:
            yield f"{target}: {origin.source} does not come back {where}"
        elif ways[origin.line] == "two-way":
            other = after.origins[target]
            if not _alike(origin, other, readings[origin.line]):
                yield (
                    f"{target}: {origin.source}, like {shape(origin.value)!r}, comes back as "
                    f"{other.source}, like {shape(other.value)!r} {where}"
                )
        elif target in made and not canonical.same(*made[target], again[target][1]):
            yield f"{target}: {origin.source} comes back as something that reads otherwise {where}"


@lru_cache(maxsize=64)
def _rules(mapping: Mapping) -> tuple[dict[int, Way], dict[int, Reading]]:
    """Which way each rule goes, and how it reads, by its line."""
    ways = {each.line: each.way for each in fields(mapping.spec)}
    return ways, dict(_readings(mapping, mapping.spec.rules, ()))


def _alike(one: Origin, other: Origin, reading: Reading) -> bool:
    # Elements that were left out on purpose move those behind them.
    places = [re.sub(r"\[\d+\]", "", origin.source) for origin in (one, other)]
    return places[0] == places[1] and bool(reading(one.value) == reading(other.value))


def _readings(mapping: Mapping, rules: Rules, above: Target) -> Iterator[tuple[int, Reading]]:
    """How each rule reads, by its line."""
    for rule in rules:
        if isinstance(rule, Choice):
            for branch in rule.branches:
                yield from _readings(mapping, branch.rules or (), above)
        elif isinstance(rule, Assign):
            kind = kind_at(mapping.spec.model, (*above, *rule.target))
            yield rule.line, spelling(rule.expression, kind)
        elif isinstance(rule, Gather):
            yield rule.line, spelling(rule.expressions[0], "text")
        else:
            yield from _readings(mapping, rule.rules, (*above, *rule.target))
