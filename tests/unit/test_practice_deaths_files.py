"""Books and forms of the practice deaths: every planted cell is where the truth says, forms count the books."""

import hashlib

import numpy as np
import openpyxl
import pandas as pd
import pytest

from mortality.practice.a6_workbook import write_book
from mortality.practice.book_layout import draw_layout
from mortality.practice.legacy_encodings import ENCODERS
from mortality.practice.source import SOURCE
from tkyt_analysis.practice.world import NOTE, create_world


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    directory = tmp_path_factory.mktemp("deaths")
    SOURCE.make(create_world("commune", directory), lambda step, share: None)
    return directory


@pytest.fixture(scope="module")
def truth(made):
    return pd.concat(map(pd.read_parquet, sorted((made / "truth/truth").glob("*.parquet"))), ignore_index=True)


def table(made, name):
    return pd.concat(map(pd.read_parquet, sorted((made / "truth" / name).glob("*.parquet"))), ignore_index=True)


def cell(books, made, file, place):
    if file not in books:
        books[file] = openpyxl.load_workbook(made / "received" / file)
    sheet, _, position = place.rpartition("!")
    value = books[file][sheet][position].value
    return "" if value is None else str(value)


def test_every_planted_value_stands_in_the_cell_that_the_truth_names(made, truth):
    encoding = truth[truth["element"] == "encoding"].set_index("file")["shown_value"].to_dict()
    placed = truth[(truth["file"] != "") & ~truth["element"].isin(["encoding", "place_name"])]
    direct = placed[~placed["element"].isin(["line", "sex", "cause_text"]) & (placed["kind"] != "F12")]
    books, wrong = {}, []
    for row in direct.itertuples():
        encode = ENCODERS.get(encoding.get(row.file), str)
        found = cell(books, made, row.file, row.place_in_file)
        if found != encode(row.shown_value):
            wrong.append((row.kind, row.file, row.place_in_file, row.shown_value, found))
    assert len(direct) > 400
    assert wrong == []


def test_the_national_export_names_its_cells_too(tmp_path, monkeypatch):
    monkeypatch.setattr("mortality.practice.source.WORKBOOK_COMMUNES", 0)
    SOURCE.make(create_world("commune", tmp_path), lambda step, share: None)
    planted = pd.concat(map(pd.read_parquet, (tmp_path / "truth/truth").glob("*.parquet")))
    lines = planted[
        planted["file"].str.startswith("a6_lines") & ~planted["element"].isin(["line", "sex", "cause_text"])
    ]
    cells = planted[planted["file"].str.startswith("bieu16_cells") & (planted["kind"] != "F12")]
    assert len(lines) > 400
    for file, rows in pd.concat([lines, cells]).groupby("file"):
        table = pd.read_parquet(tmp_path / "received" / file)
        place = rows["place_in_file"].str.rpartition(":")
        found = [table[column].iloc[int(row) - 1] for column, row in zip(place[0], place[2])]
        assert found == rows["shown_value"].tolist()


def test_lost_causes_and_duplicates_point_at_written_lines(made, truth):
    lines = table(made, "a6_lines").set_index("line_id")
    books = {}
    for row in truth[truth["kind"].isin(["F1", "F2"]) & (truth["element"] == "line")].itertuples():
        copy, original = lines.loc[row.shown_value], lines.loc[row.true_value]
        assert copy["death_id"] == original["death_id"]
        assert copy["duplicate_of"] == row.true_value
        assert cell(books, made, row.file, row.place_in_file) != ""
    f8 = truth[truth["kind"] == "F8"]
    assert (f8["true_value"] != f8["shown_value"]).all()


def test_an_exact_duplicate_repeats_every_cell_but_the_number(made):
    lines = table(made, "a6_lines").set_index("line_id")
    books = {}
    exact = 0
    for _, copy in lines[lines["duplicate_of"] != ""].iterrows():
        original = lines.loc[copy["duplicate_of"]]
        if original["file"] != copy["file"]:
            continue
        values = [
            [cell(books, made, row["file"], f"{row['sheet']}!{letter}{row['row_number']}") for letter in "BCDEFGHIJKLM"]
            for row in (original, copy)
        ]
        exact += values[0] == values[1]
    assert exact >= 1


def test_every_sheet_says_that_it_is_synthetic(made):
    files = sorted((made / "received").rglob("*.xlsx"))
    assert len(files) > 20
    for file in files:
        for sheet in openpyxl.load_workbook(file, read_only=True).worksheets:
            assert any(NOTE in row for row in sheet.iter_rows(values_only=True)), (file, sheet.title)


def test_books_after_the_merger_belong_to_new_communes(made):
    deaths = table(made, "deaths")
    after = deaths["death_date"] >= "2025-07-01"
    assert deaths.loc[after, "unit_id"].str.startswith("VN2025:").all()
    assert deaths.loc[~after, "unit_id"].str.startswith("VN2024:").all()
    assert deaths["origin_unit_id"].str.startswith("VN2024:").all()
    assert sorted(p.name for p in (made / "received/a6/2025").glob("*_07-12.xlsx")) == sorted(
        f"A6_{unit[7:]}_2025_07-12.xlsx" for unit in deaths.loc[after, "unit_id"].unique()
    )


def test_forms_count_the_registered_deaths_where_nothing_was_planted(made, truth):
    """An own count from the list of true deaths: total, women and the age groups, all causes."""
    deaths = table(made, "deaths").query("registered")
    form = table(made, "form16").query("row == 0")
    spoilt = set(zip(truth["unit_id"], truth["period_id"], truth["element"]))
    f12 = truth[truth["kind"] == "F12"]
    district = dict(zip(deaths["unit_id"], deaths["district_id"]))
    compared = 0
    for row in form.itertuples():
        year, months = row.period_id[:4], int(row.period_id[5:])
        inside = deaths[deaths["death_date"].between(f"{year}-01-01", f"{year}-{months:02d}-31")]
        own = inside[inside["district_id"] == row.district_id]
        wanted = {
            "total": len(own),
            "female": (own["sex"] == "female").sum(),
            "age_0": (own["age_years"] < 1).sum(),
            "age_15_59": own["age_years"].between(15, 59).sum(),
            "age_60_plus": (own["age_years"] >= 60).sum(),
        }
        if row.column not in wanted:
            continue
        assert row.registered == wanted[row.column]
        if (row.district_id, row.period_id, f"16bch.0.{row.column}") in spoilt:
            continue
        changes = f12[
            (f12["unit_id"].map(district) == row.district_id)
            & f12["period_id"].between(f"{year}01", f"{year}{months:02d}")
        ]
        change = (changes["shown_value"].astype(int) - changes["true_value"].astype(int)).sum()
        expected = wanted[row.column] + (change if row.column in ("total", "age_60_plus") else 0)
        assert int(row.shown) == expected
        compared += 1
    assert compared >= 10


def test_form_rows_add_up_to_the_total_unless_planted(made):
    form = table(made, "form16")
    total = form[form["row"] == 0].groupby(["district_id", "period_id", "column"])["registered"].sum()
    causes = form[form["row"] > 0].groupby(["district_id", "period_id", "column"])["registered"].sum()
    pd.testing.assert_series_equal(total, causes)
    wide = form[form["row"] == 0].pivot(index=["district_id", "period_id"], columns="column", values="registered")
    ages = ["age_0", "age_1_4", "age_5_14", "age_15_59", "age_60_plus"]
    assert (wide[ages].sum(axis=1) == wide["total"]).all()


def test_forms_carry_shifted_columns_and_a_period_instead_of_the_running_total(truth):
    kinds = truth.groupby("kind").size()
    assert kinds["B4"] > 0
    assert kinds["B5"] > 0
    b5 = truth[(truth["kind"] == "B5") & (truth["element"] == "16bch.0.total")]
    assert (b5["shown_value"].astype(int) < b5["true_value"].astype(int)).all()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(made, tmp_path):
    def digest(directory):
        return {
            str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(directory.rglob("*"))
            if path.is_file()
        }

    SOURCE.make(create_world("commune", tmp_path / "again"), lambda step, share: None)
    assert digest(tmp_path / "again") == digest(made)
    SOURCE.make(create_world("commune", tmp_path / "other", seed=7), lambda step, share: None)
    assert digest(tmp_path / "other") != digest(made)


@pytest.mark.parametrize(("vintage", "columns"), [("tt27_2014", 14), ("tt37_2019", 14), ("tt23_2025", 19)])
@pytest.mark.parametrize("encoding", ["", "TCVN3", "VNI", "NFD"])
def test_a_book_has_the_columns_of_its_vintage_in_any_font(tmp_path, vintage, columns, encoding):
    layout = draw_layout(
        np.random.default_rng(5), vintage, "Xã Bình Minh", ["Sở Y tế tỉnh Quảng Ngãi"], 2024, force=encoding
    )
    line = dict.fromkeys(
        [
            "ethnic_group",
            "occupation",
            "address",
            "place_of_death",
            "icd10",
            "maternal_death",
            "care_before_death",
            "note",
            "id_number",
            "insurance_number",
            "death_time",
            "source_list",
            "signed_by",
        ],
        "",
    )
    line |= {"line_id": 0, "line_number": 1, "full_name": "Đỗ Thị Lài", "sex": "female", "birth_text": "1950"}
    line |= {"death_text": "rằm tháng 7 âm lịch", "death_style": "lunar", "death_day": 19000, "cause_text": "già yếu"}
    places = write_book(tmp_path / "book.xlsx", layout, pd.DataFrame([line]))
    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx")[places["sheet"][0]]
    row = [value.value for value in sheet[int(places["row_number"][0])]]
    encode = ENCODERS.get(encoding, str)
    assert len(row) == columns
    assert row[1] == encode("Đỗ Thị Lài")
    assert encode("già yếu") in row
    assert [value.value for value in sheet[int(places["row_number"][0]) - 1]][:3] in ([1, 2, 3], ["(1)", "(2)", "(3)"])
