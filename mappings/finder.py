"""Finding the further documents of a message: where each lies, its key, its version, its content.

The code is written by the same parts as that of rules, always in the traced form: it is run once
for a message and not for each of its values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mappings.further import Further, aged, key_text
from mappings.loops import Loops
from mappings.reader import JsonReader, Reader, XmlReader
from mappings.rules import Expression, Gather, Path, Source
from mappings.scope import Scope, Writer
from mappings.spec import Spec
from mappings.trace import TOP, Trace
from mappings.values import Values

__all__ = ["Row", "compile_finder"]

Row = tuple[Any, str, tuple[str | None, ...], str | None, tuple[Any, ...]]
"""An element, its place, its key, its version, and what its content is."""


def compile_finder(spec: Spec, further: Further) -> Callable[[Any, Trace], list[Row]]:
    """Build ``f(body, trace) -> rows``, one for each element; what is absent in one is ``None``."""
    function: Callable[[Any, Trace], list[Row]] = _Finder(spec, further).function()
    return function


class _Finder:
    def __init__(self, spec: Spec, further: Further) -> None:
        self._spec = spec
        self._further = further
        self._w = Writer()
        self._reader: Reader = XmlReader(self._w) if spec.reads == "xml" else JsonReader(self._w)
        self._loops = Loops(self._w, self._reader, traced=True)
        self._values = Values(spec, self._w, self._reader, self._loops, traced=True)

    def function(self) -> Any:
        self._w.line("def run(body, trace):")
        with self._w.indented():
            self._w.line("found = []")
            self._w.line("site = here = source = value = None")
            with self._w.block("try:"):
                self._elements()
            with self._w.block("except failures:"):
                self._w.line("trace.failed(site, here, source, value)")
                self._w.line("raise")
            self._w.line("return found")
        return self._w.function(f"further {self._further.name} of {self._spec.name}")

    def _elements(self) -> None:
        further, depth = self._further, self._w.depth
        top = Scope(self._w, "body", "")
        top.here = self._w.constant(TOP)
        scope = self._at(further.source, top)
        if further.where is not None:
            self._note(further.line, scope, "from", further.where.tests[0].path)
            self._w.line(f"if {self._values.condition(further.where, scope)}:")
            self._w.push()
        keys = [self._named(each, scope, "key", key_text) for each in further.key]
        version = "None"
        if further.version is not None:
            version = self._named(further.version, scope, "version", aged)
        content = [self._content(path, scope) for path in further.content] or [scope.node]
        row = f"{scope.node}, {scope.here}[1], ({_listed(keys)}), {version}, ({_listed(content)})"
        self._w.line(f"found.append(({row}))")
        self._w.pop(self._w.depth - depth)

    def _note(self, line: int, scope: Scope, what: str, source: Source) -> None:
        self._values.note(line, scope, ("further", self._further.name, what), source)

    def _at(self, source: Path, top: Scope) -> Scope:
        """Write the way to each element; what is written next stands inside of it."""
        line = self._further.line
        inner = self._loops.through(
            source, top, lambda path, at: self._note(line, at, "from", path)
        )
        last = max((n for n, step in enumerate(source.steps, 1) if step.many), default=0)
        rest = Path(source.steps[last:])
        if not rest.steps:
            return inner
        self._note(line, inner, "from", rest)
        node = self._reader.node(rest, inner)
        self._w.line(f"if {self._reader.is_node(node)}:")
        self._w.push()
        scope = Scope(self._w, node, "")
        scope.here = self._loops.here("''", self._loops.below(inner, rest, ""))
        return scope

    def _named(
        self, expression: Expression, scope: Scope, what: str, read: Callable[[Any], str]
    ) -> str:
        """Write a part of a key, or the version; its variable is ``None`` where it is absent."""
        line = self._further.key_line if what == "key" else self._further.version_line
        rule = Gather(("further", self._further.name, what), (expression,), line)
        self._note(line, scope, what, expression.sources[0])
        return self._values.read(rule, expression, scope, read)

    def _content(self, path: Path, scope: Scope) -> str:
        if path.attribute is None and self._spec.reads == "xml":
            return self._reader.node(path, scope)
        return self._reader.leaf(path, scope)


def _listed(variables: list[str]) -> str:
    return "".join(f"{each}, " for each in variables)
