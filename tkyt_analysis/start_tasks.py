"""What is new and what waits in a home, for one account: each line with a number and the next step.

Everything is counted in the warehouse through the account's scope; nothing is kept but the time of the last visits.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.access import require
from tkyt_analysis.access.warehouse_view import ScopedWarehouse, scoped_warehouse
from tkyt_analysis.lab_folders import lab_directory
from tkyt_analysis.labels import format_number
from tkyt_analysis.warehouse.whole_files import write_whole
from tkyt_analysis.workflow.machine import local_day
from tkyt_analysis.workflow.states import due_dates, utc_now

if TYPE_CHECKING:
    from tkyt_analysis.reference.periods import Period

SAME_VISIT = datetime.timedelta(minutes=30)


@dataclass(frozen=True)
class Task:
    """One line of the start page.

    kind : words are the labels start.<kind> and start.<kind>.step; number : how many wait, or are new
    notebook : a template that helps, or ""; command : a command that helps, or ""
    """

    kind: str
    number: int
    fields: dict[str, Any] = field(default_factory=dict)
    notebook: str = ""
    command: str = ""


def waiting_tasks(home: Path, *, today: datetime.date | None = None) -> list[Task]:
    """What waits: refused files, rows in quarantine, errors, open questions, reports to approve, reports not here."""
    account = require(home, "read")
    today = today or local_day(utc_now())
    with scoped_warehouse(home, account) as view:
        tasks = [
            *_refused_files(view),
            *_quarantined(view),
            *_findings(view),
            *_open_questions(view),
            *_reports_to_decide(view),
            *_reports_missing(view, today),
        ]
    return [task for task in tasks if task.number]


def _refused_files(view: ScopedWarehouse) -> list[Task]:
    number, example = view.warehouse.one(
        "SELECT count(*), arg_max(file_name, received_at) FROM lake.received_file "
        f"WHERE rows_landed = 0 AND rows_quarantined > 0 AND {view.files()}"
    )
    return [Task("refused_files", number, {"example": _name(example)}, command="tkyt errors write --file … -o …")]


def _quarantined(view: ScopedWarehouse) -> list[Task]:
    number, files = view.warehouse.one(
        f"SELECT count(*), count(DISTINCT file_sha256) FROM lake.quarantine WHERE {view.files()}"
    )
    fields = {"files": format_number(files)}
    return [Task("quarantined", number, fields, command="tkyt errors write --for … -o …")]


def _findings(view: ScopedWarehouse) -> list[Task]:
    number, units = view.warehouse.one(
        f"SELECT count(*), count(DISTINCT unit_id) FROM lake.finding WHERE severity = 'error' AND {view.units()}"
    )
    return [Task("findings", number, {"units": format_number(units)}, notebook="20_quality.ipynb")]


def _open_questions(view: ScopedWarehouse) -> list[Task]:
    from tkyt_analysis.correction.status import QUESTIONS

    number, since = view.warehouse.one(
        f"SELECT count(*), min(asked_at) FROM ({QUESTIONS}) WHERE status = 'open' AND {view.units()}"
    )
    return [Task("questions", number, {"since": str(since or "")[:10]}, command="tkyt errors status")]


def _reports_to_decide(view: ScopedWarehouse) -> list[Task]:
    from tkyt_analysis.workflow.actions import make_wanted

    make_wanted(view.warehouse, place=None, form=None, period=None, now=utc_now())
    counts = dict(
        view.warehouse.con.execute(
            f"SELECT state, count(*) FROM submission_state WHERE {view.units()} GROUP BY 1"
        ).fetchall()
    )
    commands = {
        "received": "tkyt submission check --place …",
        "checked": "tkyt submission approve --place …",
        "returned": "tkyt submission list --state returned",
        "reopened": "tkyt submission list --state reopened",
    }
    return [Task(f"reports_{state}", counts.get(state, 0), command=command) for state, command in commands.items()]


def _reports_missing(view: ScopedWarehouse, today: datetime.date) -> list[Task]:
    """Monthly reports of the last two months that are expected and not here: late, or due."""
    from tkyt_analysis.reference.periods import format_period, period

    late: list[tuple[str, int, datetime.date]] = []
    due: list[tuple[str, int, datetime.date]] = []
    for month in _last_months(today):
        dates, missing = _missing_of(view, month.period_id)
        for dataset, number in missing.items():
            day = dates.get(dataset)
            if day:
                (late if day < today else due).append((month.period_id, number, day))
    tasks = []
    for kind, rows in (("reports_late", late), ("reports_due", due)):
        for name in sorted({name for name, _, _ in rows}):
            own = [row for row in rows if row[0] == name]
            fields = {"period": format_period(period(name)).lower(), "day": f"{min(day for _, _, day in own):%d/%m/%Y}"}
            command = f"tkyt submission list --period {name}"
            tasks.append(Task(kind, sum(number for _, number, _ in own), fields, command=command))
    return tasks


def _last_months(today: datetime.date) -> list[Period]:
    from tkyt_analysis.reference.periods import period

    last = today.replace(day=1) - datetime.timedelta(days=1)
    before = last.replace(day=1) - datetime.timedelta(days=1)
    return [period(f"{day:%Y%m}") for day in (before, last)]


def _missing_of(view: ScopedWarehouse, period_id: str) -> tuple[dict[str, datetime.date | None], dict[str, int]]:
    """({data set: due date}, {data set: expected reports of the month that are not here})."""
    rows = view.warehouse.con.execute(
        f"""
        SELECT a.dataset_id, count(*) FROM lake.data_set_assignment a
        WHERE a.period_type = 'Monthly' AND {view.units("a.unit_id")} AND NOT EXISTS (
            SELECT 1 FROM submission_state s
            WHERE s.dataset_id = a.dataset_id AND s.unit_id = a.unit_id AND s.period_id = ?)
        GROUP BY 1
        """,
        [period_id],
    ).fetchall()
    found = due_dates(view.warehouse.con, [(dataset, period_id) for dataset, _ in rows])
    return {dataset: due.day for (dataset, _), due in found.items()}, dict(rows)


def news(home: Path, since: str) -> list[Task]:
    """What came after a moment (UTC, ISO): files received, a new release, corrected files."""
    account = require(home, "read")
    with scoped_warehouse(home, account) as view:
        files, rows, example = view.warehouse.one(
            "SELECT count(*), coalesce(sum(rows_landed), 0)::BIGINT, arg_max(file_name, received_at) "
            f"FROM lake.received_file WHERE received_at > ? AND {view.files()}",
            [since],
        )
        answers = view.warehouse.one(
            f"""SELECT count(*) FROM lake.question_answer a JOIN lake.question q USING (question_id)
            WHERE a.answered_at > ? AND {view.units("q.unit_id")}""",
            [since],
        )[0]
    release = _newest_release(home, since)
    tasks = [
        Task("new_files", files, {"rows": format_number(rows), "example": _name(example)}, command="tkyt status"),
        Task("new_answers", answers, command="tkyt errors status"),
        Task("new_release", 1 if release else 0, {"release": release}, notebook="20_quality.ipynb"),
    ]
    return [task for task in tasks if task.number]


def _newest_release(home: Path, since: str) -> str:
    """The current release, where readers were pointed to it after the moment; else ""."""
    pointer = Path(home) / "releases" / "CURRENT"
    if not pointer.exists():
        return ""
    moved = datetime.datetime.fromtimestamp(pointer.stat().st_mtime, datetime.UTC)
    return pointer.read_text("ascii").strip() if f"{moved:%Y-%m-%d %H:%M:%S}" > since else ""


def last_visit(home: Path, *, now: datetime.datetime | None = None) -> str:
    """The moment (UTC, ISO) of the visit before this one, "" at the first; looks within half an hour are one visit."""
    now = now or utc_now()
    path = lab_directory(home) / ".lab" / "visits.json"
    try:
        kept = json.loads(path.read_text("utf-8"))
        before, current = str(kept["before"]), datetime.datetime.fromisoformat(kept["current"])
    except (OSError, ValueError, KeyError, TypeError):
        before, current = "", None
    if current is not None and now - current > SAME_VISIT:
        before = f"{current:%Y-%m-%d %H:%M:%S}"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, json.dumps({"before": before, "current": f"{now:%Y-%m-%d %H:%M:%S}"}))
    return before


def _name(file_name: Any) -> str:
    return str(file_name or "").rpartition("/")[2]
