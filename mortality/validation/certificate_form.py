"""How a certificate is filled: its lines, their order, intervals, injuries with their external cause and manner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mortality.validation.code_cells import FIELDS, LINES
from mortality.validation.person_values import DAYS_OF_UNIT, any_matches, any_words
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    from mortality.validation.certificate_edits import Block
    from mortality.validation.edit_findings import Gathered

INTERVALS = ("interval_a", "interval_b", "interval_c", "interval_d")
# An upper line may last a tenth longer than a lower one: "1 tháng" and "4 tuần" are the same to the writer.
SLACK = 1.1
# Folded words that say "suspected": nghi, nghi ngờ, suspected, probable, theo dõi, có thể.
SUSPECTED = r"\bnghi\b|\bnghi ngo\b|suspect|probable|\btheo doi\b|\bco the\b|\btd\b|\bchua (?:xac dinh|xet nghiem)\b"
INTENT_OF_MANNER = {
    "disease": "disease", "natural": "disease", "accident": "accident", "suicide": "suicide", "assault": "assault",
    "homicide": "assault", "legal_intervention": "legal_intervention", "war": "war", "undetermined": "undetermined",
}  # fmt: skip
FROM_OUTSIDE = ("accident", "suicide", "assault", "legal_intervention", "war")
_A, _D, _PART2 = 1, 4, 5  # positions in FIELDS


def require_code_columns(frame: pd.DataFrame) -> None:
    """Raises InputError where no column of codes is there."""
    if not set(FIELDS) & set(frame.columns):
        raise InputError("error.edit_columns", found=", ".join(map(str, frame.columns)), expected=", ".join(FIELDS))


def check_external_causes(block: Block, found: Gathered) -> None:
    """An injury needs its nature, its external cause and the manner; on line a alone the external cause explains nothing."""
    cells = block.cells
    external, injury, nature, line = cells.of("external"), cells.of("injury"), cells.of("nature"), cells.line
    lines = cells.anywhere(line >= _A)
    on_top = cells.anywhere(injury & (line == _A)) & ~cells.anywhere(~injury & (line == _A))
    alone = on_top & ~cells.anywhere(external & (line > _A) & (line <= _D))
    found.entries("EXT_ON_TOP", injury & (line == _A) & alone[cells.row])
    no_nature = cells.anywhere(injury & (line >= _A)) & ~cells.anywhere(nature) & ~alone
    found.entries("EXT_NO_NATURE", injury & (line >= _A) & no_nature[cells.row])
    unexplained = cells.anywhere(nature & (line >= _A)) & ~cells.anywhere(external) & lines
    found.entries("NATURE_NO_EXT", nature & (line >= _A) & unexplained[cells.row])


def check_manner(block: Block, found: Gathered) -> None:
    """The manner of death: there where the cause is external, the same as the code says, and a disease where no code says of an injury."""
    if "manner" not in block.frame:
        return
    cells, intent = block.cells, block.cells.of("intent")
    blank = ~any_words(block.frame, ("manner",))
    found.rows("EXT_NO_MANNER", cells.anywhere(cells.of("injury")) & blank, field="manner")
    number, distinct = pd.factorize(block.frame["manner"].astype(object))
    known = np.array([_intent(str(text)) for text in distinct] + [""], dtype=object)[number][cells.row]
    found.entries("MANNER", cells.underlying & (intent != "") & (known != "") & (intent != known))
    injured = cells.anywhere(cells.of("external") | cells.of("nature"))[cells.row]
    found.entries("MANNER_DISEASE", cells.underlying & cells.of("disease") & np.isin(known, FROM_OUTSIDE) & ~injured)


def _intent(text: str) -> str:
    from mortality.documents.words import read_option

    said = text.strip().lower()
    return INTENT_OF_MANNER.get(said) or INTENT_OF_MANNER.get(read_option("manner", text), "")


def check_parts(block: Block, found: Gathered) -> None:
    """Part I blank with part II filled, and one code on two lines."""
    cells, line = block.cells, block.cells.line
    first = cells.anywhere((line >= _A) & (line <= _D)) | any_words(
        block.frame, ("text_a", "text_b", "text_c", "text_d", *LINES[:4])
    )
    second = cells.anywhere(line == _PART2) | any_words(block.frame, ("text_part2", "part2"))
    if set(LINES[:4]) & set(block.frame):
        found.rows("PART1_BLANK", second & ~first, field="line_a")
    found.entries("CODE_TWICE", _repeated(cells.row, line, cells.of("code")))


def _repeated(row: np.ndarray, line: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Entries of a line whose code an earlier line of the same record has."""
    number, _ = pd.factorize(code)
    at = np.flatnonzero((line >= _A) & (code != ""))
    at = at[np.lexsort((line[at], number[at], row[at]))]
    new = (
        np.r_[True, (row[at][1:] != row[at][:-1]) | (number[at][1:] != number[at][:-1])] if at.size else at.astype(bool)
    )
    first = line[at][np.maximum.accumulate(np.where(new, np.arange(at.size), 0))] if at.size else line[at]
    chosen = np.zeros(row.size, dtype=bool)
    chosen[at] = line[at] > first
    return chosen


def check_intervals(block: Block, found: Gathered) -> None:
    """Each line is due to the one below: it cannot have lasted longer. Lines without a readable interval are passed over."""
    there = [name for name in INTERVALS if name in block.frame]
    if len(there) < 2:
        return
    below = np.full(len(block.frame), np.nan)
    shortest = {}
    for name in reversed(there):
        own = interval_days(block.frame[name])
        with np.errstate(invalid="ignore"):
            shortest[name] = (own, below, own > below * SLACK)
        below = np.fmin(below, own)
    for name in there:
        own, limit, longer = shortest[name]
        found.rows("INTERVAL", longer, field=f"line_{name[-1]}", value=own, upper=limit)


def interval_days(texts: pd.Series) -> np.ndarray:
    """Intervals in words as days, NaN where they are no single number; each distinct text is read once."""
    from mortality.documents.words import read_interval

    number, distinct = pd.factorize(texts.astype(object))
    read = [read_interval(str(text)) for text in distinct]
    days = [np.nan if value is None else value * DAYS_OF_UNIT[unit] for value, unit in read]
    return np.array([*days, np.nan])[number]


def check_suspected(block: Block, found: Gathered) -> None:
    """U07.2 is the suspected disease: where there are words, they say so."""
    from mortality.validation.certificate_edits import TEXTS

    said = any_words(block.frame, TEXTS) & ~any_matches(block.frame, TEXTS, SUSPECTED)
    found.entries("U072", (block.cells.of("code") == "U07.2") & said[block.cells.row])


CHECKS = (check_external_causes, check_manner, check_parts, check_intervals, check_suspected)
