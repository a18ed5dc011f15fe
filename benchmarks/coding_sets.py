"""The sets that the coding of wordings is developed and measured on, and the dictionary with a part left out.

wordings    tests/data/village_wordings_r.csv, written blind for this project (alternatives count as right)
lay_terms   reference/vietnam/lay_terms_open.csv (TKYT_REFERENCE)
practice    data_catalog/codelists/practice_cause_wording.csv: the code that the drawn person died of, which the
            words do not always tell
left_out    entries of the lay dictionary, read with a dictionary that lacks them: wordings nobody entered
titles      GNU Health's Vietnamese titles against the ministry's (icd10_vi_dictionary.csv), where they differ
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd

from mortality.coding.dictionary import DictionaryEntry, LayDictionary, load_dictionary
from mortality.coding.library import Library, load_library, titles
from mortality.coding.normalise import accented_key, folded_key, standard_key
from mortality.coding.ranking import Ranked
from mortality.coding.routes import Person
from mortality.coding.suggest import ranked_candidates
from tkyt_analysis.catalog import read_codelist

REPOSITORY = Path(__file__).resolve().parents[1]
WORDINGS = REPOSITORY / "tests" / "data" / "village_wordings_r.csv"
FOLDS = 5
SEED = 20261123
_SEX = {"1": "male", "2": "female", "male": "male", "female": "female"}


@dataclass(frozen=True)
class Case:
    """One wording, the person, and the three-character categories that count as right."""

    name: str
    text: str
    person: Person
    right: frozenset[str]
    code: str


@dataclass(frozen=True)
class Answer:
    """A case with what the engine ranked."""

    case: Case
    ranked: list[Ranked]

    @property
    def correct(self) -> bool:
        return bool(self.ranked) and self.ranked[0].code[:3] in self.case.right

    @property
    def correct_at_four(self) -> bool:
        return bool(self.ranked) and self.ranked[0].code == self.case.code

    @property
    def among_five(self) -> bool:
        return bool({one.code[:3] for one in self.ranked[:5]} & self.case.right)


def reference(*parts: str) -> Path:
    """A file of the reference data beside the project."""
    root = Path(os.environ.get("TKYT_REFERENCE") or REPOSITORY.parent / "shared" / "reference")
    return root.joinpath(*parts)


def _case(name: str, text: str, code: str, sex: str = "", age: str = "", alternatives: str = "") -> Case:
    person = Person(_SEX.get(sex), float(age) if age else None)
    return Case(name, text, person, frozenset(one[:3] for one in [code, *alternatives.split()]), code)


def wordings(path: Path = WORDINGS) -> list[Case]:
    rows = pd.read_csv(path, comment="#", dtype=str, keep_default_na=False)
    columns = ["text", "icd10", "sex", "age_years", "alternatives"]
    return [_case("wordings", *values) for values in rows[columns].itertuples(index=False, name=None)]


def lay_terms() -> list[Case]:
    rows = pd.read_csv(reference("vietnam", "lay_terms_open.csv"), dtype=str, keep_default_na=False)
    return [_case("lay_terms", term, code) for term, code in zip(rows["term"], rows["icd10"])]


def practice() -> list[Case]:
    rows = read_codelist("practice_cause_wording")
    rows = rows[(rows["expression"] != "") & (rows["style"] != "vague")]
    return [_case("practice", text, code) for text, code in zip(rows["expression"], rows["icd10"])]


def answers(cases: list[Case], library: Library | None = None) -> list[Answer]:
    known = library or load_library()
    return [Answer(case, ranked_candidates(case.text, known, case.person)) for case in cases]


def fold_of(text: str, folds: int = FOLDS) -> int:
    """The same fold for every spelling of one text."""
    return int(sha256(standard_key(text).encode()).hexdigest()[:8], 16) % folds


def _without(fold: int) -> tuple[Library, list[DictionaryEntry]]:
    """A library whose dictionary lacks one fold, and the entries that were left out."""
    entries = [entry for group in load_dictionary().by_accented.values() for entry in group]
    accented: dict[str, list[DictionaryEntry]] = {}
    folded: dict[str, list[DictionaryEntry]] = {}
    for entry in entries:
        if fold_of(entry.expression) != fold:
            accented.setdefault(accented_key(entry.expression), []).append(entry)
            folded.setdefault(folded_key(entry.expression), []).append(entry)
    kept = LayDictionary(
        {key: tuple(group) for key, group in accented.items()},
        {key: tuple(group) for key, group in folded.items()},
        f"without fold {fold}",
        sum(map(len, accented.values())),
    )
    return Library(kept, titles()), [entry for entry in entries if fold_of(entry.expression) == fold]


def _age_within(entry: DictionaryEntry) -> str:
    if entry.age_below is not None:
        return str(((entry.age_from or 0) + entry.age_below) / 2)
    return "" if entry.age_from is None else str(entry.age_from)


def left_out(folds: Iterable[int] = range(4), each: int = 500) -> Iterator[Answer]:
    """Answers for dictionary entries that the dictionary did not hold when they were asked; the last fold is never fitted on."""
    for fold in folds:
        library, entries = _without(fold)
        random.Random(SEED + fold).shuffle(entries)
        for entry in entries[:each]:
            case = _case("left_out", entry.expression, entry.code, entry.sex, _age_within(entry))
            yield Answer(case, ranked_candidates(case.text, library, case.person))


def title_pairs(queries: int = 1500) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(index: code, title_vi of the ministry; queries: code, title of GNU Health where the two differ)."""
    rows = pd.read_csv(reference("icd", "icd10_vi_dictionary.csv"), dtype=str, keep_default_na=False)
    rows = rows[(rows["title_vi_kcb"] != "") & (rows["in_who2019"] == "1")]
    index = pd.DataFrame({"code": rows["code"], "title_vi": rows["title_vi_kcb"]})
    same = rows["title_vi_kcb"].str.lower() == rows["title_vi_gnuhealth"].str.lower()
    differing = rows[(rows["title_vi_gnuhealth"] != "") & ~same]
    chosen = differing.sample(queries, random_state=SEED)
    return index, pd.DataFrame({"code": chosen["code"], "text": chosen["title_vi_gnuhealth"]})
