"""Where the differences of a mapping file meet the text that they change.

A key that stands in both is changed, one more is added, ``without KEY:`` takes one away, and
``also KEY:`` puts a list rule or a branch next to one that is there. What fits nowhere is a
``Misfit``: the text that was extended has moved on, and somebody has to look.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mappings.differences import Entry, Misfit, inside, of_rules
from mappings.errors import suggestion
from mappings.splice import (
    Edit,
    Piece,
    comment,
    flow,
    line_end,
    line_start,
    quoted,
    verbatim,
)
from mappings.yaml_text import Map, Node, Scalar
from mappings.yaml_text import Sequence as Items

__all__ = ["merged", "replaced"]

_FOLLOWING = 1


@dataclass(frozen=True, slots=True)
class _Part:
    """A key or a text of the extended mapping, and the characters that it takes."""

    name: str
    start: int
    end: int
    value: Node | None = None


def _parts(node: Map | Items) -> list[_Part]:
    if isinstance(node, Map):
        return [_Part(key.value, key.start, v.end, v) for key, v in node.entries]
    return [
        _Part(item.value if isinstance(item, Scalar) else "", item.start, item.end)
        for item in node.items
    ]


@dataclass(slots=True)
class _Merge:
    """One map or list of the extended text under change.

    ``anchor`` is the character before whose line comments may stand: inside brackets, a comment
    could fall into a text that goes over two lines.
    """

    under: Map | Items
    text: str
    path: tuple[str, ...]
    anchor: int | None
    parts: list[_Part]
    edits: list[Edit]

    @property
    def column(self) -> int:
        """Where the keys or dashes of a map or list without brackets stand."""
        return self.under.start - line_start(self.text, self.under.start)

    def find(self, name: str, among: Sequence[int]) -> int | None:
        """The part that a name means: the same key, or the only one that fills that target."""
        rules = of_rules(self.path)
        for index in among:
            part = self.parts[index].name
            if (" ".join(part.split()) if rules else part) == name:
                return index
        if rules and " " not in name:
            found = self.filling(name, among)
            return found[0] if len(found) == 1 else None
        return None

    def filling(self, name: str, among: Sequence[int]) -> list[int]:
        """The parts that fill the same target as a key."""
        return [i for i in among if _filled(self.parts[i].name) == _filled(name)]

    def run(self, own: tuple[Entry, ...]) -> list[Edit]:
        """Find out what becomes of each part, and write it down."""
        everything = range(len(self.parts))
        removed: dict[int, Entry] = {}
        for entry in own:
            if entry.word == "without":
                if (index := self.find(entry.name, everything)) is None:
                    raise self.missing(entry, everything)
                removed[index] = entry
        kept = [index for index in everything if index not in removed]
        instead: dict[int, list[Entry]] = {index: [] for index in removed}
        before: dict[int, list[Entry]] = {}
        added: list[Entry] = []
        waiting: list[Entry] = []
        for entry in own:
            if entry.word == "without":
                continue
            index = self.find(entry.name, kept)
            if index is not None:
                if waiting:
                    before.setdefault(index, []).extend(waiting)
                    waiting = []
                self.change(index, entry)
            elif not entry.word and (taken := self.filling(entry.name, list(removed))):
                instead[taken[0]].append(entry)
            else:
                self.check_new(entry, kept)
                (waiting if _branch(entry.name) else added).append(entry)
        if waiting:
            self.first_branch(waiting, kept, before, added)
        self.write(removed, instead, before, added)
        return self.edits

    def missing(self, entry: Entry, among: Sequence[int]) -> Misfit:
        """What to say of a key that the extended text does not have."""
        if len(self.filling(entry.name, among)) > 1:
            return Misfit(
                f"several rules fill {_filled(entry.name)}; write the whole key", entry.place
            )
        where = ".".join(self.path) or "the mapping"
        hint = suggestion(entry.name, self.names(entry))
        return Misfit(f"there is no {entry.name!r} in {where} to change{hint}", entry.place)

    def names(self, entry: Entry) -> list[str]:
        """What may have been meant: whole keys, or targets where only a target was written."""
        whole = " from " in entry.name or not of_rules(self.path)
        return [part.name if whole else _filled(part.name) for part in self.parts]

    def check_new(self, entry: Entry, kept: Sequence[int]) -> None:
        """Refuse what looks like a change of something that is no longer there."""
        if not of_rules(self.path) or entry.word == "also":
            return
        others = self.filling(entry.name, kept)
        lists = entry.name.split(" ")[0].endswith("[]")
        if _branch(entry.name):
            branches = [self.parts[i].name for i in kept if _branch(self.parts[i].name)]
            if branches:
                hint = suggestion(entry.name, branches) or f"; there is {branches[0]!r}"
                raise Misfit(
                    f"there is no branch {entry.name!r}{hint}; to put one more there, write "
                    f"`also {entry.name}`",
                    entry.place,
                )
        elif others and lists and " from " in entry.name:
            raise Misfit(
                f"{_filled(entry.name)} is filled by {self.parts[others[0]].name!r}; change that "
                f"one, or write `also {entry.name}`",
                entry.place,
            )
        elif (lists and " from " not in entry.name) or others:
            raise self.missing(entry, kept)

    def first_branch(
        self,
        waiting: list[Entry],
        kept: Sequence[int],
        before: dict[int, list[Entry]],
        added: list[Entry],
    ) -> None:
        """Put new branches in front of those that are there: the first one that holds is taken."""
        branches = [i for i in kept if _branch(self.parts[i].name)]
        chains = sum(
            1 for i in branches if i - 1 not in branches or self.parts[i - 1].name == "otherwise"
        )
        if chains > 1:
            raise Misfit(
                "which of several choices is this a branch of? Write the branch that it goes "
                "before below it",
                waiting[0].place,
            )
        if branches:
            before.setdefault(branches[0], []).extend(waiting)
        else:
            added.extend(waiting)

    def change(self, index: int, entry: Entry) -> None:
        """Change what stands in both."""
        part = self.parts[index]
        if entry.word == "also":
            raise Misfit(f"{entry.name!r} stands there by now; leave it out here", entry.place)
        old, new = part.value, entry.value
        if old is None or (isinstance(old, Scalar) and flow(old) == flow(new) and not entry.table):
            return
        inner = (*self.path, part.name)
        if _mergeable(inner, old, new, entry):
            assert isinstance(old, (Map, Items))
            anchor = self.anchor if self.anchor is not None else part.start
            self.edits += merged(old, inside(entry, inner), inner, self.text, anchor=anchor)
            return
        if isinstance(old, Map) and of_rules(self.path) and flow(new) != "skip":
            raise Misfit(f"{part.name!r} is a group of rules, and this is none", entry.place)
        in_line = isinstance(old, Scalar) and "\n" not in self.text[part.start : part.end]
        if not self.under.flow and (not in_line or isinstance(new, Map)):
            self.cut_block(index, entry, [entry], "instead of")
            return
        blank = " " if old.start == old.end else ""
        self.edits.append(
            Edit(old.start, old.end, (Piece(blank + self.value(entry), entry.place),))
        )
        shown = part.start if self.under.flow else old.start
        self.note(part.start, entry, f"instead of: {self.text[shown : old.end]}")

    def value(self, entry: Entry) -> str:
        """The new value of a key that stays: as it was written, if it may stand there so."""
        node = entry.value
        written = entry.work.text[node.start : node.end] if entry.copied else ""
        may = written and "\n" not in written and not self.under.flow
        return written if may else flow(node)

    def note(self, start: int, entry: Entry, said: str) -> None:
        """Write a comment above a key, or above the brackets that it stands in."""
        anchor = self.anchor if self.under.flow and self.anchor is not None else start
        at = line_start(self.text, anchor)
        text = f"{' ' * (anchor - at)}{comment(f'{entry.by} {said}')}\n"
        self.edits.append(Edit(at, at, (Piece(text, entry.place),), _FOLLOWING))

    def write(
        self,
        removed: dict[int, Entry],
        instead: dict[int, list[Entry]],
        before: dict[int, list[Entry]],
        added: list[Entry],
    ) -> None:
        """Write what was taken away and what came in, in the form that stands there."""
        if self.under.flow:
            self.write_in_brackets(
                removed, instead, [e for new in (*before.values(), added) for e in new]
            )
            return
        for index, entry in removed.items():
            self.cut_block(index, entry, instead[index], "leaves out")
        for index, new in before.items():
            at = line_start(self.text, self.parts[index].start)
            self.edits.append(Edit(at, at, tuple(self.block(new)), _FOLLOWING))
        if added:
            at = line_end(self.text, self.under.end)
            self.edits.append(Edit(at, at, tuple(self.block(added)), -len(self.path)))

    def cut_block(self, index: int, entry: Entry, new: Sequence[Entry], said: str) -> None:
        part = self.parts[index]
        start, end = line_start(self.text, part.start), line_end(self.text, part.end)
        column = self.column
        old = comment(f"{entry.by} {said}: {self.text[part.start : part.end]}")
        first = Piece(f"{' ' * column}{old}\n", entry.place)
        self.edits.append(Edit(start, end, (first, *self.block(new, told=True))))

    def block(self, new: Sequence[Entry], *, told: bool = False) -> list[Piece]:
        """Lines for new keys or texts, each under a comment; those of one table under one."""
        column = self.column
        pieces: list[Piece] = []
        for entry in new:
            if not told:
                said = comment(f"added by {entry.by}")
                pieces.append(Piece(f"{' ' * column}{said}\n", entry.place))
            told = told or (self.path[:1] == ("codes",) and len(self.path) == 2)
            if isinstance(self.under, Items):
                pieces.append(Piece(f"{' ' * column}- {quoted(entry.name)}\n", entry.place))
            else:
                pieces += lines(entry, column, self.path)
        return pieces

    def write_in_brackets(
        self, removed: dict[int, Entry], instead: dict[int, list[Entry]], added: list[Entry]
    ) -> None:
        gone = [index for index in removed if not instead[index]]
        for index, entry in removed.items():
            part = self.parts[index]
            self.note(part.start, entry, f"leaves out: {self.text[part.start : part.end]}")
            if new := instead[index]:
                text = ", ".join(self.inline(e) for e in new)
                self.edits.append(Edit(part.start, part.end, (Piece(text, new[0].place),)))
        self.edits += _without(self.parts, gone)
        if not added:
            return
        kept = len(gone) < len(self.parts)
        end = self.parts[-1].end if self.parts else self.under.start + 1
        anchor = self.anchor or 0
        indent = " " * (anchor - line_start(self.text, anchor) + 2)
        pieces = []
        for number, entry in enumerate(added):
            comma = " ," if number or kept else ""
            comma = comma if self.text[end - 1 : end] == ":" else comma.strip()
            said = f"{indent}{comment(f'added by {entry.by}')}\n" if not number else ""
            pieces.append(Piece(f"{comma}\n{said}{indent}{self.inline(entry)}", entry.place))
        self.edits.append(Edit(end, end, tuple(pieces)))

    def inline(self, entry: Entry) -> str:
        """A key and its value, or a text, as they stand between brackets."""
        if isinstance(self.under, Items):
            return quoted(entry.name)
        if entry.table is None:
            return f"{quoted(entry.name)}: {flow(entry.value)}"
        rows = ", ".join(
            f"{quoted(row.name)}: {flow(row.value)}"
            for row in inside(entry, (*self.path, entry.name))
        )
        return f"{quoted(entry.name)}: {{{rows}}}"


def merged(
    under: Map | Items,
    own: tuple[Entry, ...],
    path: tuple[str, ...],
    text: str,
    *,
    anchor: int | None = None,
) -> list[Edit]:
    """The edits that change a map or list of the extended text. Raises ``Misfit``."""
    outer = anchor if under.flow else None
    return _Merge(under, text, path, outer, _parts(under), []).run(own)


def _mergeable(path: tuple[str, ...], old: Node, new: Node, entry: Entry) -> bool:
    if isinstance(old, Map):
        return isinstance(new, Map) or entry.table is not None
    return path in (("ignore",), ("unset",)) and isinstance(old, Items) and isinstance(new, Items)


def lines(entry: Entry, column: int, path: tuple[str, ...]) -> list[Piece]:
    """A new key with all that it holds, as lines that begin at a column."""
    key, blanks = quoted(entry.name), " " * column
    inner = (*path, entry.name)
    if entry.table is not None or inner == ("codes",):
        rows = (piece for row in inside(entry, inner) for piece in lines(row, column + 2, inner))
        return [Piece(f"{blanks}{key}:\n", entry.place), *rows]
    if entry.copied:
        start, end = entry.key.start, entry.value.end
        text = verbatim(entry.work.text, start, end, column)
        text = re.sub(r"also +", "", text, count=1) if entry.word == "also" else text
        return [Piece(text, entry.place, counts=True)]
    remark = f"  {comment(entry.remark)}" if entry.remark else ""
    return [Piece(f"{blanks}{key}: {flow(entry.value)}{remark}\n", entry.place)]


def replaced(under: Map, name: str, new: Entry | None, text: str) -> list[Edit]:
    """Take a key away, or put another in its place, without a comment."""
    parts = _parts(under)
    index = next(i for i, part in enumerate(parts) if part.name == name)
    part = parts[index]
    if under.flow:
        if new is None:
            return _without(parts, [index])
        merge = _Merge(under, text, ("codes",), 0, parts, [])
        return [Edit(part.start, part.end, (Piece(merge.inline(new), new.place),))]
    start, end = line_start(text, part.start), line_end(text, part.end)
    pieces = () if new is None else tuple(lines(new, part.start - start, ("codes",)))
    return [Edit(start, end, pieces)]


def _without(parts: Sequence[_Part], gone: Sequence[int]) -> list[Edit]:
    """Take parts out from between brackets, each with one of the commas around it."""
    kept = [index for index in range(len(parts)) if index not in gone]
    if gone and not kept:
        return [Edit(parts[0].start, parts[-1].end)]
    last = kept[-1] if kept else 0
    edits = [Edit(parts[i].start, parts[i + 1].start) for i in gone if i < last]
    if any(index > last for index in gone):
        edits.append(Edit(parts[last].end, parts[-1].end))
    return edits


def _filled(name: str) -> str:
    """What a key of a rule fills, with its brackets; the whole key for all else."""
    return name if _branch(name) else name.partition(" from ")[0].strip()


def _branch(name: str) -> bool:
    return name.startswith("when ") or name == "otherwise"
