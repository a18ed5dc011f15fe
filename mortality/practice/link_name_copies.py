"""How one office writes the name of a person: spelling, parts and order, look; `factor` multiplies the shares."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.practice import dates
from mortality.practice.link_names import draw_link_words
from mortality.practice.link_spelling import PLAIN, WITH_LUCK

# Shares of records, "mixed"; own choice. One change of each group at most, so a record may have three.
SHAPE = {"no_middle": 0.02, "given_first": 0.006, "reversed": 0.002, "initials": 0.003, "middle_initial": 0.006,
         "short_family": 0.012, "title": 0.03, "nickname": 0.01, "husband": 0.002, "other_middle": 0.01}  # fmt: skip
SPELLING = {"onset": 0.02, "final": 0.008, "tone": 0.02, "typo": 0.02}  # fmt: skip
WRITING = {"tone_place": 0.30, "i_y": 0.15, "d_stroke": 0.06}  # shows only in names that have such a syllable
LOOK = {"no_marks": 0.04, "nfd": 0.02, "telex": 0.004, "vni": 0.002, "small": 0.01, "spaces": 0.02, "run_together": 0.006}  # fmt: skip
CAPITALS = np.array([0.08, 0.6, 0.3, 0.85, 0.1])  # by list: a notice is written in capitals
TITLES = (("Ông", "Cụ ông", "Cụ", "Ô."), ("Bà", "Cụ bà", "Cụ", "B."))
YOUNG_TITLES, OLD_FROM = (("Anh", "Ông"), ("Chị", "Bà")), dates.day_number("1965-01-01")


def draw_kinds(rng: np.random.Generator, count: int, share: dict[str, float], factor: float) -> np.ndarray:
    """One of the names of `share` per row, or ""."""
    part = np.array(list(share.values())) * factor
    part = part / max(1.0, part.sum() / 0.8)
    return rng.choice(np.array([*share, ""], object), count, p=[*part, 1 - part.sum()])


def written_names(rng: np.random.Generator, own: pd.DataFrame, source: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """full_name: first the spelling, then the order and parts, then the look."""
    count = len(own)
    true = own["full_name"].to_numpy(object)
    spelling, shape = draw_kinds(rng, count, SPELLING, factor), draw_kinds(rng, count, SHAPE, factor)
    look = draw_kinds(rng, count, LOOK, factor)
    capitals = (rng.random(count) < CAPITALS[source]) & np.isin(look, ["", "nfd", "spaces", "no_marks"])
    writing = draw_kinds(rng, count, WRITING, 1.0)
    written = _changed(rng, true, writing)
    spelt = _changed(rng, written, spelling)
    minority = _minority_forms(rng, spelt, own["group"].to_numpy(object), factor)
    shaped = _changed(rng, minority, np.where(np.isin(shape, list(PLAIN)), shape, ""))
    worded = _worded(rng, own, shaped, shape)
    upper = _changed(rng, worded, np.where(capitals, "capitals", ""))
    name = _changed(rng, upper, look)
    steps = (
        (writing, written != true),
        (spelling, spelt != written),
        (np.full(count, "minority", object), minority != spelt),
        (shape, worded != minority),
        (np.full(count, "capitals", object), upper != worded),
        (look, name != upper),
    )
    words = [np.where(changed, np.char.add("name_", kind.astype(str)), "") for kind, changed in steps]
    return name, np.array([" ".join(w for w in row if w) for row in zip(*words, strict=True)], object)


def _changed(rng: np.random.Generator, name: np.ndarray, kind: np.ndarray) -> np.ndarray:
    name, luck = name.copy(), rng.random(len(name))
    for word in np.unique(kind[kind != ""].astype(str)):
        rows = np.flatnonzero(kind == word)
        if word in PLAIN:
            name[rows] = [PLAIN[word](text) for text in name[rows]]
        elif word in WITH_LUCK:
            name[rows] = [WITH_LUCK[word](text, u) for text, u in zip(name[rows], luck[rows].tolist(), strict=True)]
    return name


def _minority_forms(rng: np.random.Generator, name: np.ndarray, group: np.ndarray, factor: float) -> np.ndarray:
    """H'Hen Niê as H’Hen, H Hen, Hơ Hen; Y Bhim as Y-Bhim, YBhim."""
    name, how = name.copy(), rng.integers(0, 4, len(name))
    rows = np.flatnonzero(np.isin(group, ["ede", "giarai"]) & (rng.random(len(name)) < 0.25 * factor))
    female, male = ("H’", "H ", "Hơ ", "H"), ("Y-", "Y", "Y ", "Y. ")
    for row in rows.tolist():
        text = name[row].replace("H'", female[how[row]])
        name[row] = male[how[row]] + text[2:] if text.startswith("Y ") else text
    return name


def _worded(rng: np.random.Generator, own: pd.DataFrame, name: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """A title in front, a nickname behind, the husband's name, another middle name."""
    name, count = name.copy(), len(name)
    sex, luck = own["sex"].to_numpy(), rng.integers(0, 1000, count)
    old = own["birth_day"].to_numpy() < OLD_FROM
    nickname, other = draw_link_words(rng, "nickname", count), draw_link_words(rng, "kinh_given_male_old", count)
    middle = draw_link_words(rng, "kinh_middle_male", count)
    for row in np.flatnonzero(np.isin(kind, ["title", "nickname", "husband", "other_middle"])).tolist():
        text, titles = name[row], (TITLES if old[row] else YOUNG_TITLES)[sex[row]]
        if kind[row] == "title":
            name[row] = f"{titles[luck[row] % len(titles)]} {text}"
        elif kind[row] == "nickname":
            name[row] = (f"{text} ({nickname[row]})", f"{text} - {nickname[row]} {text.split()[-1]}")[luck[row] % 2]
        elif kind[row] == "husband" and sex[row] == 1:
            name[row] = (f"Bà {other[row]}", f"{text} (vợ ông {other[row]})")[luck[row] % 2]
        elif kind[row] == "other_middle":
            name[row] = _other_middle(text, middle[row])
    return name


def _other_middle(name: str, middle: str) -> str:
    """Thị added or left out; a man's middle name another one."""
    words = name.split(" ")
    if len(words) == 2:
        return f"{words[0]} {middle or 'Văn'} {words[1]}"
    if "Thị" in words[1:-1]:
        return " ".join(word for word in words if word != "Thị")
    return " ".join([words[0], middle or "Văn", *words[2:]])
