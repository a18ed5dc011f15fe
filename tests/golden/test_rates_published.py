"""Rates and standardisation against published and independently computed figures (tolerances of the reference index)."""

import pandas as pd
import pytest
from support import reference_path

from tkyt_analysis.analysis.rates import crude_rate
from tkyt_analysis.analysis.standardise import (
    directly_standardised_rate,
    expected_events,
    indirectly_standardised_ratio,
)
from tkyt_analysis.reference.standard_populations import standard_population

RELATIVE = 1e-6


def read(case: str, name: str) -> pd.DataFrame:
    return pd.read_csv(reference_path("methods", "rates", case, name))


# ---- PHEindicatormethods 2.1.1 (OHID), test workbooks computed by its maintainers in spreadsheets

# `testdata_tiny` has empty cells that the workbook adds up as 0; one age label is misprinted (55-69 for 55-59).
AS_THE_WORKBOOK_READS = {"count": 0, "pop": 0, "refcount": 0}
LEVELS = {0.95: ("lower95_0cl", "upper95_0cl"), 0.998: ("lower99_8cl", "upper99_8cl")}


@pytest.mark.parametrize("confidence", LEVELS)
def test_crude_rates_with_byars_and_exact_limits_agree_with_ohid(confidence):
    cases = read("crude_rate_byars_exact", "expected.csv")
    ours = crude_rate(cases["Numerator"], cases["Denominator"], per=1, confidence=confidence)
    lower, upper = LEVELS[confidence]
    for column, theirs in (("rate", "value"), ("lower", lower), ("upper", upper)):
        scaled = (ours[column] * cases["multiplier"]).tolist()
        assert scaled == pytest.approx(cases[theirs].tolist(), rel=RELATIVE, nan_ok=True)
    assert (ours["status"] == "ok").tolist() == cases["value"].notna().tolist()
    answered = cases["value"].notna()
    methods = cases["method"].map({"Exact": "exact", "Byars": "byar"})
    assert ours["method"][answered].tolist() == methods[answered].tolist()


@pytest.mark.parametrize("confidence", LEVELS)
def test_directly_standardised_rates_with_dobsons_limits_agree_with_ohid(confidence):
    cases = (
        read("dsr_dobson_esp2013", "input.csv")
        .fillna(AS_THE_WORKBOOK_READS)
        .rename(
            columns={"ageband": "age_group", "count": "events", "pop": "person_years", "esp2013": "standard_population"}
        )
    )
    expected = read("dsr_dobson_esp2013", "expected.csv").set_index("area")
    for area, rows in cases.groupby("area"):  # the areas have different age groups
        ours = directly_standardised_rate(rows, ["area"], confidence=confidence, minimum_events=10).iloc[0]
        theirs = expected.loc[area, ["value", *LEVELS[confidence]]].tolist()
        assert ours[["rate", "lower", "upper"]].tolist() == pytest.approx(theirs, rel=RELATIVE, nan_ok=True)
        assert (ours["status"] == "not_assessable") == (ours["events"] < 10)


def test_the_european_standard_of_the_catalog_is_the_one_ohid_uses():
    cases = read("dsr_dobson_esp2013", "input.csv").query("area == 'testdata_big'")
    cases = cases.replace({"ageband": {"55-69": "55-59"}}).set_index("ageband")
    ours = standard_population("esp_2013", list(cases.index)).set_index("age_group")["standard_population"]
    assert (ours * 100_000).to_dict() == pytest.approx(cases["esp2013"].to_dict())


@pytest.mark.parametrize("confidence", LEVELS)
def test_standardised_mortality_ratios_agree_with_ohid(confidence):
    cases = expected_events(
        read("isr_smr_byars_exact", "input.csv")
        .fillna(AS_THE_WORKBOOK_READS)
        .rename(
            columns={"count": "events", "pop": "person_years", "refcount": "reference_events",
                     "refpop": "reference_person_years"}
        )
    )  # fmt: skip
    ours = indirectly_standardised_ratio(cases, ["area"], per=100, confidence=confidence).set_index("area")
    theirs = read("isr_smr_byars_exact", "peer_isratio.csv").set_index("area").loc[ours.index]
    columns = {"observed": "observed", "expected": "expected", "ratio": "value"}
    columns |= dict(zip(("lower", "upper"), LEVELS[confidence]))
    for column, their_column in columns.items():
        assert ours[column].tolist() == pytest.approx(theirs[their_column].tolist(), rel=RELATIVE)


def test_indirectly_standardised_rates_agree_with_ohid_also_where_age_groups_are_empty():
    confidence = 0.95
    expected = read("isr_smr_byars_exact", "expected.csv")
    expected = expected[expected["statistic"] == "indirectly standardised rate per 100000"]
    reference = read("isr_smr_byars_exact", "reference.csv")
    reference.columns = ["ageband", "reference_events", "reference_person_years"]
    cases = read("isr_smr_byars_exact", "input_zero_pop.csv")
    cases["ageband"] = reference["ageband"].tolist() * (len(cases) // len(reference))
    joined = cases.merge(reference, on="ageband", validate="many_to_one")
    rows = expected_events(joined.rename(columns={"count": "events", "pop": "person_years"}))
    crude = 100_000 * reference["reference_events"].sum() / reference["reference_person_years"].sum()
    ours = indirectly_standardised_ratio(rows, ["area"], per=crude, confidence=confidence).set_index("area")
    theirs = expected[expected["area"].isin(ours.index)].set_index("area")
    assert len(theirs) == len(ours) > 0
    for column, name in zip(("ratio", "lower", "upper"), ("value", *LEVELS[confidence])):
        assert ours[column].tolist() == pytest.approx(theirs.loc[ours.index, name].tolist(), rel=RELATIVE)


# ---- Fay & Feuer, Statistics in Medicine 1997;16:791-801, table 1 (Down syndrome, Fleiss 1981 p. 249)

ORDERS = {"1": "1", "2": "2", "3": "3", "4": "4", "5+": "5."}
PRINTED = {"1": (92.3, 80.4, 105.8), "2": (91.2, 82.4, 100.9), "3": (85.1, 77.2, 94.2),
           "4": (92.7, 80.0, 114.7), "5+": (75.5, 67.7, 188.3)}  # fmt: skip


def down_syndrome() -> pd.DataFrame:
    wide = read("dsr_fayfeuer_gamma_fleiss", "input.csv")
    parts = [
        pd.DataFrame(
            {"birth_order": order, "age_group": wide["maternal_age"], "standard_population": wide["std"],
             "events": wide[f"cases_{column}"], "person_years": wide[f"births_{column}"]}
        )
        for order, column in ORDERS.items()
    ]  # fmt: skip
    return pd.concat(parts)


def test_gamma_limits_agree_with_epitools_and_with_the_printed_table():
    ours = directly_standardised_rate(down_syndrome(), ["birth_order"], method="fay_feuer").set_index("birth_order")
    theirs = read("dsr_fayfeuer_gamma_fleiss", "expected.csv").set_index("birth_order")
    for order, printed in PRINTED.items():
        figures = ours.loc[order, ["rate", "lower", "upper"]].tolist()
        peer = theirs.loc[order, ["adj.rate", "lci", "uci"]].tolist()
        assert figures == pytest.approx(peer, rel=RELATIVE)
        assert figures == pytest.approx(printed, abs=0.1)


# ---- WHO World Standard 2000-2025: Ahmad et al., GPE Discussion Paper 31, 2001, table 4


def test_the_who_standard_of_the_catalog_is_the_printed_one():
    printed = read("who_world_standard_2000_2025", "expected.csv").dropna(subset=["ahmad2001_percent"])
    ours = standard_population("who_2000_2025")["standard_population"] * 100.03
    assert ours.tolist() == pytest.approx(printed["ahmad2001_percent"].tolist())
    seer = standard_population("who_2000_2025_seer")["standard_population"]
    assert seer.tolist() == pytest.approx(printed["group_proportion"].tolist(), abs=5e-7)


# ---- Preston, Heuveline & Guillot, Demography, 2001, table 2.1: women of Sweden and Kazakhstan, 1992


def test_sweden_and_kazakhstan_change_places_when_standardised():
    women = read("phg_table21_sweden_kazakhstan", "input.csv").rename(
        columns={"age": "age_group", "pop": "person_years", "deaths": "events"}
    )
    expected = read("phg_table21_sweden_kazakhstan", "expected.csv").set_index("measure")
    share = women["person_years"] / women.groupby("country")["person_years"].transform("sum")
    average = share.groupby(women["age_group"]).mean()
    weighted = women.assign(standard_population=women["age_group"].map(average))
    totals = women.groupby("country")[["events", "person_years"]].sum()
    crude = crude_rate(totals["events"], totals["person_years"], per=1_000)["rate"]
    dsr = directly_standardised_rate(weighted, ["country"], per=1_000).set_index("country")["rate"]
    swedish = women.query("country == 'Sweden'").set_index("age_group")
    kazakh = women.query("country == 'Kazakhstan'").assign(
        reference_events=lambda t: t["age_group"].map(swedish["events"]),
        reference_person_years=lambda t: t["age_group"].map(swedish["person_years"]),
    )
    expected_deaths = expected_events(kazakh)["expected"].sum()
    ours = {
        "crude_kazakhstan_per1000": crude["Kazakhstan"],
        "crude_sweden_per1000": crude["Sweden"],
        "dsr_kazakhstan_avg_composition_per1000": dsr["Kazakhstan"],
        "dsr_sweden_avg_composition_per1000": dsr["Sweden"],
        "expected_kazakhstan_swedish_rates_per1000": 1_000 * expected_deaths / kazakh["person_years"].sum(),
    }
    for measure, value in ours.items():
        assert value == pytest.approx(expected["value"][measure], abs=expected["tolerance"][measure]), measure
    assert crude["Sweden"] > crude["Kazakhstan"]
    assert dsr["Sweden"] < dsr["Kazakhstan"]
