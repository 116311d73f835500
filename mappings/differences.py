"""The keys of a retailer's own file, which says only what is other than in a shipped mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mappings import tables
from mappings.splice import Place, line_start
from mappings.yaml_text import Map, Node, Scalar
from mappings.yaml_text import Sequence as Items

__all__ = ["Entry", "Misfit", "Work", "entries", "inside", "of_rules"]


class Misfit(ValueError):
    """A difference that fits nowhere, in words, and where it stands."""

    def __init__(self, detail: str, place: Place) -> None:
        super().__init__(detail)
        self.place = place


@dataclass(frozen=True, slots=True)
class Work:
    """A retailer's own file, and what gives the tables beside it."""

    text: str
    file: str
    beside: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of the own file with its value; ``word`` is ``without``, ``also`` or nothing.

    ``table`` is what a code table beside the file holds; ``remark`` what stands there on a code.
    """

    name: str
    word: str
    key: Scalar
    value: Node
    place: Place
    work: Work
    copied: bool
    table: tuple[tables.Entry, ...] | None = None
    remark: str = ""

    @property
    def by(self) -> str:
        """The file and line as a comment names them."""
        return ":".join(map(str, self.place))


def of_rules(path: tuple[str, ...]) -> bool:
    """Whether the keys below a path are those of rules."""
    return path[:1] == ("rules",) or (path[:1] == ("further",) and path[2:3] == ("rules",))


def entries(node: Node, work: Work, path: tuple[str, ...]) -> tuple[Entry, ...]:
    """The keys of a map, or the texts of a list, of the own file. Raises ``ConfigError``."""
    if isinstance(node, Items):
        pairs: Iterable[tuple[Node, Node]] = ((item, Scalar("", item.line)) for item in node.items)
    else:
        pairs = node.entries if isinstance(node, Map) else ()
    lined = not isinstance(node, Scalar) and not node.flow
    return tuple(_entry(key, value, work, path, lined=lined) for key, value in pairs)


def _entry(key: Node, value: Node, work: Work, path: tuple[str, ...], *, lined: bool) -> Entry:
    place = work.file, key.line
    if not isinstance(key, Scalar):
        raise Misfit("a text was expected here", place)
    rules = of_rules(path)
    word, _, rest = key.value.partition(" ")
    takes_away = word == "without" and isinstance(value, Scalar) and value.value == ""
    word = word if rest and (takes_away or (word == "also" and rules)) else ""
    name = rest if word else key.value
    table = None
    if path == ("codes",) and isinstance(value, Scalar) and tables.is_table(value.value):
        table = tables.read(value.value, work.beside(value.value))
    before = work.text[line_start(work.text, key.start) : key.start]
    copied = lined and table is None and not before.strip()
    name = " ".join(name.split()) if rules else name
    return Entry(name, word, key, value, place, work, copied, table)


def inside(entry: Entry, path: tuple[str, ...]) -> tuple[Entry, ...]:
    """What stands below a key, be it in the file or in a table beside it."""
    if entry.table is None:
        return entries(entry.value, entry.work, path)
    assert isinstance(entry.value, Scalar)
    file = entry.value.value
    return tuple(
        Entry(
            row.code, "", Scalar(row.code, row.line), Scalar(row.value, row.line),
            (file, row.line), entry.work, copied=False, remark=row.remark,
        )
        for row in entry.table
    )  # fmt: skip
