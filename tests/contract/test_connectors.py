"""Every installed connector keeps the contract."""

from __future__ import annotations

import pytest

from connectors import registry
from connectors.contract import CHECKS, Check


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("connector", registry.manifests())
def test_contract(connector: str, check: Check) -> None:
    check(connector)
