"""Shares of garbage codes by place, sector, coder, age or anything else, with Wilson intervals; old age (R54) by age."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.garbage.lists import NO_CODE, NOT_UNDERLYING, USABLE, GarbageList, load_garbage_list
from mortality.tabulation.deaths_given import number_of_deaths, require_columns
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK, wilson_limits

ALL_LISTED, ALL_UNUSABLE = "all_listed", "all_unusable"
FACILITY, COMMUNITY, UNKNOWN = "facility", "community", "unknown"
SENILITY = "R54"
YOUNG_BELOW = 60
SENILITY_BANDS = ("0-14", "15-44", "45-59", "60-69", "70-79", "80+")
_FACILITY_PLACES, _COMMUNITY_PLACES = (
    ("health_facility", "facility", "hospital"),
    ("home", "on_the_way", "other", "community"),
)
_FACILITY_SOURCES, _COMMUNITY_SOURCES = ("certificate", "death_notice"), ("a6", "verbal_autopsy")


def garbage_share(
    deaths: pd.DataFrame,
    *,
    by: list[str] | None = None,
    garbage: GarbageList | None = None,
    code: str = "underlying_cause",
    deaths_column: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The share of garbage codes among the deaths of each group.

    Parameters
    ----------
    deaths : one row per death (or per group, with its number in `deaths_column`) with `by` and the ICD-10 `code`
    by : e.g. ["unit_2025"], ["sector"], ["coder"], ["age_group"]; [] for all deaths together
    garbage : the list; default CDC/MITRE 2021

    Returns
    -------
    `by`, category, severity, deaths, total, share, lower, upper (0 to 1, Wilson), status. Categories: those of the list, then
    not_underlying (codes that never are an underlying cause), no_code, all_listed (sum of the list's categories; the figure
    to compare with publications), all_unusable (with not_underlying and no_code), USABLE. all_unusable + USABLE = total.
    """
    garbage = garbage or load_garbage_list()
    by = list(by or [])
    require_columns(deaths.columns, [*by, code])
    counted = deaths[by].assign(
        category=garbage.category_of(deaths[code]), deaths=number_of_deaths(deaths, deaths_column)
    )
    if not by:
        counted = counted.assign(_all="")
    wide = _wide(counted, by or ["_all"], garbage)
    if not by:  # no deaths at all is one group that cannot be assessed
        wide = wide.reindex(pd.Index([""], name="_all"), fill_value=0)
    rows = wide.reset_index().melt(id_vars=[*(by or ["_all"]), "total"], var_name="category", value_name="deaths")
    return _with_limits(rows, by, garbage, list(wide.columns), confidence)


def _wide(counted: pd.DataFrame, keys: list[str], garbage: GarbageList) -> pd.DataFrame:
    wide = (
        counted.groupby([*keys, "category"], dropna=False, observed=True)["deaths"]
        .sum()
        .unstack("category", fill_value=0)
    )
    wide = wide.reindex(columns=[*garbage.categories, NOT_UNDERLYING, NO_CODE, USABLE], fill_value=0)
    total = wide.sum(axis=1)
    listed = wide[garbage.categories].sum(axis=1)
    return wide.drop(columns=USABLE).assign(
        **{ALL_LISTED: listed, ALL_UNUSABLE: total - wide[USABLE], USABLE: wide[USABLE], "total": total}
    )


def _with_limits(
    rows: pd.DataFrame, by: list[str], garbage: GarbageList, order: list[str], confidence: float
) -> pd.DataFrame:
    limits = wilson_limits(rows["deaths"], rows["total"], confidence)
    rows = pd.concat([rows, limits], axis=1).assign(
        severity=rows["category"].map(dict(garbage.severity)).fillna("").astype("str"),
        status=np.where(rows["total"] > 0, OK, NOT_ASSESSABLE),
    )
    place = {name: rank for rank, name in enumerate(order)}
    rows = rows.sort_values(
        [*by, "category"], key=lambda c: c.map(place) if c.name == "category" else c, ignore_index=True
    )
    return rows[[*by, "category", "severity", "deaths", "total", "share", "lower", "upper", "status"]]


def with_sector(deaths: pd.DataFrame) -> pd.DataFrame:
    """The deaths with a column sector: facility | community | unknown, by the place of death, else by the list they came from."""
    blank = pd.Series("", index=deaths.index, dtype="str")
    place = deaths["place_of_death"].fillna("") if "place_of_death" in deaths else blank
    source = deaths["source"].fillna("") if "source" in deaths else blank
    sector = np.select(
        [
            place.isin(_FACILITY_PLACES),
            place.isin(_COMMUNITY_PLACES),
            source.isin(_FACILITY_SOURCES),
            source.isin(_COMMUNITY_SOURCES),
        ],
        [FACILITY, COMMUNITY, FACILITY, COMMUNITY],
        UNKNOWN,
    )
    return deaths.assign(sector=pd.Series(sector, index=deaths.index, dtype="str"))


def senility_by_age(
    deaths: pd.DataFrame,
    by: list[str] | None = None,
    *,
    code: str = "underlying_cause",
    deaths_column: str | None = None,
) -> pd.DataFrame:
    """Deaths of old age (R54) by age: `by`, age_group, deaths, senility, share, lower, upper, marked.

    deaths : with age_years, or age_group (bands of the release). `marked`: old age below 60, which never passes silently;
    it is marked for an age that is not known too.
    """
    from tkyt_analysis.reference.ages import age_group, parse_band

    years = _years(deaths)
    number = pd.Series(1, index=deaths.index) if deaths_column is None else deaths[deaths_column]
    senile = deaths[code].fillna("").astype("str").str.upper().str.startswith(SENILITY)
    counted = deaths[list(by or [])].assign(
        age_group=age_group(years, SENILITY_BANDS), deaths=number, senility=number.where(senile, 0)
    )
    table = (
        counted.groupby([*(by or []), "age_group"], dropna=False, observed=True)[["deaths", "senility"]]
        .sum()
        .reset_index()
    )
    order = {band: rank for rank, band in enumerate([*SENILITY_BANDS, UNKNOWN])}
    table = table.sort_values(
        [*(by or []), "age_group"], key=lambda c: c.map(order) if c.name == "age_group" else c, ignore_index=True
    )
    young = (
        table["age_group"]
        .map(lambda band: band not in SENILITY_BANDS or parse_band(band)[0] < YOUNG_BELOW)
        .astype(bool)
    )
    table = pd.concat([table, wilson_limits(table["senility"], table["deaths"])], axis=1)
    return table.assign(marked=(young & (table["senility"] > 0)).to_numpy())


def _years(deaths: pd.DataFrame) -> pd.Series:
    """Completed years of age; of an age group its first year."""
    if "age_years" in deaths:
        return pd.to_numeric(deaths["age_years"], errors="coerce").astype(float)
    if "age_group" not in deaths:
        require_columns(deaths.columns, ["age_years"])
    first = deaths["age_group"].astype("str").str.extract(r"^(\d+)", expand=False)
    return pd.to_numeric(first, errors="coerce").astype(float)
