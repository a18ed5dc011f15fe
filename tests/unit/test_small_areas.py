"""Rates of small areas: empirical Bayes, global and local, and probability maps."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support import table

from tkyt_analysis.analysis.spatial import empirical_bayes_rate, probability_map
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import label

# Four communes in a row, 1-2-3-4, and an island.
ROW = pd.DataFrame({"i": [1, 2, 2, 3, 3, 4], "j": [2, 1, 3, 2, 4, 3]})
COMMUNES = table("""
    commune | deaths | population
    1       |     30 |       1000
    2       |      2 |       1000
    3       |     40 |       4000
    4       |      8 |       2000
    5       |      9 |        500
""").set_index("commune")


def rates(**options):
    return empirical_bayes_rate(COMMUNES["deaths"], COMMUNES["population"], **options)


def test_marshalls_rate_weighs_an_area_by_its_population():
    p = np.array([0.030, 0.002, 0.010, 0.004, 0.018])
    n = np.array([1000, 1000, 4000, 2000, 500])
    b = (30 + 2 + 40 + 8 + 9) / (1000 + 1000 + 4000 + 2000 + 500)
    a = (n * (p - b) ** 2).sum() / 8500 - b / (8500 / 5)
    assert a > 0
    found = rates()
    np.testing.assert_allclose(found["rate"], b + a * (p - b) / (a + b / n), rtol=1e-12)
    np.testing.assert_allclose(found["weight"], a / (a + b / n), rtol=1e-12)
    assert list(found.index) == [1, 2, 3, 4, 5]
    assert list(found.columns) == [
        "events", "population", "raw_rate", "rate", "lower", "upper", "prior_mean", "prior_variance", "weight", "method",
        "status", "reason",
    ]  # fmt: skip


def test_rates_per_hundred_thousand_are_scaled_and_their_variance_by_the_square():
    one, many = rates(), rates(per=100_000)
    for name in ("raw_rate", "rate", "lower", "upper", "prior_mean"):
        np.testing.assert_allclose(many[name], 1e5 * one[name])
    np.testing.assert_allclose(many["prior_variance"], 1e10 * one["prior_variance"])


def test_where_areas_differ_no_more_than_by_chance_all_get_the_common_rate_with_its_limits():
    found = empirical_bayes_rate([10, 11, 9], [1000, 1000, 1000])
    np.testing.assert_allclose(found["rate"], 30 / 3000)
    assert (found["prior_variance"] == 0).all()
    from tkyt_analysis.analysis.limits import exact_poisson_limits

    lower, upper = exact_poisson_limits(30.0)
    np.testing.assert_allclose(found[["lower", "upper"]], [[lower / 3000, upper / 3000]] * 3)


def test_limits_are_those_of_the_gamma_posterior_whose_mean_is_the_rate():
    from scipy.stats import gamma

    found = rates()
    m, v = found["prior_mean"], found["prior_variance"]
    posterior = gamma(COMMUNES["deaths"] + m**2 / v, scale=1 / (COMMUNES["population"] + m / v))
    np.testing.assert_allclose(posterior.mean(), found["rate"])
    np.testing.assert_allclose(posterior.ppf(0.025), found["lower"])
    np.testing.assert_allclose(posterior.ppf(0.975), found["upper"])


def test_the_local_mean_is_that_of_the_area_and_its_neighbours():
    found = rates(neighbours=ROW, islands="own")
    np.testing.assert_allclose(found["prior_mean"], [32 / 2000, 72 / 6000, 50 / 7000, 48 / 6000, 9 / 500], rtol=1e-12)
    assert list(found["neighbours"]) == [1, 2, 2, 1, 0]
    # spdep: each neighbour's rate is compared with the neighbour's own local mean
    p, m = found["raw_rate"], found["prior_mean"]
    n = COMMUNES["population"]
    squares = n * (p - m) ** 2
    variance = (squares[1] + squares[2]) / 2000 - m[1] / 1000
    assert found["prior_variance"][1] == pytest.approx(max(variance, 0))
    # esda and GeoDa: with the local mean of the area in the middle
    variance = (1000 * (p[1] - m[1]) ** 2 + 1000 * (p[2] - m[1]) ** 2) / 2000 - m[1] / 1000
    assert rates(neighbours=ROW, method="esda_local")["prior_variance"][1] == pytest.approx(variance)


def test_an_island_keeps_its_own_rate_is_drawn_to_all_or_is_not_assessed():
    assert rates(neighbours=ROW)["rate"][5] == 9 / 500
    everybody = rates(neighbours=ROW, islands="global")
    assert everybody["rate"][5] == pytest.approx(rates()["rate"][5])
    assert everybody["rate"][1] == rates(neighbours=ROW)["rate"][1]
    refused = rates(neighbours=ROW, islands="not_assessable").loc[5]
    assert np.isnan(refused["rate"])
    assert refused["status"] == "not_assessable"
    assert refused["reason"] == "reason.no_neighbours"
    assert label(refused["reason"], "vi")


def test_places_without_people_or_count_are_not_assessed_and_count_for_nobody():
    deaths = [*COMMUNES["deaths"], 0, 3, None, -1]
    persons = [*COMMUNES["population"], 0, 0, 1000, 1000]
    found = empirical_bayes_rate(deaths, persons)
    np.testing.assert_allclose(found["rate"][:5], rates()["rate"])
    assert list(found["reason"][5:]) == [
        "reason.no_person_years", "reason.events_without_person_years", "reason.events_missing", "reason.events_missing",
    ]  # fmt: skip
    assert found["rate"][5:].isna().all()
    assert (found["status"][5:] == "not_assessable").all()
    local = empirical_bayes_rate(
        [30, 0, 40], [1000, 0, 4000], neighbours=[[1], [0, 2], [1]]
    )  # the middle one has nobody: the other two are islands
    assert list(local["neighbours"]) == [0, 0, 0]
    assert list(local["rate"].dropna()) == [0.03, 0.01]


def test_a_neighbourhood_without_events_has_the_rate_zero_and_an_upper_limit():
    found = empirical_bayes_rate([0, 0, 5, 9], [100, 300, 1000, 900], neighbours=[[1], [0], [3], [2]])
    assert list(found["rate"][:2]) == [0, 0]
    np.testing.assert_allclose(found["upper"][0], -np.log(0.025) / 400)
    assert (found["status"] == "ok").all()


def test_martuzzi_and_elliotts_binomial_version_draws_in_by_the_size():
    found = rates(method="binomial")
    b = 89 / 8500
    p, n = COMMUNES["deaths"] / COMMUNES["population"], COMMUNES["population"]
    s2 = (n * (p - b) ** 2).sum() / 8500
    mean = 8500 / 5
    rho = (n * s2 - n / mean * b * (1 - b)) / ((n - 1) * s2 + (mean - n) / mean * b * (1 - b))
    np.testing.assert_allclose(found["rate"], rho * p + (1 - rho) * b)
    assert (found["lower"] < found["rate"]).all()
    assert (found["rate"] < found["upper"]).all()


def test_clayton_and_kaldors_prior_agrees_with_the_smoothed_rates():
    found = rates(method="Clayton-Kaldor")
    theta, n = found["rate"], COMMUNES["population"]
    mean, variance = found["prior_mean"].iloc[0], found["prior_variance"].iloc[0]
    alpha = mean / variance
    assert theta.mean() == pytest.approx(mean)
    assert ((1 + alpha / n) * (theta - mean) ** 2).sum() / (5 - 1) == pytest.approx(variance, rel=1e-6)


def test_the_rate_of_the_neighbourhood_is_events_over_people():
    np.testing.assert_allclose(
        rates(neighbours=ROW, method="spatial_rate")["rate"], [32 / 2000, 72 / 6000, 50 / 7000, 48 / 6000, 9 / 500]
    )


counts = arrays(float, 6, elements=st.integers(0, 60))
people = arrays(float, 6, elements=st.integers(1, 5_000))
RING = [[5, 1], [0, 2], [1, 3], [2, 4], [3, 5], [4, 0]]
METHODS = ["marshall", "binomial", "clayton_kaldor", "spdep_local", "esda_local", "spatial_rate"]


@settings(max_examples=30, deadline=None)
@given(counts, people, st.sampled_from(METHODS))
def test_a_smoothed_rate_is_never_negative_and_lies_between_its_own_and_the_mean(events, persons, method):
    found = empirical_bayes_rate(np.minimum(events, persons), persons, neighbours=RING, method=method)
    assert (found["status"] == "ok").all()
    assert (found["rate"] >= 0).all()
    low, high = found[["raw_rate", "prior_mean"]].min(axis=1), found[["raw_rate", "prior_mean"]].max(axis=1)
    slack = 1e-12
    assert ((found["rate"] >= low - slack) & (found["rate"] <= high + slack)).all()
    assert (found["lower"].fillna(0) <= found["rate"] + slack).all()


@settings(max_examples=20, deadline=None)
@given(counts, people, st.sampled_from(METHODS))
def test_many_maps_at_once_are_each_smoothed_alone(events, persons, method):
    two = np.column_stack([np.minimum(events, persons), np.minimum(events, persons)[::-1]])
    both = empirical_bayes_rate(two, persons, neighbours=RING, method=method)
    for number in (0, 1):
        alone = empirical_bayes_rate(two[:, number], persons, neighbours=RING, method=method)
        part = both[both["series"] == number].drop(columns=["series", "area"]).reset_index(drop=True)
        pd.testing.assert_frame_equal(part, alone, check_exact=False, rtol=1e-9, atol=1e-15)


def test_a_long_table_is_smoothed_map_by_map_and_keeps_its_rows():
    years = pd.concat(
        [COMMUNES.reset_index().assign(year=2023), COMMUNES.reset_index().assign(year=2024, deaths=[5, 6, 7, 8, 9])]
    ).sample(frac=1, random_state=1)
    found = empirical_bayes_rate(years, by="year", area="commune", neighbours=ROW)
    assert list(found.index) == list(years.index)
    first = found[found["year"] == 2023].set_index("commune").sort_index()
    np.testing.assert_allclose(first["rate"], rates(neighbours=ROW)["rate"])
    missing = empirical_bayes_rate(years.iloc[1:], by=["year"], area="commune")
    assert len(missing) == len(years) - 1
    assert (missing["status"] == "ok").all()
    with pytest.raises(UsageError, match="commune"):
        empirical_bayes_rate(pd.concat([years, years]), by="year", area="commune")


def test_a_population_listed_in_another_order_is_put_into_order():
    turned = empirical_bayes_rate(COMMUNES["deaths"], COMMUNES["population"].iloc[::-1])
    np.testing.assert_allclose(turned["rate"], rates()["rate"])
    with pytest.raises(InputError, match="5"):
        empirical_bayes_rate(COMMUNES["deaths"], COMMUNES["population"].drop(5))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "magic"}, "marshall"),
        ({"method": "spdep_local"}, "neighbours"),
        ({"neighbours": ROW, "islands": "sunk"}, "own"),
        ({"limits": "wide"}, "posterior"),
        ({"confidence": 2}, "0.95"),
    ],
)
def test_a_wrong_option_names_what_is_known(options, words):
    with pytest.raises(UsageError, match=words):
        rates(**options)


def test_a_probability_map_says_how_rare_the_count_is():
    from scipy.stats import poisson

    found = probability_map(COMMUNES["deaths"], COMMUNES["population"])
    expected = COMMUNES["population"] * 89 / 8500
    np.testing.assert_allclose(found["expected"], expected)
    np.testing.assert_allclose(found["probability"], poisson.cdf(COMMUNES["deaths"], expected))
    np.testing.assert_allclose(found["relative_risk"], 100 * COMMUNES["deaths"] / expected)
    more = probability_map(COMMUNES["deaths"], COMMUNES["population"], alternative="greater")
    np.testing.assert_allclose(more["probability"], poisson.sf(COMMUNES["deaths"] - 1, expected))
    side = probability_map(COMMUNES["deaths"], COMMUNES["population"], method="choynowski")
    assert list(side["direction"]) == ["high", "low", "low", "low", "high"]
    np.testing.assert_allclose(
        side["probability"], np.where(side["direction"] == "low", found["probability"], more["probability"])
    )
    nothing = probability_map([0, 0], [100, 0])
    assert list(nothing["reason"]) == ["reason.nothing_expected", "reason.no_person_years"]
    assert nothing["probability"].isna().all()


@pytest.mark.parametrize("method", METHODS)
def test_no_area_one_area_and_areas_without_events_are_answered(method):
    assert len(empirical_bayes_rate([], [], neighbours=[], method=method)) == 0
    one = empirical_bayes_rate([3], [100], neighbours=[[]], method=method).iloc[0]
    assert one["rate"] == pytest.approx(0.03)
    assert one["lower"] < 0.03 < one["upper"]
    nothing = empirical_bayes_rate([0, 0, 0], [10, 20, 30], neighbours=[[1], [0], []], method=method)
    assert (nothing["rate"] == 0).all()
    assert (nothing["status"] == "ok").all()


def test_a_binomial_rate_cannot_have_more_events_than_people_and_its_limits_stay_within_0_and_1():
    found = empirical_bayes_rate([0, 20, 9, 10], [10, 10, 10, 10], method="binomial")
    assert list(found["reason"]) == ["", "reason.more_events_than_total", "", ""]
    limits = found.loc[[0, 2, 3], ["lower", "upper"]]
    assert limits.notna().all(axis=None)
    assert ((limits >= 0) & (limits <= 1)).all(axis=None)
