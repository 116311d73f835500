"""The other side of coverage: which fields of a canonical document a mapping never fills.

A field that no rule fills is empty in every document of that mapping. Whether the source has no
such thing or somebody forgot it looks the same from outside, so ``unset`` says which it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mappings.rules import Assign, Choice, Gather, Rules
from mappings.spec import SET_BY_HUB, Spec
from mappings.target import inner_models, kind_at
from schemas.model import Canonical

__all__ = ["Field", "Names", "fields", "filled", "stale", "unset"]

Names = tuple[str, ...]
"""A target without the indices of its lists."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a mapping may fill.

    ``required`` says that a document of the model, or the object that the field belongs to, is
    refused without it; of several kinds of line it is enough that one of them is.
    """

    target: Names
    required: bool

    def __str__(self) -> str:
        return ".".join(self.target)


def fields(model: type[Canonical], above: Names = ()) -> Iterator[Field]:
    """Every field of a canonical document in the order of the model, an object before its parts."""
    models = inner_models(model, above)
    names = dict.fromkeys(name for each in models for name in each.model_fields)
    for name in names:
        target = (*above, name)
        if target in SET_BY_HUB:
            continue
        here = [each.model_fields[name] for each in models if name in each.model_fields]
        yield Field(target, any(field.is_required() for field in here))
        if kind_at(model, target) in ("object", "objects"):
            yield from fields(model, target)


def filled(rules: Rules, above: Names = ()) -> Iterator[Names]:
    """The targets that some rule fills with a value, whatever its condition."""
    for rule in rules:
        if isinstance(rule, Choice):
            for branch in rule.branches:
                yield from filled(branch.rules or (), above)
        elif isinstance(rule, (Assign, Gather)):
            yield above + rule.target
        else:
            yield from filled(rule.rules, above + rule.target)


def unset(spec: Spec) -> tuple[Field, ...]:
    """The fields that no rule fills and no entry of ``unset`` names, in the order of the model.

    Of an object without any value only the object is told. An entry covers all that is below it.
    """
    return tuple(field for field in _never(spec) if not _listed(spec, field.target))


def stale(spec: Spec) -> tuple[str, ...]:
    """Entries of ``unset`` whose field is filled after all, as written."""
    made = list(filled(spec.rules))
    return tuple(
        ".".join(target)
        for target in spec.unset
        if any(each[: len(target)] == target for each in made)
    )


def _listed(spec: Spec, target: Names) -> bool:
    return any(target[:length] in spec.unset for length in range(1, len(target) + 1))


def _never(spec: Spec) -> Iterator[Field]:
    above = {each[:length] for each in filled(spec.rules) for length in range(1, len(each) + 1)}
    for field in fields(spec.model):
        # Whoever is not there at all is told once, and not again with each of its parts.
        if field.target not in above and (field.target[:-1] in above or len(field.target) == 1):
            yield field
