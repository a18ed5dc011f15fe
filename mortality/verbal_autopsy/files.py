"""Interviews from a file: an ODK export of the WHO questionnaire, or a table of indicators (ID, i004a …)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mortality.documents.verbal_autopsy import BLOCK, FEWEST_QUESTIONS, answer_columns, question_of
from mortality.verbal_autopsy.answers import MISSING
from mortality.verbal_autopsy.consistency import ANSWERS
from mortality.verbal_autopsy.indicators import (
    Indicators,
    find_edition,
    indicator_names,
    indicators_from_answers,
    join_indicators,
)
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.labels import label

KEYS = ("instanceid", "key")
FEWEST_INDICATORS = 10
PRESETS = {"hiv": "Id10002", "malaria": "Id10003"}
LEVEL_WORDS = {"high": "h", "low": "l", "veryl": "v", "very_low": "v", "very low": "v", "verylow": "v"}


def read_interviews(path: Path, *, edition: str | None = None) -> tuple[Indicators, dict[str, set[str]]]:
    """The indicators of a file, and the levels {"hiv": {"h", …}, "malaria": …} that its interviews name.

    Raises InputError for a file that is neither kind of table, with broken records, or without a record.
    """
    from tkyt_analysis.ingest.byte_streams import read_head
    from tkyt_analysis.ingest.csv_records import find_layout, read_records
    from tkyt_analysis.ingest.safe_open import open_utf8

    file = _received(path)
    layout = find_layout(read_head(file), _score)
    if layout is None:
        raise InputError("error.verbal_autopsy_table", file=path, count=FEWEST_QUESTIONS)
    header = list(layout.header)
    as_indicators = _indicator_columns(header)
    blocks: list[Indicators] = []
    levels: dict[str, set[str]] = {name: set() for name in PRESETS}
    with open_utf8(file) as stream:
        for records in read_records(stream, layout, block_size=BLOCK):
            if records.broken:
                one = records.broken[0]
                raise InputError(
                    "error.verbal_autopsy_broken", file=path, row=one.row_number, count=len(records.broken)
                )
            frame = records.table.to_pandas().set_index("row_number").sort_index().astype("str")
            if frame.empty:
                continue
            frame.columns = pd.RangeIndex(len(header))
            if as_indicators:
                blocks.append(_from_indicators(frame, header, as_indicators, path))
            else:
                blocks.append(_from_answers(frame, header, levels, edition))
    if not blocks:
        raise InputError("error.verbal_autopsy_no_rows", file=path)
    return join_indicators(blocks), levels


def levels_named(answers: pd.DataFrame) -> dict[str, set[str]]:
    """How common deaths from HIV and malaria are at the place, as the interviews say: {"hiv": {"l"}, "malaria": {"v"}}."""
    levels: dict[str, set[str]] = {name: set() for name in PRESETS}
    for name, question in PRESETS.items():
        if question in answers:
            words = answers[question].str.strip().str.lower().unique()
            levels[name] = {LEVEL_WORDS[word] for word in words if word in LEVEL_WORDS}
    return levels


def _received(path: Path) -> ReceivedFile:
    if not path.is_file():
        raise InputError("error.verbal_autopsy_file", file=path, why=label("verbal_autopsy.no_such_file"))
    return ReceivedFile(path=path, name=path.name, sha256="", size=path.stat().st_size)


def _score(cells: list[str]) -> float:
    """How many columns are questions or indicators; 0 below the fewest of either."""
    questions = sum(1 for cell in cells if question_of(cell))
    indicators = len(_indicator_columns(cells))
    return float(max(questions, indicators))


def _indicator_columns(header: list[str]) -> dict[str, int]:
    """{indicator: position}; empty where too few columns are indicators for a table of them."""
    known = set(indicator_names())
    found = {name.strip().lower(): at for at, name in enumerate(header) if name.strip().lower() in known}
    return found if len(found) >= FEWEST_INDICATORS else {}


def _from_indicators(frame: pd.DataFrame, header: list[str], columns: dict[str, int], path: Path) -> Indicators:
    """A block of a table of indicators: y, n, or "." / "-" in each cell."""
    names = indicator_names()
    answers = np.full((len(frame), len(names)), MISSING, dtype=np.int8)
    for at, name in enumerate(names):
        if name not in columns:
            continue
        values = frame[columns[name]].str.strip().str.lower().map(ANSWERS)
        if values.isna().any():
            found = frame.loc[values.isna(), columns[name]].iloc[0]
            raise InputError("error.verbal_autopsy_answer", column=name, found=found)
        answers[:, at] = values.to_numpy(np.int8)
    ids = next((frame[at] for at, name in enumerate(header) if name.strip().lower() == "id"), None)
    ids = frame.index.to_series().astype("str") if ids is None else ids.str.strip()
    asked = np.array([name in columns for name in names])
    unread = pd.DataFrame(columns=["question", "value", "times"])
    return Indicators(ids.to_numpy(), answers, asked, unread, "2016")


def _from_answers(
    frame: pd.DataFrame, header: list[str], levels: dict[str, set[str]], edition: str | None
) -> Indicators:
    """A block of an export: columns by question, the submission's key as id (the line where there is none)."""
    columns = answer_columns(header)
    answers = frame[list(columns)].rename(columns=columns)
    answers.index = pd.Index(_keys(frame, header))
    for name, found in levels_named(answers).items():
        levels[name] |= found
    return indicators_from_answers(answers, edition=edition or find_edition(columns.values()))


def _keys(frame: pd.DataFrame, header: list[str]) -> np.ndarray:
    for wanted in KEYS:
        for at, name in enumerate(header):
            if name.strip().lower().endswith(wanted) and frame[at].ne("").all():
                return frame[at].to_numpy()
    return frame.index.astype("str").to_numpy()
