"""Decomposition, healthy life expectancy and years of life lost beside published results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mortality.measures.decomposition import arriaga_decomposition, horiuchi_decomposition, stepwise_decomposition
from mortality.measures.life_expectancy_standards import years_per_death
from mortality.measures.life_table import LifeTables, life_tables
from mortality.measures.life_table_inputs import age_starts
from mortality.measures.sullivan import abridged_from_complete, sullivan_life_expectancy, sullivan_life_table
from mortality.measures.years_of_life_lost import years_of_life_lost, years_of_life_lost_by_age
from mortality.verification.cases import compare, reference_case

AS_LEDECOMP: dict[str, Any] = {"ax": "midpoint", "a0": "andreev_kingkade"}
SULLIVAN = ["age", "group", "width", "population", "deaths", "mx", "ax", "qx", "lx", "Lx", "Tx", "ex", "prevalence",
            "healthy_years", "healthy_total", "healthy_life_expectancy", "percent"]  # fmt: skip


@reference_case("arriaga_usa_males_2005_2019", topic="life_tables")
def arriaga_usa_males_2005_2019(folder: Path) -> Iterator[pd.DataFrame]:
    """LEdecomp on rates of the HMD: three methods, and both life expectancies."""
    rates, theirs = pd.read_csv(folder / "input.csv"), pd.read_csv(folder / "expected.csv")
    first, second, age = rates["mx_2005"], rates["mx_2019"], rates["age"]
    labels = [f"age {start}" for start in age]
    for name, function, tolerance in (
        ("arriaga", arriaga_decomposition, 1e-10),
        ("horiuchi", horiuchi_decomposition, 1e-6),
        ("stepwise", stepwise_decomposition, 1e-9),
    ):
        ours = function(first, second, age, "male", **AS_LEDECOMP)
        names = [f"{name} {label}" for label in labels]
        yield compare(names, ours["contribution"], theirs[name], tolerance=tolerance)
        if name == "arriaga":
            total = ours["contribution"].sum()
    e0 = [life_tables(nmx, age, "male", **AS_LEDECOMP).ex[0, 0] for nmx in (first, second)]
    published = pd.read_csv(folder / "expected_e0.csv").iloc[0]
    names = ["e0_2005", "e0_2019", "diff", "sum_arriaga"]
    yield compare(names, [*e0, e0[1] - e0[0], total], published[names], tolerance=1e-10)


@reference_case("sullivan_ehemu_ex1_ex3_complete_abridged", topic="life_tables")
def sullivan_ehemu_ex1_ex3_complete_abridged(folder: Path) -> Iterator[pd.DataFrame]:
    """The workbook of the Sullivan guide, women of Belgium 2004: complete, abridged from complete, abridged."""
    complete = _sheet(folder / "ex1.csv", ["year", "age", *SULLIVAN[3:6], *SULLIVAN[7:]])
    abridged = _sheet(folder / "ex3.csv", SULLIVAN)
    q0 = float(complete["qx"][0])
    table = sullivan_life_table(
        complete["deaths"], complete["population"], complete["age"], "female", infant_probability=q0
    )
    yield from _sullivan_columns("ex1", table, complete)
    coarse = _sheet(
        folder / "ex2_part2.csv", ["year", "age", "group", "2", "3", "4", "5", "lx", "8", "Lx", *SULLIVAN[10:]]
    )
    yield from _sullivan_columns("ex2", abridged_from_complete(table, coarse["age"]), coarse)
    table = sullivan_life_table(
        abridged["deaths"], abridged["population"], abridged["age"], "female", infant_probability=q0
    )
    yield from _sullivan_columns("ex3", table, abridged)


def _sheet(path: Path, columns: list[str]) -> pd.DataFrame:
    rows = pd.read_csv(path, header=None, skiprows=4, names=columns, dtype={"age": "str"})
    return rows.assign(age=age_starts(rows["age"].str.replace(r"(\.0|_max|\+)$", "", regex=True)))


def _sullivan_columns(name: str, table: LifeTables, theirs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Every column that the sheet prints; its q of the open group is a formula's, ours is 1 by definition."""
    ours = sullivan_life_expectancy(table, theirs["prevalence"])
    labels = [f"{start:g}" for start in table.age]
    ours = ours.assign(
        mx=table.mx[0],
        qx=table.qx[0],
        Tx=table.Tx[0],
        healthy_total=ours["healthy_life_expectancy"] * ours["lx"],
        percent=100 * ours["share_healthy"],
    )
    for column in SULLIVAN[5:]:
        if column in theirs and column != "ax":
            rows = slice(None, -1) if column == "qx" else slice(None)
            names = [f"{name} {column} {label}" for label in labels[rows]]
            yield compare(names, ours[column][rows], theirs[column][rows], tolerance=1e-6)


@reference_case("yll_who_ghe_standard", topic="life_tables")
def yll_who_ghe_standard(folder: Path) -> Iterator[pd.DataFrame]:
    """demor::yll: the standards of single ages and of five-year groups, years lost by age, and their sum."""
    standard, deaths = pd.read_csv(folder / "standard.csv"), pd.read_csv(folder / "input.csv")
    single, groups = (standard[standard["stand"] == kind] for kind in (1, 5))
    for rows in (single, groups):
        names = [f"standard {kind}, age {age}" for kind, age in zip(rows["stand"], rows["age"], strict=True)]
        yield compare(names, years_per_death(rows["age"])[0], rows["ex"], tolerance=1e-6)
    theirs = pd.read_csv(folder / "expected.csv")
    ours = years_of_life_lost_by_age(deaths["deaths"], deaths["age"])
    yield compare([f"yll {age}" for age in deaths["age"]], ours["yll"], theirs["yll"], tolerance=1e-6)
    total = years_of_life_lost(deaths["deaths"], deaths["age"])["yll"]
    yield compare("yll, all ages", total, np.asarray(pd.read_csv(folder / "expected_total.csv")["yll"]), tolerance=1e-6)
