"""The settings: ``agent.toml`` of a home. A misspelt name is an error."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from schemas.problem import ConfigError
from store_agent.causes import HOME_MISSING, SETTINGS_WRONG
from store_agent.home import Home

__all__ = ["Capture", "Settings", "read"]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,49}$")]
"""Of an agent or a capture: both together, with the dot between them, stand in an address."""
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^/?#\s]+[^?#\s]*$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Capture(_Part):
    """A folder that is watched, and what its files are."""

    source: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=100)]
    connector: str
    folder: Path
    pattern: str = "*"
    quiet_seconds: PositiveFloat = 5
    """A file that looks unfinished is taken once it has not changed for so long."""
    after: Literal["keep", "delete"] = "keep"
    options: dict[str, Any] = {}
    """What the connector lets a source choose, as at the hub."""

    @model_validator(mode="after")
    def _absolute(self) -> Self:
        if not self.folder.is_absolute():
            raise ValueError("folder must be an absolute path")
        return self


class Settings(_Part):
    """Everything that a person chooses."""

    hub: Address
    name: Name
    key: SecretStr
    """What the hub let this agent in with; in the file itself, or in the one of ``key_file``."""
    free_mb_min: Annotated[int, Field(ge=0)] = 64
    """The disk keeps so much room, so that acknowledgements can be noted when it is full."""
    keep_days: Annotated[float, Field(ge=0)] = 14
    """For so long a record stays here after the hub has it: a hub that was restored from a backup
    gets it again. Where the disk is short, the oldest go sooner."""
    beat_seconds: PositiveFloat = 60
    """An agent with nothing to ship says so this often: the hub knows no other sign of life."""
    captures: dict[Name, Capture] = {}


def read(home: Home) -> Settings:
    """Read the settings of a home. Raises ``ConfigError`` naming the setting that is wrong."""
    file = home.settings
    try:
        content = tomllib.loads(file.read_text("utf-8"))
        if "key" not in content and isinstance(named := content.pop("key_file", None), str):
            content["key"] = (home.path / named).read_text("utf-8").strip()
    except FileNotFoundError as error:
        if error.filename == str(file):
            raise ConfigError(HOME_MISSING.at(file=str(home.path))) from None
        detail = "the file that it names does not exist"
        raise ConfigError(SETTINGS_WRONG.at(detail, file=file.name, path="key_file")) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(SETTINGS_WRONG.at(str(error), file=file.name)) from error
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        raise _explain(error, file) from None


def _explain(error: ValidationError, file: Path) -> ConfigError:
    """Name the worst of what is wrong; a misspelt name comes first, for it explains the rest."""
    found = error.errors(include_url=False)
    worst = min(found, key=lambda one: one["type"] != "extra_forbidden")
    path = ".".join(str(part) for part in worst["loc"] if part != "[key]")
    unknown = worst["type"] == "extra_forbidden"
    detail = "there is no such setting" if unknown else worst["msg"].removeprefix("Value error, ")
    more = f" ({len(found) - 1} more to mend)" if len(found) > 1 else ""
    return ConfigError(SETTINGS_WRONG.at(detail + more, file=file.name, path=path))
