"""Nonsense through the doors of trends, small areas and disclosure: an answer or a sentence, never a traceback."""

import warnings

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.spatial import (
    empirical_bayes_rate,
    gamma_poisson_rate,
    local_g,
    local_moran,
    moran,
    scan_statistic,
)
from tkyt_analysis.analysis.trend import (
    binomial_joinpoint,
    breakpoints,
    count_trend,
    euromomo,
    excess_deaths,
    excess_model,
    farrington,
    harmonic_trend,
    holt_winters,
    joinpoint,
    nowcast,
    stl_decomposition,
)
from tkyt_analysis.disclosure_table import suppress_table
from tkyt_analysis.errors import TkytError

EVENTS = [50, 52, 55, 57, 60, 64, 61, 58, 55, 52, 50, 47]


def years():
    return pd.DataFrame({"year": range(2010, 2022), "events": EVENTS, "population": [10_000.0] * 12})


def months():
    when = {"year": np.repeat(np.arange(2015, 2021), 12), "month": np.tile(np.arange(1, 13), 6)}
    return pd.DataFrame({**when, "events": EVENTS * 6})


def weeks():
    return pd.DataFrame({"date": pd.date_range("2015-01-05", periods=312, freq="7D"), "events": EVENTS * 26})


def delays():
    when = np.repeat(pd.date_range("2020-01-06", periods=8, freq="7D"), 3)
    return pd.DataFrame({"date": when, "delay": [0, 1, 2] * 8, "events": [5, 3, 1] * 8})


def areas():
    """16 areas on a square of 4 × 4."""
    place = {
        "area": [f"{i:02d}" for i in range(16)],
        "x": np.tile(np.arange(4.0), 4),
        "y": np.repeat(np.arange(4.0), 4),
    }
    return pd.DataFrame(
        {**place, "events": [5, 2, 5, 7, 6, 4, 1, 8, 5, 2, 0, 7, 9, 3, 4, 6], "population": [1000.0] * 16}
    )


def cells():
    return pd.DataFrame({"row": [*"aaabbbccc"], "col": [*"xyz"] * 3, "events": [1, 20, 3, 40, 50, 60, 70, 80, 9]})


def links():
    beside = [(i, j) for i in range(16) for j in range(16) if abs(i % 4 - j % 4) + abs(i // 4 - j // 4) == 1]
    return pd.DataFrame([(f"{i:02d}", f"{j:02d}") for i, j in beside], columns=["i", "j"])


def on_map(of):
    def call(table):
        named = table.set_index("area") if isinstance(table, pd.DataFrame) and "area" in table else table
        is_map = isinstance(named, pd.DataFrame) and "events" in named
        return of(named["events"] if is_map else named, named["population"] if is_map else None)

    return call


DOORS = {
    "joinpoint": (years, joinpoint),
    "count_trend": (years, count_trend),
    "breakpoints": (years, lambda t: breakpoints(t, n_breakpoints=1)),
    "binomial_joinpoint": (years, lambda t: binomial_joinpoint(t, joinpoints=1)),
    "excess_deaths": (months, lambda t: excess_deaths(t, start="2020-01")),
    "excess_deaths noufaily": (weeks, lambda t: excess_deaths(t, method="noufaily", start="2020-12-07")),
    "excess_model": (months, lambda t: excess_model(t, start="2020-01-01", end="2020-12-01", knots_per_year=4)),
    "harmonic_trend": (months, harmonic_trend),
    "stl_decomposition": (months, stl_decomposition),
    "holt_winters": (months, holt_winters),
    "farrington": (weeks, lambda t: farrington(t, last=2)),
    "euromomo": (weeks, euromomo),
    "nowcast": (delays, nowcast),
    "empirical_bayes_rate": (areas, empirical_bayes_rate),
    "empirical_bayes_rate local": (areas, on_map(lambda e, n: empirical_bayes_rate(e, n, neighbours=links()))),
    "local_moran": (areas, on_map(lambda e, _: local_moran(e, links()))),
    "moran": (areas, on_map(lambda e, _: moran(e, links()))),
    "local_g": (areas, on_map(lambda e, _: local_g(e, links()))),
    "gamma_poisson_rate": (areas, on_map(gamma_poisson_rate)),
    "scan_statistic": (areas, lambda t: scan_statistic(t, replicates=9)),
    "suppress_table": (cells, suppress_table),
}


def one(value):
    """The fourth count is this."""

    def spoiled(table):
        values = list(table["events"])
        return table.assign(events=[*values[:3], value, *values[4:]])

    return spoiled


NONSENSE = {
    "no rows": lambda t: t.iloc[:0],
    "one row": lambda t: t.iloc[:1],
    "only zeros": lambda t: t.assign(events=0),
    "a gap in a count": one(np.nan),
    "no count at all": lambda t: t.assign(events=np.nan),
    "a negative count": one(-5),
    "a word for a count": one("many"),
    "every row twice": lambda t: pd.concat([t, t]),
    "from last to first": lambda t: t.iloc[::-1],
    "rows missing": lambda t: t.drop(t.index[[2, 3]]),
    "infinitely many": one(np.inf),
    "None for a count": one(None),
    "a huge count": one(1e300),
    "numbers and words": lambda t: t.assign(events=["7", 3.5, *t["events"][2:]]),
    "other columns": lambda t: t.add_prefix("k_"),
    "all text": lambda t: t.astype("str"),
    "nobody lives there": lambda t: t.assign(population=0),
    "None": lambda t: None,
    "a number": lambda t: 5,
    "lists of unlike length": lambda t: [[1], [2, 3]],
    "records": lambda t: t.to_dict("records"),
}


def answer_of(call, table):
    """The answer, or the sentence that stands in its place; any other exception is what the test looks for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(table)
        except TkytError as problem:
            return problem.sentence("vi")


@pytest.mark.parametrize("door", DOORS)
def test_nonsense_gets_an_answer_or_a_sentence(door):
    make, call = DOORS[door]
    tracebacks = []
    for what, spoil in NONSENSE.items():
        try:
            found = answer_of(call, spoil(make()))
        except Exception as problem:
            tracebacks.append(f"{what}: {type(problem).__name__}: {problem}")
        else:
            assert found is not None, what
    assert tracebacks == []


@pytest.mark.parametrize("door", DOORS)
def test_the_same_doors_take_what_is_right(door):
    make, call = DOORS[door]
    found = call(make())
    table = found if isinstance(found, pd.DataFrame) else next(iter(vars(found).values()))
    assert len(table)
