"""Reporting forms going out: which form is in force, its cells, its workbook in the ministry's look."""

from tkyt_analysis.forms.find import FormAt, find_form, form_at, list_forms
from tkyt_analysis.forms.lines import Line, form_lines
from tkyt_analysis.forms.template import make_templates, write_filled, write_template

__all__ = [
    "FormAt",
    "Line",
    "find_form",
    "form_at",
    "form_lines",
    "list_forms",
    "make_templates",
    "write_filled",
    "write_template",
]
