"""Pairs become persons: the surest first, decisions above all, no person whose records contradict each other."""

import itertools

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from mortality.linkage.clusters import make_clusters, stable_ids

EARLIER = pd.DataFrame({"record_id": pd.Series(dtype="str"), "person_id": pd.Series(dtype="str")})


def pairs(text):
    frame = table(text)
    optional = {"contradiction": "", "decision_number": float("nan"), "weight": 5.0}
    return frame.assign(**{name: value for name, value in optional.items() if name not in frame})


def groups(frame, **settings_):
    members = make_clusters(frame, **settings_).members
    return sorted(sorted(one) for one in members.groupby("cluster")["record_id"].agg(list))


def test_two_records_that_the_engine_is_sure_of_are_one_person_and_a_doubtful_pair_waits():
    frame = pairs(
        """
        record_a | record_b | weight | state
        a        | b        |     12 | auto
        b        | c        |      1 | review
        """
    )
    assert groups(frame) == [["a", "b"]]


def test_records_that_are_alike_in_pairs_are_one_person():
    frame = pairs(
        """
        record_a | record_b | weight | state
        a        | b        |     12 | auto
        b        | c        |     11 | auto
        a        | c        |      1 | review
        """
    )
    assert groups(frame) == [["a", "b", "c"]]


def test_of_two_records_that_contradict_each_other_the_surer_pair_stays():
    frame = pairs(
        """
        record_a | record_b | weight | state  | contradiction
        a        | b        |     12 | auto   |
        b        | c        |     11 | auto   |
        a        | c        |        | apart  | two_id_numbers
        """
    ).assign(weight=[12.0, 11.0, None])
    found = make_clusters(frame)
    assert groups(frame) == [["a", "b"]]
    assert found.held_back == {1: "two_id_numbers"}


def test_a_chain_of_four_that_is_alike_at_its_links_only_is_cut_where_it_is_weakest():
    frame = pairs(
        """
        record_a | record_b | weight | state
        a        | b        |     20 | auto
        b        | c        |      8 | auto
        c        | d        |     19 | auto
        """
    )
    assert groups(frame) == [["a", "b"], ["c", "d"]]  # one of four pairs between the halves is alike: 1/4 < 1/2
    assert groups(frame, least_linked=0.25) == [["a", "b", "c", "d"]]


def test_same_joins_what_the_engine_would_not_even_against_a_contradiction():
    frame = pairs(
        """
        record_a | record_b | weight | state | contradiction
        a        | b        |      1 | same  | two_sexes
        """
    )
    assert groups(frame) == [["a", "b"]]


def test_different_keeps_two_records_apart_though_a_third_is_like_both():
    frame = pairs(
        """
        record_a | record_b | weight | state
        a        | b        |     30 | auto
        b        | c        |     20 | auto
        a        | c        |      9 | different
        """
    )
    assert groups(frame) == [["a", "b"]]
    assert make_clusters(frame).held_back == {1: "decided_different"}


def test_different_goes_before_same_and_of_two_that_clash_the_later_stands():
    frame = pairs(
        """
        record_a | record_b | weight | state     | decision_number
        a        | b        |      0 | same      | 1
        b        | c        |      0 | same      | 2
        a        | c        |      0 | different | 3
        """
    )
    assert groups(frame) == [["b", "c"]]


STATES = ("auto", "review", "same", "different", "apart")


@st.composite
def drawn_pairs(draw):
    records = "abcdefg"[: draw(st.integers(2, 7))]
    every = list(itertools.combinations(records, 2))
    chosen = draw(st.lists(st.sampled_from(every), unique=True, min_size=1))
    rows = [
        {
            "record_a": a,
            "record_b": b,
            "weight": draw(st.integers(-5, 20)) * 1.0,
            "state": (state := draw(st.sampled_from(STATES))),
            "contradiction": "two_sexes" if state == "apart" else "",
            "decision_number": float(number) if state in ("same", "different") else float("nan"),
        }
        for number, (a, b) in enumerate(chosen)
    ]
    return pd.DataFrame(rows)


def together(frame):
    return {pair for group in groups(frame) for pair in itertools.combinations(group, 2)}


@given(frame=drawn_pairs())
def test_persons_are_a_partition_of_records_that_are_joined(frame):
    members = make_clusters(frame).members
    assert members["record_id"].is_unique
    assert members.groupby("cluster").size().ge(2).all()
    held_by = frame.iloc[members["pair"]]
    assert held_by["state"].isin(["auto", "same"]).all()


@given(frame=drawn_pairs())
def test_different_is_always_honoured(frame):
    different = set(map(tuple, frame.loc[frame["state"] == "different", ["record_a", "record_b"]].to_numpy()))
    assert not different & together(frame)


@given(frame=drawn_pairs())
def test_same_is_always_honoured_where_nobody_said_different(frame):
    frame = frame[frame["state"] != "different"].reset_index(drop=True)
    same = set(map(tuple, frame.loc[frame["state"] == "same", ["record_a", "record_b"]].to_numpy()))
    assert same <= together(frame)


@given(frame=drawn_pairs())
def test_the_engine_alone_never_joins_records_that_contradict_each_other(frame):
    frame = frame[frame["state"] != "same"].reset_index(drop=True)
    apart = set(map(tuple, frame.loc[frame["state"] == "apart", ["record_a", "record_b"]].to_numpy()))
    assert not apart & together(frame)


@given(frame=drawn_pairs(), seed=st.integers(0, 99))
def test_the_order_of_the_pairs_does_not_matter(frame, seed):
    assert groups(frame) == groups(frame.sample(frac=1, random_state=seed).reset_index(drop=True))


@given(frame=drawn_pairs())
@settings(max_examples=50)
def test_a_person_that_did_not_change_keeps_its_id(frame):
    members = make_clusters(frame).members
    first = members.assign(person_id=stable_ids(members, EARLIER))
    assert first["person_id"].tolist() == stable_ids(members, first[["record_id", "person_id"]]).tolist()
    assert first.groupby("cluster")["person_id"].nunique().eq(1).all()
    assert first["person_id"].nunique() == members["cluster"].nunique()


def test_a_person_keeps_its_id_when_a_record_with_a_smaller_id_joins():
    members = pd.DataFrame({"record_id": ["a", "b", "c"], "cluster": [4, 4, 4]})
    earlier = pd.DataFrame({"record_id": ["b", "c"], "person_id": ["Pb", "Pb"]})
    assert stable_ids(members, earlier).tolist() == ["Pb"] * 3


def test_when_a_person_falls_apart_the_larger_part_keeps_the_id_and_nobody_else_gets_it():
    members = pd.DataFrame({"record_id": ["a", "e", "b", "c", "d"], "cluster": [1, 1, 2, 2, 2]})
    earlier = pd.DataFrame({"record_id": ["a", "b", "c", "d"], "person_id": ["Pa"] * 4})
    assert stable_ids(members, earlier).tolist() == ["Pe", "Pe", "Pa", "Pa", "Pa"]
