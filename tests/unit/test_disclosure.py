"""Small numbers are hidden, and nobody with the rest of the table can work them out."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from drawn_figures import CRUDE, DEATHS, figures, with_totals
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.access.decision import Account, Scope
from tkyt_analysis.cube.model import SUPPRESSED, TOTAL
from tkyt_analysis.disclosure import CAUSES, EVERYTHING, NOTHING, Rule, protect, rule_for
from tkyt_analysis.disclosure_cells import complement, exposed, sums_of
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.explorer.pivot import pivot

RULE = Rule(EVERYTHING, least_count=5)
BY = ["commune", "sex"]
LAYOUT = Layout(rows=("commune",), columns=("sex",))


def crossed(counts):
    """Communes by sex with all totals, of a drawn array (rows: communes; columns: male, female)."""
    parts = [
        (f"VN2025:{row:05}", sex, float(value))
        for row, line in enumerate(counts, start=1)
        for sex, value in zip(("male", "female"), line)
    ]
    return with_totals(pd.DataFrame(parts, columns=[*BY, "value"]), BY)


def shown(protected):
    """{(row code, column code): value shown, or "*"}."""
    return {
        (row[0], column[0]): "*" if protected.status[i, j] == SUPPRESSED else protected.value[i, j]
        for i, row in enumerate(protected.row_keys)
        for j, column in enumerate(protected.column_keys)
    }


def test_a_count_below_five_is_hidden_with_as_many_others_as_it_takes():
    # commune    male female total        hidden: 3 is small; 60 keeps it from 63 - 60, and so on around the rectangle
    # 1             3     60    63        *   *   63
    # 2            20     30    50        *   *   50
    # 3           100    200   300      100 200  300
    # total       123    290   413      123 290  413
    seen = shown(protect(pivot(figures(crossed([[3, 60], [20, 30], [100, 200]]), BY), LAYOUT), RULE))
    hidden = {key for key, value in seen.items() if value == "*"}
    assert hidden == set(product(["VN2025:00001", "VN2025:00002"], ["male", "female"]))
    assert seen[TOTAL, TOTAL] == 3 + 60 + 20 + 30 + 100 + 200


def test_zeros_stay_unless_the_rule_hides_them():
    counts = [[0, 60], [20, 30], [100, 200]]
    assert "*" not in shown(protect(pivot(figures(crossed(counts), BY), LAYOUT), RULE)).values()
    seen = shown(protect(pivot(figures(crossed(counts), BY), LAYOUT), Rule(EVERYTHING, 5, hide_zero=True)))
    assert seen["VN2025:00001", "male"] == "*"


def test_in_a_single_column_a_second_count_goes_so_that_the_total_stays():
    rows = """
        commune      | value
        VN2025:00001 | 3
        VN2025:00002 | 8
        VN2025:00003 | 50
        total        | 61
    """
    seen = protect(pivot(figures(rows, ["commune"]), Layout(rows=("commune",))), RULE)
    # 61 - 50 = 11 is all that is left to know
    assert seen.value[:, 0].tolist() == pytest.approx([np.nan, np.nan, 50, 61], nan_ok=True)


def test_without_totals_only_the_small_counts_go():
    rows = figures(crossed([[3, 60], [20, 30]]), BY)
    seen = shown(protect(pivot(rows, Layout(rows=("commune",), columns=("sex",), totals=False)), RULE))
    assert [key for key, value in seen.items() if value == "*"] == [("VN2025:00001", "male")]


def test_two_deaths_in_two_hidden_cells_would_be_one_each_so_a_third_cell_goes():
    # 1 + 1 = 2 and no hidden cell is 0: hiding both would still say "one each"
    rows = """
        commune      | value
        VN2025:00001 | 1
        VN2025:00002 | 1
        VN2025:00003 | 50
        VN2025:00004 | 70
        total        | 122
    """
    seen = protect(pivot(figures(rows, ["commune"]), Layout(rows=("commune",))), RULE)
    assert np.isnan(seen.value[:, 0]).tolist() == [True, True, True, False, False]


def test_a_hidden_cell_has_no_number_left_anywhere():
    table_ = protect(pivot(figures(crossed([[3, 60], [20, 30], [100, 200]]), BY), LAYOUT), RULE)
    gone = table_.status == SUPPRESSED
    for name in ("value", "lower", "upper", "numerator", "denominator", "shown"):
        assert np.isnan(getattr(table_, name)[gone]).all(), name
    kept = table_.figures.rows
    assert kept.loc[kept["status"] == SUPPRESSED, ["value", "numerator"]].isna().all(axis=None)
    assert (kept["status"] == SUPPRESSED).sum() == gone.sum()


def test_rows_of_figures_that_the_table_does_not_show_do_not_travel_with_it():
    rows = figures(crossed([[30, 60], [20, 30]]), BY)
    only = pivot(rows, Layout(rows=("commune",), columns=("sex",), totals=False))
    assert not (protect(only, RULE).figures.rows[BY] == TOTAL).any(axis=None)


RATES = """
    measure          | commune      | value | numerator | denominator
    deaths           | VN2025:00001 | 3     | 3         | .
    deaths           | VN2025:00002 | 20    | 20        | .
    deaths           | VN2025:00003 | 90    | 90        | .
    deaths           | total        | 113   | 113       | .
    crude_death_rate | VN2025:00001 | 1     | 3         | 3000
    crude_death_rate | VN2025:00002 | 5     | 20        | 4000
    crude_death_rate | VN2025:00003 | 6     | 90        | 15000
    crude_death_rate | total        | 5.1   | 113       | 22000
"""


def test_a_rate_whose_numerator_is_hidden_is_hidden_too():
    seen = protect(pivot(figures(RATES, ["commune"], measures=(DEATHS, CRUDE)), Layout(rows=("commune",))), RULE)
    assert (seen.status == SUPPRESSED).tolist() == [[True, True], [True, True], [False, False], [False, False]]


SHARE = replace(CRUDE, id="ill_defined_share", method="proportion", numerator="ill", denominator="deaths", per=100.0)


def test_a_share_of_a_hidden_count_is_hidden_or_numerator_and_share_would_give_the_count():
    # 8 of 40 deaths are ill-defined, so 20 %; 40 is hidden beside 3, and 8 / 20 % would be 40 again
    rows = """
        measure           | commune      | value | numerator | denominator
        deaths            | VN2025:00001 | 3     | 3         | .
        deaths            | VN2025:00002 | 40    | 40        | .
        deaths            | total        | 43    | 43        | .
        ill_defined_share | VN2025:00002 | 20    | 8         | 40
    """
    found = figures(rows, ["commune"], measures=(DEATHS, SHARE))
    seen = protect(pivot(found, Layout(rows=("commune",))), RULE)
    assert seen.status[1].tolist() == [SUPPRESSED, SUPPRESSED]


def test_the_same_count_under_two_names_is_hidden_in_the_same_cells():
    # an element of a form, and the numerator of a ratio over it
    ratio = replace(CRUDE, id="ratio", numerator="cells:16BCH/4", denominator="cells:16BCH/1")
    count = replace(DEATHS, id="element", numerator="element:form:16BCH/4")
    rows = RATES.replace("crude_death_rate", "ratio").replace("deaths", "element")
    found = figures(rows, ["commune"], measures=(count, ratio))
    seen = protect(pivot(found, Layout(rows=("commune",))), RULE)
    assert (seen.status[:, 0] == seen.status[:, 1]).all()
    assert (seen.status[:2] == SUPPRESSED).all()


def test_population_and_reporting_rates_are_no_confidential_counts():
    population = replace(DEATHS, id="population", method="average", numerator="registered_population")
    reports = replace(CRUDE, id="form:reporting_rate", numerator="report:form:received", per=100.0)
    rows = "measure | commune | value | numerator\npopulation | VN2025:00001 | 3 | 3\nform:reporting_rate | VN2025:00001 | 75 | 3"
    found = figures(rows, ["commune"], measures=(population, reports))
    assert not (protect(pivot(found, Layout(rows=("commune",))), RULE).status == SUPPRESSED).any()


@settings(max_examples=60)
@given(
    counts=st.lists(st.lists(st.sampled_from([0, 1, 2, 3, 6, 9, 30]), min_size=2, max_size=2), min_size=2, max_size=6),
    top=st.sampled_from([0, 0, 1, 3]),
    across=st.booleans(),
)
def test_no_hidden_cell_of_a_table_follows_from_its_totals(counts, top, across):
    axes = (("commune",), ("sex",)) if across else (("sex",), ("commune",))
    layout = Layout(rows=axes[0], columns=axes[1], top=top, sort="value" if top else "")
    before = pivot(figures(crossed(counts), BY), layout)
    after = protect(before, RULE)
    hidden = after.status == SUPPRESSED
    assert hidden[(before.value > 0) & (before.value < 5)].all()
    whole, number = before.value, np.arange(before.value.size).reshape(before.value.shape)
    parts = [(line[:-1], int(line[-1]), True) for line in (*number, *number.T)]
    assert attack(whole.ravel(), hidden.ravel(), parts) == []


def test_a_change_does_not_give_away_the_small_count_that_it_starts_from():
    rows = """
        commune      | year | value
        VN2025:00001 | 2024 | 4
        VN2025:00001 | 2025 | 6
        VN2025:00002 | 2024 | 40
        VN2025:00002 | 2025 | 60
    """
    layout = Layout(rows=("commune",), columns=("year",), shows="change_previous", totals=False)
    seen = protect(pivot(figures(rows, ["commune", "year"]), layout), RULE)
    assert seen.status[0].tolist() == [SUPPRESSED, SUPPRESSED]  # + 50 % of 4, or of 2
    assert seen.shown[1, 1] == pytest.approx(100 * (60 / 40 - 1))


def test_in_a_table_of_shares_hiding_the_hundred_percent_would_protect_nothing():
    counts = crossed([[3, 60], [70, 80]])
    layout = Layout(rows=("commune",), columns=("sex",), shows="share_row")
    seen = protect(pivot(figures(counts, BY), layout), RULE)
    assert (seen.status == SUPPRESSED).tolist() == [[True, True, False], [True, True, False], [False, False, False]]


def test_the_others_of_a_top_table_are_part_of_the_sum_and_are_protected_with_it():
    rows = """
        commune      | value
        VN2025:00001 | 100
        VN2025:00002 | 50
        VN2025:00003 | 2
        VN2025:00004 | 1
        total        | 153
    """
    seen = protect(pivot(figures(rows, ["commune"]), Layout(rows=("commune",), sort="value", top=2)), RULE)
    # "the others" are 3: hidden, and 50 with it, or 153 - 100 - 50 would give it
    assert np.isnan(seen.value[:, 0]).tolist() == [False, True, True, False]


def attack(values, hidden, parts):
    """What solving the sums shown gives: the hidden cells that have one solution only (rank of the system)."""
    cells = np.nonzero(hidden)[0]
    system = np.zeros((len(parts), len(values)))
    for place, (some, total, _) in enumerate(parts):
        system[place, some], system[place, total] = 1, -1
    unknown = system[:, cells]
    rank = np.linalg.matrix_rank(unknown) if unknown.size else 0
    return [
        cell
        for place, cell in enumerate(cells)
        if np.linalg.matrix_rank(np.vstack([unknown, np.eye(len(cells))[place]])) == rank
    ]


def grid(counts):
    """(values with totals, the sums of a table with both margins)."""
    body = np.array(counts, dtype=float)
    whole = np.block([[body, body.sum(1, keepdims=True)], [body.sum(0), body.sum()]])
    number = np.arange(whole.size).reshape(whole.shape)
    rows = [(line[:-1], int(line[-1]), place < len(body)) for place, line in enumerate(number)]
    columns = [(line[:-1], int(line[-1]), place == body.shape[1]) for place, line in enumerate(number.T)]
    parts = rows + columns
    return whole, parts


tables = st.integers(1, 6).flatmap(
    lambda rows: st.integers(1, 6).flatmap(
        lambda columns: st.lists(
            st.lists(st.sampled_from([0, 0, 1, 1, 2, 3, 4, 5, 7, 12, 40, 300]), min_size=columns, max_size=columns),
            min_size=rows,
            max_size=rows,
        )
    )
)


@settings(max_examples=120)
@given(counts=tables)
def test_no_solver_of_the_sums_shown_finds_a_hidden_count(counts):
    whole, parts = grid(counts)
    values, sums = whole.ravel(), sums_of(parts, whole.size)
    primary = (values > 0) & (values < 5)
    hidden = complement(primary, values, sums, costly=np.zeros(whole.size, dtype=bool))
    assert (hidden | ~primary).all()
    assert attack(values, hidden, parts) == []


@settings(max_examples=120)
@given(counts=tables, seed=st.integers(0, 2**20))
def test_exposed_cells_are_exactly_those_that_a_solver_of_the_sums_finds(counts, seed):
    whole, parts = grid(counts)
    hidden = np.random.default_rng(seed).random(whole.size) < 0.45
    found = exposed(hidden, whole.ravel(), sums_of(parts, whole.size), least=-np.inf)
    assert np.nonzero(found)[0].tolist() == attack(whole.ravel(), hidden, parts)


def possible(values, hidden, parts, cell):
    """(smallest, largest) number that a hidden cell can have, knowing the sums and that it is no hidden zero (by linear
    programming)."""
    from scipy.optimize import linprog

    cells = np.nonzero(hidden)[0]
    system = np.zeros((len(parts), len(values)))
    for place, (some, total, _) in enumerate(parts):
        system[place, some], system[place, total] = 1, -1
    known = -system[:, ~hidden] @ values[~hidden]
    limits = [(min(1.0, values[one]), None) for one in cells]
    aim = (cells == cell).astype(float)
    low, high = (linprog(sign * aim, A_eq=system[:, cells], b_eq=known, bounds=limits) for sign in (1, -1))
    return low.fun, np.inf if high.status == 3 else -high.fun


@settings(max_examples=50)
@given(counts=tables)
def test_no_small_count_is_the_only_one_that_the_sums_and_shown_zeros_allow(counts):
    whole, parts = grid(counts)
    values = whole.ravel()
    small = (values > 0) & (values < 5)
    hidden = complement(small, values, sums_of(parts, whole.size))
    for cell in np.nonzero(small)[0][:6]:
        low, high = possible(values, hidden, parts, cell)
        assert high - low > 0.5


@settings(max_examples=50)
@given(counts=tables, seed=st.integers(0, 2**20))
def test_exposed_cells_are_exactly_those_that_linear_programming_finds(counts, seed):
    whole, parts = grid(counts)
    values = whole.ravel()
    hidden = np.random.default_rng(seed).random(whole.size) < 0.6
    found = exposed(hidden, values, sums_of(parts, whole.size), least=1.0)
    for cell in np.nonzero(hidden)[0][:5]:
        low, high = possible(values, hidden, parts, cell)
        assert found[cell] == (high - low < 1e-6)


MINISTRY = Account("vu", "ministry", "VN", Scope(nation=True))
PROVINCE = Account("syt", "province", "VN2025:38", Scope(units=frozenset({"VN2025:38"})))


def test_who_gets_which_rule():
    granted = Account("syt", "province", "VN2025:38", PROVINCE.scope, grants=frozenset({"identifiers"}))
    withdrawn = Account("syt", "province", "VN2025:38", PROVINCE.scope, active=False)
    expected = table("""
        account  | screen                | export     | internal
        ministry | causes_below_province | everything | causes_below_province
        granted  | nothing               | everything | nothing
        public   | everything            | everything | refused
        ended    | everything            | everything | refused
    """)
    accounts = {"ministry": MINISTRY, "granted": granted, "public": None, "ended": withdrawn}
    for row in expected.to_dict("records"):
        account = accounts[row.pop("account")]
        for purpose, hides in row.items():
            if hides == "refused":
                with pytest.raises(InputError):
                    rule_for(account, purpose)
            else:
                assert rule_for(account, purpose).hides == hides, (account, purpose)
    assert rule_for(None, "export").least_count == 5


def test_an_unknown_purpose_is_refused():
    with pytest.raises(InputError, match="gui di"):
        rule_for(MINISTRY, "gui di")


CAUSE_ROWS = """
    {place} | cause | value
    {first} | I     | 3
    {first} | IX    | 30
    {first} | total | 33
    {second} | I     | 2
    {second} | IX    | 40
    {second} | total | 42
    total   | I     | 5
    total   | IX    | 70
    total   | total | 75
"""


def by_cause(place, first, second):
    deaths = replace(DEATHS, dimensions=frozenset({"cause", "commune", "province"}))
    rows = CAUSE_ROWS.format(place=place, first=first, second=second)
    return pivot(figures(rows, [place, "cause"], measures=(deaths,)), Layout(rows=(place,), columns=("cause",)))


def test_on_screen_causes_of_few_deaths_are_hidden_below_the_province_only():
    communes = by_cause("commune", "VN2025:00001", "VN2025:00002")
    provinces = by_cause("province", "VN2025:01", "VN2025:04")
    rule = Rule(CAUSES, 5)
    assert (protect(communes, rule).status[:2, 0] == SUPPRESSED).all()
    assert not (protect(provinces, rule).status == SUPPRESSED).any()
    assert protect(communes, Rule(NOTHING)) is communes


def test_on_screen_small_counts_of_all_causes_stay():
    rows = figures(crossed([[3, 60], [20, 30]]), BY)
    assert not (protect(pivot(rows, LAYOUT), Rule(CAUSES, 5)).status == SUPPRESSED).any()


def test_a_table_of_all_communes_by_month_is_protected_too():
    counts = np.random.default_rng(3).poisson(6, size=(3321, 12)).astype(float)
    whole, parts = grid(counts)
    values, sums = whole.ravel(), sums_of(parts, whole.size)
    hidden = complement((values > 0) & (values < 5), values, sums)
    assert not exposed(hidden, values, sums).any()


def test_subtotals_go_where_something_is_hidden_and_stay_where_nothing_is():
    layout = Layout(rows=("commune", "sex"), subtotals=True)
    small = pivot(figures(crossed([[3, 60], [20, 30]]), BY), layout)
    large = pivot(figures(crossed([[30, 60], [20, 30]]), BY), layout)
    assert ("VN2025:00001", TOTAL) not in protect(small, RULE).row_keys
    assert ("VN2025:00001", TOTAL) in protect(large, RULE).row_keys


def test_a_running_sum_is_hidden_from_the_small_count_to_the_end_of_its_year():
    rows = """
        month  | value
        202411 | 30
        202412 | 2
        202501 | 20
        202502 | 3
        202503 | 40
    """
    found = pivot(figures(rows, ["month"]), Layout(rows=("month",), shows="cumulative"))
    # 202503 would give 202502 away: 63 - 40 - 20 = 3
    assert protect(found, RULE).shown[:, 0] == pytest.approx([30, np.nan, 20, np.nan, np.nan], nan_ok=True)


@pytest.mark.parametrize("shows", ["share_row", "share_column", "share_all"])
def test_a_table_of_shares_hides_about_as_much_as_the_table_of_counts(shows):
    # 3 is hidden with three others around a rectangle, whether the cells show counts or shares of them
    counts = crossed([[3, 60], [20, 30], [100, 200], [70, 90]])
    hidden = protect(pivot(figures(counts, BY), replace(LAYOUT, shows=shows)), RULE).status == SUPPRESSED
    assert 3 <= hidden.sum() <= 5


def test_a_small_total_hides_no_whole_table_of_shares():
    # deaths by cause and sex of the practice data: the totals of causes 1 and 2 are small
    counts = crossed([[0, 2], [1, 2], [16, 9], [93, 63], [50, 27], [121, 94]])
    hidden = protect(pivot(figures(counts, BY), replace(LAYOUT, shows="share_column")), RULE).status == SUPPRESSED
    assert hidden[:2].any()
    assert hidden[2:-1].sum() <= 3
