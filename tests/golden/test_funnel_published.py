"""Funnel limits and significance as OHID publishes them (test data of PHEindicatormethods 2.1.1; see their PROVENANCE.md)."""

import numpy as np
import pandas as pd
import pytest
from support import reference_path

from tkyt_analysis.quality.scores.funnel import INNER, OUTER, funnel, funnel_limits

LIMITS = (("2s", INNER), ("3s", OUTER))
YEARS = 3  # their axis is in person-years of one year, the counts are of three
RATES = ["rate_expected.csv", "rate_expected2.csv", "rate_expected3.csv"]


def read(name):
    return pd.read_csv(reference_path("methods", "rates", "funnel_proportion_rate", name))


@pytest.mark.parametrize("name", ["prop_expected.csv", "prop_expected_axis.csv"])
def test_limits_of_proportions(name):
    cases = read(name)
    centre = cases["baseline"].iloc[0] / 100
    for sign, coverage in LIMITS:
        lower, upper = funnel_limits(cases["Population"], centre, "proportion", coverage)
        np.testing.assert_allclose(100 * lower, cases[f"lower_{sign}_limit"], rtol=1e-4, atol=1e-9)
        np.testing.assert_allclose(100 * upper, cases[f"upper_{sign}_limit"], rtol=1e-4)


@pytest.mark.parametrize("name", RATES)
def test_limits_of_rates(name):
    cases = read(name)
    centre = cases["baseline"].iloc[0] / 1e5
    for sign, coverage in LIMITS:
        for side in ("lower", "upper"):
            size = YEARS * cases[f"{side}_{sign}_population_1_year"]
            limit = funnel_limits(size, centre, "rate", coverage)[side == "upper"]
            np.testing.assert_allclose(1e5 * limit, cases[f"{side}_{sign}_limit"], rtol=1e-4)


def significance(table):
    outside = [
        table["value"] > table["upper_outer"], table["value"] < table["lower_outer"],
        table["value"] > table["upper_inner"], table["value"] < table["lower_inner"],
    ]  # fmt: skip
    return np.select(outside, ["High (0.001)", "Low (0.001)", "High (0.025)", "Low (0.025)"], "Not significant")


def test_significance_of_proportions():
    cases = read("prop_inputs.csv").dropna(subset=["significance"]).rename(columns={"Area": "unit"})
    table = funnel(cases, overdispersion=False)
    assert significance(table).tolist() == cases["significance"].tolist()


def test_significance_of_rates():
    cases = read("rate_inputs.csv")
    units = pd.DataFrame({"unit": range(len(cases)), "numerator": cases["count"], "denominator": cases["pop"]})
    table = funnel(units, statistic="rate", per=1e5, overdispersion=False)
    assert significance(table).tolist() == cases["crude_per_100000_with_0"].tolist()
