"""The Fellegi-Sunter model in Splink: settings, u from random pairs, m from the candidate pairs, scores.

Splink's own EM may run away on a small set. Here each level keeps its starting value as if `WEIGHT` pairs had been seen
on it, so few data move it little and many data much; a list that teaches nothing is scored with the starting values.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mortality.linkage.comparisons import COMPARISONS, FREQUENCIES, Comparison, splink_comparison

if TYPE_CHECKING:
    import duckdb

Shares = dict[str, dict[str, float]]
RANDOM_PAIRS = 60_000
WEIGHT_U, WEIGHT_M = 2000.0, 60.0
MOST_DISAGREEMENT = 1.5  # times the starting share
EXPECTED_DUPLICATES = 0.10  # records that meet another one, before the data have spoken


@dataclass
class Model:
    """m and u of each level, and the chance that two random records are one person."""

    prior: float
    comparisons: tuple[Comparison, ...] = COMPARISONS
    m: Shares = field(default_factory=dict)
    u: Shares = field(default_factory=dict)

    def __post_init__(self) -> None:
        for comparison in self.comparisons:
            self.m.setdefault(comparison.key, _to_one({level.key: level.m for level in comparison.levels}))
            self.u.setdefault(comparison.key, _to_one({level.key: level.u for level in comparison.levels}))

    def settings(self, *, details: bool = False) -> dict[str, Any]:
        """Splink's settings."""
        return {
            "link_type": "dedupe_only",
            "unique_id_column_name": "rec",
            "probability_two_random_records_match": self.prior,
            "comparisons": [splink_comparison(c, self.m[c.key], self.u[c.key]) for c in self.comparisons],
            "blocking_rules_to_generate_predictions": [],
            "retain_matching_columns": True,
        }


def _to_one(values: dict[str, float]) -> dict[str, float]:
    total = sum(values.values())
    return {key: value / total for key, value in values.items()}


def starting_model(records: int) -> Model:
    """The model before the data have spoken."""
    return Model(prior=min(0.2, 2 * EXPECTED_DUPLICATES / max(records - 1, 1)))


class Scorer:
    """Splink over `linkage_record`; pairs to score stand in a table with rec_l and rec_r."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        from mortality.linkage.backend import TemporaryDuckDB

        logging.getLogger("splink").setLevel(logging.ERROR)
        self.con = con
        self.api = TemporaryDuckDB(con)
        self.records = self.api.register("linkage_record")
        self.empty = "linkage_no_frequency"
        columns = ", ".join(
            f"CAST(NULL AS VARCHAR) AS {name}, CAST(NULL AS DOUBLE) AS tf_{name}" for name in FREQUENCIES
        )
        con.execute(f"CREATE OR REPLACE TEMP TABLE {self.empty} AS SELECT {columns} LIMIT 0")

    def score(self, model: Model, pairs: str, target: str, *, minimum: float | None = None, add: bool = False) -> None:
        """The pairs of table `pairs` scored into temporary table `target` (id by rec): match_probability, weight, levels."""
        from splink import Linker

        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE linkage_blocked AS "
            f"SELECT CAST(rec_l AS INT) AS join_key_l, CAST(rec_r AS INT) AS join_key_r, '0' AS match_key FROM {pairs}"
        )
        linker = Linker(self.records, model.settings(), log_level=None, validate_settings=False)
        cache = self.api._intermediate_table_cache
        for name in FREQUENCIES:  # the shares stand in the records already
            cache[f"__splink__df_tf_{name}"] = self.api.table_to_splink_dataframe(f"__splink__df_tf_{name}", self.empty)
        linker.table_management.register_blocked_pairs_for_predict(
            self.api.table_to_splink_dataframe("__splink__blocked_id_pairs", "linkage_blocked")
        )
        answer = linker.inference.predict(threshold_match_probability=minimum, warning_mode="never")
        levels = ", ".join(f"CAST(gamma_{c.key} AS TINYINT) AS level_{c.key}" for c in model.comparisons)
        select = (
            f"SELECT rec_l, rec_r, CAST(match_probability AS DOUBLE) AS match_probability, "
            f"CAST(match_weight AS DOUBLE) AS match_weight, {levels} FROM {answer.physical_name}"
        )
        how = f"INSERT INTO {target}" if add else f"CREATE OR REPLACE TEMP TABLE {target} AS"
        self.con.execute(f"{how} {select}")
        self.api.delete_tables_created_by_splink_from_db()
        self.con.execute("DROP TABLE IF EXISTS linkage_blocked")

    def close(self) -> None:
        self.api.delete_tables_created_by_splink_from_db()
        self.con.execute(f"DROP TABLE IF EXISTS {self.empty}")


def random_pairs(con: duckdb.DuckDBPyConnection, records: int, count: int = RANDOM_PAIRS) -> None:
    """Temporary table `linkage_random`: pairs of records drawn by hashing numbers, the same at each run."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE linkage_random AS
        SELECT DISTINCT least(a, b) AS rec_l, greatest(a, b) AS rec_r FROM (
            SELECT 1 + (hash(i) % {records})::INT AS a, 1 + (hash(i + 7000001) % {records})::INT AS b
            FROM range({min(count, 4 * records * records)}) AS t(i)
        ) WHERE a <> b"""
    )


def learn_u(model: Model, patterns: pd.DataFrame) -> None:
    """u from levels of random pairs: level_<comparison>, pairs (how many) and surely (how many of them are one person)."""
    apart = patterns["pairs"].to_numpy(float) - patterns["surely"].to_numpy(float)
    for comparison in model.comparisons:
        seen = _counts(comparison, patterns, apart)
        model.u[comparison.key] = _posterior(comparison, seen, model.u[comparison.key], WEIGHT_U)


def _counts(comparison: Comparison, patterns: pd.DataFrame, weight: np.ndarray) -> np.ndarray:
    values = patterns[f"level_{comparison.key}"].to_numpy()
    known = values >= 0
    return np.bincount(values[known], weight[known], minlength=len(comparison.levels))[::-1]


def _posterior(comparison: Comparison, seen: np.ndarray, before: dict[str, float], weight: float) -> dict[str, float]:
    keys = [level.key for level in comparison.levels]
    start = np.array([before[key] for key in keys])
    after = (seen + weight * start) / (seen.sum() + weight)
    return dict(zip(keys, after.tolist()))


def _bounded(start: dict[str, float], learnt: dict[str, float]) -> dict[str, float]:
    """Disagreement is not learnt away: families and namesakes among the pairs would make it look like a habit of true pairs."""
    limits: dict[str, float] = {
        key: MOST_DISAGREEMENT * start[key] for key in ("other", "household", "other_middle") if key in start
    }
    return _to_one({key: min(value, limits.get(key, 1.0)) for key, value in learnt.items()})


def patterns_of(con: duckdb.DuckDBPyConnection, table: str, model: Model) -> pd.DataFrame:
    """How many pairs of a scored table stand on each combination of levels, and the sum of their probabilities."""
    columns = ", ".join(f"level_{comparison.key}" for comparison in model.comparisons)
    return con.execute(
        f"SELECT {columns}, count(*) AS pairs, round(sum(match_probability), 6) AS surely FROM {table} GROUP BY ALL"
    ).df()


def learn_m(model: Model, patterns: pd.DataFrame) -> float:
    """m from scored candidate pairs: their levels, `pairs` and `surely` (the sum of their probabilities).

    Returns the number of pairs expected to be one person.
    """
    sure = patterns["surely"].to_numpy(float)
    for comparison in model.comparisons:
        start = _to_one({level.key: level.m for level in comparison.levels})
        seen = _counts(comparison, patterns, sure)
        model.m[comparison.key] = _bounded(start, _posterior(comparison, seen, start, WEIGHT_M))
    return float(sure.sum())
