"""True deaths of a province over some months, drawn as arrays.

Level: UN WPP 2024 age-specific rates (`practice_death_rates`) times LEVEL, so that the crude rate lies near
the 5.6-6.3 per 1 000 that Viet Nam publishes for 2019-2025 (WPP itself is about 6.3-6.6). Communes differ
by a random factor and by remoteness; old people die somewhat more in winter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mortality.practice import dates
from mortality.practice.vocabulary import cause_codes, cause_shares, codes_of_cause, death_rates
from tkyt_analysis.practice.world import AGE_GROUPS, SEXES, World

LEVEL = 0.89
COMMUNE_SPREAD = 0.08  # standard deviation of the log level between communes
REMOTE_UNDER_60 = 0.5  # extra mortality below 60 years in the most remote commune, relative to the middle
REMOTE_UNDER_5 = 1.4  # the same below 5 years, on the log scale
WINTER = 0.10  # seasonal amplitude at 60 and over
FIRST_DAYS = ((0, 1, 0.33), (1, 7, 0.20), (7, 28, 0.12), (28, 365, 0.35))  # of infant deaths: from, to, share
CHILD_YEARS = np.array([0.40, 0.26, 0.19, 0.15])  # of deaths at 1, 2, 3, 4 years
OPEN_AGE_MEAN, OPEN_AGE_LIMIT = 6.0, 22.0  # years lived beyond 85
UNREGISTERED = {"under_1": 0.40, "80_plus": 0.15, "other": 0.08}  # F3, quality.md section 7
COVID_FROM, COVID_MONTH_SHARE = 202107, {7: 0.10, 8: 0.33, 9: 0.27, 10: 0.10, 11: 0.08, 12: 0.12}
COVID_PER_1000 = {"79": 2.1, "74": 1.3, "80": 0.6, "75": 0.6, "82": 0.6}  # 2021; unverified, order of size only
COVID_SOUTH, COVID_ELSEWHERE = 0.35, 0.01


@dataclass(frozen=True)
class Batch:
    """One province and a run of months inside one calendar year, all under one set of units.

    province : VN2024 province code; communes : rows of World.communes; new_units : after 2025-07-01
    """

    province: str
    first_month: str
    last_month: str
    communes: pd.DataFrame
    new_units: bool

    @property
    def year(self) -> int:
        """Calendar year."""
        return int(self.first_month[:4])

    @property
    def name(self) -> str:
        """Short id, unique within a run."""
        return f"{self.province}-{self.first_month}"

    @property
    def days(self) -> tuple[int, int]:
        """First day and the day after the last."""
        first = np.datetime64(f"{self.first_month[:4]}-{self.first_month[4:]}", "M")
        after = np.datetime64(f"{self.last_month[:4]}-{self.last_month[4:]}", "M") + 1
        return int(first.astype("datetime64[D]").astype(int)), int(after.astype("datetime64[D]").astype(int))


def draw_deaths(world: World, batch: Batch, population: pd.DataFrame) -> pd.DataFrame:
    """Every true death of the batch.

    Returns one row per death: death_id, origin_unit_id (old commune), unit_id (commune that keeps the book),
    district_id, remoteness, sex (0 male, 1 female), age_days, age_years, birth_day, death_day (days since
    1970-01-01), code (number in cause_codes), cause, work_accident, registered, registered_day.
    """
    rng = world.rng("deaths", batch.name)
    place, sex, group = _cells(rng, batch, population)
    age_days = _ages(rng, group)
    death_day = _days_of_death(rng, batch, group >= AGE_GROUPS.index("60-64"))
    extra = _covid(rng, batch, population)
    covid = np.repeat([False, True], [len(sex), len(extra["sex"])])
    place, sex, age_days, death_day = (
        np.concatenate([own, extra[name]])
        for name, own in (("place", place), ("sex", sex), ("age_days", age_days), ("death_day", death_day))
    )
    birth_day = death_day - age_days
    age_years = np.where(age_days < 365, 0, dates.completed_years(birth_day, death_day))
    code = np.where(covid, cause_codes().number("U07.1"), draw_causes(rng, sex, age_days, age_years))
    deaths = pd.DataFrame(
        {
            "place": place,
            "sex": sex,
            "age_days": age_days,
            "age_years": age_years,
            "birth_day": birth_day,
            "death_day": death_day,
            "code": code,
        }
    ).sort_values("death_day", kind="stable", ignore_index=True)
    return _registration(rng, batch, _described(batch, deaths))


def _cells(rng: np.random.Generator, batch: Batch, population: pd.DataFrame) -> tuple[np.ndarray, ...]:
    persons = _persons(batch, population)
    expected = persons * _rates(batch.year)[None] * _commune_factor(rng, batch)
    first, after = batch.days
    count = rng.poisson(LEVEL * expected * (after - first) / 365.25)
    cell = np.repeat(np.arange(count.size), count.ravel())
    return np.unravel_index(cell, count.shape)


def _persons(batch: Batch, population: pd.DataFrame) -> np.ndarray:
    """Persons as communes x sex x age group."""
    row = pd.Index(batch.communes["unit_id"]).get_indexer(population["unit_id"])
    inside = row >= 0
    persons = np.zeros((len(batch.communes), len(SEXES), len(AGE_GROUPS)))
    sex = pd.Index(SEXES).get_indexer(population["sex"])[inside]
    age = pd.Index(AGE_GROUPS).get_indexer(population["age_group"])[inside]
    persons[row[inside], sex, age] = population["persons"].to_numpy()[inside]
    return persons


def _rates(year: int) -> np.ndarray:
    rates = death_rates(year)
    return np.array([[rates[sex, age] for age in AGE_GROUPS] for sex in SEXES])


def _commune_factor(rng: np.random.Generator, batch: Batch) -> np.ndarray:
    remote = batch.communes["remoteness"].to_numpy()[:, None] - 0.5
    age = np.array([0 if name == "0" else int(name.split("-")[0].rstrip("+")) for name in AGE_GROUPS])
    factor = np.where(age < 60, 1 + REMOTE_UNDER_60 * remote, 1.0)
    factor = np.where(age < 5, np.exp(REMOTE_UNDER_5 * remote), factor)
    level = np.exp(COMMUNE_SPREAD * rng.standard_normal((len(remote), 1)))
    return (factor * level)[:, None, :]


def _ages(rng: np.random.Generator, group: np.ndarray) -> np.ndarray:
    """Age in days within each age group."""
    luck = rng.random(len(group))
    start = np.array([0, 1, *range(5, 90, 5)])[group]
    days = np.floor((start + 5 * luck) * 365.25)
    is_open = group == len(AGE_GROUPS) - 1
    beyond = np.minimum(rng.exponential(OPEN_AGE_MEAN, len(group)), OPEN_AGE_LIMIT)
    days = np.where(is_open, np.floor((85 + beyond) * 365.25), days)
    child = rng.choice(4, len(group), p=CHILD_YEARS) + 1
    days = np.where(group == 1, np.ceil((child + 0.99 * luck) * 365.25), days)
    stage = rng.choice(len(FIRST_DAYS), len(group), p=[share for *_, share in FIRST_DAYS])
    low, high = (np.array([stage_[i] for stage_ in FIRST_DAYS])[stage] for i in (0, 1))
    return np.where(group == 0, np.floor(low + (high - low) * luck), days).astype(np.int64)


def _days_of_death(rng: np.random.Generator, batch: Batch, is_old: np.ndarray) -> np.ndarray:
    first, after = batch.days
    days = np.arange(first, after)
    winter = 1 + WINTER * np.cos(2 * np.pi * (dates.month_of(days) - 1) / 12)
    flat = rng.integers(first, after, len(is_old))
    seasonal = rng.choice(days, len(is_old), p=winter / winter.sum())
    return np.where(is_old, seasonal, flat)


def _covid(rng: np.random.Generator, batch: Batch, population: pd.DataFrame) -> dict[str, np.ndarray]:
    """The epidemic of the second half of 2021: deaths on top of the others (a true shock)."""
    empty = {name: np.empty(0, np.int64) for name in ("place", "sex", "age_days", "death_day")}
    months = {m: s for m, s in COVID_MONTH_SHARE.items() if batch.first_month <= f"2021{m:02d}" <= batch.last_month}
    if batch.year != 2021 or not months:
        return empty
    elsewhere = COVID_SOUTH if batch.province >= "72" else COVID_ELSEWHERE
    rate = COVID_PER_1000.get(batch.province, elsewhere) / 1000
    persons = _persons(batch, population)
    weight = persons * _rates(2021)[None]
    weight[:, :, : AGE_GROUPS.index("25-29")] = 0
    count = rng.poisson(rate * persons.sum() * np.array(list(months.values())))
    cell = rng.choice(weight.size, count.sum(), p=weight.ravel() / weight.sum())
    place, sex, group = np.unravel_index(cell, weight.shape)
    start = [int(np.datetime64(f"2021-{month:02d}", "D").astype(int)) for month in months]
    day = np.repeat(start, count) + rng.integers(0, 30, count.sum())
    return {"place": place, "sex": sex, "age_days": _ages(rng, group), "death_day": day}


def broad_age(age_days: np.ndarray, age_years: np.ndarray) -> np.ndarray:
    """Number of the broad age group (BROAD_AGES)."""
    by_year = np.searchsorted([1, 5, 15, 30, 45, 60, 70, 80], age_years, side="right") + 1
    return np.where(age_days < 28, 0, by_year)


def draw_causes(rng: np.random.Generator, sex: np.ndarray, age_days: np.ndarray, age_years: np.ndarray) -> np.ndarray:
    """The true underlying cause of each death: a number in cause_codes, possible for its sex and age."""
    chosen = np.zeros(len(sex), np.int64)
    age = broad_age(age_days, age_years)
    luck = rng.random(len(sex))
    for number, name in enumerate(SEXES):
        causes, share = cause_shares(name)
        upto = np.cumsum(share, axis=0)
        here = np.flatnonzero(sex == number)
        drawn = (luck[here][:, None] >= upto.T[age[here]]).sum(axis=1).clip(max=len(causes) - 1)
        for cause in np.unique(drawn):
            rows = here[drawn == cause]
            chosen[rows] = _draw_codes(rng, causes[cause], sex[rows], age_years[rows])
    return chosen


def _draw_codes(rng: np.random.Generator, cause: str, sex: np.ndarray, age_years: np.ndarray) -> np.ndarray:
    codes = cause_codes()
    numbers, share = codes_of_cause(cause)
    drawn = rng.choice(numbers, len(sex), p=share)
    for _ in range(50):
        wrong = np.flatnonzero(~codes.allowed(drawn, sex, age_years))
        if not len(wrong):
            return drawn
        drawn[wrong] = rng.choice(numbers, len(wrong), p=share)
    raise ValueError(f"practice_cause_codes: {cause} has no code for some sex and age that its share allows")


def _described(batch: Batch, deaths: pd.DataFrame) -> pd.DataFrame:
    communes = batch.communes
    place = deaths.pop("place").to_numpy()
    unit = communes["successor_id"] if batch.new_units else communes["unit_id"]
    cause = cause_codes().cause[deaths["code"].to_numpy()]
    ids = [f"D{batch.province}-{batch.first_month}-{number:06d}" for number in range(len(deaths))]
    return deaths.assign(
        death_id=ids,
        origin_unit_id=communes["unit_id"].to_numpy()[place],
        unit_id=unit.to_numpy()[place],
        district_id=communes["district_id"].to_numpy()[place],
        remoteness=communes["remoteness"].to_numpy()[place],
        cause=cause,
        work_accident=cause == "work_accident",
    )


def _registration(rng: np.random.Generator, batch: Batch, deaths: pd.DataFrame) -> pd.DataFrame:
    """Whether a death reached the book (F3), and when (F11: long tail, rush at the end of the year)."""
    count = len(deaths)
    age = deaths["age_years"].to_numpy()
    missed = np.where(
        age < 1,
        UNREGISTERED["under_1"],
        np.where(age >= 80, UNREGISTERED["80_plus"], UNREGISTERED["other"]),
    )
    registered = rng.random(count) >= missed
    day = deaths["death_day"].to_numpy() + np.floor(rng.lognormal(1.9, 1.0, count)).astype(np.int64)
    year_end = dates.day_number(f"{batch.year}-12-20")
    rush = (rng.random(count) < 0.05) & (day < year_end)
    day = np.where(rush, year_end + rng.integers(0, 12, count), day)
    return deaths.assign(registered=registered, registered_day=np.minimum(day, year_end + 42))
