"""The sheet "Hướng dẫn": how to fill the form in, by when, for whom, on what ground, and what is not certain of it."""

from __future__ import annotations

from typing import Any

from tkyt_analysis.catalog.entries import FormRule
from tkyt_analysis.forms.formats import (
    BLOCKED_COLOUR,
    BREACH_COLOUR,
    INPUT_COLOUR,
    NOT_NUMBER_COLOUR,
    TOTAL_COLOUR,
    Formats,
)
from tkyt_analysis.forms.heading import Deadline, Reporter
from tkyt_analysis.forms.lines import form_lines
from tkyt_analysis.forms.plan import SheetPlan
from tkyt_analysis.forms.sheet_head import lines_needed
from tkyt_analysis.labels import label

VI = "vi"
WIDTHS = (26, 92)
Paragraph = tuple[str, str]


def write_guide(
    book: Any, plan: SheetPlan, formats: Formats, *, reporter: Reporter, due: Deadline, practice: bool
) -> Any:
    """Write the guide on a new worksheet."""
    sheet = book.add_worksheet(label("forms.guide.sheet", VI))
    for at, width in enumerate(WIDTHS):
        sheet.set_column(at, at, width)
    title = label("forms.guide.title", VI, code=plan.found.form.code)
    sheet.merge_range(0, 0, 0, 1, "", formats.of(bold=True, font_size=14))
    sheet.write_string(0, 0, title, formats.of(bold=True, font_size=14))
    row = _write_colours(sheet, formats, 2)
    heading = formats.of(bold=True, valign="top", text_wrap=True, border=1)
    text = formats.of(valign="top", text_wrap=True, border=1)
    for name, words in guide_lines(plan, reporter=reporter, due=due, practice=practice):
        sheet.write_string(row, 0, name, heading)
        sheet.write_string(row, 1, words, text)
        sheet.set_row(row, 16.5 * lines_needed(words, WIDTHS[1]) + 1)
        row += 1
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&R&9{label('forms.page', VI)} &P/&N")
    sheet.protect("", {"format_columns": True, "format_rows": True})
    return sheet


def _write_colours(sheet: Any, formats: Formats, row: int) -> int:
    colours = {
        "input": INPUT_COLOUR, "total": TOTAL_COLOUR, "blocked": BLOCKED_COLOUR,
        "breach": BREACH_COLOUR, "not_number": NOT_NUMBER_COLOUR,
    }  # fmt: skip
    for name, colour in colours.items():
        sheet.write_blank(row, 0, None, formats.of(bg_color=colour, border=1))
        sheet.write_string(row, 1, label(f"forms.colour.{name}", VI), formats.of(text_wrap=True, border=1))
        row += 1
    return row + 1


def guide_lines(plan: SheetPlan, *, reporter: Reporter, due: Deadline, practice: bool = False) -> list[Paragraph]:
    """(heading, text) of the guide, in order."""
    form, version = plan.found.form, plan.found.version
    lines = [
        (label("forms.guide.who", VI), _who(plan, reporter)),
        (label("forms.guide.to", VI), reporter.receiver),
        (label("forms.guide.due", VI), due.words + _mark(due.unverified)),
        (label("forms.guide.source", VI), version.reference),
    ]
    if plan.found.regime:
        lines.append((label("forms.guide.regime", VI), f"{plan.found.regime.document}. {plan.found.regime.title.vi}"))
    lines += [(label("forms.guide.fill", VI), label(f"forms.guide.fill.{version.layout}", VI))]
    lines += [(label("forms.guide.note", VI), text.vi) for text in version.guide]
    lines += [(label("forms.guide.rules", VI), text) for text in rule_sentences(plan)]
    if form.notes:
        lines.append((label("forms.guide.note", VI), form.notes.vi))
    if doubt := unverified_sentences(plan):
        lines.append((label("forms.guide.unverified", VI), " ".join(doubt)))
    if form.access == "personal":
        lines.append((label("forms.guide.personal", VI), label("forms.guide.personal.text", VI)))
    if practice:
        lines.append((label("forms.guide.practice", VI), label("forms.practice_note", VI)))
    return [*lines, (label("forms.guide.keep", VI), label("forms.guide.keep.text", VI))]


def _who(plan: SheetPlan, reporter: Reporter) -> str:
    words = plan.found.form.reporters
    return f"{reporter.name} ({words.vi})" if words else reporter.name


def _mark(unverified: bool) -> str:
    return f" ({label('forms.unverified', VI)})" if unverified else ""


def unverified_sentences(plan: SheetPlan, language: str = VI) -> list[str]:
    """What of the form is recalled rather than looked up, one sentence each."""
    version = plan.found.version
    said = []
    if not version.cells_known:
        said.append(label("forms.doubt.cells", language))
    if version.unverified:
        said.append(label("forms.doubt.version", language))
    rows = [line.number or line.row for line in form_lines(version) if line.unverified] if version.rows else []
    if rows:
        said.append(label("forms.doubt.rows", language, rows=", ".join(rows)))
    if plan.found.regime and plan.found.regime.unverified:
        said.append(label("forms.doubt.regime", language))
    return said


def rule_sentences(plan: SheetPlan, language: str = VI) -> list[str]:
    """The arithmetic of the form in words."""
    return [_sentence(plan, rule, language) for rule in plan.found.version.rules]


def _sentence(plan: SheetPlan, rule: FormRule, language: str) -> str:
    own, other = _names(plan, rule.axis, language), _names(plan, _other(rule.axis), language)
    words = label(
        f"forms.rule.{rule.kind}",
        language,
        target=own[rule.target],
        parts=_listed([own[part] for part in rule.parts]),
        within=_listed([other[one] for one in rule.within]),
    )
    if rule.within and rule.kind != "only_in":
        words += " " + label("forms.rule.within", language, within=_listed([other[one] for one in rule.within]))
    return words + (f" ({label('forms.unverified', language)})" if rule.unverified else "")


def _other(axis: str) -> str:
    return "columns" if axis == "rows" else "rows"


def _names(plan: SheetPlan, axis: str, language: str) -> dict[str, str]:
    if axis == "columns":
        return column_names(plan, language)
    return {
        line.row: f"“{line.label if language == VI or not line.label_en else line.label_en}”"
        for line in plan.lines
        if line.row
    }


def column_names(plan: SheetPlan, language: str) -> dict[str, str]:
    """{column id: heading in quotes}, with the headings over it where two columns have the same."""
    titles = [column.title[language] for column in plan.columns]
    names = {}
    for column, title in zip(plan.columns, titles, strict=True):
        over = [text[language] for text in column.groups] if titles.count(title) > 1 else []
        names[column.id] = "“" + " – ".join([*over, title]) + "”"
    return names


def _listed(names: list[str]) -> str:
    """All of a few names; the first and last of many."""
    return " + ".join(names) if len(names) <= 8 else f"{names[0]} + … + {names[-1]}"
