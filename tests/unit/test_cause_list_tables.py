"""A tabulation list is a partition, says where it is not, and loses no death."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference_path, table

from mortality.icd import code_universe, who_categories
from mortality.tabulation.cause_lists import codes_in_ranges, compile_cause_list, compile_items, load_cause_list
from mortality.tabulation.tables import codes_outside, tabulate_deaths, with_headings, with_titles
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.errors import InputError

ROWS = table("""
    item | label_vi | label_en | icd10_ranges
    A    | a        | a        | C00-C97
    A1   | a1       | a1       | C22
    A2   | a2       | a2       | C00-C21;C23-C97
    B    | b        | b        | I60-I69
""").assign(heading=["x", "", "", ""])


def test_every_shipped_list_compiles_without_overlap():
    for name in load_entries("cause_lists"):
        assert load_cause_list(name).code_to_item, name


@pytest.mark.parametrize("name", ["icd10_chapters", "form16bch", "sdg_3_4_1", "ill_defined"])
def test_lists_that_should_cover_every_cause_have_no_gap(name):
    assert load_cause_list(name).gaps == ()


def test_gaps_of_who_list_1_are_listed():
    gaps = {code[:3] for code in load_cause_list("who_mortality_list_1").gaps}
    assert {"C86", "I15", "U07"} <= gaps
    assert "I64" not in gaps


def test_a_code_in_two_items_is_refused_with_its_name():
    overlapping = pd.concat([ROWS, ROWS[ROWS["item"] == "B"].assign(item="B2", icd10_ranges="I64")])
    with pytest.raises(InputError, match=r"I64 \(B, B2\)"):
        compile_items(overlapping, who_categories(), list_id="drawn")


@pytest.mark.parametrize("text", ["I6", "I69-I60", "I60..I69", "60-69"])
def test_a_range_that_cannot_be_read_is_refused(text):
    with pytest.raises(InputError, match="A15-A19"):
        codes_in_ranges(text, sorted(who_categories()))


def test_a_subcategory_can_stand_in_another_item_than_the_rest_of_its_category():
    form = load_cause_list("form16bch")
    assert form.code_to_item["Y87.0"] == "22"  # sequelae of self-harm: suicide
    assert form.code_to_item["Y87.1"] == "24"
    assert form.code_to_item["A05.9"] == "21"
    assert form.code_to_item["A34"] == "18"


@pytest.mark.parametrize(
    ("code", "item"),
    [("I64", "1-069"), ("W19.0", "1-097"), ("x709", "1-101"), ("A90", "1-017"), ("C86.0", "gap"), ("ZZ", "unknown")],
)
def test_single_codes_fall_where_who_puts_them(code, item):
    assert load_cause_list("who_mortality_list_1").item_of(pd.Series([code])).tolist() == [item]


def test_our_list_1_agrees_with_a_second_source_code_by_code():
    theirs = pd.read_csv(reference_path("icd", "lists", "who_mort_list1.csv"), dtype=str, keep_default_na=False)
    theirs = theirs[(theirs["is_heading"] == "0")]
    codes = sorted(who_categories())
    second = {
        code: item for item, ranges in zip(theirs["item"], theirs["ranges"]) for code in codes_in_ranges(ranges, codes)
    }
    assert load_cause_list("who_mortality_list_1").code_to_item == second


@given(st.lists(st.sampled_from([*code_universe()[::37], "X709", "", "ZZZ", None, "C860", "U071"]), max_size=60))
def test_parts_sum_to_the_whole(codes):
    deaths = pd.DataFrame({"underlying_cause": pd.Series(codes, dtype="str"), "sex": ["male"] * len(codes)})
    for name in ("who_mortality_list_1", "form16bch", "icd10_chapters"):
        assert tabulate_deaths(deaths, load_cause_list(name), by=["sex"])["deaths"].sum() == len(codes)


DEATHS = table("""
    unit | underlying_cause
    x    | C22.0
    x    | C34.9
    x    | I61.9
    y    | I61.9
    y    | B99
    y    | not a code
""")


def test_tables_count_by_item_and_say_what_has_no_place():
    drawn = compile_cause_list("drawn", ROWS, edition="WHO-2019")
    counted = tabulate_deaths(DEATHS, drawn, by=["unit"])
    assert [tuple(row) for row in counted.itertuples(index=False)] == [
        ("x", "A1", 1),
        ("x", "A2", 1),
        ("x", "B", 1),
        ("y", "B", 1),
        ("y", "gap", 1),
        ("y", "unknown", 1),
    ]
    assert codes_outside(DEATHS, drawn)["code"].tolist() == ["B99", "not a code"]
    assert with_titles(counted, drawn, "vi")["title"].tolist()[-2:] == [
        "Mã hợp lệ không có trong danh mục",
        "Không có mã hợp lệ",
    ]
    headings = with_headings(counted, drawn, by=["unit"]).query("is_heading")
    assert headings[["unit", "item", "deaths"]].to_numpy().tolist() == [["x", "A", 1 + 1]]


def test_counts_that_are_already_grouped_are_added_up():
    grouped = DEATHS.assign(n=10)
    counted = tabulate_deaths(grouped, load_cause_list("icd10_chapters"), deaths_column="n")
    assert counted.set_index("item")["deaths"].to_dict() == {"I": 10, "II": 20, "IX": 20, "unknown": 10}


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="year"):
        tabulate_deaths(DEATHS, load_cause_list("icd10_chapters"), by=["year"])


def test_five_thousand_real_deaths_are_all_tabulated():
    real = pd.read_csv(reference_path("icd", "ucod_open.csv"), dtype=str)
    counted = tabulate_deaths(real, load_cause_list("who_mortality_list_1"), by=["sex"], code="ucod")
    assert counted["deaths"].sum() == len(real) == 5_050
    outside = counted.loc[counted["item"].isin(["gap", "unknown"]), "deaths"].sum()
    assert outside / 5_050 < 0.005
