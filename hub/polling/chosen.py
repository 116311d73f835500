"""What people choose of a poll: whom it asks, for what, how often, and how far back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    StringConstraints,
    model_validator,
)

from schemas.model import Id

__all__ = ["Poll", "Reread", "Stream"]


def _of_a_header(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not (text and text.isascii() and text.isprintable()):
        raise ValueError("it holds what no header may hold")
    return secret


def _of_a_time(text: str) -> str:
    moment = datetime(2031, 5, 6, 10, tzinfo=UTC)
    try:
        written = moment.strftime(text)
    except ValueError:
        written = ""
    if written == text or "\0" in written:
        raise ValueError("it writes no time; %Y-%m-%dT%H:%M:%SZ would")
    return text


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=100)]
Base = Annotated[str, StringConstraints(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$")]
Path = Annotated[str, StringConstraints(pattern=r"^/[^?#\s]*$")]
Parameter = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")]
HeaderSecret = Annotated[SecretStr, AfterValidator(_of_a_header)]
TimeFormat = Annotated[str, AfterValidator(_of_a_time)]


class Reread(BaseModel):
    """What is read again although nothing says that it has changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: Parameter | None = None
    """The parameter that takes how far back to read, such as when an order was placed. Without it
    ``query`` alone says what is read: what is still open, however old."""
    window_seconds: PositiveFloat = 30 * 86_400
    """How far back that is."""
    every: PositiveInt = 10
    """Once in so many readings of what has changed."""
    query: dict[Parameter, str] = {}
    """Beside that of the stream."""


class Stream(BaseModel):
    """A list of things of one kind that the system gives out, those that changed last included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    """After the ``url`` of the poll."""
    since: Parameter
    """The parameter that takes from when on changes are wanted."""
    changed: Id = "updated_at"
    """The field of a thing that says when it changed; a dot leads into an object."""
    items: Id | None = None
    """The field of a page that has the list; a dot leads into an object. None: it is the list."""
    pages: Literal["link", "number"] = "link"
    """How a page leads to the next one: by a ``Link`` header, or by the number of the page."""
    page: Parameter = "page"
    """The parameter that takes that number, from 1."""
    query: dict[Parameter, str] = {}
    """Whatever else is to be asked: how many on a page, in which order, of which state."""
    reread: Reread | None = None


class Poll(BaseModel):
    """A system that is asked for what it has, beside or instead of what it tells of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Name
    """The source that what it has comes in through."""
    url: Base
    secret: HeaderSecret | None = None
    """What shows who asks."""
    header: Header = "Authorization"
    """The header that takes it. In ``Authorization`` it is a bearer token unless it says another
    scheme, as in ``Basic ...``."""
    streams: Annotated[dict[Name, Stream], Field(min_length=1)]
    every_seconds: PositiveFloat = 60
    overlap_seconds: Annotated[float, Field(ge=0)] = 300
    """How much of what was read is read again: what was late to be committed there."""
    start_at: AwareDatetime | None = None
    """Nothing that changed last before this is asked for; without it everything is, at first."""
    time_format: TimeFormat = "%Y-%m-%dT%H:%M:%SZ"
    """How times are written in what is asked, in UTC."""
    pages_max: PositiveInt = 500
    """After so many pages of a stream the others have their turn."""
    page_bytes_max: Annotated[int, Field(ge=1, le=64 * 1024 * 1024)] = 32 * 1024 * 1024
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30
    """For one page, from the first step to its last byte."""
    allow_private: bool = False
    """Whether it may be without TLS, and in a network of ours."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.url.startswith("http:") and not self.allow_private:
            raise ValueError("without `allow_private` it must begin with https://")
        return self
