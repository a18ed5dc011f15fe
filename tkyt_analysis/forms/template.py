"""A form as a protected workbook in the ministry's look, empty or filled in, one or a whole province's."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from tkyt_analysis.catalog import catalog_version, read_codelist
from tkyt_analysis.catalog.entries import Form
from tkyt_analysis.errors import InputError
from tkyt_analysis.forms.arithmetic import Value
from tkyt_analysis.forms.find import FormAt, find_form, form_at, period_for
from tkyt_analysis.forms.formats import Formats
from tkyt_analysis.forms.guide import write_guide
from tkyt_analysis.forms.heading import Deadline, Reporter, deadline, find_reporter, period_line
from tkyt_analysis.forms.plan import LIST_LINES, SheetPlan, plan_sheet
from tkyt_analysis.forms.practice_values import draw_values
from tkyt_analysis.forms.sheet import write_sheet
from tkyt_analysis.forms.sheet_head import Titles
from tkyt_analysis.labels import label
from tkyt_analysis.reference.periods import Period, as_period
from tkyt_analysis.reference.vietnamese_text import fold

VI = "vi"
TEMPLATE_VERSION = "1"
HIDDEN_SHEET, CHOICES_SHEET = "_tkyt", "_danh_muc"
CREATED = datetime.datetime(2025, 1, 1)  # the same workbook for the same question


def write_template(
    form: Form | str, unit: str, period: Period | str, path: Path, *, name: str = "", practice: bool = False
) -> Path:
    """Write the empty form of a unit and period to `path`; a folder gets the usual file name. Returns the file.

    form : entry, id or printed code; unit : unit id, code or name; name : how a facility is called on its form
    Raises InputError at an unknown form, unit or period, or where no version is in force at the end of the period.
    """
    return write_filled(form, unit, period, path, {}, name=name, practice=practice)


def write_filled(
    form: Form | str,
    unit: str,
    period: Period | str,
    path: Path,
    values: Mapping[tuple[str, str], Value],
    *,
    name: str = "",
    practice: bool = False,
) -> Path:
    """Write the form with values by (row id, column id); of a list form by (line number from "1", column id).

    Totals are formulas with the sum as cached value; a total that is given must equal its sum.
    Raises InputError as `write_template`, and at a cell that the form does not have.
    """
    found, when = _asked(form, period)
    reporter = find_reporter(found, unit, when.end, name=name)
    return _write(found, when, reporter, _target(path, found, when, reporter), values, practice=practice)


def units_of(found: FormAt, place_id: str, day: datetime.date) -> list[str]:
    """The units of the form's level inside a place, in order of code. Raises InputError where it has none."""
    from tkyt_analysis.forms.heading import LEVELS
    from tkyt_analysis.reference.places import place, places

    where = place(place_id, at=day)
    level = LEVELS.get(found.form.level)
    if level is None:
        raise InputError("error.forms.bulk_facility", code=found.form.code)
    units = places(where.system, at=day)
    above = {where.unit_id}
    for step in range(where.level + 1, level + 1):
        units_here = units[(units["level"] <= step) & units["parent_unit_id"].isin(above)]
        above |= set(units_here["unit_id"])
    chosen = units[(units["level"] == level) & units["unit_id"].isin(above)]
    if chosen.empty:
        raise InputError("error.forms.no_units", code=found.form.code, place=where.full_name,
                         level=label(f"forms.level.{found.form.level}"))  # fmt: skip
    return sorted(chosen["unit_id"])


@dataclass(frozen=True)
class Made:
    """The workbooks of one call: the form as it is in force for the period, and the files."""

    found: FormAt
    period: Period
    files: list[Path]


def make_templates(
    code: str,
    period: str,
    output: Path,
    *,
    unit: str = "",
    place: str = "",
    name: str = "",
    practice: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> Made:
    """What `tkyt form template` does: one unit's form, or those of all units in a place.

    period : id ("2024C6") or words ("6 tháng đầu năm 2024"); output : a .xlsx file or a folder
    practice : filled with simulated values that agree with the form's rules; the workbook says so
    Raises InputError as `write_template`.
    """
    found, when = _asked(code, read_period(period))
    if place:
        whole = _place_id(place, when.end)
        units, folder = units_of(found, whole, when.end), output
        folder.mkdir(parents=True, exist_ok=True)
    else:
        units, folder = [unit], output
    files = []
    for number, one in enumerate(units):
        if progress and len(units) > 1:
            progress(number, len(units), one)
        reporter = find_reporter(found, one, when.end, name=name)
        values = draw_values(found, when, seed=crc32(f"{reporter.unit_id} {when}".encode())) if practice else {}
        files.append(_write(found, when, reporter, _target(folder, found, when, reporter), values, practice=practice))
    return Made(found, when, files)


def read_period(text: str) -> Period:
    """The period of an id or of the words of a form heading."""
    from tkyt_analysis.reference.period_words import parse_period

    try:
        return as_period(text)
    except InputError:
        return parse_period(text)


def _place_id(place: str, day: datetime.date) -> str:
    """The unit id of a place given as id, code or name (province first)."""
    import pandas as pd

    from tkyt_analysis.reference.places import find_places

    if ":" in place or place == "VN":
        return place
    answers = [find_places(pd.Series([place], dtype="str"), level=level, at=day).iloc[0] for level in (1, 2, 3)]
    found = next((one for one in answers if one["unit_id"]), None)
    if found is None:
        raise InputError(answers[0]["reason"], **(answers[0]["fields"] | {"value": place}))
    return str(found["unit_id"])


def _asked(form: Form | str, period: Period | str) -> tuple[FormAt, Period]:
    entry = find_form(form) if isinstance(form, str) else form
    when = as_period(period)
    found = form_at(entry, when.end)
    when = period_for(found, when)
    return found, when


def _target(path: Path, found: FormAt, period: Period, reporter: Reporter) -> Path:
    if path.suffix.lower() == ".xlsx":
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
    path.mkdir(parents=True, exist_ok=True)
    unit = reporter.unit_id.replace(":", "-")
    return path / f"{_file_word(found.code)}_{unit}_{period.period_id}.xlsx"


def _file_word(code: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in fold(code).upper()).strip("-")


def _write(
    found: FormAt,
    period: Period,
    reporter: Reporter,
    path: Path,
    values: Mapping[tuple[str, str], Value],
    *,
    practice: bool,
) -> Path:
    import xlsxwriter

    lines = max(LIST_LINES, len({row for row, _ in values}) + 50)
    plan, due = plan_sheet(found, list_lines=lines), deadline(found, period)
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"title": found.form.code, "comments": label("forms.practice_note", VI) if practice else "",
                             "created": CREATED})  # fmt: skip
        formats = Formats(book)
        titles = make_titles(found, period, reporter, due, practice=practice)
        write_sheet(
            book, plan, titles, formats, name=sheet_name(found),
            last_day=found.window(period)[1], choices=_choice_ranges(plan), values=values,
        )  # fmt: skip
        write_guide(book, plan, formats, reporter=reporter, due=due, practice=practice)
        _write_choices(book, plan)
        _write_hidden(book, found, period, reporter, practice=practice)
    return path


def sheet_name(found: FormAt) -> str:
    """The name of the form's sheet, within Excel's 31 characters and without those it refuses."""
    return "".join("-" if letter in "[]:*?/\\" else letter for letter in found.code)[:31]


def make_titles(found: FormAt, period: Period, reporter: Reporter, due: Deadline, *, practice: bool) -> Titles:
    """The lines over the table."""
    form, version = found.form, found.version
    notes = [label("forms.practice_note", VI)] if practice else []
    if not version.cells_known:
        notes.append(label("forms.banner.cells_unknown", VI))
    elif version.unverified:
        notes.append(label("forms.banner.unverified", VI))
    measure = version.unit_of_measure
    return Titles(
        code=form_name(found),
        legal=label("forms.legal", VI, reference=found.regime.document if found.regime else version.reference),
        reporter=label("forms.reporting_unit", VI, unit=reporter.name),
        receiver=label("forms.receiving_unit", VI, unit=reporter.receiver),
        deadline=label("forms.due", VI, due=due.words),
        title=form.title.vi.upper(),
        period=period_line(found, period),
        measure=label("forms.measure", VI, unit=measure.vi) if measure else "",
        banner=" – ".join(notes),
        national=version.layout == "outline",
    )


def form_name(found: FormAt) -> str:
    """ "Biểu 16/BCH", "Sổ A6/YTCS", or the code itself where it already says what it is."""
    code = found.code
    if not code[:1].isdigit() and not code.startswith("A"):
        return code
    return label("forms.book_name" if found.version.layout == "list" else "forms.form_name", VI, code=code)


def _choice_lists(plan: SheetPlan) -> list[str]:
    lists = [line.codelist for line in plan.lines] + [column.codelist or "" for column in plan.columns]
    return sorted({one for one in lists if one})


def _choice_ranges(plan: SheetPlan) -> dict[str, str]:
    """Where the words of each code list stand on the sheet of choices."""
    ranges = {}
    for at, codelist in enumerate(_choice_lists(plan)):
        letter = chr(ord("A") + at)
        ranges[codelist] = f"='{CHOICES_SHEET}'!${letter}$2:${letter}${len(read_codelist(codelist)) + 1}"
    return ranges


def _write_choices(book: Any, plan: SheetPlan) -> None:
    lists = _choice_lists(plan)
    if not lists:
        return
    sheet = book.add_worksheet(CHOICES_SHEET)
    for at, codelist in enumerate(lists):
        sheet.write_string(0, at, codelist)
        for row, word in enumerate(read_codelist(codelist)["label_vi"], 1):
            sheet.write_string(row, at, word)
    sheet.very_hidden()
    sheet.protect()


def _write_hidden(book: Any, found: FormAt, period: Period, reporter: Reporter, *, practice: bool) -> None:
    """The sheet `_tkyt` from which the reader knows its own workbook."""
    sheet = book.add_worksheet(HIDDEN_SHEET)
    for row, (key, text) in enumerate(hidden_keys(found, period, reporter, practice=practice).items()):
        sheet.write_string(row, 0, key)
        sheet.write_string(row, 1, text)
    sheet.very_hidden()
    sheet.protect()


def hidden_keys(found: FormAt, period: Period, reporter: Reporter, *, practice: bool) -> dict[str, str]:
    """Key and value of each line of `_tkyt`."""
    start, end = found.window(period)
    return {
        "kind": "register" if found.version.layout == "list" else "form",
        "form": found.form.id,
        "version": f"{found.start:%Y-%m-%d}",
        "unit_id": reporter.unit_id,
        "period_id": period.period_id,
        "window_start": f"{start:%Y-%m-%d}",
        "window_end": f"{end:%Y-%m-%d}",
        "template_version": TEMPLATE_VERSION,
        "catalog_version": catalog_version(),
        "practice": "yes" if practice else "no",
    }
