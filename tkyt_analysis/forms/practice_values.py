"""Synthetic values for a form: drawn from a seed, agreeing with the form's own rules. For practice homes and tests."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import numpy as np

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.entries import FormColumn
from tkyt_analysis.forms.arithmetic import Value, blocked, evaluate, totals
from tkyt_analysis.forms.find import FormAt
from tkyt_analysis.forms.plan import Cell, SheetPlan, plan_sheet
from tkyt_analysis.labels import label
from tkyt_analysis.reference.periods import Period

ROUNDS = 20
MEAN_COUNT = 4.0
LIST_FILLED = 12


def draw_values(found: FormAt, period: Period, *, seed: int) -> dict[tuple[str, str], Value]:
    """Values by (row id, column id) for `write_filled`; of a list by line number. Totals are left to the formulas.

    Every rule of the form holds. Answers in words say that they are simulated; nobody's name is drawn.
    """
    plan, rng = plan_sheet(found, list_lines=LIST_FILLED), np.random.default_rng(seed)
    if found.version.layout == "list":
        return _draw_list(plan, rng, found.window(period))
    closed, sums = blocked(plan), totals(plan)
    given: dict[Cell, Value] = {}
    for row, column, line, head in plan.cells():
        if line.row and head.value != "text" and (row, column) not in sums:
            kind, codelist = line.kind_in(head), line.codelist or head.codelist or ""
            given[row, column] = 0 if (row, column) in closed else _draw(rng, kind, codelist, found.window(period))
    _make_agree(plan, given, rng)
    rows = {at: row for row, at in plan.row_at.items()}
    ids = {at: name for name, at in plan.column_at.items()}
    return {(rows[row], ids[column]): value for (row, column), value in given.items()}


Window = tuple[datetime.date, datetime.date]


def _draw(rng: np.random.Generator, kind: str, codelist: str, window: Window) -> Value:
    if kind == "count":
        return int(rng.poisson(MEAN_COUNT))
    if kind == "money":
        return int(rng.integers(1, 500)) * 1_000_000
    if kind in ("number", "percent"):
        return round(float(rng.uniform(60, 100)), 1)
    if kind == "date":
        return window[0] + datetime.timedelta(days=int(rng.integers((window[1] - window[0]).days + 1)))
    if kind == "choice":
        words = read_codelist(codelist)["label_vi"]
        return str(words.iloc[int(rng.integers(len(words)))])
    return label("forms.practice.text", "vi", number=int(rng.integers(1000)))


def _draw_list(plan: SheetPlan, rng: np.random.Generator, window: Window) -> dict[tuple[str, str], Value]:
    """Some lines of a register: each is one simulated person, of one sex."""
    words = read_codelist("form_practice_words").groupby("column")["word"].agg(list).to_dict()
    drawn: dict[tuple[str, str], Value] = {}
    for number in range(1, LIST_FILLED + 1):
        other_sex, pick = ("male", "female")[int(rng.integers(2))], int(rng.integers(1000))
        for head in plan.columns:
            if head.id not in (other_sex, "note", "id_number", "insurance_number"):
                drawn[str(number), head.id] = _list_value(rng, head, number, words.get(head.id, []), pick, window)
    return drawn


def _list_value(
    rng: np.random.Generator, head: FormColumn, number: int, words: list[str], pick: int, window: Window
) -> Value:
    if head.id == "line_number":
        return number
    if head.id == "full_name":
        return label("forms.practice.person", "vi", number=number)
    if head.id == "maternal_death":
        return str(read_codelist("form_choice_yes_no")["label_vi"].iloc[-1])
    if head.id in ("male", "female", "birth"):
        return str(window[1].year - 40 - pick % 50)
    return words[pick % len(words)] if words else _draw(rng, head.value, head.codelist or "", window)


def _make_agree(plan: SheetPlan, given: dict[Cell, Value], rng: np.random.Generator) -> None:
    """Change inputs until no rule is broken: the smaller side of a rule is drawn again below the larger one."""
    for _ in range(ROUNDS):
        broken = list(broken_rules(plan, given))
        if not broken:
            return
        for kind, target, parts in broken:
            _mend(plan, given, kind, target, parts, rng)
    for _, target, parts in broken_rules(plan, given):  # rules that no draw meets: leave their cells empty
        for cell in (target, *parts):
            given.pop(cell, None)


def broken_rules(plan: SheetPlan, given: dict[Cell, Value]) -> Iterator[tuple[str, Cell, tuple[Cell, ...]]]:
    """(kind, target cell, part cells) of each at_most and at_least rule that the values break."""
    from tkyt_analysis.forms.arithmetic import applied

    sums = evaluate(totals(plan), given)
    for rule in plan.found.version.rules:
        if rule.kind not in ("at_most", "at_least"):
            continue
        for target, parts in applied(plan, rule):
            value = _number(target, given, sums)
            whole = [_number(part, given, sums) for part in parts]
            known = [part for part in whole if part is not None]
            if value is None or not known:
                continue
            if (value > sum(known)) if rule.kind == "at_most" else (value < sum(known)):
                yield rule.kind, target, parts


def _number(cell: Cell, given: dict[Cell, Value], sums: dict[Cell, float | str]) -> float | None:
    value = sums.get(cell, given.get(cell))
    return value if isinstance(value, int | float) else None


def _mend(
    plan: SheetPlan,
    given: dict[Cell, Value],
    kind: str,
    target: Cell,
    parts: tuple[Cell, ...],
    rng: np.random.Generator,
) -> None:
    sums = evaluate(totals(plan), given)
    whole = sum(_number(part, given, sums) or 0 for part in parts)
    if kind == "at_least" and target in given:
        given[target] = int(whole + rng.poisson(MEAN_COUNT))
    elif target in given:
        given[target] = int(rng.integers(int(whole) + 1))
    elif parts[0] in given:  # the target is a total: its parts stay, the other side follows
        given[parts[0]] = _number(target, given, sums) or 0
