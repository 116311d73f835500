"""Who is who is a pure function of the claims: any order of arrival, the same people."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from hub.people.claim import Claim
from hub.people.nobody import Nobody
from hub.people.profile import Profile, profile_of
from hub.store.database import open_database
from hub.store.tables import claim, document, mapping_version, message, record

ACCOUNT_A = Claim("customer", "A", "shop")
ACCOUNT_B = Claim("customer", "B", "shop")
CARD = Claim("loyalty", "9000001")
MAIL = Claim("email", "ann@example.org")
PHONE = Claim("phone", "+4315550101")
Claims = dict[str, tuple[Claim, ...]]


@contextmanager
def opened_database(path: Path) -> Iterator[Connection]:
    """A database with the one message that all documents of a test are from."""
    engine = open_database(path)
    with engine.begin() as opened:
        opened.execute(
            insert(record).values(
                id=1,
                source="s",
                system="s",
                connector="c",
                bytes=0,
                sha256="",
                context=b"",
                received_at="",
                messages=1,
            )
        )
        opened.execute(insert(mapping_version).values(hash="m", name="", text="", published_at=""))
        opened.execute(
            insert(message).values(
                id=1,
                record_id=1,
                position=0,
                offset=0,
                length=0,
                payload=b"",
                digest="",
                state="pending",
            )
        )
        yield opened
    engine.dispose()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with opened_database(tmp_path / "lynchpin.db") as opened:
        yield opened


def write(connection: Connection, claims: Iterable[tuple[str, tuple[Claim, ...]]]) -> None:
    for fact, made in claims:
        connection.execute(
            insert(document).values(
                fact=fact,
                kind="Order",
                model="order.v1",
                business_hash="",
                content_version=1,
                message_id=1,
                mapping="m",
                body="{}",
            )
        )
        for each in made:
            row = {"fact": fact, "kind": each.kind, "issuer": each.issuer, "value": each.value}
            connection.execute(insert(claim).values(row))


def profile(connection: Connection, fact: str, nobody: Nobody | None = None) -> Profile:
    return profile_of(connection, fact, nobody=nobody or Nobody())


def people(connection: Connection, claims: Claims) -> set[tuple[str, ...]]:
    """The partition of all documents into people."""
    return {profile(connection, fact).facts for fact in claims}


def test_one_person_in_three_places_is_one_profile(connection: Connection) -> None:
    claims: Claims = {
        "tills:sale": (CARD,),
        "shop:customer": (ACCOUNT_A, CARD, MAIL, PHONE),
        "phone:call": (PHONE,),
    }
    write(connection, claims.items())
    assert people(connection, claims) == {("phone:call", "shop:customer", "tills:sale")}


def test_the_order_of_arrival_changes_nothing(tmp_path: Path) -> None:
    claims: Claims = {
        "tills:1": (CARD,),
        "shop:1": (ACCOUNT_A, MAIL),
        "shop:2": (MAIL, PHONE),
        "shop:3": (CARD, PHONE),
    }
    partitions = []
    for number, order in enumerate(itertools.permutations(claims.items())):
        with opened_database(tmp_path / f"{number}.db") as opened:
            write(opened, order)
            partitions.append(people(opened, claims))
    assert all(partition == {tuple(sorted(claims))} for partition in partitions)


def test_an_identifier_of_two_accounts_joins_nothing_and_is_told(connection: Connection) -> None:
    claims: Claims = {"shop:A": (ACCOUNT_A, PHONE), "shop:B": (ACCOUNT_B, PHONE)}
    write(connection, claims.items())
    assert people(connection, claims) == {("shop:A",), ("shop:B",)}
    assert profile(connection, "shop:A").shared == (PHONE,)


def test_a_chain_between_two_accounts_breaks_at_its_weakest_kind(connection: Connection) -> None:
    claims: Claims = {
        "shop:A": (ACCOUNT_A, MAIL),
        "shop:guest": (MAIL, PHONE),
        "shop:B": (ACCOUNT_B, PHONE),
    }
    write(connection, claims.items())
    assert people(connection, claims) == {("shop:A", "shop:guest"), ("shop:B",)}
    assert profile(connection, "shop:A").shared == (PHONE,)
    assert profile(connection, "shop:B").shared == (PHONE,)


def test_accounts_of_two_systems_are_one_person(connection: Connection) -> None:
    other = Claim("customer", "A", "app")
    claims: Claims = {"shop:A": (ACCOUNT_A, MAIL), "app:A": (other, MAIL)}
    write(connection, claims.items())
    assert people(connection, claims) == {("app:A", "shop:A")}


def test_the_retailers_own_phone_and_the_walk_in_card_are_nobodys(connection: Connection) -> None:
    write(connection, {"a": (PHONE, CARD), "b": (PHONE,), "c": (CARD,)}.items())
    nobody = Nobody(phones=frozenset({PHONE.value}), cards=frozenset({CARD.value}))
    assert profile(connection, "a", nobody).facts == ("a",)
    assert profile(connection, "a").facts == ("a", "b", "c")


def test_what_a_browser_did_before_the_log_in_is_the_persons(connection: Connection) -> None:
    browser = Claim("visitor", "v1", "web")
    claims: Claims = {
        "web:visit": (browser,),
        "web:log-in": (browser, ACCOUNT_A),
        "shop:order": (ACCOUNT_A,),
    }
    write(connection, claims.items())
    assert people(connection, claims) == {("shop:order", "web:log-in", "web:visit")}


def test_a_browser_of_two_people_joins_neither(connection: Connection) -> None:
    browser = Claim("visitor", "v1", "web")
    claims: Claims = {
        "web:visit": (browser,),
        "web:A": (browser, ACCOUNT_A),
        "web:B": (browser, ACCOUNT_B),
    }
    write(connection, claims.items())
    assert people(connection, claims) == {("web:visit",), ("web:A",), ("web:B",)}
    assert profile(connection, "web:visit").shared == (browser,)


def test_a_household_and_a_name_join_nobody(connection: Connection) -> None:
    claims: Claims = {
        "a": (Claim("household", "77"), Claim("name", "ann example")),
        "b": (Claim("household", "77"), Claim("name", "ann example")),
    }
    write(connection, claims.items())
    assert people(connection, claims) == {("a",), ("b",)}


@pytest.mark.parametrize("seed", range(20))
def test_people_are_a_partition(connection: Connection, seed: int) -> None:
    """Whoever is asked first, everyone belongs to exactly one person."""
    dice = random.Random(seed)
    kinds = ("customer", "loyalty", "email", "phone")
    claims: Claims = {}
    for number in range(25):
        made = {
            Claim(kind, str(dice.randrange(8)), "shop" if kind == "customer" else "")
            for kind in dice.sample(kinds, dice.randrange(1, 3))
        }
        claims[f"f{number:02}"] = tuple(sorted(made))
    write(connection, claims.items())
    found = people(connection, claims)
    everyone = [fact for facts in found for fact in facts]
    assert sorted(everyone) == sorted(claims)
