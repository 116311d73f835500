"""Mappings over HTTP: in force for the next record, refused where they break, and in one order."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from connectors import registry
from hub import library
from hub.demo import poslog_writer
from hub.plan.report import Report, Window
from hub.store.tables import document
from mappings.spec import version_of

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving

SHIPPED, _ = library.shipped_text("poslog", "retail")
OURS = f"{SHIPPED}# ours\n"
PLACE = "/mappings/poslog/retail"
SAMPLES = registry.folder("poslog") / "samples"


def publish(serving: Serving, text: str, **more: Any) -> Any:
    body = {"text": text, "file": "ours.yaml", **more}
    return serving.call("operator", "POST", f"{PLACE}/publish", json=body)


def planned(proposed: str) -> dict[str, Any]:
    """The report of a plan that has compared what is shipped with another version."""
    made = Report(
        id="p1",
        connector="poslog",
        kind="retail",
        file="ours.yaml",
        proposed=proposed,
        published=version_of(SHIPPED),
        begun_at="2031-05-06T20:15:00.000000Z",
        window=Window(last=0),
        done=True,
    )
    return made.model_dump(mode="json")


def log(serving: Serving) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = serving.call("reader", "GET", f"{PLACE}/log").json()["items"]
    return found


def made_by(serving: Serving, index: int) -> str:
    """Version of the mapping that made the document of a sale."""
    serving.send(poslog_writer.sale(index, seed=3))
    serving.settled()

    def last() -> str:
        newest = select(document.c.mapping).order_by(document.c.message_id.desc()).limit(1)
        with serving.hub.engine.begin() as connection:
            return str(connection.scalar(newest))

    return serving.writer.alone(last).result()


def test_what_is_published_makes_the_next_record(serving: Serving) -> None:
    assert made_by(serving, 0) == version_of(SHIPPED)
    report = planned(version_of(OURS))
    said = publish(serving, OURS, report=report)
    assert said.status_code == 200, said.text
    line = said.json()
    assert (line["version"], line["own"], line["act"]) == (version_of(OURS), True, "publish")
    assert made_by(serving, 1) == version_of(OURS)
    back = serving.call("operator", "POST", f"{PLACE}/rollback", json={}).json()
    assert (back["version"], back["own"], back["act"]) == (version_of(SHIPPED), False, "rollback")
    assert made_by(serving, 2) == version_of(SHIPPED)
    lines = log(serving)
    assert [each["act"] for each in lines] == ["shipped", "publish", "rollback"]
    assert [each.get("report") for each in lines] == [None, report, None]
    assert lines[1]["actor"].endswith(" operator")


def test_the_list_tells_what_is_in_force(serving: Serving) -> None:
    publish(serving, OURS)
    made_by(serving, 0)
    items = serving.call("reader", "GET", "/mappings").json()["items"]
    (row,) = (each for each in items if (each["connector"], each["kind"]) == ("poslog", "retail"))
    assert (row["version"], row["own"], row["recent"]) == (version_of(OURS), True, 1)
    assert row["shipped"] == version_of(SHIPPED)
    assert row["shipped_changed"] is False
    assert {each["own"] for each in items if each is not row} == {False}


@pytest.mark.parametrize("version", [version_of(SHIPPED), version_of(SHIPPED)[:5], "shipped"])
def test_a_version_is_given_whole(serving: Serving, version: str) -> None:
    said = serving.call("reader", "GET", f"{PLACE}/versions/{version}").json()
    assert said == {
        "version": version_of(SHIPPED),
        "file": "poslog/retail.yaml",
        "text": SHIPPED,
    }


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("rules: [", 400, "LP-MAP-001"),
        (f"{SHIPPED}nonsense: 1\n", 400, "LP-MAP-003"),
        (SHIPPED.replace("BusinessDayDate", "NoSuchDay", 1), 400, "LP-MAP-005"),
        (SHIPPED.replace("poslog.retail", "poslog.nothing", 1), 404, "LP-PUB-003"),
        (library.shipped_text("poslog", "control")[0], 400, "LP-PUB-011"),
        ("x" * 300_001, 422, "LP-API-006"),
    ],
)
def test_what_breaks_is_refused_and_nothing_changes(
    serving: Serving, text: str, status: int, code: str
) -> None:
    said = publish(serving, text)
    assert (said.status_code, said.json()["code"]) == (status, code)
    assert len(log(serving)) == 1


def test_the_report_of_another_plan_is_none_of_this_text(serving: Serving) -> None:
    for report in (planned("0" * 16), {"equal": 12}):
        said = publish(serving, OURS, report=report)
        assert (said.status_code, said.json()["code"]) == (400, "LP-PLAN-002")
    assert len(log(serving)) == 1


COUNTS = {"equal": 6, "changed": 2, "newly_failing": 2}
MONEY = {"EUR": {"before": "10", "after": "7.50"}, "USD": {"before": "1", "after": "3"}}
PEOPLE = {"documents": 3, "joins": 2, "leaves": 1}


@pytest.mark.parametrize(
    ("most", "below", "said"),
    [
        ({"failing": 2}, {"failing": 1}, "2 documents newly fail, 1 may"),
        ({"changed_percent": "20"}, {"changed_percent": "19.9"}, "20.0 % of the documents change"),
        ({"moved": 3}, {"moved": 2}, "3 documents move between people, 2 may"),
        (
            {"money": {"EUR": "2.50", "USD": "2"}},
            {"money": {"EUR": "2.49", "USD": "2"}},
            "EUR differs by 2.50, 2.49 may",
        ),
        (
            {"money": {"EUR": "100", "USD": "2"}},
            {"money": {"EUR": "100"}},
            "USD differs by 2, 0 may",
        ),
    ],
)
def test_what_is_beyond_a_limit_is_refused_by_the_hub(
    serving: Serving, most: dict[str, Any], below: dict[str, Any], said: str
) -> None:
    report = {**planned(version_of(OURS)), "counts": COUNTS, "money": MONEY, "people": PEOPLE}
    refused = publish(serving, OURS, report=report, limits=below)
    assert (refused.status_code, refused.json()["code"]) == (400, "LP-PLAN-003")
    assert said in refused.json()["detail"]
    assert len(log(serving)) == 1
    assert publish(serving, OURS, report=report, limits=most).status_code == 200


@pytest.mark.parametrize(
    ("limits", "status", "code"),
    [
        ({"failing": 0}, 400, "LP-PLAN-002"),
        ({"failing": -1}, 422, "LP-API-006"),
        ({"money": {"usd": "1"}}, 422, "LP-API-006"),
        ({"money": {"USD": "-1"}}, 422, "LP-API-006"),
        ({"nonsense": 1}, 422, "LP-API-006"),
    ],
)
def test_limits_are_those_of_a_plan(
    serving: Serving, limits: dict[str, Any], status: int, code: str
) -> None:
    said = publish(serving, OURS, limits=limits)
    assert (said.status_code, said.json()["code"]) == (status, code)
    assert len(log(serving)) == 1


def test_a_mapping_may_be_larger_than_other_bodies(serving: Serving) -> None:
    said = publish(serving, OURS + "# a long remark\n" * 8000)
    assert said.status_code == 200, said.text


def test_a_body_beyond_its_limit_is_not_read(serving: Serving) -> None:
    said = publish(serving, "x" * (5 * 1024 * 1024))
    assert (said.status_code, said.json()["code"]) == (413, "LP-API-001")


def test_examples_bring_their_files(serving: Serving) -> None:
    text = f"{SHIPPED}  - {{from: ours.xml, expect: ours.json}}\n"
    missing = publish(serving, text)
    assert (missing.status_code, missing.json()["code"]) == (400, "LP-MAP-005")
    names = {
        "ours.xml": "v2-cash-sale-with-change.xml",
        "ours.json": "v2-cash-sale-with-change.canonical.json",
    }
    files = {
        name: base64.b64encode((SAMPLES / sample).read_bytes()).decode()
        for name, sample in names.items()
    }
    assert publish(serving, text, examples={**files, "ours.json": "!"}).status_code == 422
    assert publish(serving, text, examples=files).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/mappings/poslog/nothing/log", None, "LP-PUB-003"),
        ("GET", "/mappings/nothing/retail/log", None, "LP-PUB-003"),
        ("GET", f"{PLACE}/versions/ffffffff", None, "LP-PUB-002"),
        ("POST", f"{PLACE}/rollback", {"to": "ffffffff"}, "LP-PUB-002"),
        ("POST", "/mappings/poslog/nothing/publish", {"text": "", "file": "x"}, "LP-PUB-003"),
    ],
)
def test_what_there_is_not_is_not_found(
    serving: Serving, method: str, path: str, body: Any, code: str
) -> None:
    said = serving.call("operator", method, path, json=body)
    assert (said.status_code, said.json()["code"]) == (404, code)


def test_there_is_nothing_before_the_first(serving: Serving) -> None:
    said = serving.call("operator", "POST", f"{PLACE}/rollback", json={})
    assert (said.status_code, said.json()["code"]) == (409, "LP-PUB-001")
    assert len(log(serving)) == 1


def test_many_at_once_have_one_order(serving: Serving) -> None:
    texts = [f"{OURS}# {number}\n" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        lines = [answer.json() for answer in pool.map(lambda t: publish(serving, t), texts)]
    assert {line["version"] for line in lines} == {version_of(text) for text in texts}
    found = log(serving)[1:]
    assert [line["id"] for line in found] == sorted(line["id"] for line in lines)
    assert made_by(serving, 0) == found[-1]["version"]
