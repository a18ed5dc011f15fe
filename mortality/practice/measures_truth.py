"""Practice deaths with all that is known of them, as arrays: what estimates of completeness and of causes are held against.

The same draws as the practice files, without writing any: who died of what, who reached the book (F3), which code the book
has (F8), who stands in civil registration and on the hospital's list. Pairs are taken as found; copies (F1, F2) as removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from mortality.practice import register
from mortality.practice.deaths import Batch, draw_deaths
from mortality.practice.document_people import CIVIL_SHARE, HOSPITAL_OF_UNREGISTERED, NOTICE_SHARE
from mortality.practice.source import plan_batches
from mortality.practice.vocabulary import cause_codes
from tkyt_analysis.practice.world import SEXES, Scale, World, create_world

LISTS = ("in_book", "in_civil", "in_hospital")
PLACES_IN_HOSPITAL = ("Bệnh viện", "CSYT")


def practice_year(year: int, *, seed: int, provinces: Iterable[str] | None = None) -> Iterator[pd.DataFrame]:
    """The deaths of a year, province by province (63; or VN2024 codes), columns as `known_deaths`.

    year : before 2025, when the units changed within the year
    """
    world = _world(year, seed, provinces)
    population = world.population(year)
    for batch in plan_batches(world):
        yield known_deaths(world, batch, population)


def _world(year: int, seed: int, provinces: Iterable[str] | None) -> World:
    scale = Scale("truth", f"{year}01", f"{year}12", provinces=None if provinces is None else tuple(provinces))
    return create_world(scale, "unused", seed=seed)


def known_deaths(world: World, batch: Batch, population: pd.DataFrame) -> pd.DataFrame:
    """One row per death: unit_id (province), sex, age_years, true_code, cause, in_book, in_civil, in_hospital, book_code ("" where
    it is not in the book)."""
    deaths = draw_deaths(world, batch, population)
    rng = world.rng("measures_truth", batch.name)
    registered = deaths["registered"].to_numpy()
    known = deaths[registered]
    code = cause_codes().code
    shown = register._codes_in_book(rng, known, np.arange(len(known)), register.Planted())
    place, _ = register._places(rng, known)
    book_code, hospital = np.full(len(deaths), "", object), rng.random(len(deaths)) < HOSPITAL_OF_UNREGISTERED
    book_code[registered] = code[shown]
    hospital[registered] = np.isin(place, PLACES_IN_HOSPITAL)
    return pd.DataFrame(
        {
            "unit_id": f"VN2024:{batch.province}",
            "sex": np.array(SEXES, object)[deaths["sex"].to_numpy()],
            "age_years": deaths["age_years"].to_numpy(),
            "true_code": code[deaths["code"].to_numpy()],
            "cause": deaths["cause"].to_numpy(),
            "in_book": registered,
            "in_civil": rng.random(len(deaths)) < CIVIL_SHARE,
            "in_hospital": hospital & (rng.random(len(deaths)) < NOTICE_SHARE),
            "book_code": book_code,
        }
    )


def capture_histories(deaths: pd.DataFrame) -> np.ndarray:
    """(8,) deaths by the lists that they stand on, bit 0 the book, bit 1 civil registration, bit 2 the hospital."""
    bits = sum(deaths[name].to_numpy().astype(int) << place for place, name in enumerate(LISTS))
    return np.bincount(np.asarray(bits), minlength=8).astype(float)


def practice_population(year: int, *, seed: int, provinces: Iterable[str] | None = None) -> pd.DataFrame:
    """unit_id (province), sex, age_group, persons of the same provinces: sums over their communes."""
    world = _world(year, seed, provinces)
    communes = world.communes.set_index("unit_id")["province_id"]
    persons = world.population(year)
    persons = persons.assign(unit_id=persons["unit_id"].map(communes))
    return persons.groupby(["unit_id", "sex", "age_group"], as_index=False, observed=True)["persons"].sum()
