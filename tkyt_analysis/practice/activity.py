"""True monthly activity: what every commune really did, before anything is reported or spoilt.

Counts are negative binomial around (people at risk × rate × the unit's own level × season × Tết ×
shocks); parts are binomial in their totals, so that the undamaged values obey the form's arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tkyt_analysis.practice.effects import Event, event_factors, month_factors, province_events
from tkyt_analysis.practice.elements import Form, uid
from tkyt_analysis.practice.rates import defect_rate
from tkyt_analysis.practice.world import MERGER_MONTH, World

UNIT_SPREAD = 0.15  # standard deviation of a unit's log level, common to all its elements
ELEMENT_SPREAD = 0.25  # … and of its own level of one element
BIRTH_SPREAD = 0.05  # … where the element counts the same few births and infants
AGES_OF_GROUP = {
    "births": ("0",),
    "children": ("0", "1-4", "5-9", "10-14"),
    "elderly": ("60-64", "65-69", "70-74", "75-79", "80-84", "85+"),
}
WOMEN = ("15-19", "20-24", "25-29", "30-34", "35-39", "40-44", "45-49")


@dataclass(frozen=True)
class LevelShift:
    """D1: one series (unit × element) is reported at `factor` times its level from month `start` on."""

    unit: int
    element: int
    start: str
    factor: float


@dataclass(frozen=True)
class ProvinceBasis:
    """What stays the same over the years in one old province.

    communes : its communes; new_province_id : the province of 2025-07-01; new_units : the communes of 2025-07-01 (unit_id, name, order = first old one)
    successor : for each commune, the row of its new unit; levels : [communes × elements]
    wave_strength : how hard the wave of 2021 hit here (0.6–1.1)
    lives : first_month, last_month of each commune's reports, "" where it reports throughout (A3)
    """

    communes: pd.DataFrame
    new_province_id: str
    new_units: pd.DataFrame
    successor: np.ndarray
    levels: np.ndarray
    wave_strength: float
    events: list[Event]
    shifts: list[LevelShift]
    lives: pd.DataFrame


@dataclass(frozen=True)
class Block:
    """True values of some units × months × cells, of one code system, province and year.

    units : unit_id, org_uid, name, remoteness, births (a year), district_id ("" after the merger),
        first_month, last_month (as `ProvinceBasis.lives`)
    true : whole numbers, [units × months × cells]; mean : expected values at element level
    """

    system: str
    province_code: str
    old_province_code: str
    year: int
    months: list[str]
    units: pd.DataFrame
    form: Form
    true: np.ndarray
    mean: np.ndarray

    @property
    def name(self) -> str:
        """Names the block in files: system, old province, year."""
        return f"{self.system}-{self.old_province_code}-{self.year}"


def province_basis(world: World, province_id: str, form: Form) -> ProvinceBasis:
    """Draw what stays the same in a province: unit levels, events, level shifts."""
    communes = world.communes[world.communes["province_id"] == province_id].reset_index(drop=True)
    new_units = communes.drop_duplicates("successor_id")[["successor_id", "successor_name"]]
    new_units = new_units.sort_values("successor_id").reset_index(drop=True)
    new_units.columns = ["unit_id", "name"]
    rng = world.rng("dhis2", "basis", province_id)
    months = world.scale.months
    return ProvinceBasis(
        communes=communes,
        new_province_id=communes["successor_province_id"].iloc[0],
        new_units=new_units,
        successor=new_units.set_index("unit_id").index.get_indexer(communes["successor_id"]),
        levels=_levels(len(communes), form, rng),
        wave_strength=float(rng.uniform(0.6, 1.1)),
        events=province_events(form, months, sorted(communes["district_id"].unique()), rng),
        shifts=_level_shifts(world, len(communes), form, rng),
        lives=_lives(world, len(communes), rng),
    )


def _levels(communes: int, form: Form, rng: np.random.Generator) -> np.ndarray:
    spread = np.where(form.elements["group"].eq("births"), BIRTH_SPREAD, ELEMENT_SPREAD)
    common = UNIT_SPREAD * rng.standard_normal((communes, 1))
    return np.exp(common + spread * rng.standard_normal((communes, len(form.elements))))


def _lives(world: World, communes: int, rng: np.random.Generator) -> pd.DataFrame:
    inner = [month for month in world.scale.months if month < MERGER_MONTH][3:-3]
    lives = np.full((communes, 2), "", dtype="<U6")
    hit = np.flatnonzero(rng.random(communes) < defect_rate("A3", world.profile))
    if not len(hit) and world.scale.id != "national":
        hit = rng.integers(0, communes, 1)
    if inner:
        lives[hit, rng.integers(0, 2, len(hit))] = rng.choice(inner, size=len(hit))
    return pd.DataFrame(lives, columns=["first_month", "last_month"])


def _level_shifts(world: World, communes: int, form: Form, rng: np.random.Generator) -> list[LevelShift]:
    months = [month for month in world.scale.months if month < MERGER_MONTH]
    inner = months[6:-6] or months
    free = np.flatnonzero(form.elements["how"].eq("rate"))
    hit = np.flatnonzero(rng.random(communes * len(free)) < defect_rate("D1", world.profile))
    starts, factors = rng.choice(inner, size=len(hit)), rng.choice([0.4, 0.5, 1.8, 2.5], size=len(hit))
    return [
        LevelShift(int(i // len(free)), int(free[i % len(free)]), str(start), float(factor))
        for i, start, factor in zip(hit, starts, factors)
    ]


def year_blocks(world: World, basis: ProvinceBasis, form: Form, year: int) -> list[Block]:
    """The blocks of one province and year: old communes to 2025-06, new communes from 2025-07."""
    months = [month for month in world.scale.months if month[:4] == str(year)]
    groups = _people_at_risk(world, basis.communes, year)
    mean = _means(basis, form, months, groups)
    before = [month < MERGER_MONTH for month in months]
    old, new = np.flatnonzero(before), np.flatnonzero(np.logical_not(before))
    blocks = []
    if len(old):
        blocks.append(
            _block(world, basis, form, year, _old_units(basis, groups), [months[i] for i in old], mean[:, old])
        )
    if len(new):
        merged = _sum_rows(mean[:, new], basis.successor, len(basis.new_units))
        units = _new_units(basis, groups)
        blocks.append(_block(world, basis, form, year, units, [months[i] for i in new], merged))
    return blocks


def _people_at_risk(world: World, communes: pd.DataFrame, year: int) -> pd.DataFrame:
    """Persons of every group named in elements.csv, one row per commune in the order of `communes`."""
    from tkyt_analysis.practice.people import commune_population

    people = commune_population(communes["unit_id"], year, world.seed)
    groups = {"total": people["unit_id"].notna()}
    groups |= {name: people["age_group"].isin(ages) for name, ages in AGES_OF_GROUP.items()}
    groups["women"] = people["sex"].eq("female") & people["age_group"].isin(WOMEN)
    return pd.DataFrame(
        {name: people[chosen].groupby("unit_id")["persons"].sum() for name, chosen in groups.items()}
    ).loc[communes["unit_id"]]


def _means(basis: ProvinceBasis, form: Form, months: list[str], groups: pd.DataFrame) -> np.ndarray:
    """Expected events, [communes × months × elements]."""
    elements = form.elements
    rate = np.where(elements["how"].eq("rate"), elements["rate"].astype(float), 0.0) / 12
    at_risk = groups[elements["group"]].to_numpy(float) * basis.levels * rate
    mean = at_risk[:, None, :] * month_factors(form, months, wave_strength=basis.wave_strength)[None]
    index = {name: i for i, name in enumerate(elements["element_id"])}
    for shift in basis.shifts:
        mean[shift.unit, [month >= shift.start for month in months], shift.element] *= shift.factor
    districts = basis.communes["district_id"].to_numpy()
    for units, month, cells, factor, _ in event_factors(form, months, districts, basis.events):
        mean[units, month, form.cells["element"].iloc[cells.start]] *= factor
    for i, (how, parent, ratio) in enumerate(zip(elements["how"], elements["parent"], elements["rate"])):
        if how != "rate":
            factor = 1 + float(ratio) if how == "plus" else float(ratio)
            mean[:, :, i] = mean[:, :, index[parent.partition(":")[0]]] * factor
    return mean


def _sum_rows(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    total = np.zeros((groups, *values.shape[1:]))
    np.add.at(total, group, values)
    return total


def _old_units(basis: ProvinceBasis, groups: pd.DataFrame) -> pd.DataFrame:
    units = basis.communes[["unit_id", "name", "province_id", "district_id", "remoteness"]]
    units = pd.concat([units, basis.lives], axis=1)
    return units.assign(births=groups["births"].to_numpy(), org_uid=[uid("unit", u) for u in units["unit_id"]])


def _new_units(basis: ProvinceBasis, groups: pd.DataFrame) -> pd.DataFrame:
    births = np.bincount(basis.successor, groups["births"].to_numpy(float), len(basis.new_units))
    remote = np.bincount(basis.successor, basis.communes["remoteness"], len(basis.new_units))
    return basis.new_units.assign(
        province_id=basis.new_province_id,
        district_id="",
        first_month="",
        last_month="",
        remoteness=remote / np.bincount(basis.successor),
        births=births,
        org_uid=[uid("unit", u) for u in basis.new_units["unit_id"]],
    )


def _block(
    world: World,
    basis: ProvinceBasis,
    form: Form,
    year: int,
    units: pd.DataFrame,
    months: list[str],
    mean: np.ndarray,
) -> Block:
    system, _, province = units["province_id"].iloc[0].partition(":")
    old = basis.communes["province_id"].iloc[0].partition(":")[2]
    true = draw_counts(mean, form, world.rng("dhis2", "true", system, old, year))
    return Block(system, province, old, year, months, units, form, true, mean)


def draw_counts(mean: np.ndarray, form: Form, rng: np.random.Generator) -> np.ndarray:
    """Whole counts by cell from expected counts by element ([units × months × elements] → cells)."""
    units, months, _ = mean.shape
    counts = np.empty((units, months, len(form.cells)), np.int32)
    elements = form.elements
    rate = np.flatnonzero(elements["how"].isin(["rate", "ratio"]))
    size = elements["dispersion"].to_numpy(float)[rate]
    level = mean[:, :, rate] * rng.standard_gamma(np.broadcast_to(size, (units, months, len(rate)))) / size
    cells = np.flatnonzero(form.cells["element"].isin(rate))
    position = np.searchsorted(rate, form.cells["element"].to_numpy()[cells])
    counts[:, :, cells] = rng.poisson(level[:, :, position] * form.cells["weight"].to_numpy()[cells])
    for i, how in enumerate(elements["how"]):
        if how in ("share", "plus", "rest"):
            counts[:, :, form.columns(elements["element_id"][i])] = _dependent(counts, mean, form, i, rng)
    return counts


def _dependent(counts: np.ndarray, mean: np.ndarray, form: Form, element: int, rng: np.random.Generator) -> np.ndarray:
    row = form.elements.loc[element]
    parent, _, sibling = row["parent"].partition(":")
    total = counts[:, :, form.columns(parent)]
    if row["how"] == "rest":
        return total - counts[:, :, form.columns(sibling)]
    if row["how"] == "plus":
        more = float(row["rate"]) * mean[:, :, [element]] / (1 + float(row["rate"]))
        return total + rng.poisson(more).astype(np.int32)
    own = np.clip(float(row["rate"]) * np.exp(0.05 * rng.standard_normal((counts.shape[0], 1, 1))), 0, 0.995)
    return rng.binomial(total, own).astype(np.int32)
