"""Figures that others printed for trends, delays and maps, beside ours: called as a newcomer would call.

As in `test_published_siblings.py`: each block names its source and its tolerance; a few counts and the figures printed for
them were re-entered, no text and no code of others.
"""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.spatial import empirical_bayes_rate, geary, local_moran, moran
from tkyt_analysis.analysis.trend import binomial_joinpoint, holt_winters, nowcast, stl_decomposition

# ------------------------------------------------------------------------------------------------------ seasons

# Airline passengers 1949-60, thousands a month (Box & Jenkins 1976, series G; R's AirPassengers).
PASSENGERS = [
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140,
    145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166, 171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194,
    196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201, 204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229,
    242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278, 284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306,
    315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336, 340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337,
    360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405, 417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432,
]  # fmt: skip
# What R prints for HoltWinters(AirPassengers, seasonal = "mult") and for the additive season (seven digits).
SEASONS = [
    0.9464611, 0.8829239, 0.9717369, 1.0304825, 1.0476884, 1.1805272, 1.3590778, 1.3331706, 1.1083381, 0.9868813, 0.8361333,
    0.9209877,
]  # fmt: skip


def test_holt_winters_of_the_airline_passengers_is_what_r_prints():
    found = holt_winters(PASSENGERS, seasonal="mult")
    given = found.parameters.iloc[0]
    assert list(given[["alpha", "gamma"]]) == pytest.approx([0.2755925, 0.8707292], abs=5e-7)
    assert given["beta"] == pytest.approx(0.03269295, abs=5e-9)
    assert list(given[["level", "trend"]]) == pytest.approx([469.3232206, 3.0215391], abs=5e-7)
    assert list(found.seasons["value"]) == pytest.approx(SEASONS, abs=5e-8)


def test_the_additive_season_of_the_airline_passengers_is_what_r_prints():
    given = holt_winters(PASSENGERS).parameters.iloc[0]
    assert list(given[["alpha", "beta", "gamma"]]) == pytest.approx([0.2479595, 0.03453373, 1.0], abs=5e-7)


def test_a_list_and_a_series_without_an_index_are_the_same_series():
    listed, series = (stl_decomposition(form) for form in (PASSENGERS, pd.Series(PASSENGERS)))
    assert list(series["time"]) == list(range(1, 145))
    pd.testing.assert_frame_equal(listed, series)


# -------------------------------------------------------------------------------------------------- broken lines

# Down syndrome by the mother's age, British Columbia 1961-70: Geyer, JASA 1991;86:717-24 (R's boot::downs.bc, where one age
# is misprinted 42.4; segmented::down has 42.5).
AGES = [17, *(18.5 + year for year in range(28)), 47]
MOTHERS = [
    13555, 13675, 18752, 22005, 23896, 24667, 24807, 23986, 22860, 21450, 19202, 17450, 15685, 13954, 11987, 10983, 9825,
    8483, 7448, 6628, 5780, 4834, 3961, 2952, 2276, 1589, 1018, 596, 327, 249,
]  # fmt: skip
DOWN = [
    16,
    15,
    16,
    22,
    16,
    12,
    17,
    22,
    15,
    14,
    27,
    14,
    9,
    12,
    12,
    18,
    13,
    11,
    23,
    13,
    17,
    15,
    30,
    31,
    33,
    20,
    16,
    22,
    11,
    7,
]


def test_a_straight_logistic_line_of_down_syndrome_is_glm_s():
    # printed: glm(cbind(r, m - r) ~ age, binomial, downs.bc)
    ages = [*AGES[:25], 42.4, *AGES[26:]]
    found = binomial_joinpoint(time=ages, events=DOWN, population=MOTHERS, joinpoints=0).coefficients
    assert list(found["value"]) == pytest.approx([-10.563690, 0.137579], abs=5e-7)
    assert list(found["se"]) == pytest.approx([0.214485, 0.006474], abs=5e-7)


def test_a_broken_logistic_line_of_down_syndrome_is_segmented_s():
    # Muggeo, R News 2008;8(1):20-5. The figures are recalled, the page was not at hand: unverified
    found = binomial_joinpoint(time=AGES, events=DOWN, population=MOTHERS, joinpoints=1).coefficients
    assert list(found["value"])[:3] == pytest.approx([-6.78243778, -0.01341037, 0.27422124], abs=5e-9)
    assert list(found["se"])[1:3] == pytest.approx([0.0179471, 0.02323945], abs=1e-7)
    place = found.iloc[3]
    assert (place["value"], place["se"]) == (pytest.approx(31.08, abs=5e-3), pytest.approx(0.7242, abs=5e-5))


# ------------------------------------------------------------------------------------------------------- delays

# Claims by year and delay (Taylor & Ashe, J Econometrics 1983;23:37-61), the example of Mack, ASTIN Bulletin 1993;23:213-25.
CLAIMS = [
    [357848, 766940, 610542, 482940, 527326, 574398, 146342, 139950, 227229, 67948],
    [352118, 884021, 933894, 1183289, 445745, 320996, 527804, 266172, 425046],
    [290507, 1001799, 926219, 1016654, 750816, 146923, 495992, 280405],
    [310608, 1108250, 776189, 1562400, 272482, 352053, 206286],
    [443160, 693190, 991983, 769488, 504851, 470639],
    [396132, 937085, 847498, 805037, 705960],
    [440832, 847631, 1131398, 1063269],
    [359480, 1061648, 1443370],
    [376686, 986608],
    [344014],
]
# Still to come by year, and Mack's standard errors, as printed by R's ChainLadder (GenIns, est.sigma = "Mack").
TO_COME = [0, 94634, 469511, 709638, 984889, 1419459, 2177641, 3920301, 4278972, 4625811]
MACK = [0, 75535, 121699, 133549, 261406, 411010, 558317, 875328, 971258, 1363155]


def triangle():
    return np.array([[*row, *[np.nan] * (10 - len(row))] for row in CLAIMS])


@pytest.mark.parametrize("method", ["mack", "chain_ladder", "multinomial", "negative_binomial"])
def test_what_is_still_to_come_is_the_chain_ladder_of_the_textbook(method):
    found = nowcast(triangle(), method=method)
    assert list(found["estimate"] - found["reported"]) == pytest.approx(TO_COME, abs=0.51)
    assert (found["estimate"] - found["reported"]).sum() == pytest.approx(18_680_856, abs=0.5)


def test_standard_errors_of_each_year_are_those_of_mack():
    found = nowcast(triangle(), method="mack")
    assert list(np.sqrt(found["variance"])) == pytest.approx(MACK, abs=0.51)


# --------------------------------------------------------------------------------------------------------- maps

# Columbus (Ohio), 49 neighbourhoods: Anselin 1988. The map is libpysal's, a development dependency.


@pytest.fixture(scope="module")
def columbus():
    examples = pytest.importorskip("libpysal.examples")
    import geopandas

    return geopandas.read_file(examples.get_path("columbus.shp"))


def test_moran_of_crime_in_columbus_is_what_spdep_prints(columbus):
    # moran.test(CRIME, nb2listw(poly2nb(columbus))): 236 links; ten digits printed, z and p to five and four
    row = moran(columbus["CRIME"], columbus).iloc[0]
    assert row["statistic"] == pytest.approx(0.500188557, abs=5e-10)
    assert row["expectation"] == pytest.approx(-0.020833333, abs=5e-10)
    assert row["variance"] == pytest.approx(0.008689289, abs=5e-10)
    assert row["z"] == pytest.approx(5.5894, abs=5e-5)
    assert row["p_value"] == pytest.approx(1.139e-8, rel=5e-4)


def test_local_moran_of_columbus_adds_up_to_moran(columbus):
    # the sum of Ii over the sum of weights: 0.5001886
    found = local_moran(columbus["CRIME"], columbus)
    assert found["local_i"].sum() / 49 == pytest.approx(0.5001886, abs=5e-8)


# Sudden infant deaths in North Carolina, July 1979 - June 1984 (Cressie 1991); the map is libpysal's. Peer: esda.


@pytest.fixture(scope="module")
def carolina():
    examples = pytest.importorskip("libpysal.examples")
    import geopandas

    return geopandas.read_file(examples.get_path("sids2.shp"))


def test_deaths_of_1979_to_1984_in_north_carolina_are_smoothed_as_esda_does(carolina):
    smoothing = pytest.importorskip("esda.smoothing")
    theirs = np.ravel(smoothing.Empirical_Bayes(carolina["SID79"].to_numpy(), carolina["BIR79"].to_numpy()).r)
    ours = empirical_bayes_rate(carolina["SID79"], carolina["BIR79"])
    assert ours["rate"].to_numpy() == pytest.approx(theirs, abs=1e-15)
    # Marshall's b is deaths over births: 836 of 422 392
    assert (carolina["SID79"].sum(), carolina["BIR79"].sum()) == (836, 422_392)
    assert ours["prior_mean"].iloc[0] == pytest.approx(836 / 422_392)


def test_association_of_1979_to_1984_in_north_carolina_is_esda_s(carolina):
    esda = pytest.importorskip("esda")
    from libpysal.weights import Queen

    rate = carolina["SID79"] / carolina["BIR79"]
    weights = Queen.from_dataframe(carolina, use_index=False)
    weights.transform = "R"
    theirs = esda.Moran(rate.to_numpy(), weights, permutations=0, two_tailed=False)
    ours, normal = (moran(rate, carolina, assumption=kind).iloc[0] for kind in ("randomisation", "normality"))
    assert list(ours[["statistic", "variance", "z", "p_value"]]) == pytest.approx(
        [theirs.I, theirs.VI_rand, theirs.z_rand, theirs.p_rand]
    )
    assert normal["variance"] == pytest.approx(theirs.VI_norm)
    assert geary(rate, carolina)["statistic"].iloc[0] == pytest.approx(esda.Geary(rate.to_numpy(), weights).C)
