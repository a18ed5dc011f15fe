"""The fields of the form (code list `death_capture_fields`): one list for the app and for the Excel template."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError

FIELD_LIST = "death_capture_fields"
KINDS = ("text", "long", "date", "time", "choice", "code", "icd", "number", "age", "interval", "yes_no")
GROUPS = ("person", "death", "place", "cause", "maternal", "external", "source")
WITH_CHOICES = ("choice", "yes_no")
# What stands beside the fields of the form in a record: which stored record it corrects, and why.
CORRECTS, REASON = "corrects", "correction_reason"
# Copied from the record before (Ctrl+D): what the deaths of one hamlet or one teller have in common.
COPIED = ("ethnic_group", "address", "place_of_death", "death_place", "care_before_death", "source_list", "informant_relation")  # fmt: skip
IDENTIFIERS = ("full_name", "birth", "id_number", "insurance_number", "address", "note")


@dataclass(frozen=True)
class Field:
    """One field. `width` is of 12 columns; `essential` ones are seen without scrolling; `heading` is that of the workbook."""

    name: str
    group: str
    kind: str
    choices: str
    required: bool
    essential: bool
    width: int
    title: dict[str, str]
    help: dict[str, str]
    heading: str


@cache
def form_fields() -> dict[str, Field]:
    """The fields by name, in the order of the paper book. Raises InputError for a row that is no field."""
    rows = read_codelist(FIELD_LIST).to_dict("records")
    return {one.name: one for one in map(_field, rows)}


def _field(row: dict[str, str]) -> Field:
    kind, group, width = row["kind"], row["group"], row["width"]
    with_list = bool(row["choices"]) == (kind in WITH_CHOICES)
    if kind not in KINDS or group not in GROUPS or not width.isdigit() or not 1 <= int(width) <= 12 or not with_list:
        raise InputError("error.capture_field", field=row["field"], found=f"{kind}, {group}, {width}, {row['choices']}")
    title, help_text = (
        {language: row[f"{part}_{language}"] for language in ("vi", "en")} for part in ("title", "help")
    )
    required, essential = row["required"] == "yes", row["essential"] == "yes"
    return Field(
        row["field"], group, kind, row["choices"], required, essential, int(width), title, help_text, row["heading"]
    )


def groups() -> Iterator[tuple[str, list[Field]]]:
    """(group, its fields) in the order of the form."""
    for group in GROUPS:
        yield group, [one for one in form_fields().values() if one.group == group]


@cache
def choices_of(choices: str) -> dict[str, dict[str, str]]:
    """{code: {vi, en}} of a list of choices."""
    rows = read_codelist(choices)
    return {
        code: {"vi": vi, "en": en}
        for code, vi, en in rows[["code", "label_vi", "label_en"]].itertuples(index=False, name=None)
    }


def shown(field: Field, value: str, language: str) -> str:
    """A value as people read it: the words of a choice, else the text."""
    if field.kind in WITH_CHOICES:
        return choices_of(field.choices).get(value, {}).get(language, value)
    return value
