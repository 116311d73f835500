"""Comparing two mappings: line by line, and target by target."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from mappings.mapping import Mapping
from mappings.spec import Spec

__all__ = ["Change", "lines", "targets"]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that two mappings say otherwise, and how each says it; empty where it does not."""

    what: str
    old: str
    new: str

    @property
    def kind(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        if not self.old:
            return "added"
        return "changed" if self.new else "removed"


def lines(old: Mapping, new: Mapping) -> list[str]:
    """A unified diff of both texts; empty where they are the same."""
    then, now = (mapping.spec.text.splitlines() for mapping in (old, new))
    before, after = (f"{mapping.spec.file} {mapping.version}" for mapping in (old, new))
    return list(difflib.unified_diff(then, now, before, after, lineterm=""))


def targets(old: Mapping, new: Mapping) -> list[Change]:
    """Targets, code tables' entries and ignored paths that differ, in the order of the rules.

    A target counts as changed where its rule does, or a rule or condition around it.
    """
    changes: list[Change] = []
    for said in (_targets, _codes, _ignored):
        before, after = said(old), said(new)
        for what in dict.fromkeys((*before, *after)):
            then, now = before.get(what), after.get(what)
            if then is None or now is None or then[0] != now[0]:
                changes.append(Change(what, then[1] if then else "", now[1] if now else ""))
    return changes


_Said = dict[str, tuple[Any, str]]
"""By what it is about: what is said, to compare, and its text, to show."""


def _targets(mapping: Mapping) -> _Said:
    found: dict[str, tuple[list[Any], list[str]]] = {}
    for name, around, line in _all(mapping.spec):
        said, texts = found.setdefault(name, ([], []))
        said.append(around)
        texts.append(" ".join(mapping.rule(line).split()))
    return {name: (said, "; ".join(texts)) for name, (said, texts) in found.items()}


def _all(spec: Spec) -> Iterator[tuple[str, Any, int]]:
    """Every target of the document itself, and then of further ones: what they are made from, too.

    Where further documents lie and what they are called is said once, and not of each target.
    """
    yield from _filled(spec.rules, "", ())
    for part in spec.further:
        above = f"further.{part.name}"
        yield f"{above}.from", (part.to, _plain((part.source, part.where))), part.line
        yield f"{above}.key", (_plain((part.key, part.content)),), part.key_line
        if part.version is not None:
            yield f"{above}.version", (_plain(part.version),), part.version_line
        yield from _filled(part.rules, f"{above}.", ())


def _filled(rules: Any, above: str, around: tuple[Any, ...]) -> Iterator[tuple[str, Any, int]]:
    """Every target that rules fill, with everything that decides what it is filled with."""
    for rule in rules:
        if branches := getattr(rule, "branches", None):
            earlier: tuple[Any, ...] = ()
            for branch in branches:
                earlier = (*earlier, _plain(branch.condition))
                if branch.rules is None:
                    yield f"{above}(skip)", (*around, earlier), branch.line
                else:
                    yield from _filled(branch.rules, above, (*around, earlier))
            continue
        name = above + ".".join(rule.target)
        inner = getattr(rule, "rules", None)
        if inner is None:
            yield name, (*around, _plain(rule)), rule.line
            continue
        head = {k: v for k, v in _plain(rule).items() if k != "rules"}
        many = "[]" if "many': True" in repr(head) else ""
        yield from _filled(inner, f"{name}{many}.", (*around, head))


def _plain(value: Any) -> Any:
    """A rule as plain values, without where it stands."""
    if is_dataclass(value):
        names = (f.name for f in fields(value) if f.name not in ("line", "text"))
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    return value


def _codes(mapping: Mapping) -> _Said:
    return {
        f"codes.{table}.{code}": (word, f"{code}: {word}")
        for table, entries in mapping.spec.codes.items()
        for code, word in entries.items()
    }


def _ignored(mapping: Mapping) -> _Said:
    return {f"ignore {path}": (True, str(path)) for path in mapping.spec.ignore}
