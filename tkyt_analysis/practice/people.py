"""Communes of the practice world, how remote they are, and how many people live there."""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
import pandas as pd

from tkyt_analysis.practice.world import AGE_GROUPS, SEXES, Scale

SIZE_SPREAD = 0.45  # standard deviation of log commune size within a province
SIZE_OF_TYPE = {"Phường": 1.6, "Thị trấn": 1.3, "Xã": 1.0}
REMOTENESS_OF_TYPE = {"Phường": (0.0, 0.2), "Thị trấn": (0.1, 0.5), "Xã": (0.2, 1.0)}
REFERENCE_YEAR = 2024


def practice_communes(scale: Scale, seed: int) -> pd.DataFrame:
    """The communes of a scale, with `persons` (2024) and `remoteness`; columns as `World.communes`."""
    communes = all_communes(seed)
    if scale.provinces is not None:
        codes = ["VN2024:" + code for code in scale.provinces]
        communes = communes[communes["province_id"].isin(codes)]
    if scale.communes is not None:
        communes = _few_communes(communes, scale.communes)
    persons = (
        commune_population(communes["unit_id"], REFERENCE_YEAR, seed).groupby("unit_id")["persons"].sum()
    )
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
        [
            _shared_out(group, province_age_sex(province, year))
            for province, group in communes.groupby("province_id")
        ],
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


# --- interim: until tkyt_analysis.reference.places / population are there --------------------------


def province_age_sex(province_id: str, year: int) -> pd.DataFrame:
    """sex, age_group, persons of one VN2024 province."""
    total = 1_600_000 * 1.01 ** (year - REFERENCE_YEAR)
    ages = np.array([1.5, 6.3, *np.linspace(8.2, 7.4, 8), *np.linspace(7, 1.0, 8), 0.9])
    weight = np.concatenate([ages, ages])
    persons = np.rint(total * weight / weight.sum()).astype(np.int64)
    return pd.DataFrame(
        {"sex": np.repeat(SEXES, len(AGE_GROUPS)), "age_group": list(AGE_GROUPS) * 2, "persons": persons}
    )


def _legacy_communes() -> pd.DataFrame:
    import json
    import sqlite3
    from importlib.util import find_spec
    from pathlib import Path

    data = Path(find_spec("vietnamadminunits").origin).parent / "data"
    with sqlite3.connect(f"file:{data / 'dataset.db'}?mode=ro", uri=True) as connection:
        old = pd.read_sql("select * from admin_units_legacy where wardCode is not null", connection)
        new = pd.read_sql("select * from admin_units", connection)
    edges = json.loads((data / "converter_2025.json").read_text("utf-8"))
    target = {}
    for province, wards in edges["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for ward, sources in wards.items():
            target.update(dict.fromkeys(sources, (province, ward, False)))
    for province, sources in edges["DICT_PROVINCE_WARD_DIVIDED"].items():
        for source, wards in sources.items():
            ward = next(w["newWardKey"] for w in wards if w["isDefaultNewWard"])
            target[source] = (province, ward, True)
    key = old["provinceKey"] + "_" + old["districtKey"] + "_" + old["wardKey"]
    new_code = {
        (p, w): (c, n) for p, w, c, n in zip(new["provinceKey"], new["wardKey"], new["wardCode"], new["ward"])
    }
    found = key.map(target)
    successor = [new_code[(t[0], t[1])] for t in found]
    return pd.DataFrame(
        {
            "unit_id": "VN2024:" + old["wardCode"],
            "name": old["wardShort"],
            "full_name": old["ward"],
            "district_id": "VN2024:" + old["districtCode"],
            "district_name": old["district"],
            "province_id": "VN2024:" + old["provinceCode"],
            "province_name": old["province"],
            "successor_id": ["VN2025:" + s[0] for s in successor],
            "successor_name": [s[1] for s in successor],
            "split": [t[2] for t in found],
        }
    )
