"""Rates and standardisation beside published results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mortality.verification.cases import compare, reference_case
from tkyt_analysis.analysis.rate_decomposition import kitagawa_decomposition
from tkyt_analysis.analysis.rates import crude_rate
from tkyt_analysis.analysis.standardise import (
    directly_standardised_rate,
    indirectly_standardised_rate,
    indirectly_standardised_ratio,
)
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
