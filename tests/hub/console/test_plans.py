"""Plans on pages: what they found, masked, and each with its way on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub import bootstrap, library
from hub.authoring.draft import drafted
from hub.plan import planning, shelf
from hub.plan.report import Report
from tests.hub.console.conftest import ORDER, PRIVATE, visible

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor

EVIL = "<script>alert(1)</script>"
FAMILY = "  customer.family_name:     customer.last_name\n"
CURRENCY = "  currency:                 currency\n"


def planned(full: Serving, *changes: tuple[str, str], file: str = "own.yaml") -> Report:
    text = library.shipped_text("shopify", "order")[0]
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    draft = drafted(text, file, lambda name: None)
    with bootstrap.open_hub(full.hub.home, access="read") as hub:
        report = planning.begun(hub, draft, source=None, since=None)
        return planning.plan(hub, draft, report)


@pytest.fixture
def plan(full: Serving) -> Report:
    """Another currency, and the first name of a customer where the last one was."""
    email = "  customer.email:           email or contact_email or customer.email\n"
    return planned(
        full,
        (FAMILY, "  customer.family_name: customer.first_name\n"),
        (CURRENCY, "  currency: = GBP\n"),
        (email, "  customer.email: = zoe.quaxmarq@another.example.org\n"),
        file=f"{EVIL}.yaml",
    )


def test_the_list_leads_to_a_plan(visitor: Visitor, plan: Report) -> None:
    assert f"/console/plans/{plan.id}" in visitor.get("/plans").text
    text = visible(visitor.get(f"/plans/{plan.id}"))
    assert "currency changed 1 EUR GBP message" in text
    total = f"{ORDER.total:,}".replace(",", "\N{THIN SPACE}")
    assert f"EUR {total} 0 \N{MINUS SIGN}{total}" in text
    assert f"publish FILE --plan {plan.id}" in text


def test_no_page_of_a_plan_tells_who_somebody_is(visitor: Visitor, plan: Report) -> None:
    kept = (shelf.read(visitor.serving.hub.home, plan.id)).model_dump_json()
    for text in (visitor.get(f"/plans/{plan.id}").text, visitor.get("/plans").text, kept):
        assert not [each for each in PRIVATE if each in text.lower()]
    # It does tell that they change.
    assert {each.path for each in plan.changes} >= {"customer.family_name", "customer.email"}


def test_what_a_plan_says_is_text(visitor: Visitor, plan: Report) -> None:
    for path in ("/plans", f"/plans/{plan.id}"):
        assert EVIL not in visitor.get(path).text


def test_a_plan_that_was_cut_short_says_so(visitor: Visitor, plan: Report) -> None:
    shelf.write(visitor.serving.hub.home, plan.model_copy(update={"done": False}))
    assert "cut short" in visible(visitor.get("/plans"))
    assert "--resume" in visible(visitor.get(f"/plans/{plan.id}"))


@pytest.mark.parametrize("name", ["20310506-201500-abcdef", "..%2f..%2flynchpin", "x" * 41])
def test_there_is_no_page_of_what_is_no_plan(visitor: Visitor, name: str) -> None:
    assert visitor.get(f"/plans/{name}").status_code in (404, 422)


def test_an_empty_shelf_says_what_to_do(visitor: Visitor) -> None:
    assert "Nothing was planned yet" in visible(visitor.get("/plans"))
