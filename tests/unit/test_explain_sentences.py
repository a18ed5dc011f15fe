"""What `tkyt explain` says first of a figure: never a rate over births without its interval, never a dash without its reason."""

import math

import pandas as pd
import pytest

from tkyt_analysis.warehouse.explain import Explanation

PASSPORT = dict.fromkeys(["release", "snapshot", "catalog_version", "code_version", "data_as_of"], "1")
NO_ROWS = pd.DataFrame(columns=["part", "file_name", "sheet", "row_number", "what"])


def sentences(indicator, derived=(), **figure):
    drawn = {
        "figure_id": f"{indicator}|VN2025:51|2025|total|all|all", "indicator_id": indicator, "unit_name": "Tỉnh A",
        "period_id": "2025", "numerator": 6.0, "denominator": 953.0, "method": "crude_exact", "reason": "", **figure,
    }  # fmt: skip
    return Explanation(drawn, PASSPORT, NO_ROWS, {"numerator": 0, "denominator": 0}, list(derived)).sentences(10)


@pytest.mark.parametrize("indicator", ["infant_mortality_rate", "maternal_mortality_ratio"])
def test_a_rate_over_births_is_said_with_its_interval(indicator):
    first = sentences(indicator, value=6.3, lower=2.3, upper=13.7)[0]
    assert "6" in first
    assert "khoảng tin cậy 95 %: 2" in first


def test_a_count_has_no_interval():
    assert "khoảng tin cậy" not in sentences("maternal_deaths", value=0.0, lower=math.nan, upper=math.nan)[0]


def test_a_figure_that_cannot_be_assessed_says_why():
    missing = {"value": math.nan, "lower": math.nan, "upper": math.nan}
    first = sentences("perinatal_mortality_rate", **missing, reason="reason.fetal_deaths_unknown")[0]
    assert "thai chết từ 22 tuần" in first
    assert "không đánh giá được" in sentences("perinatal_mortality_rate", **missing)[0]


def test_parts_without_received_rows_are_named():
    told = sentences("maternal_deaths", value=0.0, lower=math.nan, upper=math.nan)
    assert [line for line in told if line.startswith("Tử số không có dòng")]
    assert [line for line in told if line.startswith("Mẫu số không có dòng")]


SMOOTHED = {"table": "small_area_rate", "status": "modelled", "reason": "", "value": 5.986, "lower": 5.087, "upper": 6.957,
            "mean": 4.7177, "weight": 0.8356, "method": "marshall"}  # fmt: skip
SHORT = {"table": "province_trend", "status": "not_assessable", "reason": "reason.trend_few_years", "apc": None}


def test_what_was_made_of_the_figure_is_said_beside_it_and_once():
    rate = {"value": 6.2355, "lower": 5.24, "upper": 7.37}
    told = sentences("crude_death_rate", [SMOOTHED, SHORT, SHORT], **rate)
    smoothed = [line for line in told if "5,99 (khoảng 95 %: 5,09 – 6,96)" in line]
    assert len(smoothed) == 1
    assert len([line for line in told if "ngắn hơn 5 năm" in line]) == 1
    assert not [line for line in sentences("crude_death_rate", **rate) if "Làm trơn" in line]
