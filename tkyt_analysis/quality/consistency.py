"""Arithmetic that a form itself promises: a part is at most its whole, parts add up, cells that must be empty."""

from __future__ import annotations

import operator
from collections.abc import Callable

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.findings import make_findings

_FORM = ["dataset_id", "unit_id", "period_id"]
_HOLDS: dict[str, Callable[[pd.Series, pd.Series], pd.Series]] = {
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
}
EVERYTHING = "*"


def short_id(identifier: pd.Series) -> pd.Series:
    """The part after the last slash: the row or column of a form ("16BCH/18" → "18")."""
    distinct = pd.Series(identifier.astype("str").unique(), dtype="str")
    return identifier.astype("str").map(dict(zip(distinct, distinct.str.rsplit("/", n=1).str[-1])))


def sum_of_side(cells: pd.DataFrame, elements: list[str], categories: list[str], by: list[str]) -> pd.DataFrame:
    """Sum, and number of values present, of the cells whose row and column are named ("*": every one)."""
    chosen = pd.Series(True, index=cells.index)
    for column, wanted in (("row", elements), ("column", categories)):
        if EVERYTHING not in wanted:
            chosen &= cells[column].isin([str(one) for one in wanted])
    present = cells[chosen].dropna(subset="value")
    return present.groupby(by, observed=True, dropna=False)["value"].agg(["sum", "count"])


def compare_sums(
    values: pd.DataFrame,
    *,
    dataset: str,
    left: dict[str, list[str]],
    right: dict[str, list[str]],
    operator: str,
    for_each: str | None = None,
    missing: str = "skip_if_any_missing",
) -> pd.DataFrame:
    """The sum of some cells of a form against the sum of others, for every form.

    Parameters
    ----------
    values : dataset_id, unit_id, period_id, element_id (row of the form), category_id (column), value
    left, right : {"rows": [...], "columns": [...]}; ids without the form's prefix; "*" is every one. The right
        side may be {} : 0 (cells that must be empty)
    operator : "<=", "==" or ">=" between left and right
    for_each : "row" or "column" repeats the comparison within each; None compares once per form
    missing : skip_if_any_missing | skip_if_all_missing | never_skip (missing counts as 0)

    Returns
    -------
    dataset_id, unit_id, period_id, element_id, category_id ("" where not repeated by it), value (left sum),
    expected (right sum), verdict: ok | inconsistent | not_assessable.
    """
    if operator not in _HOLDS:
        raise InputError("error.rule_operator", found=operator, expected=", ".join(_HOLDS))
    cells = values[values["dataset_id"] == dataset]
    cells = cells.assign(row=short_id(cells["element_id"]), column=short_id(cells["category_id"]))
    by = _FORM + {"row": ["element_id"], "column": ["category_id"], None: []}[for_each]
    every = cells[by].drop_duplicates().set_index(by)
    if for_each and EVERYTHING not in (wanted := (right or left)[f"{for_each}s"]):
        axis = short_id(cells[by[-1]]).isin([str(one) for one in wanted])
        every = cells.loc[axis, by].drop_duplicates().set_index(by)
    sides = []
    for side in (left, right):
        if side:
            sides.append(sum_of_side(cells, side["rows"], side["columns"], by).reindex(every.index))
        else:
            sides.append(pd.DataFrame({"sum": 0.0, "count": 1}, index=every.index))
    return _judge(sides[0], sides[1], [_wanted(left), _wanted(right)], operator, missing).reset_index()


def _wanted(side: dict[str, list[str]]) -> int:
    """How many cells a side needs: 1 at least where it says "every one"."""
    if not side:
        return 1
    lengths = [len(names) for names in side.values() if EVERYTHING not in names]
    return max(1, *lengths) if lengths else 1


def _judge(left: pd.DataFrame, right: pd.DataFrame, wanted: list[int], sign: str, missing: str) -> pd.DataFrame:
    value, expected = left["sum"].fillna(0.0), right["sum"].fillna(0.0)
    counts = [left["count"].fillna(0), right["count"].fillna(0)]
    if missing == "skip_if_any_missing":
        skipped = (counts[0] < wanted[0]) | (counts[1] < wanted[1])
    elif missing == "skip_if_all_missing":
        skipped = (counts[0] == 0) | (counts[1] == 0)
    else:
        skipped = (counts[0] == 0) & (counts[1] == 0)
    verdict = pd.Series("inconsistent", index=left.index).mask(_HOLDS[sign](value, expected), "ok")
    result = pd.DataFrame({"value": value, "expected": expected, "verdict": verdict.mask(skipped, "not_assessable")})
    for name in ("element_id", "category_id"):
        if name not in result.index.names:
            result[name] = ""
    return result


def check_form_arithmetic(
    values: pd.DataFrame, *, parameters: dict[str, object], rule_id: str, rule_version: int = 1, severity: str = "error"
) -> tuple[pd.DataFrame, int, int]:
    """(findings, judged, all) of one arithmetic rule whose `parameters` are those of `compare_sums`."""
    compared = compare_sums(values, **parameters)  # type: ignore[arg-type]
    broken = compared[compared["verdict"] == "inconsistent"]
    findings = make_findings(broken, rule_id=rule_id, rule_version=rule_version, severity=severity)
    return findings, int((compared["verdict"] != "not_assessable").sum()), len(compared)
