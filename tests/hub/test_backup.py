"""Backups: one state of everything, in a file that either database restores to the same."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, insert, select

from hub import backup, bootstrap, capture, export, keys, restore, settings, unverified
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.home import Home
from hub.receive import receive
from hub.store import archive
from hub.store.database import REVISION, open_database
from hub.store.tables import api_key, audit, metadata, polled, record
from schemas.problem import ConfigError, Rejected
from tests import homes, postgres

NOW = "2031-05-06T10:00:00.000000Z"
LATER = "2031-05-06T12:00:00.000000Z"
Place = Path | URL


@contextmanager
def _place(kind: str, folder: Path, *, name: str) -> Iterator[tuple[Home, Place]]:
    """A home that was just made, and where its database is."""
    with pytest.MonkeyPatch.context() as patch:
        if kind == "sqlite":
            home = homes.made(folder / name)
            yield home, home.database
            return
        with postgres.database() as url:
            address = url.render_as_string(hide_password=False)
            patch.setenv("LYNCHPIN_DATABASE_URL", address)
            yield homes.made(folder / name), url


def _fill(home: Home, folder: Path) -> None:
    sales = folder / "sales.xml"
    sales.write_bytes(b"".join(poslog_writer.sales(30, seed=1, lines=2)))
    broken = folder / "broken.xml"
    broken.write_bytes(poslog_writer.without_total(till.sale(99, seed=9)))
    orders = [json.loads(shop_writer.order(each)) for each in shop.orders(5, seed=3)]
    orders[0] |= {"note": "a\0b", "tags": "\U0001f9fe, é"}
    shopped = folder / "orders.json"
    shopped.write_text("\n".join(map(json.dumps, orders)))
    with bootstrap.open_hub(home, now=lambda: NOW) as hub:
        receive(hub, "poslog", [sales, broken, sales])
        receive(hub, "shopify", [shopped])
        with hub.engine.begin() as connection:
            keys.create(connection, "tills", "source", ["poslog"], actor="ann", now=NOW)
            known = {"source": "shopify", "stream": "orders", "key": "order/1", "digest": "a"}
            connection.execute(insert(polled), known)


def _dump(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in the words that both databases share."""
    with bootstrap.open_hub(home, access="read") as hub, hub.engine.begin() as connection:
        return {
            name: sorted(
                (
                    tuple(_alike(value) for value in row)
                    for row in connection.execute(select(table))
                ),
                key=repr,
            )
            for name, table in metadata.tables.items()
        }


def _alike(value: Any) -> Any:
    return value.replace("\0", "\u2400") if isinstance(value, str) else value


def _restore(file: Path, home: Home, place: Place, **options: Any) -> restore.Restored:
    return restore.restore_from(
        file,
        place,
        settings.read(home),
        **{"replace": False, "actor": "ann", "now": lambda: LATER, **options},
    )


def _backup(place: Place, file: Path, *, overwrite: bool = False) -> backup.Made:
    return backup.back_up(place, file, now=lambda: NOW, overwrite=overwrite)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a hub on SQLite that has seen some of everything."""
    folder = tmp_path_factory.mktemp("made")
    with _place("sqlite", folder, name="home") as (home, place):
        _fill(home, folder)
        _backup(place, folder / "all.backup")
    return folder / "all.backup"


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
@pytest.mark.parametrize("of", ["sqlite", "postgresql"])
def test_what_one_database_wrote_either_restores_whole(tmp_path: Path, of: str, into: str) -> None:
    file = tmp_path / "all.backup"
    with _place(of, tmp_path, name="first") as (home, place):
        _fill(home, tmp_path)
        told = _backup(place, file)
        before = _dump(home)
    assert (told.revision, told.made_at, told.rows) == (
        REVISION, NOW, sum(map(len, before.values())),
    )  # fmt: skip
    with _place(into, tmp_path, name="second") as (home, place):
        done = _restore(file, home, place)
        after = _dump(home)
        with bootstrap.open_hub(home, access="read") as hub, hub.engine.begin() as connection:
            assert "a\\u0000b" in "".join(export.export(connection, kinds=("Order",)))
    assert (done.rows, done.replaced, done.revision) == (told.rows, False, REVISION)
    new = {name for name in before if before[name] != after[name]}
    assert new == {"restore", "unverified", "audit"}
    assert set(before["audit"]) < set(after["audit"])
    assert len(before["message"]) > 30
    state = list(metadata.tables["message"].c.keys()).index("state")
    assert {row[state] for row in before["message"]} >= {"applied", "duplicate", "held"}


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_rows_that_come_after_a_restore_are_numbered_on(
    made: Path, tmp_path: Path, into: str
) -> None:
    with _place(into, tmp_path, name="home") as (home, place):
        _restore(made, home, place)
        more = tmp_path / "more.xml"
        more.write_bytes(b"".join(poslog_writer.sale(900 + n, seed=7) for n in range(3)))
        with bootstrap.open_hub(home) as hub:
            report = receive(hub, "poslog", [more])
            with hub.engine.begin() as connection:
                numbers = connection.scalars(select(record.c.id)).all()
    assert report.applied == 3
    assert len(set(numbers)) == len(numbers) == 5


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_is_of_one_moment_while_others_write(tmp_path: Path, kind: str) -> None:
    row = {"at": NOW, "actor": "a", "act": "b", "subject": "c", "detail": "x" * 2000}
    with _place(kind, tmp_path, name="home") as (home, place):
        with bootstrap.open_hub(home) as hub:
            with hub.engine.begin() as connection:
                connection.execute(insert(audit), [row] * 3000)
            before = len(_dump(home)["audit"])
            written = threading.Event()

            def write(rows: int) -> None:
                if not written.is_set():
                    with hub.engine.begin() as connection:
                        connection.execute(insert(audit), [row] * 100)
                        connection.execute(insert(api_key), _key())
                    written.set()

            backup.back_up(place, tmp_path / "f", now=hub.now, overwrite=False, progress=write)
        assert written.is_set()
        _restore(tmp_path / "f", home, place, replace=True)
        after = _dump(home)
    # The restore wrote one line; nothing that came after the first rows were read is there.
    assert len(after["audit"]) == before + 1
    assert after["api_key"] == []


def _key() -> dict[str, Any]:
    return {
        "id": "k",
        "name": "n",
        "role": "reader",
        "sources": "[]",
        "stores": "[]",
        "hash": "h",
        "created_at": NOW,
    }


@pytest.mark.parametrize("place", [0, 200, -1])
def test_a_backup_in_which_a_byte_has_changed_changes_nothing(
    made: Path, tmp_path: Path, place: int
) -> None:
    content = bytearray(made.read_bytes())
    content[place] ^= 1
    broken = tmp_path / "broken.backup"
    broken.write_bytes(content)
    with _place("sqlite", tmp_path, name="home") as (home, target):
        before = _dump(home)
        with pytest.raises(ConfigError, match=r"LP-DB-02[01]"):
            _restore(broken, home, target, replace=True)
        assert _dump(home) == before


@pytest.mark.parametrize("length", [0, 18, 3000])
def test_a_backup_that_is_cut_off_changes_nothing(made: Path, tmp_path: Path, length: int) -> None:
    broken = tmp_path / "cut.backup"
    broken.write_bytes(made.read_bytes()[:length])
    with (
        _place("sqlite", tmp_path, name="home") as (home, target),
        pytest.raises(ConfigError, match=r"LP-DB-02[01]"),
    ):
        _restore(broken, home, target)


def test_rows_that_are_fewer_than_the_backup_says_are_not_taken(tmp_path: Path) -> None:
    head = archive.Head(
        made_at=NOW, revision=REVISION, version="1", database="sqlite", columns={"audit": ["id"]}
    )
    file = tmp_path / "few.backup"
    whole: Callable[..., Any] = archive._End
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "_End", lambda counts: whole({"audit": 2}))
        archive.written(file, head, [("audit", [[1]])], overwrite=False)
    with (
        pytest.raises(ConfigError, match="not as many rows"),
        archive.opened(file) as opened,
    ):
        list(opened.rows())


def test_a_file_that_is_there_stays_unless_it_is_said(tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("precious")
    with _place("sqlite", tmp_path, name="home") as (_, place):
        with pytest.raises(ConfigError, match="LP-DB-022"):
            _backup(place, file)
        assert file.read_text() == "precious"
        _backup(place, file, overwrite=True)
    assert file.read_bytes().startswith(b"LYNCHPIN BACKUP 1\n")
    assert file.stat().st_mode & 0o777 == 0o600
    assert {each.name for each in tmp_path.iterdir()} == {"home", "mine"}


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def fail(rows: int) -> None:
        raise OSError(28, os.strerror(28))

    with _place("sqlite", tmp_path, name="home") as (_, place):
        with pytest.raises(ConfigError, match="LP-DB-023"):
            backup.back_up(place, tmp_path / "f", now=lambda: NOW, overwrite=False, progress=fail)
        with pytest.raises(ConfigError, match="LP-DB-023"):
            _backup(place, tmp_path / "nowhere" / "f")
    assert [each.name for each in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_data_that_is_there_stays_unless_it_is_said(made: Path, tmp_path: Path, kind: str) -> None:
    with _place(kind, tmp_path, name="home") as (home, place):
        _fill(home, tmp_path)
        before = _dump(home)
        with pytest.raises(ConfigError, match="LP-DB-024"):
            _restore(made, home, place)
        assert _dump(home) == before
        assert _restore(made, home, place, replace=True).replaced


def test_a_database_that_cannot_be_read_is_replaced_by_who_says_so(
    made: Path, tmp_path: Path
) -> None:
    with _place("sqlite", tmp_path, name="home") as (home, place):
        assert isinstance(place, Path)
        place.write_bytes(b"no database at all " * 500)
        with pytest.raises(ConfigError, match="LP-DB-024"):
            _restore(made, home, place)
        _restore(made, home, place, replace=True)
        assert len(_dump(home)["record"]) == 4


def test_a_backup_of_a_newer_lynchpin_is_refused(tmp_path: Path) -> None:
    head = archive.Head(made_at=NOW, revision="9999", version="9", database="sqlite", columns={})
    archive.written(tmp_path / "new.backup", head, [], overwrite=False)
    with (
        _place("sqlite", tmp_path, name="home") as (home, place),
        pytest.raises(ConfigError, match="LP-CFG-023"),
    ):
        _restore(tmp_path / "new.backup", home, place)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_rows_that_contradict_each_other_are_not_taken(tmp_path: Path, kind: str) -> None:
    head = archive.Head(
        made_at=NOW,
        revision=REVISION,
        version="1",
        database="sqlite",
        columns={"hold": ["message_id", "code", "problem", "held_at"]},
    )
    orphan = [("hold", [[7, "LP-X", "{}", NOW]])]
    archive.written(tmp_path / "bad.backup", head, orphan, overwrite=False)
    with _place(kind, tmp_path, name="home") as (home, place):
        before = _dump(home)
        with pytest.raises(ConfigError, match="LP-DB-025"):
            _restore(tmp_path / "bad.backup", home, place)
        assert _dump(home) == before


def test_another_hub_at_work_on_the_same_server_is_not_restored_under_its_feet(
    made: Path, tmp_path: Path
) -> None:
    with _place("postgresql", tmp_path, name="home") as (home, place):
        other = open_database(place)
        with other.begin():
            pass
        with pytest.raises(ConfigError, match="LP-CFG-029"):
            _restore(made, home, place)
        other.dispose()
        _restore(made, home, place)


def test_a_key_that_was_revoked_after_the_backup_stays_so(tmp_path: Path) -> None:
    with _place("sqlite", tmp_path, name="home") as (home, place):
        _fill(home, tmp_path)
        _backup(place, tmp_path / "f")
        with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
            [key] = keys.listed(connection)
            keys.revoke(connection, key.id, actor="ann", now=LATER)
        assert _restore(tmp_path / "f", home, place, replace=True).revoked == 1
        with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
            assert [each.revoked_at for each in keys.listed(connection)] == [LATER]


def test_sources_that_were_pushed_to_are_unverified_until_somebody_says_how_they_know(
    made: Path, tmp_path: Path
) -> None:
    with _place("sqlite", tmp_path, name="home") as (home, place):
        file = home.settings
        with_secret = file.read_text().replace('"twilio"\n', '"twilio"\nsecrets = ["x"]\n')
        assert with_secret != file.read_text()
        file.write_text(with_secret)
        done = _restore(made, home, place)
        since = "2031-05-06T09:59:00.000000Z"
        assert [(w.source, w.since_at, w.until_at) for w in done.unverified] == [
            (source, since, LATER) for source in ("poslog", "shopify", "twilio")
        ]
        with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
            assert unverified.open_windows(connection) == list(done.unverified)
            said = {"reason": "compared", "actor": "ann", "now": LATER}
            closed = unverified.reconcile(connection, "shopify", **said)
            assert [window.source for window in closed] == ["shopify"]
            left = [window.source for window in unverified.open_windows(connection)]
            assert left == ["poslog", "twilio"]
            with pytest.raises(Rejected, match="LP-DB-030"):
                unverified.reconcile(connection, "shopify", **said)
            lines = connection.execute(select(audit.c.act, audit.c.subject)).all()
            assert ("unverified.reconcile", "source shopify") in lines


def test_nothing_is_left_beside_the_database(made: Path, tmp_path: Path) -> None:
    with _place("sqlite", tmp_path, name="home") as (home, place):
        (home.path / "lynchpin.db.restoring").write_bytes(b"left by one that was killed")
        _restore(made, home, place)
        assert not [each for each in home.path.iterdir() if "restoring" in each.name]


def test_a_store_agent_is_told_of_every_restore(made: Path, tmp_path: Path) -> None:
    with _place("sqlite", tmp_path, name="home") as (home, place):
        lives = []
        for _ in range(2):
            with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
                lives.append(capture.progress(connection, "store-1.files", "e").life)
            _restore(made, home, place, replace=True)
        with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
            door, batch = hub.door("poslog"), capture.Batch("e", ())
            told = capture.commit(connection, door, "store-1.files", batch, now=NOW)
            assert told.life == capture.progress(connection, "store-1.files", "e").life
        lives.append(told.life)
    assert lives[0] == ""
    assert len(set(lives)) == 3
