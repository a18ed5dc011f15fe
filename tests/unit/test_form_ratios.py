"""Indicators that come from a form's own cells, and their targets."""

import pandas as pd
import pytest
from support import table

from tkyt_analysis.catalog import load_entries, load_entry
from tkyt_analysis.forms.lines import form_lines
from tkyt_analysis.forms.ratios import METHOD, form_ratios

INDICATORS = [one for one in load_entries("indicators").values() if one.method == METHOD]

# Clinic a used the card for 45 of 50 visits in May, clinic b for 30 of 60; c gave no denominator, d had no visit.
VALUES = table("""
    unit_id | period_id | element_id            | value
    a       | 202305    | quangngai_digital/2.1 |    50
    a       | 202305    | quangngai_digital/2.2 |    45
    b       | 202305    | quangngai_digital/2.1 |    60
    b       | 202305    | quangngai_digital/2.2 |    30
    c       | 202305    | quangngai_digital/2.2 |    30
    d       | 202305    | quangngai_digital/2.1 |     0
    d       | 202305    | quangngai_digital/2.2 |     0
""").assign(period_end=pd.Timestamp("2023-05-31"))


def ratio(indicator, values=VALUES):
    found = form_ratios(values, indicators=[load_entry("indicators", indicator)])
    return found.set_index("unit_id")


def test_the_share_of_a_unit_is_numerator_over_denominator_and_is_held_against_the_target():
    found = ratio("quangngai_chip_card_share")
    assert found["value"]["a"] == pytest.approx(100 * 45 / 50)
    assert found["value"]["b"] == pytest.approx(100 * 30 / 60)
    assert found["target"].tolist() == [80, 80, 80, 80]
    assert (found["reached"]["a"], found["reached"]["b"]) == (True, False)
    assert found["target_day"]["a"] == pd.Timestamp("2023-06-29")  # "before 30/6/2023"


def test_without_denominator_nothing_is_assessed_and_nothing_reached():
    found = ratio("quangngai_chip_card_share").loc[["c", "d"]]
    assert found["status"].tolist() == ["not_assessable", "not_assessable"]
    assert found["value"].isna().all()
    assert found["reached"].isna().all()


def test_a_sum_with_a_missing_part_is_missing():
    cells = {f"thanhhoa_annex1/5.{number}": 10.0 for number in range(1, 8)} | {"thanhhoa_annex1/5.1": 100.0}
    rows = [("a", "202307A", name, value) for name, value in cells.items()]
    rows += [("b", "202307A", name, value) for name, value in cells.items() if not name.endswith("5.7")]
    values = pd.DataFrame(rows, columns=["unit_id", "period_id", "element_id", "value"])
    found = ratio("thanhhoa_cashless_share", values.assign(period_end=pd.Timestamp("2023-07-14")))
    assert found["value"]["a"] == pytest.approx(100 * (6 * 10) / 100)
    assert found["status"]["b"] == "not_assessable"


def test_a_count_is_held_against_its_minimum():
    values = table("""
        unit_id | period_id | element_id            | value
        a       | 202305    | quangngai_digital/9.1 |     2
        b       | 202305    | quangngai_digital/9.1 |     0
    """).assign(period_end=pd.Timestamp("2023-05-31"))
    found = ratio("quangngai_news_items", values)
    assert found["value"].tolist() == [2, 0]
    assert found["reached"].tolist() == [True, False]


def test_no_values_give_no_rows_but_the_columns():
    assert len(form_ratios(VALUES.iloc[:0])) == 0
    assert "reached" in form_ratios(VALUES.iloc[:0]).columns


@pytest.mark.parametrize("entry", INDICATORS, ids=lambda one: one.id)
def test_every_such_indicator_names_cells_of_its_form(entry):
    for formula in (entry.numerator, entry.denominator):
        for part in formula.split(" + "):
            if part != "1":
                form, _, row = part.partition("/")
                version = next(iter(load_entry("forms", form).versions.values()))
                assert row in {line.row for line in form_lines(version) if not line.is_heading}
