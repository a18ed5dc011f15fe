"""Push values to a DHIS2 server: always a dry run first, then, if wanted, the very same bytes. Sending twice changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tkyt_analysis.access import require
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.gateway.answers import Answer, server_message
from tkyt_analysis.gateway.client import Gateway
from tkyt_analysis.gateway.ledger import Ledger
from tkyt_analysis.gateway.payload import Chunk, Known, Value, make_chunks, payload_id, read_known, require_scope
from tkyt_analysis.gateway.problems import GatewayProblem
from tkyt_analysis.gateway.pull import require_calendar
from tkyt_analysis.gateway.retry import Limits, Retrier
from tkyt_analysis.gateway.server import Server
from tkyt_analysis.labels import all_labels, label

COUNTS = ("imported", "updated", "ignored", "deleted")
LOCKED_CODES = frozenset({"E7640", "E7641", "E7642", "E7643", "E7644"})  # past expiry, future, approved, closed window
_STRATEGY = (("importStrategy", "CREATE_AND_UPDATE"), ("async", "false"))
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Conflict:
    """A value that the server would not take. `said` is the server's own text."""

    unit: str
    unit_name: str
    element: str
    element_name: str
    period: str
    value: str
    code: str
    said: str

    @property
    def locked(self) -> bool:
        """Whether the report is approved, past its expiry, or its period not open."""
        return self.code in LOCKED_CODES

    def sentence(self) -> str:
        """The conflict in words: where, what, why, what to do."""
        known = f"gateway.conflict.{self.code.lower()}"
        why = label(known) if known in all_labels() else label("gateway.conflict.other", said=self.said or self.code)
        unit, element = self.unit_name or self.unit or "–", self.element_name or self.element or "–"
        return label(
            "gateway.conflict", unit=unit, element=element, period=self.period or "–", value=self.value, why=why
        )


@dataclass
class Summary:
    """What the server said of a payload: counts, and conflicts with unit and element named."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    conflicts: list[Conflict] = field(default_factory=list)

    def add(self, other: Summary) -> None:
        """Take in what was said of another chunk."""
        self.counts = {name: self.counts[name] + other.counts[name] for name in COUNTS}
        self.conflicts += other.conflicts


@dataclass
class PushResult:
    """What a push did. `sent` is None after a dry run only."""

    payload: str
    values: int
    chunks: int
    tried: Summary
    sent: Summary | None = None
    skipped: int = 0
    requests: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "payload": self.payload, "values": self.values, "chunks": self.chunks, "skipped": self.skipped,
            "requests": self.requests, "dry_run": _summary_dict(self.tried),
            "sent": _summary_dict(self.sent) if self.sent else None,
        }  # fmt: skip


def _summary_dict(summary: Summary) -> dict[str, Any]:
    return {**summary.counts, "conflicts": [vars(one) | {"locked": one.locked} for one in summary.conflicts]}


def push(
    home: Path,
    server: Server,
    values: Iterable[Value],
    *,
    confirm: Callable[[PushResult], bool] = lambda tried: False,
    payload: str = "",
    with_conflicts: bool = False,
    chunk_size: int = 2_000,
    limits: Limits | None = None,
    retrier: Retrier | None = None,
    progress: Progress | None = None,
) -> PushResult:
    """Try values on the server (dryRun), and send the same bytes if `confirm` says so.

    payload : the fingerprint that an earlier dry run gave; other values are then refused
    with_conflicts : send although the server would refuse some values (it takes the others)
    Raises InputError for values out of scope or changed since the dry run, ProcessingError where the server could not be
    reached to the end: chunks that it has confirmed are not sent again by the next call.
    """
    account = require(home, "push")
    values = list(values)
    chunks = make_chunks(values, size=chunk_size)
    known = read_known(home)
    require_scope(home, values, known)
    name = payload_id(chunks)
    if payload and payload != name:
        raise InputError("error.push_changed", expected=payload, found=name)
    with Ledger(home, server.name) as ledger, Gateway(server, limits=limits, retrier=retrier) as gateway:
        result = PushResult(name, sum(len(chunk.values) for chunk in chunks), len(chunks), Summary())
        sender = _Sender(ledger, gateway, chunks, name, account.name, known, progress)
        try:
            require_calendar(gateway.ask("system/info"))
            result.tried = sender.run(dry_run=True)
            if confirm(result):
                _require_no_conflict(result.tried, with_conflicts)
                result.sent = sender.run(dry_run=False)
        except GatewayProblem as problem:
            done = ledger.sent_chunks(name)
            raise ProcessingError(
                "error.push_stopped", problem=problem.sentence(), done=len(done), total=len(chunks)
            ) from None
        result.skipped, result.requests = sender.skipped, gateway.requests
    _record(home, server, result)
    return result


def _require_no_conflict(tried: Summary, with_conflicts: bool) -> None:
    if tried.conflicts and not with_conflicts:
        locked = sum(one.locked for one in tried.conflicts)
        first = tried.conflicts[0].sentence()
        raise InputError("error.push_conflicts", count=len(tried.conflicts), locked=locked, first=first)


def _record(home: Path, server: Server, result: PushResult) -> None:
    from tkyt_analysis.access.audit import record

    event = "dhis2_push" if result.sent else "dhis2_push_tried"
    conflicts = len((result.sent or result.tried).conflicts)
    record(home, event, rows=result.values, server=server.url, payload=result.payload, conflicts=conflicts)


@dataclass
class _Sender:
    ledger: Ledger
    gateway: Gateway
    chunks: list[Chunk]
    name: str
    who: str
    known: Known
    progress: Progress | None = None
    skipped: int = 0

    def run(self, *, dry_run: bool) -> Summary:
        """All chunks; of a real push only those that the server has not confirmed. A finished push starts anew."""
        done = {} if dry_run else self.ledger.sent_chunks(self.name)
        if len(done) == len(self.chunks):
            done = {}
        total = Summary()
        for number, chunk in enumerate(self.chunks, start=1):
            if self.progress:
                self.progress(number - 1, len(self.chunks), chunk.data_set)
            if number in done:
                self.skipped += 1
                total.add(_summary_of(json.loads(done[number]), chunk, self.known))
                continue
            total.add(self._send(number, chunk, dry_run=dry_run))
        return total

    def _send(self, number: int, chunk: Chunk, *, dry_run: bool) -> Summary:
        params = [*_STRATEGY, ("dryRun", "true" if dry_run else "false")]
        answer = self.gateway.send("dataValueSets", params, chunk.body, safe=True)
        content = import_summary(answer)
        if not dry_run:
            self.ledger.keep_sent(self.name, number, chunk.sha256, json.dumps(content, ensure_ascii=False), self.who)
        return _summary_of(content, chunk, self.known)


def import_summary(answer: Answer) -> dict[str, Any]:
    """The import summary of an answer: inside a web message (2.38 and later) or by itself (earlier); 409 has one too."""
    content = answer.json() if answer.body.strip() else {}
    summary = content.get("response", content) if isinstance(content, dict) else {}
    if not isinstance(summary, dict) or "importCount" not in summary:
        raise GatewayProblem(
            "error.dhis2_refused", where=answer.where, status=answer.status, said=server_message(answer.body)
        )
    return summary


def _summary_of(content: dict[str, Any], chunk: Chunk, known: Known) -> Summary:
    counts = {name: int((content.get("importCount") or {}).get(name) or 0) for name in COUNTS}
    conflicts = [one for said in content.get("conflicts") or [] for one in _conflicts(said, chunk, known)]
    return Summary(counts, conflicts)


def _conflicts(said: dict[str, Any], chunk: Chunk, known: Known) -> Iterable[Conflict]:
    """One conflict per value that it is about; where the server gives no positions, what it calls the objects."""
    indexes = [at for at in said.get("indexes") or [] if isinstance(at, int) and 0 <= at < len(chunk.values)]
    objects = said.get("objects") or {}
    found = [chunk.values[at] for at in indexes] or [
        {"orgUnit": str(objects.get("orgUnit") or ""), "dataElement": str(objects.get("dataElement") or said.get("object") or ""),
         "period": str(objects.get("period") or ""), "value": ""}
    ]  # fmt: skip
    for value in found:
        unit, element = value.get("orgUnit", ""), value.get("dataElement", "")
        yield Conflict(
            unit, known.unit_names.get(unit, ""), element, known.element_names.get(element, ""), value.get("period", ""),
            value.get("value", ""), str(said.get("errorCode") or ""), str(said.get("value") or "")[:300],
        )  # fmt: skip
