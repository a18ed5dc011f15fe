"""Report templates: a notebook and its declared parameters, one folder each under reports_templates/."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tkyt_analysis.catalog.convert import Converter, read_yaml
from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.catalog.loader import CatalogError
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language
from tkyt_analysis.settings import REPOSITORY


@dataclass(frozen=True)
class Parameter:
    """One parameter: its type, what it asks, and its value when none is given (None: must be given)."""

    type: Literal["text", "integer", "number", "boolean", "place", "period", "language"]
    title: Text
    default: Any = None
    optional: bool = False


@dataclass(frozen=True)
class Template:
    """A report template as `parameters.yaml` describes it.

    pages : "module:function" (release, places, values) → (place, body HTML) of many places from one reading, for a batch without
        a kernel per place; "" where each place runs the notebook
    """

    id: str
    title_: Text
    purpose: Text
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    pages: str = ""

    def title(self, language: str | None = None) -> str:
        return self.title_[language or current_language()]

    @property
    def notebook(self) -> Path:
        return templates_directory() / self.id / "template.ipynb"

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": {"vi": self.title_.vi, "en": self.title_.en},
            "parameters": {name: {"type": one.type, "default": one.default} for name, one in self.parameters.items()},
        }


def templates_directory() -> Path:
    """The folder of the templates."""
    return REPOSITORY / "reports_templates"


def report_templates() -> dict[str, Template]:
    """{id: template} of every folder with a parameters.yaml."""
    templates, problems = {}, []
    for path in sorted(templates_directory().glob("*/parameters.yaml")):
        data, found = read_yaml(path)
        converter = Converter(f"{path.parent.name}/parameters.yaml")
        entry = converter.convert(Template, data, "") if not found else None
        problems += found + converter.found
        if entry:
            templates[entry.id] = entry
    if problems:
        raise CatalogError(problems)
    return templates


def report_template(name: str) -> Template:
    """One template; an unknown name is an InputError that lists the known ones."""
    templates = report_templates()
    if name not in templates:
        raise InputError("error.no_such_report", report=name, known=", ".join(templates))
    return templates[name]


def parse_parameters(given: tuple[str, ...]) -> dict[str, str]:
    """{name: text} of "name=value" arguments."""
    parameters = {}
    for argument in given:
        name, equals, value = argument.partition("=")
        if not equals or not name:
            raise InputError("error.parameter_form", argument=argument)
        parameters[name] = value
    return parameters


def typed_parameters(template: Template, given: Mapping[str, Any]) -> dict[str, Any]:
    """The template's parameters with the given values, typed; undeclared, missing or ill-typed ones are refused."""
    for name in given:
        if name not in template.parameters:
            raise InputError(
                "error.parameter_unknown", report=template.id, parameter=name, known=", ".join(template.parameters)
            )
    values = {}
    for name, parameter in template.parameters.items():
        if name in given:
            values[name] = typed(parameter, name, given[name])
        elif parameter.default is not None or parameter.optional:
            values[name] = parameter.default
        else:
            raise InputError("error.parameter_missing", report=template.id, parameter=name)
    return values


def typed(parameter: Parameter, name: str, value: Any) -> Any:
    """A value as the parameter's type; codes stay text."""
    try:
        return READERS[parameter.type](value)
    except (ValueError, KeyError, InputError):
        raise InputError("error.parameter_type", parameter=name, value=value, expected=parameter.type) from None


def _boolean(value: Any) -> bool:
    return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]


def _place(value: Any) -> str:
    text = str(value)
    if not re.fullmatch(r"[A-Z][A-Z0-9]*(:\S+)?", text):
        raise ValueError(text)
    return text


def _period(value: Any) -> str:
    from tkyt_analysis.reference.period_words import parse_period

    return parse_period(str(value)).period_id


def _language(value: Any) -> str:
    return {"vi": "vi", "en": "en"}[value]


READERS: dict[str, Callable[[Any], Any]] = {
    "text": str,
    "integer": int,
    "number": float,
    "boolean": _boolean,
    "place": _place,
    "period": _period,
    "language": _language,
}
