"""A mistake in a mapping shows in its plan: how many documents, at which field, in which way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors import registry
from connectors.contract.trial import samples
from hub import bootstrap
from hub.authoring import draft as drafts
from hub.bootstrap import Hub
from hub.receive import receive
from tests import homes
from tests.hub.plan.conftest import exported, text_of
from tests.hub.plan.test_plan import planned
from tests.mappings.mistakes import MISTAKES

Groups = dict[tuple[str | None, str], int]
"""How many documents change at a path in a way, or fail at one with a code."""

FOUND: dict[str, Groups] = {
    "wrong path": {("total", "changed"): 11, ("total", "flag comes: LP-CHK-002"): 10},
    "wrong sign": {("lines[].amount", "changed"): 1, ("total", "flag comes: LP-CHK-001"): 1},
    "dropped field": {("operator", "removed"): 19},
    "swapped code": {("tenders[].kind", "changed"): 18},
    "code left out": {
        ("outcome", "code becomes unknown"): 1,
        ("outcome", "flag comes: LP-MAP-201"): 1,
    },
    "wrong list": {
        ("shipping[]", "added"): 7,
        ("shipping[].name", "changed"): 10,
        ("shipping[].code", "removed"): 10,
        ("shipping[].amount", "changed"): 10,
        ("shipping[].taxes[]", "added"): 8,
        ("shipping[].taxes[].name", "changed"): 1,
        ("shipping[].taxes[].rate", "changed"): 1,
        ("shipping[].taxes[].amount", "changed"): 1,
        ("total", "flag comes: LP-CHK-002"): 11,
    },
    "dropped where": {("RetailTransaction.LineItem[].Tender.@TenderType", "LP-MAP-102"): 19},
    "wrong constant": {("kind", "changed"): 5},
    "condition inverted": {("lines[].kind", "changed"): 17, ("lines[].origin", "removed"): 2},
    "wrong code table": {
        ("payment", "code becomes unknown"): 12,
        ("payment", "flag comes: LP-MAP-201"): 12,
    },
    "gross for net": {("tax", "changed"): 18},
    "item kinds swapped": {("lines[].item[].kind", "changed"): 7},
    "condition on the other side": {
        ("lines[].counts", "changed"): 1,
        ("total", "flag comes: LP-CHK-001"): 1,
    },
    "never reached": {
        ("kind", "code becomes unknown"): 2,
        ("kind", "flag comes: LP-MAP-201"): 2,
    },
    "written back elsewhere": {("given_name", "changed"): 6, ("family_name", "changed"): 6},
}
"""What is said of each, in documents of the samples, each counted once however often it came."""


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that received every sample of every connector. Plans change nothing in it."""
    home = homes.made(tmp_path_factory.mktemp("received") / "home")
    with bootstrap.open_hub(home) as hub:
        for connector in registry.manifests():
            assert receive(hub, connector, samples(connector)).refused == 0
        yield hub


def _kind(name: str) -> tuple[str, str]:
    """Connector and kind of message that a mapping is for."""
    connector, _, file = name.partition(".")
    messages = registry.manifests()[connector].messages
    return connector, next(kind for kind, each in messages.items() if each.mapping == file)


@pytest.mark.parametrize("mistake", FOUND)
def test_a_mistake_is_told_by_its_plan(received: Hub, mistake: str) -> None:
    name, right, wrong, _ = MISTAKES[mistake]
    text = text_of(*_kind(name))
    assert right in text
    draft = drafts.drafted(text.replace(right, wrong, 1), "own.yaml", lambda name: None)
    report = planned(received, draft)
    groups: Groups = {(each.path, each.kind): each.count for each in report.changes}
    groups |= {(each.path, each.code): each.count for each in report.failures if each.new}
    assert groups == FOUND[mistake]
    # A document may be in several groups, and each that is not equal is in one at least.
    counts = report.counts
    assert max(groups.values()) <= counts.changed + counts.newly_failing <= sum(groups.values())


@pytest.mark.parametrize("name", sorted({name for name, *_ in MISTAKES.values()}))
def test_the_plan_of_what_is_shipped_tells_nothing(received: Hub, name: str) -> None:
    before = exported(received)
    report = planned(received, drafts.drafted(text_of(*_kind(name)), "own.yaml", lambda name: None))
    assert report.counts.documents == report.counts.equal > 0
    assert (report.changes, report.failures) == ([], [])
    assert exported(received) == before


def test_every_mistake_that_can_be_read_at_all_was_planned() -> None:
    assert set(FOUND) == {each for each, (*_, by) in MISTAKES.items() if by != "check"}
