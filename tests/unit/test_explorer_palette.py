"""Colours of series can be told apart by everybody and read on white."""

from itertools import combinations

import numpy as np
import pytest

from tkyt_analysis.explorer import palette

# Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
# Linear sRGB to XYZ (IEC 61966-2-1), white D65.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    x, y, z = XYZ @ np.clip(rgb, 0, 1) / (0.9505, 1.0, 1.089)
    x, y, z = (np.cbrt(part) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(first, second, sight):
    return float(
        np.linalg.norm(lab(np.array(SIGHT[sight]) @ linear(first)) - lab(np.array(SIGHT[sight]) @ linear(second)))
    )


def contrast(colour, ground="#ffffff"):
    bright = sorted(float(XYZ[1] @ linear(one)) + 0.05 for one in (colour, ground))
    return bright[1] / bright[0]


@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_series_are_told_apart_by(sight):
    closest = min(apart(*pair, sight) for pair in combinations(palette.SERIES, 2))
    assert closest >= 25, closest


@pytest.mark.parametrize("sight", SIGHT)
def test_each_step_of_an_ordered_palette_is_told_from_the_next_by(sight):
    for number in range(2, 7):
        steps = palette.colours([(str(2020 + i),) for i in range(number)], ("year",))
        assert min(apart(a, b, sight) for a, b in zip(steps, steps[1:])) >= 10
        bright = [float(XYZ[1] @ linear(step)) for step in steps]
        assert bright == sorted(bright, reverse=True), "later is darker"


def test_marks_have_three_to_one_against_white_and_words_four_and_a_half():
    assert all(contrast(colour) >= 3 for colour in palette.SERIES)
    assert all(contrast(palette.for_text(colour)) >= 4.5 for colour in (*palette.SERIES, palette.FAINT))
    assert all(contrast(colour) >= 4.5 for colour in (palette.GREY, palette.INK, palette.BAD))


def test_the_sexes_keep_their_colours_whatever_their_order():
    first = dict(zip("mf", palette.colours([("male",), ("female",)], ("sex",))))
    second = dict(zip("fm", palette.colours([("female",), ("male",)], ("sex",))))
    assert first == second
    assert first["m"] != first["f"]


def test_twelve_lines_differ_in_colour_or_dashes():
    keys = [(str(i),) for i in range(12)]
    looks = {(colour, palette.dash(i)) for i, colour in enumerate(palette.colours(keys, ("province",)))}
    assert len(looks) == 12
