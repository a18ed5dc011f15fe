"""The facts that the rules look up, read once from the code lists; ranges are texts such as "I20-I25;I50", with dots.

Code lists and the columns that are read here (every list has source and status besides):

    ucod_groups             group, icd10_ranges: other lists name the group with @group
    ucod_linkage            tentative, relation (mention | cause), other, result, condition, by_default (yes | no), from_edition
                            ("" = all editions) - M1; result: code, "other", "self", "self.4"
    ucod_linkage_nchs       the same columns: what the tables of NCHS link besides
    ucod_hiv_combinations   other, result - what is reported with B20–B24, and the code that it makes
    ucod_rejected_sequences effect, rejected (ranges, or * = every code), accepted (not refused after all) - WHO §4.2.3
    ucod_sequences_nchs     effect, cause, accept (yes | no: only for profiles with nchs) - asked before the table
    ucod_obvious_cause      consequence, cause, condition, by_default, from_edition - SP6; condition surgery_within_4_weeks with
                            by_default no: only where the certificate says surgery; condition covid: by profile
    ucod_injury_priority    rank (1 first … 6 last), icd10_ranges
    ucod_specificity        general, specific - M2: the second says more about the first
    ucod_sequelae           tentative, result - where the interval says a year or more
    ucod_maternal           icd10_ranges, result - M4, where the woman was pregnant
    edit_ill_defined, edit_unlikely_causes, edit_not_underlying, edit_asterisk_codes
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from mortality.underlying_cause.code_sets import CodeSet, code_set
from tkyt_analysis.catalog import read_codelist

SURGERY = "surgery_within_4_weeks"
COVID = "covid"
Rows = tuple[dict[str, str], ...]


@dataclass(frozen=True)
class Facts:
    """Everything that the rules look up, as it stands in the code lists."""

    ill_defined: CodeSet
    linkage: Rows
    linkage_nchs: Rows
    hiv_combinations: Rows
    rejected: Rows
    sequences_nchs: Rows
    obvious: Rows
    specificity: Rows
    injury_priority: Rows
    never: Rows
    if_known: CodeSet
    asterisk: CodeSet
    terminal: CodeSet
    maternal: Rows
    sequelae: Rows
    unlikely: dict[int, Rows]


@cache
def facts() -> Facts:
    """The facts of the code lists, read once."""
    use = _rows("edit_not_underlying")
    return Facts(
        ill_defined=_joined(row["icd10_ranges"] for row in _rows("edit_ill_defined") if not row["condition"]),
        linkage=_by_default(_rows("ucod_linkage")),
        linkage_nchs=_by_default(_rows("ucod_linkage_nchs")),
        hiv_combinations=_rows("ucod_hiv_combinations"),
        rejected=_rows("ucod_rejected_sequences"),
        sequences_nchs=_rows("ucod_sequences_nchs"),
        obvious=tuple(
            row for row in _rows("ucod_obvious_cause") if row["by_default"] == "yes" or row["condition"] == SURGERY
        ),
        specificity=_rows("ucod_specificity"),
        injury_priority=_rows("ucod_injury_priority"),
        never=tuple(row for row in use if row["use"] == "never"),
        if_known=_joined(row["icd10_ranges"] for row in use if row["use"] == "if_cause_known"),
        asterisk=_joined(row["icd10_ranges"] for row in _rows("edit_asterisk_codes")),
        terminal=code_set(_groups()["terminal"]),
        maternal=_rows("ucod_maternal"),
        sequelae=_rows("ucod_sequelae"),
        unlikely={
            edition: tuple(row for row in _rows("edit_unlikely_causes") if row["edition"] == str(edition))
            for edition in (2016, 2019)
        },
    )


def _rows(name: str) -> Rows:
    return tuple(
        {key: _expanded(value) for key, value in row.items()} for row in read_codelist(name).to_dict("records")
    )


def _expanded(text: str) -> str:
    """Ranges with each @group replaced by its ranges."""
    if "@" not in text:
        return text
    return ";".join(_groups()[part[1:]] if part.startswith("@") else part for part in text.split(";"))


@cache
def _groups() -> dict[str, str]:
    rows = read_codelist("ucod_groups")
    return dict(zip(rows["group"], rows["icd10_ranges"], strict=True))


def in_edition(rows: Rows, edition: int) -> Rows:
    """The rows that hold in an edition: those whose from_edition is empty or not later."""
    return tuple(row for row in rows if int(row.get("from_edition") or 0) <= edition)


def _by_default(rows: Rows) -> Rows:
    return tuple(row for row in rows if row.get("by_default", "yes") != "no")


def _joined(texts: Iterable[str]) -> CodeSet:
    return code_set(";".join(texts))
