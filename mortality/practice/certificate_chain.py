"""What a careful doctor writes on a practice certificate: chain of causes with intervals, part II, manner."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tkyt_analysis.catalog import read_codelist

INFANT_DAYS = 365
YOUNGEST_WITH_PRESSURE = 30 * INFANT_DAYS  # high blood pressure of the young is rare
# Nature of injury by external cause (ranges of three characters; first match wins): code, word of practice_document_headers.
NATURE = (
    ("W65", "W74", "T75.1", "drowned"), ("W75", "W84", "T71", "suffocated"), ("X70", "X70", "T71", "suffocated"),
    ("W85", "W87", "T75.4", "electrocuted"), ("X00", "X19", "T30.0", "burnt"), ("X20", "X29", "T63.9", "venom"),
    ("X33", "X33", "T75.0", "lightning"), ("X40", "X49", "T65.9", "poisoned"), ("X60", "X69", "T65.9", "poisoned"),
    ("X71", "X71", "T75.1", "drowned"),
)  # fmt: skip


def document_words() -> dict[str, str]:
    """The words of practice_document_headers by item."""
    rows = read_codelist("practice_document_headers").query("kind == 'words'")
    return dict(zip(rows["item"], rows["text"], strict=True))


def with_chain(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """Line a an immediate cause, below it the disease, or the injury and its external cause; intervals grow downward.

    `rows` as document_people.persons; added: line_a … line_c with _icd10 and _interval, part2, part2_icd10, manner, manner_box,
    sex_box.
    """
    words = document_words()
    injury = rows["injury"].to_numpy(bool)
    breath = rng.random(len(rows)) < 0.6
    pressure = (rng.random(len(rows)) < 0.25) & ~injury & ~rows["code"].str.startswith(("I1", "P", "Q")).to_numpy()
    pressure &= ((rows["death_day"] - rows["birth_day"]) >= YOUNGEST_WITH_PRESSURE).to_numpy()
    first, second = _intervals(rng, rows, injury, words)
    nature = [_nature(code) for code in rows["code"]]
    nature_text = np.array([words[word] for _, word in nature], object)
    diagnosis, code = rows["diagnosis"].to_numpy(object), rows["code"].to_numpy(object)
    manner = np.array([_manner(text) if hurt else "disease" for text, hurt in zip(code, injury, strict=True)], object)
    return rows.assign(
        line_a=np.where(breath, words["respiratory_failure"], words["shock"]),
        line_a_icd10=np.where(breath, "J96.0", "R57.9"),
        line_a_interval=first,
        line_b=np.where(injury, nature_text, diagnosis),
        line_b_icd10=np.where(injury, [text for text, _ in nature], code),
        line_b_interval=second,
        line_c=np.where(injury, diagnosis, ""),
        line_c_icd10=np.where(injury, code, ""),
        line_c_interval=np.where(injury, second, ""),
        part2=np.where(pressure, words["hypertension"], ""),
        part2_icd10=np.where(pressure, "I10", ""),
        manner=[words[name] for name in manner],
        manner_box=[words[f"{name}_box"] for name in manner],
        sex_box=np.where(rows["sex"] == "male", words["male_box"], words["female_box"]),
    )


def _intervals(
    rng: np.random.Generator, rows: pd.DataFrame, injury: np.ndarray, words: dict[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """Onset to death of line a and of the line below: minutes and hours for injuries and infants, else hours and more."""
    count = len(rows)
    soon = injury | ((rows["death_day"] - rows["birth_day"]).to_numpy() < INFANT_DAYS)
    unit = rng.choice(["days", "months", "years"], count, p=(0.5, 0.3, 0.2))
    few, many = rng.integers(1, 24, count), rng.integers(1, 15, count)
    first = [words["minutes" if s else "hours"].format(n=n) for s, n in zip(soon, few, strict=True)]
    second = [words["hours" if s else u].format(n=n) for s, u, n in zip(soon, unit, many, strict=True)]
    return np.array(first, object), np.array(second, object)


def _nature(code: str) -> tuple[str, str]:
    found = ((nature, word) for low, high, nature, word in NATURE if low <= code[:3] <= high)
    return next(found, ("S06.9", "head_injury"))


def _manner(code: str) -> str:
    """accident, suicide or assault by the external cause."""
    return "suicide" if "X60" <= code[:3] <= "X84" else "assault" if "X85" <= code[:3] <= "Y09" else "accident"
