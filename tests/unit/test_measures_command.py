"""`tkyt deaths measures` on a CSV: the figures of a small population by hand, and one clear sentence for each mistake."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from mortality.cli.measures import measures as command
from mortality.measures.measures_file import measures_of_counts, measures_of_file
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.standard_populations import standard_population

BANDS = ["0-4", "5-14", "15-59", "60-69", "70+"]
CSV = """Unit;Year;Giới;Nhóm tuổi;Deaths;Population
A;2024;nam;0-4;5;3000
A;2024;nam;5-14;1;6000
A;2024;nam;15-59;40;25000
A;2024;nam;60-69;40;2500
A;2024;nam;70 tuổi trở lên;120;1500
A;2024;Nữ;00-04;3;2900
A;2024;Nữ;5-14;1;5800
A;2024;Nữ;15-59;20;25500
A;2024;Nữ;60-69;25;2800
A;2024;Nữ;70+;140;2400
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(CSV, encoding="utf-8-sig")
    return path


def of(table, sex, measure):
    return table[(table["sex"] == sex) & (table["measure"] == measure)].iloc[0]


def test_rates_of_men_women_and_both_by_hand(file):
    table = measures_of_file(file)
    assert of(table, "male", "crude_death_rate")["value"] == pytest.approx(1000 * 206 / 38_000)
    both = of(table, "total", "crude_death_rate")
    assert (both["events"], both["population"]) == (206 + 189, 38_000 + 39_400)
    weight = standard_population("who_2000_2025", BANDS).set_index("age_group")["standard_population"]
    rates = pd.Series([5 / 3000, 1 / 6000, 40 / 25000, 40 / 2500, 120 / 1500], index=BANDS)
    by_hand = 100_000 * (rates * weight[BANDS]).sum() / weight.sum()
    assert of(table, "male", "age_standardised_death_rate")["value"] == pytest.approx(by_hand)


def test_what_the_age_groups_do_not_allow_is_not_assessable_with_the_reason(file):
    table = measures_of_file(file)
    life = of(table, "male", "life_expectancy_at_65")  # no group begins at 65
    assert (life["status"], life["reason"]) == ("not_assessable", "reason.measures_ages")
    assert of(table, "male", "life_expectancy_at_birth")["status"] == "ok"
    assert of(table, "male", "adult_mortality_45q15")["lower"] > 0


def test_places_with_different_age_groups_stand_in_one_file():
    rows = pd.DataFrame(
        {"unit": "A", "year": "2024", "sex": "total", "age_group": BANDS, "events": 9.0, "population": 900.0}
    )
    fine = pd.DataFrame({"age_group": ["0-64", "65+"], "events": 9.0, "population": 900.0})
    table = measures_of_counts(pd.concat([rows, fine.assign(unit="B", year="2024", sex="total")]))
    life = table[table["measure"] == "life_expectancy_at_birth"].set_index("unit")
    assert life.loc["A", "status"] == "ok"
    assert len(table[(table["unit"] == "B") & (table["measure"] == "age_specific_death_rate")]) == 2


def test_overlapping_ages_of_one_place_are_refused():
    rows = pd.DataFrame({"age_group": ["0-64", "60-69", "70+"], "events": 1.0, "population": 10.0})
    with pytest.raises(InputError, match="60-69"):
        measures_of_counts(rows.assign(unit="A", year="2024", sex="total"))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (CSV.replace(";120;", ";một trăm;"), ["dòng 6", "events", "một trăm"]),
        (CSV.replace(";2500\n", ";-5\n"), ["dòng 5", "population", "-5"]),
        (CSV.replace("2024;nam;5-14", "2024;nam;?"), ["dòng 3", "age_group", "?"]),
        (CSV.replace("2024;nam;5-14", "2024;khác;5-14"), ["dòng 3", "sex", "khác"]),
        (CSV.replace("nam;5-14", "nam;0-4"), ["dòng 3", "hai lần"]),
        (CSV.replace("Deaths", "Count"), ["events", "Count"]),
        (CSV.splitlines()[0], ["tiêu đề"]),
        (CSV.replace(";6000", ";6.000"), ["dòng 3", "population", "6.000", "số nghìn"]),
        ("", ["tệp trống"]),
    ],
)
def test_a_mistake_is_one_sentence_with_file_line_and_what_to_do(file, wrong, named):
    file.write_text(wrong, encoding="utf-8")
    with pytest.raises(InputError) as error:
        measures_of_file(file)
    sentence = error.value.sentence("vi")
    assert [word for word in [*named, file.name] if word not in sentence] == []


def test_fractions_with_three_digits_are_read_where_other_fractions_show_that_points_are_decimal():
    """12.125 stands beside 3.5: nobody writes thousands so."""
    from mortality.measures.measures_file import _grouped

    assert not _grouped(pd.Series(["12.125", "3.5", "0"])).any()
    assert _grouped(pd.Series(["12.125", "3", "0"])).tolist() == [True, False, False]


def test_a_missing_age_group_is_asked_for_instead_of_lent_the_rate_of_the_one_before():
    rows = pd.DataFrame({"age_group": ["0-4", "15-59", "60+"], "events": 1.0, "population": 10.0})
    with pytest.raises(InputError, match="0-4"):
        measures_of_counts(rows.assign(unit="A", year="2024", sex="total"))


def test_men_and_women_of_different_ages_are_not_added_up():
    """Women of 70 and more are missing: the sum would be a population in which only men grow old."""
    rows = pd.DataFrame({"age_group": BANDS, "events": 9.0, "population": 900.0, "unit": "A", "year": "2024"})
    table = measures_of_counts(pd.concat([rows.assign(sex="male"), rows.assign(sex="female").iloc[:-1]]))
    assert set(table["sex"]) == {"male", "female"}


def test_years_of_life_lost_stand_beside_the_number_of_deaths(file):
    table = measures_of_file(file)
    assert of(table, "male", "years_of_life_lost_rate")["events"] == 206


@pytest.mark.parametrize(("name", "word"), [("none.csv", "không có tệp"), ("", "thư mục"), ("utf16.csv", "UTF-8")])
def test_a_file_that_cannot_be_read_is_told_in_the_reader_s_language(tmp_path, name, word):
    (tmp_path / "utf16.csv").write_bytes(CSV.encode("utf-16"))
    with pytest.raises(InputError) as error:
        measures_of_file(tmp_path / name)
    sentence = error.value.sentence("vi")
    assert word in sentence
    assert "codec" not in sentence
    assert "Errno" not in sentence


def test_more_deaths_than_people_are_pointed_out(file):
    file.write_text(CSV.replace(";120;1500", ";1500;120"), encoding="utf-8")
    result = CliRunner().invoke(command, [str(file)])
    assert result.exit_code == 0
    assert "lớn hơn dân số" in result.stderr
    assert "70+" in result.stderr


def test_the_command_writes_every_row_and_speaks_json(file, tmp_path):
    output = tmp_path / "out.csv"
    result = CliRunner().invoke(command, [str(file), "-o", str(output), "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.output)["rows"]
    assert len(rows) == len(pd.read_csv(output, dtype={"age_group": "str"}))
    assert {row["sex"] for row in rows} == {"male", "female", "total"}
    missing = [row for row in rows if row["status"] == "not_assessable"]
    assert missing
    assert all(row["value"] is None for row in missing)
