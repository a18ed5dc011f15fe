"""Errors that other programs and sheets make (methods notes, section 6): each has a test that we do not make it.

Every room appends its own tests; the data are drawn here, or read from the reference collection where it lies.
"""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.standardise import directly_standardised_rate
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.reference.standard_populations import standard_population

# ------------------------------------------------------------------------------------------------------- rates


@pytest.mark.parametrize("method", ["dobson", "fay_feuer", "tiwari"])
def test_limits_of_99_8_per_cent_stand_on_the_scale_of_the_rate(method):
    # A test sheet of PHEindicatormethods prints 99.8 % limits that are ten times too large.
    table = pd.DataFrame(
        {
            "area": "01",
            "age_group": ["0-39", "40-69", "70+"],
            "events": [10, 40, 45],
            "person_years": [10_000, 8_000, 1_000],
            "standard_population": [60, 30, 10],
        }
    )
    narrow, wide = (
        directly_standardised_rate(table, ["area"], method=method, confidence=confidence).iloc[0]
        for confidence in (0.95, 0.998)
    )
    assert wide["lower"] < narrow["lower"] < narrow["rate"] < narrow["upper"] < wide["upper"]
    ratio = (wide["upper"] - wide["rate"]) / (narrow["upper"] - narrow["rate"])
    assert 3.09 / 1.96 <= ratio < 2  # a normal distribution gives 1.58, the longer tail of a count a little more


def test_who_weights_are_divided_by_their_own_sum_not_by_100():
    # WHO's printed percentages add up to 100.03: used as they stand every rate is 0.03 % too high.
    codelist = read_codelist("standard_populations")
    printed = codelist.loc[codelist["standard"] == "who_2000_2025", "weight"].astype(float)
    assert printed.sum() == pytest.approx(100.03)
    shares = standard_population("who_2000_2025").set_index("age_group")["standard_population"]
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    same_everywhere = pd.DataFrame(
        {
            "area": "01",
            "age_group": shares.index,
            "events": 7,
            "person_years": 10_000,
            "standard_population": printed.to_numpy(),
        }
    )
    rate = directly_standardised_rate(same_everywhere, ["area"])["rate"].iloc[0]
    np.testing.assert_allclose(rate, 100_000 * 7 / 10_000, rtol=1e-12)


# ------------------------------------------------------------------------------------------------ completeness


def test_under_five_mortality_per_1000_is_refused_not_read_as_a_probability():
    # An R helper for Adair & Lopez names its argument "per 1000 live births", and needs the probability: 20 in place of 0.02
    # moves the logit by 1.5 · ln 1000 = 10, so that every register looks empty.
    from mortality.measures.completeness import adair_lopez
    from tkyt_analysis.errors import InputError

    place = {"crude_death_rate": 6.0, "share_65_over": 0.08, "year": 2015, "model": 2}
    with pytest.raises(InputError) as refused:
        adair_lopez(**place, under5_mortality=20.0)
    assert "xác suất" in str(refused.value)
    assert "0.02" in str(refused.value)
    logit = -0.0238 * 36 + 0.8419 * 6 - 19.6118 * 0.08 - 1.5135 * np.log(0.02) - 0.0251 * 2015 + 44.3755
    assert adair_lopez(**place, under5_mortality=0.02)["completeness"][0] == pytest.approx(1 / (1 + np.exp(-logit)))


MOZAMBIQUE = "methods/completeness/ddm_mozambique/input.csv"


def test_fit_of_the_growth_balance_is_the_same_alone_and_among_the_three_and_is_named():
    # DDM's ggb() says "tukey" by default and needs a package for it; its ddm() silently takes "oldschool".
    from support import reference_path

    from mortality.measures.completeness import death_distribution_methods, generalised_growth_balance

    data = pd.read_csv(reference_path(MOZAMBIQUE))
    alone, among = generalised_growth_balance(data).iloc[0], death_distribution_methods(data).iloc[0]
    assert among["method_id"] == "ggb"
    assert alone["completeness"] == among["completeness"]
    assert "fit=oldschool" in alone["method"]
    assert among["method"] == alone["method"]
    tukey = generalised_growth_balance(data, fit="tukey").iloc[0]
    assert "fit=tukey" in tukey["method"]
    assert tukey["completeness"] != alone["completeness"]


def test_an_estimate_that_hangs_on_the_ages_is_never_shown_without_the_band_of_all_ages():
    # DDM prints 0.70 for females of Mozambique; at 15-55 it is 0.56 (its own figures). Ours carries both ends.
    from support import reference_path

    from mortality.measures.completeness import generalised_growth_balance

    found = generalised_growth_balance(pd.read_csv(reference_path(MOZAMBIQUE))).iloc[0]
    assert found["completeness"] == pytest.approx(0.6958, abs=5e-5)
    assert found["lower"] <= 0.5613
    assert found["upper"] >= found["completeness"]
    assert found["ranges"] == 21
