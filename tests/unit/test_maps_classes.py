"""Classes of a map: a reader can put every value into its class by the legend alone."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tkyt_analysis.errors import UsageError
from tkyt_analysis.maps.classes import Classes, classify
from tkyt_analysis.maps.palettes import SEQUENTIAL as PALETTE
from tkyt_analysis.maps.palettes import ink_on
from tkyt_analysis.maps.schemes import COUNTED, SCHEMES, SELF_COUNTED, raw_bounds

VALUES = st.lists(st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3)), min_size=1, max_size=63)


EVERY_SCHEME = [scheme for scheme in SCHEMES if scheme != "given"]


@settings(max_examples=60, deadline=None)
@given(values=VALUES, scheme=st.sampled_from(EVERY_SCHEME), number=st.integers(2, 7))
def test_every_value_lies_within_the_bounds_of_its_class(values, scheme, number):
    classes = classify(np.array(values), scheme=scheme, n_classes=number)
    index = classes.index(np.array(values))
    low, high = np.array(classes.bounds)[index], np.array(classes.bounds)[index + 1]
    assert 1 <= classes.number <= 7
    assert classes.number <= number or scheme in (*SELF_COUNTED, "pretty")
    assert (low <= values).all()
    assert ((values < high) | (index == classes.number - 1)).all()
    assert (np.array(values) <= high).all()


def test_quantiles_put_as_many_units_into_each_class():
    classes = classify(np.arange(1, 21), scheme="quantile", n_classes=4)
    assert np.bincount(classes.index(np.arange(1, 21))).tolist() == [5, 5, 5, 5]


def test_equal_intervals_are_equally_wide():
    assert classify(np.array([0, 3, 10]), scheme="equal", n_classes=5).bounds == (0, 2, 4, 6, 8, 10)


def sum_of_squares(groups):
    return sum(((group - group.mean()) ** 2).sum() for group in groups)


@pytest.mark.parametrize("seed", range(4))
def test_natural_breaks_are_the_best_of_all_ways_to_cut(seed):
    values = np.sort(np.random.default_rng(seed).gamma(2, 10, 11))
    ways = [[0, *cut, 11] for cut in combinations(range(1, 11), 2)]
    best = min(sum_of_squares([values[a:b] for a, b in zip(way, way[1:])]) for way in ways)
    bounds = raw_bounds(values, "fisher_jenks", 3, 7)
    groups = np.split(values, np.searchsorted(values, bounds[1:-1]))
    assert sum_of_squares(groups) == pytest.approx(best)


@pytest.mark.parametrize("shift", [0, 100_000, 10_000_000])  # single precision would not part the shifted ones
def test_natural_breaks_find_the_groups_that_the_eye_sees(shift):
    bounds = raw_bounds(shift + np.array([1, 1, 2, 50, 51, 90, 92]), "fisher_jenks", 3, 7)
    assert bounds == pytest.approx([shift + 1, shift + (2 + 50) / 2, shift + (51 + 90) / 2, shift + 92], rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scheme", [s for s in EVERY_SCHEME if s not in ("quantile", "equal")])
def test_the_members_of_each_class_are_those_of_mapclassify(scheme, seed):
    import mapclassify

    names = {"head_tail": "HeadTailBreaks", "std_mean": "StdMean", "box_plot": "BoxPlot", "pretty": "PrettyBreaks"}
    classifier = getattr(mapclassify, names.get(scheme, scheme.title().replace("_", "")))
    values = np.sort(np.random.default_rng(seed).gamma(2, 10, 41))
    theirs = classifier(values, k=5) if scheme in COUNTED else classifier(values)
    ours = np.searchsorted(raw_bounds(values, scheme, 5, 99)[1:-1], values, side="right")
    assert np.array_equal(np.unique(ours, return_inverse=True)[1], np.unique(theirs.yb, return_inverse=True)[1])


@pytest.mark.parametrize(("scheme", "theirs"), [("quantile", "Quantiles"), ("equal", "EqualInterval")])
def test_the_bounds_worked_out_without_mapclassify_are_its_own(scheme, theirs):
    import mapclassify

    values = np.sort(np.random.default_rng(5).gamma(2, 10, 34))
    assert raw_bounds(values, scheme, 5, 7)[1:] == pytest.approx(getattr(mapclassify, theirs)(values, k=5).bins)


def test_thousands_of_communes_are_classified_from_a_sample_that_is_said():
    values = np.random.default_rng(2).gamma(2, 10, 3321)
    classes = classify(values, scheme="fisher_jenks")
    assert classes.sampled
    assert classes == classify(values[::-1], scheme="fisher_jenks"), "the same table, the same map"
    assert not classify(values[:63], scheme="fisher_jenks").sampled


def test_pretty_bounds_are_round_numbers():
    classes = classify(np.random.default_rng(3).uniform(3, 97, 63), scheme="pretty")
    assert classes.bounds[1:-1] == (20, 40, 60, 80)


def test_head_tail_breaks_end_at_the_number_of_colours():
    values = np.sort(np.random.default_rng(3).pareto(0.7, 3000))
    assert len(raw_bounds(values, "head_tail", 5, 7)) - 1 == 5
    assert raw_bounds(values, "head_tail", 5, 3)[:-1] == raw_bounds(values, "head_tail", 5, 7)[:3]


def test_a_province_far_from_all_others_gets_its_own_class():
    values = np.array([1.0, 2.0, 3.0, 100.2])
    classes = classify(values, scheme="fisher_jenks", n_classes=2, decimals=1)
    assert classes.number == 2
    assert classes.index(values).tolist() == [0, 0, 0, 1]


def test_provinces_with_one_value_make_one_class():
    classes = classify(np.array([4.2, 4.2, 4.2]))
    assert classes.number == 1
    assert classes.text(0, "vi") == "4,2"


def test_no_value_at_all_makes_no_class():
    assert classify(np.array([])).number == 0


def test_given_bounds_serve_maps_that_are_compared_and_refuse_what_they_do_not_cover():
    classes = classify(np.array([12.0, 55.0]), scheme="given", bounds=[0, 20, 40, 60])
    assert classes.index(np.array([0, 19.9, 20, 60])).tolist() == [0, 0, 1, 2]
    with pytest.raises(UsageError, match="60"):
        classify(np.array([61.0]), scheme="given", bounds=[0, 20, 40, 60])
    with pytest.raises(UsageError):
        classify(np.array([1.0]), scheme="given", bounds=[0, 40, 20])


def test_the_legend_writes_numbers_as_vietnamese_readers_do():
    classes = Classes("given", (1234.5, 2345.6, 3456.7), 1)
    assert classes.text(0, "vi") == "1.234,5 – dưới 2.345,6"
    assert classes.text(1, "vi") == "2.345,6 – 3.456,7"
    assert classes.text(0, "en") == "1,234.5 – under 2,345.6"


@pytest.mark.parametrize("options", [{"scheme": "magic"}, {"n_classes": 1}, {"n_classes": 8}, {"scheme": "given"}])
def test_an_unknown_way_to_classify_is_refused(options):
    with pytest.raises(UsageError):
        classify(np.array([1.0, 2.0]), **options)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return float(
        np.dot([0.2126, 0.7152, 0.0722], [p / 12.92 if p <= 0.04 else ((p + 0.055) / 1.055) ** 2.4 for p in parts])
    )


def test_the_palette_runs_from_light_to_dark_and_text_on_it_has_contrast():
    light = [luminance(colour) for colour in PALETTE]
    assert light == sorted(light, reverse=True)
    for colour in PALETTE:
        pair = sorted([luminance(colour), luminance(ink_on(colour))])
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, colour
