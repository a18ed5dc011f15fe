"""A filled template, damaged as people damage them, read back: every cell lands with its value, or is reported at its
address; none is lost, and none lands with another value without a note."""

import csv
import json
import os
import random
import shutil
import subprocess

import openpyxl
import pandas as pd
import pytest
from damage import DAMAGES, Filled
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tkyt_analysis.catalog import load_entry
from tkyt_analysis.errors import InputError
from tkyt_analysis.forms.lines import form_cells
from tkyt_analysis.forms.template import write_filled
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.ingest.form_workbook import DOOR
from tkyt_analysis.ingest.summary import sentence

UNITS = {"form16bch": ("VN2024:524", "2024C6"), "thanhhoa_annex2": ("KCB:38001", "2023S1")}
PREFIX = {"form16bch": "16BCH", "thanhhoa_annex2": "thanhhoa_annex2"}
EXAMPLES = int(os.environ.get("TKYT_EXAMPLES", "0"))  # more of them at night


def planted_values(form_id):
    """Different values in all cells that are typed in; some are over 1000."""
    version = next(reversed(load_entry("forms", form_id).versions.values()))
    totals = {rule.target for rule in version.rules if rule.kind == "total"}
    values = {}
    for number, cell in enumerate(form_cells(version).to_dict("records"), 11):
        if cell["row"] in totals | {"total"} or cell["column"] in totals:
            continue
        text = {"text": f"Trả lời số {number}", "choice": "Mức 3"}.get(cell["kind"])
        values[cell["row"], cell["column"]] = text or (number if number % 3 else 1000 + 7 * number)
    return values


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """{form id: (file, truth)}: the filled template as it was sent out, and every cell that a reader must find."""
    made = {}
    for form_id, (unit, period) in UNITS.items():
        path = tmp_path_factory.mktemp("templates") / f"{form_id}.xlsx"
        name = "Bệnh viện đa khoa mô phỏng" if unit.startswith("KCB:") else ""
        write_filled(form_id, unit, period, path, planted_values(form_id), name=name)
        made[form_id] = (path, read(path)[0])
    return made


def read(path):
    """(landed, quarantined, notes) of a file; every batch balances and every reason has its sentence."""
    file = ReceivedFile(path, path.name, "0" * 64, path.stat().st_size)
    landed, quarantined, notes = [], [], []
    for batch in DOOR.read(file, None):
        assert batch.received == len(batch.rows) + len(batch.quarantined)
        landed.append(batch.rows.assign(written=batch.rows.get("value", batch.rows.get("answer"))))
        quarantined.append(pd.DataFrame(batch.quarantined))
        notes.append(pd.DataFrame(batch.notes))
    every = [pd.concat(parts, ignore_index=True) for parts in (landed, quarantined, notes)]
    for reason, part in every[1].groupby("reason") if len(every[1]) else ():
        row = part.iloc[0]
        place = {
            "file": path.name,
            "column_name": row["column_name"],
            "value": row["value"],
            "row_number": row["row_number"],
        }
        assert reason not in sentence(reason, place | {"fields": json.dumps(row["fields"], default=str)})
    return every


def values_of(landed):
    return {
        (row["element_id"].split("/", 1)[1], row["category_id"]): row["written"] for row in landed.to_dict("records")
    }


def filled(templates, form_id):
    """The template opened again, with every planted cell as an object that damage can move about."""
    path, landed = templates[form_id]
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    ids = [column.id for column in next(reversed(load_entry("forms", form_id).versions.values())).columns]
    first_column = sheet.max_column - len(ids) + 1
    at = {name: first_column + place for place, name in enumerate(ids)}
    cells = {
        (row["element_id"].split("/", 1)[1], row["category_id"]): sheet.cell(row["row_number"], at[row["category_id"]])
        for row in landed.to_dict("records")
    }
    rows = [cell.row for cell in cells.values()]
    numbering = next(row for row in range(10, 20) if sheet.cell(row, 2).value == 2)
    return Filled(book, sheet, cells, values_of(landed), 10, numbering - 1, min(rows), max(rows), 2)


def account(form, path, form_id):
    """Read a damaged form and account for every planted cell; returns {outcome: cells}."""
    form.book.save(path)
    landed, quarantined, notes = read(path)
    reported = {(row["sheet"], row["fields"]["cell"]) for row in quarantined.to_dict("records")}
    noted_cells = {(row["sheet"], (row["fields"] or {}).get("cell", "")) for row in notes.to_dict("records")}
    noted_rows = {(row["sheet"], row["row_number"]) for row in notes.to_dict("records")}
    at_row = {}
    for row in landed.to_dict("records"):
        at_row[row["sheet"], row["row_number"], row["element_id"].split("/", 1)[1], row["category_id"]] = row["written"]
    counts = {"recovered": 0, "reported": 0, "noted": 0}
    for key, cell in form.cells.items():
        if cell.value is None:
            continue
        address = f"{cell.column_letter}{cell.row}"
        place = (form.sheet.title, cell.row, *key)
        if (form.sheet.title, address) in reported:
            counts["reported"] += 1
            assert place not in at_row
            continue
        assert place in at_row, f"{address} {key} {cell.value!r} is lost"
        found, true = at_row[place], form.truth[key]
        assert key not in form.spoilt, f"{address} {cell.value!r} landed as {found!r}"
        same = found == true if not pd.isna(found) else key in form.emptied
        noted = (form.sheet.title, address) in noted_cells or (form.sheet.title, cell.row) in noted_rows
        assert same, f"{address}: {found!r} in place of {true!r}"
        assert key not in form.emptied or noted
        counts["noted" if noted else "recovered"] += 1
    for cell in form.own_cells:  # what the unit added under no row or column of the form is reported, never dropped
        assert (cell.parent.title, f"{cell.column_letter}{cell.row}") in reported
    for copy in form.copies:
        copied = [row for row in quarantined.to_dict("records") if row["sheet"] == copy.title]
        assert len(copied) == len(form.cells)
        assert {row["reason"] for row in copied} == {"quarantine.form_cell_twice"}
    elements = {row["element_id"].split("/", 1)[1] for row in landed.to_dict("records")}
    assert {key for key in values_of(landed) if key not in form.truth} == set(), elements
    return counts


OUTCOMES: dict[tuple[str, str], dict[str, int]] = {}


@pytest.mark.parametrize("form_id", sorted(UNITS))
@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_every_cell_of_a_damaged_form_is_recovered_or_reported(name, form_id, templates, tmp_path):
    examples = EXAMPLES or (2 if form_id == "form16bch" else 1)

    @settings(max_examples=examples, deadline=None, derandomize=True, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(seed=st.integers(0, 10_000))
    def holds(seed):
        form = filled(templates, form_id)
        DAMAGES[name](form, random.Random(seed))
        counts = account(form, tmp_path / f"{name}.xlsx", form_id)
        known = OUTCOMES.setdefault((name, form_id), dict.fromkeys(counts, 0))
        OUTCOMES[name, form_id] = {kind: known[kind] + counts[kind] for kind in counts}

    holds()


def test_there_are_more_than_twenty_kinds_of_damage():
    assert len(DAMAGES) >= 20


def test_a_form_saved_as_csv_is_read_like_the_workbook(templates, tmp_path):
    form = filled(templates, "form16bch")
    for key in form.formulas():
        form.cells[key].value = form.truth[key]
    with (tmp_path / "bieu.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(
            ["" if value is None else value for value in row] for row in form.sheet.iter_rows(values_only=True)
        )
    landed, quarantined, _ = read(tmp_path / "bieu.csv")
    assert values_of(landed) == form.truth
    assert len(quarantined) == 0


def test_a_template_of_another_unit_period_or_form_lands_nowhere(templates, tmp_path):
    for key, value, reason in (
        ("unit_id", "VN2024:525", "quarantine.form_unit_contradiction"),
        ("period_id", "2023C12", "quarantine.form_period_contradiction"),
        ("form", "form18bct", "quarantine.form_code_contradiction"),
    ):
        form = filled(templates, "form16bch")
        for row in form.book["_tkyt"].iter_rows():
            if row[0].value == key:
                row[1].value = value
        form.book.save(tmp_path / "khac.xlsx")
        landed, quarantined, _ = read(tmp_path / "khac.xlsx")
        assert len(landed) == 0
        assert set(quarantined["reason"]) == {reason}
        assert len(quarantined) == len(form.cells)


def test_of_forms_with_the_same_rows_the_code_in_the_heading_decides(templates, tmp_path):
    def without(form, text):
        del form.book["_tkyt"]
        form.sheet.title = "Trang1"
        for row in form.sheet.iter_rows(max_row=form.first_header - 1):
            for cell in row:
                if isinstance(cell.value, str) and "16/BCH" in cell.value:
                    cell.value = cell.value.replace("Biểu 16/BCH", text).replace("16/BCH", text)
        form.book.save(tmp_path / "T1.xlsx")
        return read(tmp_path / "T1.xlsx")

    landed, _, _ = without(filled(templates, "form16bch"), "Biểu 18/BCT")
    assert set(landed["dataset_id"]) == {"form18bct"}
    landed, quarantined, _ = without(filled(templates, "form16bch"), "")
    assert len(landed) == 0
    assert set(quarantined["reason"]) == {"quarantine.form_ambiguous"}
    assert "16/BCH" in quarantined["fields"].iloc[0]["candidates"]
    landed, quarantined, _ = without(filled(templates, "form16bch"), "Biểu 13/BCH")
    assert set(quarantined["reason"]) == {"quarantine.form_code_contradiction"}


def test_two_forms_on_one_sheet_are_both_read(templates, tmp_path):
    form, other = filled(templates, "form16bch"), filled(templates, "form16bch")
    for key in form.formulas():
        form.cells[key].value = form.truth[key]
    start = form.sheet.max_row + 3
    for row in other.sheet.iter_rows():
        for cell in row:
            if cell.value is not None:
                own = form.sheet.cell(cell.row + start, cell.column, cell.value)
                if isinstance(own.value, str) and "6 tháng" in own.value:
                    own.value = "Kỳ báo cáo: Năm 2023"
    for key, cell in other.cells.items():
        form.sheet.cell(cell.row + start, cell.column).value = form.truth[key]
    for merged in list(other.sheet.merged_cells.ranges):
        form.sheet.merge_cells(start_row=merged.min_row + start, end_row=merged.max_row + start,
                               start_column=merged.min_col, end_column=merged.max_col)  # fmt: skip
    del form.book["_tkyt"]
    form.book.save(tmp_path / "hai.xlsx")
    landed, quarantined, _ = read(tmp_path / "hai.xlsx")
    assert landed.groupby("period_id").size().to_dict() == {"2024C6": 208, "2023C12": 208}
    assert len(quarantined) == 0


def test_a_workbook_with_a_password_ends_in_a_sentence(tmp_path):
    path = tmp_path / "khoa.xlsx"
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
    )
    with pytest.raises(InputError) as error:
        list(DOOR.read(ReceivedFile(path, path.name, "0" * 64, path.stat().st_size), None))
    assert "mật khẩu" in error.value.sentence("vi")


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("soffice") is None, reason="LibreOffice is not installed: no .xls or .ods can be written"
)
@pytest.mark.parametrize("suffix", ["xls", "ods"])
def test_a_form_saved_in_another_format_reads_the_same(suffix, templates, tmp_path):
    path, landed = templates["form16bch"]
    subprocess.run(
        ["soffice", "--headless", "--convert-to", suffix, "--outdir", str(tmp_path),
         f"-env:UserInstallation=file://{tmp_path}/lo", str(path)], check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    found, quarantined, _ = read(tmp_path / f"form16bch.{suffix}")
    assert values_of(found) == values_of(landed)
    assert len(quarantined) == 0


def test_lines_that_the_unit_heads_itself_land_under_its_own_words(tmp_path):
    write_filled("form14bct_2025", "VN2025:51", "202507", tmp_path / "b14.xlsx", {})
    book = openpyxl.load_workbook(tmp_path / "b14.xlsx")
    sheet = book.worksheets[0]
    first = 1 + next(row for row in range(10, 20) if sheet.cell(row, 2).value == 2)
    sheet.cell(first, 2, "Sởi")
    for column in range(3, sheet.max_column + 1):
        sheet.cell(first, column, column)
    book.save(tmp_path / "b14.xlsx")
    landed, quarantined, _ = read(tmp_path / "b14.xlsx")
    assert set(landed["element_id"]) == {"14BCT/+soi"}
    assert sorted(int(float(value)) for value in landed["written"]) == list(range(3, sheet.max_column + 1))
    assert len(quarantined) == 0
