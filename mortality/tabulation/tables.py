"""Deaths by items of a cause list. What goes in comes out: items + gaps + unknown = deaths."""

from __future__ import annotations

import pandas as pd

from mortality.tabulation.cause_lists import GAP, UNKNOWN, CauseList
from mortality.tabulation.deaths_given import number_of_deaths, require_columns, require_total
from tkyt_analysis.labels import current_language, label


def tabulate_deaths(
    deaths: pd.DataFrame,
    cause_list: CauseList,
    by: list[str] | None = None,
    *,
    code: str = "underlying_cause",
    deaths_column: str | None = None,
) -> pd.DataFrame:
    """Deaths by `by` and cause-list item.

    Parameters
    ----------
    deaths : one row per death (or per group, with its number in `deaths_column`), with `by` and the ICD-10 `code`
    by : columns that name one table, e.g. ["unit_id", "year", "sex"]; missing values are a group of their own

    Returns
    -------
    `by`, item, deaths: items with at least one death, plus item "gap" (a valid code that the list does not place)
    and "unknown" (no valid code). The sum of `deaths` equals the deaths given.
    Raises InputError where a column is missing.
    """
    by = list(by or [])
    require_columns(deaths.columns, [*by, code])
    counted = deaths[by].assign(item=cause_list.item_of(deaths[code]), deaths=number_of_deaths(deaths, deaths_column))
    table = counted.groupby([*by, "item"], observed=True, dropna=False, sort=False)["deaths"].sum().reset_index()
    require_total(counted["deaths"], table["deaths"])
    order = {item: rank for rank, item in enumerate([*cause_list.items["item"], GAP, UNKNOWN])}
    return table.sort_values([*by, "item"], key=lambda c: c.map(order) if c.name == "item" else c, ignore_index=True)


def with_headings(table: pd.DataFrame, cause_list: CauseList, by: list[str] | None = None) -> pd.DataFrame:
    """The table with a row for each heading of the list: the sum of its items. Column is_heading tells them apart."""
    by = list(by or [])
    sums = [
        table[table["item"].isin(items)]
        .assign(item=heading)
        .groupby([*by, "item"], observed=True, dropna=False, as_index=False)["deaths"]
        .sum()
        for heading, items in cause_list.headings.items()
    ]
    both = pd.concat([table.assign(is_heading=False), *[one.assign(is_heading=True) for one in sums]])
    return both.reset_index(drop=True)


def with_titles(table: pd.DataFrame, cause_list: CauseList, language: str | None = None) -> pd.DataFrame:
    """The table with a column title: the item's words in `language`, those of gap and unknown included."""
    language = language or current_language()
    titles = dict(zip(cause_list.items["item"], cause_list.items[f"label_{language}"]))
    titles |= {GAP: label("tabulation.gap", language), UNKNOWN: label("tabulation.unknown", language)}
    return table.assign(title=table["item"].map(titles).astype("str"))


def codes_outside(deaths: pd.DataFrame, cause_list: CauseList, *, code: str = "underlying_cause") -> pd.DataFrame:
    """The codes behind "gap" and "unknown": code, item, deaths, most frequent first."""
    items = cause_list.item_of(deaths[code])
    outside = pd.DataFrame({"code": deaths[code].fillna(""), "item": items})[items.isin([GAP, UNKNOWN])]
    counts = outside.groupby(["code", "item"], as_index=False).size().rename(columns={"size": "deaths"})
    return counts.sort_values(["deaths", "code"], ascending=[False, True], ignore_index=True)
