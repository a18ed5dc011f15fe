"""What people do with cases: list, look, assign, explain, accept, reject, close, withdraw, reopen.

Each action asks `access.require` at the place of every case, looks at the state, appends an event to the cases where it may
happen, and says of the others why not. Nothing here changes a reported value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.access import NATION, Account, require, working_within
from tkyt_analysis.access.masking import mask_numbers, mask_text
from tkyt_analysis.access.warehouse_view import ScopedWarehouse, scoped_warehouse
from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.cases.carrying import append_case_events, mark_explained
from tkyt_analysis.quality.cases.naming import CaseNames, question_words
from tkyt_analysis.quality.cases.states import ALLOWED, ANSWERS, STATES
from tkyt_analysis.quality.cases.table import case_table
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.workflow.states import event_time, utc_now

if TYPE_CHECKING:
    from datetime import datetime

# event → the right that it needs at the place of the case (Article 8.3: those who check decide; units answer for themselves)
RIGHT = {
    "asked": "check", "assigned": "check", "explained": "receive", "accepted": "check", "rejected": "check",
    "closed": "check", "withdrawn": "check", "reopened": "check",
}  # fmt: skip
REASON_NEEDED = ("rejected", "closed", "withdrawn", "reopened")


@dataclass(frozen=True)
class CaseOutcome:
    """What one call did. refused : finding_id, state of the cases to which the event may not happen."""

    event: str
    done: int
    refused: pd.DataFrame = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"event": self.event, "done": self.done, "refused": self.refused.to_dict("records")}


def list_cases(
    home: Path,
    *,
    place: str | None = None,
    state: str | None = None,
    rule: str | None = None,
    period: str | None = None,
) -> pd.DataFrame:
    """The cases that the account sees, of a place with all below it, in one state, of a rule or period (see `case_table`)."""
    if state is not None and state not in STATES:
        raise InputError("error.case_state", found=state, expected=", ".join(STATES))
    account = require(home, "read", table="finding", place=place)
    with scoped_warehouse(home, account) as view:
        require_history(view.warehouse)
        rows = case_table(view.warehouse, _where(view, place=place, rule=rule, period=period))
    return rows if state is None else rows[rows["state"] == state].reset_index(drop=True)


def _where(view: ScopedWarehouse, *, place: str | None, rule: str | None, period: str | None) -> str:
    from tkyt_analysis.quality.warehouse import units_of

    parts = [view.units()]
    units = units_of(view.warehouse, place) if place else None
    if units is not None:
        view.warehouse.con.register("case_unit", pd.DataFrame({"unit_id": sorted(units)}))
        parts.append("unit_id IN (SELECT unit_id FROM case_unit)")
    parts += [f"rule_id = {_text(rule)}"] if rule else []
    parts += [f"period_id = {_text(period)}"] if period else []
    return " AND ".join(parts)


def require_history(warehouse: Warehouse) -> None:
    """Refuse a home whose checks were never recorded: there are no cases yet."""
    if not warehouse.has("check_run") or not warehouse.one("SELECT count(*) FROM lake.check_run")[0]:
        raise InputError("error.case_no_run", home=warehouse.home)


def show_case(home: Path, case: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """One case (as in `case_table`, with `unit` and `question` in words) and its timeline: moment, event, account, answer, value, reported_value, note, said_by,
    assigned_to, evidence. `case` may be the first six or more digits of its id."""
    account = require(home, "read", table="finding")
    with scoped_warehouse(home, account) as view:
        rows = _cases(view.warehouse, [case])
        require(home, "read", table="finding", place=rows["unit_id"][0] or NATION)
        timeline = view.warehouse.query(
            """
            SELECT event_at AS moment, event, account, answer, value, reported_value, note, said_by, assigned_to, evidence,
                   1 AS half, event_number AS number
            FROM lake.case_event WHERE finding_id = $1 UNION ALL BY NAME
            SELECT run_at AS moment, change AS event, 'tkyt' AS account, value, 0 AS half, run_number AS number
            FROM lake.finding_change WHERE finding_id = $1 ORDER BY moment, half, number
            """,
            [rows["finding_id"][0]],
        )
        case_row = rows.to_dict("records")[0]
        names = CaseNames(view.warehouse)
        unit = names.unit(str(case_row["unit_id"] or ""))
        found = case_row | {"unit": unit, "question": question_words(case_row, unit=unit, names=names)}
    return found, timeline.drop(columns=["half", "number"])


def _cases(warehouse: Warehouse, wanted: Sequence[str]) -> pd.DataFrame:
    """The cases of these ids or beginnings of ids; InputError for one that is unknown or could be several."""
    require_history(warehouse)
    found = []
    for one in dict.fromkeys(text.strip().lower() for text in wanted):
        rows = warehouse.query(
            "SELECT DISTINCT finding_id FROM lake.finding_change WHERE starts_with(finding_id, ?) LIMIT 3", [one]
        )
        if len(one) < 6 or len(rows) != 1:
            raise InputError("error.case_unknown" if rows.empty or len(one) < 6 else "error.case_several", case=one)
        found.append(rows["finding_id"][0])
    listed = ", ".join(_text(one) for one in found)
    return case_table(warehouse, f"finding_id IN ({listed})") if found else pd.DataFrame()


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


# ------------------------------------------------------------------------------------------------- doing something


def assign_cases(home: Path, cases: Iterable[str], *, to: str, note: str = "") -> CaseOutcome:
    """Give cases to somebody to follow up. The state stays."""
    if not to.strip():
        raise InputError("error.case_assign_whom")
    return _decide(home, "assigned", cases, note=note, assigned_to=mask_numbers(to.strip()))


def explain_case(
    home: Path,
    case: str,
    *,
    answer: str,
    note: str = "",
    explanation: str = "",
    reported_value: float | None = None,
    said_by: str = "",
    evidence: Path | None = None,
) -> CaseOutcome:
    """The unit's answer: right (with a reason), wrong (with the value that is right), or unclear.

    explanation : key of `explanation.<key>`; evidence : a file that is kept with the case. The reported value of a wrong
    cell is shown as pending; the data change only when a mended file or a correction arrives.
    """
    if answer not in ANSWERS:
        raise InputError("error.case_answer", found=answer, expected=", ".join(ANSWERS))
    if answer == "right" and not note.strip():
        raise InputError("error.case_reason", event="explained")
    if answer == "wrong" and reported_value is None:
        raise InputError("error.case_value_needed")
    _require_explanation(explanation)
    more = {"answer": answer, "explanation": explanation, "reported_value": reported_value,
            "said_by": mask_numbers(said_by), "evidence": _kept(home, evidence)}  # fmt: skip
    return _decide(home, "explained", [case], note=note, **more)


def accept_cases(home: Path, cases: Iterable[str], *, note: str = "", explanation: str = "") -> CaseOutcome:
    """Accept what the unit explained: the value is right. The finding is a note from now on, as long as its value stays.

    A case that its unit did not explain needs a reason (`note`).
    """
    _require_explanation(explanation)
    return _decide(home, "accepted", cases, note=note, explanation=explanation)


def reject_cases(home: Path, cases: Iterable[str], *, note: str) -> CaseOutcome:
    """The explanation does not convince: the question is put again."""
    return _decide(home, "rejected", cases, note=note)


def close_cases(home: Path, cases: Iterable[str], *, note: str) -> CaseOutcome:
    """Close as dealt with. The next check tests it again: what is still there is reopened."""
    return _decide(home, "closed", cases, note=note)


def withdraw_cases(home: Path, cases: Iterable[str], *, note: str) -> CaseOutcome:
    """Our question was wrong (a false alarm of the rule): it is not put again while the value stays."""
    return _decide(home, "withdrawn", cases, note=note)


def reopen_cases(home: Path, cases: Iterable[str], *, note: str) -> CaseOutcome:
    """Open an accepted, closed or withdrawn case again."""
    return _decide(home, "reopened", cases, note=note)


def _require_explanation(explanation: str) -> None:
    from tkyt_analysis.labels import all_labels

    known = sorted(key.removeprefix("explanation.") for key in all_labels() if key.startswith("explanation."))
    if explanation and explanation not in known:
        raise InputError("error.case_explanation", found=explanation, expected=", ".join(known))


def _kept(home: Path, evidence: Path | None) -> str | None:
    from tkyt_analysis.warehouse.custody import keep

    if evidence is None:
        return None
    if not evidence.is_file():
        raise InputError("error.path_missing", path=evidence)
    require(home, "receive")
    return keep(home, evidence)[0]


def _decide(home: Path, event: str, cases: Iterable[str], *, note: str = "", **more: Any) -> CaseOutcome:
    from tkyt_analysis.access.audit import record

    account = require(home, RIGHT[event])
    if event in REASON_NEEDED and not note.strip():
        raise InputError("error.case_reason", event=event)
    with working_within(), Warehouse(home, write=True) as warehouse, warehouse.turn():
        rows = _cases(warehouse, list(cases))
        if rows.empty:
            raise InputError("error.case_none")
        for unit in sorted(set(rows["unit_id"].fillna(""))):
            require(home, RIGHT[event], place=unit or NATION)
        may = rows["state"].isin(ALLOWED[event])
        chosen, refused = rows[may], rows.loc[~may, ["finding_id", "state"]]
        if event == "accepted" and not note.strip() and (chosen["state"] != "explained").any():
            raise InputError("error.case_reason", event=event)
        with warehouse.transaction():
            append_case_events(warehouse.con, _events(chosen, event, account, note, utc_now(), more))
            if event in ("accepted", "withdrawn", "reopened"):
                mark_explained(warehouse)
    if len(chosen):
        units = " ".join(sorted(set(chosen["unit_id"].fillna("")))[:20])
        record(home, f"case_{event}", why=mask_text(note), rows=len(chosen), units=units)
    return CaseOutcome(event, len(chosen), refused.reset_index(drop=True))


def _events(
    cases: pd.DataFrame, event: str, account: Account, note: str, now: datetime, more: dict[str, Any]
) -> pd.DataFrame:
    """A row of `case_event` per case. An acceptance takes over what the unit said it was."""
    rows = cases[["finding_id", "unit_id", "value"]].assign(
        event=event, event_at=event_time(now), account=account.name, note=mask_text(note.strip()), **more
    )
    if event == "accepted" and not more.get("explanation"):
        rows["explanation"] = cases["said_explanation"].fillna("")
    return rows


def list_runs(home: Path, *, most: int = 10) -> pd.DataFrame:
    """The last runs of the checks, the newest first: findings, new, gone, back, changed, still. Counts of the nation."""
    from tkyt_analysis.quality.cases.runs import latest_runs

    require(home, "read", table="check_run", place=NATION)
    with Warehouse(home) as warehouse:
        require_history(warehouse)
        return latest_runs(warehouse, most=most)
