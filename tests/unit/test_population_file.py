"""Population files that the ministry supplies: PX-Web CSV and plain tables; register figures are refused."""

import pandas as pd
import pytest

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.reference.population import population
from tkyt_analysis.reference.population_file import read_population_file

PX_WEB = """\
"Dân số trung bình phân theo địa phương, giới tính (Nghìn người)"

"Tỉnh, thành phố";"2018 Tổng số";"2018 Nam";"2018 Nữ";"Sơ bộ 2019 Tổng số";"Mật độ dân số 2019"
"CẢ NƯỚC";95385.2;47427.6;47958.1;96484.0;291
"Đồng bằng sông Hồng";22000.1;..;..;22620.2;1064
"Hà Nội";7914.5;3914.1;4000.4;8093.9;2410
"Hà Giang";846.5;..;420.1;858.2;108
"Xứ Oz";1.5;1.0;0.5;1.6;1
"Quảng Ngãi";1230,0;abc;623.0;1231.9;239

"Nguồn: Cục Thống kê"
"""


def write(tmp_path, text: str, name: str = "dan_so.csv"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def test_a_px_web_table_lands_in_persons_with_its_preliminary_year_marked(tmp_path):
    rows = read_population_file(write(tmp_path, PX_WEB.replace("1230,0", "1230.0"))).rows
    hanoi = rows[rows["unit_id"] == "VN2024:01"].set_index(["year", "sex"])
    assert hanoi["persons"].to_dict() == pytest.approx(
        {(2018, "total"): 7_914_500, (2018, "male"): 3_914_100, (2018, "female"): 4_000_400, (2019, "total"): 8_093_900}
    )
    assert hanoi["status"].to_dict()[2019, "total"] == "preliminary"
    assert hanoi["status"].to_dict()[2018, "total"] == "final"
    assert set(rows["unit_id"]) == {"VN", "VN2024:01", "VN2024:02", "VN2024:51"}
    assert set(rows["source"]) == {"dan_so.csv"}


def test_what_does_not_land_is_set_aside_with_its_place_and_reason(tmp_path):
    aside = read_population_file(write(tmp_path, PX_WEB.replace("1230,0", "1230.0"))).set_aside
    found = set(aside[["row_number", "value", "reason"]].itertuples(index=False, name=None))
    assert found == {
        (3, "Mật độ dân số 2019", "population.column_not_used"),
        (5, "Đồng bằng sông Hồng", "population.region_row"),
        (7, "..", "population.missing_in_source"),
        (8, "Xứ Oz", "population.unknown_unit"),
        (9, "abc", "population.not_a_number"),
    }
    for reason, fields in zip(aside["reason"], aside["fields"]):
        assert str(fields.get("row", "")) in label(reason, "vi", **fields)


def test_every_cell_of_a_province_lands_or_is_set_aside(tmp_path):
    read = read_population_file(write(tmp_path, PX_WEB.replace("1230,0", "1230.0")))
    refused_cells = read.set_aside["reason"].isin(["population.missing_in_source", "population.not_a_number"]).sum()
    assert len(read.rows) + refused_cells == 4 * 4  # nation, Hà Nội, Hà Giang, Quảng Ngãi x four columns


def test_a_plain_table_with_sex_and_age_lands(tmp_path):
    rows = read_population_file(
        write(
            tmp_path,
            "unit_id,year,sex,age_group,persons\nVN2025:51,2024,Nam,0-4,70100\nVN2025:51,2024,nữ,00-04,65.200\n",
        )
    ).rows
    assert rows[["unit_id", "year", "sex", "age_group", "persons"]].to_dict("list") == {
        "unit_id": ["VN2025:51", "VN2025:51"], "year": [2024, 2024], "sex": ["male", "female"],
        "age_group": ["0-4", "0-4"], "persons": [70_100, 65_200],
    }  # fmt: skip


def test_communes_come_by_code(tmp_path):
    rows = read_population_file(
        write(tmp_path, "Mã xã;Năm;Số người\n21025;2025;12.345\n00004;2025;50.001\n"), system="VN2025"
    ).rows
    assert list(rows["unit_id"]) == ["VN2025:21025", "VN2025:00004"]
    assert list(rows["persons"]) == [12_345, 50_001]


def test_vietnamese_and_english_numbers_are_read_alike(tmp_path):
    vi = "Địa phương;Dân số (nghìn người) 2018\nHà Nội;7.914,5\nHà Giang;846,5\n"
    en = "Province;Population (thousand) 2018\nHà Nội;7,914.5\nHà Giang;846.5\n"
    read = [read_population_file(write(tmp_path, text)).rows["persons"].tolist() for text in (vi, en)]
    assert read[0] == read[1] == pytest.approx([7_914_500, 846_500])


def test_an_excel_table_is_read_too(tmp_path):
    path = tmp_path / "dan_so.xlsx"
    table = pd.DataFrame({"Tỉnh": ["Hà Nội", "Hà Giang"], "2018": [7914.5, 846.5]})
    with pd.ExcelWriter(path, engine="openpyxl") as book:
        pd.DataFrame(["Dân số trung bình (nghìn người)"]).to_excel(book, index=False, header=False, sheet_name="DS")
        table.to_excel(book, index=False, startrow=2, sheet_name="DS")
    assert list(read_population_file(path).rows["persons"]) == pytest.approx([7_914_500, 846_500])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a;b\n1;2\n",
        "Địa phương;2018\nHà Nội;7914.5\n",  # thousand or persons?
        "unit_id,year,persons\nVN2025:51,2024,70100\nVN2025:51,2024,70100\n",  # twice
    ],
)
def test_files_that_cannot_be_understood_are_refused_with_a_sentence(tmp_path, text):
    with pytest.raises(InputError) as refusal:
        read_population_file(write(tmp_path, text))
    assert "dan_so.csv" in refusal.value.sentence("vi")


def test_a_file_that_is_no_text_or_is_absent_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    for wrong in (path, tmp_path / "absent.csv", write(tmp_path, "not Excel", "x.xlsx")):
        with pytest.raises(InputError):
            read_population_file(wrong)


def test_a_year_or_age_that_cannot_be_read_is_set_aside(tmp_path):
    text = "unit_id,year,age_group,persons\nVN2025:51,2O24,0-4,70100\nVN2025:51,2024,trẻ,70100\nVN2025:51,2024,5-9,7\n"
    read = read_population_file(write(tmp_path, text))
    assert list(read.rows["persons"]) == [7]
    assert list(read.set_aside["reason"]) == ["population.bad_key"] * 2
    assert set(read.set_aside["value"]) == {"2O24", "trẻ"}


# ---- residence-register figures


def dossier_file(tmp_path, factor: float = 1.0, note: str = ""):
    dossier = read_codelist("population_merger_dossier")
    names = read_codelist("provinces_2025").set_index("code")["name"]
    lines = [f"{names[code]};{float(total) * factor:.1f}" for code, total in dossier.itertuples(index=False)]
    return write(tmp_path, "\n".join(["Địa phương;Dân số 2025 (nghìn người)", *lines, note]))


@pytest.mark.parametrize("factor", [1.0, 0.98, 1.02])
def test_register_figures_are_recognised_by_value_and_refused(tmp_path, factor):
    with pytest.raises(InputError) as refusal:
        read_population_file(dossier_file(tmp_path, factor))
    assert "11 %" in refusal.value.sentence("vi")


@pytest.mark.parametrize("note", ["Nguồn: Nghị quyết 202/2025/QH15", "NQ202", "Dân số theo hồ sơ sáp nhập"])
def test_register_figures_are_recognised_by_word_and_refused(tmp_path, note):
    with pytest.raises(InputError) as refusal:
        read_population_file(dossier_file(tmp_path, 0.5, note))
    assert "dan_so.csv" in refusal.value.sentence("vi")


@pytest.mark.parametrize(("units", "year"), [("VN2025", 2025), ("VN2024", 2024), ("VN2025", 2023)])
def test_average_population_is_not_taken_for_register_figures(tmp_path, units, year):
    table = population(units, year, by=())[["unit_id", "year", "persons"]]
    text = table.assign(persons=table["persons"].round().astype(int)).to_csv(index=False)
    assert len(read_population_file(write(tmp_path, text)).rows) == len(table)


def test_one_province_whose_two_figures_agree_cannot_be_told_and_is_taken(tmp_path):
    text = "unit_id,year,persons\nVN2025:12,2025,494600\n"  # Lai Châu: the dossier is not above the average population
    assert len(read_population_file(write(tmp_path, text)).rows) == 1


def test_the_63_provinces_of_a_register_file_are_recognised_through_their_unions(tmp_path):
    average = population("VN2024", 2024, by=())
    merge = read_codelist("provinces_2024")
    dossier = read_codelist("population_merger_dossier").set_index("province_code_2025")["total"].astype(float)
    new = average["unit_id"].str[-2:].map(merge.set_index("code")["code_2025"])
    inflated = average["persons"] * new.map(dossier) * 1000 / average.groupby(new)["persons"].transform("sum")
    text = average.assign(persons=inflated.round().astype(int))[["unit_id", "year", "persons"]].to_csv(index=False)
    with pytest.raises(InputError):
        read_population_file(write(tmp_path, text))
