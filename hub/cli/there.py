"""The hub that runs, asked over HTTP with the key that it keeps for its own command line."""

from __future__ import annotations

import base64
import getpass
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from hub import home as homes
from hub import settings
from hub.authoring.draft import Draft, example_files
from hub.causes import FILE_MISSING, TABLE_UNREADABLE, UNKNOWN_SOURCE
from hub.cli.call import GONE
from hub.cli.journal_there import JournalThere
from hub.cli.told import error_of
from hub.cli.way import Noun
from hub.explain import Explained
from hub.jobs.ask import Ask
from hub.jobs.record import RUNNING, Act
from hub.keys import NO_KEY, Role
from hub.original import Original
from hub.people.document import Document
from hub.people.view import Found, Person
from hub.plan.report import Thresholds
from hub.polling.causes import UNKNOWN as UNKNOWN_POLL
from hub.polling.status import Status
from hub.publication import Publication, Target
from hub.receive import Report
from hub.reference import Loaded
from hub.running import Running
from hub.settle import Settled
from schemas.problem import (
    Cause,
    ConfigError,
    Problem,
    Refused,
    Rejected,
    Unavailable,
)

__all__ = ["HTTP_BYTES_MAX", "There", "connected"]

TOO_LARGE = Cause(
    "LP-CLI-001",
    "The file is larger than a hub that runs takes in.",
    "Stop `lynchpin up` and receive it again, which takes in files of any size; or split it.",
)
HTTP_BYTES_MAX = 64 * 1024 * 1024
"""What ``hub.api.body`` takes; asking it would load everything that serves HTTP."""
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 300.0
"""The hub may be at work on a long file of somebody else's."""
_POLL_SECONDS = (0.01, 0.5)
_ID_MAX = 100
_CHUNK_BYTES = 256 * 1024

_COUNTS = {"applied": "applied", "duplicate": "duplicates", "stale": "stale", "held": "held"}


def connected(running: Running) -> There | None:
    """The way to this hub; ``None`` if it does not answer."""
    client = httpx2.Client(
        base_url=running.address,
        headers={
            "Authorization": f"Bearer {running.key}",
            "X-Lynchpin-Actor": quote(getpass.getuser()),
        },
        timeout=httpx2.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
        # The hub is on this machine: what the environment says of proxies is about others.
        trust_env=False,
    )
    try:
        well = client.get("/health/live", timeout=_CONNECT_SECONDS).is_success
    except httpx2.TransportError:
        well = False
    if well:
        return There(client)
    client.close()
    return None


class There(JournalThere):
    """See ``hub.cli.way.Way``. The audit names the key and the user of the machine."""

    def receive(
        self, source: str, files: Iterable[Path], progress: Callable[[int], None]
    ) -> Report:
        """Take in files, each once the one before is settled."""
        settings.read(homes.locate()).source(source)
        report = Report()
        for file in files:
            try:
                number = self._send(source, file)
            except Refused as refusal:
                if refusal.problem.code == UNKNOWN_SOURCE.code:
                    raise
                report.refuse(refusal, file)
                continue
            _add(report, self._settled(f"/sources/{source}/records/{number}", progress))
        return report

    def _send(self, source: str, file: Path) -> int:
        """Number of the record that the file became, once it is on the disk of the hub."""
        try:
            _check_size(file)
            path = f"/sources/{source}/records"
            said = self._answer("POST", path, content=_Content(file), headers=_named(file))
        except OSError as error:
            raise Refused(FILE_MISSING.at(error.strerror or "", file=file.name)) from None
        return int(said["record"])

    def _settled(self, path: str, progress: Callable[[int], None]) -> dict[str, Any]:
        """The state of a record once none of its messages is pending."""
        seconds, most = _POLL_SECONDS
        done = 0
        while True:
            state = self._answer("GET", path)
            states = state["states"]
            now = sum(states.values()) - states.get("pending", 0)
            if now > done:
                progress(now - done)
            elif seconds == most:
                # Is it busy, or can it not go on?
                self._answer("GET", "/health/ready")
            if not states.get("pending"):
                return dict(state)
            done = now
            time.sleep(seconds)
            seconds = min(seconds * 1.5, most)

    def release(self, numbers: list[int], *, replace: bool) -> Settled:
        """Send held messages through the mapping again."""
        wanted = {"messages": numbers, "replace": replace}
        said = self._answer("POST", "/holds/release", json=wanted)
        return _settled(said)

    def discard(self, numbers: list[int], *, reason: str) -> Settled:
        """Give held messages up."""
        wanted = {"messages": numbers, "reason": reason}
        settled = _settled(self._answer("POST", "/holds/discard", json=wanted))
        settled.states.update(dict.fromkeys(numbers, "discarded"))
        return settled

    def edit(self, number: int, payload: bytes, *, reason: str, dry_run: bool) -> Settled:
        """Put an edit in the place of a held message, and release it."""
        wanted = {"payload": _packed(payload), "reason": reason, "dry_run": dry_run}
        return _settled(self._answer("POST", f"/holds/{number}/edit", json=wanted))

    def create_key(
        self,
        name: str,
        role: Role,
        *,
        sources: list[str],
        stores: list[str],
        destinations: list[str],
    ) -> tuple[str, str]:
        """Id and text of a new key."""
        limits = {"sources": sources, "stores": stores, "destinations": destinations}
        said = self._answer("POST", "/keys", json={"name": name, "role": role, **limits})
        return said["id"], said["key"]

    def revoke_key(self, number: str) -> None:
        """End a key."""
        if not (number.isalnum() and len(number) <= _ID_MAX):
            # It would name another route, or none.
            raise Rejected(NO_KEY.at())
        self._answer("POST", f"/keys/{quote(number)}/revoke")

    def load(self, noun: str, file: Path) -> Loaded:
        """Load a table."""
        try:
            _check_size(file)
            content = file.read_bytes()
        except OSError as error:
            detail = error.strerror or ""
            raise ConfigError(TABLE_UNREADABLE.at(detail, file=file.name)) from None
        path = f"/reference/{noun}"
        return Loaded(**self._answer("POST", path, content=content, headers=_named(file)))

    def publish(
        self, draft: Draft, report: dict[str, Any] | None, limits: Thresholds
    ) -> Publication:
        """Put a mapping in force, with the files that its examples name."""
        files = {name: _packed(content) for name, content in example_files(draft).items()}
        wanted = {
            "text": draft.text,
            "file": draft.file,
            "examples": files,
            "report": report,
            "limits": limits.model_dump(mode="json"),
        }
        return _publication(self._answer("POST", f"{_mapping(draft.target)}/publish", json=wanted))

    def rollback(self, target: Target, to: str | None) -> Publication:
        """Put an earlier version of a mapping in force again."""
        return _publication(self._answer("POST", f"{_mapping(target)}/rollback", json={"to": to}))

    def start_job(self, ask: Ask, *, reason: str) -> dict[str, Any]:
        """Have a replay done."""
        given = {name: value for name, value in asdict(ask.sought).items() if value is not None}
        how = {"all": ask.all, "plan": ask.plan, "effects": ask.effects, "reason": reason}
        target = {"replayed": str(ask.target)} if ask.target else {}
        return dict(self._answer("POST", "/jobs", json={**given, **how, **target}))

    def decide_job(self, number: int, act: Act, *, reason: str) -> dict[str, Any]:
        """Pause, resume or cancel a job."""
        return dict(self._answer("POST", f"/jobs/{number}/{act}", json={"reason": reason}))

    def follow(self, number: int, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Wait while a job is being done."""
        seconds, most = _POLL_SECONDS
        while True:
            found = dict(self._answer("GET", f"/jobs/{number}"))
            progress(found["done"], found["total"])
            if found["state"] not in RUNNING:
                return found
            time.sleep(seconds)
            seconds = min(seconds * 1.5, most)

    def find_people(self, text: str, *, region: str | None) -> Found:
        """People by what somebody has at hand."""
        asked = {"q": text, **({"region": region} if region else {})}
        return Found.model_validate(self._answer("GET", "/customers", params=asked))

    def person(self, fact: str, *, limit: int, cursor: str | None, reveal: str | None) -> Person:
        """The person of a document."""
        turn = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        return Person.model_validate(self._seen(f"/customers/{quote(fact)}", reveal, params=turn))

    def document(self, noun: Noun, fact: str, *, reveal: str | None) -> Document:
        """A document whole."""
        return Document.model_validate(self._seen(f"/{noun}/{quote(fact)}", reveal))

    def origins(self, fact: str, path: str, *, reveal: str | None) -> list[Explained]:
        """Where values of a document came from."""
        said = self._seen(f"/explain/{quote(fact)}", reveal, params={"path": path})
        return [Explained(**each) for each in said["origins"]]

    def look(self, number: int) -> None:
        """Keep that somebody is about to see what a message says, masked."""
        self._answer("POST", f"/messages/{number}/look")

    def payload(self, number: int, *, reveal: str) -> str:
        """The bytes of a message as journalled, as text."""
        return str(self._seen(f"/messages/{number}", reveal)["payload"])

    def original(self, number: int, *, reveal: str) -> Original:
        """What came in, byte for byte as journalled."""
        said = self._answer("POST", f"/messages/{number}/original", json={"reason": reveal})
        payload = base64.b64decode(said["payload"])
        return Original(payload, said["edited_at"], said["redacted_at"])

    def _seen(self, path: str, reason: str | None, **options: Any) -> Any:
        """What is shown to everybody, or with a reason to somebody."""
        if reason is None:
            return self._answer("GET", path, **options)
        return self._answer("POST", f"{path}/reveal", json={"reason": reason}, **options)

    def note_backup(self, file: str) -> None:
        """Keep that somebody is about to take a backup."""
        self._answer("POST", "/database/backups", json={"file": file})

    def reconcile(self, source: str, *, reason: str) -> int:
        """Say that nothing of a source is unverified any more."""
        path = f"/unverified/{quote(source, safe='')}/reconcile"
        return len(self._answer("POST", path, json={"reason": reason})["windows"])

    def retry_deliveries(self, numbers: list[int], *, destination: str | None) -> int:
        """Try deliveries again now."""
        wanted = {"deliveries": numbers} if destination is None else {"destination": destination}
        return int(self._answer("POST", "/deliveries/retry", json=wanted)["count"])

    def discard_deliveries(self, numbers: list[int], *, reason: str) -> int:
        """Give deliveries up."""
        wanted = {"deliveries": numbers, "reason": reason}
        return int(self._answer("POST", "/deliveries/discard", json=wanted)["count"])

    def resend_deliveries(self, numbers: list[int], **told: str | None) -> int:
        """Tell again what was told."""
        wanted = {"deliveries": numbers} if numbers else told
        return int(self._answer("POST", "/deliveries/resend", json=wanted)["count"])

    def poll_now(self, name: str) -> list[Status]:
        """Poll at once, and wait for what comes of it."""
        path = f"/polls/{_poll(name)}"
        found = self._answer("POST", f"{path}/now")
        until = time.monotonic() + _ANSWER_SECONDS
        while any(each["due"] for each in found["polls"]) and time.monotonic() < until:
            time.sleep(_POLL_SECONDS[1])
            found = self._answer("GET", path)
        return _statuses(found)

    def rewind_poll(self, name: str, *, to: str, stream: str | None) -> list[Status]:
        """Have a poll read again what changed from this moment on."""
        wanted = {"to": to, "stream": stream}
        return _statuses(self._answer("POST", f"/polls/{_poll(name)}/rewind", json=wanted))

    def export(self, kinds: tuple[str, ...]) -> Iterator[str]:
        """Canonical documents as they come in."""
        try:
            with self._client.stream("GET", "/export", params={"kind": kinds}) as response:
                if not response.is_success:
                    response.read()
                    raise error_of(response)
                yield from response.iter_text()
        except httpx2.TransportError as error:
            raise Unavailable(GONE.at(type(error).__name__)) from None


def _poll(name: str) -> str:
    """The name of a poll as a part of a path: any other text would name another route, or none."""
    if not name or len(name) > _ID_MAX or "/" in name:
        raise Rejected(UNKNOWN_POLL.at(f"no poll {name!r}"))
    return quote(name, safe="")


def _statuses(said: dict[str, Any]) -> list[Status]:
    return [Status.model_validate(each) for each in said["polls"]]


def _mapping(target: Target) -> str:
    return f"/mappings/{quote(target.connector)}/{quote(target.kind)}"


def _packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _publication(said: dict[str, Any]) -> Publication:
    names = ("id", "connector", "kind", "act", "shipped", "actor", "at")
    report = said["report"] and json.dumps(said["report"], sort_keys=True)
    return Publication(hash=said["version"], report=report, **{n: said[n] for n in names})


def _check_size(file: Path) -> None:
    size = file.stat().st_size
    if size > HTTP_BYTES_MAX:
        raise Refused(TOO_LARGE.at(f"{size} bytes", file=file.name))


def _named(file: Path) -> dict[str, str]:
    return {"X-Lynchpin-File": quote(file.name)}


@dataclass(frozen=True, slots=True)
class _Content:
    """What a file holds, read anew each time it is sent."""

    file: Path

    def __iter__(self) -> Iterator[bytes]:
        with self.file.open("rb") as content:
            while chunk := content.read(_CHUNK_BYTES):
                yield chunk


def _add(report: Report, state: dict[str, Any]) -> None:
    for name, count in state["states"].items():
        report.messages += count
        if counted := _COUNTS.get(name):
            setattr(report, counted, getattr(report, counted) + count)
    report.flagged += state["flagged"]
    report.problems += [Problem(**each) for each in state["problems"]]
    for currency, amount in state["totals"].items():
        report.totals[currency] = report.totals.get(currency, Decimal(0)) + Decimal(amount)


def _settled(said: dict[str, Any]) -> Settled:
    return Settled(
        states={int(number): state for number, state in said["states"].items()},
        problems={int(number): Problem(**each) for number, each in said["problems"].items()},
    )
