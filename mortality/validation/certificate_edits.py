"""The edits of coded deaths and certificates: every check of WHO's CoDEdit and of the certificate's form, on a table of records.

Sources: WHO ICD-10 Volume 2, the checks of CoDEdit, and the project's own rules; each check names its source in the code lists
`edit_checks`, `edit_limits`, `edit_rare_causes` (docs/death_edits.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from mortality.validation import certificate_form, edit_lists
from mortality.validation.code_cells import UNDERLYING, CodeCells, code_cells
from mortality.validation.edit_findings import SEVERITIES, Gathered, no_edit_findings
from mortality.validation.person_values import ages, any_matches, sexes
from tkyt_analysis.access.hiv import WORDS as HIV_WORDS

ROWS_AT_ONCE = 100_000
TEXTS = ("cause_text", "text_a", "text_b", "text_c", "text_d", "text_part2")
# Folded words of a stillbirth: thai (chết) lưu, chết lưu, đẻ ra đã chết, chết trong bụng mẹ …
STILLBORN = (
    r"\bthai (?:da )?(?:chet|luu)\b|\b(?:chet|mat) luu\b|\b(?:de|sinh) ra (?:thi )?da (?:chet|mat)\b|\bchet trong (?:bung|tu cung|da con)\b|"
    r"\bkhong co dau hieu song\b|\bstill ?(?:born|birth)|\bf(?:o)?etal death\b"
)


@dataclass(frozen=True)
class Block:
    """A block of records as arrays: what all checks look at."""

    frame: pd.DataFrame
    country: str
    edition: int

    @cached_property
    def cells(self) -> CodeCells:
        return code_cells(self.frame, country=self.country, edition=self.edition)

    @cached_property
    def sex(self) -> np.ndarray:
        return sexes(self.frame)

    @cached_property
    def age(self) -> pd.DataFrame:
        return ages(self.frame)

    @cached_property
    def restricted(self) -> np.ndarray:
        """For each row, whether a code or a word concerns HIV."""
        return self.cells.anywhere(self.cells.of("hiv")) | any_matches(self.frame, TEXTS, HIV_WORDS)

    def years(self) -> np.ndarray:
        """Completed years of age, for each entry of the codes."""
        return self.age["years"].to_numpy()[self.cells.row]


def edit_certificates(frame: pd.DataFrame, *, country: str = "VN", edition: int = 2019) -> pd.DataFrame:
    """Findings on certificates or coded deaths, errors first, then in the order of the records.

    frame : one row per record; any of
        id                               name of the record; the row number where it is absent
        sex                              male | female, also M/F, nam/nữ, 1/2; anything else is unknown
        age_value, age_unit              unit: years | months | weeks | days | hours | minutes, also Y/M/D/H, năm/tháng/ngày/giờ/phút
        age_years                        completed years, used where age_value or its unit say nothing
        age_from_dates                   true where the age was worked out from two dates: its unit is nobody's writing
        line_a … line_d, part2           ICD-10 codes, apart by blanks; the dot is optional, † and * are ignored
        underlying_cause                 one code; where absent, the only code of a record takes its place
        interval_a … interval_d          how long each line lasted, in words ("3 ngày", "2 years")
        manner                           disease | accident | suicide | assault | undetermined | legal_intervention | war
        cause_text, text_a … text_part2  the words, for stillbirths, "suspected" and HIV; they never come out again
    country : ISO 3166 code; decides what is rare there (`edit_rare_causes`) and which limits hold (`edit_limits`)
    edition : of ICD-10 Volume 2, 2016 or 2019; decides what is unlikely to cause death

    Returns
    -------
    id, row (position from 0), severity (error | warning | note), check (e.g. AGE07), rule_id, field, code, value (age in
    years, interval in days), lower, upper (what was expected), suggestion (a code or range), verdict. A code that concerns HIV
    is left out; its record has a finding RESTRICTED instead. A check that a record gives nothing for makes no finding.

    Raises InputError for an unknown edition or country code, and for a frame without any column of codes.
    """
    edit_lists.require_edition(edition)
    edit_lists.require_country(country)
    certificate_form.require_code_columns(frame)
    starts = range(0, len(frame), ROWS_AT_ONCE)
    parts = [_edit_block(frame.iloc[at : at + ROWS_AT_ONCE], at, country, edition) for at in starts]
    if len(parts) < 2:
        return parts[0] if parts else no_edit_findings()
    found = pd.concat(parts, ignore_index=True)
    rank = found["severity"].map({name: number for number, name in enumerate(SEVERITIES)})
    return found.iloc[np.lexsort((found["row"], rank))].reset_index(drop=True)


def _edit_block(frame: pd.DataFrame, start: int, country: str, edition: int) -> pd.DataFrame:
    ids = frame["id"] if "id" in frame else pd.Series(np.arange(start, start + len(frame)).astype(str), dtype="str")
    block = Block(frame.reset_index(drop=True), country, edition)
    gathered = Gathered(block.cells)
    for check in CHECKS:
        check(block, gathered)
    found = gathered.table(ids.reset_index(drop=True), country=country)
    return found.assign(row=found["row"] + start) if start else found


def check_structure(block: Block, found: Gathered) -> None:
    """No code at all, codes that are not of ICD-10, asterisk codes and short codes as the underlying cause."""
    cells = block.cells
    found.rows("CODE_MISSING", cells.count(np.ones(cells.row.size, dtype=bool)) == 0, field=UNDERLYING)
    problem, suggestion = cells.of("problem"), cells.of("suggestion")
    for name in sorted(set(problem) - {""}):
        found.entries(name, problem == name, suggestion=suggestion)
    found.entries("CODE_ASTERISK", cells.underlying & cells.of("asterisk"))
    found.entries("CODE_INCOMPLETE", cells.underlying & cells.of("incomplete"))


def check_underlying(block: Block, found: Gathered) -> None:
    """The underlying cause: may it be one, is it defined, can it kill?"""
    cells = block.cells
    use, suggestion = cells.of("use"), cells.of("use_suggestion")
    found.entries("NEVER_UC", cells.underlying & (use == "never"), suggestion=suggestion)
    found.entries("IF_KNOWN", cells.underlying & (use == "if_cause_known"))
    found.entries("ILL_DEFINED", cells.underlying & cells.of("ill_defined"))
    unlikely = pd.to_numeric(pd.Series(cells.of("unlikely_from"))).to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        old_enough = (unlikely == 0) | (block.years() >= unlikely)
    found.entries("UNLIKELY", cells.underlying & old_enough)


def check_limits(block: Block, found: Gathered) -> None:
    """Codes of the other sex, and of another age; of two limits of one kind (AGE02, AGE02N) the stricter one."""
    cells, broken = block.cells, {}
    limits = edit_lists.limits(block.country)
    used = {number for fact in cells.facts for number in fact.limits}
    sex, years, days = block.sex[cells.row], block.years(), block.age["days"].to_numpy()[cells.row]
    for number in sorted(used):
        limit = limits[number]
        concerned = cells.within_limit(number)
        broken[limit.check] = concerned & _outside(limit, sex, years, days)
        stricter = broken.get(limit.check.removesuffix("N"), np.zeros(0)) if limit.check.endswith("N") else None
        chosen = broken[limit.check] if stricter is None or not stricter.size else broken[limit.check] & ~stricter
        lower, upper = (np.nan if end is None or end < 0 else end for end in (limit.youngest, limit.oldest))
        found.entries(limit.check, chosen, value=years, lower=lower, upper=upper)


def _outside(limit: edit_lists.Limit, sex: np.ndarray, years: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Whether each entry breaks a limit; an unknown sex or age breaks none (a limit -1 holds for every age)."""
    broken = (sex != limit.sex) & (sex != "") if limit.sex else np.zeros(sex.size, dtype=bool)
    with np.errstate(invalid="ignore"):
        if limit.youngest is not None:
            broken |= years < limit.youngest
        if limit.oldest is not None:
            broken |= (years > limit.oldest) | (limit.oldest < 0)
        if limit.oldest_days is not None:
            broken |= days >= limit.oldest_days + 1
    return broken


def check_rarity(block: Block, found: Gathered) -> None:
    """Causes that are eradicated, notifiable or not endemic in the country."""
    rare = block.cells.of("rare").astype(int) if block.cells.row.size else np.zeros(0, dtype=int)
    for number, cause in enumerate(edit_lists.rare_causes(block.country)):
        found.entries(cause.check, rare == number)


def check_age_unit(block: Block, found: Gathered) -> None:
    """Ages that do not fit their unit."""
    value, unit = block.age["value"].to_numpy(), block.age["unit"].to_numpy()
    if "age_from_dates" in block.frame:
        value = np.where(block.frame["age_from_dates"].fillna(False).to_numpy(dtype=bool), np.nan, value)
    found.rows("AGE_UNIT", (block.age["written"] & block.age["unit"].eq("")).to_numpy(), field="age", value=value)
    with np.errstate(invalid="ignore"):
        found.rows("AGE_DAYS", (unit == "days") & (value > 31), field="age", value=value, upper=31)
        found.rows("AGE_DAYS_28", (unit == "days") & (value >= 28) & (value <= 31), field="age", value=value, upper=27)
        found.rows("AGE_MONTHS", (unit == "months") & (value >= 12), field="age", value=value, upper=11)
        found.rows("AGE_YEARS_UNDER", (unit == "years") & (value < 1), field="age", value=value, lower=1)
        found.rows("AGE_YEARS_OVER", (unit == "years") & (value > 125), field="age", value=value, upper=125)


def check_stillbirth(block: Block, found: Gathered) -> None:
    """P95, or the words of a stillbirth for a child under one (in a woman's record they are her history)."""
    codes = block.cells.of("code") == "P95"
    found.entries("STILLBIRTH_CODE", codes)
    said = any_matches(block.frame, TEXTS, STILLBORN) & ~block.cells.anywhere(codes)
    with np.errstate(invalid="ignore"):
        grown = block.age["years"].to_numpy() >= 1
    found.rows("STILLBIRTH_WORDS", said & ~grown, field="cause_text")


def check_restricted(block: Block, found: Gathered) -> None:
    """Records that the law restricts further: the finding says no more than that."""
    found.rows("RESTRICTED", block.restricted, field="record")


CHECKS: tuple[Callable[[Block, Gathered], None], ...] = (
    check_structure, check_underlying, check_limits, check_rarity, check_age_unit, check_stillbirth, *certificate_form.CHECKS,
    check_restricted,
)  # fmt: skip
