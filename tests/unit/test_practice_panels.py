"""Drawn panels and the errors planted into them: practice data for checks, the same for the same seed."""

import numpy as np
import pytest

from tkyt_analysis.practice.panels import (
    design_form,
    draw_forms,
    draw_values,
    each_form,
    month_effects,
    rows_of,
    unit_rows,
)
from tkyt_analysis.practice.panels_defects import (
    KINDS,
    lineage_rows,
    plant_defects,
    second_submissions,
)
from tkyt_analysis.practice.panels_population import draw_population, plant_population


@pytest.fixture(scope="module")
def design():
    return design_form(11, provinces=3, units_per_province=50, months=36, first_month="202201", elements=30)


@pytest.fixture(scope="module")
def block(design):
    (one,) = each_form(design)
    return one


@pytest.fixture(scope="module")
def damaged(design, block):
    return plant_defects(block, seed=5, elements=design.elements)


def test_the_same_seed_draws_the_same_numbers_however_many_units_are_drawn_at_once(design, block):
    pieces = list(each_form(design, cells_at_once=1))
    assert len(pieces) == 3  # 150 units, 64 at a time
    assert np.array_equal(np.concatenate([one.values for one in pieces]), block.values, equal_nan=True)


def test_another_seed_draws_other_numbers(block):
    (other,) = draw_forms(12, 3, 50, 36, "202201", 30)
    assert not np.array_equal(other.values, block.values, equal_nan=True)


def test_totals_are_the_sums_of_their_parts_and_deaths_are_among_admissions(design, block):
    role = list(design.elements["role"])
    total, admissions, births = role.index("total"), role.index("admissions"), role.index("births")
    seen = np.isfinite(block.values[:, :, total])
    assert (block.values[:, :, total + 1 : total + 4].sum(axis=2)[seen] == block.values[:, :, total][seen]).all()
    assert not (block.values[:, :, admissions + 1] > block.values[:, :, admissions]).any()
    assert not (block.values[:, :, births + 1] > block.values[:, :, births]).any()


def test_counts_look_like_counts_of_communes(block):
    seen = block.values[np.isfinite(block.values)]
    assert (seen == np.round(seen)).all()
    assert (seen >= 0).all()
    assert 0.05 < (seen == 0).mean() < 0.5
    assert np.quantile(seen, 0.99) > 50 * max(np.median(seen), 1)  # orders of magnitude
    assert 0.03 < 1 - block.reported.mean() < 0.15  # missing reports, closed and remote units


def test_counts_vary_more_than_poisson(design, block):
    place = int(design.elements["rate"].where(design.elements["role"] == "single").idxmax())
    values = block.values[:, :, place]
    values = values[np.isfinite(values).sum(axis=1) > 12]
    ratio = np.nanvar(values, axis=1) / np.nanmean(values, axis=1)
    assert np.nanmedian(ratio) > 1.5


def test_tet_lowers_the_month_in_which_it_falls(design):
    names = [one.period_id for one in design.periods]
    flat = design.elements.assign(season=0.0, tet=1.0)
    effect = month_effects(type(design)(**{**design.__dict__, "elements": flat}))
    assert effect[names.index("202301")].max() < 0.85
    assert effect[names.index("202302")].min() == 1
    assert effect[names.index("202402")].max() < 0.85
    assert effect[names.index("202401")].min() == 1


def test_three_shocks_and_two_campaigns_are_drawn(design):
    assert [event.kind for event in design.events] == ["D2", "D2", "D2", "D3", "D3"]


def test_rows_hold_every_cell_once(block):
    rows = rows_of(block)
    assert len(rows) == np.isfinite(block.values).sum() == len(draw_values(11, 3, 50, 36, "202201", 30))
    assert not rows.duplicated(["element_id", "category_id", "unit_id", "period_id"]).any()


def test_quarters_are_drawn_too():
    (block,) = draw_forms(1, 1, 5, 24, "202301", 15, kind="quarter")
    assert [one.period_id for one in block.periods][:2] == ["2023Q1", "2023Q2"]
    assert len(block.periods) == 8


def test_units_know_their_province(design):
    rows = unit_rows(design)
    assert set(rows.loc[rows["level"] == "commune", "province_id"]) == {"DRAWN:01", "DRAWN:02", "DRAWN:03"}


def test_the_truth_table_tells_every_changed_cell_and_no_other(block, design):
    kinds = [kind for kind in KINDS if kind not in ("B8", "B12", "D1", "E1", "B11")]
    shown, truth = plant_defects(block, kinds, seed=7, elements=design.elements)
    unit, column, place = np.nonzero(
        ~((shown.values == block.values) | (np.isnan(shown.values) & np.isnan(block.values)))
    )
    names = [one.period_id for one in block.periods]
    changed = {(block.units[u], names[c], block.series[p][0]) for u, c, p in zip(unit, column, place, strict=True)}
    assert changed == set(zip(truth["unit_id"], truth["period_id"], truth["element_id"], strict=True))


def test_every_kind_is_planted(damaged):
    _, truth = damaged
    assert set(truth["kind"]) >= set(KINDS) - {"A7"}  # A7 needs a unit that closed early


def test_no_two_errors_touch_the_same_cell(damaged):
    _, truth = damaged
    cells = truth[(truth["element_id"] != "") & (truth["kind"] != "D1")]
    assert not cells.duplicated(["unit_id", "period_id", "element_id"]).any()


def test_heavy_plants_more_than_light(design, block):
    light = plant_defects(block, ["B1"], seed=5)[1]
    heavy = plant_defects(block, ["B1"], seed=5, severity="heavy")[1]
    assert len(heavy) == pytest.approx(3 * len(light), abs=2)


def test_a_cumulative_report_holds_the_sum_since_january(design, block):
    _, truth = plant_defects(block, ["B5"], seed=2, elements=design.elements)
    one = truth.iloc[0]
    year, unit = one["period_id"][:4], list(block.units).index(one["unit_id"])
    columns = [
        at for at, each in enumerate(block.periods) if each.period_id[:4] == year and each.period_id <= one["period_id"]
    ]
    place = [each[0] for each in block.series].index(one["element_id"])
    assert one["shown_value"] == np.nansum(block.values[unit, columns, place])


def test_a_second_submission_differs_from_the_first(damaged):
    shown, truth = damaged
    again = second_submissions(shown, truth)
    merged = again.merge(
        rows_of(shown), on=["element_id", "category_id", "unit_id", "period_id"], suffixes=("", "_first")
    )
    assert len(merged)
    assert (merged["value"] != merged["value_first"]).any()


def test_a_changed_unit_reports_under_both_ids_only_where_planted(damaged):
    shown, truth = damaged
    rows = lineage_rows(shown)
    place = {unit: at for at, unit in enumerate(shown.units)}
    half = len(shown.periods) // 2
    both = [old for old in rows["old_unit_id"] if shown.reported[place[old], half:].any()]
    assert 0 < len(both) < len(rows)
    assert set(both) == {unit for unit in truth.loc[truth["kind"] == "E1", "unit_id"] if unit.endswith("OLD")}


def test_denominators_jump_where_planted(design):
    population = draw_population(design.units, design.size, [2022, 2023, 2024], seed=1)
    shown, truth = plant_population(population, rate=0.05, seed=2)
    assert (shown["persons"] != population["persons"]).sum() == len(truth)
    assert len(truth) > 5
