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
