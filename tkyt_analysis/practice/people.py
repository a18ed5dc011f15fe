"""Communes of the practice world, how remote they are, and how many people live there."""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
import pandas as pd

from tkyt_analysis.practice.world import AGE_GROUPS, Scale

SIZE_SPREAD = 0.45  # standard deviation of log commune size within a province
SIZE_OF_TYPE = {"Phường": 1.6, "Thị trấn": 1.3, "Xã": 1.0}
REMOTENESS_OF_TYPE = {"Phường": (0.0, 0.2), "Thị trấn": (0.1, 0.5), "Xã": (0.2, 1.0)}
REFERENCE_YEAR = 2024
# How practice data split the two bands that the projection does not: invented shares, not estimates.
SPLIT_AGES = {"0-4": {"0": 0.195, "1-4": 0.805}, "80+": {"80-84": 0.5, "85+": 0.5}}


def practice_communes(scale: Scale, seed: int) -> pd.DataFrame:
    """The communes of a scale, with `persons` (2024) and `remoteness`; columns as `World.communes`."""
    communes = all_communes(seed)
    if scale.provinces is not None:
        codes = ["VN2024:" + code for code in scale.provinces]
        communes = communes[communes["province_id"].isin(codes)]
    if scale.communes is not None:
        communes = _few_communes(communes, scale.communes)
    persons = commune_population(communes["unit_id"], REFERENCE_YEAR, seed).groupby("unit_id")["persons"].sum()
    communes = communes.assign(persons=communes["unit_id"].map(persons).astype(int))
    return communes.drop(columns=["share", "split"]).reset_index(drop=True)


@cache
def all_communes(seed: int) -> pd.DataFrame:
    """Every old commune with its share of its province's people and its remoteness (drawn, per seed)."""
    communes = _legacy_communes().sort_values("unit_id").reset_index(drop=True)
    rng = _stream(seed, "communes")
    kind = communes["full_name"].str.extract("^(Phường|Thị trấn|Xã)", expand=False).fillna("Xã")
    low, high = (kind.map({k: v[i] for k, v in REMOTENESS_OF_TYPE.items()}) for i in (0, 1))
    size = kind.map(SIZE_OF_TYPE) * np.exp(SIZE_SPREAD * rng.standard_normal(len(communes)))
    remoteness = (low + (high - low) * rng.random(len(communes))).round(3)
    size = size * (1.3 - 0.6 * remoteness)
    share = size / size.groupby(communes["province_id"]).transform("sum")
    return communes.assign(remoteness=remoteness, share=share)


def commune_population(unit_ids: pd.Series, year: int, seed: int) -> pd.DataFrame:
    """Persons by commune, sex and age group; over a whole province they sum exactly to its figure."""
    communes = all_communes(seed)
    wanted = communes["unit_id"].isin(unit_ids)
    provinces = communes.loc[wanted, "province_id"].unique()
    communes = communes[communes["province_id"].isin(provinces)]
    whole = pd.concat(
        [_shared_out(group, province_age_sex(province, year)) for province, group in communes.groupby("province_id")],
        ignore_index=True,
    )
    return whole[whole["unit_id"].isin(unit_ids)].reset_index(drop=True)


def _shared_out(communes: pd.DataFrame, province: pd.DataFrame) -> pd.DataFrame:
    """Whole persons per commune: cumulated shares, rounded, differenced – sums are kept exactly."""
    upto = np.rint(np.cumsum(communes["share"].to_numpy())[:, None] * province["persons"].to_numpy()[None, :])
    upto[-1] = province["persons"]
    persons = np.diff(upto, axis=0, prepend=0).astype(np.int64)
    cells = len(province)
    return pd.DataFrame(
        {
            "unit_id": np.repeat(communes["unit_id"].to_numpy(), cells),
            "sex": np.tile(province["sex"].to_numpy(), len(communes)),
            "age_group": np.tile(province["age_group"].to_numpy(), len(communes)),
            "persons": persons.ravel(),
        }
    )


def _few_communes(communes: pd.DataFrame, at_most: int) -> pd.DataFrame:
    """Neighbouring whole mergers: the first four new communes in a row whose old ones fit `at_most` best."""
    whole = communes[~communes.groupby("successor_id")["split"].transform("any")]
    size = whole.groupby("successor_id").size().sort_index()
    size = size[size > 1]
    window = size.rolling(4).sum()
    best = window[window <= at_most]
    end = size.index.get_loc(best[best == best.max()].index[0])
    return whole[whole["successor_id"].isin(size.index[end - 3 : end + 1])]


def _stream(seed: int, *names: object) -> np.random.Generator:
    text = "\x1f".join(map(str, (seed, *names)))
    words = np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype=np.uint32)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words.tolist())))


def _legacy_communes() -> pd.DataFrame:
    """The 10,035 old communes with district, province and default new commune; `split` where it has several."""
    from tkyt_analysis.reference.geography import crosswalk
    from tkyt_analysis.reference.places import places

    old, new = places("VN2024", at="2025-06-30"), places("VN2025", at="2025-07-01")
    communes = old.loc[old["level"] == 3, ["unit_id", "name", "full_name", "parent_unit_id", "province_id"]]
    names = old.set_index("unit_id")["full_name"]
    edges = crosswalk().query("is_default").set_index("old_unit_id")
    successor = communes["unit_id"].map(edges["new_unit_id"])
    new = new.set_index("unit_id")
    return communes.rename(columns={"parent_unit_id": "district_id"}).assign(
        district_name=communes["parent_unit_id"].map(names),
        province_name=communes["province_id"].map(names),
        successor_id=successor,
        successor_name=successor.map(new["full_name"]),
        successor_province_id=successor.map(new["province_id"]),
        split=communes["unit_id"].map(edges["relation"]).eq("split"),
    )


def province_age_sex(province_id: str, year: int) -> pd.DataFrame:
    """sex, age_group (AGE_GROUPS), persons (whole) of one VN2024 province, from the reference population.

    The two oldest groups and the first year of life are split by fixed shares (practice only).
    """
    return _age_sex(year).query("unit_id == @province_id")[["sex", "age_group", "persons"]]


@cache
def _age_sex(year: int) -> pd.DataFrame:
    from tkyt_analysis.reference.population import population

    known = population("VN2024", year, series="MODEL")[["unit_id", "sex", "age_group", "persons"]]
    split = known["age_group"].isin(list(SPLIT_AGES))
    parts = [known[~split]]
    for whole, shares in SPLIT_AGES.items():
        rows = known[known["age_group"] == whole]
        first = (rows["persons"] * next(iter(shares.values()))).round()
        parts += [rows.assign(age_group=age, persons=p) for age, p in zip(shares, (first, rows["persons"] - first))]
    table = pd.concat(parts)
    order = table["age_group"].map({age: i for i, age in enumerate(AGE_GROUPS)})
    table = table.assign(order=order, persons=table["persons"].round().astype(np.int64))
    return table.sort_values(["unit_id", "sex", "order"], ignore_index=True).drop(columns="order")
