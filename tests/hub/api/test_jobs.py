"""Jobs over HTTP, on pages and in the figures: planned, begun, paused, gone on with, given up."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from hub.demo import poslog_writer
from hub.jobs.worker import working
from tests.hub.console.conftest import Visitor, sessions, visible, visitor  # noqa: F401

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving

SALES = 3
WHY = {"reason": "a test"}


@pytest.fixture
def sold(serving: Serving) -> Serving:
    """With sales, and nobody who looks after jobs."""
    for index in range(SALES):
        assert serving.send(poslog_writer.sale(index, seed=1)).status_code == 202
    assert serving.settled() == {"applied": SALES}
    return serving


def _post(serving: Serving, path: str, role: str = "operator", **body: Any) -> Any:
    return serving.call(role, "POST", path, json=body)


def _job(serving: Serving, number: int = 1) -> Any:
    return serving.call("reader", "GET", f"/jobs/{number}").json()


@pytest.fixture
def worked(sold: Serving) -> Iterator[Serving]:
    """The same with somebody who does."""
    with working(sold.writer):
        yield sold


def test_a_replay_is_planned_and_nothing_is_done(sold: Serving) -> None:
    said = _post(sold, "/replays/plan", "reader", source="poslog").json()
    assert (said["messages"], said["documents"], said["outdated"]) == (SALES, SALES, 0)
    assert said["parts"][0]["kind"] == "Transaction"
    assert [each["id"] for each in said["sample"]] == [1, 2, 3]
    assert sold.count("job") == 0


def test_a_job_is_done_by_the_hub_that_is_up(worked: Serving) -> None:
    begun = _post(worked, "/jobs", all=True, **WHY)
    assert (begun.status_code, begun.json()["total"]) == (200, SALES)
    while (found := _job(worked))["state"] != "done":
        time.sleep(0.01)
    assert (found["done"], found["unchanged"], found["remade"]) == (SALES, SALES, 0)
    assert found["reason"] == "a test"
    assert worked.call("reader", "GET", "/jobs").json()["items"] == [found]
    assert worked.call("reader", "GET", "/jobs?state=paused").json()["items"] == []


def test_a_job_is_paused_resumed_and_cancelled_each_where_it_may_be(sold: Serving) -> None:
    number = _post(sold, "/jobs", source="poslog", **WHY).json()["id"]
    said = [
        (act, answer.status_code, answer.json().get("state") or answer.json()["code"])
        for act in ("resume", "pause", "pause", "resume", "cancel", "cancel")
        for answer in [_post(sold, f"/jobs/{number}/{act}")]
    ]
    assert said == [
        ("resume", 409, "LP-JOB-004"),
        ("pause", 200, "paused"),
        ("pause", 409, "LP-JOB-004"),
        ("resume", 200, "planned"),
        ("cancel", 200, "cancelled"),
        ("cancel", 409, "LP-JOB-004"),
    ]
    assert _post(sold, "/jobs/9/pause").json()["code"] == "LP-JOB-003"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "LP-JOB-001"),
        ({"plan": "20310506-201500-3f1c0a"}, 400, "LP-JOB-001"),
        ({"replayed": "shopify.nothing"}, 404, "LP-PUB-003"),
        ({"replayed": "shopify.order", "plan": "nothing"}, 404, "LP-PLAN-001"),
        ({"since": "yesterday"}, 400, "LP-HUB-007"),
        ({"sourec": "poslog"}, 422, "LP-API-006"),
    ],
)
def test_what_is_asked_wrongly_begins_nothing(
    sold: Serving, body: dict[str, Any], status: int, code: str
) -> None:
    for path, more in (("/replays/plan", {}), ("/jobs", WHY)):
        answer = _post(sold, path, **body, **more)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert sold.count("job") == 0


def test_the_figures_tell_of_jobs(sold: Serving) -> None:
    _post(sold, "/jobs", all=True, **WHY)
    text = sold.call("reader", "GET", "/metrics").text
    assert 'lynchpin_jobs{state="planned"} 1.0' in text
    assert 'lynchpin_jobs{state="done"} 0.0' in text
    assert 'lynchpin_job_messages_done{job="1",kind="replay"} 0.0' in text
    assert f'lynchpin_job_messages_total{{job="1",kind="replay"}} {SALES}.0' in text


def test_a_person_pauses_and_ends_a_job_on_its_page(
    sold: Serving,
    visitor: Visitor,  # noqa: F811
) -> None:
    assert "No job was asked for yet" in visible(visitor.get("/jobs"))
    _post(sold, "/jobs", source="poslog", reason="<b>why</b>")
    assert "replay 1 planned 0 of 3 messages" in visible(visitor.get("/jobs"))
    shown = visitor.get("/jobs/1")
    assert "<b>why" not in shown.text
    assert 'hx-trigger="every 2s"' in shown.text
    assert re.search(r"source poslog destinations hear nothing of it", visible(shown))
    assert visitor.post("/jobs/1", act="pause").headers["location"] == "/console/jobs/1"
    paused = visitor.get("/jobs/1")
    assert "paused 0 %" in visible(paused)
    assert "every 2s" not in paused.text
    assert visitor.post("/jobs/1", act="pause").status_code == 409
    assert visitor.post("/jobs/1", act="cancel").status_code == 400
    assert visitor.post("/jobs/1", act="explode", reason="a test").status_code == 400
    assert _job(sold)["state"] == "paused"
    assert visitor.post("/jobs/1", act="cancel", reason="a test").status_code == 303
    assert "cancelled 0 %" in visible(visitor.get("/jobs/1"))
    assert "form" not in visitor.get("/jobs/1").text.partition("<main")[2]
    assert visitor.get("/jobs/2").status_code == 404
