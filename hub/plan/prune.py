"""What two mappings say otherwise, as a pair of smaller mappings: what they share need not run.

Rules of one document do not read what other rules have filled, so the part of a document below one
of its top fields is made by the rules that fill below it and by nothing else. Where these are the
same in both texts, and with them the code tables that they name, that part is the same, and so is
whatever fails in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from mappings.compiler import Unknown, compile_fast
from mappings.mapping import Mapping
from mappings.reference import Reference
from mappings.rules import Choice, Rule, Rules
from mappings.spec import Spec

__all__ = ["Pair", "pair"]

Fast = Callable[[Any, Unknown, Reference], dict[str, Any]]

_COMPARED = {"rules", "codes", "model"}
_TELLS_NOTHING = {"name", "ignore", "unset", "examples", "text", "file", "version", "declared"}
"""What of a mapping does not change what it makes of a document."""
_PLACE = {"line", "text"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Fast forms of what two mappings do not share; ``same`` if that is nothing at all."""

    old: Fast
    new: Fast
    same: bool
    rules: int
    """How many of the top rules of the new one are left."""


def pair(old: Mapping, new: Mapping) -> Pair:
    """The parts of two mappings for the same documents in which they differ."""
    if not _alike(old.spec, new.spec):
        whole = [compile_fast(mapping.spec) for mapping in (old, new)]
        return Pair(whole[0], whole[1], same=False, rules=len(new.spec.rules))
    changed = _differing(old.spec.codes, new.spec.codes)
    groups = _grouped((*old.spec.rules, *new.spec.rules))
    olds, news = (_by_group(mapping.spec.rules, groups) for mapping in (old, new))
    differ = {
        group
        for group in {*olds, *news}
        if [_plain(rule) for rule in olds[group]] != [_plain(rule) for rule in news[group]]
        or any(changed & set(_texts(_plain(rule))) for rule in news[group])
    }
    pruned = [_left(mapping.spec, groups, differ) for mapping in (old, new)]
    forms = [compile_fast(spec) for spec in pruned]
    return Pair(forms[0], forms[1], same=not differ, rules=len(pruned[1].rules))


def _alike(old: Spec, new: Spec) -> bool:
    """Whether they differ at most in rules and code tables."""
    names = [field.name for field in fields(Spec) if field.name not in _COMPARED | _TELLS_NOTHING]
    return old.model is new.model and all(getattr(old, n) == getattr(new, n) for n in names)


def _differing(old: dict[str, dict[str, str]], new: dict[str, dict[str, str]]) -> set[str]:
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def _left(spec: Spec, groups: dict[str, str], differ: set[str]) -> Spec:
    rules = tuple(rule for rule in spec.rules if groups[_tops(rule)[0]] in differ)
    return replace(spec, rules=rules)


def _by_group(rules: Rules, groups: dict[str, str]) -> defaultdict[str, list[Rule]]:
    found: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        found[groups[_tops(rule)[0]]].append(rule)
    return found


def _grouped(rules: Rules) -> dict[str, str]:
    """For each top field, the first of those that rules of both texts fill together with it."""
    above: dict[str, str] = {}

    def root(name: str) -> str:
        while above.setdefault(name, name) != name:
            name = above[name]
        return name

    for rule in rules:
        first, *others = _tops(rule)
        for name in others:
            above[root(name)] = root(first)
    return {name: root(name) for name in tuple(above) + tuple(t for r in rules for t in _tops(r))}


def _tops(rule: Rule) -> list[str]:
    """The top fields that a rule fills; at least one, if it is empty for a choice of nothing."""
    if not isinstance(rule, Choice):
        return [rule.target[0] if rule.target else ""]
    inner = [top for branch in rule.branches for each in branch.rules or () for top in _tops(each)]
    return inner or [""]


def _plain(value: Any) -> Any:
    """A rule as plain values, without the line it stands on and how it is written."""
    if is_dataclass(value) and not isinstance(value, type):
        inner = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        kept = {name: each for name, each in inner.items() if name not in _PLACE}
        return (type(value).__name__, kept)
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
