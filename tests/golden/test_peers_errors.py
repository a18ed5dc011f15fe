"""Errors that other programs and sheets make (methods notes, section 6): each has a test that we do not make it.

Every room appends its own tests; the data are drawn here, or read from the reference collection where it lies.
"""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.standardise import directly_standardised_rate, directly_standardised_rates
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


def test_funnels_per_thousand_end_at_a_thousand_not_at_a_hundred():
    # calculate_funnel_limits cuts the upper limits of proportions at 100 whatever the multiplier (read in its source).
    from tkyt_analysis.analysis.funnel import funnel_curves

    curves = funnel_curves([700, 650, 90], [1000, 1000, 100], statistic="proportion", per=1000)
    assert curves["upper_95"].max() == 1000
    assert (curves["upper_95"] > curves["baseline"]).all()


def test_mid_p_gamma_limits_exist_where_the_two_distributions_cross():
    # asht searches between the two lower quantiles and takes for granted that the first is the smaller one; for these births
    # (Fleiss 1981, p. 249, fifth child) the distribution with one more event of the largest weight has the smaller one.
    from scipy.stats import gamma

    cases, births = np.array([0, 8, 63, 112, 262, 295]), np.array([327, 30_666, 123_419, 149_919, 104_088, 34_392])
    standard = np.array([319_933, 931_318, 786_511, 488_235, 237_863, 61_313])
    row = directly_standardised_rates(cases, births, standard, method="gamma_midp").iloc[0]
    w = 1e5 * standard / standard.sum() / births
    y, v = (w * cases).sum(), (w**2 * cases).sum()
    moments = ((y, v), (y + w.max(), v + w.max() ** 2))
    below, above = (gamma.ppf(0.025, m**2 / s, scale=s / m) for m, s in moments)
    assert above < row["lower"] < below < row["rate"] < row["upper"]
    assert row["status"] == "ok"


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


# ------------------------------------------------------------------------------------------------- life tables

# Males of Austria 1992 (Preston, Heuveline & Guillot 2001, Box 3.1), ages 0, 1, 5, …, 85+.
AUSTRIA_AGE = [0, 1, *range(5, 90, 5)]
AUSTRIA_RATE = [
    419 / 47925, 70 / 189127, 36 / 234793, 46 / 238790, 249 / 254996, 420 / 326831, 403 / 355086, 441 / 324222, 508 / 269963,
    769 / 261971, 1154 / 238011, 1866 / 261612, 2043 / 181385, 3496 / 187962, 4366 / 153832, 4337 / 105169, 5279 / 73694,
    6460 / 57512, 6146 / 32248,
]  # fmt: skip


def test_years_lived_count_those_who_die_for_ax_years_not_for_n_minus_ax():
    # demor takes L = n l(x) - a d; those who die live a years, so that n - a are lost: L = n l(x) - (n - a) d.
    from mortality.measures.life_table import life_tables

    table = life_tables(AUSTRIA_RATE, AUSTRIA_AGE, "male")
    n, a, l, d = table.n[:-1], table.ax[0, :-1], table.lx[0, :-1], table.dx[0, :-1]
    np.testing.assert_allclose(table.Lx[0, :-1], n * l - (n - a) * d, rtol=1e-12)
    theirs = n * l - a * d
    assert theirs[0] > table.Lx[0, 0]  # infants die early: a0 is 0.07, and 0.93 years are lost, not 0.07
    assert table.ex[0, 0] == pytest.approx(72.889, abs=0.02)


def test_the_closeout_can_be_turned_off_so_that_published_tables_come_back_at_old_ages():
    # DemoTools always extrapolates to 130: its e85 is 3.91 where the UN printed 4.211 = 1 / m.
    from mortality.measures.life_table import life_tables

    rates = [0.23669, 0.04672, 0.00982, 0.00511, 0.00697, 0.01036, 0.01169, 0.01332, 0.01528, 0.01757, 0.02092, 0.02517,
             0.03225, 0.04241, 0.06056, 0.08574, 0.1184, 0.16226, 0.23745]  # fmt: skip
    printed = life_tables(rates, AUSTRIA_AGE, "male", ax="un")
    extrapolated = life_tables(rates, AUSTRIA_AGE, "male", ax="un", a0="andreev_kingkade", closeout="extrapolate")
    assert printed.ex[0, -1] == pytest.approx(4.211, abs=0.001)
    assert extrapolated.ex[0, -1] == pytest.approx(3.910, abs=0.002)
    assert "inverse" in printed.method
    assert "extrapolate" in extrapolated.method


def test_life_expectancy_takes_any_age_bands_not_only_the_twenty_of_england():
    # PHEindicatormethods asks for exactly 20 bands, 0 to 90+ (users ask for 85+, 80+ and first ages above 0).
    from mortality.measures.life_expectancy import life_expectancy

    rows = pd.DataFrame({"age": AUSTRIA_AGE, "deaths": AUSTRIA_RATE, "population": 1.0})
    rows[["deaths", "population"]] *= 10_000
    all_ages = life_expectancy(rows, convention="phe")
    assert set(all_ages["status"]) == {"ok"}
    old = life_expectancy(rows[rows["age"] >= 30], convention="phe", at=30).iloc[0]
    from_30 = all_ages.loc[all_ages["age"] == 30].iloc[0]
    assert old["value"] == pytest.approx(from_30["value"])
    assert old["lower"] == pytest.approx(from_30["lower"])


# ------------------------------------------------------------------- decrements, healthy life expectancy, years lost


def test_years_lived_by_those_who_die_are_years_not_a_share_of_the_group_when_a_cause_is_deleted():
    # demor's asdt() writes L = n l - n (1 - a) d with a in years: without circulatory disease men of the USA would have lived
    # 86.59 years in 2002 instead of 81.00. Here on females of 1991 without neoplasms, whom the textbook gives 82.46.
    from test_cause_deleted_published import BY_CAUSE, NEOPLASMS, OF_THE_BOOK

    from mortality.measures.cause_deleted import cause_deleted_life_table

    ours = cause_deleted_life_table(OF_THE_BOOK, BY_CAUSE, total=NEOPLASMS["deaths"])
    n, a, d, alive = (ours[name].to_numpy()[:-1] for name in ("n", "ax", "dx", "lx"))
    np.testing.assert_allclose(ours["Lx"][:-1], n * alive - (n - a) * d)
    wrong = (n * alive - n * (1 - a) * d).sum() / 100_000 + ours["Lx"].iloc[-1] / 100_000
    assert ours["ex"][0] == pytest.approx(82.457, abs=0.005)
    assert wrong > ours["ex"][0] + 3


def test_the_error_of_a_difference_is_the_root_of_the_sum_of_squares():
    # Exercise 5 of the Sullivan guide's workbook adds the two standard errors and calls it approximate: 41 % too wide here.
    from mortality.measures.life_table import life_tables
    from mortality.measures.sullivan import sullivan_difference, sullivan_life_expectancy

    table = life_tables([0.01, 0.001, 0.005, 0.05, 0.2], [0, 1, 15, 60, 80], "female")
    women, men = (
        sullivan_life_expectancy(table, np.array([0, 0.02, 0.1, 0.4, 0.6]) * share, sample_size=[100] * 5)
        for share in (0.90, 1.10)
    )
    found = sullivan_difference(women, men).iloc[0]
    one, two = women["standard_error"][0], men["standard_error"][0]
    assert found["standard_error"] == pytest.approx(np.sqrt(one**2 + two**2))
    assert one + two > 1.4 * found["standard_error"]
    assert abs(found["z"]) > abs(found["difference"]) / (one + two)


def test_equal_rates_never_make_a_cause_endless():
    # LEdecomp divides by the difference of the all-cause rates, warns, and gives NaN or huge parts where it is (nearly) 0.
    from mortality.measures.decomposition import arriaga_decomposition

    age, rates = [0, 1, 15, 60, 80], np.array([0.01, 0.001, 0.005, 0.05, 0.2])
    before = {"heart": rates * 0.4, "cancer": rates * 0.3}
    after = {"heart": rates * 0.3, "cancer": rates * 0.4}
    rows = arriaga_decomposition(rates, rates, age, causes_1=before, causes_2=after)
    assert np.isfinite(rows["contribution"]).all()
    assert rows["contribution"].abs().max() < 5
    assert set(rows.loc[rows["status"] == "modelled", "reason"]) == {"reason.decomposition_rates_equal"}


# ------------------------------------------------------------------------------------------------- small areas


def _map_with_islands(n=40):
    """Counts of 40 areas of which three are islands, and their neighbours."""
    from tkyt_analysis.analysis.spatial import neighbours_from_points

    rng = np.random.default_rng(5)
    x, y = rng.uniform(size=(2, n))
    alone = np.isin(np.arange(n), [4, 17, n - 1])
    weights = neighbours_from_points(x, y, k=4, degrees=False, symmetric=True, alone=alone)
    people = rng.integers(200, 9_000, n).astype(float)
    return rng.poisson(people * 0.004 * rng.gamma(4, 0.25, n)).astype(float), people, weights


def _as_libpysal(weights):
    libpysal = pytest.importorskip("libpysal")
    near = {int(i): [] for i in range(weights.n)}
    for i, j in weights.table()[["i", "j"]].to_numpy():
        near[int(i)].append(int(j))
    return libpysal.weights.W(near, id_order=list(range(weights.n)), silence_warnings=True)


def test_local_empirical_bayes_of_esda_and_of_spdep_are_two_things_and_both_have_a_name():
    # methods notes 3.6: they differ by up to 9e-4 on rates of 2e-3. esda takes the local mean of the area in the middle.
    smoothing = pytest.importorskip("esda.smoothing")
    from tkyt_analysis.analysis.spatial import empirical_bayes_rate

    events, people, weights = _map_with_islands()
    esda = smoothing.Spatial_Empirical_Bayes(events, people, _as_libpysal(weights)).r.ravel()
    named = empirical_bayes_rate(events, people, neighbours=weights, method="esda_local")
    default = empirical_bayes_rate(events, people, neighbours=weights)
    np.testing.assert_allclose(named["rate"], esda, rtol=1e-12)
    assert np.abs(default["rate"] - esda).max() > 1e-5
    assert "esda" in named["method"].iloc[0]
    assert "spdep" in default["method"].iloc[0]


def test_smoothed_rates_are_never_negative_where_esda_makes_them_so():
    # rgeoda #54, geoda #59: where areas differ less than by chance, the variance between them comes out negative.
    smoothing = pytest.importorskip("esda.smoothing")
    from tkyt_analysis.analysis.spatial import empirical_bayes_rate

    events, people = np.array([10.0, 10, 10, 11]), np.full(4, 1_000.0)
    esda = smoothing.Empirical_Bayes(events, people).r.ravel()
    assert esda[3] < 0  # the area with the most events
    np.testing.assert_allclose(empirical_bayes_rate(events, people)["rate"], 41 / 4_000)


def test_zero_population_is_said_where_esda_divides_by_it():
    smoothing = pytest.importorskip("esda.smoothing")
    from tkyt_analysis.analysis.spatial import empirical_bayes_rate

    events, people = np.array([3.0, 9, 4, 0]), np.array([100.0, 900, 150, 0])
    with np.errstate(all="ignore"):
        assert np.isnan(smoothing.Empirical_Bayes(events, people).r).all()
    ours = empirical_bayes_rate(events, people)
    assert ours["rate"].notna().tolist() == [True, True, True, False]
    assert ours["reason"].iloc[3] == "reason.no_person_years"


def test_local_moran_of_esda_is_smaller_by_one_nth_and_has_a_name():
    esda = pytest.importorskip("esda")
    from tkyt_analysis.analysis.spatial import local_moran

    events, people, weights = _map_with_islands()
    theirs = esda.Moran_Local(events / people, _as_libpysal(weights), permutations=0)
    ours, named = (local_moran(events / people, weights, scaling=name) for name in ("spdep", "esda"))
    np.testing.assert_allclose(ours["local_i"] * (weights.n - 1) / weights.n, theirs.Is, atol=1e-12)
    np.testing.assert_allclose(named["local_i"], theirs.Is, atol=1e-12)
    np.testing.assert_allclose(named["variance"], theirs.VIc, atol=1e-12)


def test_gi_of_esda_uses_the_variance_of_binary_weights_for_any_weights():
    esda = pytest.importorskip("esda")
    from tkyt_analysis.analysis.spatial import local_g

    events, people, weights = _map_with_islands()
    joined, rate = ~weights.islands, events / people
    theirs = esda.G_Local(rate, _as_libpysal(weights), transform="R", permutations=0).Zs
    ours, named = (local_g(rate, weights, style="W", variance=name)["z"].to_numpy() for name in ("general", "binary"))
    np.testing.assert_allclose(named[joined], theirs[joined], rtol=1e-9)
    np.testing.assert_allclose(
        ours, local_g(rate, weights, style="B")["z"], rtol=1e-9
    )  # the scale of weights is no matter
    assert np.abs(ours - theirs)[joined].max() > 0.2


def test_morans_i_and_its_variances_equal_esdas_for_every_style():
    esda = pytest.importorskip("esda")
    from tkyt_analysis.analysis.spatial import geary, moran

    events, people, weights = _map_with_islands()
    rate, w = events / people, _as_libpysal(weights)
    for style, transform in (("W", "r"), ("B", "b"), ("S", "v"), ("U", "d")):
        theirs = esda.Moran(rate, w, transformation=transform, permutations=0)
        ours = moran(rate, weights, style=style, count="all").iloc[0]
        normal = moran(rate, weights, style=style, count="all", assumption="normality").iloc[0]
        found = [ours["statistic"], ours["variance"], normal["variance"]]
        np.testing.assert_allclose(found, [theirs.I, theirs.VI_rand, theirs.VI_norm], rtol=1e-9)
        their_c = esda.Geary(rate, w, transformation=transform, permutations=0)
        our_c = geary(rate, weights, style=style, count="all").iloc[0]
        np.testing.assert_allclose([our_c["statistic"], our_c["variance"]], [their_c.C, their_c.VC_rand], rtol=1e-9)


def test_the_standardised_rate_is_that_of_the_paper_as_in_esda():
    # GeoDa's and pysal's option differ from the paper (pysal PR #1011): the formula is named in the answer.
    smoothing = pytest.importorskip("esda.smoothing")
    from tkyt_analysis.analysis.spatial import empirical_bayes_index
    from tkyt_analysis.analysis.spatial.standardised_rates import standardised_rate

    events, people, weights = _map_with_islands()
    theirs = smoothing.assuncao_rate(events, people)
    ours = standardised_rate(events[:, None], people[:, None], variance="paper")[:, 0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    named = empirical_bayes_index(events, people, weights, variance="paper", permutations=19)
    assert "variance=paper" in named["method"].iloc[0]
