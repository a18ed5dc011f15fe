"""A new circular is catalog data: its form goes out, comes back filled in and is read, without a line of code."""

import datetime

import openpyxl
import pandas as pd
import pytest

from tkyt_analysis.catalog import catalog_problems
from tkyt_analysis.errors import InputError
from tkyt_analysis.forms import find_form, form_at, list_forms, write_template
from tkyt_analysis.forms.plan import plan_sheet
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.ingest.form_workbook import DOOR

REGIME = """
id: tt99_2027
title:
  vi: "Chế độ báo cáo thống kê ngành y tế (ví dụ của phép thử, không có thật)"
  en: "Reporting regime (example of a test, invented)"
document: "Thông tư số 99/2027/TT-BYT"
valid: {from: 2027-03-01}
source: "phép thử"
"""
FORM = """
id: form5xx
code: "5/XX"
title:
  vi: "Sàng lọc huyết áp tại trạm"
  en: "Blood pressure screening at the station"
level: commune
versions:
  2027-03-01:
    reference: "Thông tư 99/2027/TT-BYT, Biểu 5/XX"
    regime: tt99_2027
    rows: form5xx_rows
    row_heading:
      vi: "Nhóm tuổi"
      en: "Age group"
    total_row:
      vi: "Tổng số"
      en: "Total"
    period_kinds: [month]
    deadline_days: 5
    columns:
      - id: screened
        title:
          vi: "Được đo huyết áp"
          en: "Screened"
      - id: raised
        title:
          vi: "Tăng huyết áp"
          en: "Raised"
      - id: referred
        title:
          vi: "Chuyển tuyến"
          en: "Referred"
    rules:
      - id: ages
        kind: total
        axis: rows
        target: total
        parts: ["1", "2"]
      - id: raised_within_screened
        kind: at_most
        axis: columns
        target: raised
        parts: [screened]
"""
ROWS = """row,label_vi,label_en
1,Người 18 đến 39,18 to 39
2,Người 40 trở lên,40 and over
"""
PLACE, MAY_2027 = "VN2025:21040", datetime.date(2027, 5, 31)


@pytest.fixture
def circular(tmp_path, monkeypatch):
    """A catalog folder of the user with the circular, its form and the rows of the form."""
    folder = tmp_path / "catalog"
    for name, text in {
        "regimes/tt99_2027.yaml": REGIME,
        "forms/form5xx.yaml": FORM,
        "codelists/form5xx_rows.csv": ROWS,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.lstrip(), "utf-8")
    monkeypatch.setenv("TKYT_CATALOG_PATH", str(folder))
    return folder


def test_the_entries_are_right_and_the_form_is_in_force_from_its_day(circular):
    assert [said for said in catalog_problems() if "5xx" in said or "99_2027" in said] == []
    assert "form5xx" in {one.form.id for one in list_forms(at=MAY_2027)}
    assert "form5xx" not in {one.form.id for one in list_forms(at=datetime.date(2027, 2, 28))}


def test_its_form_goes_out_is_filled_in_and_comes_back(circular, tmp_path):
    path = write_template("5/XX", PLACE, "202705", tmp_path)
    plan = plan_sheet(form_at(find_form("5/XX"), MAY_2027))
    book = openpyxl.load_workbook(path)
    for row, column, value in [
        ("1", "screened", 120),
        ("1", "raised", 14),
        ("2", "screened", 300),
        ("2", "raised", 81),
    ]:
        book.worksheets[0].cell(plan.row_at[row] + 1, plan.column_at[column] + 1, value)
    total = book.worksheets[0].cell(plan.row_at["total"] + 1, plan.column_at["screened"] + 1)
    assert "SUM(C" in total.value
    book.save(path)
    file = ReceivedFile(path, path.name, "0" * 64, path.stat().st_size)
    rows = pd.concat([batch.rows for batch in DOOR.read(file, None)])
    rows = rows[~rows["element_id"].str.endswith("total")]  # openpyxl does not compute the formulas it saves
    values = {(row.element_id, row.category_id): row.value for row in rows.itertuples()}
    assert values == {
        ("5XX/1", "screened"): 120, ("5XX/1", "raised"): 14, ("5XX/2", "screened"): 300, ("5XX/2", "raised"): 81,
    }  # fmt: skip
    assert set(rows["dataset_id"]) == {"form5xx"}
    assert set(rows["unit_id"]) == {PLACE}
    assert set(rows["period_id"]) == {"202705"}


def test_without_the_folder_the_form_is_unknown():
    with pytest.raises(InputError, match="5/XX"):
        find_form("5/XX")
