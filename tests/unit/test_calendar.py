"""Working days and deadlines: the law's holidays, days in lieu, swapped days, and what a form counts from them."""

import datetime
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import table

from tkyt_analysis.catalog.entries import Calendar, CalendarDecision, Form, FormVersion, Holiday, Text
from tkyt_analysis.catalog.loader import read_entry
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.calendar import (
    add_working_days,
    calendar,
    days_off,
    holidays,
    is_working_day,
    next_working_day,
)
from tkyt_analysis.reference.deadlines import due_date

# First day of the lunar year in Viet Nam, entered from memory (unverified), not from the package that the code uses;
# in 2030 Viet Nam (UTC+7) begins it a day before China (UTC+8).
TET = table("""
    year | day
    2014 | 2014-01-31
    2015 | 2015-02-19
    2016 | 2016-02-08
    2017 | 2017-01-28
    2018 | 2018-02-16
    2019 | 2019-02-05
    2020 | 2020-01-25
    2021 | 2021-02-12
    2022 | 2022-02-01
    2023 | 2023-01-22
    2024 | 2024-02-10
    2025 | 2025-01-29
    2026 | 2026-02-17
    2027 | 2027-02-06
    2028 | 2028-01-26
    2029 | 2029-02-13
    2030 | 2030-02-02
""")
DAYS = st.dates(date(2014, 6, 1), date(2035, 6, 30))


def days_named(year, word):
    return [one.day for one in days_off(calendar()).values() if one.day.year == year and word in one.name("vi")]


def test_tet_begins_on_its_day_and_lasts_five_days():
    for year, day in zip(TET["year"], TET["day"]):
        tet = [one.day for one in days_off(calendar()).values()
               if one.kind == "holiday" and one.holiday.id == "tet" and one.day.year == year]  # fmt: skip
        assert date.fromisoformat(day) in tet
        assert len(tet) == 5
        assert tet[-1] - tet[0] == datetime.timedelta(days=4)


def test_of_2026_the_press_says_nine_days_from_14_to_22_february():
    # congan.com.vn: officials rest from Saturday 14/2/2026 to Sunday 22/2/2026
    rest = [date(2026, 2, 1) + datetime.timedelta(n) for n in range(28)]
    assert [day.day for day in rest if not is_working_day(day) and 9 <= day.day <= 25] == [*range(14, 23)]


def test_of_2023_the_hung_kings_on_saturday_and_30_april_on_sunday_give_2_and_3_may():
    off = [day for day in range(1, 8) if not is_working_day(date(2023, 5, day))]
    assert off == [1, 2, 3, 6, 7]


def test_a_swapped_saturday_is_worked_and_its_friday_is_not():
    # VietnamPlus: Friday 2/5/2025 for Saturday 26/4/2025
    assert is_working_day(date(2025, 4, 26))
    assert not is_working_day(date(2025, 5, 2))
    assert not is_working_day(date(2025, 4, 27))


def test_national_day_is_one_day_before_2021_and_two_days_from_then_on():
    assert days_named(2019, "Quốc khánh") == [date(2019, 9, 2)]
    assert days_named(2024, "Quốc khánh") == [date(2024, 9, 2), date(2024, 9, 3)]


def test_a_year_whose_notice_is_not_known_says_that_its_days_are_unverified():
    tet_2027 = holidays(2027).set_index("day")["unverified"]
    assert tet_2027[date(2027, 2, 4)]
    assert not tet_2027[date(2027, 2, 6)]  # the first day of the lunar year is off whatever the notice says
    assert list(holidays(2027).columns) == ["day", "name", "basis", "unverified"]


def test_a_holiday_on_a_weekly_rest_is_made_up_on_the_next_working_day():
    made_up = Calendar(
        "drawn", Text("", ""), 2024, 2024, (6, 7),
        (
            Holiday("one", Text("Một", "One"), "law", 6, 1, date(2020, 1, 1)),  # Saturday
            Holiday("two", Text("Hai", "Two"), "law", 6, 2, date(2020, 1, 1)),  # Sunday
            Holiday("three", Text("Ba", "Three"), "law", 6, 3, date(2020, 1, 1)),  # Monday
        ),
        (CalendarDecision(2024, "notice", days_off=(date(2024, 6, 14),), working_days=(date(2024, 6, 15),)),),
    )  # fmt: skip
    off = days_off(made_up)
    assert [(day.day, one.kind) for day, one in off.items()] == [
        (1, "holiday"), (2, "holiday"), (3, "holiday"), (4, "compensation"), (5, "compensation"), (14, "swap"),
    ]  # fmt: skip


@given(DAYS, st.integers(-60, 60))
def test_adding_working_days_never_lands_on_a_day_of_rest(day, n):
    assert is_working_day(add_working_days(day, n))


@given(DAYS, st.integers(-40, 40), st.integers(-40, 40))
def test_n_and_then_m_working_days_are_n_plus_m(day, n, m):
    assert add_working_days(add_working_days(day, n), m) == add_working_days(day, n + m)


@given(DAYS, st.integers(1, 40))
def test_between_a_day_and_n_working_days_later_lie_exactly_n_working_days(day, n):
    last = add_working_days(day, n)
    between = [day + datetime.timedelta(k) for k in range(1, (last - day).days + 1)]
    assert sum(map(is_working_day, between)) == n


@given(DAYS)
def test_the_next_working_day_is_the_day_itself_or_the_first_after_it(day):
    found = next_working_day(day)
    assert found >= day
    assert is_working_day(found)
    assert not any(is_working_day(day + datetime.timedelta(k)) for k in range((found - day).days))


@given(st.integers(2014, 2035))
def test_a_year_has_as_many_working_days_as_weekdays_less_holidays(year):
    # 10 days up to 2020, 11 from 2021 (National Day), 12 from 2026 (24/11); a swap changes nothing
    days = [date(year, 1, 1) + datetime.timedelta(k) for k in range(366)]
    days = [day for day in days if day.year == year]
    weekdays = sum(day.isoweekday() < 6 for day in days)
    law = 10 + (year >= 2021) + (year >= 2026)
    assert abs(weekdays - sum(map(is_working_day, days)) - law) <= 1  # a day in lieu or a swap may lie in the next year


def test_a_day_outside_the_calendar_is_refused_with_the_years_it_has():
    with pytest.raises(InputError, match="2014.*2035"):
        is_working_day(date(2013, 12, 31))
    with pytest.raises(InputError, match="2014.*2035"):
        add_working_days(date(2035, 12, 31), 5)


def test_an_uneven_swap_in_a_calendar_entry_is_a_mistake_with_its_place(tmp_path):
    from pathlib import Path

    from support import REPOSITORY

    text = (Path(REPOSITORY) / "data_catalog" / "calendars" / "vietnam.yaml").read_text("utf-8")
    path = tmp_path / "vietnam.yaml"
    path.write_text(text.replace("working_days: [2025-04-26]", "working_days: []"), "utf-8")
    [said] = read_entry(path, "calendars")[1]
    assert "vietnam.yaml" in said
    assert "decisions" in said
    path.write_text(text.replace("working_days: [2025-04-26]", "working_days: [2025-04-25]"), "utf-8")
    [said] = read_entry(path, "calendars")[1]
    assert "2025-04-25" in said
    path.write_text(text.replace("tet: 1", "tett: 1"), "utf-8")
    assert "tett" in read_entry(path, "calendars")[1][0]


# ------------------------------------------------------------------------------------------------ deadlines

KINDS = ("month", "administrative_month", "quarter", "half", "cumulative", "year")


def form(**version):
    versions = {date(2020, 1, 1): FormVersion("QĐ 1", to=date(2025, 6, 30), deadline_days=10, deadline_kind="days"),
                date(2025, 7, 1): FormVersion("TT 2", period_kinds=KINDS, **version)}  # fmt: skip
    return Form("f", "1/BCT", Text("Biểu", "Form"), "province", versions)


@pytest.mark.parametrize(
    ("period", "due"),
    [
        ("202510", date(2025, 11, 7)),  # ends Friday 31/10: 3, 4, 5, 6, 7 November
        ("202511A", date(2025, 11, 21)),  # 15/10–14/11, ends on a Friday: 17–21 November
        ("2025Q3", date(2025, 10, 7)),  # ends Tuesday: 1, 2, 3, 6, 7 October
        ("2025C9", date(2025, 10, 7)),
        ("2025S2", date(2026, 1, 9)),  # 1 January is a holiday, 2 January swapped: 5–9 January
        ("2025C12", date(2026, 1, 9)),
        ("2025", date(2026, 1, 9)),
        ("202601", date(2026, 2, 6)),  # ends on a Saturday: 2–6 February
    ],
)
def test_five_working_days_after_every_kind_of_period(period, due):
    assert due_date(form(deadline_days=5), period).day == due


def test_tet_moves_the_deadline_of_january_only_if_it_lies_in_it():
    found = due_date(form(deadline_days=5), "202601")
    assert found.day == date(2026, 2, 6)
    late = due_date(form(deadline_days=15), "202601")  # 2–6, 9–13 February, Tết 14–22, then 23–27
    assert late.day == date(2026, 2, 27)


def test_the_version_in_force_at_the_end_of_the_period_decides():
    assert due_date(form(deadline_days=5), "202505").day == date(2025, 6, 10)  # 10 days of the calendar
    assert "QĐ 1" in due_date(form(deadline_days=5), "202505").basis
    assert "TT 2" in due_date(form(deadline_days=5), "202507").basis


def test_days_of_the_calendar_run_on_to_the_next_working_day():
    found = due_date(form(deadline_days=10, deadline_kind="days"), "202507")  # 10/8/2025 is a Sunday
    assert found.day == date(2025, 8, 11)
    assert "10/08/2025" in found.basis


def test_a_day_named_by_a_letter_counts_as_it_is():
    one = form(deadline_days=5, due_dates={"202507A": date(2025, 7, 15)})
    assert due_date(one, "202507A").day == date(2025, 7, 15)
    assert due_date(one, "202508A").day == date(2025, 8, 21)


def test_a_form_without_a_deadline_has_none_and_says_so():
    found = due_date(form(), "202507")
    assert found.day is None
    assert found.unverified
    assert "TT 2" in found.basis


def test_a_deadline_that_counts_unchecked_days_off_is_unverified():
    assert not due_date(form(deadline_days=5), "202601").unverified
    assert due_date(form(deadline_days=5), "202701").unverified  # Tết 2027: no notice yet


def test_a_kind_of_period_that_the_form_does_not_have_is_refused_in_words():
    monthly = Form("f", "1/BCT", Text("", ""), "province",
                   {date(2025, 7, 1): FormVersion("TT", period_kinds=("month",), deadline_days=5)})  # fmt: skip
    with pytest.raises(InputError, match="2025Q4"):
        due_date(monthly, "2025Q4")


def test_the_community_deaths_form_is_due_ten_days_after_three_months():
    found = due_date("form16bch", "2023C3")
    assert found.day == date(2023, 4, 10)
    assert found.unverified
