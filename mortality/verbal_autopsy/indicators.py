"""Answers of the WHO questionnaires (2016, 2022) → the 353 indicators of InterVA-5: yes, no, not known.

What makes an indicator stands in the code list `verbal_autopsy_indicators`, one row per question that can feed it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from mortality.verbal_autopsy.ages import FIELDS as AGE_FIELDS
from mortality.verbal_autopsy.ages import YEAR, AgeSpan, age_at_death
from mortality.verbal_autopsy.answers import MISSING, AnswerTable
from mortality.verbal_autopsy.quantities import amount, fields_of
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError

EDITIONS = ("2016", "2022")
# Questions that only the questionnaire of 2022 has.
ONLY_2022 = ("Id10482", "Id10483", "Id10484", "Id10485", "Id10486", "Id10077_a", "Id10304_a")
LETTERS = np.array([".", "n", "y"], dtype=object)  # of MISSING, 0, 1
AGE_KINDS = ("age", "woman")
FED, NOT_ASKED, NO_ANSWER = "fed", "not_asked", "no_answer"


@dataclass(frozen=True)
class Indicators:
    """
    ids : (interviews,) text; answers : (interviews, indicators) 1 yes, 0 no, -1 not known, columns as `indicator_names()`
    asked : (indicators,) whether the file has a column that could feed it; edition : "2016" or "2022"
    unread : question, value, times: what was written but is no answer of the question (counted as not known)
    """

    ids: np.ndarray
    answers: np.ndarray
    asked: np.ndarray
    unread: pd.DataFrame
    edition: str

    def table(self) -> pd.DataFrame:
        """ID and one column per indicator holding y, n or ".": what `interva` and the R programs read."""
        letters = pd.DataFrame(LETTERS[self.answers + 1], columns=list(indicator_names()))
        return pd.concat([pd.DataFrame({"ID": self.ids}), letters], axis=1)

    def coverage(self) -> pd.DataFrame:
        """indicator, questions, status (fed | not_asked | no_answer), known, yes: what the file could feed."""
        known, yes = (self.answers != MISSING).sum(axis=0), (self.answers == 1).sum(axis=0)
        status = np.select([~self.asked, known == 0], [NOT_ASKED, NO_ANSWER], FED)
        rows = _rules(self.edition)
        questions = [
            " ".join(dict.fromkeys(name for one in rules for name in _told_by(one))) for rules in rows.values()
        ]
        return pd.DataFrame(
            {"indicator": list(rows), "questions": questions, "status": status, "known": known, "yes": yes}
        )


@dataclass(frozen=True)
class Rule:
    """One row of the code list: see its head. `above`, `least`, `below` bound numbers; ages in days."""

    kind: str
    questions: tuple[str, ...]
    yes: frozenset[str]
    no: frozenset[str]
    above: float
    least: float
    below: float


def _told_by(rule: Rule) -> tuple[str, ...]:
    return (*rule.questions, "age") if rule.kind in AGE_KINDS else rule.questions


@cache
def indicator_names() -> tuple[str, ...]:
    """The indicators in the order of the probability base."""
    return tuple(dict.fromkeys(read_codelist("verbal_autopsy_indicators")["indicator"]))


@cache
def _rules(edition: str) -> dict[str, tuple[Rule, ...]]:
    rows = read_codelist("verbal_autopsy_indicators")
    rules: dict[str, tuple[Rule, ...]] = dict.fromkeys(indicator_names(), ())
    for row in rows[rows["edition"].isin(["", edition])].to_dict("records"):
        rules[row["indicator"]] += (_rule(row),)
    return rules


def _rule(row: dict[str, str]) -> Rule:
    scale = YEAR if row["unit"] == "years" and row["kind"] in AGE_KINDS else 1.0
    above, least, below = (
        float(row[name]) * scale if row[name] else empty
        for name, empty in (("above", -np.inf), ("from", -np.inf), ("below", np.inf))
    )
    names = tuple(row["questions"].split(";")) if row["questions"] else ()
    return Rule(
        row["kind"], names, _names(row["yes"]), _names(row["no"]),
        above, least, below,
    )  # fmt: skip


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split(";")) if text else frozenset()


def find_edition(questions: Iterable[str]) -> str:
    """ "2022" where a question stands that only that questionnaire has, else "2016"."""
    names = {name.lower() for name in questions}
    return "2022" if any(name.lower() in names for name in ONLY_2022) else "2016"


def indicators_from_answers(answers: pd.DataFrame, *, edition: str | None = None) -> Indicators:
    """The indicators of each interview.

    answers : one row per interview; columns named by question (Id10148_b) and by calculated field (ageInDays), as an ODK
        export without its groups; the index names the interviews. Case of the names does not matter.
    edition : "2016" or "2022"; None finds it by the questions
    Raises InputError for another edition.
    """
    edition = edition or find_edition(map(str, answers.columns))
    if edition not in EDITIONS:
        raise InputError("error.verbal_autopsy_edition", found=edition, expected=", ".join(EDITIONS))
    table = AnswerTable(answers)
    age = age_at_death(table)
    rules = _rules(edition)
    result = np.full((len(answers), len(rules)), MISSING, dtype=np.int8)
    asked = np.zeros(len(rules), dtype=bool)
    for at, alternatives in enumerate(rules.values()):
        for rule in alternatives:
            if not any(table.asked(name) for name in _fields_read(rule)):
                continue
            asked[at] = True
            found = _judge(table, rule, age)
            result[:, at] = np.where(result[:, at] == MISSING, found, result[:, at])
    unread = pd.DataFrame(
        [(question, value, times) for (question, value), times in sorted(_unread(table, rules).items())],
        columns=["question", "value", "times"],
    )
    return Indicators(answers.index.astype("str").to_numpy(), result, asked, unread, edition)


def _unread(table: AnswerTable, rules: dict[str, tuple[Rule, ...]]) -> dict[tuple[str, str], int]:
    """Values that no rule of their question reads: one question may be yes/no in one rule and a choice in another."""
    readable: dict[str, set[str]] = {}
    for rule in sum(rules.values(), ()):
        for question in rule.questions:
            readable.setdefault(question, set()).update(rule.yes | rule.no)
    return {(q, value): times for (q, value), times in table.unread.items() if value not in readable.get(q, set())}


def _fields_read(rule: Rule) -> list[str]:
    if rule.kind == "number":
        return [field for question in rule.questions for field in fields_of(question)]
    return [*rule.questions, *(AGE_FIELDS if rule.kind in AGE_KINDS else ())]


def _judge(table: AnswerTable, rule: Rule, age: AgeSpan) -> np.ndarray:
    """1, 0 or -1 for each interview."""
    if rule.kind == "yes":
        return table.yes_no(rule.questions[0])
    if rule.kind == "any":
        parts = np.stack([table.yes_no(question) for question in rule.questions])
        return np.select([(parts == 1).any(axis=0), (parts == 0).all(axis=0)], [1, 0], MISSING).astype(np.int8)
    if rule.kind == "choice":
        return table.choice(rule.questions[0], rule.yes, rule.no)
    if rule.kind == "selected":
        return table.selected(rule.questions[0], rule.yes, rule.no)
    if rule.kind == "number":
        return _bounded(amount(table, rule.questions[0]), rule)
    found = age.within(rule.least, rule.below)
    if rule.kind == "age":
        return found
    female = table.choice("Id10019", frozenset(("female",)), frozenset(("male", "undetermined")))
    return np.select([(female == 1) & (found == 1), (female == 0) | (found == 0)], [1, 0], MISSING).astype(np.int8)


def _bounded(numbers: np.ndarray, rule: Rule) -> np.ndarray:
    inside = (numbers > rule.above) & (numbers >= rule.least) & (numbers < rule.below)
    return np.where(np.isnan(numbers), MISSING, inside).astype(np.int8)


def join_indicators(parts: list[Indicators]) -> Indicators:
    """The indicators of several blocks of one file as one."""
    unread = pd.concat([part.unread for part in parts])
    return Indicators(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.answers for part in parts]),
        np.any([part.asked for part in parts], axis=0),
        unread.groupby(["question", "value"], as_index=False)["times"].sum(),
        parts[0].edition,
    )
