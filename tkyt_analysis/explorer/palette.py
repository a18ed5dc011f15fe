"""Colours of series: told apart with every kind of colour blindness, dark enough on white, the same for the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from tkyt_analysis.cube.model import PERIODS

INK, GREY, RULE, GROUND = "#1a1a1a", "#4a545c", "#c3ccd4", "#eef1f4"
BAD = "#8a5a00"  # of remarks that warn
# Chosen so that any two are at least 25 apart in CIELAB for normal sight, protanopia and deuteranopia, each with 3:1
# against white; tests/unit/test_explorer_palette.py measures it.
SERIES = ("#0a4d8c", "#c96a00", "#2f919c", "#7a1230", "#4d7fe8", "#9d6f50")
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


@lru_cache(maxsize=256)
def for_text(colour: str) -> str:
    """The colour, darkened until words in it have 4.5:1 against white (WCAG AA)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    while _contrast(parts) < 4.5:
        parts = [0.95 * part for part in parts]
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _contrast(parts: Sequence[float]) -> float:
    """Against white, by WCAG relative luminance."""
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def dash(position: int) -> tuple[int, tuple[float, ...]]:
    """The line style of a series: a new one each time the palette starts again."""
    return DASHES[position // len(SERIES) % len(DASHES)]
