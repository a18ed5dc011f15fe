"""Scan statistic: drawn maps on which the answer can be seen, and the arithmetic of the likelihood ratio left visible."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.analysis.spatial import cluster_of_areas, expected_by_area, scan_statistic
from tkyt_analysis.errors import InputError, UsageError

# Six villages along a road, 1 000 people each; C and D have four times the cases of the others.
ROAD = table("""
    area | x | y | population | cases
    A    | 0 | 0 |       1000 |     5
    B    | 1 | 0 |       1000 |     5
    C    | 2 | 0 |       1000 |    20
    D    | 3 | 0 |       1000 |    20
    E    | 4 | 0 |       1000 |     5
    F    | 5 | 0 |       1000 |     5
""")


def most_likely(**options):
    return scan_statistic(ROAD, **options).iloc[0]


def test_the_most_likely_cluster_is_the_pair_of_villages_with_many_cases():
    found = most_likely()
    assert set(found["members"]) == {"C", "D"}
    assert (found["cases"], found["expected"]) == (40, 60 * 2000 / 6000)
    assert found["llr"] == pytest.approx(40 * np.log(40 / 20) + 20 * np.log(20 / 40))
    assert found["smr"] == pytest.approx(40 / 20)
    assert found["relative_risk"] == pytest.approx((40 / 20) / (20 / 40))
    assert found["p_value"] == pytest.approx(1 / 1000)
    assert (found["radius"], found["status"], found["reason"]) == (1, "ok", "")


def test_the_bernoulli_ratio_counts_the_people_without_the_event_too():
    found = most_likely(model="bernoulli")

    def log_likelihood(cases, people):
        return cases * np.log(cases / people) + (people - cases) * np.log(1 - cases / people)

    apart = log_likelihood(40, 2000) + log_likelihood(20, 4000)
    assert found["llr"] == pytest.approx(apart - log_likelihood(60, 6000))


def test_few_cases_are_found_when_low_clusters_are_asked_for():
    low = scan_statistic(ROAD, direction="low", report="all")
    assert (low["direction"] == "low").all()
    assert (low["smr"] < 1).all()
    assert {"C", "D"}.isdisjoint(sum(low["members"], ()))
    both = scan_statistic(ROAD, direction="both", report="all")
    assert both.iloc[0]["direction"] == "high"


def test_secondary_clusters_share_no_area_with_more_likely_ones():
    two = ROAD.assign(cases=[30, 2, 2, 2, 2, 30])
    found = scan_statistic(two, max_population_share=0.3)
    assert [set(members) for members in found["members"]] == [{"A"}, {"F"}]
    assert list(found["rank"]) == ["most_likely", "secondary"]
    assert len(scan_statistic(two, max_population_share=0.3, secondary="none")) == 1
    names = sum(scan_statistic(ROAD.assign(cases=[30, 28, 2, 2, 2, 30]), report="all", replicates=0)["members"], ())
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    "rule", ["no_overlap", "no_centres_in_other", "no_centres_in_more_likely", "no_pairs_of_centres", "all_centres"]
)
def test_every_rule_of_secondary_clusters_agrees_on_the_most_likely_one(rule):
    found = scan_statistic(ROAD, secondary=rule, report="all", replicates=99)
    assert set(found.iloc[0]["members"]) == {"C", "D"}
    assert found["llr"].is_monotonic_decreasing
    assert found["centre"].is_unique
    if rule == "no_overlap":
        names = sum(found["members"], ())
        assert len(names) == len(set(names))


def test_windows_stay_within_the_share_of_the_population_and_the_radius():
    assert most_likely(max_population_share=0.2)["areas"] == 1
    assert most_likely(max_radius=0.5)["areas"] == 1
    assert most_likely(max_areas=1)["areas"] == 1


def test_the_same_seed_gives_the_same_p_and_gumbel_lies_near_monte_carlo():
    first, again = (most_likely(seed=7, replicates=99)["p_value"] for _ in range(2))
    assert first == again
    weak = ROAD.assign(cases=[5, 5, 10, 8, 5, 5])
    simulated, fitted = (scan_statistic(weak, p_method=way).iloc[0]["p_value"] for way in ("monte_carlo", "gumbel"))
    assert simulated == pytest.approx(fitted, abs=0.08)


def test_under_chance_alone_p_values_are_spread_evenly():
    rng = np.random.default_rng(3)
    xy = rng.random((30, 2))
    found = [
        scan_statistic(rng.multinomial(150, np.full(30, 1 / 30)), np.full(30, 1000), xy, replicates=49).iloc[0][
            "p_value"
        ]
        for _ in range(40)
    ]
    assert (
        np.mean(np.array(found) <= 0.2) < 0.45
    )  # 8 of 40 are expected; 18 or more would happen less than once in 1 000 times
    assert 0.3 < np.mean(found) < 0.7


@settings(max_examples=15, deadline=None)
@given(
    counts=st.lists(st.integers(0, 30), min_size=5, max_size=8).filter(any),
    order=st.randoms(use_true_random=False),
)
def test_neither_the_order_of_the_areas_nor_the_scale_of_the_expected_cases_matters(counts, order):
    n = len(counts)
    xy = np.column_stack([np.arange(n) ** 1.5, np.zeros(n)])
    expected = 1.0 + np.arange(n)
    plain = scan_statistic(counts, None, xy, expected=expected, replicates=0)
    places = list(range(n))
    order.shuffle(places)
    mixed = scan_statistic(np.array(counts)[places], None, xy[places], expected=7 * expected[places], replicates=0)
    assert plain["llr"].head(1).tolist() == pytest.approx(mixed["llr"].head(1).tolist())


def test_every_window_is_looked_at():
    # The best of all windows, found by hand: every centre, every number of nearest villages.
    rng = np.random.default_rng(5)
    xy, people, cases = rng.random((12, 2)), rng.integers(500, 1500, 12), rng.integers(0, 20, 12)
    total, everybody, best = cases.sum(), people.sum(), 0.0
    for centre in range(12):
        near = np.argsort(np.hypot(*(xy - xy[centre]).T))
        for count in range(1, 13):
            inside = near[:count]
            if people[inside].sum() > everybody / 2:
                break
            c, e = cases[inside].sum(), total * people[inside].sum() / everybody
            if c > e:
                rest = (total - c) * np.log((total - c) / (total - e)) if c < total else 0
                best = max(best, c * np.log(c / e) + rest)
    assert scan_statistic(cases, people, xy, replicates=0).iloc[0]["llr"] == pytest.approx(best)


def test_an_ellipse_finds_a_cluster_along_a_river_that_circles_cut():
    side = np.arange(7)
    x, y = (part.ravel() for part in np.meshgrid(side, side))
    cases = np.where(y == 3, 12, 3)
    data = pd.DataFrame({"area": np.arange(49), "x": x, "y": y, "population": 1000, "cases": cases})
    circle = scan_statistic(data, replicates=0).iloc[0]
    ellipse = scan_statistic(data, shape="elliptic", ellipses={1: 1, 4: 2}, penalty="none", replicates=0).iloc[0]
    assert ellipse["llr"] > circle["llr"]
    assert ellipse["ratio"] > 1
    assert set(np.flatnonzero(y == 3)) >= set(ellipse["members"][:5])


# --------------------------------------------------------------------------------------------------------- time


def outbreak():
    """10 villages × 8 months, 2 cases each; villages 3 and 4 have 12 in months 6 and 7."""
    village, month = np.divmod(np.arange(80), 8)
    many = np.isin(village, [3, 4]) & np.isin(month, [5, 6])
    return pd.DataFrame(
        {
            "area": [f"X{v}" for v in village], "x": village * 1.0, "y": 0.0, "period": month + 1, "population": 500,
            "cases": np.where(many, 12, 2),
        }
    )  # fmt: skip


@pytest.mark.parametrize("model", ["poisson", "space_time_permutation"])
def test_a_cylinder_says_where_and_when(model):
    found = scan_statistic(outbreak(), time="retrospective", model=model, replicates=99).iloc[0]
    assert set(found["members"]) == {"X3", "X4"}
    assert (found["start"], found["end"]) == (6, 7)
    assert found["p_value"] <= 0.05


def test_a_prospective_scan_only_sees_what_goes_on_now():
    found = scan_statistic(outbreak(), time="prospective", replicates=99, report="all")
    assert (found["end"] == 8).all()


# ------------------------------------------------------------------------------------------- no answer, bad input


def test_a_map_without_cases_or_with_one_area_is_not_assessable():
    nothing = scan_statistic(ROAD.assign(cases=0)).iloc[0]
    assert (nothing["status"], nothing["reason"]) == ("not_assessable", "reason.scan_no_cases")
    alone = scan_statistic(ROAD.head(1)).iloc[0]
    assert (alone["status"], alone["reason"]) == ("not_assessable", "reason.scan_one_area")
    assert list(cluster_of_areas(scan_statistic(ROAD.assign(cases=0)), ROAD["area"])["status"].unique()) == [
        "not_assessable"
    ]


def test_the_same_rate_everywhere_is_no_cluster():
    assert scan_statistic(ROAD.assign(cases=5), report="all").empty


def test_fractions_of_cases_and_empty_villages_are_welcome():
    part = ROAD.assign(cases=[2.5, 2.5, 10.2, 9.8, 2.5, 0.0], population=[1000, 1000, 1000, 1000, 1000, 0])
    found = scan_statistic(part, replicates=99)
    assert set(found.iloc[0]["members"]) == {"C", "D"}
    assert found.iloc[0]["p_value"] <= 0.05


def test_longitude_and_latitude_are_measured_along_the_globe():
    degrees = ROAD.rename(columns={"x": "longitude", "y": "latitude"})
    assert scan_statistic(degrees, replicates=0).iloc[0]["radius"] == pytest.approx(6371.0088 * np.pi / 180, rel=1e-6)


def test_a_map_shows_each_area_in_its_most_likely_cluster():
    areas = cluster_of_areas(scan_statistic(ROAD), ["F", "C", "D"])
    assert list(areas["cluster"]) == [0, 1, 1]
    assert list(areas["significant"]) == [False, True, True]


def test_expected_cases_use_the_rate_of_each_stratum_whatever_the_order_of_the_rows():
    strata = table("""
        area | age   | cases | population
        A    | young |     1 |        900
        A    | old   |     9 |        100
        B    | young |     1 |        100
        B    | old   |    81 |        900
    """)
    young, old = (1 + 1) / 1000, (9 + 81) / 1000
    want = [900 * young + 100 * old, 100 * young + 900 * old]
    assert expected_by_area(strata, "area", "age")["expected"].tolist() == pytest.approx(want)
    mixed = expected_by_area(strata.iloc[[3, 0, 2, 1]], "area", ["age"]).set_index("area")
    assert mixed.loc[["A", "B"], "expected"].tolist() == pytest.approx(want)


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        ({"cases": [-1, 5, 5, 5, 5, 5]}, {}, InputError, "cases"),
        ({"population": [0, 1000, 1000, 1000, 1000, 1000]}, {}, InputError, "A"),
        ({"cases": [2000, 5, 5, 5, 5, 5]}, {"model": "bernoulli"}, InputError, "A"),
        ({}, {"model": "gaussian"}, UsageError, "space_time_permutation"),
        ({}, {"max_population_share": 50}, UsageError, "max_population_share"),
        ({}, {"model": "space_time_permutation"}, UsageError, "time"),
        ({}, {"time": "retrospective"}, InputError, "period"),
        ({"area": ["A", "A", "C", "D", "E", "F"]}, {}, InputError, "6"),
    ],
)
def test_what_cannot_be_scanned_is_refused_with_a_sentence(change, options, error, words):
    with pytest.raises(error, match=words):
        scan_statistic(ROAD.assign(**change), **options)


def test_without_coordinates_the_sentence_says_what_to_add():
    with pytest.raises(InputError, match="longitude"):
        scan_statistic([1, 2], [10, 10])
