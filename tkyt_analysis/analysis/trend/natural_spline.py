"""Natural cubic splines: cubic between the knots, straight lines outside the boundary knots."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


def natural_spline(x: npt.ArrayLike, knots: npt.ArrayLike, boundary: tuple[float, float] | None = None) -> Numbers:
    """Columns that span the natural cubic splines with these inner knots, the constant among them.

    x : places, shape (n,); knots : inner knots (none: a straight line); boundary : the outer knots, by default the ends
    of x. Returns shape (n, 2 + number of knots). The span is that of `cbind(1, splines::ns(x, knots = …))` in R, so that
    fitted values and their standard errors agree; single columns do not. Hastie, Tibshirani & Friedman, The Elements of
    Statistical Learning, §5.2.1.
    """
    places = np.asarray(x, dtype=float)
    low, high = boundary or (float(places.min()), float(places.max()))
    spread = (high - low) or 1.0
    inner = np.unique((np.asarray(knots, dtype=float) - low) / spread)
    inner = inner[(inner > 0) & (inner < 1)]
    scaled = (places - low) / spread
    if not len(inner):
        return np.column_stack([np.ones(len(places)), scaled])
    return _outside_straight(scaled, inner)


def _outside_straight(scaled: Numbers, inner: Numbers) -> Numbers:
    """Cubic B-splines without curvature at 0 and 1, continued as straight lines."""
    from scipy.interpolate import BSpline
    from scipy.linalg import null_space

    ends = np.concatenate([np.zeros(4), inner, np.ones(4)])
    basis = BSpline(ends, np.eye(len(ends) - 4), 3)
    curvature = basis.derivative(2)(np.array([0.0, 1.0]))
    within = np.clip(scaled, 0.0, 1.0)
    slope = basis.derivative(1)(within) * (scaled - within)[:, None]
    found: Numbers = (basis(within) + slope) @ null_space(curvature)
    return found
