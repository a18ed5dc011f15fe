"""Files of the domain data sets as received: every panel of the catalog, and the two line lists. All invented.

A panel that the catalog gains later is filled as soon as `practice_programme` says how much of each column there is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.catalog import load_entries, read_codelist
from tkyt_analysis.catalog.entries import Dataset
from tkyt_analysis.catalog.expressions import names_in
from tkyt_analysis.practice.world import MERGER_MONTH, Progress, World
from tkyt_analysis.practice.writing import write_csv

PERIODS_AT_MOST = 24  # months of a panel; the form of the whole period is DHIS2's
PLANTED_SHARE = 0.004  # of the places and periods of a panel
UNIT, PERIOD = "Đơn vị", "Kỳ"


class DomainSource:
    """received/domain/<data set>.csv for every panel of a domain that has practice rates."""

    id = "40_domain_data"

    def make(self, world: World, progress: Progress) -> None:
        rates = read_codelist("practice_programme")
        wanted = [load_entries("datasets")[name] for name in dict.fromkeys(rates["dataset_id"])]
        for number, entry in enumerate(wanted):
            progress(self.id, number / len(wanted))
            _write_panel(world, entry, rates[rates["dataset_id"] == entry.id])
        progress(self.id, 1.0)


SOURCE = DomainSource()


def reporting_places(world: World, entry: Dataset) -> pd.DataFrame:
    """code, persons, month_from, month_to of whoever reports: old places to 2025-06, new ones from 2025-07."""
    old = world.communes.assign(code=world.communes["unit_id"], new=world.communes["successor_id"])
    if entry.reported_by == "province":
        from tkyt_analysis.reference.places import places

        province_of = places("VN2025").set_index("unit_id")["province_id"]
        old = old.assign(code=old["province_id"], new=old["new"].map(province_of))
    parts = [
        old.groupby("code", as_index=False)["persons"].sum().assign(month_from="000000", month_to="202506"),
        old.groupby("new", as_index=False)["persons"].sum().rename(columns={"new": "code"}).assign(
            month_from=MERGER_MONTH, month_to="999999"),
    ]  # fmt: skip
    found = pd.concat(parts, ignore_index=True)
    return found.assign(unit_id=found["code"], code=found["code"].str.split(":").str[1])


def panel_periods(world: World, kind: str) -> list[tuple[str, str]]:
    """(period as written, its first month) of the last months of the scale."""
    months = world.scale.months[-PERIODS_AT_MOST:]
    if kind == "month":
        return [(f"{month[4:]}/{month[:4]}", month) for month in months]
    if kind == "quarter":
        return [(f"Quý {int(m[4:]) // 3 + 1}/{m[:4]}", m) for m in months if int(m[4:]) % 3 == 1]
    return [(m[:4], m) for m in months if m.endswith("01")]


def draw_panel(world: World, entry: Dataset, rates: pd.DataFrame) -> pd.DataFrame:
    """One row per place and period: unit_id, code, period, month and a column per element."""
    periods = pd.DataFrame(panel_periods(world, entry.period_kind), columns=["period", "month"])
    frame = reporting_places(world, entry).merge(periods, how="cross")
    frame = frame[(frame["month"] >= frame["month_from"]) & (frame["month"] <= frame["month_to"])].reset_index(
        drop=True
    )
    rng = world.rng("domain", entry.id)
    place = pd.Series(rng.lognormal(0, 0.15, frame["code"].nunique()), index=frame["code"].unique())
    for row in _parents_first(rates):
        frame[row.column] = _draw_column(rng, frame, row, frame["code"].map(place).to_numpy())
        if entry.columns[row.column].type == "number":
            frame[row.column] = (frame[row.column] * rng.uniform(0.98, 1.0, len(frame))).round(1)
    return frame


def _parents_first(rates: pd.DataFrame) -> list[Any]:
    """The rows in an order in which a column comes after the one that it is a share of."""
    waiting, done, ordered = list(rates.itertuples()), {""}, []
    while waiting:
        ready = [row for row in waiting if row.of in done]
        ordered += ready
        done |= {row.column for row in ready}
        waiting = [row for row in waiting if row.of not in done or row.column not in done]
    return ordered


def _draw_column(rng: np.random.Generator, frame: pd.DataFrame, row: Any, place: np.ndarray) -> np.ndarray:
    if not row.of:
        return rng.poisson(frame["persons"].to_numpy() / 10_000 * float(row.per_10000) * place)
    parent, share = frame[row.of].to_numpy(), float(row.share)
    if share > 1:
        return rng.poisson(parent * share)
    return rng.binomial(parent.astype(np.int64), share)


def _write_panel(world: World, entry: Dataset, rates: pd.DataFrame) -> None:
    frame = draw_panel(world, entry, rates)
    name = f"{entry.id}.csv"
    _plant(world, entry, frame, name)
    headers = {column: entry.columns[column].from_[0] for column in rates["column"]}
    written = frame[["code", "period", *headers]].rename(columns={"code": UNIT, "period": PERIOD, **headers})
    write_csv(written, world.received_path("domain", name))


def _plant(world: World, entry: Dataset, frame: pd.DataFrame, name: str) -> None:
    """Now and then a part larger than its whole, written to the truth table."""
    from tkyt_analysis.reference.period_words import parse_period

    checks = [one for one in entry.checks if "_within_" in one.id and "+" not in one.rule and len(frame) >= 12]
    rng = world.rng("domain", entry.id, "planted")
    planted = []
    for check in checks:
        part, whole = names_in(check.rule)
        at = rng.choice(len(frame), max(1, round(PLANTED_SHARE * len(frame))), replace=False)
        rows = frame.loc[at, ["unit_id", "period"]].assign(element=f"{entry.id}/{part}", true_value=frame.loc[at, part])
        frame.loc[at, part] = (frame.loc[at, whole] + rng.integers(1, 20, len(at))).astype(frame[part].dtype)
        planted.append(rows.assign(shown_value=frame.loc[at, part], place_in_file=[f"row {row + 3}" for row in at]))
    if planted:
        truth = pd.concat(planted).assign(file=f"domain/{name}")
        truth["period_id"] = [parse_period(period).period_id for period in truth["period"]]
        world.write_truth("dataset_part", truth.drop(columns="period"), part=entry.id)
