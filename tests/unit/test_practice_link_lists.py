"""Drawn lists for linkage: one person on several lists, as offices write; the truth names every pair."""

import re
import unicodedata

import numpy as np
import pandas as pd
import pytest

from mortality.practice import link_spelling as spelling
from mortality.practice.link_lists import COLUMNS, LISTS, draw_link_list


@pytest.fixture(scope="module")
def mixed():
    return draw_link_list(4000, seed=3, profile="mixed")


def test_a_list_has_the_columns_of_the_command_and_nothing_but_text(mixed):
    lists, _ = mixed
    assert list(lists.columns) == COLUMNS
    assert lists["id"].is_unique
    assert all(isinstance(value, str) for column in COLUMNS for value in lists[column].head(300))
    assert set(lists["list_id"]) == set(LISTS)


def test_true_pairs_are_all_pairs_of_one_person_and_of_nobody_else(mixed):
    """A person on k records has k·(k−1)/2 pairs; pairs must close: a–b and b–c give a–c."""
    lists, pairs = mixed
    assert (pairs["id_l"] < pairs["id_r"]).all()
    assert set(pairs["id_l"]) | set(pairs["id_r"]) <= set(lists["id"])
    parent = {one: one for one in lists["id"]}

    def root(one):
        while parent[one] != one:
            one = parent[one]
        return one

    for left, right in zip(pairs["id_l"], pairs["id_r"]):
        parent[root(right)] = root(left)
    sizes = pd.Series([root(one) for one in lists["id"]]).value_counts()
    assert (sizes * (sizes - 1) // 2).sum() == len(pairs)
    assert sizes.max() <= 6
    assert sizes.eq(1).sum() > 100


def test_records_of_one_person_without_a_difference_are_written_alike(mixed):
    lists, pairs = mixed
    same = pairs[(pairs["differs_l"] == "id_missing") & (pairs["differs_r"] == "")]
    rows = lists.set_index("id")
    assert len(same) > 20
    assert (rows.loc[same["id_l"], "full_name"].to_numpy() == rows.loc[same["id_r"], "full_name"].to_numpy()).all()
    assert (rows.loc[same["id_l"], "id_number"] == "").all()


def test_family_names_are_as_concentrated_as_real_ones(mixed):
    lists, _ = draw_link_list(20_000, seed=8)
    family = lists["full_name"].map(lambda name: spelling.without_marks(name).lower().split()[0])
    share = family.value_counts(normalize=True)
    assert share.index[0] == "nguyen"
    assert 0.27 < share["nguyen"] < 0.42
    assert 0.06 < share["tran"] < 0.14
    assert any(name.startswith(("H'", "Y ")) for name in lists["full_name"])


def test_numbers_are_nobodys_on_purpose_and_differ_between_persons():
    """Whole numbers written without a mistake end in 9xxxxx; two persons never share one of them."""
    lists, pairs = draw_link_list(8000, seed=2, with_id=1.0)
    whole = lists[lists["id_number"].str.fullmatch(r"0\d{11}")]
    assert (whole["id_number"].str[6] == "9").mean() > 0.95
    shared = whole.groupby("id_number")["id"].apply(list)
    joined = {frozenset(pair) for pair in zip(pairs["id_l"], pairs["id_r"])}
    strangers = [ids for ids in shared[shared.map(len) == 2] if frozenset(ids) not in joined]
    assert len(strangers) < 0.02 * len(whole)  # relatives' numbers by mistake, placeholders


def test_hard_lists_differ_more_and_bear_fewer_numbers_when_asked(mixed):
    _, plain = mixed
    hard, worse = draw_link_list(4000, seed=3, profile="hard", with_id=0.2)

    def typos(pairs):
        return pairs["differs_l"].str.contains("name_typo").mean()

    assert typos(worse) > 1.5 * typos(plain)
    assert (hard["id_number"] == "").mean() == pytest.approx(0.8, abs=0.03)


def test_the_same_seed_gives_the_same_list_and_a_large_one_is_drawn_in_seconds():
    first, again = draw_link_list(500, seed=5), draw_link_list(500, seed=5)
    pd.testing.assert_frame_equal(first[0], again[0])
    pd.testing.assert_frame_equal(first[1], again[1])
    assert not first[0].equals(draw_link_list(500, seed=6)[0])


@pytest.mark.parametrize(
    ("write", "name", "written"),
    [
        (spelling.without_marks, "Đỗ Thị Hường", "Do Thi Huong"),
        (spelling.other_tone_place, "Nguyễn Văn Hòa", "Nguyễn Văn Hoà"),
        (spelling.other_tone_place, "Lê Thị Thuý", "Lê Thị Thúy"),
        (spelling.other_tone_place, "Phan Quý", "Phan Quý"),
        (spelling.i_or_y, "Lý Thị Mỹ", "Lí Thị Mĩ"),
        (spelling.plain_d, "Đặng Đình Đạt", "Dặng Dình Dạt"),
        (spelling.telex_left, "Nguyễn Văn Hùng", "Nguyeenx Vawn Hungf"),
        (spelling.vni_left, "Nguyễn Văn Hùng", "Nguye6n4 Va8n Hung2"),
        (spelling.no_middle, "Nguyễn Thị Kim Lan", "Nguyễn Lan"),
        (spelling.given_first, "Nguyễn Văn Hùng", "Hùng Nguyễn Văn"),
        (spelling.initials, "Nguyễn Văn Hùng", "N.V. Hùng"),
        (spelling.short_family, "Nguyễn Văn Hùng", "Ng. Văn Hùng"),
        (spelling.run_together, "Nguyễn Văn Hùng", "Nguyễn VănHùng"),
    ],
)
def test_names_are_written_as_offices_write_them(write, name, written):
    assert write(name) == written


def test_sounds_of_regions_change_one_sound_and_never_the_middle_name_thi():
    for luck in np.linspace(0, 0.99, 30):
        other = spelling.other_onset("Trần Thị Sương", float(luck))
        assert " Thị " in other
        assert sum(a != b for a, b in zip(other.split(), ["Trần", "Thị", "Sương"])) == 1
    assert spelling.other_final("Trần Văn Quang", 0.0) == "Trần Văn Quan"
    assert spelling.other_tone("Nguyễn Thị Mỷ", 0.5) == "Nguyển Thị Mỹ"
    typo = spelling.one_letter_wrong("Nguyễn Văn Hùng", 0.42)
    assert typo != "Nguyễn Văn Hùng"
    assert abs(len(typo) - len("Nguyễn Văn Hùng")) <= 1


def test_decomposed_names_hold_the_same_letters(mixed):
    lists, _ = mixed
    apart = lists[lists["full_name"] != lists["full_name"].map(lambda name: unicodedata.normalize("NFC", name))]
    assert 0.005 < len(apart) / len(lists) < 0.05
    assert not any(re.search(r"\d", name) for name in apart["full_name"])
