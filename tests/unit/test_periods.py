"""Periods are windows of two dates plus a name."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.period_words import (
    dhis2_periods,
    from_adx,
    from_dhis2,
    from_window,
    parse_period,
    to_adx,
    to_dhis2,
)
from tkyt_analysis.reference.periods import (
    format_period,
    month_range,
    months_of,
    period,
    period_of,
    period_range,
    period_windows,
    quarters_of,
)

TILING_KINDS = ["month", "administrative_month", "quarter", "half", "year", "week"]
days = st.dates(date(1901, 1, 1), date(2198, 12, 31))
tiles = st.builds(period_of, days, st.sampled_from(TILING_KINDS))
cumulative = st.builds(lambda y, n: period(f"{y}C{n}"), st.integers(1901, 2198), st.sampled_from([3, 6, 9, 12]))
periods = tiles | cumulative


@pytest.mark.parametrize(
    ("period_id", "kind", "start", "end"),
    [
        ("202506", "month", date(2025, 6, 1), date(2025, 6, 30)),
        ("202402", "month", date(2024, 2, 1), date(2024, 2, 29)),
        ("202506A", "administrative_month", date(2025, 5, 15), date(2025, 6, 14)),
        ("202501A", "administrative_month", date(2024, 12, 15), date(2025, 1, 14)),
        ("2025Q2", "quarter", date(2025, 4, 1), date(2025, 6, 30)),
        ("2025S1", "half", date(2025, 1, 1), date(2025, 6, 30)),
        ("2025S2", "half", date(2025, 7, 1), date(2025, 12, 31)),
        ("2025C9", "cumulative", date(2025, 1, 1), date(2025, 9, 30)),
        ("2025", "year", date(2025, 1, 1), date(2025, 12, 31)),
        ("2026W53", "week", date(2026, 12, 28), date(2027, 1, 3)),
        ("2025W01", "week", date(2024, 12, 30), date(2025, 1, 5)),
    ],
)
def test_a_period_id_names_a_window(period_id, kind, start, end):
    found = period(period_id)
    assert (found.period_id, found.kind, found.start, found.end) == (period_id, kind, start, end)


@given(periods)
def test_a_period_is_found_again_by_its_id(this):
    assert period(this.period_id) == this


@given(tiles)
def test_windows_of_a_kind_follow_each_other_without_gap_or_overlap(this):
    assert this.next().start == this.end + timedelta(days=1)
    assert this.next().previous() == this


@given(days, st.sampled_from(TILING_KINDS))
def test_every_day_lies_in_exactly_one_period_of_a_kind(day, kind):
    this = period_of(day, kind)
    assert [p.contains(day) for p in (this.previous(), this, this.next())] == [False, True, False]


def test_only_long_years_have_a_week_53():
    # Years that begin on a Thursday, or are leap years that begin on a Wednesday (ISO 8601).
    long_years = [year for year in range(2000, 2031) if period(f"{year}W52").next().period_id.endswith("W53")]
    assert long_years == [2004, 2009, 2015, 2020, 2026]
    with pytest.raises(InputError) as refusal:
        period("2025W53")
    assert "2025" in refusal.value.sentence("vi")
    assert "53" in refusal.value.sentence("vi")
    assert "1–52" in refusal.value.sentence("en")


def test_the_cumulative_period_before_is_the_same_months_of_the_year_before():
    assert period("2025C9").previous() == period("2024C9")


@pytest.mark.parametrize(
    "wrong",
    ["202513", "202500", "2025Q5", "2025S3", "2025C8", "2025C06", "2026W5", "2025W00", "25", "20250615",
     "1825", "9999", "202506B", "", " 2025", "２０２５"],
)  # fmt: skip
def test_what_is_not_exactly_an_id_is_refused_with_a_sentence(wrong):
    with pytest.raises(InputError) as refusal:
        period(wrong)
    assert refusal.value.sentence("vi") != refusal.value.sentence("en")


def test_ranges_of_months_cross_the_turn_of_the_year():
    assert [p.period_id for p in month_range("202411", "202502")] == ["202411", "202412", "202501", "202502"]
    assert [p.period_id for p in period_range("2026W52", "2027W01")] == ["2026W52", "2026W53", "2027W01"]
    assert month_range("202502", "202411") == []
    with pytest.raises(InputError):
        month_range("202502", "2025Q2")


@given(periods.filter(lambda p: p.kind not in ("week", "administrative_month")))
def test_the_months_of_a_period_add_up_to_its_days(this):
    parts = months_of(this)
    assert sum(month.days for month in parts) == this.days
    assert (parts[0].start, parts[-1].end) == (this.start, this.end)


def test_weeks_and_administrative_months_are_not_made_of_months():
    for period_id in ("2025W10", "202506A"):
        with pytest.raises(InputError):
            months_of(period_id)
    with pytest.raises(InputError):
        quarters_of("202506")


# ---- DHIS2 and ADX


@pytest.mark.parametrize("code", ["202506", "2025Q2", "2025S1", "2025", "2026W53"])
def test_dhis2_codes_pass_in_and_out_unchanged(code):
    assert to_dhis2(from_dhis2(code)) == code


def test_dhis2_writes_a_week_without_leading_zero():
    assert to_dhis2("2026W05") == "2026W5"
    assert from_dhis2("2026W5") == from_dhis2("2026W05") == period("2026W05")


def test_nine_months_are_three_quarters_in_dhis2():
    assert dhis2_periods("2025C9") == ["2025Q1", "2025Q2", "2025Q3"]
    assert dhis2_periods("202506") == ["202506"]
    with pytest.raises(InputError) as refusal:
        to_dhis2("2025C9")
    assert "2025Q1, 2025Q2, 2025Q3" in refusal.value.sentence("vi")


@pytest.mark.parametrize("code", ["20250615", "202501B", "2025April", "2025SatW1", "2025AprilS1", "202506A"])
def test_period_types_of_dhis2_that_no_form_uses_are_refused(code):
    with pytest.raises(InputError):
        from_dhis2(code)


def test_dhis2_has_no_administrative_month():
    with pytest.raises(InputError):
        to_dhis2("202506A")


@pytest.mark.parametrize(
    ("window", "period_id"),
    [
        ("2025-06-01/P1M", "202506"),
        ("2025-05-15/P1M", "202506A"),
        ("2025-04-01/P3M", "2025Q2"),
        ("2025-07-01/P6M", "2025S2"),
        ("2025-01-01/P9M", "2025C9"),
        ("2025-01-01/P1Y", "2025"),
        ("2026-12-28/P7D", "2026W53"),
    ],
)
def test_adx_windows_pass_in_and_out(window, period_id):
    assert from_adx(window).period_id == period_id
    assert to_adx(period_id) == window


@pytest.mark.parametrize("window", ["2025-02-30/P1M", "2025-06-02/P1M", "2025-06-01", "2025-01-31/P1M", "x/P1M"])
def test_adx_windows_that_are_no_period_are_refused(window):
    with pytest.raises(InputError):
        from_adx(window)


@given(periods)
def test_the_window_of_an_adx_period_is_kept(this):
    there = from_adx(to_adx(this))
    assert (there.start, there.end) == (this.start, this.end)


# ---- words


@pytest.mark.parametrize(
    ("words", "period_id"),
    [
        ("Tháng 6 năm 2025", "202506"),
        ("THÁNG 06 NĂM 2025", "202506"),
        ("BÁO CÁO THỐNG KÊ Y TẾ THÁNG 12/2025", "202512"),
        ("T6/2025", "202506"),
        ("06/2025", "202506"),
        ("2025-06", "202506"),
        ("Quý II/2025", "2025Q2"),
        ("Quý IV năm 2025", "2025Q4"),
        ("quí 2 năm 2025", "2025Q2"),
        ("6 tháng đầu năm 2025", "2025S1"),
        ("6 tháng cuối năm 2025", "2025S2"),
        ("Báo cáo 6 tháng, năm 2025", "2025S1"),
        ("9 tháng năm 2025", "2025C9"),
        ("9 tháng đầu năm 2025", "2025C9"),
        ("Luỹ kế 6 tháng năm 2025", "2025C6"),
        ("Lũy kế đến hết tháng 9 năm 2025", "2025C9"),
        ("Năm 2025", "2025"),
        ("Tuần 53 năm 2026", "2026W53"),
        ("từ ngày 15/6/2023 đến ngày 14/7/2023", "202307A"),
        ("Từ 15/12 đến 14/01/2025", "202501A"),
        ("Báo cáo tháng 7 năm 2023 (từ ngày 15/6/2023 đến ngày 14/7/2023)", "202307A"),
        ("Báo cáo năm 2025 (từ ngày 01/01/2025 đến ngày 31/12/2025)", "2025"),
        ("Biểu 16/BCH. Tình hình tử vong 6 tháng đầu năm 2018 (Thông tư 27/2014/TT-BYT)", "2018S1"),
        ("June 2025", "202506"),
        ("Báo cáo năm 2024. Hà Nội, ngày 15 tháng 6 năm 2025", "2024"),
    ],
)
def test_the_words_of_a_form_heading_name_its_period(words, period_id):
    assert parse_period(words).period_id == period_id


@given(periods, st.sampled_from(["vi", "en"]))
def test_a_period_written_in_words_is_read_back(this, language):
    assert parse_period(format_period(this, language)) == this


@pytest.mark.parametrize(
    "words",
    ["", "xyz", "Ngày 15 tháng 6 năm 2025", "Tháng 13 năm 2025", "Quý V/2025", "15/12/2024 - 14/12/2025",
     "từ ngày 31/02/2025 đến ngày 14/3/2025", "Thông tư 37/2019/TT-BYT ngày 30/12/2019", "37/2019", "6 tháng",
     "Quý V năm 2025", "Báo cáo tháng 6 năm 2025 và 6 tháng đầu năm 2025"],
)  # fmt: skip
def test_words_without_a_period_are_refused_with_a_sentence(words):
    with pytest.raises(InputError) as refusal:
        parse_period(words)
    assert refusal.value.sentence("vi")


def test_a_heading_whose_name_and_dates_disagree_is_refused():
    with pytest.raises(InputError) as refusal:
        parse_period("Tháng 8 năm 2023 (từ ngày 15/6/2023 đến ngày 14/7/2023)")
    assert "202307A" in refusal.value.sentence("vi")


@given(st.text(max_size=40))
def test_any_text_ends_in_a_period_or_a_sentence(text):
    try:
        found = parse_period(text)
    except InputError as refusal:
        found, sentence = None, refusal.sentence("vi")
    assert period(found.period_id) == found if found else sentence


def test_a_window_that_is_no_period_is_refused():
    with pytest.raises(InputError):
        from_window(date(2025, 1, 1), date(2025, 2, 15))


# ---- many at once


def test_many_ids_get_their_windows_in_the_order_and_index_given():
    ids = pd.Series(["202506", "2025C9", "202506"], index=[7, 3, 5])
    windows = period_windows(ids)
    assert list(windows.columns) == ["period_id", "kind", "period_start", "period_end"]
    assert list(windows.index) == [7, 3, 5]
    assert list(windows["period_id"]) == ["202506", "2025C9", "202506"]
    assert list(windows["period_end"]) == [
        pd.Timestamp(2025, 6, 30),
        pd.Timestamp(2025, 9, 30),
        pd.Timestamp(2025, 6, 30),
    ]
    assert len(period_windows([])) == 0


def test_a_missing_id_among_many_is_refused():
    with pytest.raises(InputError):
        period_windows(pd.Series(["202506", None]))


def test_reading_a_period_does_not_load_pandas():
    import subprocess
    import sys

    program = "import sys, tkyt_analysis.reference.periods, tkyt_analysis.reference.period_words as w\n"
    program += "w.parse_period('Quý II/2025'); sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
