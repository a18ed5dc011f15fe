"""Defects of single death records planted in register lines (kinds V_… of defect_kinds), after F1-F11.

A line gets at most one of them, and only where nothing else was planted in the line that the same check could mean:
no defect overwrites another. Lines that stand twice (F1, F2) are left alone, so that copies stay what the truth says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mortality.practice import dates
from mortality.practice.id_defects import ID_KINDS, wrong_number
from mortality.practice.register import Planted
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.practice.rates import PROFILES
from tkyt_analysis.practice.world import World

RECORD_SHARE = {  # share of all lines, light profile; own choice, the order of F10 (quality.md section 7)
    "V_id_length": 0.003,
    "V_id_province": 0.002,
    "V_id_sex": 0.003,
    "V_id_year": 0.003,
    "V_id_shared": 0.002,
    "V_id_placeholder": 0.003,
    "V_name_placeholder": 0.002,
    "V_stillbirth": 0.001,
    "V_hiv_words": 0.002,
    "V_occupation_age": 0.001,
    "V_death_time": 0.003,
    "V_never_underlying": 0.003,
    "V_unlikely_cause": 0.002,
    "V_asterisk": 0.003,
    "V_code_u072": 0.001,
}
HARMLESS = ("F6", "F8", "F11")  # habits rather than spoilt values: a line with one of them may carry a V_ defect
TET_COMMUNES, TET_WINDOW = 0.03, 20  # share of communes that write one day for all deaths around Tết; days each side
HIV_CODES = ("B20", "B21", "B22", "B23", "B24")
COLUMN_OF = {"birth": "birth_text", "death_date": "death_text"}


@dataclass
class LinePlanter:
    """Plants in `lines` (in place), one defect per line at most."""

    rng: np.random.Generator
    lines: pd.DataFrame
    planted: Planted
    factor: float
    free: np.ndarray

    def choose(self, share: float, may: np.ndarray) -> np.ndarray:
        """Rows among `may` that are still free: about `share` of all lines, at least one where there is one."""
        candidates = np.flatnonzero(may & self.free)
        if not len(candidates):
            return candidates
        wanted = min(1.0, share * self.factor * len(self.lines) / len(candidates))
        chosen = candidates[self.rng.random(len(candidates)) < wanted]
        chosen = chosen if len(chosen) else self.rng.choice(candidates, 1)
        self.free[chosen] = False
        return chosen

    def write(self, kind: str, element: str, rows: np.ndarray, shown: np.ndarray) -> None:
        """Put the values in and note each of them."""
        column = COLUMN_OF.get(element, element)
        values = self.lines[column].to_numpy(object).copy()
        self.planted.add(kind, element, self.lines["line_id"].to_numpy()[rows], values[rows], shown)
        values[rows] = shown
        self.lines[column] = values


def plant_record_defects(
    world: World, name: str, lines: pd.DataFrame, deaths: pd.DataFrame, planted: Planted
) -> pd.DataFrame:
    """The lines (as plant_defects leaves them) with V_ defects; each one is noted in `planted`."""
    lines = lines.copy()
    known = deaths.loc[lines["death_row"]].reset_index(drop=True)
    planter = LinePlanter(
        world.rng("record_defects", name), lines, planted, PROFILES[world.profile], _free_lines(lines, planted)
    )
    _tet(planter)
    for plant in (_numbers, _names, _few_days_old, _occupations, _words_on_hiv, _times, _codes):
        plant(planter, known)
    return planter.lines


def _free_lines(lines: pd.DataFrame, planted: Planted) -> np.ndarray:
    spoilt = planted.rows()
    spoilt = spoilt.loc[~spoilt["kind"].isin(HARMLESS), "line_id"]
    doubled = lines.loc[lines["duplicate_of"] >= 0, "duplicate_of"]
    own = lines["line_id"]
    return (~own.isin(spoilt) & ~own.isin(doubled) & (lines["duplicate_of"] < 0)).to_numpy().copy()


def _texts(kind: str) -> pd.DataFrame:
    return read_codelist("practice_defect_words").query("kind == @kind").reset_index(drop=True)


def _numbers(planter: LinePlanter, known: pd.DataFrame) -> None:
    """ID numbers that cannot be right, or that are somebody else's."""
    number = planter.lines["id_number"].to_numpy(object)
    style = planter.lines["birth_style"].to_numpy(object)
    whole = number != ""
    for kind in ID_KINDS:
        may = whole & (np.isin(style, ["date", "year"]) if kind == "V_id_year" else whole)
        may &= planter.lines["sex"].to_numpy(object) != "" if kind == "V_id_sex" else whole
        if not may.any():
            continue
        rows = planter.choose(RECORD_SHARE[kind], may)
        if kind == "V_id_shared":
            _shared(planter, rows)
        else:
            shown = [wrong_number(planter.rng, kind, text) for text in number[rows]]
            planter.write(kind, "id_number", rows, np.array(shown, object))


def _shared(planter: LinePlanter, rows: np.ndarray) -> None:
    """The number of the line before or after in the same book; both lines bear the kind."""
    number, unit = (planter.lines[name].to_numpy(object) for name in ("id_number", "unit_id"))
    name = planter.lines["full_name"].to_numpy(object)
    for row in rows.tolist():
        others = np.flatnonzero(planter.free & (unit == unit[row]) & (number != "") & (name != name[row]))
        if not len(others):
            continue
        other = int(others[np.abs(others - row).argmin()])
        planter.free[other] = False
        planter.write("V_id_shared", "id_number", np.array([row]), np.array([number[other]], object))
        planter.write("V_id_shared", "id_number", np.array([other]), np.array([number[other]], object))


def _names(planter: LinePlanter, known: pd.DataFrame) -> None:
    """A word in place of the name."""
    rows = planter.choose(RECORD_SHARE["V_name_placeholder"], (known["age_years"] >= 1).to_numpy())
    texts = _texts("V_name_placeholder")["text"].to_numpy(object)
    planter.write("V_name_placeholder", "full_name", rows, planter.rng.choice(texts, len(rows)))


def _few_days_old(planter: LinePlanter, known: pd.DataFrame) -> None:
    """A stillbirth, which does not belong in the book: words and code instead of the newborn's cause."""
    rows = planter.choose(RECORD_SHARE["V_stillbirth"], (known["age_days"] < 28).to_numpy())
    _cause(planter, "V_stillbirth", rows)


def _occupations(planter: LinePlanter, known: pd.DataFrame) -> None:
    rows = planter.choose(RECORD_SHARE["V_occupation_age"], (known["age_years"] < 10).to_numpy())
    texts = _texts("V_occupation_age")["text"].to_numpy(object)
    planter.write("V_occupation_age", "occupation", rows, planter.rng.choice(texts, len(rows)))


def _words_on_hiv(planter: LinePlanter, known: pd.DataFrame) -> None:
    """HIV named in the note of a death of another cause; deaths of HIV are noted too: the words are there."""
    icd10 = planter.lines["icd10"].to_numpy(object)
    by_cause = np.array([text[:3].upper() in HIV_CODES for text in icd10]) & planter.free
    natural = np.flatnonzero(by_cause)
    planter.free[natural] = False
    planter.write("V_hiv_words", "icd10", natural, icd10[natural])
    empty = (planter.lines["note"] == "").to_numpy()
    rows = planter.choose(RECORD_SHARE["V_hiv_words"], empty & (known["age_years"] >= 15).to_numpy())
    texts = _texts("V_hiv_words")["text"].to_numpy(object)
    planter.write("V_hiv_words", "note", rows, planter.rng.choice(texts, len(rows)))


def _times(planter: LinePlanter, known: pd.DataFrame) -> None:
    rows = planter.choose(RECORD_SHARE["V_death_time"], (planter.lines["death_time"] != "").to_numpy())
    texts = _texts("V_death_time")["text"].to_numpy(object)
    planter.write("V_death_time", "death_time", rows, planter.rng.choice(texts, len(rows)))


def _codes(planter: LinePlanter, known: pd.DataFrame) -> None:
    """Codes that no underlying cause can have, or that hardly kill; adults only, so that age explains none of them."""
    for kind in ("V_never_underlying", "V_unlikely_cause", "V_asterisk", "V_code_u072"):
        _cause(planter, kind, planter.choose(RECORD_SHARE[kind], (known["age_years"] >= 20).to_numpy()))


def _cause(planter: LinePlanter, kind: str, rows: np.ndarray) -> None:
    """Words and code of the kind; the code is what is noted."""
    words = _texts(kind)
    chosen = planter.rng.integers(0, len(words), len(rows))
    text = planter.lines["cause_text"].to_numpy(object).copy()
    text[rows] = words["text"].to_numpy(object)[chosen]
    planter.lines["cause_text"] = text
    planter.write(kind, "icd10", rows, words["icd10"].to_numpy(object)[chosen])


def _tet(planter: LinePlanter) -> None:
    """Some communes write the first day of Tết for all deaths of the weeks around it."""
    day, unit = planter.lines["death_day"].to_numpy(), planter.lines["unit_id"].to_numpy(object)
    tet = dates.tet_days()[np.searchsorted(dates.tet_days(), day - TET_WINDOW)]
    near = (np.abs(day - tet) <= TET_WINDOW) & (day != tet) & planter.free
    inside = pd.Series(unit[near]).value_counts()
    several = np.array(sorted(inside.index[inside >= 2]), object)
    if not len(several):
        return
    luck = planter.rng.random(len(several))
    chosen = several[luck < TET_COMMUNES * planter.factor]
    chosen = chosen if len(chosen) else several[[int(luck.argmin())]]
    rows = np.flatnonzero(near & np.isin(unit, chosen))
    planter.write("V_tet_heaping", "death_date", rows, dates.as_text(tet[rows]))
    planter.free[rows] = False
    style = planter.lines["death_style"].to_numpy(object).copy()
    style[rows] = "padded"
    planter.lines["death_style"] = style
