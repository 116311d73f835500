"""The console in a real browser: every page at both widths and in both schemes, and by keyboard.

``SCREENS=1`` writes ``docs/screens``; look at them before they are checked in.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from hub import library
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Loyalty, Receipt
from hub.demo.retailer import NEW_YORK, VIENNA, person
from hub.home import Home
from hub.plan import shelf
from tests.e2e.browser import WIDTHS, Console, assert_whole, keep, signed_in
from tests.e2e.conftest import House

SCREENS = (
    "home-desk-light",
    "home-phone-dark",
    "person-desk-light",
    "person-phone-light",
    "held-desk-dark",
    "journal-desk-light",
)
"""The few of all pages that the documentation shows."""
TABS_MAX = 120
SHOPPER = replace(
    person(3), email="dot.sample@example.org", phone="+12025550177", card="9000009182736455"
)
ORDER = replace(next(shop.orders(1, seed=11)), person=SHOPPER, id=5_100_000_500, number=1501)
_DAY = [
    entry
    for entry in till.day(NEW_YORK, seed=11)
    if isinstance(entry, Receipt) and entry.lines and not entry.returns
]
# At a till of their own, so that they are beside the numbers of the day.
RECEIPTS = [
    replace(entry, till="77", sequence=number, loyalty=Loyalty(SHOPPER.card))
    for number, entry in enumerate(_DAY[:3], 1)
]
SALE = f"poslog:{'/'.join(RECEIPTS[1].key)}"
NOBODY = """
[polls.shop]
source = "shopify"
url = "http://127.0.0.1:9/admin"
allow_private = true
streams.orders = {path = "/orders.json", items = "orders", since = "updated_at_min"}
"""
"""A shop that does not answer."""
SHOWN = {
    "home": "",
    "held": "/holds",
    "messages": "/messages",
    "found messages": "/messages?source=poslog&store=9001&since=30d",
    "stores": "/stores",
    "polls": "/polls",
    "journal": "/journal",
    "not verified": "/unverified",
    "person": f"/people/{SALE}",
    "receipt": f"/documents/{SALE}",
    "order": f"/documents/shopify:order/{ORDER.id}",
    "origin": f"/origins/{SALE}?at=total",
    "message": "/messages/2",
    "mappings": "/mappings",
    "mapping": "/mappings/poslog/retail",
    "coverage": "/mappings/poslog/retail/coverage",
    "jobs": "/jobs",
    "job": "/jobs/1",
    "paused job": "/jobs/2",
}


@dataclass
class Desk(Console):
    """A hub that is up, with a browser that anybody may sign in with."""

    house: House


def _send(house: House) -> None:
    """The days of two stores, a sale without its total, orders, and one person everywhere."""
    house.send("poslog", poslog_writer.day(VIENNA, seed=7), "store-0043.xml")
    house.send("poslog", poslog_writer.day(NEW_YORK, seed=7), "store-9001.xml")
    broken = poslog_writer.without_total(replace(_DAY[3], till="78", sequence=1))
    house.send("poslog", b"".join(poslog_writer.document([broken], dialect="v2")), "till-78.xml")
    orders = list(shop.orders(12, seed=7))
    for order in orders:
        house.send("shopify", shop_writer.order(order), f"order-{order.number}.json")
    house.send("shopify", shop_writer.refund(shop.refund(orders[4])), "refund.json")
    for number, receipt in enumerate(RECEIPTS):
        piece = poslog_writer.transaction(receipt)
        content = b"".join(poslog_writer.document([piece], dialect="v2"))
        house.send("poslog", content, f"till-{number}.xml")
    account = json.loads(shop_writer.customer(SHOPPER))
    account["metafields"] = [{"namespace": "crm", "key": "loyalty_card", "value": SHOPPER.card}]
    house.send("shopify", json.dumps(account).encode(), "account.json")
    house.send("shopify", shop_writer.order(ORDER), "order.json")
    call = {"CallSid": "CAexample1", "CallStatus": "ringing", "Direction": "inbound"}
    numbers = {"From": SHOPPER.phone, "To": "+12025550100"}
    house.send("twilio", urlencode({**call, **numbers}).encode(), "call")
    mapping, _ = library.shipped_text("poslog", "retail")
    negated = re.sub(r"(\n  total: .*)", r"\1 | negate", mapping, count=1)
    planned = house.lynchpin("map", "plan", house.file(negated.encode(), "negated.yaml"))
    assert planned.returncode == 0, planned.stderr
    for source, more in (("shopify", ["--wait"]), ("poslog", [])):
        asked = ("replay", "start", "--source", source, "--reason", "a test", *more)
        begun = house.lynchpin(*asked)
        assert begun.returncode == 0, begun.stderr
    assert house.lynchpin("job", "pause", "2").returncode == 0


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, empty_home: Path) -> Path:
    """A home with a day in it, made once and copied for every test."""
    house = House(tmp_path_factory.mktemp("played"))
    shutil.copytree(empty_home, house.home)
    _send(house)
    with (house.home / "lynchpin.toml").open("a", encoding="utf-8") as settings:
        settings.write(NOBODY)
    return house.home


@pytest.fixture
def desk(tmp_path: Path, played: Path, browser: Browser) -> Iterator[Desk]:
    """A hub with a day in it, and a sale that a key may not send: release it, and it counts."""
    house = House(tmp_path)
    shutil.copytree(played, house.home)
    with house.up() as running:
        key = house.key("source", "--source", "poslog", "--store", "7777")
        with running.calling(key) as client:
            sent = client.post("/sources/poslog/records", content=poslog_writer.sale(0, seed=5))
        assert sent.status_code == 202
        link = house.lynchpin("console")
        assert link.returncode == 0, link.stderr
        assert "/console/enter" not in running.log.read_text()
        console = signed_in(browser, link.stdout.strip())
        yield Desk(console.url, browser, console.state, house)


def test_every_page_is_whole_at_both_widths_and_in_both_schemes(desk: Desk) -> None:
    number = next(iter(desk.house.holds()))
    (plan,) = shelf.listed(Home(desk.house.home))
    plans = {"plans": "/plans", "plan": f"/plans/{plan.id}"}
    shown = {**SHOWN, **plans, "held message": f"/messages/{number}"}
    for size, width in WIDTHS.items():
        for scheme in ("light", "dark"):
            with desk.page(width, color_scheme=scheme) as page:
                for name, path in shown.items():
                    desk.go(page, path)
                    assert_whole(page, f"{name} at {size}, {scheme}")
                    if (screen := f"{name}-{size}-{scheme}") in SCREENS:
                        keep(page, screen)


def _tab_to(page: Page, selector: str) -> None:
    """Go on by the tab key until what has the focus is one of these, and is seen to have it."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", selector
            return
    raise AssertionError(f"no way to {selector} by keyboard")


def test_a_job_is_gone_on_with_by_keyboard_on_a_phone(desk: Desk) -> None:
    with desk.page(WIDTHS["phone"]) as page:
        desk.go(page, "/jobs")
        _tab_to(page, "a[href$='/jobs/2']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/jobs/2")
        assert "paused" in page.inner_text("#progress")
        _tab_to(page, ".acts button")
        page.keyboard.press("Enter")
        # The page looks again by itself.
        page.get_by_text("completed").wait_for()
        assert "100 %" in page.inner_text("#progress")


def test_from_a_phone_number_to_the_origin_of_a_value_by_keyboard(desk: Desk) -> None:
    with desk.page() as page:
        desk.go(page, "")
        page.keyboard.press("/")
        page.keyboard.type("+1 202 555 0177")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Story")).to_be_visible()
        assert SHOPPER.phone[-7:] not in page.url
        assert SHOPPER.email not in page.content()
        _tab_to(page, f"a[href$='order/{ORDER.id}']")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=f"Order #{ORDER.number}")).to_be_visible()
        _tab_to(page, ".big a.value")
        page.keyboard.press("Enter")
        origin = page.locator("#origin")
        expect(origin).to_contain_text("total_price")
        expect(origin).to_contain_text("shopify/order.yaml, line")
        expect(origin).to_contain_text("message ")
        keep(page, "order-desk-light")
        page.keyboard.press("Escape")
        expect(origin).not_to_contain_text("total_price")
        assert page.evaluate("document.activeElement.matches('.big a.value')")


def test_on_a_phone_each_number_says_what_it_is(desk: Desk) -> None:
    number = next(iter(desk.house.holds()))
    with desk.page(WIDTHS["phone"]) as page:
        desk.go(page, "/holds")
        cell = page.get_by_role("link", name=str(number), exact=True).locator("..")
        named = "e => getComputedStyle(e, '::before').content"
        assert "message" in cell.evaluate(named)
        link, box = cell.locator("a").bounding_box(), page.locator("#q").bounding_box()
        assert link is not None
        assert box is not None
        assert link["height"] < box["height"], "the number is broken over several lines"


def test_what_is_younger_than_a_minute_is_told_in_seconds(desk: Desk) -> None:
    with desk.page() as page:
        desk.go(page, "/messages/1")
        instant = page.locator(".journey time").first.get_attribute("datetime")
        assert instant is not None
        received = datetime.fromisoformat(instant)
        for seconds, said in ((20, "20 seconds ago"), (120, "2 minutes ago")):
            page.clock.set_fixed_time(received + timedelta(seconds=seconds))
            desk.go(page, "/messages/1")
            expect(page.locator(".journey time").first).to_have_text(said)


def test_a_held_message_is_released_by_keyboard_and_counts(desk: Desk) -> None:
    with desk.page() as page:
        desk.go(page, "/holds?code=LP-HUB-011")
        _tab_to(page, "button[value=release]")
        page.keyboard.press("Enter")
        asked = page.get_by_role("heading", name="Release 1 message?")
        expect(asked).to_be_visible()
        assert "It goes through the mapping in force again" in page.inner_text("main")
        keep(page, "release-desk-light")
        _tab_to(page, ".result button")
        page.keyboard.press("Enter")
        expect(page.locator(".result")).to_contain_text("1 message settled")
        # In place: the list that was worked on is still there.
        expect(page.locator("h1")).to_have_text("Held")
    codes = {problem.code for problem in desk.house.held()}
    assert "LP-HUB-011" not in codes
    assert codes


def test_a_held_message_is_edited_by_keyboard_and_counts(desk: Desk) -> None:
    (number,) = (n for n, p in desk.house.holds().items() if p.code == "LP-MAP-102")
    whole = poslog_writer.transaction(replace(_DAY[3], till="78", sequence=1)).decode()
    for size, width in WIDTHS.items():
        with desk.page(width) as page:
            desk.go(page, f"/messages/{number}")
            _tab_to(page, "summary:has(+ form[action$='/edit'])")
            page.keyboard.press("Enter")
            _tab_to(page, "form[action$='/edit'] input[name=reason]")
            page.keyboard.type("the total was cut")
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name=f"Edit message {number}")).to_be_visible()
            assert_whole(page, f"edit at {size}")
            page.fill("#text", whole)
            _tab_to(page, ".mend button")
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name="What would come of it")).to_contain_text(
                "applied"
            )
            assert_whole(page, f"preview at {size}")
            keep(page, f"edit-{size}-light")
            if size == "phone":
                _tab_to(page, ".confirm button")
                page.keyboard.press("Enter")
                expect(page.locator(".done")).to_contain_text("1 message settled")
    assert number not in desk.house.holds()


def test_a_message_is_redacted_only_by_who_is_sure(desk: Desk) -> None:
    for size, width in WIDTHS.items():
        with desk.page(width) as page:
            desk.go(page, "/messages/2")
            _tab_to(page, "button[value=redact]")
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name="Take out who the person is")).to_be_visible()
            assert_whole(page, f"redaction at {size}")
            page.get_by_label("Why; the audit").fill("they asked")
            page.keyboard.press("Enter")
            # The browser does not send it before somebody is sure.
            expect(page.get_by_role("heading", name="Take out who the person is")).to_be_visible()
            if size == "phone":
                page.get_by_label("I know that").check()
                page.get_by_role("button", name="Redact", exact=True).click()
                expect(page.locator(".done")).to_contain_text("1 document redacted")


def test_a_mapping_is_gone_back_from_by_keyboard_and_seen_on_a_phone(desk: Desk) -> None:
    text, _ = library.shipped_text("poslog", "retail")
    file = desk.house.file(f"{text}# ours\n".encode(), "retail.yaml")
    done = desk.house.lynchpin("map", "publish", file)
    assert done.returncode == 0, done.stderr
    for size, width in WIDTHS.items():
        with desk.page(width) as page:
            desk.go(page, "/mappings/poslog/retail")
            assert_whole(page, f"mapping at {size}")
            _tab_to(page, "button[name=to]")
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name="Go back to")).to_be_visible()
            assert_whole(page, f"going back at {size}")
    with desk.page() as page:
        desk.go(page, "/mappings/poslog/retail")
        page.get_by_role("link", name="Coverage").click()
        expect(page.locator("h1")).to_have_text("Coverage of poslog.retail")
        page.go_back()
        _tab_to(page, "button[name=to]")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Go back to")).to_be_visible()
        _tab_to(page, ".confirm button")
        page.keyboard.press("Enter")
        expect(page.locator(".done")).to_contain_text("is in force")
        assert_whole(page, "gone back")
    said = json.loads(desk.house.lynchpin("map", "log", "poslog.retail", "--json").stdout)
    assert [line["act"] for line in said] == ["shipped", "publish", "rollback"]


def test_all_of_it_works_without_a_script(desk: Desk) -> None:
    with desk.page(java_script_enabled=False) as page:
        desk.go(page, "")
        page.fill("#q", SHOPPER.card)
        page.keyboard.press("Enter")
        page.get_by_role("link", name=f"order #{ORDER.number}").click()
        page.locator(".big a.value").click()
        expect(page.locator("h1")).to_have_text("Where total came from")
        desk.go(page, "/holds?code=LP-HUB-011")
        page.get_by_role("button", name="Give up…").click()
        page.get_by_label("Why").fill("it is another store's")
        page.get_by_role("button", name="Give 1 message up").click()
        expect(page.locator("h2")).to_have_text("1 message given up")
        desk.go(page, f"/people/{SALE}")
        page.locator("summary").click()
        page.get_by_label("Why it must be seen").fill("the caller asks")
        page.get_by_role("button", name="Reveal").click()
        expect(page.locator("main")).to_contain_text(SHOPPER.email)


def test_the_link_of_the_command_line_opens_the_console_once(desk: Desk) -> None:
    link = desk.house.lynchpin("console").stdout.strip()
    for words in ("What needs a person", "This link opens nothing any more"):
        context = desk.browser.new_context()
        page = context.new_page()
        page.goto(link)
        expect(page.get_by_role("heading", name=words)).to_be_visible()
        context.close()


def test_without_a_hub_that_runs_there_is_no_link(house: House) -> None:
    said = house.lynchpin("console")
    assert (said.returncode, "LP-CLI-010" in said.stderr) == (2, True)
    assert "lynchpin up" in said.stderr
