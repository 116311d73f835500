from __future__ import annotations

import re
import textwrap
from base64 import b64encode
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import URL

from hub.home import Home, create
from hub.settings import Settings, check_options, read
from schemas.problem import ConfigError, Problem, Refused


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: str | None = None


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("LYNCHPIN_HOME", raising=False)
    home = Home(tmp_path)
    create(home, ["poslog", "shopify"])
    return home


def settings(home: Home, text: str) -> Settings:
    home.settings.write_text(textwrap.dedent(text))
    return read(home)


def problem(home: Home, text: str) -> Problem:
    with pytest.raises(ConfigError) as refused:
        settings(home, text)
    return refused.value.problem


def test_a_fresh_home_works_at_once(home: Home) -> None:
    source = read(home).source("poslog")
    assert (source.connector, source.system, source.zone) == ("poslog", "poslog", "UTC")
    assert source.options == {}


def test_the_example_that_the_file_shows_is_one(home: Home) -> None:
    shown = re.findall(r"^#   (.*)$", home.settings.read_text(), re.MULTILINE)
    source = settings(home, "\n".join(shown)).source("shop_eu")
    assert source.model_dump(exclude_none=True) == {
        "connector": "shopify",
        "system": "shop-eu",
        "zone": "Europe/Vienna",
        "options": {"encoding": "latin-1"},
        "secrets": (SecretStr("from the shop's admin"),),
        "public_url": "https://hub.example.org/webhooks/shop_eu",
    }


def test_a_secret_may_come_from_the_environment_and_is_never_shown(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LYNCHPIN_SOURCES__SHOP__SECRETS", '["planted-1", "planted-2"]')
    source = settings(home, '[sources.shop]\nconnector = "shopify"').source("shop")
    assert [secret.get_secret_value() for secret in source.secrets] == ["planted-1", "planted-2"]
    assert "planted" not in repr(source)
    monkeypatch.delenv("LYNCHPIN_SOURCES__SHOP__SECRETS")
    wrong = '[sources.shop]\nconnector = "shopify"\nsecrets = {planted = 4711}'
    with pytest.raises(ConfigError) as caught:
        settings(home, wrong)
    assert caught.value.problem.value is None
    assert "4711" not in str(caught.value.__cause__)


def test_the_environment_wins_over_the_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LYNCHPIN_SOURCES__TILLS__ZONE", "Europe/Vienna")
    monkeypatch.setenv("LYNCHPIN_SOURCES__TILLS__OPTIONS__ENCODING", "latin-1")
    source = settings(
        home,
        """
        [sources.tills]
        connector = "poslog"
        system = "tills-uk"
        zone = "Europe/London"
        """,
    ).source("tills")
    assert (source.connector, source.system, source.zone) == ("poslog", "tills-uk", "Europe/Vienna")
    assert source.options == {"encoding": "latin-1"}


@pytest.mark.parametrize(
    ("text", "path", "suggestion"),
    [
        ("[sources.tills]\nconector = 'poslog'", "sources.tills.conector", "connector"),
        ("[source.tills]\nconnector = 'poslog'", "source", "sources"),
        ("[sources.a]\nconnector = 'poslog'\nzome = 'UTC'", "sources.a.zome", "zone"),
    ],
)
def test_an_unknown_name_is_an_error_with_a_suggestion(
    home: Home, text: str, path: str, suggestion: str
) -> None:
    found = problem(home, text)
    assert (found.code, found.file, found.path) == ("LP-CFG-011", "lynchpin.toml", path)
    assert f"did you mean '{suggestion}'?" in (found.detail or "")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[sources.Tills]\nconnector = 'poslog'", "sources.Tills"),
        ("[sources.a]\nconnector = ''", "sources.a.connector"),
        ("[sources.a]\nconnector = 'poslog'\nsystem = 7", "sources.a.system"),
        ("[sources.a]\nconnector = 'poslog'\nzone = 'Europe/Viena'", "sources.a.zone"),
        ("[sources.a]\nzone = 'UTC'", "sources.a.connector"),
        ("sources.a = 3", "sources.a"),
        ("sources = 3", "sources"),
    ],
)
def test_a_value_that_cannot_be_is_an_error(home: Home, text: str, path: str) -> None:
    found = problem(home, text)
    assert (found.code, found.file, found.path) == ("LP-CFG-012", "lynchpin.toml", path)


def test_a_zone_that_is_nearly_right_is_corrected(home: Home) -> None:
    found = problem(home, "[sources.a]\nconnector = 'poslog'\nzone = 'Europe/Viena'")
    assert "did you mean Europe/Vienna?" in (found.detail or "")


def test_a_wrong_value_is_shown_as_a_shape_only(home: Home) -> None:
    found = problem(home, "[sources.a]\nconnector = 'poslog'\nsystem = ['Ann 42']")
    assert "Ann" not in found.line()
    assert found.value == "['aaa 99']"


def test_what_is_wrong_in_the_environment_names_the_variable(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "[sources.a]\nconnector = 'poslog'"
    with monkeypatch.context() as patch:
        patch.setenv("LYNCHPIN_SOURCES__A__ZONE", "Mars")
        found = problem(home, text)
        assert (found.code, found.path) == ("LP-CFG-012", "LYNCHPIN_SOURCES__A__ZONE")
        assert found.file is None
    with monkeypatch.context() as patch:
        patch.setenv("LYNCHPIN_SORCES__A__ZONE", "UTC")
        found = problem(home, text)
        assert (found.code, found.path) == ("LP-CFG-011", "LYNCHPIN_SORCES__A__ZONE")
        assert "LYNCHPIN_SOURCES" in (found.detail or "")
    with monkeypatch.context() as patch:
        patch.setenv("LYNCHPIN_SOURCES", "{no JSON")
        assert problem(home, text).code == "LP-CFG-010"


def test_what_others_put_into_the_environment_is_no_setting(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LYNCHPIN_HOME", str(home.path))
    monkeypatch.setenv("LYNCHPIN_SERVICE_HOST", "192.0.2.1")
    monkeypatch.setenv("LYNCHPIN_PORT_80_TCP", "tcp://192.0.2.1:80")
    assert list(read(home).sources) == ["poslog", "shopify"]


def test_a_file_that_cannot_be_read_says_where(home: Home) -> None:
    found = problem(home, "[sources.a]\nconnector = poslog")
    assert found.code == "LP-CFG-010"
    assert "line 2" in (found.detail or "")
    home.settings.write_bytes(b"# caf\xe9")
    with pytest.raises(ConfigError, match="LP-CFG-010"):
        read(home)


def test_a_home_without_settings_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lynchpin init"):
        read(Home(tmp_path / "nowhere"))


def test_an_unknown_source_is_refused_with_a_suggestion(home: Home) -> None:
    with pytest.raises(Refused, match="did you mean 'poslog'") as refused:
        read(home).source("poslogs")
    assert refused.value.problem.code == "LP-HUB-001"


def test_options_are_checked_as_the_connector_wants_them(home: Home) -> None:
    text = "[sources.a]\nconnector = 'poslog'\noptions = {{ {} = 'latin-1' }}"
    source = settings(home, text.format("encoding")).source("a")
    assert check_options("a", source, Options, home) == Options(encoding="latin-1")
    source = settings(home, text.format("encodng")).source("a")
    with pytest.raises(ConfigError, match="did you mean 'encoding'") as refused:
        check_options("a", source, Options, home)
    assert refused.value.problem.path == "sources.a.options.encodng"


def test_a_database_is_a_file_of_the_home_unless_another_is_named(home: Home) -> None:
    assert read(home).database(home) == home.database
    named = settings(home, 'database_url = "postgresql://u:p%40ss@db.example.org/hub"')
    url = named.database(home)
    assert isinstance(url, URL)
    assert (url.username, url.password, url.host, url.database) == (
        "u",
        "p@ss",
        "db.example.org",
        "hub",
    )
    assert "p@ss" not in repr(named)
    assert "p%40ss" not in repr(named)


@pytest.mark.parametrize(
    "wrong",
    [
        "planted",
        "mysql://u:planted@db/hub",
        "sqlite:///planted.db",
        "postgresql://u:planted@db",
        "postgresql://u:planted@db:port/hub",
    ],
)
def test_an_address_that_is_none_is_told_without_it(home: Home, wrong: str) -> None:
    found = problem(home, f'database_url = "{wrong}"')
    assert (found.code, found.path) == ("LP-CFG-012", "database_url")
    assert found.value is None
    assert "planted" not in found.model_dump_json()


SIGNING = f"whsec_{b64encode(bytes(32)).decode()}"


def test_a_destination_is_named_with_its_secrets_hidden(home: Home) -> None:
    text = f"[destinations.crm]\nurl = 'https://crm.example.org/in'\nsecrets = ['{SIGNING}']"
    chosen = settings(home, text).destinations["crm"]
    assert (chosen.mode, chosen.kinds, chosen.personal) == ("every", frozenset(), False)
    assert SIGNING not in repr(chosen)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ("url = 'http://crm.example.org/in'", "destinations.crm"),
        ("url = 'https://planted@crm.example.org/in'", "destinations.crm.url"),
        ("url = 'ftp://crm.example.org/in'", "destinations.crm.url"),
        ("secrets = ['planted']", "destinations.crm.secrets.0"),
        ("secrets = ['whsec_cGxhbnRlZA==']", "destinations.crm.secrets.0"),
        ("secrets = []", "destinations.crm.secrets"),
        ("kinds = ['Receipt']", "destinations.crm.kinds.0"),
        ("mode = 'sometimes'", "destinations.crm.mode"),
        ("modes = 'every'", "destinations.crm.modes"),
    ],
)
def test_a_destination_that_cannot_work_is_refused(home: Home, wrong: str, path: str) -> None:
    whole = {"url": "'https://crm.example.org/in'", "secrets": f"['{SIGNING}']"}
    name, _, value = wrong.partition(" = ")
    lines = [f"{key} = {said}" for key, said in {**whole, name: value}.items()]
    found = problem(home, "\n".join(("[destinations.crm]", *lines)))
    assert found.path == path
    assert "planted" not in (found.detail or "") + (found.value or "")
