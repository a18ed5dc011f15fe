"""Model life tables: the relational logit meets what is known; filled ages are labelled."""

import numpy as np
import pytest

from mortality.measures.life_table import life_tables
from mortality.measures.life_table_core import cut_at
from mortality.measures.log_quad_life_table import log_quad_life_table
from mortality.measures.model_life_table import (
    fill_weak_ages,
    model_life_table,
    standard_life_table,
    standard_life_tables,
)
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import label

AGE = [0, 1, *range(5, 90, 5)]


def test_every_standard_has_a_title_a_source_and_plausible_life_expectancies():
    titles = standard_life_tables()
    assert (titles[["title_vi", "title_en", "source"]] != "").all(axis=None)
    for standard in titles["standard"]:
        male, female, both = standard_life_table(standard).ex[:, 0]
        assert 65 < male < both < female < 85


@pytest.mark.parametrize("standard", ["wpp_2024_2015_2020", "wpp_2019_2015_2020"])
def test_a_band_0_4_in_place_of_0_and_1_4_hardly_moves_life_expectancy(standard):
    split = standard_life_table(standard)
    together = split.dx[:, :2].sum(axis=1) / split.Lx[:, :2].sum(axis=1)
    merged = life_tables(np.column_stack([together, split.mx[:, 2:]]), [0, *split.age[2:]], split.sex)
    np.testing.assert_allclose(merged.ex[:, 0], split.ex[:, 0], atol=0.005)


def test_two_parameters_meet_child_and_adult_mortality():
    table = model_life_table(sex=["male", "female"], q5=[0.03, 0.02], q15_45=[0.2, 0.09])
    child = 1 - table.lx[:, table.place_of(5)] / table.lx[:, 0]
    adult = 1 - table.lx[:, table.place_of(60)] / table.lx[:, table.place_of(15)]
    assert child == pytest.approx([0.03, 0.02], rel=1e-9)
    assert adult == pytest.approx([0.2, 0.09], rel=1e-9)
    assert set(table.status.ravel()) == {"modelled"}
    assert "q5, q15_45" in table.method


@pytest.mark.parametrize(("target", "values"), [("q5", [0.01, 0.05]), ("q15_45", [0.1, 0.3]), ("e0", [62.0, 78.0])])
def test_one_parameter_meets_one_target(target, values):
    table = model_life_table(sex="male", **{target: values})
    found = {
        "q5": 1 - table.lx[:, table.place_of(5)] / table.radix,
        "q15_45": 1 - table.lx[:, table.place_of(60)] / table.lx[:, table.place_of(15)],
        "e0": table.ex[:, 0],
    }
    assert found[target] == pytest.approx(values, rel=1e-6)


def test_the_standard_s_own_level_gives_the_standard_back():
    standard = standard_life_table(sex="male")
    again = model_life_table(sex="male", e0=standard.ex[0, 0])
    np.testing.assert_allclose(again.lx, standard.lx, rtol=1e-6)
    np.testing.assert_allclose(again.mx, standard.mx, rtol=1e-5)


def test_single_ages_and_earlier_open_groups_keep_the_life_expectancy():
    single = model_life_table(sex="female", e0=75, ages=range(91))
    early = model_life_table(sex="female", e0=75, ages=AGE)
    assert single.ex[0, 0] == pytest.approx(75, abs=0.05)
    assert early.ex[0, 0] == pytest.approx(75)
    assert len(single.age) == 91


def test_a_target_out_of_reach_is_not_answered_with_the_nearest_table():
    table = model_life_table(sex="male", q5=[0.3, 0.03], q15_45=[0.0001, 0.2])
    assert table.status[:, 0].tolist() == ["not_assessable", "modelled"]
    assert np.isnan(table.ex[0]).all()
    assert label(table.reason[0, 0], "vi")


def test_weak_ages_lean_on_the_standard_and_say_so():
    # Deaths of small children are reported at a third; the others are those of the standard times 0.8.
    full = cut_at(standard_life_table(sex="male"), 85).mx[0] * 0.8
    seen = full.copy()
    weak = np.array(AGE) < 5
    seen[weak] *= 1 / 3
    filled = fill_weak_ages(seen, AGE, "male", weak=weak)
    truth, naive = life_tables(full, AGE, "male").ex[0, 0], life_tables(seen, AGE, "male").ex[0, 0]
    assert abs(filled.ex[0, 0] - truth) < abs(naive - truth) / 2
    assert filled.status[0].tolist() == ["modelled"] * 2 + ["ok"] * 17
    assert filled.mx[0, 2:].tolist() == seen[2:].tolist()
    assert "wpp_2024_2015_2020" in filled.method
    assert "phải quan sát" in label(filled.reason[0, 0], "vi")


def test_known_child_and_adult_mortality_settle_the_fill():
    rates = cut_at(standard_life_table(sex="male"), 85).mx[0]
    weak = np.array(AGE) < 5
    filled = fill_weak_ages(rates, AGE, "male", weak=weak, q5=0.04, q15_45=0.2)
    assert 1 - filled.lx[0, 2] / filled.radix == pytest.approx(0.04, rel=0.01)


def test_a_table_of_the_user_s_own_can_be_the_standard():
    own = life_tables(cut_at(standard_life_table(sex="male"), 85).mx[0] * 1.2, AGE, "male")
    assert model_life_table(own, "male", e0=70).ex[0, 0] == pytest.approx(70)
    assert "given table" in model_life_table(own, "male", e0=70).method


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: model_life_table("atlantis", "male", e0=70), "atlantis"),
        (lambda: model_life_table(sex="male"), "q15_45"),
        (lambda: model_life_table(sex="male", q5=0.03, e0=70), "e0"),
        (lambda: model_life_table(sex="male", q5=30), "30"),
        (lambda: model_life_table(sex="male", e0=70, ages=[0, 1, 5, 110]), "110"),
        (lambda: model_life_table(standard_life_table(sex=["male", "female"]), "total", e0=70), "total"),
        (lambda: fill_weak_ages([0.1] * len(AGE), AGE, "male", weak=[True] * len(AGE)), "1"),
    ],
)
def test_wrong_use_gets_a_sentence(call, words):
    with pytest.raises((InputError, UsageError)) as refused:
        call()
    for language in ("vi", "en"):
        assert words in refused.value.sentence(language)


# ---- the log-quadratic model


def test_the_log_quadratic_rates_follow_their_formula():
    table = log_quad_life_table("female", q5=0.05, k=0.5)
    h, at = np.log(0.05), table.place_of(40)
    assert table.mx[0, at] == pytest.approx(np.exp(-3.2690 + 0.9339 * h + 0.0533 * h**2 + 0.2246 * 0.5))
    assert table.mx[0, 0] == pytest.approx(np.exp(-0.6619 + 0.7684 * h - 0.0277 * h**2))
    assert table.age[-1] == 110
    assert set(table.status.ravel()) == {"modelled"}


@pytest.mark.parametrize("targets", [{"q5": [0.05, 0.02], "q15_45": [0.25, 0.1]}, {"q5": [0.05, 0.02], "e0": [64, 76]},
                                     {"e0": [55, 80]}])  # fmt: skip
def test_the_log_quadratic_table_meets_what_is_known(targets):
    table = log_quad_life_table(["male", "female"], **targets)
    found = {
        "q5": 1 - table.lx[:, table.place_of(5)] / table.radix,
        "q15_45": 1 - table.lx[:, table.place_of(60)] / table.lx[:, table.place_of(15)],
        "e0": table.ex[:, 0],
    }
    for name, values in targets.items():
        assert found[name] == pytest.approx(values, rel=1e-6)


def test_a_log_quadratic_table_can_be_the_standard_of_weak_ages():
    model = log_quad_life_table("male", q5=0.03, q15_45=0.2)
    weak = np.array(AGE) < 5
    filled = fill_weak_ages(
        cut_at(model, 85).mx[0] * np.where(weak, 0.3, 1), AGE, "male", weak=weak, standard=model, q5=0.03, q15_45=0.2
    )
    assert filled.ex[0, 0] == pytest.approx(model.ex[0, 0], abs=0.1)


def test_log_quadratic_targets_out_of_reach_or_of_both_sexes_are_not_answered():
    table = log_quad_life_table("male", q5=[0.05, 0.05], e0=[95, 64])
    assert table.status[:, 0].tolist() == ["not_assessable", "modelled"]
    for call, words in (
        (lambda: log_quad_life_table("total", q5=0.05), "male"),
        (lambda: log_quad_life_table("male", q15_45=0.2), "q15_45"),
        (lambda: log_quad_life_table("male", q5=50), "50"),
    ):
        with pytest.raises(UsageError) as refused:
            call()
        assert words in refused.value.sentence("vi")
        assert words in refused.value.sentence("en")
