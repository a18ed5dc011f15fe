"""Registered deaths as lines of the commune book (A6), in the words of whoever keeps it.

What is written here is right, however clumsy; what is wrong on purpose is planted by `defects`.
Exception: a lost cause (F8) is chosen here, because the wording follows from it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mortality.practice import dates, people
from mortality.practice.deaths import Batch
from mortality.practice.vocabulary import REGIONS, cause_codes, draw_expressions
from tkyt_analysis.practice.world import World

VINTAGES = {"tt27_2014": "202001", "tt37_2019": "202507", "tt23_2025": "999999"}  # in use before this month
BIRTH_STYLES = ("date", "year", "age")
BIRTH_SHARE = {"tt27_2014": (0.25, 0.35, 0.40), "tt37_2019": (0.45, 0.35, 0.20), "tt23_2025": (0.65, 0.35, 0.0)}
DEATH_STYLES = ("padded", "short", "dots", "excel")
DEATH_SHARE = (0.55, 0.15, 0.05, 0.25)
OLD_PEOPLES_WORK = ["Hưu trí", "Bộ đội hưu", "Già", "Già yếu"]
HOME_SHARE = 0.75  # of deaths at home; Điện Biên 2017: 77.9 %
TIME_KNOWN = 0.65  # of deaths since the book has a column for it
UNUSUAL = 0.12  # share of lines written otherwise than the clerk's habit
OLD_AGE = ((80, 0.32), (70, 0.20), (50, 0.08), (1, 0.02))  # from age: share ill-defined (F8, 15 % in all)
GARBAGE_SHARE = 0.15  # of the other natural deaths (F8, 12 % of all)
GARBAGE_OF = {
    "cancer": ("C80.9", "C80.9", "C80.9", "R64"),
    "heart": ("I50.9", "I50.9", "I46.9", "I51.9", "J81"),
    "lung": ("J96.9", "J96.9", "J96.9", "A41.9"),
    "kidney": ("N19", "A41.9", "J96.9"),
    "digestive": ("K92.2", "K92.2", "A41.9", "R10.4"),
    "other": ("A41.9", "J96.9", "I46.9", "R50.9", "R57.9", "R40.2", "I50.9", "K92.2"),
}
KIND_OF_CAUSE = {
    "hypertensive": "heart", "stroke": "heart", "ischaemic_heart": "heart", "other_circulatory": "heart",
    "copd": "lung", "asthma": "lung", "other_respiratory": "lung", "lower_respiratory": "lung",
    "kidney": "kidney", "cirrhosis": "digestive", "other_digestive": "digestive",
}  # fmt: skip
INJURIES = ("road_traffic", "drowning", "suicide", "poisoning", "falls", "assault", "work_accident", "other_accident")
_MARKED = "àảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵăâêôơư"
UNACCENT = str.maketrans(
    {c: unicodedata.normalize("NFD", c)[0] for c in _MARKED + _MARKED.upper()} | {"đ": "d", "Đ": "D"}
)


@dataclass
class Planted:
    """What was made wrong on purpose: parts with line_id, kind, element, true_value, shown_value."""

    parts: list[pd.DataFrame] = field(default_factory=list)

    def add(self, kind: str, element: str, line_id: np.ndarray, true: Iterable, shown: Iterable) -> None:
        """Note one defect per line."""
        if len(line_id):
            self.parts.append(
                pd.DataFrame(
                    {
                        "line_id": line_id,
                        "kind": kind,
                        "element": element,
                        "true_value": np.asarray(true, object),
                        "shown_value": np.asarray(shown, object),
                    }
                )
            )

    def rows(self) -> pd.DataFrame:
        """All of it, one row per line and defect."""
        empty = pd.DataFrame(columns=["line_id", "kind", "element", "true_value", "shown_value"])
        return pd.concat(self.parts, ignore_index=True) if self.parts else empty


def unaccented(text: str) -> str:
    """Text typed without diacritics."""
    return text.translate(UNACCENT)


def vintage_of(month: str) -> str:
    """The circular whose book was in use in a month."""
    return next(name for name, before in VINTAGES.items() if month < before)


def register_lines(world: World, batch: Batch, deaths: pd.DataFrame, planted: Planted) -> pd.DataFrame:
    """One line per registered death.

    Columns: line_id, death_row (row of `deaths`), unit_id, district_id, registered_day, code (as the book
    has it), full_name, sex ("male"/"female"), birth_style, birth_text, ethnic_group, occupation, address,
    death_day, death_style, death_text, place_of_death, cause_text, icd10, maternal_death,
    care_before_death, note, id_number, insurance_number, death_time, source_list, signed_by.
    """
    rng = world.rng("register", batch.name)
    vintage = vintage_of(batch.first_month)
    known = deaths[deaths["registered"]]
    sex, day = known["sex"].to_numpy(), known["death_day"].to_numpy()
    line_id = np.arange(len(known))
    code = _codes_in_book(rng, known, line_id, planted)
    birth_style = _habit(rng, known["unit_id"], BIRTH_SHARE[vintage])
    death_style = _habit(rng, known["unit_id"], DEATH_SHARE)
    lines = pd.DataFrame(
        {
            "line_id": line_id,
            "death_row": known.index.to_numpy(),
            "unit_id": known["unit_id"].to_numpy(),
            "district_id": known["district_id"].to_numpy(),
            "registered_day": known["registered_day"].to_numpy(),
            "code": code,
            "full_name": people.draw_names(rng, sex),
            "sex": np.where(sex == 0, "male", "female").astype(object),
            "birth_style": np.array(BIRTH_STYLES, object)[birth_style],
            "birth_text": birth_texts(known, birth_style, rng),
            "ethnic_group": people.draw_ethnic_groups(rng, batch.province, known["remoteness"].to_numpy()),
            "occupation": _occupations(rng, known["age_years"].to_numpy()),
            "address": people.draw_addresses(rng, batch.province, len(known)),
            "death_day": day,
            "death_style": np.array(DEATH_STYLES, object)[death_style],
            "death_text": death_texts(day, death_style),
        }
    )
    lines["cause_text"] = cause_texts(rng, code, _regions(batch, known))
    lines["icd10"] = _icd10_texts(rng, code)
    lines["maternal_death"] = np.where(known["cause"] == "maternal", "x", "").astype(object)
    lines["place_of_death"], lines["care_before_death"] = _places(rng, known)
    lines["note"] = _notes(known, lines, planted)
    if vintage == "tt23_2025":
        lines["id_number"] = people.draw_id_numbers(rng, sex, known["birth_day"].to_numpy(), batch.province)
        lines["insurance_number"] = people.draw_insurance_numbers(rng, len(known))
    else:
        lines["id_number"] = lines["insurance_number"] = ""
    return _with_columns_of_2025(world, batch, lines)


def _with_columns_of_2025(world: World, batch: Batch, lines: pd.DataFrame) -> pd.DataFrame:
    """death_time, source_list and signed_by (two clerks per commune); blank in the books before 2025-07."""
    if vintage_of(batch.first_month) != "tt23_2025":
        return lines.assign(death_time="", source_list="", signed_by="")
    rng = world.rng("register_2025", batch.name)
    count = len(lines)
    hour, minute, style = rng.integers(0, 24, count), 5 * rng.integers(0, 12, count), rng.integers(0, 3, count)
    forms = ("{0:02d}:{1:02d}", "{0}h{1:02d}", "{0} giờ {1:02d}")
    time = [forms[s].format(h, m) for s, h, m in zip(style.tolist(), hour.tolist(), minute.tolist(), strict=True)]
    unit, names = pd.factorize(lines["unit_id"])
    clerks = people.draw_names(rng, np.tile([0, 1], len(names)))
    return lines.assign(
        death_time=np.where(rng.random(count) < TIME_KNOWN, np.array(time, object), ""),
        source_list=people.draw_words(rng, "source_list", count),
        signed_by=clerks[2 * unit + (rng.random(count) < 0.3)],
    )


def _habit(rng: np.random.Generator, unit: pd.Series, share: tuple[float, ...]) -> np.ndarray:
    """A style per line: every book has its own, some lines differ."""
    number, names = pd.factorize(unit)
    own = rng.choice(len(share), len(names), p=share)
    other = rng.choice(len(share), len(unit), p=share)
    return np.where(rng.random(len(unit)) < max(UNUSUAL, 0.4 if len(share) == 3 else 0), other, own[number])


def _codes_in_book(rng: np.random.Generator, known: pd.DataFrame, line_id: np.ndarray, planted: Planted) -> np.ndarray:
    """The code the station would give: the true one, or one that lost the cause (F8)."""
    codes = cause_codes()
    true, age = known["code"].to_numpy(), known["age_years"].to_numpy()
    cause = known["cause"].to_numpy()
    injury = np.isin(cause, INJURIES)
    spared = np.isin(cause, ("maternal", "covid", "perinatal", "congenital"))
    shown = true.copy()
    share = np.select([age >= start for start, _ in OLD_AGE], [s for _, s in OLD_AGE], 0.04)
    ill_defined = (rng.random(len(true)) < share) & ~injury & ~spared
    by_age = np.where(rng.random(len(true)) < np.where(age >= 70, 0.85, 0.45), "R54", "R99")
    name = np.where(age < 50, np.where(rng.random(len(true)) < 0.4, "R96.0", "R99"), by_age)
    name = np.where(age < 1, "R95", name)
    number = {code: position for position, code in enumerate(codes.code)}
    ill = np.array([_number(number, code) for code in ("R54", "R99", "R96.0", "R95")])
    place = pd.Index(["R54", "R99", "R96.0", "R95"]).get_indexer(name)
    shown = np.where(ill_defined, ill[place], shown)
    other = ~ill_defined & ~spared & (rng.random(len(true)) < np.where(injury, 0.08, GARBAGE_SHARE))
    shown[other] = _garbage(rng, cause[other], injury[other], number)
    changed = shown != true
    planted.add("F8", "cause_text", line_id[changed], codes.code[true[changed]], codes.code[shown[changed]])
    return shown


def _garbage(rng: np.random.Generator, cause: np.ndarray, injury: np.ndarray, number: dict[str, int]) -> np.ndarray:
    kinds = pd.Series(cause).map(
        lambda name: (
            "cancer"
            if name.endswith("cancer") or name in ("leukaemia", "lymphoma")
            else KIND_OF_CAUSE.get(name, "other")
        )
    )
    luck = rng.random(len(cause))
    chosen = np.zeros(len(cause), np.int64)
    for kind, options in GARBAGE_OF.items():
        rows = np.flatnonzero((kinds == kind).to_numpy() & ~injury)
        table = np.array([_number(number, code) for code in options])
        chosen[rows] = table[(luck[rows] * len(table)).astype(int)]
    table = np.array([_number(number, "X59"), _number(number, "Y34"), _number(number, "X59")])
    chosen[injury] = table[(luck[injury] * 3).astype(int)]
    return chosen


def _number(number: dict[str, int], code: str) -> int:
    """A code's number; another subcategory of its category where the list holds only that."""
    if code in number:
        return number[code]
    return next(position for name, position in number.items() if name.startswith(code[:3]))


def birth_texts(known: pd.DataFrame, style: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Birth date, birth year or age, as written; below one year the age is in months, days or hours."""
    birth, days, years = (known[name].to_numpy() for name in ("birth_day", "age_days", "age_years"))
    with_word = rng.random(len(known)) < 0.3
    age = np.array(
        [
            f"{y} tuổi"
            if word and y
            else str(y)
            if y
            else f"{d // 30} tháng"
            if d >= 30
            else f"{d} ngày"
            if d
            else "8 giờ"
            for d, y, word in zip(days.tolist(), years.tolist(), with_word.tolist())
        ],
        object,
    )
    return np.select([style == 0, style == 1], [dates.as_text(birth), dates.as_text(birth, "year")], age)


def death_texts(day: np.ndarray, style: np.ndarray) -> np.ndarray:
    """The date of death in the style of each line (Excel dates read dd/mm/yyyy)."""
    looks = [dates.as_text(day, "short"), dates.as_text(day, "dots")]
    return np.select([style == 1, style == 2], looks, dates.as_text(day))


def cause_texts(rng: np.random.Generator, code: np.ndarray, region: np.ndarray) -> np.ndarray:
    """The cause in village words, with the habits of writing on top (capitals, "do …", no diacritics)."""
    text = draw_expressions(rng, code, region)
    habit = rng.choice(7, len(code), p=(0.22, 0.54, 0.05, 0.05, 0.04, 0.05, 0.05))
    return np.array([_as_written(*pair) for pair in zip(text.tolist(), habit.tolist())], object)


def _as_written(text: str, habit: int) -> str:
    if not text or habit == 0:
        return text
    if habit == 2:
        return text.upper()
    if habit == 3:
        return f"Do {text}"
    if habit == 4:
        return unaccented(text)
    if habit == 5:
        return f"{text[0].upper()}{text[1:]}."
    if habit == 6 and not text.startswith(("bị ", "chết", "mất", "tự ")):
        return f"Chết do {text}"
    return text[0].upper() + text[1:]


def _regions(batch: Batch, known: pd.DataFrame) -> np.ndarray:
    south = REGIONS.index("south") if batch.province >= people.SOUTH_FROM else REGIONS.index("north")
    return np.where(known["remoteness"].to_numpy() > 0.75, REGIONS.index("highland"), south)


def _icd10_texts(rng: np.random.Generator, code: np.ndarray) -> np.ndarray:
    """Three characters as many stations write it, or the full code."""
    full = cause_codes().code[code]
    short = np.array([text[:3] for text in full], object)
    return np.where(rng.random(len(code)) < 0.6, short, full)


def _occupations(rng: np.random.Generator, age: np.ndarray) -> np.ndarray:
    drawn = people.draw_words(rng, "occupation", len(age))
    drawn = np.where((age < 55) & np.isin(drawn, OLD_PEOPLES_WORK), "Làm nông", drawn)
    return np.select([age < 6, age < 18], ["Trẻ em", "Học sinh"], drawn)


def _places(rng: np.random.Generator, known: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    count = len(known)
    injury = known["cause"].isin(INJURIES).to_numpy()
    luck = rng.random(count) + np.where(injury, 0.25, 0)
    place = np.select([luck < HOME_SHARE, luck < 0.95], ["Tại nhà", "Bệnh viện"], "Nơi khác").astype(object)
    varied = rng.random(count)
    place = np.where((place == "Tại nhà") & (varied < 0.3), "nhà", place)
    place = np.where((place == "Bệnh viện") & (varied < 0.4), "CSYT", place)
    care = np.select(
        [place == "Bệnh viện", place == "CSYT", rng.random(count) < 0.45],
        ["Có (BV huyện)", "Có", "Có"],
        "Không",
    ).astype(object)
    return place, np.where(rng.random(count) < 0.1, "", care)


def _notes(known: pd.DataFrame, lines: pd.DataFrame, planted: Planted) -> np.ndarray:
    """Work accidents, taken home dying, and late notifications with their day (F11)."""
    lag = known["registered_day"].to_numpy() - known["death_day"].to_numpy()
    late = lag > 30
    day = dates.as_text(known["registered_day"].to_numpy())
    note = np.where(known["work_accident"], "TNLĐ", "").astype(object)
    note = np.where(late, np.array([f"Khai muộn, ghi sổ ngày {text}" for text in day], object), note)
    both = late & known["work_accident"].to_numpy()
    note = np.where(both, "TNLĐ; " + note, note)
    when = dates.as_text(known["death_day"].to_numpy(), "iso")
    planted.add("F11", "note", lines["line_id"].to_numpy()[late], when[late], note[late])
    return note
