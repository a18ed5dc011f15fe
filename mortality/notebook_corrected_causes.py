"""Corrected causes for a notebook: before and after garbage codes are divided, ranks with their ranges, how far causes can be trusted.

Estimates are those of the release (`cause_redistributed`, `completeness_estimate`); they stand beside what was registered.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pandas as pd

from mortality.measure_pictures import ranks
from mortality.notebook_completeness import Comparison
from mortality.notebook_life_causes import coded_deaths
from mortality.notebook_measures import last_year, not_assessable, nothing, one_unit, rows_of, shown, with_limits
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench

CAUSE_LIST = "who_mortality_list_1"
TOP, IN_TABLE = 10, 15
STAGES = ("before", "after")


def redistributed_rows(workbench: Workbench, place: str, period: str = "", *, sex: str = "total") -> pd.DataFrame:
    """Rows of `cause_redistributed` of the unit that is shown, of the last year and one sex; before, after as `redistribute` names them."""
    rows = rows_of(workbench, "cause_redistributed", place, period)
    if rows.empty:
        return rows
    rows = rows[(rows["unit_id"] == one_unit(rows, workbench, place)) & (rows["sex"] == sex)]
    rows = rows[rows["year"] == last_year(rows)].reset_index(drop=True)
    return rows.rename(columns={"deaths_registered": "before", "deaths_redistributed": "after"})


def redistributed_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """Deaths by cause as coded and after garbage codes are divided, with limits: a sentence, a picture, a table."""
    from mortality.reports.redistribution_chart import draw_redistribution
    from tkyt_analysis.pages import paragraph

    language = language or current_language()
    rows = redistributed_rows(workbench, place, period)
    if rows.empty:
        return nothing("cause_notebook.nothing", language)
    moved, left, whole = rows["moved_out"].sum(), rows["left"].sum(), rows["before"].sum()
    fields = {"deaths": whole, "moved": moved, "left": left, "share": 100 * moved / whole if whole else 0.0}
    figures = {name: format_number(value, 0, language) for name, value in fields.items()}
    unit = workbench.place_name(str(rows["unit_id"].iloc[0]))
    said = paragraph(label("cause_notebook.moved", language, place=unit, year=last_year(rows), **figures))
    html = said + draw_redistribution(rows, cause_list=CAUSE_LIST, language=language) + _cause_table(rows, language)
    return shown(workbench, rows, place, html, language)


def _cause_table(rows: pd.DataFrame, language: str) -> str:
    from mortality.reports.redistribution_chart import leading_rows, titles
    from tkyt_analysis.pages import table_html

    top = leading_rows(rows, IN_TABLE)
    table = pd.DataFrame(
        {
            "cause": titles(top["cause"], CAUSE_LIST, language),
            "before": top["before"].round().astype("int64"),
            "after": [with_limits(row, 0, language, value="after") for row in top.to_dict("records")],
            "moved_in": top["moved_in"].round(1),
            "moved_out": top["moved_out"].round(1),
        }
    )
    headings = {name: label(f"cause_notebook.column.{name}", language) for name in table.columns}
    caption = label("cause_notebook.table.causes", language, most=IN_TABLE)
    return table_html(table, headings=headings, decimals=1, caption=caption, stacked=True, language=language)


# ------------------------------------------------------------------------------------------------ ranks


def leading_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """The ten leading causes before and after, each with the range of ranks that chance in the counts allows."""
    from tkyt_analysis.pages import table_html

    language = language or current_language()
    found = leading_rows_of(redistributed_rows(workbench, place, period))
    if found.empty:
        return nothing("cause_notebook.nothing", language)
    named = found.assign(name=_titles(found["cause"], language))
    after = named[named["stage"] == "after"]
    lines = list(zip(*(after[one] for one in ("name", "rank", "rank_lower", "rank_upper")), strict=True))
    html = ranks(lines, caption=label("cause_notebook.picture.ranks", language), last=TOP)
    named["text"] = [
        label("cause_notebook.rank", language, rank=row["rank"], low=row["rank_lower"], high=row["rank_upper"])
        for row in named.to_dict("records")
    ]
    table = named.pivot(index="cause", columns="stage", values="text").reindex(columns=list(STAGES))
    order = named.sort_values("stage", key=lambda one: one.map({"after": 0, "before": 1}), kind="stable")[
        "cause"
    ].unique()
    table = table.reindex(order).fillna(label("cause_notebook.not_in_top", language, top=TOP))
    table.insert(0, "name", _titles(pd.Series(order), language))
    headings = {"name": label("cause_notebook.column.cause", language)}
    headings |= {stage: label(f"cause_notebook.rank_{stage}", language) for stage in STAGES}
    html += table_html(
        table, headings=headings, caption=label("cause_notebook.table.ranks", language), stacked=True, language=language
    )
    return shown(workbench, found, place, html, language)


def leading_rows_of(rows: pd.DataFrame, *, top: int = TOP) -> pd.DataFrame:
    """stage (before, after) and the columns of `leading_causes`, from `redistributed_rows`."""
    from mortality.measures.cause_structure import leading_causes

    if rows.empty:
        return rows
    both = pd.concat([rows[["cause"]].assign(stage=stage, deaths=rows[stage].clip(lower=0)) for stage in STAGES])
    return leading_causes(both, ["stage"], code="cause", deaths_column="deaths", cause_list=None, top=top)


def _titles(items: pd.Series, language: str) -> list[str]:
    from mortality.reports.redistribution_chart import titles

    return titles(items, CAUSE_LIST, language)


# ------------------------------------------------------------------------------------------------ index


def index_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """A VSPI-like index by year: what each dimension keeps, and the product, with limits."""
    from tkyt_analysis.pages import notice, table_html

    language = language or current_language()
    found = index_rows(workbench, place, period)
    if found.empty:
        return nothing("cause_notebook.nothing", language)
    texts = found.assign(
        text=[_index_words(row, language) for row in found.to_dict("records")], year=found["year"].astype("str")
    )
    order = list(dict.fromkeys(texts["dimension"]))
    table = texts.pivot(index="dimension", columns="year", values="text").reindex(order)
    years = list(table.columns)
    table.insert(0, "name", [label(f"cause_notebook.dimension.{one}", language) for one in order])
    headings = {"name": label("cause_notebook.column.dimension", language)} | {year: year for year in years}
    caption = label("cause_notebook.table.index", language)
    html = table_html(
        table, headings=headings, caption=caption, total_rows=[len(order) - 1], stacked=True, language=language
    )
    html += notice(label("cause_notebook.index_note", language), language=language)
    return shown(workbench, found, place, html, language)


def index_rows(workbench: Workbench, place: str, period: str = "") -> pd.DataFrame:
    """year and the columns of `vspi_like` of the unit that is shown."""
    from mortality.measures.cause_structure import vspi_inputs, vspi_like

    rows = rows_of(workbench, "cause_redistributed", place, period)
    unit = one_unit(rows, workbench, place)
    years = sorted(set(rows.loc[rows["unit_id"] == unit, "year"])) if unit else []
    if not years:
        return pd.DataFrame()
    deaths = pd.concat([coded_deaths(workbench, unit, year).assign(year=year) for year in years], ignore_index=True)
    inputs = vspi_inputs(deaths, ["year"], code="code", deaths_column="deaths")
    inputs = inputs.merge(_combined_completeness(workbench, unit), on="year", how="left")
    inputs["years_late"] = [years_late(str(workbench.release.manifest["data_as_of"]), year) for year in inputs["year"]]
    return vspi_like(inputs, ["year"])


def years_late(data_as_of: str, year: int) -> float:
    """Years from the end of a year to the day up to which data came; 0 for a year that has not ended."""
    day = datetime.date.fromisoformat(data_as_of[:10])
    return max((day - datetime.date(year, 12, 31)).days / 365.25, 0.0)


def _combined_completeness(workbench: Workbench, unit: str) -> pd.DataFrame:
    """year, completeness (not over 1), completeness_lower, completeness_upper of the combined estimate."""
    columns = ["year", "completeness", "completeness_lower", "completeness_upper"]
    if not workbench.release.has("completeness_estimate"):
        return pd.DataFrame(columns=columns).astype({"year": "int64"})
    rows = workbench.release.query(
        "SELECT year, completeness, lower AS completeness_lower, upper AS completeness_upper FROM completeness_estimate "
        "WHERE unit_id = ? AND sex = 'total' AND method_id = 'combined' ORDER BY year",
        [unit],
    ).astype({"year": "int64"})
    rows[columns[1:]] = rows[columns[1:]].astype("float64").clip(upper=1.0)
    return rows


def _index_words(row: dict, language: str) -> str:
    if pd.isna(row["value"]):
        return not_assessable(str(row["reason"]), language)
    scale = 1 if row["dimension"] == "index" else 100
    figures = {name: scale * row[name] for name in ("value", "lower", "upper")}
    said = with_limits(figures, 0, language)
    if row["dimension"] != "index":
        return f"{said} %"
    band = row["band"]
    return f"{said} · {label(f'cause_notebook.band.{band}', language)}"
