"""Smoothed rates, clusters and spatial association of the areas of a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.analyse.maps import cluster_picture, rate_picture
from tkyt_analysis.analyse.reading import (
    FileAnswer,
    area_column,
    known_places,
    level_of,
    named,
    neighbours_of,
    place_ids,
    read_rows,
    reasons_in_words,
)
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.analysis.spatial.weights import Weights

EVENTS = ("events", "deaths", "cases", "observed", "count")
PEOPLE = ("population", "person_years", "persons", "expected")
POINTS = ("x", "longitude", "lon", "long", "lng", "easting")
HIGHEST = 10
WHOLE = ("statistic", "expectation", "z", "p_value", "areas", "islands", "method", "status", "reason")


def smooth_of_file(
    path: Path,
    *,
    area: str | None = None,
    by: Sequence[str] = (),
    only: Sequence[str] = (),
    events: str | None = None,
    population: str | None = None,
    neighbours: str | None = None,
    vintage: str | None = None,
    per: float = 100_000,
    **options: Any,
) -> FileAnswer:
    """`empirical_bayes_rate` of a file with an area, events and population; by : columns that name one map, e.g. year.

    neighbours : None (all areas), "province", "commune" (the catalog's), or a file of pairs; vintage : of bare codes
    """
    from tkyt_analysis.analysis.spatial import empirical_bayes_rate

    rows, area = _rows(path, area, by, only, figures=[events, population])
    counts = _counts(rows, events, population)
    _require_once(rows, [*by, area])
    near = None if neighbours is None else neighbours_of(rows[area], neighbours, vintage)
    found = empirical_bayes_rate(
        rows[[*by, area]].join(counts), by=list(by) or None, area=area, neighbours=near, per=per, **options
    )
    lost = int((found["status"] == "not_assessable").sum())
    top = found.nlargest(HIGHEST, "rate")[[*by, area, "events", "population", "raw_rate", "rate", "lower", "upper"]]
    return FileAnswer(
        reasons_in_words(named(found, [area], vintage)),
        named(top, [area], vintage),
        label("analyse.smooth.said", areas=format_number(len(found)), lost=format_number(lost), per=format_number(per)),
        {"areas": len(found), "not_assessable": lost, "per": per},
        lambda title, note: rate_picture(found, area, vintage, per, by=by, title=title, note=note),
    )


def scan_of_file(
    path: Path,
    *,
    area: str | None = None,
    only: Sequence[str] = (),
    cases: str | None = None,
    population: str | None = None,
    vintage: str | None = None,
    **options: Any,
) -> FileAnswer:
    """`scan_statistic` of a file with an area, cases, population or expected, and x and y or longitude and latitude.

    Without coordinates the areas are provinces or communes of Viet Nam, whose points are known.
    """
    from tkyt_analysis.analysis.spatial import cluster_of_areas, scan_statistic

    rows, area = _rows(path, area, (), only, figures=[cases, population])
    given = {cases: "cases", population: "population"}
    rows = rows.drop(columns=[new for old, new in given.items() if old and old != new and new in rows])
    rows = rows.rename(columns={old: new for old, new in given.items() if old})
    _require_once(rows, [area])
    points = None if any(name.casefold() in POINTS for name in rows) else _points(rows[area], vintage)
    found = scan_statistic(rows, areas=area, coordinates=points, **options)
    table = found.assign(members=found["members"].map(lambda names: " ".join(map(str, names))))
    sure = int(found["significant"].sum())
    shown = table[["cluster", "direction", "centre", "areas", "cases", "expected", "relative_risk", "p_value"]]
    return FileAnswer(
        reasons_in_words(named(table, ["centre"], vintage)),
        named(shown, ["centre"], vintage),
        label("analyse.scan.said", areas=format_number(len(rows)), clusters=sure),
        {"areas": len(rows), "clusters": len(found), "significant": sure},
        lambda title, note: cluster_picture(
            cluster_of_areas(found).assign(value=lambda areas: areas["relative_risk"]), vintage, title=title, note=note
        ),
    )


def moran_of_file(
    path: Path,
    *,
    area: str | None = None,
    only: Sequence[str] = (),
    value: str | None = None,
    events: str | None = None,
    population: str | None = None,
    neighbours: str | None = None,
    vintage: str | None = None,
    style: str | None = None,
    permutations: int = 999,
    seed: int = 1,
    adjust: str = "none",
    alpha: float = 0.05,
) -> FileAnswer:
    """`moran` of the whole map and `local_moran` of each area: of `value`, or of the rates of events (with population).

    neighbours : "province", "commune" or a file of pairs; None: the catalog's where the areas are of Viet Nam
    The global I is by permutation (`permutations`, `seed`), of rates Assunção and Reis's.
    """
    from tkyt_analysis.analysis.spatial import cluster_word, local_moran, moran

    rows, area = _rows(path, area, (), only, figures=[value, events, population])
    _require_once(rows, [area])
    near = _some_neighbours(rows[area], neighbours, vintage)
    values, people = _values(rows, area, value, events, population)
    whole = moran(
        values, near, population=people, style=style, assumption="permutation", permutations=permutations, seed=seed
    ).iloc[0]
    found = local_moran(
        values, near, population=people, style=style, adjust=adjust, alpha=alpha, permutations=permutations, seed=seed
    )
    table = found.rename_axis(area).reset_index()
    table["cluster_word"] = [cluster_word(name) if name else "" for name in table["cluster"]]
    picked = table[~table["cluster"].isin(["not_significant", ""])].sort_values("p_adjusted")
    known = {name: None if pd.isna(whole[name]) else whole.to_dict()[name] for name in WHOLE}
    return FileAnswer(
        reasons_in_words(named(table, [area], vintage)),
        named(picked[[area, "value", "local_i", "p_adjusted", "cluster_word"]], [area], vintage),
        _moran_sentence(whole, len(picked)),
        {"moran": known, "clusters": len(picked)},
        lambda title, note: cluster_picture(table.rename(columns={area: "area"}), vintage, title=title, note=note),
    )


def _moran_sentence(whole: pd.Series, clusters: int) -> str:
    if whole["status"] == "not_assessable":
        return label("analyse.moran.refused", reason=label(str(whole["reason"])))
    figures = {"statistic": format_number(whole["statistic"], 3), "p": format_number(whole["p_value"], 3)}
    return label("analyse.moran.said", **figures, areas=format_number(whole["areas"]), clusters=clusters)


def _rows(
    path: Path, area: str | None, by: Sequence[str], only: Sequence[str], *, figures: Sequence[str | None]
) -> tuple[pd.DataFrame, str]:
    rows = read_rows(path, figures=figures, keys=[area, *by], only=only)
    name = area_column(rows, area)
    return rows, name


def _require_once(rows: pd.DataFrame, keys: list[str]) -> None:
    """Each area once in each map: else a year or a sex was forgotten."""
    twice = rows[rows.duplicated(keys)]
    if len(twice):
        found = ", ".join(twice.iloc[0][keys].astype("str"))
        raise InputError("error.analyse.area_twice", columns=", ".join(keys), found=found, count=len(twice))


def _counts(rows: pd.DataFrame, events: str | None, population: str | None) -> pd.DataFrame:
    """events, population of the rows, whatever their names."""
    events = events or next((name for name in EVENTS if name in rows), None)
    population = population or next((name for name in PEOPLE if name in rows), None)
    if events is None or population is None:
        lacks = ", ".join(EVENTS if events is None else PEOPLE)
        raise InputError("error.analyse.figures", names=lacks, found=", ".join(map(str, rows.columns)))
    return pd.DataFrame({"events": rows[events].astype(float), "population": rows[population].astype(float)})


def _values(
    rows: pd.DataFrame, area: str, value: str | None, events: str | None, population: str | None
) -> tuple[pd.Series, pd.Series | None]:
    """Values of the areas, or their events with the population."""
    value = value or next((name for name in ("value", "rate") if name in rows and events is None), None)
    index = pd.Index(rows[area].to_numpy())
    if value is not None:
        return pd.Series(rows[value].to_numpy(dtype=float), index=index), None
    counts = _counts(rows, events, population).set_index(index)
    return counts["events"], counts["population"]


def _some_neighbours(areas: pd.Series, neighbours: str | None, vintage: str | None) -> Weights | pd.DataFrame:
    if neighbours is None:
        ids = place_ids(areas, vintage)
        if ids is None:
            raise InputError("error.analyse.neighbours", found=", ".join(areas.astype("str").head(3)))
        neighbours = level_of(ids)
    return neighbours_of(areas, neighbours, vintage)


def _points(areas: pd.Series, vintage: str | None) -> pd.DataFrame:
    """longitude, latitude of provinces or communes of 2025; InputError where they are not known."""
    from tkyt_analysis.reference.places import places

    ids = known_places(areas, vintage)
    known = places(ids.iloc[0][:6]).drop_duplicates("unit_id").set_index("unit_id")[["longitude", "latitude"]]
    found = known.reindex(ids).reset_index(drop=True)
    if found.isna().any(axis=None):
        lost = ids[found.isna().any(axis=1).to_numpy()]
        raise InputError("error.analyse.no_point", value=lost.iloc[0], count=len(lost))
    return found.astype(float)
