"""From rows received to deaths analysed: every row is in one box, each exclusion is counted, and the sums close."""

import re

import pandas as pd
import pytest
from deaths_support import COMMUNE, NEIGHBOUR, PROVINCE, drawn_home, record, release_context
from hypothesis import given, settings
from hypothesis import strategies as st

from mortality.persons_release.flow import (
    BEFORE_PERSONS,
    LIST_OF_DOOR,
    OF_PERSONS,
    counted_flow,
    deaths_flow,
    flow_of,
    flow_totals,
)
from mortality.persons_release.flow_diagram import draw_flow, flow_figure, side_lines
from mortality.plugin import MODULE
from mortality.release_tables import death
from tkyt_analysis.errors import InputError

RECORDS = [
    record("a1", day="2025-08-31"), record("c1", "civil_registration", day="2025-09-02"), record("k1", "certificate"), record("h1", "sent_home_dying"),
    record("a2"), record("a3"), record("n2", "death_notice"), record("n3", "death_notice"),
    record("a4", day=None), record("a5", day="2027-01-01"), record("a6", code="P95"), record("a7", home=NEIGHBOUR), record("a8", day="2024-03-03"),
    record("c9", "civil_registration"), record("v9", "verbal_autopsy"), record("v1", "verbal_autopsy"),
    record("h2", "sent_home_dying"), record("h3", "sent_home_dying", state="transferred"),
    record("o1", file="old"), record("o2", file="old"), record("a10"),
]  # fmt: skip
PERSONS = ["a1 c1 k1 h1", "a2 a3 n2 n3"]
REFUSED = {"a6": {"quarantine.death_line_unreadable": 3}, "civil_registration": {"quarantine.heading_unit_missing": 2}}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return drawn_home(
        tmp_path_factory.mktemp("flow") / "home", RECORDS, persons=PERSONS, quarantined=REFUSED, replaced_files=["old"], replaced_records=["a10"]
    )  # fmt: skip


@pytest.fixture(scope="module")
def table(home):
    with release_context(home) as context:
        return deaths_flow(context)


def counts(flow):
    rows = flow.assign(key=flow["step"] + " " + flow["reason"]).groupby("key")["records"].sum()
    return {key.strip(): int(n) for key, n in rows.items()}


def test_every_row_received_is_in_the_one_box_where_it_belongs(table):
    assert counts(counted_flow(table)) == {
        "quarantined quarantine.death_line_unreadable": 3, "quarantined quarantine.heading_unit_missing": 2,
        "replaced file": 2, "replaced record": 1,
        "not_a_death taken_home": 1, "not_a_death other_state": 1,
        "duplicate": 2,  # a3 in the book, n3 among the notices
        "merged": 4,  # c1, k1, h1 of the first person and n2 of the second
        "no_date": 1, "future_date": 1, "stillbirth": 1,
        "other_list": 3,  # c9, v9, v1: three persons, none of them in the book
        "analysed": 4,  # a1, a2, a7, a8
    }  # fmt: skip


def test_the_boxes_add_up_from_received_to_analysed(home, table):
    total = flow_totals(counted_flow(table))
    with release_context(home) as context:
        (files,) = context.query(
            "SELECT sum(rows_received) r, sum(rows_landed) l, sum(rows_quarantined) q FROM lake.received_file"
        ).to_dict("records")
        analysed = (death(context)["excluded"] == "").sum()
    assert total["received"] == files["r"] == files["l"] + files["q"] == len(RECORDS) + 3 + 2
    assert total["records"] == total["received"] - total["quarantined"] == len(RECORDS)
    assert total["persons"] == total["records"] - (2 + 1) - (1 + 1) - 2 - 4
    assert total["analysed"] == total["persons"] - 1 - 1 - 1 - 3 == analysed


def test_a_place_and_a_year_leave_out_the_analysed_of_elsewhere_and_of_other_years(table):
    flow = counted_flow(table, units={COMMUNE}, year=2025)
    assert {key: n for key, n in counts(flow).items() if key.startswith(("outside", "analysed"))} == {
        "outside place": 1, "outside year": 1, "analysed": 2,
    }  # fmt: skip
    assert flow_totals(flow)["received"] == flow_totals(counted_flow(table))["received"]


def test_a_row_that_never_landed_stands_at_the_place_of_its_file_where_it_is_of_one_commune_or_province(table):
    refused = table[table["step"] == "quarantined"].set_index("source")
    assert refused.loc["civil_registration", "unit_id"] == COMMUNE
    assert refused.loc["a6", "unit_id"] == PROVINCE  # the book's other rows are of two communes of one province


def test_the_flow_of_the_report_ends_at_the_deaths_that_the_report_counts(home, table):
    with release_context(home) as context:
        rows = death(context)
    here = rows[(rows["excluded"] == "") & (rows["unit_2025"] == COMMUNE) & (rows["year"] == 2025)]
    assert flow_totals(counted_flow(table, units={COMMUNE}, year=2025))["analysed"] == len(here)


@pytest.fixture(scope="module")
def any_home(tmp_path_factory):
    """Where the drawn lists are put, one after the other."""
    return tmp_path_factory.mktemp("any") / "home"


_PEOPLE = st.lists(
    st.tuples(
        st.lists(
            st.sampled_from(["a6", "civil_registration", "death_notice", "certificate", "sent_home_dying"]),
            min_size=1,
            max_size=4,
        ),
        st.sampled_from([None, "2024-05-05", "2025-05-05", "2030-01-01"]),
        st.sampled_from(["I64", None, "P95", "B20"]),
        st.booleans(),
    ),
    min_size=10,
    max_size=16,
)


@settings(max_examples=2, deadline=None)
@given(people=_PEOPLE, refused=st.integers(0, 3))
def test_received_is_quarantined_and_persons_and_all_that_left_whatever_the_lists(people, refused, any_home):
    rows, persons, replaced = [], [], []
    for number, (lists, day, code, is_replaced) in enumerate(people):
        names = [f"r{number}x{place}" for place in range(len(lists))]
        rows += [record(name, one, day=day, code=code) for name, one in zip(names, lists, strict=True)]
        persons += [" ".join(names)] if len(names) > 1 else []
        replaced += names[:1] if is_replaced else []
    quarantined = {rows[0]["source"]: {"quarantine.death_line_unreadable": refused}} if rows and refused else {}
    home = drawn_home(
        any_home,
        rows,
        persons=persons,
        quarantined=quarantined,
        replaced_records=replaced,
    )
    with release_context(home) as context:
        flow = counted_flow(deaths_flow(context))
        analysed = int((death(context)["excluded"] == "").sum())
    total = flow_totals(flow)
    assert total["received"] == len(rows) + sum(sum(one.values()) for one in quarantined.values())
    assert total["records"] == len(rows)
    assert total["persons"] == total["records"] - sum(total[name] for name in BEFORE_PERSONS[1:])
    assert total["persons"] == sum(total[name] for name in OF_PERSONS)
    assert total["analysed"] == analysed
    assert total["replaced"] == len(replaced)


def test_a_home_without_lists_has_an_empty_flow_that_can_still_be_drawn(any_home):
    with release_context(drawn_home(any_home, [], units=False)) as context:
        flow = counted_flow(deaths_flow(context))
    assert set(flow_totals(flow).values()) == {0}
    assert draw_flow(flow, "vi").startswith("<svg")


def test_every_door_for_lists_of_deaths_has_its_list():
    assert set(MODULE.doors) - {"death_link_review"} <= set(LIST_OF_DOOR)


# --------------------------------------------------------------------------------------------- drawing


def test_the_diagram_says_each_number_with_its_parts_most_first(table):
    lines = [text for _, text in side_lines(counted_flow(table), "quarantined", "vi")]
    assert [re.search(r"\d+$", text)[0] for text in lines] == ["5", "3", "2"]
    merged = [text for _, text in side_lines(counted_flow(table), "merged", "vi")]
    assert merged[0] == "Cùng người, đã có ở danh sách khác: 4"
    assert "hộ tịch: 1" in merged


def test_the_same_flow_is_drawn_with_the_same_bytes_in_either_language(table):
    flow = counted_flow(table)
    assert draw_flow(flow, "vi") == draw_flow(flow, "vi")
    assert draw_flow(flow, "vi") != draw_flow(flow, "en")


def test_who_cannot_see_the_diagram_reads_its_numbers(table):
    html = flow_figure(counted_flow(table), "vi", place="Trà Bồng", year=2025)
    assert "26 dòng đã nhận, 21 hồ sơ" in html


def test_a_release_of_an_earlier_version_says_that_it_has_no_flow():
    class Earlier:
        release_id = "R1"

        def has(self, table):
            return False

    with pytest.raises(InputError, match="R1"):
        flow_of(Earlier())


def test_a_step_that_nobody_named_is_no_silent_box():
    strange = pd.DataFrame(
        {
            "unit_id": [""],
            "unit_2025": [""],
            "year": [2025],
            "source": ["a6"],
            "step": ["lost"],
            "reason": [""],
            "records": [1],
        }
    )
    with pytest.raises(ValueError, match="lost"):
        counted_flow(strange)
