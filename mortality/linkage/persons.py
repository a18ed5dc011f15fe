"""Persons in the warehouse: what the engine finds over all records of deaths, with what people decided, becomes `death_match`.

Nothing is merged or deleted: a person is a set of records that carry one `person_id`. `death_link_pair` keeps every pair at
or above the lower threshold and why it did or did not join; `death_link_run` keeps what each run compared.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.linkage import candidates
from mortality.linkage.clusters import make_clusters, stable_ids
from mortality.linkage.decisions import current_decisions, with_decisions
from tkyt_analysis.warehouse.lake import Warehouse, create_home

if TYPE_CHECKING:
    from mortality.linkage.link import LinkRun

Progress = Callable[..., None]
# The engine is asked for pairs well below the lower threshold: a day of discharge may still speak for them.
ENGINE_MINIMUM = 0.02
MATCH_COLUMNS = ["record_id", "person_id", "source", "matched_by", "probability", "reasons"]


@dataclass(frozen=True)
class MatchSummary:
    """What one run did. names : whether names and ID numbers were read; candidate_pairs, ceiling : of the engine (None without
    names); linked_records : that meet another one; persons : with two records or more."""

    records: int
    names: bool
    candidate_pairs: int | None
    ceiling: float | None
    auto_pairs: int
    review_pairs: int
    linked_records: int
    persons: int

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def link_settings(day: datetime.date | None = None) -> dict[str, float]:
    """The thresholds in force on `day` (today): upper, lower, and what contradicts (catalog `death_linkage`)."""
    from tkyt_analysis.catalog import load_entry

    return dict(load_entry("thresholds", "death_linkage").at(day or datetime.date.today()))


def match_deaths(home: Path, progress: Progress | None = None) -> dict[str, Any]:
    """The step of the pipeline: see `link_home`."""
    return link_home(home, progress).as_dict()


def link_home(home: Path, progress: Progress | None = None) -> MatchSummary:
    """Compare all records of deaths of a home and make its persons anew; decisions of people stand. A run without news
    changes nothing but the log of runs.

    Names and ID numbers are read inside the restricted store; what is written holds keys, probabilities and levels only. An
    account without the right to them keeps what an earlier run found by name, and matches the rest by attributes.
    """
    from mortality.quality.identities import may_read_identifiers

    create_home(home)  # a home of an earlier version gets the tables
    names = may_read_identifiers(home)
    with Warehouse(home, write=True) as warehouse:
        try:
            records = _offer_records(warehouse, names=names)
            run = _score(warehouse, link_settings(), records, names=names, progress=progress)
            return _write(warehouse, records, run, names=names)
        finally:
            candidates.drop_records(warehouse.con)


def _offer_records(warehouse: Warehouse, *, names: bool) -> int:
    from mortality.records.replaced import replaced_records_sql
    from tkyt_analysis.warehouse.replaced import replaced_files_sql

    if names:
        with warehouse.restricted():
            candidates.keep_identities(warehouse.con, candidates.IDENTITY_TABLES)
    else:
        candidates.keep_identities(warehouse.con, {})
    where = (
        f"r.file_sha256 NOT IN ({replaced_files_sql(warehouse)}) "
        f"AND r.record_id NOT IN ({replaced_records_sql(warehouse)})"
    )
    return candidates.make_records(warehouse.con, death="lake.death", sent_home="lake.sent_home_dying", where=where)


def _score(
    warehouse: Warehouse, settings: Mapping[str, float], records: int, *, names: bool, progress: Progress | None
) -> LinkRun | None:
    """Make `person_link`; what the engine says of its run, None without names."""
    con = warehouse.con
    if names and records:
        from mortality.linkage.link import link_records

        con.execute(f"CREATE OR REPLACE TEMP TABLE engine_record AS {candidates.ENGINE_RECORDS}")
        run = link_records(con, "engine_record", minimum=ENGINE_MINIMUM)
        candidates.score_records(con, "linked_pair", settings)
        con.execute("DROP TABLE engine_record; DROP TABLE IF EXISTS linked_pair")
        return run
    candidates.match_by_attributes(con, settings)
    if not names:
        _keep_earlier(warehouse)
    return None


def _keep_earlier(warehouse: Warehouse) -> None:
    """In place of attribute pairs of records that a run by name knew, what that run found of them."""
    warehouse.con.execute(
        """
        CREATE OR REPLACE TEMP TABLE known_record AS
        SELECT p.record_id FROM person_record p JOIN lake.received_file f USING (file_sha256)
        WHERE f.received_at < (SELECT max(run_at) FROM lake.death_link_run WHERE names);
        DELETE FROM person_link WHERE record_a IN (FROM known_record) AND record_b IN (FROM known_record);
        INSERT INTO person_link BY NAME
        SELECT record_a, record_b, probability, weight, levels, discharge, contradiction FROM lake.death_link_pair
        WHERE record_a IN (FROM known_record) AND record_b IN (FROM known_record) AND (probability IS NOT NULL OR contradiction <> '');
        DROP TABLE known_record
        """
    )


# ------------------------------------------------------------------------------------------------- persons from pairs


def _write(warehouse: Warehouse, records: int, run: LinkRun | None, *, names: bool) -> MatchSummary:
    """Persons of all pairs of `person_link`, stored where they differ from what is stored."""
    con = warehouse.con
    decisions = current_decisions(warehouse)
    con.register("incoming", decisions[["record_a", "record_b"]].astype("str"))
    counting = con.execute(
        "SELECT i.record_a, i.record_b FROM incoming i JOIN person_record a ON a.record_id = i.record_a JOIN person_record b ON b.record_id = i.record_b"
    ).df()
    con.unregister("incoming")
    decisions = decisions.merge(counting, on=["record_a", "record_b"])
    earlier = warehouse.query("SELECT record_id, person_id FROM lake.death_match")
    made = _made(con, "person_link", decisions, earlier, sources="SELECT record_id, source FROM person_record")
    with warehouse.transaction():
        for table in ("death_link_pair", "death_match"):
            _replace(warehouse, table)
        summary = _summary(warehouse, records, run, names=names)
        _log_run(warehouse, summary)
    for name in made:
        con.execute(f"DROP TABLE IF EXISTS temp.{name}")
    return summary


def _made(
    con: Any,
    links: str,
    decisions: pd.DataFrame,
    earlier: pd.DataFrame,
    *,
    sources: str,
    taken: Iterable[str] = (),
) -> tuple[str, ...]:
    """Make the temporary tables `made_death_link_pair` and `made_death_match` from pairs (a table like `person_link`)."""
    settings = link_settings()
    pairs = con.execute(
        f"""
        SELECT record_a, record_b, weight, contradiction,
               CASE WHEN probability IS NULL AND contradiction <> '' THEN 'apart'
                    WHEN contradiction <> '' OR probability < {settings["upper"]} THEN 'review' ELSE 'auto' END AS state
        FROM {links} ORDER BY record_a, record_b
        """
    ).df()
    pairs = with_decisions(pairs, decisions)
    clusters = make_clusters(pairs, least_linked=settings["least_linked"])
    members = clusters.members.assign(person_id=stable_ids(clusters.members, earlier, taken=taken))
    held = pd.Series(clusters.held_back, dtype="str").reindex(pairs.index).fillna("")
    state = pairs["state"].mask(held.ne("") & pairs["state"].eq("auto"), "review")
    outcome = pairs[["record_a", "record_b"]].assign(
        state=state,
        held_back=held.where(held.ne(""), pairs["contradiction"].where(state == "review", "")),
        row=range(len(pairs)),
    )
    _keep(con, "pair_outcome", outcome)
    _keep(con, "person_member", members)
    con.execute(_PAIRS.format(links=links))
    con.execute(_MATCHES.format(sources=sources))
    _add_reasons(con)
    con.execute("DROP TABLE pair_outcome; DROP TABLE person_member")
    return "made_death_link_pair", "made_death_match", "person_link"


_PAIRS = """
    CREATE OR REPLACE TEMP TABLE made_pair AS
    SELECT o.record_a, o.record_b, l.probability, l.weight, coalesce(l.levels, '{{}}') AS levels, coalesce(l.discharge, '') AS discharge,
           coalesce(l.contradiction, '') AS contradiction, o.state, o.held_back, o.row
    FROM pair_outcome o LEFT JOIN {links} l ON l.record_a = o.record_a AND l.record_b = o.record_b
"""
_MATCHES = """
    CREATE OR REPLACE TEMP TABLE made_match AS
    SELECT m.record_id, m.person_id, s.source, p.probability, p.levels, p.discharge,
           CASE WHEN p.state = 'same' THEN 'decision' WHEN json_extract(p.levels, '$.attributes') IS NOT NULL THEN 'attributes'
                WHEN CAST(coalesce(json_extract(p.levels, '$.id'), '-1') AS INTEGER) > 0 THEN 'id_number' ELSE 'name' END AS matched_by
    FROM person_member m JOIN made_pair p ON p.row = m.pair JOIN ({sources}) s ON s.record_id = m.record_id
"""


def _add_reasons(con: Any) -> None:
    """Each distinct set of levels is put into reasons once."""
    levels = con.execute("SELECT DISTINCT levels, discharge FROM made_pair ORDER BY ALL").df()
    words = [" ".join(candidates.reason_keys(*one)) for one in levels.itertuples(index=False)]
    _keep(con, "level_reason", levels.assign(reasons=words))
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE made_death_link_pair AS
        SELECT p.* EXCLUDE (row), r.reasons FROM made_pair p JOIN level_reason r USING (levels, discharge);
        CREATE OR REPLACE TEMP TABLE made_death_match AS
        SELECT m.record_id, m.person_id, m.source, m.matched_by, m.probability, r.reasons
        FROM made_match m JOIN level_reason r USING (levels, discharge);
        DROP TABLE made_pair; DROP TABLE made_match; DROP TABLE level_reason
        """
    )


def _keep(con: Any, name: str, rows: pd.DataFrame) -> None:
    from tkyt_analysis.quality.frames import keep_frame

    keep_frame(con, name, rows)


def _replace(warehouse: Warehouse, table: str, where: str = "true") -> None:
    """The rows of `made_<table>` in place of those stored (that meet the condition); nothing is written where they are the same."""
    columns = [row[0] for row in warehouse.con.execute(f"DESCRIBE made_{table}").fetchall()]
    listed = ", ".join(f'"{name}"' for name in columns)
    new, old = f"SELECT {listed} FROM made_{table}", f"SELECT {listed} FROM lake.{table} WHERE {where}"
    differs = warehouse.one(
        f"SELECT (SELECT count(*) FROM ({new} EXCEPT ALL {old})) + (SELECT count(*) FROM ({old} EXCEPT ALL {new}))"
    )[0]
    if differs:
        warehouse.con.execute(f"DELETE FROM lake.{table} WHERE {where}")
        warehouse.con.execute(f"INSERT INTO lake.{table} BY NAME {new} ORDER BY 1, 2")


def _summary(warehouse: Warehouse, records: int, run: LinkRun | None, *, names: bool) -> MatchSummary:
    states = dict(warehouse.con.execute("SELECT state, count(*) FROM lake.death_link_pair GROUP BY 1").fetchall())
    linked, persons = warehouse.one("SELECT count(*), count(DISTINCT person_id) FROM lake.death_match")
    return MatchSummary(
        records=records,
        names=names,
        candidate_pairs=None if run is None else int(run.candidate_pairs),
        ceiling=None if run is None or run.ceiling is None else float(run.ceiling),
        auto_pairs=int(states.get("auto", 0)),
        review_pairs=int(states.get("review", 0)),
        linked_records=int(linked),
        persons=int(persons),
    )


def _log_run(warehouse: Warehouse, summary: MatchSummary) -> None:
    from tkyt_analysis.access.door import current_account
    from tkyt_analysis.workflow.states import event_time, utc_now

    number = int(warehouse.one("SELECT coalesce(max(run_number), 0) FROM lake.death_link_run")[0]) + 1
    row = {"run_number": number, "run_at": event_time(utc_now()), "account": current_account(warehouse.home).name}
    frame = pd.DataFrame([row | summary.as_dict()]).astype({"ceiling": "float64", "candidate_pairs": "Int64"})
    warehouse.con.register("incoming", frame)
    warehouse.con.execute("INSERT INTO lake.death_link_run BY NAME SELECT * FROM incoming")
    warehouse.con.unregister("incoming")


# ------------------------------------------------------------------------------------- after a decision on some records


def remake_persons(warehouse: Warehouse, ids: Sequence[str]) -> dict[str, str]:
    """Make the persons of these records and of all that hang together with them anew, from the stored pairs and the
    decisions; {record: person_id, "" alone}. Inside a transaction."""
    con = warehouse.con
    decisions = current_decisions(warehouse)
    _keep(con, "decided_pair", decisions[["record_a", "record_b"]].astype("str"))
    _reach(con, ids)
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE group_link AS
        SELECT record_a, record_b, probability, weight, levels, discharge, contradiction FROM lake.death_link_pair
        WHERE record_a IN (FROM reached) AND record_b IN (FROM reached) AND (probability IS NOT NULL OR contradiction <> '' OR levels <> '{}')
        """
    )
    reached = set(con.execute("SELECT record_id FROM reached").df()["record_id"])
    decisions = decisions[decisions["record_a"].isin(reached) & decisions["record_b"].isin(reached)]
    earlier = warehouse.query("SELECT record_id, person_id FROM lake.death_match WHERE record_id IN (FROM reached)")
    sources = (
        "SELECT death_id AS record_id, source FROM lake.death WHERE death_id IN (FROM reached) UNION ALL "
        f"SELECT event_id, '{candidates.SENT_HOME}' FROM lake.sent_home_dying WHERE event_id IN (FROM reached)"
    )
    taken = con.execute(
        "SELECT DISTINCT person_id FROM lake.death_match WHERE person_id[2:] IN (FROM reached)"
    ).fetchall()
    made = _made(con, "group_link", decisions, earlier, sources=sources, taken=[one for (one,) in taken])
    _replace(warehouse, "death_link_pair", "record_a IN (FROM reached) AND record_b IN (FROM reached)")
    _replace(warehouse, "death_match", "record_id IN (FROM reached)")
    found = dict(
        con.execute("SELECT record_id, person_id FROM lake.death_match WHERE record_id IN (FROM reached)").fetchall()
    )
    for name in (*made, "group_link", "reached", "decided_pair"):
        con.execute(f"DROP TABLE IF EXISTS temp.{name}")
    return {one: str(found.get(one, "")) for one in dict.fromkeys(ids)}


def _reach(con: Any, ids: Sequence[str]) -> None:
    """Make `reached`: the records that hang together with these through stored pairs, decisions or a person."""
    _keep(con, "reached", pd.DataFrame({"record_id": pd.Series(list(dict.fromkeys(ids)), dtype="str")}))
    count = -1
    while (now := con.execute("SELECT count(*) FROM reached").fetchone()[0]) != count:
        count = now
        con.execute(
            """
            CREATE OR REPLACE TEMP TABLE reached AS
            SELECT record_id FROM reached
            UNION SELECT unnest([record_a, record_b]) FROM (
                SELECT record_a, record_b FROM lake.death_link_pair UNION ALL SELECT record_a, record_b FROM decided_pair
            ) WHERE record_a IN (FROM reached) OR record_b IN (FROM reached)
            UNION SELECT record_id FROM lake.death_match WHERE person_id IN (
                SELECT person_id FROM lake.death_match WHERE record_id IN (FROM reached))
            """
        )


def person_of(warehouse: Warehouse, record_id: str) -> list[str]:
    """All records of the person that a record belongs to, itself included, in the order of their ids."""
    rows = warehouse.query(
        "SELECT b.record_id FROM lake.death_match a JOIN lake.death_match b USING (person_id) WHERE a.record_id = ? ORDER BY 1",
        [record_id],
    )
    return [str(one) for one in rows["record_id"]] or [record_id]


@contextlib.contextmanager
def reading(home: Path) -> Iterator[Warehouse]:
    """The warehouse for functions that look at single records; they must ask for the right at each record's place."""
    from tkyt_analysis.access import require, working_within

    require(home, "read", table="death_match")
    with working_within(), Warehouse(home) as warehouse:
        yield warehouse
