"""Age groups are text, joined by label; ages are completed years."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import table

from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import (
    ABRIDGED_85,
    FIVE_YEAR_80,
    FIVE_YEAR_85,
    age_group,
    age_in_years,
    age_unit,
    band_label,
    bands_nest,
    completed_age,
    nesting,
    parse_band,
    parse_bands,
    regroup,
)


def test_the_usual_bands_are_the_textbook_ones():
    assert ABRIDGED_85[:4] == ("0", "1-4", "5-9", "10-14")
    assert ABRIDGED_85[-2:] == ("80-84", "85+")
    assert len(ABRIDGED_85) == 19
    assert len(FIVE_YEAR_85) == 18


@pytest.mark.parametrize(
    ("written", "label"),
    [("0", "0"), ("<1", "0"), ("dưới 5 tuổi", "0-4"), ("00 - 04", "0-4"), ("1–4", "1-4"), ("85 tuổi trở lên", "85+"),
     ("85 +", "85+"), ("5-9 tuổi", "5-9"), ("7-7", "7")],
)  # fmt: skip
def test_other_spellings_become_the_one_label(written, label):
    assert band_label(written) == label


@pytest.mark.parametrize("wrong", ["", "x", "9-5", "5-", "-1", "<0", "tổng số"])
def test_what_is_no_age_group_is_refused(wrong):
    with pytest.raises(InputError) as refusal:
        parse_band(wrong)
    assert wrong in refusal.value.sentence("vi")


@given(st.floats(0, 129.99), st.sampled_from([ABRIDGED_85, FIVE_YEAR_85, FIVE_YEAR_80]))
def test_every_age_lies_in_the_group_that_names_it(age, bands):
    low, high = parse_band(age_group(pd.Series([age]), bands)[0])
    assert low <= np.floor(age) <= high


def test_missing_impossible_and_uncovered_ages_are_said_to_be_so():
    ages = pd.Series([0.99, 1, 4.99, 5, 84.9, 85, 130, 131, -1, None], index=range(10, 20))
    found = age_group(ages)
    assert list(found) == ["0", "1-4", "1-4", "5-9", "80-84", "85+", "85+", "unknown", "unknown", "unknown"]
    assert list(found.index) == list(ages.index)
    assert list(age_group(pd.Series([14, 15, 50]), ["15-19", "20-49"])) == ["outside", "15-19", "outside"]
    assert list(age_group(pd.Series([3, None], dtype="Int64"))) == ["1-4", "unknown"]


def test_bands_that_overlap_are_refused():
    with pytest.raises(InputError) as refusal:
        parse_bands(["0-4", "4-9"])
    assert "4-9" in refusal.value.sentence("en")


def test_fine_groups_add_up_to_coarse_ones_only_where_bands_nest():
    assert nesting(["0", "1-4", "5+"], ["0-4", "5+"]) == {"0": "0-4", "1-4": "0-4", "5+": "5+"}
    assert nesting(["0-14", "15-19", "20+"], ["15+"]) == {"15-19": "15+", "20+": "15+"}
    assert bands_nest(ABRIDGED_85, FIVE_YEAR_80)
    assert not bands_nest(FIVE_YEAR_80, ABRIDGED_85)  # 0-4 cannot be split
    assert not bands_nest(["0-4", "5-9"], ["0-6", "7-9"])  # across an edge
    assert not bands_nest(["0", "2-4"], ["0-4"])  # year 1 is absent
    assert not bands_nest(["80-84"], ["80+"])  # 85+ is absent
    assert not bands_nest(["0-4", "5+"], ["0-4", "5-9"])  # open against closed


def test_regrouping_keeps_the_total():
    deaths = table("""
        province_code | age_group | deaths
        01            | 0         | 3
        01            | 1-4       | 2
        01            | 5+        | 90
        79            | 0         | 1
        79            | 1-4       | 0
        79            | 5+        | 40
    """)
    result = regroup(deaths, ["0-4", "5+"], ["deaths"])
    assert result.to_dict("list") == {
        "province_code": ["01", "01", "79", "79"],
        "age_group": ["0-4", "5+", "0-4", "5+"],
        "deaths": [3 + 2, 90, 1 + 0, 40],
    }


def test_ages_in_days_and_months_are_parts_of_a_year():
    years = age_in_years(pd.Series([27, 8, 70, None]), pd.Series(["ngày", "tháng", "tuổi", "years"]))
    assert list(years[:3]) == pytest.approx([27 / 365.25, 8 / 12, 70])
    assert years.isna()[3]
    assert age_unit(" Tháng ") == "months"
    with pytest.raises(InputError):
        age_unit("trăng")


def test_completed_years_turn_on_the_birthday():
    born = pd.Series(["2000-06-15", "2000-06-15", "2004-02-29", "2004-02-29", None])
    day = pd.Series(["2025-06-14", "2025-06-15", "2025-02-28", "2025-03-01", "2025-01-01"])
    assert list(completed_age(born, day)[:4]) == [24, 25, 20, 21]
    assert completed_age(born, day).isna()[4]
