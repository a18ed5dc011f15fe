"""Units that leave their usual level together: an outbreak, a campaign or a storm in a part of the panel, not errors.

Where in one period more units stray to the same side than is usual in this panel, a value that strays with them may be
part of a shared event. How likely, is the excess of such units; how far such a value goes, is told by the others.
"""

from __future__ import annotations

import numpy as np

_STRAYS = 2.5
_SPREAD = 0.5  # of the event's strength between units, on the log scale
_LEAST = 2.0
_MANY_TIMES = 3.0


def shared_event(distance: np.ndarray, log_ratio: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Log of (chance of a shared event × probability of the count under it) for every cell; -inf where there is none.

    distance : standard deviations from the expected count; log_ratio : log of count over expected; shape (units, periods),
    NaN missing. The value itself does not count among the units that stray.
    """
    present = np.isfinite(distance)
    reporting = np.maximum(present.sum(axis=0), 1)
    found = np.full(distance.shape, -np.inf)
    for side in (-1.0, 1.0):
        strays = present & (side * distance > _STRAYS)
        usual = strays.sum() / max(present.sum(), 1)
        others = strays.sum(axis=0) - strays
        excess = (others - _MANY_TIMES * usual * reporting - _LEAST) / reporting
        columns = np.flatnonzero((excess > 0).any(axis=0))
        if not len(columns):
            continue
        strength = np.array([np.median(log_ratio[strays[:, at], at]) for at in columns])
        away = (log_ratio[:, columns] - strength) / _SPREAD
        density = -0.5 * away**2 - np.log(_SPREAD * np.sqrt(2 * np.pi)) - np.log(counts[:, columns] + 0.5)
        part = (excess[:, columns] > 0) & present[:, columns]
        chance = np.log(np.where(part, excess[:, columns], 1.0))
        found[:, columns] = np.logaddexp(found[:, columns], np.where(part, chance + density, -np.inf))
    return found
