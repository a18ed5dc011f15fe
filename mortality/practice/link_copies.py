"""What one office wrote about a person: each function gives the texts of a column and how they differ from the person.

`source` is the number of the list (link_lists.LISTS); `factor` multiplies the shares of differences.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.practice import dates
from mortality.practice.link_name_copies import draw_kinds
from mortality.practice.link_spelling import without_marks
from tkyt_analysis.practice.world import MERGER_MONTH

# Shares of records, "mixed"; own choice.
BIRTH = {"counted_age": 0.035, "year_after": 0.01, "day_month": 0.012, "typo": 0.02, "new_year": 0.03, "lunar": 0.01,
         "missing": 0.015, "far": 0.005}  # fmt: skip
DEATH = {"day_off": 0.025, "day_month": 0.006, "lunar": 0.008, "registration": 0.012, "typo": 0.006, "missing": 0.003}
SENT_HOME = 4
YEAR_ONLY_SENT_HOME = 0.8
IDS = {"old_nine": 0.04, "one_digit": 0.015, "swapped": 0.008, "relative": 0.007, "placeholder": 0.012, "zero_lost": 0.02,
       "spaced": 0.015}  # fmt: skip
PLACEHOLDERS = ("000000000000", "123456789012", "111111111111", "999999999", "không có", "chưa cấp", "0", "x")
MERGER_DAY = dates.day_number(f"{MERGER_MONTH[:4]}-{MERGER_MONTH[4:]}-01")


# ----------------------------------------------------------------------------------------------- dates


def written_birth(rng: np.random.Generator, own: pd.DataFrame, source: np.ndarray, factor: float, year_only: float) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """birth_date: dd/mm/yyyy (ISO in civil registration and notices), the year alone, or ""."""
    count, day = len(own), own["birth_day"].to_numpy()
    kind = draw_kinds(rng, count, BIRTH, factor)
    far = rng.choice((-10, -5, -3, -2, 2, 3, 5, 10), count) * 365
    day = np.where(kind == "far", np.minimum(day + far, own["death_day"].to_numpy()), day)
    text = _texts(rng, day, source)
    year = dates.year_of(day)
    text = _spoilt_days(rng, text, day, kind, source)
    short = rng.random(count) < np.where(source == SENT_HOME, YEAR_ONLY_SENT_HOME, year_only)
    counted = np.where(kind == "counted_age", year - 1, np.where(kind == "year_after", year + 1, year))
    with_year = short | np.isin(kind, ["counted_age", "year_after"])
    text = np.where(with_year, counted.astype(str).astype(object), text)
    text = np.where(kind == "missing", "", text)
    differs = [
        " ".join(
            word for word in (f"birth_{k}" if k else "", "birth_year_only" if s and k != "missing" else "") if word
        )
        for k, s in zip(kind, short, strict=True)
    ]
    return text, np.array(differs, object)


def written_death(rng: np.random.Generator, own: pd.DataFrame, source: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """death_date; "registration" is the day on which somebody reported it."""
    count, day = len(own), own["death_day"].to_numpy()
    kind = draw_kinds(rng, count, DEATH, factor)
    lag = 1 + np.floor(rng.lognormal(1.8, 0.9, count)).astype(int)
    day = day + np.select([kind == "day_off", kind == "registration"], [rng.choice((-1, 1), count), lag], 0)
    text = _spoilt_days(rng, _texts(rng, day, source), day, kind, source)
    text = np.where(kind == "missing", "", text)
    return text, np.array([f"death_{word}" if word else "" for word in kind], object)


def _texts(rng: np.random.Generator, day: np.ndarray, source: np.ndarray) -> np.ndarray:
    short = rng.random(len(day)) < 0.15
    plain = np.where(short, dates.as_text(day, "short"), dates.as_text(day))
    return np.where(np.isin(source, (1, 3)), dates.as_text(day, "iso"), plain)


def _spoilt_days(
    rng: np.random.Generator, text: np.ndarray, day: np.ndarray, kind: np.ndarray, source: np.ndarray
) -> np.ndarray:
    """Day and month exchanged (where that is a date), a digit wrong, 1 January, the lunar day without a word."""
    text, month, of_month, year = text.copy(), dates.month_of(day), dates.day_of_month(day), dates.year_of(day)
    iso, luck = np.isin(source, (1, 3)), rng.integers(0, 1000, len(day))
    for row in np.flatnonzero(np.isin(kind, ["day_month", "typo", "new_year", "lunar"])).tolist():
        d, m, y = int(of_month[row]), int(month[row]), int(year[row])
        if kind[row] == "day_month" and d <= 12:
            d, m = m, d
        elif kind[row] == "new_year":
            d, m = 1, 1
        elif kind[row] == "lunar":
            d, m = _lunar(d, m, y)
        elif kind[row] == "typo":
            d, m, y = _one_part_wrong(d, m, y, int(luck[row]))
        text[row] = f"{y}-{m:02d}-{d:02d}" if iso[row] else f"{d:02d}/{m:02d}/{y}"
    return text


def _lunar(day: int, month: int, year: int) -> tuple[int, int]:
    """Day and month of the Vietnamese lunar calendar (not beyond what a solar month can have)."""
    from vnlunar import get_lunar_date

    lunar = get_lunar_date(day, month, year)
    return min(lunar["day"], 28 if lunar["month"] == 2 else 30), lunar["month"]


def _one_part_wrong(day: int, month: int, year: int, luck: int) -> tuple[int, int, int]:
    """Another day, month or year by one digit; always a date."""
    how = luck % 3
    if how == 0:
        return (day + 10 if day <= 18 else day - 10), month, year
    if how == 1:
        return min(day, 28), month % 12 + 1, year
    return min(day, 28), month, year - (1, 10, 2)[luck // 3 % 3]


# ------------------------------------------------------------------------------------------ places, ids


def written_places(rng: np.random.Generator, own: pd.DataFrame, source: np.ndarray, places: pd.DataFrame, factor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """address and place_code (five digits, of the units before or after 2025-07-01)."""
    count, place = len(own), own["place"].to_numpy()
    hospital_list = np.isin(source, (2, 3, 4))
    luck = rng.random(count)
    neighbour = luck < 0.025 * factor
    hospital = ~neighbour & hospital_list & (luck < (0.025 + 0.10) * factor)
    shown = np.where(neighbour, places["neighbour"].to_numpy()[place], place)
    shown = np.where(hospital, places["hospital"].to_numpy()[place], shown)
    after = own["death_day"].to_numpy() >= MERGER_DAY
    old_habit = rng.random(count) < 0.12 * factor
    new = np.where(source == 1, True, after & ~old_habit)
    old_code, new_code = (places[name].str.partition(":")[2].to_numpy(object) for name in ("unit_id", "successor_id"))
    blank = rng.random(count) < 0.02 * factor
    code = np.where(blank, "", np.where(new, new_code[shown], old_code[shown]))
    address = _addresses(rng, own, source, places, np.where(hospital, place, shown), new, factor)
    differs = np.select([blank, neighbour & (shown != place), hospital & (shown != place), new],
                        ["place_missing", "place_neighbour", "place_hospital", "place_new_code"], "").astype(object)  # fmt: skip
    return address, code, differs


def _addresses(rng: np.random.Generator, own: pd.DataFrame, source: np.ndarray, places: pd.DataFrame, place: np.ndarray, new: np.ndarray, factor: float) -> np.ndarray:  # fmt: skip
    """Hamlet alone in most books; street, hamlet, commune, district and province elsewhere; shortened and shuffled."""
    luck, look = rng.random((4, len(own))), rng.random((len(own), 2))
    book = source == 0
    old, after = (places[name].to_numpy(object)[place] for name in ("full_name", "successor_name"))
    district, province = (places[name].to_numpy(object)[place] for name in ("district_name", "province_name"))
    hamlet_shown = luck[0] > 0.06 * factor
    whole = ~book & (luck[1] > 0.15)
    parts = (
        np.where(luck[2] > 0.25 * factor, own["street"].to_numpy(object), ""),
        np.where(hamlet_shown, own["hamlet"].to_numpy(object), ""),
        np.where(~book | (luck[3] < 0.4) | ~hamlet_shown, np.where(new, after, old), ""),
        np.where(whole & ~new, district, ""),
        np.where(whole, province, ""),
    )
    texts = [", ".join(part for part in row if part) for row in zip(*parts, strict=True)]
    return np.array(
        [_look(text, short, by, factor) for text, (short, by) in zip(texts, look.tolist(), strict=True)], object
    )


def _look(text: str, short: float, luck: float, factor: float) -> str:
    text = _shortened(text) if short < 0.15 * factor else text
    if luck < 0.05 * factor:
        return without_marks(text)
    if luck < 0.08 * factor:
        return ", ".join(reversed(text.split(", ")))
    return text.replace(", ", " - ").lower() if luck < 0.14 * factor else text


def _shortened(text: str) -> str:
    for long, short in (("Thôn ", "T."), ("Xã ", "X."), ("Phường ", "P."), ("Thị trấn ", "TT "), ("Huyện ", "H."), ("Tỉnh ", "T."),
                        ("Thành phố ", "TP "), ("Quận ", "Q."), ("Thị xã ", "TX "), ("Khu phố ", "KP"), ("Tổ dân phố ", "TDP ")):  # fmt: skip
        text = text.replace(long, short)
    return text


def written_ids(rng: np.random.Generator, own: pd.DataFrame, persons: pd.DataFrame, factor: float, with_id: float) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """id_number: the citizen number, an old nine-digit one, a mistake, a placeholder, or ""."""
    count = len(own)
    written = rng.random(count) < with_id
    kind = np.where(written, draw_kinds(rng, count, IDS, factor), "missing")
    text, digits = own["id_number"].to_numpy(object).copy(), rng.integers(0, 1_000_000, (count, 2))
    relative = _relatives_numbers(own, persons)
    for row in np.flatnonzero(kind != "").tolist():
        text[row] = _other_number(text[row], kind[row], relative[row], int(digits[row, 0]))
    return text, np.array([f"id_{word}" if word else "" for word in kind], object)


def _relatives_numbers(own: pd.DataFrame, persons: pd.DataFrame) -> np.ndarray:
    """The number of another person of the household, "" for people who were alone."""
    first = own["household"].to_numpy()
    head = persons["id_number"].to_numpy(object)[first]
    mine = own["id_number"].to_numpy(object)
    following = np.minimum(first + 1, len(persons) - 1)
    follows = persons["household"].to_numpy()[following] == first
    next_one = np.where(follows, persons["id_number"].to_numpy(object)[following], "")
    return np.where(head != mine, head, np.where(next_one != mine, next_one, ""))


def _other_number(number: str, kind: str, relative: str, luck: int) -> str:
    place = 6 + luck % 5
    if kind == "old_nine":
        return f"{int(number) * 7919 % 900_000_000 + 100_000_000}"
    if kind == "one_digit":
        return number[:place] + str((int(number[place]) + 1 + luck % 9) % 10) + number[place + 1 :]
    if kind == "swapped":
        return number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if kind == "relative":
        return relative or number[:-1] + str((int(number[-1]) + 1) % 10)
    if kind == "placeholder":
        return PLACEHOLDERS[luck % len(PLACEHOLDERS)]
    if kind == "zero_lost":
        return number.removeprefix("0")
    if kind == "spaced":
        return f"{number[:3]} {number[3:6]} {number[6:]}"
    return ""
