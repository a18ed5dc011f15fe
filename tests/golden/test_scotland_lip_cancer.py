"""Lip cancer in Scotland (56 counties, 3 islands): our posterior beside the one that MultiBUGS publishes.

Data and posterior: GeoBUGS example "Scotland" (Clayton & Kaldor 1987; MultiBUGS examples, 20 000 draws). The model is ICAR
with islands at the level of the map and precision ~ gamma(0.5, 0.0005). Ours (two seeds: coefficient 0.457, 0.458; b of county 2
1.022, 1.030) agree with the ordinary formula of pairwise differences sampled directly (0.461; 1.027); the published figures
(0.447; 1.060) lie up to 0.04 beside both, a fifth of a posterior standard deviation. The tolerances below say so.
"""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.spatial import bym2_rate, gamma_poisson_rate

EVENTS = [
    9, 39, 11, 9, 15, 8, 26, 7, 6, 20, 13, 5, 3, 8, 17, 9, 2, 7, 9, 7, 16, 31, 11, 7, 19, 15, 7, 10, 16, 11, 5, 3, 7, 8, 11,
    9, 11, 8, 6, 4, 10, 8, 2, 6, 19, 3, 2, 3, 28, 6, 1, 1, 1, 1, 0, 0,
]  # fmt: skip
EXPECTED = [
    1.4, 8.7, 3.0, 2.5, 4.3, 2.4, 8.1, 2.3, 2.0, 6.6, 4.4, 1.8, 1.1, 3.3, 7.8, 4.6, 1.1, 4.2, 5.5, 4.4, 10.5, 22.7, 8.8, 5.6,
    15.5, 12.5, 6.0, 9.0, 14.4, 10.2, 4.8, 2.9, 7.0, 8.5, 12.3, 10.1, 12.7, 9.4, 7.2, 5.3, 18.8, 15.8, 4.3, 14.6, 50.7, 8.2,
    5.6, 9.3, 88.7, 19.6, 3.4, 3.6, 5.7, 7.0, 4.2, 1.8,
]  # fmt: skip
OUTDOORS = [
    16, 16, 10, 24, 10, 24, 10, 7, 7, 16, 7, 16, 10, 24, 7, 16, 10, 7, 7, 10, 7, 16, 10, 7, 1, 1, 7, 7, 10, 10, 7, 24, 10, 7,
    7, 0, 10, 1, 16, 0, 1, 16, 16, 0, 1, 7, 1, 1, 0, 1, 1, 0, 1, 1, 16, 10,
]  # fmt: skip
# county: its neighbours with a higher number
LINKS = {
    1: [5, 9, 19], 2: [7, 10], 3: [12], 4: [18, 20, 28], 5: [12, 19], 7: [10, 13, 16, 17], 9: [17, 19, 23, 29],
    10: [16, 22], 13: [17, 19], 14: [31, 32, 35], 15: [25, 29], 16: [17, 21, 22, 29], 17: [19, 29],
    18: [20, 28, 33, 55, 56], 20: [56], 21: [29, 50], 23: [29, 34, 39], 24: [27, 30, 31, 44, 47, 48, 55, 56],
    25: [26, 29], 26: [29, 43], 27: [31, 32, 56], 28: [33, 45], 29: [34, 43, 50], 30: [38, 42, 44, 45, 55],
    31: [32, 35, 46, 47], 33: [45, 55], 34: [39, 40, 42, 43, 51, 52, 54], 35: [37, 46], 36: [37, 41], 37: [41, 46],
    38: [42, 44, 49, 51, 54], 39: [40], 40: [49, 52], 41: [46, 49, 53], 42: [43, 51], 44: [48, 49], 45: [55],
    46: [47, 53], 47: [48, 49, 53], 48: [49], 49: [52, 53, 54], 51: [54], 52: [54], 55: [56],
}  # fmt: skip
ISLANDS = (6, 8, 11)
# county: mean of its ICAR part b, as published
PUBLISHED = {1: 1.131, 2: 1.060, 7: 0.9164, 15: 0.6514, 29: 0.1041, 34: -0.2943, 45: -0.5749, 49: -0.7056, 56: -0.2668}


def neighbours():
    pairs = [(i, j) for i, others in LINKS.items() for j in others]
    return pd.DataFrame(pairs + [(j, i) for i, j in pairs], columns=["i", "j"])


def test_the_map_has_three_islands():
    assert set(range(1, 57)) - set(neighbours()["i"]) == set(ISLANDS)


@pytest.mark.slow
def test_the_posterior_lies_within_a_quarter_of_its_standard_deviation_of_the_published_one():
    found = bym2_rate(
        EVENTS, EXPECTED, neighbours(), areas=range(1, 57), covariates=np.array(OUTDOORS) / 10, model="icar",
        islands="level", priors={"tau2": ("inverse_gamma", 0.5, 0.0005), "level": ("normal", 100.0)}, seed=1,
    )  # fmt: skip
    parameters = found.attrs["parameters"]
    level, slope = parameters["level"], parameters["coefficient x1"]
    for ours, (mean, sd) in ((level, (-0.3006, 0.1155)), (slope, (0.4474, 0.1204))):
        assert ours["mean"] == pytest.approx(mean, abs=sd / 4)
        assert ours["sd"] == pytest.approx(sd, rel=0.1)
    assert np.sqrt(parameters["tau2"]["median"]) == pytest.approx(0.6568, abs=0.03)
    structured = dict(zip(found["area"], found["structured"], strict=True))
    for county, b in PUBLISHED.items():
        assert structured[county] == pytest.approx(b, abs=0.05), county
    for county in ISLANDS:
        assert structured[county] == pytest.approx(0, abs=1e-12)


def test_empirical_bayes_stands_between_the_raw_ratio_and_the_mean():
    found = gamma_poisson_rate(EVENTS, EXPECTED)
    middle = np.exp(found.attrs["beta"][0])
    low, high = np.minimum(found["smr"], middle), np.maximum(found["smr"], middle)
    assert found["relative_risk"].between(low - 1e-9, high + 1e-9).all()
