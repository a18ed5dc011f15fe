"""Textbook tables by cause, from the figures that the book prints."""

import numpy as np
import pytest
from support import table

from mortality.measures.cause_deleted import cause_deleted_life_table, multiple_decrement_table
from mortality.measures.life_table import life_tables, life_tables_from_survivors

# Preston, Heuveline & Guillot, Demography, 2001, Boxes 4.1 and 4.2 (pp. 77, 85): females of the USA, 1991. Deaths of all
# causes and of neoplasms, survivors, years lived in the group by those who die in it; then the life expectancy without
# neoplasms (same data worked by G. Rodriguez, Princeton, grodri.github.io/demography/neoplasms, two decimals).
NEOPLASMS = table("""
    age | deaths | neoplasms |     lx |    ax | deleted
      0 |  15758 |        63 | 100000 | 0.152 |   82.46
      1 |   3169 |       275 |  99217 | 1.605 |   82.10
      5 |   1634 |       268 |  99050 | 2.275 |   78.23
     10 |   1573 |       217 |  98959 | 2.843 |   73.29
     15 |   3955 |       318 |  98870 | 2.657 |   68.34
     20 |   4948 |       467 |  98637 | 2.547 |   63.48
     25 |   6491 |       856 |  98379 | 2.550 |   58.63
     30 |   9428 |      1924 |  98070 | 2.616 |   53.78
     35 |  12027 |      3532 |  97653 | 2.677 |   48.96
     40 |  15543 |      5958 |  97083 | 2.685 |   44.15
     45 |  19264 |      8434 |  96289 | 2.681 |   39.36
     50 |  25384 |     11673 |  95008 | 2.655 |   34.64
     55 |  37211 |     17078 |  93018 | 2.647 |   30.00
     60 |  59431 |     25263 |  89882 | 2.646 |   25.51
     65 |  88087 |     33534 |  85249 | 2.631 |   21.22
     70 | 114693 |     36695 |  78711 | 2.628 |   17.16
     75 | 143554 |     36571 |  69618 | 2.618 |   13.42
     80 | 164986 |     30220 |  57486 | 2.570 |   10.07
     85 | 320578 |     32739 |  41756 | 6.539 |    7.28
""")
OF_THE_BOOK = life_tables_from_survivors(
    NEOPLASMS["lx"], NEOPLASMS["age"], "female", ax=NEOPLASMS["ax"].to_numpy(), closeout="given", open_ex=6.539
)
BY_CAUSE = {"neoplasms": NEOPLASMS["neoplasms"]}


def test_life_expectancy_without_neoplasms_is_the_textbook_s():
    ours = cause_deleted_life_table(OF_THE_BOOK, BY_CAUSE, total=NEOPLASMS["deaths"], ax_deleted="phg")
    np.testing.assert_allclose(ours["ex"], NEOPLASMS["deleted"], atol=0.005)
    assert ours["ex"][0] == pytest.approx(82.457483, abs=1e-6)


def test_one_equation_at_every_age_gives_nearly_the_same():
    ours = cause_deleted_life_table(OF_THE_BOOK, BY_CAUSE, total=NEOPLASMS["deaths"])
    assert ours["ex"][0] == pytest.approx(82.457, abs=0.005)


def test_a_constant_force_within_each_group_gives_the_simpler_answer():
    m, n = OF_THE_BOOK.mx[0], OF_THE_BOOK.n
    with np.errstate(invalid="ignore"):
        ax = 1 / m - n * np.exp(-n * m) / (1 - np.exp(-n * m))
    whole = life_tables(m, NEOPLASMS["age"], "female", ax=ax)
    ours = cause_deleted_life_table(whole, BY_CAUSE, total=NEOPLASMS["deaths"], ax_deleted="constant_hazard")
    assert ours["ex"][0] == pytest.approx(82.391779, abs=1e-5)


def test_one_woman_in_five_dies_of_neoplasms():
    ours = multiple_decrement_table(OF_THE_BOOK, BY_CAUSE, total=NEOPLASMS["deaths"])
    assert ours["dx"].sum() == pytest.approx(21204.543, abs=1e-3)
    assert ours["qx"][10] == pytest.approx(0.0058245125, abs=1e-10)
    assert ours["probability_ever"][0] == pytest.approx(0.21204543, abs=1e-8)
