"""Periods that count back from the latest data."""

import pytest

from tkyt_analysis.cube.relative import RELATIVE, dated, is_relative
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import all_labels
from tkyt_analysis.reference.periods import month_range


@pytest.mark.parametrize(
    ("said", "latest", "meant"),
    [
        ("last_month", "202503", "202503"),
        ("last_3_months", "202502", "202412..202502"),
        ("last_12_months", "202512", "202501..202512"),
        ("last_2_quarters", "202502", "2024Q4..2025Q1"),
        ("this_year", "202503", "2025"),
        ("last_year", "202503", "2024"),
        ("last_5_years", "202503", "2021..2025"),
    ],
)
def test_a_relative_period_ends_with_the_latest_data(said, latest, meant):
    assert dated(said, latest) == meant


def test_twelve_months_are_twelve_months_across_a_year_end():
    first, _, last = dated("last_12_months", "202506").partition("..")
    assert len(month_range(first, last)) == 12


def test_a_definite_period_is_not_relative():
    assert [one for one in ("2024", "202403", "2023..2025", "2024Q1", "") if is_relative(one)] == []


def test_every_offered_period_has_a_name_and_a_meaning():
    assert {f"cube.period.{one}" for one in RELATIVE} <= set(all_labels())
    assert all(is_relative(one) and dated(one, "202512") for one in RELATIVE)


def test_nonsense_is_answered_with_what_would_be_understood():
    with pytest.raises(InputError, match="last_12_months"):
        dated("last_zwölf_months", "202512")


def test_a_view_with_a_relative_period_says_which_dates_it_meant(practice_home):
    from tkyt_analysis.cube import View, evaluate
    from tkyt_analysis.warehouse.release import Release

    release = Release(practice_home)
    figures = evaluate(release, View(("deaths",), ("month",), period="last_3_months"))
    assert figures.view.period == "202510..202512"
    assert sorted(figures.rows["month"]) == ["202510", "202511", "202512"]
