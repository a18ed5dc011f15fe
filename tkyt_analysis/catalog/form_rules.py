"""The arithmetic that a form itself promises, as quality rules `<form>.<rule>`, each with a sound and a broken example."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.catalog.entries import Form, FormRule, FormVersion, Missing, Rule, Text
from tkyt_analysis.catalog.language import EACH, Cells, written
from tkyt_analysis.labels import label

_ANY: Missing = "skip_if_any_missing"
_ALL: Missing = "skip_if_all_missing"
# kind of the form's rule: operator, missing on the left, on the right (blank parts of a sum count as 0, as in the workbook)
_KINDS: dict[str, tuple[str, Missing, Missing]] = {"total": ("==", _ANY, _ALL), "at_most": ("<=", _ANY, _ALL), "at_least": (">=", _ANY, _ALL),
          "only_in": ("==", _ALL, _ALL)}  # fmt: skip
_LEVELS = ("commune", "district", "province", "facility")
_LONGEST_LIST = 6


def form_rules(forms: Iterable[Form], own: Mapping[str, Rule]) -> dict[str, Rule]:
    """{"<form>.<rule>": rule} of all forms, except forms for which the catalog has rules of its own (`applies_to`)."""
    written_by_hand = {name for rule in own.values() if rule.kind == "expression" for name in rule.applies_to}
    found: dict[str, Rule] = {}
    for form in forms:
        if form.id in written_by_hand:
            continue
        for start, version in form.versions.items():
            for rule in version.rules:
                for one in _rules(form, start, version, rule):
                    name = one.id if one.id not in found else f"{one.id}@{start:%Y-%m-%d}"
                    found[name] = one if name == one.id else _renamed(one, name)
    return found


def _renamed(rule: Rule, name: str) -> Rule:
    from dataclasses import replace

    return replace(rule, id=name)


def _rules(form: Form, start: datetime.date, version: FormVersion, rule: FormRule) -> list[Rule]:
    if rule.kind == "only_in":
        return [_rule(form, start, version, rule, ())]
    return [_rule(form, start, version, rule, (one,)) for one in rule.within] or [_rule(form, start, version, rule, ())]


def _rule(form: Form, start: datetime.date, version: FormVersion, rule: FormRule, at: tuple[str, ...]) -> Rule:
    names = _names(version)
    others = _outside(names, rule) if rule.kind == "only_in" else at or (EACH,)
    left, right = _cells(form, rule, (rule.target,), others), _cells(form, rule, rule.parts, others)
    operator, left_missing, right_missing = _KINDS[rule.kind]
    said = {language: _sentence(names, rule, at, language) for language in ("vi", "en")}
    question = {
        language: label(
            "rule.form.question", language, sentence=_braces(said[language]), code=version.code or form.code
        )
        for language in said
    }
    return Rule(
        id=".".join((form.id, rule.id, *(at if len(rule.within) > 1 else ()))),
        version=1,
        title=Text(**{language: f"{version.code or form.code}: {text}" for language, text in said.items()}),
        question=Text(**question),
        severity="warning" if rule.unverified else "error",
        kind="expression",
        level=_LEVELS,
        owner="TKYT",
        source=version.reference,
        left=written(left),
        operator=operator,
        right=written(right) if rule.parts else "0",
        left_missing=left_missing,
        right_missing=right_missing,
        applies_to=(form.id,),
        valid_from=start,
        valid_to=version.to,
        detects=("B4",),
        examples=_examples(form, version, rule, others),
        unverified=rule.unverified or version.unverified,
    )


def _cells(form: Form, rule: FormRule, own: tuple[str, ...], others: tuple[str, ...]) -> Cells:
    rows, columns = (own, others) if rule.axis == "rows" else (others, own)
    return Cells(rows, columns, form.id)


def _outside(names: Mapping[str, Mapping[str, Text]], rule: FormRule) -> tuple[str, ...]:
    """The ids of the other axis at which the target must stay empty."""
    other = "columns" if rule.axis == "rows" else "rows"
    return tuple(name for name in names[other] if name not in rule.within)


def _names(version: FormVersion) -> dict[str, dict[str, Text]]:
    """{"rows" | "columns": {id: heading}} of a version: counted columns, rows that are not headings."""
    rows = {"total": version.total_row} if version.total_row else {}
    for line in read_codelist(version.rows).to_dict("records") if version.rows else []:
        if line.get("value", "") != "none":
            number = line.get("number", line["row"])
            vi, en = line["label_vi"], line.get("label_en", "") or line["label_vi"]
            rows[line["row"]] = Text(f"“{number} {vi}”".replace("“ ", "“"), f"“{number} {en}”".replace("“ ", "“"))
    columns = {one.id: Text(_column(one, "vi"), _column(one, "en")) for one in version.columns if one.value != "text"}
    return {"rows": rows, "columns": columns}


def _column(column: Any, language: str) -> str:
    over = column.groups[-1][language] if column.groups else ""
    heading = column.title[language]
    return f"“{over} – {heading}”" if over and over.lower() not in heading.lower() else f"“{heading}”"


def _sentence(names: Mapping[str, Mapping[str, Text]], rule: FormRule, at: tuple[str, ...], language: str) -> str:
    own, other = names[rule.axis], names["columns" if rule.axis == "rows" else "rows"]
    words = label(
        f"forms.rule.{rule.kind}",
        language,
        target=_listed(own, (rule.target,), language),
        parts=_listed(own, rule.parts, language, " + "),
        within=_listed(other, rule.within, language),
    )
    if at:
        words += " " + label("forms.rule.within", language, within=_listed(other, at, language))
    return words


def _listed(titles: Mapping[str, Text], names: tuple[str, ...], language: str, between: str = ", ") -> str:
    shown = [titles[one][language] if one in titles else one for one in names]
    if len(shown) > _LONGEST_LIST:
        shown = [shown[0], shown[1], "…", shown[-1]]
    return between.join(shown)


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _examples(
    form: Form, version: FormVersion, rule: FormRule, others: tuple[str, ...]
) -> tuple[Mapping[str, Any], ...]:
    """One case that holds and one that is broken, at the first row or column where the rule is asked."""
    at = others[0]
    if at == EACH:
        taken = {rule.target, *rule.parts}
        axis = _names(version)["columns" if rule.axis == "rows" else "rows"]
        at = next((name for name in axis if name not in taken), "1")

    def given(target: int, parts: int) -> dict[str, int]:
        values = {written(_cells(form, rule, (one,), (at,))): parts for one in rule.parts}
        return {written(_cells(form, rule, (rule.target,), (at,))): target} | values

    whole = 2 * len(rule.parts)
    off = whole - 1 if rule.kind == "at_least" else whole + 1
    period = _period(version)
    return tuple(
        {"given": given(target, 2), "outcome": outcome, "period": period}
        for target, outcome in ((whole, "holds"), (off, "broken"))
    )


def _period(version: FormVersion) -> str:
    """A period in which the version is in force, of a kind that it reports."""
    from tkyt_analysis.reference.periods import period_of

    kind = version.period_kinds[0] if version.period_kinds else "month"
    start = next(iter(version.due_dates), None) if kind not in ("month", "quarter", "half", "year") else None
    day = version.to or datetime.date(2025, 12, 31)
    if kind == "cumulative":
        return f"{day.year - 1}C12"
    return start or str(period_of(datetime.date(day.year, day.month, 1) - datetime.timedelta(days=1), kind).period_id)
