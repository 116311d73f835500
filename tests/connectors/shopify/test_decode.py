"""What a Shopify message holds: orders, refunds in either place, customers, nothing else."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.api import Document, Slice
from connectors.formats.json_text import JsonOptions
from connectors.shopify import connector
from schemas.problem import Problem, Rejected

OPTIONS = JsonOptions()
ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "connectors" / "shopify" / "samples"


def slices(record: bytes) -> list[Slice]:
    found = list(connector.split([record], OPTIONS, None))
    assert all(isinstance(piece, Slice) for piece in found)
    return [piece for piece in found if isinstance(piece, Slice)]


def documents(record: bytes) -> list[Document]:
    return [
        document
        for piece in slices(record)
        for document in connector.decode(piece.payload, piece.context, OPTIONS)
    ]


def problem_of(record: bytes) -> Problem:
    with pytest.raises(Rejected) as caught:
        documents(record)
    return caught.value.problem


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


def test_the_samples_hold_what_their_names_say() -> None:
    kinds = {
        path.stem: [document.kind for document in documents(path.read_bytes())]
        for path in SAMPLES.glob("*.json")
        if not path.stem.endswith(".canonical")
    }
    assert kinds.pop("order-with-refund-inside") == ["order", "refund"]
    assert kinds.pop("refunds-list") == ["refund", "refund"]
    assert kinds.pop("customers-list") == ["customer"] * 3
    assert kinds.pop("customers-with-consents-and-a-card") == ["customer"] * 3
    assert len(kinds) >= 15
    for name, found in kinds.items():
        assert found == [name.partition("-")[0]], name


@pytest.mark.parametrize("kind", ["order", "refund", "customer"])
def test_bare_wrapped_and_listed_are_the_same_document(kind: str) -> None:
    body = sample({"order": "order-paid-bare", "refund": "refund-alone"}.get(kind, "customer-bare"))
    bare = documents(json.dumps(body).encode())
    assert [document.kind for document in bare] == [kind]
    for wrapped in ({kind: body}, {f"{kind}s": [body]}, [body]):
        assert documents(json.dumps(wrapped).encode()) == bare


@pytest.mark.parametrize("kind", ["order", "refund", "customer"])
def test_a_bare_body_of_an_old_version_is_known_by_its_fields(kind: str) -> None:
    body = sample({"order": "order-paid-bare", "refund": "refund-alone"}.get(kind, "customer-bare"))
    del body["admin_graphql_api_id"]
    assert [document.kind for document in documents(json.dumps(body).encode())] == [kind]


def test_a_bare_body_of_few_fields_is_known_by_its_global_id() -> None:
    body = {"id": 1, "admin_graphql_api_id": "gid://shopify/Order/1"}
    assert [document.kind for document in documents(json.dumps(body).encode())] == ["order"]


def test_amounts_arrive_as_sent_to_the_last_digit() -> None:
    (order,) = documents((SAMPLES / "order-paid-bare.json").read_bytes())
    assert order.body["total_price"] == "67.70"
    assert str(order.body["tax_lines"][0]["rate"]) == "0.05"
    (refund,) = documents((SAMPLES / "refund-alone.json").read_bytes())
    # Shopify writes these two as bare numbers.
    assert refund.body["refund_line_items"][0]["subtotal"] == Decimal("39.9")
    assert str(refund.body["refund_line_items"][0]["subtotal"]) == "39.9"


def test_a_refund_inside_an_order_is_the_refund_alone() -> None:
    order, inside = documents((SAMPLES / "order-with-refund-inside.json").read_bytes())
    (alone,) = documents((SAMPLES / "refund-alone.json").read_bytes())
    assert inside.at == "refunds[0]"
    assert inside.body == alone.body
    assert order.body["refunds"][0] == alone.body


def test_a_refund_inside_an_order_learns_its_order_where_it_does_not_say() -> None:
    body = sample("order-with-refund-inside")
    del body["refunds"][0]["order_id"]
    order, inside = documents(json.dumps(body).encode())
    assert inside.body["order_id"] == body["id"]
    assert "order_id" not in order.body["refunds"][0]


@pytest.mark.parametrize("refunds", [None, []])
def test_an_order_without_refunds_is_one_document(refunds: Any) -> None:
    body = {**sample("order-paid-bare"), "refunds": refunds}
    assert len(documents(json.dumps(body).encode())) == 1


@pytest.mark.parametrize("refunds", ["none", {"id": 1}, [1]])
def test_refunds_of_another_shape_are_held(refunds: Any) -> None:
    body = {**sample("order-paid-bare"), "refunds": refunds}
    problem = problem_of(json.dumps(body).encode())
    assert (problem.code, problem.path) == ("LP-DOC-004", "refunds")


@pytest.mark.parametrize(
    "body",
    [
        {"id": 1},  # what a deletion announces
        {"events": [{"id": 1, "verb": "placed"}]},
        {"id": 1, "order_id": 2, "status": "success", "line_items": []},  # a fulfilment
        {"id": 1, "line_items": [], "total_price": "1.00"},  # a checkout
        {"id": 1, "order_id": 2, "kind": "capture", "amount": "1.00"},  # a transaction
        {"admin_graphql_api_id": "gid://shopify/Fulfillment/1", "line_items": [], "id": 1},
        {
            "admin_graphql_api_id": "gid://shopify/DraftOrder/1",
            "id": 1,
            "line_items": [],
            "financial_status": None,
        },
        [[1]],
        ["text"],
    ],
)
def test_another_kind_of_document_is_held(body: Any) -> None:
    assert problem_of(json.dumps(body).encode()).code == "LP-DOC-004"


@pytest.mark.parametrize("native", [None, "", " ", True, 1.5, [], "9" * 201])
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("order-paid-bare", "id"),
        ("refund-alone", "id"),
        ("order-with-refund-inside", "refunds[0].id"),
    ],
)
def test_a_document_without_a_usable_id_is_held(native: Any, name: str, path: str) -> None:
    body = sample(name)
    (body["refunds"][0] if path.startswith("refunds") else body)["id"] = native
    problem = problem_of(json.dumps(body).encode())
    assert (problem.code, problem.path) == ("LP-DOC-005", path)


def test_the_calculation_of_a_refund_is_no_refund() -> None:
    body = {"refund": {"refund_line_items": [], "transactions": [{"kind": "suggested_refund"}]}}
    assert problem_of(json.dumps(body).encode()).code == "LP-DOC-005"


@pytest.mark.parametrize(
    ("broken", "code", "path"),
    [
        (b'"total_price": NaN', "LP-JSON-002", "total_price"),
        (b'"total_price": "1.00", "total_price": "2.00"', "LP-JSON-001", "total_price"),
        (b'"note": "\xe4"', "LP-DOC-002", None),
        (b'"note": ', "LP-DOC-003", None),
    ],
)
def test_a_broken_order_of_a_list_leaves_the_others_alone(
    broken: bytes, code: str, path: str | None
) -> None:
    good = json.dumps(sample("order-paid-bare")).encode()
    bad = good[:-1] + b", " + broken.replace(b"total_price", b"price_of_all") + b"}"
    first, held, last = slices(b'{"orders": [' + good + b", " + bad + b", " + good + b"]}")
    for piece in (first, last):
        assert connector.decode(piece.payload, piece.context, OPTIONS)
    with pytest.raises(Rejected) as caught:
        connector.decode(held.payload, held.context, OPTIONS)
    expected = path.replace("total_price", "price_of_all") if path else None
    assert (caught.value.problem.code, caught.value.problem.path) == (code, expected)


REAL = ROOT / ".." / "shared" / "samples" / "shopify"


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("order", ["order"]),
        ("refund", ["refund"]),
        ("customer", ["customer"]),
        ("customers_search", ["customer"]),
        ("customer_saved_search_customers", ["customer"]),
    ],
)
def test_every_real_order_refund_and_customer_is_named(name: str, kinds: list[str]) -> None:
    path = REAL / f"{name}.json"
    if not path.exists():
        pytest.skip("the real samples are not beside this checkout")
    found = documents(path.read_bytes())
    assert [document.kind for document in found] == kinds
    inner = next(iter(json.loads(path.read_bytes()).values()))
    inner = inner[0] if isinstance(inner, list) else inner
    assert json.dumps(found[0].body, default=float) == json.dumps(inner)
    assert connector.name(found[0], OPTIONS).key == (kinds[0], str(inner["id"]))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("refund_calculate", "LP-DOC-005"),
        ("transactions", "LP-DOC-004"),
        ("events", "LP-DOC-004"),
        ("fulfillment_event", "LP-DOC-004"),
    ],
)
def test_every_real_document_of_another_kind_is_held(name: str, code: str) -> None:
    path = REAL / f"{name}.json"
    if not path.exists():
        pytest.skip("the real samples are not beside this checkout")
    assert problem_of(path.read_bytes()).code == code
