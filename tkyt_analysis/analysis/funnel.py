"""Funnel plots after the technical guide of PHE/OHID: curves, points and significance.

The limits of a proportion are the values whose Wilson interval just touches the average of all; those of rates and
ratios are where the Poisson interval does. `tkyt_analysis.quality.scores.funnel` judges units with over-dispersion and
false discovery rate; this module draws and labels as the public health profiles do. Spiegelhalter, Stat Med
2005;24:1185-202; OHID, Technical guide: public health methods, control charts and funnel plots.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers, byar_or_exact_limits, exact_poisson_limits, z_value
from tkyt_analysis.analysis.rates import as_numbers, rate_table, same_length
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

INNER, OUTER = 0.95, 0.998
_LEVELS = (("95", INNER), ("99_8", OUTER))
LEAST_EVENTS = 10  # a directly standardised rate of fewer events is not compared
SIGNIFICANCE = ("high_outer", "high_inner", "low_outer", "low_inner", "not_significant")
_STATISTICS = ("proportion", "rate", "ratio")


def funnel_curves(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike | None = None,
    *,
    statistic: str = "proportion",
    rate: npt.ArrayLike | None = None,
    rate_type: str = "crude",
    ratio_type: str = "isr",
    per: float = 100,
    years: float = 1,
    points: int = 100,
) -> pd.DataFrame:
    """The lines of a funnel plot: limits of 95 % and 99.8 % over sizes that span the data.

    Parameters
    ----------
    numerator : events of each unit; denominator : trials (proportion), person-years (rate), expected events (ratio)
    statistic : "proportion", "rate", "ratio"
    rate : for rates, each unit's rate per `per`; it decides the person-years (numerator · per / rate). Without it the
        rate is numerator / denominator. Units without events need the denominator (crude) or are left out ("dsr").
    rate_type : "crude" or "dsr"; ratio_type : "isr" (limits × `per`) or "count" (limits less 1)
    per : values are per this many; years : years of data that the person-years of a rate hold
    points : how many sizes, closer to each other where they are small

    Returns
    -------
    One row per size: size (population of a proportion, events of the others), lower_95, upper_95, lower_99_8,
    upper_99_8, baseline [per `per`], statistic, method; for rates and ratios also lower_95_denominator … (person-years of
    one year, or expected events, at which so many events stand on that limit).
    """
    statistic, rate_type = _words(statistic, rate_type)
    counts, base, reason = _units(numerator, denominator, rate, statistic=statistic, rate_type=rate_type, per=per)
    centre = _average(counts, base, reason)
    low, high = axis_range(base[reason == ""], years=years if statistic == "rate" else 1)
    if statistic == "rate":
        low, high = np.floor(low * centre), np.ceil(high * centre)
    size = axis_sizes(low, high, points=points, late=statistic == "ratio")
    if statistic == "proportion":
        return _proportion_curves(size, centre, per)
    return _poisson_curves(size, centre, statistic=statistic, ratio_type=ratio_type, per=per, years=years)


def _proportion_curves(size: Numbers, centre: float, per: float) -> pd.DataFrame:
    columns = {"size": size}
    for name, coverage in _LEVELS:
        lower, upper = proportion_limits(size, centre, coverage)
        columns |= {f"lower_{name}": per * lower, f"upper_{name}": per * upper}
    return pd.DataFrame(columns).assign(baseline=per * centre, statistic="proportion", method="wilson")


def _poisson_curves(
    size: Numbers, centre: float, *, statistic: str, ratio_type: str, per: float, years: float
) -> pd.DataFrame:
    columns = {"size": size}
    for name, coverage in _LEVELS:
        fewest, most = exact_poisson_limits(size, coverage)
        for side, expected in (("lower", most), ("upper", fewest)):
            over = expected / centre if statistic == "rate" else expected
            value = size / over
            columns[f"{side}_{name}"] = value - 1 if (statistic, ratio_type) == ("ratio", "count") else per * value
            columns[f"{side}_{name}_denominator"] = over / years if statistic == "rate" else over
    baseline = per * centre if statistic == "rate" else (0.0 if ratio_type == "count" else per)
    return pd.DataFrame(columns).assign(baseline=baseline, statistic=statistic, method="poisson")


def proportion_limits(size: npt.ArrayLike, centre: float, coverage: float) -> tuple[Numbers, Numbers]:
    """Shares whose Wilson interval just touches the centre: centre ± z·√(centre·(1 − centre)/size), within 0 to 1."""
    half = z_value(coverage) * np.sqrt(centre * (1 - centre) / np.asarray(size, dtype=float))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def axis_range(base: npt.ArrayLike, *, years: float = 1) -> tuple[float, float]:
    """Ends of the axis: 0 (or 95 % of the smallest where all are alike) and 105 % of the largest, in round numbers."""
    smallest, largest = np.nanmin(np.asarray(base, float)), np.nanmax(np.asarray(base, float))
    low = 0.0 if largest > 2 * smallest else _round(0.95 * smallest / years, np.floor, digits=1) * years
    return low, _round(1.05 * largest / years, np.ceil, digits=2) * years


def _round(value: float, way: Callable[[float], float], *, digits: int) -> float:
    """Down or up to so many leading digits."""
    places = max(len(str(int(way(value)))) - digits, 1 - digits)
    return float(way(value / 10.0**places) * 10.0**places)


def axis_sizes(low: float, high: float, *, points: int = 100, late: bool = False) -> Numbers:
    """Whole sizes from `low` (at least 1) to `high`, each a little more than the one before (a geometric course)."""
    sizes = [max(1.0, low)]
    for number in range(2, points + 1):
        left = points + 1 - (number - 1 if late else number)
        step = np.round((high / sizes[-1]) ** (1 / left) * sizes[-1])
        sizes.append(max(float(step), sizes[-1] + 1))
    return np.array(sizes)


def funnel_significance(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike | None = None,
    *,
    statistic: str = "proportion",
    rate: npt.ArrayLike | None = None,
    rate_type: str = "crude",
    per: float = 1,
) -> pd.DataFrame:
    """Which units stand outside the funnel: higher or lower than the average of all beyond 95 % or 99.8 % limits.

    Arguments as in `funnel_curves`. A ratio is compared with 1.

    Returns
    -------
    One row per unit, index of `numerator` kept: numerator, denominator, value, baseline [per `per`], significance
    ("high_outer" beyond 99.8 %, "high_inner" beyond 95 %, "low_outer", "low_inner", "not_significant"; words:
    label("funnel.…")), method, status, reason. Not assessable (significance ""): a count or denominator that cannot be
    used, and directly standardised rates of fewer than 10 events.
    """
    index = numerator.index if isinstance(numerator, pd.Series) else None
    statistic, rate_type = _words(statistic, rate_type)
    counts, base, reason = _units(numerator, denominator, rate, statistic=statistic, rate_type=rate_type, per=per)
    centre = 1.0 if statistic == "ratio" else _average(counts, base, reason)
    if statistic == "rate" and rate_type == "dsr":
        reason = np.where(counts < LEAST_EVENTS, "reason.too_few_events", reason)
    usable = reason == ""
    x, n = np.where(usable, counts, 0.0), np.where(usable, base, 1.0)
    outside = _outside_proportion(x, n, centre) if statistic == "proportion" else _outside_poisson(x, n, centre)
    columns = {
        "numerator": counts,
        "denominator": base,
        "value": np.where(usable, per * x / n, np.nan),
        "baseline": np.full(len(counts), per * centre),
    }
    table = rate_table(
        columns, method="wilson" if statistic == "proportion" else "byar_exact", reason=reason, index=index
    )
    named = np.where(usable, np.select(outside, SIGNIFICANCE[:4], SIGNIFICANCE[4]), "")
    table.insert(4, "significance", pd.Series(named, table.index, dtype="str"))
    return table


def _outside_proportion(x: Numbers, n: Numbers, centre: float) -> list[npt.NDArray[np.bool_]]:
    share = x / n
    (low_outer, high_outer), (low, high) = (proportion_limits(n, centre, coverage) for coverage in (OUTER, INNER))
    return [share > high_outer, share > high, share < low_outer, share < low]


def _outside_poisson(x: Numbers, n: Numbers, centre: float) -> list[npt.NDArray[np.bool_]]:
    (low_outer, high_outer), (low, high) = (byar_or_exact_limits(x, coverage) for coverage in (OUTER, INNER))
    expected = n * centre
    return [expected < low_outer, expected < low, expected > high_outer, expected > high]


def funnel_points(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike | None = None,
    *,
    rate: npt.ArrayLike | None = None,
    rate_type: str = "crude",
    per: float = 100_000,
    years: float = 1,
) -> pd.DataFrame:
    """Where each unit of a funnel of rates stands: value [per `per`] and person_years of one year, status, reason.

    Directly standardised rates of fewer than 10 events have no point.
    """
    index = numerator.index if isinstance(numerator, pd.Series) else None
    counts, base, reason = _units(numerator, denominator, rate, statistic="rate", rate_type=rate_type, per=per)
    if rate_type == "dsr":
        reason = np.where(counts < LEAST_EVENTS, "reason.too_few_events", reason)
    usable = reason == ""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(counts == 0, 0.0, per * counts / base) if rate is None else as_numbers(rate)
    columns = {"value": np.where(usable, value, np.nan), "person_years": np.where(usable, base / years, np.nan)}
    return rate_table(columns, method=rate_type, reason=reason, index=index)


def _words(statistic: str, rate_type: str) -> tuple[str, str]:
    """The statistic and the kind of rate that are meant."""
    others = {
        "proportions": "proportion",
        "percentage": "proportion",
        "rates": "rate",
        "ratios": "ratio",
        "smr": "ratio",
    }
    return option_word(statistic, _STATISTICS, others), option_word(rate_type, ("crude", "dsr"))


def _units(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike | None,
    rate: npt.ArrayLike | None,
    *,
    statistic: str,
    rate_type: str,
    per: float,
) -> tuple[Numbers, Numbers, npt.NDArray[np.str_]]:
    """Counts, denominators (from the rates where given; NaN where unknown) and why a unit cannot be used."""
    if statistic not in _STATISTICS or rate_type not in ("crude", "dsr"):
        raise UsageError(
            "error.funnel_statistic", found=f"{statistic}, {rate_type}", expected="proportion, rate, ratio; crude, dsr"
        )
    if denominator is None and rate is None:
        raise UsageError("error.funnel_denominator")
    arrays = same_length(
        numerator=numerator,
        denominator=np.nan if denominator is None else denominator,
        rate=np.nan if rate is None else rate,
    )
    counts, given, rates = (part.ravel() for part in arrays)
    if rate is None:
        base = given
    else:
        derived = np.divide(per * counts, rates, out=np.full(counts.shape, np.nan), where=(rates > 0) & (counts > 0))
        base = np.where(counts == 0, np.nan if rate_type == "dsr" else given, derived)
    reason: npt.NDArray[np.str_] = np.select(
        [~(counts >= 0) | np.isinf(counts), ~(base > 0) | np.isinf(base)],
        ["reason.events_missing", "reason.no_total"],
        default="",
    )
    if statistic == "proportion":
        reason = np.where((reason == "") & (counts > base), "reason.more_events_than_total", reason)
    return counts, base, reason


def _average(counts: Numbers, base: Numbers, reason: npt.NDArray[np.str_]) -> float:
    """Events of all usable units over their denominators; InputError where there is nothing to compare."""
    usable = reason == ""
    if not usable.any():
        raise InputError("error.funnel_nothing", found=len(counts))
    return float(counts[usable].sum() / base[usable].sum())
