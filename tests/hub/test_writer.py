"""The writer: many wait for one commit, nobody hears of it before, and one failure is one's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from hub import bootstrap
from hub.bootstrap import Hub
from hub.demo import poslog_writer
from hub.door import Taken, take_in
from hub.store.tables import audit, message
from hub.writer import Writer, writing
from schemas.problem import Unavailable
from tests import homes


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    home = homes.made(tmp_path / "home")
    with bootstrap.open_hub(home) as hub:
        yield hub


@pytest.fixture
def writer(hub: Hub) -> Iterator[Writer]:
    with writing(hub) as writer:
        yield writer


def _note(act: str, detail: str | None = "") -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        values = {"at": "", "actor": "", "act": act, "subject": "", "detail": detail}
        connection.execute(insert(audit).values(values))
        return act

    return work


def _acts(hub: Hub) -> list[str]:
    with hub.engine.begin() as connection:
        return list(connection.scalars(select(audit.c.act).order_by(audit.c.id)))


def _together(
    writer: Writer, *works: Callable[[Connection], str], commits: list[list[bool]] | None = None
) -> list[Future[str]]:
    """Queue all of them while the writer is kept busy, so that they share a transaction."""
    gate = threading.Event()
    busy = writer.alone(gate.wait)
    futures = [writer.submit(work) for work in works]
    if commits is not None:

        @event.listens_for(writer.hub.engine, "commit")
        def _(connection: Connection) -> None:
            commits.append([future.done() for future in futures])

    gate.set()
    busy.result()
    wait(futures)
    return futures


def test_many_are_committed_once_and_told_after_that(hub: Hub, writer: Writer) -> None:
    commits: list[list[bool]] = []
    names = [str(number) for number in range(50)]
    futures = _together(writer, *map(_note, names), commits=commits)
    assert [future.result() for future in futures] == names
    assert commits[0] == [False] * 50
    assert _acts(hub) == names


def test_one_that_fails_fails_alone(hub: Hub, writer: Writer) -> None:
    def fails(connection: Connection) -> str:
        _note("half")(connection)
        raise ZeroDivisionError

    def breaks(connection: Connection) -> str:
        connection.execute(insert(audit).values(at="", actor="", act=None, subject=""))
        return ""

    first, second, third, last = _together(writer, _note("a"), fails, breaks, _note("b"))
    assert isinstance(second.exception(), ZeroDivisionError)
    assert isinstance(third.exception(), IntegrityError)
    assert (first.result(), last.result()) == ("a", "b")
    assert _acts(hub) == ["a", "b"]


def test_where_the_database_fails_none_is_told_that_it_was_kept(hub: Hub, writer: Writer) -> None:
    with hub.engine.begin() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    futures = _together(writer, _note("a"), _note("b", "x" * 1_000_000), _note("c"))
    assert {type(future.exception()) for future in futures} == {Unavailable}
    while writer._pending:
        pass
    # It has looked since and found nothing to settle, which proves nothing.
    assert writer.trouble
    with hub.engine.begin() as connection:
        connection.execute(text("PRAGMA max_page_count = 1000000"))
    assert _acts(hub) == []
    assert writer.submit(_note("d")).result() == "d"
    assert not writer.trouble


def test_a_commit_that_fails_fails_all(hub: Hub, writer: Writer) -> None:
    def fail(connection: Connection) -> None:
        raise OSError

    gate = threading.Event()
    busy = writer.alone(gate.wait)
    futures = [writer.submit(_note(name)) for name in "ab"]
    event.listen(hub.engine, "commit", fail)
    gate.set()
    busy.result()
    wait(futures)
    event.remove(hub.engine, "commit", fail)
    assert [type(future.exception()) for future in futures] == [OSError, OSError]
    assert _acts(hub) == []


def test_work_alone_has_the_database_to_itself_and_fails_alone(hub: Hub, writer: Writer) -> None:
    def own() -> list[str]:
        with hub.engine.begin() as connection:
            _note("own")(connection)
        return _acts(hub)

    failing = writer.alone(lambda: 1 // 0)
    assert isinstance(failing.exception(), ZeroDivisionError)
    assert writer.alone(own).result() == ["own"]


def test_what_was_taken_is_done_before_it_ends_and_nothing_is_taken_after(hub: Hub) -> None:
    gate = threading.Event()
    with writing(hub) as writer:
        writer.alone(gate.wait)
        futures = [writer.submit(_note(str(number))) for number in range(250)]
        gate.set()
    assert [future.done() for future in futures] == [True] * 250
    assert len(_acts(hub)) == 250
    with pytest.raises(Unavailable):
        writer.submit(_note("late"))


def test_what_nobody_wants_any_more_is_not_written(hub: Hub, writer: Writer) -> None:
    gate = threading.Event()
    writer.alone(gate.wait)
    given_up = writer.submit(_note("a"))
    wanted = writer.submit(_note("b"))
    assert given_up.cancel()
    gate.set()
    assert wanted.result() == "b"
    assert _acts(hub) == ["b"]


def _sale(connection: Connection, hub: Hub, index: int) -> Taken:
    content = poslog_writer.sale(index, seed=3)
    return take_in(connection, hub.door("poslog"), [content], name="x", now=hub.now())


def _pending(hub: Hub) -> int | None:
    with hub.engine.begin() as connection:
        return connection.scalar(select(func.count()).where(message.c.state == "pending"))


def test_what_comes_in_is_settled_and_so_is_what_an_earlier_run_left(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        _sale(connection, hub, 0)
    assert _pending(hub) == 1
    with writing(hub) as writer:
        writer.submit(lambda connection: _sale(connection, hub, 1)).result()
        while _pending(hub):
            pass
        # The counter follows the commit; work alone is done after both.
        writer.alone(lambda: None).result()
        assert writer.settled["applied"] == 2
