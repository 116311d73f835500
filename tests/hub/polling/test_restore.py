"""A restore: whatever came between the backup and the crash is read again by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert

from hub import backup, keys, restore, settings
from hub.bootstrap import Hub
from hub.demo import shop as invented
from hub.demo import shop_writer
from hub.door import take_in
from hub.polling import progress
from hub.settle import settle_pending
from hub.store.tables import lease
from tests.hub.polling.conftest import ORDERS, RECENT, REFUNDS, Wired

pytestmark = pytest.mark.databases

Wire = Callable[..., Wired]
STREAMS = {"orders": {**ORDERS, "reread": {**RECENT, "every": 4}}}


def restored(poll: Wired, file: Path) -> restore.Restored:
    """Put the backup in the place of the database of a hub that is gone."""
    home = poll.hub.home
    chosen = settings.read(home)
    return restore.restore_from(
        file, chosen.database(home), chosen, replace=True, actor="ann", now=poll.clock
    )


def backed_up(poll: Wired, file: Path) -> None:
    place = settings.read(poll.hub.home).database(poll.hub.home)
    backup.back_up(place, file, now=poll.clock, overwrite=False)


def lost(wired: Wire, file: Path) -> restore.Restored:
    """A hub that was restored: it lacks two orders, and a refund that moved no time."""
    poll = wired(shop={"streams": STREAMS})
    poll.shop.per_page = 3
    old, *_ = poll.shop.place(5)
    poll.poll()
    poll.clock.pass_by(7200)
    poll.shop.place(2)
    poll.poll()
    backed_up(poll, file)
    poll.clock.pass_by(7200)
    poll.shop.place(2)
    poll.shop.refund(old)
    for _ in range(4):
        poll.poll_later()
    assert (poll.count("Order"), poll.count("Reversal")) == (9, 1)
    poll.clock.pass_by(60)
    poll.close()
    return restored(poll, file)


def test_what_was_lost_is_read_again(wired: Wire, tmp_path: Path) -> None:
    done = lost(wired, tmp_path / "all.backup")
    assert (done.rewound, done.unverified) == (("shop",), ())
    poll = wired(shop={"streams": STREAMS})
    assert (poll.count("Order"), poll.count("Reversal")) == (7, 0)
    before = len(poll.messages())
    poll.poll()
    assert (poll.count("Order"), poll.count("Reversal")) == (9, 1)
    # Two orders, and one that says of its refund: nothing that the backup had comes again.
    after = poll.messages()[before:]
    assert [state for state, _ in after] == ["applied"] * 3
    assert poll.status().failures == 0


def test_control_without_going_back_the_refund_is_not_there(
    wired: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "rewind_all", lambda connection, polls, *, to, now: [])
    lost(wired, tmp_path / "all.backup")
    poll = wired(shop={"streams": STREAMS})
    poll.poll()
    assert (poll.count("Order"), poll.count("Reversal")) == (9, 0)


def test_what_is_too_old_to_be_read_again_by_now_is_read_as_it_was_before_the_crash(
    wired: Wire, tmp_path: Path
) -> None:
    poll = wired(shop={"streams": STREAMS})
    poll.shop.per_page = 1
    old, *_ = poll.shop.place(2)
    poll.poll()
    backed_up(poll, tmp_path / "all.backup")
    poll.shop.refund(old)
    for _ in range(4):
        poll.poll_later()
    assert poll.count("Reversal") == 1
    poll.clock.pass_by(2 * 86_400)
    poll.close()
    restored(poll, tmp_path / "all.backup")
    poll = wired(shop={"streams": STREAMS})
    before = len(poll.shop.calls)
    # The shop has forgotten the page that was to come, and is asked for the first one again.
    poll.shop.before = lambda call: (404, {}, b"") if "page_info" in call.query else None
    poll.poll()
    assert poll.count("Reversal") == 1
    poll.shop.before = lambda call: None
    poll.poll_later(3600)
    asked = [call.query for call in poll.shop.calls[before:]]
    since = [each["created_at_min"] for each in asked if "created_at_min" in each]
    assert since == ["2030-12-31T00:00:00Z"] * 2
    assert poll.status().failures == 0


def test_a_cursor_comes_back_with_the_backup_and_a_long_wait_ends(
    wired: Wire, tmp_path: Path
) -> None:
    poll = wired(shop={"streams": {"orders": ORDERS, "refunds": REFUNDS}, "overlap_seconds": 100})
    poll.shop.place(3)
    poll.poll()
    poll.clock.pass_by(50)
    # Within the overlap of the backup, and told to wait for a day when that was taken.
    poll.shop.before = lambda call: (429, {"Retry-After": "86400"}, b"")
    poll.poll_later(10)
    with poll.hub.engine.begin() as connection:
        connection.execute(
            insert(lease), {"key": "poll shop", "holder": "gone", "fence": 0, "until_ms": 2**60}
        )
    backed_up(poll, tmp_path / "all.backup")
    poll.close()
    restored(poll, tmp_path / "all.backup")
    poll = wired(shop={"streams": {"orders": ORDERS, "refunds": REFUNDS}, "overlap_seconds": 100})
    poll.shop.before = lambda call: None
    assert poll.status().cursor == "2031-01-01T00:00:00.000000Z"
    # It has read nothing whole yet, and will read everything.
    assert poll.status("refunds").cursor is None
    assert (poll.status().failures, poll.status().due) == (0, True)
    poll.poll()
    assert poll.shop.calls[-2].query == {"updated_at_min": "2030-12-31T23:58:20Z"}


def _pushed(hub: Hub, body: bytes) -> None:
    with hub.engine.begin() as connection:
        take_in(connection, hub.door("shopify"), [body], name="webhook", now=hub.now())
    settle_pending(hub.engine, hub.bus, hub.translator, hub.now)


@pytest.mark.parametrize(("kind", "listed"), [("order", False), ("customer", True)])
def test_what_no_poll_reads_is_still_listed_as_unverified(
    wired: Wire, tmp_path: Path, kind: str, *, listed: bool
) -> None:
    poll = wired(shop={})
    with poll.hub.engine.begin() as connection:
        keys.create(connection, "x", "source", ["shopify"], actor="ann", now=poll.clock())
    poll.shop.place(1)
    poll.poll()
    (order,) = list(invented.orders(9, seed=1))[8:]
    body = shop_writer.order(order) if kind == "order" else shop_writer.customer(order.person)
    _pushed(poll.hub, body)
    assert [state for state, _ in poll.messages()] == ["applied"] * 2
    backed_up(poll, tmp_path / "all.backup")
    poll.close()
    done = restored(poll, tmp_path / "all.backup")
    assert [window.source for window in done.unverified] == ["shopify"] * listed
