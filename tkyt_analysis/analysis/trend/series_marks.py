"""Where a series changes what it is made of: another population vintage, cause list, register form or unit system.

A trend over such a place may be a trend of the papers, not of deaths. `series_breaks` finds the places, from the
catalog by date and from columns of the data that say what a figure rests on; the functions of trends take its table
as `breaks` and mark, step over, or split there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import groups, names_of, require_columns
from tkyt_analysis.analysis.trend.series_grid import USUAL_NAMES, SeriesGrid
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word
from tkyt_analysis.reference.periods import as_period

COLUMNS = ["kind", "at", "before", "after", "mixed", "note", "source"]
KINDS = ("population", "units", "icd_edition", "death_register")
NOTES = {
    "population": "series_break.population",
    "units": "series_break.units",
    "icd_edition": "series_break.icd_edition",
    "death_register": "series_break.death_register",
    "column": "series_break.column",
}


def series_breaks(
    times: object,
    *,
    kinds: str | Sequence[str] = KINDS,
    columns: str | Sequence[str] = (),
    by: str | Sequence[str] = (),
    time: str | None = None,
) -> pd.DataFrame:
    """The marks of one or many series: where neighbouring times rest on different vintages.

    Parameters
    ----------
    times : years, period ids ("2025", "202506", "2026W53") or dates as a list; or a table with a column of them
    kinds : which catalog vintages to look at: "population" (NSO-A to 2016, NSO-B from 2017, modelled from 2020; name
        none where one series is used throughout), "units" (63 → 34 provinces), "icd_edition", "death_register"
    columns : columns of the table that name what a figure rests on (population series, cause list, source): a change
        of their value within a series is a break too
    by : columns that name one series

    Returns
    -------
    `by`, kind, at (the first time that rests on the new vintage, even if only in part), before, after (vintages; ""
    where the catalog knows none), mixed (True: the time at the break holds both), note (label key), source.
    Sorted by series and time; empty where nothing changes.
    """
    kinds, columns, by = _known_kinds(kinds), names_of(columns), names_of(by)
    table = times if isinstance(times, pd.DataFrame) else pd.DataFrame({"time": _listed(times)})
    name = time or next((word for word in USUAL_NAMES["time"] if word in table.columns), "time")
    require_columns(table, [name, *by, *columns])
    number, keys = groups(table, by)
    if not len(table):
        return keys.assign(**{column: [] for column in COLUMNS})
    rows = table[[name, *columns]].assign(_series=number, _order=_starts(table[name]))
    found = [_dated(rows, name, kind) for kind in kinds] + [_changes(rows, name, column) for column in columns]
    marks = pd.concat([part for part in found if len(part)] or [pd.DataFrame(columns=["_series", "_order", *COLUMNS])])
    marks = marks.sort_values(["_series", "_order"], kind="stable").reset_index(drop=True)
    named = keys.iloc[marks["_series"].to_numpy(dtype=int)].reset_index(drop=True)
    return pd.concat([named, marks[COLUMNS]], axis=1)


def known_vintages(kind: str) -> pd.DataFrame:
    """Vintages of a kind as the catalog dates them: vintage, first_day, source; in order of time."""
    makers: dict[str, Callable[[], pd.DataFrame]] = {
        "population": _population,
        "units": _units,
        "icd_edition": _icd_editions,
        "death_register": _death_registers,
    }
    (kind,) = _known_kinds(kind)
    table = makers[kind]()
    return table.assign(first_day=pd.to_datetime(table["first_day"])).sort_values("first_day", ignore_index=True)


def breaks_of_grid(breaks: object, grid: SeriesGrid) -> pd.DataFrame:
    """What a function of trends was given as `breaks`, per series of its grid: series (row number), at, words.

    breaks : None; "catalog" (all kinds that the catalog dates); times; or a table with a column `at` and any of the
        grid's keys (that of `series_breaks`)
    """
    if breaks is None:
        return pd.DataFrame(
            {"series": np.array([], dtype=int), "at": np.array([]), "words": np.array([], dtype=object)}
        )
    if isinstance(breaks, str):
        breaks = _catalog_breaks(breaks, grid)
    given = (
        breaks if isinstance(breaks, pd.DataFrame) else pd.DataFrame({"at": np.ravel(np.array(breaks, dtype=object))})
    )
    require_columns(given, ["at"])
    at = pd.to_numeric(given["at"], errors="coerce")
    if at.isna().any():
        raise InputError("error.trend_break_at", value=str(given["at"][at.isna()].iloc[0]))
    changes = [part for part in ("before", "after") if part in given]
    words = given[changes].astype(str).replace("", "–").agg(" → ".join, axis=1) if changes and len(given) else ""
    return _joined(given.assign(at=at.astype(float), words=words), grid)


def _catalog_breaks(word: str, grid: SeriesGrid) -> pd.DataFrame:
    if option_word(word, ("catalog",)) != "catalog":
        raise UsageError("error.trend_option", name="breaks", value=word, known="catalog")
    return series_breaks(grid.time)


def _joined(breaks: pd.DataFrame, grid: SeriesGrid) -> pd.DataFrame:
    """One row per series and break; only breaks with a time before and a time from them on."""
    shared = [name for name in grid.keys.columns if name in breaks.columns]
    series = grid.keys[shared].assign(_row=np.arange(len(grid)))
    marks = breaks[[*shared, "at", "words"]]
    rows = series.merge(marks, on=shared) if shared else series.merge(marks, how="cross")
    seen = np.isfinite(next(iter(grid.columns.values())))
    first = np.where(seen, grid.time, np.inf).min(axis=1, initial=np.inf)
    last = np.where(seen, grid.time, -np.inf).max(axis=1, initial=-np.inf)
    number = rows["_row"].to_numpy(dtype=int)
    inside = (rows["at"] > first[number]) & (rows["at"] <= last[number])
    kept = rows.loc[inside, ["_row", "at", "words"]].rename(columns={"_row": "series"})
    return kept.sort_values(["series", "at"], ignore_index=True)


def marks_of(found: pd.DataFrame, n: int) -> npt.NDArray[np.object_]:
    """One text per series: "2017: NSO-A → NSO-B; 2020: NSO-B → MODEL"; "" where nothing changes."""
    texts = np.full(n, "", dtype=object)
    each = [f"{at:g}: {words}" if words else f"{at:g}" for at, words in zip(found["at"], found["words"], strict=True)]
    joined = pd.Series(each, index=found["series"].to_numpy(dtype=int), dtype=object).groupby(level=0).agg("; ".join)
    texts[joined.index.to_numpy(dtype=int)] = joined.to_numpy()
    return texts


def _known_kinds(kinds: str | Sequence[str]) -> list[str]:
    words = [option_word(kind, KINDS) for kind in names_of(kinds)]
    unknown = [str(word) for word in words if word not in KINDS]
    if unknown:
        raise UsageError("error.trend_option", name="kinds", value=", ".join(unknown), known=", ".join(KINDS))
    return words


def _listed(times: object) -> list[Any]:
    if isinstance(times, (str, int, float)) or not isinstance(times, Iterable):
        return [times]
    return list(times)


def _starts(times: pd.Series) -> pd.Series:
    """First day of each time; a number is a year (of 2001.5: that of 2001)."""
    return times.map({value: _window(value)[0] for value in times.drop_duplicates()})


def _window(value: Any) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day of a year, period id or date."""
    if isinstance(value, (int, float, np.number)) and np.isfinite(value):
        value = str(int(value))
    if isinstance(value, str):
        period = as_period(value)
        return pd.Timestamp(period.start), pd.Timestamp(period.end)
    day = pd.Timestamp(value)
    if pd.isna(day):
        raise InputError("error.trend_time_missing", n=1)
    return day, day


def _dated(rows: pd.DataFrame, name: str, kind: str) -> pd.DataFrame:
    """Breaks by date: each new vintage that begins inside a series."""
    times = rows[["_series", "_order", name]].drop_duplicates(["_series", "_order"]).sort_values(["_series", "_order"])
    ends = {value: _window(value)[1] for value in times[name].drop_duplicates()}
    times = times.assign(_end=times[name].map(ends), _first=times.groupby("_series")["_order"].transform("min"))
    vintages = known_vintages(kind).assign(before=lambda t: t["vintage"].shift(1).fillna(""))
    pairs = times.merge(vintages, how="cross")
    reached = pairs[(pairs["_end"] >= pairs["first_day"]) & (pairs["_first"] < pairs["first_day"])]
    first = reached.drop_duplicates(["_series", "first_day"])
    return first.assign(
        kind=kind, at=first[name], after=first["vintage"], mixed=first["_order"] < first["first_day"], note=NOTES[kind]
    )[["_series", "_order", *COLUMNS]]


def _changes(rows: pd.DataFrame, name: str, column: str) -> pd.DataFrame:
    """Breaks by what a column says: another value than at the time before; several values at one time are mixed."""
    words = rows.assign(_word=rows[column].astype("str").fillna(""))
    at_time = words.groupby(["_series", "_order"], sort=True).agg(
        at=(name, "first"), after=("_word", lambda found: " + ".join(sorted(set(found)))), _n=("_word", "nunique")
    )
    at_time = at_time.reset_index()
    before = at_time.groupby("_series")["after"].shift(1)
    changed = at_time[before.notna() & (before != at_time["after"])]
    return changed.assign(
        kind=column, before=before[changed.index], mixed=changed["_n"] > 1, note=NOTES["column"], source=column
    )[["_series", "_order", *COLUMNS]]


def _population() -> pd.DataFrame:
    """The series that `reference.population` takes by itself: NSO-A, NSO-B, then MODEL."""
    from tkyt_analysis.reference.population_series import FIRST_MODELLED_YEAR, FIRST_YEAR_NSO_B, population_series

    sources = population_series().set_index("series")
    # NSO-A stands for every year before 2017: that the catalog begins in 2009 is no change of source
    starts = {"NSO-A": 1900, "NSO-B": FIRST_YEAR_NSO_B, "MODEL": FIRST_MODELLED_YEAR}
    return pd.DataFrame(
        {
            "vintage": list(starts),
            "first_day": [f"{year}-01-01" for year in starts.values()],
            "source": sources.loc[list(starts), "source"].to_list(),
        }
    )


def _units() -> pd.DataFrame:
    from tkyt_analysis.reference.places import FIRST_DAY_2025

    source = "202/2025/QH15"
    rows = [("VN2024", "1900-01-01", source), ("VN2025", str(FIRST_DAY_2025), source)]
    return pd.DataFrame(rows, columns=["vintage", "first_day", "source"])


def _icd_editions() -> pd.DataFrame:
    table = read_codelist("icd10_editions").query("valid_from != ''")
    return table.rename(columns={"edition": "vintage", "valid_from": "first_day"})[["vintage", "first_day", "source"]]


def _death_registers() -> pd.DataFrame:
    table = read_codelist("a6_vintages").drop_duplicates("vintage")
    return table.rename(columns={"legal": "source"})[["vintage", "first_day", "source"]]
