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
from tkyt_analysis.quality.ranking import rank_questions
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
    home: Path, place: str, output: Path, *, most: int = MOST, budget: int | None = None, period: str | None = None
) -> CaseWorkbook:
    """The questions of a place with all below it as a workbook for answers (mode 0600); each is on record as asked.

    budget : forms (unit, period and data set) asked about per province and month; None: the catalog's `question_budget`
    most : lines at most, the most important first; the rest waits. Raises InputError where nothing waits.
    """
    account = require(home, "check", place=place)
    with working_within(), Warehouse(home, write=True) as warehouse:
        require_history(warehouse)
        where = _where(ScopedWarehouse(warehouse, account.reads), place=place, rule=None, period=period)
        cases = case_table(warehouse, where)
        questions = cases["severity"].ne("note") & ~cases["verdict"].isin(_NO_QUESTION)
        waiting = cases[cases["state"].isin(WAITING) & questions]
        asked = ranked(waiting, provinces=_provinces(warehouse), budget=budget).head(most).reset_index(drop=True)
        if asked.empty:
            raise InputError("error.case_nothing_waits", place=place)
        names, now = CaseNames(warehouse), utc_now()
        title = label("case_reply.nation") if place == NATION else names.unit(place)
        heading = {"place": title, "count": format_number(len(asked)), "waiting": format_number(len(waiting)),
                   "day": format_date(local_day(now))}  # fmt: skip
        heading["practice"] = label("case_reply.practice") if is_practice(home) else ""
        (run,) = warehouse.one("SELECT arg_max(run_id, run_number) FROM lake.check_run")
        passport = {"place": place, "run": str(run), "asked_at": event_time(now)}
        effects = _consequences(home, asked)
        rows = [_row(one, names, effects.get(str(one["finding_id"]), "")) for one in asked.to_dict("records")]
        book = write_reply_book(heading, rows, passport)
        save_private(book, output)
        events = asked[["finding_id", "unit_id", "value"]].assign(
            event="asked", event_at=event_time(now), account=account.name, run_id=str(run)
        )
        with warehouse.transaction():
            append_case_events(warehouse.con, events)
    record(home, "case_workbook", rows=len(asked), place=place)
    return CaseWorkbook(str(output), place, len(asked), len(waiting))


def _provinces(warehouse: Warehouse) -> pd.DataFrame:
    """unit_id, province_id (of 2025) of every unit."""
    from tkyt_analysis.warehouse.release import unit_scopes

    units = warehouse.query(
        "SELECT unit_id, any_value(province_id) AS province_id FROM lake.organisation_unit GROUP BY 1"
    )
    scopes = unit_scopes(units).str.replace("-", ":", n=1, regex=False)
    return units[["unit_id"]].assign(province_id=scopes.where(scopes != NATION, ""))


def ranked(cases: pd.DataFrame, *, provinces: pd.DataFrame | None = None, budget: int | None = None) -> pd.DataFrame:
    """The cases with `rank` from 1: events at stake × probability of an error first (see `quality.ranking`: of one form all
    findings together), then those without a score, errors before warnings before notes.

    provinces : unit_id, province_id; with them only cases within `budget` per province and month are kept (None: the
    catalog's); without them all are
    """
    questions = rank_questions(cases, provinces if provinces is not None else _no_provinces(), budget=budget)
    chosen = questions if provinces is None else questions[questions["within_budget"].astype(bool)]
    score = chosen.set_index("finding_id")["score"]
    kept = cases if provinces is None else cases[cases["finding_id"].isin(score.index)]
    form = ["period_id", "unit_id", "dataset_id"]
    ordered = kept.assign(
        score=kept["finding_id"].map(score).fillna(-1.0), order=kept["severity"].map(_ORDER).fillna(3)
    )
    ordered = ordered.sort_values(
        ["score", "order", *form, "finding_id"], ascending=[False, True, False, True, True, True], kind="stable"
    )
    return ordered.assign(rank=range(1, len(ordered) + 1)).drop(columns=["order", "score"])


def _no_provinces() -> pd.DataFrame:
    return pd.DataFrame({"unit_id": pd.Series(dtype="str"), "province_id": pd.Series(dtype="str")})


def _consequences(home: Path, cases: pd.DataFrame) -> dict[str, str]:
    """{finding: what the suggested value would do to the total of its province}, as the current release has it."""
    from tkyt_analysis.warehouse.release import Release, current_release

    try:
        release = Release(home, current_release(home))
        if not release.has("finding_consequence"):
            return {}
    except InputError:  # nothing was published yet
        return {}
    release.con.register("asked_case", cases[["finding_id", "period_id"]])
    rows = release.query(
        """
        SELECT finding_id, any_value(reported) AS reported, any_value(with_suggestion) AS mended, any_value(change_share) AS share
        FROM finding_consequence JOIN asked_case USING (finding_id, period_id)
        WHERE place <> 'VN' AND figure_kind = 'total' GROUP BY 1 HAVING count(*) = 1
        """
    )
    release.con.unregister("asked_case")
    return {
        row.finding_id: label(
            "case_reply.consequence", None, before=figure(row.reported), after=figure(row.mended),
            share=format_number(100 * row.share, 1) if row.share == row.share else "–",
        )
        for row in rows.itertuples()
    }  # fmt: skip


def _row(case: dict[str, Any], names: CaseNames, effect: str) -> dict[str, Any]:
    """A line of the sheet."""
    unit = names.unit(str(case["unit_id"] or ""))
    return {
        "rank": int(case["rank"]), "level": case["severity"], "severity": severity_word(str(case["severity"])),
        "unit": unit, "period": period_words(str(case["period_id"] or "")), "dataset": names.dataset(str(case["dataset_id"] or "")),
        "element": names.element(case), "value": _number(case["value"]), "expected": _expected(case),
        "question": question_words(case, unit=unit, names=names), "suggested": _number(case["suggested"]), "change": effect or _change(case),
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
