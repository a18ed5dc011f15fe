"""Defects planted in lists of documents: chains of certificates, ID numbers of civil registration (kinds V_…)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mortality.practice.certificate_chain import document_words
from mortality.practice.id_defects import ID_KINDS, wrong_number

CERTIFICATE_SHARE = (
    0.03  # of certificates, each kind; half of all certificates err somewhere in most studies (own choice)
)
AT_MOST = 1 / 3  # of the rows that may have a kind: enough are left for the next one
NUMBER_SHARE = 0.006  # of numbers in civil registration, each kind
CHAIN_KINDS = (
    "V_external_top_alone", "V_external_without_nature", "V_manner", "V_part1_blank", "V_duplicate_code",
    "V_interval_upward", "V_three_characters",
)  # fmt: skip
INJURY_KINDS = CHAIN_KINDS[:2]
LINE = ("", "_icd10", "_interval")


@dataclass
class DocumentPlanter:
    """Rows of one list (changed in place by `put`) and what was planted: row, kind, element, true_value, shown_value."""

    rng: np.random.Generator
    rows: pd.DataFrame
    factor: float
    notes: list[tuple[int, str, str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.free = np.ones(len(self.rows), bool)

    def choose(self, share: float, may: np.ndarray) -> np.ndarray:
        """Rows among `may` without a defect so far: about `share` of all, at least one where there is one."""
        candidates = np.flatnonzero(may & self.free)
        if not len(candidates):
            return candidates
        wanted = min(AT_MOST, share * self.factor * len(self.rows) / len(candidates))
        chosen = candidates[self.rng.random(len(candidates)) < wanted]
        chosen = chosen if len(chosen) else self.rng.choice(candidates, 1)
        self.free[chosen] = False
        return chosen

    def put(self, row: int, **values: str) -> None:
        """Write values in columns of a row."""
        for name, value in values.items():
            self.rows.loc[row, name] = value

    def note(self, row: int, kind: str, element: str, true: str, shown: str) -> None:
        """Remember one planted value."""
        self.notes.append((row, kind, element, true, shown))


def plant_chain_defects(rng: np.random.Generator, rows: pd.DataFrame, factor: float) -> DocumentPlanter:
    """Certificates (with_chain) with defects of CHAIN_KINDS; at most one on each."""
    planter = DocumentPlanter(rng, rows.reset_index(drop=True).copy(), factor)
    injury = planter.rows["injury"].to_numpy(bool)
    four = planter.rows["line_b_icd10"].str.match(r"[A-Z]\d\d\.\d").to_numpy(bool)
    blank_part2 = (planter.rows["part2"] == "").to_numpy()
    natural = ~injury & blank_part2
    of_kind = {
        **dict.fromkeys(INJURY_KINDS, injury),
        **dict.fromkeys(CHAIN_KINDS[3:], natural),
        "V_three_characters": natural & four,
    }
    for may in (injury, natural):  # half of each: a rule may know only one of them
        for row in planter.choose(CERTIFICATE_SHARE / 2, may).tolist():
            _spoil(planter, "V_manner", row)
    for kind, may in of_kind.items():
        for row in planter.choose(CERTIFICATE_SHARE, may).tolist():
            _spoil(planter, kind, row)
    return planter


def _spoil(planter: DocumentPlanter, kind: str, row: int) -> None:
    one, words = planter.rows.loc[row], document_words()
    blank_b, blank_c = ({f"line_{line}{part}": "" for part in LINE} for line in "bc")
    if kind == "V_external_top_alone":
        planter.put(row, line_a=one.line_c, line_a_icd10=one.line_c_icd10, line_a_interval="", **blank_b, **blank_c)
        planter.note(row, kind, "line_a_icd10", one.line_a_icd10, one.line_c_icd10)
    elif kind == "V_external_without_nature":
        planter.put(row, line_b=one.line_c, line_b_icd10=one.line_c_icd10, **blank_c)
        planter.note(row, kind, "line_b_icd10", one.line_b_icd10, one.line_c_icd10)
    elif kind == "V_manner":
        shown = words["disease"] if one.injury else words["accident"]
        planter.put(row, manner=shown)
        planter.note(row, kind, "manner", one.manner, shown)
    elif kind == "V_part1_blank":
        blank_a = {f"line_a{part}": "" for part in LINE}
        planter.put(row, part2=one.line_b, part2_icd10=one.line_b_icd10, **blank_a, **blank_b, **blank_c)
        planter.note(row, kind, "line_a", one.line_a, "")
    elif kind == "V_duplicate_code":
        planter.put(row, line_c=one.line_b, line_c_icd10=one.line_b_icd10, line_c_interval=one.line_b_interval)
        planter.note(row, kind, "line_c_icd10", "", one.line_b_icd10)
    elif kind == "V_interval_upward":
        long, short = words["years"].format(n=5), words["days"].format(n=2)
        planter.put(row, line_a_interval=long, line_b_interval=short)
        planter.note(row, kind, "line_a_interval", one.line_a_interval, long)
    else:
        planter.put(row, line_b_icd10=one.line_b_icd10[:3])
        planter.note(row, kind, "line_b_icd10", one.line_b_icd10, one.line_b_icd10[:3])


def plant_number_defects(rng: np.random.Generator, rows: pd.DataFrame, factor: float) -> DocumentPlanter:
    """Persons (as_another_office_writes) with wrong shown_id: ID_KINDS but the shared number."""
    planter = DocumentPlanter(rng, rows.reset_index(drop=True).copy(), factor)
    written = (planter.rows["shown_id"] != "").to_numpy()
    for kind in ID_KINDS:
        if kind == "V_id_shared":
            continue
        for row in planter.choose(NUMBER_SHARE, written).tolist():
            true = str(planter.rows.loc[row, "shown_id"])
            shown = wrong_number(rng, kind, true)
            planter.put(row, shown_id=shown)
            planter.note(row, kind, "id_number", true, shown)
    return planter
