"""Many certificates at once: each distinct certificate is worked once, on several processes where it pays."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from mortality.underlying_cause.certificate import DAYS_IN, INTERVALS, LINES, Certificate
from mortality.underlying_cause.conditions import YEAR
from mortality.underlying_cause.due_to import CausalTable, DecisionTable, WhoCausalTable
from mortality.underlying_cause.engine import rules_of, select
from mortality.underlying_cause.facts import Facts, facts
from mortality.underlying_cause.pieces import in_processes
from mortality.underlying_cause.profile import DEFAULT, RuleProfile

CODES = (*LINES, "part2")
TEXTS = ("manner", *INTERVALS, "pregnancy", "surgery")
WORKED_ON = (*CODES, "sex", "age_value", "age_unit", *TEXTS)
RESULT = ("underlying_cause", "steps", "flags", "main_injury")
_BETWEEN = "\x1f"

Row = tuple[str, str, str, str]


def select_underlying_causes(
    frame: pd.DataFrame,
    *,
    profile: RuleProfile = DEFAULT,
    decision_table: Path | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """The underlying cause of each row.

    frame : id, sex, age_value, age_unit, line_a … line_d, part2 (codes apart by blanks, the dot optional) and optionally
        manner, interval_a … interval_d, pregnancy, surgery (see `Certificate`); other columns are not looked at
    profile : which edition and which rules
    decision_table : file of the decision table of NCHS; WHO §4.2.3 without it
    workers : processes; None: the cores, once there are many distinct certificates

    Returns id, underlying_cause (with dot, "" where there is no code), steps ("SP3>SP7>M1"), flags (apart by blanks),
    main_injury, one row per row of `frame`, same order and index.
    """
    keys = worked_on(frame, facts())
    joined = keys.iloc[:, 0].str.cat([keys[name] for name in keys.columns[1:]], sep=_BETWEEN)
    numbers, distinct = pd.factorize(joined)
    rows = in_processes(work_keys, list(distinct), (tuple(keys.columns), profile, decision_table), workers=workers)
    found = pd.DataFrame(rows, columns=list(RESULT), dtype="str").take(numbers).set_axis(frame.index)
    ids = frame["id"] if "id" in frame else pd.Series(range(len(frame)), index=frame.index).astype("str")
    found.insert(0, "id", ids)
    return found


def worked_on(frame: pd.DataFrame, known: Facts) -> pd.DataFrame:
    """What decides the result, all text: the codes, what else the certificate says, and the age only as far as it matters."""
    keys = {
        name: _text(frame[name]) if name in frame else pd.Series("", index=frame.index, dtype="str") for name in CODES
    }
    keys |= {name: _text(frame[name]) for name in TEXTS if name in frame}
    return pd.DataFrame(keys | _ages(frame, known), index=frame.index)


def work_keys(
    keys: Iterable[str], columns: tuple[str, ...], profile: RuleProfile, decision_table: Path | None
) -> list[Row]:
    """(underlying cause, steps, flags, main injury) of each distinct certificate as joined by `select_underlying_causes`."""
    rules = rules_of(profile, causal_table(decision_table, profile))
    found: list[Row] = []
    for key in keys:
        row = dict(zip(columns, key.split(_BETWEEN), strict=True))
        selection = select(_certificate(row), rules)
        found.append((selection.code, selection.path, " ".join(selection.flags), selection.main_injury))
    return found


def causal_table(path: Path | None, profile: RuleProfile) -> CausalTable | None:
    """The table of a file, or None for WHO's list; a file is read once."""
    if path is None:
        return None
    path = Path(path)
    return _table_of(path, path.stat().st_mtime_ns, profile.ambivalent)


@lru_cache(maxsize=4)
def _table_of(path: Path, changed: int, ambivalent: bool) -> CausalTable:
    return DecisionTable(path, fallback=WhoCausalTable(facts().rejected), ambivalent=ambivalent)


def _certificate(row: dict[str, str]) -> Certificate:
    cells: dict[str, Any] = dict(row)
    for name in CODES:
        cells[name] = tuple(row[name].split())
    years = cells.pop("years")
    return Certificate(**cells, age_value=float(years) if years else None, age_unit="years")


def _text(column: pd.Series) -> pd.Series:
    return column.astype("str").fillna("").str.strip().astype("str")


def _ages(frame: pd.DataFrame, known: Facts) -> dict[str, pd.Series]:
    """Ages as the last limit reached: from 0 or 1 year, the only limits of the conditions unlikely to cause death."""
    if "age_value" not in frame or "age_unit" not in frame:
        return {"years": pd.Series("", index=frame.index, dtype="str")}
    per_unit = _text(frame["age_unit"]).str.lower().map(DAYS_IN)
    days = pd.to_numeric(_text(frame["age_value"]), errors="coerce") * per_unit
    limits = sorted({int(row["youngest"] or 0) for rows in known.unlikely.values() for row in rows})
    reached = pd.Series("", index=frame.index, dtype="str")
    for limit in limits:
        reached = reached.mask(days >= limit * YEAR, str(limit))
    return {"years": reached}
