"""Drawn panels: imagined counts of imagined units, for testing checks (synthetic – số liệu mô phỏng, không phải số liệu thật).

One form of so many elements, filled by so many units of so many provinces over so many months. What is true of real
forms is in: sizes of units over orders of magnitude, many small counts and zeros, counts that vary more than Poisson,
units that drift, open, close and miss reports, seasons, Tết at its moving date, parts that add up to a total, doses,
deaths among admissions, three shocks (D2) and two campaigns (D3). No cell is an error: `panels_defects` plants those.

Everything follows from the seed; a unit's numbers do not depend on how many units are drawn at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tkyt_analysis.practice.effects import tet_share
from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.reference.periods import Period, period_range

DATASET = "drawn_form"
CATEGORY = "total"
_UNITS_AT_ONCE = 64
_CELLS_OF_A_BLOCK = 12_000_000
# One round of the form: (role, place of the element it belongs to within the round).
_ROUND: tuple[tuple[str, int], ...] = (
    ("total", 0), ("part", 0), ("part", 0), ("part", 0),
    ("dose1", 4), ("dose2", 4), ("dose3", 4),
    ("admissions", 7), ("deaths", 7),
    ("births", 9), ("attended", 9),
    ("single", 11), ("single", 12), ("single", 13), ("single", 14),
)  # fmt: skip
_OF_LATER_DOSES = 0.01  # spread of the second and third dose around what the first does
_SHARE_OF = {"dose2": 0.97, "dose3": 0.93, "deaths": 0.02, "attended": 0.93}


@dataclass(frozen=True)
class Event:
    """A true change, not an error. kind : D2 shock | D3 campaign; factor on `elements` (places in the form) in the units of `groups` over `columns` (places of periods)."""

    kind: str
    name: str
    groups: tuple[str, ...]
    columns: tuple[int, ...]
    elements: tuple[int, ...]
    factor: float


@dataclass(frozen=True)
class FormDesign:
    """All that is decided before counts are drawn.

    elements : one row per cell of the form: element_id, category_id, role, of (place of the element it belongs to),
        family, rate (per person and month), spread (negative binomial, 0 = Poisson), season, peak, tet
    units, groups, size : unit_id, province_id and persons of each unit; opened, closed : first place of a period
        with a report and first one without; remote : units that miss three reports in ten
    periods : the grid; events : true shocks and campaigns
    """

    seed: int
    dataset_id: str
    elements: pd.DataFrame
    units: np.ndarray
    groups: np.ndarray
    size: np.ndarray
    opened: np.ndarray
    closed: np.ndarray
    remote: np.ndarray
    periods: tuple[Period, ...]
    events: tuple[Event, ...]

    @property
    def series(self) -> tuple[tuple[str, str], ...]:
        """(element_id, category_id) in the order of the form."""
        return tuple(zip(self.elements["element_id"], self.elements["category_id"], strict=True))


def design_form(
    seed: int,
    provinces: int,
    units_per_province: int,
    months: int,
    first_month: str = "202101",
    elements: int = 30,
    *,
    kind: str = "month",
    dataset_id: str = DATASET,
) -> FormDesign:
    """Decide on units, elements and events. kind : "month", "administrative_month" or "quarter" (`months` / 3 of them)."""
    rng = np.random.default_rng([seed, 0])
    periods = _periods(first_month, months, kind)
    table = _draw_elements(rng, elements, months_each=3 if kind == "quarter" else 1)
    groups = np.repeat([f"DRAWN:{number:02d}" for number in range(1, provinces + 1)], units_per_province).astype(object)
    units = np.array([f"{group}{1 + at % units_per_province:05d}" for at, group in enumerate(groups)], dtype=object)
    size = np.exp(rng.normal(np.log(9_000), 0.6, len(units))) * np.repeat(
        np.exp(rng.normal(0, 0.3, provinces)), units_per_province
    )
    opened, closed = _lives(rng, len(units), len(periods))
    events = _draw_events(rng, table, np.unique(groups), periods)
    remote = rng.random(len(units)) < 0.02
    return FormDesign(
        seed, dataset_id, table, units, groups, size.round(), opened, closed, remote, periods, events
    )  # fmt: skip


def draw_forms(
    seed: int, provinces: int, units_per_province: int, months: int, first_month: str = "202101", elements: int = 30,
    *, kind: str = "month", dataset_id: str = DATASET,
) -> list[FormBlock]:  # fmt: skip
    """The filled forms, in blocks of about 12 million cells. Same arguments, same numbers. See `each_form` for flat memory."""
    design = design_form(
        seed, provinces, units_per_province, months, first_month, elements, kind=kind, dataset_id=dataset_id
    )
    return list(each_form(design))


def draw_values(
    seed: int, provinces: int, units_per_province: int, months: int, first_month: str = "202101", elements: int = 30,
    *, kind: str = "month", dataset_id: str = DATASET,
) -> pd.DataFrame:  # fmt: skip
    """The same as rows: dataset_id, element_id, category_id, unit_id, period_id, value; no row where nothing was reported."""
    blocks = draw_forms(
        seed, provinces, units_per_province, months, first_month, elements, kind=kind, dataset_id=dataset_id
    )
    return pd.concat([rows_of(block) for block in blocks], ignore_index=True)


def each_form(design: FormDesign, *, cells_at_once: int = _CELLS_OF_A_BLOCK) -> Iterator[FormBlock]:
    """The filled forms of a design, so many units at a time that a block has at most about `cells_at_once` cells."""
    of_a_unit = len(design.periods) * len(design.elements)
    step = max(1, cells_at_once // of_a_unit // _UNITS_AT_ONCE) * _UNITS_AT_ONCE
    month = month_effects(design)
    for start in range(0, len(design.units), step):
        stop = min(start + step, len(design.units))
        values = np.empty((stop - start, len(design.periods), len(design.elements)))
        for first in range(start, stop, _UNITS_AT_ONCE):
            last = min(first + _UNITS_AT_ONCE, stop)
            values[first - start : last - start] = _draw_units(design, month, first, last)
        yield FormBlock(
            design.dataset_id,
            values,
            design.units[start:stop],
            design.groups[start:stop],
            design.periods,
            design.series,
        )


def rows_of(block: FormBlock) -> pd.DataFrame:
    """A block as rows: dataset_id, element_id, category_id, unit_id, period_id, value."""
    unit, column, place = np.nonzero(np.isfinite(block.values))
    names = np.array([one.period_id for one in block.periods], dtype=object)
    element = np.array([one[0] for one in block.series], dtype=object)
    category = np.array([one[1] for one in block.series], dtype=object)
    return pd.DataFrame(
        {
            "dataset_id": block.dataset_id,
            "element_id": element[place],
            "category_id": category[place],
            "unit_id": block.units[unit],
            "period_id": names[column],
            "value": block.values[unit, column, place],
        }
    )


def unit_rows(design: FormDesign) -> pd.DataFrame:
    """The units as `organisation_unit` has them, provinces first: unit_id, code, name, level, parent_unit_id, province_id, valid_from, valid_to."""
    provinces = np.unique(design.groups)
    ids = [*provinces, *design.units]
    n = len(provinces)
    return pd.DataFrame(
        {
            "unit_id": ids,
            "code": [one.split(":")[1] for one in ids],
            "name": [f"Đơn vị mô phỏng {one.split(':')[1]}" for one in ids],
            "level": ["province"] * n + ["commune"] * len(design.units),
            "parent_unit_id": ["VN"] * n + list(design.groups),
            "province_id": [*provinces, *design.groups],
            "valid_from": None,
            "valid_to": None,
        }
    )


def month_effects(design: FormDesign) -> np.ndarray:
    """Factor of season and Tết: shape (periods, elements)."""
    number = np.array([one.number if one.kind != "quarter" else 3 * one.number - 1 for one in design.periods])
    table = design.elements
    wave = np.cos(2 * np.pi * (number[:, None] - table["peak"].to_numpy()) / 12)
    tet = np.array([np.mean([tet_share(name) for name in _months_of(one)]) for one in design.periods])
    return np.exp(table["season"].to_numpy() * wave) * (1 - tet[:, None] * table["tet"].to_numpy())


def _months_of(one: Period) -> list[str]:
    if one.kind == "quarter":
        return [f"{one.year}{3 * one.number - back:02d}" for back in (2, 1, 0)]
    return [one.period_id[:6]]


def _periods(first_month: str, months: int, kind: str) -> tuple[Period, ...]:
    from tkyt_analysis.reference.periods import make_period, shift

    year, number = int(first_month[:4]), int(first_month[4:6])
    first = make_period(kind, year, (number - 1) // 3 + 1 if kind == "quarter" else number)
    steps = (months // 3 if kind == "quarter" else months) - 1
    return tuple(period_range(first, shift(first, steps)))


def _draw_elements(rng: np.random.Generator, elements: int, *, months_each: int) -> pd.DataFrame:
    """The cells of the form, in rounds of fifteen; the last round is filled with single counts."""
    rows = []
    for at in range(elements):
        start = at - at % len(_ROUND)
        role, of = _ROUND[at % len(_ROUND)] if start + len(_ROUND) <= elements else ("single", at - start)
        rows.append((f"E{at + 1:03d}", CATEGORY, role, start + of))
    table = pd.DataFrame(rows, columns=["element_id", "category_id", "role", "of"])
    table["family"] = table["of"]
    own = table.index == table["of"]
    n = len(table)
    table["rate"] = months_each * np.exp(rng.uniform(np.log(2e-5), np.log(3e-2), n))
    table["spread"] = rng.choice([0.0, 0.02, 0.05, 0.12], n, p=[0.15, 0.35, 0.35, 0.15])
    table["season"], table["peak"] = rng.gamma(1.5, 0.1, n).clip(0, 0.6), rng.integers(1, 13, n)
    table["tet"] = rng.uniform(0.3, 1.0, n)
    alike = ["rate", "spread", "season", "peak", "tet"]
    table.loc[~own, alike] = table.loc[table["of"][~own].to_numpy(), alike].to_numpy()
    part = table["role"] == "part"
    table.loc[part, "rate"] *= rng.dirichlet([2.0, 2.0, 2.0], int(part.sum()) // 3).ravel()
    for role, share in _SHARE_OF.items():
        table.loc[table["role"] == role, "rate"] *= share
    return table


def _lives(rng: np.random.Generator, units: int, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """(opened, closed): one unit in 67 opens after the start, one in 67 closes before the end."""
    opened, closed = np.zeros(units, dtype=int), np.full(units, periods)
    fate = rng.random(units)
    moment = rng.integers(1, max(periods, 2), units)
    opened[fate < 0.015] = moment[fate < 0.015]
    closed[fate > 0.985] = moment[fate > 0.985]
    return opened, closed


def _draw_events(
    rng: np.random.Generator, table: pd.DataFrame, groups: np.ndarray, periods: tuple[Period, ...]
) -> tuple[Event, ...]:
    """Three shocks (strike: all elements of a province; outbreak: one family in a third of the provinces; wave: all provinces, most elements down) and two campaigns."""
    last = len(periods)
    every = tuple(range(len(table)))
    families = rng.permutation(table["family"].unique())

    def span(length: int) -> tuple[int, ...]:
        first = int(rng.integers(0, max(1, last - length)))
        return tuple(range(first, min(first + length, last)))

    def members(at: int) -> tuple[int, ...]:
        return tuple(int(one) for one in np.flatnonzero(table["family"] == families[at % len(families)]))

    some = tuple(sorted(rng.choice(groups, max(1, len(groups) // 3), replace=False)))
    one = (str(rng.choice(groups)),)
    down = tuple(sorted(rng.choice(every, max(1, int(0.7 * len(every))), replace=False)))
    short = 1 if periods[0].kind == "quarter" else 3
    return (
        Event("D2", "strike", one, span(short), every, 0.35),
        Event("D2", "outbreak", some, span(short + 1), members(0), 4.0),
        Event("D2", "wave", tuple(groups), span(short), down, 0.55),
        Event("D3", "campaign", tuple(groups), span(1), members(1), 5.0),
        Event("D3", "campaign_local", some, span(1), members(2), 4.0),
    )


def event_effects(design: FormDesign, groups: np.ndarray) -> np.ndarray:
    """Factor of shocks and campaigns for units of these provinces: shape (units, periods, elements)."""
    factor = np.ones((len(groups), len(design.periods), len(design.elements)))
    for event in design.events:
        rows = np.flatnonzero(np.isin(groups, event.groups))
        factor[np.ix_(rows, np.array(event.columns), np.array(event.elements))] *= event.factor
    return factor


def _draw_units(design: FormDesign, month: np.ndarray, first: int, last: int) -> np.ndarray:
    """Counts of units first … last − 1 (at most 64 of one lot): shape (units, periods, elements)."""
    rng = np.random.default_rng([design.seed, 1 + first // _UNITS_AT_ONCE])
    n, periods, table = _UNITS_AT_ONCE, len(design.periods), design.elements
    part = slice(first, last)
    family = table["family"].to_numpy()
    steps = rng.normal(0, 0.02, (n, periods)).cumsum(axis=1) + rng.normal(0, 0.002, (n, 1)) * np.arange(periods)
    together = rng.normal(0, 0.08, (n, periods, len(table)))[:, :, family]
    liking = np.exp(rng.normal(0, 0.5, (n, len(table)))[:, family] + rng.normal(0, 0.15, (n, len(table))))
    mean = np.exp(steps[:, :, None] + together) * liking[:, None, :] * month
    mean = mean[: last - first] * (design.size[part, None] * table["rate"].to_numpy())[:, None, :]
    mean *= event_effects(design, design.groups[part])
    full = np.zeros((n, *mean.shape[1:]))
    full[: last - first] = mean
    counts = _related(rng, _negative_binomial(rng, full, table), table)
    asked_for = rng.random((n, len(table)))[:, family] < 0.92
    counts = np.where(asked_for[:, None, :], counts, np.nan)
    missing = rng.random((n, periods))
    return _with_gaps(design, counts[: last - first], missing[: last - first], part)


def _negative_binomial(rng: np.random.Generator, mean: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Counts with variance mean + spread × mean². Later doses share what moves the first, and little else moves them."""
    later = table["role"].isin(["dose2", "dose3"]).to_numpy()
    spread = np.where(later, _OF_LATER_DOSES, table["spread"].to_numpy())
    shape = 1 / np.maximum(spread, 1e-9)
    varied = np.flatnonzero(spread > 0)
    moved = np.ones(mean.shape)
    moved[:, :, varied] = rng.standard_gamma(shape[varied], (*mean.shape[:2], len(varied))) / shape[varied]
    moved[:, :, later] *= moved[:, :, table["of"].to_numpy()[later]]
    return rng.poisson(mean * moved).astype(float)


def _related(rng: np.random.Generator, counts: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Totals are the sums of their parts; deaths come from admissions, attended births from births."""
    role = table["role"].to_numpy()
    for at in np.flatnonzero(role == "total"):
        counts[:, :, at] = counts[:, :, np.flatnonzero((table["of"] == at) & (role == "part"))].sum(axis=2)
    for name in ("deaths", "attended"):
        for at in np.flatnonzero(role == name):
            whole = counts[:, :, table["of"].iloc[at]]
            counts[:, :, at] = rng.binomial(whole.astype(int), _SHARE_OF[name])
    return counts


def _with_gaps(design: FormDesign, counts: np.ndarray, missing: np.ndarray, part: slice) -> np.ndarray:
    """No report before a unit opens, from when it closes, and in 4 % of its months (30 % of a remote unit's)."""
    column = np.arange(len(design.periods))
    alive = (column >= design.opened[part, None]) & (column < design.closed[part, None])
    sent = missing >= np.where(design.remote[part, None], 0.30, 0.04)
    return np.where((alive & sent)[:, :, None], counts, np.nan)
