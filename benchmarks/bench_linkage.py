"""How well and how fast records are linked: ours against an exact match and plain Splink, on public and drawn lists.

    python benchmarks/bench_linkage.py [--small]

The public lists (FEBRL, Splink's fake 1000) are read from the reference data (TKYT_REFERENCE) and left out where absent;
the Vietnamese ones are drawn (mortality.practice.link_lists). Pairs that blocking misses count as missed.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pandas as pd

from mortality.linkage import link_records
from mortality.practice.link_lists import draw_link_list

Pairs = set[tuple[str, str]]
REFERENCE = Path(os.environ.get("TKYT_REFERENCE") or Path(__file__).parents[2] / "shared" / "reference")
LINE_LISTS = REFERENCE / "quality" / "linelist"


def pairs_of_groups(group: pd.Series) -> Pairs:
    """All pairs of ids that carry the same value."""
    members = group.groupby(group).groups.values()
    return {pair for ids in members for pair in itertools.combinations(sorted(ids), 2)}


def febrl(name: str) -> tuple[pd.DataFrame, Pairs]:
    rows = pd.read_csv(LINE_LISTS / name, dtype=str, skipinitialspace=True, keep_default_na=False)
    rows.columns = rows.columns.str.strip()
    parts = ["street_number", "address_1", "address_2", "suburb"]
    table = pd.DataFrame(
        {
            "record_id": rows["rec_id"],
            "full_name": rows["given_name"] + " " + rows["surname"],
            "birth": rows["date_of_birth"],
            "address": rows[parts].agg(" ".join, axis=1),
            "place_code": rows["postcode"],
            "id_number": rows["soc_sec_id"],
        }
    )
    return table, pairs_of_groups(rows.set_index("rec_id").index.to_series().str.extract(r"rec-(\d+)-")[0])


def fake_1000() -> tuple[pd.DataFrame, Pairs]:
    rows = pd.read_csv(LINE_LISTS / "splink_fake_1000.csv", dtype=str, keep_default_na=False)
    table = pd.DataFrame(
        {
            "record_id": rows["unique_id"],
            "full_name": rows["first_name"] + " " + rows["surname"],
            "birth": rows["dob"],
            "address": rows["city"],
        }
    )
    return table, pairs_of_groups(rows.set_index("unique_id")["cluster"])


def drawn(people: int, profile: str, seed: int = 11) -> tuple[pd.DataFrame, Pairs]:
    table, truth = draw_link_list(people, seed=seed, profile=profile)
    pairs = {(min(a, b), max(a, b)) for a, b in zip(truth["id_l"], truth["id_r"])}
    return table.rename(columns={"id": "record_id", "birth_date": "birth"}), pairs


def sets(small: bool) -> Iterator[tuple[str, pd.DataFrame, Pairs]]:
    """Name, list, true pairs."""
    if LINE_LISTS.exists():
        table, truth = febrl("febrl3.csv")
        yield "FEBRL3", table, truth
        yield "FEBRL3, no ID", table.drop(columns="id_number"), truth
        yield "FEBRL3, no ID, no address", table.drop(columns=["id_number", "address"]), truth
        yield "FEBRL1, no ID", *((lambda t: (t[0].drop(columns="id_number"), t[1]))(febrl("febrl1.csv")))
        yield "Splink fake 1000", *fake_1000()
    people = 800 if small else 4000
    for profile in ("book", "mixed", "hard"):
        table, truth = drawn(people, profile)
        yield f"drawn {profile}", table, truth
        yield f"drawn {profile}, no ID", table.drop(columns="id_number"), truth


def ours(table: pd.DataFrame, truth: Pairs) -> tuple[Pairs, float | None, float | None]:
    """Pairs at 0.5 or more, the exact and the estimated ceiling."""
    con = duckdb.connect()
    con.execute("SET threads = 2")
    con.register("people", table)
    con.register("truth", pd.DataFrame(sorted(truth), columns=["id_l", "id_r"]))
    run = link_records(con, "people", truth="truth")
    found = {(min(a, b), max(a, b)) for a, b in con.execute("SELECT id_l, id_r FROM linked_pair").fetchall()}
    return found, (run.true_candidates or 0) / max(1, len(truth)), run.ceiling


def exact(table: pd.DataFrame, truth: Pairs) -> tuple[Pairs, float | None, float | None]:
    """The same name without marks and the same text of birth."""
    plain = table["full_name"].str.normalize("NFKD").str.encode("ascii", "ignore").str.decode("ascii").str.lower()
    key = (plain.str.split().str.join(" ") + "|" + table["birth"]).set_axis(table["record_id"])
    return pairs_of_groups(key[table["birth"].ne("").to_numpy()]), None, None


def plain_splink(table: pd.DataFrame, truth: Pairs) -> tuple[Pairs, float | None, float | None]:
    """Splink with the settings of its tutorial: name, birth text, place; two blocking rules; EM."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    rows = table.replace("", None).rename(columns={"record_id": "unique_id"})
    rules = [block_on("full_name"), block_on("birth")]
    settings = SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=rules,
        comparisons=[
            cl.NameComparison("full_name"),
            cl.LevenshteinAtThresholds("birth", [1, 2]),
            *[cl.ExactMatch(name) for name in ("place_code", "id_number") if name in rows],
        ],
    )
    linker = Linker(DuckDBAPI().register(rows), settings, log_level=logging.CRITICAL)
    linker.training.estimate_probability_two_random_records_match([block_on("full_name", "birth")], recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=200_000, seed=1)
    for rule in rules:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    found = linker.inference.predict(threshold_match_probability=0.5).as_pandas_dataframe()
    return {(min(a, b), max(a, b)) for a, b in zip(found["unique_id_l"], found["unique_id_r"])}, None, None


METHODS: dict[str, Callable[[pd.DataFrame, Pairs], tuple[Pairs, float | None, float | None]]] = {
    "ours": ours,
    "exact name + birth": exact,
    "plain Splink": plain_splink,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="drawn lists of 800 persons instead of 4,000")
    small = parser.parse_args().small
    print("| set | records | method | precision | recall | F1 | ceiling | estimated | seconds |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, table, truth in sets(small):
        for method, function in METHODS.items():
            started = time.monotonic()
            try:
                found, ceiling, estimated = function(table, truth)
            except Exception as error:
                print(f"| {name} | {len(table)} | {method} | failed: {type(error).__name__} |")
                continue
            right = len(found & truth)
            figures = [
                right / max(1, len(found)),
                right / len(truth),
                2 * right / (len(found) + len(truth)),
                ceiling,
                estimated,
            ]
            cells = " | ".join("–" if value is None else f"{value:.4f}" for value in figures)
            print(f"| {name} | {len(table)} | {method} | {cells} | {time.monotonic() - started:.1f} |", flush=True)


if __name__ == "__main__":
    main()
