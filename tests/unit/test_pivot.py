"""A table shows each figure once, its totals as they were measured, and nothing where there is nothing."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from drawn_figures import CRUDE, DEATHS, figures, with_totals
from hypothesis import given, settings
from hypothesis import strategies as st

from tkyt_analysis.cube.model import NOT_ASSESSABLE, OK, SUPPRESSED, TOTAL
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.explorer.marks import legend
from tkyt_analysis.explorer.pivot import REST, needed_groupings, pivot, pivot_html

# deaths          2024 2025 total           rate per 1,000   2024        2025        total
# Hà Nội            40   60   100           Hà Nội       40/10 = 4   60/12 = 5   100/22 = 4.545…
# Cao Bằng           6    3     9           Cao Bằng      6/2  = 3    3/1  = 3     9/3  = 3
# total             46   63   109           total        46/12 = …   63/13 = …   109/25 = 4.36
DRAWN = """
    measure | province  | year  | value | numerator
    deaths  | VN2025:01 | 2024  | 40    | 40
    deaths  | VN2025:01 | 2025  | 60    | 60
    deaths  | VN2025:01 | total | 100   | 100
    deaths  | VN2025:04 | 2024  | 6     | 6
    deaths  | VN2025:04 | 2025  | 3     | 3
    deaths  | VN2025:04 | total | 9     | 9
    deaths  | total     | 2024  | 46    | 46
    deaths  | total     | 2025  | 63    | 63
    deaths  | total     | total | 109   | 109
    crude_death_rate | VN2025:01 | 2024  | 4    | 40
    crude_death_rate | VN2025:01 | 2025  | 5    | 60
    crude_death_rate | VN2025:01 | total | 4.55 | 100
    crude_death_rate | VN2025:04 | 2024  | 3    | 6
    crude_death_rate | VN2025:04 | 2025  | 3    | 3
    crude_death_rate | VN2025:04 | total | 3    | 9
    crude_death_rate | total     | 2024  | 3.83 | 46
    crude_death_rate | total     | 2025  | 4.85 | 63
    crude_death_rate | total     | total | 4.36 | 109
"""
BY = ["province", "year"]


def both():
    return figures(DRAWN, BY, measures=(DEATHS, CRUDE))


def counts():
    return figures("\n".join(DRAWN.splitlines()[:11]), BY)


def columns_of(table):
    return [",".join(key) for key in table.column_keys]


def test_figures_stand_in_their_rows_and_columns_with_measured_totals_last():
    table = pivot(counts(), Layout(rows=("province",), columns=("year",)))
    assert table.row_keys == [("VN2025:01",), ("VN2025:04",), (TOTAL,)]
    assert columns_of(table) == ["2024", "2025", TOTAL]
    assert table.value.tolist() == [[40, 60, 100], [6, 3, 9], [46, 63, 109]]
    assert [name[0] for name in table.row_names] == ["Hà Nội", "Cao Bằng", "Tổng số"]


def test_measures_stand_side_by_side_and_rates_are_never_summed():
    table = pivot(both(), Layout(rows=("province",), columns=("year", "measure")))
    assert columns_of(table)[-2:] == ["total,deaths", "total,crude_death_rate"]
    assert table.value[-1].tolist() == [46, 3.83, 63, 4.85, 109, 4.36]  # 4.36 = 109 / 25, not 4.55 + 3
    assert table.measure[0].tolist() == ["deaths", "crude_death_rate"] * 3


def test_several_measures_that_nobody_placed_stand_in_the_columns():
    table = pivot(both(), Layout(rows=("province",), columns=("year",)))
    assert table.layout.columns == ("year", "measure")


def test_one_measure_without_columns_is_the_only_column():
    table = pivot(counts(), Layout(rows=("province", "year")))
    assert table.layout.columns == ("measure",)
    # a total in part (a province over all years) is no line of this table
    assert [key for key in table.row_keys if TOTAL in key] == [(TOTAL, TOTAL)]
    assert table.value[:, 0].tolist() == [40, 60, 6, 3, 109]


@pytest.mark.parametrize(
    ("layout", "groupings"),
    [
        (Layout(rows=("province",), columns=("year",)), {("province", "year"), ("province",), ("year",), ()}),
        (Layout(rows=("province",), columns=("year", "measure"), totals=False), {("province", "year")}),
        (
            Layout(rows=("province", "sex"), columns=("year",)),
            {("province", "sex", "year"), ("province", "sex"), ("year",), ()},
        ),
        (Layout(rows=("measure",), columns=("year",)), {("year",), ()}),
        (
            Layout(rows=("province",), columns=("year",), totals=False, shows="share_row"),
            {("province", "year"), ("province",)},
        ),
        (
            Layout(rows=("province",), columns=("year",), totals=False, shows="share_column"),
            {("province", "year"), ("year",)},
        ),
        (Layout(rows=("province",), totals=False, shows="share_all"), {("province",), ()}),
    ],
)
def test_a_layout_asks_for_the_groupings_that_it_shows_and_no_others(layout, groupings):
    asked = needed_groupings(layout)
    assert set(asked) == groupings
    assert len(asked) == len(groupings)


def test_members_come_in_their_natural_order_not_by_the_alphabet():
    rows = """
        age_group | value
        15+       | 9
        5-14      | 2
        0         | 4
        1-4       | 3
    """
    table = pivot(figures(rows, ["age_group"]), Layout(rows=("age_group",)))
    assert [key[0] for key in table.row_keys] == ["0", "1-4", "5-14", "15+"]


def test_a_combination_without_a_figure_stays_empty():
    rows = """
        province  | year | value
        VN2025:01 | 2024 | 40
        VN2025:04 | 2025 | 3
    """
    table = pivot(figures(rows, BY), Layout(rows=("province",), columns=("year",)))
    assert table.value[0].tolist() == pytest.approx([40, np.nan], nan_ok=True)
    assert table.status.tolist() == [[OK, ""], ["", OK]]


def test_absence_of_registered_deaths_is_a_zero_where_the_place_and_the_period_have_deaths():
    # 01 reports in 2024 and 04 in 2025; nothing at all is known of deaths in 2026, only the rate's row is there
    deaths = replace(DEATHS, options={"absent_is_zero": True})
    rows = """
        measure          | province  | year | value
        deaths           | VN2025:01 | 2024 | 40
        deaths           | VN2025:04 | 2025 | 3
        crude_death_rate | VN2025:01 | 2026 | 4
    """
    table = pivot(figures(rows, BY, measures=(deaths, CRUDE)), Layout(rows=("measure", "province"), columns=("year",)))
    seen = dict(zip([",".join(key) for key in table.row_keys], table.value.tolist()))
    assert seen["deaths,VN2025:01"] == pytest.approx([40, 0, np.nan], nan_ok=True)
    assert seen["deaths,VN2025:04"] == pytest.approx([0, 3, np.nan], nan_ok=True)
    assert table.status[0].tolist() == [OK, OK, ""]
    assert seen["crude_death_rate,VN2025:01"] == pytest.approx([np.nan, np.nan, 4], nan_ok=True)


def test_a_value_that_is_not_assessable_is_none():
    rows = """
        province  | value | status
        VN2025:01 | 4     | ok
        VN2025:04 | 9     | not_assessable
    """
    table = pivot(figures(rows, ["province"], measures=(CRUDE,)), Layout(rows=("province",)))
    assert np.isnan(table.value[1, 0])
    assert np.isnan(table.shown[1, 0])


def test_shares_are_of_the_measured_total_of_the_row_the_column_or_all():
    layout = Layout(rows=("province",), columns=("year",))
    of_row = pivot(counts(), replace(layout, shows="share_row")).shown
    of_column = pivot(counts(), replace(layout, shows="share_column")).shown
    of_all = pivot(counts(), replace(layout, shows="share_all")).shown
    assert of_row[0].tolist() == pytest.approx([100 * 40 / 100, 100 * 60 / 100, 100])
    assert of_column[:, 0].tolist() == pytest.approx([100 * 40 / 46, 100 * 6 / 46, 100])
    assert of_all[1].tolist() == pytest.approx([100 * 6 / 109, 100 * 3 / 109, 100 * 9 / 109])


def test_shares_need_no_total_on_the_page():
    table = pivot(counts(), Layout(rows=("province",), columns=("year",), shows="share_row", totals=False))
    assert table.shown.tolist() == [pytest.approx([40, 60]), pytest.approx([100 * 6 / 9, 100 * 3 / 9])]


def test_shares_of_rates_are_refused_and_beside_counts_they_stay_empty():
    layout = Layout(rows=("province",), columns=("year", "measure"), shows="share_column")
    table = pivot(both(), layout)
    assert np.isnan(table.shown[:, 1]).all()
    assert np.isfinite(table.shown[:, 0]).all()
    assert "Tỷ trọng chỉ tính cho số đếm" in pivot_html(table, "vi")
    only_rates = figures("province | year | value\nVN2025:01 | 2024 | 4", BY, measures=(CRUDE,))
    with pytest.raises(InputError, match="Tỷ suất chết thô"):
        pivot(only_rates, replace(layout, columns=("year",)))


def test_the_change_of_the_first_period_is_empty_and_of_the_next_is_in_percent():
    table = pivot(both(), Layout(rows=("province",), columns=("measure", "year"), shows="change_previous"))
    seen = dict(zip(columns_of(table), table.shown[0].tolist()))
    assert np.isnan(seen["deaths,2024"])
    assert seen["deaths,2025"] == pytest.approx(100 * (60 / 40 - 1))
    assert seen["crude_death_rate,2025"] == pytest.approx(100 * (5 / 4 - 1))
    assert [key for key in columns_of(table) if TOTAL in key] == []  # all years together have no change
    assert table.shown[-1, 1] == pytest.approx(100 * (63 / 46 - 1))  # all provinces together have


def test_the_change_against_a_year_before_compares_the_same_month():
    rows = """
        month  | value
        202401 | 10
        202412 | 50
        202501 | 15
    """
    year = pivot(figures(rows, ["month"]), Layout(rows=("month",), shows="change_year"))
    assert year.shown[:, 0].tolist() == pytest.approx([np.nan, np.nan, 100 * (15 / 10 - 1)], nan_ok=True)
    before = pivot(figures(rows, ["month"]), Layout(rows=("month",), shows="change_previous"))
    assert before.shown[:, 0].tolist() == pytest.approx([np.nan, np.nan, 100 * (15 / 50 - 1)], nan_ok=True)


def test_a_month_is_compared_with_the_december_of_the_year_before_where_years_stand_beside_months():
    rows = """
        year | month  | value
        2024 | 202412 | 50
        2025 | 202501 | 15
    """
    table = pivot(figures(rows, ["year", "month"]), Layout(rows=("year", "month"), shows="change_previous"))
    assert table.shown[1, 0] == pytest.approx(100 * (15 / 50 - 1))


def test_a_change_from_zero_cannot_be_assessed():
    rows = """
        year | value
        2024 | 0
        2025 | 3
    """
    table = pivot(figures(rows, ["year"]), Layout(columns=("year",), rows=("measure",), shows="change_previous"))
    assert table.status[0].tolist() == [OK, NOT_ASSESSABLE]
    assert np.isnan(table.shown).all()


def test_a_change_needs_a_period_on_one_side():
    with pytest.raises(InputError, match="năm, nửa năm, quý hoặc tháng"):
        pivot(figures("province | value\nVN2025:01 | 4", ["province"]), Layout(shows="change_previous"))
    rows = "year | month | value\n2024 | 202401 | 4"
    with pytest.raises(InputError, match="cả dòng và cột"):
        pivot(figures(rows, ["year", "month"]), Layout(rows=("year",), columns=("month",), shows="change_previous"))


def test_a_layout_that_does_not_fit_the_view_is_refused():
    with pytest.raises(InputError, match="sex"):
        pivot(counts(), Layout(rows=("province", "sex"), columns=("year",)))
    with pytest.raises(InputError, match="province"):
        pivot(counts(), Layout(rows=("province",), columns=("province", "year")))
    with pytest.raises(InputError, match="median"):
        pivot(counts(), Layout(rows=("province",), columns=("year",), shows="median"))


def test_two_figures_for_one_cell_are_refused():
    rows = "province | value\nVN2025:01 | 4\nVN2025:01 | 5"
    with pytest.raises(ProcessingError):
        pivot(figures(rows, ["province"]), Layout(rows=("province",)))


TOP = """
    province  | year  | value
    VN2025:01 | 2024  | 5
    VN2025:04 | 2024  | 40
    VN2025:79 | 2024  | 20
    VN2025:01 | 2025  | 50
    VN2025:04 | 2025  | 7
    VN2025:79 | 2025  | 30
    VN2025:01 | total | 55
    VN2025:04 | total | 47
    VN2025:79 | total | 50
    total     | 2024  | 65
    total     | 2025  | 87
    total     | total | 152
"""


def test_rows_are_sorted_by_the_last_column_and_the_total_stays_last():
    table = pivot(figures(TOP, BY), Layout(rows=("province",), columns=("year",), sort="value"))
    assert [key[0] for key in table.row_keys] == ["VN2025:01", "VN2025:79", "VN2025:04", TOTAL]


def test_what_a_top_table_leaves_out_is_summed_in_one_row():
    table = pivot(figures(TOP, BY), Layout(rows=("province",), columns=("year",), sort="value", top=1))
    assert [key[0] for key in table.row_keys] == ["VN2025:01", REST, TOTAL]
    assert table.value[1].tolist() == [40 + 20, 7 + 30, 47 + 50]
    assert table.row_names[1] == ("Các dòng còn lại",)
    share = pivot(
        figures(TOP, BY), Layout(rows=("province",), columns=("year",), sort="value", top=1, shows="share_column")
    )
    assert share.shown[:, 0].tolist() == pytest.approx([100 * 5 / 65, 100 * 60 / 65, 100])


def test_the_others_of_a_top_table_have_no_rate():
    table = pivot(both(), Layout(rows=("province",), columns=("year", "measure"), sort="value", top=1))
    rest = table.row_keys.index((REST,))
    assert table.value[rest, 0] == 6
    assert np.isnan(table.value[rest, 1])
    assert table.status[rest, 1] == ""
    rates = figures("province | value\nVN2025:01 | 4\nVN2025:04 | 3", ["province"], measures=(CRUDE,))
    cut = pivot(rates, Layout(rows=("province",), top=1))
    assert [key[0] for key in cut.row_keys] == ["VN2025:01"]


def test_measures_among_the_rows_move_together_when_sorted():
    inner = pivot(both(), Layout(rows=("province", "measure"), columns=("year",), sort="value", totals=False))
    assert [",".join(key) for key in inner.row_keys] == [
        "VN2025:01,deaths",
        "VN2025:01,crude_death_rate",
        "VN2025:04,deaths",
        "VN2025:04,crude_death_rate",
    ]
    outer = pivot(both(), Layout(rows=("measure", "province"), columns=("year",), top=1))
    assert [",".join(key) for key in outer.row_keys] == [
        "deaths,VN2025:01",
        "deaths,rest",
        "deaths,total",
        "crude_death_rate,VN2025:01",
        "crude_death_rate,total",
    ]


grids = st.integers(1, 5).flatmap(
    lambda rows: st.lists(st.lists(st.integers(0, 99), min_size=3, max_size=3), min_size=rows, max_size=rows)
)


@settings(max_examples=40)
@given(counts=grids, top=st.integers(0, 4), sort=st.sampled_from(["", "value"]), picked=st.integers(0, 1))
def test_whatever_the_layout_body_and_others_add_up_to_the_total(counts, top, sort, picked):
    parts = pd.DataFrame(
        [
            (f"VN2025:{row:05}", f"20{23 + column}", float(value))
            for row, line in enumerate(counts, 1)
            for column, value in enumerate(line)
        ],
        columns=["commune", "year", "value"],
    )
    axes = (("commune",), ("year",)) if picked else (("year",), ("commune",))
    layout = Layout(rows=axes[0], columns=axes[1], top=top, sort=sort)
    table = pivot(figures(with_totals(parts, ["commune", "year"]), ["commune", "year"]), layout)
    assert np.allclose(table.value[:-1].sum(axis=0), table.value[-1])
    assert np.allclose(table.value[:, :-1].sum(axis=1), table.value[:, -1])


class Cells(HTMLParser):
    """The headers of a page with their attributes, and how many columns each row fills."""

    def __init__(self, page):
        super().__init__()
        self.heads, self.widths, self.hanging, self.row = [], [], {}, -1
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        if tag == "tr":
            self.row += 1
            self.widths.append(self.hanging.get(self.row, 0))
        if tag in ("th", "td"):
            across = int(said.get("colspan", 1))
            self.widths[-1] += across
            for below in range(1, int(said.get("rowspan", 1))):
                self.hanging[self.row + below] = self.hanging.get(self.row + below, 0) + across
        if tag == "th":
            self.heads.append(said)


@pytest.mark.parametrize(
    "layout",
    [
        Layout(rows=("province",), columns=("year", "measure")),
        Layout(rows=("province", "measure"), columns=("year",)),
        Layout(rows=("measure", "province", "year")),
        Layout(rows=("province", "year"), top=1),
        Layout(columns=("province", "year", "measure")),
    ],
)
def test_spans_of_grouped_headers_fill_every_row_of_the_page(layout):
    cells = Cells(pivot_html(pivot(both(), layout), "vi"))
    assert len(set(cells.widths)) == 1
    assert all(head.get("scope") in ("row", "col", "rowgroup", "colgroup") for head in cells.heads)


def test_every_text_is_escaped():
    bad = "<script>alert('x')</script>"
    names = {"province": {"VN2025:01": bad}}
    measure = replace(DEATHS, title=replace(DEATHS.title, vi=bad), unit=replace(DEATHS.unit, vi=bad))
    rows = figures("province | value\nVN2025:01 | 4", ["province"], measures=(measure,), names=names, remarks=(bad,))
    page = pivot_html(pivot(rows, Layout(rows=("province",))), "vi")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4  # title, unit, name, remark


def test_numbers_are_written_as_people_of_the_language_write_them():
    table = pivot(figures("province | value\nVN2025:01 | 1234.5", ["province"], measures=(CRUDE,)), Layout())
    assert "1.234,5" in pivot_html(table, "vi")
    assert "1,234.5" in pivot_html(table, "en")


def test_the_legend_lists_the_signs_that_occur_and_no_others():
    rows = """
        province  | value | status         | expected | received | findings
        VN2025:01 | 4     | ok             | 10       | 8        | 0
        VN2025:04 | 3     | modelled       | 10       | 7        | 0
        VN2025:79 | .     | not_assessable | .        | .        | 0
    """
    table = pivot(figures(rows, ["province"], measures=(CRUDE,)), Layout(rows=("province",)))
    assert [sign for sign, _ in legend(table, "vi")] == ["–", "≈", "†"]  # 8 of 10 is 80 %, not less
    page = pivot_html(table, "vi")
    assert "Mới nhận 7 trên 10 báo cáo phải gửi." in page
    assert "●" not in page
    assert re.search(r'<td title="[^"]*không đủ điều kiện[^"]*">–</td>', page)


def test_a_suppressed_figure_is_a_star_and_its_reason():
    rows = "province | value | status\nVN2025:01 | . | suppressed\nVN2025:04 | 12 | ok"
    table = pivot(figures(rows, ["province"]), Layout(rows=("province",)))
    assert table.status[0, 0] == SUPPRESSED
    assert re.search(r'<td title="[^"]*bảo mật[^"]*">\*</td>', pivot_html(table, "vi"))


def test_practice_data_say_so_and_real_data_do_not():
    for practice in (True, False):
        rows = figures("province | value\nVN2025:01 | 4", ["province"], practice=practice)
        page = pivot_html(pivot(rows, Layout(rows=("province",))), "vi")
        assert ("không phải số liệu thật" in page) is practice


def test_limits_stand_under_the_value_only_where_they_are_asked_for():
    rows = "province | value | lower | upper\nVN2025:01 | 4.6 | 4.1 | 5.2"
    found = figures(rows, ["province"], measures=(CRUDE,))
    assert "<small>4,1–5,2</small>" in pivot_html(pivot(found, Layout(rows=("province",), intervals=True)), "vi")
    assert "4,1–5,2" not in pivot_html(pivot(found, Layout(rows=("province",))), "vi")


# ------------------------------------------------------------------------------------------ subtotals, running sums, tints

# Hà Nội: men 30, women 10; Cao Bằng: men 4, women 2
BY_SEX = with_totals(
    pd.DataFrame(
        [("VN2025:01", "male", 30), ("VN2025:01", "female", 10), ("VN2025:04", "male", 4), ("VN2025:04", "female", 2)],
        columns=["province", "sex", "value"],
    ),
    ["province", "sex"],
)
NESTED = Layout(rows=("province", "sex"), subtotals=True)


def test_subtotals_stand_behind_their_parts_and_before_the_whole():
    found = pivot(figures(BY_SEX, ["province", "sex"]), NESTED)
    assert [",".join(key) for key in found.row_keys] == [
        "VN2025:01,male", "VN2025:01,female", "VN2025:01,total",
        "VN2025:04,male", "VN2025:04,female", "VN2025:04,total", "total,total",
    ]  # fmt: skip
    assert found.value[:, 0].tolist() == [30, 10, 30 + 10, 4, 2, 4 + 2, 30 + 10 + 4 + 2]


def test_a_subtotal_is_named_and_the_whole_is_named_once():
    found = pivot(figures(BY_SEX, ["province", "sex"]), NESTED, language="vi")
    assert found.row_names[2] == ("Hà Nội", "Tổng số")
    assert found.row_names[-1] == ("Tổng số", "")
    assert 'class="t u"' in pivot_html(found, "vi")


def test_subtotals_are_measured_like_totals():
    assert needed_groupings(NESTED) == (("province", "sex"), (), ("province",))
    assert ("province", "year") in needed_groupings(Layout(rows=("province", "sex"), columns=("year",), subtotals=True))


@pytest.mark.parametrize(
    "layout", [replace(NESTED, sort="value"), replace(NESTED, top=1), replace(NESTED, picture="bar")]
)
def test_a_sorted_table_and_a_picture_have_no_subtotals(layout):
    assert [key for key in pivot(figures(BY_SEX, ["province", "sex"]), layout).row_keys if "total" in key] == [
        ("total", "total")
    ]


QUARTERS = """
    quarter | value
    2024Q3  | 5
    2024Q4  | 7
    2025Q1  | 2
    2025Q2  | .
    2025Q3  | 4
    total   | 18
"""


def test_a_running_sum_begins_anew_with_the_year_and_leaves_gaps_empty():
    found = pivot(figures(QUARTERS, ["quarter"]), Layout(rows=("quarter",), shows="cumulative"))
    assert found.shown[:, 0] == pytest.approx([5, 5 + 7, 2, np.nan, 2 + 4], nan_ok=True)
    assert "total" not in {code for key in found.row_keys for code in key}


def test_a_running_sum_of_years_goes_on_over_the_years_in_every_province():
    parts = pd.DataFrame(
        [("VN2025:01", "2024", 40), ("VN2025:01", "2025", 60), ("VN2025:04", "2024", 6), ("VN2025:04", "2025", 3)],
        columns=["province", "year", "value"],
    )
    layout = Layout(rows=("province",), columns=("year",), shows="cumulative", totals=False)
    found = pivot(figures(with_totals(parts, ["province", "year"]), ["province", "year"]), layout)
    assert found.shown.tolist() == [[40, 40 + 60], [6, 6 + 3]]


def test_rates_have_no_running_sum():
    rows = "year | value\n2024 | 3\n2025 | 4"
    with pytest.raises(InputError):
        pivot(figures(rows, ["year"], measures=(CRUDE,)), Layout(rows=("year",), shows="cumulative"))


def test_cells_are_tinted_by_the_fifth_of_their_values_and_totals_are_not():
    ten = pd.DataFrame([(f"VN2025:{code:02}", float(code)) for code in range(1, 11)], columns=["province", "value"])
    found = pivot(figures(with_totals(ten, ["province"]), ["province"]), Layout(rows=("province",), shade=True))
    html = pivot_html(found, "vi").split("</style>")[1]
    assert sorted(re.findall(r'data-q="(\d)"', html)) == list("1122334455")
    assert "data-q" not in pivot_html(pivot(found.figures, Layout(rows=("province",))), "vi").split("</style>")[1]
