"""Pull from a DHIS2 server: plan → answers kept in the ledger's folder → the ingest door → stamps. Goes on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tkyt_analysis.access import require
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.gateway.client import Gateway
from tkyt_analysis.gateway.fetch import Fetcher
from tkyt_analysis.gateway.ledger import FAILED, REPEATED, SPLIT, Ledger
from tkyt_analysis.gateway.plan import Wish, look_around, make_plan, require_wish
from tkyt_analysis.gateway.problems import GatewayProblem
from tkyt_analysis.gateway.receive import Received, receive_answers
from tkyt_analysis.gateway.retry import Limits, Retrier
from tkyt_analysis.gateway.server import Server
from tkyt_analysis.labels import label

OVERLAP_DAYS = 2  # the server's clock has no time zone in `lastUpdated`: a day to either side, and a night's work
Progress = Callable[[int, int, str], None]


@dataclass
class PullResult:
    """What one pull did.

    failed : (what, period, units, sentence) of requests that the server would not answer, in the caller's language
    repeated : answers that held nothing but values of the overlap window; unchanged : answers whose bytes were known
    """

    run_id: str
    resumed: bool
    since: str = ""
    answers: int = 0
    rows: int = 0
    deleted: int = 0
    repeated: int = 0
    unchanged: int = 0
    requests: int = 0
    seconds: float = 0.0
    failed: list[tuple[str, str, str, str]] = field(default_factory=list)
    received: Received | None = None

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        simple = {name: value for name, value in vars(self).items() if name != "received"}
        return simple | {"files": self.received.files if self.received else []}


def pull(
    home: Path,
    server: Server,
    wish: Wish,
    *,
    full: bool = False,
    limits: Limits | None = None,
    retrier: Retrier | None = None,
    progress: Progress | None = None,
    **fetching: Any,
) -> PullResult:
    """Pull what is wished for into the warehouse of `home`.

    A pull with equal wishes goes on where an earlier one stopped; once that is over, the next asks only for values changed
    since (minus OVERLAP_DAYS), unless `full`. Raises InputError for a wish no server could answer, ProcessingError where
    the server could not be reached to the end: then what has come is kept, and the same command goes on.
    """
    account = require(home, "pull")
    wish = require_wish(wish)
    started = time.monotonic()
    with Ledger(home, server.name) as ledger, Gateway(server, limits=limits, retrier=retrier) as gateway:
        run_id, resumed = ledger.open_run(wish.arguments(), account.name)
        result = PullResult(run_id, resumed)
        try:
            _fetch(ledger, gateway, wish, result, full=full, progress=progress, **fetching)
        except GatewayProblem as problem:
            raise _stopped(ledger, run_id, server, problem) from None
        result.received = receive_answers(home, ledger, run_id, server, progress=progress)
        result.requests = gateway.requests
        ledger.close_run(run_id, wish.arguments())
        _sum_up(ledger, result)
    result.seconds = round(time.monotonic() - started, 2)
    _record(home, server, result)
    return result


def _fetch(
    ledger: Ledger,
    gateway: Gateway,
    wish: Wish,
    result: PullResult,
    *,
    full: bool,
    progress: Progress | None,
    **more: Any,
) -> None:
    """Plan once, then ask for what is still waiting."""
    arguments = wish.arguments()
    info = gateway.ask("system/info")
    require_calendar(info)
    ledger.set_server_time(result.run_id, str(info.get("serverDate") or ""))
    last = None if full else ledger.last_server_time(arguments)
    result.since = _days_before(last, OVERLAP_DAYS)[:10] if last else ""
    if not ledger.is_planned(result.run_id):
        asks = make_plan(gateway, wish, look_around(gateway, wish), changed_since=result.since)
        ledger.plan(result.run_id, asks)
    known = ledger.recent(arguments) if result.since else set()
    recent_from = _days_before(ledger.server_time(result.run_id), OVERLAP_DAYS)
    Fetcher(gateway, ledger, result.run_id, known, recent_from, **more).run(progress)


def require_calendar(info: dict[str, Any]) -> None:
    """Only servers with the Gregorian calendar: period codes of others name other months."""
    calendar = str(info.get("calendar") or "iso8601")
    if calendar not in ("iso8601", "gregorian"):
        raise InputError("error.dhis2_calendar", found=calendar)


def _days_before(server_time: str, days: int) -> str:
    """A time of the server, some days earlier, as DHIS2 writes it; "" where the server told no time."""
    try:
        return (datetime.fromisoformat(server_time[:19]) - timedelta(days=days)).isoformat(timespec="seconds")
    except ValueError:
        return ""


def _stopped(ledger: Ledger, run_id: str, server: Server, problem: GatewayProblem) -> ProcessingError:
    done, total = ledger.counts(run_id)
    if not total:
        return ProcessingError("error.dhis2_not_begun", problem=problem.sentence(), server=server.url)
    return ProcessingError("error.dhis2_stopped", problem=problem.sentence(), done=done, total=total, server=server.url)


def _sum_up(ledger: Ledger, result: PullResult) -> None:
    """Counts of the run, and the requests that failed, named."""
    import json

    for row in ledger.asks(result.run_id):
        if row["state"] == FAILED:
            units = ", ".join(json.loads(row["units"])) or "–"
            result.failed.append((row["what"], row["period"], units, label(row["reason"], **json.loads(row["fields"]))))
        elif row["state"] != SPLIT:
            result.answers += 1
            result.rows += row["rows"] or 0
            result.deleted += row["deleted"] or 0
            result.repeated += row["state"] == REPEATED
    files = result.received.files if result.received else []
    result.unchanged = sum(1 for file in files if file["status"] == "known")


def _record(home: Path, server: Server, result: PullResult) -> None:
    from tkyt_analysis.access.audit import record

    record(home, "dhis2_pull", rows=result.rows, server=server.url, run=result.run_id, failed=len(result.failed))
