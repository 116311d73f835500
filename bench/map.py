"""The mapping language: against hand-written Python, against other languages, on real mappings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import by_hand
from bench.clock import interleaved, ratio
from bench.figure import Figure, of
from bench.orders import orders
from bench.peers import PEERS, complete
from connectors import registry
from hub import library
from mappings.mapping import Mapping, load

__all__ = ["figures"]

_SEED = 7
_ORDERS = 200
_ROUNDS = 25
_US = 1_000_000
_HERE = Path(__file__).parent


def figures() -> Iterator[Figure]:
    """Measure; every output is compared with the others' before a clock runs."""
    yield from _against_hand()
    yield from _against_peers()
    yield from _shopify()


def _mapping(name: str) -> Mapping:
    file = _HERE / f"{name}.yaml"
    return load(file.read_text("utf-8"), file.name)


def _against_hand() -> Iterator[Figure]:
    mapping, bodies = _mapping("order"), orders(_ORDERS, seed=_SEED)
    for body in bodies:
        document, _ = mapping.run(body)
        if not document == by_hand.order(body, []) == mapping.trace(body).document:
            raise AssertionError("the forms of the mapping differ, so there is nothing to compare")
    took = interleaved(
        {
            "hand": _over(bodies, lambda body: by_hand.order(body, [])),
            "fast": _over(bodies, mapping.run),
            "traced": _over(bodies, mapping.trace),
            "origins": _over(bodies, lambda body: mapping.trace(body).origins),
            "valid": _over(bodies, lambda body: mapping.build(body, system="bench")),
        },
        rounds=_ROUNDS,
        each=_ORDERS,
    )
    yield of(
        ratio(took["fast"], took["hand"]),
        id="map.ratio_handwritten",
        what="a 10-line order, fast form against hand-written Python",
        unit="ratio",
        floor=1.5,
        n=_ORDERS,
        seed=_SEED,
    )
    yield of(
        took["fast"].times(_US),
        id="map.order_us",
        what="a 10-line order, fast form",
        unit="µs",
        n=_ORDERS,
        seed=_SEED,
        beside={"hand-written": took["hand"].median * _US, "traced": took["traced"].median * _US},
    )
    yield of(
        ratio(took["traced"], took["fast"]),
        id="map.ratio_traced",
        what="a 10-line order, traced form against fast form",
        unit="ratio",
        floor=2.5,
        beside={"every origin written out": ratio(took["origins"], took["fast"]).median},
        n=_ORDERS,
        seed=_SEED,
    )
    yield of(
        ratio(took["valid"], took["fast"]),
        id="map.ratio_validated",
        what="a 10-line order, fast form with validation by pydantic against fast form alone",
        unit="ratio",
        n=_ORDERS,
        seed=_SEED,
    )


def _against_peers() -> Iterator[Figure]:
    # Fewer take so little time that what is measured is how cold the processor's caches are.
    mapping, bodies = _mapping("peers"), [complete(b) for b in orders(_ORDERS, seed=_SEED)]
    for name, peer in PEERS.items():
        for body in bodies:
            if mapping.run(body)[0] != peer(body):
                raise AssertionError(f"{name} maps to something else")
    works = {name: _over(bodies, peer) for name, peer in PEERS.items()}
    took = interleaved({"ours": _over(bodies, mapping.run), **works}, rounds=9, each=len(bodies))
    best = min(PEERS, key=lambda name: took[name].median)
    yield of(
        ratio(took[best], took["ours"]),
        id="map.ratio_best_library",
        what=f"a 10-line order without codes and times, the fastest library ({best}) against ours",
        unit="ratio",
        floor=5,
        side="least",
        n=len(bodies),
        seed=_SEED,
        beside={name: ratio(took[name], took["ours"]).median for name in PEERS},
    )


def _shopify() -> Iterator[Figure]:
    mapping = library.shipped("shopify", "order")
    connector = registry.load("shopify")
    sample = registry.folder("shopify") / "samples/order-paid-bare.json"
    payload = sample.read_bytes()
    body = connector.decode(payload, b"", connector.options())[0].body
    # Ten lines, as in the orders above.
    lines = body["line_items"]
    body["line_items"] = [lines[n % len(lines)] for n in range(10)]
    bodies = [body] * 50
    took = interleaved(
        {
            "fast": _over(bodies, mapping.run),
            "traced": _over(bodies, mapping.trace),
            "valid": _over(bodies, lambda b: mapping.build(b, system="bench")),
        },
        rounds=_ROUNDS,
        each=len(bodies),
    )
    yield of(
        took["fast"].times(_US),
        id="map.shopify_order_us",
        what="the shipped mapping of a Shopify order, 10 lines, fast form",
        unit="µs",
        n=len(bodies),
        beside={
            "traced": took["traced"].median * _US,
            "fast and validated": took["valid"].median * _US,
        },
    )


def _over(bodies: list[dict[str, Any]], work: Callable[[dict[str, Any]], object]) -> Any:
    def run() -> None:
        for body in bodies:
            work(body)

    return run
