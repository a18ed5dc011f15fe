"""From EuroMOMO's baseline to what is read off it: excess, z-scores, warning lines, CUSUM."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers, z_value
from tkyt_analysis.errors import UsageError


def judged(
    counts: Numbers, base: dict[str, npt.NDArray], delay: Numbers, lines: Sequence[float], confidence: float
) -> dict[str, Numbers]:
    """Excess, z-score and lines on the 2/3 power scale."""
    expected, stdp, spread = base["expected"], base["stdp"], base["dispersion"]
    scale = np.sqrt(4 / 9 * expected ** (-2 / 3) * (expected * spread + delay + (expected * stdp) ** 2))
    root = expected ** (2 / 3)
    z = z_value(confidence)

    def line(steps: float) -> Numbers:
        return np.maximum(root + steps * scale, 0.0) ** 1.5

    columns = {
        "expected": expected,
        "excess": counts - expected,
        "zscore": (counts ** (2 / 3) - root) / scale,
        "lower": line(-z),
        "upper": line(z),
        "baseline_lower": expected * np.exp(-z * stdp),
        "baseline_upper": expected * np.exp(np.minimum(z * stdp, 700)),
    }
    columns |= {f"upib{step:g}": line(step) for step in lines}
    return columns | {
        "ucib": expected + 1.96 * stdp, "lcib": expected - 1.96 * stdp, "stdp": stdp, "dispersion": spread,
    }  # fmt: skip


def cusum(
    zscore: Numbers, *, start: int = 0, end: int | None = None, k: float = 0.25, arl0: float = 20
) -> dict[str, Numbers]:
    """One-sided CUSUM of z-scores (series, weeks): cusum, cusum_h (limit), flag; a missing z-score counts as 0.

    k : allowance, half of the shift to detect (0.5 standard deviations per week); arl0 : weeks between false alarms
    The limit is Rogerson's: h = (arl0 + 4)/(arl0 + 2) · ln(arl0/2 + 1) − 1.16666.
    """
    if not arl0 > 0 or not k >= 0:
        raise UsageError("error.surveillance_option", option="arl0, k", found=f"{arl0}, {k}", known="> 0, ≥ 0")
    steps = np.nan_to_num(zscore) - k
    total = np.zeros_like(steps)
    last = steps.shape[1] - 1 if end is None else end
    level = np.zeros(len(steps))
    for week in range(start, last + 1):
        level = np.maximum(level + steps[:, week], 0.0)
        total[:, week] = level
    h = (arl0 + 4) / (arl0 + 2) * np.log(arl0 / 2 + 1) - 1.16666
    return {"cusum": total, "cusum_h": np.full(total.shape, h), "flag": total >= h}
