"""Reading what a mapping says of further documents."""

from __future__ import annotations

import re

from mappings import grammar
from mappings.errors import suggestion
from mappings.further import FURTHER_MAX, PLACES_MAX, Further
from mappings.reference import LOOKUPS
from mappings.rule_text import RuleReader
from mappings.rules import Constant, Expression, Path
from mappings.yaml_text import Node, Scalar

__all__ = ["read"]

_KEYS = ("to", "from", "key", "version", "content", "rules", "unset")


def read(node: Node, around: RuleReader) -> tuple[Further, ...]:
    """The further documents below ``further``; ``around`` reads the rest of the mapping.

    Raises ``ConfigError`` naming file and line.
    """
    if isinstance(node, Scalar) and not node.value:
        # Whoever extends a mapping may take the last one away.
        return ()
    entries = around.map(node)
    if len(entries) > FURTHER_MAX:
        around.fail(node.line, f"more than {FURTHER_MAX} kinds of further documents")
    return tuple(_further(name, value, around) for name, value in entries)


def _further(name: Scalar, node: Node, around: RuleReader) -> Further:
    if not re.fullmatch("[a-z][a-z0-9_]*", name.value):
        around.fail(name.line, "the name of a further document is a word like `survey`")
    said = {key.value: (key, value) for key, value in around.map(node)}
    for key, (scalar, _) in said.items():
        if key not in _KEYS:
            detail = f"unknown key {key!r} of a further document{suggestion(key, _KEYS)}"
            around.fail(scalar.line, detail)
    for key in ("to", "from", "key", "rules"):
        if key not in said:
            around.fail(name.line, f"{name.value} lacks the key {key!r}")
    to, source = around.scalar(said["to"][1]), around.scalar(said["from"][1])
    place, where = around.parsed(source.line, grammar.place, source.value)
    tested = where.tests if where else ()
    around.check_readable(source.line, place, *(test.path for test in tested))
    version = around.scalar(said["version"][1]) if "version" in said else None
    content = around.sequence(said["content"][1]) if "content" in said else ()
    inner = around.filling(around.canonical(to))
    return Further(
        name=name.value,
        to=to.value,
        model=inner.model,
        source=place,
        where=where,
        key=_key(said["key"][1], around),
        version=_naming(version, around) if version else None,
        content=tuple(_seen(around.scalar(item), around) for item in content),
        rules=inner.rules(said["rules"][1], ()),
        unset=dict(inner.unset(said["unset"][1])) if "unset" in said else {},
        line=source.line,
        key_line=said["key"][0].line,
        version_line=version.line if version else source.line,
    )


def _key(node: Node, around: RuleReader) -> tuple[Expression, ...]:
    parts = (node,) if isinstance(node, Scalar) else around.sequence(node)
    if not 0 < len(parts) <= PLACES_MAX:
        around.fail(node.line, f"`key` names 1 to {PLACES_MAX} places")
    key = tuple(_naming(around.scalar(part), around) for part in parts)
    if all(isinstance(part.sources[0], Constant) for part in key):
        around.fail(node.line, "`key` names at least one place, not only constants")
    return key


def _naming(scalar: Scalar, around: RuleReader) -> Expression:
    """A part of a key, or a version: nothing but the source may change what it says."""
    found = around.parsed(scalar.line, grammar.expression, scalar.value)
    names = [each.name for inner in found.inner for each in inner.transforms]
    if loaded := next((name for name in names if name in ("code", *LOOKUPS)), None):
        detail = f"{loaded!r} may give another name tomorrow; take the place as it stands"
        around.fail(scalar.line, detail)
    if any(path.in_group for path in found.paths):
        around.fail(scalar.line, "`.[]` stands for the elements of a group, and this is in none")
    timed = bool(names) and names[-1] in ("moment", "zone")
    return around.expression(scalar, "moment" if timed else "text")


def _seen(scalar: Scalar, around: RuleReader) -> Path:
    path = around.parsed(scalar.line, grammar.path, scalar.value)
    around.check_readable(scalar.line, path)
    return path
