"""Going back to an earlier version from the page of a mapping: said first, audited, and guarded."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from sqlalchemy import select

from hub import publication
from hub.store.tables import audit
from mappings.spec import version_of
from tests.hub.console.conftest import visible
from tests.hub.console.test_mappings import PLACE, RETAIL, SHIPPED, ours, published

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor

BEFORE = version_of(SHIPPED)


def in_force(serving: Serving) -> str:
    def read() -> str:
        with serving.hub.engine.begin() as connection:
            return publication.version_in_force(connection, RETAIL)

    return serving.writer.alone(read).result()


def audited(serving: Serving) -> list[tuple[str, str, dict[str, str]]]:
    def read() -> list[tuple[str, str, dict[str, str]]]:
        found = select(audit).where(audit.c.act == "mapping.rollback")
        with serving.hub.engine.begin() as connection:
            rows = connection.execute(found).all()
        return [(row.actor, row.subject, json.loads(row.detail)) for row in rows]

    return serving.writer.alone(read).result()


def hidden(page: httpx2.Response) -> dict[str, Any]:
    """The fields of the form that asks whether it is meant."""
    (form,) = re.findall(
        r'<form method="post" action="[^"]+/rollback">.*?</form>', page.text, re.DOTALL
    )
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def test_the_page_goes_back_after_saying_what_that_changes(full: Serving, visitor: Visitor) -> None:
    version = published(full, ours())
    buttons = re.findall(r'name="to" value="(\w+)"', visitor.get(PLACE).text)
    # Not to the one that is in force.
    assert buttons == [BEFORE]
    asked = visitor.post(f"{PLACE}/confirm", to=BEFORE)
    said = visible(asked)
    assert f"Go back to {BEFORE} ?" in said
    assert "store changed store: StoreID store: RetailStoreID" in said
    assert in_force(full) == version
    done = visitor.post(f"{PLACE}/rollback", **hidden(asked))
    assert f"{BEFORE} is in force" in visible(done)
    assert in_force(full) == BEFORE
    ((actor, subject, detail),) = audited(full)
    assert actor.endswith(" console, anna")
    assert subject == "mapping poslog.retail"
    assert detail == {"version": BEFORE, "instead_of": version}


def test_documents_of_another_version_are_named(full: Serving, visitor: Visitor) -> None:
    published(full, f"{SHIPPED}# one\n")
    published(full, f"{SHIPPED}# two\n")
    one = version_of(f"{SHIPPED}# one\n")
    done = visitor.post(f"{PLACE}/rollback", **hidden(visitor.post(f"{PLACE}/confirm", to=one)))
    assert "1 document is as another version made it; lynchpin map replay poslog.retail" in (
        visible(done)
    )


def test_whoever_published_meanwhile_is_not_undone(full: Serving, visitor: Visitor) -> None:
    published(full, f"{SHIPPED}# one\n")
    asked = visitor.post(f"{PLACE}/confirm", to=BEFORE)
    other = published(full, f"{SHIPPED}# two\n")
    said = visitor.post(f"{PLACE}/rollback", **hidden(asked))
    assert (said.status_code, "LP-WEB-004" in said.text) == (400, True)
    assert in_force(full) == other
    assert audited(full) == []


@pytest.mark.parametrize("act", ["confirm", "rollback"])
def test_only_a_form_of_this_session_goes_back(full: Serving, visitor: Visitor, act: str) -> None:
    version = published(full, ours())
    form = {"to": BEFORE, "instead_of": version}
    forged = visitor.client.post(f"/console{PLACE}/{act}", data={"token": "x", **form})
    assert (forged.status_code, "LP-WEB-003" in forged.text) == (403, True)
    elsewhere = visitor.post(f"{PLACE}/{act}", headers={"Sec-Fetch-Site": "cross-site"}, **form)
    assert elsewhere.status_code == 403
    with full.client("operator") as client:
        nobody = client.post(f"/console{PLACE}/{act}", data=form)
    assert (nobody.status_code, nobody.json()["code"]) == (403, "LP-WEB-001")
    assert in_force(full) == version


def test_there_is_no_way_back_to_what_there_is_not(full: Serving, visitor: Visitor) -> None:
    for to in ("ffffffff", ""):
        assert "LP-PUB-002" in visitor.post(f"{PLACE}/confirm", to=to).text
    said = visitor.post(f"{PLACE}/rollback", to="ffffffff", instead_of=BEFORE)
    assert (said.status_code, "LP-PUB-002" in said.text) == (404, True)
    assert audited(full) == []
