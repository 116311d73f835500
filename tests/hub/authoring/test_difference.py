from __future__ import annotations

from typing import Any

import pytest

from hub.authoring.difference import Difference, differences


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        ({"a": "1"}, {"a": "1"}, []),
        ({"a": "1"}, {"a": "2"}, [("a", "1", "2")]),
        ({"a": "1"}, {}, [("a", "1", None)]),
        ({}, {"a": "1"}, [("a", None, "1")]),
        # A flag is no number, though Python takes them for the same.
        ({"a": True}, {"a": 1}, [("a", True, 1)]),
        ({"a": [{"b": "1"}]}, {"a": [{"b": "2"}]}, [("a[0].b", "1", "2")]),
        ([1], [1, 2], [("[1]", None, 2)]),
        ([1, 2], [1], [("[1]", 2, None)]),
        ({"a": {"b": "1"}}, {"a": "1"}, [("a", {"b": "1"}, "1")]),
        ({"b": "1", "a": "1"}, {"a": "2", "b": "2"}, [("b", "1", "2"), ("a", "1", "2")]),
    ],
)
def test_differences_are_told_path_by_path(
    expected: Any, found: Any, said: list[tuple[str, Any, Any]]
) -> None:
    assert list(differences(expected, found)) == [Difference(*each) for each in said]
