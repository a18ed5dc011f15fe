"""Tables with margins: small counts stay uncertain whatever sums a reader uses, and as little else as possible goes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.disclosure_table import audit_table, information_loss, suppress_table
from tkyt_analysis.errors import InputError

BY = ["place", "cause"]


def square(counts):
    places, causes = "ABCDEFGH", "xyzuvw"
    rows = [(places[i], causes[j], n) for i, line in enumerate(counts) for j, n in enumerate(line)]
    return pd.DataFrame(rows, columns=[*BY, "n"])


def hidden(found):
    return set(found.loc[found["status"].isin(["primary", "secondary"]), BY].itertuples(index=False, name=None))


@pytest.mark.parametrize("method", ["optimal", "one_by_one"])
def test_three_deaths_are_hidden_with_the_cheapest_rectangle_around_them(method):
    #      x    y    all
    # A    3   60     63     hidden: A x (3 < 5); with it A y, B x, B y (20 + 30 + 60 events), not C (100, 200)
    # B   20   30     50
    # C  100  200    300
    found = suppress_table(square([[3, 60], [20, 30], [100, 200]]), BY, method=method)
    assert hidden(found) == {("A", "x"), ("A", "y"), ("B", "x"), ("B", "y")}
    assert information_loss(found)["secondary_events"] == 110


def test_a_hidden_count_has_the_interval_that_the_sums_leave():
    # A: 3 + 60 = 63, B: 20 + 30 = 50, x: 23 besides C, so A x lies between 0 and 23
    found = suppress_table(square([[3, 60], [20, 30], [100, 200]]), BY).set_index(BY)
    assert found.loc[("A", "x"), ["lower", "upper"]].tolist() == [0, 23]
    assert found.loc[("C", "x"), ["lower", "upper"]].tolist() == [100, 100]


def test_one_small_count_alone_in_its_row_takes_its_total_with_it():
    # A has deaths of x only: "A, all causes" is the same 3 and small too
    found = suppress_table(square([[3, 0], [20, 30], [100, 200]]), BY)
    assert ("A", "Total") in hidden(found)
    assert audit_table(found, BY).empty


def test_the_audit_finds_a_count_hidden_alone():
    found = suppress_table(square([[3, 60], [20, 30], [100, 200]]), BY)
    alone = found.assign(status=found["status"].where(found["status"] != "secondary", "shown"))
    bad = audit_table(alone, BY)
    assert bad[BY].to_numpy().tolist() == [["A", "x"]]
    assert bad[["lower", "upper"]].iloc[0].tolist() == pytest.approx([3, 3])


def test_a_table_without_small_counts_is_shown_whole():
    found = suppress_table(square([[30, 60], [0, 30]]), BY)
    assert hidden(found) == set()
    assert found.set_index(BY).loc[("B", "x"), "status"] == "zero"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=2, max_size=4))
def test_no_search_leaves_a_small_count_exposed_and_the_exact_one_hides_no_more(counts):
    best = suppress_table(square(counts), BY, method="optimal")
    quick = suppress_table(square(counts), BY, method="one_by_one")
    everything = set(best.loc[best["n"] > 0, BY].itertuples(index=False, name=None))
    for found in (best, quick):
        assert audit_table(found, BY).empty or hidden(found) == everything  # all hidden: nothing more can be done
    assert information_loss(best)["secondary_events"] <= information_loss(quick)["secondary_events"] + 1e-9


def test_three_dimensions_have_all_their_margins():
    cells = square([[3, 60], [20, 30]])
    both = pd.concat([cells.assign(sex="male"), cells.assign(sex="female", n=cells["n"] + 10)])
    found = suppress_table(both, [*BY, "sex"])
    assert len(found) == 3 * 3 * 3
    every = found[(found[[*BY, "sex"]] == "Total").all(axis=1)]
    assert every["n"].item() == both["n"].sum()
    assert audit_table(found, [*BY, "sex"]).empty


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (table("place | n\nA | 3"), "cause"),
        (table("place | cause | n\nA | x | -1"), "-1"),
        (table("place | cause | n\nTotal | x | 7"), "Total"),
        (table("place | cause | n\nA | x | 7\nA | x | 8"), "A · x"),
    ],
)
def test_a_table_that_cannot_be_protected_says_why(counts, words):
    with pytest.raises(InputError) as problem:
        suppress_table(counts.assign(n=pd.to_numeric(counts["n"])), BY)
    assert words in str(problem.value)


def test_bounds_never_miss_the_true_count():
    rng = np.random.default_rng(7)
    found = suppress_table(square(rng.poisson(6, (5, 4))), BY)
    assert ((found["lower"] <= found["n"] + 1e-6) & (found["upper"] >= found["n"] - 1e-6)).all()
