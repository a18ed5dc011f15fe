"""Moran, Geary, G, the empirical Bayes index, local Moran, Gi, Gi* and join counts."""

import itertools

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.spatial import (
    cluster_word,
    empirical_bayes_index,
    geary,
    global_g,
    join_count,
    local_g,
    local_moran,
    moran,
    spatial_weights,
)
from tkyt_analysis.errors import UsageError

# Six areas in a row, and an island.
ROW = {1: [2], 2: [1, 3], 3: [2, 4], 4: [3, 5], 5: [4, 6], 6: [5]}
VALUES = pd.Series([9.0, 8, 6, 3, 2, 2], index=[1, 2, 3, 4, 5, 6])
WITH_ISLAND = pd.concat([VALUES, pd.Series([4.0], index=[7])])
# A board of 5 × 5 fields, sides touch.
SIDE = 5
BOARD = [
    [r * SIDE + c for r, c in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)) if 0 <= r < SIDE and 0 <= c < SIDE]
    for i in range(SIDE)
    for j in range(SIDE)
]
HILL = np.array([np.exp(-0.3 * ((i - 1) ** 2 + (j - 1) ** 2)) for i in range(SIDE) for j in range(SIDE)])


def board_matrix():
    w = np.zeros((SIDE**2, SIDE**2))
    for i, others in enumerate(BOARD):
        w[i, others] = 1
    return w


def test_morans_i_is_the_slope_of_the_neighbours_on_the_own_value():
    z = VALUES.to_numpy() - 5
    lag = [z[1], (z[0] + z[2]) / 2, (z[1] + z[3]) / 2, (z[2] + z[4]) / 2, (z[3] + z[5]) / 2, z[4]]
    found = moran(VALUES, ROW).iloc[0]
    assert found["statistic"] == pytest.approx((z @ lag) / (z @ z))
    assert found["expectation"] == -1 / 5
    assert list(found.index) == [
        "statistic", "expectation", "variance", "z", "p_value", "lower", "upper", "areas", "islands", "method", "status",
        "reason",
    ]  # fmt: skip


@pytest.mark.parametrize("test", [moran, geary, global_g])
@pytest.mark.parametrize("style", ["W", "B", "C", "U", "S", "minmax"])
def test_mean_and_variance_are_those_over_all_arrangements_of_the_values(test, style):
    weights = spatial_weights(ROW, ids=VALUES.index, style=style)
    found = test(VALUES, weights).iloc[0]
    all_orders = np.array(list(itertools.permutations(VALUES))).T
    every = test(all_orders, weights)["statistic"]
    assert found["expectation"] == pytest.approx(every.mean(), rel=1e-9)
    assert found["variance"] == pytest.approx(every.var(ddof=0), rel=1e-9)
    assert every.iloc[0] == pytest.approx(found["statistic"])  # the first order is the given one


def test_gearys_c_compares_each_pair_of_neighbours():
    x = VALUES.to_numpy()
    squares = 2 * sum((x[i] - x[i + 1]) ** 2 for i in range(5))
    found = geary(VALUES, ROW, style="B").iloc[0]
    assert found["statistic"] == pytest.approx(5 * squares / (2 * 10 * ((x - 5) ** 2).sum()))
    assert found["z"] > 0  # like beside like: C is below 1


def test_the_share_of_high_beside_high_is_g():
    x = VALUES.to_numpy()
    pairs = 2 * sum(x[i] * x[i + 1] for i in range(5))
    assert global_g(VALUES, ROW)["statistic"].iloc[0] == pytest.approx(pairs / (x.sum() ** 2 - (x**2).sum()))
    assert global_g(VALUES - 5, ROW)["reason"].iloc[0] == "reason.negative_value"


def test_an_island_does_not_count_in_morans_n_unless_asked():
    z = (WITH_ISLAND - WITH_ISLAND.mean()).to_numpy()
    lag = spatial_weights(ROW, ids=WITH_ISLAND.index).matrix @ z
    without, counted = moran(WITH_ISLAND, ROW).iloc[0], moran(WITH_ISLAND, ROW, count="all").iloc[0]
    assert without["statistic"] == pytest.approx((z @ lag) / (z @ z))  # n = S0 = 6
    assert counted["statistic"] == pytest.approx(7 / 6 * (z @ lag) / (z @ z))
    assert (without["expectation"], counted["expectation"]) == (-1 / 5, -1 / 6)
    assert (without["areas"], without["islands"]) == (7, 1)


def test_spdep_mixes_both_numbers_of_areas_in_c_and_g_where_there_are_islands():
    # adjust.n=TRUE reduces n, but globalG.test multiplies by the number of all areas: E = S0/(7·5), not S0/(6·5) or S0/(7·6).
    expectation = {count: global_g(WITH_ISLAND, ROW, count=count)["expectation"].iloc[0] for count in
                   ("spdep", "with_neighbours", "all")}  # fmt: skip
    assert expectation == {
        "spdep": pytest.approx(10 / 35), "with_neighbours": pytest.approx(10 / 30), "all": pytest.approx(10 / 42)
    }  # fmt: skip


def test_areas_without_value_are_left_out_and_the_weights_set_anew():
    gap = VALUES.copy()
    gap[3] = np.nan
    ring = {**ROW, 1: [2, 6], 6: [5, 1]}
    left = {1: [2, 6], 2: [1], 4: [5], 5: [4, 6], 6: [5, 1]}
    found, wanted = moran(gap, ring), moran(VALUES.drop(3), left)
    pd.testing.assert_frame_equal(found, wanted)
    local = local_moran(gap, ring)
    assert local.loc[3, "reason"] == "reason.value_missing"
    assert np.isnan(local.loc[3, "local_i"])
    pd.testing.assert_frame_equal(local.drop(3), local_moran(VALUES.drop(3), left))


def test_maps_with_different_gaps_are_each_tested_on_their_own_areas():
    both = pd.DataFrame({"a": VALUES, "b": VALUES.where(VALUES.index != 6)})
    found = moran(both, ROW)
    assert list(found["areas"]) == [6, 5]
    alone = moran(both["b"], ROW)
    assert found["variance"].iloc[1] == alone["variance"].iloc[0]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (VALUES * 0 + 3, "reason.values_alike"),
        (VALUES.iloc[:2], "reason.too_few_areas_with_neighbours"),
    ],
)
def test_a_map_that_cannot_be_tested_says_why(values, reason):
    neighbours = {i: [j for j in others if j in values.index] for i, others in ROW.items() if i in values.index}
    found = moran(values, neighbours).iloc[0]
    assert found["reason"] == reason
    assert found["status"] == "not_assessable"
    assert np.isnan(found["p_value"])


def test_permutations_are_seeded_and_agree_with_the_moments():
    exact = moran(HILL, BOARD).iloc[0]
    drawn, again = (moran(HILL, BOARD, assumption="permutation", permutations=499, seed=7).iloc[0] for _ in range(2))
    pd.testing.assert_series_equal(drawn, again)
    assert drawn["variance"] == pytest.approx(exact["variance"], rel=0.25)
    assert drawn["expectation"] == pytest.approx(exact["expectation"], abs=0.05)
    assert drawn["p_value"] == 1 / 500
    assert moran(HILL, BOARD, assumption="permutation", alternative="less", permutations=99)["p_value"].iloc[0] == 1


def test_the_index_of_assuncao_and_reis_is_moran_of_standardised_rates():
    events, people = np.array([30, 2, 40, 8, 9, 1.0]), np.array([1000, 1000, 4000, 2000, 500, 900.0])
    b = events.sum() / people.sum()
    p = events / people
    a = (people * (p - b) ** 2).sum() / people.sum() - b / people.mean()
    z = (p - b) / np.sqrt(a + b / people)
    found = empirical_bayes_index(events, people, list(ROW.values()), permutations=19)
    assert found["statistic"].iloc[0] == pytest.approx(moran(z, list(ROW.values()))["statistic"].iloc[0])
    local = local_moran(events, list(ROW.values()), population=people)
    np.testing.assert_allclose(local["local_i"], local_moran(z, list(ROW.values()))["local_i"])


def test_without_variance_between_areas_the_paper_and_spdep_standardise_differently():
    events, people = [10, 11, 9, 10, 10, 10], [1000, 900, 1100, 1000, 1000, 1000]
    found = [
        empirical_bayes_index(events, people, list(ROW.values()), variance=name, permutations=19)["statistic"].iloc[0]
        for name in ("spdep", "paper")
    ]
    assert np.isfinite(found).all()
    assert found[0] != found[1]


def test_where_the_papers_variance_of_an_area_is_negative_its_chance_part_stands_in():
    from tkyt_analysis.analysis.spatial.standardised_rates import standardised_rate

    events, people = np.array([[10.0], [11], [9], [50]]), np.array([[1000.0], [1100], [900], [5000]])
    b = 80 / 8000
    assert (events / people == b).all()  # no variance at all: a = −b/2000
    events[0] += 1
    b = 81 / 8000
    a = 1000 * (0.011 - b) ** 2 / 8000 + 7000 * (0.01 - b) ** 2 / 8000 - b / 2000
    total = a + b / people[:, 0]
    assert total[3] < 0 < total[0]
    found = standardised_rate(events, people, variance="paper")[:, 0]
    assert found[3] == pytest.approx((0.01 - b) / np.sqrt(b / 5000))
    assert found[0] == pytest.approx((0.011 - b) / np.sqrt(total[0]))


def test_permuted_c_is_significant_where_like_lies_beside_like():
    drawn = geary(HILL, BOARD, assumption="permutation", permutations=199).iloc[0]
    assert drawn["p_value"] == 1 / 200
    assert geary(HILL, BOARD, assumption="permutation", permutations=199, alternative="less")["p_value"].iloc[0] == 1


def test_local_morans_add_up_to_morans_i():
    local, whole = local_moran(HILL, BOARD), moran(HILL, BOARD).iloc[0]
    assert local["local_i"].mean() == pytest.approx(whole["statistic"])
    geoda = local_moran(HILL, BOARD, scaling="esda")
    np.testing.assert_allclose(geoda["local_i"], local["local_i"] * 24 / 25)


def test_total_mean_and_variance_of_local_moran_are_those_over_all_arrangements():
    found = local_moran(VALUES, ROW, variance="total")
    all_orders = np.array(list(itertools.permutations(VALUES))).T
    every = local_moran(pd.DataFrame(all_orders, index=VALUES.index), ROW)
    drawn = every.groupby("area")["local_i"]
    np.testing.assert_allclose(found["expectation"], drawn.mean())
    np.testing.assert_allclose(found["variance"], drawn.var(ddof=0))


def test_conditional_mean_and_variance_hold_the_own_value():
    # Area 2 keeps its 8; the other five values are arranged in all ways.
    found = local_moran(VALUES, ROW).loc[2]
    rest = np.array(list(itertools.permutations(VALUES.drop(2)))).T
    orders = np.vstack([rest[:1], np.full((1, rest.shape[1]), 8.0), rest[1:]])
    every = local_moran(pd.DataFrame(orders, index=VALUES.index), ROW).query("area == 2")["local_i"]
    assert found["expectation"] == pytest.approx(every.mean())
    assert found["variance"] == pytest.approx(every.var(ddof=0))
    drawn = local_moran(VALUES, ROW, variance="permutation", permutations=2000, seed=3).loc[2]
    assert drawn["variance"] == pytest.approx(found["variance"], rel=0.1)


def test_clusters_have_names_and_an_island_has_none():
    found = local_moran(WITH_ISLAND, ROW, alpha=0.9)
    assert list(found["quadrant"])[:3] == ["high_high"] * 3
    assert found["quadrant"].iloc[5] == "low_low"
    island = found.loc[7]
    assert (island["local_i"], island["neighbours"], island["cluster"]) == (0, 0, "")
    assert island["reason"] == "reason.no_neighbours"
    assert np.isnan(island["p_value"])
    assert set(local_moran(VALUES, ROW, alpha=1e-9)["cluster"]) == {"not_significant"}
    assert cluster_word("high_high", "vi") == "Cao – xung quanh cao"


def test_quadrants_may_be_cut_at_the_mean_or_the_median_of_values_and_neighbours():
    values = pd.Series([100.0, 1, 2, 3, 4, 5], index=VALUES.index)
    by_mean, by_median = (local_moran(values, ROW, quadrant=name)["quadrant"] for name in ("mean", "median"))
    assert by_mean.str.startswith("high").sum() == 1
    assert by_median.str.startswith("high").sum() == 3


def test_adjusted_p_values_are_those_of_scipy_and_of_holm():
    from scipy.stats import false_discovery_control

    p = local_moran(HILL, BOARD)["p_value"]
    np.testing.assert_allclose(local_moran(HILL, BOARD, adjust="fdr")["p_adjusted"], false_discovery_control(p))
    np.testing.assert_allclose(
        local_moran(HILL, BOARD, adjust="by")["p_adjusted"], false_discovery_control(p, method="by")
    )
    np.testing.assert_allclose(local_moran(HILL, BOARD, adjust="bonferroni")["p_adjusted"], np.minimum(25 * p, 1))
    holm = local_moran(HILL, BOARD, adjust="holm")["p_adjusted"]
    assert holm.min() == pytest.approx(25 * p.min())
    assert (holm >= p).all()
    assert (holm <= np.minimum(25 * p, 1) + 1e-12).all()
    near = local_moran(HILL, BOARD, adjust="bonferroni_neighbours")
    np.testing.assert_allclose(near["p_adjusted"], np.minimum(p * (near["neighbours"] + 1), 1))


def test_gi_compares_the_neighbours_with_all_others():
    # Ord & Getis 1995: mean and variance of the sum of k values drawn without repetition from the others.
    found, x = local_g(VALUES, ROW), VALUES.to_numpy()
    others = np.delete(x, 2)
    k, m = 2, 5
    z = (x[1] + x[3] - k * others.mean()) / np.sqrt(k * (m - k) / (m - 1) * others.var())
    assert found.loc[3, "z"] == pytest.approx(z)
    assert found.loc[3, "g"] == pytest.approx((x[1] + x[3]) / others.sum())
    star = local_g(VALUES, ROW, star=True)
    k, m = 3, 6
    z = (x[1] + x[2] + x[3] - k * x.mean()) / np.sqrt(k * (m - k) / (m - 1) * x.var())
    assert star.loc[3, "z"] == pytest.approx(z)
    assert star["method"].iloc[0].startswith("local_g_star")


def test_an_island_has_a_gi_star_of_its_own_and_no_gi():
    plain, star = (local_g(WITH_ISLAND, ROW, star=star).loc[7] for star in (False, True))
    assert plain["reason"] == "reason.no_neighbours"
    assert np.isnan(plain["z"])
    x = WITH_ISLAND.to_numpy()
    assert star["z"] == pytest.approx((4 - x.mean()) / x.std())  # k = 1: variance of one draw


def test_hot_spots_lie_on_the_hill():
    found = local_g(HILL, BOARD, star=True)
    assert found["cluster"].iloc[6] == "hot"
    assert "hot" not in set(found["cluster"].iloc[20:])
    drawn = local_g(HILL, BOARD, star=True, variance="permutation", permutations=499)
    assert drawn["z"].corr(found["z"]) > 0.99


def test_the_variance_of_binary_weights_is_wrong_for_weights_that_add_to_one():
    general, binary = (local_g(VALUES, ROW, style="W", variance=name)["z"] for name in ("general", "binary"))
    np.testing.assert_allclose(general, local_g(VALUES, ROW, style="B")["z"])  # Gi's z does not depend on scale
    assert (general - binary).abs().max() > 0.1


def test_joins_of_a_kind_are_counted_and_compared_with_all_arrangements():
    kinds = pd.Series(["a", "a", "a", "b", "b", "a"], index=VALUES.index)
    found = join_count(kinds, ROW).set_index("kind")
    assert list(found["joins"]) == [2, 1]  # a: 1-2, 2-3; b: 4-5
    every = [sum(order[i] == order[i + 1] == "a" for i in range(5)) for order in itertools.permutations(kinds)]
    assert found.loc["a", "expectation"] == pytest.approx(np.mean(every))
    assert found.loc["a", "variance"] == pytest.approx(np.var(every))
    free = join_count(kinds, ROW, sampling="free").set_index("kind")
    assert free.loc["a", "expectation"] == pytest.approx(5 * (4 / 6) ** 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: moran(VALUES, ROW, assumption="faith"), "randomisation"),
        (lambda: moran(VALUES, ROW, style="Z"), "minmax"),
        (lambda: moran(VALUES, ROW, alternative="up"), "two_sided"),
        (lambda: moran(VALUES, ROW, assumption="permutation", permutations=0), "999"),
        (lambda: local_moran(VALUES, {**ROW, 1: [1, 2]}), "local_g"),
        (lambda: local_moran(VALUES, ROW, adjust="hope"), "fdr"),
    ],
)
def test_a_wrong_option_is_a_sentence(call, words):
    with pytest.raises(UsageError, match=words):
        call()


ISLANDS = [[] for _ in range(5)]
TWO_PAIRS = [[1], [0], [3], [2], []]


@pytest.mark.parametrize("test", [moran, geary, global_g])
@pytest.mark.parametrize("assumption", ["randomisation", "permutation"])
def test_islands_only_one_value_only_or_nothing_at_all_give_a_reason_and_no_figure(test, assumption):
    for values, neighbours in (([1.0, 2, 3, 4, 5], ISLANDS), ([np.nan] * 5, TWO_PAIRS), ([], [])):
        found = test(values, neighbours, assumption=assumption).iloc[0]
        assert found["status"] == "not_assessable"
        assert found["reason"].startswith("reason.")
        assert found[["statistic", "z", "p_value"]].isna().all()
    with pytest.raises(UsageError):
        test(pd.DataFrame(index=range(5)), TWO_PAIRS)


def test_a_single_positive_value_beside_an_island_has_no_variance_for_g():
    found = global_g([0, 0, 0, 0, 1.0], TWO_PAIRS).iloc[0]
    assert found["reason"] == "reason.no_test_variance"


def test_an_area_at_the_mean_has_no_conditional_variance_and_says_so():
    found = local_moran([1.0, 2, 3, 4, 0], [[1], [0, 2], [1, 3], [2], [3]])
    assert found["reason"].iloc[1] == "reason.no_test_variance"
    assert found["cluster"].iloc[1] == ""
    assert list(found["status"].drop(1)) == ["ok"] * 4


@pytest.mark.parametrize("variance", ["conditional", "permutation"])
def test_local_figures_of_islands_only_are_not_assessable(variance):
    found = local_moran([1.0, 2, 3, 4, 5], ISLANDS, variance=variance)
    assert set(found["reason"]) == {"reason.no_neighbours"}
    assert set(local_moran([], [])["reason"]) == set()


def test_kinds_without_neighbours_are_counted_and_not_tested():
    found = join_count(["a", "b", "a", None, "a"], TWO_PAIRS)
    assert list(found["areas"]) == [3, 1]
    assert set(found["status"]) == {"not_assessable"}
    assert len(join_count([], [])) == 0
