"""A high figure that others confirm is a shock; one that vouches only for itself stays a question."""

import pandas as pd
import pytest

from tkyt_analysis.quality.shocks import with_shocks

WATCH = pd.DataFrame(
    {"watch_id": ["drowned", "deaths"], "subject": ["drowning", "drowning"], "kind": ["element", "death_cause"]}
)
ELEMENTS = pd.DataFrame({"element_id": ["E1"], "watch_id": ["drowned"]})
UNITS = pd.DataFrame({"unit_id": ["C1", "C2"], "province_id": ["P1", "P1"]})
SIGNAL = {
    "unit_id": "P1",
    "watch_id": "drowned",
    "period_id": "202507",
    "alarm": True,
    "extent": "local",
    "neighbours": 0,
    "excess": 20.0,
}
FINDING = {"finding_id": "f1", "verdict": "error_high", "severity": "warning", "unit_id": "C1", "period_id": "202507", "element_id": "E1",
           "value": 8.0, "expected": 1.0, "explanation": "extra_digit"}  # fmt: skip


def verdict(finding=None, *signals):
    rows = pd.DataFrame([{**SIGNAL, **one} for one in (signals or ({},))])
    found = with_shocks(
        pd.DataFrame([{**FINDING, **(finding or {})}]), rows, watch=WATCH, elements=ELEMENTS, units=UNITS
    )
    return found["verdict"].iloc[0], found["explanation"].iloc[0]


@pytest.mark.parametrize("word", [{"extent": "shared"}, {"extent": "both"}, {"neighbours": 1}])
def test_many_provinces_or_a_neighbour_confirm_a_high_figure(word):
    assert verdict(None, word) == ("shock", "shock")


def test_deaths_confirm_what_the_form_says():
    assert verdict(None, {}, {"watch_id": "deaths"}) == ("shock", "shock")


def test_a_province_alone_does_not_confirm_the_figure_of_its_commune():
    assert verdict() == ("error_high", "extra_digit")


@pytest.mark.parametrize(
    "finding",
    [
        {"value": 12.0},  # 11 of an excess of 20: the figure makes the alarm itself
        {"verdict": "error_low"},
        {"severity": "error"},  # arithmetic that does not add up is no outbreak
        {"period_id": "202508"},
        {"element_id": "E2"},
        {"unit_id": "elsewhere"},
    ],
)
def test_what_is_not_certain_to_be_the_outbreak_stays_a_question(finding):
    assert verdict(finding, {"extent": "shared"})[0] == finding.get("verdict", "error_high")


def test_no_alarm_confirms_nothing():
    assert verdict(None, {"alarm": False, "extent": "shared"})[0] == "error_high"
