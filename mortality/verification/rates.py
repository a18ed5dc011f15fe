"""Rates and standardisation beside published results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mortality.verification.cases import compare, reference_case
from tkyt_analysis.analysis.funnel import funnel_curves, funnel_points, funnel_significance
from tkyt_analysis.analysis.inequality import slope_index_of_inequality
from tkyt_analysis.analysis.rate_decomposition import kitagawa_decomposition
from tkyt_analysis.analysis.rates import crude_rate
from tkyt_analysis.analysis.standardise import (
    directly_standardised_rate,
    indirectly_standardised_rate,
    indirectly_standardised_ratio,
)
from tkyt_analysis.labels import label
from tkyt_analysis.reference.standard_populations import standard_population

RELATIVE = 1e-6
LEVELS = {0.95: ("lower95_0cl", "upper95_0cl"), 0.998: ("lower99_8cl", "upper99_8cl")}
# Some sheets have empty cells that the workbook adds up as 0; one age label is misprinted (55-69 for 55-59).
AS_THE_WORKBOOK_READS = {"count": 0, "pop": 0, "refcount": 0}
COMMON_NAMES = {
    "ageband": "age_group", "count": "events", "pop": "person_years", "esp2013": "standard_population",
    "refcount": "reference_events", "refpop": "reference_person_years",
}  # fmt: skip


def _read(folder: Path, name: str) -> pd.DataFrame:
    table = pd.read_csv(folder / name)
    return table.fillna({column: value for column, value in AS_THE_WORKBOOK_READS.items() if column in table})


@reference_case("crude_rate_byars_exact", topic="rates")
def crude_rates(folder: Path) -> Iterator[pd.DataFrame]:
    """OHID: crude rates with Byar's and exact limits, alone and summed by area."""
    cases = pd.read_csv(folder / "expected.csv")
    for confidence, (lower, upper) in LEVELS.items():
        ours = crude_rate(cases["Numerator"], cases["Denominator"], per=1, confidence=confidence)
        for column, theirs in (("rate", "value"), ("lower", lower), ("upper", upper)):
            name = cases["Area"] + f" {column} {confidence}"
            yield compare(name, ours[column] * cases["multiplier"], cases[theirs], tolerance=RELATIVE, relative=True)
    ours = crude_rate(cases["Numerator"], cases["Denominator"])
    answered = cases["value"].notna()
    theirs = cases["method"].map({"Exact": "exact", "Byars": "byar"})
    yield compare("method", (ours["method"] == theirs)[answered], 1, tolerance=0)
    yield compare("answered", ours["status"] == "ok", answered, tolerance=0)
    yield from _summed_rates(pd.read_csv(folder / "expected_grouped.csv"))


def _summed_rates(cases: pd.DataFrame) -> Iterator[pd.DataFrame]:
    ours = crude_rate(cases["Numerator"], cases["Denominator"], per=100_000)
    for column, theirs in (("rate", "value"), ("lower", "lowercl"), ("upper", "uppercl")):
        yield compare(f"grouped {column}", ours[column], cases[theirs], tolerance=RELATIVE, relative=True)


@reference_case("dsr_dobson_esp2013", topic="rates")
def direct_dobson(folder: Path) -> Iterator[pd.DataFrame]:
    """OHID: directly standardised rates; areas with different age groups, one with too few events."""
    cases = _read(folder, "input.csv").rename(columns=COMMON_NAMES)
    for name in ("expected.csv", "peer_run.csv"):
        expected = pd.read_csv(folder / name).set_index("area").sort_index()
        for confidence, limits in LEVELS.items():
            ours = directly_standardised_rate(
                cases, ["area"], confidence=confidence, minimum_events=10, absent_age_groups="drop"
            )
            for column, theirs in zip(("rate", "lower", "upper"), ("value", *limits), strict=True):
                what = [f"{name} {area} {column} {confidence}" for area in ours["area"]]
                yield compare(what, ours[column], expected[theirs], tolerance=RELATIVE, relative=True)
            yield compare("not assessable", ours["status"] != "ok", expected["value"].isna(), tolerance=0)
            yield compare("events", ours["events"], expected["total_count"], tolerance=0)
    printed = cases.query("area == 'testdata_big'").replace({"age_group": {"55-69": "55-59"}})
    ours_standard = standard_population("esp_2013", list(printed["age_group"])).set_index("age_group")
    weights = ours_standard["standard_population"].reindex(printed["age_group"])
    yield compare("standard", 100_000 * weights, printed["standard_population"], tolerance=1e-6)


ORDERS = {"1": "1", "2": "2", "3": "3", "4": "4", "5+": "5."}
PRINTED = {"1": (92.3, 80.4, 105.8), "2": (91.2, 82.4, 100.9), "3": (85.1, 77.2, 94.2),
           "4": (92.7, 80.0, 114.7), "5+": (75.5, 67.7, 188.3)}  # fmt: skip


@reference_case("dsr_fayfeuer_gamma_fleiss", topic="rates")
def direct_gamma(folder: Path) -> Iterator[pd.DataFrame]:
    """Gamma limits: epitools, and Fay & Feuer, Statistics in Medicine 1997;16:791-801, table 1."""
    cases = down_syndrome(pd.read_csv(folder / "input.csv"))
    ours = directly_standardised_rate(cases, ["birth_order"], method="fay_feuer").set_index("birth_order")
    theirs = pd.read_csv(folder / "expected.csv").set_index("birth_order")
    totals = cases.groupby("birth_order")[["events", "person_years"]].sum()
    crude = crude_rate(totals["events"], totals["person_years"], per=100_000)["rate"]
    yield compare("crude rate", crude, theirs["crude.rate"].loc[crude.index], tolerance=RELATIVE, relative=True)
    for order, printed in PRINTED.items():
        figures = ours.loc[order, ["rate", "lower", "upper"]].astype(float)
        names = [f"birth order {order} {name}" for name in figures.index]
        peer = theirs.loc[order, ["adj.rate", "lci", "uci"]].astype(float)
        yield compare(names, figures, peer, tolerance=RELATIVE, relative=True)
        yield compare([f"{name} (printed)" for name in names], figures, printed, tolerance=0.1)


def down_syndrome(wide: pd.DataFrame) -> pd.DataFrame:
    """Fleiss 1981, p. 249: one row per birth order and maternal age."""
    parts = [
        pd.DataFrame(
            {"birth_order": order, "age_group": wide["maternal_age"], "standard_population": wide["std"],
             "events": wide[f"cases_{column}"], "person_years": wide[f"births_{column}"]}
        )
        for order, column in ORDERS.items()
    ]  # fmt: skip
    return pd.concat(parts)


@reference_case("isr_smr_byars_exact", topic="rates")
def indirect(folder: Path) -> Iterator[pd.DataFrame]:
    """OHID: indirectly standardised rates and ratios, from ages and from totals, also with empty age groups."""
    cases = _read(folder, "input.csv").rename(columns=COMMON_NAMES)
    totals = pd.read_csv(folder / "observed_totals.csv").rename(columns={"total_count": "observed"})
    expected = pd.read_csv(folder / "expected.csv")
    full = expected[expected["area"].str.startswith("testdata")]
    for statistic, theirs in full.groupby("statistic"):
        for given in (None, totals):
            yield from _indirect(f"{statistic}{' from totals' if given is not None else ''}", cases, theirs, given)
    for name, statistic in (("peer_israte.csv", "rate per 100000"), ("peer_isratio.csv", "ratio x 100")):
        yield from _indirect(f"indirectly standardised {statistic}", cases, pd.read_csv(folder / name), None)
    yield from _with_empty_age_groups(folder, expected)


def _indirect(
    statistic: str, cases: pd.DataFrame, theirs: pd.DataFrame, totals: pd.DataFrame | None
) -> Iterator[pd.DataFrame]:
    per = float(statistic.split(" from")[0].split()[-1])
    theirs = theirs.set_index("area").sort_index()
    for confidence, limits in LEVELS.items():
        ours = _indirect_of(cases, "rate" in statistic, per, confidence, totals)
        for column, their in zip(("value", "lower", "upper"), ("value", *limits), strict=True):
            if theirs[their].notna().any():
                names = [f"{statistic} {area} {column} {confidence}" for area in ours["area"]]
                yield compare(names, ours[column], theirs[their], tolerance=RELATIVE, relative=True)
        for column in ("observed", "expected"):
            yield compare(f"{statistic} {column}", ours[column], theirs[column], tolerance=RELATIVE, relative=True)
    if "reference_rate" in ours:
        yield compare("reference rate", ours["reference_rate"], theirs["ref_rate"], tolerance=RELATIVE, relative=True)


def _indirect_of(
    cases: pd.DataFrame, is_rate: bool, per: float, confidence: float, totals: pd.DataFrame | None
) -> pd.DataFrame:
    from tkyt_analysis.analysis.indirect import expected_events

    if is_rate:
        found = indirectly_standardised_rate(cases, ["area"], per=per, confidence=confidence, observed_totals=totals)
        return found.rename(columns={"rate": "value"})
    cells = expected_events(cases)
    found = indirectly_standardised_ratio(cells, ["area"], per=per, confidence=confidence, observed_totals=totals)
    return found.rename(columns={"ratio": "value"})


def _with_empty_age_groups(folder: Path, expected: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Their tables name no age groups: the rows follow the reference's order."""
    reference = pd.read_csv(folder / "reference.csv").rename(
        columns={"Age Band": "age_group", "refcount": "events", "refpop": "person_years"}
    )
    cases = pd.read_csv(folder / "input_zero_pop.csv").rename(columns=COMMON_NAMES)
    cases["age_group"] = reference["age_group"].tolist() * (len(cases) // len(reference))
    rate = indirectly_standardised_rate(cases, ["area"], reference=reference)
    theirs = expected[expected["area"].isin(rate["area"])]
    for statistic, rows in theirs.groupby("statistic"):
        scale = 1.0 if "rate" in str(statistic) else 100 / rate["reference_rate"]
        for column, their in (("rate", "value"), ("lower", "lower95_0cl"), ("upper", "upper95_0cl")):
            values = rows.set_index("area")[their].reindex(rate["area"])
            yield compare(
                f"empty ages {statistic} {column}", rate[column] * scale, values, tolerance=RELATIVE, relative=True
            )


@reference_case("who_world_standard_2000_2025", topic="rates")
def who_standard(folder: Path) -> Iterator[pd.DataFrame]:
    """Ahmad et al., GPE Discussion Paper 31, WHO 2001, table 4; standard million of SEER."""
    printed = pd.read_csv(folder / "expected.csv")
    by_five = printed.dropna(subset=["ahmad2001_percent"])
    ours = standard_population("who_2000_2025")["standard_population"] * 100.03
    yield compare("printed per cent", ours, by_five["ahmad2001_percent"], tolerance=1e-9)
    seer = standard_population("who_2000_2025_seer")["standard_population"]
    yield compare("standard million", seer, by_five["group_proportion"], tolerance=5e-7)
    oldest = standard_population("who_2000_2025_seer_100").set_index("age_group")["standard_population"]
    theirs = printed.set_index("age")["group_proportion"]
    for age, their_age in (("85-89", "85 - 89"), ("90-94", "90 - 94"), ("95-99", "95 - 99"), ("100+", "99 - 120")):
        yield compare(age, oldest[age], theirs[their_age], tolerance=5e-7)


@reference_case("phg_table21_sweden_kazakhstan", topic="rates")
def sweden_kazakhstan(folder: Path) -> Iterator[pd.DataFrame]:
    """Preston, Heuveline & Guillot, Demography, 2001, table 2.1: women, 1992."""
    women = pd.read_csv(folder / "input.csv").rename(
        columns={"age": "age_group", "pop": "person_years", "deaths": "events"}
    )
    expected = pd.read_csv(folder / "expected.csv").set_index("measure")
    ours = _textbook_rates(women) | _textbook_indirect(women)
    pair = kitagawa_decomposition(women, population="country", between=("Kazakhstan", "Sweden")).set_index("component")
    ours["kitagawa_total"] = pair["value"]["difference"]
    ours["kitagawa_rates_effect"] = pair["value"]["rate_effect"]
    ours["kitagawa_composition_effect"] = pair["value"]["composition_effect"]
    for measure, row in expected.to_dict("index").items():
        yield compare(measure, ours[str(measure)], row["value"], tolerance=row["tolerance"])


def _textbook_rates(women: pd.DataFrame) -> dict[str, float]:
    totals = women.groupby("country")[["events", "person_years"]].sum()
    crude = crude_rate(totals["events"], totals["person_years"], per=1_000)["rate"]
    share = women["person_years"] / women.groupby("country")["person_years"].transform("sum")
    average, swedish = share.groupby(women["age_group"]).mean(), share[women["country"] == "Sweden"]
    rates = {}
    for name, weights in (("average", average), ("sweden", swedish.set_axis(average.index))):
        weighted = women.assign(standard_population=women["age_group"].map(weights))
        rates[name] = directly_standardised_rate(weighted, ["country"], per=1_000).set_index("country")["rate"]
    return {
        "crude_kazakhstan_per1000": crude["Kazakhstan"],
        "crude_sweden_per1000": crude["Sweden"],
        "dsr_kazakhstan_avg_composition_per1000": rates["average"]["Kazakhstan"],
        "dsr_sweden_avg_composition_per1000": rates["average"]["Sweden"],
        "dsr_kazakhstan_on_sweden_std_per1000": rates["sweden"]["Kazakhstan"],
    }


def _textbook_indirect(women: pd.DataFrame) -> dict[str, float]:
    swedish, kazakh = (women[women["country"] == name] for name in ("Sweden", "Kazakhstan"))
    rate = indirectly_standardised_rate(kazakh, ["country"], reference=swedish, per=1_000).iloc[0]
    return {
        "expected_kazakhstan_swedish_rates_per1000": 1_000 * rate["expected"] / kazakh["person_years"].sum(),
        "smr_kazakhstan_vs_sweden": rate["observed"] / rate["expected"],
        "indirect_rate_kazakhstan_per1000": rate["rate"],
    }


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
