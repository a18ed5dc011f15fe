"""The indicators of a place and year in a release: what was registered and what was corrected, side by side."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mortality.measures.indicator_order import CORRECTED, SEX_ORDER, reading_place
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language

COLUMNS = [
    "unit_id", "year", "sex", "indicator_id", "title", "unit", "registered", "registered_lower", "registered_upper", "corrected",
    "corrected_lower", "corrected_upper", "status", "reason", "figure_id", "corrected_figure_id",
]  # fmt: skip


def measures_of_release(home: Path, *, place: str = "", year: int | None = None) -> tuple[pd.DataFrame, str]:
    """COLUMNS of every indicator of all causes of a place (a name or unit id; default: the nation, else the province of the
    release) and year (default: the last), and the release's id.

    An indicator that is corrected has both figures in one row; one that only exists corrected has no registered figure.
    Raises InputError where the release has no figures of that place or year.
    """
    from tkyt_analysis.warehouse.release import Release

    release = Release(home)
    if not release.has("indicator_value"):
        raise InputError("error.no_figures", release=release.release_id)
    years = release.query(
        "SELECT DISTINCT unit_id, CAST(period_id AS INTEGER) AS year FROM indicator_value ORDER BY ALL"
    )
    unit = _unit(place, years)
    known = years.loc[years["unit_id"] == unit, "year"]
    if known.empty or (year is not None and year not in set(known)):
        listed = ", ".join(map(str, known)) or "–"
        raise InputError(
            "error.measures_no_figures", place=unit, year=year or "–", known=listed, release=release.release_id
        )
    wanted = int(year if year is not None else known.max())
    rows = release.query(
        "SELECT * FROM indicator_value WHERE unit_id = ? AND period_id = ? AND cause = 'all' "
        "AND indicator_id <> 'age_specific_death_rate' ORDER BY indicator_id, sex",
        [unit, str(wanted)],
    )
    return side_by_side(rows.assign(year=wanted)), release.release_id


def _unit(place: str, years: pd.DataFrame) -> str:
    if place:
        from tkyt_analysis.api.names import find_place

        return find_place(place, "VN2025")
    units = years["unit_id"].unique().tolist()
    return "VN" if "VN" in units else min(units, key=lambda one: (len(one), one))


def side_by_side(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of `indicator_value` of one place and year as COLUMNS: the corrected figure beside the registered one."""
    entries, language = load_entries("indicators"), current_language()
    is_corrected = rows["indicator_id"].str.startswith(CORRECTED)
    figures = ["value", "lower", "upper", "figure_id"]
    own, beside = rows[~is_corrected], rows[is_corrected]
    beside = beside.assign(indicator_id=beside["indicator_id"].str.removeprefix(CORRECTED))
    beside = beside[["indicator_id", "sex", *figures]]
    both = own.merge(beside, on=["indicator_id", "sex"], how="left", suffixes=("", "_corrected"), validate="one_to_one")
    names = {
        "value": "registered", "lower": "registered_lower", "upper": "registered_upper", "value_corrected": "corrected",
        "lower_corrected": "corrected_lower", "upper_corrected": "corrected_upper", "figure_id_corrected": "corrected_figure_id",
    }  # fmt: skip
    both = both.rename(columns=names).assign(
        title=[entries[one].title[language] for one in both["indicator_id"]],
        unit=[entries[one].unit[language] for one in both["indicator_id"]],
    )
    estimated = both["indicator_id"].map(lambda one: entries[one].method == "completeness").astype(bool)
    for part in ("", "_lower", "_upper"):  # an estimate is no registered figure
        both[f"corrected{part}"] = both[f"corrected{part}"].mask(estimated, both[f"registered{part}"])
        both[f"registered{part}"] = both[f"registered{part}"].mask(estimated)
    place = both["indicator_id"].map(reading_place)
    order = place.map({one: at for at, one in enumerate(sorted(set(place)))})
    both = both.assign(_place=order, _sex=both["sex"].map({one: at for at, one in enumerate(SEX_ORDER)}))
    return both.sort_values(["_place", "_sex"], kind="stable", ignore_index=True).reindex(columns=COLUMNS)
