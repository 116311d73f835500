"""Somebody without a developer makes several documents of a message, from a file to a story."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from connectors import registry

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from tests.e2e.conftest import House

SAMPLES = registry.folder("shopify") / "samples"
ORDER = SAMPLES / "order-partly-fulfilled.json"
FACT = "shopify:order+delivery/#1014.1"
OWN = """\
extends: shopify.order

further:
  delivery:
    to:            Interaction
    from:          fulfillments[]
    key:           name
    version:       updated_at
    rules:
      id:          id
      kind:        = visit
      occurred_at: updated_at
      outcome:     status
      orders:      [/id]
      customers[] from /customer[]:
        kind:      = customer
        value:     id
"""
EMAIL = "ada.invented@example.org"


def done(house: House, *args: str) -> CompletedProcess[str]:
    made = house.lynchpin(*args)
    assert made.returncode == 0, made.stderr
    return made


def said(house: House, *args: str) -> Any:
    return json.loads(done(house, *args, "--json").stdout)


def story(house: House) -> list[str]:
    return [event["fact"] for event in said(house, "customer", "show", EMAIL)["story"]]


def test_from_a_file_of_differences_to_the_story_of_a_customer(house: House) -> None:
    done(house, "receive", "shopify", str(ORDER))
    assert story(house) == ["shopify:order/4400000001014"]
    own = str(house.file(OWN.encode(), "order.yaml"))

    done(house, "map", "check", own)
    first, second = said(house, "map", "try", own, str(ORDER))
    assert (first["further"], second["further"], second["fact"]) == (None, "delivery", FACT)
    sources = {value["path"]: value["source"] for value in second["values"]}
    assert sources["outcome"] == "fulfillments[0].status"
    shown = done(house, "map", "try", own, str(ORDER)).stdout
    assert FACT in shown
    assert "fulfillments[0].status" in shown

    # Only the order itself has a way back.
    back = said(house, "map", "try", own, str(ORDER), "--back")
    assert ["back" in each for each in back] == [True, False]

    plan = said(house, "map", "plan", own)
    assert plan["further"]["delivery"]["come"] == 1
    assert "delivery" in done(house, "map", "plan", own).stdout
    done(house, "map", "publish", own, "--plan", plan["id"])
    assert story(house) == ["shopify:order/4400000001014"]
    first_time = said(house, "map", "replay", "shopify.order")
    assert (first_time["remade"], first_time["added"]) == (1, 1)
    assert sorted(story(house)) == [FACT, "shopify:order/4400000001014"]
    second_time = said(house, "map", "replay", "shopify.order")
    assert (second_time["remade"], second_time["added"], second_time["left"]) == (0, 0, 0)

    origin = done(house, "explain", FACT, "outcome").stdout
    assert "from fulfillments[0].status" in origin
    assert origin.split("by")[1].split()[:2] == ["outcome:", "status"]
    covered = said(house, "map", "cover", "shopify.order")
    assert covered["further"]["delivery"]["documents"] == 1

    rows = house.rows()
    done(house, "receive", "shopify", str(house.file(ORDER.read_bytes() + b"\n")))
    assert house.rows()["document"] == rows["document"]
    done(house, "map", "rollback", "shopify.order")
    assert said(house, "map", "replay", "shopify.order")["left"] == 1
    assert FACT in story(house)


def test_a_hub_that_is_up_takes_and_replays_them_as_well(house: House) -> None:
    own = str(house.file(OWN.encode(), "order.yaml"))
    other = json.loads(ORDER.read_bytes())
    other |= {"id": 7, "fulfillments": [{**other["fulfillments"][0], "name": "#7.1", "id": 8}]}
    key = house.key("source", "--source", "shopify")
    with house.up() as running:
        with running.calling(key) as shop:
            shop.post("/sources/shopify/records", content=ORDER.read_bytes()).raise_for_status()
        done(house, "map", "publish", own)
        with running.calling(key) as shop:
            shop.post("/sources/shopify/records", content=json.dumps(other)).raise_for_status()
            shop.post("/sources/shopify/records", content=json.dumps(other)).raise_for_status()
        desk = house.key("operator")
        with running.calling(desk) as client:
            while client.get("/messages", params={"state": "pending"}).json()["items"]:
                pass
        made = said(house, "map", "replay", "shopify.order")
        assert (made["remade"], made["added"], made["left"], made["failed"]) == (1, 1, 0, 0)
    lines = [json.loads(line) for line in house.export("Interaction").splitlines()]
    assert [line["fact"] for line in lines] == [FACT, "shopify:order+delivery/#7.1"]
