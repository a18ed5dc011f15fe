"""The workbook of questions for a place: its waiting cases, the most important first, asked and put on record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.access import NATION, require, working_within
from tkyt_analysis.access.audit import record
from tkyt_analysis.access.warehouse_view import ScopedWarehouse
from tkyt_analysis.correction.error_workbook import save_private
from tkyt_analysis.correction.wording import severity_word
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_date, format_number, label
from tkyt_analysis.quality.cases.actions import _where, require_history
from tkyt_analysis.quality.cases.carrying import append_case_events
from tkyt_analysis.quality.cases.naming import CaseNames, figure, period_words, question_words
from tkyt_analysis.quality.cases.reply_sheet import shown_id, write_reply_book
from tkyt_analysis.quality.cases.states import WAITING
from tkyt_analysis.quality.cases.table import case_table
from tkyt_analysis.warehouse.lake import Warehouse, is_practice
from tkyt_analysis.workflow.machine import local_day
from tkyt_analysis.workflow.states import event_time, utc_now

MOST = 200  # questions of one workbook
_ORDER = {"error": 0, "warning": 1, "note": 2}
_NO_QUESTION = ("shock", "explained", "duplicate_identical")  # verdicts on which a unit has nothing to answer


@dataclass(frozen=True)
class CaseWorkbook:
    """What was written: questions asked, of how many that wait."""

    path: str
    place: str
    asked: int
    waiting: int

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def write_case_workbook(
    home: Path, place: str, output: Path, *, most: int = MOST, period: str | None = None
) -> CaseWorkbook:
    """The questions of a place with all below it as a workbook for answers (mode 0600); each is on record as asked.

    most : how many at most, the most important first; the rest waits. Raises InputError where nothing waits.
    """
    account = require(home, "check", place=place)
    with working_within(), Warehouse(home, write=True) as warehouse:
        require_history(warehouse)
        where = _where(ScopedWarehouse(warehouse, account.reads), place=place, rule=None, period=period)
        cases = case_table(warehouse, where)
        waiting = cases[cases["state"].isin(WAITING) & ~cases["verdict"].isin(_NO_QUESTION)]
        asked = ranked(waiting).head(most).reset_index(drop=True)
        if asked.empty:
            raise InputError("error.case_nothing_waits", place=place)
        names, now = CaseNames(warehouse), utc_now()
        title = label("case_reply.nation") if place == NATION else names.unit(place)
        heading = {"place": title, "count": format_number(len(asked)), "waiting": format_number(len(waiting)),
                   "day": format_date(local_day(now))}  # fmt: skip
        heading["practice"] = label("case_reply.practice") if is_practice(home) else ""
        (run,) = warehouse.one("SELECT arg_max(run_id, run_number) FROM lake.check_run")
        passport = {"place": place, "run": str(run), "asked_at": event_time(now)}
        book = write_reply_book(heading, [_row(one, names) for one in asked.to_dict("records")], passport)
        save_private(book, output)
        events = asked[["finding_id", "unit_id", "value"]].assign(
            event="asked", event_at=event_time(now), account=account.name, run_id=str(run)
        )
        with warehouse.transaction():
            append_case_events(warehouse.con, events)
    record(home, "case_workbook", rows=len(asked), place=place)
    return CaseWorkbook(str(output), place, len(asked), len(waiting))


def ranked(cases: pd.DataFrame) -> pd.DataFrame:
    """The cases with `rank` from 1: errors before warnings before notes, then by the events at stake × the probability of
    an error (unknown: 1 event, even odds), then by period and id, so that the order is the same every time."""
    weight = cases["at_stake"].fillna(1.0).clip(lower=0) * cases["probability"].fillna(0.5)
    ordered = cases.assign(order=cases["severity"].map(_ORDER).fillna(len(_ORDER)), weight=weight).sort_values(
        ["order", "weight", "period_id", "finding_id"], ascending=[True, False, False, True], kind="stable"
    )
    return ordered.assign(rank=range(1, len(ordered) + 1)).drop(columns=["order", "weight"])


def _row(case: dict[str, Any], names: CaseNames) -> dict[str, Any]:
    """A line of the sheet."""
    unit = names.unit(str(case["unit_id"] or ""))
    return {
        "rank": int(case["rank"]), "level": case["severity"], "severity": severity_word(str(case["severity"])),
        "unit": unit, "period": period_words(str(case["period_id"] or "")), "dataset": names.dataset(str(case["dataset_id"] or "")),
        "element": names.element(case), "value": _number(case["value"]), "expected": _expected(case),
        "question": question_words(case, unit=unit), "suggested": _number(case["suggested"]), "change": _change(case),
        "id": shown_id(str(case["finding_id"])), "finding_id": str(case["finding_id"]),
    }  # fmt: skip


def _number(value: Any) -> float | int | str:
    if value is None or value != value:
        return ""
    return int(value) if float(value).is_integer() else float(value)


def _expected(case: dict[str, Any]) -> str:
    """ "14 (8–21)": what is usual, and the range."""
    if pd.isna(case["expected"]):
        return ""
    if pd.isna(case["lower"]) or pd.isna(case["upper"]):
        return figure(case["expected"])
    return f"{figure(case['expected'])} ({figure(case['lower'])}–{figure(case['upper'])})"


def _change(case: dict[str, Any]) -> str:
    """What hangs on it: the change if the suggested value is right, else the events at stake."""
    if pd.notna(case["suggested"]) and pd.notna(case["value"]) and case["suggested"] != case["value"]:
        difference = case["suggested"] - case["value"]
        sign = "+" if difference > 0 else "−"
        return label("case_reply.if_suggested", None, difference=sign + figure(abs(difference)))
    return "" if pd.isna(case["at_stake"]) else label("case_reply.at_stake", None, count=figure(case["at_stake"]))
