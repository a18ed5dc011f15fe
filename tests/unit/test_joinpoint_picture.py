"""The figure of joinpoint regression: what stands on it, and that nothing hides anything."""

import itertools

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.trend import joinpoint, joinpoint_picture
from tkyt_analysis.errors import InputError, UsageError

YEARS = np.arange(2005, 2025)


def bent_series(**more):
    rate = 100 * 1.05 ** np.minimum(YEARS - 2005, 9) * 0.97 ** np.maximum(YEARS - 2014, 0)
    return pd.DataFrame({"year": YEARS, "rate": rate * (1 + 0.01 * np.sin(7 * YEARS))}).assign(**more)


def words(figure):
    """Every text of a figure that can be read, with its box."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    found = [one for one in figure.findobj(Text) if one.get_visible() and one.get_text().strip()]
    return {(one.get_text(), tuple(one.get_window_extent(renderer).bounds)) for one in found}


def test_the_key_says_the_change_of_each_segment_with_its_limits():
    result = joinpoint(bent_series())
    first = result.segments.iloc[0]
    said = {text for text, _ in words(joinpoint_picture(result, title="Tử vong", language="vi"))}
    value, low, high = (f"{first[name]:.2f}".replace(".", ",") for name in ("apc", "lower", "upper"))
    assert f"2005–{first['end']}: +{value} %* (+{low}; +{high})" in said
    assert "Tử vong" in said
    assert any("Trục đứng không bắt đầu từ 0" in text for text in said)


@pytest.mark.parametrize(("at_breaks", "size"), [("mark", "phone"), ("split", "print"), ("jump", "phone")])
def test_no_text_lies_on_another_or_is_cut(at_breaks, size):
    rows = pd.concat([bent_series(unit="Hà Nội"), bent_series(unit="Thành phố Hồ Chí Minh")])
    result = joinpoint(rows, by="unit", breaks=[2017], at_breaks=at_breaks)
    figure = joinpoint_picture(result, title="Tử vong do tai nạn", unit="trên 100.000 dân", size=size, language="vi")
    texts = words(figure)
    assert any("Đổi nguồn dân số" in text for text, _ in texts)
    width, height = figure.canvas.get_width_height()
    for text, (x, y, w, h) in texts:
        assert min(x, y) >= -0.5, text
        assert x + w <= width + 0.5, text
        assert y + h <= height + 0.5, text
    for (text, (x, y, w, h)), (other, (u, v, m, k)) in itertools.combinations(texts, 2):
        apart = x + w <= u + 0.5 or u + m <= x + 0.5 or y + h <= v + 0.5 or v + k <= y + 0.5
        assert apart, (text, other)


def test_the_curve_of_a_segment_passes_through_its_fitted_values():
    result = joinpoint(bent_series())
    axes = joinpoint_picture(result, language="en").axes[0]
    lines = [line for line in axes.get_lines() if "%" in str(line.get_label())]
    for segment, line in zip(result.segments.itertuples(), lines, strict=True):
        x, y = line.get_data()
        own = result.fitted[result.fitted["year"].between(segment.start, segment.end)]
        assert np.interp(own["year"].astype(float), x, y) == pytest.approx(own["fitted"].to_numpy(), rel=1e-4)


def test_a_series_that_could_not_be_fitted_says_why():
    figure = joinpoint_picture(joinpoint({"year": [1, 2, 3], "rate": [1, 0, 2]}), language="vi")
    assert any("không lấy được logarit" in text for text, _ in words(figure))


def test_one_series_of_many_is_picked_and_too_many_are_refused():
    rows = pd.concat(bent_series(unit=f"{i:02d}") for i in range(13))
    result = joinpoint(rows, by="unit")
    assert len(joinpoint_picture(result, only={"unit": "03"}).axes) == 1
    for options, error, key in (
        ({}, InputError, "error.joinpoint_too_many_panels"),
        ({"only": {"unit": "99"}}, InputError, "error.joinpoint_nothing_to_draw"),
        ({"only": {"place": "03"}}, InputError, "error.rate_columns_missing"),
        ({"size": "huge"}, UsageError, "error.joinpoint_option"),
    ):
        with pytest.raises(error) as caught:
            joinpoint_picture(result, **options)
        assert caught.value.key == key
