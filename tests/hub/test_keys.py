"""Keys: known again by their secret alone, and ended at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from hub import bootstrap, keys
from hub.keys import Role
from hub.store.tables import api_key, audit
from schemas.problem import Denied, Refused, Rejected
from tests import homes

pytestmark = pytest.mark.databases


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    home = homes.made(tmp_path / "home")
    with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
        yield connection


def _create(connection: Connection, role: Role = "reader", *sources: str) -> tuple[keys.Key, str]:
    return keys.create(connection, "Till 7", role, sources, actor="ann", now="2031-07-08")


def test_a_key_is_known_again_and_its_secret_is_kept_nowhere(connection: Connection) -> None:
    key, text = _create(connection, "source", "poslog", "shopify")
    assert keys.recognised(connection, text) == key
    assert key.sources == ("poslog", "shopify")
    secret = text.split("_", 2)[2]
    assert len(secret) >= 43
    for table in (api_key, audit):
        for row in connection.execute(select(table)):
            assert secret not in str(row)


@pytest.mark.parametrize(
    "damage",
    [
        "lp_{id}_{short}",
        "lp_{id}_{secret}A",
        "lp_{id}_B{secret}",
        "lq_{id}_{secret}",
        "lp_{id}_",
        "lp_{id}",
        "lp_000000000000_{secret}",
        "",
        "lp_",
        "lp__",
        "lp_\ud800_\ud800",
    ],
    ids=range(11),
)
def test_what_is_not_the_key_is_denied(connection: Connection, damage: str) -> None:
    key, text = _create(connection)
    secret = text.split("_", 2)[2]
    wrong = damage.format(id=key.id, secret=secret, short=secret[:-1])
    assert wrong != text
    with pytest.raises(Denied) as denied:
        keys.recognised(connection, wrong)
    assert denied.value.problem.code == "LP-KEY-001"


def test_another_keys_secret_does_not_open_this_one(connection: Connection) -> None:
    (one, _), (_, other) = _create(connection), _create(connection)
    with pytest.raises(Denied):
        keys.recognised(connection, f"lp_{one.id}_{other.split('_', 2)[2]}")


def test_a_revoked_key_opens_nothing_and_is_still_listed(connection: Connection) -> None:
    key, text = _create(connection)
    keys.revoke(connection, key.id, actor="ann", now="2031-07-09")
    with pytest.raises(Denied):
        keys.recognised(connection, text)
    with pytest.raises(Rejected):
        keys.revoke(connection, key.id, actor="ann", now="2031-07-10")
    assert [(k.id, k.revoked_at) for k in keys.listed(connection)] == [(key.id, "2031-07-09")]
    acts = connection.execute(select(audit.c.actor, audit.c.act, audit.c.subject)).all()
    subject = f"key {key.id}"
    assert acts == [("ann", "key.create", subject), ("ann", "key.revoke", subject)]


@pytest.mark.parametrize(
    ("role", "sources"), [("source", ()), ("reader", ("poslog",)), ("receiver", ("poslog",))]
)
def test_sources_go_with_the_role_source_only(
    connection: Connection, role: Role, sources: tuple[str, ...]
) -> None:
    with pytest.raises(Refused):
        _create(connection, role, *sources)
    assert keys.listed(connection) == []


@pytest.mark.parametrize(
    ("role", "sources", "destinations"),
    [
        ("receiver", (), ()),
        ("reader", (), ("crm",)),
        ("source", ("poslog",), ("crm",)),
        ("receiver", ("poslog",), ("crm",)),
    ],
)
def test_destinations_go_with_the_role_receiver_only(
    connection: Connection, role: Role, sources: tuple[str, ...], destinations: tuple[str, ...]
) -> None:
    who = {"actor": "ann", "now": "2031-07-08"}
    with pytest.raises(Refused):
        keys.create(connection, "crm", role, sources, destinations=destinations, **who)
    assert keys.listed(connection) == []


def test_a_receivers_key_knows_its_destinations(connection: Connection) -> None:
    who = {"actor": "ann", "now": "2031-07-08"}
    to = ("stock", "crm", "crm")
    key, text = keys.create(connection, "ours", "receiver", destinations=to, **who)
    assert keys.recognised(connection, text) == key
    assert key.destinations == ("crm", "stock")
