"""Colours of series: told apart with every kind of colour blindness, dark enough on white, the same for the same thing."""

from __future__ import annotations

from collections.abc import Sequence

from tkyt_analysis.cube.model import PERIODS

INK, GREY, RULE, GROUND = "#1a1a1a", "#4a545c", "#c3ccd4", "#eef1f4"
BAD = "#8a5a00"  # of remarks that warn
# After Okabe & Ito (2008), darkened until each has 3:1 against white; blue and orange first.
SERIES = ("#0a4d8c", "#c96a00", "#008566", "#a0306e", "#3d8fd1", "#6b5200")
DASHES = ((0, ()), (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))
SEX = {"male": SERIES[0], "female": SERIES[1]}
# Light to dark, for things with an order (years, months); every step has an outline in ORDERED_RIM.
ORDERED = ("#c6dbef", "#8fbfe0", "#559bcb", "#2272b4", "#0a4d8c", "#06294d")
ORDERED_RIM = "#06294d"
FAINT = "#9aa5ae"  # lines in the background


def colours(keys: Sequence[tuple[str, ...]], dimensions: Sequence[str], *, ordered: bool = True) -> list[str]:
    """One colour per series: fixed for the sexes, light to dark for periods (`ordered`), else the palette in turn."""
    varying = [i for i in range(len(dimensions)) if len({key[i] for key in keys}) > 1]
    if len(varying) == 1:
        only = [key[varying[0]] for key in keys]
        name = dimensions[varying[0]]
        if name == "sex":
            return [SEX.get(code, SERIES[2 + i % 4]) for i, code in enumerate(only)]
        if ordered and name in PERIODS and len(keys) <= len(ORDERED):
            return _ramp(len(keys))
    return [SERIES[i % len(SERIES)] for i in range(len(keys))]


def _ramp(number: int) -> list[str]:
    """So many steps from light to dark, the last one always the house's blue or darker."""
    first = {1: (4,), 2: (1, 4), 3: (0, 2, 4), 4: (0, 2, 3, 5), 5: (0, 1, 2, 4, 5)}
    return [ORDERED[i] for i in first.get(number, range(number))]


def dash(position: int) -> tuple[int, tuple[float, ...]]:
    """The line style of a series: a new one each time the palette starts again."""
    return DASHES[position // len(SERIES) % len(DASHES)]
