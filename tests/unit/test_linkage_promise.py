"""Pairs left out before Splink: none that Splink would have kept, and most of the others."""

import duckdb
import pytest

from mortality.linkage import blocking, link
from mortality.practice.link_lists import draw_link_list


def people(profile, seed, *dropped):
    table, _ = draw_link_list(250, seed=seed, profile=profile)
    names = {"id": "record_id", "birth_date": "birth"}
    return table.rename(columns=names).replace("", None).drop(columns=list(dropped))


def linked(table, minimum=0.02):
    con = duckdb.connect()
    con.execute("SET threads = 2")
    con.register("people", table)
    run = link.link_records(con, "people", minimum=minimum)
    rows = con.sql(f"SELECT id_l, id_r, match_probability FROM {run.pairs}").fetchall()
    return {(left, right): probability for left, right, probability in rows}


def keep_all(con, model, minimum, *, pairs="linkage_pair", target="linkage_near"):
    con.execute(f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT * FROM {pairs}")


@pytest.mark.parametrize(
    ("profile", "dropped"), [("mixed", ()), ("hard", ("id_number",)), ("hard", ("place_code", "address"))], ids=str
)
def test_pairs_and_probabilities_are_those_of_scoring_every_candidate(profile, dropped, monkeypatch):
    table = people(profile, 21, *dropped)
    quick = linked(table)
    monkeypatch.setattr(link, "keep_promising", keep_all)
    assert linked(table) == pytest.approx(quick, abs=1e-6)
    assert len(quick) > 200


def test_most_candidates_need_no_comparison_of_texts(monkeypatch):
    shares, keep = [], link.keep_promising

    def watched(con, model, minimum, **options):
        keep(con, model, minimum, **options)
        counts = [con.sql(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("linkage_near", "linkage_pair")]
        shares.append((minimum, counts[0] / counts[1]))

    monkeypatch.setattr(link, "keep_promising", watched)
    linked(people("mixed", 22), minimum=0.5)
    assert next(share for minimum, share in shares if minimum == 0.5) < 0.2


def test_a_large_list_does_without_the_rules_that_only_small_lists_can_afford(monkeypatch):
    monkeypatch.setattr(blocking, "SMALL_LIST", 100)
    con = duckdb.connect()
    con.register("people", people("book", 23))
    names = {rule.name for rule in link.link_records(con, "people").rules}
    assert names == set(blocking.RULES) - blocking.SMALL_ONLY
