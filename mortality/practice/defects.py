"""Defects F1-F10 planted in register lines, at the rates of DEFECT_SHARE; each one is noted; then those of records (V_…).

Order matters: values are spoiled first, then lines are doubled, so that an exact duplicate repeats the
spoiled line and its notes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.practice import dates
from mortality.practice.record_defects import plant_record_defects
from mortality.practice.register import Planted, _number, birth_texts, cause_texts, death_texts, unaccented
from mortality.practice.vocabulary import cause_codes
from tkyt_analysis.practice.rates import PROFILES
from tkyt_analysis.practice.world import World

DEFECT_SHARE = {  # share of lines; quality.md section 7
    "F1": 0.007,
    "F2": 0.025,
    "F4": 0.008,
    "F5": 0.03,
    "F7_missing": 0.01,
    "F7_contradiction": 0.003,
    "F9_missing": 0.05,
    "F9_invalid": 0.01,
    "F10": 0.002,
    "lunar_date": 0.016,
    "lunar_unmarked": 0.003,
    "F6_heaped": 0.05,
    "F6_first_of_january": 0.04,
}
DATE_KINDS = ("F4", "F5", "F6", "V_age_unit", "lunar_date", "lunar_unmarked")


def plant_defects(world: World, name: str, lines: pd.DataFrame, deaths: pd.DataFrame, planted: Planted) -> pd.DataFrame:
    """The lines with their defects and duplicates, in the order of the book (`line_number` from 1)."""
    rng = world.rng("defects", name)
    share = {kind: PROFILES[world.profile] * value for kind, value in DEFECT_SHARE.items()}
    lines = lines.copy()
    known = deaths.loc[lines["death_row"]].reset_index(drop=True)
    _impossible_causes(rng, share, lines, known, planted)
    _codes(rng, share, lines, planted)
    _sex(rng, share, lines, planted)
    _birth(rng, share, lines, known, planted)
    _dates(rng, share, lines, known, planted)
    lines = _duplicates(rng, share, lines, known, planted)
    lines = plant_record_defects(world, name, lines, deaths, planted)
    lines = lines.sort_values(["unit_id", "registered_day", "line_id"], kind="stable", ignore_index=True)
    return lines.assign(line_number=lines.groupby("unit_id").cumcount() + 1)


def _chosen(rng: np.random.Generator, may: np.ndarray, share_of_all: float) -> np.ndarray:
    """Rows among `may`, so that they are about `share_of_all` of all lines."""
    candidates = np.flatnonzero(may)
    if not len(candidates):
        return candidates
    rate = min(1.0, share_of_all * len(may) / len(candidates))
    return candidates[rng.random(len(candidates)) < rate]


def _impossible_causes(
    rng: np.random.Generator, share: dict[str, float], lines: pd.DataFrame, known: pd.DataFrame, planted: Planted
) -> None:
    """F10: prostate cancer in a woman, cervical cancer in a man, a death in childbirth at 60 and over."""
    sex, age = known["sex"].to_numpy(), known["age_years"].to_numpy()
    rows = _chosen(rng, age >= 40, share["F10"])
    if not len(rows):
        return
    codes = cause_codes()
    number = {code: place for place, code in enumerate(codes.code)}
    prostate, cervix, maternal = (_number(number, code) for code in ("C61", "C53.9", "O72"))
    old_woman = (age[rows] >= 60) & (rng.random(len(rows)) < 0.5)
    shown = np.where(sex[rows] == 0, cervix, np.where(old_woman, maternal, prostate))
    planted.add(
        "F10",
        "cause_text",
        lines["line_id"].to_numpy()[rows],
        codes.code[lines["code"].to_numpy()[rows]],
        codes.code[shown],
    )
    lines.loc[rows, "code"] = shown
    lines.loc[rows, "cause_text"] = cause_texts(rng, shown, np.zeros(len(rows), int))
    lines.loc[rows, "icd10"] = codes.code[shown]


def _codes(rng: np.random.Generator, share: dict[str, float], lines: pd.DataFrame, planted: Planted) -> None:
    """F9: no code beside the text; a code in small letters, cut short, or with a wrong sign."""
    icd10 = lines["icd10"].to_numpy(object).copy()
    luck = rng.random(len(lines))
    missing = np.flatnonzero(luck < share["F9_missing"])
    limit = share["F9_missing"] + share["F9_invalid"]
    invalid = np.flatnonzero((luck >= share["F9_missing"]) & (luck < limit))
    true, ids = icd10.copy(), lines["line_id"].to_numpy()
    icd10[missing] = ""
    how = rng.integers(0, 4, len(invalid))
    icd10[invalid] = [_invalid(*pair) for pair in zip(true[invalid], how.tolist())]
    for rows in (missing, invalid):
        planted.add("F9", "icd10", ids[rows], true[rows], icd10[rows])
    lines["icd10"] = icd10


def _invalid(code: str, how: int) -> str:
    return (code.lower(), code[:2], f"{code[:3]}.", f"{code[0]} {code[1:]}")[how]


def _sex(rng: np.random.Generator, share: dict[str, float], lines: pd.DataFrame, planted: Planted) -> None:
    """F7: sex left out, or the other sex than the name and the person."""
    sex = lines["sex"].to_numpy(object).copy()
    luck = rng.random(len(lines))
    missing = np.flatnonzero(luck < share["F7_missing"])
    limit = share["F7_missing"] + share["F7_contradiction"]
    wrong = np.flatnonzero((luck >= share["F7_missing"]) & (luck < limit))
    true, ids = sex.copy(), lines["line_id"].to_numpy()
    sex[missing] = ""
    sex[wrong] = np.where(true[wrong] == "male", "female", "male")
    for rows in (missing, wrong):
        planted.add("F7", "sex", ids[rows], true[rows], sex[rows])
    lines["sex"] = sex


def _birth(
    rng: np.random.Generator, share: dict[str, float], lines: pd.DataFrame, known: pd.DataFrame, planted: Planted
) -> None:
    """F5 (tuổi mụ), V_age_unit (months or days without their word) and F6 (year only, heaped ages, 1 January)."""
    style = lines["birth_style"].to_numpy(object)
    text = lines["birth_text"].to_numpy(object).copy()
    age, days = known["age_years"].to_numpy(), known["age_days"].to_numpy()
    birth = known["birth_day"].to_numpy()
    ids = lines["line_id"].to_numpy()
    counted = ((style == "age") & (age >= 1)) | ((style == "year") & (age >= 2))
    traditional = _chosen(rng, counted, share["F5"])
    year_only = np.setdiff1d(np.flatnonzero(style == "year"), traditional)
    planted.add("F6", "birth", ids[year_only], dates.as_text(birth[year_only], "iso"), text[year_only])
    unit_lost = _chosen(rng, (style == "age") & (age < 1) & (days >= 1), 1e-3)
    free = (style == "age") & (age >= 20)
    free[traditional] = False
    heaped = _chosen(rng, free & (age % 5 != 0), share["F6_heaped"] * 0.2)
    new_year = _chosen(rng, style == "date", share["F6_first_of_january"])
    older = np.where(style == "age", (age + 1).astype(str), (dates.year_of(birth) - 1).astype(str)).astype(object)
    number = np.array([str(d // 30) if d >= 30 else str(d) for d in days.tolist()], object)
    changes = (
        ("F5", traditional, older),
        ("V_age_unit", unit_lost, number),
        ("F6", heaped, (5 * np.rint(age / 5).astype(int)).astype(str).astype(object)),
        ("F6", new_year, np.array([f"01/01/{year}" for year in dates.year_of(birth)], object)),
    )
    for kind, rows, shown in changes:
        true = np.where(style[rows] == "age", text[rows], dates.as_text(birth[rows], "iso"))
        planted.add(kind, "birth", ids[rows], true, shown[rows])
        text[rows] = shown[rows]
    lines["birth_text"] = text


def _dates(
    rng: np.random.Generator, share: dict[str, float], lines: pd.DataFrame, known: pd.DataFrame, planted: Planted
) -> None:
    """F4 (day and month swapped, a day to come, before birth) and lunar dates, marked or not."""
    true_day = lines["death_day"].to_numpy()
    kind = rng.choice(
        4,
        len(lines),
        p=(
            1 - share["F4"] - share["lunar_date"] - share["lunar_unmarked"],
            share["F4"],
            share["lunar_date"],
            share["lunar_unmarked"],
        ),
    )
    text, ids = lines["death_text"].to_numpy(object).copy(), lines["line_id"].to_numpy()
    style = lines["death_style"].to_numpy(object).copy()
    rows = np.flatnonzero(kind == 1)
    text[rows] = _wrong_dates(rng, true_day[rows], known["birth_day"].to_numpy()[rows])
    lunar, unmarked = np.flatnonzero(kind == 2), np.flatnonzero(kind == 3)
    look = rng.integers(0, 3, len(lunar))
    text[lunar] = dates.lunar_text(true_day[lunar], look)
    plain = dates.lunar_text(true_day[unmarked], np.zeros(len(unmarked), int))
    year = dates.year_of(true_day[unmarked])
    text[unmarked] = [f"{t.split()[0]}/{y}" for t, y in zip(plain, year)]
    iso = dates.as_text(true_day, "iso")
    for name, changed in (("F4", rows), ("lunar_date", lunar), ("lunar_unmarked", unmarked)):
        planted.add(name, "death_date", ids[changed], iso[changed], text[changed])
        style[changed] = "lunar" if name == "lunar_date" else "padded"
    lines["death_text"], lines["death_style"] = text, style


def _wrong_dates(rng: np.random.Generator, day: np.ndarray, birth: np.ndarray) -> np.ndarray:
    """Swapped where that is a date at all, else ten years ahead or a year before birth."""
    of_month, month = dates.day_of_month(day), dates.month_of(day)
    can_swap = (of_month <= 12) & (of_month != month)
    how = rng.integers(0, 3, len(day))
    ahead = np.array([f"{d:02d}/{m:02d}/{y + 10}" for d, m, y in zip(of_month, month, dates.year_of(day))], object)
    before = dates.as_text(birth - 366)
    swapped = dates.as_text(day, "swapped")
    return np.select([(how == 0) & can_swap, how == 1], [swapped, before], ahead)


def _duplicates(
    rng: np.random.Generator, share: dict[str, float], lines: pd.DataFrame, known: pd.DataFrame, planted: Planted
) -> pd.DataFrame:
    """F1: the same line again; F2: the same person again, a little different, perhaps in the next commune."""
    spoiled = planted.rows()
    spoiled_dates = spoiled.loc[spoiled["kind"].isin([k for k in DATE_KINDS if k != "F6"]), "line_id"]
    luck = rng.random(len(lines))
    exact = np.flatnonzero(luck < share["F1"])
    may = ~lines["line_id"].isin(spoiled_dates).to_numpy() & (luck >= share["F1"])
    near = _chosen(rng, may, share["F2"])
    copies = [_copy(lines, exact, len(lines)), _varied(rng, lines, known, near, len(lines) + len(exact))]
    for kind, copy in zip(("F1", "F2"), copies):
        planted.add(
            kind, "line", copy["line_id"].to_numpy(), copy["duplicate_of"].to_numpy(), copy["line_id"].to_numpy()
        )
    _repeat_notes(spoiled, copies[0], planted)
    _repeat_notes(spoiled[~spoiled["element"].isin(["birth", "death_date", "note"])], copies[1], planted)
    return pd.concat([lines.assign(duplicate_of=-1), *copies], ignore_index=True)


def _copy(lines: pd.DataFrame, rows: np.ndarray, first_id: int) -> pd.DataFrame:
    copy = lines.iloc[rows].copy()
    return copy.assign(duplicate_of=copy["line_id"], line_id=np.arange(first_id, first_id + len(rows)))


def _repeat_notes(spoiled: pd.DataFrame, copy: pd.DataFrame, planted: Planted) -> None:
    """A copy carries the defects of its original."""
    pairs = copy[["duplicate_of", "line_id"]].rename(columns={"duplicate_of": "line_id", "line_id": "copy_id"})
    repeated = spoiled.merge(pairs, on="line_id")
    planted.parts.append(repeated.assign(line_id=repeated["copy_id"]).drop(columns="copy_id"))


def _varied(
    rng: np.random.Generator, lines: pd.DataFrame, known: pd.DataFrame, rows: np.ndarray, first_id: int
) -> pd.DataFrame:
    copy = _copy(lines, rows, first_id)
    person = known.iloc[rows]
    count = len(rows)
    how = rng.integers(0, 4, count)
    copy["full_name"] = [_name_variant(*pair) for pair in zip(copy["full_name"], how.tolist())]
    shift = rng.integers(-1, 2, count)
    day = copy["death_day"].to_numpy() + shift
    year = dates.year_of(copy["death_day"].to_numpy())
    day = np.where(dates.year_of(day) == year, day, copy["death_day"].to_numpy())
    style = rng.integers(0, 3, count)
    copy["death_text"], copy["death_day"] = death_texts(day, style), day
    copy["death_style"] = "padded"
    years_off = np.where(person["age_years"].to_numpy() > 5, rng.integers(-2, 3, count), 0)
    shown = person.assign(
        birth_day=person["birth_day"].to_numpy() - np.rint(365.25 * years_off).astype(int),
        age_years=person["age_years"].to_numpy() + years_off,
    )
    number = copy["birth_style"].map({"date": 0, "year": 1, "age": 2}).to_numpy()
    copy["birth_text"] = birth_texts(shown, number, rng)
    neighbour = rng.random(count) < 0.5
    copy["unit_id"] = np.where(neighbour, _neighbours(rng, lines, copy), copy["unit_id"])
    copy["note"] = ""
    return copy


def _name_variant(name: str, how: int) -> str:
    """No diacritics; middle name left out; i for y; capitals."""
    parts = name.split()
    if how == 0:
        return unaccented(name)
    if how == 1 and len(parts) > 2:
        return f"{parts[0]} {parts[-1]}"
    if how == 2 and "y" in name:
        return name.replace("y", "i").replace("ý", "í")
    return name.upper()


def _neighbours(rng: np.random.Generator, lines: pd.DataFrame, copy: pd.DataFrame) -> np.ndarray:
    """Another commune of the same district for each line (its own where there is none)."""
    pool = lines.groupby("district_id")["unit_id"].unique()
    luck = rng.random(len(copy))
    return np.array(
        [pool[district][int(u * len(pool[district]))] for district, u in zip(copy["district_id"], luck.tolist())],
        object,
    )
