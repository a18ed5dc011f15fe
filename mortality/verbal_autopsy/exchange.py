"""Results of the R programs come in: the table that InterVA5 writes, for an office without the probability base."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mortality.verbal_autopsy.causes import cause_titles
from mortality.verbal_autopsy.interva import MOST_CAUSES
from tkyt_analysis.errors import InputError

NEEDED = ("ID", "CAUSE1", "LIK1")


def read_results(path: Path) -> pd.DataFrame:
    """A CSV of InterVA5 (ID, PREGSTAT, PREGLIK, CAUSE1, LIK1 … CAUSE3, LIK3, INDET, COMCAT, COMNUM) as a summary of `interva`.

    Percentages become shares. Raises InputError for other columns, a cause that the list does not know, a likelihood
    outside 0–100.
    """
    rows = _read(path)
    summary = pd.DataFrame({"id": rows["ID"]})
    for n in range(1, MOST_CAUSES + 1):
        summary[f"cause_{n}"] = rows.get(f"CAUSE{n}", pd.Series("", index=rows.index))
    for n in range(1, MOST_CAUSES + 1):
        summary[f"likelihood_{n}"] = _share(rows, f"LIK{n}", path)
    _require_known(summary, path)
    told = summary[[f"likelihood_{n}" for n in range(1, MOST_CAUSES + 1)]].fillna(0.0).sum(axis=1)
    summary["undetermined"] = (1 - told).clip(0, 1).round(10)
    summary["pregnancy"] = rows.get("PREGSTAT", pd.Series("", index=rows.index))
    summary["pregnancy_likelihood"] = _share(rows, "PREGLIK", path)
    summary["circumstance"] = rows.get("COMCAT", pd.Series("", index=rows.index))
    summary["circumstance_likelihood"] = _share(rows, "COMNUM", path)
    return summary


def _read(path: Path) -> pd.DataFrame:
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError("error.verbal_autopsy_file", file=path, why=str(error)) from None
    missing = [name for name in NEEDED if name not in rows]
    if missing:
        raise InputError("error.verbal_autopsy_results", file=path, missing=", ".join(missing), found=", ".join(rows))
    cleaned: pd.DataFrame = rows.apply(lambda column: column.str.strip()).replace({"NA": ""})
    return cleaned


def _share(rows: pd.DataFrame, column: str, path: Path) -> pd.Series:
    if column not in rows:
        return pd.Series(np.nan, index=rows.index)
    numbers = pd.to_numeric(rows[column].replace("", np.nan), errors="coerce")
    wrong = rows[column].ne("") & ~numbers.between(0, 100)
    if wrong.any():
        raise InputError(
            "error.verbal_autopsy_likelihood", file=path, row=int(wrong.idxmax()) + 2, column=column, found=rows[column][wrong.idxmax()]
        )  # fmt: skip
    return numbers / 100


def _require_known(summary: pd.DataFrame, path: Path) -> None:
    known = {"", *cause_titles()}
    found = pd.concat([summary[f"cause_{n}"] for n in range(1, MOST_CAUSES + 1)])
    unknown = sorted(set(found) - known)
    if unknown:
        raise InputError("error.verbal_autopsy_cause", file=path, found="; ".join(unknown[:5]), count=len(unknown))
