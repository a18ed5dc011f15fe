"""Units compared with each other (funnel plots, slope index of inequality) beside published results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mortality.verification.cases import compare, reference_case
from tkyt_analysis.analysis.funnel import funnel_curves, funnel_points, funnel_significance
from tkyt_analysis.analysis.inequality import slope_index_of_inequality
from tkyt_analysis.labels import label

RELATIVE = 1e-6
FUNNEL = 1e-4
THREE_YEARS: dict[str, Any] = {"statistic": "rate", "per": 1e5, "years": 3}


@reference_case("funnel_proportion_rate", topic="rates")
def funnels(folder: Path) -> Iterator[pd.DataFrame]:
    """OHID: lines of funnel plots with their axis, significance of each unit, points of the chart."""
    proportions = pd.read_csv(folder / "prop_inputs.csv").dropna(subset=["significance"])
    rates = pd.read_csv(folder / "rate_inputs.csv")
    yield from _curves_of_proportions(folder, proportions)
    yield from _curves_of_rates(folder, pd.read_csv(folder / "rate_funnel_inputs.csv"))
    found = funnel_significance(proportions["numerator"], proportions["denominator"])
    yield _same_words("significance of proportions", found["significance"], proportions["significance"])
    yield from _significance_of_rates(rates)
    yield from _points(pd.read_csv(folder / "rate_funnel_inputs.csv"))


def _same_words(what: str, codes: pd.Series, theirs: pd.Series) -> pd.DataFrame:
    words = [label(f"funnel.{code}", "en") if code else "" for code in codes]
    return compare(what, np.array(words) == theirs.to_numpy(), 1, tolerance=0)


def _curves_of_proportions(folder: Path, units: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for name, some in (("prop_expected.csv", units), ("prop_expected_axis.csv", units[units["denominator"] < 31_000])):
        ours = funnel_curves(some["numerator"], some["denominator"], statistic="proportion", per=100)
        yield from _same_curves(name, ours, pd.read_csv(folder / name).rename(columns={"Population": "size"}))


def _curves_of_rates(folder: Path, units: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Three years of data; the unit with the most events is changed as in their tests."""
    most = units["ev"] == units["ev"].max()
    few, none = units["ev"].mask(most, 5), units["ev"].mask(most, 0)
    persons = 1e5 * units["ev"] / units["rate"]
    half = persons > persons.max() / 2
    cases = {
        "rate_expected.csv": funnel_curves(units["ev"], rate=units["rate"], rate_type="dsr", **THREE_YEARS),
        "rate_expected2.csv": funnel_curves(few, rate=units["rate"], **THREE_YEARS),
        "rate_expected3.csv": funnel_curves(
            none[half], persons[half], rate=units["rate"].mask(most, 0)[half], **THREE_YEARS
        ),
    }
    for name, ours in cases.items():
        yield from _same_curves(name, ours, pd.read_csv(folder / name).rename(columns={"Events": "size"}))


def _same_curves(name: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    yield compare(f"{name} axis", ours["size"], theirs["size"], tolerance=0)
    yield compare(f"{name} average", ours["baseline"], theirs["baseline"], tolerance=FUNNEL, relative=True)
    for level, their_level in (("95", "2s"), ("99_8", "3s")):
        for side in ("lower", "upper"):
            pairs = {f"{side}_{level}": f"{side}_{their_level}_limit"}
            pairs[f"{side}_{level}_denominator"] = f"{side}_{their_level}_population_1_year"
            for mine, their in pairs.items():
                if their in theirs:
                    yield compare(f"{name} {mine}", ours[mine], theirs[their], tolerance=FUNNEL, relative=True)


def _significance_of_rates(units: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for with_none in (True, False):
        some = units if with_none else units[units["count"] > 0]
        for rate_type in ("dsr", "crude"):
            for per, column in ((1e5, "rate_crude_per_100000"), (100, "rate_crude_per_100")):
                found = funnel_significance(
                    some["count"], some["pop"], statistic="rate", rate_type=rate_type, per=per,
                    rate=some["rate_dsr" if rate_type == "dsr" else column],
                )  # fmt: skip
                name = f"{rate_type}_per_{per:.0f}_{'with' if with_none else 'without'}_0"
                theirs = some[name].where(~some[name].str.startswith("Not applicable"), "")
                yield _same_words(f"significance {name}", found["significance"], theirs)
                yield compare(f"judged {name}", found["status"] == "ok", theirs != "", tolerance=0)


def _points(units: pd.DataFrame) -> Iterator[pd.DataFrame]:
    most = units["ev"] == units["ev"].max()
    few, none = units["ev"].mask(most, 5), units["ev"].mask(most, 0)
    cases = {
        "": funnel_points(few, rate=units["rate"], rate_type="dsr", years=3),
        "_crude": funnel_points(units["ev"], rate=units["rate"], years=3),
        "_crude_with_denom": funnel_points(none, units["pop"], rate=units["rate"], years=5),
    }
    for name, found in cases.items():
        yield compare(f"points{name}", found["value"], units[f"rate_chart{name}"], tolerance=FUNNEL, relative=True)
        theirs = units[f"denominator_derived{name}"]
        yield compare(f"person-years{name}", found["person_years"], theirs, tolerance=FUNNEL, relative=True)


# OHID's indicator types; in the sheets that say "log" or "logit transform" the line is fitted on that scale.
SII_TYPES = {0: "value", 1: "rate", 2: "proportion"}
SII_COLUMNS = {"quantile": "Quantile", "population": "Population", "events": "Count", "value": "Value",
               "lower": "LowerCL", "upper": "UpperCL", "standard_error": "StandardError"}  # fmt: skip
SII_LIMITS = 0.01  # of the width of their interval: both sides are simulated


@reference_case("slope_index_inequality", topic="rates")
def slope_index(folder: Path) -> Iterator[pd.DataFrame]:
    """OHID: slope and relative index of inequality; values, rates and proportions, two confidence levels."""
    sheets = pd.read_csv(folder / "input_expected_grouped.csv")
    for name, rows in sheets.groupby("TestDescription", sort=False):
        first = rows.dropna(subset=["sii"]).set_index("Area").sort_index()
        if first.empty:  # their tests of wrong input
            continue
        table = rows.rename(columns={theirs: ours for ours, theirs in SII_COLUMNS.items()})
        settings = _sii_settings(str(name), rows)
        errors = {"limits": ["standard_error"], "errors": ["lower", "upper"]}
        for given, left_out in errors.items():
            cells = table.drop(columns=[*left_out, *(["events"] if rows["Count"].isna().all() else [])])
            yield from _same_sii(f"{name} ({given})", cells, first, settings, intervals=given == "errors")


def _sii_settings(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    negative, hundred = "negative" in name or "-100" in name, "x 100" in name or "x -100" in name
    return {
        "value_type": SII_TYPES[int(rows["ValueType"].iloc[0])],
        "transform": "log transform" in name or "logit transform" in name,
        "multiplier": (-1 if negative else 1) * (100 if hundred else 1),
    }


def _same_sii(
    name: str, cells: pd.DataFrame, first: pd.DataFrame, settings: dict[str, Any], *, intervals: bool
) -> Iterator[pd.DataFrame]:
    for number, confidence in enumerate(_confidences(name, first), start=1):
        repetitions = 100_000 if intervals else 1_000  # the indices themselves are not simulated
        ours = slope_index_of_inequality(cells, ["Area"], confidence=confidence, repetitions=repetitions, **settings)
        for index in ("sii", "rii"):
            if first[index].notna().all():
                yield compare(f"{name} {index}", ours[index], first[index], tolerance=RELATIVE, relative=True)
            ends = [f"{index}_{side}cl_{number}" for side in ("lower", "upper")]
            if intervals and first[ends].notna().all(axis=None):
                mine = ("lower", "upper") if index == "sii" else ("rii_lower", "rii_upper")
                width = (first[ends[1]] - first[ends[0]]).to_numpy()
                for place in range(len(first)):
                    theirs = first[ends].iloc[place]
                    names = [f"{name} {first.index[place]} {end}" for end in ends]
                    allowed = SII_LIMITS * float(width[place])
                    yield compare(names, ours[list(mine)].iloc[place], theirs, tolerance=allowed)
        if first["Intercept"].notna().all():
            yield compare(f"{name} intercept", ours["intercept"], first["Intercept"], tolerance=RELATIVE, relative=True)


def _confidences(name: str, first: pd.DataFrame) -> tuple[float, ...]:
    """The sheet's own column is not always what its name says."""
    if "98% C" in name or "98% c" in name or "95 and 98" in name:
        return (0.95, 0.98) if "95" in name else (0.98,)
    return (0.95, 0.99) if "multiple CIs" in name else (0.99,) if "99%" in name else (0.95,)
