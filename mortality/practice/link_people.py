"""Invented persons who died, living in households: what a list for linkage is drawn from.

Households are where linkage errs: a couple, a father and a son, sisters, twins who die in one accident share address,
family name, often the middle name, sometimes the date. Decoys share a name and a year of birth with somebody elsewhere.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.practice import dates
from mortality.practice.link_names import draw_family_names, draw_given_parts, draw_groups, draw_link_words, full_names
from mortality.practice.people import citizen_numbers
from tkyt_analysis.practice.people import all_communes

FIRST_DAY, LAST_DAY = dates.day_number("2024-01-01"), dates.day_number("2025-12-31")
OLDEST_DAYS = int(106 * 365.25)
PEOPLE_PER_COMMUNE = 45
ROLES = ("alone", "spouse", "child", "sibling", "twin", "accident")
ROLE_SHARE = (0.86, 0.06, 0.04, 0.015, 0.008, 0.017)
NAMESAKE_ELSEWHERE, NAMESAKE_NEAR = 0.03, 0.01  # decoys: same name and year, other commune; same name and commune


def draw_places(rng: np.random.Generator, people: int, seed: int) -> pd.DataFrame:
    """Neighbouring old communes, about one for PEOPLE_PER_COMMUNE people; columns as all_communes, `neighbour` a row."""
    communes = all_communes(seed % 97)
    count = int(np.clip(people / PEOPLE_PER_COMMUNE, 12, len(communes)))
    first = int(rng.integers(0, len(communes) - count + 1))
    chosen = communes.iloc[first : first + count].reset_index(drop=True)
    place = np.arange(count)
    same = chosen["district_id"].shift(-1) == chosen["district_id"]
    before = chosen["district_id"].shift(1) == chosen["district_id"]
    seat = chosen.groupby("district_id").cumcount().eq(0).to_numpy()
    return chosen.assign(
        neighbour=np.where(same, np.minimum(place + 1, count - 1), np.where(before, place - 1, place)),
        hospital=np.maximum.accumulate(np.where(seat, place, 0)),
    )


def draw_people(rng: np.random.Generator, people: int, places: pd.DataFrame) -> pd.DataFrame:
    """One row per dead person.

    Columns: household (row of its first person), role (ROLES), group, sex (0 male, 1 female), birth_day, death_day,
    family, middle, given, full_name, place (row of `places`), hamlet, street, id_number, hospital (died or lay there).
    """
    role = rng.choice(len(ROLES), people, p=ROLE_SHARE)
    role[0] = 0
    first = np.maximum.accumulate(np.where(role == 0, np.arange(people), 0))
    sex = (rng.random(people) < 0.44).astype(int)
    death = rng.integers(FIRST_DAY, LAST_DAY + 1, people)
    birth = death - _ages(rng, people)
    frame = pd.DataFrame({"household": first, "role": role, "sex": sex, "birth_day": birth, "death_day": death})
    frame = _as_relatives(rng, frame)
    frame["group"] = draw_groups(rng, people)[first]
    frame = _with_names(rng, frame)
    share = places["share"].to_numpy()
    frame["place"] = rng.choice(len(places), people, p=share / share.sum())[first]
    frame = _with_namesakes(rng, frame)
    frame["full_name"] = full_names(frame)
    frame["hamlet"] = _hamlets(rng, people)[first]
    frame["street"] = _streets(rng, places, frame["place"].to_numpy())[first]
    home = places["province_id"].str[-2:].to_numpy(object)[frame["place"].to_numpy()]
    frame["id_number"] = citizen_numbers(rng, frame["sex"].to_numpy(), frame["birth_day"].to_numpy(), home)
    return frame.assign(hospital=rng.random(people) < 0.35)


def _ages(rng: np.random.Generator, count: int) -> np.ndarray:
    """Age in days: mostly old people, some adults, few children and infants."""
    kind = rng.choice(4, count, p=(0.75, 0.20, 0.035, 0.015))
    years = np.select([kind == 0, kind == 1, kind == 2], [rng.normal(76, 11, count), rng.uniform(18, 62, count),
                                                          rng.uniform(1, 18, count)], rng.uniform(0, 1, count))  # fmt: skip
    return np.clip(years * 365.25, 0, OLDEST_DAYS).astype(np.int64)


def _as_relatives(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Sex, birth and day of death of spouses, children, siblings, twins and victims of one accident."""
    first = frame["household"].to_numpy()
    role, count = frame["role"].to_numpy(), len(frame)
    head_birth, head_death, head_sex = (frame[n].to_numpy()[first] for n in ("birth_day", "death_day", "sex"))
    adult = head_death - head_birth > 40 * 365
    step = (rng.integers(1, 9, count) * 365 * rng.choice((-1, 1), count) + rng.integers(0, 365, count)).astype(int)
    generation = rng.integers(20 * 365, 38 * 365, count)
    is_spouse = (role == 1) | ((role == 5) & (rng.random(count) < 0.4))
    is_child = ((role == 2) | ((role == 5) & ~is_spouse)) & adult
    birth = np.select([role == 0, role == 4, is_child], [frame["birth_day"], head_birth, head_birth + generation],
                      head_birth + step)  # fmt: skip
    one_day = (role == 5) | ((role == 4) & (rng.random(count) < 0.7))
    death = np.where(one_day, head_death, frame["death_day"])
    sex = np.where(is_spouse & adult, 1 - head_sex, frame["sex"])
    sex = np.where((role == 4) & (rng.random(count) < 0.7), head_sex, sex)
    born = np.maximum(np.minimum(birth, death - rng.integers(0, 3000, count)), death - OLDEST_DAYS)
    born = np.where(role == 4, np.minimum(head_birth, death), born)
    own = np.where(role == 0, frame["birth_day"], born)
    return frame.assign(sex=sex, birth_day=own, death_day=death, own_family=is_spouse & adult)


def _with_names(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    first, role = frame["household"].to_numpy(), frame["role"].to_numpy()
    group, sex = frame["group"].to_numpy(object), frame["sex"].to_numpy()
    old = frame["birth_day"].to_numpy() < dates.day_number("1965-01-01")
    family = draw_family_names(rng, group)
    middle, given = draw_given_parts(rng, group, sex, old)
    family = np.where(frame.pop("own_family"), family, family[first])
    like_head = (role >= 3) & (sex == sex[first]) & (rng.random(len(frame)) < 0.6)
    return frame.assign(family=family, middle=np.where(like_head, middle[first], middle), given=given)


def _with_namesakes(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Decoys: another person's name, sex and year of birth elsewhere; or the name alone in the same commune."""
    luck, count = rng.random(len(frame)), len(frame)
    alone = (frame["role"] == 0).to_numpy()
    for low, high, elsewhere in (
        (0, NAMESAKE_ELSEWHERE, True),
        (NAMESAKE_ELSEWHERE, NAMESAKE_ELSEWHERE + NAMESAKE_NEAR, False),
    ):
        rows = np.flatnonzero(alone & (luck >= low) & (luck < high))
        model = rng.integers(0, count, len(rows))
        for name in ("group", "sex", "family", "middle", "given"):
            frame.loc[rows, name] = frame[name].to_numpy()[model]
        birth = frame["birth_day"].to_numpy()
        same_year = dates.first_of_year(birth[model]) + rng.integers(0, 365, len(rows))
        if elsewhere:
            death = frame["death_day"].to_numpy()
            frame.loc[rows, "birth_day"] = np.minimum(same_year, death[rows])
        else:
            frame.loc[rows, "place"] = frame["place"].to_numpy()[model]
    return frame


def _hamlets(rng: np.random.Generator, count: int) -> np.ndarray:
    kind, name = draw_link_words(rng, "hamlet_kind", count), draw_link_words(rng, "hamlet_name", count)
    number, numbered = rng.integers(1, 15, count), rng.random(count) < 0.6
    return np.array([f"{k} {n if by else t}" for k, n, t, by in zip(kind, number, name, numbered, strict=True)], object)


def _streets(rng: np.random.Generator, places: pd.DataFrame, place: np.ndarray) -> np.ndarray:
    """House and street in wards and towns, "" elsewhere."""
    town = places["full_name"].str.startswith(("Phường", "Thị trấn")).to_numpy()[place]
    street, number = draw_link_words(rng, "street", len(place)), rng.integers(1, 400, len(place))
    some = town & (rng.random(len(place)) < 0.7)
    return np.array([f"{n} {s}" if t else "" for n, s, t in zip(number, street, some, strict=True)], object)
