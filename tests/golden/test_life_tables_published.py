"""Life tables that others printed, with the method that they used; small enough to stand here."""

import numpy as np
import pytest

from mortality.measures.life_table import life_tables, life_tables_from_counts

# US Census Bureau, Population Analysis Spreadsheets, LTPOPDTH (public domain): males, region North, infant mortality 0.1 given.
PAS_AGE = [0, 1, *range(5, 105, 5)]
PAS_POPULATION = [100958, 466275, 624134, 559559, 446736, 370653, 301862, 249409, 247473, 223014, 172260, 149338, 127242,
                  105715, 79614, 53660, 31021, 16805, 8000, 4000, 2000, 1000]  # fmt: skip
PAS_DEATHS = [8674, 1592, 618, 411, 755, 1098, 1100, 1357, 1335, 3257, 2200, 4023, 2167, 4578, 2956, 4212, 2887, 2351, 1500,
              900, 500, 300]  # fmt: skip
PAS_EX = [56.31, 61.53, 58.35, 53.63, 48.81, 44.21, 39.83, 35.52, 31.43, 27.22, 24.09, 20.52, 18.12, 14.51, 12.42, 9.45, 7.85,
          6.09, 4.95, 4.28, 3.85, 3.33]  # fmt: skip

# UN, Model Life Tables for Developing Countries, 1982, p. 34: first Latin American table, males.
UN_RATE = [0.23669, 0.04672, 0.00982, 0.00511, 0.00697, 0.01036, 0.01169, 0.01332, 0.01528, 0.01757, 0.02092, 0.02517, 0.03225,
           0.04241, 0.06056, 0.08574, 0.11840, 0.16226, 0.23745]  # fmt: skip
UN_AX = [0.330, 1.352, 2.500, 2.500, 2.633, 2.586, 2.528, 2.528, 2.526, 2.529, 2.531, 2.538, 2.542, 2.543, 2.520, 2.461, 2.386,
         2.295, 4.211]  # fmt: skip


def test_the_census_bureau_s_spreadsheet_comes_back_with_given_infant_mortality():
    table = life_tables_from_counts(
        PAS_DEATHS, PAS_POPULATION, PAS_AGE, "male", ax="pas", a0="coale_demeny_north", infant_mortality=0.1
    )
    np.testing.assert_allclose(table.ex[0], PAS_EX, atol=0.006)  # printed with two decimals
    assert table.qx[0, 0] == pytest.approx(0.1)


def test_the_printed_ax_of_the_un_come_back():
    table = life_tables(UN_RATE, [0, 1, *range(5, 90, 5)], "male", ax="un")
    last_closed = 17  # 80-84: the UN used another rate for its open neighbour
    np.testing.assert_allclose(np.delete(table.ax[0], last_closed), np.delete(UN_AX, last_closed), atol=6e-4)
    assert table.ax[0, last_closed] == pytest.approx(UN_AX[last_closed], abs=0.02)
