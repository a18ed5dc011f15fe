"""Joinpoints and excess deaths of a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.analyse.reading import FileAnswer, named, place_ids, place_names, read_rows, reasons_in_words
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tkyt_analysis.analysis.trend import JoinpointResult

AVERAGE = ["aapc", "aapc_lower", "aapc_upper"]


def joinpoint_of_file(
    path: Path,
    *,
    by: Sequence[str] = (),
    only: Sequence[str] = (),
    breaks: Sequence[int] = (),
    columns: dict[str, str | None] | None = None,
    **options: Any,
) -> FileAnswer:
    """`joinpoint` of a file with year and rate (with se, or not), or count and population.

    by : columns that name one series; breaks : years in which a population or cause-list vintage begins
    columns : {"year": …, "rate": …, "se": …, "count": …, "population": …} where they have other names
    The table is `segments` with the average annual change of the whole series (aapc, aapc_lower, aapc_upper).
    """
    from tkyt_analysis.analysis.trend import joinpoint, joinpoint_picture

    columns = columns or {}
    rows = read_rows(path, figures=list(columns.values()), keys=by, only=only)
    found = joinpoint(rows, by=list(by) or None, breaks=list(breaks) or None, **columns, **options)
    keys = list(found.aapc.columns[: list(found.aapc.columns).index("start")])
    average = found.aapc.rename(columns={"lower": "aapc_lower", "upper": "aapc_upper"})[[*keys, *AVERAGE]]
    table = found.segments.merge(average, on=keys, how="left") if keys else found.segments.merge(average, how="cross")
    count = len(found.series)
    changed = int((found.series["n_joinpoints"] > 0).sum())
    lost = int((found.series["status"] == "not_assessable").sum())
    return FileAnswer(
        reasons_in_words(named(table, keys)),
        named(table[[*keys, "start", "end", "apc", "lower", "upper", *AVERAGE]], keys),
        label("analyse.joinpoint.said", series=count, changed=changed, lost=lost),
        {"series": count, "with_joinpoints": changed, "not_assessable": lost},
        lambda title, note: joinpoint_picture(_with_names(found, keys), title=title, note=note),
    )


def _with_names(found: JoinpointResult, keys: Sequence[str]) -> JoinpointResult:
    """The same result with the names of places in the place of their ids, for a picture."""
    from dataclasses import fields, replace

    tables = {field.name: getattr(found, field.name) for field in fields(found)}
    for key in keys:
        ids = place_ids(found.series[key], None) if len(found.series) else None
        if ids is not None and not place_names(ids).duplicated().any():
            names = dict(zip(found.series[key], place_names(ids), strict=True))
            tables = {
                name: table.assign(**{key: table[key].map(names)}) if key in table else table
                for name, table in tables.items()
            }
    return replace(found, **tables)


def excess_of_file(
    path: Path,
    *,
    by: Sequence[str] = (),
    only: Sequence[str] = (),
    outcome: str | None = None,
    population: str | None = None,
    regressors: Sequence[str] = (),
    **options: Any,
) -> FileAnswer:
    """`excess_deaths` of a file with date, period_id, or year and week or month; deaths; population if there is one.

    `start`, `baseline` or `exclude` (see `excess_deaths`) must say which time is under study and which is the baseline.
    """
    from tkyt_analysis.analysis.trend import excess_deaths

    if not any(options.get(name) for name in ("start", "baseline", "exclude")):
        raise InputError("error.analyse.excess_start")
    rows = read_rows(path, figures=[outcome, population, *regressors], keys=by, only=only)
    found = excess_deaths(
        rows, by=list(by), outcome=outcome, population=population, regressors=list(regressors), **options
    )
    told = [
        "observed",
        "cumulative_expected",
        "cumulative_excess",
        "cumulative_lower",
        "cumulative_upper",
        "cumulative_p_score",
    ]
    groups = found.groupby(list(by), sort=False) if by else found.groupby(lambda _: 0)
    studied = found[found["cumulative_excess"].notna()]
    last = studied.drop_duplicates(list(by), keep="last") if by else studied.tail(1)
    sums = {
        "series": groups.ngroups,
        "periods": len(studied),
        "not_assessable": int((found["status"] == "not_assessable").sum()),
    }
    years = ", ".join(str(text) for text in found["baseline"].drop_duplicates() if text)
    return FileAnswer(
        reasons_in_words(named(found, by)),
        named(last[[*by, "period_id", *told[1:]]], by),
        label(
            "analyse.excess.said", **{name: format_number(value) for name, value in sums.items()}, baseline=years or "–"
        ),
        sums | {"baseline": years},
        partial(_excess_picture, found, sums["series"], str(options.get("start") or "")),
    )


def _excess_picture(found: pd.DataFrame, series: int, start: str, title: str, note: str) -> Figure:
    from tkyt_analysis.analysis.trend import excess_picture

    if series > 1:
        raise InputError("error.analyse.one_series", count=series)
    return excess_picture(found, title=title, note=note, since=start or None)
