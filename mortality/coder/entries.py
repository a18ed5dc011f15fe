"""Learnt dictionary entries of a home: read, reviewed, exported for other offices and imported from them.

learnt_entries(home)     -> the active entries as rows of a lay dictionary, for the coding step
entries(home, as_of=…)   -> all entries with state and provenance, as of any moment (the tables only grow)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.coder.choices import (
    EVENTS,
    TABLE,
    append,
    concerns_hiv,
    is_reviewer,
    may_know_hiv,
    read_table,
    rule_of_learning,
    until,
    writing,
)
from mortality.coder.keys import UNDER_28_DAYS, names_somebody
from mortality.coder.learning import ACTIVE, DICTIONARY_COLUMNS, as_dictionary, entry_id, learn, version_of
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    from tkyt_analysis.access import Account
    from tkyt_analysis.warehouse.lake import Warehouse

REVIEWS = ("accept", "refuse", "withdraw")


def learnt_entries(home: Path) -> pd.DataFrame:
    """The active entries as rows of a lay dictionary: expression, icd10, certainty, sex, age_from, age_below [years], note,
    source ("learnt"), all text. For the coding step only: entries that concern HIV are among them."""
    from tkyt_analysis.access import working_within
    from tkyt_analysis.warehouse.lake import Warehouse

    if not (Path(home) / "warehouse").exists():
        return pd.DataFrame(columns=DICTIONARY_COLUMNS)
    with working_within(), Warehouse(home) as warehouse:
        return learnt_of(warehouse)


def learnt_of(warehouse: Warehouse) -> pd.DataFrame:
    """`learnt_entries` of an open warehouse."""
    return as_dictionary(_all(warehouse))


def _all(warehouse: Warehouse, as_of: str = "") -> pd.DataFrame:
    said = until(read_table(warehouse, TABLE, order="choice_number"), as_of)
    judged = until(read_table(warehouse, EVENTS, order="event_number"), as_of)
    return learn(said, judged, rule_of_learning())


def entries(home: Path, *, as_of: str = "", state: str = "") -> pd.DataFrame:
    """Every entry (see `learning.learn`), as of a moment in UTC; those on HIV only for accounts that may know.

    state : only entries in this state. `attrs["version"]` is that of the active entries.
    Raises InputError without the right to check.
    """
    from tkyt_analysis.access import require, working_within
    from tkyt_analysis.warehouse.lake import Warehouse

    require(home, "check")
    if not (Path(home) / "warehouse").exists():
        return learn(pd.DataFrame(), pd.DataFrame(), {})
    with working_within(), Warehouse(home) as warehouse:
        rows = _all(warehouse, as_of)
    version = version_of(rows)
    shown = rows if may_know_hiv(home) else _without_hiv(rows)
    shown = (shown[shown["state"] == state] if state else shown).reset_index(drop=True)
    shown.attrs["version"] = version
    return shown


def _without_hiv(rows: pd.DataFrame) -> pd.DataFrame:
    import duckdb

    if rows.empty:
        return rows
    with duckdb.connect() as con:
        return con.execute(f"SELECT * FROM rows WHERE NOT {concerns_hiv('expression', 'code')}").df()


def _require_reviewer(home: Path) -> Account:
    from tkyt_analysis.access import require

    account = require(home, "check")
    if not is_reviewer(account):
        raise InputError("error.coder_not_reviewer", account=account.name)
    return account


def review_entry(home: Path, entry: str, verdict: str, reason: str) -> dict[str, Any]:
    """Accept, refuse or withdraw an entry (its id, or the beginning of it); kept with account, time and reason.

    Raises InputError for an unknown or ambiguous id, no reason, an entry that may never be learnt, or without the right to review.
    """
    account = _require_reviewer(home)
    if verdict not in REVIEWS:
        raise InputError("error.coder_value", field="verdict", found=verdict, expected=", ".join(REVIEWS))
    if not reason.strip():
        raise InputError("error.coder_no_reason")
    row = _one_entry(entries(home), entry)
    if verdict == "accept" and row["state"] == "not_learnt":
        raise InputError("error.coder_never_learnt", expression=row["expression"])
    wanted = {name: row[name] for name in ("entry_id", "expression", "sex", "age_band", "code", "confirmations", "dictionary_version", "source")}  # fmt: skip
    _append_events(home, pd.DataFrame([{**wanted, "event": verdict, "reason": reason}]), account)
    return {"entry_id": row["entry_id"], "expression": row["expression"], "code": row["code"], "verdict": verdict}


def _one_entry(rows: pd.DataFrame, entry: str) -> dict[str, Any]:
    found = rows[rows["entry_id"].str.startswith(entry.strip())] if entry.strip() else rows.iloc[:0]
    if len(found) != 1:
        raise InputError("error.coder_entry_unknown", entry=entry, found=len(found))
    return {str(name): value for name, value in found.iloc[0].to_dict().items()}


def _append_events(home: Path, rows: pd.DataFrame, account: Account) -> None:
    from tkyt_analysis.access.audit import record
    from tkyt_analysis.access.masking import mask_text
    from tkyt_analysis.workflow.states import event_time, utc_now

    rows = rows.assign(
        reason=[mask_text(text.strip())[:500] for text in rows["reason"]],
        decided_by=account.name,
        decided_at=event_time(utc_now()),
    )
    with writing(home) as warehouse, warehouse.turn():
        first = int(warehouse.one(f"SELECT coalesce(max(event_number), 0) FROM lake.{EVENTS}")[0]) + 1
        rows.insert(0, "event_number", range(first, first + len(rows)))
        with warehouse.transaction():
            append(warehouse, EVENTS, rows)
    record(home, "coder_entries_reviewed", rows=len(rows), verdict=" ".join(sorted(set(rows["event"]))))


# ------------------------------------------------------------------------------------------------------ out and in


def export_entries(home: Path, target: Path) -> dict[str, Any]:
    """Write the active entries as a CSV of the shape of lay_dictionary*.csv, for another office or for the catalog.

    Left out: what concerns HIV (without the right to know), and expressions of fewer deaths than `export_least_deaths` that
    no reviewer accepted (rare words may point to a person). Returns counts of what was written and left out.
    """
    account = _require_reviewer(home)
    rows = entries(home)
    active = rows[rows["state"].isin(ACTIVE)]
    rare = (active["deaths"] < rule_of_learning()["export_least_deaths"]) & (active["state"] != "accepted")
    sent = as_dictionary(active[~rare], office=account.unit_id)
    version = rows.attrs["version"]
    head = f"# Expressions confirmed by coders, exported by {account.unit_id}; version {version or '-'} of the learnt entries. Columns as lay_dictionary.csv.\n"
    target = Path(target)
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as out:
            out.write(head)
            sent.to_csv(out, index=False, lineterminator="\n")
        unfinished.replace(target)
    except OSError as error:
        raise InputError("error.coder_not_written", file=target, problem=error.strerror) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return {"file": str(target), "entries": len(sent), "rare": int(rare.sum()), "version": version}


def import_entries(home: Path, source: Path, *, accept: bool = False, reason: str = "") -> dict[str, Any]:
    """Take entries that another office exported; they wait as "imported" until a reviewer accepts them (accept: at once).

    A row that contradicts an active entry here (same words and context, another code) always waits. Rows that cannot be
    read are listed with line and reason, and not taken. Running it twice adds nothing.
    """
    account = _require_reviewer(home)
    rows, problems = read_export(Path(source))
    known = entries(home)
    fresh = rows[~rows["entry_id"].isin(known["entry_id"])].drop_duplicates("entry_id")
    active = known.loc[known["state"].isin(ACTIVE), ["expression", "sex", "age_band"]]
    contradicts = fresh.merge(active.drop_duplicates().assign(known=True), on=["expression", "sex", "age_band"], how="left")["known"]  # fmt: skip
    event = pd.Series("accept" if accept else "import", index=fresh.index).where(
        contradicts.isna().to_numpy(), "import"
    )
    if len(fresh):
        _append_events(home, fresh.assign(event=event, reason=reason or Path(source).name), account)
    return {
        "file": str(source),
        "rows": len(rows) + len(problems),
        "taken": len(fresh),
        "accepted": int((event == "accept").sum()),
        "contradicting": int(contradicts.notna().sum()),
        "known": len(rows) - len(fresh),
        "problems": problems,
    }


def read_export(source: Path) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Rows of an exported CSV as events, and what cannot be taken: line, value, reason (label key).

    Raises InputError for a file that is no such CSV.
    """
    try:
        table = pd.read_csv(source, dtype=str, keep_default_na=False, comment="#", encoding="utf-8-sig")
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, OSError) as error:
        raise InputError("error.coder_file", file=source, expected=", ".join(DICTIONARY_COLUMNS)) from error
    if missing := [name for name in DICTIONARY_COLUMNS if name not in table.columns]:
        raise InputError("error.coder_columns", file=source, missing=", ".join(missing))
    taken: list[dict[str, Any]] = []
    problems: list[dict[str, str]] = []
    for number, row in enumerate(table.to_dict("records"), 1):
        event, problem = _read_row({str(name): str(value) for name, value in row.items()})
        if problem:
            problems.append({"row": str(number), "value": row["expression"], "reason": problem})
        else:
            taken.append(event)
    columns = ["entry_id", "expression", "sex", "age_band", "code", "confirmations", "dictionary_version", "source"]
    return pd.DataFrame(taken, columns=columns), problems


def _read_row(row: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """One row as an event, or the label key of what is wrong with it."""
    from mortality.coder.choices import checked_code
    from mortality.coder.keys import text_key

    expression = text_key(row["expression"])
    if not expression or names_somebody(expression):
        return {}, "coder.import.no_words"
    try:
        code = checked_code(row["icd10"])
    except InputError:
        return {}, "coder.import.code"
    if row["sex"] not in ("", "male", "female"):
        return {}, "coder.import.sex"
    if row["certainty"] != "sure":
        return {}, "coder.import.certainty"
    band = UNDER_28_DAYS if row["age_below"] else ""
    if (row["age_from"], row["age_below"]) not in _limits_that_we_write():
        return {}, "coder.import.age"
    said = dict(part.split("=", 1) for part in row["note"].split() if "=" in part)
    count = said.get("confirmations", "")
    event = {
        "entry_id": entry_id(expression, row["sex"], band, code), "expression": expression, "sex": row["sex"], "age_band": band, "code": code,
        "confirmations": int(count) if count.isdigit() else 0, "dictionary_version": said.get("dictionary", ""),
        "source": row["source"].removeprefix("learnt:")[:60],
    }  # fmt: skip
    return event, ""


def _limits_that_we_write() -> set[tuple[str, str]]:
    from mortality.coder.keys import age_limits

    return {("", ""), age_limits("", "A09.0"), age_limits(UNDER_28_DAYS, "")}
