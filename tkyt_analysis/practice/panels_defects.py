"""Plant known errors into drawn panels, with a truth table that says where (synthetic – số liệu mô phỏng).

Kinds are those of `data_catalog/codelists/defect_kinds.csv`. No two planted errors touch the same cell. Rates are
shares of what the kind damages (see RATES); `heavy` plants three times as many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from tkyt_analysis.practice.panels_planting import Planting
from tkyt_analysis.quality.panel import FormBlock

# Share of: cells B1 B2 B3 B9 B10; zeros A6; forms B4 B6 B7 B11 C1 C3 swapped_units; unit-years B5 C2 C4; units B8 B12 A7 E1; province-elements D1.
RATES = {
    "A6": 0.08, "A7": 0.005, "B1": 0.0015, "B2": 0.0010, "B3": 0.0015, "B4": 0.001, "B5": 0.03, "B6": 0.005, "B7": 0.01,
    "B8": 0.05, "B9": 0.002, "B10": 0.0005, "B11": 0.003, "B12": 0.005, "C1": 0.01, "C2": 0.003, "C3": 0.002, "C4": 0.01,
    "D1": 0.02, "E1": 0.005, "swapped_units": 0.002,
}  # fmt: skip
KINDS = tuple(RATES)
_SEVERITY = {"light": 1.0, "heavy": 3.0}
_MINIMUM = 10  # a digit error is planted only where the true count has two digits, as in the outlier benchmark


def plant_defects(
    panel: FormBlock,
    kinds: Sequence[str] = KINDS,
    rates: Mapping[str, float] | None = None,
    seed: int = 0,
    *,
    elements: pd.DataFrame | None = None,
    severity: str = "light",
) -> tuple[FormBlock, pd.DataFrame]:
    """A damaged copy of a block, and what was damaged.

    Parameters
    ----------
    kinds : what to plant, in any order; rates : {kind: share} instead of RATES
    elements : `FormDesign.elements`; without it nothing that needs related elements is planted (C1–C4, D1)
    severity : "light" or "heavy" (three times the rates)

    Returns
    -------
    (block, truth). truth: one row per damaged cell, `id` shared by the cells of one error: id, kind, unit_id,
    period_id, element_id, category_id, true_value, shown_value, severity. Empty element_id: the whole form; empty
    period_id: the whole unit (B8, B12). B11 changes nothing: its rows are a second submission (`second_submissions`).
    D1 stands at its province and first period. E1 adds units (`lineage_rows` has all, also those without error).
    """
    share = RATES | dict(rates or {})
    planting = Planting(panel, elements)
    for kind in [one for one in _PLANTERS if one in kinds]:
        rng = np.random.default_rng([seed, _ORDER[kind]])
        _PLANTERS[kind](planting, rng, min(share[kind] * _SEVERITY[severity], 0.5))
    block = replace(panel, values=planting.values)
    truth = planting.truth().assign(severity=severity)
    if "E1" in kinds:
        block, more = _double_units(block, share["E1"] * _SEVERITY[severity], seed)
        truth = pd.concat([truth, more.assign(severity=severity)], ignore_index=True)
    return block, truth


def second_submissions(block: FormBlock, truth: pd.DataFrame) -> pd.DataFrame:
    """Rows of `received_value` that arrived a second time with other values (B11), to append to those of the block."""
    again = truth[truth["kind"] == "B11"]
    rows = again[["element_id", "category_id", "unit_id", "period_id"]].assign(value=again["shown_value"])
    return rows.assign(dataset_id=block.dataset_id).reset_index(drop=True)


def lineage_rows(block: FormBlock) -> pd.DataFrame:
    """Old and new unit of every change of id in a block planted with E1: old_unit_id, new_unit_id, changed_on (first day of the new)."""
    old = [str(unit) for unit in block.units if unit.endswith("OLD")]
    rows = pd.DataFrame({"old_unit_id": old, "new_unit_id": [unit[:-3] for unit in old]}, dtype="str")
    return rows.assign(changed_on=block.periods[len(block.periods) // 2].start)


def _heaped(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """B8: a unit rounds half or most of its counts from 5 on to the nearest 5 or 10."""
    for unit in p.pick_units(rng, rate):
        values, step, often = p.values[unit], rng.choice([5.0, 10.0]), rng.choice([0.5, 0.85])
        rounded = np.maximum(np.round(values / step) * step, step)
        p.whole_unit("B8", unit, np.where((values >= 5) & (rng.random(values.shape) < often), rounded, values))


def _invented(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """B12: every count of a unit is about the unit's mean, with a tenth or half of the noise that chance would bring."""
    for unit in p.pick_units(rng, rate):
        values = p.values[unit]
        with np.errstate(invalid="ignore"):
            mean = np.nansum(values, axis=0) / np.maximum(np.isfinite(values).sum(axis=0), 1)
        noise = rng.normal(0, rng.choice([0.1, 0.5]), values.shape) * np.sqrt(mean)
        p.whole_unit("B12", unit, np.where(np.isfinite(values), np.maximum(np.round(mean + noise), 0), np.nan))


def _after_closing(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """A7: a closed unit goes on sending its last form for three periods."""
    last = p.values.shape[1] - 1 - np.argmax(p.reported[:, ::-1], axis=1)
    closed = np.flatnonzero(p.reported.any(axis=1) & (last < p.values.shape[1] - 6))
    for unit in rng.permutation(closed)[: int(np.ceil(rate * len(p.values)))]:
        for column in range(last[unit] + 3, min(last[unit] + 6, p.values.shape[1])):
            p.form("A7", unit, column, rng.poisson(np.nan_to_num(p.values[unit, last[unit]])).astype(float))


def _shifted(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """B4: two counts of a form change places, or a run of them stands one place too far down."""
    for unit, column in p.pick_forms(rng, rate):
        row = p.values[unit, column]
        if rng.random() < 0.5:
            places = _two_that_differ(rng, row)
            shown = row[places[::-1]]
        else:
            length = int(rng.integers(3, 9))
            start = int(rng.integers(0, max(1, len(row) - length)))
            places = np.arange(start, min(start + length, len(row)))
            shown = np.concatenate([[0.0], row[places[:-1]]])
        if len(places) and np.nansum(np.abs(row[places] - shown)) >= _MINIMUM:
            p.cells("B4", unit, column, places, shown)


def _two_that_differ(rng: np.random.Generator, row: np.ndarray) -> np.ndarray:
    places = np.flatnonzero(np.isfinite(row))
    if len(places) < 2:
        return np.array([], dtype=int)
    for _ in range(20):
        pair = rng.choice(places, 2, replace=False)
        high, low = row[pair].max(), row[pair].min()
        if high >= _MINIMUM and high >= 2 * max(low, 1):
            return pair
    return np.array([], dtype=int)


def _cumulative(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """B5: from January on (six in ten), from the second half, or once, a report holds the sum since January."""
    years = np.array([one.year for one in p.block.periods])
    whole = [year for year in np.unique(years) if (years == year).sum() >= 4]
    units = len(p.values)
    for number in rng.permutation(units * len(whole))[: int(round(rate * units * len(whole)))]:
        unit, columns = number % units, np.flatnonzero(years == whole[number // units])
        summed = np.nancumsum(p.values[unit, columns], axis=0)
        chance = rng.random()
        at = np.arange(len(columns))
        if chance < 0.6:
            late = at >= 1
        elif chance < 0.8:
            late = at >= len(columns) // 2
        else:
            late = at == rng.integers(2, len(columns))
        p.rectangle("B5", unit, columns[late], _whole_form_or_family(p, rng), summed[late])


def _whole_form_or_family(p: Planting, rng: np.random.Generator) -> np.ndarray:
    if p.elements is None or rng.random() < 0.6:
        return np.arange(p.values.shape[2])
    family = p.elements["family"].to_numpy()
    return np.flatnonzero(np.isin(family, rng.permutation(np.unique(family))[:3]))


def _two_in_one(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """B6: a report holds two periods; the one before it, or the one after it, is empty."""
    for unit, column in p.pick_forms(rng, rate):
        other = column + int(rng.choice([-1, 1]))
        if 0 <= other < p.values.shape[1] and p.reported[unit, other] and p.free[unit, other].all():
            both = p.values[unit, column] + np.nan_to_num(p.values[unit, other])
            p.two_forms("B6", unit, (column, other), both, np.full(len(both), np.nan))


def _copied(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """B7: the whole form equals the one before, the one a year ago, or another unit's of the same period."""
    year = 4 if p.block.periods[0].kind == "quarter" else 12
    for unit, column in p.pick_forms(rng, rate):
        way = rng.integers(0, 3)
        if way < 2:
            source = (unit, column - (1, year)[way])
        else:
            here = np.flatnonzero(p.block.groups == p.block.groups[unit])
            source = (int(rng.choice(here)), column)
        if source[1] >= 0 and source != (unit, column) and p.reported[source] and p.free[source].all():
            p.form("B7", unit, column, p.values[source].copy())
            p.free[source] = False


def _under_each_others_name(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """swapped_units: two units of a province send each other's form (units of unlike size, or nothing shows)."""
    for unit, column in p.pick_forms(rng, rate / 2):
        here = np.flatnonzero((p.block.groups == p.block.groups[unit]) & p.reported[:, column])
        other = int(rng.choice(here))
        sums = np.nansum(p.values[[unit, other], column], axis=1)
        if p.free[[unit, other], column].all() and sums.max() > 1.5 * sums.min() and sums.min() >= 20:
            p.exchange("swapped_units", int(unit), other, int(column))


def _digit(change: Callable[[np.ndarray], np.ndarray], minimum: float, kind: str) -> Callable[..., None]:
    def plant(p: Planting, rng: np.random.Generator, rate: float) -> None:
        unit, column, place = p.pick_cells(rng, rate, minimum)
        p.each_cell(kind, unit, column, place, change(p.values[unit, column, place]))

    return plant


def _swap_two_digits(values: np.ndarray) -> np.ndarray:
    texts = [str(int(one)) for one in values]
    return np.array([float(text[1] + text[0] + text[2:]) for text in texts])


def _odd_numbers(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """B10: a percent, a negative number, a half."""
    unit, column, place = p.pick_cells(rng, rate, 1)
    values = p.values[unit, column, place]
    percent = np.floor(rng.uniform(0, 100, len(values))) + rng.integers(1, 10, len(values)) / 10
    p.each_cell(
        "B10", unit, column, place, np.choose(rng.integers(0, 3, len(values)), [percent, -values, values + 0.5])
    )


def _sent_twice(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """B11: the form comes again with one count in five different; the panel keeps the first."""
    for unit, column in p.pick_forms(rng, rate):
        row = p.values[unit, column]
        other = np.where(rng.random(len(row)) < 0.2, np.round(row * rng.uniform(0.7, 1.4, len(row)) + 1), row)
        p.second("B11", unit, column, other)


def _blank_or_zero(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """A6: a zero left blank; and of whole reports that are missing, three eighths of that share stored as zeros."""
    unit, column, place = np.nonzero((p.values == 0) & p.free)
    chosen = rng.random(len(unit)) < rate
    p.each_cell("A6", unit[chosen], column[chosen], place[chosen], np.full(int(chosen.sum()), np.nan))
    for unit_at, at in np.argwhere(~p.reported & p.reported.any(axis=1, keepdims=True)):
        if rng.random() < 0.375 * rate and p.reported[unit_at, :at].any() and p.reported[unit_at, at:].any():
            p.form("A6", unit_at, at, np.zeros(p.values.shape[2]))


def _parts(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """C1: a part above its total, or a total that is not the sum of its parts."""
    for unit, column, total in p.pick_forms_of(rng, rate, "total"):
        parts = p.places("part", total)
        value = p.values[unit, column, total]
        if rng.random() < 0.5:
            p.cells("C1", unit, column, parts[:1], np.array([value + rng.integers(1, 6)]))
        else:
            p.cells("C1", unit, column, np.array([total]), np.array([value + rng.integers(1, 3 + int(0.2 * value))]))


def _later_dose(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """C2: for six to twelve periods dose 3 is truly a quarter to a half above dose 1."""
    for unit, columns, first in p.pick_windows(rng, rate, "dose1"):
        shown = np.ceil(p.values[unit, columns, first] * rng.uniform(1.25, 1.5))
        p.rectangle("C2", unit, columns, p.places("dose3", first), shown[:, None])


def _deaths_above(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """C3: more deaths than admissions in one form."""
    for unit, column, place in p.pick_forms_of(rng, rate, "admissions"):
        shown = p.values[unit, column, place] + rng.integers(1, 10)
        p.cells("C3", unit, column, p.places("deaths", place), np.array([shown]))


def _fewer_attended(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """C4: for six to twelve periods a unit reports a third to two thirds of its attended births."""
    for unit, columns, place in p.pick_windows(rng, rate, "births"):
        attended = p.places("attended", place)
        shown = np.round(p.values[unit][np.ix_(columns, attended)] * rng.uniform(0.35, 0.65))
        p.rectangle("C4", unit, columns, attended, shown)


def _new_definition(p: Planting, rng: np.random.Generator, rate: float) -> None:
    """D1: from one period on all units of a province count twice as much, or half, of one element."""
    places = np.array([]) if p.elements is None else np.flatnonzero(p.elements["role"] == "single")
    groups, periods = np.unique(p.block.groups), p.values.shape[1]
    pairs = [(group, place) for group in groups for place in places]
    for at in rng.permutation(len(pairs))[: int(np.ceil(rate * len(pairs)))]:
        first = int(rng.integers(periods // 4, max(periods // 4 + 1, 3 * periods // 4)))
        group, place = pairs[at]
        p.level("D1", group, int(place), first, float(rng.choice([0.5, 2.0])))


def _double_units(block: FormBlock, rate: float, seed: int) -> tuple[FormBlock, pd.DataFrame]:
    """E1: some units get a new id in the middle of the panel; half of the old ids go on reporting what the new reports."""
    rng = np.random.default_rng([seed, 999])
    merged = int(block.values.shape[1] // 2)
    chosen = np.sort(rng.permutation(len(block.units))[: max(2, int(np.ceil(2 * rate * len(block.units))))])
    values, old = block.values.copy(), block.values[chosen].copy()
    values[chosen, :merged] = np.nan
    double = rng.permutation(len(chosen)) < (len(chosen) + 1) // 2
    old[~double, merged:] = np.nan
    order = np.argsort(units := np.concatenate([block.units, [f"{unit}OLD" for unit in block.units[chosen]]]))
    grown = replace(
        block,
        values=np.concatenate([values, old])[order],
        units=units[order].astype(object),
        groups=np.concatenate([block.groups, block.groups[chosen]])[order],
    )
    rows = [
        (f"E1-{unit}", "E1", name, one.period_id, "", "", np.nan, np.nan)
        for unit, at in zip(block.units[chosen][double], chosen[double], strict=True)
        for column, one in enumerate(block.periods)
        if column >= merged and np.isfinite(block.values[at, column]).any()
        for name in (unit, f"{unit}OLD")
    ]
    return grown, pd.DataFrame(rows, columns=Planting.COLUMNS)


# In this order: what takes whole units first, single cells last.
_PLANTERS: dict[str, Callable[[Planting, np.random.Generator, float], None]] = {
    "A7": _after_closing,
    "D1": _new_definition,
    "B8": _heaped,
    "B12": _invented,
    "B5": _cumulative,
    "C2": _later_dose,
    "C4": _fewer_attended,
    "B7": _copied,
    "B6": _two_in_one,
    "B4": _shifted,
    "swapped_units": _under_each_others_name,
    "B11": _sent_twice,
    "C1": _parts,
    "C3": _deaths_above,
    "B1": _digit(lambda values: values * 10, _MINIMUM, "B1"),
    "B2": _digit(lambda values: np.floor(values / 10), _MINIMUM, "B2"),
    "B3": _digit(_swap_two_digits, _MINIMUM, "B3"),
    "B9": _digit(lambda values: values / 1000, 1000, "B9"),
    "B10": _odd_numbers,
    "A6": _blank_or_zero,
}
_ORDER = {kind: at for at, kind in enumerate(_PLANTERS)}
