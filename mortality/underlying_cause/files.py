"""A CSV of certificates into a CSV of underlying causes, a bounded number of rows at a time.

In: id, sex, age_value, age_unit, line_a … line_d, part2 (codes apart by blanks, the dot optional), and where the file has them
manner, interval_a … interval_d, pregnancy, surgery; other columns are not looked at.
Out: id, underlying_cause, steps, flags, one row per row of the file and in its order; nothing is dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TextIO

import pandas as pd

from mortality.underlying_cause.certificate import LINES
from mortality.underlying_cause.flags import INVALID_CODE
from mortality.underlying_cause.profile import DEFAULT, RuleProfile
from tkyt_analysis.errors import InputError

ROWS_AT_ONCE = 100_000
CODES = (*LINES, "part2")
REQUIRED = ("id", "sex", "age_value", "age_unit", *CODES)
COLUMNS = ["id", "underlying_cause", "steps", "flags"]
EXPLAINED = [*COLUMNS, "main_injury", "explanation"]
UNITS = ("years", "months", "weeks", "days", "hours", "minutes")
SHOWN = 5
_OTHER_UNITS = {
    "year": "years", "y": "years", "tuổi": "years", "năm": "years", "month": "months", "tháng": "months", "week": "weeks",
    "tuần": "weeks", "day": "days", "d": "days", "ngày": "days", "hour": "hours", "h": "hours", "giờ": "hours",
    "minute": "minutes", "min": "minutes", "phút": "minutes",
}  # fmt: skip
UNKNOWN_UNIT = "check:age_unit"
UNREADABLE_AGE = "check:age_value"


@dataclass
class FileSummary:
    """What was done with a file: rows, with a cause, flags by name, and the first writings that were no code or no unit."""

    rows: int = 0
    with_cause: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def count(self, result: pd.DataFrame) -> None:
        """Add the rows of one block of results."""
        self.rows += len(result)
        self.with_cause += int((result["underlying_cause"] != "").sum())
        self.flags.update(flag for flags in result["flags"] for flag in flags.split())

    def keep(self, flag: str, found: pd.Series) -> None:
        """Keep the first few examples of a flag: "row 12: XYZ"; `found` is indexed by row number of the file."""
        shown = self.examples.setdefault(flag, [])
        shown += [f"{row}: {text}" for row, text in found.iloc[: SHOWN - len(shown)].items()]


def underlying_causes_of_file(
    source: Path,
    target: Path,
    *,
    profile: RuleProfile = DEFAULT,
    decision_table: Path | None = None,
    explained: bool = False,
    workers: int = 1,
) -> FileSummary:
    """The underlying cause of each certificate of `source` into `target`, which appears only when all rows are done.

    workers : processes per block of rows; two were slower than one on 100,000 certificates (they have to be started)
    explained : columns main_injury and explanation (sentences, in the language in use) besides
    Raises InputError for a file that is missing, no such CSV, or lacks a column, and for a target that cannot be written.
    """
    require_file(decision_table, "error.ucod_table_missing")
    unfinished = target.with_name(target.name + ".unfinished")
    summary = FileSummary()
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as out:
            for number, block in enumerate(read_blocks(source)):
                result = _worked(block, summary, profile, decision_table, workers, explained)
                _write(result, out, header=number == 0, columns=EXPLAINED if explained else COLUMNS)
        unfinished.replace(target)
    except OSError as error:
        raise InputError("error.ucod_target", file=target, reason=error.strerror or "") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return summary


def require_file(path: Path | None, key: str) -> None:
    """InputError with that key where a file is named and not there."""
    if path is not None and not path.is_file():
        raise InputError(key, file=path)


def read_blocks(source: Path) -> Iterator[pd.DataFrame]:
    """The CSV as text columns with lower-case names, blocks of rows; the index is the row number in the file (header = 1)."""
    require_file(source, "error.ucod_file_missing")
    try:
        with pd.read_csv(
            source,
            dtype=str,
            keep_default_na=False,
            chunksize=ROWS_AT_ONCE,
            encoding="utf-8-sig",
            sep=_separator(source),
        ) as blocks:
            for block in blocks:
                block.columns = [str(name).strip().lower() for name in block.columns]
                _require_columns(source, block)
                block.index = pd.RangeIndex(block.index.start + 2, block.index.stop + 2)
                yield block
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError("error.ucod_file", file=source, reason=str(error).strip()) from error


def _separator(source: Path) -> str:
    """The mark that the first line has most of: comma, semicolon or tab."""
    if source.suffix in (".gz", ".zip", ".bz2", ".xz"):
        return ","
    with source.open(encoding="utf-8-sig", errors="replace") as stream:
        first = stream.readline()
    return max(",;\t", key=first.count)


def _require_columns(source: Path, block: pd.DataFrame) -> None:
    missing = [name for name in REQUIRED if name not in block]
    if missing:
        found = ", ".join(block.columns[:12])
        raise InputError("error.ucod_columns", file=source, missing=", ".join(missing), found=found)


def _worked(
    block: pd.DataFrame,
    summary: FileSummary,
    profile: RuleProfile,
    decision_table: Path | None,
    workers: int,
    explained: bool,
) -> pd.DataFrame:
    from mortality.underlying_cause.batch import select_underlying_causes

    frame = tidy(block)
    checks = check_rows(frame, summary)
    result = select_underlying_causes(frame, profile=profile, decision_table=decision_table, workers=workers)
    result["flags"] = (result["flags"] + " " + checks).str.strip()
    if explained:
        result["explanation"] = explanations(frame, profile, decision_table)
    summary.count(result)
    return result


def tidy(block: pd.DataFrame) -> pd.DataFrame:
    """The block with codes apart by single blanks (any of , ; / may stand between them) and units by their English name."""
    frame = block.copy()
    for name in CODES:
        frame[name] = frame[name].str.replace(r"[\s,;/]+", " ", regex=True).str.strip()
    unit = frame["age_unit"].str.strip().str.lower()
    frame["age_unit"] = unit.map(_OTHER_UNITS).fillna(unit)
    return frame


def check_rows(frame: pd.DataFrame, summary: FileSummary) -> pd.Series:
    """Flags of each row for what is no unit of age or no number; examples of these and of unknown codes go to the summary."""
    summary.keep(INVALID_CODE, unknown_codes(frame).dropna())
    flags = pd.Series("", index=frame.index)
    number = pd.to_numeric(frame["age_value"].str.strip().replace("", "0"), errors="coerce")
    odd = {
        UNKNOWN_UNIT: frame["age_unit"].where((frame["age_unit"] != "") & ~frame["age_unit"].isin(UNITS)),
        UNREADABLE_AGE: frame["age_value"].where(number.isna()),
    }
    for flag, found in odd.items():
        found = found.dropna()
        summary.keep(flag, found)
        flags[found.index] = (flags[found.index] + " " + flag).str.strip()
    return flags


def unknown_codes(frame: pd.DataFrame) -> pd.Series:
    """The writings of each row that no edition of ICD-10 knows, apart by blanks; missing where there is none."""
    wrong = pd.Series("", index=frame.index)
    for name in CODES:
        cells = {cell: _unknown_of(cell) for cell in frame[name].unique()}
        wrong = wrong + frame[name].map(cells)
    return wrong.str.strip().where(wrong.ne(""))


def _unknown_of(cell: str) -> str:
    """The unknown codes of one cell, each behind a blank."""
    return "".join(f" {code}" for code in cell.split() if not _is_known(code))


@cache
def _is_known(written: str) -> bool:
    from mortality.icd import judge_code

    return judge_code(written).status in ("valid", "legacy")


def explanations(frame: pd.DataFrame, profile: RuleProfile, decision_table: Path | None) -> list[str]:
    """The path of each row as sentences, one after the other with " | " between them; each certificate worked once."""
    from mortality.underlying_cause.batch import WORKED_ON, causal_table
    from mortality.underlying_cause.certificate import Certificate
    from mortality.underlying_cause.engine import rules_of, select
    from mortality.underlying_cause.explain import explain

    rules = rules_of(profile, causal_table(decision_table, profile))
    columns = [name for name in WORKED_ON if name in frame]
    known: dict[tuple[str, ...], str] = {}
    keys = list(zip(*(frame[name] for name in columns), strict=True))
    for key in keys:
        if key not in known:
            selection = select(Certificate.from_row(dict(zip(columns, key, strict=True))), rules)
            known[key] = " | ".join(explain(selection))
    return [known[key] for key in keys]


def _write(result: pd.DataFrame, out: TextIO, *, header: bool, columns: list[str]) -> None:
    result.to_csv(out, index=False, header=header, columns=columns, lineterminator="\n")
