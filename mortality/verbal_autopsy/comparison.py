"""Two sets of causes of the same deaths, true and found: tables joined by id, agreement overall and by cause."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mortality.verbal_autopsy.agreement import REPLICATES, SEED, agreement, concordance_by_cause
from tkyt_analysis.errors import InputError

ID_COLUMNS = ("id", "death_id")
CAUSE_COLUMNS = ("cause", "cause_1", "va_code_1", "cause1", "va_code", "icd10_1", "icd10", "code")


@dataclass(frozen=True)
class Comparison:
    """overall : as `agreement`; causes : as `concordance_by_cause`; alone : ids in one of the two tables only."""

    overall: pd.DataFrame
    causes: pd.DataFrame
    deaths: int
    alone: int


def compare_files(
    true: Path, found: Path, *, column: str | None = None, replicates: int = REPLICATES, seed: int = SEED
) -> Comparison:
    """Compare two CSV files with one row per death: an id, and a cause in `column`.

    column : the name of the cause in both; None takes the first of CAUSE_COLUMNS that both have
    Raises InputError for files without such columns, an id twice, no death in common.
    """
    left, right = _read(true), _read(found)
    ids = [_column(table, ID_COLUMNS, path) for table, path in ((left, true), (right, found))]
    names = (column,) if column else tuple(name for name in CAUSE_COLUMNS if name in left and name in right)
    causes = [_column(table, names or CAUSE_COLUMNS, path) for table, path in ((left, true), (right, found))]
    tables = [
        _series(table, key, cause, path)
        for table, key, cause, path in zip((left, right), ids, causes, (true, found), strict=True)
    ]
    pairs = pd.concat([tables[0].rename("true"), tables[1].rename("predicted")], axis=1).sort_index()
    both = pairs.dropna()
    if both.empty:
        raise InputError("error.verbal_autopsy_nothing_common", true=true, found=found)
    return Comparison(
        agreement(both, replicates=replicates, seed=seed),
        concordance_by_cause(both, replicates=replicates, seed=seed),
        len(both),
        len(pairs) - len(both),
    )


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError("error.verbal_autopsy_file", file=path, why=str(error)) from None
    return table.rename(columns=lambda name: str(name).strip().lower())


def _column(table: pd.DataFrame, names: tuple[str, ...], path: Path) -> str:
    for name in names:
        if name.lower() in table:
            return name.lower()
    raise InputError("error.verbal_autopsy_columns_compare", file=path, needed=", ".join(names), found=", ".join(table))


def _series(table: pd.DataFrame, key: str, cause: str, path: Path) -> pd.Series:
    """The causes by id; a death without one counts as the cause "" (undetermined), never as nothing."""
    keys = table[key].str.strip()
    twice = keys[keys.duplicated()]
    if len(twice):
        raise InputError("error.verbal_autopsy_id_twice", file=path, found=twice.iloc[0], row=int(twice.index[0]) + 2)
    return pd.Series(table[cause].str.strip().to_numpy(), index=pd.Index(keys))
