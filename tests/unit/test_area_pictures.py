"""Pictures of small areas show what the tables say: positions, marks, names, and how many areas have no place."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from tkyt_analysis.analysis.spatial import (
    empirical_bayes_rate,
    gamma_poisson_rate,
    moran,
    moran_picture,
    risk_picture,
    shrinkage_picture,
)
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.picture_check import text_problems

# A row of eight areas, each beside the next; the ninth is an island without neighbours, the tenth has no value.
AREAS = list("abcdefghij")
VALUES = pd.Series([9.0, 8.5, 9.5, 8.0, 1.0, 1.5, 0.5, 2.0, 5.0, np.nan], AREAS)
NEIGHBOURS = [[1], [0, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7], [6], [], []]
EVENTS = pd.Series([0, 3, 40, 400, 4000], list("vwxyz"))
PERSONS = pd.Series([1_000.0, 1_000, 10_000, 100_000, 1_000_000], list("vwxyz"))


def words(found):
    axes = found.axes[0]
    legend = found.legends[0]
    texts = [*found.texts, *axes.texts, *legend.get_texts(), legend.get_title(), *axes.get_yticklabels()]
    return [" ".join(text.get_text().split()) for text in texts]


def points(found):
    """All marks of a picture, one (x, y) per row."""
    marks = [one for one in found.axes[0].collections if isinstance(one, PathCollection)]
    return np.concatenate([np.asarray(one.get_offsets()) for one in marks])


def test_the_line_of_morans_plot_rises_by_morans_i():
    found = moran_picture(VALUES, NEIGHBOURS, permutations=99, language="vi")
    line = next(one for one in found.axes[0].lines if one.get_linestyle() == "--")
    (x0, x1), (y0, y1) = line.get_xdata(), line.get_ydata()
    known = moran(VALUES, NEIGHBOURS, style="W", assumption="permutation", permutations=99).iloc[0]
    assert (y1 - y0) / (x1 - x0) == pytest.approx(known["statistic"])
    assert any("I của Moran = " in text and "99 hoán vị" in text for text in words(found))


def test_each_area_stands_at_its_z_and_the_mean_z_of_its_neighbours():
    found = moran_picture(VALUES, NEIGHBOURS, permutations=99)
    seen = VALUES.dropna()
    z = (seen - seen.mean()) / seen.std(ddof=0)
    marks = points(found)
    assert len(marks) == 8  # the island and the area without a value have no place
    at_a = marks[np.argmin(np.abs(marks[:, 0] - z["a"]))]
    assert at_a == pytest.approx([z["a"], z["b"]])  # b is a's only neighbour
    assert any("2 areas" in text for text in words(moran_picture(VALUES, NEIGHBOURS, permutations=99, language="en")))


def test_the_quadrants_are_named_and_significant_areas_counted():
    said = words(moran_picture(VALUES, NEIGHBOURS, permutations=99, alpha=0.9999, names={"a": "Xã A"}, language="vi"))
    for name in ("Cao – xung quanh cao", "Thấp – xung quanh thấp", "Cao – xung quanh thấp", "Thấp – xung quanh cao"):
        assert name in said
    counted = [int(text.rpartition("(")[2].rstrip(")")) for text in said if text.endswith(")") and text[-2].isdigit()]
    assert sum(counted) == 8


def test_raw_and_smoothed_rates_stand_above_the_population():
    table = empirical_bayes_rate(EVENTS, PERSONS, per=1000)
    marks = {tuple(np.round(one, 6)) for one in points(shrinkage_picture(table))}
    for area in EVENTS.index:
        for column in ("raw_rate", "rate"):
            assert (PERSONS[area], round(table.loc[area, column], 6)) in marks
    dashed = [one for one in shrinkage_picture(table).axes[0].lines if one.get_linestyle() == "--"]
    assert dashed[0].get_ydata()[0] == pytest.approx(table["prior_mean"].iloc[0])


def test_the_area_that_moves_most_is_named():
    table = empirical_bayes_rate(EVENTS, PERSONS, per=1000)
    most = (table["rate"] - table["raw_rate"]).abs().idxmax()
    assert f"Xã {most}" in words(shrinkage_picture(table, names={most: f"Xã {most}"}))


def test_risks_stand_by_rank_the_highest_on_top():
    table = gamma_poisson_rate(EVENTS, PERSONS * EVENTS.sum() / PERSONS.sum())
    found = risk_picture(table, language="vi")
    order = table["relative_risk"].sort_values(ascending=False)
    marks = points(found)
    ranked = marks[np.argsort(marks[:, 1])]
    assert ranked[:, 0] == pytest.approx(order.to_numpy())
    axes = found.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == order.index.tolist()
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # rank 0 on top
    counted = [int(text.rpartition(": ")[2]) for text in words(found) if "xác suất" in text]
    assert sum(counted) == len(table)


def test_many_areas_are_a_curve_and_the_first_five_are_said():
    many = pd.DataFrame(
        {"relative_risk": np.linspace(0.5, 2, 100), "evidence": "unclear"}, [f"x{n:02}" for n in range(100)]
    )
    many = many.assign(lower=many["relative_risk"] * 0.8, upper=many["relative_risk"] * 1.2)
    found = risk_picture(many, language="en")
    assert not found.axes[0].get_yticklabels()
    assert any("100 areas" in text and "x99, x98, x97, x96, x95" in text for text in words(found))


def test_areas_that_cannot_be_assessed_are_counted():
    table = gamma_poisson_rate(EVENTS, PERSONS.where(PERSONS > 1_000, 0) * 0.004)
    assert any("2 areas" in text for text in words(risk_picture(table, language="en")))


@pytest.mark.parametrize("size", ["print", "phone"])
def test_long_names_and_titles_are_broken_and_never_cut(size):
    names = {area: f"Thị trấn Nông trường số {area} tỉnh Bà Rịa – Vũng Tàu" for area in AREAS}
    options = {"title": "Tỷ suất chết chuẩn hóa theo tuổi vì bệnh tim thiếu máu cục bộ ở người từ 30 đến 69 tuổi, 2020–2025",
               "note": "Số liệu mô phỏng – không phải số liệu thật. " * 3, "size": size, "language": "vi"}  # fmt: skip
    table = gamma_poisson_rate(EVENTS, PERSONS * 0.004)
    assert text_problems(moran_picture(VALUES, NEIGHBOURS, permutations=99, alpha=0.9999, names=names, **options)) == []
    assert text_problems(risk_picture(table, **options)) == []
    assert text_problems(shrinkage_picture(empirical_bayes_rate(EVENTS, PERSONS), names=names, **options)) == []


def test_what_cannot_be_drawn_is_said_in_a_sentence():
    table = gamma_poisson_rate(EVENTS, PERSONS * 0.004)
    with pytest.raises(UsageError, match="wall"):
        risk_picture(table, size="wall")
    with pytest.raises(InputError, match="relative_risk"):
        risk_picture(table.drop(columns="relative_risk"))
    with pytest.raises(InputError, match="maybe"):
        risk_picture(table.assign(evidence="maybe"))
    with pytest.raises(InputError, match="5"):
        shrinkage_picture(empirical_bayes_rate(EVENTS, PERSONS).assign(rate=np.nan))
