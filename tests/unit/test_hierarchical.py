"""BYM2: the map's algebra against its definition, and one small map sampled once with an island, a gap and an empty area."""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.spatial import bym2_rate, evidence_label, gamma_poisson_rate, sampling_report
from tkyt_analysis.analysis.spatial.chain_diagnostics import ess_bulk, r_hat
from tkyt_analysis.analysis.spatial.hierarchical import evidence
from tkyt_analysis.analysis.spatial.hierarchical_graph import directions
from tkyt_analysis.analysis.spatial.hierarchical_models import MODELS, model_of
from tkyt_analysis.errors import InputError, UsageError

# 5 × 5 communes; the left column has twice the expected events, the others 0.9 times; an island; one count is missing
# and nobody lives in another commune.
SIDE = 5
ISLAND, MISSING, EMPTY = "island", "c2", "c13"
NAMES = [f"c{place}" for place in range(SIDE * SIDE)] + [ISLAND]


def grid_neighbours():
    row, col = np.divmod(np.arange(SIDE * SIDE), SIDE)
    beside = np.abs(row[:, None] - row) + np.abs(col[:, None] - col) == 1
    i, j = np.nonzero(beside)
    return pd.DataFrame({"i": [NAMES[k] for k in i], "j": [NAMES[k] for k in j]})


def communes():
    left = np.arange(SIDE * SIDE) % SIDE == 0
    events = np.append(np.where(left, 60.0, 27.0), 30.0)
    data = pd.DataFrame({"area": NAMES, "events": events, "expected": 30.0, "population": 10_000.0}).set_index(
        "area", drop=False
    )
    data.loc[MISSING, "events"] = np.nan
    data.loc[EMPTY, ["events", "expected", "population"]] = 0.0
    return data


@pytest.fixture(scope="module")
def fitted():
    return bym2_rate(communes(), neighbours=grid_neighbours(), draws=300, warmup=300, rounds=2, seed=4)


def test_the_chains_agree_and_say_so(fitted):
    said = fitted.attrs["sampling"]
    assert said["r_hat"] < 1.01
    assert said["converged"]
    assert said["ess_bulk"] > 200
    assert said["chains"] == 4
    assert "1,00" in sampling_report(fitted, "vi")
    assert "R-hat" in sampling_report(fitted, "en")
    assert f"r_hat={said['r_hat']:.3f}" in fitted["method"].iloc[0]


def test_high_communes_stay_high_and_are_pulled_towards_their_neighbours(fitted):
    by_name = fitted.set_index("area")
    left = by_name.loc[["c0", "c5", "c10"]]
    assert (left["evidence"] == "raised").all()
    assert (left["exceedance"] > 0.99).all()
    assert (left["relative_risk"] < 2).all()
    assert (left["relative_risk"] > 1.5).all()
    assert (by_name["lower"] <= by_name["median"]).sum() == by_name["median"].notna().sum()
    assert by_name.loc["c0", "rate"] == pytest.approx(100_000 * by_name.loc["c0", "relative_risk"] * 30 / 10_000)


def test_a_missing_count_is_predicted_from_its_neighbours_with_wider_limits(fitted):
    by_name = fitted.set_index("area")
    gap, seen = by_name.loc[MISSING], by_name.loc["c3"]
    assert (gap["status"], gap["reason"]) == ("modelled", "reason.bym_events_missing")
    assert 0.6 < gap["relative_risk"] < 1.4
    assert gap["upper"] - gap["lower"] > seen["upper"] - seen["lower"]


def test_where_nobody_lives_there_is_no_rate_and_a_reason(fitted):
    empty = fitted.set_index("area").loc[EMPTY]
    assert (empty["status"], empty["reason"]) == ("not_assessable", "reason.bym_nobody")
    assert np.isnan(empty["relative_risk"])
    assert empty["evidence"] == ""


def test_an_island_is_smoothed_towards_the_map_and_has_no_neighbours_part(fitted):
    island = fitted.set_index("area").loc[ISLAND]
    assert island["island"]
    assert island["structured"] == pytest.approx(0)
    assert 0.8 < island["relative_risk"] < 1.3
    assert island["status"] == "modelled"


def test_fit_and_parameters_are_told(fitted):
    parameters = fitted.attrs["parameters"]
    assert set(parameters) == {"sigma", "rho", "level"}
    assert 0 < parameters["sigma"]["lower"] < parameters["sigma"]["upper"]
    fit = fitted.attrs["fit"]
    assert 1 < fit["p_d"] < 24
    assert fit["dic"] > fit["p_d"]


# ------------------------------------------------------------------------------------------------ the map's algebra


def laplacian(pairs, names):
    q = np.zeros((len(names), len(names)))
    for i, j in zip(pairs["i"], pairs["j"], strict=True):
        q[names.index(i), names.index(j)] = -1
    return q - np.diag(q.sum(axis=1))


def two_pieces():
    """A path of four, a triangle, and an island: each piece has its own scaling factor."""
    links = [("a", "b"), ("b", "c"), ("c", "d"), ("e", "f"), ("f", "g"), ("g", "e")]
    return pd.DataFrame(links + [(j, i) for i, j in links], columns=["i", "j"]), list("abcdefgh")


def test_scaled_structured_variances_have_geometric_mean_one_in_every_piece():
    pairs, names = two_pieces()
    graph = directions(pairs, names, len(names))
    variances = graph.vectors**2 @ graph.structured
    for piece in ("abcd", "efg"):
        inside = [names.index(name) for name in piece]
        assert np.exp(np.log(variances[inside]).mean()) == pytest.approx(1)
        smooth = graph.vectors[inside] * np.sqrt(graph.structured)
        assert smooth.sum(axis=0) == pytest.approx(np.zeros(len(names)), abs=1e-12)  # sum to zero, exactly
    assert variances[names.index("h")] == pytest.approx(1)
    assert list(graph.island) == [False] * 7 + [True]
    # a triangle: generalised inverse of D − W has 2/9 on the diagonal
    assert graph.scales[graph.component[names.index("e")]] == pytest.approx(2 / 9)


def test_variances_by_direction_equal_the_covariance_of_the_definition():
    pairs, names = two_pieces()
    graph, n = directions(pairs, names, len(names)), len(names)
    generalised = np.linalg.pinv(laplacian(pairs, names))
    p = {"sigma": 0.7, "rho": 0.6, "sigma2": 0.2, "tau2": 0.5}
    scaled = generalised / graph.scales[graph.component]
    scaled[-1, -1] = 1  # the island: independent, of the same variance
    want = {
        "bym2": 0.7**2 * (0.4 * np.eye(n) + 0.6 * scaled),
        "bym": 0.2 * np.eye(n) + 0.5 * generalised,
        "leroux": 0.5 * np.linalg.inv(0.6 * laplacian(pairs, names) + 0.4 * np.eye(n)),
    }
    for name, covariance in want.items():
        model = model_of(name, graph)
        vectors = graph.vectors[:, model.used]
        ours = vectors @ np.diag(model.variance(p, np)[0] * np.ones(len(model.used))) @ vectors.T
        np.testing.assert_allclose(ours, covariance, atol=1e-12)


def test_the_level_of_a_map_in_one_piece_is_left_to_the_intercept():
    graph = directions([[1], [0, 2], [1]], None, 3)
    assert all(len(model_of(name, graph).used) == 2 for name in MODELS)


def test_links_told_in_one_direction_hold_in_both_and_are_counted():
    graph = directions(pd.DataFrame({"i": ["a", "b"], "j": ["b", "c"]}), ["a", "b", "c"], 3)
    assert graph.symmetrised == 2
    assert not graph.island.any()


# --------------------------------------------------------------------------------------------------------- chains


def test_r_hat_sees_chains_that_disagree_in_place_or_in_spread():
    draws = np.random.default_rng(1).normal(size=(4, 400, 3))
    assert r_hat(draws).max() < 1.01
    draws[0, :, 1] += 1
    draws[0, :, 2] *= 4
    assert (r_hat(draws)[1:] > 1.05).all()


def test_repeated_draws_count_once():
    draws = np.random.default_rng(1).normal(size=(4, 100, 1))
    assert ess_bulk(np.repeat(draws, 4, axis=1))[0] < 0.5 * 4 * 400
    assert ess_bulk(np.ones((4, 50, 1)))[0] == 200


def test_words_follow_the_cut_offs_of_80_and_95_per_cent():
    assert list(evidence([0.99, 0.95, 0.8, 0.5, 0.2, 0.05])) == [
        "raised", "raised", "probably_raised", "unclear", "probably_lowered", "lowered",
    ]  # fmt: skip
    assert "95" in evidence_label("raised", "vi")
    assert evidence_label("") == ""


# ------------------------------------------------------------------------------------------------ gamma and Poisson


def test_a_gamma_of_known_shape_is_found_again_and_areas_are_pulled_to_the_mean():
    rng = np.random.default_rng(2)
    expected = rng.uniform(5, 50, 4000)
    events = rng.poisson(expected * rng.gamma(4.0, 1 / 4.0, 4000))
    found = gamma_poisson_rate(events, expected)
    alpha, middle = found.attrs["alpha"], np.exp(found.attrs["beta"][0])
    assert alpha == pytest.approx(4.0, rel=0.1)
    want = (alpha + events) / (alpha / middle + expected)
    np.testing.assert_allclose(found["relative_risk"], want)


def test_risks_that_differ_by_no_more_than_chance_are_taken_as_equal():
    found = gamma_poisson_rate([10, 10, 10, 10], [10, 10, 10, 10])
    assert np.isinf(found.attrs["alpha"])
    np.testing.assert_allclose(found["relative_risk"], 1)


def test_areas_without_a_count_do_not_enter_the_gamma():
    found = gamma_poisson_rate([3, np.nan, 9, 1, 20], [5, 5, 5, 5, 0])
    assert list(found["reason"]) == ["", "reason.events_missing", "", "", "reason.bym_expected_missing"]
    same = gamma_poisson_rate([3, 9, 1], [5, 5, 5])
    assert found.attrs["alpha"] == pytest.approx(same.attrs["alpha"])


# ------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (([1, 2], [1, 1]), {}, InputError, "iid"),
        (([1, 2],), {"neighbours": [[1], [0]]}, InputError, "expected"),
        (([1, 2], [1, 1], [[1], [0]]), {"model": "besag_york"}, UsageError, "leroux"),
        (([1, 2], [1, 1], [[1], [0]]), {"priors": "flat"}, UsageError, "carbayes"),
        (([1, 2], [1, 1], [[1], [0]]), {"covariates": [1.0, np.nan]}, InputError, "1"),
        (([1, 2], [1, 1, 1], [[1], [0]]), {}, InputError, "expected 3"),
        (([1, 2], [1, 1], [[1], [0]]), {"areas": ["a", "a"]}, InputError, "2"),
        (([1, 2], [1, 1], [[1], [0]]), {"draws": 0}, UsageError, "draws"),
    ],
)
def test_what_cannot_be_modelled_is_refused_with_a_sentence(arguments, options, error, words):
    with pytest.raises(error, match=words):
        bym2_rate(*arguments, **options)


def test_a_map_without_events_is_not_assessable():
    answer = bym2_rate([0, 0, np.nan], [1, 1, 1], [[1], [0, 2], [1]])
    assert (answer["status"] == "not_assessable").all()
    assert (answer["reason"] != "").all()
    assert "0" not in sampling_report(answer, "vi")
