"""Reference data: Locations, Workstations and Items, loaded from CSV and looked up.

A file is loaded as a whole or not at all, and loading it again changes nothing. A row replaces
what was loaded of its thing before: an empty cell clears, a column that the file does not have
leaves as it was. Things that a file does not name stay.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    select,
    tuple_,
    update,
)

from hub.causes import TABLE_CELL, TABLE_CONTRADICTION
from hub.sheet import File, Row, Sheet, read
from hub.store import tables
from schemas.identifier import Identifier
from schemas.item import Item
from schemas.location import Location
from schemas.model import Canonical
from schemas.workstation import Workstation
from schemas.zone import known_zone

__all__ = [
    "Loaded",
    "item_field",
    "item_of",
    "load_items",
    "load_locations",
    "load_workstations",
    "location",
]

_LISTS = ("phones", "mail_domains")
_NUMBERS = ("gtin", "sku", "variant", "product", "plu")
_GTIN_DIGITS = 14

Key = tuple[str, ...]
Stored = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many things of a file were new, different, or as they were."""

    added: int
    changed: int
    unchanged: int


def load_locations(connection: Connection, file: File) -> Loaded:
    """Load stores: ``system, store, zone, currency`` and, if there, ``name, banner, country``
    and the retailer's own ``phones`` and ``mail_domains``, several separated by ``|``.

    Raises ``ConfigError`` naming file, line and column, with nothing loaded.
    """
    optional = ("name", "banner", "country", *_LISTS)
    sheet = read(file, required=("system", "store", "zone", "currency"), optional=optional)
    wanted: dict[Key, Stored] = {}
    for row, key in _keyed(sheet, "system", "store"):
        place = row.read_as(Location, lists=_LISTS)
        try:
            known_zone(place.zone)
        except ValueError as error:
            raise row.error(TABLE_CELL, "zone", str(error)) from error
        wanted[key] = _stored(place, sheet)
    return _loaded(wanted, *_merge(connection, tables.location, wanted))


def load_workstations(connection: Connection, file: File) -> Loaded:
    """Load tills: ``system, store, workstation`` and, if there, ``name, kind, authoritative``.

    Their Locations come first. Raises ``ConfigError`` naming file, line and column, with nothing
    loaded.
    """
    optional = ("name", "kind", "authoritative")
    sheet = read(file, required=("system", "store", "workstation"), optional=optional)
    place = tables.location.c
    stores = {tuple(row) for row in connection.execute(select(place.system, place.store))}
    wanted: dict[Key, Stored] = {}
    for row, key in _keyed(sheet, "system", "store", "workstation"):
        wanted[key] = _stored(row.read_as(Workstation), sheet)
        if key[:2] not in stores:
            raise row.error(TABLE_CELL, "store", "its Location is not loaded")
    return _loaded(wanted, *_merge(connection, tables.workstation, wanted))


def load_items(connection: Connection, file: File) -> Loaded:
    """Load merchandise: ``item`` and, if there, ``name, category`` and the numbers it goes by,
    ``gtin, sku, variant, product, plu``, several separated by ``|``.

    A GTIN is the same everywhere; the other numbers belong to the ``system`` of the row. An item
    that several systems number has a row for each. The numbers of a kind and system that the file
    has for an item replace those loaded before. Raises ``ConfigError`` naming file, line and
    column, with nothing loaded.
    """
    sheet = read(file, required=("item",), optional=("name", "category", "system", *_NUMBERS))
    catalogue = _catalogue(sheet)
    stale, fresh = _renumbered(connection, catalogue)
    added, changed = _merge(connection, tables.item, catalogue.items)
    numbers = tables.item_identifier
    names = [column.name for column in numbers.primary_key]
    if stale:
        connection.execute(
            delete(numbers).where(_by_key(numbers)), [_bound(names, k) for k in stale]
        )
    if fresh:
        rows = [{**dict(zip(names, k, strict=True)), "item": item} for k, item in fresh.items()]
        connection.execute(insert(numbers), rows)
    renumbered = {(item,) for item in (*stale.values(), *fresh.values())}
    return _loaded(catalogue.items, added, (changed | renumbered) - added)


def location(connection: Connection, system: str, store: str) -> Location | None:
    """The Location as loaded, or None."""
    table = tables.location
    query = select(table).where(table.c.system == system, table.c.store == store)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    return Location.model_validate({**row, **{name: json.loads(row[name]) for name in _LISTS}})


def item_of(
    connection: Connection, identifiers: Iterable[Identifier], *, system: str
) -> str | None:
    """Which Item these identifiers name, where one without an issuer belongs to ``system``.

    None if they name none, and also if they name more than one: that is for a person to decide.
    """
    keys = {_number(one.issuer or system, one.kind, one.value) for one in identifiers}
    if not keys:
        return None
    table = tables.item_identifier
    query = select(table.c.item).where(tuple_(*table.primary_key).in_(keys)).distinct()
    items = connection.execute(query).scalars().all()
    return items[0] if len(items) == 1 else None


def item_field(
    connection: Connection, system: str, number: tuple[str, str], field: str
) -> str | None:
    """A field of the Item that a number names: kind and value, ``item`` for the retailer's own.

    ``field`` is one of the Item, or the kind of another of its numbers, of ``system`` or, for a
    GTIN, of everybody. None where nothing is loaded, and where there are several such numbers.
    """
    table, numbers = tables.item, tables.item_identifier
    if number[0] == "item":
        found = select(table.c.item).where(table.c.item == number[1])
    else:
        key = _number(system, *number)
        found = select(numbers.c.item).where(and_(*_equal(numbers, key)))
    if field in ("name", "category"):
        query = select(table.c[field]).where(table.c.item.in_(found))
    elif field != "item":
        issuer, kind, _ = _number(system, field, "")
        query = select(numbers.c.value).where(
            numbers.c.item.in_(found), numbers.c.kind == kind, numbers.c.issuer == issuer
        )
    else:
        query = found
    values: list[str | None] = list(connection.execute(query.limit(2)).scalars())
    return values[0] if len(values) == 1 else None


def _equal(table: Table, key: Key) -> list[ColumnElement[bool]]:
    return [column == value for column, value in zip(table.primary_key, key, strict=True)]


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """What a file says of items."""

    items: dict[Key, Stored] = field(default_factory=dict)
    numbers: dict[Key, str] = field(default_factory=dict)
    """Issuer, kind and value of each number, and the item it names."""
    rows: dict[Key, Row] = field(default_factory=dict)
    """Where the file first says so of each number."""
    scope: set[Key] = field(default_factory=set)
    """Item, issuer and kind of what the file speaks about, even if only to say: none."""


def _catalogue(sheet: Sheet) -> _Catalogue:
    catalogue = _Catalogue()
    for row in sheet.rows:
        item = row.read_as(Item)
        known = catalogue.items.setdefault((item.item,), {})
        for column, value in _stored(item, sheet).items():
            if value is not None and known.get(column) not in (None, value):
                detail = "an earlier row of this item says otherwise"
                raise row.error(TABLE_CONTRADICTION, column, detail)
            known[column] = known.get(column) or value
        for kind in _NUMBERS:
            if kind in sheet.columns:
                _add_numbers(catalogue, row, item.item, kind)
    return catalogue


def _add_numbers(catalogue: _Catalogue, row: Row, item: str, kind: str) -> None:
    system = row.cells.get("system", "")
    values = row.values(kind)
    if values and kind != "gtin" and not system:
        raise row.error(TABLE_CELL, kind, "the row does not say whose number this is: system")
    for value in values:
        if kind == "gtin" and not (_is_digits(value) and len(value) <= _GTIN_DIGITS):
            raise row.error(TABLE_CELL, kind, f"is not at most {_GTIN_DIGITS} digits")
        key = _number(system, kind, value)
        first = catalogue.rows.setdefault(key, row)
        if catalogue.numbers.setdefault(key, item) != item:
            detail = f"names another item on line {first.line}"
            raise row.error(TABLE_CONTRADICTION, kind, detail)
    catalogue.scope.add((item, *_number(system, kind, "")[:2]))


def _renumbered(
    connection: Connection, catalogue: _Catalogue
) -> tuple[dict[Key, str], dict[Key, str]]:
    """Which loaded numbers no longer hold, and which are new, each with its item."""
    table = tables.item_identifier
    rows = connection.execute(select(*table.primary_key, table.c.item))
    loaded: dict[Key, str] = {tuple(row[:-1]): row[-1] for row in rows}
    wanted = catalogue.numbers
    stale = {
        key: item
        for key, item in loaded.items()
        if (item, *key[:2]) in catalogue.scope and wanted.get(key) != item
    }
    fresh = {key: item for key, item in wanted.items() if loaded.get(key) != item}
    for key in fresh:
        if key in loaded and key not in stale:
            detail = "names another item that was loaded before and that the file does not renumber"
            raise catalogue.rows[key].error(TABLE_CONTRADICTION, key[1], detail)
    return stale, fresh


def _number(issuer: str, kind: str, value: str) -> Key:
    """A number in the form that compares. The same GTIN is written with 8, 12, 13 or 14 digits."""
    if kind != "gtin":
        return issuer, kind, value
    return "", kind, value.zfill(_GTIN_DIGITS) if _is_digits(value) else value


def _is_digits(value: str) -> bool:
    return value.isascii() and value.isdigit()


def _keyed(sheet: Sheet, *columns: str) -> Iterator[tuple[Row, Key]]:
    """Each row with what names its thing, which no other row may name."""
    lines: dict[Key, int] = {}
    for row in sheet.rows:
        key = tuple(row.cells[column] for column in columns)
        first = lines.setdefault(key, row.line)
        if first != row.line:
            raise row.error(TABLE_CONTRADICTION, columns[-1], f"is on line {first} already")
        yield row, key


def _stored(value: Canonical, sheet: Sheet) -> Stored:
    """The columns of the file as the database keeps them."""
    dumped = value.model_dump(mode="json")
    return {
        name: json.dumps(dumped[name], ensure_ascii=False) if name in _LISTS else dumped[name]
        for name in sheet.columns
        if name in dumped
    }


def _merge(
    connection: Connection, table: Table, wanted: Mapping[Key, Stored]
) -> tuple[set[Key], set[Key]]:
    """Insert what is new and update what differs. Returns the keys of both."""
    names = [column.name for column in table.primary_key]
    loaded = {
        tuple(row[name] for name in names): row
        for row in connection.execute(select(table)).mappings()
    }
    added = [key for key in wanted if key not in loaded]
    changed = [
        key
        for key, row in wanted.items()
        if key in loaded and any(loaded[key][name] != value for name, value in row.items())
    ]
    if added:
        connection.execute(insert(table), [wanted[key] for key in added])
    if changed:
        rows = [
            {**_bound(names, key), **{n: v for n, v in wanted[key].items() if n not in names}}
            for key in changed
        ]
        connection.execute(update(table).where(_by_key(table)), rows)
    return set(added), set(changed)


def _by_key(table: Table) -> ColumnElement[bool]:
    return and_(*(column == bindparam(f"key_{column.name}") for column in table.primary_key))


def _bound(names: Iterable[str], key: Key) -> Stored:
    return {f"key_{name}": value for name, value in zip(names, key, strict=True)}


def _loaded(wanted: Collection[Key], added: set[Key], changed: set[Key]) -> Loaded:
    return Loaded(len(added), len(changed), len(wanted) - len(added) - len(changed))
