"""Life tables, decomposition, years of life lost beside published results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mortality.measures.life_expectancy import life_expectancy
from mortality.measures.life_table import LifeTables, life_tables, life_tables_from_counts
from mortality.verification.cases import compare, reference_case

SEX = {"m": "male", "f": "female", "b": "total"}

# ------------------------------------------------------------------------------------------------------- life tables


@reference_case("hmd_usa_2019_1x1", topic="life_tables")
def hmd_usa_2019(folder: Path) -> Iterator[pd.DataFrame]:
    """Single ages 0-110+: mx and ax are printed with 5 and 2 decimals, hence the tolerances."""
    tolerance = {"qx": 2e-5, "lx": 15.0, "dx": 15.0, "Lx": 15.0, "ex": 0.02}
    for sex, rows in pd.read_csv(folder / "input_expected.csv").groupby("sex"):
        table = life_tables(rows["mx"], rows["Age"], SEX[sex], ax=rows["ax"].to_numpy())
        for column, allowed in tolerance.items():
            names = f"{SEX[sex]} {column} at " + rows["Age"].astype(str)
            yield compare(names, getattr(table, column)[0], rows[column], tolerance=allowed)
        ours = life_tables(rows["mx"], rows["Age"], SEX[sex], ax="hmd", a0="andreev_kingkade")
        if sex != "b":  # the HMD weights a0 of both sexes by deaths, which rates alone do not hold
            yield compare(f"{SEX[sex]} a0", ours.ax[0, 0], rows["ax"].iloc[0], tolerance=0.005)
        yield compare(f"{SEX[sex]} e0, own ax", ours.ex[0, 0], rows["ex"].iloc[0], tolerance=0.02)


@reference_case("phe_life_expectancy_chiang_silcocks", topic="life_tables")
def phe_life_expectancy(folder: Path) -> Iterator[pd.DataFrame]:
    counts, printed = pd.read_csv(folder / "input.csv"), pd.read_csv(folder / "expected.csv")
    at = "at " + printed["startage"].astype(str)
    for confidence, level in {0.95: "95_0cl", 0.998: "99_8cl"}.items():
        ours = life_expectancy(counts, convention="phe", confidence=confidence)
        for side in ("lower", "upper"):
            names = f"{side} {confidence:.1%} " + at
            yield compare(names, ours[side], printed[f"{side}{level}"], tolerance=1e-6)
    yield compare("life expectancy " + at, ours["value"], printed["value"], tolerance=1e-6)
    yield compare("population " + at, ours["population_from_age"], printed["pops_used"], tolerance=1e-6)
    yield compare("deaths " + at, ours["deaths_from_age"], printed["dths_used"], tolerance=1e-6)


@reference_case("phg_box31_austria_males_1992", topic="life_tables")
def phg_austria(folder: Path) -> Iterator[pd.DataFrame]:
    """Every printed column of Box 3.1, one unit of the last printed digit; ax from age 5 on is printed input."""
    counts, box = pd.read_csv(folder / "input.csv"), pd.read_csv(folder / "expected.csv")
    table = life_tables_from_counts(counts["deaths"], counts["pop"], counts["age"], "male", ax=box["a"].to_numpy())
    printed = {"m": ("mx", 1e-6), "q": ("qx", 1e-6), "lx": ("lx", 0.01), "d": ("dx", 1), "L": ("Lx", 1), "T": ("Tx", 1),
               "e": ("ex", 1e-3)}  # fmt: skip
    for column, (ours, unit) in printed.items():
        names = f"{ours} at " + box["age"].astype(str)
        yield compare(names, getattr(table, ours)[0], box[column], tolerance=unit)
    yield compare("px at " + box["age"].astype(str), 1 - table.qx[0], box["p"], tolerance=1e-6)
    rules = life_tables_from_counts(counts["deaths"], counts["pop"], counts["age"], "male", ax="midpoint")
    yield compare(["a0", "a1", "a of 85+"], rules.ax[0, [0, 1, -1]], box["a"].iloc[[0, 1, -1]], tolerance=1e-3)


@reference_case("un_manual_un1982_mortpak1988", topic="life_tables")
def un_manual(folder: Path) -> Iterator[pd.DataFrame]:
    """Published ex with the open group closed by 1 / m; DemoTools' with its closeout (every age, not only under 65)."""
    for book in ("un1982", "mortpak"):
        rows = pd.read_csv(folder / f"{book}_input_expected.csv")
        sex = SEX[rows["sex"].iloc[0]]
        at = rows["age"].astype(str)
        table = life_tables(rows["mx"], rows["age"], sex, ax="un")
        yield compare(f"{book}: ex at " + at, table.ex[0], rows["ex_published"], tolerance=0.02)
        peer = pd.read_csv(folder / f"{book}_demotools.csv")
        ours = life_tables(peer["nMx"], peer["Age"], sex, ax="un", a0="andreev_kingkade", closeout="extrapolate")
        yield compare(f"{book}: DemoTools ex at " + at, ours.ex[0], peer["ex"], tolerance=0.02)
        yield compare(f"{book}: DemoTools ax at " + at, ours.ax[0], peer["nAx"], tolerance=0.02)
        yield compare(f"{book}: DemoTools lx at " + at, ours.lx[0], peer["lx"], tolerance=1.0)


@reference_case("wpp2019_vietnam_abridged", topic="life_tables")
def wpp2019_viet_nam(folder: Path) -> Iterator[pd.DataFrame]:
    """lx of the UN's tables, ages up to 85, males and females, all periods; DemoTools' table of 2015-2020, three sexes."""
    printed = pd.read_csv(folder / "input_expected.csv")
    for sex in ("m", "f"):
        rows = printed[printed["Sex"] == sex]
        mx, lx = (rows.pivot(index="Year", columns="AgeStart", values=name) for name in ("mx", "lx"))
        table = life_tables(mx, mx.columns, SEX[sex])
        ages = table.age <= 85
        yield _within_a_share(table, lx.loc[:, ages], sex)
    peers = pd.read_csv(folder / "demotools_2018.csv")
    for sex, rows in peers.groupby("Sex"):
        ours = life_tables(
            rows["nMx"], rows["Age"], SEX[sex], ax="greville_li", a0="coale_demeny_west_q0", closeout="extrapolate"
        )
        at = f"{SEX[sex]}: DemoTools " + rows["Age"].astype(str)
        yield compare(at + " ex", ours.ex[0], rows["ex"], tolerance=0.02)
        yield compare(at + " qx", ours.qx[0], rows["nqx"], tolerance=1e-4)


def _within_a_share(table: LifeTables, lx: pd.DataFrame, sex: str) -> pd.DataFrame:
    names = [f"{SEX[sex]} l({age}) in {year}" for year in lx.index for age in lx.columns]
    return compare(names, table.lx[:, : lx.shape[1]], np.asarray(lx), tolerance=5e-4, relative=True)
