"""One figure of one step for all series at once, and the intervals that several steps use."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.ten_steps.panel import Numbers, Panel
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK, poisson_limits, wilson_limits

COLUMNS = [
    "place", "year", "step", "figure", "value", "lower", "upper", "events", "base", "method", "status", "reason",
]  # fmt: skip
Z = NormalDist().inv_cdf(0.975)


def figure(
    panel: Panel,
    step: int,
    name: str,
    *,
    value: npt.ArrayLike,
    lower: npt.ArrayLike = np.nan,
    upper: npt.ArrayLike = np.nan,
    events: npt.ArrayLike = np.nan,
    base: npt.ArrayLike = np.nan,
    method: str,
    reason: npt.ArrayLike = "",
) -> pd.DataFrame:
    """Rows of one figure, one per series; a value that is missing without a reason gets the reason no_value.

    events, base : what the figure counts, and over how many; reason : key of `ten_steps.reason.…`, "" where there is a value
    """
    size = len(panel.frame)
    numbers = {
        column: np.broadcast_to(np.asarray(given, dtype=float), size).copy()
        for column, given in (("value", value), ("lower", lower), ("upper", upper), ("events", events), ("base", base))
    }
    why = np.broadcast_to(np.asarray(reason, dtype=object), size).copy()
    why = np.where((why == "") & ~np.isfinite(numbers["value"]), "no_value", why)
    for column in ("value", "lower", "upper"):
        numbers[column] = np.where(why == "", numbers[column], np.nan)
    rows = panel.frame.assign(
        step=step, figure=name, **numbers, method=method, status=np.where(why == "", OK, NOT_ASSESSABLE), reason=why
    )
    return rows[COLUMNS].astype({"method": "str", "status": "str", "reason": "str"})


def share_figure(panel: Panel, step: int, name: str, events: Numbers, total: Numbers) -> pd.DataFrame:
    """A share with its Wilson interval; without any death there is none."""
    limits = wilson_limits(pd.Series(events), pd.Series(total))
    return figure(
        panel,
        step,
        name,
        value=limits["share"],
        lower=limits["lower"],
        upper=limits["upper"],
        events=events,
        base=total,
        method="proportion_wilson",
        reason=np.where(total > 0, "", "no_deaths"),
    )


def ratio_to_expected(panel: Panel, step: int, name: str, events: Numbers, expected: Numbers) -> pd.DataFrame:
    """Observed over expected deaths, with Poisson limits of the observed (exact below 10, else Byar)."""
    usable = np.isfinite(expected) & (expected > 0)
    safe = np.where(usable, expected, 1.0)
    lower, upper, _ = poisson_limits(events)
    return figure(
        panel,
        step,
        name,
        value=events / safe,
        lower=lower / safe,
        upper=upper / safe,
        events=events,
        base=np.where(usable, expected, 0.0),
        method="observed_expected;rates=UN WPP 2024",
        reason=np.where(usable, "", np.where(panel.all_persons > 0, "no_reference", "no_population")),
    )


def difference_of_shares(
    panel: Panel, step: int, name: str, first: tuple[Numbers, Numbers], second: tuple[Numbers, Numbers]
) -> pd.DataFrame:
    """First share less the second, (events, total) each; Newcombe's interval of the two Wilson intervals.

    Source: Newcombe, Stat Med 17 (1998): 873–890, method 10. base : the smaller of the two totals
    """
    one, two = (wilson_limits(pd.Series(events), pd.Series(total)) for events, total in (first, second))
    gap = (one["share"] - two["share"]).to_numpy()
    down = np.hypot(one["share"] - one["lower"], two["upper"] - two["share"])
    up = np.hypot(one["upper"] - one["share"], two["share"] - two["lower"])
    base = np.minimum(first[1], second[1])
    return figure(
        panel,
        step,
        name,
        value=gap,
        lower=gap - down.to_numpy(),
        upper=gap + up.to_numpy(),
        events=first[0],
        base=base,
        method="difference_newcombe",
        reason=np.where(base > 0, "", "no_deaths"),
    )
