"""Pictures of surveillance say what was judged, and no words leave the sheet."""

import numpy as np
import pytest

from tkyt_analysis.analysis.trend import (
    euromomo,
    farrington,
    farrington_control,
    nowcast,
    nowcast_picture,
    nowcasting,
    surveillance_picture,
)
from tkyt_analysis.analysis.trend.surveillance_drawing import method_words
from tkyt_analysis.errors import UsageError

WEEKS = np.datetime64("2019-01-07") + 7 * np.arange(330)
COUNTS = np.tile([8.0, 12.0, 10.0], 110)
COUNTS[-5] = 60
CELLS = np.tile([[30.0, 20.0, 10.0]], (40, 1))


def legend(drawing):
    return [text.get_text() for text in drawing.legends[0].get_texts()]


@pytest.mark.parametrize("size", ["print", "phone"])
@pytest.mark.parametrize("kind", ["farrington", "euromomo", "nowcast"])
def test_every_word_lies_on_the_sheet(kind, size):
    title = "Tử vong theo tuần vì đuối nước ở trẻ dưới 16 tuổi, tỉnh Nghệ An"
    note = "Số liệu mô phỏng – không phải số liệu thật"
    if kind == "nowcast":
        drawing = nowcast_picture(nowcast(CELLS), title=title, note=note, size=size, language="vi")
    else:
        table = farrington(COUNTS, time=WEEKS, last=12) if kind == "farrington" else euromomo(COUNTS, time=WEEKS)
        drawing = surveillance_picture(table, title=title, note=note, size=size, language="vi")
    drawing.draw_without_rendering()
    drawn = drawing.get_tightbbox()  # inches; what is not drawn (ticks beyond the axis) does not count
    width, height = drawing.get_size_inches()
    assert min(drawn.x0, drawn.y0, width - drawn.x1, height - drawn.y1) >= -0.01
    texts = [text.get_text() for text in drawing.findobj(lambda one: hasattr(one, "get_text"))]
    assert any("mô phỏng" in text for text in texts)


def test_alarms_are_counted_and_weeks_that_were_not_judged_are_shown_as_such():
    table = farrington(COUNTS, time=WEEKS, last=12)
    assert table["alarm"].sum() == 1
    assert "Cảnh báo (1)" in legend(surveillance_picture(table, title="x", language="vi"))
    few = farrington(COUNTS * 0, time=WEEKS, last=12)
    assert "Không xét được" in legend(surveillance_picture(few, title="x", language="vi"))
    assert "Không xét được" not in legend(surveillance_picture(table, title="x", language="vi"))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_method_below_a_picture_is_said_in_words_never_by_its_machine_name(language):
    tables = [farrington(COUNTS, time=WEEKS, last=1, method=method) for method in farrington_control.METHODS]
    tables += [euromomo(COUNTS, time=WEEKS)]
    tables += [nowcast(CELLS, method=method) for method in nowcasting.METHODS if "euromomo" not in method]
    words = [method_words(table, language) for table in tables]
    assert len(set(words)) == len(tables)
    assert not any("_" in word or ";" in word for word in words)
    sheet = surveillance_picture(tables[0], title="x", language=language)
    assert words[0] in " ".join(sheet.axes[0].get_xlabel().split())


@pytest.mark.parametrize("draw", [surveillance_picture, nowcast_picture])
def test_a_picture_shows_one_series_of_the_right_table(draw):
    many = (
        farrington(np.stack([COUNTS, COUNTS]), last=3)
        if draw is surveillance_picture
        else nowcast(np.stack([CELLS, CELLS]))
    )
    with pytest.raises(UsageError) as problem:
        draw(many, title="x")
    assert "2" in problem.value.sentence("vi")
    with pytest.raises(UsageError):
        draw(many.drop(columns="index"), title="x")
    with pytest.raises(UsageError):
        draw(many[:3], title="x", size="wall")
