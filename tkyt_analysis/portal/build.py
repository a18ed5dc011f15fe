"""The portal's first page: what a release holds, with its map of reporting.

A static folder, offline, from one release. Figures for the public come with the disclosure stage; until then the page
shows reporting only, and says so. Reports are for the offices they are made for: the portal does not link to them.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import pandas as pd

from tkyt_analysis.access import require
from tkyt_analysis.labels import current_language, label
from tkyt_analysis.pages import notice, page, paragraph, section, table_html
from tkyt_analysis.reference.periods import as_period
from tkyt_analysis.warehouse.release import Release


def build_portal(home: Path, *, release_id: str | None = None, language: str | None = None) -> Path:
    """Write `portal/index.html` for a release (default: the current one); the path of the page."""
    language = language or current_language()
    require(home, "publish")
    release = Release(home, release_id)
    parts = [
        paragraph(label("portal.intro", language, release=release.release_id)),
        section(label("portal.map", language), map_of_completeness(release, language)),
        section(label("portal.tables", language), _tables(release, language)),
        notice(label("portal.no_figures_yet", language), language=language),
    ]
    text = page(
        label("portal.title", language),
        "".join(parts),
        language=language,
        practice=release.practice,
        release_id=release.release_id,
        data_as_of=release.manifest["data_as_of"],
    )
    target = Path(home) / "portal" / "index.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(f".{os.getpid()}.part")
    part.write_text(text, "utf-8")
    os.replace(part, target)
    return target


def completeness_by_province(release: Release) -> tuple[pd.DataFrame, str]:
    """(unit_id, value [%], status) of the 34 provinces in the last calendar year with reports, and the year."""
    from tkyt_analysis.reference.places import places

    units = places("VN2025")
    provinces = units.loc[units["level"] == 1, ["unit_id"]]
    if not release.has("reporting"):
        return provinces.assign(value=float("nan"), status="missing"), "–"
    rows = release.query("SELECT scope, period_id, expected, received FROM reporting WHERE scope LIKE 'VN2025-%'")
    if rows.empty:
        return provinces.assign(value=float("nan"), status="missing"), "–"
    year = rows["period_id"].map({one: as_period(one).year for one in rows["period_id"].unique()})
    last = rows[year == year.max()].assign(
        unit_id=lambda table: table["scope"].str.replace("-", ":"),
        expected=lambda table: table["expected"].astype(bool),
        received=lambda table: table["received"].astype(bool),
    )
    sums = last.groupby("unit_id", as_index=False)[["expected", "received"]].sum()
    share = 100 * sums["received"] / sums["expected"].where(sums["expected"] > 0)
    found = provinces.merge(sums[["unit_id"]].assign(value=share), on="unit_id", how="left")
    return found.assign(status=found["value"].isna().map({True: "missing", False: "ok"})), str(year.max())


def map_of_completeness(release: Release, language: str) -> str:
    """The province map of completeness of reporting, for pages."""
    from tkyt_analysis.maps.interactive import interactive_map_html

    values, year = completeness_by_province(release)
    return interactive_map_html(
        values,
        title=label("portal.map_title", language, year=year),
        unit="%",
        scheme="given",
        bounds=bounds(values["value"]),
        decimals=0,
        practice=release.practice,
        language=language,
    )


def bounds(values: pd.Series) -> tuple[float, ...]:
    """Class bounds of a share in per cent: WHO's 90 % among them; above 100 only where a value is."""
    highest = float(values.max()) if values.notna().any() else 100.0
    return (0, 50, 75, 90, 100) if highest <= 100 else (0, 50, 75, 90, 100, math.ceil(highest))


def _tables(release: Release, language: str) -> str:
    rows = [
        {"table": table, "rows": int(release.query(f'SELECT count(*) AS n FROM "{table}"')["n"].iloc[0])}
        for table in release.tables()
    ]
    headings = {"table": label("column.table", language), "rows": label("column.rows", language)}
    return table_html(pd.DataFrame(rows), headings=headings, language=language)
