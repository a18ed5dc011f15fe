"""Which form: by id or printed code, and its version in force for a period; a sentence where there is none."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.catalog.entries import Form, FormVersion, Regime
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, format_date, label
from tkyt_analysis.reference.periods import Period, as_period
from tkyt_analysis.reference.vietnamese_text import fold


@dataclass(frozen=True)
class FormAt:
    """A form as it is on a day: the entry, the first day of the version, the version, its circular."""

    form: Form
    start: datetime.date
    version: FormVersion
    regime: Regime | None = None

    @property
    def code(self) -> str:
        """As printed on this version."""
        return self.version.code or self.form.code

    @property
    def unverified(self) -> bool:
        """Whether anything of it is recalled rather than looked up."""
        return self.version.unverified or not self.version.cells_known

    def window(self, period: Period) -> tuple[datetime.date, datetime.date]:
        """First and last day of the data: those of the period unless the letter names others."""
        own = self.version.windows.get(period.period_id)
        return (own.from_, own.to or period.end) if own else (period.start, period.end)


def find_form(name: str) -> Form:
    """The form of an id ("form16bch") or printed code ("16/BCH", "Biểu 16/BCH").

    Raises InputError where none or several have the code; the sentence names the nearest or all of them.
    """
    forms: dict[str, Form] = load_entries("forms")
    if name in forms:
        return forms[name]
    wanted = _code_key(name)
    found = [form for form in forms.values() if wanted in _codes(form)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError("error.forms.code_twice", code=name, forms=", ".join(form.id for form in found))
    raise InputError("error.forms.unknown", code=name, nearest=_nearest(name, forms))


def _codes(form: Form) -> set[str]:
    """The code of the form and those printed on its versions, for comparison."""
    return {_code_key(code) for code in (form.code, *(one.code for one in form.versions.values())) if code}


def _code_key(code: str) -> str:
    return re.sub(r"^(bieu|so|mau)(?:\s*so)?\s+|\s", "", fold(code))


def _nearest(name: str, forms: dict[str, Form]) -> str:
    from difflib import get_close_matches

    known = {_code_key(form.code): form.code for form in forms.values()} | {one: one for one in forms}
    return ", ".join(known[key] for key in get_close_matches(_code_key(name), known, n=3, cutoff=0.4)) or "–"


def form_at(form: Form, day: datetime.date) -> FormAt:
    """The version in force on a day. Raises InputError that says from when to when the form was in force."""
    for start in sorted(form.versions, reverse=True):
        version = form.versions[start]
        if start <= day and (version.to is None or day <= version.to):
            return FormAt(form, start, version, load_entries("regimes").get(version.regime or ""))
    spans = "; ".join(_span(start, one) for start, one in sorted(form.versions.items()))
    instead = _instead(form, day)
    raise InputError("error.forms.not_in_force", code=form.code, day=format_date(day), spans=spans, instead=instead)


def _span(start: datetime.date, version: FormVersion) -> str:
    if version.to is None:
        return label("forms.span_open", start=format_date(start))
    return label("forms.span", start=format_date(start), end=format_date(version.to))


def _instead(form: Form, day: datetime.date) -> str:
    """Codes of the forms of the same title that are in force on the day."""
    same = [one for one in list_forms(at=day) if one.form.id != form.id and one.form.title.vi == form.title.vi]
    codes = ", ".join(one.form.code for one in same)
    return label("forms.instead", codes=codes) if codes else label("forms.instead_list", day=f"{day:%Y-%m-%d}")


def list_forms(*, at: datetime.date | None = None, level: str | None = None) -> list[FormAt]:
    """Every version of every form, by code of its circular; with `at` only those in force on that day."""
    found = []
    regimes = load_entries("regimes")
    for form in load_entries("forms").values():
        for start, version in sorted(form.versions.items()):
            in_force = at is None or (start <= at and (version.to is None or at <= version.to))
            if in_force and level in (None, form.level):
                found.append(FormAt(form, start, version, regimes.get(version.regime or "")))
    return sorted(found, key=lambda one: (one.start, _natural(one.form.code)))


def _natural(code: str) -> tuple[tuple[int, str], ...]:
    """A sort key in which 2/BCT stands before 14/BCT."""
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", code) if part)


def period_for(found: FormAt, period: Period | str) -> Period:
    """The period under the name that the form uses (2024S1 of a cumulative form is 2024C6).

    Raises InputError where the form is not made for such periods.
    """
    from tkyt_analysis.ingest.report_heading import as_form_period

    asked = as_form_period(as_period(period), found.version.period_kinds)
    kinds = found.version.period_kinds
    if kinds and asked.kind not in kinds:
        names = ", ".join(label(f"period.kind.{kind}") for kind in kinds)
        raise InputError("error.forms.period_kind", code=found.form.code, period=asked, kinds=names)
    return asked


def title_of(form: Form) -> str:
    """The title in the language of the session."""
    return form.title[current_language()]
