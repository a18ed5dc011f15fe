"""The whole review: every metric of one catalog entry over all places and years, as one table."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from tkyt_analysis.catalog.desk_review import Dated, DeskReview
from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.desk_review import consistency, external, outliers, reporting
from tkyt_analysis.quality.desk_review.judged import KEY, RESULT_COLUMNS
from tkyt_analysis.quality.desk_review.sources import (
    Sources,
    arrived_data_sets,
    make_members,
    no_months,
    read_indicator,
    read_population,
    read_reports,
    unit_names,
)

METRICS = ("1a", "1b", "1c", "1d", "2a", "2b", "2c", "2d", "2e", "3a", "4a", "4b")
REVIEW_COLUMNS = ["review", "metric", "subject", *RESULT_COLUMNS]
HISTORY = {"years_before": "years_before", "minimum_years": "minimum_years", "forecast_years": "forecast_years"}


def review(
    sources: Sources,
    entry: DeskReview,
    *,
    estimates: pd.DataFrame,
    totals: pd.DataFrame,
    projections: pd.DataFrame,
    progress: Callable[[int, int, str], None] | None = None,
) -> pd.DataFrame:
    """Every metric, subject, place and year: the columns of REVIEW_COLUMNS.

    estimates, totals, projections : see `external`; totals and projections are those of the nation
    Memory holds one indicator's months at a time and the yearly totals of all.
    """
    members = make_members(sources)
    reports = read_reports(sources, members)
    population = read_population(sources, entry.population_groups, members)
    arrived = arrived_data_sets(sources)
    annual: dict[str, pd.DataFrame] = {}
    parts = list(_reporting(entry, reports))
    for number, (name, indicator) in enumerate(entry.indicators.items()):
        if progress:
            progress(number, len(entry.indicators), name)
        known = indicator.dataset_id in arrived
        months, cells, width = read_indicator(sources, indicator, members) if known else no_months()
        annual[name] = consistency.annual_values(months, indicator.over_time)
        parts += _values(entry, name, months, _expected_cells(reports, indicator.dataset_id, cells, width))
    parts += _pairs(entry, annual)
    figures = annual | population
    parts += _coverage(entry, figures, estimates)
    parts += _totals(entry, totals, projections)
    parts += _denominators(entry, figures)
    rows = pd.concat([part for part in parts if len(part)] or [pd.DataFrame(columns=REVIEW_COLUMNS)], ignore_index=True)
    rows = rows.astype({"geography": "str", "place": "str", "beyond_noise": "Int64"}).assign(review=entry.id)
    return _named(rows[REVIEW_COLUMNS], unit_names(sources))


def _reporting(entry: DeskReview, reports: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for dataset, rows in reports.groupby("dataset_id", observed=True, sort=True):
        own = entry.data_sets[dataset].thresholds if dataset in entry.data_sets else {}
        tables = rows[[*KEY, "expected", "received", "on_time", "untimed"]].reset_index(drop=True)
        for metric, measure in (("1a", reporting.completeness_of_reporting), ("1b", reporting.timeliness)):
            yield from _dated(entry, metric, dataset, tables, measure, {"threshold": metric}, own)
        yield from _dated(
            entry, "1d", dataset, tables, reporting.consistency_of_completeness, {"threshold": "1d"} | HISTORY, own
        )


def _expected_cells(reports: pd.DataFrame, dataset: str, cells: pd.DataFrame, width: int) -> pd.DataFrame:
    """KEY, expected, present, zeros of an indicator: subunits that sent nothing are among them."""
    due = reports[reports["dataset_id"] == dataset]
    if not len(due) and not len(cells):
        return pd.DataFrame(columns=[*KEY, "expected", "present", "zeros"]).astype({"year": "int64"})
    due = (
        due[KEY].astype({"geography": "str", "place": "str", "subunit": "str"}).assign(expected=due["expected"] * width)
    )
    present = cells.astype({"geography": "str", "place": "str", "subunit": "str"})
    rows = due.merge(present, on=KEY, how="left" if len(due) else "outer", validate="one_to_one")
    numbers = ["expected", "present", "zeros"]
    return rows[KEY].assign(**rows[numbers].fillna(0).astype("int64").to_dict("series"))


def _values(entry: DeskReview, name: str, months: pd.DataFrame, cells: pd.DataFrame) -> Iterator[pd.DataFrame]:
    indicator = entry.indicators[name]
    own = indicator.thresholds
    yield from _dated(entry, "1c", name, cells, reporting.completeness_of_values, {"threshold": "1c"}, own)
    for metric, measure in (("2a", outliers.extreme_outliers), ("2b", outliers.moderate_outliers)):
        names = {"threshold": metric, "at_least": f"{metric}_values"}
        yield from _dated(entry, metric, name, months, measure, names, own)
    names = {"threshold": "2c", "at_least": "2c_values", "extreme": "2c_extreme"}
    yield from _dated(entry, "2c", name, months, outliers.robust_outliers, names, own)
    options = {"over_time": indicator.over_time, "trend": indicator.trend, "compare_to": indicator.compare_to}
    names = {"threshold": "2d", "confidence": "confidence"} | HISTORY
    yield from _dated(entry, "2d", name, months, consistency.consistency_over_time, names, own, **options)


def _pairs(entry: DeskReview, annual: Mapping[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for name, pair in entry.pairs.items():
        both = pd.concat([annual[pair.a].assign(side="a"), annual[pair.b].assign(side="b")], ignore_index=True)
        names = {"threshold": f"2e_{pair.kind}", "confidence": "confidence"}
        own = {f"2e_{pair.kind}": pair.threshold} if pair.threshold else {}
        yield from _dated(entry, "2e", name, both, _sided(consistency.related_indicators), names, own, kind=pair.kind)


def _sided(measure: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """A measure of two tables as one of a table with a column `side`."""

    def of_sides(both: pd.DataFrame, **options: Any) -> pd.DataFrame:
        a, b = (both[both["side"] == side].drop(columns="side") for side in "ab")
        return measure(a, b, **options)

    return of_sides


def _coverage(
    entry: DeskReview, figures: Mapping[str, pd.DataFrame], estimates: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    for name, one in entry.coverage.items():
        known = estimates[estimates["indicator"] == one.estimate].rename(columns={"place": "unit"})
        a, b = (_plain(figures[part]) for part in (one.numerator, one.denominator))
        routine = a.rename(columns={"value": "numerator"}).merge(
            b.rename(columns={"value": "denominator"}), on=KEY, how="left"
        )
        names = {"threshold": "3a", "years_apart": "estimate_years_apart", "confidence": "confidence"}
        own = {"3a": one.threshold} if one.threshold else {}
        measure = _with_table(external.external_consistency, known)
        yield from _dated(entry, "3a", name, routine, measure, names, own, per=one.per)


def _with_table(measure: Callable[..., pd.DataFrame], second: pd.DataFrame) -> Callable[..., pd.DataFrame]:
    return lambda first, **options: measure(first, second, **options)


def _totals(entry: DeskReview, totals: pd.DataFrame, projections: pd.DataFrame) -> Iterator[pd.DataFrame]:
    measure = _with_table(external.population_against_projection, projections)
    yield from _dated(entry, "4a", "total", totals, measure, {"threshold": "4a"}, {})


def _denominators(entry: DeskReview, figures: Mapping[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for name, one in entry.denominators.items():
        a, b = (_plain(figures[part]).assign(side=side) for part, side in ((one.a, "a"), (one.b, "b")))
        both = pd.concat([a, b], ignore_index=True)
        own = {"4b": one.threshold} if one.threshold else {}
        measure = _sided(external.consistency_of_denominators)
        yield from _dated(entry, "4b", name, both, measure, {"threshold": "4b", "confidence": "confidence"}, own)


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """KEY as text and whole years, so that tables of different origin join."""
    return rows.astype({"geography": "str", "place": "str", "subunit": "str", "year": "int64"})


def _dated(
    entry: DeskReview,
    metric: str,
    subject: str,
    table: pd.DataFrame,
    measure: Callable[..., pd.DataFrame],
    names: Mapping[str, str],
    own: Mapping[str, Dated],
    **options: Any,
) -> Iterator[pd.DataFrame]:
    """The metric with the thresholds in force at the end of each year; a year before the first is not assessable.

    names : {argument of `measure`: name of its threshold}. The whole table goes in each time: a year needs those before.
    """
    if table.empty:
        return
    years = sorted({int(year) for year in table["year"]})
    for values, covered in _by_threshold(entry, years, names, own):
        given = dict(zip(names, values or _earliest(entry, names, own)))
        rows = measure(table, **given, **options)
        rows = rows[rows["year"].astype(int).isin(covered)]
        if values is None:
            rows = rows.assign(
                status="not_assessable", reason="no_threshold", score=float("nan"), threshold=float("nan"), subunits=0,
                diverging=0, share_diverging=float("nan"), names="[]", beyond_noise=pd.NA, facts="{}",
            )  # fmt: skip
        yield rows.assign(metric=metric, subject=subject)


def _by_threshold(
    entry: DeskReview, years: Iterable[int], names: Mapping[str, str], own: Mapping[str, Dated]
) -> list[tuple[tuple[Any, ...] | None, list[int]]]:
    """[(values in force, the years they hold for)]; None for years before the first."""
    found: dict[tuple[Any, ...] | None, list[int]] = {}
    for year in years:
        day = datetime.date(year, 12, 31)
        try:
            values = tuple(entry.threshold(name, day, own=own.get(name)) for name in names.values())
        except InputError:
            values = None
        found.setdefault(values, []).append(year)
    return list(found.items())


def _earliest(entry: DeskReview, names: Mapping[str, str], own: Mapping[str, Dated]) -> list[Any]:
    dated = [own.get(name) or entry.thresholds[name] for name in names.values()]
    return [values[min(values)].value for values in dated]


def _named(rows: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The lists of diverging units with the names of the units in them."""

    def with_names(text: str) -> str:
        if text == "[]":
            return text
        items = [one | {"name": names.get(one["unit"]) or one["unit"]} for one in json.loads(text)]
        return json.dumps(items, ensure_ascii=False)

    return rows.assign(names=rows["names"].map(with_names))
