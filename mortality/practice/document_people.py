"""Who stands in which other source: the same practice deaths with the differences that separate offices make."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.practice import dates, people
from mortality.practice.deaths import Batch
from mortality.practice.register import UNACCENT
from mortality.practice.vocabulary import REGIONS, cause_codes, draw_expressions
from tkyt_analysis.practice.world import World

CIVIL_SHARE, NOTICE_SHARE, CERTIFICATE_SHARE = 0.35, 0.9, 0.6  # of all deaths; of hospital deaths; of those noticed
SENT_HOME_SHARE, RECOVERED_SHARE, INTERVIEW_SHARE = 0.12, 0.10, 0.05  # of home deaths; of the list; of all deaths
HOSPITAL_OF_UNREGISTERED = 0.2
CAPITALS, NO_MARKS, MISSPELT = 0.30, 0.05, 0.04  # how another office writes the same name
OTHER_DAY, YEAR_ONLY, NO_ID = 0.06, 0.25, 0.4
_SLIPS = str.maketrans({"i": "y", "y": "i", "s": "x", "x": "s"})


def persons(world: World, batch: Batch, deaths: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Every death of the batch as a person: those in the book bear its name, the others one of their own.

    `lines` are the book's lines before anything was made wrong. Columns: death_id, death_row, in_book, unit_id,
    residence, sex, birth_day, death_day, code, full_name, id_number, hamlet, hospital (died there), diagnosis.
    """
    rng = world.rng("document_people", batch.name)
    sex = deaths["sex"].to_numpy()
    own = lines.set_index("death_row")
    in_book = deaths.index.isin(own.index)
    drawn = pd.DataFrame(
        {
            "full_name": people.draw_names(rng, sex),
            "id_number": people.draw_id_numbers(rng, sex, deaths["birth_day"].to_numpy(), batch.province),
            "hamlet": people.draw_addresses(rng, batch.province, len(deaths)),
        },
        index=deaths.index,
    )
    place = own["place_of_death"].reindex(deaths.index).fillna("")
    unseen = rng.random(len(deaths)) < HOSPITAL_OF_UNREGISTERED
    code = deaths["code"].to_numpy()
    region = np.full(len(deaths), REGIONS.index("north"))
    return pd.DataFrame(
        {
            "death_id": deaths["death_id"],
            "death_row": deaths.index,
            "in_book": in_book,
            "unit_id": deaths["unit_id"],
            "sex": np.where(sex == 0, "male", "female").astype(object),
            "birth_day": deaths["birth_day"],
            "death_day": deaths["death_day"],
            "code": cause_codes().code[code],
            "injury": np.isin(np.array([c[:1] for c in cause_codes().code[code]]), list("VWXY")),
            "full_name": own["full_name"].reindex(deaths.index).fillna(drawn["full_name"]),
            "id_number": own["id_number"].reindex(deaths.index).replace("", None).fillna(drawn["id_number"]),
            "hamlet": own["address"].reindex(deaths.index).fillna(drawn["hamlet"]),
            "residence": deaths["unit_id"].map(residences(batch)),
            "hospital": np.where(in_book, place.isin(["Bệnh viện", "CSYT"]), unseen),
            "diagnosis": draw_expressions(rng, code, region),
        },
        index=deaths.index,
    )


def residences(batch: Batch) -> pd.Series:
    """unit_id -> "xã Bình Minh, huyện Bình Sơn, tỉnh Quảng Ngãi" as an address ends."""
    communes = batch.communes
    if batch.new_units:
        rows = communes.drop_duplicates("successor_id").set_index("successor_id")
        return rows["successor_name"] + ", " + rows["province_name"]
    rows = communes.set_index("unit_id")
    return rows["full_name"] + ", " + rows["district_name"] + ", " + rows["province_name"]


def chosen(rng: np.random.Generator, rows: pd.DataFrame, share: float) -> pd.DataFrame:
    """About `share` of the rows, in the order of the day of death."""
    picked = rows[rng.random(len(rows)) < share]
    return picked.sort_values(["death_day", "death_row"], kind="stable").reset_index(drop=True)


def as_another_office_writes(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """The same persons with shown_name, shown_birth, shown_day, shown_id and `differs` (what is not as in the book)."""
    names, luck = rows["full_name"].to_numpy(object), rng.random(len(rows))
    upper, bare = luck < CAPITALS, (luck >= CAPITALS) & (luck < CAPITALS + NO_MARKS)
    slip = (luck >= CAPITALS + NO_MARKS) & (luck < CAPITALS + NO_MARKS + MISSPELT)
    shown = np.array(
        [
            name.upper() if u else name.translate(UNACCENT) if b else _misspelt(name) if s else name
            for name, u, b, s in zip(names, upper, bare, slip, strict=True)
        ],
        object,
    )
    shifted = rng.random(len(rows)) < OTHER_DAY
    day = rows["death_day"].to_numpy() + np.where(shifted, rng.integers(-3, 4, len(rows)), 0)
    birth = rows["birth_day"].to_numpy()
    year_only = rng.random(len(rows)) < YEAR_ONLY
    identity = np.where(rng.random(len(rows)) < NO_ID, "", rows["id_number"].to_numpy(object))
    moved = day != rows["death_day"].to_numpy()
    differs = [
        " ".join(name for name, yes in zip(("name", "death_date", "birth"), flags, strict=True) if yes)
        for flags in zip(shown != names, moved, year_only, strict=True)
    ]
    return rows.assign(
        shown_name=shown,
        shown_day=day,
        shown_birth=np.where(year_only, dates.as_text(birth, "year"), dates.as_text(birth)),
        shown_id=identity,
        address=rows["hamlet"] + ", " + rows["residence"],
        differs=differs,
    )


def _misspelt(name: str) -> str:
    """One letter of the last word confused (i and y, s and x)."""
    head, _, last = name.rpartition(" ")
    return f"{head} {last.translate(_SLIPS)}".strip()
