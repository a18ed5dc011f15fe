"""Release tables: what each finding would change in the published figures, and every figure in four scenarios.

Figures are those of the cube: the same base values, the same ratios, provinces of 2025 and the nation.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.catalog import load_entries, load_entry
from tkyt_analysis.catalog.entries import Dataset, DatasetIndicator
from tkyt_analysis.catalog.expressions import names_in
from tkyt_analysis.quality.conclusion import conclusions
from tkyt_analysis.quality.consequence import (
    COEFFICIENT_COLUMNS,
    ELEMENT_COLUMNS,
    FINDING_CONSEQUENCE,
    Relations,
    Settings,
    adjusted_sql,
    prepare,
)
from tkyt_analysis.quality.ranking import last_received

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.warehouse.release import ReleaseContext


def finding_consequence(context: ReleaseContext) -> str:
    """finding_id, figure_kind (total | ratio), dataset_id, figure, place (province of 2025 or VN), period_id (its own and
    the year), reported, with_suggestion, change, change_share. National figures are in the nation's scope."""
    _prepared(context)
    return FINDING_CONSEQUENCE


def adjusted_total(context: ReleaseContext) -> pd.DataFrame:
    """Every figure whose periods add up, by place, year and scenario, and whether the scenario changes a conclusion."""
    settings = _prepared(context)
    table = context.query(adjusted_sql(settings))
    table["year"] = table["year"].astype("str")
    result = conclusions(table, targets()).drop(columns="noise")
    return result.assign(scope=result["place"].str.replace(":", "-", regex=False))


def _prepared(context: ReleaseContext) -> Settings:
    """Make the tables that both answers read, once per release."""
    from tkyt_analysis.cube.release_tables import offer_places, province_report, province_value
    from tkyt_analysis.warehouse.domain_tables import programme_indicator

    for name, maker in (
        ("province_value", province_value),
        ("province_report", province_report),
        ("programme_indicator", programme_indicator),
    ):
        if name not in context.kept:
            maker(context)
    offer_places(context)
    con = context.warehouse.con
    relations = Relations(
        finding="lake.finding",
        sums="kept_province_value",
        programme=_with_rows(con, "kept_programme_indicator"),
        report=_with_rows(con, "kept_province_report"),
    )
    chosen = scenario_settings(last_received(context))
    settings = Settings(chosen["k"], chosen["floor"], chosen["least_probability"], relations)
    if "consequence" not in context.kept:
        received = context.query(
            "SELECT dataset_id, element_id, any_value(name) AS name FROM lake.data_element GROUP BY ALL"
        )
        elements = base_elements(con, relations.sums, received, chosen)
        prepare(con, elements, coefficients(elements), settings)
        context.kept.add("consequence")
    return settings


def _with_rows(con: duckdb.DuckDBPyConnection, name: str) -> str:
    return name if con.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() else ""


def scenario_settings(day: datetime.date | None = None) -> dict[str, Any]:
    """k, floor, least_probability, never_units, never_words, never_datasets of the catalog, on `day` (default: today)."""
    return dict(load_entry("thresholds", "adjustment_scenarios").at(day or datetime.date.today()))


def base_elements(
    con: duckdb.DuckDBPyConnection, sums: str, received: pd.DataFrame, chosen: dict[str, Any]
) -> pd.DataFrame:
    """What is summed of each element (ELEMENT_COLUMNS): its finest kind of period and level of unit, as in the cube.

    received : dataset_id, element_id, name as received; chosen : `scenario_settings`
    """
    from tkyt_analysis.cube.profile import KINDS, LEVELS
    from tkyt_analysis.cube.wording import element_wording, form_rows
    from tkyt_analysis.reference.periods import period_windows

    rows = con.execute(
        f"SELECT dataset_id, element_id, period_id, level, count(DISTINCT category_id) AS categories FROM {sums} "
        "WHERE period_id <> '' AND element_id <> '' GROUP BY ALL"
    ).df()
    if rows.empty:
        return pd.DataFrame(
            {name: pd.Series(dtype="bool" if name in ("flow", "never") else "str") for name in ELEMENT_COLUMNS}
        )
    rows = rows[rows["period_id"].fillna("").ne("")]
    kinds = period_windows(rows["period_id"].unique()).set_index("period_id")["kind"]
    rows = rows.assign(kind=rows["period_id"].map(kinds).astype("str"))
    rows = rows[rows["kind"].isin(list(KINDS))]
    place = rows["kind"].map(list(KINDS).index).astype(int) * 10 + rows["level"].map(list(LEVELS).index).astype(int)
    keys = ["dataset_id", "element_id", "kind", "level"]
    groups = rows.assign(place=place).groupby(keys, as_index=False)[["place", "categories"]].max()
    first = groups.sort_values(["dataset_id", "element_id", "place"]).drop_duplicates(["dataset_id", "element_id"])
    names = received.set_index(["dataset_id", "element_id"])["name"].to_dict()
    pairs = list(zip(first["dataset_id"], first["element_id"], strict=True))
    words = [element_wording(*pair, names.get(pair)) for pair in pairs]
    return first.assign(
        whole=[
            "total" if many and pair[1] in form_rows(pair[0]) else ""
            for pair, many in zip(pairs, first["categories"] > 1, strict=True)
        ],
        flow=np.array([one.over_time == "sum" for one in words]) & (first["kind"] != "cumulative").to_numpy(),
        never=[_counts_deaths(*pair, one.title, chosen) for pair, one in zip(pairs, words, strict=True)],
    )[ELEMENT_COLUMNS]


def _counts_deaths(dataset_id: str, element_id: str, title: Any, chosen: dict[str, Any]) -> bool:
    """Is this an element that is never adjusted: by its form, its unit in the catalog, or the words of its title?"""
    entry = load_entries("datasets").get(dataset_id)
    column = entry.columns.get(element_id.removeprefix(f"{dataset_id}/")) if entry else None
    said = f"{title['vi']} {title['en']}".lower()
    return (
        dataset_id in chosen["never_datasets"]
        or (column is not None and column.unit in chosen["never_units"])
        or any(word in said for word in chosen["never_words"])
    )


def coefficients(elements: pd.DataFrame) -> pd.DataFrame:
    """The ratios of the catalog as sums of elements (COEFFICIENT_COLUMNS); one that is no such sum is left out."""
    held = elements.set_index("element_id")
    lines = [
        line
        for entry in load_entries("datasets").values()
        if entry.panel
        for one in entry.indicators
        for line in _programme_lines(entry, one, held)
    ]
    table = pd.DataFrame([*lines, *_form_lines(held)], columns=COEFFICIENT_COLUMNS)
    kinds = {"numerator": "float64", "denominator": "float64", "per": "float64"}
    return table.astype(kinds | dict.fromkeys(("flow", "never", "programme"), "bool"))


def _programme_lines(entry: Dataset, one: DatasetIndicator, held: pd.DataFrame) -> Iterator[list[Any]]:
    above, below = linear_parts(one.numerator), linear_parts(one.denominator)
    if above is None or below is None:
        return
    ids = {name: f"{entry.id}/{name}" for name in dict.fromkeys([*above, *below])}
    if not set(ids.values()) <= set(held.index):
        return
    mine = held.loc[list(ids.values())]
    for name, element in ids.items():
        yield [entry.id, one.id, element, above.get(name, 0.0), below.get(name, 0.0), float(one.per),
               bool(mine["flow"].all()), bool(mine["never"].any()), True]  # fmt: skip


def _form_lines(held: pd.DataFrame) -> Iterator[list[Any]]:
    for entry in load_entries("indicators").values():
        if entry.method != "form_ratio" or entry.denominator == "1":
            continue
        parts = [[cell.strip() for cell in formula.split("+")] for formula in (entry.numerator, entry.denominator)]
        cells = list(dict.fromkeys(parts[0] + parts[1]))
        if set(cells) <= set(held.index):
            mine = held.loc[cells]
            for cell in cells:
                yield [mine["dataset_id"].iloc[0], entry.id, cell, float(parts[0].count(cell)), float(parts[1].count(cell)),
                       float(entry.per), bool(mine["flow"].all()), bool(mine["never"].any()), False]  # fmt: skip


@cache
def linear_parts(expression: str) -> Mapping[str, float] | None:
    """{column: how often it counts} of an expression of the catalog; None where it is no sum of columns.

    Found by trying: the value at 0, at 1 and 2 of each column, and at 1 of all of them.
    """
    names = names_in(expression)
    tries = [dict.fromkeys(names, 0.0)]
    tries += [dict.fromkeys(names, 0.0) | {name: size} for name in names for size in (1.0, 2.0)]
    tries.append(dict.fromkeys(names, 1.0))
    columns = ", ".join(f'"{name}"' for name in ["trial_no", *names])
    rows = ", ".join(f"({number}, {', '.join(map(str, one.values()))})" for number, one in enumerate(tries))
    sql = f"SELECT ({expression})::DOUBLE FROM (VALUES {rows}) t({columns}) ORDER BY trial_no"
    seen = [row[0] for row in _calculator().execute(sql).fetchall()]
    parts = dict(zip(names, seen[1:-1:2], strict=True))
    doubled = dict(zip(names, seen[2:-1:2], strict=True))
    linear = seen[0] == 0 and None not in seen and all(doubled[name] == 2 * parts[name] for name in names)
    return parts if linear and seen[-1] == sum(parts.values()) else None


@cache
def _calculator() -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect()


def targets() -> pd.DataFrame:
    """The targets of the catalog: figure, day, target, higher_is."""
    rows = [
        (entry.id, day, float(one.value), entry.higher_is)
        for entry in load_entries("indicators").values()
        for day, one in entry.targets.items()
        if entry.higher_is != "neutral"
    ]
    return pd.DataFrame(rows, columns=["figure", "day", "target", "higher_is"])
