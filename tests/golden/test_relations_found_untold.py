"""Relations in reference panels that the detectors find without being told; the panel is data of Countdown 2030, Kenya 2019–2023."""

import numpy as np
import pandas as pd
import pytest
from support import reference_path

from tkyt_analysis.quality.context import context_of_tables
from tkyt_analysis.quality.special.learned import judge_learned
from tkyt_analysis.quality.special.relations import learn_sums


@pytest.fixture(scope="module")
def kenya():
    parts = []
    for number in (1, 2):
        wide = pd.read_csv(reference_path("quality", "panels", "kenya_cd2030", f"Service_data_{number}.csv"))
        month = pd.to_datetime(wide["month"].str.strip(), format="%B").dt.month.map("{:02d}".format)
        wide = wide.assign(unit_id=wide["district"].str.strip(), period_id=wide["year"].astype(str) + month)
        wide = wide.drop(columns=["district", "year", "month"])
        parts.append(wide.melt(["unit_id", "period_id"], var_name="element_id", value_name="value"))
    rows = pd.concat(parts).dropna(subset="value").assign(dataset_id="kenya", category_id="")
    (block,) = context_of_tables({"aggregate_value": rows}).forms(("month",))
    return block


def test_stillbirths_are_found_to_be_fresh_and_macerated_ones(kenya):
    names = [element for element, _ in kenya.series]
    (one,) = learn_sums(kenya.values)
    assert names[one.total] == "Stillbirth_total"
    assert {names[part] for part in one.parts} == {"Stillbirth_fresh", "Stillbirth_macerated"}
    assert one.share == pytest.approx(0.81, abs=0.01)


def test_the_549_of_2817_months_in_which_the_parts_do_not_sum_are_found(kenya):
    names = [element for element, _ in kenya.series]
    three = kenya.values[:, :, [names.index(f"Stillbirth_{one}") for one in ("total", "fresh", "macerated")]]
    assert np.isfinite(three).all(axis=2).sum() == 2817  # quality.md, C1
    rows, _, _ = judge_learned(kenya, {})
    assert ((rows["relation"] == "sum") & (rows["element_id"] == "Stillbirth_total")).sum() == 549
