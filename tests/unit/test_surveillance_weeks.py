"""Time axes of count series: ISO weeks, gaps, week 53."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.analysis.trend import complete_periods, count_by_period, season_week
from tkyt_analysis.analysis.trend.series_panel import panel_of
from tkyt_analysis.analysis.trend.weeks import (
    iso_week_ids,
    iso_year_and_week,
    mondays,
    read_times,
    times_of_table,
    weeks_in_year,
)
from tkyt_analysis.errors import InputError, UsageError


@settings(max_examples=60, deadline=None)
@given(st.dates(datetime.date(1950, 1, 1), datetime.date(2150, 1, 1)))
def test_iso_weeks_are_those_of_the_calendar(day):
    year, week, weekday = day.isocalendar()
    assert [int(part[0]) for part in iso_year_and_week([day])] == [year, week]
    assert mondays([year], [week])[0] == np.datetime64(day - datetime.timedelta(days=weekday - 1))
    assert iso_week_ids([day])[0] == f"{year}W{week:02}"
    assert weeks_in_year([year])[0] == datetime.date(year, 12, 28).isocalendar().week


def test_a_week_53_that_a_year_has_not_is_refused():
    assert mondays([2020], [53])[0] == np.datetime64("2020-12-28")
    with pytest.raises(InputError, match="53"):
        mondays([2021], [53])


def test_week_53_is_compared_by_the_rule_that_is_named():
    day = ["2020-12-28", "2021-01-04"]  # 2020W53, 2021W01
    told = {
        rule: [part.tolist() for part in season_week(day, week_53=rule)] for rule in ("keep", "as_52", "as_1", "drop")
    }
    assert told == {
        "keep": [[2020, 2021], [53, 1]],
        "as_52": [[2020, 2021], [52, 1]],
        "as_1": [[2021, 2021], [1, 1]],
        "drop": [[2020, 2021], [0, 1]],
    }
    with pytest.raises(UsageError, match="as_53"):
        season_week(day, week_53="as_53")


@pytest.mark.parametrize(
    ("columns", "first", "frequency"),
    [
        ({"epoch": ["2004-01-05", "2004-01-12"], "week": [1, 2]}, "2004-01-05", 52),
        ({"YoDi": [2008, 2009], "WoDi": [52, 1]}, "2008-12-22", 52),
        ({"wk2": ["2008-52", "2009-01"]}, "2008-12-22", 52),
        ({"period_id": ["2020W53", "2021W01"]}, "2020-12-28", 52),
        ({"period_id": ["202412", "202501"]}, "2024-12-01", 12),
        ({"period": ["2024-11", "2025-02", "2024-12", "2025-01"]}, "2024-11-01", 12),
        ({"year": [2024, 2024], "month": [1, 2]}, "2024-01-01", 12),
        ({"date": pd.to_datetime(["2024-01-01", "2024-01-02"])}, "2024-01-01", 365),
    ],
)
def test_time_is_read_as_people_write_it(columns, first, frequency):
    found = times_of_table(pd.DataFrame(columns))
    assert (str(found.dates[0]), found.frequency) == (first, frequency)


def test_numbers_that_are_no_dates_count_periods():
    found = read_times([3, 4, 6])
    assert (found.dates, found.numbers.tolist()) == (None, [3, 4, 6])


REPORTS = table("""
    province_code | period_id | events
    01            | 2020W52   | 3
    01            | 2021W01   | 5
    79            | 2020W53   | 2
""")


def test_weeks_without_an_event_become_zeros_that_say_so():
    full = complete_periods(REPORTS, by="province_code")
    assert full[["province_code", "period", "iso_week", "events", "filled"]].values.tolist() == [
        ["01", "2020W52", 52, 3, False], ["01", "2020W53", 53, 0, True], ["01", "2021W01", 1, 5, False],
        ["79", "2020W52", 52, 0, True], ["79", "2020W53", 53, 2, False], ["79", "2021W01", 1, 0, True],
    ]  # fmt: skip


def test_a_report_that_is_absent_stays_unknown():
    full = complete_periods(REPORTS, by="province_code", gaps="missing")
    assert full["events"].isna().tolist() == full["filled"].tolist()


def test_a_line_list_is_counted_in_whole_weeks_and_the_rest_is_marked():
    deaths = pd.DataFrame({"died": ["2020-12-31", "2021-01-03", "2021-01-12"], "sex": ["f", "f", "m"]})
    weeks = count_by_period(deaths, date="died", last="2021-01-12")
    assert weeks[["period", "events", "partial"]].values.tolist() == [
        ["2020W53", 2, True],  # begins on 28 December, before the first day recorded
        ["2021W01", 0, False],
        ["2021W02", 1, True],
    ]
    months = count_by_period(deaths, date="died", by="sex", frequency=12, first="2020-12-01", last="2021-01-31")
    assert months[["sex", "period", "events", "partial"]].values.tolist() == [
        ["f", "202012", 1, False], ["f", "202101", 1, False], ["m", "202012", 0, False], ["m", "202101", 1, False],
    ]  # fmt: skip
    with pytest.raises(InputError, match="2021-01-12"):
        count_by_period(deaths, date="died", last="2021-01-11")


def test_two_rows_for_one_week_are_refused():
    with pytest.raises(InputError) as problem:
        panel_of(pd.concat([REPORTS, REPORTS.tail(1)]), by="province_code")
    assert "province_code=79" in problem.value.sentence("vi")


def test_weeks_that_start_on_different_weekdays_are_refused():
    with pytest.raises(InputError, match="2024-01-09"):
        panel_of(pd.DataFrame({"date": ["2024-01-01", "2024-01-09", "2024-01-15"], "events": 1}))


def test_a_series_and_an_array_with_dates_are_read_alike():
    days = pd.date_range("2024-01-01", periods=4, freq="7D")
    one = panel_of(pd.Series([1, 2, 3, 4], index=days))
    other = panel_of([1, 2, 3, 4], time=days)
    assert one.counts.tolist() == other.counts.tolist() == [[1, 2, 3, 4]]
    third = panel_of(pd.Series([1, 2, 3, 4], index=pd.PeriodIndex(days, freq="W")))
    wide = panel_of(pd.DataFrame({"01": [1, 2, 3, 4], "79": [0, 0, 1, 2]}, index=days))
    assert third.counts.tolist() == wide.counts[:1].tolist() == one.counts.tolist()
    assert wide.keys["series"].tolist() == ["01", "79"]
    assert one.times.names().tolist() == third.times.names().tolist() == ["2024W01", "2024W02", "2024W03", "2024W04"]
