"""The colours of the capture app: texts and borders of inputs can be told from what is behind them (WCAG 2.1 AA)."""

import re
from pathlib import Path

import pytest

import mortality.capture.page

STYLE = Path(mortality.capture.page.__file__).with_name("capture.css").read_text("utf-8")
TEXT, PART = 4.5, 3.0  # least contrast of a text of normal size, and of a border that shows where to type


def rules():
    """(selector, {property: value}) of every rule that stands in the style sheet."""
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", STYLE)):
        pairs = (one.partition(":") for one in body.split(";") if ":" in one)
        yield selector.strip(), {name.strip(): value.strip() for name, _, value in pairs}


def colour(value):
    """(red, green, blue) of the first colour that a value names, None without one."""
    found = re.search(r"#([0-9a-f]{6}|[0-9a-f]{3})\b", value)
    if not found:
        return None
    digits = found[1] if len(found[1]) == 6 else "".join(2 * one for one in found[1])
    return tuple(int(digits[at : at + 2], 16) for at in (0, 2, 4))


def luminance(rgb):
    parts = [one / 255 for one in rgb]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


BACKGROUNDS = {colour(body.get("background", "")) for _, body in rules()} - {None}
LIGHT = {one for one in BACKGROUNDS if luminance(one) > 0.5}
TEXTS = [(selector, body) for selector, body in rules() if colour(body.get("color", ""))]
INPUTS = [(selector, body) for selector, body in rules() if re.search(r"input|select|cap-button|cap-tab\b", selector)]


def test_contrast_is_counted_as_the_guideline_counts_it():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((0x76, 0x76, 0x76), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)  # the lightest grey for text


@pytest.mark.parametrize(("selector", "body"), TEXTS, ids=[selector[-60:] for selector, _ in TEXTS])
def test_a_text_can_be_read_on_its_own_ground_or_on_every_light_one(selector, body):
    own = colour(body.get("background", ""))
    for ground in [own] if own else LIGHT:
        assert contrast(colour(body["color"]), ground) >= TEXT, (selector, ground)


def test_borders_of_inputs_and_buttons_are_seen():
    borders = [(selector, colour(body["border"])) for selector, body in INPUTS if colour(body.get("border", ""))]
    assert len(borders) >= 4
    for selector, line in borders:
        assert contrast(line, (255, 255, 255)) >= PART, selector
