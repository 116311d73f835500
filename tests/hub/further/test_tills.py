"""A transaction of a till holds further documents too, in XML."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from connectors import registry
from hub import explain
from hub.authoring import attempt
from hub.authoring import draft as drafts
from hub.bootstrap import Hub
from hub.receive import receive
from hub.translate import OTHER_STORE
from schemas.problem import Rejected
from tests.hub.further.conftest import (
    published,
    rows,
)

TILLS = """\
extends: poslog.retail
further:
  answer:
    to: Interaction
    from: RetailTransaction.acs:Survey.acs:Answer[] where .@Given = true
    key: [/RetailStoreID, /WorkstationID, /BusinessDayDate, /SequenceNumber, .@Question]
    rules:
      id: = {/RetailStoreID}-{/SequenceNumber}-{.@Question}
      kind: = survey_answer
      store: /RetailStoreID
      occurred_at: /EndDateTime
      outcome: .
"""
SALE = registry.folder("poslog") / "samples" / "v2-cash-sale-with-change.xml"
SURVEY = (
    b'<acs:Survey><acs:Answer Given="true" Question="again">yes</acs:Answer>'
    b'<acs:Answer Given="false" Question="why"/></acs:Survey></RetailTransaction>'
)


def asked(tmp_path: Path, survey: bytes = SURVEY) -> Path:
    file = tmp_path / "day.xml"
    content = SALE.read_bytes()
    assert content.count(b"</RetailTransaction>") == 1
    file.write_bytes(content.replace(b"</RetailTransaction>", survey))
    return file


def test_a_till_says_several_things_in_one_transaction(hub: Hub, tmp_path: Path) -> None:
    file = hub.home.mappings / "tills.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(TILLS)
    published(hub, drafts.read(file, hub.home))
    assert receive(hub, "poslog", [asked(tmp_path)]).held == 0
    ((fact, said),) = rows(hub).items()
    assert fact.startswith("poslog:retail+answer/")
    assert fact.endswith("/again")
    assert (said["outcome"], said["kind"]) == ("yes", "survey_answer")
    with hub.engine.begin() as connection:
        found = {each.path: each for each in explain.explain(hub, connection, fact)}
    assert found["outcome"].source.endswith("RetailTransaction.acs:Survey.acs:Answer[0]")
    assert found["store"].source.endswith("RetailStoreID")
    again = asked(tmp_path, SURVEY + b"<!-- sent once more -->")
    assert receive(hub, "poslog", [again]).applied == 0
    assert list(rows(hub)) == [fact]


def test_a_sender_of_one_store_says_nothing_of_another_one(hub: Hub, tmp_path: Path) -> None:
    file = hub.home.mappings / "tills.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    # The further document does not say of which store it is.
    file.write_text(TILLS.replace("      store: /RetailStoreID\n", ""))
    made = drafts.read(file, hub.home)
    published(hub, made)
    (stored,) = attempt.of_file(hub, asked(tmp_path), made.target, None)
    with hub.engine.begin() as connection:
        translator = hub.translator(connection, stored)
        _, answer = translator.named(stored)
        for stores in (None, '["501"]'):
            limited = dataclasses.replace(stored, stores=stores)
            assert translator.translated(limited, answer).kind == "Interaction"
        with pytest.raises(Rejected) as caught:
            translator.translated(dataclasses.replace(stored, stores='["502"]'), answer)
    assert caught.value.problem.code == OTHER_STORE.code
