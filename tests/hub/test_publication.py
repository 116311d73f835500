"""What is in force: the last publication, else what is shipped; one answer a transaction."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import delete, event, select

from connectors import registry
from hub import bootstrap, doctor, explain, holds, library, publication
from hub.authoring.inventory import inventory
from hub.bootstrap import Hub
from hub.demo import poslog_writer
from hub.home import Home
from hub.publication import Publication, Target
from hub.receive import receive
from hub.store.tables import audit, document, mapping_publication, mapping_version, message
from mappings.spec import version_of
from schemas.problem import Rejected

pytestmark = pytest.mark.databases

RETAIL = Target("poslog", "retail")
NOW = "2031-01-01T00:00:00.000000Z"
SHIPPED, FILE = library.shipped_text("poslog", "retail")


def variant(number: int) -> str:
    """Another version that makes the same documents."""
    return f"{SHIPPED}# variant {number}\n"


def published(hub: Hub, number: int) -> Publication:
    with hub.engine.begin() as connection:
        text = variant(number)
        return publication.publish(connection, RETAIL, text, "own.yaml", actor="ann", now=NOW)


def back(hub: Hub, to: str | None = None) -> Publication:
    with hub.engine.begin() as connection:
        return publication.rollback(connection, RETAIL, to, actor="ann", now=NOW)


def in_force(hub: Hub) -> str:
    with hub.engine.begin() as connection:
        return library.in_force(connection, "poslog", "retail").version


def acts(hub: Hub) -> list[tuple[str, str, str]]:
    with hub.engine.begin() as connection:
        lines = publication.log(connection, RETAIL)
    return [(line.act, line.hash, line.actor) for line in lines]


def sent(hub: Hub, tmp_path: Path, index: int) -> str:
    """Version of the mapping that made the document of a sale."""
    file = tmp_path / f"{index}.xml"
    file.write_bytes(poslog_writer.sale(index, seed=1))
    report = receive(hub, "poslog", [file])
    assert report.applied == 1
    with hub.engine.begin() as connection:
        last = select(document.c.mapping).order_by(document.c.message_id.desc()).limit(1)
        return str(connection.scalar(last))


def test_a_new_home_has_what_is_shipped(hub: Hub) -> None:
    assert in_force(hub) == version_of(SHIPPED)
    ((act, version, actor),) = acts(hub)
    assert (act, version) == ("shipped", version_of(SHIPPED))
    assert actor.startswith("lynchpin ")


def test_a_home_without_a_log_goes_by_what_is_shipped(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        connection.execute(delete(mapping_publication))
    assert in_force(hub) == version_of(SHIPPED)


def test_what_is_published_makes_the_next_document_and_no_earlier_one(
    hub: Hub, tmp_path: Path
) -> None:
    assert sent(hub, tmp_path, 1) == version_of(SHIPPED)
    line = published(hub, 1)
    assert (line.hash, line.act, line.own) == (version_of(variant(1)), "publish", True)
    assert sent(hub, tmp_path, 2) == line.hash
    with hub.engine.begin() as connection:
        versions = set(connection.scalars(select(document.c.mapping)))
        facts = connection.execute(select(document.c.fact, document.c.mapping)).all()
        assert versions == {version_of(SHIPPED), line.hash}
        for fact, version in facts:
            # Each is explained by the one that made it.
            assert {row.version for row in explain.explain(hub, connection, fact)} == {version}


def test_within_a_transaction_nothing_changes_any_more(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        before = library.in_force(connection, "poslog", "retail")
        text = variant(1)
        publication.publish(connection, RETAIL, text, "own.yaml", actor="ann", now=NOW)
        assert library.in_force(connection, "poslog", "retail") is before
    assert in_force(hub) == version_of(variant(1))


def test_a_transaction_asks_once(hub: Hub) -> None:
    kinds = ("retail", "control", "retail_v6")
    published(hub, 1)
    with hub.engine.begin() as connection:
        for kind in kinds:
            library.in_force(connection, "poslog", kind)
    asked: list[str] = []

    @event.listens_for(hub.engine, "before_cursor_execute")
    def _(connection: object, cursor: object, statement: str, *rest: object) -> None:
        asked.append(statement)

    with hub.engine.begin() as connection:
        for _again in range(3):
            for kind in kinds:
                library.in_force(connection, "poslog", kind)
    assert len([one for one in asked if "mapping_publication" in one]) == 1
    assert [one for one in asked if "mapping_version" in one] == []


def test_a_publication_that_is_rolled_back_never_was(hub: Hub) -> None:
    with hub.engine.connect() as connection:
        publication.publish(connection, RETAIL, variant(1), "x", actor="ann", now=NOW)
        connection.rollback()
    assert in_force(hub) == version_of(SHIPPED)
    assert len(acts(hub)) == 1


def test_back_and_back_again_goes_further_back(hub: Hub) -> None:
    first, second = published(hub, 1), published(hub, 2)
    line = back(hub)
    assert (line.act, line.hash) == ("rollback", first.hash)
    assert in_force(hub) == first.hash
    assert back(hub).hash == version_of(SHIPPED)
    with pytest.raises(Rejected, match="LP-PUB-001"):
        back(hub)
    # Nothing is ever taken out of the log.
    assert [act for act, _, _ in acts(hub)] == [
        "shipped",
        "publish",
        "publish",
        "rollback",
        "rollback",
    ]
    assert back(hub, second.hash[:6]).hash == second.hash
    assert back(hub).hash == version_of(SHIPPED)


def test_back_undoes_one_after_the_other_also_what_was_there_twice(hub: Hub) -> None:
    first, second = published(hub, 1).hash, published(hub, 2).hash
    assert published(hub, 1).hash == first
    published(hub, 3)
    assert [back(hub).hash for _ in range(4)] == [first, second, first, version_of(SHIPPED)]


def test_a_version_is_told_by_some_of_its_digits(hub: Hub) -> None:
    first = published(hub, 1)
    published(hub, 2)
    assert back(hub, first.hash[:4]).hash == first.hash
    for nothing in ("", first.hash[:3], "0" * 16, "%", "SHIPPED"):
        with pytest.raises(Rejected, match="LP-PUB-002"):
            back(hub, nothing)
    assert back(hub, "shipped").hash == version_of(SHIPPED)


def test_a_version_of_another_mapping_is_none_of_this_one(hub: Hub) -> None:
    other, _ = library.shipped_text("poslog", "control")
    with pytest.raises(Rejected, match="LP-PUB-002"):
        back(hub, version_of(other))


def test_asking_twice_is_asking_once(hub: Hub) -> None:
    first = published(hub, 1)
    assert published(hub, 1) == first
    assert back(hub, first.hash) == first
    assert len(acts(hub)) == 2


def test_what_is_done_is_in_the_audit(hub: Hub) -> None:
    first = published(hub, 1)
    back(hub)
    with hub.engine.begin() as connection:
        rows = connection.execute(
            select(audit.c.actor, audit.c.act, audit.c.subject, audit.c.detail)
        ).all()
    before = version_of(SHIPPED)
    assert [(*row[:3], json.loads(row[3])) for row in rows] == [
        (
            "ann",
            "mapping.publish",
            "mapping poslog.retail",
            {"version": first.hash, "instead_of": before},
        ),
        (
            "ann",
            "mapping.rollback",
            "mapping poslog.retail",
            {"version": before, "instead_of": first.hash},
        ),
    ]


def shipped_was(hub: Hub, text: str) -> None:
    """Make it as if the Lynchpin before had shipped this text."""
    with hub.engine.begin() as connection:
        connection.execute(
            delete(mapping_publication).where(mapping_publication.c.kind == "retail")
        )
        values = {"hash": version_of(text), "name": FILE, "text": text, "published_at": NOW}
        connection.execute(mapping_version.insert().values(values))
        line = {"connector": "poslog", "kind": "retail", "hash": version_of(text), "at": NOW}
        line |= {"act": "shipped", "shipped": version_of(text), "actor": "lynchpin 0.0"}
        connection.execute(mapping_publication.insert().values(line))


def update_of_lynchpin(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        publication.follow_shipped(connection, {"poslog"}, now=NOW)


def test_an_update_brings_what_it_ships(hub: Hub) -> None:
    shipped_was(hub, variant(9))
    assert in_force(hub) == version_of(variant(9))
    update_of_lynchpin(hub)
    assert in_force(hub) == version_of(SHIPPED)
    update_of_lynchpin(hub)
    assert [version for _, version, _ in acts(hub)] == [version_of(variant(9)), version_of(SHIPPED)]


def test_an_update_leaves_alone_what_a_retailer_has_published(hub: Hub) -> None:
    shipped_was(hub, variant(9))
    with hub.engine.begin() as connection:
        # The hub of that day shipped the other text.
        line = {"connector": "poslog", "kind": "retail", "at": NOW, "actor": "ann"}
        line |= {"hash": library.keep(connection, variant(1), "own.yaml", now=NOW)}
        line |= {"act": "publish", "shipped": version_of(variant(9))}
        connection.execute(mapping_publication.insert().values(line))
    update_of_lynchpin(hub)
    assert in_force(hub) == version_of(variant(1))
    # Back is what ran before, and stays: it is not what is shipped now.
    assert back(hub).hash == version_of(variant(9))
    update_of_lynchpin(hub)
    assert in_force(hub) == version_of(variant(9))
    assert back(hub, "shipped").own is False


def test_whoever_went_back_to_what_is_shipped_follows_it(hub: Hub) -> None:
    shipped_was(hub, variant(9))
    with hub.engine.begin() as connection:
        line = {"connector": "poslog", "kind": "retail", "at": NOW, "actor": "ann"}
        line |= {"act": "rollback", "hash": version_of(variant(9))}
        line |= {"shipped": version_of(variant(9))}
        connection.execute(mapping_publication.insert().values(line))
    update_of_lynchpin(hub)
    assert in_force(hub) == version_of(SHIPPED)


def test_a_released_hold_goes_through_what_is_in_force_then(hub: Hub, tmp_path: Path) -> None:
    broken = SHIPPED.replace("BusinessDayDate", "NoSuchDay")
    assert broken != SHIPPED
    with hub.engine.begin() as connection:
        publication.publish(connection, RETAIL, broken, "own.yaml", actor="ann", now=NOW)
    file = tmp_path / "sale.xml"
    file.write_bytes(poslog_writer.sale(seed=1))
    assert receive(hub, "poslog", [file]).held == 1
    assert set(holds.release(hub, [1], actor="ann").states.values()) == {"held"}
    back(hub)
    assert holds.release(hub, [1], actor="ann").states == {1: "applied"}
    with hub.engine.begin() as connection:
        assert set(connection.scalars(select(message.c.mapping))) == {version_of(SHIPPED)}


def test_a_text_that_cannot_be_read_any_more_holds_and_loses_nothing(
    hub: Hub, tmp_path: Path
) -> None:
    with hub.engine.begin() as connection:
        nonsense = f"{SHIPPED}nonsense: 1\n"
        publication.publish(connection, RETAIL, nonsense, "own.yaml", actor="ann", now=NOW)
    file = tmp_path / "sale.xml"
    file.write_bytes(poslog_writer.sale(seed=1))
    report = receive(hub, "poslog", [file])
    assert report.held == 1
    assert [problem.code for problem in report.problems] == ["LP-MAP-003"]
    back(hub)
    assert holds.release(hub, [1], actor="ann").states == {1: "applied"}


def test_the_doctor_says_what_is_in_force_and_what_cannot_be_read(home: Home) -> None:
    with bootstrap.open_hub(home) as hub:
        published(hub, 1)
    (found,) = (each for each in doctor.examine(home) if each.what == "mappings")
    kinds = sum(len(manifest.messages) for manifest in registry.manifests().values())
    assert (found.well, found.detail) == (True, f"{kinds} in force, 1 of your own")
    with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
        nonsense = f"{SHIPPED}nonsense: 1\n"
        publication.publish(connection, RETAIL, nonsense, "own.yaml", actor="ann", now=NOW)
    (found,) = (each for each in doctor.examine(home) if each.what.startswith("mapping"))
    assert (found.what, found.well) == ("mapping poslog.retail", False)
    assert "LP-MAP-003" in found.detail


def test_the_inventory_says_that_another_one_is_shipped_by_now(hub: Hub) -> None:
    def changed() -> bool:
        with hub.engine.begin() as connection:
            found = inventory(connection, {"poslog"})
        (retail,) = (each for each in found if each.target == RETAIL)
        return retail.shipped_changed

    shipped_was(hub, variant(9))
    assert not changed()
    with hub.engine.begin() as connection:
        line = {"connector": "poslog", "kind": "retail", "at": NOW, "actor": "ann"}
        line |= {"hash": library.keep(connection, variant(1), "own.yaml", now=NOW)}
        line |= {"act": "publish", "shipped": version_of(variant(9))}
        connection.execute(mapping_publication.insert().values(line))
    assert changed()
    published(hub, 2)
    # Whoever publishes anew has seen what is shipped now.
    assert not changed()


def test_what_is_shipped_can_be_gone_back_to_though_no_hub_has_kept_it(hub: Hub) -> None:
    published(hub, 1)
    with hub.engine.begin() as connection:
        connection.execute(
            delete(mapping_publication).where(mapping_publication.c.act == "shipped")
        )
        known = mapping_version.c.hash == version_of(SHIPPED)
        connection.execute(delete(mapping_version).where(known))
    assert back(hub, "shipped").hash == version_of(SHIPPED)
    assert in_force(hub) == version_of(SHIPPED)
