"""Writing the loops of lists: from the element at hand through a path to the elements inside it."""

from __future__ import annotations

from collections.abc import Callable

from mappings.reader import Reader
from mappings.rules import Path, Step
from mappings.scope import Scope, Writer
from mappings.trace import place_in

__all__ = ["Loops"]


class Loops:
    """Writes loops in one form into one writer; what is written next stands inside of them."""

    def __init__(self, writer: Writer, reader: Reader, *, traced: bool) -> None:
        self._w = writer
        self._reader = reader
        self._traced = traced

    def through(self, source: Path, scope: Scope, note: Callable[[Path, Scope], None]) -> Scope:
        """Write the loops of a path up to its last ``[]``; ``note`` is called before each."""
        inner = scope
        run: list[Step] = []
        from_top = source.from_top
        if source.in_group:
            inner = self.members(scope.group, scope)
        for step in source.steps:
            run.append(step)
            if step.many:
                found = Path(tuple(run), None, from_top)
                note(found, inner)
                inner = self._loop(found, inner)
                run, from_top = [], False
        return inner

    def members(self, group: str, scope: Scope) -> Scope:
        """Write the loop over pairs of an element and its place."""
        element, place = self._w.fresh("e"), self._w.fresh("p")
        self._w.line(f"for {element}, {place} in {group}:")
        self._w.push()
        return self.at(element, place, scope)

    def at(self, element: str, place: str, scope: Scope) -> Scope:
        """The scope of an element whose place is held by a variable."""
        inner = Scope(self._w, element, "")
        if self._traced:
            inner.here = self.here(f"{scope.here}[0]", place)
        return inner

    def here(self, target: str, place: str) -> str:
        """A variable that holds an element: what its targets and its places begin with."""
        variable = self._w.fresh("h")
        self._w.line(f"{variable} = ({target}, {place})")
        return variable

    def below(self, scope: Scope, source: Path, position: str) -> str:
        """An expression for what places inside a source begin with."""
        above = "" if source.from_top else f"{{{scope.here}[1]}}"
        text = self._w.constant(place_in(source).lstrip("/"))
        return f"f'{above}{{{text}}}{position}.'"

    def _loop(self, source: Path, scope: Scope) -> Scope:
        element, index = self._w.fresh("e"), self._w.fresh("i")
        inner = Scope(self._w, element, "")
        target, elements = self._reader.many(source, scope, inner)
        if not self._traced:
            self._w.line(f"for {target} in {elements}:")
            self._w.push()
            return inner
        self._w.line(f"for {index}, {target} in enumerate({elements}):")
        self._w.push()
        plain = Path((*source.steps[:-1], Step(source.steps[-1].name)), None, source.from_top)
        place = self.below(scope, plain, f"{{{self._reader.at(elements, index)}}}")
        inner.here = self.here(f"{scope.here}[0]", place)
        return inner
