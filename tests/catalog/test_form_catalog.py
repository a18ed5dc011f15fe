"""The catalog of forms: rules name cells that exist, circulars end their forms, seed outlines are complete."""

import datetime
import graphlib
import os
import re
from pathlib import Path

import pytest
from support import REPOSITORY

from mortality.register_layout import match_header
from tkyt_analysis.catalog import load_entries, load_entry, read_codelist
from tkyt_analysis.catalog.convert import Converter
from tkyt_analysis.catalog.entries import FormRule, FormVersion
from tkyt_analysis.errors import InputError
from tkyt_analysis.forms import find_form, form_at, form_lines, list_forms
from tkyt_analysis.forms.find import period_for
from tkyt_analysis.forms.lines import form_cells, form_columns
from tkyt_analysis.ingest.form_layout import label_key
from tkyt_analysis.reference.periods import KINDS, period
from tkyt_analysis.reference.vietnamese_text import fold

VERSIONS = list_forms()
NAMES = [f"{one.form.id}-{one.start}" for one in VERSIONS]
each_version = pytest.mark.parametrize("found", VERSIONS, ids=NAMES)


@each_version
def test_rules_name_rows_and_columns_that_the_form_has(found):
    ids = {
        "rows": {line.row for line in form_lines(found.version) if not line.is_heading},
        "columns": {column.id for column in form_columns(found.version)},
    }
    for rule in found.version.rules:
        own, other = ids[rule.axis], ids["columns" if rule.axis == "rows" else "rows"]
        assert {rule.target, *rule.parts} <= own, rule.id
        assert set(rule.within) <= other, rule.id
    assert len({rule.id for rule in found.version.rules}) == len(found.version.rules)


@each_version
def test_no_total_adds_up_itself(found):
    for axis in ("rows", "columns"):
        sums = {one.target: set(one.parts) for one in found.version.rules if one.kind == "total" and one.axis == axis}
        list(graphlib.TopologicalSorter(sums).static_order())  # raises CycleError


@each_version
def test_rows_can_be_told_apart_by_id_and_by_label(found):
    lines = [line for line in form_lines(found.version) if line.row]
    assert len({line.row for line in lines}) == len(lines)
    assert len({label_key(line.label) for line in lines}) == len(lines)
    assert all(
        line.value in ("", "none", "count", "number", "percent", "money", "text", "date", "choice") for line in lines
    )
    for name in [line.codelist for line in lines] + [column.codelist for column in found.version.columns]:
        assert not name or len(read_codelist(name)) > 1


@each_version
def test_a_form_is_in_force_only_while_its_circular_is(found):
    assert found.regime is not None
    assert found.start >= found.regime.valid.from_
    assert set(found.version.period_kinds) <= set(KINDS)
    still_used = found.form.id in ("form16bch", "form10bcx", "form18bct")  # in use until the district tier ended
    if found.regime.valid.to and not still_used:
        assert found.version.to == found.regime.valid.to


@each_version
def test_what_is_recalled_is_marked(found):
    """A reference that says "nhớ lại" or "chưa" (recalled, not compared) stands on an entry marked unverified."""
    says_so = re.search("nhớ lại|chưa", found.version.reference)
    assert not says_so or found.version.unverified


@pytest.mark.parametrize(
    ("day", "circular"),
    [
        ("2019-12-31", "tt27_2014"),
        ("2025-06-30", "tt37_2019"),
        ("2025-07-01", "tt23_2025"),
        ("2027-02-28", "tt23_2025"),
    ],
)
def test_on_every_day_one_circular_orders_the_statistical_forms(day, circular):
    in_force = {one.regime.id for one in list_forms(at=datetime.date.fromisoformat(day)) if one.regime}
    others = {"tt27_2014", "tt37_2019", "tt23_2025"} - {circular}
    if circular == "tt37_2019":
        others -= {"tt27_2014"}  # 16/BCH and its twins stayed in use until the district tier ended
    assert circular in in_force
    assert not in_force & others


def test_after_the_circular_lapses_its_forms_are_refused_with_the_days_they_held():
    with pytest.raises(InputError) as error:
        form_at(find_form("14/BCT"), datetime.date(2027, 3, 31))
    assert "28/02/2027" in str(error.value)
    assert "31/03/2027" in str(error.value)


@pytest.mark.parametrize(
    ("written", "form"),
    [("16/BCH", "form16bch"), ("Biểu 16/BCH", "form16bch"), ("bieu 4/yttn", "form4yttn"), ("A6/CSYT", "a6"), ("Sổ A6", "a6"), ("a6", "a6")],
)  # fmt: skip
def test_a_form_is_found_by_the_code_that_is_printed_on_it(written, form):
    assert find_form(written).id == form


def test_an_unknown_code_names_the_nearest():
    with pytest.raises(InputError) as error:
        find_form("16/BCHH")
    assert "16/BCH" in str(error.value)


def test_a_period_of_another_kind_is_refused_and_a_half_is_the_same_as_six_months_cumulative():
    found = form_at(find_form("16/BCH"), datetime.date(2024, 6, 30))
    assert period_for(found, "2024S1").period_id == "2024C6"
    with pytest.raises(InputError, match="lũy kế"):
        period_for(found, "202406")


def test_the_list_of_tt23_2025_has_all_fourteen_province_forms():
    codes = {one.code for one in VERSIONS if one.version.regime == "tt23_2025" and one.code.endswith("/BCT")}
    assert codes == {f"{number}/BCT" for number in range(1, 15)}


def test_the_commune_forms_of_tt27_2014_are_ten():
    codes = {one.code for one in VERSIONS if one.code.endswith("/BCX")}
    assert codes == {f"{number}/BCX" for number in range(1, 11)}


def test_a6_columns_are_read_as_what_the_entry_calls_them():
    """The headings of the register's template mean to the register's own door what the catalog says they mean."""
    for version in load_entry("forms", "a6").versions.values():
        for column in version.columns:
            heading = " | ".join([*(text.vi for text in column.groups), column.title.vi])
            assert match_header(heading) == column.id, heading


# ------------------------------------------------------------------------------------- the outlines of Thanh Hóa


def seed(number: str) -> str:
    """A source document beside the project; the test is skipped where it is absent."""
    folder = Path(os.environ.get("TKYT_REFERENCE") or REPOSITORY.parent / "shared" / "reference").parent / "seeds"
    found = sorted(folder.glob(f"{number}_*.txt"))
    if not found:
        pytest.skip(f"the source document {number} is absent: {folder}")
    return found[0].read_text("utf-8")


def words(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", fold(re.sub("<[^>]+>", "", text)))


def annex(number: int) -> list[list[str]]:
    """Table rows of an annex: STT, item, who reports, unit."""
    part = seed("003").split("**Phụ lục ")[number]
    rows = [line.split("\t") for line in part.splitlines() if line.count("\t") == 3]
    return [row for row in rows if row[0].strip() != "STT"]


@pytest.mark.parametrize(("number", "in_words"), [(1, 0), (2, 7)])
def test_the_outlines_of_thanh_hoa_have_every_cell_and_unit_of_the_letter(number, in_words):
    rows = annex(number)
    version = next(iter(load_entry("forms", f"thanhhoa_annex{number}").versions.values()))
    cells = [line for line in form_lines(version) if not line.is_heading]
    asked = sorted(words(row[3]) for row in rows if row[3].strip())
    shared = ["hinhthucgisoluong"] * 2 if number == 2 else []  # 2.2 and 2.3 share the unit cell of 2.1
    assert sorted([words(line.unit) for line in cells if line.unit]) == sorted([*asked, *shared])
    assert len(cells) == len(asked) + in_words
    assert len(form_cells(version)) == 2 * len(cells)  # answer and note


@pytest.mark.parametrize("number", [1, 2])
def test_every_label_of_the_outlines_stands_in_the_letter(number):
    text = words(seed("003").replace("CDLSQG", "CSDLQG").replace("TTBYT", "TT-BYT"))
    version = next(iter(load_entry("forms", f"thanhhoa_annex{number}").versions.values()))
    for line in form_lines(version):
        assert words(re.split(r"\(nêu", line.label)[0]) in text, line.label


def test_windows_and_due_dates_are_those_of_the_letters_table():
    row = re.compile(
        r"^\d\t(?P<name>[^\t]+)\t(?P<start>\S+) – (?P<end>\S+)\t(?P<due>\S+)\t(?P<annex>.*)$", re.MULTILINE
    )
    ids = {"6 tháng": "2023S1", "Năm 2023": "2023"} | {f"Tháng {month}": f"2023{month:02d}A" for month in range(7, 13)}
    found = 0
    for line in row.finditer(seed("003")):
        for number in re.findall(r"\d", line["annex"]):
            form = form_at(load_entry("forms", f"thanhhoa_annex{number}"), period(ids[line["name"]]).end)
            assert form.window(period(ids[line["name"]])) == (day(line["start"]), day(line["end"]))
            assert form.version.due_dates[ids[line["name"]]] == day(line["due"])
            found += 1
    assert found == 9  # eight periods, the half-year with both annexes


def day(text: str) -> datetime.date:
    return datetime.datetime.strptime(text, "%d/%m/%Y").date()


# --------------------------------------------------------------------------------------------- mistakes in entries


def test_a_form_with_an_unknown_circular_does_not_load(tmp_path, monkeypatch):
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "x.yaml").write_text(
        'id: x\ncode: "X"\ntitle:\n  vi: "X"\n  en: "X"\nlevel: commune\nversions:\n  2030-01-01:\n'
        '    reference: "không có"\n    regime: tt_none\n    cells_known: false\n',
        "utf-8",
    )
    monkeypatch.setenv("TKYT_CATALOG_PATH", str(tmp_path))
    with pytest.raises(InputError, match="tt_none"):
        load_entries("forms")


def test_a_rule_without_parts_and_a_grid_without_rows_are_mistakes():
    converter = Converter("forms/x.yaml")
    converter.convert(FormRule, {"id": "r", "kind": "total", "axis": "rows", "target": "1"}, "")
    converter.convert(FormVersion, {"reference": "x", "columns": []}, "")
    assert [part for part in ("parts", "columns", "rows") if any(part in said for said in converter.found)] == [
        "parts", "columns", "rows",
    ]  # fmt: skip
