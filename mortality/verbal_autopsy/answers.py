"""The answers of interviews as they were written, read as words, yes or no, and numbers; "don't know" is no answer.

In the WHO questionnaire "don't know" and "refused" are dk and ref, in fields of numbers 99 and 88 (999, 998 in wider
ones), in older forms 9 and 8 for closed questions. Taken for values they would make long illnesses (SmartVA issue 16).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

MISSING = -1
NOT_KNOWN = frozenset(
    ("", "dk", "ref", "doesnt_know", "dont_know", "don't_know", "refused", "nan", "na", "n/a", "none", ".", "-", "8", "9", "88", "99")
)  # fmt: skip
YES, NO = frozenset(("yes", "y", "true", "1")), frozenset(("no", "n", "false", "0"))
NO_NUMBER = frozenset((88.0, 99.0, 888.0, 998.0, 999.0, 8888.0, 9998.0, 9999.0))
NO_NUMBER_WORDS = NOT_KNOWN - {"8", "9"}


class AnswerTable:
    """Answers of interviews: one row per interview, columns named by question (Id10120_0) or calculated field (ageInDays).

    `unread` counts values that no question of its kind can have: (question, value) → times.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.unread: dict[tuple[str, str], int] = {}
        self._names = {str(name).lower(): name for name in frame.columns}
        self._words: dict[str, pd.Series] = {}
        self._numbers: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def asked(self, question: str) -> bool:
        """Whether the file has a column of the question."""
        return question.lower() in self._names

    def words(self, question: str) -> pd.Series:
        """Small letters, "_" for inner blanks where one choice is written in words; "" where the column is absent."""
        name = question.lower()
        if name not in self._words:
            texts = self._texts(name).str.lower()
            self._words[name] = texts.str.replace(r"\s+", "_", regex=True)
        return self._words[name]

    def _texts(self, name: str) -> pd.Series:
        if name not in self._names:
            return pd.Series("", index=self.frame.index, dtype="str")
        return self.frame[self._names[name]].fillna("").astype("str").str.strip()

    def yes_no(self, question: str) -> np.ndarray:
        """(interviews,) 1 yes, 0 no, -1 not known."""
        return self._closed(question, self.words(question), YES, NO)

    def choice(self, question: str, yes: frozenset[str], no: frozenset[str]) -> np.ndarray:
        """1 where the one choice taken is in `yes`, 0 where it is in `no`, else -1."""
        return self._closed(question, self.words(question), yes, no)

    def _closed(self, question: str, words: pd.Series, yes: frozenset[str], no: frozenset[str]) -> np.ndarray:
        result = np.select([words.isin(yes), words.isin(no)], [1, 0], MISSING).astype(np.int8)
        self._note(question, words[(result == MISSING) & ~words.isin(NOT_KNOWN)])
        return result

    def selected(self, question: str, yes: frozenset[str], no: frozenset[str]) -> np.ndarray:
        """1 where one of `yes` is ticked (several may be, blank between), 0 where only others of `no` are, else -1."""
        ticked = " " + self._texts(question.lower()).str.lower().str.replace(r"[\s,;|]+", " ", regex=True) + " "
        any_yes = np.zeros(len(self), dtype=bool)
        for one in yes:
            any_yes |= ticked.str.contains(f" {one} ", regex=False).to_numpy()
        known = ticked.str.split().map(lambda names: bool(names) and set(names) <= (yes | no)).to_numpy(dtype=bool)
        result = np.select([any_yes, known], [1, 0], MISSING).astype(np.int8)
        left = ticked.str.strip()
        self._note(question, left[(result == MISSING) & ~left.isin(NOT_KNOWN)])
        return result

    def number(self, question: str, *, factor: float = 1.0) -> np.ndarray:
        """(interviews,) the number, NaN where it is not known, below zero or a don't-know code (also times `factor`)."""
        name = question.lower()
        if name not in self._numbers:
            words = self.words(question)
            numbers = pd.to_numeric(words.str.replace(",", ".", regex=False), errors="coerce").to_numpy(float)
            self._note(question, words[(np.isnan(numbers) | (numbers < 0)) & ~words.isin(NO_NUMBER_WORDS)])
            self._numbers[name] = np.where(np.isinf(numbers) | (numbers < 0), np.nan, numbers)
        numbers = self._numbers[name]
        return np.where(np.isin(numbers, [code * factor for code in NO_NUMBER]), np.nan, numbers)

    def written(self, question: str) -> np.ndarray:
        """(interviews,) whether anything stands in the field."""
        result: np.ndarray = self._texts(question.lower()).ne("").to_numpy()
        return result

    def _note(self, question: str, values: pd.Series) -> None:
        for value, times in values.value_counts().items():
            self.unread.setdefault((question, str(value)), int(times))
