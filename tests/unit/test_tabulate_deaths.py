"""`tkyt deaths tabulate` and `tkyt causes`: what goes in comes out, from a file of any size."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from mortality.cli.causes import causes
from mortality.cli.tabulate import tabulate as command
from mortality.icd import code_universe
from mortality.tabulation.cause_lists import compile_cause_list, load_cause_list
from mortality.tabulation.death_counts import count_deaths_in_file
from mortality.tabulation.partition import never_underlying, partition_report, partition_reports, report_of
from mortality.tabulation.tables import tabulate_deaths
from mortality.tabulation.tabulate import known_lists, tabulate
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.errors import InputError

BOOK = """id,Sex,age_value,age_unit,ucod
1,Nam,72,years,I64
2,Nữ,3,days,P36.9
3,2,,,"c86.0"
4,M,50,tuổi,ZZ9
5,,8,months,W190
6,F,44,years,
"""


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "deaths.csv"
    path.write_text(BOOK, encoding="utf-8-sig")
    return path


def test_sex_and_age_group_are_worked_out_of_the_words(book):
    counts = count_deaths_in_file(book, ["sex", "age_group"])
    counted = counts.fillna({"underlying_cause": ""}).set_index(["sex", "age_group", "underlying_cause"])["deaths"]
    assert counted.to_dict() == {
        ("male", "70-74", "I64"): 1, ("female", "0", "P36.9"): 1, ("female", "unknown", "c86.0"): 1,
        ("male", "50-54", "ZZ9"): 1, ("unknown", "0", "W190"): 1, ("female", "40-44", ""): 1,
    }  # fmt: skip


def test_the_parts_of_a_tabulation_add_up_and_name_the_codes_outside(book):
    result = tabulate(book, list_id="who_mortality_list_1", by=["sex"])
    assert (result.deaths, result.tabulated, result.gap, result.unknown) == (6, 3, 1, 2)
    assert result.tabulated + result.gap + result.unknown == result.deaths == result.table["deaths"].sum()
    assert set(result.outside["code"]) == {"c86.0", "ZZ9", ""}


@pytest.mark.parametrize("list_id", ["injury_matrix", "sdg_causes", "nchs_39"])
def test_matrix_and_definitions_are_tabulated_by_the_same_command(book, tmp_path, list_id):
    out = tmp_path / "out.csv"
    answer = CliRunner().invoke(
        command, [str(book), "--list", list_id, "--by", "sex", "-o", str(out), "--json"], catch_exceptions=False
    )
    assert json.loads(answer.output)["deaths"] == 6
    written = pd.read_csv(out, dtype={"sex": str})
    sums = written.groupby("measure")["deaths"].sum() if "measure" in written else pd.Series([written["deaths"].sum()])
    assert set(sums) == {6}


def test_ages_are_kept_apart_where_a_definition_begins_or_ends(tmp_path):
    path = tmp_path / "ages.csv"
    path.write_text("sex,age_years,code\n" + "".join(f"F,{age},I21\n" for age in (29, 30, 69, 70)), encoding="utf-8")
    rows = tabulate(path, list_id="sdg_causes", by=[]).table
    four = rows[rows["measure"] == "3.4.1"].set_index("part")["deaths"].to_dict()
    assert four == {"CVD": 2, "outside_age_or_sex": 2}
    assert list(count_deaths_in_file(path, ["age_years"], age_breaks=(0, 30, 70))["age_years"]) == ["0", "30", "70"]


def test_a_file_with_semicolons_is_read_too(book, tmp_path):
    other = tmp_path / "semicolons.csv"
    other.write_text(BOOK.replace(",", ";"), encoding="utf-8")
    assert count_deaths_in_file(other, ["sex"]).equals(count_deaths_in_file(book, ["sex"]))


def test_headings_are_marked_so_that_nobody_adds_them_twice(book):
    rows = tabulate(book, list_id="who_mortality_list_1", by=[], headings=True).table
    assert rows.loc[~rows["is_heading"], "deaths"].sum() == 6
    assert rows.loc[rows["is_heading"]].set_index("item")["deaths"]["1-064"] == 1


def test_wrong_files_columns_and_lists_are_refused_with_a_sentence(book, tmp_path):
    with pytest.raises(InputError, match="commune"):
        tabulate(book, list_id="nchs_39", by=["commune"])
    with pytest.raises(InputError, match="who_mortality_list_1"):
        tabulate(book, list_id="list_of_mine", by=[])
    with pytest.raises(InputError, match="no.csv"):
        tabulate(tmp_path / "no.csv", list_id="nchs_39", by=[])
    no_codes = tmp_path / "no_codes.csv"
    no_codes.write_text("id,name\n1,x\n", encoding="utf-8")
    with pytest.raises(InputError, match="underlying_cause"):
        tabulate(no_codes, list_id="nchs_39", by=[])
    latin = tmp_path / "latin.csv"
    latin.write_bytes("id,code\n1,bệnh".encode("cp1258", errors="replace") + b"\xff\xfe")
    with pytest.raises(InputError, match="latin.csv"):
        tabulate(latin, list_id="nchs_39", by=[])


LEGACY_AND_PLACE = [
    "A90",
    "K35.0",
    "N18.0",
    "X709",
    "w19.4",
    "Y06.1",
    "B18.10",
    "V30",
    "T14.9",
    "Z00",
    "U07.1",
    "u99",
    "",
    None,
    "§§",
]


@settings(max_examples=20)
@given(st.lists(st.sampled_from([*code_universe()[::29], *LEGACY_AND_PLACE]), max_size=80))
def test_for_every_list_deaths_in_are_deaths_tabulated_and_listed_gaps(codes):
    deaths = pd.DataFrame({"underlying_cause": pd.Series(codes, dtype="str")})
    for list_id in load_entries("cause_lists"):
        compiled = load_cause_list(list_id)
        counted = tabulate_deaths(deaths, compiled).set_index("item")["deaths"]
        assert counted.sum() == len(codes)
        assert set(counted.index) <= {*compiled.items.loc[~compiled.items["heading"], "item"], "gap", "unknown"}


def test_every_code_of_the_universe_is_placed_or_a_listed_gap_and_never_both():
    universe = pd.Series(code_universe())
    for list_id in load_entries("cause_lists"):
        compiled = load_cause_list(list_id)
        items = compiled.item_of(universe)
        assert set(universe[items == "gap"]) == set(compiled.gaps)
        assert not (items == "unknown").any()


def test_the_partition_report_of_list_1_names_the_gaps_that_may_be_underlying():
    report = partition_report("who_mortality_list_1")
    assert report.placed + report.gaps == report.universe
    assert report.gap_ranges_underlying.startswith("C86; I15")
    assert "I15.1" in never_underlying()  # secondary hypertension of kidney disease: WHO takes the kidney disease
    assert report.unverified_items == 0


def test_reports_exist_for_all_lists_and_mark_what_was_typed_from_knowledge():
    reports = {report.id: report for report in partition_reports()}
    assert set(reports) == set(load_entries("cause_lists")) <= set(known_lists())
    assert reports["who_mortality_list_3"].unverified
    assert reports["who_va_2022"].resolved > 300


PRECEDENCE = table("""
    item | label_vi | label_en | icd10_ranges | precedence
    A    | a        | a        | A33          | 1
    B    | b        | b        | A33-A35      | 2
    C    | c        | c        | *A00-B99     |
    D    | d        | d        | *            |
""")


def test_precedence_decides_and_residuals_take_what_is_left_of_their_chapter():
    drawn = compile_cause_list("drawn", PRECEDENCE, edition="WHO-2019")
    found = drawn.item_of(pd.Series(["A33", "A34", "A35", "B99", "C16.9", "V89.2"]))
    assert found.tolist() == ["A", "B", "B", "C", "D", "D"]
    assert drawn.resolved == {"A33": ("A", "B")}
    assert report_of(drawn).resolved == 1
    with pytest.raises(InputError, match=r"A33 \(A, B\)"):
        compile_cause_list("drawn", PRECEDENCE.assign(precedence="1"), edition="WHO-2019")
    crossing = PRECEDENCE.assign(icd10_ranges=["A33", "A34", "*A00-B99", "*B00-C97"])
    with pytest.raises(InputError, match=r"\(C, D\)|\(D, C\)"):
        compile_cause_list("drawn", crossing, edition="WHO-2019")


def test_a_category_without_its_fourth_character_counts_as_unspecified_but_a_gap_beside_it_stays_a_gap():
    rows = PRECEDENCE.head(2).assign(icd10_ranges=["V09.9", "V09.0"], precedence="")
    drawn = compile_cause_list("drawn", rows, edition="WHO-2019")
    assert drawn.item_of(pd.Series(["V09", "V09.9", "V09.0", "V09.1"])).tolist() == ["A", "A", "B", "gap"]


def test_a_quarter_of_a_million_deaths_are_tabulated_without_a_loss(tmp_path):
    rng = np.random.default_rng(7)
    pool = np.array([*code_universe()[::3], "X709", "A90", "zz", ""])
    rows = pd.DataFrame({"sex": rng.choice(["Nam", "Nữ", ""], 250_000), "code": rng.choice(pool, 250_000)})
    path = tmp_path / "many.csv"
    rows.to_csv(path, index=False)
    result = tabulate(path, list_id="eurostat_short_list", by=["sex"])
    assert result.deaths == result.table["deaths"].sum() == 250_000
    by_sex = result.table.groupby("sex")["deaths"].sum()
    assert by_sex["male"] == (rows["sex"] == "Nam").sum()


def test_the_commands_on_lists_say_their_figures(tmp_path):
    out = tmp_path / "report.csv"
    answer = CliRunner().invoke(causes, ["check", "-o", str(out)], catch_exceptions=False)
    assert "who_va_2022" in answer.output
    assert set(pd.read_csv(out)["id"]) == set(load_entries("cause_lists"))
    lists = json.loads(CliRunner().invoke(causes, ["lists", "--json"], catch_exceptions=False).output)
    assert {row["id"] for row in lists if row["kind"] == "cause_definitions"} == set(load_entries("cause_definitions"))
