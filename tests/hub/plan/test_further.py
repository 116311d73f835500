"""Plans of further documents: what would come, change and go, and what a replay makes of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from connectors import registry
from hub import bootstrap, publication
from hub.apply import CONFLICT
from hub.authoring import draft as drafts
from hub.authoring import publishing
from hub.authoring.draft import Draft
from hub.bootstrap import Hub
from hub.journal import compress
from hub.plan import planning, shelf
from hub.plan.report import People, Report, Window
from hub.receive import receive
from hub.remake import Remade
from hub.store.tables import message
from tests import homes
from tests.hub.further import conftest as further
from tests.hub.replaying import replay

SAMPLE = registry.folder("shopify") / "samples" / "order-partly-fulfilled.json"
OWN = """\
extends: shopify.order
further:
  delivery:
    to: Interaction
    from: fulfillments[]
    key: name
    rules:
      id: id
      kind: = visit
      occurred_at: updated_at
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """With an order of one delivery, one of two, and one of none."""
    home = homes.made(tmp_path / "home")
    file = tmp_path / "orders.jsonl"
    bodies = [order(1, "1.1"), order(2, "2.1", "2.2"), order(3)]
    file.write_text("\n".join(map(json.dumps, bodies)))
    with bootstrap.open_hub(home) as hub:
        assert receive(hub, "shopify", [file]).applied == len(bodies)
        yield hub


def order(number: int, *names: str, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(SAMPLE.read_bytes())
    (one,) = body["fulfillments"]
    made = [{**one, "id": f"{number}{place}", "name": name} for place, name in enumerate(names)]
    return {**body, "id": number, "fulfillments": made, **changes}


def draft(hub: Hub, *changes: tuple[str, str]) -> Draft:
    return further.draft(hub, *changes, text=OWN)


def published(hub: Hub, made: Draft) -> None:
    with hub.engine.begin() as connection:
        publishing.publish(connection, made, actor="ann", now=hub.now())


def planned(hub: Hub, made: Draft) -> Report:
    return planning.plan(hub, made, planning.begun(hub, made, source=None, since=None))


def replayed(hub: Hub, plan: str | None = None) -> Remade:
    with hub.engine.begin() as connection:
        target = publication.target("shopify.order")
        return replay(hub, connection, target, plan=plan)


def test_a_plan_says_how_many_would_come_and_its_replay_brings_them(hub: Hub) -> None:
    made = draft(hub)
    report = planned(hub, made)
    said = report.further["delivery"]
    assert (said.come, said.go, said.equal, said.changed, said.failing) == (3, 0, 0, 0, 0)
    assert (report.counts.equal, report.affected) == (3, [(1, 2)])
    assert [each.fact for each in said.samples] == [
        f"shopify:order+delivery/{name}" for name in ("1.1", "2.1", "2.2")
    ]
    assert json.loads(said.samples[0].after or "")["kind"] == "visit"
    assert shelf.read(hub.home, report.id) == report
    published(hub, made)
    done = replayed(hub, report.id)
    assert (done.remade, done.added, done.failed) == (2, 3, 0)
    none = planned(hub, made).further["delivery"]
    assert (none.come, none.equal) == (0, 3)


def test_what_is_there_is_compared_and_comes_no_more(hub: Hub) -> None:
    published(hub, draft(hub))
    replayed(hub)
    made = draft(hub, ("kind: = visit", "kind: = call"))
    report = planned(hub, made)
    said = report.further["delivery"]
    assert (said.come, said.go, said.equal, said.changed) == (0, 0, 0, 3)
    (change,) = report.changes
    assert (change.path, change.count) == ("delivery: kind", 3)
    assert (change.samples[0].before, change.samples[0].after) == ("visit", "call")
    assert (report.counts.equal, report.affected) == (3, [(1, 2)])
    published(hub, made)
    assert replayed(hub, report.id).remade == 2 + 3
    assert planned(hub, made).further["delivery"].equal == 3


def test_what_would_go_is_told_and_stays(hub: Hub) -> None:
    published(hub, draft(hub))
    replayed(hub)
    text = "from: fulfillments[] where name = 2.1"
    some = planned(hub, draft(hub, ("from: fulfillments[]", text)))
    said = some.further["delivery"]
    assert (said.come, said.go, said.left, said.equal) == (0, 2, 0, 1)
    assert [each.fact for each in said.samples] == [
        "shopify:order+delivery/1.1",
        "shopify:order+delivery/2.2",
    ]
    bare = draft(hub, (OWN.partition("further:")[2], " {}\n"))
    none = planned(hub, bare).further["delivery"]
    assert (none.go, none.left) == (3, 0)
    published(hub, bare)
    done = replayed(hub)
    assert (done.remade, done.left) == (3, 3)
    again = planned(hub, bare).further["delivery"]
    assert (again.go, again.left) == (0, 3)


def test_what_would_hold_a_message_newly_fails(hub: Hub) -> None:
    made = draft(hub, ("key: name", "key: receipt.no"))
    report = planned(hub, made)
    assert (report.counts.equal, report.counts.newly_failing) == (1, 2)
    (failure,) = report.failures
    assert (failure.code, failure.new, failure.count) == ("LP-MAP-102", True, 2)
    assert failure.path == "fulfillments[]"
    wrong = planned(hub, draft(hub, ("kind: = visit", "kind: tracking_company | integer")))
    assert wrong.counts.newly_failing == 2
    assert {each.code for each in wrong.failures} == {"LP-MAP-101"}


def test_what_fails_in_the_text_in_force_as_well_is_not_new(hub: Hub) -> None:
    published(hub, draft(hub, ("key: name", "key: receipt.no")))
    report = planned(hub, draft(hub, ("key: name", "key: receipt.other")))
    assert (report.counts.newly_failing, report.counts.still_failing) == (0, 2)


def test_one_that_another_message_says_otherwise_is_foreseen(hub: Hub, tmp_path: Path) -> None:
    made = draft(hub)
    published(hub, made)
    file = tmp_path / "other.json"
    file.write_text(json.dumps(order(4, "1.1")))
    assert receive(hub, "shopify", [file]).applied == 1
    report = planned(hub, draft(hub, ("extends", "# again\nextends")))
    assert [each.code for each in report.failures] == [CONFLICT.code]
    done = replayed(hub)
    assert [problem.code for problem in done.problems.values()] == [CONFLICT.code]


def test_two_that_would_come_and_contradict_each_other_are_foreseen(
    hub: Hub, tmp_path: Path
) -> None:
    """Order 4 says of the delivery of order 1 something else, order 5 the same as order 2."""
    same = {"fulfillments": order(2, "2.1")["fulfillments"]}
    file = tmp_path / "others.jsonl"
    bodies = [order(4, "1.1"), {**order(5), **same}]
    file.write_text("\n".join(map(json.dumps, bodies)))
    assert receive(hub, "shopify", [file]).applied == 2
    made = draft(hub)
    report = planned(hub, made)
    said = report.further["delivery"]
    assert (said.come, report.counts.newly_failing, report.counts.equal) == (3, 1, 4)
    assert [(each.code, each.new) for each in report.failures] == [(CONFLICT.code, True)]
    published(hub, made)
    done = replayed(hub)
    assert (done.added, done.failed) == (3, 1)
    assert [problem.code for problem in done.problems.values()] == [CONFLICT.code]


PERSON = "      occurred_at: updated_at\n"
NAMED = "      customers[] from /customer[]:\n        kind: = membership\n        value: {value}\n"


def naming(hub: Hub, value: str) -> Draft:
    return draft(hub, (PERSON, PERSON + NAMED.format(value=value)))


def strangers(hub: Hub, tmp_path: Path) -> None:
    """Two orders with a delivery each, of people that have nothing to do with each other."""
    file = tmp_path / "strangers.jsonl"
    fields = ("email", "contact_email", "phone", "billing_address", "shipping_address")
    unsaid: dict[str, Any] = dict.fromkeys(fields)
    bodies = [order(n, f"{n}.1", **unsaid, customer={"id": n}) for n in (11, 12)]
    file.write_text("\n".join(map(json.dumps, bodies)))
    assert receive(hub, "shopify", [file]).applied == 2


@pytest.mark.parametrize(
    ("value", "joins"),
    [
        # One number for all of them makes one person of three.
        ("= M-1", 5),
        # One for the deliveries of an order, and one for those of a customer, do not.
        ("= M-{/id}", 0),
        ("id", 0),
    ],
)
def test_whom_those_would_join_that_come_is_told(
    hub: Hub, tmp_path: Path, value: str, joins: int
) -> None:
    strangers(hub, tmp_path)
    # Whose they are is said by the order, which is known by its number.
    report = planned(hub, naming(hub, value))
    people = report.people
    assert report.further["delivery"].come == people.documents == 5
    assert (people.joins, people.leaves) == (joins, 0)


def test_who_is_named_by_nothing_that_comes_joins_nobody(hub: Hub) -> None:
    assert planned(hub, draft(hub)).people == People()


def test_whom_those_would_join_that_change_is_told(hub: Hub, tmp_path: Path) -> None:
    strangers(hub, tmp_path)
    published(hub, naming(hub, "= M-{/id}"))
    assert replayed(hub).added == 5
    people = planned(hub, naming(hub, "= M-all")).people
    assert (people.documents, people.joins, people.leaves) == (5, 5, 0)


def test_a_message_on_which_a_connector_fails_is_counted(hub: Hub) -> None:
    """Whatever a decoder raises, one message ends no plan."""
    published(hub, draft(hub))
    replayed(hub)

    connector = registry.load("shopify")
    assert connector.again is not None
    again = connector.again

    def fails(payload: bytes, *rest: Any) -> Any:
        if b"#1014" in payload and b'"id": 1,' in payload:
            raise RuntimeError("of the decoder")
        return again(payload, *rest)

    with pytest.MonkeyPatch.context() as patch:
        broken = dataclasses.replace(connector, again=fails)
        patch.setattr(registry, "load", lambda name: broken)
        said = planned(hub, draft(hub, ("kind: = visit", "kind: = call"))).further["delivery"]
    assert (said.failing, said.changed) == (1, 2)


def test_a_held_message_may_be_fixed_by_another_key(hub: Hub, tmp_path: Path) -> None:
    published(hub, draft(hub, ("key: name", "key: receipt.no")))
    file = tmp_path / "other.json"
    file.write_text(json.dumps(order(4, "4.1")))
    assert receive(hub, "shopify", [file]).held == 1
    assert planned(hub, draft(hub)).counts.newly_fixed == 1


def test_a_message_that_nobody_can_decode_any_more_stops_no_plan(hub: Hub) -> None:
    made = draft(hub)
    published(hub, made)
    replayed(hub)
    torn = update(message).where(message.c.id == 1).values(payload=compress(b'{"id": 1'))
    with hub.engine.begin() as connection:
        connection.execute(torn)
    report = planned(hub, draft(hub, ("kind: = visit", "kind: = call")))
    said = report.further["delivery"]
    assert (said.failing, said.changed, said.go) == (1, 2, 0)
    assert report.counts.still_failing == 1


def test_the_messages_of_a_plan_may_be_noted_in_any_order() -> None:
    for numbers in ([1, 2, 3, 7, 9, 8], [9, 3, 7, 1, 8, 2, 3], [8, 9, 7, 2, 1, 3]):
        report = Report(
            id="", connector="", kind="", file="", proposed="", published="", begun_at="",
            window=Window(last=0), affected=[],
        )  # fmt: skip
        for number in numbers:
            report.affects(number)
        assert report.affected == [(1, 3), (7, 9)]


def test_a_plan_that_is_cut_short_goes_on_among_further_documents(hub: Hub) -> None:
    published(hub, draft(hub))
    replayed(hub)
    made = draft(hub, ("kind: = visit", "kind: = call"))
    whole = planned(hub, made)
    part = planning.begun(hub, made, source=None, since=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "PAGE", 1)
        cut = planning.plan(hub, made, Report.model_validate_json(part.model_dump_json()))
    assert cut.model_dump(exclude={"id", "begun_at"}) == whole.model_dump(
        exclude={"id", "begun_at"}
    )


def test_further_documents_are_not_taken_for_what_they_lie_in(hub: Hub) -> None:
    """Both are of one kind here, and lie at the same place of the message."""
    own = (
        "extends: events.event\nfurther:\n  copy:\n    to: Interaction\n    from: .\n"
        "    key: id\n    rules:\n      id: = {id}-copy\n      kind: = call\n"
    )
    file = hub.home.mappings / "own.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(own)
    made = drafts.read(file, hub.home)
    published(hub, made)
    sample = registry.folder("events") / "samples" / "survey-answered.json"
    assert receive(hub, "events", [sample]).held == 0
    report = planned(hub, made)
    assert (report.counts.documents, report.counts.equal, report.counts.drifted) == (1, 1, 0)
    assert report.further["copy"].equal == 1


CLAIM = (
    "      occurred_at: updated_at\n",
    """\
      occurred_at: updated_at
      customers[] from /customer[]:
        kind: = loyalty
        value: id
""",
)


def test_whose_people_one_that_comes_would_join_is_told(hub: Hub) -> None:
    assert planned(hub, draft(hub)).people.documents == 0
    made = draft(hub, CLAIM)
    people = planned(hub, made).people
    # One account placed all orders: the three deliveries are with each other as the orders are.
    assert (people.documents, people.joins, people.leaves) == (3, 0, 0)
    published(hub, made)
    replayed(hub)
    assert planned(hub, made).people.documents == 0


def test_whose_people_one_that_changes_would_join_or_leave_is_told(hub: Hub) -> None:
    published(hub, draft(hub))
    replayed(hub)
    people = planned(hub, draft(hub, CLAIM)).people
    assert (people.documents, people.joins, people.leaves) == (3, 3, 0)
    published(hub, draft(hub, CLAIM))
    replayed(hub)
    people = planned(hub, draft(hub)).people
    assert (people.documents, people.joins, people.leaves) == (3, 0, 3)
