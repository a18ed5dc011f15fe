"""The lists behind the edits of causes: limits of sex and age, rarity by country, what may not be the underlying cause.

Each list is a code list of the catalog with its source. Where a list has a column `country`, the lines of a country (ISO 3166
code) replace those of "*" with the same check; where it has `edition`, the latest one up to the edition asked for counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pandas as pd

from mortality.validation.code_ranges import CodeRanges, ranges_of
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError

EDITIONS = (2016, 2019)
EVERYWHERE = "*"
NOTABLE = "death_edit_notable"
LIMIT_RULES = {"error": "death_cause_impossible", "warning": "death_cause_unusual", "note": NOTABLE}
OWN_RULES = {"AGE07": "death_senility_young"}  # senility under 60 is no impossible cause, but no answer either
RARE_RULES = {"error": "death_edit_eradicated", "warning": "death_edit_rare", "note": NOTABLE}


def require_edition(edition: int) -> None:
    """Raises InputError for an edition of ICD-10 Volume 2 that the lists do not have."""
    if edition not in EDITIONS:
        raise InputError("error.edit_edition", found=edition, expected=", ".join(map(str, EDITIONS)))


def require_country(country: str) -> None:
    """Raises InputError for what is no ISO 3166 code of two letters."""
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        raise InputError("error.edit_country", found=country)


@dataclass(frozen=True)
class Limit:
    """A limit of sex or age: youngest, oldest in completed years, oldest_days in completed days, None for no limit."""

    check: str
    ranges: CodeRanges
    sex: str
    youngest: float | None
    oldest: float | None
    oldest_days: float | None
    severity: str
    title: Mapping[str, str]


@dataclass(frozen=True)
class RareCause:
    """A rare, notifiable or eradicated cause."""

    check: str
    ranges: CodeRanges
    severity: str
    title: Mapping[str, str]


@cache
def limits(country: str) -> tuple[Limit, ...]:
    """Limits of sex and age for a country."""
    rows = of_country(read_codelist("edit_limits"), country)
    return tuple(
        Limit(
            row.check, ranges_of(row.icd10_ranges), row.sex, _number(row.youngest), _number(row.oldest), _number(row.oldest_days),
            row.severity, {"vi": row.title_vi, "en": row.title_en},
        )
        for row in rows.itertuples()
    )  # fmt: skip


@cache
def rare_causes(country: str) -> tuple[RareCause, ...]:
    """Rare, notifiable and eradicated causes of a country."""
    rows = of_country(read_codelist("edit_rare_causes"), country)
    return tuple(
        RareCause(row.check, ranges_of(row.icd10_ranges), row.severity, {"vi": row.title_vi, "en": row.title_en})
        for row in rows[rows["icd10_ranges"] != ""].itertuples()
    )


@cache
def not_underlying(edition: int) -> tuple[tuple[str, CodeRanges, str], ...]:
    """Codes not allowed as underlying cause: (use: never | if_cause_known, ranges, suggestion)."""
    rows = of_edition(read_codelist("edit_not_underlying"), edition)
    return tuple((row.use, ranges_of(row.icd10_ranges), row.suggestion) for row in rows.itertuples())


@cache
def unlikely_causes(edition: int) -> tuple[tuple[CodeRanges, float], ...]:
    """Conditions unlikely to cause death: (ranges, completed years from which this holds)."""
    rows = of_edition(read_codelist("edit_unlikely_causes"), edition)
    return tuple((ranges_of(row.icd10_ranges), _number(row.youngest) or 0.0) for row in rows.itertuples())


@cache
def ill_defined_ranges(edition: int) -> CodeRanges:
    """Ill-defined conditions that the code alone tells."""
    rows = of_edition(read_codelist("edit_ill_defined"), edition)
    return ranges_of(";".join(rows.loc[rows["condition"] == "", "icd10_ranges"]))


@cache
def asterisk_ranges() -> CodeRanges:
    """The asterisk categories."""
    return ranges_of(";".join(read_codelist("edit_asterisk_codes")["icd10_ranges"]))


@dataclass(frozen=True)
class EditCheck:
    """A check: the rule that asks it, how serious it is, what its findings are called."""

    rule: str
    severity: str
    verdict: str


@cache
def checks(country: str) -> dict[str, EditCheck]:
    """Every check by its name: those of the list `edit_checks`, and the lines of the limits and of the rare causes."""
    rows = read_codelist("edit_checks")
    own = {row.check: EditCheck(row.rule, row.severity, row.verdict) for row in rows.itertuples()}
    of_limits = {
        row.check: EditCheck(OWN_RULES.get(row.check, LIMIT_RULES[row.severity]), row.severity, "inconsistent")
        for row in limits(country)
    }
    of_rare = {
        row.check: EditCheck(RARE_RULES[row.severity], row.severity, "inconsistent") for row in rare_causes(country)
    }
    return own | of_limits | of_rare


def _number(text: str) -> float | None:
    return float(text) if text else None


def of_country(rows: pd.DataFrame, country: str) -> pd.DataFrame:
    """The lines for a country: its own, and those of "*" whose check it has not."""
    own = rows[rows["country"] == country]
    general = rows[(rows["country"] == EVERYWHERE) & ~rows["check"].isin(own["check"])]
    return pd.concat([general, own]).sort_index().reset_index(drop=True)


def of_edition(rows: pd.DataFrame, edition: int) -> pd.DataFrame:
    """The lines of the latest edition that is not after `edition`."""
    given = pd.to_numeric(rows["edition"])
    return rows[given == given[given <= edition].max()].reset_index(drop=True)
