"""The connector as the hub sees it: what it promises, and that its numbers survive the scrubber."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from connectors.api import Rest, Slice
from connectors.formats.json_text import JsonOptions
from connectors.scrub import scrub
from connectors.shopify import connector
from connectors.shopify.scrub_profile import PROFILE
from schemas.problem import Refused

FOLDER = Path(__file__).resolve().parents[3] / "connectors" / "shopify"
SAMPLES = sorted(FOLDER.glob("samples/*.json"))


def test_the_manifest_names_every_kind_that_is_decoded() -> None:
    assert connector.manifest.id == FOLDER.name
    assert set(connector.manifest.messages) == {"order", "refund", "customer"}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_cut_anywhere_arrives_whole(path: Path) -> None:
    # Compact, as a webhook sends it, and short enough to be cut at many places.
    record = json.dumps(json.loads(path.read_bytes()), separators=(",", ":")).encode()
    whole = list(connector.split([record], JsonOptions(), None))
    chance = random.Random(3)
    for cut in chance.sample(range(1, len(record)), 60):
        first = list(connector.split([record[:cut]], JsonOptions(), None))
        rest = first.pop()
        assert isinstance(rest, Rest)
        offered = rest if connector.continues(record[cut:]) else None
        assert offered is not None, cut
        second = list(connector.split([record[cut:]], JsonOptions(), offered))
        found = [piece for piece in [*first, *second] if isinstance(piece, Slice)]
        assert [(piece.payload, piece.context) for piece in found] == [
            (piece.payload, piece.context) for piece in whole if isinstance(piece, Slice)
        ]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_scrubber_leaves_a_sample_as_it_is(path: Path) -> None:
    assert scrub(path.read_bytes(), PROFILE) == path.read_bytes()


@pytest.mark.parametrize(
    "field",
    [
        *("id", "order_id", "line_item_id", "variant_id", "order_number", "sku", "barcode"),
        *("checkout_token", "tracking_number", "source_identifier", "payment_id", "po_number"),
    ],
)
def test_a_number_of_the_shop_that_passes_for_a_card_survives(field: str) -> None:
    for value in ('"4111111111111111"', "4111111111111111"):
        payload = f'{{"line_items": [{{"{field}": {value}}}]}}'.encode()
        assert scrub(payload, PROFILE) == payload


def test_tracking_numbers_in_a_list_survive() -> None:
    payload = b'{"tracking_numbers": ["4111111111111111", "5555555555554444"]}'
    assert scrub(payload, PROFILE) == payload


@pytest.mark.parametrize(
    "field", ["note", "name", "phone", "tags", "message", "credit_card_number"]
)
def test_a_card_in_what_people_type_is_masked(field: str) -> None:
    payload = f'{{"{field}": "card 4111 1111 1111 1111"}}'.encode()
    masked = scrub(payload, PROFILE)
    assert b"4111 1111" not in masked
    assert len(masked) == len(payload)


def test_a_hostile_record_is_refused() -> None:
    for record, code in ((b"", "LP-DOOR-001"), (b"[" * 200_000, "LP-DOOR-004")):
        with pytest.raises(Refused) as caught:
            list(connector.split([record], JsonOptions(), None))
        assert caught.value.problem.code == code
