"""Whose documents would move to somebody else, before it is published."""

from __future__ import annotations

from hub.bootstrap import Hub
from hub.plan.report import People
from tests.hub.plan.conftest import ORDERS, edited
from tests.hub.plan.test_plan import planned

PHONE = "  customer.phone:           phone or customer.phone\n"
EMAIL = "  customer.email:           email or contact_email or customer.email\n"


def people(hub: Hub, *changes: tuple[str, str]) -> People:
    return planned(hub, edited("shopify", "order", *changes)).people


def test_orders_that_all_come_to_claim_one_number_join(hub: Hub) -> None:
    found = people(hub, (PHONE, "  customer.phone: = +12025550199\n"))
    assert found.joins == found.documents == len(found.examined) > 1
    assert found.joins <= ORDERS


def test_orders_that_claim_no_address_any_more_leave_who_had_it_too(hub: Hub) -> None:
    found = people(hub, (EMAIL, "  customer.email: note.email\n"))
    assert found.documents > 0
    assert found.joins == 0


def test_nobody_moves_where_no_identifier_changes(hub: Hub) -> None:
    found = people(hub, ("  note:                     note\n", "  note: name\n"))
    assert found == People()
