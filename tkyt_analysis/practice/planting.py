"""Spoil a block of true values as real reports are spoilt, and remember every planted defect.

Defects that take a whole form (unit × month × data set) never meet on one form, and no cell is spoilt
twice, so that a row of the truth table always says what really stands in the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tkyt_analysis.practice.activity import Block
from tkyt_analysis.practice.elements import Form
from tkyt_analysis.practice.rates import defect_rate

DUE_DAYS = 5  # a report is due 5 days after its period
LONGEST_LAG = 70


@dataclass
class Spoilt:
    """A block as it is shown, and what was planted in it.

    shown, present : [units × months × cells]; written : text of single cells {flat index: text}
    taken : forms that a form-level defect took; used : cells that a cell-level defect took
    marked, lag : completion mark and days from the end of the month, [units × months × data sets]
    cells : {kind: flat cell indexes}; forms : {kind: flat form indexes}
    units : (kind, unit, month, element, true text, shown text)
    second : (flat cell indexes, other values) that are sent twice; revised : cells mended in a later export
    """

    block: Block
    rng: np.random.Generator
    profile: str
    minimum: int
    shown: np.ndarray
    present: np.ndarray
    taken: np.ndarray
    used: np.ndarray
    marked: np.ndarray
    lag: np.ndarray
    quiet_units: np.ndarray
    written: dict[int, str] = field(default_factory=dict)
    cells: dict[str, np.ndarray] = field(default_factory=dict)
    forms: dict[str, np.ndarray] = field(default_factory=dict)
    units: list[tuple[str, int, str, str, str, str]] = field(default_factory=list)
    second: tuple[np.ndarray, np.ndarray] = (np.empty(0, np.int64), np.empty(0, np.int64))
    revised: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def choose(self, kind: str, eligible: np.ndarray, *, among: int | None = None) -> np.ndarray:
        """Flat indexes: the planned share of the eligible ones (at small scales at least one)."""
        candidates = np.flatnonzero(eligible)
        rate = defect_rate(kind, self.profile)
        wanted = int(self.rng.binomial(len(candidates) if among is None else among, rate))
        wanted = min(max(wanted, self.minimum), len(candidates))
        return np.sort(self.rng.choice(candidates, size=wanted, replace=False))

    def free_forms(self) -> np.ndarray:
        """Forms no defect has taken yet, [units × months × data sets]."""
        return ~self.taken

    def free_cells(self) -> np.ndarray:
        """Cells that are shown, untouched, and on untouched forms, [units × months × cells]."""
        return self.present & ~self.used & ~self.taken[:, :, self.block.form.cells["form"].to_numpy()]

    def add_cells(self, kind: str, flat: np.ndarray) -> None:
        """Remember spoilt cells; those that came out unchanged are not defects."""
        changed = self.shown.ravel()[flat] != self.block.true.ravel()[flat]
        changed |= ~self.present.ravel()[flat]
        self.used.ravel()[flat] = True
        self.cells[kind] = np.union1d(self.cells.get(kind, np.empty(0, np.int64)), flat[changed])

    def add_forms(self, kind: str, flat: np.ndarray) -> None:
        """Remember and take whole forms."""
        self.taken.ravel()[flat] = True
        self.forms[kind] = np.union1d(self.forms.get(kind, np.empty(0, np.int64)), flat)


def spoil(block: Block, rng: np.random.Generator, *, profile: str, minimum: int) -> Spoilt:
    """All defects of the block, in a fixed order: units, forms, relations, cells, dates."""
    shape = (*block.true.shape[:2], len(block.form.data_sets))
    work = Spoilt(
        block=block,
        rng=rng,
        profile=profile,
        minimum=minimum,
        shown=block.true.copy(),
        present=np.ones(block.true.shape, bool),
        taken=np.zeros(shape, bool),
        used=np.zeros(block.true.shape, bool),
        marked=np.ones(shape, bool),
        lag=rng.integers(1, DUE_DAYS + 1, shape, dtype=np.int16),
        quiet_units=np.zeros(shape[0], bool),
    )
    for plant in STEPS:
        plant(work)
    return work


def form_cells(work: Spoilt, forms: np.ndarray) -> np.ndarray:
    """Flat indexes of all cells of the given forms (flat form indexes)."""
    units, months, data_sets = work.block.true.shape[0], work.block.true.shape[1], work.taken.shape[2]
    unit, month, data_set = np.unravel_index(forms, (units, months, data_sets))
    found = []
    for number in range(data_sets):
        cells = np.flatnonzero(work.block.form.cells["form"].to_numpy() == number)
        hit = data_set == number
        start = (unit[hit] * months + month[hit]) * work.block.true.shape[2]
        found.append((start[:, None] + cells[None, :]).ravel())
    return np.sort(np.concatenate(found))


# --- units --------------------------------------------------------------------------------------------


def silent_units(work: Spoilt) -> None:
    """A2, A3: remote units miss months of the last quarter; a unit starts late or stops without a date."""
    block = work.block
    units = len(block.units)
    weight = block.units["remoteness"].to_numpy() ** 2 + 0.01
    late_months = np.array([month[4:] in ("10", "11", "12") for month in block.months])
    if late_months.any():
        wanted = max(work.minimum, int(work.rng.binomial(units, defect_rate("A2", work.profile))))
        remote = work.rng.choice(units, size=min(wanted, units), replace=False, p=weight / weight.sum())
        missing = np.zeros(work.taken.shape, bool)
        missing[np.ix_(remote, late_months)] = work.rng.random((len(remote), late_months.sum(), 1)) < 0.6
        _drop_forms(work, "A2", np.flatnonzero(missing))
    outside = _outside_life(block)
    for unit in np.flatnonzero(outside.any(axis=1)).tolist():
        _drop_forms(work, "A3", _forms_of(work, unit, outside[unit]))
    for row, (first, last) in enumerate(zip(block.units["first_month"], block.units["last_month"])):
        if first in block.months:
            work.units.append(("A3", row, first, "", "", "starts"))
        if last in block.months:
            work.units.append(("A3", row, last, "", "", "stops"))


def _outside_life(block: Block) -> np.ndarray:
    """[units × months]: before the unit's first or after its last report."""
    months = np.array(block.months)[None, :]
    first = block.units["first_month"].to_numpy(str)[:, None]
    last = block.units["last_month"].to_numpy(str)[:, None]
    return (months < first) | ((last != "") & (months > last))


def _forms_of(work: Spoilt, unit: int, months: np.ndarray) -> np.ndarray:
    chosen = np.zeros(work.taken.shape, bool)
    chosen[unit, months] = True
    return np.flatnonzero(chosen & ~work.taken)


def habits_of_units(work: Spoilt) -> None:
    """B8, B12: a unit rounds everything of 10 and more to 0 or 5; a unit invents smooth numbers."""
    reporting: np.ndarray = ~np.asarray(work.taken.all(axis=(1, 2)))
    for unit in work.choose("B8", reporting):
        values = work.shown[unit]
        work.shown[unit] = np.where(values >= 10, 5 * np.rint(values / 5).astype(np.int32), values)
        work.quiet_units[unit] = True
        work.units.append(("B8", int(unit), "", "", "", "multiples of 5"))
    cells = work.block.form.cells
    for unit in work.choose("B12", reporting & ~work.quiet_units):
        level = work.block.mean[unit].mean(axis=0)[cells["element"]] * cells["weight"].to_numpy()
        smooth = np.rint(level)[None, :] + work.rng.integers(-1, 2, work.shown[unit].shape) * (level > 8)
        work.shown[unit] = np.maximum(smooth, 0).astype(np.int32)
        work.quiet_units[unit] = True
        work.units.append(("B12", int(unit), "", "", "", "constant level"))
    work.taken[work.quiet_units] = True


# --- forms --------------------------------------------------------------------------------------------


def _drop_forms(work: Spoilt, kind: str, forms: np.ndarray) -> None:
    work.add_forms(kind, forms)
    work.present.ravel()[form_cells(work, forms)] = False
    work.marked.ravel()[forms] = False


def missing_forms(work: Spoilt) -> None:
    """A1, A6_zero, A5: not sent; stored as zeros; marked complete but empty; sent but not marked."""
    missing = work.choose("A1", work.free_forms())
    _drop_forms(work, "A1", missing)
    zeros = work.choose("A6_zero", work.free_forms(), among=len(missing))
    work.add_forms("A6_zero", zeros)
    work.shown.ravel()[form_cells(work, zeros)] = 0
    empty = work.choose("A5_empty", work.free_forms())
    _drop_forms(work, "A5_empty", empty)
    work.marked.ravel()[empty] = True
    unmarked = work.choose("A5_unmarked", work.free_forms())
    work.forms["A5_unmarked"] = unmarked  # the values stay as they are
    work.marked.ravel()[unmarked] = False


def cumulative_forms(work: Spoilt) -> None:
    """B5: through one quarter the form holds the sum since January (new units: since July)."""
    block = work.block
    units, _, data_sets = work.taken.shape
    later = len(block.months) // 3 - 1  # quarters after the first of the block
    if later < 1:
        return
    unit, quarter = np.divmod(work.choose("B5", np.ones(units * later, bool)), later)
    months = 3 * (quarter + 1)[:, None] + np.arange(3)
    data_set = work.rng.integers(0, data_sets, len(unit))
    free = ~work.taken[unit[:, None], months, data_set[:, None]].any(axis=1)
    where = np.broadcast_arrays(unit[free, None], months[free], data_set[free, None])
    forms = np.sort(np.ravel_multi_index([axis.ravel() for axis in where], work.taken.shape))
    since_january = block.true.cumsum(axis=1, dtype=np.int32)
    _replace_forms(work, "B5", forms, since_january)


def _replace_forms(work: Spoilt, kind: str, forms: np.ndarray, values: np.ndarray) -> None:
    """Show `values` in all cells of the forms; every changed cell is a row of the truth table."""
    work.taken.ravel()[forms] = True
    cells = form_cells(work, forms)
    work.shown.ravel()[cells] = values.ravel()[cells]
    work.add_cells(kind, cells)


def _with_neighbour(work: Spoilt, kind: str, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Free forms whose neighbour `step` months on is free too, none of them used twice."""
    free = work.free_forms()
    both = np.zeros_like(free)
    if step > 0:
        both[:, :-1] = free[:, :-1] & free[:, 1:]
    else:
        both[:, 1:] = free[:, 1:] & free[:, :-1]
    forms = work.choose(kind, both, among=int(free.sum()))
    neighbours = forms + step * work.taken.shape[2]
    clear = ~np.isin(forms, neighbours)
    return forms[clear], neighbours[clear]


def doubled_and_copied_forms(work: Spoilt) -> None:
    """B6: two months in one report, the next one empty. B7: the previous month copied."""
    true = work.block.true
    forms, following = _with_neighbour(work, "B6", 1)
    doubled = true.copy()
    doubled[:, :-1] += true[:, 1:]
    _replace_forms(work, "B6", forms, doubled)
    _drop_forms(work, "B6", following)
    forms, previous = _with_neighbour(work, "B7", -1)
    copied = true.copy()
    copied[:, 1:] = true[:, :-1]
    _replace_forms(work, "B7", forms, copied)
    work.taken.ravel()[previous] = True


def second_submissions(work: Spoilt) -> None:
    """B11: one value is sent twice, differently. E6: one value is revised two months after publication."""
    for kind in ("B11", "E6"):
        forms = work.choose(kind, work.free_forms())
        cells = _one_cell_each(work, forms)
        true = work.block.true.ravel()[cells]
        other = true + np.maximum(1, np.rint(true * work.rng.uniform(0.05, 0.3, len(cells)))).astype(np.int32)
        work.used.ravel()[cells] = True
        if kind == "B11":
            work.second = (cells, other)
        else:
            work.shown.ravel()[cells] = np.where(work.rng.random(len(cells)) < 0.5, other, true // 2)
            work.add_cells("E6", cells)
            work.revised = work.cells["E6"]


def _one_cell_each(work: Spoilt, forms: np.ndarray) -> np.ndarray:
    unit, month, data_set = np.unravel_index(forms, work.taken.shape)
    of_form = work.block.form.cells["form"].to_numpy()
    first = np.searchsorted(of_form, np.arange(work.taken.shape[2]))
    width = np.bincount(of_form, minlength=work.taken.shape[2])
    cell = first[data_set] + work.rng.integers(0, width[data_set])
    return np.ravel_multi_index((unit, month, cell), work.shown.shape)


# --- relations between cells --------------------------------------------------------------------------

RELATIONS = {
    # kind: (part, total) pairs where the part must not be above the total
    "C2": [("TC_PENTA_3", "TC_PENTA_1"), ("SKSS_KHAM_THAI_4", "SKSS_KHAM_THAI_1")],
    "C3": [("KCB_TU_VONG", "KCB_NOI_TRU")],
    "C4": [("SKSS_DE_CSYT", "SKSS_DE_CBYT_DO")],
}
COVERAGE = ("TC_BCG", "TC_PENTA_1", "TC_SOI_1", "SKSS_KHAM_THAI_1")


def relation_pairs(form: Form) -> dict[str, list[tuple[str, str]]]:
    """{kind: (part, total) pairs} of the form; C1 are all other parts of elements.csv."""
    named = {pair for pairs in RELATIONS.values() for pair in pairs}
    shares = form.elements[form.elements["how"].eq("share")]
    pairs = {"C1": [pair for pair in zip(shares["element_id"], shares["parent"]) if pair not in named]}
    for kind, wanted in RELATIONS.items():
        pairs[kind] = [pair for pair in wanted if form.has(pair[0]) and form.has(pair[1])]
    return {kind: found for kind, found in pairs.items() if found}


def broken_relations(work: Spoilt) -> None:
    """C1–C4: a part is written larger than its total (C4: the smaller side of the pair is lowered)."""
    form = work.block.form
    for kind, pairs in relation_pairs(form).items():
        chosen = work.choose(kind, np.asarray(work.free_forms().any(axis=2)))
        pair = work.rng.integers(0, len(pairs), len(chosen))
        for number, (part, total) in enumerate(pairs):
            _break_pair(work, kind, chosen[pair == number], form.columns(part).start, form.columns(total).start)


def _break_pair(work: Spoilt, kind: str, unit_months: np.ndarray, part: int, total: int) -> None:
    """Spoil one (part, total) pair in the given unit-months, where both cells are free."""
    unit, month = np.divmod(unit_months, work.shown.shape[1])
    parts = np.ravel_multi_index((unit, month, np.full_like(unit, part)), work.shown.shape)
    totals = parts + (total - part)
    free = work.free_cells().ravel()
    clear = free[parts] & free[totals]
    parts, totals = parts[clear], totals[clear]
    whole = work.block.true.ravel()[totals]
    if kind == "C4":
        parts, totals = totals, parts
        facility = work.block.true.ravel()[totals]
        clear = facility > 0
        parts, totals = parts[clear], totals[clear]
        values = (facility[clear] * work.rng.uniform(0.2, 0.8, clear.sum())).astype(np.int32)
    else:
        values = whole + 1 + work.rng.poisson(0.2 * whole + 2).astype(np.int32)
    work.used.ravel()[totals] = True
    work.shown.ravel()[parts] = values
    work.add_cells(kind, parts)


def coverage_above_target(work: Spoilt) -> None:
    """C5: through the year more children or women are counted than there are."""
    form, block = work.block.form, work.block
    elements = [element for element in COVERAGE if form.has(element)]
    target = block.units["births"].to_numpy(float) * len(block.months) / 12
    units, free = work.choose("C5", ~work.quiet_units), work.free_cells()
    for unit, pick in zip(units, work.rng.integers(0, len(elements), len(units))):
        cell = form.columns(elements[pick]).start
        months = np.flatnonzero(free[unit, :, cell])
        true = block.true[unit, months, cell]
        if true.sum() == 0 or len(months) < len(block.months) / 2:
            continue
        wanted = work.rng.uniform(1.2, 1.6) * max(target[unit], true.sum())
        work.shown[unit, months, cell] = np.rint(true * wanted / true.sum()).astype(np.int32)
        flat = np.ravel_multi_index((np.full_like(months, unit), months, np.full_like(months, cell)), work.shown.shape)
        work.add_cells("C5", flat)


# --- single cells -------------------------------------------------------------------------------------


def blank_zeros(work: Spoilt) -> None:
    """A6_blank: a true zero is left blank."""
    cells = work.choose("A6_blank", work.free_cells() & (work.shown == 0))
    work.present.ravel()[cells] = False
    work.add_cells("A6_blank", cells)


def _extra_digit(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return values * 10 + rng.integers(0, 10, len(values)) * (rng.random(len(values)) < 0.5)


def _lost_digit(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return values // 10


def _first_digits(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place value of the second digit, first digit, second digit (values of 10 and more)."""
    place = 10 ** (np.floor(np.log10(np.maximum(values, 10) + 0.5)).astype(np.int64) - 1)
    return place, values // (10 * place), values // place % 10


def _swapped_digits(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    place, first, second = _first_digits(values)
    return values + (second - first) * 9 * place


def wrong_digits(work: Spoilt) -> None:
    """B1, B2, B3: a digit too many, one too few, the first two swapped."""
    for kind, change in (("B1", _extra_digit), ("B2", _lost_digit), ("B3", _swapped_digits)):
        eligible = work.free_cells() & (work.shown >= 10)
        if kind == "B3":
            _, first, second = _first_digits(work.shown)
            eligible &= first != second
        cells = work.choose(kind, eligible)
        values = work.shown.ravel()[cells].astype(np.int64)
        work.shown.ravel()[cells] = change(values, work.rng).astype(np.int32)
        work.add_cells(kind, cells)


def _with_separator(value: int, style: int) -> str:
    if value >= 1000:
        return f"{value:,}".replace(",", ".")
    return (f"{value}\u00a0", f"{value} ca", f" {value}")[style % 3]


def _impossible(value: int, style: int) -> str:
    return (f"-{value}", f"{min(value, 100)}%", f"{value}.5", f"{value},5")[style % 4]


def written_as_text(work: Spoilt) -> None:
    """B9: separators, no-break space, a unit word. B10: negative, percent, fraction."""
    for kind, write in (("B9", _with_separator), ("B10", _impossible)):
        cells = work.choose(kind, work.free_cells() & (work.shown >= 10))
        styles = work.rng.integers(0, 12, len(cells))
        values = work.shown.ravel()[cells]
        for cell, value, style in zip(cells.tolist(), values.tolist(), styles.tolist()):
            work.written[cell] = write(value, style)
        work.used.ravel()[cells] = True
        work.cells[kind] = cells


def late_reports(work: Spoilt) -> None:
    """A4: marked complete after the deadline; the lag is lognormal with a tail to 70 days."""
    late = work.choose("A4", work.marked)
    days = DUE_DAYS + 1 + work.rng.lognormal(1.8, 0.9, len(late))
    work.lag.ravel()[late] = np.minimum(days, LONGEST_LAG).astype(np.int16)
    work.forms["A4"] = late


Step = Callable[[Spoilt], None]
STEPS: tuple[Step, ...] = (
    silent_units,
    habits_of_units,
    missing_forms,
    cumulative_forms,
    doubled_and_copied_forms,
    second_submissions,
    broken_relations,
    coverage_above_target,
    blank_zeros,
    wrong_digits,
    written_as_text,
    late_reports,
)
