"""A view has one name, in words, wherever it is shown."""

import pandas as pd
import pytest
from pivots import COUNT, RATE

from tkyt_analysis.cube.model import Figures, View
from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.explorer.titles import axis_unit, listing, period_name, subtitle, title


def figures(view, rows=None, names=None):
    measures = {one.id: one for one in (RATE, COUNT)}
    return Figures(view, pd.DataFrame(rows or {}), names or {}, {one: measures[one] for one in view.measures}, {})


def test_what_by_what_and_when():
    view = View((RATE.id,), ("province", "sex"), period="2024..2025")
    assert title(figures(view), None, "vi") == "Tỷ suất chết thô theo tỉnh và giới, 2024–2025"
    assert title(figures(view), None, "en") == "Crude death rate by province and sex, 2024–2025"


def test_the_layout_gives_the_order_of_the_dimensions():
    view = View((RATE.id,), ("province", "sex"), period="2024")
    assert title(figures(view), Layout(rows=("sex",), columns=("province",)), "vi") == (
        "Tỷ suất chết thô theo giới và tỉnh, 2024"
    )


def test_a_share_says_of_what():
    view = View((COUNT.id,), ("sex",), period="2024")
    layout = Layout(rows=("sex",), shows="share_column")
    assert title(figures(view), layout, "vi") == "Số tử vong (% của cột) theo giới, 2024"
    assert axis_unit(figures(view), "vi", layout) == "%"


def test_two_measures_and_their_units():
    view = View((COUNT.id, RATE.id), ("sex",), period="202401..202412")
    assert title(figures(view), None, "vi") == (
        "Số tử vong và tỷ suất chết thô theo giới, tháng 1/2024 – tháng 12/2024"
    )
    assert axis_unit(figures(view), "vi") == "người; trên 1.000 dân"


def test_without_a_period_the_rows_say_when_and_totals_are_no_period():
    view = View((COUNT.id,), ("quarter",))
    rows = {"quarter": ["2025Q1", "2024Q4", "total"]}
    assert title(figures(view, rows), None, "vi") == "Số tử vong theo quý, quý 4/2024 – quý 1/2025"


def test_place_and_filters_are_named():
    view = View((RATE.id,), ("province",), where=(("sex", ("female",)), ("cause", ("I", "II", "III", "IV", "V"))))
    names = {"cause": {"I": "Nhiễm trùng", "II": "U tân sinh"}}
    assert subtitle(figures(view, names=names), "vi") == (
        "Cả nước (34 tỉnh, thành phố) · Giới: nữ · Nguyên nhân: Nhiễm trùng, U tân sinh, III và 2 mục khác"
    )
    assert subtitle(figures(View((RATE.id,), place="VN2025:38")), "vi") == "Thanh Hóa"
    assert subtitle(figures(View((RATE.id,), geography="VN2024")), "vi") == "Cả nước (63 tỉnh, thành phố)"


@pytest.mark.parametrize(
    ("code", "written"),
    [("2024", "2024"), ("202406", "tháng 6/2024"), ("2024Q2", "quý 2/2024"), ("2024S1", "nửa năm 1/2024"), ("?", "?")],
)
def test_periods_in_words(code, written):
    assert period_name(code, "vi") == written


@pytest.mark.parametrize(
    ("names", "written"), [([], ""), (["a"], "a"), (["a", "b"], "a và b"), (list("abcde"), "a, b, c và 2 mục khác")]
)
def test_a_list_in_words(names, written):
    assert listing(names, "vi") == written
