"""A file of differences in a home is read as the whole mapping that it stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.authoring import draft
from hub.home import Home
from mappings.mapping import load
from schemas.problem import ConfigError


def test_a_file_of_differences_becomes_the_shipped_mapping_changed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    folder = home.mappings / "shopify"
    folder.mkdir(parents=True)
    (folder / "channels.csv").write_text("code,value\ntiktok,social\n", "utf-8")
    own = folder / "order.yaml"
    own.write_text(
        "extends: shopify.order\nrules:\n  without note:\ncodes:\n  channel: channels.csv\n",
        "utf-8",
    )
    found = draft.read(draft.located("shopify.order", home), home)
    assert str(found.target) == "shopify.order"
    assert found.file == "mappings/shopify/order.yaml"
    source = {"id": 1, "source_name": "tiktok", "note": "x"}
    document = load(found.text, found.file).run(source)[0]
    assert (document["channel"], document.get("note")) == ("social", None)


@pytest.mark.parametrize(
    ("name", "said"),
    [("shopify.ordr", "did you mean 'shopify.order'"), ("nobody.order", "no mapping")],
)
def test_what_is_extended_must_be_shipped(tmp_path: Path, name: str, said: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(f"# ours\nextends: {name}\n", "utf-8")
    with pytest.raises(ConfigError, match=said) as caught:
        draft.read(own, Home(tmp_path / "home"))
    assert caught.value.problem.rule == "own.yaml:2"
