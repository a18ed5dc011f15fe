"""Coale–Demeny West: the re-entered numbers fit each other, and the spline is a cubic's own."""

import numpy as np
import pytest

from mortality.measures.completeness.model_west import (
    AGES,
    _levels,
    _probabilities,
    cubic_spline,
    life_expectancy_of_open_age,
    model_life_expectancy,
)


def test_female_levels_are_2_5_years_of_life_expectancy_apart_from_20_on():
    # The highest level stands at 79.98: the book's own rounding of the regressions.
    assert model_life_expectancy("female")[:, 0] == pytest.approx(20 + 2.5 * np.arange(25), abs=0.03)


@pytest.mark.parametrize("sex", ["female", "male"])
def test_ratios_of_deaths_that_were_printed_follow_from_the_model(sex):
    e10, printed = _levels(sex)
    alive = np.cumprod(1 - _probabilities(sex, e10), axis=1)  # to 1, 5, 10 … : columns 2, 8, 12 are 10, 40, 60
    ratio = (alive[:, 2] - alive[:, 8]) / (alive[:, 8] - alive[:, 12])
    assert np.isnan(printed[:2]).all()
    assert ratio[2:] == pytest.approx(printed[2:], abs=0.006)


def test_expectancy_falls_with_age_and_rises_with_the_level():
    for sex in ("female", "male"):
        table = model_life_expectancy(sex)
        assert (np.diff(table[:, AGES >= 5], axis=1) < 0).all()
        assert (np.diff(table, axis=0) > 0).all()


def test_spline_through_a_cubic_is_the_cubic_inside_and_outside():
    x = np.array([0.0, 1.0, 2.5, 3.0, 5.0, 7.0])
    cubic = np.polynomial.Polynomial([2, -1, 0.5, -0.1])
    at = np.array([-1.0, 0.0, 0.4, 2.7, 6.9, 8.0])
    assert cubic_spline(x, cubic(x), at) == pytest.approx(cubic(at), abs=1e-10)


def test_an_unknown_sex_or_an_age_without_model_has_no_expectancy():
    ratio = np.array([0.5, 0.5])
    assert np.isnan(life_expectancy_of_open_age(ratio, np.array(["", "both"]), 80)).all()
    assert np.isnan(life_expectancy_of_open_age(ratio, np.array(["male", "female"]), 83)).all()
    male, female = life_expectancy_of_open_age(ratio, np.array(["male", "female"]), 80)
    assert 4 < male < female < 8
