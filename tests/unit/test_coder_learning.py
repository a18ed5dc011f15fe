"""What coders agree on becomes a dictionary entry: by a rule, with provenance, under review, as of any moment."""

from hashlib import md5

import numpy as np
import pandas as pd
import pytest
from coder_support import NO_EVENTS, RULE, drawn_choices, event
from hypothesis import given, settings
from hypothesis import strategies as st

from mortality.coder.agreement import accepted_first, cohens_kappa, compare
from mortality.coder.choices import until
from mortality.coder.keys import NEONATAL_YEARS, names_somebody, text_key
from mortality.coder.learning import ACTIVE, as_dictionary, learn, version_of
from mortality.coder.sample import allocation, chosen


def states(choices, events=NO_EVENTS):
    rows = learn(choices, events, RULE)
    return {(row.expression, row.code): row.state for row in rows.itertuples()}


def events(*rows):
    return pd.DataFrame(list(rows), columns=NO_EVENTS.columns)


def test_two_coders_who_agree_make_an_entry_and_one_does_not():
    found = states(drawn_choices("""
        words          | coder | code
        ngã giàn giáo  | an    | W12
        ngã giàn giáo  | binh  | W12
        teo gan        | an    | K72.9
    """))  # fmt: skip
    assert found == {("ngã giàn giáo", "W12"): "learnt", ("teo gan", "K72.9"): "waiting"}


def test_the_same_coder_twice_is_one_coder():
    found = states(drawn_choices("""
        words   | coder | code
        teo gan | an    | K72.9
        teo gan | an    | K72.9
    """))  # fmt: skip
    assert found == {("teo gan", "K72.9"): "waiting"}


def test_one_confirmation_by_a_reviewer_is_enough():
    found = states(drawn_choices("""
        words   | coder | code  | reviewer
        teo gan | duyet | K72.9 | yes
    """))  # fmt: skip
    assert found == {("teo gan", "K72.9"): "learnt"}


def test_coders_who_differ_leave_the_words_disputed_until_a_reviewer_chooses():
    text = """
        words   | coder | code  | reviewer
        teo gan | an    | K72.9 | -
        teo gan | binh  | K72.9 | -
        teo gan | cuc   | K74.6 | -
    """
    assert states(drawn_choices(text)) == {("teo gan", "K72.9"): "disputed", ("teo gan", "K74.6"): "disputed"}
    decided = states(drawn_choices(text + "teo gan | duyet | K74.6 | yes"))
    assert decided == {("teo gan", "K72.9"): "disputed", ("teo gan", "K74.6"): "learnt"}


def test_uncodable_is_a_disagreement_too():
    choices = drawn_choices("""
        words   | coder | code  | state
        teo gan | an    | K72.9 | code
        teo gan | binh  | K72.9 | code
        teo gan | cuc   | -     | uncodable
    """)  # fmt: skip
    assert states(choices) == {("teo gan", "K72.9"): "disputed"}


def test_a_choice_that_was_taken_back_or_changed_counts_as_it_stands_last():
    choices = drawn_choices("""
        words   | coder | code  | state
        teo gan | an    | K72.9 | code
        teo gan | binh  | K72.9 | code
        teo gan | binh  | -     | withdrawn
        ho lao  | an    | J45.9 | code
        ho lao  | an    | A16.9 | code
        ho lao  | binh  | A16.9 | code
    """)  # fmt: skip
    assert states(choices) == {("teo gan", "K72.9"): "waiting", ("ho lao", "A16.9"): "learnt"}


def test_a_choice_on_one_record_teaches_nothing_about_the_words():
    choices = drawn_choices("""
        words   | coder | code  | death_id
        teo gan | an    | K72.9 | d1
        teo gan | binh  | K72.9 | d2
    """)  # fmt: skip
    assert states(choices) == {}


def test_words_of_a_maternal_death_and_words_that_name_somebody_are_never_learnt():
    choices = drawn_choices("""
        words         | coder | code  | maternal
        băng huyết    | an    | O72.1 | yes
        băng huyết    | binh  | O72.1 | yes
        bị … đánh     | an    | Y04   | -
        bị … đánh     | binh  | Y04   | -
    """)  # fmt: skip
    choices["maternal"] = choices["maternal"] == "yes"
    assert set(states(choices).values()) == {"not_learnt"}
    assert states(choices, events(event(1, "bị … đánh", "Y04", "accept")))[("bị … đánh", "Y04")] == "not_learnt"


AGREED = """
    words   | coder | code
    teo gan | an    | K72.9
    teo gan | binh  | K72.9
"""


@pytest.mark.parametrize(("what", "state"), [("accept", "accepted"), ("refuse", "refused"), ("withdraw", "withdrawn")])
def test_the_last_word_of_a_reviewer_holds(what, state):
    earlier = event(1, "teo gan", "K72.9", "refuse" if what == "accept" else "accept")
    assert states(drawn_choices(AGREED), events(earlier, event(2, "teo gan", "K72.9", what))) == {
        ("teo gan", "K72.9"): state
    }


def test_an_imported_entry_waits_and_codes_nothing_until_it_is_accepted():
    sent = event(1, "cảm gió", "R68.8", "import", source="VN2025:51", confirmations=7)
    rows = learn(drawn_choices(AGREED), events(sent), RULE)
    one = rows[rows["expression"] == "cảm gió"].iloc[0]
    assert (one["state"], one["source"], one["confirmations"]) == ("imported", "VN2025:51", 7)
    assert as_dictionary(rows)["expression"].tolist() == ["teo gan"]
    accepted = learn(
        drawn_choices(AGREED), events(sent, event(2, "cảm gió", "R68.8", "accept", source="VN2025:51")), RULE
    )
    assert set(as_dictionary(accepted)["expression"]) == {"teo gan", "cảm gió"}


def test_of_two_codes_for_the_same_words_the_one_accepted_last_stays():
    said = events(event(1, "teo gan", "K74.6", "import"), event(2, "teo gan", "K74.6", "accept"))
    assert states(drawn_choices(AGREED), said) == {("teo gan", "K72.9"): "disputed", ("teo gan", "K74.6"): "accepted"}


def test_what_was_known_at_a_moment_can_be_had_again():
    choices = drawn_choices(AGREED)
    rows = learn(until(choices, "2026-11-20 08:00:00.500000"), NO_EVENTS, RULE)
    assert rows["state"].tolist() == ["waiting"]
    assert version_of(rows) == ""
    assert version_of(learn(choices, NO_EVENTS, RULE)) != ""


def test_an_entry_says_how_many_confirmed_it_when_and_on_which_dictionary_and_names_no_account():
    row = as_dictionary(learn(drawn_choices(AGREED), NO_EVENTS, RULE), office="VN2025:51").iloc[0]
    assert row["note"] == (
        "learnt confirmations=2 coders=2 reviewers=0 deaths=1 days=2026-11-20 dictionary=v1 origin=own"
    )
    assert (row["source"], row["certainty"], row["icd10"]) == ("learnt:VN2025:51", "sure", "K72.9")
    assert "binh" not in " ".join(row)


def test_newborns_are_left_out_where_chapter_xvi_has_codes_of_its_own():
    choices = drawn_choices("""
        words       | coder | code  | age_band
        sưng phổi   | an    | J18.9 | -
        sưng phổi   | binh  | J18.9 | -
        sưng phổi   | an    | P23.9 | under_28_days
        sưng phổi   | binh  | P23.9 | under_28_days
        té giếng    | an    | W17   | -
        té giếng    | binh  | W17   | -
    """)  # fmt: skip
    rows = as_dictionary(learn(choices, NO_EVENTS, RULE)).set_index("icd10")
    limits = {code: (rows.loc[code, "age_from"], rows.loc[code, "age_below"]) for code in rows.index}
    assert limits == {"J18.9": (str(NEONATAL_YEARS), ""), "P23.9": ("", str(NEONATAL_YEARS)), "W17": ("", "")}
    assert pytest.approx(28 / 365.25, abs=1e-4) == NEONATAL_YEARS


CODES = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["A09.0", "J18.9"])), min_size=1, max_size=12)


@settings(deadline=None, max_examples=40)
@given(CODES)
def test_words_never_have_two_active_codes_and_every_active_one_has_the_coders_it_needs(said):
    choices = drawn_choices("words | coder | code\n" + "\n".join(f"ho | {who} | {code}" for who, code in said))
    rows = learn(choices, NO_EVENTS, RULE)
    active = rows[rows["state"].isin(ACTIVE)]
    last = dict(said)  # the last choice of each coder
    assert len(active) == (1 if len(last) >= 2 and len(set(last.values())) == 1 else 0)


# ------------------------------------------------------------------------------------------------------ words in normal form


@pytest.mark.parametrize(
    ("one", "other"),
    [("Té giếng", "té  giếng."), ("hoà", "hòa"), ("Đột quỵ", "ĐỘT QUỴ"), ("viêm phổi, suy tim", "viêm phổi suy tim")],
)
def test_spellings_of_one_wording_are_decided_once(one, other):
    assert text_key(one) == text_key(other)


def test_names_and_numbers_of_persons_are_not_kept():
    key = text_key("bị Nguyễn Văn Thử đánh, gọi 0905123457")
    assert "thử" not in key
    assert "0905" not in key
    assert names_somebody(key)
    assert not names_somebody(text_key("Đánh nhau"))


# ------------------------------------------------------------------------------------------------------------- agreement


def test_kappa_of_a_table_worked_by_hand():
    # 25 records: both "a" 10, both "b" 8, first a second b 4, first b second a 3
    first = pd.Series(["a"] * 10 + ["b"] * 8 + ["a"] * 4 + ["b"] * 3)
    second = pd.Series(["a"] * 10 + ["b"] * 8 + ["b"] * 4 + ["a"] * 3)
    chance = (14 / 25) * (13 / 25) + (11 / 25) * (12 / 25)
    found = cohens_kappa(first, second)
    assert found.agreed == pytest.approx(18 / 25)
    assert found.kappa == pytest.approx((18 / 25 - chance) / (1 - chance))
    assert found.lower < found.kappa < found.upper <= 1


def test_kappa_s_interval_is_that_of_fleiss_cohen_and_everitt():
    first = pd.Series(["a"] * 10 + ["b"] * 8 + ["a"] * 4 + ["b"] * 3)
    second = pd.Series(["a"] * 10 + ["b"] * 8 + ["b"] * 4 + ["a"] * 3)
    p = pd.crosstab(first, second).to_numpy() / 25
    rows, columns = p.sum(1), p.sum(0)
    po, pe = np.trace(p), rows @ columns
    kappa = (po - pe) / (1 - pe)
    on = sum(p[i, i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in range(2))
    off = (1 - kappa) ** 2 * sum(p[i, j] * (columns[i] + rows[j]) ** 2 for i in range(2) for j in range(2) if i != j)
    error = np.sqrt((on + off - (kappa - pe * (1 - kappa)) ** 2) / ((1 - pe) ** 2 * 25))
    found = cohens_kappa(first, second)
    assert (found.lower, found.upper) == pytest.approx((kappa - 1.959964 * error, kappa + 1.959964 * error), abs=1e-6)


@pytest.mark.parametrize("records", [0, 40])
def test_kappa_is_not_assessable_without_records_or_where_both_used_one_category(records):
    same = pd.Series(["a"] * records, dtype="str")
    assert cohens_kappa(same, same, least=30).status == "not_assessable"


def test_too_few_records_are_not_assessable():
    first, second = pd.Series(["a", "b"] * 10), pd.Series(["a", "b"] * 10)
    assert cohens_kappa(first, second, least=30).status == "not_assessable"
    assert cohens_kappa(first, second, least=20).kappa == pytest.approx(1)


DRAWN = pd.DataFrame(
    {
        "death_id": ["d1", "d2", "d3", "d4"],
        "stratum": ["auto_other"] * 3 + ["review_high"],
        "stratum_deaths": [90, 90, 90, 10],
    }
)
CODED = """
    words | coder | code  | death_id | state     | sample_id
    a     | an    | I21.9 | d1       | code      | s
    a     | binh  | I21.0 | d1       | code      | s
    b     | an    | I64   | d2       | code      | s
    b     | binh  | I64   | d2       | code      | s
    c     | an    | J18.9 | d3       | code      | s
    c     | binh  |       | d3       | uncodable | s
    d     | an    | R99   | d4       | code      | s
    d     | binh  | I50.9 | d4       | code      | s
"""


def test_two_codings_are_compared_at_three_characters_and_at_items_of_list_1():
    found = compare(DRAWN, drawn_choices(CODED), sample="s", coders=("an", "binh"), least=2)
    assert [one.agreed for one in found.kappas] == [2 / 4, 2 / 4]
    assert found.pairs["second_characters_3"].tolist() == ["I21", "I64", "(uncodable)", "I50"]
    # three records stand for 90 deaths, of which two agree; one stands for 10 and does not
    assert found.weighted_agreed == pytest.approx((90 * 2 / 3 + 10 * 0) / 100)
    assert found.disagreements("characters_3")["records"].tolist() == [1, 1]


def test_a_record_that_one_coder_did_not_code_is_not_compared():
    choices = drawn_choices(CODED)
    found = compare(DRAWN, choices[choices["choice_number"] != 8], sample="s", coders=("an", "binh"), least=2)
    assert found.pairs["death_id"].tolist() == ["d1", "d2", "d3"]


def test_the_first_suggestion_counts_where_one_was_shown_and_a_code_was_chosen():
    shown = '[{"code": "I64", "score": 0.9, "rule": "dictionary_exact"}, {"code": "I63.9", "score": 0.1, "rule": "x"}]'
    choices = drawn_choices("""
        words | coder | code  | accepted_rank | state
        a     | an    | I64   | 1             | code
        b     | an    | I63.9 | 2             | code
        c     | an    | R99   | 0             | code
        d     | an    |       | 0             | uncodable
        e     | an    | R99   | 0             | code
    """).assign(suggested=[shown] * 4 + ["[]"])  # fmt: skip
    rows = accepted_first(choices).set_index("rule")
    assert rows.loc["total", ["choices", "first", "among"]].tolist() == [3, 1, 2]
    assert rows.loc["total", "share"] == pytest.approx(1 / 3)
    assert rows.loc["total", "lower"] < 1 / 3 < rows.loc["total", "upper"]


# ---------------------------------------------------------------------------------------------------------------- samples


def frame(counts):
    rows = [(f"{name}{n:03}", name) for name, count in counts.items() for n in range(count)]
    made = pd.DataFrame(rows, columns=["death_id", "stratum"])
    return made.assign(lot=made["death_id"].map(lambda one: md5(one.encode()).hexdigest())).sort_values(
        ["stratum", "lot", "death_id"]
    )


def test_a_small_stratum_gets_its_least_and_no_more_than_it_has():
    counts = pd.Series({"auto_other": 900, "review_high": 40, "uncodable_high": 3})
    assert allocation(counts, 100, 5).to_dict() == {"auto_other": 96, "review_high": 5, "uncodable_high": 3}


@settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(st.sampled_from(["auto", "review", "uncodable"]), st.integers(1, 60), min_size=1),
    st.integers(1, 80),
)
def test_every_stratum_is_in_the_sample_and_nothing_is_drawn_twice(counts, size):
    rows = chosen(frame(counts), size, 5)
    assert set(rows["stratum"]) == set(counts)
    assert rows["death_id"].is_unique
    assert rows["place_in_sample"].tolist() == list(range(1, len(rows) + 1))
    assert len(rows) >= min(size, sum(counts.values()))
