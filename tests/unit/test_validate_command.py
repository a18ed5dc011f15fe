"""`tkyt deaths validate`: files judged without a warehouse; landed + quarantined = received; no name and no number in what comes out."""

import json

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from mortality.cli.validate import validate
from mortality.validation import file
from mortality.validation.file import validate_files
from mortality.validation.finding_rows import FINDING_COLUMNS, write_findings
from tests.death_books import Home
from tests.support import reference_path
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.receive import ingest

LIST = """record_id,full_name,sex,birth,age,death_date,cause_text,icd10,id_number,occupation,unit_id,year
1,Nguyễn Văn Bách,Nam,1950,75,10/08/2025,Nhồi máu cơ tim,I21.9,001050012345,Làm ruộng,VN2025:21115,2025
2,Trần Thị Cúc,Nam,1950,75,11/08/2035,Nhồi máu cơ tim,I21.9,001150012346,Làm ruộng,VN2025:21115,2025
3,Lê Văn Dần,Nam,1950,75,12/08/2025,Ung thư cổ tử cung,C53.9,111111111111,Làm ruộng,VN2025:21115,2025
4,Phạm Văn Giáp,Nam,1950,75,13/08/2025,HIV,B24,,Làm ruộng,VN2025:21115,2025
5,Vũ Thị Hạnh,Nữ,1950,75,14/08/2025,Già yếu,R54,,Làm ruộng,99999,2025
"""
NAMES = ("Bách", "Cúc", "Dần", "Giáp", "Hạnh", "001050012345", "001150012346", "111111111111")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    path = tmp_path_factory.mktemp("lists") / "danh_sach.csv"
    path.write_text(LIST, "utf-8")
    return path


@pytest.fixture(scope="module")
def judged(book):
    return validate_files([book])


def test_every_row_lands_or_is_quarantined(judged):
    (one,) = judged.files
    assert (one["received"], one["landed"], one["quarantined"]) == (5, 4, 1)  # 99999 is no commune


def test_a_finding_says_where_it_is(judged):
    future = judged.findings.set_index("rule").loc["death_in_future"]
    assert (future["file"], future["row"], future["column"], future["severity"]) == (
        "danh_sach.csv",
        3,
        "Ngày chết",
        "error",
    )
    assert list(judged.findings.columns) == FINDING_COLUMNS
    assert {"death_cause_impossible", "death_id_placeholder"} <= set(
        judged.findings.loc[judged.findings["row"] == 4, "rule"]
    )


def test_no_name_and_no_number_comes_out(judged):
    said = judged.findings.to_csv() + json.dumps(judged.files, ensure_ascii=False)
    assert [name for name in NAMES if name in said] == []


def test_what_concerns_hiv_is_shown_to_nobody_without_the_right(book, judged):
    assert "death_hiv_words" not in set(judged.findings["rule"])
    assert "hiv" not in judged.findings.to_csv().lower()
    assert "death_hiv_words" in set(validate_files([book], restricted=True).findings["rule"])


def test_findings_are_written_as_csv_and_as_a_workbook(judged, tmp_path):
    write_findings(judged.findings, tmp_path / "f.csv")
    assert len(pd.read_csv(tmp_path / "f.csv")) == len(judged.findings)
    write_findings(judged.findings, tmp_path / "f.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "f.xlsx").active
    assert sheet.max_row == len(judged.findings) + 1
    assert [cell.value for cell in sheet[1]][:5] == ["Mức độ", "Tệp", "Trang tính", "Dòng", "Cột"]
    error = next(row for row in sheet.iter_rows(min_row=2) if row[0].value == "lỗi")
    assert error[0].fill.fgColor.rgb == "FFF8CBAD"
    with pytest.raises(InputError, match="pdf"):
        write_findings(judged.findings, tmp_path / "f.pdf")


def test_the_command_counts_by_rule_and_severity(book, tmp_path):
    result = CliRunner().invoke(validate, [str(book), "-o", str(tmp_path / "f.csv"), "--json"], standalone_mode=False)
    answer = json.loads(result.output)
    assert answer["files"][0]["received"] == answer["files"][0]["landed"] + answer["files"][0]["quarantined"]
    assert {row["rule"]: row["findings"] for row in answer["rules"]}["death_in_future"] == 1
    severities = [row["severity"] for row in answer["rules"]]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)


@pytest.mark.parametrize(("level", "code"), [("error", 1), (None, 0)])
def test_fail_on_gives_an_exit_code(book, level, code):
    arguments = [str(book), *(["--fail-on", level] if level else [])]
    assert (CliRunner().invoke(validate, arguments, standalone_mode=False).return_value or 0) == code


def test_a_file_that_is_no_list_of_deaths_is_said_so_and_costs_no_other(book, tmp_path):
    (tmp_path / "other.csv").write_text("colour,weight\nred,3\n", "utf-8")
    result = validate_files([tmp_path / "other.csv", book])
    assert "other.csv" in result.files[0]["reason"]
    assert result.files[1]["received"] == 5


def test_a_foreign_list_is_read_by_the_columns_that_are_named(tmp_path):
    path = tmp_path / "foreign.csv"
    path.write_text(
        "given;family;died;dob\nAn;Nguyen;31122024;01011950\nBa;Le;01022035;02021950\n".replace(";", ","), "utf-8"
    )
    columns = ("full_name=family+given", "death_date=died", "birth=dob")
    result = validate_files([path], columns=columns)
    assert result.files[0]["landed"] == 2
    assert "family+given" in result.files[0]["reason"]
    assert list(result.findings.set_index("rule").loc[["death_in_future"], "row"]) == [3]
    assert result.files[0]["document"] == "death_list_by_columns"  # the door of `tkyt deaths import`
    (lacking,) = validate_files([path], columns=("full_name=Họ tên",)).files
    assert "Họ tên" in lacking["reason"]
    with pytest.raises(InputError, match="full_name"):
        validate_files([path], columns=("full_name",))


def test_without_files_the_warehouse_is_judged_and_its_findings_are_written(book, tmp_path, monkeypatch):
    rules = load_entries("rules")
    some = [rules[name] for name in ("death_in_future", "death_id_placeholder", "death_edit_notable")]
    monkeypatch.setattr(file, "death_rules", lambda **_: some)
    home = Home(tmp_path).path
    ingest(home, [book])
    output = tmp_path / "f.csv"
    arguments = ["--home", str(home), "-o", str(output), "--json"]
    result = CliRunner().invoke(validate, arguments, standalone_mode=False)
    counts = {row["rule"]: row["findings"] for row in json.loads(result.output)["rules"]}
    assert (counts["death_in_future"], counts["death_id_placeholder"]) == (1, 1)
    written = pd.read_csv(output, dtype="str").fillna("")
    assert len(written) == sum(counts.values())
    future = written.set_index("rule").loc["death_in_future"]
    assert (future["file"].endswith("danh_sach.csv"), future["row"]) == (True, "3")
    assert [name for name in NAMES if name in output.read_text("utf-8")] == []


@pytest.mark.parametrize(
    "name", ["febrl1.csv", "brazil_sim_do_sample.csv", "epirhandbook_linelist_raw.csv", "splink_fake_1000_labels.csv"]
)
def test_public_lists_are_read_or_refused_with_a_sentence(name):
    (one,) = validate_files([reference_path("quality", "linelist", name)]).files
    assert one["received"] == one["landed"] + one["quarantined"]
    assert one["reason"] or one["landed"]
