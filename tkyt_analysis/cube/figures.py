"""From a view to figures: counts and person-years by SQL, then rates, shares and their limits on arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.cube.facts import Fact
from tkyt_analysis.cube.marks import add_marks
from tkyt_analysis.cube.model import (
    FIGURE_COLUMNS,
    MODELLED,
    NOT_ASSESSABLE,
    OK,
    PLACES,
    TOTAL,
    UNKNOWN,
    Figures,
    Measure,
    View,
)
from tkyt_analysis.cube.names import names_of
from tkyt_analysis.cube.plan import Grouping, grouped_sql, require_view, source_of
from tkyt_analysis.cube.published import published_rows
from tkyt_analysis.cube.relative import on_dates
from tkyt_analysis.cube.remarks import remarks_on
from tkyt_analysis.cube.session import Cube, cube_of
from tkyt_analysis.cube.values import FINISH, of_whole_places

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import Release

_LEVELS = ("nation", "region", "province", "district", "commune")


def measures(release: Release) -> dict[str, Measure]:
    """{id: measure} of all that a release can answer for the account that opened it."""
    return dict(cube_of(release).measures)


def evaluate(release: Release, view: View, *, groupings: Sequence[Grouping] | None = None) -> Figures:
    """The figures of a view.

    groupings : subsets of `view.by` to measure, each as a whole (its other dimensions say TOTAL); default: all of
        `view.by`. Totals of rates come from summed numerators and denominators, never from sums of rates.

    Rows stand where something was counted, or where a denominator says that nothing was (a rate of 0). Raises InputError
    for a name that the release does not know (with the nearest ones), a dimension that a measure has not, a place outside
    the account's scope, a period that is none.
    """
    cube = cube_of(release)
    view = on_dates(release, view)
    found = require_view(cube, view)
    wanted = [tuple(one) for one in (groupings if groupings is not None else [view.by])]
    parts = [_measured(cube, measure, view, wanted) for measure in found]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    names = names_of(cube, view, rows)
    rows = _in_order(rows[["measure", *view.by, *FIGURE_COLUMNS]], view, names)
    passport = {"release": release.release_id} | {
        name: release.manifest.get(name)
        for name in ("snapshot", "catalog_version", "code_version", "data_as_of", "practice")
    }
    figures = Figures(view, rows, names, {one.id: one for one in found}, passport)
    return Figures(view, rows, names, figures.measures, passport, tuple(remarks_on(cube, figures)))


def _measured(cube: Cube, measure: Measure, view: View, groupings: list[Grouping]) -> pd.DataFrame:
    """Every figure of one measure: measure, dimensions, FIGURE_COLUMNS."""
    if measure.options.get("cause_list") and ("cause" in view.by or measure.options.get("items")):
        view = _with_list(view, str(measure.options["cause_list"]))
    if measure.method in _BY_AGE:
        rows = _BY_AGE[measure.method](cube, measure, view, groupings)
    elif measure.method == "published":
        rows = published_rows(cube, measure, view, groupings)
    else:
        rows = of_whole_places(measure, view, _joined(cube, measure, view, groupings, list(view.by)))
        rows = FINISH[measure.method](measure, rows)
    rows = _statuses(measure, view, rows)
    rows = add_marks(cube, measure, view, groupings, rows)
    return rows.assign(measure=measure.id)


def _with_list(view: View, list_id: str) -> View:
    from dataclasses import replace

    return replace(view, cause_list=list_id)


def _joined(cube: Cube, measure: Measure, view: View, groupings: list[Grouping], by: list[str]) -> pd.DataFrame:
    """numerator, denominator, modelled, moved per cell; a denominator without a dimension counts for each of its members."""
    upper = _numerators(cube, measure, view, groupings, by)
    if not measure.denominator:
        if measure.options.get("zero_where_others"):
            upper = _with_zeros(cube, measure, view, groupings, by, upper)
        average = measure.method == "average"
        return upper if average else upper.assign(denominator=np.nan)
    fact = cube.fact(measure.denominator)
    spread = fact.finest == "year" and cube.fact(measure.numerator).finest != "year"
    own = view
    if spread:
        own = _within_span(cube, measure, view)
    if fact.whole and "category" not in dict(own.where):
        own = own.keeping("category", [fact.whole])
    source = source_of(cube, fact, own, by, ages=measure.options.get("where_age") or (), spread=spread)
    shared = [name for name in by if name in source.expressions and name != "cause"]
    sets = list(dict.fromkeys(tuple(name for name in one if name in shared) for one in groupings))
    lower = cube.query(grouped_sql(source, shared, sets, fact=fact))
    lower = lower.rename(columns={"amount": "denominator", "modelled": "modelled_denominator"})
    lower = lower[[*shared, "denominator", "modelled_denominator"]]
    only = [name for name in by if name not in shared]
    cells = lower if not only else _every_cell(upper, lower, groupings, shared, only)
    if by:
        upper = upper.merge(cells, on=by, how="outer", validate="one_to_one")
    else:
        upper = (
            upper.merge(cells, how="cross")
            if len(upper)
            else cells.assign(numerator=np.nan, modelled=False, moved=np.nan)
        )
    upper["modelled"] = upper["modelled"].eq(True) | upper["modelled_denominator"].eq(True)
    if measure.method != "ratio" or measure.options.get("absent_is_zero"):
        upper["numerator"] = upper["numerator"].fillna(0.0)
    return upper.drop(columns="modelled_denominator")


def _every_cell(
    upper: pd.DataFrame, lower: pd.DataFrame, groupings: list[Grouping], shared: list[str], only: list[str]
) -> pd.DataFrame:
    """The denominators with each member of the dimensions that only the numerator has (causes): of a cause that nobody died
    of in a province and age, the rate there is 0, and its person-years count in a standardised one."""
    found = []
    for grouping in groupings:
        below = lower[
            np.logical_and.reduce(
                [(lower[name] != TOTAL) == (name in grouping) for name in shared] or [lower.index >= 0]
            )
        ]
        above = upper[np.logical_and.reduce([(upper[name] != TOTAL) == (name in grouping) for name in only])]
        found.append(below.merge(above[only].drop_duplicates(), how="cross"))
    return pd.concat(found, ignore_index=True).drop_duplicates([*shared, *only])


def _numerators(cube: Cube, measure: Measure, view: View, groupings: list[Grouping], by: list[str]) -> pd.DataFrame:
    fact = cube.fact(measure.numerator)
    if measure.method == "average":
        return _averages(cube, fact, view, groupings, by)
    own = view
    if measure.options.get("items"):
        own = view.keeping("cause", _kept_items(measure, view))
    if measure.options.get("sex"):
        own = own.keeping("sex", [measure.options["sex"]])
    ages = measure.options.get("where_age") or ()
    parts = []
    for part, sets, apart in _by_category(fact, own, groupings):
        found = cube.query(grouped_sql(source_of(cube, fact, part, by, ages=ages), by, sets, fact=fact))
        parts.append(found[found["category"] != fact.whole] if apart else found)
    rows = pd.concat(parts, ignore_index=True).rename(columns={"amount": "numerator"})
    return rows[rows["rows_counted"] > 0].drop(columns="rows_counted").reset_index(drop=True)


def _with_zeros(
    cube: Cube, measure: Measure, view: View, groupings: list[Grouping], by: list[str], upper: pd.DataFrame
) -> pd.DataFrame:
    """The counts, and 0 in the cells where the fact counted others (deaths, but none of the measure's causes)."""
    from dataclasses import replace

    others = _numerators(cube, replace(measure, options={}), view, groupings, by)
    if by:
        rows = others[by].merge(upper, on=by, how="left", validate="one_to_one")
    else:
        rows = upper.reindex(range(1)) if len(others) else upper
    return rows.assign(numerator=rows["numerator"].fillna(0.0), modelled=rows["modelled"].eq(True))


def _by_category(fact: Fact, view: View, groupings: list[Grouping]) -> list[tuple[View, list[Grouping], bool]]:
    """The groupings with the view that answers them. Where a category holds the whole, sums over categories take only it,
    and it does not stand among its parts (True)."""
    if not fact.whole or "category" in dict(view.where):
        return [(view, groupings, False)]
    apart = [one for one in groupings if "category" in one]
    whole = [one for one in groupings if "category" not in one]
    both = ((view, apart, True), (view.keeping("category", [fact.whole]), whole, False))
    return [one for one in both if one[1]]


def _kept_items(measure: Measure, view: View) -> list[str]:
    """The items of a list that the measure counts, and of a filter what it keeps of them."""
    kept = dict(view.where).get("cause")
    return [item for item in measure.options["items"] if kept is None or item in kept]


def _averages(cube: Cube, fact: Any, view: View, groupings: list[Grouping], by: list[str]) -> pd.DataFrame:
    """A stock (population): person-years over the years of each cell."""
    source = source_of(cube, fact, view, by)
    sql = grouped_sql(source, by, groupings, years=True)
    rows = cube.query(sql).rename(columns={"amount": "numerator", "years": "denominator"})
    return rows[rows["rows_counted"] > 0].drop(columns="rows_counted").reset_index(drop=True)


def _within_span(cube: Cube, measure: Measure, view: View) -> View:
    """The view without years in which nothing at all was counted: they would add person-years without deaths."""
    from dataclasses import replace

    from tkyt_analysis.cube.plan import window_of

    first, last = cube.span(cube.fact(measure.numerator))
    if not first:
        return view
    window = window_of(view.period)
    start = max(window.first or "", f"{first}-01-01")
    end = min(window.last or "9999", f"{last}-12-31")
    months = (start[:7].replace("-", ""), end[:7].replace("-", ""))
    return replace(view, period=f"{months[0]}..{months[1]}") if months[0] <= months[1] else view


# ------------------------------------------------------------------------------------------------- by age, and statuses


def _standardised(cube: Cube, measure: Measure, view: View, groupings: list[Grouping]) -> pd.DataFrame:
    """Directly standardised: events and person-years by age, weighted by the measure's standard population."""
    from tkyt_analysis.analysis.standardise import directly_standardised_rate
    from tkyt_analysis.reference.standard_populations import on_standard_ages

    def standardised(known: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
        table = on_standard_ages(known, keys, str(measure.options["standard_population"]))
        if table.empty:
            return table
        return directly_standardised_rate(table, keys, per=int(measure.per)).rename(
            columns={"events": "numerator", "person_years": "denominator", "rate": "value"}
        )

    return _from_ages(cube, measure, view, groupings, standardised)


def _by_function(cube: Cube, measure: Measure, view: View, groupings: list[Grouping]) -> pd.DataFrame:
    """What a module's function makes of events and person-years by age (life expectancy): options["function"] is called with
    the table (keys, age_group, events, person_years), the keys, the measure and the view; it gives keys, numerator, denominator, value,
    lower, upper, status."""
    from tkyt_analysis.modules import load_object

    function = load_object(str(measure.options["function"]))
    return _from_ages(cube, measure, view, groupings, lambda known, keys: function(known, keys, measure, view))


_BY_AGE = {"direct": _standardised, "by_age": _by_function}


def _from_ages(
    cube: Cube,
    measure: Measure,
    view: View,
    groupings: list[Grouping],
    answer: Callable[[pd.DataFrame, list[str]], pd.DataFrame],
) -> pd.DataFrame:
    fine = _joined(cube, measure, view, [(*one, "age_group") for one in groupings], [*view.by, "age_group"])
    by = list(view.by)
    keys = by or ["all"]
    if not by:
        fine = fine.assign(all=TOTAL)
    known = fine[fine["age_group"] != "unknown"].rename(columns={"numerator": "events", "denominator": "person_years"})
    rates = answer(known, keys)
    if rates.empty:
        return known.reindex(
            columns=[*by, "numerator", "denominator", "value", "lower", "upper", "status", "modelled", "moved"]
        )
    extra = fine.groupby(keys, as_index=False, observed=True)[["modelled", "moved"]].agg(
        {"modelled": "any", "moved": "sum"}
    )
    rows = rates.merge(extra, on=keys, how="left", validate="one_to_one")
    return rows if by else rows.drop(columns="all")


def _statuses(measure: Measure, view: View, rows: pd.DataFrame) -> pd.DataFrame:
    """not_assessable below the measure's level or denominator; modelled where the denominator is; no value, no limits."""
    status = rows["status"].where(rows["status"] == OK, NOT_ASSESSABLE)
    if measure.denominator and measure.method != "ratio":
        enough = rows["denominator"] >= max(float(measure.options.get("minimum_denominator") or 0), 1e-9)
        status = status.where(enough, NOT_ASSESSABLE)
        status = status.mask(_nowhere(view, rows), NOT_ASSESSABLE)
    status = status.mask(~_high_enough(measure, view, rows), NOT_ASSESSABLE)
    status = status.mask((status == OK) & rows["modelled"].eq(True), MODELLED)
    figures = rows[["value", "lower", "upper"]].astype("float64").mask(status == NOT_ASSESSABLE)
    share = (rows["moved"].fillna(0.0) / rows["numerator"]).where(rows["numerator"] > 0, 0.0)
    return rows.assign(status=status.astype("str"), moved=share, **{name: figures[name] for name in figures})


def _nowhere(view: View, rows: pd.DataFrame) -> pd.Series:
    """Rows of units whose place is not known at this level: events and persons of such a row need not belong together."""
    found = pd.Series(False, index=rows.index)
    for name in PLACES:
        if name in view.by:
            found |= rows[name] == UNKNOWN
    return found


def _high_enough(measure: Measure, view: View, rows: pd.DataFrame) -> pd.Series:
    """Whether each row stands for a place at or above the measure's lowest level."""
    lowest = _LEVELS.index(str(measure.options.get("minimum_level") or "commune"))
    place_level = {2: "province", 3: "district", 5: "commune"}.get(len(view.place.partition(":")[2]), "nation")
    level = pd.Series(_LEVELS.index(place_level), index=rows.index)
    for name in _LEVELS[1:]:
        if name in view.by:
            level = level.mask(rows[name] != TOTAL, np.maximum(level, _LEVELS.index(name)))
    return level <= lowest


def _in_order(rows: pd.DataFrame, view: View, names: dict[str, dict[str, str]]) -> pd.DataFrame:
    """Rows in the natural order of their members, totals last."""
    order = {name: {code: place for place, code in enumerate(names[name])} for name in view.by}
    keys = {f"_{name}": rows[name].map(order[name]).fillna(len(order[name])) for name in view.by}
    asked = rows["measure"].map({one: place for place, one in enumerate(view.measures)})
    ordered = rows.assign(_measure=asked, **keys).sort_values(["_measure", *keys], kind="stable")
    return ordered.drop(columns=["_measure", *keys]).reset_index(drop=True)
