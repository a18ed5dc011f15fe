"""What the notebooks of life tables and of corrected causes share: which unit and years are shown, and figures as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.notebook_completeness import Comparison, province_of
from tkyt_analysis.labels import all_labels, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench

SEXES = ("male", "female", "total")
NATION = "VN"


def years_of(period: str) -> tuple[int, int] | None:
    """First and last year of "2024", "202406", "2024Q2", "2023..2025"; None where all years are meant ("", relative periods)."""
    first, _, last = period.partition("..")
    ends = [one.strip()[:4] for one in (first, last or first)]
    return (int(ends[0]), int(ends[1])) if all(one.isdigit() and len(one) == 4 for one in ends) else None


def rows_of(workbench: Workbench, table: str, place: str, period: str = "") -> pd.DataFrame:
    """Rows of a release table of the province that a place lies in (of the nation: all units), with a column `year`.

    A year that had not ended when the data came is left out, unless the period asks for it: its deaths are not all there.
    """
    if not workbench.release.has(table):
        return pd.DataFrame()
    rows = workbench.release.query(f"SELECT * EXCLUDE (scope) FROM {table} ORDER BY ALL")
    if rows.empty:
        return rows
    rows = rows.assign(year=rows["period_id"].astype("int64"))
    years = years_of(period)
    ended = int(str(workbench.release.manifest["data_as_of"])[:4] or 0) - 1
    rows = rows[rows["year"].between(*years)] if years is not None else rows[rows["year"] <= ended]
    wanted = province_of(workbench, place)
    return rows if wanted == NATION else rows[rows["unit_id"] == wanted]


def one_unit(rows: pd.DataFrame, workbench: Workbench, place: str) -> str:
    """The unit that is shown: the place's province; of the nation its own rows, else the only province there is; "" for none."""
    units = sorted(rows["unit_id"].unique()) if len(rows) else []
    wanted = province_of(workbench, place)
    if wanted in units:
        return wanted
    return units[0] if wanted == NATION and len(units) == 1 else ""


def last_year(rows: pd.DataFrame) -> int:
    """The latest year of the rows; 0 where there is none."""
    return int(rows["year"].max()) if len(rows) else 0


def nothing(key: str, language: str, **fields: object) -> Comparison:
    """A sentence in place of a table."""
    from tkyt_analysis.pages import notice

    return Comparison(pd.DataFrame(), notice(label(key, language, **fields), language=language))


def shown(workbench: Workbench, rows: pd.DataFrame, place: str, html: str, language: str) -> Comparison:
    """HTML with the band of practice data, and a sentence where the province stands for the place that was asked for."""
    from tkyt_analysis.notebook_course import practice_band
    from tkyt_analysis.pages import paragraph

    asked, wanted = workbench.place(place), province_of(workbench, place)
    said = ""
    if asked != wanted:
        said = paragraph(label("measure_notebook.province", language, province=workbench.place_name(wanted)))
    return Comparison(rows, practice_band(workbench.release, language) + said + html)


def with_limits(row: Mapping[Any, Any], decimals: int, language: str, *, value: str = "value") -> str:
    """ "74,7 (72,7–76,6)", or why there is no figure."""
    if pd.isna(row[value]):
        return not_assessable(str(row.get("reason") or ""), language)
    figure = format_number(float(row[value]), decimals, language)
    if pd.isna(row["lower"]) or pd.isna(row["upper"]):
        return figure
    low, high = (format_number(float(row[name]), decimals, language) for name in ("lower", "upper"))
    return unbroken(label("measure_notebook.limits", language, value=figure, low=low, high=high))


def unbroken(text: str) -> str:
    """The text with its dashes bound to what stands beside them: a range is never broken over two lines."""
    return text.replace("–", "\u2060–\u2060")


def not_assessable(reason: str, language: str) -> str:
    """ "Không đánh giá được", and why."""
    if reason not in all_labels():
        return label("verdict.not_assessable", language)
    return label("measure_notebook.not_assessable", language, reason=label(reason, language))


def wide(rows: pd.DataFrame, names: Sequence[str], across: str, values: Sequence[str]) -> pd.DataFrame:
    """Rows by `names`, one column of text per value of `across`, in the order in which they stand; "–" where there is none."""
    table = rows.pivot_table(index=list(names), columns=across, values="text", aggfunc="first", sort=False)
    return table.reindex(columns=list(values)).fillna("–").reset_index()


def sex_words(language: str) -> dict[str, str]:
    """sex → its name."""
    return {sex: label(f"sex.{sex}", language).capitalize() for sex in SEXES}
