"""The lay dictionary: words of commune registers → ICD-10, with how sure the reading is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mortality.coding.normalise import accented_key, folded_key
from mortality.icd import is_lowest_level, is_valid_code
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.settings import catalog_directories

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("expression", "icd10", "certainty", "sex", "age_from", "age_below", "note", "source")
CERTAINTIES = ("sure", "likely", "vague")
LEARNT = "learnt"  # the source of entries that coders confirmed (`mortality.coder.entries.learnt_entries`)

LearntRows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class DictionaryEntry:
    """One reading of one expression; sex and ages [years] limit it to records that meet them."""

    expression: str
    code: str
    certainty: str
    sex: str
    age_from: float | None
    age_below: float | None
    note: str
    source: str

    @property
    def learnt(self) -> bool:
        """Whether coders of this home (or an office whose entries were accepted) confirmed it."""
        return self.source.startswith(LEARNT)

    @property
    def has_context(self) -> bool:
        return bool(self.sex) or self.age_from is not None or self.age_below is not None

    def applies(self, sex: str | None, age_years: float | None) -> bool:
        """True where the record meets the entry's limits; an unknown sex or age meets none."""
        if self.sex and self.sex != sex:
            return False
        if self.age_from is not None and (age_years is None or age_years < self.age_from):
            return False
        return self.age_below is None or (age_years is not None and age_years < self.age_below)


@dataclass(frozen=True)
class LayDictionary:
    """Entries by look-up form, and the version (hash of the content) that every coding decision records."""

    by_accented: dict[str, tuple[DictionaryEntry, ...]]
    by_folded: dict[str, tuple[DictionaryEntry, ...]]
    version: str
    size: int


def _entry(row: dict[str, str]) -> DictionaryEntry:
    if row["certainty"] not in CERTAINTIES:
        raise InputError(
            "error.dictionary_certainty",
            expression=row["expression"],
            found=row["certainty"],
            expected=", ".join(CERTAINTIES),
        )
    if not (is_valid_code(row["icd10"]) and is_lowest_level(row["icd10"])):
        raise InputError("error.dictionary_code", expression=row["expression"], found=row["icd10"])
    return DictionaryEntry(
        expression=row["expression"],
        code=row["icd10"],
        certainty=row["certainty"],
        sex=row["sex"],
        age_from=float(row["age_from"]) if row["age_from"] else None,
        age_below=float(row["age_below"]) if row["age_below"] else None,
        note=row["note"],
        source=row["source"],
    )


def dictionary_codelists() -> list[str]:
    """The names of the code lists that make the dictionary: lay_dictionary and every lay_dictionary_<group>."""
    found = {path.stem for folder in catalog_directories() for path in folder.glob("codelists/lay_dictionary*.csv")}
    return sorted(found)


def learnt_rows(learnt: pd.DataFrame | None) -> LearntRows:
    """Learnt entries as rows that can be a key; () without any."""
    if learnt is None or learnt.empty:
        return ()
    return tuple(sorted(learnt[list(COLUMNS)].astype("str").itertuples(index=False, name=None)))


def _rows(codelists: tuple[str, ...], learnt: LearntRows) -> pd.DataFrame:
    """All rows, learnt ones first, then the code lists one under another; the same row in two of them counts once."""
    import pandas as pd

    lists = [read_codelist(name)[list(COLUMNS)] for name in codelists]
    own = [pd.DataFrame(list(learnt), columns=list(COLUMNS))] if learnt else []
    return pd.concat([*own, *lists], ignore_index=True).drop_duplicates(
        ["expression", "icd10", "sex", "age_from", "age_below"], ignore_index=True
    )


def load_dictionary(*codelists: str, learnt: pd.DataFrame | None = None) -> LayDictionary:
    """The dictionary of the named code lists (default: every lay_dictionary*.csv), indexed by both look-up forms.

    learnt : entries of coders (`mortality.coder.entries.learnt_entries`), COLUMNS; they are part of the version
    Raises InputError where a code is not a lowest-level code of WHO ICD-10 2019 or a certainty is unknown.
    """
    return dictionary_of(codelists or tuple(dictionary_codelists()), learnt_rows(learnt))


@lru_cache(maxsize=4)
def dictionary_of(codelists: tuple[str, ...], learnt: LearntRows) -> LayDictionary:
    """`load_dictionary`, built once for the same lists and the same learnt entries."""
    from hashlib import sha256

    rows = _rows(codelists, learnt)
    accented: dict[str, list[DictionaryEntry]] = defaultdict(list)
    folded: dict[str, list[DictionaryEntry]] = defaultdict(list)
    for row in rows.to_dict("records"):
        entry = _entry(row)
        accented[accented_key(entry.expression)].append(entry)
        folded[folded_key(entry.expression)].append(entry)
    content = rows.to_csv(index=False).encode()
    return LayDictionary(
        by_accented={key: tuple(entries) for key, entries in accented.items()},
        by_folded={key: tuple(entries) for key, entries in folded.items()},
        version=sha256(content).hexdigest()[:12],
        size=len(rows),
    )
