"""The settings: ``lynchpin.toml``, overruled by the environment. A misspelt name is an error."""

from __future__ import annotations

import base64
import binascii
import os
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from hub.causes import (
    HOME_MISSING,
    SETTING_INVALID,
    SETTING_UNKNOWN,
    SETTINGS_UNREADABLE,
    UNKNOWN_SOURCE,
)
from hub.egress import Egress
from hub.home import Home
from hub.polling.chosen import Poll, Reread, Stream
from schemas.envelope import DocumentKind
from schemas.model import Id
from schemas.problem import ConfigError, Refused
from schemas.zone import known_zone

__all__ = [
    "Destination",
    "Journal",
    "Limits",
    "Settings",
    "Source",
    "Stores",
    "check_options",
    "read",
]

_PREFIX = "LYNCHPIN_"
# Says where the settings are, so it cannot be one of them.
_HOME = f"{_PREFIX}HOME"
# Kubernetes sets these in every pod beside a service called `lynchpin`.
_KUBERNETES = (f"{_PREFIX}SERVICE_", f"{_PREFIX}PORT")

_SECRET_BYTES = (24, 64)
_SECRET = frozenset({"secret", "secrets", "database_url"})
_DATABASES = ("postgresql", "postgres")


def _of_postgres(address: SecretStr) -> SecretStr:
    """The text is a secret whole: a password stands in the middle of it."""
    try:
        url = make_url(address.get_secret_value())
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in _DATABASES or not url.database:
        raise ValueError("it is not written as postgresql://USER:PASSWORD@HOST/DATABASE")
    return address


def _signing(secret: SecretStr) -> SecretStr:
    """As Standard Webhooks writes one."""
    prefix, _, text = secret.get_secret_value().partition("_")
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if prefix != "whsec" or not _SECRET_BYTES[0] <= len(key) <= _SECRET_BYTES[1]:
        raise ValueError("it is not `whsec_` and 24 to 64 bytes in base64")
    return secret


SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=100)]
KeepDays = Annotated[int, Field(ge=1, le=36_500)]
KeptName = Annotated[str, StringConstraints(pattern=r"^(\*/[^/]+|[a-z][a-z0-9_-]*(/[^/]+)?)$")]
Zone = Annotated[str, AfterValidator(known_zone)]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^/?#\s]+[^?#\s]*$")]
Target = Annotated[str, StringConstraints(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$")]
SigningSecret = Annotated[SecretStr, AfterValidator(_signing)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_of_postgres)]
Model = TypeVar("Model", bound=BaseModel)


class Source(BaseModel):
    """A door: which connector speaks there, and whose facts come in through it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connector: Id
    system: Id
    """Names the facts. Without a setting of its own it is the source's name."""
    zone: Zone = "UTC"
    """Assumed where a document says no offset and the Location is not loaded."""
    region: Region | None = None
    """Country of phone numbers without country code, where neither store nor address tells."""
    secrets: tuple[Annotated[SecretStr, Field(min_length=1)], ...] = ()
    """What webhooks are signed with; two while one is being changed. None: it takes no webhooks."""
    public_url: Address | None = None
    """The address that senders of webhooks have, where a proxy changes it on the way; no query."""
    options: dict[str, Any] = {}
    """What the connector lets a source choose; ``check_options`` makes it the connector's own."""


class Destination(BaseModel):
    """A system that is told what was applied, by signed webhooks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Target
    secrets: Annotated[tuple[SigningSecret, ...], Field(min_length=1, max_length=2)]
    """What it is signed with, as Standard Webhooks writes it; two while one is being changed."""
    kinds: frozenset[DocumentKind] = frozenset()
    """Only these kinds of documents; none named: all."""
    mode: Literal["every", "latest"] = "every"
    """Each version of a thing; or the latest, which takes the place of those not yet tried."""
    corrections: Literal["upsert", "append", "never"] = "upsert"
    """What it is told where something that it was told of is otherwise now: the new one, which
    takes the place of the old; that the old one does not hold, and then the new one; nothing."""
    system: Id | None = None
    """The system that it stands for: what comes from there is not sent back there."""
    allow_private: bool = False
    """Whether it may be without TLS, and in a network of ours."""
    personal: bool = False
    """Whether it is told who people are; without it their data is masked."""
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 15
    """From the first step to the answer."""
    per_second: PositiveFloat | None = None
    """So many deliveries at most, by all hubs together; without it as fast as it answers."""
    expires_seconds: PositiveFloat | None = None
    """What was not told by then is not told any more; without it everything is, however late."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.url.startswith("http:") and not self.allow_private:
            raise ValueError("without `allow_private` it must begin with https://")
        return self

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.corrections == "append" and self.expires_seconds is not None:
            raise ValueError(
                '`corrections = "append"` does not go with `expires_seconds`: a reversal that was '
                "given up would leave both"
            )
        return self

    @property
    def hears_replays(self) -> bool:
        """Whether a replay that is asked for corrections tells it what is otherwise now."""
        replaces = self.mode == "latest" and self.corrections == "upsert"
        return replaces or self.corrections == "append"


class People(BaseModel):
    """What the hub must know to tell people apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    walk_in_cards: tuple[str, ...] = ()
    """Loyalty cards that lie beside a till for whoever has none: they identify nobody."""


class Limits(BaseModel):
    """What callers may take of a running hub, so that none of them takes it from the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls_per_second: PositiveFloat = 50
    """By each key that reads or decides; twice as many at once."""
    records_per_second: PositiveFloat = 2000
    """By each key of a source, and of each source's webhooks; twice as many at once."""
    denied_per_minute: PositiveFloat = 120
    """From each address, without a key that holds."""
    connections: PositiveInt = 2000
    head_seconds: PositiveFloat = 10
    """For the head of a call to come."""
    idle_seconds: PositiveInt = 30
    """From one call to the next over the same connection."""
    stall_seconds: PositiveFloat = 30
    """For some of an answer to be taken."""


class Stores(BaseModel):
    """What the hub expects of store agents."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    silent_seconds: PositiveFloat = 180
    """An agent that was not heard of for so long is said to be silent: three of its
    ``beat_seconds``."""


class Journal(BaseModel):
    """How long what messages said is kept, after they came in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_days: KeepDays = 400
    keep: dict[KeptName, KeepDays] = {}
    """Otherwise by what they are: `"SOURCE/KIND"`, else `"*/KIND"`, else `"SOURCE"`."""

    def days(self, source: str, kind: str | None) -> int:
        """For how many days a message of this source and kind is kept."""
        names = (f"{source}/{kind}", f"*/{kind}", source)
        return next((self.keep[name] for name in names if name in self.keep), self.keep_days)

    @property
    def days_min(self) -> int:
        """The shortest that anything is kept."""
        return min(self.keep_days, *self.keep.values(), self.keep_days)


class Watchdog(BaseModel):
    """When a running hub gives itself up, for its supervisor to start it again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stall_seconds: PositiveFloat = 60
    """Something waits to be written or settled, and nothing gets done."""


class Settings(BaseSettings):
    """Everything that a person chooses."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
        hide_input_in_errors=True,
    )

    sources: dict[SourceName, Source] = {}
    database_url: DatabaseUrl | None = None
    """A database of PostgreSQL that several hubs may share. Without it, a file of the home."""
    lease_seconds: Annotated[float, Field(ge=1)] = 30
    """How long others wait for a hub that is gone before they do its work, on PostgreSQL."""
    destinations: dict[SourceName, Destination] = {}
    polls: dict[SourceName, Poll] = {}
    egress: Egress = Egress()
    people: People = People()
    limits: Limits = Limits()
    stores: Stores = Stores()
    second_process: bool = True
    """Whether a second process translates what waits, where there is a lot and a processor for it.
    """
    journal: Journal = Journal()
    watchdog: Watchdog = Watchdog()

    @field_validator("sources", mode="before")
    @classmethod
    def _name_systems(cls, sources: Any) -> Any:
        if not isinstance(sources, dict):
            return sources
        return {
            name: {"system": name, **source} if isinstance(source, dict) else source
            for name, source in sources.items()
        }

    @classmethod
    def settings_customise_sources(
        cls, *_: Any, **sources: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, whose content is passed to the constructor."""
        return sources["env_settings"], sources["init_settings"]

    def database(self, home: Home) -> Path | URL:
        """Where everything that came in is kept."""
        if self.database_url is None:
            return home.database
        return make_url(self.database_url.get_secret_value())

    def source(self, name: str) -> Source:
        """The source of this name. Raises ``Refused`` suggesting one that there is."""
        if name not in self.sources:
            raise Refused(UNKNOWN_SOURCE.at(f"no source {name!r}{_hint(name, self.sources)}"))
        return self.sources[name]


_SECTIONS: dict[str, type[BaseModel]] = {
    "destinations": Destination,
    "journal": Journal,
    "limits": Limits,
    "people": People,
    "polls": Poll,
    "stores": Stores,
    "watchdog": Watchdog,
}


def read(home: Home) -> Settings:
    """Read the settings of a home.

    Raises ``ConfigError`` naming the file or the variable, and the setting that is wrong in it.
    """
    file = home.settings
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(HOME_MISSING.at(file=str(home.path))) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(SETTINGS_UNREADABLE.at(str(error), file=file.name)) from error
    _refuse_unknown_variables(os.environ)
    try:
        return Settings(**content)
    except SettingsError as error:
        detail = "a variable of the environment is not the JSON that its setting needs"
        raise ConfigError(SETTINGS_UNREADABLE.at(detail)) from error
    except ValidationError as error:
        raise _explain(error, Settings, file) from error


def check_options(name: str, source: Source, model: type[Model], home: Home) -> Model:
    """Give the options of a source as its connector wants them; files are taken from the home.

    Raises ``ConfigError`` naming the file or the variable, and the option that is wrong in it.
    """
    try:
        return model.model_validate(source.options, context={"home": home.path})
    except ValidationError as error:
        raise _explain(error, model, home.settings, at=("sources", name, "options")) from error


def _refuse_unknown_variables(environ: Iterable[str]) -> None:
    """A misspelt variable would otherwise be passed over in silence."""
    known = [f"{_PREFIX}{name}".upper() for name in Settings.model_fields]
    for variable in environ:
        name = variable.upper().split("__")[0]
        if not name.startswith(_PREFIX) or name in (_HOME, *known) or name.startswith(_KUBERNETES):
            continue
        detail = f"no setting belongs to this variable{_hint(name, known)}"
        raise ConfigError(SETTING_UNKNOWN.at(detail, path=variable))


def _explain(
    error: ValidationError, model: type[BaseModel], file: Path, at: tuple[str, ...] = ()
) -> ConfigError:
    """Name the worst of what is wrong; a misspelt name comes first, for it explains the rest."""
    found = error.errors(include_url=False)
    worst = min(found, key=lambda one: one["type"] != "extra_forbidden")
    where = (*at, *(str(part) for part in worst["loc"] if part != "[key]"))
    variable = next((v for v in os.environ if v.upper() == _variable(where)), None)
    place = {"path": variable} if variable else {"file": file.name, "path": ".".join(where)}
    more = f" ({len(found) - 1} more to mend)" if len(found) > 1 else ""
    if worst["type"] == "extra_forbidden":
        inner = _model_at(where)
        known = (model if len(worst["loc"]) == 1 else inner).model_fields
        detail = f"no setting {where[-1]!r}{_hint(where[-1], known)}{more}"
        return ConfigError(SETTING_UNKNOWN.at(detail, **place))
    detail = worst["msg"].removeprefix("Value error, ") + more
    # Not even the shape of a secret is shown.
    hidden = worst["type"] == "missing" or not _SECRET.isdisjoint(where)
    value = None if hidden else worst["input"]
    return ConfigError(SETTING_INVALID.at(detail, value=value, **place))


def _model_at(where: tuple[str, ...]) -> type[BaseModel]:
    """The model whose settings stand at this place."""
    if where[0] == "polls" and len(where) > 4:
        return Reread if "reread" in where[4:-1] else Stream
    return _SECTIONS.get(where[0], Source)


def _variable(where: tuple[str, ...]) -> str:
    return (_PREFIX + "__".join(where)).upper()


def _hint(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
