"""Colours of maps can be told apart by everybody, and words on them be read."""

from itertools import combinations

import numpy as np
import pytest

from tkyt_analysis.maps import palettes

# Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# Linear sRGB to XYZ (IEC 61966-2-1), white D65.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(colour, sight):
    x, y, z = XYZ @ np.clip(np.array(SIGHT[sight]) @ linear(colour), 0, 1) / (0.9505, 1.0, 1.089)
    x, y, z = (np.cbrt(part) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def closest(colours, sight):
    """The least CIELAB distance of any two."""
    return min(float(np.linalg.norm(lab(a, sight) - lab(b, sight))) for a, b in combinations(colours, 2))


EVERYBODY = pytest.mark.parametrize("sight", SIGHT)


@EVERYBODY
@pytest.mark.parametrize("number", range(2, 8))
def test_any_two_classes_are_told_apart_by(sight, number):
    assert closest(palettes.sequential(number), sight) >= 10
    assert closest(palettes.diverging(number), sight) >= 10


@EVERYBODY
def test_the_four_quadrants_and_the_rest_are_told_apart_by(sight):
    words = ("high_high", "high_low", "low_high", "low_low", "not_significant")
    assert closest([palettes.CLUSTERS[one] for one in words], sight) >= 20


@EVERYBODY
def test_the_first_ranks_of_a_scan_are_told_apart_by(sight):
    assert closest([*palettes.RANKS[:4], palettes.CLUSTERS["not_significant"]], sight) >= 15


@EVERYBODY
@pytest.mark.parametrize("values", [2, 3])
def test_within_one_reliability_values_are_told_apart_and_less_so_the_less_reliable_they_are(sight, values):
    near = [closest(row, sight) for row in palettes.bivariate(values, 3)]
    assert near[0] > near[1] > near[2], "a weak figure must not look as sure as a strong one"
    assert near[1] >= 8


@EVERYBODY
def test_one_value_is_told_apart_by_its_reliability(sight):
    columns = zip(*palettes.bivariate(3, 3))
    assert min(closest(column, sight) for column in columns) >= 4  # the lowest level also bears dots


@pytest.mark.parametrize("name", ["sequential", "diverging", "clusters", "groups", "bivariate"])
def test_words_on_every_colour_have_contrast(name):
    made = {
        "sequential": palettes.SEQUENTIAL,
        "diverging": palettes.diverging(7),
        "clusters": palettes.CLUSTERS.values(),
        "groups": palettes.GROUPS,
        "bivariate": [one for row in palettes.bivariate(3, 3) for one in row],
    }[name]
    for colour in made:
        bright = sorted(float(XYZ[1] @ linear(one)) + 0.05 for one in (colour, palettes.ink_on(colour)))
        assert bright[1] / bright[0] >= 4.5, colour
