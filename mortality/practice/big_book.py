"""One large book of deaths (A6 of 2025) of many communes in one workbook, with its truth: for tests and benchmarks.

As a district or province would send it: a column with the commune's code, every defect of the practice books, and place
codes that did not exist on the day of death (V_place_code).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from mortality.practice.a6_workbook import write_book
from mortality.practice.book_layout import BookLayout
from mortality.practice.books import book_notes
from mortality.practice.certificate_chain import with_chain
from mortality.practice.deaths import Batch, draw_deaths
from mortality.practice.defects import plant_defects
from mortality.practice.document_defects import plant_chain_defects
from mortality.practice.document_files import write_certificates
from mortality.practice.document_people import as_another_office_writes, persons
from mortality.practice.export import export_layout
from mortality.practice.record_defects import HARMLESS
from mortality.practice.register import Planted, register_lines
from tkyt_analysis.practice.people import all_communes, commune_population
from tkyt_analysis.practice.rates import PROFILES
from tkyt_analysis.practice.world import NOTE, SCALES, World

FIRST_MONTH, LAST_MONTH = "202507", "202512"
REGISTERED = 0.0016  # registered deaths per person in half a year, on the low side
SMALLEST_COMMUNE = 2_000  # persons, on the average of any region
PLACE_CODE_SHARE = 0.004


@dataclass(frozen=True)
class DrawnBook:
    """A book and what is true of it.

    lines : line_id, row_number (of the sheet), death_id, duplicate_of (line_id or -1), unit_id
    planted : kind, element, true_value, shown_value, line_id, row_number, place_in_file
    """

    path: Path
    lines: pd.DataFrame
    planted: pd.DataFrame


def draw_book(path: Path, rows: int = 10_000, *, seed: int, profile: str = "light") -> DrawnBook:
    """Write a workbook with exactly `rows` lines; `profile`: light or heavy (rates of defects)."""
    communes = _some_communes(rows, seed)
    world = World(SCALES["province"], seed, path.parent, communes, profile)
    batch = Batch(communes["province_id"].iloc[0][-2:], FIRST_MONTH, LAST_MONTH, communes, True)
    planted = Planted()
    deaths = draw_deaths(world, batch, commune_population(communes["unit_id"], batch.year, seed))
    deaths = _of_enough_communes(deaths, rows)
    clean = register_lines(world, batch, deaths, planted)
    lines = _cut(plant_defects(world, batch.name, clean, deaths, planted), planted, rows)
    lines = _place_codes(world.rng("place_codes", batch.name), lines, deaths, planted, PROFILES[profile])
    layout = _layout()
    places = write_book(path, layout, lines)
    notes = planted.rows()
    notes = book_notes(layout, lines, notes[notes["line_id"].isin(lines["line_id"])], places.assign(file=path.name))
    known = lines[["line_id", "unit_id", "duplicate_of", "death_row"]].merge(places, on="line_id")
    known["death_id"] = deaths["death_id"].to_numpy()[known.pop("death_row").to_numpy()]
    columns = ["kind", "element", "true_value", "shown_value", "line_id", "row_number", "place_in_file"]
    return DrawnBook(path, known, notes[columns].reset_index(drop=True))


def _some_communes(rows: int, seed: int) -> pd.DataFrame:
    """Neighbouring old communes that have enough deaths; which ones depends on the seed."""
    communes = all_communes(seed)
    count = min(len(communes), int(rows / REGISTERED / SMALLEST_COMMUNE) + 8)
    first = seed * 997 % (len(communes) - count + 1)
    window = communes.iloc[first : first + count]
    persons = commune_population(window["unit_id"], 2025, seed).groupby("unit_id")["persons"].sum()
    upto = window["unit_id"].map(persons).cumsum()
    return window[upto.shift(fill_value=0) * REGISTERED < rows].reset_index(drop=True)


def _of_enough_communes(deaths: pd.DataFrame, rows: int) -> pd.DataFrame:
    """The deaths of the first communes that together registered `rows`."""
    registered = deaths.groupby("unit_id", sort=True)["registered"].sum()
    wanted = registered.index[registered.cumsum().shift(fill_value=0) < rows]
    return deaths[deaths["unit_id"].isin(wanted)].reset_index(drop=True)


def _cut(lines: pd.DataFrame, planted: Planted, rows: int) -> pd.DataFrame:
    """Exactly `rows` lines: surplus ones go where nothing but habits (HARMLESS) was planted and no copy exists."""
    surplus = len(lines) - rows
    if surplus < 0:
        raise ValueError(f"{rows} lines asked, {len(lines)} drawn: REGISTERED is too high")
    doubled = set(lines.loc[lines["duplicate_of"] >= 0, "duplicate_of"])
    notes = planted.rows()
    spoilt = set(notes.loc[~notes["kind"].isin(HARMLESS), "line_id"])
    kept = lines["line_id"].isin(spoilt | doubled) | (lines["duplicate_of"] >= 0)
    drop = lines.index[~kept][-surplus:] if surplus else []
    lines = lines.drop(index=drop).reset_index(drop=True)
    return lines.assign(line_number=np.arange(1, len(lines) + 1))


def _place_codes(
    rng: np.random.Generator, lines: pd.DataFrame, deaths: pd.DataFrame, planted: Planted, factor: float
) -> pd.DataFrame:
    """unit_code per line; V_place_code: the code of the commune before July 2025, or one that never existed."""
    code = lines["unit_id"].str.partition(":")[2].to_numpy(object).copy()
    old = deaths["origin_unit_id"].str.partition(":")[2].to_numpy(object)[lines["death_row"].to_numpy()]
    spoilt = planted.rows()["line_id"]
    free = ~lines["line_id"].isin(spoilt) & (lines["duplicate_of"] < 0)
    may = free.to_numpy() & ~np.isin(old, np.unique(all_new_codes()))
    rows = np.flatnonzero(may & (rng.random(len(lines)) < PLACE_CODE_SHARE * factor * len(lines) / max(may.sum(), 1)))
    shown = np.where(rng.random(len(rows)) < 0.7, old[rows], "99999").astype(object)
    planted.add("V_place_code", "unit_code", lines["line_id"].to_numpy()[rows], code[rows], shown)
    code[rows] = shown
    return lines.assign(unit_code=code)


def all_new_codes() -> np.ndarray:
    """Codes of the communes since 1 July 2025."""
    from tkyt_analysis.reference.places import places

    return places("VN2025", at="2025-07-01")["code"].to_numpy(object)


def _layout() -> BookLayout:
    plain = export_layout("tt23_2025")
    columns = [
        "order",
        "full_name",
        "unit_code",
        *(name for name in plain.columns if name not in ("order", "full_name")),
    ]
    titles = ["SỔ THEO DÕI TỬ VONG (A6/CSYT)", "Năm 2025", NOTE]
    headers = plain.headers | {"unit_code": "Mã xã"}
    return replace(plain, sheet="A6", titles=titles, columns=columns, headers=headers)


def draw_certificates(path: Path, rows: int = 2_000, *, seed: int, profile: str = "light") -> DrawnBook:
    """Write a list of certificates of cause of death of one hospital with at most `rows` lines and the defects of their form.

    `lines` has no duplicates; `planted` the kinds of document_defects.
    """
    communes = _some_communes(rows, seed)
    world = World(SCALES["province"], seed, path.parent, communes, profile)
    batch = Batch(communes["province_id"].iloc[0][-2:], FIRST_MONTH, LAST_MONTH, communes, True)
    deaths = draw_deaths(world, batch, commune_population(communes["unit_id"], batch.year, seed))
    everybody = persons(world, batch, deaths, register_lines(world, batch, deaths, Planted()))
    rng = world.rng("certificates", batch.name)
    shown = as_another_office_writes(rng, everybody.iloc[rng.permutation(len(everybody))[:rows]].reset_index(drop=True))
    shown = with_chain(rng, shown.assign(hour=rng.integers(0, 24, len(shown)), stay=rng.integers(0, 12, len(shown))))
    planter = plant_chain_defects(rng, shown, PROFILES[profile])
    first = write_certificates(path, batch, planter.rows)
    row_number = first + np.arange(len(planter.rows))
    lines = pd.DataFrame({"line_id": np.arange(len(planter.rows)), "row_number": row_number})
    lines = lines.assign(death_id=planter.rows["death_id"], duplicate_of=-1, unit_id=planter.rows["unit_id"])
    notes = pd.DataFrame(planter.notes, columns=["line_id", "kind", "element", "true_value", "shown_value"])
    notes["row_number"] = row_number[notes["line_id"].to_numpy(int)]
    return DrawnBook(path, lines, notes.assign(place_in_file=notes["row_number"].astype(str)))
