"""Provinces in the notebook of small areas: do high ones lie together, which clusters, how sure each is above the common level."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tkyt_analysis.labels import format_number, label
from tkyt_analysis.notebook_areas import KEY, Areas, too_few
from tkyt_analysis.notebook_country import Answer, map_of

REPLICATES = 999


def moran_html(areas: Areas) -> Answer:
    """Whether high lies beside high: Assunção and Reis's index of the whole map, in words, and the map of local clusters."""
    from tkyt_analysis.analysis.spatial import local_moran, moran, place_weights
    from tkyt_analysis.pages import paragraph

    if not areas.enough:
        return too_few(areas)
    language, counts = areas.language, areas.rows.set_index(KEY)
    weights = place_weights("VN2025")
    counts = counts.reindex(weights.ids)
    whole = moran(counts["events"], weights, population=counts["population"]).iloc[0]
    if whole["status"] == "not_assessable":
        return areas.nothing("area_notebook.refused", reason=label(whole["reason"], language))
    clear = whole["p_value"] < 0.05
    said = label(
        "area_notebook.moran" if clear else "area_notebook.no_moran", language,
        value=format_number(whole["statistic"], 2, language), p=p_words(whole["p_value"], language),
    )  # fmt: skip
    local = local_moran(counts["events"], weights, population=counts["population"], adjust="fdr")
    table = local[["cluster", "status"]].assign(value=counts["value"]).rename_axis(KEY).reset_index()
    html = map_of(
        "clusters", table, areas, unit=areas.unit, method=label("area_notebook.lisa_method", language),
        title=label("area_notebook.lisa", language, measure=areas.title, year=areas.year),
    )  # fmt: skip
    return Answer(table, paragraph(said) + html)


def p_words(p: float, language: str) -> str:
    """ "p = 0,012"; "p < 0,001"."""
    if p < 0.001:
        return "p < " + format_number(0.001, 3, language)
    return "p = " + format_number(p, 3, language)


def scan_html(areas: Areas) -> Answer:
    """Kulldorff's scan for high and low: clusters on a map and in a table, with p by simulated maps."""
    from tkyt_analysis.analysis.spatial import cluster_of_areas, scan_statistic
    from tkyt_analysis.pages import paragraph, table_html
    from tkyt_analysis.reference.places import places

    if not areas.enough:
        return too_few(areas)
    language = areas.language
    points = places("VN2025").set_index(KEY)[["longitude", "latitude"]]
    rows = areas.rows.join(points, on=KEY).dropna(subset=["longitude"])
    table = rows.rename(columns={KEY: "area", "events": "cases"})[
        ["area", "cases", "population", "longitude", "latitude"]
    ]
    found = scan_statistic(table, direction="both", replicates=REPLICATES, seed=1)
    seen = found[found["significant"].fillna(False).astype(bool)] if len(found) else found
    if seen.empty:
        return areas.answer(found, paragraph(label("area_notebook.no_scan", language)))
    parts = cluster_of_areas(seen, table["area"].to_list()).rename(columns={"area": KEY})
    html = map_of(
        "clusters", parts[[KEY, "cluster"]], areas,
        method=label("area_notebook.scan_method", language, replicates=REPLICATES),
        title=label("area_notebook.scan", language, measure=areas.title, year=areas.year),
    )  # fmt: skip
    names = areas.rows.set_index(KEY)["name"]
    shown = pd.DataFrame({
        "cluster": [str(one) for one in seen["cluster"]],
        "direction": [label(f"area_notebook.direction.{one}", language) for one in seen["direction"]],
        "members": [", ".join(names.get(one, one) for one in members) for members in seen["members"]],
        "cases": [
            f"{format_number(one.cases, 0, language)} / {format_number(one.expected, 0, language)}"
            for one in seen.itertuples()
        ],
        "risk": [format_number(one, 2, language) for one in seen["relative_risk"]],
        "p": [p_words(one, language).removeprefix("p = ").removeprefix("p ") for one in seen["p_value"]],
    })  # fmt: skip
    headings = {name: label(f"area_notebook.scan.{name}", language) for name in shown}
    html += table_html(shown, headings=headings, caption=label("area_notebook.scan.caption", language), stacked=True)
    return Answer(found, html)


def exceedance_html(areas: Areas) -> Answer:
    """P(relative risk above 1) of each province by a gamma–Poisson model, as a map and as a count of near certain ones."""
    from tkyt_analysis.analysis.spatial import gamma_poisson_rate
    from tkyt_analysis.pages import paragraph

    if not areas.enough:
        return too_few(areas)
    rows = areas.rows.set_index(KEY)
    found = gamma_poisson_rate(rows["events"], rows["population"] * rows["events"].sum() / rows["population"].sum())
    return _exceedance(areas, found, paragraph(_evidence(found, areas.language)))


def _exceedance(areas: Areas, found: pd.DataFrame, said: str) -> Answer:
    table = found.rename_axis(KEY).reset_index()[[KEY, "exceedance"]].rename(columns={"exceedance": "value"})
    html = map_of(
        "exceedance", table, areas, event=label("area_notebook.event", areas.language),
        title=label("area_notebook.exceedance", areas.language, measure=areas.title, year=areas.year),
    )  # fmt: skip
    return Answer(found, said + html)


def _evidence(found: pd.DataFrame, language: str) -> str:
    counts = found["evidence"].value_counts()
    number = {one: int(counts.get(one, 0)) for one in ("raised", "probably_raised", "lowered", "probably_lowered")}
    unclear = len(found) - sum(number.values())
    return label("area_notebook.evidence", language, unclear=unclear, **number)


def bym2_html(areas: Areas, wanted: bool) -> Answer:
    """The same by BYM2, which borrows from neighbours; only where it is asked for, as sampling takes a minute or more."""
    from tkyt_analysis.pages import paragraph

    if not wanted:
        return Answer(pd.DataFrame(), paragraph(label("area_notebook.bym2_off", areas.language)))
    if not areas.enough:
        return too_few(areas)
    from tkyt_analysis.analysis.spatial import bym2_rate, place_weights, sampling_report

    rows = areas.rows.set_index(KEY)
    weights: Any = place_weights("VN2025")
    rows = rows.reindex(weights.ids)
    found = bym2_rate(rows["events"], population=rows["population"], neighbours=weights, per=areas.per)
    found = found.set_axis(rows.index)
    report = paragraph(sampling_report(found, areas.language))
    if found["exceedance"].isna().all():
        return areas.answer(found, report)
    return _exceedance(areas, found, paragraph(_evidence(found, areas.language)) + report)
