"""Lists of deaths for measuring linkage, with the truth: one person on one to five lists, as offices write.

`tkyt deaths link` reads such a list (columns COLUMNS, all text). Profiles: "book" – one commune group's books in which
some deaths stand twice; "mixed" – A6, civil registration, certificate, notice and sent-home lists; "hard" – the same
with about twice the differences and fewer numbers. Nothing of the matching code is used here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mortality.practice.link_copies import written_birth, written_death, written_ids, written_places
from mortality.practice.link_name_copies import written_names
from mortality.practice.link_people import draw_people, draw_places

COLUMNS = ["id", "full_name", "sex", "birth_date", "death_date", "address", "place_code", "id_number", "list_id"]
LISTS = ("a6", "civil_registration", "certificate", "death_notice", "sent_home")


@dataclass(frozen=True)
class Profile:
    """on_list: share of persons on each of LISTS (hospital lists: of those who lay there); again: of the records of A6
    that stand there twice; exact: of those, line for line; factor: how many differences, relative to "mixed"."""

    on_list: tuple[float, ...]
    again: float
    exact: float
    factor: float
    year_only: float


PROFILES = {
    "book": Profile((1.0, 0.0, 0.0, 0.0, 0.0), 0.06, 0.25, 1.0, 0.38),
    "mixed": Profile((0.88, 0.6, 0.55, 0.75, 0.25), 0.03, 0.2, 1.0, 0.28),
    "hard": Profile((0.85, 0.6, 0.55, 0.75, 0.3), 0.05, 0.05, 2.2, 0.36),
}


def draw_link_list(
    people: int, *, seed: int, profile: str = "book", with_id: float = 0.6
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A list of deaths and its true pairs.

    people : number of dead persons (records: about 1.06 per person in "book", 2.1 in "mixed" and "hard")
    with_id : share of records whose number was written down

    Returns
    -------
    the list (COLUMNS; text, empty cells "") and the pairs: id_l < id_r, differs_l, differs_r (what each record has
    otherwise than the person, space-separated; for the analysis of errors).
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, people, len(profile)])))
    shape = PROFILES[profile]
    places = draw_places(rng, people, seed)
    persons = draw_people(rng, people, places)
    records = _records(rng, persons, shape)
    lists = _written(rng, records, persons, places, shape, with_id)
    exact = records["copy_of"].to_numpy()
    lists = lists.iloc[np.where(exact >= 0, exact, np.arange(len(lists)))].reset_index(drop=True)
    lists = lists.assign(person=records["person"].to_numpy())
    lists = lists.iloc[rng.permutation(len(lists))].reset_index(drop=True)
    lists["id"] = [f"R{number:07d}" for number in range(1, len(lists) + 1)]
    return lists[COLUMNS], _true_pairs(lists)


def _records(rng: np.random.Generator, persons: pd.DataFrame, shape: Profile) -> pd.DataFrame:
    """person, list (number in LISTS), copy_of (row whose text is repeated exactly, or -1)."""
    count = len(persons)
    may = np.ones((count, len(LISTS)), bool)
    may[:, 2:4] = persons["hospital"].to_numpy()[:, None]
    may[:, 4] = ~persons["hospital"].to_numpy()
    on = (rng.random(may.shape) < np.array(shape.on_list)) & may
    on[~on.any(axis=1), 0] = True
    person, number = np.nonzero(on)
    books = np.flatnonzero(number == 0)
    again = books[rng.random(len(books)) < shape.again]
    exact = rng.random(len(again)) < shape.exact
    return pd.DataFrame(
        {
            "person": np.concatenate([person, person[again]]),
            "list": np.concatenate([number, number[again]]),
            "copy_of": np.concatenate([np.full(len(person), -1), np.where(exact, again, -1)]),
        }
    )


def _written(
    rng: np.random.Generator,
    records: pd.DataFrame,
    persons: pd.DataFrame,
    places: pd.DataFrame,
    shape: Profile,
    with_id: float,
) -> pd.DataFrame:
    """What each record shows, and `differs`."""
    own = persons.iloc[records["person"].to_numpy()].reset_index(drop=True)
    source = records["list"].to_numpy()
    name, name_differs = written_names(rng, own, source, shape.factor)
    birth, birth_differs = written_birth(rng, own, source, shape.factor, shape.year_only)
    death, death_differs = written_death(rng, own, source, shape.factor)
    address, code, place_differs = written_places(rng, own, source, places, shape.factor)
    number, id_differs = written_ids(rng, own, persons, shape.factor, with_id)
    sex, sex_differs = _written_sex(rng, own, shape.factor)
    parts = (name_differs, birth_differs, death_differs, place_differs, id_differs, sex_differs)
    differs = [" ".join(word for word in words if word) for words in zip(*parts, strict=True)]
    return pd.DataFrame(
        {
            "full_name": name,
            "sex": sex,
            "birth_date": birth,
            "death_date": death,
            "address": address,
            "place_code": code,
            "id_number": number,
            "list_id": np.array(LISTS, object)[source],
            "differs": differs,
        }
    )


def _written_sex(rng: np.random.Generator, own: pd.DataFrame, factor: float) -> tuple[np.ndarray, np.ndarray]:
    luck, sex = rng.random(len(own)), own["sex"].to_numpy()
    missing, wrong = luck < 0.01 * factor, luck > 1 - 0.004 * factor
    word = np.where(sex ^ wrong, "female", "male").astype(object)
    differs = np.select([missing, wrong], ["sex_missing", "sex_wrong"], "").astype(object)
    return np.where(missing, "", word), differs


def _true_pairs(lists: pd.DataFrame) -> pd.DataFrame:
    """Every two records of one person."""
    side = lists[["id", "person", "differs"]]
    pairs = side.merge(side, on="person", suffixes=("_l", "_r"))
    pairs = pairs[pairs["id_l"] < pairs["id_r"]].sort_values(["id_l", "id_r"], ignore_index=True)
    return pairs[["id_l", "id_r", "differs_l", "differs_r"]]
