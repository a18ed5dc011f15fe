"""Reporting forms going out: which form is in force, its cells, its workbook in the ministry's look."""

from tkyt_analysis.forms.find import FormAt, find_form, form_at, list_forms
from tkyt_analysis.forms.lines import Line, form_lines
from tkyt_analysis.forms.template import write_filled, write_template, write_templates

__all__ = [
    "FormAt",
    "Line",
    "find_form",
    "form_at",
    "form_lines",
    "list_forms",
    "write_filled",
    "write_template",
    "write_templates",
]
