"""Link the records of one or several lists: prepare → block → learn → score. Everything stays in temporary tables."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mortality.linkage import blocking
from mortality.linkage.blocking import Rule
from mortality.linkage.ceiling import Captures
from mortality.linkage.model import (
    Model,
    Scorer,
    learn_m,
    learn_u,
    patterns_of,
    random_pairs,
    starting_model,
)
from mortality.linkage.prepare import drop_prepared, prepare_records
from mortality.linkage.promise import keep_promising, offer_short

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[int, int], None]
PAIRS = "linked_pair"
# In Vietnamese lists namesakes and households share several traits at once, which the weights take for separate ones:
# fewer pairs are one person than they say (chosen on drawn books).
CAUTION = 0.4
PAIRS_AT_ONCE = 24_000_000  # bounds the memory, before the rules are joined
LEARNING_PAIRS, ROUNDS = 1_500_000, 3
RULED_OUT = 1e-6
_TABLES = (
    "linkage_key",
    "linkage_pair",
    "linkage_near",
    "linkage_short",
    "linkage_random",
    "linkage_scored",
    "linkage_found",
    "linkage_sample",
    "linkage_truth",
)


@dataclass
class LinkRun:
    """What a linkage gave.

    pairs : name of the temporary table `linked_pair`: id_l, id_r (record ids, id_l the earlier row), match_probability,
        match_weight (log2 odds), level_<comparison> (0 = disagree, -1 = not known), rules (a bit per blocking rule)
    records, candidate_pairs, linked_pairs : counts
    rules : what each blocking rule brought and left out
    ceiling : estimated share of true pairs among the candidates (0-1), None where there is nothing to estimate from
    true_candidates : how many of the pairs of `truth` are candidates
    model : the shares that the pairs were scored with
    """

    pairs: str
    records: int = 0
    candidate_pairs: int = 0
    linked_pairs: int = 0
    rules: list[Rule] = field(default_factory=list)
    ceiling: float | None = None
    true_candidates: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    model: Model | None = None


def link_records(
    con: duckdb.DuckDBPyConnection,
    relation: str | duckdb.DuckDBPyRelation,
    *,
    minimum: float = 0.5,
    progress: Progress | None = None,
    truth: str | None = None,
) -> LinkRun:
    """Pairs of records that are probably one person.

    relation : table name or relation with any of record_id, list_id, full_name, sex, birth, death_date, address,
        place_code, id_number (all taken as text; absent or NULL is "not known"). Its order decides which of two is id_l.
    minimum : pairs below this probability are not kept
    truth : table with id_l, id_r of the true pairs, to count how many of them are candidates

    The connection is left with one more temporary table, `linked_pair`, and no other trace.
    """
    run = LinkRun(pairs=PAIRS)
    clock = _Clock(run)
    try:
        run.records = prepare_records(con, relation)
        clock("prepare")
        run.rules = blocking.make_keys(con, run.records)
        clock("block")
        if truth:
            _offer_truth(con, truth)
            run.true_candidates = 0
        _score(con, run, clock, minimum, progress)
        _name_records(con, run)
    finally:
        drop_prepared(con)
        for table in _TABLES:
            con.execute(f"DROP TABLE IF EXISTS temp.{table}")
    return run


class _Clock:
    """Seconds of each stage."""

    def __init__(self, run: LinkRun) -> None:
        self.run, self.last = run, time.monotonic()

    def __call__(self, stage: str) -> None:
        now = time.monotonic()
        self.run.seconds[stage] = self.run.seconds.get(stage, 0.0) + now - self.last
        self.last = now


def _score(
    con: duckdb.DuckDBPyConnection, run: LinkRun, clock: _Clock, minimum: float, progress: Progress | None
) -> None:
    scorer = Scorer(con)
    offer_short(con)
    try:
        parts = max(1, math.ceil(_pairs_of_rules(run) / PAIRS_AT_ONCE))
        run.model = _learn(con, scorer, run)
        clock("learn")
        captures = Captures()
        for part in range(parts):
            run.candidate_pairs += blocking.make_pairs(con, part, parts)
            if run.true_candidates is not None:
                run.true_candidates += _count_true(con)
            clock("pairs")
            keep_promising(con, run.model, minimum)
            clock("promise")
            scorer.score(run.model, "linkage_near", "linkage_scored", minimum=minimum, add=part > 0)
            captures.add(con)
            clock("score")
            if progress:
                progress(part + 1, parts)
        run.ceiling = captures.ceiling()
    finally:
        scorer.close()


def _learn(con: duckdb.DuckDBPyConnection, scorer: Scorer, run: LinkRun) -> Model:
    """u from random pairs, m and the prior from the candidates of one part of the list.

    Pairs that the starting values already rule out are scored once and not again.
    """
    records = run.records
    model = starting_model(records)
    if records < 2:
        return model
    random_pairs(con, records)
    scorer.score(model, "linkage_random", "linkage_sample")
    learn_u(model, patterns_of(con, "linkage_sample", model))
    parts = max(1, math.ceil(_pairs_of_rules(run) / LEARNING_PAIRS))
    blocking.make_pairs(con, 0, parts)
    keep_promising(con, model, RULED_OUT)
    candidates, caution = "linkage_near", _caution(con)
    for _ in range(ROUNDS):
        scorer.score(model, candidates, "linkage_sample", minimum=RULED_OUT)
        found = learn_m(model, patterns_of(con, "linkage_sample", model)) * parts
        model.prior = min(0.2, max(caution * (found + 1) / (records * (records - 1) / 2 + 10), 0.02 / records))
        con.execute("CREATE OR REPLACE TEMP TABLE linkage_found AS SELECT rec_l, rec_r FROM linkage_sample")
        candidates = "linkage_found"
    return model


def _caution(con: duckdb.DuckDBPyConnection) -> float:
    """CAUTION for a list whose names were read as Vietnamese, else 1."""
    (vietnamese,) = con.execute("SELECT count(given) > 0 FROM linkage_record").fetchone() or (False,)
    return CAUTION if vietnamese else 1.0


def _pairs_of_rules(run: LinkRun) -> int:
    return sum(rule.pairs for rule in run.rules)


def _offer_truth(con: duckdb.DuckDBPyConnection, truth: str) -> None:
    """Temporary table `linkage_truth`: the true pairs by number of the record."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE linkage_truth AS
        SELECT DISTINCT least(l.rec, r.rec) AS rec_l, greatest(l.rec, r.rec) AS rec_r FROM {truth} t
        JOIN linkage_record l ON l.record_id = t.id_l JOIN linkage_record r ON r.record_id = t.id_r"""
    )


def _count_true(con: duckdb.DuckDBPyConnection) -> int:
    (count,) = con.execute("SELECT count(*) FROM linkage_pair JOIN linkage_truth USING (rec_l, rec_r)").fetchone() or (
        0,
    )
    return int(count)


def _name_records(con: duckdb.DuckDBPyConnection, run: LinkRun) -> None:
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {PAIRS} AS
        SELECT l.record_id AS id_l, r.record_id AS id_r, s.* EXCLUDE (rec_l, rec_r)
        FROM linkage_scored s JOIN linkage_record l ON l.rec = s.rec_l JOIN linkage_record r ON r.rec = s.rec_r
        ORDER BY s.rec_l, s.rec_r"""
    )
    (run.linked_pairs,) = con.execute(f"SELECT count(*) FROM {PAIRS}").fetchone() or (0,)
