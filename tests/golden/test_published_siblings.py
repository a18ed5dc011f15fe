"""Figures that others printed for data of their own, beside ours: called as a newcomer would call (lists, plain words).

Each block names its source and its tolerance (the last printed digit where nothing else is said). Facts re-entered: a few
counts and the figures printed for them; no text and no code of others.
"""

import numpy as np
import pandas as pd
import pytest

from mortality.measures import age_quality
from mortality.measures.cause_deleted import cause_deleted_life_table, multiple_decrement_table
from mortality.measures.completeness import capture_recapture
from mortality.measures.life_table import abridged_life_table, life_tables_from_survivors
from mortality.measures.log_quad_life_table import log_quad_life_table
from mortality.measures.years_of_life_lost import years_of_life_lost, years_of_life_lost_by_age
from tkyt_analysis.analysis.rates import crude_rate
from tkyt_analysis.analysis.standardise import directly_standardised_rates, indirectly_standardised_ratio

# ------------------------------------------------------------------------------------------------------- rates

# Down syndrome, fifth child and later, Michigan 1950-64, by age of the mother: Stark & Mantell 1966, Fleiss 1981, table 14.4.
CASES = [0, 8, 63, 112, 262, 295]
BIRTHS = [327, 30_666, 123_419, 149_919, 104_088, 34_392]
STANDARD = [319_933, 931_318, 786_511, 488_235, 237_863, 61_313]


@pytest.mark.parametrize(
    ("method", "lower", "upper"),
    [("gamma", 67.70212, 188.30017), ("mid-p", 59.71632, 173.08170)],  # printed by R's dsrTest 1.0.0 (its vignette)
)
def test_limits_of_down_syndrome_are_those_that_dsrtest_prints(method, lower, upper):
    row = directly_standardised_rates(CASES, BIRTHS, STANDARD, method=method).iloc[0]
    # 5e-5: their search for the mid-P limits stops a little early
    assert row["rate"] == pytest.approx(75.52901, abs=5e-6)
    assert (row["lower"], row["upper"]) == (pytest.approx(lower, abs=5e-5), pytest.approx(upper, abs=5e-5))


# Cancer deaths of white males in the USA, 1940 against 1960 (Selvin 1991, the example of epitools' ageadjust.indirect).
DEATHS_1960 = [141, 926, 1253, 1080, 1869, 4891, 14956, 30888, 41725, 26501, 5928]
PERSONS_1960 = [1784033, 7065148, 15658730, 10482916, 9939972, 10563872, 9114202, 6850263, 4702482, 1874619, 330915]
DEATHS_1940 = [45, 201, 320, 670, 1126, 3160, 9723, 17935, 22179, 13461, 2238]
PERSONS_1940 = [906897, 3794573, 10003544, 10629526, 9465330, 8249558, 7294330, 5022499, 2920220, 1019504, 142532]


def test_the_ratio_of_two_censuses_needs_no_expected_events_worked_out_before():
    ages = ["0", "1-4", *[f"{low}-{low + 9}" for low in range(5, 85, 10)], "85+"]
    reference = pd.DataFrame({"age_group": ages, "events": DEATHS_1960, "person_years": PERSONS_1960})
    counts = pd.DataFrame({"age_group": ages, "events": DEATHS_1940, "person_years": PERSONS_1940})
    row = indirectly_standardised_ratio(counts, reference=reference, limits="lognormal").iloc[0]
    expected = np.sum(np.divide(DEATHS_1960, PERSONS_1960) * PERSONS_1940)
    assert row["ratio"] == pytest.approx(71_058 / expected)
    error = 1.959963984540054 / np.sqrt(71_058)  # epitools: exp(log(SMR) ± z/√O)
    assert (row["lower"], row["upper"]) == pytest.approx(row["ratio"] * np.exp([-error, error]))


def test_limits_of_twelve_events_under_the_names_of_other_programs():
    # Garwood's exact limits of 12: 6.2006 and 20.9616 (tables of Poisson limits); epitools' pois.byar counts 12.5.
    exact, byar = (crude_rate([12], [1], per=1, limits=name).iloc[0] for name in ("pois.exact", "pois.byar"))
    assert (exact["lower"], exact["upper"]) == (pytest.approx(6.2006, abs=5e-5), pytest.approx(20.9616, abs=5e-5))
    step = 1.959963984540054 / 3 / np.sqrt(12.5)
    ends = [12.5 * (1 - 1 / (9 * 12.5) + side) ** 3 for side in (-step, step)]
    assert (byar["lower"], byar["upper"]) == pytest.approx(ends)


@pytest.mark.parametrize(("name", "upper"), [("pois.exact", 3.689), ("pois.daly", 2.996)])
def test_the_upper_limit_of_no_event_is_epitools(name, upper):
    row = crude_rate([0], [1], per=1, limits=name).iloc[0]
    assert row["lower"] == 0
    assert row["upper"] == pytest.approx(upper, abs=5e-4)


# ------------------------------------------------------------------------------------------------- quality of ages

# Males of India, census of 1991, single ages 0 to 99 and 100+ (sample data of R's DemoTools); figures printed in its guide to
# age heaping (edition 2020-08).
INDIA = [
    9544406, 7471790, 11590109, 11881844, 11872503, 12968350, 11993151, 10033918, 14312222, 8111523, 15311047, 6861510,
    13305117, 7454575, 9015381, 10325432, 9055588, 5519173, 12546779, 4784102, 13365429, 4630254, 9595545, 4727963, 5195032,
    15061479, 5467392, 4011539, 8033850, 1972327, 17396266, 1647397, 6539557, 2233521, 2101024, 16768198, 3211834, 1923169,
    4472854, 1182245, 15874081, 1017752, 3673865, 1247304, 1029243, 12619050, 1499847, 1250321, 2862148, 723195, 12396632,
    733501, 2186678, 777379, 810700, 7298270, 1116032, 650402, 1465209, 411834, 9478824, 429296, 1190060, 446290, 362767,
    4998209, 388753, 334629, 593906, 178133, 4560342, 179460, 481230, 159087, 155831, 1606147, 166763, 93569, 182238, 53567,
    1715697, 127486, 150782, 52332, 48664, 456387, 46978, 34448, 44015, 19172, 329149, 48004, 28574, 9200, 7003, 75195, 13140,
    5889, 18915, 21221, 72373,
]  # fmt: skip


@pytest.mark.parametrize(
    ("index", "options", "printed", "unit"),
    [
        ("whipple", {}, 292.5568, 5e-5),  # printed as a ratio, 2.925568
        ("myers", {"first_age": 20, "last_age": 89}, 40.55142, 5e-6),
        ("noumbissi", {"digit": 0, "last_age": 64}, 2.471373, 5e-7),
        ("spoorenberg", {}, 7.044377, 5e-7),
        ("coale_li", {"last_age": 100}, 3.82955, 5e-6),
        ("jdanov", {}, 330.9649, 5e-5),
        ("sawtooth", {"last_age": 80}, 1.584344, 5e-7),
    ],
)
def test_heaping_of_india_1991_is_what_demotools_prints(index, options, printed, unit):
    assert float(getattr(age_quality, index)(INDIA, **options).value) == pytest.approx(printed, abs=unit)


# -------------------------------------------------------------------------------------- life tables and years lost

# Males of Russia 2010 (the guide of R's demor, which prints rates, table and years lost; data of RosBRiS).
AGES = [0, 1, *range(5, 90, 5)]
RUSSIA = [.008823, .000604, .000355, .000387, .001186, .002546, .004491, .006808, .007934, .009782, .013354, .018567, .026250,
          .037143, .049925, .068599, .097635, .138043, .198593]  # fmt: skip
RUSSIA_DEATHS = [7670.61, 1946.36, 1282.71, 1315.37, 5163.07, 15768.21, 26956.16, 36735.05, 39458.15, 43674.57, 68643.22,
                 96695.43, 113757.50, 115786.62, 78565.08, 147482.98, 105242.33, 98589.07, 45944.49]  # fmt: skip
RUSSIA_MEN = [869388, 3222450, 3613276, 3398894, 4353344, 6193325, 6002262, 5395865, 4973298, 4464789, 5140274, 5207919,
              4333619, 3117320, 1573662, 2149929, 1077916, 714191, 231350]  # fmt: skip
RUSSIA_EX = [63.03, 62.59, 58.74, 53.84, 48.94, 44.21, 39.75, 35.59, 31.74, 27.92, 24.20, 20.70, 17.47, 14.57, 12.04, 9.76, 7.77,
             6.17, 5.04]  # fmt: skip


def test_the_table_of_russia_s_men_in_2010_is_demor_s():
    table = abridged_life_table(RUSSIA, AGES, "m", closeout="inverse", ax="half", a0="Andreev-Kingkade")
    # 0.0065: printed with two decimals, from rates of six
    np.testing.assert_allclose(table["ex"], RUSSIA_EX, atol=0.0065)
    assert table["ax"].iloc[[0, 18]].tolist() == pytest.approx([0.132, 5.035], abs=5e-4)


def test_years_lost_by_russia_s_men_in_2010_are_demor_s():
    row = years_of_life_lost(RUSSIA_DEATHS, AGES, population=RUSSIA_MEN, standard="WHO GHE").iloc[0]
    assert row["yll"] == pytest.approx(33_640_561, abs=0.5)
    assert row["rate"] == pytest.approx(50_945.02, abs=0.005)
    by_age = years_of_life_lost_by_age(RUSSIA_DEATHS, AGES)["yll"]
    assert by_age.iloc[[0, 5, 18]].tolist() == pytest.approx([705_159.2, 1_096_994.4, 349_178.1], abs=0.05)


# Males of Austria 1992, fitted by the log-quadratic model (G. Rodríguez, Princeton, demography/mortmods: Wilmoth et al. 2012):
# printed are ln 5q0, k and the sum of squared errors of ln m at ages 0 to 84.
def test_the_log_quadratic_model_lies_as_far_from_austria_as_printed():
    from test_peers_errors import AUSTRIA_RATE

    model = log_quad_life_table("male", q5=np.exp(-4.801873994), k=0.3079241095)
    printed_rates = np.round(AUSTRIA_RATE, 6)[:18]
    assert np.sum(np.log(printed_rates / model.mx[0, :18]) ** 2) == pytest.approx(0.28942899, abs=1e-6)


# Females of the USA 1991, all causes and neoplasms: Preston, Heuveline & Guillot 2001, boxes 4.1 and 4.2.
LX = [100000, 99217, 99050, 98959, 98870, 98637, 98379, 98070, 97653, 97083, 96289, 95008, 93018, 89882, 85249, 78711, 69618, 57486,
      41756]  # fmt: skip
AX = [.152, 1.605, 2.275, 2.843, 2.657, 2.547, 2.55, 2.616, 2.677, 2.685, 2.681, 2.655, 2.647, 2.646, 2.631, 2.628, 2.618, 2.57,
      6.539]  # fmt: skip
ALL = [15758, 3169, 1634, 1573, 3955, 4948, 6491, 9428, 12027, 15543, 19264, 25384, 37211, 59431, 88087, 114693, 143554, 164986,
       320578]  # fmt: skip
NEOPLASMS = [
    63,
    275,
    268,
    217,
    318,
    467,
    856,
    1924,
    3532,
    5958,
    8434,
    11673,
    17078,
    25263,
    33534,
    36695,
    36571,
    30220,
    32739,
]


def test_survivors_and_ax_alone_give_the_textbook_s_table_without_neoplasms():
    table = life_tables_from_survivors(LX, AGES, "female", ax=AX)
    without = cause_deleted_life_table(table, {"neoplasms": NEOPLASMS}, total=ALL, ax_deleted="PHG")
    assert without["ex"].iloc[[0, 1, 10, 18]].tolist() == pytest.approx(
        [82.45748, 82.10441, 39.35888, 7.28275], abs=5e-6
    )
    assert without["lx"].iloc[[3, 18]].tolist() == pytest.approx([98_991.50, 52_969.13], abs=5e-3)
    dead = multiple_decrement_table(table, {"neoplasms": NEOPLASMS}, total=ALL)
    assert dead.loc[dead["cause"] == "neoplasms", "dx"].sum() == pytest.approx(21_204.543, abs=5e-3)


# ----------------------------------------------------------------------------------------------- completeness

# Hepatitis A, northern Taiwan 1995: students on a serum test list (135), of hospitals (122), of epidemiologists (126); 271 in all.
# Chao, Tsay, Lin, Shau & Chao, Stat Med 20 (2001): 3123-57 (cells and totals; R's CARE1 holds the same).
HEPATITIS = {"1": 69, "2": 55, "12": 21, "3": 63, "13": 17, "23": 18, "123": 28}


def test_three_lists_of_hepatitis_a_in_taiwan():
    found = capture_recapture(list(HEPATITIS.values()))  # without the cell of those that nobody saw
    z, models = HEPATITIS, {name: one["estimate"] for name, one in found.models.items()}
    assert found.observed == 271
    # One pair independent given the third list: its two "only" cells over their common one. All three pairs dependent:
    # no interaction of three.
    assert models["12,13"] == pytest.approx(271 + z["2"] * z["3"] / z["23"])
    assert models["12,23"] == pytest.approx(271 + z["1"] * z["3"] / z["13"])
    assert models["13,23"] == pytest.approx(271 + z["1"] * z["2"] / z["12"])
    unseen = z["123"] * z["1"] * z["2"] * z["3"] / (z["12"] * z["13"] * z["23"])
    assert models["12,13,23"] == pytest.approx(271 + unseen)
    # Independent lists: the share missed by all is the product of the shares that each misses.
    missed = np.prod([1 - listed / models["1,2,3"] for listed in (135, 122, 126)])
    assert models["1,2,3"] * missed == pytest.approx(models["1,2,3"] - 271, rel=1e-6)


def test_two_lists_of_hepatitis_a_by_petersen_and_by_chapman():
    both, first, second = 21 + 28, 135, 122
    cells = [first - both, second - both, both]
    petersen = capture_recapture(cells, two_lists="Lincoln-Petersen")
    assert petersen.value == pytest.approx(first * second / both)
    assert round(float(petersen.value)) == 336
    chapman = capture_recapture(cells)
    assert chapman.value == pytest.approx((first + 1) * (second + 1) / (both + 1) - 1)
    assert chapman.lower < chapman.value < chapman.upper
    assert chapman.method == "capture_recapture;chapman"


# Diabetes in a community of Italy, four sources by pairs: Bruno et al., Diabetes Care 17 (1994): 548; R's CARE1 1.1.0 prints
# Petersen, Chapman and Chao's limits (whole numbers). In common: worked back from the printed Petersen estimates.
DIABETES = {"clinic": 1754, "hospital": 452, "prescription": 1135, "purchase": 173}
PAIRS = [
    ("clinic", "hospital", 337, 2353, 2351, 2250, 2478),
    ("clinic", "prescription", 911, 2185, 2185, 2146, 2233),
    ("clinic", "purchase", 134, 2264, 2261, 2117, 2468),
    ("hospital", "prescription", 249, 2060, 2057, 1922, 2224),
    ("hospital", "purchase", 97, 806, 803, 725, 913),
    ("prescription", "purchase", 126, 1558, 1555, 1445, 1712),
]


def test_diabetes_in_italy_by_pairs_of_sources_is_what_care1_prints():
    # Many places in one call: a row of three counts for each pair.
    cells = [(DIABETES[one] - both, DIABETES[other] - both, both) for one, other, both, *_ in PAIRS]
    chapman, petersen = capture_recapture(cells), capture_recapture(cells, two_lists="petersen")
    printed = np.array([row[3:] for row in PAIRS])
    assert np.round(petersen.value).tolist() == printed[:, 0].tolist()
    ours = np.column_stack([chapman.value, chapman.lower, chapman.upper])
    assert np.round(ours).tolist() == printed[:, 1:].tolist()
