"""Names of what a case is about: unit, data set, element, cell of a form, period, and its question in words."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from tkyt_analysis.catalog import load_entries, load_entry
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, format_number
from tkyt_analysis.quality.findings import finding_question
from tkyt_analysis.reference.periods import as_period, format_period

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import FormVersion
    from tkyt_analysis.warehouse.lake import Warehouse


class CaseNames:
    """Names as the warehouse and the catalog have them; an id where nobody has named it."""

    def __init__(self, warehouse: Warehouse) -> None:
        def pairs(sql: str) -> dict[str, str]:
            return {str(key): str(name) for key, name in warehouse.con.execute(sql).fetchall() if name}

        self.units = pairs("SELECT unit_id, any_value(name) FROM lake.organisation_unit GROUP BY 1")
        self.sets = pairs("SELECT dataset_id, any_value(name) FROM lake.data_set GROUP BY 1")
        self.elements = pairs("SELECT element_id, any_value(name) FROM lake.data_element GROUP BY 1")
        self.categories = pairs(
            "SELECT category_id, any_value(name) FROM lake.category WHERE name <> 'default' GROUP BY 1"
        )

    def unit(self, unit_id: str) -> str:
        return self.units.get(unit_id, unit_id)

    def dataset(self, dataset_id: str) -> str:
        if dataset_id in load_entries("forms"):
            form = load_entries("forms")[dataset_id]
            return f"{form.code} – {form.title[current_language()]}"
        if dataset_id in self.sets:
            return self.sets[dataset_id]
        entry = load_entries("datasets").get(dataset_id)
        return entry.title[current_language()] if entry else dataset_id

    def element(self, case: Mapping[str, Any]) -> str:
        """The element with its category; of a form the words of its row and column."""
        element, category = str(case["element_id"] or ""), str(case["category_id"] or "")
        if str(case["dataset_id"]) in load_entries("forms"):
            row, column = _form_words(str(case["dataset_id"]), str(case["period_id"]))
            name = row.get(element.rsplit("/", 1)[-1], element)
            return " – ".join(part for part in (name, column.get(category, category)) if part)
        name, of = self.elements.get(element, element), self.categories.get(category, "")
        return f"{name} ({of})" if of else name


def period_words(period_id: str) -> str:
    """A period in words; "–" where the case has none."""
    try:
        return format_period(period_id) if period_id else "–"
    except InputError:
        return period_id


@cache
def _form_words(form_id: str, period_id: str) -> tuple[dict[str, str], dict[str, str]]:
    """({row id: its words}, {column id: its heading}) of a form in force in a period."""
    from tkyt_analysis.forms.lines import form_columns, form_lines

    try:
        version: FormVersion = load_entry("forms", form_id).version_at(as_period(period_id).end)
    except InputError:
        return {}, {}
    lines = {line.row: f"{line.number}. {line.label}" if line.number else line.label for line in form_lines(version)}
    return lines, {one.id: one.title[current_language()] for one in form_columns(version)}


def question_words(case: Mapping[str, Any], *, unit: str, names: CaseNames | None = None) -> str:
    """The question of the case's rule with the figures of the case; the rule's title where its words cannot be filled."""
    from tkyt_analysis.correction.cells import parse_fields

    try:
        rule = load_entry("rules", str(case["rule_id"]))
    except InputError:  # a rule that the catalog no longer has
        return str(case["rule_id"])
    own = {name: case[name] for name in _OWN}
    words = parse_fields(case["fields"]) | own | {"period_id": _period(case)}
    dataset = str(case["dataset_id"] or "")
    known = ChainMap({}) if names is None else ChainMap({dataset: names.dataset(dataset)}, names.units, names.elements)
    try:
        return finding_question(rule, words, unit=unit, names=known)
    except (KeyError, IndexError):
        return rule.title[current_language()]


_OWN = ("value", "expected", "lower", "upper", "probability", "suggested", "at_stake", "dataset_id", "element_id")


def _period(case: Mapping[str, Any]) -> str:
    return period_words(str(case["period_id"] or ""))


def rule_title(rule_id: str) -> str:
    """The rule's title; its id where the catalog no longer has it."""
    try:
        return load_entry("rules", rule_id).title[current_language()]
    except InputError:
        return rule_id


def figure(value: Any) -> str:
    """A figure in words: whole numbers whole, small ones with a decimal; "–" for none."""
    if value is None or value != value:
        return "–"
    return format_number(float(value), 0 if float(value).is_integer() or abs(float(value)) >= 10 else 1)
