"""The OpenAPI document tells the truth: whole by its form, and held against the running hub."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, get_args

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import select

from hub.catalogue import causes
from hub.demo import poslog_writer, shop, shop_writer
from hub.door import take_in
from hub.keys import Role
from hub.store.tables import document as stored

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from schemathesis import Case

    from tests.hub.api.conftest import Serving

PROBLEM = "application/problem+json"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

# Bytes like any others to whoever calls at random.
schemathesis.serializer.alias("application/vnd.lynchpin.batch", "application/octet-stream")


@pytest.fixture
def document(serving: Serving) -> dict[str, Any]:
    found: dict[str, Any] = serving.call(None, "GET", "/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def test_every_route_is_described(serving: Serving, document: dict[str, Any]) -> None:
    served = {
        f"{method} {route.path_format}"  # type: ignore[attr-defined]
        for route in serving.app.routes
        # Pages are for people.
        if not route.path_format.startswith("/console")  # type: ignore[attr-defined]
        for method in route.methods  # type: ignore[attr-defined]
    }
    assert {name for name, _ in operations(document)} == served - {"GET /openapi.json"}
    for name, operation in operations(document):
        for word in ("summary", "description", "tags", "operationId"):
            assert operation.get(word), f"{name} has no {word}"
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"]), name
        success = next(a for s, a in operation["responses"].items() if s.startswith("2"))
        assert success["content"], name
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    tags = {tag["name"] for tag in document["tags"]}
    assert {tag for _, operation in operations(document) for tag in operation["tags"]} == tags


def test_every_error_is_a_problem_with_an_example_of_our_codes(document: dict[str, Any]) -> None:
    known = causes()
    validator = _validator(document, {"$ref": "#/components/schemas/ProblemAnswer"})
    for name, operation in operations(document):
        answers = operation["responses"]
        keyless = name.startswith("GET /health/")
        signed = name.startswith("POST /webhooks/")
        assert ("security" in operation) == (not keyless and not signed), name
        assert ("401" in answers) == ("security" in operation), name
        assert ("403" in answers) == (not keyless), name
        assert {"500", "503"} <= set(answers), name
        if "requestBody" in operation:
            assert {"400", "408", "413", "422"} <= set(answers), name
        assert ("422" in answers) == ("parameters" in operation or "requestBody" in operation), name
        for status, answer in answers.items():
            if status.startswith("2"):
                continue
            assert list(answer["content"]) == [PROBLEM], f"{name} {status}"
            examples = answer["content"][PROBLEM]["examples"]
            assert examples, f"{name} {status}"
            for code, example in examples.items():
                assert known[code].summary == example["value"]["title"]
                assert example["value"]["status"] == int(status)
                validator.validate(example["value"])


def test_nothing_of_the_defaults_of_fastapi_is_left(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "#/$defs" not in str(document)


def test_every_model_has_an_example_that_it_allows(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    named = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert named <= set(schemas)
    for name, schema in schemas.items():
        examples = schema.get("examples") or [schema["example"]] if "example" in schema else []
        # What is only ever a part of another model is shown there.
        assert examples or name not in _answered(document), f"{name} has no example"
        for example in examples:
            _validator(document, {"$ref": f"#/components/schemas/{name}"}).validate(example)


def test_a_path_that_may_hold_slashes_says_so(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if parameter["name"] == "fact" and parameter["in"] == "path":
                assert "Slashes" in parameter["description"], name


def _answered(document: dict[str, Any]) -> set[str]:
    """Models that are sent or answered whole, alone or as the items of a list."""
    whole = set()
    for _, operation in operations(document):
        sides = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (c for side in sides for c in side.get("content", {}).values()):
            whole |= set(re.findall(r"schemas/(\w+)", str(content["schema"])))
    return whole


def _validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Serving:
    """A hub that takes as many calls as come."""
    for name in ("CALLS_PER_SECOND", "RECORDS_PER_SECOND", "DENIED_PER_MINUTE"):
        monkeypatch.setenv(f"LYNCHPIN_LIMITS__{name}", "1e9")
    serving: Serving = request.getfixturevalue("serving")
    return serving


def _some_data(serving: Serving) -> dict[str, str]:
    """A sale, a held sale and an order; gives the facts by their kinds."""
    sale = poslog_writer.sale(seed=3)
    serving.send(sale)
    serving.send(sale.replace(b"<Quantity>2<", b"<Quantity>3<", 1))
    door, order = serving.hub.door("shopify"), shop_writer.order(next(iter(shop.orders(1, seed=5))))
    now = serving.hub.now()
    serving.writer.submit(lambda c: take_in(c, door, [order], name="x", now=now)).result()
    assert serving.settled() == {"applied": 2, "held": 1}

    def facts() -> dict[str, str]:
        with serving.hub.engine.begin() as connection:
            found = connection.execute(select(stored.c.kind, stored.c.fact))
            return {row[0]: row[1] for row in found}

    return serving.writer.alone(facts).result()


@pytest.mark.parametrize("role", [*get_args(Role), None])
def test_the_running_hub_answers_as_it_is_described(unlimited: Serving, role: str | None) -> None:
    """Called with what the document allows, with what it does not, and with names that there are.

    Whoever may call nearly everything is given the most calls.
    """
    facts = _some_data(unlimited)
    schema = schemathesis.openapi.from_dict(unlimited.app.openapi())
    base = f"http://127.0.0.1:{unlimited.port}"
    headers = {"Authorization": f"Bearer {unlimited.keys[role]}"} if role else {}

    def call(case: Case[Any]) -> None:
        case.call_and_validate(base_url=base, headers=headers, checks=CHECKS)

    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        for mode in schemathesis.GenerationMode:
            _each(operation.as_strategy(mode), call, 8 if role == "operator" else 2)
        known = {"source": "poslog", "number": 1, "fact": _fact(operation.path, facts)}
        mine = {n: v for n, v in known.items() if f"{{{n}}}" in operation.path}
        if mine:
            _each(operation.as_strategy(path_parameters=mine), call, 2)


def _fact(path: str, facts: dict[str, str]) -> str:
    """A fact of the kind that the path is about; of an order where it is about a person."""
    return facts["Transaction" if path.startswith("/transactions") else "Order"]


def _each(cases: SearchStrategy[Case[Any]], call: Callable[[Case[Any]], None], count: int) -> None:
    """Make so many calls, the same in every run."""

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def run(case: Case[Any]) -> None:
        call(case)

    # An operation that takes nothing cannot be called wrongly.
    with suppress(Unsatisfiable):
        run()
