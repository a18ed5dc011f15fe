"""WHO module 3: the verification factor, recounted / reported, from a sample of units that were visited."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError

SAMPLE_COLUMNS = ("unit", "period", "element", "reported", "recounted")
HEADERS = {
    "unit": ("unit", "unit_id", "facility", "đơn vị", "mã đơn vị", "cơ sở"),
    "period": ("period", "period_id", "month", "kỳ", "tháng"),
    "element": ("element", "element_id", "indicator", "chỉ tiêu", "chỉ số"),
    "reported": ("reported", "số báo cáo", "báo cáo"),
    "recounted": ("recounted", "recount", "verified", "số đếm lại", "đếm lại"),
}


def read_verification_sample(path: Path) -> pd.DataFrame:
    """The sample as unit, period, element (text), reported, recounted (numbers, missing where empty).

    path : CSV or Excel workbook (first sheet), headers in Vietnamese or English, one row per unit, period and element.
    Raises InputError for a file, a heading or a number that cannot be read, with the row.
    """
    path = Path(path)
    rows = _read_text(path)
    folded = {str(name).strip().lower(): name for name in rows.columns}
    named = {column: next((folded[one] for one in words if one in folded), None) for column, words in HEADERS.items()}
    missing = [column for column, found in named.items() if found is None]
    if missing:
        raise InputError(
            "error.verification_columns", file=path.name, missing=", ".join(HEADERS[one][-1] for one in missing),
            found=", ".join(map(str, rows.columns)),
        )  # fmt: skip
    sample = pd.DataFrame({column: rows[name].fillna("").str.strip() for column, name in named.items()})
    sample = sample[sample.ne("").any(axis=1)]
    for column in ("reported", "recounted"):
        sample[column] = _counts(sample[column], path.name, column)
    return sample.reset_index(drop=True)


def _read_text(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError("error.verification_file", file=path)
    try:
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            return pd.read_excel(path, dtype=str)
        return pd.read_csv(path, dtype=str, encoding="utf-8-sig", sep=None, engine="python")
    except (ValueError, UnicodeDecodeError, OSError, pd.errors.ParserError) as error:
        raise InputError("error.verification_file", file=path) from error


def _counts(texts: pd.Series, file: str, column: str) -> pd.Series:
    numbers = pd.to_numeric(texts.where(texts != ""), errors="coerce")
    wrong = (texts != "") & (numbers.isna() | (numbers < 0))
    if wrong.any():
        row = int(texts.index[wrong][0])
        raise InputError("error.verification_number", file=file, row=row + 2, column=column, value=texts[row])
    return numbers


def verification_factors(
    sample: pd.DataFrame,
    *,
    by: Sequence[str] = ("element",),
    lower: float = 0.9,
    upper: float = 1.1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Verification factor per group: sum recounted / sum reported, with an interval that knows that a unit's rows belong together.

    The ratio estimator of a one-stage cluster sample: with d = recounted - VF × reported summed per unit over n units,
    variance n/(n-1) × sum d² / (sum reported)², limits with Student's t on n - 1 degrees of freedom.

    Parameters
    ----------
    sample : see SAMPLE_COLUMNS; rows without one of the two numbers are left out and counted
    by : columns that name one factor; () for one of everything
    lower, upper : the factors accepted

    Returns
    -------
    `by`, units, rows, rows_left_out, reported, recounted, factor, lower, upper, verdict: accepted (the interval lies in the band) |
    rejected (it lies outside) | undecided (it crosses a limit) | not_assessable, with reason (one_unit: no interval from one unit;
    zero_reported: nothing was reported). Where every unit has the same factor the interval has no width: reason no_variation.
    Source: Cochran, Sampling techniques (1977), 6.4 and 9A.
    """
    keys = list(by)
    rows = sample if keys else sample.assign(all="all")
    found = [
        dict(zip(keys, name if isinstance(name, tuple) else (name,))) | _factor(group, lower, upper, confidence)
        for name, group in rows.groupby(keys or ["all"], sort=True)
    ]
    return pd.DataFrame(found)


def _factor(group: pd.DataFrame, low: float, high: float, confidence: float) -> dict[str, object]:
    complete = group.dropna(subset=["reported", "recounted"])
    units = complete.groupby("unit")[["reported", "recounted"]].sum()
    reported, recounted = float(units["reported"].sum()), float(units["recounted"].sum())
    figures: dict[str, object] = {
        "units": len(units), "rows": len(complete), "rows_left_out": len(group) - len(complete),
        "reported": reported, "recounted": recounted, "factor": np.nan, "lower": np.nan, "upper": np.nan,
    }  # fmt: skip
    if reported <= 0:
        return figures | {"verdict": "not_assessable", "reason": "zero_reported"}
    factor = recounted / reported
    if len(units) < 2:
        return figures | {"factor": factor, "verdict": "not_assessable", "reason": "one_unit"}
    margin = _margin(units, factor, confidence)
    limits = {"factor": factor, "lower": max(0.0, factor - margin), "upper": factor + margin}
    reason = "" if margin > 0 else "no_variation"
    return figures | limits | {"verdict": _verdict(limits["lower"], limits["upper"], low, high), "reason": reason}


def _margin(units: pd.DataFrame, factor: float, confidence: float) -> float:
    from scipy.stats import t

    n = len(units)
    off = units["recounted"] - factor * units["reported"]
    error = np.sqrt(n / (n - 1) * (off**2).sum()) / units["reported"].sum()
    return float(t.ppf((1 + confidence) / 2, n - 1) * error)


def _verdict(lower: float, upper: float, low: float, high: float) -> str:
    if low <= lower and upper <= high:
        return "accepted"
    return "rejected" if upper < low or lower > high else "undecided"


def unit_factors(sample: pd.DataFrame, *, lower: float = 0.9, upper: float = 1.1) -> pd.DataFrame:
    """The factor of every unit and element: unit, element, reported, recounted, factor, verdict, the farthest first.

    verdict: over_reported (factor below `lower`), under_reported (above `upper`, and where 0 was reported but some counted),
    accepted, not_assessable (0 reported and 0 counted).
    """
    complete = sample.dropna(subset=["reported", "recounted"])
    sums = complete.groupby(["unit", "element"], sort=True)[["reported", "recounted"]].sum().reset_index()
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = pd.Series(sums["recounted"].to_numpy(float) / sums["reported"].to_numpy(float))
        away = np.abs(np.log(factor.to_numpy()))
    verdict = np.select(
        [factor.isna(), factor < lower, factor > upper],
        ["not_assessable", "over_reported", "under_reported"],
        "accepted",
    )
    rows = sums.assign(factor=factor, verdict=verdict, away=away)
    return (
        rows.sort_values(["away", "unit"], ascending=[False, True], na_position="last")
        .drop(columns="away")
        .reset_index(drop=True)
    )


def accepted_band(year: int | None = None, review: str = "routine") -> tuple[float, float]:
    """The factors accepted at the end of `year` (default: today's), as the catalog dates them."""
    import datetime

    from tkyt_analysis.catalog import load_entry

    day = datetime.date(year, 12, 31) if year else datetime.date.today()
    entry = load_entry("desk_review", review)
    return float(entry.threshold("vf_lower", day)), float(entry.threshold("vf_upper", day))
