"""Public lists of other countries: every row lands or is refused with a reason, and lands as the mapping says."""

import pandas as pd
import pytest
from death_books import Home
from support import reference_path

from mortality.records.imports import import_deaths
from mortality.records.mapping import parse_columns
from mortality.records.readings import sim_age, sim_codes
from tkyt_analysis.errors import InputError

EBOLA = ("death_date=date_of_outcome", "sex=gender", "age=age+age_unit", "died=outcome", "record_id=case_id")


@pytest.fixture(scope="module")
def folder():
    return reference_path("quality", "linelist")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def whole(home, folder):
    return {row["name"]: row for row in import_deaths(home.path, [folder]).files}


def test_received_is_landed_plus_quarantined_for_every_file_and_nothing_is_dropped_without_a_sentence(whole):
    assert len(whole) == 6
    for row in whole.values():
        assert row["received"] == row["landed"] + row["quarantined"] > 0
        assert sum(count for count, _ in row["reasons"]) == row["quarantined"]


@pytest.mark.parametrize(
    "name",
    [
        "febrl1.csv",
        "febrl3.csv",
        "splink_fake_1000.csv",
        "splink_fake_1000_labels.csv",
        "epirhandbook_linelist_raw.csv",
    ],
)
def test_a_list_that_is_not_of_deaths_is_refused_and_the_sentence_says_what_it_lacks(whole, name):
    row = whole[name]
    assert (row["landed"], row["tables"]) == (0, {})
    assert "--columns death_date=" in row["reasons"][0][1]


def test_the_certificates_of_brazil_land_by_their_headings(home, whole, folder):
    """First rows of the file: 0 of them "not read": sex, age, date and underlying cause as the list writes them."""
    source = pd.read_csv(folder / "brazil_sim_do_sample.csv", dtype=str, keep_default_na=False)
    assert whole["brazil_sim_do_sample.csv"]["landed"] == len(source) == 100
    deaths = home.rows("SELECT * FROM lake.death WHERE source = 'certificate' ORDER BY row_number")
    assert deaths["death_date"].dt.strftime("%d%m%Y").tolist() == source["DTOBITO"].tolist()
    assert deaths["sex"].fillna("").tolist() == source["SEXO"].map({"1": "male", "2": "female"}).fillna("").tolist()
    years = source["IDADE"].str.startswith("4")
    assert (
        deaths.loc[years.to_numpy(), "age_value"].tolist() == source.loc[years, "IDADE"].str[1:].astype(float).tolist()
    )
    bare = deaths["underlying_cause_as_given"].str.replace(".", "")
    assert (
        bare.tolist()
        == source["CAUSABAS"]
        .str.removesuffix("X")
        .where(source["CAUSABAS"].str.len() == 4, source["CAUSABAS"])
        .tolist()
    )
    first = home.rows(
        "SELECT line, icd10_code FROM lake.death_cause k JOIN lake.death d USING (death_id) WHERE d.row_number = 2 ORDER BY 1"
    )
    assert dict(zip(first["line"], first["icd10_code"], strict=True)) == {"a": "R58", "b": "T07", "c": "V23.9"}


def test_cases_land_as_deaths_only_where_the_list_says_that_they_died(tmp_path, folder):
    source = pd.read_csv(folder / "epirhandbook_linelist_raw.csv", dtype=str, keep_default_na=False)
    row = import_deaths(Home(tmp_path).path, [folder / "epirhandbook_linelist_raw.csv"], columns=EBOLA).files[0]
    died = source["outcome"].eq("Death") & source["date_of_outcome"].ne("")
    assert (row["received"], row["landed"]) == (len(source), int(died.sum()))
    assert any("date_of_outcome" in said for _, said in row["remarks"])  # the mapping is on record


def test_a_mapping_that_names_a_column_which_is_not_there_is_refused_with_the_columns_of_the_file(tmp_path, folder):
    row = import_deaths(Home(tmp_path).path, [folder / "febrl1.csv"], columns=["death_date=ngay_chet"]).files[0]
    assert row["landed"] == 0
    assert "ngay_chet" in row["reasons"][0][1]
    assert "date_of_birth" in row["reasons"][0][1]


# ------------------------------------------------------------------------------------- without the reference


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("dead=x", "error.columns_unknown_field"),
        ("full_name", "error.columns_not_a_pair"),
        ("no_such.yaml", "error.columns_file"),
    ],
)
def test_a_wrong_mapping_is_refused_before_anything_is_read(text, key):
    with pytest.raises(InputError) as error:
        parse_columns([text])
    assert error.value.key == key


def test_a_mapping_from_a_file_is_the_same_as_from_the_command_line(tmp_path):
    (tmp_path / "map.yaml").write_text("full_name: [given, family]\ndeath_date: died on\nsource: a6\n", "utf-8")
    told = parse_columns(["full_name=given+family", "death_date=died on"], source="a6")
    assert parse_columns([str(tmp_path / "map.yaml")]) == told


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("427", "27 năm"),
        ("305", "5 tháng"),
        ("212", "12 ngày"),
        ("103", "3 giờ"),
        ("030", "0 giờ"),
        ("501", "101 năm"),
        ("999", ""),
        ("x", ""),
    ],
)
def test_the_age_of_brazil_has_its_unit_in_the_first_digit(code, text):
    assert sim_age(code) == text


@pytest.mark.parametrize(
    ("written", "codes"), [("*R58X", "R58"), ("*A419*B99X", "A419 B99"), ("", ""), ("V239", "V239")]
)
def test_an_x_fills_the_place_of_a_fourth_character(written, codes):
    assert sim_codes(written) == codes


def test_a_list_of_ones_own_lands_with_its_units_and_columns_joined(tmp_path):
    home = Home(tmp_path)
    text = "given,family,died on,why,code\nVăn A,Nguyễn,5/3/2024,Già yếu,21112\nThị B,Lê,6/3/2024,Suy tim,99999\n"
    (tmp_path / "own.csv").write_text(text, "utf-8")
    told = ["full_name=family+given", "death_date=died on", "cause_text=why", "unit_code=code"]
    row = import_deaths(home.path, [tmp_path / "own.csv"], columns=told, source="a6").files[0]
    assert (row["received"], row["landed"], row["quarantined"]) == (2, 1, 1)
    found = home.deaths().iloc[0]
    assert (found["unit_id"], found["source"]) == ("VN2024:21112", "a6")
    written = home.as_written()
    assert written.loc[written["column_name"] == "given", "field"].tolist() == ["full_name"]
