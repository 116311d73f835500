"""Every cause of every module: one meaning a code, and a next step that somebody can take."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import connectors
import hub
import mappings
import schemas
from schemas.problem import Cause


def _causes() -> list[Cause]:
    """Each cause once, however many modules import it."""
    found: dict[int, Cause] = {}
    for package in (schemas, mappings, connectors, hub):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" in module.name or module.name.endswith("__main__"):
                continue
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Cause):
                    found[id(value)] = value
    return sorted(found.values(), key=lambda cause: cause.code)


CAUSES = _causes()


def test_a_code_has_one_meaning() -> None:
    codes = [cause.code for cause in CAUSES]
    assert len(codes) > 40
    assert sorted(set(codes)) == codes


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.code)
def test_a_cause_is_named_said_and_followed_by_a_step(cause: Cause) -> None:
    assert re.fullmatch(r"LP-[A-Z]+-[0-9]{3}", cause.code)
    assert re.fullmatch(r"[A-Z].*\.", cause.summary)
    assert re.fullmatch(r"[A-Z][a-z]+ .*\.", cause.next_step)
    # An instruction, not a description of the world.
    assert cause.next_step.split()[0] not in {"The", "A", "An", "It", "This", "There", "You"}
