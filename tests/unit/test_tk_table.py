"""A table of figures keeps what it knows (unit, source, vintage, marks) through what statisticians do to it in pandas."""

import pickle
import warnings

import pandas as pd
import pytest
from support import table as drawn

from tkyt_analysis.api.about import About, combined
from tkyt_analysis.api.table import FigureTable, RateWarning, figure_table, read_table
from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.cube.model import FIGURE_COLUMNS, Figures, Measure, View
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label

PASSPORT = {
    "release": "R000007-aaaa",
    "snapshot": 7,
    "catalog_version": "c",
    "code_version": "v",
    "data_as_of": "2025-12-31",
    "practice": True,
}
RATE = Measure(
    id="crude_death_rate", title=Text("Tỷ suất chết thô", "Crude death rate"), unit=Text("trên 1.000 dân", "per 1,000"),
    group="mortality", group_title=Text("Tử vong", "Mortality"), method="crude", numerator="deaths", denominator="persons",
    per=1000.0, decimals=2, source="Thông tư 20/2019/TT-BYT",
)  # fmt: skip
# 10 deaths of 1,000 and 90 of 30,000: the mean of the two rates (10 and 3) is 6.5, the rate of both is 100/31,000 = 3.23.
ROWS = """
    measure          | province  | year | numerator | denominator | value | lower | upper | status         | expected | received | findings | moved
    crude_death_rate | VN2025:51 | 2024 |        10 |        1000 |    10 |   4.8 |  18.4 | modelled       |       12 |       12 |        0 |   0.0
    crude_death_rate | VN2025:51 | 2025 |        90 |       30000 |     3 |   2.4 |   3.7 | ok             |       12 |       11 |        2 |   0.4
    crude_death_rate | VN2025:01 | 2024 |         3 |           0 |       |       |       | not_assessable |       12 |       12 |        0 |   0.0
"""
NAMES = {
    "province": {"VN2025:51": "Tỉnh Quảng Ngãi", "VN2025:01": "Thành phố Hà Nội"},
    "year": {"2024": "2024", "2025": "2025"},
}


def figures(rows=ROWS, remarks=("Cẩn thận với số nhỏ.",)):
    frame = drawn(rows).astype({"province": "str", "year": "str", "measure": "str"})
    for name in FIGURE_COLUMNS:
        if name != "status":
            frame[name] = pd.to_numeric(frame[name])
    view = View(("crude_death_rate",), ("province", "year"))
    return Figures(view, frame, NAMES, {"crude_death_rate": RATE}, PASSPORT, remarks)


def rates():
    return figure_table(figures(), None, heading="Tỷ suất chết thô theo tỉnh, năm")


WHAT_PEOPLE_DO = {
    "filter": lambda t: t[t["value"] > 3],
    "query": lambda t: t.query("year == '2024'"),
    "copy": lambda t: t.copy(),
    "sort": lambda t: t.sort_values("value"),
    "head": lambda t: t.head(2),
    "add a column": lambda t: t.assign(share=t["numerator"] / t["numerator"].sum()),
    "rename": lambda t: t.rename(columns={"value": "rate"}),
    "set the index and take it back": lambda t: t.set_index("province").reset_index(),
    "choose columns": lambda t: t[["province", "value"]],
    "group and sum": lambda t: t.groupby("province")[["numerator", "denominator"]].sum(),
    "group whole rows": lambda t: t.groupby("province").sum(),
    "group and aggregate": lambda t: t.groupby("province").agg({"numerator": "sum"}),
    "group with names": lambda t: t.groupby("province", as_index=False).agg(deaths=("numerator", "sum")),
    "group and take the first": lambda t: t.groupby("province").head(1),
    "merge": lambda t: t.merge(pd.DataFrame({"province": ["VN2025:51"], "area": [5155.0]}), on="province"),
    "merge to the left": lambda t: t.merge(
        pd.DataFrame({"province": ["VN2025:51"], "area": [5155.0]}), on="province", how="left"
    ),
    "join": lambda t: t.set_index("province").join(pd.DataFrame({"area": [1.0]}, index=["VN2025:51"])),
    "put below each other": lambda t: pd.concat([t, t]),
    "pivot": lambda t: t.pivot_table(index="province", columns="year", values="numerator"),
    "drop duplicates": lambda t: t.drop_duplicates("province"),
    "pickle": lambda t: pickle.loads(pickle.dumps(t)),
    "a column": lambda t: t["numerator"],
    "a row": lambda t: t.iloc[0],
    "arithmetic of a column": lambda t: t["numerator"] * 2,
    "a column summed by group": lambda t: t.groupby("year")["numerator"].sum(),
}


@pytest.mark.parametrize("done", WHAT_PEOPLE_DO)
def test_units_source_and_vintage_stay_with_the_figures(done):
    result = WHAT_PEOPLE_DO[done](rates())
    assert result.about.passport == PASSPORT
    assert result.about.measures["crude_death_rate"].unit.vi == "trên 1.000 dân"
    assert result.about.remarks == ("Cẩn thận với số nhỏ.",)


def test_each_figure_says_what_to_be_careful_about():
    marks = dict(zip(rates()["province"] + rates()["year"], rates()["marks"]))
    assert marks == {
        "VN2025:512024": "modelled",
        "VN2025:512025": "incomplete findings moved",
        "VN2025:012024": "not_assessable",
    }


@pytest.mark.parametrize("filtered", ["filter", "copy", "sort", "merge", "put below each other", "pickle"])
def test_marks_stay_with_their_rows(filtered):
    result = WHAT_PEOPLE_DO[filtered](rates())
    first = result[(result["province"] == "VN2025:51") & (result["year"] == "2024")]
    assert set(first["marks"]) == {"modelled"}


def test_a_group_has_the_marks_of_all_its_rows_and_the_weakest_status():
    summed = rates().groupby("province").sum()
    assert summed.loc["VN2025:51", "marks"] == "modelled incomplete findings moved"
    assert summed.loc["VN2025:51", "status"] == "modelled"
    assert summed.loc["VN2025:51", "province_name"] == ""  # two names strung together are no name
    assert summed.loc["VN2025:51", "numerator"] == 10 + 90
    assert rates().groupby("province")["province_name"].first()["VN2025:51"] == "Tỉnh Quảng Ngãi"


def test_a_table_whose_rates_pandas_has_averaged_says_so():
    warned = label("api.averaged_rates")
    averaged = rates().groupby("province")[["value"]].mean()
    assert warned in averaged._repr_html_()
    assert warned in repr(averaged)
    assert warned not in repr(rates())
    with pytest.warns(RateWarning):
        assert rates()["value"].mean() == (10 + 3) / 2  # not (10 + 90) / (1000 + 30000) per 1,000


def test_counts_may_be_summed_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rates()["numerator"].sum() == 10 + 90 + 3


def test_a_table_of_two_releases_names_both():
    other = rates()
    other.about = About(passport={**PASSPORT, "release": "R000009-bbbb", "snapshot": 9})
    both = pd.concat([rates(), other])
    assert [both.about.passport["release"], both.about.others[0]["release"]] == ["R000007-aaaa", "R000009-bbbb"]
    assert label("api.several_releases") in repr(both)
    assert label("api.several_releases") not in repr(pd.concat([rates(), rates()]))


def test_nothing_known_stays_nothing():
    assert combined([]) is None
    plain = FigureTable({"a": [1, 2]})
    assert plain.about is None
    assert "a" in repr(plain)
    assert "<table>" in plain._repr_html_()


def test_a_parquet_file_gives_back_all_but_the_open_release(tmp_path):
    rates().to_parquet(tmp_path / "rates.parquet")
    back = read_table(tmp_path / "rates.parquet")
    pd.testing.assert_frame_equal(pd.DataFrame(back), pd.DataFrame(rates()), check_dtype=False)
    assert back.about.passport == PASSPORT
    assert back.about.measures["crude_death_rate"].title.vi == "Tỷ suất chết thô"
    assert back.about.view == figures().view
    with pytest.raises(InputError, match="hỏi lại"):
        back.by("year")
    assert pd.read_parquet(tmp_path / "rates.parquet").attrs["tkyt"]["passport"]["release"] == "R000007-aaaa"


def test_the_table_reads_as_vietnamese():
    text = rates()._repr_html_()
    assert "10,00" in text
    assert "4,80 – 18,40" in text
    assert "30.000" in text
    assert "Tỷ suất chết thô (trên 1.000 dân)" in text
    assert "Tỉnh Quảng Ngãi" in text
    assert "VN2025:51" not in text
    assert "Thông tư 20/2019/TT-BYT" in text
    assert "R000007-aaaa" in text
    assert "31/12/2025" in text
    assert label("practice.note") in text
    assert label("api.mark.modelled") in text
    assert "Cẩn thận với số nhỏ." in text


def test_a_figure_that_cannot_be_assessed_is_no_zero():
    row = next(line for line in repr(rates()).splitlines() if line.startswith("Thành phố Hà Nội"))
    assert "–" in row
    assert "0,00" not in row


def test_a_mark_is_explained_only_where_it_stands():
    good = rates()[rates()["status"] == "ok"]
    assert label("api.mark.not_assessable") not in repr(good)
    assert label("api.mark.moved") in repr(good)


def test_a_long_table_shows_head_and_tail_and_its_number_of_rows():
    long = pd.concat([rates()] * 500)
    text = repr(long)
    assert "1.500" in text
    assert len(text.splitlines()) < 50
    assert long._repr_html_().count("<tr") < 40


def test_names_from_outside_are_escaped():
    hostile = figures()
    names = {**NAMES, "province": {"VN2025:51": "<script>alert(1)</script>", "VN2025:01": "b"}}
    table = figure_table(
        Figures(hostile.view, hostile.rows, names, hostile.measures, PASSPORT, ("<b>x</b>",)), None, heading="<i>h</i>"
    )
    text = table._repr_html_()
    for tag in ("<script>", "<b>x", "<i>h"):
        assert tag not in text
    assert "&lt;script&gt;" in text


def test_a_figure_without_a_row_says_that_there_are_no_data():
    assert label("api.no_rows") in repr(rates().iloc[:0])
